/**
 * What runs a program under virtual time: its scheduler, its timers, and the loop that knows when nothing is left to do.
 *
 * ```
 * +-> events that are due --> runnable tasks --> two turns of the event loop --> anything new? -- yes --+
 * |                                                                                  | no              |
 * |                                                     the moment is over: check    v                 |
 * +---- the clock jumps to the next event  <-------------------------------------  next event?         |
 * +----------------------------------------------------------------------------------------------------+
 * ```
 *
 * Between two steps all microtasks that the first one has made run, as between two callbacks of Node. A moment is over
 * when two turns of the event loop in a row (`setImmediate`) brought nothing: microtasks are done after one, however
 * many follow each other, and the second lets code through that waits for `setImmediate` itself, as Effect's own
 * scheduler does. Only counts decide, never real time: so the order of steps does not depend on how long they take.
 *
 * @since 0.1.0
 */
import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import type { Timers } from "../Timers.ts"
import { Fibers } from "./Fibers.ts"
import { makeLane, RunQueue } from "./RunQueue.ts"
import { Stuck, type StuckReason } from "./Stuck.ts"
import { tell } from "./Tell.ts"
import { TimerHeap } from "./TimerHeap.ts"

/** A test that fakes timers must not stop the driver. */
const { setImmediate, setTimeout } = globalThis

/** What a moment may bring in turns of the event loop without a step: see above. */
const idleTurns = 2

/** Before a run is called stuck, code outside of it gets more turns, such as a promise of the file system. */
const idleTurnsBeforeStuck = 64

/** Microtasks never let the event loop go on; so often it goes on all the same. */
const stepsPerTurn = 1024

/** What interrupted fibers may take of virtual time to end, after a run has failed. */
const unwindMillis = 3_600_000

/** What a run may take. @category options @since 0.1.0 */
export interface Limits {
  readonly maxSteps: number
  readonly maxEvents: number
  readonly maxMillis: number
}

/** Who is told by a driver. @category models @since 0.1.0 */
export interface Hooks {
  /** Called at the end of each moment; an answer ends the run with it. */
  readonly check: () => { readonly error: unknown } | undefined
  /** What else is waited for, for the message of `Stuck`. */
  readonly describe: () => ReadonlyArray<string>
  /** The run goes no further: whoever runs must now end. Called again where that, too, goes no further. */
  readonly onFail: (failure: Failure) => void
}

/** Why a driver gives up. @category models @since 0.1.0 */
export type Failure =
  | { readonly _tag: "Fail"; readonly error: unknown }
  | { readonly _tag: "Die"; readonly defect: unknown }

/** The scheduler, the timers and the loop of one run. @category models @since 0.1.0 */
export class Driver implements Scheduler.Scheduler, Timers {
  readonly executionMode = "async"
  /** Events and tasks so far. */
  steps = 0
  /** Operations of fibers so far. */
  operations = 0
  /** How many uses of the real clock are open: virtual time waits for them. */
  live = 0
  /** The fibers that have run a step here. */
  readonly fibers = new Fibers()
  /** What else may be waited for, for the message of `Stuck`. */
  readonly descriptions = new Set<() => ReadonlyArray<string>>()
  private readonly queue = new RunQueue()
  private readonly heap = new TimerHeap()
  private readonly limits: Limits
  private readonly hooks: Hooks
  private time = 0
  private events = 0
  private maxMillis: number
  /** Steps of this moment. */
  private momentSteps = 0
  private idle = 0
  /** Counts whatever shows that the program has moved. */
  private moves = 0
  private movesSeen = 0
  /** Who waits for the end of a moment: of those whose time has come, the first one asked. */
  private waiting: Array<{ readonly until: number; readonly run: () => void }> = []
  /** Who waits for a time that is no reason to go on. */
  private deadline: { readonly until: number; readonly run: () => void } | undefined
  private failing = false
  private ended = false

  constructor(limits: Limits, hooks: Hooks) {
    this.limits = limits
    this.hooks = hooks
    this.maxMillis = limits.maxMillis
  }

  // --- timers ----------------------------------------------------------------------------------------------------

  readonly now = (): number => this.time

  readonly at = (millis: number, run: () => void): () => void => {
    this.moves++
    // Clocks count nanoseconds: a time between two of them would be told as one and happen at the other.
    const timer = this.heap.add(Math.max(Math.round(millis * 1e6) / 1e6, this.time), run)
    return () => {
      this.heap.remove(timer)
    }
  }

  /** How many events are scheduled. */
  get pending(): number {
    return this.heap.size
  }

  /** Calls back when everything until this time, and whatever that led to, has happened. */
  after(until: number, run: () => void): () => void {
    const entry = { until, run }
    this.waiting.push(entry)
    const cancel = this.at(until, () => {})
    return () => {
      cancel()
      this.waiting = this.waiting.filter((other) => other !== entry)
    }
  }

