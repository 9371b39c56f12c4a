/**
 * Virtual time: a clock that jumps to the next event by itself, and the run that it drives.
 *
 * Inside `VirtualTime.run`, `Effect.sleep`, timeouts, schedules and everything else that asks Effect's `Clock` take no
 * real time. When every fiber waits, the clock jumps to the next event, so that an hour of traffic takes as long as its
 * work. When every fiber waits and there is no next event, the run fails with `Stuck`, which tells who waits.
 *
 * ```
 * t=0 ---- 30 s sleep ---------------> t=30 ---- timeout of 2 min ----------> t=150      wall clock: under a millisecond
 * ```
 *
 * The clock is also `TestClock`'s: `TestClock.adjust` waits until the time has passed and what happens in it has
 * happened; `TestClock.setTime` also moves the time of day, back as well. `TestClock.withLive` uses real time, and
 * virtual time stands still until it is done.
 *
 * **Gotchas**: what really takes time, such as reading a file, is not waited for unless it is inside
 * `TestClock.withLive`; the clock would jump, or the run be called stuck. A loop of promises that never ends cannot be
 * found: nothing else runs then.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Formatter from "effect/Formatter"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import { toMillis } from "../internal/time.ts"
import { Driver, type Failure } from "./internal/Driver.ts"
import type { Stuck } from "./internal/Stuck.ts"
import { makeClock, type VirtualClock } from "./internal/VirtualClock.ts"
import * as SeededScheduler from "./SeededScheduler.ts"
import { CurrentTimers } from "./Timers.ts"

export {
  /** A fiber that has not ended. @category models @since 0.1.0 */
  type LivingFiber,
  /** Names a fiber, and those that it forks. @category combinators @since 0.1.0 */
  named,
  /** A run under virtual time went no further. @category errors @since 0.1.0 */
  Stuck,
  /** Why a run goes no further. @category models @since 0.1.0 */
  type StuckReason
} from "./internal/Stuck.ts"
export {
  /** The virtual clock of a run. @category models @since 0.1.0 */
  type VirtualClock
} from "./internal/VirtualClock.ts"

/**
 * The virtual clock, for whoever needs more of it than the `Clock` that everybody sees.
 *
 * @category services
 * @since 0.1.0
 */
export class VirtualTime extends Context.Service<VirtualTime, VirtualClock>()("hawser/testing/VirtualTime") {}

/**
 * How to run.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options<out E = never> {
  /**
   * In which order fibers run.
   *
   * @default the order of asking, with no yields but Effect's own
   */
  readonly scheduler?: SeededScheduler.Options | undefined
  /**
   * How much virtual time there is.
   *
   * @default "24 hours"
   */
  readonly maxDuration?: Duration.Input | undefined
  /**
   * How many steps (events and tasks) one moment may take.
   *
   * @default 100000
   */
  readonly maxSteps?: number | undefined
  /**
   * How many events there may be at all.
   *
   * @default 10000000
   */
  readonly maxEvents?: number | undefined
  /** Called at the end of each moment, when nothing is left to do in it; an answer ends the run with that error. */
  readonly check?: ((millis: number) => { readonly error: E } | undefined) | undefined
  /**
   * What the fibers may wait for, in lines for the message of `Stuck`: the states of queues, of sockets. The networks of
   * the run (`SimulatedNetwork`) are told without it.
   */
  readonly describe?: (() => ReadonlyArray<string>) | undefined
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  /** A day finds daily jobs, and ends a program that only beats its heart. */
  maxDuration: "24 hours",
  /** A thousand connections that all do something at once need some ten thousand. */
  maxSteps: 100_000,
  /** About a minute of real time. */
  maxEvents: 10_000_000
} as const

/**
 * An option that no run can have: a defect.
 *
 * @category errors
 * @since 0.1.0
 */
export class VirtualTimeOptionsError extends Data.TaggedError("VirtualTimeOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.option} must be ${this.rule}, got ${Formatter.format(this.value)}`
}

