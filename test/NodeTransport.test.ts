import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Scope } from "effect"
import * as Fs from "node:fs"
import * as Net from "node:net"
import { networkInterfaces, tmpdir } from "node:os"
import { join } from "node:path"
import { Endpoint, NodeTransport, Transport } from "../src/index.ts"
import { WorthWhile } from "../src/internal/nodeDepartures.ts"
import * as names from "../src/internal/nodeNames.ts"
import { SharedReading } from "../src/internal/nodeReading.ts"
import { keepsTheLaws, YieldingAnywhere } from "./support/connectionLaws.ts"
import { resources, until, watching } from "./support/nodeSockets.ts"

const folder = Fs.mkdtempSync(join(tmpdir(), "hawser-"))
process.on("exit", () => Fs.rmSync(folder, { recursive: true, force: true }))

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === "::1"))

const loopback = (listening: Endpoint.Endpoint, host: string): string =>
  `tcp://${host}:${listening._tag === "Tcp" ? listening.port : 0}`

describe("tcp", () => keepsTheLaws({ endpoint: "tcp://127.0.0.1:0" }, NodeTransport.layer))
describe("tcp, with fibers that yield anywhere", () =>
  keepsTheLaws({ endpoint: "tcp://127.0.0.1:0" }, NodeTransport.layer, () => new YieldingAnywhere()))
describe("tcp, where no two sockets can read into one buffer", () =>
  keepsTheLaws(
    { endpoint: "tcp://127.0.0.1:0" },
    Layer.provide(NodeTransport.layer, Layer.succeed(SharedReading, undefined))
  ))
describe("tcp, where what is written leaves at the end of a turn", () =>
  keepsTheLaws({ endpoint: "tcp://127.0.0.1:0" }, Layer.provide(NodeTransport.layer, Layer.succeed(WorthWhile, 0))))
describe("unix, where what is written leaves at the end of a turn", () =>
  keepsTheLaws(
    { endpoint: `unix:${join(folder, "turns.sock")}`, resets: false },
    Layer.provide(NodeTransport.layer, Layer.succeed(WorthWhile, 0))
  ))
describe("unix", () =>
  keepsTheLaws({ endpoint: `unix:${join(folder, "laws.sock")}`, resets: false }, NodeTransport.layer))
describe("abstract unix", () =>
  keepsTheLaws({ endpoint: `unix:@hawser-${process.pid}`, resets: false }, NodeTransport.layer))
describe("every interface, dialled by IPv4", () =>
  keepsTheLaws(
    { endpoint: "tcp://*:0", dial: (listening) => loopback(listening, "127.0.0.1") },
    NodeTransport.layer
  ))
describe("localhost", () => keepsTheLaws({ endpoint: "tcp://localhost:0" }, NodeTransport.layer))
describe.runIf(hasIpv6)("tcp over IPv6", () => keepsTheLaws({ endpoint: "tcp://[::1]:0" }, NodeTransport.layer))
describe.runIf(hasIpv6)(
  "every interface, dialled by IPv6",
  () => keepsTheLaws({ endpoint: "tcp://*:0", dial: (listening) => loopback(listening, "[::1]") }, NodeTransport.layer)
)

const deaf: Transport.RawHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} }

const listen = (endpoint: string, onAccept: (raw: Transport.RawSocket) => void = () => {}) =>
  Transport.Transport.use((transport) =>
    transport.listen(Endpoint.fromStringUnsafe(endpoint), { backlog: 16, onAccept })
  )

const connect = (endpoint: Endpoint.Input) =>
  Transport.Transport.use((transport) => transport.connect(Endpoint.fromInputUnsafe(endpoint)))

/** Reason and code of the error of a bind. */
const bindFailure = (endpoint: string) =>
  Effect.map(Effect.flip(Effect.scoped(listen(endpoint))), (error) => [error.reason, error.code])

/** Reason and code of the error of a dial. */
const dialFailure = (endpoint: string) =>
  Effect.map(Effect.flip(Effect.scoped(connect(endpoint))), (error) => [error.reason, error.code])

const node = it.layer(NodeTransport.layer, { excludeTestServices: true })

