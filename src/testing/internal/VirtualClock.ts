/**
 * The clock of a run under virtual time, in the three forms in which programs ask for time: Effect's `Clock`, its
 * `TestClock`, and plain callbacks.
 *
 * ```
 * monotonic time   0 ------------------------> only forward, moved by the driver
 * time of day      origin + monotonic time     `setTime` into the past moves the origin
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Predicate from "effect/Predicate"
import type * as TestClock from "effect/testing/TestClock"
import type { Timers } from "../Timers.ts"
import type { Driver } from "./Driver.ts"
import type { LivingFiber } from "./Stuck.ts"

/**
 * The virtual clock of a run.
 *
 * @category models
 * @since 0.1.0
 */
export interface VirtualClock extends TestClock.TestClock, Timers {
  /** The fibers of the run that have not ended, the one that asks included. */
  readonly fibers: () => ReadonlyArray<LivingFiber & { readonly fiber: Fiber.Fiber<unknown, unknown> }>
  /** Adds lines to the message of `Stuck`, asked for when a run is. The result takes them away. */
  readonly describing: (describe: () => ReadonlyArray<string>) => () => void
  /** How many events are scheduled. */
  readonly pending: () => number
  /** How many events and tasks there were, and how many operations of fibers. */
  readonly counts: () => { readonly steps: number; readonly operations: number }
  /**
   * Waits for a time of `now`, without being a reason to go on: where nothing else is scheduled, the run is stuck, though
   * somebody waits for this. One fiber at a time can.
   */
  readonly deadline: (millis: number) => Effect.Effect<void>
  /** Waits until everything that can happen without time passing has happened. */
  readonly settle: Effect.Effect<void>
}

/** The clock that a driver moves; `liveClock` is the one around the run. @category constructors @since 0.1.0 */
export const makeClock = (driver: Driver, liveClock: Clock.Clock): VirtualClock => {
  /** The time of day at the beginning, moved by `setTime`. */
  let origin = 0
  const nanos = (millis: number): bigint => BigInt(Math.round(millis * 1_000_000))
  const clock: VirtualClock = {
    now: driver.now,
    at: driver.at,
    fibers: () => driver.fibers.living(),
    describing: (describe) => {
      driver.descriptions.add(describe)
      return () => void driver.descriptions.delete(describe)
    },
    pending: () => driver.pending,
    counts: () => ({ steps: driver.steps, operations: driver.operations }),
    currentTimeMillisUnsafe: () => Math.floor(origin + driver.now()),
    currentTimeNanosUnsafe: () => nanos(origin + driver.now()),
    monotonicTimeNanosUnsafe: () => nanos(driver.now()),
    currentTimeMillis: Effect.sync(() => clock.currentTimeMillisUnsafe()),
    currentTimeNanos: Effect.sync(() => clock.currentTimeNanosUnsafe()),
    monotonicTimeNanos: Effect.sync(() => clock.monotonicTimeNanosUnsafe()),
    sleep: (duration: Duration.Duration) => sleep(driver, Duration.toMillis(duration)),
    adjust: (duration: Duration.Input) => passed(driver, () => driver.now() + Duration.toMillis(duration)),
    setTime: (timestamp: number) =>
      Effect.suspend(() => {
        const ahead = timestamp - origin - driver.now()
        if (ahead >= 0) return passed(driver, () => driver.now() + ahead)
        origin += ahead
        return Effect.void
      }),
    deadline: (millis) =>
      Effect.callback<void>((resume) => {
        const cancel = driver.until(millis, () => resume(Exit.void))
        return Effect.sync(cancel)
      }),
    settle: passed(driver, driver.now),
    withLive: <A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
      Effect.acquireUseRelease(
        Effect.sync(() => driver.live++),
        () =>
          isTestClock(liveClock) ? liveClock.withLive(effect) : Effect.provideService(effect, Clock.Clock, liveClock),
        () => Effect.sync(() => driver.live--)
      )
  }
  return clock
}

/** A run inside an ordinary test has the test's clock around it, which knows the real one. */
const isTestClock = (clock: Clock.Clock): clock is TestClock.TestClock => Predicate.hasProperty(clock, "withLive")

const sleep = (driver: Driver, millis: number): Effect.Effect<void> => {
  if (!(millis > 0)) return Effect.yieldNow
  if (millis === Number.POSITIVE_INFINITY) return Effect.never
  return Effect.withFiber((fiber) =>
    Effect.callback<void>((resume) => {
      const time = driver.now() + millis
      driver.fibers.sleeping.set(fiber, time)
      // Through the scheduler: those who wake at the same time run in the order that it draws.
      const wake = (): void => {
        driver.fibers.sleeping.delete(fiber)
        fiber.currentDispatcher.scheduleTask(() => resume(Exit.void), 0)
      }
      const cancel = driver.at(time, wake)
      return Effect.sync(() => {
        driver.fibers.sleeping.delete(fiber)
        cancel()
      })
    })
  )
}

const passed = (driver: Driver, until: () => number): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    const cancel = driver.after(until(), () => resume(Exit.void))
    return Effect.sync(cancel)
  })
