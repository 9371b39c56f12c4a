/**
 * The ways in which a `SeededScheduler` decides: which runnable task is next, and where a running fiber has to yield.
 *
 * @since 0.1.0
 */
import type * as Fiber from "effect/Fiber"
import type * as Random from "../Random.ts"
import type { Task } from "./RunQueue.ts"

/**
 * Decides from random numbers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Strategy {
  /** The rank of a new task. `own` says that it is the rest of the fiber that has just been told to yield. */
  readonly rank: (own: boolean) => number
  /** The index of the next task; there is at least one. */
  readonly pick: (ready: ReadonlyArray<Task>) => number
  /** Called before each operation of each fiber. */
  readonly mustYield: (fiber: Fiber.Fiber<unknown, unknown>, ready: ReadonlyArray<Task>) => boolean
}

/** A fiber that was just resumed yields to whoever resumed it, with this probability. Arbitrary; not measured. */
const yieldsAtResume = 0.25

/**
 * Yields at places drawn from the seed: one in `1 / density` operations, and one in four where a fiber is resumed,
 * because Effect runs it at once, inside the fiber that resumed it, and never in the other order. A fiber that was just
 * picked does not yield at once: it would come to nothing, and more slowly the more it yields.
 */
const drawn = (random: Random.Random, density: number, choose: Strategy["pick"]): Strategy => {
  // The gap between two yields is drawn instead of each operation: one number per yield.
  const scale = 1 / Math.log(1 - density)
  const gap = (): number => Math.floor(Math.log(1 - random.real()) * scale)
  let left = gap()
  let picked = false
  return {
    rank: () => 0,
    pick: (ready) => {
      picked = true
      return choose(ready)
    },
    mustYield: (fiber) => {
      if (density === 0) return false
      if (picked) {
        picked = false
        return false
      }
      if (fiber.currentOpCount === 1 && random.chance(yieldsAtResume)) return true
      if (left-- > 0) return false
      left = gap()
      return true
    }
  }
}

/** Any ready task, each as likely as the others. @category constructors @since 0.1.0 */
export const random = (numbers: Random.Random, density: number): Strategy =>
  drawn(numbers, density, (ready) => ready.length === 1 ? 0 : numbers.int(0, ready.length - 1))

/** The task that has waited longest. @category constructors @since 0.1.0 */
export const roundRobin = (numbers: Random.Random, density: number): Strategy => drawn(numbers, density, () => 0)

/**
 * Probabilistic concurrency testing: each fiber has a random priority, the highest runs, and at `depth - 1` random
 * operations out of `steps` the running fiber falls below all others. A bug that needs `depth` orderings among `n`
 * fibers is found by one run with a probability of at least `1 / (n * steps^(depth - 1))`.
 *
 * Here, after `steps` operations the next round begins, with new priorities and new change points, so that long programs
 * are explored all along and nobody starves. A fiber that yields by itself, as one that waits in a loop does, draws a new
 * priority, for the same reason.
 *
 * Source: S. Burckhardt, P. Kothari, M. Musuvathi, S. Nagarakatte, "A randomized scheduler with probabilistic guarantees
 * of finding bugs", ASPLOS 2010.
 *
 * @category constructors
 * @since 0.1.0
 */
export const pct = (numbers: Random.Random, depth: number, steps: number): Strategy => {
  let ranks = new WeakMap<object, number>()
  let changes = new Set<number>()
  let step = 0
  /** What a fiber that falls gets: below everything drawn, and below whoever fell before. */
  let fallen = 0
  /** The rank of the task that runs, which a fiber that it starts takes over. */
  let running: number | undefined
  /** The fibers inside each other: Effect runs a fiber that was resumed inside the one that resumed it. */
  const inside: Array<object> = []
  /** The rank of the fiber that was told to yield. */
  let yielding = 0
  /** The highest rank among the ready tasks, if known. */
  let best: number | undefined

  const beginRound = (ready: ReadonlyArray<Task>): void => {
    ranks = new WeakMap()
    changes = new Set(Array.from({ length: depth - 1 }, () => numbers.int(1, steps)))
    step = 0
    fallen = 0
    running = undefined
    for (const task of ready) task.rank = numbers.real()
    best = undefined
  }
  beginRound([])

  const highest = (ready: ReadonlyArray<Task>): number => {
    let at = 0
    for (let index = 1; index < ready.length; index++) {
      if (ready[index]!.rank > ready[at]!.rank) at = index
    }
    return at
  }

  return {
    rank: (own) => {
      best = undefined
      return own ? yielding : numbers.real()
    },
    pick: (ready) => {
      inside.length = 0
      const at = highest(ready)
      running = ready[at]!.rank
      best = undefined
      return at
    },
    mustYield: (fiber, ready) => {
      if (++step > steps) beginRound(ready)
      let rank = ranks.get(fiber) ?? running ?? numbers.real()
      running = undefined
      if (changes.has(step)) rank = --fallen
      ranks.set(fiber, rank)
      best ??= ready.length === 0 ? Number.NEGATIVE_INFINITY : ready[highest(ready)]!.rank
      yielding = rank
      const at = inside.indexOf(fiber)
      if (at === -1) inside.push(fiber)
      else inside.length = at + 1
      return best > rank || inside.some((other) => (ranks.get(other) ?? 0) > rank)
    }
  }
}
