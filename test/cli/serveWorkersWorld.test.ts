/** `hawser serve --workers` and the world around it: settings, files, pipes, and the ways in which it is started. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import { existsSync, readFileSync } from "node:fs"
import * as NodeTls from "node:tls"
import { fileURLToPath } from "node:url"
import { vi } from "vitest"
import { fails, run } from "./inProcess.ts"
import { bin, Client, hawser, limitMillis, Program, serve } from "./process.ts"
import { Changing, file, pair } from "./tlsFiles.ts"
import { Clients, events, supervise } from "./workers.ts"

vi.setConfig({ testTimeout: limitMillis + 5000 })

const test = it.concurrent

/** Needs a file that takes nothing. */
const inLinux = existsSync("/dev/full") ? test : test.skip

const hint = "\nhint: write tcp://HOST:PORT or tls://HOST:PORT, or leave it at one worker\n"

describe("what cannot be shared is refused, whether it would start or not:", () => {
  it.live.each<[flags: ReadonlyArray<string>, sentence: string]>([
    [["--listen", "unix:/x"], `--workers 2 needs ports that can be shared, and --listen names unix:/x${hint}`],
    [["--listen", "unix:@x"], `--workers 2 needs ports that can be shared, and --listen names unix:@x${hint}`],
    [["--listen", "memory:x"], `--workers 2 needs ports that can be shared, and --listen names memory:x${hint}`],
    [["--fd", "3"], `--workers 2 needs ports that can be shared, and --fd names fd:3${hint}`],
    [
      ["--listen", "tcp://127.0.0.1:0", "--fd", "4"],
      `--workers 2 needs ports that can be shared, and --listen, --fd names fd:4${hint}`
    ],
    [
      ["--max-connections", "1"],
      "--max-connections must be at least 2, one for each of --workers, got 1\n" +
      "hint: limits are of the whole server, and are shared out among its workers\n"
    ],
    [
      ["--rate-per-peer", "1/1m"],
      "--rate-per-peer must be at least 2, one for each of --workers, got 1/1m\n" +
      "hint: limits are of the whole server, and are shared out among its workers\n"
    ],
    [
      ["--max-per-peer", "3", "--max-connections", "2"],
      "--max-per-peer must be at most --max-connections, which is 2, got 3\n"
    ]
  ])("%j", ([flags, sentence]) =>
    Effect.gen(function*() {
      for (const check of [["--check"], []]) {
        const args = ["serve", "echo", "--workers", "2", ...flags, ...check]
        yield* fails(args, { exit: 2, stderr: `hawser: ${sentence}` })
      }
    }))

  it.live.each(["0", "1025", "two", "1.5"])("%s workers", (workers) =>
    fails(["serve", "echo", "--workers", workers], {
      exit: 2,
      stderr: `hawser: --workers must be an integer from 1 to 1024, got "${workers}"\n` +
        "hint: hawser serve --help tells more\n"
    }))

  test("sockets that were handed over", async () => {
    const command = ["-c", "LISTEN_PID=$$ exec \"$@\"", "sh", process.execPath, bin, "serve", "reverse"]
    using server = new Program("sh", command, { LISTEN_FDS: "1", HAWSER_WORKERS: "3" })
    assert.deepStrictEqual(await server.ended, {
      exit: 2,
      stdout: "",
      stderr: `hawser: HAWSER_WORKERS 3 needs ports that can be shared, and LISTEN_FDS names fd:3${hint}`
    })
  })
})

describe("--check", () => {
  it.live("tells how many there would be, and who said so, and starts none", () =>
    Effect.gen(function*() {
      const rows = Effect.fnUntraced(
        function*(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) {
          const { exit, stdout } = yield* run(["serve", "echo", ...args, "--check"], { env })
          assert.strictEqual(exit, 0)
          return stdout.split("\n").map((line) => line.replaceAll(/ +/g, " "))
        }
      )
      const told = yield* rows(["--workers", "4", "--max-connections", "10"])
      assert.includeMembers(told, ["workers 4 --workers", "max-connections 10 --max-connections"])
      assert.include(yield* rows([], { HAWSER_WORKERS: "8" }), "workers 8 HAWSER_WORKERS")
      assert.include(yield* rows([]), "workers 1 default")
    }))
})