  /**
   * Calls back at this time, or before the first event after it. It is no event: where it is all that is left, the run
   * is stuck. There can be one at a time.
   */
  until(millis: number, run: () => void): () => void {
    const entry = { until: millis, run }
    this.deadline = entry
    return () => {
      if (this.deadline === entry) this.deadline = undefined
    }
  }

  // --- scheduler -------------------------------------------------------------------------------------------------

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    this.moves++
    this.operations++
    if (fiber.currentOpCount === 1) this.fibers.ran(fiber, this.time)
    return fiber.currentOpCount >= fiber.cache.maxOpsBeforeYield
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    const lane = makeLane()
    return {
      scheduleTask: (run, priority) => {
        this.moves++
        this.queue.add({ run, priority, lane, rank: 0 })
      },
      flush: () => {
        const { ready } = this.queue
        while (lane.ready > 0) this.queue.take(ready.findIndex((task) => task.lane === lane)).run()
      }
    }
  }

  // --- the loop --------------------------------------------------------------------------------------------------

  start(run: () => void): void {
    this.queue.add({ run, priority: 0, lane: makeLane(), rank: 0 })
    queueMicrotask(this.step)
  }

  stop(): void {
    this.ended = true
    this.heap.clear()
  }

  private readonly step = (): void => {
    if (this.ended) return
    const first = this.heap.first
    const isDue = first !== undefined && first.time <= this.time
    if (!isDue && this.queue.ready.length === 0) {
      this.movesSeen = this.moves
      this.idle = 0
      setImmediate(this.turn)
      return
    }
    if (isDue) this.heap.remove(first)
    try {
      if (isDue) first.run()
      else this.queue.take(0).run()
    } catch (defect) {
      this.fail({ _tag: "Die", defect })
    }
    this.steps++
    if (isDue && ++this.events > this.limits.maxEvents) this.stuck("EventLimit", this.limits.maxEvents)
    this.count()
    if (this.steps % stepsPerTurn === 0) setImmediate(this.step)
    else queueMicrotask(this.step)
  }

  /** Counts a step of this moment. */
  private count(): void {
    if (++this.momentSteps > this.limits.maxSteps) this.stuck("Livelock", this.limits.maxSteps)
  }

  private readonly turn = (): void => {
    if (this.ended) return
    const first = this.heap.first
    if (this.queue.ready.length > 0 || (first !== undefined && first.time <= this.time)) return this.step()
    if (this.moves === this.movesSeen) this.idle++
    else this.idle = 0
    this.movesSeen = this.moves
    if (this.idle < idleTurns) setImmediate(this.turn)
    else this.endMoment()
  }

  private endMoment(): void {
    const moves = this.moves
    if (!this.failing) this.check()
    // Who checks may also have resumed somebody.
    if (this.moves !== moves) {
      this.count()
      return this.step()
    }
    const at = this.waiting.findIndex(({ until }) => until <= this.time)
    if (at !== -1) {
      this.waiting.splice(at, 1)[0]!.run()
      return this.step()
    }
    if (this.live > 0) {
      setTimeout(this.turn, 1)
      return
    }
    const first = this.heap.first
    if (first === undefined) {
      if (this.idle < idleTurnsBeforeStuck) {
        setImmediate(this.turn)
        return
      }
      this.stuck("Deadlock", undefined)
    } else if (this.deadline !== undefined && this.deadline.until <= first.time) {
      const { run, until } = this.deadline
      this.deadline = undefined
      this.time = Math.max(this.time, until)
      this.momentSteps = 0
      run()
    } else if (first.time > this.maxMillis) {
      this.stuck("TimeLimit", this.limits.maxMillis)
    } else {
      this.time = first.time
      this.momentSteps = 0
    }
    this.step()
  }

  private check(): void {
    try {
      const broken = this.hooks.check()
      if (broken !== undefined) this.fail({ _tag: "Fail", error: broken.error })
    } catch (defect) {
      this.fail({ _tag: "Die", defect })
    }
  }

  private describe(): ReadonlyArray<string> {
    try {
      return [this.hooks.describe, ...this.descriptions].flatMap((describe) => describe())
    } catch (defect) {
      return [`no description: it threw ${tell(defect)}`]
    }
  }

  private stuck(reason: StuckReason, limit: number | undefined): void {
    const fibers = this.fibers.living().map(({ id, name, waitsFor }) => ({ id, name, waitsFor }))
    const network = this.describe()
    this.fail({ _tag: "Fail", error: new Stuck({ reason, limit, atMillis: this.time, fibers, network }) })
  }

  private fail(failure: Failure): void {
    this.moves++
    this.failing = true
    this.momentSteps = 0
    this.events = 0
    this.maxMillis = this.time + unwindMillis
    this.hooks.onFail(failure)
  }
}
