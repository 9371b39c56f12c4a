/** Effect's cluster runners behind hawser listeners: a runner that hosts an entity, and a process that only calls it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Layer, Option, Ref, Schema, Scope } from "effect"
import {
  Entity,
  MessageStorage,
  RunnerAddress,
  RunnerHealth,
  Runners,
  RunnerServer,
  RunnerStorage,
  type Sharding,
  ShardingConfig,
  SocketRunner
} from "effect/cluster"
import { Rpc, RpcClient, RpcSerialization } from "effect/rpc"
import { Socket } from "effect/socket"
import { EffectRpc, EffectSocket, Server, Transport } from "../src/index.ts"
import { inWorld, passing } from "./support/network.ts"

const Counter = Entity.make("Counter", [
  Rpc.make("Increment", { payload: { amount: Schema.Int }, success: Schema.Int })
])

const CounterLayer = Counter.toLayer(Effect.gen(function*() {
  const count = yield* Ref.make(0)
  return Counter.of({ Increment: ({ payload }) => Ref.updateAndGet(count, (n) => n + payload.amount) })
}))

const address = RunnerAddress.make("runner", 1)
const endpointOf = (address: RunnerAddress.RunnerAddress) => `memory:${address.host}-${address.port}`

/** How runners call each other: Effect's own client over a socket that dials the transport. */
const ClientProtocol = Layer.effect(
  Runners.RpcClientProtocol,
  Effect.gen(function*() {
    const serialization = yield* RpcSerialization.RpcSerialization
    const transport = yield* Transport.Transport
    return {
      codecFor: serialization.codecFor,
      make: Effect.fnUntraced(function*(address: RunnerAddress.RunnerAddress) {
        const socket = yield* Effect.provideService(
          EffectSocket.makeSocket(endpointOf(address)),
          Transport.Transport,
          transport
        )
        return yield* RpcClient.makeProtocolSocket().pipe(
          Effect.provideService(Socket.Socket, socket),
          Effect.provideService(RpcSerialization.RpcSerialization, serialization)
        )
      }, Effect.orDie)
    }
  })
)

const Runner: Record<
  "SocketServer" | "EffectRpc",
  Layer.Layer<
    Sharding.Sharding | Runners.Runners | Server.Server,
    Server.StartError,
    | Runners.RpcClientProtocol
    | ShardingConfig.ShardingConfig
    | RpcSerialization.RpcSerialization
    | MessageStorage.MessageStorage
    | RunnerStorage.RunnerStorage
    | RunnerHealth.RunnerHealth
    | Transport.Transport
  >
> = {
  SocketServer: SocketRunner.layer.pipe(
    Layer.provideMerge(EffectSocket.layerSocketServer(endpointOf(address), { maxConnections: 8 }))
  ),
  EffectRpc: RunnerServer.layerWithClients.pipe(
    Layer.provideMerge(EffectRpc.layerProtocol(endpointOf(address), { maxConnections: 8 }))
  )
}

describe.each(["SocketServer", "EffectRpc"] as const)("a cluster runner over %s", (kind) => {
  it.effect("hosts an entity that another process calls", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const shared = yield* Layer.build(
          Layer.mergeAll(RunnerStorage.layerMemory, MessageStorage.layerNoop, RunnerHealth.layerNoop)
        )
        const common = Layer.mergeAll(ClientProtocol, Layer.succeedContext(shared)).pipe(
          Layer.provideMerge(RpcSerialization.layerNdjson)
        )
        const scope = yield* Scope.make()
        const host = yield* passing(
          EffectSocket.drainFirst(CounterLayer.pipe(Layer.provideMerge(Runner[kind]))).pipe(
            Layer.provide(common),
            Layer.provide(ShardingConfig.layer({ runnerAddress: Option.some(address), shardsPerGroup: 10 })),
            Layer.build,
            Scope.provide(scope)
          )
        )
        const caller = yield* passing(
          SocketRunner.layerClientOnly.pipe(
            Layer.provide(common),
            Layer.provideMerge(ShardingConfig.layer({ runnerAddress: Option.none(), shardsPerGroup: 10 })),
            Layer.build,
            Scope.provide(scope)
          )
        )
        const call = (id: string, amount: number) =>
          Effect.flatMap(Counter.client, (client) => client(id).Increment({ amount })).pipe(
            Effect.provideContext(caller)
          )
        assert.strictEqual(yield* passing(call("a", 1)), 1)
        assert.strictEqual(yield* passing(call("a", 2)), 3)
        assert.strictEqual(yield* passing(call("b", 5)), 5)
        const server = yield* Effect.provideContext(Server.Server, host)
        assert.isAbove((yield* server.stats).open, 0)
        yield* passing(Scope.close(scope, Exit.void))
        assert.strictEqual((yield* server.stats).open, 0)
      })
    ))
})