describe("limits", () => {
  test("are of the whole server, to the last connection", async () => {
    const { port, server } = await supervise(["reverse", "--json", "--max-connections", "5", "--overflow", "close"])
    using _ = server
    const clients: Array<Client> = []
    const count = (event: string) => server.stdout.split(`"event":"${event}"`).length - 1
    try {
      // Both workers must be full: by chance, so the bound is far beyond any luck.
      while (count("Accepted") < 5 && clients.length < 500) {
        const client = await Client.dial(port)
        clients.push(client)
        await server.says(new RegExp(`"(?:Accepted|Refused)".*:${client.port}"`))
      }
      for (let more = 0; more < 10; more++) {
        const client = await Client.dial(port)
        clients.push(client)
        await server.says(new RegExp(`"Refused".*:${client.port}"`))
      }
      assert.strictEqual(count("Accepted"), 5)
      const shares = server.stdout.matchAll(/"worker":(\d).*"limit":"maxConnections","max":(\d+)/g)
      assert.deepStrictEqual(
        new Set(Array.from(shares, ([, worker, max]) => `${worker}: ${max}`)),
        new Set(["1: 3", "2: 2"])
      )
    } finally {
      for (const client of clients) client[Symbol.dispose]()
    }
  })
})

describe("certificates", () => {
  /** Whose certificate a client sees at each of many tries. */
  const seen = async (port: number, tries: number): Promise<ReadonlyArray<string>> => {
    const ca = readFileSync(file("ca.pem"))
    const names = new Set<string>()
    for (let n = 0; n < tries; n++) {
      const socket = NodeTls.connect({ port, host: "127.0.0.1", ca, checkServerIdentity: () => undefined })
      await once(socket, "secureConnect")
      names.add(String(socket.getPeerCertificate().subject.CN))
      socket.destroy()
    }
    return [...names]
  }

  test("are loaded again by all workers at SIGHUP, and told by each", async () => {
    using files = new Changing("server")
    const { port, server } = await supervise(["reverse", ...files.flags])
    using _ = server
    files.become("second")
    server.kill("SIGHUP")
    for (const worker of [1, 2]) {
      await server.says(new RegExp(`\nworker ${worker}: certificates loaded again: CN=second\\.example\\.test, `))
    }
    assert.deepStrictEqual(await seen(port, 20), ["second.example.test"])
    server.kill("SIGTERM")
    assert.strictEqual((await server.ended).exit, 0)
  })

  test("are noticed by each worker when the files change", async () => {
    using files = new Changing("server")
    const { port, server } = await supervise(["reverse", ...files.flags, "--json"])
    using _ = server
    files.become("second")
    for (const worker of [1, 2]) await server.says(new RegExp(`"event":"Reloaded","worker":${worker},`))
    assert.deepStrictEqual(await seen(port, 20), ["second.example.test"])
  })

  test("that have expired are warned of once", async () => {
    using server = hawser(["serve", "echo", "--workers", "2", "--port", "0", ...pair("expired")])
    await server.says(/listening/)
    server.kill("SIGTERM")
    const { exit, stderr } = await server.ended
    assert.strictEqual(exit, 0)
    assert.match(stderr, /^hawser: warning: --tls-cert [^\n]+expired on 2011-[^\n]+\n$/)
  })

  test("that are not there, where TLS is not, are told of by each", async () => {
    const { server } = await supervise(["reverse", "--json"])
    using _ = server
    server.kill("SIGHUP")
    for (const worker of [1, 2]) {
      await server.says(
        new RegExp(`"event":"NotReloaded","worker":${worker},"message":"there is nothing to load again`)
      )
    }
  })
})

