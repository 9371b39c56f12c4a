/**
 * What every server of a protocol must do, as scenes in virtual time: for `Server.make`, and for whatever is built on
 * it or beside it.
 *
 * Each law starts the server on the transport it is given, sends peers there that behave in every way peers do, and
 * fails with a `LawViolation` that says what happened instead. However a scene ends, the server's scope is closed, and
 * then no socket, fiber or timer of the server may be left.
 *
 * ```
 * answers, halfClosed, backpressure    what one peer hears
 * isolation, endings                   what becomes of it, and of the others
 * limit                                who comes in
 * drain, graceful, close               how the server ends
 * ```
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Codec, Framing, MemoryTransport, Protocol } from "hawser"
 * import { ServerLaws } from "hawser/testing"
 *
 * const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))
 * const Shout = Protocol.make("shout", { request: line, response: line })
 * const shout = (text: string) => text.toUpperCase()
 *
 * // Fails with a LawViolation, where one does not hold.
 * await Effect.runPromise(
 *   ServerLaws.all({ protocol: Shout, endpoint: "memory:laws", samples: ["ahoy", ""], answer: shout }).pipe(
 *     Effect.provide(MemoryTransport.layer)
 *   )
 * )
 * ```
 *
 * **Gotchas**: time is virtual, also where the transport is real: nothing that the server waits for comes by itself. On
 * real sockets give `quietTurns` some hundred, so that the kernel has its time between two moments. Inside
 * `VirtualTime.run` give `turn: TestClock.adjust(0)`, because a fiber that only yields there leaves promises no turn.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Check } from "./internal/Scene.ts"
import { answers, backpressure, endings, halfClosed, isolation } from "./internal/ServerAnswerLaws.ts"
import { close, drain, graceful } from "./internal/ServerDrainLaws.ts"
import { limit } from "./internal/ServerLimitLaws.ts"
import type { Spec } from "./internal/ServerSpec.ts"

export {
  /** What a law is: it succeeds, or says what happened instead. @category models @since 0.1.0 */
  type Check
} from "./internal/Scene.ts"
export {
  /** Bytes that a server must refuse. @category models @since 0.1.0 */
  type Bad,
  /** The values used where a spec gives none. @category models @since 0.1.0 */
  defaults,
  /** What answers one request. @category models @since 0.1.0 */
  type Handler,
  /** What the laws are given. @category models @since 0.1.0 */
  type Spec
} from "./internal/ServerSpec.ts"

/** All laws by name, to make one test of each. @category laws @since 0.1.0 */
export const laws = { answers, halfClosed, backpressure, isolation, endings, limit, drain, graceful, close }

/** Checks all laws; the first that is broken is the failure. @category laws @since 0.1.0 */
export const all = <Request, Response>(spec: Spec<Request, Response>): Check =>
  Effect.forEach(Object.values(laws), (law) => law(spec), { discard: true })
