/**
 * A scheduler that draws from a seed which fiber runs next and where a running fiber has to yield.
 *
 * Effect's own scheduler lets a fiber run until it waits, and starts fibers in the order of asking. So a test sees one
 * interleaving of many, always the same one. This scheduler sees another one with every seed, and the same one again
 * with the same seed.
 *
 * ```
 * fibers --schedule--> [ready tasks] --pick(seed)--> run
 *                                                     | before each operation: yield? (seed)
 *            ^----------------------------------------'
 * ```
 *
 * It stands in front of the scheduler that was there before, which says when something runs; this one says what. So it
 * works in an ordinary test, under `TestClock`, and under `VirtualTime`.
 *
 * **Gotchas**: JavaScript outside Effect, such as a promise's continuation, runs when the engine says, and a fiber that
 * such code resumes runs at once. A region under `Scheduler.PreventSchedulerYield` never yields.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Scheduler from "effect/Scheduler"
import { makeLane, RunQueue } from "./internal/RunQueue.ts"
import * as Strategy from "./internal/Strategy.ts"
import * as Random from "./Random.ts"

/**
 * How to explore.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /** Decides everything: any safe integer. */
  readonly seed: number
  /**
   * `"random"`: any ready task. `"round-robin"`: the one that has waited longest; only the yields are drawn. `"pct"`:
   * random priorities that change a few times, which finds rare orders of few events soonest.
   *
   * @default "random"
   */
  readonly strategy?: "random" | "round-robin" | "pct" | undefined
  /**
   * For `"random"` and `"round-robin"`: the part of all operations before which the fiber yields, from 0 to 0.5. With 0
   * fibers yield only where they would anyway; at 0.5, half of what they do is yielding.
   *
   * @default 0.1
   */
  readonly yields?: number | undefined
  /**
   * For `"pct"`: how many ordered events make the bug; the priorities change `depth - 1` times in a round.
   *
   * @default 3
   */
  readonly depth?: number | undefined
  /**
   * For `"pct"`: how many operations make a round. Best is about the number that the program under test takes.
   *
   * @default 100
   */
  readonly steps?: number | undefined
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  strategy: "random",
  /** The more, the more is found: 2, 5 and 9 of 100 seeds lose the update of the example at 0.02, 0.1 and 0.2. */
  yields: 0.1,
  /** Most bugs of real programs need no more (section 4 of the paper on PCT). */
  depth: 3,
  /** A short conversation of two or three fibers; arbitrary. */
  steps: 100
} as const

/**
 * An option that no scheduler can have. Thrown by the constructors.
 *
 * @category errors
 * @since 0.1.0
 */
export class SeededSchedulerOptionsError extends Data.TaggedError("SeededSchedulerOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.option} must be ${this.rule}, got ${Formatter.format(this.value)}`
}

const ensure = (option: string, valid: boolean, value: unknown, rule: string): void => {
  if (!valid) throw new SeededSchedulerOptionsError({ option, value, rule })
}

const strategyOf = (options: Options): Strategy.Strategy => {
  const { depth = defaults.depth, seed, steps = defaults.steps, yields = defaults.yields } = options
  ensure("seed", Number.isSafeInteger(seed), seed, "a safe integer")
  ensure("yields", yields >= 0 && yields <= 0.5, yields, "a number from 0 to 0.5")
  ensure("depth", Number.isSafeInteger(depth) && depth > 0, depth, "a positive integer")
  ensure("steps", Number.isSafeInteger(steps) && steps > 0, steps, "a positive integer")
  const numbers = Random.make(seed).fork("SeededScheduler")
  const { strategy = defaults.strategy } = options
  switch (strategy) {
    case "random":
      return Strategy.random(numbers, yields)
    case "round-robin":
      return Strategy.roundRobin(numbers, yields)
    case "pct":
      return Strategy.pct(numbers, depth, steps)
    default:
      throw new SeededSchedulerOptionsError({
        option: "strategy",
        value: strategy satisfies never,
        rule: "\"random\", \"round-robin\" or \"pct\""
      })
  }
}

/**
 * Makes a scheduler in front of another one, which says when something runs.
 *
 * **Details**
 * - Errors: throws `SeededSchedulerOptionsError`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options, parent: Scheduler.Scheduler): Scheduler.Scheduler =>
  new SeededScheduler(strategyOf(options), parent)

/**
 * The scheduler as a layer, in front of the one that is there.
 *
 * **Example**
 *
 * ```ts
 * import { Console, Effect } from "effect"
 * import { SeededScheduler } from "hawser/testing"
 *
 * // Two deposits at once: between reading and writing, the other one may come.
 * const program = Effect.gen(function*() {
 *   let balance = 0
 *   const read = Effect.sync(() => balance)
 *   const write = (value: number) => Effect.sync(() => void (balance = value))
 *   const deposit = Effect.flatMap(read, (before) => write(before + 1))
 *   yield* Effect.all([deposit, deposit], { concurrency: 2 })
 *   return balance
 * })
 *
 * const search = Effect.gen(function*() {
 *   yield* Console.log(`as always: ${yield* program}`)
 *   for (let seed = 1; seed <= 100; seed++) {
 *     const balance = yield* Effect.provide(program, SeededScheduler.layer({ seed }))
 *     if (balance !== 2) return yield* Console.log(`a seed finds: ${balance}`)
 *   }
 * })
 *
 * await Effect.runPromise(search)
 * ```
 *
 * It prints:
 *
 * ```text
 * as always: 2
 * a seed finds: 1
 * ```
 *
 * **Details**
 * - Errors: a bad option is a defect, `SeededSchedulerOptionsError`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<never> =>
  Layer.effect(Scheduler.Scheduler, Effect.map(Scheduler.Scheduler, (parent) => make(options, parent)))

class SeededScheduler implements Scheduler.Scheduler {
  readonly executionMode: "sync" | "async"
  private readonly strategy: Strategy.Strategy
  private readonly parent: Scheduler.Scheduler
  private readonly queue = new RunQueue()
  /** The last `shouldYield` said yes: what is scheduled next is the rest of that fiber. */
  private stopped = false

  constructor(strategy: Strategy.Strategy, parent: Scheduler.Scheduler) {
    this.strategy = strategy
    this.parent = parent
    this.executionMode = parent.executionMode
  }

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    const drawn = this.strategy.mustYield(fiber, this.queue.ready)
    this.stopped = this.parent.shouldYield(fiber) || drawn
    return this.stopped
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    const lane = makeLane()
    const parent = this.parent.makeDispatcher()
    return {
      scheduleTask: (run, priority) => {
        this.queue.add({ run, priority, lane, rank: this.strategy.rank(this.stopped) })
        this.stopped = false
        parent.scheduleTask(this.runNext, 0)
      },
      flush: () => {
        const { ready } = this.queue
        while (lane.ready > 0) this.queue.take(ready.findIndex((task) => task.lane === lane)).run()
        parent.flush()
      }
    }
  }

  /** Runs any ready task; there is none where a `flush` was faster. */
  private readonly runNext = (): void => {
    const { ready } = this.queue
    if (ready.length > 0) this.queue.take(this.strategy.pick(ready)).run()
  }
}
