/** What only the system can show: permissions of socket files, inherited descriptors, and the limit of descriptors. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { root } from "../scripts/snippets.ts"
import { Client, Endpoint, MemoryTransport, NodeTransport, Server, Transport } from "../src/index.ts"
import { collectLogs, type Logged, type Peer, peer, Text, Told, until } from "./support/network.ts"
import { trusted } from "./support/tls.ts"

const real = <A, E>(test: Effect.Effect<A, E, Transport.Transport | Scope.Scope>, logs: Array<Logged> = []) =>
  test.pipe(Effect.scoped, Effect.provide([NodeTransport.layer, collectLogs(logs)]))

const serve = (endpoints: Server.Endpoints, options: Server.Options = {}) =>
  Server.make(Text, endpoints, (text) => Effect.succeed(text), { drain: { grace: 50, force: 50 }, ...options })

const hears = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint) {
  const visitor = yield* peer(endpoint)
  visitor.send("hi\n")
  yield* until("an answer, or the end", () => visitor.heard !== "" || visitor.ended || visitor.closed !== undefined)
  return visitor
})

const folder = Effect.acquireRelease(
  Effect.sync(() => Fs.mkdtempSync(join(tmpdir(), "hawser-"))),
  (path) => Effect.sync(() => Fs.rmSync(path, { recursive: true }))
)

const modeOf = (path: string): number => Fs.statSync(path).mode & 0o777

describe("a socket file", () => {
  it.live.each([0o600, 0o660, 0o666, 0o777])(
    "has its mode, whatever the umask: %i",
    (unixMode) =>
      real(Effect.gen(function*() {
        const path = join(yield* folder, "x.sock")
        const umask = process.umask()
        const server = yield* serve(`unix:${path}`, { unixMode })
        assert.strictEqual(modeOf(path), unixMode)
        assert.strictEqual(process.umask(), umask)
        assert.strictEqual((yield* hears(server.endpoint)).heard, "hi\n")
        yield* server.suspend
        assert.isFalse(Fs.existsSync(path))
        yield* server.resume
        assert.strictEqual(modeOf(path), unixMode)
      }))
  )

  it.live("has it from its first moment, when bind has made it and nobody listens yet", () =>
    real(Effect.gen(function*() {
      const path = join(yield* folder, "x.sock")
      const modes: Array<number> = []
      // Nothing runs between bind and listen but the runtime itself: looked at as soon as that gives back control.
      const listen = Net.Server.prototype.listen
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          Net.Server.prototype.listen = function(this: Net.Server, ...args: Parameters<typeof listen>) {
            const server = listen.apply(this, args)
            if (Fs.existsSync(path)) modes.push(modeOf(path))
            return server
          } as typeof listen
        }),
        () =>
          Effect.sync(() => {
            Net.Server.prototype.listen = listen
          })
      )
      yield* serve(`unix:${path}`, { unixMode: 0o600 })
      assert.deepStrictEqual(modes, [0o600])
    })))

  it.live("that has it takes the place of a stale one", () =>
    real(Effect.gen(function*() {
      const path = join(yield* folder, "x.sock")
      const script = `require("net").createServer().listen(${
        JSON.stringify(path)
      }, () => process.kill(process.pid, "SIGKILL"))`
      yield* Effect.callback<void>((resume) => {
        spawn(process.execPath, ["-e", script]).once("close", () => resume(Effect.void))
      })
      assert.isTrue(Fs.existsSync(path))
      yield* serve(`unix:${path}`, { unixMode: 0o640 })
      assert.strictEqual(modeOf(path), 0o640)
    })))

  it.live("may be one endpoint of several, beside an abstract name, which has no file", () =>
    real(Effect.gen(function*() {
      const path = join(yield* folder, "x.sock")
      const name = `unix:@hawser-sockets-${process.pid}` as const
      const server = yield* serve([name, `unix:${path}`, "tcp://127.0.0.1:0", "memory:x"], { unixMode: 0o600 })
      for (const endpoint of server.endpoints) assert.strictEqual((yield* hears(endpoint)).heard, "hi\n")
      assert.strictEqual(new Set((yield* server.connections).map(({ id }) => id)).size, 4)
      assert.deepStrictEqual(Fs.readdirSync(join(path, "..")), ["x.sock"])
      yield* server.suspend
      assert.deepStrictEqual(Fs.readdirSync(join(path, "..")), [])
      for (const endpoint of server.endpoints) {
        assert.strictEqual((yield* Effect.flip(peer(endpoint)))._tag, "ConnectError")
      }
      // The port that the system chose is a part of the address.
      yield* server.resume
      for (const endpoint of server.endpoints) assert.strictEqual((yield* hears(endpoint)).heard, "hi\n")
    })))
})

describe("an inherited descriptor", () => {
  /** Starts the program with a socket that this process listens on, and lets go of it. */
  const inherit = Effect.fnUntraced(function*(address: Net.ListenOptions, endpoint = "fd:3") {
    const listening = Net.createServer()
    yield* Effect.callback<void>((resume) => {
      listening.listen(address, () => resume(Effect.void))
    })
    const { fd } = (listening as unknown as { readonly _handle: { readonly fd: number } })._handle // not in Node's types
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(
          process.execPath,
          ["--conditions=hawser-source", join(root, "test/support/inheritedServer.ts"), endpoint],
          {
            stdio: ["pipe", "pipe", "inherit", fd]
          }
        )
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    let stdout = ""
    child.stdout?.on("data", (chunk) => {
      stdout += String(chunk)
    })
    const exit = new Promise<number | null>((resolve) => child.once("exit", resolve))
    yield* until("the program listens", () => stdout.includes("\n"), 10_000_000)
    listening.close()
    return { child, exit, said: () => stdout.trim().split("\n") }
  })

  it.live("is served on, and cannot be resumed", () =>
    real(Effect.gen(function*() {
      const { child, exit, said } = yield* inherit({ host: "127.0.0.1", port: 0 })
      const [where = ""] = said()
      assert.match(where, /^tcp:\/\/127\.0\.0\.1:\d+$/)
      const visitor = yield* hears(Endpoint.fromStringUnsafe(where))
      assert.strictEqual(visitor.heard, "HI\n")
      visitor.leave()
      child.stdin?.write("x")
      assert.strictEqual(yield* Effect.promise(() => exit), 0)
      assert.deepStrictEqual(said(), [where, "cannot resume"])
    })), 30_000)

  it.live(
    "is served with TLS where its endpoint says so, also where it is a Unix socket",
    () =>
      real(Effect.gen(function*() {
        const inet = yield* inherit({ host: "127.0.0.1", port: 0 }, "tls:fd:3")
        const [where = ""] = inet.said()
        assert.match(where, /^tls:\/\/127\.0\.0\.1:\d+$/)
        const secure = yield* Client.make(Text, where, { tls: trusted.client })
        assert.strictEqual(yield* secure.call("hi"), "HI")
        const file = yield* inherit({ path: "\0hawser-test-tls-fd" }, "tls:fd:3")
        // Node does not tell the path of a socket that was inherited.
        assert.deepStrictEqual(file.said(), ["tls:fd:3"])
        const local = yield* Client.make(Text, "unix:@hawser-test-tls-fd", { tls: trusted.client })
        assert.strictEqual(yield* local.call("hi"), "HI")
      })),
    30_000
  )

  it.live("that is none, or no socket, is a typed error", () =>
    real(Effect.gen(function*() {
      const closed = yield* Effect.flip(serve("fd:9999"))
      assert.isTrue(closed._tag === "BindError" && closed.reason === "AddressNotAvailable")
      const file = Fs.openSync(process.execPath, "r")
      const noSocket = yield* Effect.flip(serve(Endpoint.descriptorUnsafe(file)))
      assert.isTrue(noSocket._tag === "BindError" && noSocket.reason === "AddressNotAvailable")
      Fs.closeSync(file)
    })))
})

