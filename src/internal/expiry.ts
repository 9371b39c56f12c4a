/**
 * A set whose members are thrown out after a fixed time, with one fiber and one timer for all of them.
 *
 * Members expire in the order in which they came, because all have the same time: so only the first needs watching. The
 * fiber runs while there are members and ends when there are none.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"

export class Expiry<A> {
  private readonly members = new Map<A, number>()
  private readonly millis: number
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private readonly onExpire: (member: A) => void
  private fiber: Fiber.Fiber<void> | undefined = undefined

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
    this.members.set(member, this.clock.currentTimeMillisUnsafe() + this.millis)
    this.fiber ??= this.fork(this.watch)
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

  /** Stops watching; nobody expires any more. */
  stop(): void {
    this.fiber?.interruptUnsafe()
    this.fiber = undefined
  }

  private readonly watch: Effect.Effect<void> = Effect.suspend(() => {
    const now = this.clock.currentTimeMillisUnsafe()
    for (const [member, deadline] of this.members) {
      if (deadline > now) return Effect.flatMap(Effect.sleep(deadline - now), () => this.watch)
      this.members.delete(member)
      this.onExpire(member)
    }
    this.fiber = undefined
    return Effect.void
  })
}
