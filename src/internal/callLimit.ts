/**
 * The time limit of calls that lie in order of their coming anyway: one fiber and one timer for all, and nothing to be
 * done when a call is answered in time.
 *
 * It is `Expiry` for those who keep the order themselves: to enter each call in its `Map` costs 4 % in calls-1x64, and 8 %
 * with 64 connections of 1 call each. The fiber runs while calls are outstanding and ends when it finds none; it is not
 * woken when a call is settled.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { monotonicMillis } from "./time.ts"

/** When something happened; shared by all to which it happened at once. `Infinity` while it goes on. */
export interface Moment {
  at: number
}

export class CallLimit<A extends { readonly since: Moment }> {
  private readonly millis: number
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private readonly outstanding: () => Iterable<A>
  private readonly onExpire: (member: A) => void
  private watching = false
  private fiber: Fiber.Fiber<void> | undefined = undefined

  /** `outstanding` gives those that wait, in the order of their coming; `onExpire` must not throw. */
  constructor(options: {
    readonly millis: number
    readonly clock: Clock.Clock
    readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    readonly outstanding: () => Iterable<A>
    readonly onExpire: (member: A) => void
  }) {
    this.millis = options.millis
    this.clock = options.clock
    this.fork = options.fork
    this.outstanding = options.outstanding
    this.onExpire = options.onExpire
  }

  /** The end of a moment is when it was: too late by less than a turn, where its beginning might be too early. */
  end(moment: Moment): Moment {
    moment.at = monotonicMillis(this.clock)
    return moment
  }

  /** Watches the time of those that are outstanding. */
  watch(): void {
    if (this.watching) return
    this.watching = true
    this.fiber = this.fork(this.expire)
  }

  /** Nobody is watched any more. */
  stop(): void {
    this.fiber?.interruptUnsafe()
  }

  private readonly expire: Effect.Effect<void> = Effect.suspend(() => {
    const now = monotonicMillis(this.clock)
    while (true) {
      const late: Array<A> = []
      let left = 0
      for (const member of this.outstanding()) {
        // Of a moment that goes on nothing is over yet.
        left = Math.min(member.since.at - now, 0) + this.millis
        if (left > 0) break
        late.push(member)
      }
      if (left > 0 && late.length === 0) return Effect.flatMap(Effect.sleep(Math.ceil(left)), () => this.expire)
      if (late.length === 0) break
      // Whom this wakes may call again: so it is looked again.
      for (const member of late) this.onExpire(member)
    }
    this.watching = false
    return Effect.void
  })
}