describe("descriptors", () => {
  it.live("of sockets are known, and the limit of the process", () =>
    real(Effect.gen(function*() {
      const { descriptorLimit, listen } = yield* Transport.Transport
      const [, soft] = /^Max open files\s+(\d+)/m.exec(Fs.readFileSync("/proc/self/limits", "latin1")) ?? []
      assert.strictEqual(descriptorLimit, Number(soft))
      const accepted: Array<Transport.RawSocket> = []
      const { endpoint } = yield* listen(Endpoint.fromStringUnsafe("tcp://127.0.0.1:0"), {
        backlog: 1,
        onAccept: (raw) => void accepted.push(raw)
      })
      yield* peer(endpoint)
      yield* until("the accept", () => accepted.length === 1)
      const fd = accepted[0]?.descriptor ?? -1
      assert.match(Fs.readlinkSync(`/proc/self/fd/${fd}`), /^socket:/)
      accepted[0]?.destroy()
    })))

  it.live("that run out are refused and reported, and when some are free again, all is well", () =>
    real(Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const used = new Set(Fs.readdirSync("/proc/self/fd").map(Number))
      let descriptorLimit = 0
      for (let free = 0; free < 12; descriptorLimit++) free += used.has(descriptorLimit) ? 0 : 1
      const told = new Told()
      const server = yield* serve("tcp://127.0.0.1:0", {
        reservedDescriptors: 1,
        onEvent: (event) => void told.events.push(event)
      }).pipe(
        // As if the process could have no more than a dozen besides those it has: each connection takes two of them here.
        Effect.provideService(Transport.Transport, { ...transport, descriptorLimit })
      )
      const visitors: Array<Peer> = []
      for (let i = 0; i < 10; i++) {
        const visitor = yield* Effect.option(peer(server.endpoint))
        if (visitor._tag === "Some") visitors.push(visitor.value)
      }
      yield* until("all have arrived", () => told.of("Accepted").length + told.of("Refused").length === 10)
      const refused = told.of("Refused")
      assert.isAbove(refused.length, 0)
      assert.isAbove(told.of("Accepted").length, 0)
      for (const { reason } of refused) {
        assert.deepStrictEqual(reason, { _tag: "OverLimit", limit: "reservedDescriptors", max: 1 })
      }
      assert.strictEqual(told.of("Alarm").filter(({ limit }) => limit === "reservedDescriptors").length, 1)
      for (const visitor of visitors) visitor.leave()
      yield* until("all are gone", () => told.of("Ended").length === told.of("Accepted").length)
      assert.strictEqual((yield* hears(server.endpoint)).heard, "hi\n")
    })))
})

