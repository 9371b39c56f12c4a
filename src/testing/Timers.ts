/**
 * Plain callbacks at moments of some clock: what the simulated network runs on.
 *
 * A virtual clock with an event heap of its own implements `Timers` itself. `fromClock` makes them of any other clock
 * of Effect: under the `TestClock` of an ordinary test, events happen when `TestClock.adjust` passes their moment.
 *
 * ```
 * at(5, a) at(2, b) at(5, c)  -->  heap of (time, order of asking)  -->  b at 2, a at 5, c at 5
 *                                     `-- fromClock: one fiber sleeps until the first of them
 * ```
 *
 * Invariants: nothing runs inside `at`. Events of one moment run in the order in which they were asked for. What was
 * cancelled never runs, and keeps nothing alive: without events there is no fiber and no sleep.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { monotonicMillis } from "../internal/time.ts"
import { TimerHeap } from "./internal/TimerHeap.ts"

/**
 * A clock that calls back.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timers {
  /** Milliseconds since some moment; never goes back. */
  readonly now: () => number
  /**
   * Calls back at a moment, as `now` tells it; for one that has passed, in a later turn. The result cancels it, and does
   * nothing once it has run.
   */
  readonly at: (millis: number, run: () => void) => () => void
}

/**
 * The timers that a virtual clock provides to what runs inside it; absent where the clock is an ordinary one.
 *
 * @category references
 * @since 0.1.0
 */
export const CurrentTimers: Context.Reference<Timers | undefined> = Context.Reference<Timers | undefined>(
  "hawser/testing/Timers",
  { defaultValue: () => undefined }
)

/** So many events run in one turn; then fibers get theirs. A whole burst on one link should not take a turn each. */
const eventsPerTurn = 64

/** What is due when the scope closes is a few closes; two ends that answer each other at once would never be done. */
const eventsAtStop = 100_000

/** Times are sums of fractions of milliseconds, and clocks count nanoseconds. */
const toleranceMillis = 1e-6

class ClockTimers implements Timers {
  private readonly heap = new TimerHeap()
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private fiber: Fiber.Fiber<void> | undefined = undefined
  /** When the fiber wakes. */
  private wakesAt = Infinity
  private running = false
  private stopped = false
  /** The latest moment that was told: an event never runs before its own. */
  private latest = -Infinity

  constructor(clock: Clock.Clock, fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>) {
    this.clock = clock
    this.fork = fork
  }

  readonly now = (): number => {
    const now = monotonicMillis(this.clock)
    if (now > this.latest) this.latest = now
    return this.latest
  }

  readonly at = (millis: number, run: () => void): () => void => {
    if (this.stopped) return () => {}
    const timer = this.heap.add(Math.max(millis, this.now()), run)
    this.arm()
    return () => {
      if (this.heap.remove(timer)) this.arm()
    }
  }

  /** Runs what is due, and forgets the rest. */
  stop(): void {
    this.stopped = true
    this.runDue(eventsAtStop)
    this.heap.clear()
    this.arm()
  }

  /** Sees to it that the fiber sleeps until the first event, or that there is none. */
  private arm(): void {
    if (this.running) return
    const first = this.heap.first
    if (this.fiber !== undefined) {
      // It wakes early enough, looks, and sleeps again: cheaper than to replace it.
      if (first !== undefined && first.time >= this.wakesAt) return
      const { fiber } = this
      this.fiber = undefined
      fiber.interruptUnsafe()
    }
    if (first === undefined) return
    this.wakesAt = first.time
    this.fiber = this.fork(this.loop)
  }

  private readonly loop: Effect.Effect<void> = Effect.suspend(() => {
    const first = this.heap.first
    if (first === undefined) {
      this.fiber = undefined
      return Effect.void
    }
    this.wakesAt = first.time
    const wait = first.time - this.now()
    return Effect.flatMap(
      wait > toleranceMillis ? this.clock.sleep(Duration.millis(wait)) : Effect.yieldNow,
      () => {
        this.runDue(eventsPerTurn)
        return this.loop
      }
    )
  })

  private runDue(most: number): void {
    this.running = true
    const until = this.now() + toleranceMillis
    for (let left = most; left > 0; left--) {
      const first = this.heap.first
      if (first === undefined || first.time > until) break
      this.heap.remove(first)
      if (first.time > this.latest) this.latest = first.time
      try {
        first.run()
      } catch (defect) {
        // As from any callback: it surfaces, and the other events still happen.
        queueMicrotask(() => {
          throw defect
        })
      }
    }
    this.running = false
  }
}

/**
 * Timers on any clock, for the time of a scope. When it closes, what is due at that moment still runs.
 *
 * **Details**
 * - Units: a wait is rounded to nanoseconds by the clock; an event runs at most one nanosecond early.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromClock = (clock: Clock.Clock): Effect.Effect<Timers, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.map(Effect.context<never>(), (context) => new ClockTimers(clock, Effect.runForkWith(context))),
    (timers) => Effect.sync(() => timers.stop())
  )

/**
 * The timers of the virtual clock that is around, and where there is none those of the current clock.
 *
 * @category constructors
 * @since 0.1.0
 */
export const current: Effect.Effect<Timers, never, Scope.Scope> = Effect.gen(function*() {
  return (yield* CurrentTimers) ?? (yield* Effect.clockWith(fromClock))
})
