/**
 * A group of RPCs that does what calls can do: answer, fail, stream, and wait until the test says so.
 */
import { Deferred, Effect, Layer, Schema, Stream } from "effect"
import { Rpc, RpcClient, RpcGroup, RpcSerialization } from "effect/rpc"
import { type Connection, EffectSocket } from "../../src/index.ts"

export class Group extends RpcGroup.make(
  Rpc.make("Add", { payload: { a: Schema.Int, b: Schema.Int }, success: Schema.Int }),
  Rpc.make("Divide", { payload: { a: Schema.Int, b: Schema.Int }, success: Schema.Finite, error: Schema.String }),
  Rpc.make("Wait", { success: Schema.String }),
  Rpc.make("Count", { payload: { to: Schema.Int }, success: Schema.Int, stream: true })
) {}

/** What the handlers do, and what was done to them. */
export class Work {
  /** The calls of `Wait` that have begun. */
  begun = 0
  /** Those that were interrupted. */
  interrupted = 0
  /** Completes every `Wait`. */
  readonly finish = Deferred.makeUnsafe<string>()

  readonly handlers = Group.toLayer({
    Add: ({ a, b }) => Effect.succeed(a + b),
    Divide: ({ a, b }) => b === 0 ? Effect.fail("divided by zero") : Effect.succeed(a / b),
    Wait: () =>
      Effect.suspend(() => {
        this.begun++
        return Deferred.await(this.finish)
      }).pipe(Effect.onInterrupt(() => Effect.sync(() => void this.interrupted++))),
    Count: ({ to }) => Stream.range(1, to)
  })
}

export const serializations = {
  ndjson: RpcSerialization.layerNdjson,
  binary: RpcSerialization.layerSchemaBinary()
}

/** A client over Effect's own `Socket`, for the time of the scope. */
export const client = (
  endpoint: Parameters<typeof EffectSocket.layerSocket>[0],
  serialization: Layer.Layer<RpcSerialization.RpcSerialization> = serializations.ndjson,
  options: Connection.Options = {}
) =>
  Effect.flatMap(
    Layer.build(
      RpcClient.layerProtocolSocket().pipe(
        Layer.provide(EffectSocket.layerSocket(endpoint, options)),
        Layer.provide(serialization)
      )
    ),
    (context) => Effect.provideContext(RpcClient.make(Group), context)
  )
