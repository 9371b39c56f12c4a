/**
 * `hawser serve --workers N`: one supervisor, which serves nobody, and N workers, which share the ports and the limits.
 *
 * ```
 * starting --all listen--> serving --a signal, or trouble--> draining --all have ended--> report, exit
 *     |                                                          ^
 *     `---a signal, or trouble-----------------------------------'   without a word about it
 * ```
 *
 * One signal drains all of them, and the report is one. A worker that ends by itself takes the others with it, by a
 * drain: who must serve on is started again by a service manager, with all workers and all limits, and does not limp.
 *
 * **Gotchas**: the system spreads connections by a hash of their addresses: one worker may be full while another is not.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Endpoint from "../Endpoint.ts"
import * as Server from "../Server.ts"
import * as Crew from "./Crew.ts"
import * as Relay from "./Relay.ts"
import * as Reload from "./Reload.ts"
import * as Report from "./Report.ts"
import { refuse } from "./serveCheck.ts"
import type * as ServePlan from "./servePlan.ts"
import * as Stop from "./Stop.ts"
import * as Style from "./Style.ts"

/** Serves with several processes until it is asked to stop, and drains them then. @category running @since 0.1.0 */
export const supervise = Effect.fnUntraced(function*(plan: ServePlan.Plan) {
  // Before there are several who could say it.
  yield* refuse(plan)
  const colours = yield* Style.hasColours
  const format = plan.isJson
    ? Report.json(plan.service)
    : Report.text(`${plan.what}, ${plan.workers} workers`, Style.make(colours))
  const relay = yield* Relay.make
  const say = (event: Report.Event) =>
    Effect.flatMap(Clock.currentTimeMillis, (millis) => relay.say(format({ millis, event })))
  const crew = yield* Crew.make(plan.workers, colours, relay)
  const reload = yield* Reload.Reload
  yield* reload.listen(crew.reload)
  const stop = yield* Stop.Stop
  let listens = false
  const serving = Effect.gen(function*() {
    const endpoints = yield* crew.listen(Arr.map(plan.places.endpoints, Endpoint.format))
    listens = true
    for (const endpoint of endpoints) {
      yield* say({ _tag: "Listening", endpoint: Endpoint.fromStringUnsafe(endpoint) })
    }
    yield* relay.gate.open
    return yield* Effect.never
  })
  const why = yield* serving.pipe(
    Effect.raceFirst(crew.lost),
    Effect.raceFirst(relay.failed),
    Effect.raceFirst(stop.requested),
    Effect.match({ onSuccess: () => undefined, onFailure: (failure) => failure })
  )
  // What ends by the drain is told behind its beginning.
  yield* relay.gate.close
  const open = yield* crew.drain
  if (listens) yield* say({ _tag: "Draining", open })
  yield* relay.gate.open
  const { failure, report } = yield* crew.end(
    plan.given.drainGrace?.value ?? Duration.fromInputUnsafe(Server.defaults.grace)
  )
  if (listens) yield* say({ _tag: "Drained", report })
  const wrong = why ?? failure
  if (wrong !== undefined) return yield* wrong
})
