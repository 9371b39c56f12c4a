/**
 * Prints a server's events, and what its service found, while it serves: the server hands them over and never waits for stdout.
 *
 * ```
 * server --onEvent--> [ at most 4096 events ] --> fiber --> stdout, many lines in one write
 * ```
 *
 * Where stdout is not read, events are counted instead of kept, and the count is printed when there is room again. When
 * the scope closes, what is left is printed first; a server that is built in an inner scope is then gone already.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import type * as Report from "./Report.ts"

/** Some seconds of a busy server: about 1 MiB. Arbitrary; not measured. */
const maxEvents = 4096

/** A log that is being printed. @category models @since 0.1.0 */
export interface EventLog {
  /** Takes an event; never waits and never throws. */
  readonly onEvent: (event: Report.Event) => void
  /** Fails when stdout cannot be written to any more. */
  readonly failed: Effect.Effect<never, Output.Closed | Failure.Failure>
}

/** Starts printing, for the time of the scope. @category constructors @since 0.1.0 */
export const make = Effect.fnUntraced(function*(
  format: Report.Format
): Effect.fn.Return<EventLog, never, Scope.Scope | Stdio.Stdio> {
  const clock = yield* Clock.Clock
  const queue = yield* Queue.dropping<Report.Entry, Cause.Done>(maxEvents)
  let lost = 0
  const onEvent = (event: Report.Event): void => {
    if (!Queue.offerUnsafe(queue, { millis: clock.currentTimeMillisUnsafe(), event })) lost++
  }
  const lines = Stream.mapArray(Stream.fromQueue(queue), (entries) => {
    const all: Array<Report.Entry> = [...entries]
    if (lost > 0) all.push({ millis: clock.currentTimeMillisUnsafe(), event: { _tag: "Lost", events: lost } })
    lost = 0
    return [all.map((entry) => `${format(entry)}\n`).join("")]
  })
  const printing = yield* Effect.forkScoped(Output.write(lines))
  yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(queue), Fiber.await(printing)))
  return { onEvent, failed: Effect.andThen(Fiber.join(printing), Effect.never) }
})
