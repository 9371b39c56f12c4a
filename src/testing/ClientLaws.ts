/**
 * What every client of a protocol must do, as scenes in virtual time: for `Client.make`, and for whatever is built on it
 * or beside it.
 *
 * Each law listens as a server without a protocol in it, which does what servers do at their worst, connects the client,
 * and fails with a `LawViolation` that says what happened instead. However a scene ends, the client's scope is closed,
 * and then no socket, fiber or timer of the client may be left.
 *
 * ```
 * answers, givenUp, unasked     each call has its own answer
 * blocked                       a server that does not read
 * endings, close                every call settles, and says truly how much of it was sent
 * ```
 *
 * ```ts
 * import { Effect } from "effect"
 * import { Codec, Framing, MemoryTransport, Protocol } from "hawser"
 * import { ClientLaws } from "hawser/testing"
 *
 * const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))
 * const Shout = Protocol.make("shout", { request: line, response: line })
 * const shout = (text: string) => text.toUpperCase()
 *
 * // Fails with a LawViolation, where one does not hold.
 * await Effect.runPromise(
 *   ClientLaws.all({ protocol: Shout, endpoint: "memory:laws", request: (n) => `ahoy ${n}`, answer: shout }).pipe(
 *     Effect.provide(MemoryTransport.layer)
 *   )
 * )
 * ```
 *
 * **Gotchas**: time is virtual, also where the transport is real: nothing that the client waits for comes by itself. On
 * real sockets give `quietTurns` some hundred, so that the kernel has its time between two moments. Inside
 * `VirtualTime.run` give `turn: TestClock.adjust(0)`, because a fiber that only yields there leaves promises no turn.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { answers, blocked, givenUp, unasked } from "./internal/ClientCallLaws.ts"
import { close, endings } from "./internal/ClientEndLaws.ts"
import type { Spec } from "./internal/ClientSpec.ts"
import type { Check } from "./internal/Scene.ts"

export {
  /** What the laws are given. @category models @since 0.1.0 */
  type Spec,
  /** A client, as far as the laws use it. @category models @since 0.1.0 */
  type Subject
} from "./internal/ClientSpec.ts"
export {
  /** What a law is: it succeeds, or says what happened instead. @category models @since 0.1.0 */
  type Check
} from "./internal/Scene.ts"
export {
  /** Bytes that a client must refuse. @category models @since 0.1.0 */
  type Bad
} from "./internal/ServerSpec.ts"

/** All laws by name, to make one test of each. @category laws @since 0.1.0 */
export const laws = { answers, givenUp, blocked, unasked, endings, close }

/** Checks all laws; the first that is broken is the failure. @category laws @since 0.1.0 */
export const all = <Request, Response>(spec: Spec<Request, Response>): Check =>
  Effect.forEach(Object.values(laws), (law) => law(spec), { discard: true })
