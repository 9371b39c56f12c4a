/**
 * The time of one run of a server fuzzer: it stands still until somebody jumps to the next sleeper that is due.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { TimerHeap } from "./TimerHeap.ts"

/** A clock that only moves when it is told to. @category models @since 0.1.0 */
export class FuzzClock implements Clock.Clock {
  private millis = 0
  private readonly sleepers = new TimerHeap()

  /** How many sleep. */
  get timers(): number {
    return this.sleepers.size
  }

  /** When the next one wakes; `Infinity` where nobody will. */
  get next(): number {
    return this.sleepers.first?.time ?? Number.POSITIVE_INFINITY
  }

  /** Jumps to the moment of the next sleeper, and wakes it. */
  jump(): void {
    const { first } = this.sleepers
    if (first === undefined) return
    this.sleepers.remove(first)
    this.millis = first.time
    first.run()
  }

  currentTimeMillisUnsafe(): number {
    return this.millis
  }
  currentTimeNanosUnsafe(): bigint {
    return BigInt(Math.floor(this.millis * 1_000_000))
  }
  monotonicTimeNanosUnsafe(): bigint {
    return this.currentTimeNanosUnsafe()
  }
  readonly currentTimeMillis: Effect.Effect<number> = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos: Effect.Effect<bigint> = Effect.sync(() => this.currentTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (!(millis > 0)) return Effect.yieldNow
    return Effect.callback((resume) => {
      const sleeper = this.sleepers.add(this.millis + millis, () => resume(Exit.void))
      return Effect.sync(() => this.sleepers.remove(sleeper))
    })
  }
}