describe("stdout", () => {
  test("that is closed ends it, drained, with 0, and quietly", async () => {
    const { port, server } = await serve("echo", "--workers", "2")
    using _ = server
    server.child.stdout.destroy()
    using client = await Client.dial(port)
    client.socket.end("x")
    const { exit, stderr } = await server.ended
    assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
  })

  test("that is read no further than its first line ends it in the same way", async () => {
    const script = "\"$@\" | head -1"
    const command = ["-c", script, "sh", process.execPath, bin, "serve", "greet", "--workers", "2", "--port", "0"]
    using server = new Program("sh", command)
    const [, port] = await server.says(/^listening on tcp:\/\/\S+:(\d+):.*\n$/)
    using client = await Client.dial(Number(port))
    client.socket.end()
    const { exit, stderr } = await server.ended
    assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
  })

  inLinux("that takes no more is a local error, told once", async () => {
    const serveEcho = ["serve", "echo", "--workers", "2", "--port", "0"]
    using program = new Program("sh", ["-c", "exec \"$@\" > /dev/full", "sh", process.execPath, bin, ...serveEcho])
    assert.deepStrictEqual(await program.ended, {
      exit: 2,
      stdout: "",
      stderr: "hawser: cannot write to stdout (ENOSPC)\n"
    })
  })

  test("that is not read stalls nobody: what could not be said is counted", async () => {
    const { port, server } = await supervise(["crc", "--json"])
    using _ = server
    server.child.stdout.pause()
    using client = await Client.dial(port)
    // Each is found in error, told, and answered: far more than all pipes and queues hold together.
    const lines = 40_000
    client.socket.end("?\n".repeat(lines))
    const answers = (await client.gone()).trimEnd().split("\n")
    assert.strictEqual(answers.length, lines)
    server.child.stdout.resume()
    server.kill("SIGTERM")
    const { exit, stdout } = await server.ended
    assert.strictEqual(exit, 0)
    const all = events(stdout)
    const lost = all.filter(({ event }) => event === "Lost")
    const said = all.filter(({ event }) => ["Accepted", "Checked", "Ended"].includes(String(event)))
    assert.isAbove(lost.length, 0)
    assert.strictEqual(lost.reduce((sum, { events }) => sum + Number(events), said.length), lines + 2)
    assert.strictEqual(new Set([...said, ...lost].map(({ worker }) => worker)).size, 1)
    // It ended by itself, or, if its worker was slower than the signal, by the drain.
    const { drained, event, served } = all.at(-1) ?? {}
    assert.deepStrictEqual([event, Number(served) + Number(drained)], ["Drained", 1])
  })
})

describe("is started again", () => {
  const launcher = fileURLToPath(new URL("../../bin/hawser.js", import.meta.url))

  test("by the command of the package, with flags of Node and variables of the environment", async () => {
    const args = ["--no-warnings", launcher, "serve", "reverse", "--port", "0", "--json", "--verbose"]
    using server = new Program(process.execPath, args, { HAWSER_WORKERS: "3", HAWSER_IDLE_TIMEOUT: "5m" })
    const [, port] = await server.says(/"endpoint":"tcp:\/\/127\.0\.0\.1:(\d+)"/)
    using clients = await Clients.everywhere({ server, port: Number(port), processIds: [] }, 3)
    assert.deepStrictEqual([...clients.of.keys()].toSorted(), [1, 2, 3])
    server.kill("SIGTERM")
    assert.strictEqual((await server.ended).exit, 0)
  })

  test("by its place alone it is no worker: without a supervisor's channel it serves alone", async () => {
    using server = hawser(["serve", "echo", "--port", "0"], { HAWSER__WORKER: "2/2" })
    await server.says(/^listening on \S+: echo, [^\n]*; Ctrl-C/)
    server.kill("SIGTERM")
    assert.strictEqual((await server.ended).exit, 0)
  })

  test("in colours, where stdout shows them", async () => {
    using server = hawser(["serve", "greet", "--port", "0", "--workers", "2"], { FORCE_COLOR: "1" })
    const [, port] = await server.says(/127\.0\.0\.1:(\d+)/)
    using client = await Client.dial(Number(port))
    client.socket.end()
    // oxlint-disable-next-line no-control-regex
    await server.says(/\x1b\[2m#[12]\.1\x1b\[0m connected/)
  })
})
