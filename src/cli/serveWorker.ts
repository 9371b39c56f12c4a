/**
 * One of several workers of `hawser serve`: a server with a share of the limits, on ports that all of them share.
 *
 * It prints its events as they are to be read in the end, so that the supervisor passes bytes on and need not look at
 * them. What the supervisor makes one thing of goes to it as messages: where it listens, its drain, and why it failed.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Endpoint from "../Endpoint.ts"
import * as Server from "../Server.ts"
import * as Transport from "../Transport.ts"
import * as Failure from "./Failure.ts"
import type * as Post from "./Post.ts"
import * as Report from "./Report.ts"
import type * as ServePlan from "./servePlan.ts"
import * as Style from "./Style.ts"

/** How its events are printed. @category formatting @since 0.1.0 */
export const format = (plan: ServePlan.Plan, { colours, worker }: Post.Post): Report.Format =>
  plan.isJson ? Report.json(plan.service, worker) : Report.text(plan.what, Style.make(colours), worker)

/**
 * Fails where anybody listens already: also another server with workers, beside which the first worker could listen
 * without an error.
 *
 * All places are held at once, so that two which overlap are found, too. From here to the real listening is less than a
 * millisecond, in which another server with workers could do the same: the system knows no way to ask for both at once.
 * A port that the system is to choose is nobody's.
 */
const refuseOthers = (
  transport: Transport.Transport["Service"],
  endpoints: ReadonlyArray<Endpoint.Endpoint>
): Effect.Effect<void, Transport.BindError> =>
  Effect.scoped(
    Effect.forEach(endpoints, (endpoint) => {
      if (!("port" in endpoint) || endpoint.port === 0) return Effect.void
      const { host, port } = endpoint
      return transport.listen(Endpoint.tcpUnsafe(host, port), { backlog: 1, onAccept: (raw) => raw.reset() })
    }, { discard: true })
  )

/** The server, which listens when the supervisor says where. @category layers @since 0.1.0 */
export const layer = (
  plan: ServePlan.Plan,
  post: Post.Post,
  print: (event: Report.Event) => void
): Layer.Layer<never, Server.StartError, Transport.Transport> => {
  const onEvent = (event: Report.Event): void => {
    switch (event._tag) {
      case "Listening":
        return
      case "Draining":
        return post.tell({ _tag: "Draining", open: event.open })
      case "Drained": {
        const { drained, elapsed, forced, refused, served } = event.report
        return post.tell({
          _tag: "Drained",
          served,
          drained,
          forced,
          refused,
          elapsedMillis: Duration.toMillis(elapsed)
        })
      }
      default:
        return print(event)
    }
  }
  const listening = Server.Server.useSync(({ endpoints }) =>
    post.tell({ _tag: "Listening", endpoints: Arr.map(endpoints, Endpoint.format) })
  )
  return Layer.unwrap(Effect.gen(function*() {
    post.tell({ _tag: "Ready" })
    const order = yield* post.toListen
    const [first, ...others] = order.endpoints
    const parse = (text: string) => Effect.fromResult(Endpoint.fromString(text))
    const endpoints = [yield* parse(first), ...yield* Effect.forEach(others, parse)] as const
    if (order.isFirst) yield* refuseOthers(yield* Transport.Transport, endpoints)
    return Layer.effectDiscard(listening).pipe(
      Layer.provide(plan.layer(onEvent, plan.share(post.worker, endpoints)))
    )
  }))
}

/** Tells the supervisor why it failed, who says it once. @category running @since 0.1.0 */
export const reporting =
  (post: Post.Post) =>
  <A, E, R>(effect: Effect.Effect<A, E | Failure.Failure, R>): Effect.Effect<A, E | Failure.Reported, R> =>
    effect.pipe(
      Effect.annotateLogs("worker", post.worker),
      Effect.catchIf(
        (error) => error instanceof Failure.Failure,
        ({ exitCode, hint, message }) =>
          Effect.andThen(
            Effect.callback<void>((resume) => {
              post.tell({ _tag: "Failed", exitCode, message, hint }, () => resume(Effect.void))
            }),
            Effect.fail(new Failure.Reported({ exitCode }))
          )
      )
    )
