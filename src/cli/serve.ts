/**
 * `hawser serve`: a service on one or more endpoints, until somebody asks it to stop.
 *
 * The server is a layer; launched, it serves. When the program is asked to stop, the layer's scope closes, and closing a
 * server drains it. Its events are printed by a log in the scope around it, so that the report comes out too.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as NodeTransport from "../NodeTransport.ts"
import type * as Commands from "./commands.ts"
import * as EventLog from "./EventLog.ts"
import * as Reload from "./Reload.ts"
import * as Report from "./Report.ts"
import * as ServePlan from "./servePlan.ts"
import type * as ServeTls from "./serveTls.ts"
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

/** Serves until it is asked to stop, and drains then. @category running @since 0.1.0 */
export const serve = Effect.fnUntraced(function*(input: Commands.Serve) {
  const plan = yield* ServePlan.make(input)
  const { certificates, given, layer, service, what } = plan
  const json = given.json?.value === true
  if (input.check) {
    yield* Effect.flatMap(Effect.promise(() => import("./serveCheck.ts")), (_) => _.check(plan, json))
    return
  }
  for (const notice of certificates?.notices ?? []) yield* Console.error(`hawser: warning: ${notice}`)
  const log = yield* EventLog.make(json ? Report.json(service) : Report.text(what, yield* Style.current))
  const stop = yield* Stop.Stop
  yield* Layer.launch(Layer.provide(layer(log.onEvent), NodeTransport.layer)).pipe(
    Effect.mapError(ServePlan.fromStart(plan)),
    Effect.raceFirst(log.failed),
    Effect.raceFirst(Effect.scoped(reloading(certificates, log.onEvent))),
    Effect.raceFirst(stop.requested)
  )
}, Effect.scoped)
