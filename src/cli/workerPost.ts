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
import * as Post from "./Post.ts"
import * as WorkerMessage from "./WorkerMessage.ts"

/** Reads the variable; what anybody else wrote there is no place. */
const toPlace = (text: string | undefined): Post.Place | undefined => {
  const [, worker, workers, colours] = /^(\d+)\/(\d+)(,colours)?$/.exec(text ?? "") ?? []
  return worker === undefined
    ? undefined
    : { worker: Number(worker), workers: Number(workers), colours: colours !== undefined }
}

/** What the supervisor may ask for at any time. @category models @since 0.1.0 */
export interface Asked {
  /** May be called again. */
  readonly drain: () => void
  readonly reload: () => void
}

/** Takes up the post that the environment tells of; without a channel to a supervisor there is none. @category constructors @since 0.1.0 */
export const take = ({ drain, reload }: Asked): Post.Post | undefined => {
  const place = toPlace(process.env[Post.variable])
  // Nothing that this process starts is a worker.
  delete process.env[Post.variable]
  if (place === undefined || process.send === undefined) return undefined
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {})
  const listen = Deferred.makeUnsafe<WorkerMessage.Listen>()
  process.on("message", (message) => {
    const order = WorkerMessage.toOrder(message)
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
    ...place,
    toListen: Deferred.await(listen),
    tell: (news, onSent = () => {}) => {
      if (process.connected) process.send?.(news, undefined, {}, onSent)
      else onSent()
    }
  }
}
