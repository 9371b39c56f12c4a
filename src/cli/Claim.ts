/**
 * Claims that are shown and checked: a title, what happens, and whether it is so.
 *
 * ```
 * 2. A reverse server turns texts around          the title
 *    shaurya says geeksforgeeks                   said while it happens
 *    ✓ each came back turned around               a check that held; ✗ and why, where it did not
 * ```
 *
 * A claim that is broken, fails, dies or takes too long is counted, and the next one is shown all the same.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Formatter from "effect/Formatter"
import type * as Scope from "effect/Scope"
import * as Failure from "./Failure.ts"
import * as Style from "./Style.ts"
import * as Units from "./Units.ts"

/** A claim, and what shows it. @category models @since 0.1.0 */
export interface Claim<out R> {
  readonly title: string
  readonly show: Effect.Effect<void, unknown, R>
}

/** A check that did not hold. @category errors @since 0.1.0 */
export class Broken extends Data.TaggedError("Broken")<{ readonly message: string }> {}

/** A whole claim takes milliseconds; the rest is for a busy machine. */
const limit = "10 seconds"

/** Makes a claim. @category constructors @since 0.1.0 */
export const make = <R>(title: string, show: () => Effect.fn.Return<void, unknown, R>): Claim<R> => ({
  title,
  show: Effect.gen(show)
})

/** Says what happens. @category showing @since 0.1.0 */
export const say = (text: string): Effect.Effect<void> => Console.log(`   ${text}`)

/** Compares two values: says so when they are equal, and breaks the claim when they are not. @category showing @since 0.1.0 */
export const check = Effect.fnUntraced(function*<A>(what: string, actual: A, expected: A) {
  if (!Equal.equals(actual, expected)) {
    return yield* new Broken({
      message: `${what}: expected ${Formatter.format(expected)}, got ${Formatter.format(actual)}`
    })
  }
  const { good } = yield* Style.current
  yield* say(`${good("✓")} ${what}`)
})

const messageOf = (cause: Cause.Cause<unknown>): string => {
  const error = Cause.squash(cause)
  if (typeof error === "string") return error
  return error instanceof Error ? error.message : Formatter.format(error)
}

/** Shows the claims one after the other; fails when one of them does not hold. @category running @since 0.1.0 */
export const run = Effect.fnUntraced(function*<R>(claims: ReadonlyArray<Claim<R>>) {
  const { bad, good, strong } = yield* Style.current
  const started = yield* Clock.currentTimeMillis
  let broken = 0
  for (const [index, { show, title }] of claims.entries()) {
    yield* Console.log(`${strong(`${index + 1}. ${title}`)}`)
    yield* Effect.scoped(show).pipe(
      Effect.timeoutOrElse({
        duration: limit,
        orElse: () => Effect.fail(new Broken({ message: `not done after ${limit}` }))
      }),
      Effect.catchCause((cause) => {
        if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>) // it has no failure
        broken++
        return say(`${bad("✗")} ${messageOf(cause)}`)
      })
    )
    yield* Console.log("")
  }
  const elapsed = Units.formatMillis((yield* Clock.currentTimeMillis) - started)
  if (broken > 0) {
    return yield* new Failure.Failure({
      exitCode: 1,
      message: `${broken} of ${claims.length} claims did not hold`,
      hint: "what was expected stands above, after ✗"
    })
  }
  yield* Console.log(good(`All ${claims.length} claims hold; showing them took ${elapsed}.`))
}) as <R>(claims: ReadonlyArray<Claim<R>>) => Effect.Effect<void, Failure.Failure, Exclude<R, Scope.Scope>>