node("binding", (it) => {
  it.effect("an address in use", () =>
    Effect.gen(function*() {
      const { endpoint } = yield* listen("tcp://127.0.0.1:0")
      const error = yield* Effect.flip(listen(Endpoint.format(endpoint)))
      assert.strictEqual(error.message, `cannot listen on ${Endpoint.format(endpoint)}: the address is already in use`)
      assert.deepStrictEqual([error.reason, error.code], ["AddressInUse", "EADDRINUSE"])
    }))

  it.effect.each<readonly [string, string, string]>([
    ["tcp://192.0.2.1:0", "AddressNotAvailable", "EADDRNOTAVAIL"],
    ["tcp://nonexistent.invalid:0", "AddressNotAvailable", "ENOTFOUND"],
    [`unix:${folder}/no/such/folder.sock`, "AddressNotAvailable", "ENOENT"],
    ["unix:/dev/null/x.sock", "AddressNotAvailable", "ENOTDIR"],
    ["tls://127.0.0.1:0", "Unsupported", "Tls"]
  ])("%s", ([endpoint, reason, code]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* bindFailure(endpoint), [reason, code])
    }))

  // Nobody, not even root, makes files there.
  it.effect.each(["unix:/proc/x.sock", "unix:/sys/x.sock"])("%s is denied", (endpoint) =>
    Effect.gen(function*() {
      const [reason, code] = yield* bindFailure(endpoint)
      assert.strictEqual(reason, "AccessDenied")
      assert.include(["EACCES", "EPERM", "EROFS"], code)
    }))

  it.effect("a message for a folder that is not there", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(listen("unix:/nowhere/x.sock"))
      assert.strictEqual(error.message, "cannot listen on unix:/nowhere/x.sock: there is no such folder (ENOENT)")
      assert.strictEqual(error.hint, "create the folder, or choose another path")
    }))

  it.effect("a bind that is interrupted leaves nothing and hurts nobody", () =>
    Effect.gen(function*() {
      const before = resources()
      const busy = yield* listen("tcp://*:0")
      for (const endpoint of ["tcp://localhost:0", "tcp://nonexistent.invalid:0", Endpoint.format(busy.endpoint)]) {
        for (let turns = 0; turns < 3; turns++) {
          const fiber = yield* Effect.forkChild(Effect.scoped(Effect.andThen(listen(endpoint), Effect.never)), {
            startImmediately: true
          })
          for (let i = 0; i < turns; i++) yield* Effect.yieldNow
          fiber.interruptUnsafe()
        }
      }
      yield* until("the end of the listeners", () => resources() === before + 1)
    }))
})

it("codes have reasons", () => {
  const bind = ["EADDRINUSE", "EADDRNOTAVAIL", "EAI_AGAIN", "EACCES", "EPERM", "EROFS", "EMFILE"]
  assert.deepStrictEqual(bind.map(names.bindReason), [
    "AddressInUse",
    "AddressNotAvailable",
    "AddressNotAvailable",
    "AccessDenied",
    "AccessDenied",
    "AccessDenied",
    "Unknown"
  ])
  const dial = ["ECONNREFUSED", "ENOENT", "ENOTFOUND", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EACCES", "EAGAIN"]
  assert.deepStrictEqual(dial.map(names.connectReason), [
    "Refused",
    "NotFound",
    "NotFound",
    "TimedOut",
    "Unreachable",
    "Unreachable",
    "AccessDenied",
    "Unknown"
  ])
  assert.strictEqual(names.codeOf(new Error("no code")), "no code")
})

node("dialling", (it) => {
  it.effect.each<readonly [string, string, string]>([
    ["tcp://127.0.0.1:1", "Refused", "ECONNREFUSED"],
    ["tcp://localhost:1", "Refused", "ECONNREFUSED"],
    ["tcp://nonexistent.invalid:1", "NotFound", "ENOTFOUND"],
    [`unix:${folder}/nobody.sock`, "NotFound", "ENOENT"],
    ["unix:@hawser-nobody", "Refused", "ECONNREFUSED"],
    ["unix:/dev/null/x.sock", "NotFound", "ENOTDIR"],
    ["tls://127.0.0.1:1", "Unsupported", "Tls"],
    ["tcp://*:1", "Unsupported", "*"]
  ])("%s", ([endpoint, reason, code]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* dialFailure(endpoint), [reason, code])
    }))

  it.effect("a failure leaves no socket", () =>
    watching((sockets) =>
      Effect.gen(function*() {
        yield* dialFailure("tcp://localhost:1")
        yield* until("the close", () => sockets.open === 0)
        assert.deepStrictEqual([sockets.made, sockets.closedAgain], [1, 0])
      })
    ))
})

