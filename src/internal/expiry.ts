/**
 * A set whose members are thrown out after a fixed time, with one fiber and one timer for all of them.
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
  /** Each member, in the order of coming, with its deadline. */
  private readonly members = new Map<A, number>()
  private readonly millis: number
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
    this.members.set(member, monotonicMillis(this.clock) + this.millis)
    if (this.fiber !== undefined) return
    const fiber = this.fork(this.watch)
    // With a time of 0 it is done already.
    if (fiber.pollUnsafe() === undefined) this.fiber = fiber
  }

  /** Takes a member out; says whether it was in. */
  delete(member: A): boolean {
    return this.members.delete(member)
  }

  /** The member that came first, taken out. */
  shift(): A | undefined {
    for (const member of this.members.keys()) {
      this.members.delete(member)
      return member
    }
    return undefined
  }

  /** Stops watching and forgets all members; nobody expires any more. */
  stop(): void {
    this.members.clear()
    this.fiber?.interruptUnsafe()
    this.fiber = undefined
  }

  private readonly watch: Effect.Effect<void> = Effect.suspend(() => {
    const now = monotonicMillis(this.clock)
    for (const [member, deadline] of this.members) {
      if (deadline > now) return Effect.flatMap(Effect.sleep(Math.ceil(deadline - now)), () => this.watch)
      this.members.delete(member)
      this.onExpire(member)
    }
    this.fiber = undefined
    return Effect.void
  })
}