/**
 * Runs an effect to its end, under virtual time.
 *
 * **Example**
 *
 * ```ts
 * import { Clock, Console, Effect } from "effect"
 * import { VirtualTime } from "hawser/testing"
 *
 * const program = Effect.gen(function*() {
 *   yield* Effect.sleep("1 hour")
 *   yield* Console.log(`it is ${yield* Clock.currentTimeMillis} ms`)
 *   return yield* Effect.never
 * })
 *
 * const stuck = await Effect.runPromise(Effect.flip(VirtualTime.run(VirtualTime.named(program, "the program"))))
 * console.log(stuck.message)
 * ```
 *
 * It prints:
 *
 * ```text
 * it is 3600000 ms
 * stuck: every fiber waits and nothing is scheduled at 3600000.000 ms
 *   fiber 1 (the program): waits since 3600000.000 ms
 * ```
 *
 * **Details**
 * - Errors: those of the effect, `Stuck`, and what `check` answers. The effect is then interrupted, and its finalizers
 *   run; they have an hour of virtual time.
 * - Interruption interrupts the effect and waits for its finalizers.
 * - The run has a scope of its own, and closes it at the end. In a scope outside, such as the one of `it.effect`,
 *   finalizers would run when this clock stands still, and might wait for ever.
 *
 * **Gotchas**: the run ends with the effect and its scope. Fibers that it has detached are left where they are.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*<A, E, R, E2 = never>(
  effect: Effect.Effect<A, E, R>,
  options: Options<E2> = {}
): Effect.fn.Return<A, E | E2 | Stuck, Exclude<R, Scope.Scope | VirtualTime>> {
  const limits = settleOptions(options)
  const outer = yield* Effect.context<Exclude<R, Scope.Scope | VirtualTime>>()
  const liveClock = yield* Clock.Clock
  return yield* Effect.callback<A, E | E2 | Stuck>((resume) => {
    let failure: Failure | undefined
    let main: Fiber.Fiber<A, E> | undefined
    let interrupted = false
    const interrupt = (): void => {
      interrupted = true
      main?.interruptUnsafe()
    }
    let onEnd = (): void => {}
    const end = (exit: Exit.Exit<A, E | E2 | Stuck>): void => {
      driver.stop()
      resume(exit)
      onEnd()
    }
    const failed = (): Exit.Exit<never, E2 | Stuck> =>
      failure?._tag === "Fail"
        ? Exit.fail(failure.error as E2 | Stuck) // the driver gives what it makes itself and what check answered
        : Exit.die(failure?.defect)
    const driver = new Driver(limits, {
      check: () => options.check?.(driver.now()),
      describe: () => options.describe?.() ?? [],
      onFail: (what) => {
        // The second time, not even the finalizers come to an end.
        if (failure !== undefined) return end(failed())
        failure = what
        interrupt()
      }
    })
    const clock = makeClock(driver, liveClock)
    const context = outer.pipe(
      Context.add(VirtualTime, clock),
      Context.add(Clock.Clock, clock),
      Context.add(CurrentTimers, clock),
      Context.add(
        Scheduler.Scheduler,
        options.scheduler === undefined ? driver : SeededScheduler.make(options.scheduler, driver)
      )
    ) as Context.Context<Exclude<R, Scope.Scope>> // what R has besides VirtualTime is in outer
    driver.start(() => {
      main = Effect.runForkWith(context)(Effect.scoped(effect))
      // Its first steps run before it has a name here.
      if (interrupted) main.interruptUnsafe()
      main.addObserver((exit) => end(failure === undefined ? exit : failed()))
    })
    return Effect.callback<void>((ended) => {
      onEnd = () => ended(Effect.void)
      interrupt()
    })
  })
})

const settleOptions = (options: Options<unknown>) => {
  const { maxDuration = defaults.maxDuration, maxEvents = defaults.maxEvents, maxSteps = defaults.maxSteps } = options
  const maxMillis = toMillis(maxDuration)
  ensure("maxDuration", maxMillis > 0, maxDuration, "a time longer than 0")
  ensure("maxSteps", Number.isSafeInteger(maxSteps) && maxSteps > 0, maxSteps, "a positive integer")
  ensure("maxEvents", Number.isSafeInteger(maxEvents) && maxEvents > 0, maxEvents, "a positive integer")
  return { maxMillis, maxSteps, maxEvents }
}

const ensure = (option: string, valid: boolean, value: unknown, rule: string): void => {
  if (!valid) throw new VirtualTimeOptionsError({ option, value, rule })
}
