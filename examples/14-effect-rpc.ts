// Effect's own RPC behind a hawser listener: a limit on connections, and a drain that lets the call in flight finish.
import { NodeSocket } from "@effect/platform-node"
import { Console, Deferred, Effect, Fiber, Layer, Schema } from "effect"
import { Rpc, RpcClient, RpcGroup, RpcSerialization } from "effect/rpc"
import { CloseReason, EffectRpc, NodeTransport, Server } from "hawser"

const Harbour = RpcGroup.make(
  Rpc.make("Unload", { payload: { crate: Schema.String }, success: Schema.String })
)

const program = Effect.gen(function*() {
  const begun = yield* Deferred.make<void>()
  const unloaded = yield* Deferred.make<void>()
  const Handlers = Harbour.toLayer({
    Unload: ({ crate }) =>
      Effect.gen(function*() {
        yield* Deferred.succeed(begun, undefined)
        yield* Deferred.await(unloaded)
        return `unloaded ${crate}`
      })
  })
  const HarbourServer = EffectRpc.layer(Harbour, "tcp://127.0.0.1:0", {
    maxConnections: 100,
    maxCalls: 10,
    drain: { grace: "5 seconds" },
    onEvent: (event) => {
      if (event._tag === "Ended") console.log(`ended: ${CloseReason.format(event.reason)}`)
    }
  }).pipe(Layer.provide([Handlers, NodeTransport.layer]))

  const server = yield* Effect.provideContext(Server.Server, yield* Layer.build(HarbourServer))
  if (server.endpoint._tag !== "Tcp") return

  // The client knows nothing of hawser.
  const Protocol = RpcClient.layerProtocolSocket().pipe(
    Layer.provide(NodeSocket.layerNet({ host: "127.0.0.1", port: server.endpoint.port }))
  )
  const client = yield* Effect.provideContext(RpcClient.make(Harbour), yield* Layer.build(Protocol))
  const call = yield* Effect.forkChild(client.Unload({ crate: "tea" }))
  yield* Deferred.await(begun)

  const drain = yield* Effect.forkChild(server.drain, { startImmediately: true })
  const late = yield* Effect.forkChild(Effect.flip(client.Unload({ crate: "salt" })), { startImmediately: true })
  yield* Deferred.succeed(unloaded, undefined)
  yield* Console.log(yield* Fiber.join(call))
  yield* Console.log(`salt: ${(yield* Fiber.join(late)).message}`)
  const { drained, forced } = yield* Fiber.join(drain)
  yield* Console.log(`drained ${drained}, forced ${forced}`)
}).pipe(Effect.scoped)

await Effect.runPromise(program.pipe(Effect.provide(RpcSerialization.layerNdjson)))

// Prints:
//   unloaded tea
//   salt: SocketCloseError: 1000
//   ended: the server drained
//   drained 1, forced 0
