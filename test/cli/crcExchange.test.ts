/** `hawser serve crc` and `hawser talk crc`, with vowels and parity. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Framing from "../../src/Framing.ts"
import * as CrcCheck from "../../src/services/CrcCheck.ts"
import * as Goodbye from "../../src/services/Goodbye.ts"
import * as ParityCheck from "../../src/services/ParityCheck.ts"
import * as Vowels from "../../src/services/Vowels.ts"
import { fails, portOf, run, strange } from "./inProcess.ts"
import { Client, limitMillis, serve } from "./process.ts"

const anywhere = "tcp://127.0.0.1:0"

describe("talk crc", () => {
  it.live("tells what became of each message, the same for the same seed", () =>
    Effect.gen(function*() {
      const port = yield* portOf(CrcCheck.layer(anywhere))
      const args = ["talk", "crc", "--port", port]
      assert.deepStrictEqual(yield* run([...args, "one", "", "héllo 👩‍👩‍👧"]), {
        exit: 0,
        stdout: "one: ACK\n: ACK\nhéllo 👩‍👩‍👧: ACK\n",
        stderr: ""
      })
      for (let again = 0; again < 2; again++) {
        assert.deepStrictEqual(
          yield* run([...args, "--corrupt", "0.5", "--seed", "7"], { stdin: ["one\ntwo\nthree\n"] }),
          {
            exit: 0,
            stdout: "one: ACK\ntwo: NAK, NAK, NAK, ACK\nthree: ACK\n",
            stderr: ""
          }
        )
      }
    }))

  it.live("keeps the order of many, in binary frames with another CRC", () =>
    Effect.gen(function*() {
      const framing = Framing.lengthPrefixed({ maxFrameBytes: 100, widthBytes: 2 })
      const port = yield* portOf(CrcCheck.layer(anywhere, { framing, form: "binary" }))
      const lines = Array.from({ length: 1000 }, (_, n) => `line ${n}`)
      const args = ["talk", "crc", "--port", port, "--framing", "length:2", "--crc", "crc-32c"]
      assert.deepStrictEqual(yield* run(args, { stdin: [lines.join("\n")] }), {
        exit: 0,
        stdout: lines.map((line) => `${line}: ACK\n`).join(""),
        stderr: ""
      })
    }))

  it.live("exits with 3 when a message is spoilt each time", () =>
    Effect.gen(function*() {
      const port = yield* portOf(CrcCheck.layer(anywhere))
      yield* fails(["talk", "crc", "--port", port, "--corrupt", "1", "one"], {
        exit: 3,
        stderr:
          `hawser: tcp://127.0.0.1:${port} refused the message 10 times\nhint: each time an error was found in it\n`
      })
    }))

  it.live("exits with 4 when the other end has another CRC, and with 1 when it leaves", () =>
    Effect.gen(function*() {
      const port = yield* portOf(CrcCheck.layer(anywhere))
      const { exit, stderr } = yield* run(["talk", "crc", "--port", port, "--crc", "crc-8", "--timeout", "100ms", "x"])
      assert.strictEqual(exit, 4)
      assert.include(
        stderr,
        "did not answer within 100ms\nhint: it may speak another protocol: check --framing and --crc"
      )
      const other = yield* strange((socket) => void socket.once("data", () => socket.end()))
      assert.strictEqual((yield* run(["talk", "crc", "--port", other, "x"])).exit, 1)
    }))

  it.live("refuses what it cannot send, and an algorithm that is none", () =>
    Effect.gen(function*() {
      const port = yield* portOf(CrcCheck.layer(anywhere))
      const refused = yield* run(["talk", "crc", "--port", port, "a\nb"])
      assert.strictEqual(refused.exit, 2)
      assert.include(refused.stderr, "the message cannot be sent as lines of at most 64KiB")
      const { exit, stderr } = yield* run(["talk", "crc", "--port", port, "--crc", "crc-99", "x"])
      assert.strictEqual(exit, 2)
      assert.include(stderr, "hawser: there is no algorithm \"crc-99\"")
    }))

  it.live("asks on a terminal until Ctrl-D", () =>
    Effect.gen(function*() {
      const port = yield* portOf(CrcCheck.layer(anywhere))
      const ask = "Enter data you want to send->"
      assert.deepStrictEqual(yield* run(["talk", "crc", "--port", port], { typed: ["one", "", "two"] }), {
        exit: 0,
        stdout: `${ask}one: ACK\n${ask}${ask}two: ACK\n${ask}\n`,
        stderr: ""
      })
    }))
})

describe("talk crc over chunks, the tutorial's client,", () => {
  const talk = (world: { readonly typed?: ReadonlyArray<string> }, ...args: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const port = yield* portOf(CrcCheck.layerTextbook(anywhere))
      return yield* run(["talk", "crc", "--port", port, "--framing", "chunks", ...args], world)
    })
  const said = "Entered data in binary format : 100010110101101001110\n" +
    "Encoded data to be sent to server in binary format : 100010110101101001110111\n"
  const thanked = `${said}Received feedback from server : ` +
    "THANK you Data ->100010110101101001110111 Received No error FOUND\nPositive acknowledgement: no error was found\n"

  it.live("shows bits, codeword, answer and acknowledgement, and asks once", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* talk({}, "EVN"), { exit: 0, stdout: thanked, stderr: "" })
      const asked = yield* talk({ typed: ["", "EVN", "not read"] })
      const ask = "Enter data you want to send->"
      assert.deepStrictEqual(asked, { exit: 0, stdout: `${ask}${ask}${thanked}`, stderr: "" })
    }))

  it.live("exits with 3 where an error was found", () =>
    Effect.gen(function*() {
      const { exit, stderr, stdout } = yield* talk({}, "--corrupt", "1", "--seed", "3", "EVN", "ODD")
      assert.strictEqual(exit, 3)
      assert.match(stderr, /found an error in 2 messages\nhint: /)
      assert.match(
        stdout,
        /Corrupted on its way to : [01]{24}\nReceived feedback from server : Error in data\nNegative/
      )
    }))

  it.live("knows what is neither yes nor no", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.once("data", () => socket.end(Goodbye.full)))
      yield* fails(["talk", "crc", "--port", port, "--framing", "chunks", "EVN"], {
        exit: 1,
        stderr: `hawser: tcp://127.0.0.1:${port} answered neither yes nor no: ${Goodbye.full}\n`
      })
      assert.strictEqual((yield* talk({}, "")).exit, 2)
    }))
})

describe("serve crc", () => {
  it("speaks lines that can be read, unless it is told otherwise", async () => {
    const { port, server } = await serve("crc")
    using _ = server
    using client = await Client.dial(port)
    client.socket.write("BF16E5C0 DATA 0 hello\n")
    await client.hears("BC03EE04 ACK 1\n")
    await server.says(/: crc, lines of at most 64KiB, CRC-32\/ISCSI;.*#1 "hello": CRC-32\/ISCSI, no error found\n/s)
  }, limitMillis)

  it("prints what it found, harmless to a terminal, and as JSON", async () => {
    for (const flags of [[], ["--json"]]) {
      const { port, server } = await serve("crc", "--framing", "chunks", ...flags)
      using _ = server
      using client = await Client.dial(port)
      client.socket.end("\x1b[2J\x9b")
      assert.strictEqual(await client.gone(), "Error in data")
      await server.says(/[Ee]nded/)
      assert.notInclude(server.stdout, "\x1b")
      if (flags.length === 0) assert.notInclude(server.stdout, "\x9b")
      assert.include(
        server.stdout,
        flags.length === 0
          ? "#1 \"\\u001b[2J\\u009b\": bits are 0 and 1, got \"\\u001b\" at place 0, error found\n"
          : "\"event\":\"Checked\",\"id\":1,\"ok\":false,\"received\":\"\\u001b[2J"
      )
    }
  }, limitMillis)
})

it.live("vowels and parity are served and talked to", () =>
  Effect.gen(function*() {
    const vowels = yield* portOf(Vowels.layer(anywhere))
    assert.strictEqual((yield* run(["talk", "vowels", "--port", vowels, "hello", "quay"])).stdout, "h#ll#\nq##y\n")
    const parity = yield* portOf(ParityCheck.layer(anywhere))
    assert.strictEqual(
      (yield* run(["talk", "parity", "--port", parity, "HI", "010010000 010110011 000000011"])).stdout,
      "010010000 010010011 000000011\nError in data: row 2, column 4\n"
    )
  }))
