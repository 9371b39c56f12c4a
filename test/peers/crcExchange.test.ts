/** CRC exchanges with programs in Python at the other end: the tutorial's, and the one with ACK and NAK. */
import { assert, describe, it } from "@effect/vitest"
import { fileURLToPath } from "node:url"
import { hawser, Program, serve } from "../cli/process.ts"

const python = (name: string, ...args: ReadonlyArray<string>): Program =>
  new Program("python3", ["-B", fileURLToPath(new URL(`python/${name}.py`, import.meta.url)), ...args])

/** How a program ends that is left alone. */
const run = async (program: Program) => {
  using _ = program
  return await program.ended
}

const entered = "Entered data in binary format : 100010110101101001110\n" +
  "Encoded data to be sent to server in binary format : 100010110101101001110111\n"

const thanks = "Received feedback from server : THANK you Data ->100010110101101001110111 Received No error FOUND\n"

describe("the tutorial's form", () => {
  it("its client is thanked, or told of the error, by serve crc", async () => {
    const { port, server } = await serve("crc", "--framing", "chunks")
    using _ = server
    assert.deepStrictEqual(await run(python("crc_client", String(port), "EVN")), {
      exit: 0,
      stdout: entered + thanks,
      stderr: ""
    })
    await server.says(/#1 100010110101101001110111: remainder 000, no error found\n/)
    assert.deepStrictEqual(await run(python("crc_client", String(port), "EVN", "4")), {
      exit: 0,
      stdout: `${entered}Received feedback from server : Error in data\n`,
      stderr: ""
    })
    await server.says(/#2 100000110101101001110111: remainder 010, error found\n/)
    // Two bits that are three apart: what the key 1001 cannot find.
    assert.include((await run(python("crc_client", String(port), "EVN", "4", "7"))).stdout, "No error FOUND")
  })

  it("its server answers talk crc, message by message", async () => {
    using server = python("crc_server")
    const [, port = ""] = await server.says(/port (\d+)/)
    const talk = ["talk", "crc", "--framing", "chunks", "--port", port]
    assert.deepStrictEqual(await run(hawser([...talk, "EVN", "EVN"])), {
      exit: 0,
      stdout: `${entered}${thanks}Positive acknowledgement: no error was found\n`.repeat(2),
      stderr: ""
    })
    const { exit, stderr, stdout } = await run(hawser([...talk, "--corrupt", "1", "EVN"]))
    assert.deepStrictEqual([exit, stderr], [
      3,
      `hawser: tcp://127.0.0.1:${port} found an error in a message\n` +
      "hint: the tutorial's form does not send again; without --framing chunks it is repaired\n"
    ])
    assert.match(
      stdout,
      /Received feedback from server : Error in data\nNegative acknowledgement: an error was found\n$/
    )
    await server.says(/->000\n.*->000\n.*->(?!000)/s)
  })
})

describe("the form with ACK and NAK", () => {
  it("a client in Python is refused what it spoils, and what it repeats is taken once", async () => {
    const { port, server } = await serve("crc", "--crc", "crc-32")
    using _ = server
    const { exit, stdout } = await run(python("crc_lines", "client", String(port), "hello, quay", "héllo 👩‍👩‍👧"))
    assert.deepStrictEqual({ exit, stdout }, {
      exit: 0,
      stdout: "NAK 0\nACK 1\nACK 1\nNAK 1\nACK 2\nACK 2\n"
    })
    server.kill("SIGINT")
    const taken = (await server.ended).stdout.split("\n").filter((line) => line.endsWith("no error found"))
    assert.deepStrictEqual(taken, [
      "#1 \"hello, quay\": CRC-32/ISO-HDLC, no error found",
      "#1 \"héllo 👩‍👩‍👧\": CRC-32/ISO-HDLC, no error found"
    ])
  })

  it("a server in Python that refuses each message once gets it again from talk crc", async () => {
    using server = python("crc_lines", "server")
    const [, port = ""] = await server.says(/port (\d+)/)
    const talk = ["talk", "crc", "--crc", "crc-32", "--corrupt", "0", "--port", port]
    assert.deepStrictEqual(await run(hawser([...talk, "one", "two, ü"])), {
      exit: 0,
      stdout: "one: NAK, ACK\ntwo, ü: NAK, ACK\n",
      stderr: ""
    })
    assert.match((await server.ended).stdout, /port \d+\nhandled one\nhandled two, ü\n$/)
  })
})