node("socket files", (it) => {
  const path = join(folder, "file.sock")
  const endpoint = `unix:${path}`

  it.effect("the file is there while somebody listens, and gone afterwards", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      yield* Scope.provide(listen(endpoint), scope)
      assert.isTrue(Fs.lstatSync(path).isSocket())
      yield* Scope.close(scope, Exit.void)
      assert.isFalse(Fs.existsSync(path))
      const { close } = yield* listen(endpoint)
      yield* close
      assert.isFalse(Fs.existsSync(path))
    }))

  it.effect("one that a killed process left is taken over", () =>
    Effect.gen(function*() {
      yield* makeStale(path)
      assert.deepStrictEqual(yield* dialFailure(endpoint), ["Refused", "ECONNREFUSED"])
      yield* listen(endpoint)
      const raw = yield* connect(endpoint)
      assert.deepStrictEqual(Endpoint.format(raw.peer), endpoint)
    }))

  it.effect("one on which somebody listens stays, and who listens is left in peace", () =>
    watching((sockets) =>
      Effect.gen(function*() {
        let ended = 0
        yield* listen(endpoint, (raw) => {
          raw.attach({ ...deaf, onEnd: () => ended++ })
          raw.resume()
        })
        const file = Fs.lstatSync(path).ino
        assert.deepStrictEqual(yield* bindFailure(endpoint), ["AddressInUse", "EADDRINUSE"])
        assert.strictEqual(Fs.lstatSync(path).ino, file)
        // The probe goes without being asked to.
        yield* until("the end of the probe", () => ended === 1)
        assert.strictEqual(sockets.made, 2)
      })
    ))

  it.effect("any other file stays", () =>
    Effect.gen(function*() {
      for (const make of [() => Fs.writeFileSync(path, "precious"), () => Fs.mkdirSync(path)]) {
        make()
        assert.deepStrictEqual(yield* bindFailure(endpoint), ["AddressInUse", "EADDRINUSE"])
        assert.isTrue(Fs.existsSync(path))
        Fs.rmSync(path, { recursive: true })
      }
    }))

  it.effect("a link stays, also one to a stale socket", () =>
    Effect.gen(function*() {
      const target = join(folder, "target.sock")
      yield* makeStale(target)
      Fs.symlinkSync(target, path)
      assert.deepStrictEqual(yield* bindFailure(endpoint), ["AddressInUse", "EADDRINUSE"])
      assert.deepStrictEqual([Fs.lstatSync(path).isSymbolicLink(), Fs.lstatSync(target).isSocket()], [true, true])
      for (const file of [path, target]) Fs.rmSync(file)
    }))

  it.effect("the longest path there may be", () =>
    Effect.gen(function*() {
      const long = `${folder}/${"x".repeat(107 - folder.length - 1)}`
      yield* listen(`unix:${long}`)
      assert.isTrue(Fs.existsSync(long))
      yield* connect(`unix:${long}`)
      const name = `unix:@${"y".repeat(107)}`
      yield* listen(name)
      yield* connect(name)
    }))
})

/** A socket file on which nobody listens: the listener's file is renamed before it goes. */
const makeStale = (path: string): Effect.Effect<void> =>
  Effect.callback((resume) => {
    const server = Net.createServer().listen(`${path}.alive`, () => {
      Fs.renameSync(`${path}.alive`, path)
      server.close(() => resume(Effect.void))
    })
  })

node("addresses", (it) => {
  it.effect.each<readonly [string, string, string]>([
    ["tcp://127.0.0.1:0", "127.0.0.1", "tcp://127.0.0.1:"],
    // Node says ::ffff:127.0.0.1 there.
    ["tcp://*:0", "127.0.0.1", "tcp://127.0.0.1:"],
    ...(hasIpv6 ? [["tcp://*:0", "[::1]", "tcp://[::1]:"] as const] : [])
  ])("of %s dialled by %s", ([endpoint, host, expected]) =>
    Effect.gen(function*() {
      const accepted: Array<Transport.RawSocket> = []
      const { endpoint: listening } = yield* listen(endpoint, (raw) => accepted.push(raw))
      const client = yield* connect(loopback(listening, host))
      yield* until("the accept", () => accepted.length > 0)
      const names = [accepted[0]!.peer, accepted[0]!.local, client.local, client.peer].map(Endpoint.format)
      for (const name of names) assert.strictEqual(name.slice(0, expected.length), expected)
      assert.strictEqual(listening._tag === "Tcp" && listening.port > 0, true)
      assert.strictEqual(Endpoint.format(listening).includes("*"), endpoint.includes("*"))
    }))

  it.effect("are remembered when nobody asked before the close", () =>
    Effect.gen(function*() {
      const accepted: Array<Transport.RawSocket> = []
      const { endpoint } = yield* listen("tcp://127.0.0.1:0", (raw) => accepted.push(raw))
      const client = yield* connect(endpoint)
      yield* until("the accept", () => accepted.length > 0)
      let closed = 0
      for (const raw of [client, accepted[0]!]) {
        raw.attach({ ...deaf, onClose: () => closed++ })
        raw.destroy()
      }
      yield* until("the closes", () => closed === 2)
      const names = [accepted[0]!.peer, client.local, client.peer, accepted[0]!.local].map(Endpoint.format)
      assert.deepStrictEqual([names[0], names[2]], [names[1], names[3]])
      assert.match(names[0]!, /^tcp:\/\/127\.0\.0\.1:\d+$/)
    }))

  it.effect("a Unix client has no name", () =>
    Effect.gen(function*() {
      const endpoint = `unix:${join(folder, "names.sock")}`
      const accepted: Array<Transport.RawSocket> = []
      yield* listen(endpoint, (raw) => accepted.push(raw))
      const client = yield* connect(endpoint)
      yield* until("the accept", () => accepted.length > 0)
      const names = [accepted[0]!.peer, accepted[0]!.local, client.local, client.peer].map(Endpoint.format)
      assert.deepStrictEqual(names, ["unix:", endpoint, "unix:", endpoint])
    }))

  it.effect("memory is there too", () =>
    Effect.gen(function*() {
      const accepted: Array<Transport.RawSocket> = []
      yield* listen("memory:here", (raw) => accepted.push(raw))
      yield* connect("memory:here")
      yield* until("the accept", () => accepted.length > 0)
    }))
})
