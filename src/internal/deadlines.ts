/**
 * The one timer of a server: it looks at the connection that may be due first, and ends those that are late.
 *
 * ```
 * opened --> [ heap of watches, by when each is looked at ] --due--> late? --no--> back, by what its numbers say now
 *               ^-- advance: something began that is due earlier        `--yes--> ended, lingers, destroyed
 * ```
 *
 * A watch in the heap is a lower bound: nothing of it is due before. So a byte that arrives moves nothing here.
 *
 * Invariants: a connection is in the heap from `opened` to `ended`. The fiber sleeps until the first of the heap or less;
 * it ends when it finds the heap empty. `budget.bytes` is what the open connections hold.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as CloseReason from "../CloseReason.ts"
import type { DeadlineSettings } from "./deadlineOptions.ts"
import { add, first, remove, sink, swim } from "./dueHeap.ts"
import { type Late, late, lookMillis } from "./late.ts"
import { monotonicMillis } from "./time.ts"
import { type Budget, type Root, Watch, type Watcher } from "./watch.ts"

/** The longest sleep: timers of JavaScript go wrong beyond 24 days. */
const longestMillis = 86_400_000

/** A connection that a server opened. */
export interface Timed extends Root {
  readonly watch: Watch | undefined
  readonly observe: (watch: Watch) => void
}

export class Deadlines implements Watcher {
  readonly budget: Budget
  frameMillis = 0
  requestMillis = 0
  lookMillis = 0
  private settings: DeadlineSettings
  private readonly lingerMillis: number
  private readonly clock: Clock.Clock
  private readonly startedAt: number
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private readonly random: () => number
  private readonly heap: Array<Watch> = []
  private fiber: Fiber.Fiber<void> | undefined = undefined
  /** When the fiber wakes. */
  private wakesAt = Number.POSITIVE_INFINITY
  private isLooking = false
  private isStopped = false
  private starting: Array<Watch> = []

  private readonly onBuffered: (bytes: number, maxBytes: number) => void

  /**
   * `random` gives numbers from 0 to 1; `lingerMillis` is for those that have ended; `onBuffered` is told when more
   * is held than before.
   */
  constructor(options: {
    readonly settings: DeadlineSettings
    readonly maxBufferedBytes: number
    readonly lingerMillis: number
    readonly clock: Clock.Clock
    readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    readonly random: () => number
    readonly onBuffered: (bytes: number, maxBytes: number) => void
  }) {
    this.settings = options.settings
    this.lingerMillis = options.lingerMillis
    this.clock = options.clock
    this.startedAt = monotonicMillis(options.clock)
    this.fork = options.fork
    this.random = options.random
    this.onBuffered = options.onBuffered
    this.budget = { bytes: 0, maxBytes: options.maxBufferedBytes }
    this.set(options.settings)
  }

  /** Since the start of the server, so that the numbers stay small: those below 2³¹ cost no object. */
  readonly now = (): number => this.sinceStart(monotonicMillis(this.clock))

  private sinceStart(millis: number): number {
    return Math.trunc(millis - this.startedAt)
  }

  /** What all connections hold. */
  get bufferedBytes(): number {
    return this.budget.bytes
  }

  /** Watches a connection, before anything is delivered to it; `now` is the time of the clock that is never set back. */
  opened(machine: Timed, now: number): void {
    const watch = new Watch(machine, this, this.sinceStart(now), this.random())
    machine.observe(watch)
    watch.due = late(watch, this.settings, watch.openedAt).at
    add(this.heap, watch)
    this.arm()
  }

  /** The connection has ended by itself; its socket is destroyed when the peer does not end, too. */
  linger(machine: Timed): void {
    const { watch } = machine
    if (watch === undefined || watch.lingerUntil >= 0) return
    watch.lingerUntil = this.now() + this.lingerMillis
    if (watch.lingerUntil < watch.due) this.advance(watch, watch.lingerUntil)
  }

  /** The connection is gone. */
  ended(machine: Timed): void {
    const { watch } = machine
    if (watch === undefined || watch.index < 0) return
    remove(this.heap, watch)
    watch.release()
  }

  /** Other deadlines, for those that are open, too. */
  update(settings: DeadlineSettings, maxBufferedBytes: number): void {
    this.budget.maxBytes = maxBufferedBytes
    this.set(settings)
    const now = this.now()
    for (const watch of this.heap) {
      // One that nobody noted while there was no deadline for it.
      if (watch.isHandling && watch.requestAt < 0) watch.requestAt = now
      // All alike, which is a heap in any order.
      watch.due = Number.NEGATIVE_INFINITY
    }
    this.arm()
  }

  /** Ends nobody any more. */
  stop(): void {
    this.isStopped = true
    this.fiber?.interruptUnsafe()
    this.fiber = undefined
  }

  private set(settings: DeadlineSettings): void {
    this.settings = settings
    const { frameMillis, minBytesPerSecond, rateGraceMillis } = settings
    this.frameMillis = minBytesPerSecond > 0 ? Math.min(frameMillis, rateGraceMillis) : frameMillis
    this.requestMillis = settings.requestMillis
    this.lookMillis = lookMillis(settings)
  }

