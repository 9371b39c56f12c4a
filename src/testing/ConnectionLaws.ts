/**
 * What every connection must do, whatever carries its bytes: the contract of `Connection` as scenes.
 *
 * Each law listens, dials, talks and closes on the transport it is given, and fails with a `LawViolation` that says
 * what happened instead. `laws` names them for a test runner, `all` runs them one after another. While they play, each
 * raw socket is watched: it must keep the order of its events, need nothing that it was handed once it says that nothing
 * is unsent, and be gone when the scene is over.
 *
 * ```ts
 * import { Effect } from "effect"
 * import { MemoryTransport } from "hawser"
 * import { ConnectionLaws } from "hawser/testing"
 *
 * // Fails with a LawViolation, where one does not hold.
 * await Effect.runPromise(ConnectionLaws.all({ endpoint: "memory:laws" }).pipe(Effect.provide(MemoryTransport.layer)))
 * ```
 *
 * **Gotchas**: no law waits for a time. What does not come after many turns of the event loop, in which nothing moves,
 * is a violation; a transport in virtual time gives `turn` an effect that moves its clock.
 *
 * @see TransportLaws for the raw sockets below, and for who listens and dials
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { defect, fatal, recoverable, refusal } from "./internal/ConnectionCodecLaws.ts"
import { close, closedIsClosed, gone, reply, reset } from "./internal/ConnectionEndLaws.ts"
import { batch, interruptedPull, interruptedWrite, onePull } from "./internal/ConnectionFiberLaws.ts"
import { lateOpen, putBack } from "./internal/ConnectionListenLaws.ts"
import type { Spec } from "./internal/ConnectionSpec.ts"
import { backpressure, finish, halfClose, order } from "./internal/ConnectionStreamLaws.ts"
import type { Check } from "./internal/Scene.ts"

export {
  /** The values used where a spec gives none. @category models @since 0.1.0 */
  defaults,
  /** What the laws are given. @category models @since 0.1.0 */
  type Spec
} from "./internal/ConnectionSpec.ts"
export {
  /** What a law is: it succeeds, or says what happened instead. @category models @since 0.1.0 */
  type Check
} from "./internal/Scene.ts"

/** All laws by name, to make one test of each. @category laws @since 0.1.0 */
export const laws = {
  order,
  halfClose,
  backpressure,
  finish,
  batch,
  interruptedPull,
  interruptedWrite,
  onePull,
  close,
  reply,
  closedIsClosed,
  reset,
  gone,
  lateOpen,
  putBack,
  recoverable,
  fatal,
  refusal,
  defect
}

/** Checks all laws; the first that is broken is the failure. @category laws @since 0.1.0 */
export const all = (spec: Spec): Check => Effect.forEach(Object.values(laws), (law) => law(spec), { discard: true })
