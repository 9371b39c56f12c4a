/**
 * One thing after the other, as checksum tools do: what fails is told and passed over, and decides the exit code at last.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import type * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"

/** What is printed of one thing, and whether it was as it should be. @category models @since 0.1.0 */
export interface Line {
  readonly text: string
  readonly ok: boolean
}

/** How many there were of each kind. @category models @since 0.1.0 */
export interface Counts {
  readonly good: number
  readonly bad: number
  readonly failed: number
}

/** Prints a line for each thing; failures go to stderr. @category running @since 0.1.0 */
export const print = Effect.fnUntraced(function*<A, E, R, R2>(
  things: Stream.Stream<A, E, R>,
  work: (thing: A) => Effect.Effect<Line, Failure.Failure, R2>,
  told: (thing: A, failure: Failure.Failure) => string | undefined
): Effect.fn.Return<Counts, E | Output.Closed | Failure.Failure, R | R2 | Stdio.Stdio> {
  const counts = { good: 0, bad: 0, failed: 0 }
  const lines = Stream.mapEffect(things, (thing) =>
    Effect.matchEffect(work(thing), {
      onSuccess: ({ ok, text }) =>
        Effect.sync(() => {
          counts[ok ? "good" : "bad"]++
          return `${text}\n`
        }),
      onFailure: (failure) => {
        counts.failed++
        const line = told(thing, failure)
        return Effect.as(Console.error(Failure.format(failure)), line === undefined ? "" : `${line}\n`)
      }
    }))
  yield* Output.write(Stream.filter(lines, (line) => line !== ""))
  return counts
})

/** How it ends: with 3 if something is not as it should be, else with 2 if something failed. @category running @since 0.1.0 */
export const conclude = (
  { bad, failed, good }: Counts,
  what: string
): Effect.Effect<void, Failure.Failure | Failure.Reported> => {
  if (bad > 0) {
    const message = good + bad === 1
      ? `the ${what} does not match`
      : `${bad} of ${good + bad} ${what}s ${bad === 1 ? "does" : "do"} not match`
    return Effect.fail(new Failure.Failure({ exitCode: 3, message }))
  }
  return failed > 0 ? Effect.fail(new Failure.Reported({ exitCode: 2 })) : Effect.void
}