  // --- looking ---------------------------------------------------------------------------------------------------

  advance(watch: Watch, due: number): void {
    if (watch.index < 0) return
    watch.due = due
    swim(this.heap, watch)
    this.arm()
  }

  noteSoon(watch: Watch): void {
    watch.isNoted = true
    this.starting.push(watch)
    if (this.starting.length === 1) queueMicrotask(this.noteAll)
  }

  private readonly noteAll = (): void => {
    const { starting } = this
    this.starting = []
    const now = this.now()
    for (const watch of starting) watch.noteRequest(now)
  }

  /** Sees to it that the fiber wakes in time. */
  private arm(): void {
    const next = first(this.heap)
    if (next === undefined || next.due >= this.wakesAt || this.isLooking || this.isStopped) return
    this.fiber?.interruptUnsafe()
    this.fiber = this.fork(this.sleep(next.due))
  }

  private sleep(due: number): Effect.Effect<void> {
    this.wakesAt = due
    const millis = Math.min(Math.max(due - this.now(), 0), longestMillis)
    return Effect.flatMap(Effect.sleep(millis), () => this.awake)
  }

  private readonly awake: Effect.Effect<void> = Effect.suspend(() => {
    this.look()
    const next = first(this.heap)
    if (next !== undefined && next.due < Number.POSITIVE_INFINITY) return this.sleep(next.due)
    this.wakesAt = Number.POSITIVE_INFINITY
    this.fiber = undefined
    return Effect.void
  })

  /** Looks at everybody who may be due. */
  private look(): void {
    if (this.isLooking) return
    this.isLooking = true
    const now = this.now()
    for (let watch = first(this.heap); watch !== undefined && watch.due <= now; watch = first(this.heap)) {
      if (watch.stalledAt >= 0) {
        watch.look(now, watch.subject.bytesUnsent)
        watch.weigh()
      }
      let { at, what } = late(watch, this.settings, now)
      while (at <= now && what !== "nothing") {
        this.act(watch, what, now)
        ;({ at, what } = late(watch, this.settings, now))
      }
      if (watch.index < 0) continue
      watch.due = at
      sink(this.heap, watch)
    }
    this.isLooking = false
  }

  // --- ending ----------------------------------------------------------------------------------------------------

  private act(watch: Watch, what: Late, now: number): void {
    const { settings } = this
    switch (what) {
      case "linger":
        watch.lingerUntil = Number.POSITIVE_INFINITY
        return watch.root.abort({ _tag: "WriteStalled", limitMillis: this.lingerMillis })
      case "lifetime":
        watch.agedAt = now
        return watch.root.drain({ _tag: "LifetimeReached", limitMillis: settings.lifetimeMillis })
      case "grace":
        this.end(watch, { _tag: "LifetimeReached", limitMillis: settings.lifetimeMillis }, now)
        return watch.root.fiber?.interruptUnsafe()
      case "request":
        this.end(watch, { _tag: "RequestTimeout", limitMillis: settings.requestMillis }, now)
        return watch.root.fiber?.interruptUnsafe()
      case "firstFrame": {
        const { firstFrameMillis: limitMillis } = settings
        const tag = watch.subject.bytesIn === 0 ? "IdleTimeout" : "FrameTimeout"
        return this.end(watch, { _tag: tag, limitMillis }, now)
      }
      case "idle":
        return this.end(watch, { _tag: "IdleTimeout", limitMillis: settings.idleMillis }, now)
      case "frame":
        return this.end(watch, { _tag: "FrameTimeout", limitMillis: settings.frameMillis }, now)
      case "rate": {
        const bytes = watch.subject.bytesIn - watch.frameFrom
        const bytesPerSecond = Math.floor(bytes * 1000 / (now - watch.frameAt) * 10) / 10
        return this.end(
          watch,
          { _tag: "TooSlow", bytesPerSecond, minimumBytesPerSecond: settings.minBytesPerSecond },
          now
        )
      }
      case "write":
        return this.cut(watch, { _tag: "WriteStalled", limitMillis: settings.writeMillis })
      case "look":
      case "nothing":
    }
  }

  /** What was written still leaves; the peer has some time to take it, and to end. */
  private end(watch: Watch, reason: CloseReason.CloseReason, now: number): void {
    // Whoever took over the socket is not known to those who would wait for its end.
    if (watch.subject !== watch.root) return this.cut(watch, reason)
    watch.lingerUntil = now + this.lingerMillis
    // Where the socket broke while a handler went on, that is why.
    watch.root.shutdown(watch.root.lost ?? reason)
  }

  private cut(watch: Watch, reason: CloseReason.CloseReason): void {
    watch.lingerUntil = Number.POSITIVE_INFINITY
    watch.root.overdue = reason
    watch.subject.abort(reason)
  }

  /** The one that asks goes, and what it holds goes with it: nobody else has to pay for it. */
  grown(watch: Watch): void {
    const { bytes, maxBytes } = this.budget
    this.onBuffered(bytes, maxBytes)
    if (bytes <= maxBytes || watch.subject.reason !== undefined) return
    this.cut(watch, { _tag: "OverLimit", limit: "maxBufferedBytes", max: this.budget.maxBytes })
    watch.release()
  }
}
