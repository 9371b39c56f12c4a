/**
 * A set whose members are thrown out after one time for all, with one fiber and one timer for all of them.
 *
 * Members expire in the order in which they came, because all have the same time: so only the first needs watching. The
 * fiber runs while there are members and ends when it finds none; it is not woken when a member leaves early.
 *
 * **Gotchas**: where the time is 0, `add` expires the member before it returns.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import { monotonicMillis } from "./time.ts"

export class Expiry<A> {
  /** Each member, in the order of coming, with when that was. */
  private readonly members = new Map<A, number>()
  private millis: number
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private readonly onExpire: (member: A) => void
  private fiber: Fiber.Fiber<void> | undefined = undefined

  /** `onExpire` must not throw. */
  constructor(options: {
    readonly millis: number
    readonly clock: Clock.Clock
    readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    readonly onExpire: (member: A) => void
  }) {
    this.millis = options.millis
    this.clock = options.clock
    this.fork = options.fork
    this.onExpire = options.onExpire
  }

  get size(): number {
    return this.members.size
  }

  [Symbol.iterator](): IterableIterator<A> {
    return this.members.keys()
  }

  add(member: A): void {
    this.put(member)
    this.watch()
  }

  /** Takes a member in, whose time is not watched before `watch` is called. */
  put(member: A): void {
    this.members.set(member, monotonicMillis(this.clock))
  }

  /** Watches the time of all members. */
  watch(): void {
    if (this.fiber !== undefined || this.millis === Number.POSITIVE_INFINITY || this.members.size === 0) return
    const fiber = this.fork(this.expire)
    // With a time of 0 it is done already.
    if (fiber.pollUnsafe() === undefined) this.fiber = fiber
  }

  /** Gives all members, those that are in included, another time; `Infinity` is none. */
  retime(millis: number): void {
    if (millis === this.millis) return
    this.millis = millis
    this.fiber?.interruptUnsafe()
    this.fiber = undefined
    this.watch()
  }

  /** Takes a member out; says whether it was in. */
  delete(member: A): boolean {
    return this.members.delete(member)
  }

  /** Stops watching and forgets all members; nobody expires any more. */
  stop(): void {
    this.members.clear()
    this.fiber?.interruptUnsafe()
    this.fiber = undefined
  }

  private readonly expire: Effect.Effect<void> = Effect.suspend(() => {
    const now = monotonicMillis(this.clock)
    for (const [member, since] of this.members) {
      const left = since + this.millis - now
      if (left > 0) return Effect.flatMap(Effect.sleep(Math.ceil(left)), () => this.expire)
      this.members.delete(member)
      this.onExpire(member)
    }
    this.fiber = undefined
    return Effect.void
  })
}
