/**
 * What every transport must do: the contract of `Transport` at its raw seam, without a connection on top.
 *
 * Each law listens, dials, and talks over raw sockets, and fails with a `LawViolation` that says what happened instead.
 * `laws` names them for a test runner, `all` runs them one after another. While they play, every raw socket is watched:
 * it must keep the order of its events, tell nothing inside a call, and be gone when the scene is over.
 *
 * ```
 * paused, pauses, order, backpressure, reuse, unshift             the bytes
 * halfOpen, destroy, reset, closed, handover                      the ends
 * listener, listenerScope, interruptedConnect, addresses          who listens, and who dials
 * ```
 *
 * ```ts
 * import { Effect } from "effect"
 * import { MemoryTransport } from "hawser"
 * import { TransportLaws } from "hawser/testing"
 *
 * // Fails with a LawViolation, where one does not hold.
 * await Effect.runPromise(TransportLaws.all({ endpoint: "memory:laws" }).pipe(Effect.provide(MemoryTransport.layer)))
 * ```
 *
 * **Gotchas**: no law waits for a time. What does not come after many turns of the event loop, in which nothing moves,
 * is a violation; a transport in virtual time gives `turn` an effect that moves its clock.
 *
 * @see ConnectionLaws for what a connection makes of it
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Check } from "./internal/Scene.ts"
import { closed, destroy, halfOpen, handover, reset } from "./internal/TransportEndLaws.ts"
import { backpressure, order, paused, pauses, reuse, unshift } from "./internal/TransportFlowLaws.ts"
import { addresses, interruptedConnect, listener, listenerScope } from "./internal/TransportListenLaws.ts"
import type { Spec } from "./internal/TransportSpec.ts"

export {
  /** The values used where a spec gives none. @category models @since 0.1.0 */
  defaults
} from "./internal/ConnectionSpec.ts"
export {
  /** What a law is: it succeeds, or says what happened instead. @category models @since 0.1.0 */
  type Check
} from "./internal/Scene.ts"
export {
  /** What the laws are given. @category models @since 0.1.0 */
  type Spec
} from "./internal/TransportSpec.ts"

/** All laws by name, to make one test of each. @category laws @since 0.1.0 */
export const laws = {
  paused,
  pauses,
  order,
  backpressure,
  reuse,
  unshift,
  halfOpen,
  destroy,
  reset,
  closed,
  handover,
  listener,
  listenerScope,
  interruptedConnect,
  addresses
}

/** Checks all laws; the first that is broken is the failure. @category laws @since 0.1.0 */
export const all = (spec: Spec): Check => Effect.forEach(Object.values(laws), (law) => law(spec), { discard: true })