it.live("TLS and plain text are served side by side, under one limit, and drained together", () =>
  real(Effect.gen(function*() {
    const told = new Told()
    const server = yield* serve(["tls://127.0.0.1:0", "tcp://127.0.0.1:0"], {
      tls: trusted.server,
      maxConnections: 2,
      onEvent: (event) => void told.events.push(event)
    })
    const [secure, plain] = server.endpoints
    const client = yield* Client.make(Text, secure, { tls: trusted.client })
    assert.strictEqual(yield* client.call("hi"), "hi")
    assert.strictEqual((yield* hears(plain!)).heard, "hi\n")
    assert.isTrue((yield* hears(plain!)).ended)
    assert.deepStrictEqual((yield* server.connections).map(({ tls }) => tls?.protocol), ["TLSv1.3", undefined])
    const { drained, forced, refused } = yield* server.drain
    assert.deepStrictEqual({ drained, forced, refused }, { drained: 2, forced: 0, refused: 1 })
  })))

it.live("sockets of one transport have numbers of their own, those in memory, too", () =>
  real(Effect.gen(function*() {
    const transport = yield* Transport.Transport
    const numbers: Array<number> = []
    for (const text of ["memory:numbers", "tcp://127.0.0.1:0"]) {
      const onAccept = (raw: Transport.RawSocket) => void numbers.push(raw.id)
      const { endpoint } = yield* transport.listen(Endpoint.fromStringUnsafe(text), { backlog: 1, onAccept })
      const before = numbers.length
      numbers.push((yield* transport.connect(endpoint)).id)
      yield* until("the accept", () => numbers.length === before + 2)
    }
    assert.strictEqual(new Set(numbers).size, 4)
  })))

it.effect("a transport without descriptors watches none", () =>
  Effect.gen(function*() {
    assert.isUndefined((yield* Transport.Transport).descriptorLimit)
  }).pipe(Effect.provide(MemoryTransport.layer)))
