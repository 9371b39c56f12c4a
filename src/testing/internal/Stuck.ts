/**
 * Why a run under virtual time can go no further, told with what each of its fibers waits for.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"

/**
 * Why a run goes no further.
 *
 * `Deadlock`: every fiber waits and nothing is scheduled. `Livelock`: the steps of one moment exceed `maxSteps`, and time
 * stands still. `TimeLimit`: the next event is after `maxDuration`. `EventLimit`: more than `maxEvents` have happened.
 *
 * @category models
 * @since 0.1.0
 */
export type StuckReason = "Deadlock" | "Livelock" | "TimeLimit" | "EventLimit"

/**
 * A fiber that has not ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface LivingFiber {
  /** Counts from 1 in each run, in the order of first steps. */
  readonly id: number
  /** Its name (see `named`), then the spans and the `Effect.fn` functions that it is in, the innermost last. */
  readonly name: string
  /** Until when it sleeps, or since when it waits for something else than time. */
  readonly waitsFor: string
}

/**
 * A run under virtual time went no further.
 *
 * **Details**
 * - Shape: `limit` is the number that was exceeded, in milliseconds, steps or events; absent for a deadlock. `atMillis` is the
 *   virtual time. `network` are the lines of `describe`.
 *
 * @category errors
 * @since 0.1.0
 */
export class Stuck extends Data.TaggedError("Stuck")<{
  readonly reason: StuckReason
  readonly limit: number | undefined
  readonly atMillis: number
  readonly fibers: ReadonlyArray<LivingFiber>
  readonly network: ReadonlyArray<string>
}> {
  override get message(): string {
    return [
      `${this.what} at ${formatMillis(this.atMillis)}`,
      ...this.fibers.slice(0, maxListed).map(({ id, name, waitsFor }) => `  fiber ${id} (${name}): ${waitsFor}`),
      ...(this.fibers.length > maxListed ? [`  and ${this.fibers.length - maxListed} more fibers`] : []),
      ...this.network.slice(0, maxListed).map((line) => `  ${line}`),
      ...(this.network.length > maxListed ? [`  and ${this.network.length - maxListed} more lines`] : [])
    ].join("\n")
  }
  private get what(): string {
    switch (this.reason) {
      case "Deadlock":
        return "stuck: every fiber waits and nothing is scheduled"
      case "Livelock":
        return `stuck: more than ${this.limit} steps in one moment`
      case "TimeLimit":
        return `stuck: nothing to do within the limit of ${formatMillis(this.limit ?? 0)} of virtual time`
      case "EventLimit":
        return `stuck: more than ${this.limit} events`
    }
  }
}

/** More lines than a screen holds help nobody. */
const maxListed = 40

/** The innermost functions are the ones that tell. */
const maxFrames = 6

/** A virtual time as the trace writes it: `3600000.000 ms`. @category formatting @since 0.1.0 */
export const formatMillis = (millis: number): string => `${millis.toFixed(3)} ms`

/** What `named` has said. */
const Name: Context.Reference<string | undefined> = Context.Reference<string | undefined>("hawser/testing/FiberName", {
  defaultValue: () => undefined
})

/**
 * Names the fiber, and those that it forks, in the reports of `Stuck` and of leaks.
 *
 * @category combinators
 * @since 0.1.0
 */
export const named = <A, E, R>(effect: Effect.Effect<A, E, R>, name: string): Effect.Effect<A, E, R> =>
  Effect.provideService(effect, Name, name)

/** The name of a living fiber, as far as it has told. @category formatting @since 0.1.0 */
export const nameOf = (fiber: Fiber.Fiber<unknown, unknown>): string => {
  const name = fiber.getRef(Name)
  const frames: Array<string> = []
  const framed = new Set<string>()
  for (let frame = fiber.cache.stackFrame; frame !== undefined && frames.length < maxFrames; frame = frame.parent) {
    framed.add(frame.name)
    // `Effect.fn` gives two: where it is called, and where it is defined.
    if (!frame.name.endsWith(" (definition)")) frames.unshift(`${frame.name}${placeOf(frame.stack())}`)
  }
  const spans: Array<string> = []
  for (let span = fiber.cache.span; span?._tag === "Span"; span = Option.getOrUndefined(span.parent)) {
    if (!framed.has(span.name)) spans.unshift(`span ${span.name}`)
  }
  const parts = [...(name === undefined ? [] : [name]), ...spans, ...frames]
  return parts.length === 0 ? "unnamed" : parts.join(" > ")
}

/** File and line of a stack's last call, such as ` (Client.ts:12)`. */
const placeOf = (stack: string | undefined): string => {
  const place = /([^/\\(]+:\d+):\d+\)?$/m.exec(stack ?? "")?.[1]
  return place === undefined ? "" : ` (${place})`
}
