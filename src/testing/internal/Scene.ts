/**
 * What laws that are played as scenes share: how a scene becomes a law, and the few words in which it says what is wrong.
 *
 * A scene needs a transport. It succeeds, or fails with a sentence that says what happened instead.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Endpoint from "../../Endpoint.ts"
import type * as Transport from "../../Transport.ts"
import * as Law from "../Law.ts"
import { tell } from "./Tell.ts"

/** What a law gives. @category models @since 0.1.0 */
export type Check = Effect.Effect<void, Law.LawViolation, Transport.Transport>

/** A law that is one scene. @category constructors @since 0.1.0 */
export const plain = (law: string, scene: Effect.Effect<void, string, Transport.Transport>): Check =>
  Effect.mapError(
    scene,
    (broken) => new Law.LawViolation({ law, broken, counterexample: undefined, replay: undefined })
  )

/** Fails with a sentence when it is not so. @category constructors @since 0.1.0 */
export const must = (holds: boolean, otherwise: () => string): Effect.Effect<void, string> =>
  Effect.suspend(() => holds ? Effect.void : Effect.fail(otherwise()))

/** Makes an endpoint of its input. @category conversions @since 0.1.0 */
export const parse = (input: Endpoint.Input): Effect.Effect<Endpoint.Endpoint, string> =>
  Effect.mapError(Effect.fromResult(Endpoint.fromInput(input)), (error) => error.message)

/** The error in a cause, in a few words. @category formatting @since 0.1.0 */
export const describe = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : tell(error)
}

/** Hears nothing. @category constants @since 0.1.0 */
export const deaf: Transport.RawHandler = { onData() {}, onEnd() {}, onDrain() {}, onClose() {} }
