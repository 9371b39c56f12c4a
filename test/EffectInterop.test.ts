/** Programs written with only Effect's sockets and hawser's, each calling the other, over TCP on the loopback. */
import { NodeSocket, NodeSocketServer } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { NetAddress } from "effect/net"
import { RpcClient, RpcServer } from "effect/rpc"
import { Socket, SocketServer } from "effect/socket"
import * as Net from "node:net"
import { Client, EffectRpc, EffectSocket, type Endpoint, NodeTransport, Server } from "../src/index.ts"
import { line, Text } from "./support/network.ts"
import { Group, serializations, Work } from "./support/rpc.ts"

const anywhere = "tcp://127.0.0.1:0"

const portOf = (endpoint: Endpoint.Endpoint): number => {
  assert(endpoint._tag === "Tcp")
  return endpoint.port
}

/** Effect's own socket to a port. */
const nodeSocket = (port: number) => NodeSocket.makeNet({ host: "127.0.0.1", port, openTimeout: "5 seconds" })

/** Lines echoed in capitals, by a program that knows only Effect's `Socket`. */
const shout = (socket: Socket.Socket) =>
  Effect.gen(function*() {
    const { pull } = yield* socket.reader
    const writer = yield* socket.writer
    while (true) {
      for (const chunk of yield* pull) yield* writer.write(String(chunk).toUpperCase())
    }
  }).pipe(
    Effect.scoped,
    Effect.catchReason("SocketError", "SocketCloseError", () => Effect.void)
  )

/** A server written with Effect's `SocketServer` alone; gives its port. */
const effectServer = Effect.gen(function*() {
  const server = yield* NodeSocketServer.make({ host: "127.0.0.1", port: 0 })
  yield* Effect.forkScoped(server.run(shout))
  assert(server.address._tag !== "UnixPathAddress")
  return server.address.port
})

describe("over TCP", () => {
  it.live("a hawser client calls a server that knows only Effect's SocketServer", () =>
    Effect.gen(function*() {
      const port = yield* effectServer
      const client = yield* Client.make(Text, `tcp://127.0.0.1:${port}`)
      const words = Array.from({ length: 200 }, (_, i) => `word ${i} ${"x".repeat(i * 10)}`)
      assert.deepStrictEqual(
        yield* Effect.forEach(words, (word) => client.call(word), { concurrency: 10 }),
        words.map((word) => word.toUpperCase())
      )
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))

  it.live("a hawser client runs on Effect's NodeSocket", () =>
    Effect.gen(function*() {
      const port = yield* effectServer
      const client = yield* Effect.provide(
        Effect.map(Client.make(Text, "memory:any"), ({ call }) => call),
        EffectSocket.layerTransport.pipe(Layer.provide(Layer.effect(Socket.Socket, nodeSocket(port))))
      )
      assert.strictEqual(yield* client("ahoy"), "AHOY")
      assert.strictEqual(yield* client("x".repeat(90_000)), "X".repeat(90_000))
    }).pipe(Effect.scoped))

  it.live("a hawser client on Effect's NodeSocket says why it cannot connect", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(effectServer) // and it is gone again
      const error = yield* Effect.flip(Client.make(Text, `tcp://127.0.0.1:${port}`)).pipe(
        Effect.provide(EffectSocket.layerTransport.pipe(Layer.provide(Layer.effect(Socket.Socket, nodeSocket(port)))))
      )
      assert.strictEqual(error.message, `cannot connect to tcp://127.0.0.1:${port}: nobody listens there`)
    }).pipe(Effect.scoped))

  it.live("a hawser connection with a codec runs on Effect's NodeSocket", () =>
    Effect.gen(function*() {
      const connection = yield* EffectSocket.fromSocket(yield* nodeSocket(yield* effectServer), line)
      yield* connection.write(["one", "two"])
      const heard: Array<string> = []
      while (heard.length < 2) heard.push(...(yield* connection.pull))
      assert.deepStrictEqual(heard, ["ONE", "TWO"])
    }).pipe(Effect.scoped))

  it.live("a hawser server is called by a program that knows only Effect's Socket", () =>
    Effect.gen(function*() {
      const { endpoint } = yield* Server.make(Text, anywhere, (text) => Effect.succeed(text.toUpperCase()))
      const socket = yield* nodeSocket(portOf(endpoint))
      const answer = Effect.gen(function*() {
        const { pull } = yield* socket.reader
        yield* (yield* socket.writer).write("ahoy\n")
        return String((yield* pull)[0])
      }).pipe(Effect.scoped)
      assert.strictEqual(yield* answer, "AHOY\n")
      assert.strictEqual(yield* answer, "AHOY\n")
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))

  it.live("Effect's SocketServer behind a hawser listener answers Effect's NodeSocket, half-closed or not", () =>
    Effect.gen(function*() {
      const { address, run } = yield* SocketServer.SocketServer
      yield* Effect.forkChild(run((socket) =>
        Effect.gen(function*() {
          const { pull } = yield* socket.reader
          const writer = yield* socket.writer
          let heard = 0
          yield* Effect.forever(
            Effect.tap(pull, (batch) => Effect.sync(() => batch.forEach((chunk) => heard += chunk.length)))
          ).pipe(
            Effect.catchReason("SocketError", "SocketCloseError", () => Effect.void)
          )
          yield* writer.write(`heard ${heard}`)
        })
      ))
      assert(address._tag !== "UnixPathAddress")
      assert.isTrue(NetAddress.isLoopback(address.address))
      const socket = yield* NodeSocket.makeNet({ host: "127.0.0.1", port: address.port, allowHalfOpen: true })
      const { pull } = yield* socket.reader
      yield* Effect.scoped(Effect.flatMap(socket.writer, ({ write }) => write("x".repeat(300_000))))
      assert.strictEqual(String(yield* pull), "heard 300000")
    }).pipe(
      Effect.scoped,
      Effect.provide(
        EffectSocket.layerSocketServer(anywhere, { drain: { grace: 0, force: 0 } }).pipe(
          Layer.provide(NodeTransport.layer)
        )
      )
    ))
})

