/**
 * A law: a property that every implementation of a contract has, as an Effect that knows no test runner.
 *
 * A law draws inputs, runs the property on each, and when one breaks it looks for a smaller input that does. It then
 * fails with one `LawViolation` that names the law, shows that input, and carries a token that runs it again.
 *
 * ```
 * inputs -> property -> broken? -> shrink -> LawViolation { law, broken, counterexample, replay }
 * ```
 *
 * **Gotchas**: a property must give the same outcome for the same input, since it is run again to shrink and to replay.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import type * as Schema from "effect/Schema"
import { tell } from "./internal/Tell.ts"

/** Where inputs come from: an `Arbitrary`, or a `Schema` that one is made from. @category models @since 0.1.0 */
export type Input<A> = Arbitrary.Arbitrary<A> | Schema.Schema<A>

/**
 * How long to look for a violation; passed to `Arbitrary.checkEffect`. `replay` takes the token of a violation of the
 * same law.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Arbitrary.CheckOptions {}

/** Size 20 gives streams of a few dozen bytes; 500 shrinks cost 500 runs. @category options @since 0.1.0 */
export const defaults = { runs: 100, size: 20, maxShrinks: 500 } as const

/**
 * An implementation broke a law.
 *
 * **Details**
 * - Shape: `broken` says what happened instead, `counterexample` is the smallest input found, `replay` repeats it (pass
 *   it as the option of that name); there is none where nothing was drawn.
 *
 * @category errors
 * @since 0.1.0
 */
export class LawViolation extends Data.TaggedError("LawViolation")<{
  readonly law: string
  readonly broken: string
  readonly counterexample: unknown
  readonly replay: Arbitrary.Replay | undefined
}> {
  override readonly message = `${this.law}: ${this.broken}\ninput: ${Formatter.format(this.counterexample)}${
    this.replay === undefined ? "" : `\nreplay: ${this.replay}`
  }`
}

/** Makes an `Arbitrary` of either form of input. @category conversions @since 0.1.0 */
export const fromInput = <A>(input: Input<A>): Arbitrary.Arbitrary<A> =>
  Arbitrary.isArbitrary(input) ? input : Arbitrary.schema(input)

/**
 * Checks a property: it succeeds, or fails with what happened instead. A defect is a broken law too.
 *
 * @category running
 * @since 0.1.0
 */
export const check = Effect.fnUntraced(function*<A, R>(
  law: string,
  inputs: Input<A>,
  property: (input: A) => Effect.Effect<void, string, R>,
  options?: Options
): Effect.fn.Return<void, LawViolation, R> {
  const result = yield* Arbitrary.checkEffect(
    fromInput(inputs),
    (input) =>
      Effect.suspend(() => property(input)).pipe(
        Effect.as(true),
        Effect.catchDefect((defect) => Effect.fail(`it threw ${tell(defect)}`))
      ),
    { ...defaults, ...options }
  )
  switch (result._tag) {
    case "Passed":
      return
    case "Falsified":
      return yield* new LawViolation({
        law,
        broken: result.failure._tag === "PropertyError" ? result.failure.error : "it returned false",
        counterexample: result.shrunkInput,
        replay: result.replay
      })
    default:
      return yield* new LawViolation({
        law,
        broken: Arbitrary.formatCheckFailure(result) ?? result._tag,
        counterexample: undefined,
        replay: undefined
      })
  }
})

/**
 * Checks a property that is a plain function: `undefined` when it holds, what happened instead when not.
 *
 * @category running
 * @since 0.1.0
 */
export const checkSync = <A>(
  law: string,
  inputs: Input<A>,
  property: (input: A) => string | undefined,
  options?: Options
): Effect.Effect<void, LawViolation> =>
  check(law, inputs, (input) => {
    const broken = property(input)
    return broken === undefined ? Effect.void : Effect.fail(broken)
  }, options)
