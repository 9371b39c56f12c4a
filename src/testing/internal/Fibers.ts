/**
 * The fibers of a run under virtual time: which there are, since when each one waits, and until when it sleeps.
 *
 * Ended fibers are forgotten now and then, so that a long run holds no more than twice as many as live.
 *
 * @since 0.1.0
 */
import type * as Fiber from "effect/Fiber"
import { formatMillis, type LivingFiber, nameOf } from "./Stuck.ts"

type AnyFiber = Fiber.Fiber<unknown, unknown>

/** So few are never looked through. */
const fewFibers = 1024

/** The fibers of one run. @category models @since 0.1.0 */
export class Fibers {
  /** When each sleeping fiber wakes. */
  readonly sleeping = new Map<AnyFiber, number>()
  private readonly seen = new Map<AnyFiber, { readonly id: number; since: number }>()
  private lastId = 0
  private sweepAt = fewFibers

  /** A fiber begins to run, or goes on. */
  ran(fiber: AnyFiber, millis: number): void {
    const known = this.seen.get(fiber)
    if (known !== undefined) {
      known.since = millis
      return
    }
    this.seen.set(fiber, { id: ++this.lastId, since: millis })
    if (this.seen.size < this.sweepAt) return
    for (const other of this.seen.keys()) {
      if (other.pollUnsafe() !== undefined) this.seen.delete(other)
    }
    this.sweepAt = Math.max(fewFibers, 2 * this.seen.size)
  }

  /** Those that have not ended. */
  living(): ReadonlyArray<LivingFiber & { readonly fiber: AnyFiber }> {
    return Array.from(this.seen)
      .filter(([fiber]) => fiber.pollUnsafe() === undefined)
      .map(([fiber, { id, since }]) => {
        const wakes = this.sleeping.get(fiber)
        const waitsFor = wakes === undefined
          ? `waits since ${formatMillis(since)}`
          : `sleeps until ${formatMillis(wakes)}`
        return { fiber, id, name: nameOf(fiber), waitsFor }
      })
  }
}
