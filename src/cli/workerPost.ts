/**
 * The process of a worker: deaf to signals, and moved by what its supervisor says.
 *
 * A terminal's Ctrl-C reaches the whole process group, and a service manager's SIGTERM every process of a service. The
 * supervisor gets them, too, and passes on what they mean; taken twice, the first one would be the second one, too.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Post from "./Post.ts"
import * as WorkerMessage from "./WorkerMessage.ts"

const Place = Schema.fromJsonString(
  Schema.Struct({ worker: Schema.Number, workers: Schema.Number, colours: Schema.Boolean })
)

/** What the supervisor may ask for at any time. @category models @since 0.1.0 */
export interface Asked {
  /** May be called again. */
  readonly drain: () => void
  readonly reload: () => void
}

/** Takes up the post that the environment tells of; without a channel to a supervisor there is none. @category constructors @since 0.1.0 */
export const take = ({ drain, reload }: Asked): Post.Post | undefined => {
  const place = Schema.decodeUnknownOption(Place)(process.env[Post.variable])
  // Nothing that this process starts is a worker.
  delete process.env[Post.variable]
  if (Option.isNone(place) || process.send === undefined) return undefined
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})
  const listen = Deferred.makeUnsafe<WorkerMessage.Listen>()
  process.on("message", (message) => {
    const order = Option.getOrUndefined(WorkerMessage.toOrder(message))
    switch (order?._tag) {
      case undefined:
        return
      case "Listen":
        Deferred.doneUnsafe(listen, Effect.succeed(order))
        return
      case "Reload":
        return reload()
      case "Drain":
        return drain()
    }
  })
  process.on("disconnect", drain)
  // It ended while this process started, which still does.
  if (!process.connected) setImmediate(drain)
  return {
    ...place.value,
    toListen: Deferred.await(listen),
    tell: (news, onSent = () => {}) => {
      if (process.connected) process.send?.(news, undefined, {}, onSent)
      else onSent()
    }
  }
}