it.live("a connection on Effect's socket is closed within its linger, whatever the peer does", () =>
  Effect.gen(function*() {
    const server = Net.createServer((socket) => socket.pause())
    yield* Effect.callback<void>((resume) => void server.listen(0, "127.0.0.1", () => resume(Effect.void)))
    const address = server.address()
    assert(typeof address === "object" && address !== null)
    const net = Net.connect(address.port, "127.0.0.1")
    const socket = yield* NodeSocket.fromDuplex(
      Effect.callback((resume) => void net.once("connect", () => resume(Effect.succeed(net))))
    )
    yield* Effect.gen(function*() {
      const connection = yield* EffectSocket.fromSocket(socket, line, { linger: 0 })
      yield* Effect.forkChild(Effect.forever(connection.write(["x".repeat(90_000)])))
      yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => net.writableNeedDrain }))
    }).pipe(Effect.scoped)
    yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => net.destroyed, times: 1_000 }))
    assert.isTrue(net.destroyed)
    server.close()
  }))

it.live("a hawser server and client talk over Effect's WebSockets", () =>
  Effect.gen(function*() {
    const sockets = yield* NodeSocketServer.makeWebSocket({ host: "127.0.0.1", port: 0 })
    assert(sockets.address._tag !== "UnixPathAddress")
    const url = `ws://127.0.0.1:${sockets.address.port}`
    const { drain, endpoint } = yield* Server.make(Text, anywhere, (text) => Effect.succeed(text.toUpperCase()))
      .pipe(
        Effect.provide(EffectSocket.layerTransportServer),
        Effect.provideService(SocketServer.SocketServer, sockets)
      )
    assert.strictEqual(portOf(endpoint), sockets.address.port)
    const WebSocket = NodeSocket.layerWebSocket(url)
    yield* Effect.gen(function*() {
      const client = yield* Client.make(Text, url.replace("ws:", "tcp:"), { linger: 0 })
      const words = Array.from({ length: 100 }, (_, i) => `word ${i} ${"x".repeat(i * 10)}`)
      assert.deepStrictEqual(
        yield* Effect.forEach(words, (word) => client.call(word), { concurrency: 10 }),
        words.map((word) => word.toUpperCase())
      )
    }).pipe(Effect.scoped, Effect.provide(EffectSocket.layerTransport.pipe(Layer.provide(WebSocket))))
    const { drained, forced, served } = yield* drain
    assert.deepStrictEqual({ ended: drained + served, forced }, { ended: 1, forced: 0 })
  }).pipe(Effect.scoped))

describe.each(["SocketServer", "EffectRpc"] as const)("RPC over TCP and %s", (kind) => {
  it.live.each(["ndjson", "binary"] as const)("%s", (name) =>
    Effect.gen(function*() {
      const work = new Work()
      const scope = yield* Scope.make()
      const options: EffectRpc.Options = { drain: { grace: "5 seconds" } }
      const layer = kind === "EffectRpc"
        ? EffectRpc.layer(Group, anywhere, options)
        : EffectSocket.drainFirst(
          RpcServer.layer(Group).pipe(
            Layer.provide(RpcServer.layerProtocolSocketServer),
            Layer.provideMerge(EffectSocket.layerSocketServer(anywhere, options))
          )
        )
      const context = yield* layer.pipe(
        Layer.provide([work.handlers, serializations[name], NodeTransport.layer]),
        Layer.build,
        Scope.provide(scope)
      )
      const { endpoint, stats } = yield* Effect.provideContext(Server.Server, context)
      const protocol = yield* Layer.build(
        RpcClient.layerProtocolSocket().pipe(
          Layer.provide(Layer.effect(Socket.Socket, nodeSocket(portOf(endpoint)))),
          Layer.provide(serializations[name])
        )
      )
      const rpc = yield* Effect.provideContext(RpcClient.make(Group), protocol)
      assert.strictEqual(yield* rpc.Add({ a: 1, b: 2 }), 3)
      assert.strictEqual(yield* Effect.flip(rpc.Divide({ a: 1, b: 0 })), "divided by zero")
      assert.strictEqual((yield* Stream.runCollect(rpc.Count({ to: 5_000 }))).length, 5_000)
      assert.deepStrictEqual(
        yield* Effect.forEach([1, 2, 3, 4], (n) => rpc.Add({ a: n, b: n }), { concurrency: "unbounded" }),
        [2, 4, 6, 8]
      )
      if (kind === "EffectRpc") {
        const call = yield* Effect.forkChild(rpc.Wait())
        yield* Effect.yieldNow.pipe(Effect.repeat({ until: () => work.begun === 1 }))
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* Effect.yieldNow
        yield* Deferred.succeed(work.finish, "finished")
        assert.strictEqual(yield* Fiber.join(call), "finished")
        yield* Fiber.join(closing)
      }
      yield* Scope.close(scope, Exit.void)
      const { accepted, ended, open } = yield* stats
      assert.deepStrictEqual({ accepted, ended, open }, { accepted: 1, ended: 1, open: 0 })
    }).pipe(Effect.scoped))
})
