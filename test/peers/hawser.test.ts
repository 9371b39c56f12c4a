/** The program with programs that were written elsewhere at the other end: nc, socat, and the tutorial's in Python. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { bin, hawser, limitMillis, Program, serve } from "../cli/process.ts"

const python = (name: string, ...args: ReadonlyArray<string>): Program =>
  new Program("python3", [fileURLToPath(new URL(`python/${name}.py`, import.meta.url)), ...args])

const shell = (script: string, ...args: ReadonlyArray<string>): Program => new Program("sh", ["-c", script, ...args])

/** How a program ends that is left alone. */
const run = async (program: Program) => {
  using _ = program
  return await program.ended
}

const tutorial = "shaurya says geeksforgeeks"
const turned = "skeegrofskeeg syas ayruahs"

describe("the tutorial's programs in Python", () => {
  it("a client without an end of message is answered by serve reverse", async () => {
    const { port, server } = await serve("reverse", "--framing", "chunks")
    using _ = server
    assert.deepStrictEqual(await run(python("reverse_client", String(port), tutorial)), {
      exit: 0,
      stdout: `Received from the server : ${turned}\n`,
      stderr: ""
    })
  })

  it("a client that only receives is greeted", async () => {
    for (const framing of ["lines", "chunks"]) {
      const { port, server } = await serve("greet", "--framing", framing)
      using _ = server
      const { stdout } = await run(python("greeted_client", String(port)))
      assert.strictEqual(stdout.trimEnd(), "Thank you for connecting")
    }
  })

  it("a server with a thread for each client answers talk reverse", async () => {
    using server = python("reverse_server")
    const [, port] = await server.says(/port (\d+)/)
    assert.deepStrictEqual(
      await run(hawser(["talk", "reverse", "--framing", "chunks", "--port", String(port), tutorial, "abc"])),
      { exit: 0, stdout: `${turned}\ncba\n`, stderr: "" }
    )
    await server.says(/Bye/)
  })
})

describe("on a terminal", () => {
  const ask = "Enter data you want to send->"
  const again = "Do you want to continue(y/n) :"

  const type = async (server: Program, script: ReadonlyArray<readonly [prompt: string, keys: string]>) => {
    const [, port] = await server.says(/port (\d+)/)
    const talk = [process.execPath, bin, "talk", "reverse", "--framing", "chunks", "--port", String(port)]
    const { stderr, stdout } = await run(python("terminal", JSON.stringify(script), ...talk))
    assert.strictEqual(stderr, "")
    return JSON.parse(stdout)
  }

  it("the tutorial's transcript comes out", async () => {
    using server = python("reverse_server")
    const received = `Received from the server : ${turned}\n\n${again}`
    assert.deepStrictEqual(await type(server, [[ask, `${tutorial}\n`], [again, "y\n"], [ask, "\n"], [again, "n\n"]]), {
      exit: 0,
      transcript: `${ask}${tutorial}\n${received}y\n${ask}\n${received}n\n`
    })
  })

  it("Ctrl-D leaves with 0, and Ctrl-C with 130", async () => {
    using server = python("reverse_server")
    assert.deepStrictEqual(await type(server, [[ask, "\x04"]]), { exit: 0, transcript: `${ask}\n` })
    assert.deepStrictEqual(await type(server, [[ask, "\x03"]]), { exit: 130, transcript: `${ask}^C` })
  })
})

describe("nc and socat", () => {
  it.each(["echo", "reverse"])("%s answers nc that ends its side", async (service) => {
    const { port, server } = await serve(service)
    using _ = server
    assert.deepStrictEqual(await run(shell("printf abc | nc -N 127.0.0.1 \"$0\"", String(port))), {
      exit: 0,
      stdout: service === "echo" ? "abc" : "cba\n",
      stderr: ""
    })
  })

  it("connect passes bytes to nc and back, and both end", async () => {
    using nc = shell("printf 'from nc' | nc -lvN 127.0.0.1 0 2>&1")
    const [, port] = await nc.says(/Listening on \S+ (\d+)/)
    assert.deepStrictEqual(await run(shell("printf 'from hawser' | \"$@\"", "sh", ...connect(Number(port)))), {
      exit: 0,
      stdout: "from nc",
      stderr: ""
    })
    assert.match((await nc.ended).stdout, /from hawser$/)
  })

  it("connect gets the late answer of socat after its own end", async () => {
    using socat = shell("exec socat -d -d TCP-LISTEN:0,bind=127.0.0.1 SYSTEM:'cat; echo after the end' 2>&1")
    const [, port] = await socat.says(/listening on AF=2 127\.0\.0\.1:(\d+)/)
    assert.deepStrictEqual(await run(shell("printf 'abc\\n' | \"$@\"", "sh", ...connect(Number(port)))), {
      exit: 0,
      stdout: "abc\nafter the end\n",
      stderr: ""
    })
  })

  it("connect is done when socat ends, though stdin stays open", async () => {
    using socat = shell("exec socat -d -d TCP-LISTEN:0,bind=127.0.0.1 SYSTEM:'echo bye' 2>&1")
    const [, port] = await socat.says(/listening on AF=2 127\.0\.0\.1:(\d+)/)
    using client = hawser(["connect", `tcp://127.0.0.1:${port}`])
    assert.deepStrictEqual(await client.ended, { exit: 0, stdout: "bye\n", stderr: "" })
  })
})

const connect = (port: number): Array<string> => [process.execPath, bin, "connect", `tcp://127.0.0.1:${port}`]

describe("a lot", { timeout: 2 * limitMillis }, () => {
  const gibibyte = 2 ** 30

  /** The memory that a process has needed at most, in MiB. */
  const peakMebibytes = (pid: number): number =>
    Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024

  it("1 GiB through echo arrives identical, and memory stays flat", async () => {
    const { port, server } = await serve("echo")
    using _ = server
    await run(python("flood", String(port), String(2 ** 26), "1"))
    const warm = peakMebibytes(server.child.pid!)
    assert.deepStrictEqual(await run(python("flood", String(port), String(gibibyte), "2")), {
      exit: 0,
      stdout: `identical ${gibibyte}\n`,
      stderr: ""
    })
    // Sixteen times as much needs no more but for what the garbage collector is lazy about.
    assert.isAtMost(peakMebibytes(server.child.pid!), warm + 64)
  })

  it("1 GiB through connect arrives identical", async () => {
    const { port, server } = await serve("echo")
    using _ = server
    const sum = (command: string) =>
      run(shell(`seq 1000000000 | head -c ${gibibyte} ${command} | sha256sum`, "sh", ...connect(port)))
    const [through, around] = await Promise.all([sum("| \"$@\""), sum("")])
    assert.deepStrictEqual(through, around, server.stdout + server.stderr)
    await server.says(/#1 ended: the peer closed the connection \(1GiB in, 1GiB out, /)
  })

  it("1,000 connections opened at once are all served", async () => {
    const { port, server } = await serve("reverse")
    using _ = server
    assert.deepStrictEqual(await run(python("crowd", String(port), "1000")), {
      exit: 0,
      stdout: "1000 of 1000 served\n",
      stderr: ""
    })
    server.kill("SIGTERM")
    const { exit, stdout } = await server.ended
    assert.strictEqual(exit, 0)
    assert.match(
      stdout,
      /: 1000 served, 0 drained, 0 forced, 0 refused\n$|: \d+ served, \d+ drained, 0 forced, 0 refused\n$/
    )
  })
})
