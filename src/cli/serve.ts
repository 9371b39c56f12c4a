/**
 * `hawser serve`: a service on one or more endpoints, until somebody asks it to stop.
 *
 * The server is a layer; launched, it serves. When the program is asked to stop, the layer's scope closes, and closing a
 * server drains it. Its events are printed by a log in the scope around it, so that the report comes out too.
 *
 * ```
 * --workers 1    this process serves
 * --workers N    this process is a supervisor (serveWorkers.ts), and starts N that serve a share each (serveWorker.ts)
 * ```
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as NodeTransport from "../NodeTransport.ts"
import type * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import type * as Commands from "./commands.ts"
import * as EventLog from "./EventLog.ts"
import * as Post from "./Post.ts"
import * as Reload from "./Reload.ts"
import * as Report from "./Report.ts"
import * as ServePlan from "./servePlan.ts"
import type * as ServeTls from "./serveTls.ts"
import * as ServeWorker from "./serveWorker.ts"
import * as Stop from "./Stop.ts"
import * as Style from "./Style.ts"

/** Loads certificates again, or says that there are none. */
const reloading = Effect.fnUntraced(function*(
  certificates: ServeTls.Certificates | undefined,
  onEvent: (event: Report.Event) => void
) {
  const asked = yield* Queue.sliding<void>(1)
  const { listen } = yield* Reload.Reload
  yield* listen(() => Queue.offerUnsafe(asked, undefined))
  if (certificates !== undefined) return yield* certificates.keepFresh(asked, onEvent)
  const message = "there is nothing to load again, because no endpoint is tls"
  return yield* Effect.forever(
    Effect.andThen(Queue.take(asked), Effect.sync(() => onEvent({ _tag: "NotReloaded", message })))
  )
})

/** Serves in this process, until it is asked to stop; prints what is worth an event. */
const serveHere = Effect.fnUntraced(function*<A>(
  plan: ServePlan.Plan,
  format: Report.Format,
  layer: (onEvent: (event: Report.Event) => void) => Layer.Layer<A, Server.StartError, Transport.Transport>
) {
  const log = yield* EventLog.make(format)
  const stop = yield* Stop.Stop
  yield* Layer.launch(Layer.provide(layer(log.onEvent), NodeTransport.layer)).pipe(
    Effect.mapError(ServePlan.fromStart(plan)),
    Effect.raceFirst(log.failed),
    Effect.raceFirst(Effect.scoped(reloading(plan.certificates, log.onEvent))),
    Effect.raceFirst(stop.requested)
  )
})

/** Serves until it is asked to stop, and drains then. @category running @since 0.1.0 */
export const serve = Effect.fnUntraced(function*(input: Commands.Serve) {
  const post = yield* Post.CurrentPost
  if (post !== undefined) {
    return yield* Effect.flatMap(
      ServePlan.make(input),
      (plan) => serveHere(plan, ServeWorker.format(plan, post), (onEvent) => ServeWorker.layer(plan, post, onEvent))
    ).pipe(ServeWorker.reporting(post))
  }
  const plan = yield* ServePlan.make(input)
  if (input.check) {
    yield* Effect.flatMap(Effect.promise(() => import("./serveCheck.ts")), (_) => _.check(plan, plan.isJson))
    return
  }
  for (const notice of plan.certificates?.notices ?? []) yield* Console.error(`hawser: warning: ${notice}`)
  if (plan.workers > 1) {
    // The other parts of it are small, and not worth a file that each start would have to read: see `rolldown.config.js`.
    return yield* Effect.flatMap(Effect.promise(() => import("./serveWorkers.ts")), (_) => _.supervise(plan))
  }
  const format = plan.isJson ? Report.json(plan.service) : Report.text(plan.what, yield* Style.current)
  yield* serveHere(plan, format, (onEvent) => plan.layer(onEvent, plan.whole))
}, Effect.scoped)
