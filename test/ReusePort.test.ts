/** Several listeners on one port: the kernel shares the connections out, and nobody shares by accident. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Net from "node:net"
import { Client, EffectSocket, Endpoint, MemoryTransport, NodeTransport, Server, Transport } from "../src/index.ts"
import { SimulatedNetwork } from "../src/testing/index.ts"
import { Text } from "./support/network.ts"
import { trusted } from "./support/tls.ts"

const node = it.layer(NodeTransport.layer, { excludeTestServices: true })

const named = (name: string, endpoint: Server.Endpoints, options: Server.Options = { reusePort: true }) =>
  Server.make(Text, endpoint, () => Effect.succeed(name), options)

/** Asks until each of the names has answered: by chance, so the bound is far beyond any luck. */
const heardOf = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint, names: ReadonlyArray<string>) {
  const heard = new Set<string>()
  for (let calls = 0; calls < 500 && heard.size < names.length; calls++) {
    const client = yield* Client.make(Text, endpoint)
    heard.add(yield* client.call("who?"))
  }
  return [...heard].toSorted()
}, Effect.scoped)

const listen = (endpoint: string, reusePort: boolean) =>
  Transport.Transport.use((transport) =>
    transport.listen(Endpoint.fromStringUnsafe(endpoint), { backlog: 16, reusePort, onAccept() {} })
  )

node("with reusePort", (it) => {
  it.effect.each(["127.0.0.1", "localhost", "*"])(
    "two servers listen on one port of %s, and both are called",
    (host) =>
      Effect.gen(function*() {
        const one = yield* named("one", `tcp://${host}:0`)
        const two = yield* named("two", one.endpoint)
        assert.deepStrictEqual(two.endpoint, one.endpoint)
        const { port } = one.endpoint as Endpoint.Tcp // it was asked for
        assert.deepStrictEqual(yield* heardOf(Endpoint.tcpUnsafe("127.0.0.1", port), ["one", "two"]), ["one", "two"])
      })
  )

  it.effect("TLS is shared, too", () =>
    Effect.gen(function*() {
      const tls = trusted.server
      const one = yield* named("one", "tls://127.0.0.1:0", { reusePort: true, tls })
      const two = yield* named("two", one.endpoint, { reusePort: true, tls })
      assert.deepStrictEqual(two.endpoint, one.endpoint)
    }))

  it.effect("who is alone after the other has drained gets everybody", () =>
    Effect.gen(function*() {
      const one = yield* named("one", "tcp://127.0.0.1:0")
      yield* named("two", one.endpoint)
      yield* one.drain
      for (let calls = 0; calls < 20; calls++) {
        assert.deepStrictEqual(yield* heardOf(one.endpoint, ["two"]), ["two"])
      }
    }))

  it.effect("a server that was suspended shares again", () =>
    Effect.gen(function*() {
      const one = yield* named("one", "tcp://127.0.0.1:0")
      yield* named("two", one.endpoint)
      yield* one.suspend
      yield* one.resume
      assert.deepStrictEqual(yield* heardOf(one.endpoint, ["one", "two"]), ["one", "two"])
    }))

  it.effect.each([[false, false], [false, true], [true, false]] as const)(
    "both must want it: %s and %s is an address in use",
    ([first, second]) =>
      Effect.gen(function*() {
        const { endpoint } = yield* listen("tcp://127.0.0.1:0", first)
        const error = yield* Effect.flip(listen(Endpoint.format(endpoint), second))
        assert.deepStrictEqual([error.reason, error.code], ["AddressInUse", "EADDRINUSE"])
      })
  )

  it.effect("a system that cannot do it is told from other troubles", () =>
    Effect.gen(function*() {
      const { listen: real } = Net.Server.prototype
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          Net.Server.prototype.listen = function(this: Net.Server) {
            process.nextTick(() => this.emit("error", Object.assign(new Error("no"), { code: "ENOTSUP" })))
            return this
          }
        }),
        () => Effect.sync(() => void (Net.Server.prototype.listen = real))
      )
      const error = yield* Effect.flip(listen("tcp://127.0.0.1:1", true))
      assert.strictEqual(error.reason, "NotShareable")
      assert.strictEqual(
        error.message,
        "cannot listen on tcp://127.0.0.1:1: it cannot be shared with other listeners here (ENOTSUP)"
      )
      assert.strictEqual(error.hint, "listen without reusePort, in one process")
      assert.strictEqual((yield* Effect.flip(listen("tcp://127.0.0.1:1", false))).reason, "Unknown")
    }))
})

describe("a server refuses it", () => {
  it.effect.each<readonly [endpoints: Server.Endpoints, shown: string]>([
    ["memory:x", "memory:x"],
    ["unix:/x.sock", "unix:/x.sock"],
    ["fd:3", "fd:3"],
    [["tcp://127.0.0.1:0", "unix:@x"], "unix:@x"]
  ])("with %s", ([endpoints, shown]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(named("one", endpoints))
      assert.instanceOf(error, Server.ServerOptionsError)
      assert.strictEqual(
        error.message,
        `reusePort must be false with ${shown}, because only ports of TCP can be shared, got true`
      )
      yield* named("one", "memory:x", { reusePort: false })
    }).pipe(Effect.provide(NodeTransport.layer)))
})

describe("a transport that cannot do it says so", () => {
  const reason = (endpoint: string, reusePort = true) =>
    listen(endpoint, reusePort).pipe(
      Effect.scoped,
      Effect.match({ onSuccess: () => "listens", onFailure: ({ code, reason }) => `${reason} ${code}` })
    )

  it.effect("Node, of what is not TCP", () =>
    Effect.gen(function*() {
      for (
        const [endpoint, tag] of [["unix:/x.sock", "Unix"], ["fd:3", "Descriptor"], ["memory:x", "Memory"]] as const
      ) {
        assert.strictEqual(yield* reason(endpoint), `NotShareable ${tag}`)
      }
    }).pipe(Effect.provide(NodeTransport.layer)))

  it.effect("memory", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* reason("memory:x"), "NotShareable Memory")
      assert.strictEqual(yield* reason("memory:x", false), "listens")
    }).pipe(Effect.provide(MemoryTransport.layer)))

  it.effect("the simulated network", () =>
    Effect.gen(function*() {
      const network = yield* SimulatedNetwork.make({ hosts: ["server"] })
      const { transport } = network.host("server")
      const asked = (reusePort: boolean) =>
        Effect.provideService(reason("tcp://*:1", reusePort), Transport.Transport, transport)
      assert.strictEqual(yield* asked(true), "NotShareable ENOTSUP")
      assert.strictEqual(yield* asked(false), "listens")
    }))

  it.effect("a server of Effect's, which listens already", () =>
    Effect.gen(function*() {
      const asked = (reusePort: boolean) =>
        reason("tcp://127.0.0.1:1", reusePort).pipe(
          Effect.provide(
            EffectSocket.layerTransportServer.pipe(
              Layer.provide(EffectSocket.layerSocketServer("memory:effect")),
              Layer.provide(MemoryTransport.layer)
            )
          )
        )
      assert.strictEqual(yield* asked(true), "NotShareable SocketServer")
      assert.strictEqual(yield* asked(false), "listens")
    }))
})
