import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Exit, Fiber, Latch, Queue, Scheduler, Semaphore } from "effect"
import { TestClock } from "effect/testing"
import { SeededScheduler, VirtualTime } from "../../src/testing/index.ts"

type Options = Omit<SeededScheduler.Options, "seed">

const strategies: Array<[string, Options]> = [
  ["random", { strategy: "random" }],
  ["round-robin", { strategy: "round-robin" }],
  ["pct", { strategy: "pct" }]
]

/** Two deposits; between reading and writing, the other one may come. */
const lostUpdate = Effect.gen(function*() {
  let balance = 0
  const deposit = Effect.flatMap(Effect.sync(() => balance), (before) => Effect.sync(() => void (balance = before + 1)))
  yield* Effect.all([deposit, deposit], { concurrency: 2 })
  return balance === 2
})

/** Looks before it waits; in between, the only signal may come. */
const lostWakeUp = Effect.gen(function*() {
  let ready = false
  let wake = () => {}
  const consumer = Effect.flatMap(
    Effect.sync(() => ready),
    (isReady) =>
      isReady ? Effect.void : Effect.callback<void>((resume) => {
        wake = () => resume(Effect.void)
      })
  )
  const producer = Effect.andThen(Effect.sync(() => void (ready = true)), Effect.sync(() => wake()))
  const waiting = yield* Effect.forkChild(consumer)
  yield* Fiber.await(yield* Effect.forkChild(producer))
  yield* Effect.sleep("1 second")
  return waiting.pollUnsafe() !== undefined
})

const races: Array<[string, Effect.Effect<boolean>]> = [["a lost update", lostUpdate], ["a lost wake-up", lostWakeUp]]

/** The first of these seeds that breaks the program. */
const firstBroken = Effect.fnUntraced(function*(program: Effect.Effect<boolean>, options: Options, seeds: number) {
  for (let seed = 1; seed <= seeds; seed++) {
    if (!(yield* VirtualTime.run(program, { scheduler: { ...options, seed } }))) return seed
  }
  return undefined
})

/** Which of some fibers did each step. */
const interleaving = (fibers = 4, steps = 10) =>
  Effect.gen(function*() {
    const order: Array<number> = []
    yield* Effect.forEach(
      Array.from({ length: fibers }, (_, id) => id),
      (id) => Effect.repeat(Effect.sync(() => void order.push(id)), { times: steps - 1 }),
      { concurrency: "unbounded", discard: true }
    )
    return order.join("")
  })

describe("SeededScheduler", () => {
  describe.each(races)("%s", (_, program) => {
    it.effect("is never shown by the default order, in 200 runs", () =>
      Effect.gen(function*() {
        for (let run = 0; run < 200; run++) assert.isTrue(yield* VirtualTime.run(program))
      }))

    it.effect.each(strategies)(
      "is found by %s within 200 seeds, and replayed",
      ([, options]) =>
        Effect.gen(function*() {
          const seed = yield* firstBroken(program, options, 200)
          assert.isDefined(seed)
          for (let run = 0; run < 3; run++) {
            assert.isFalse(yield* VirtualTime.run(program, { scheduler: { ...options, seed: seed! } }))
          }
        })
    )
  })

  it.effect.each(strategies)(
    "%s: the same seed gives the same order, others give others",
    ([, options]) =>
      Effect.gen(function*() {
        const of = (seed: number) => Effect.provide(interleaving(), SeededScheduler.layer({ ...options, seed }))
        const first = yield* of(1)
        for (let run = 0; run < 5; run++) assert.strictEqual(yield* of(1), first)
        const orders = new Set<string>()
        for (let seed = 1; seed <= 20; seed++) orders.add(yield* of(seed))
        assert.isAbove(orders.size, 10)
      })
  )

  it.effect.each<[string, Options]>([
    ["random", { strategy: "random", yields: 1e-9 }],
    ["round-robin", { strategy: "round-robin", yields: 1e-9 }],
    ["pct", { strategy: "pct" }]
  ])(
    "%s: a fiber that is resumed runs before, or after, the one that resumed it goes on",
    ([, options]) =>
      Effect.gen(function*() {
        const program = Effect.gen(function*() {
          const order: Array<string> = []
          const deferred = yield* Deferred.make<void>()
          const note = (who: string) => Effect.sync(() => void order.push(who))
          const waiting = yield* Effect.forkChild(Effect.andThen(Deferred.await(deferred), note("resumed")))
          yield* Effect.sleep(1)
          yield* Deferred.succeed(deferred, undefined)
          yield* note("resumer")
          yield* Fiber.join(waiting)
          return order.join(", ")
        })
        const orders = new Set<string>()
        for (let seed = 1; seed <= 50; seed++) {
          orders.add(yield* VirtualTime.run(program, { scheduler: { ...options, seed } }))
        }
        assert.sameMembers(Array.from(orders), ["resumed, resumer", "resumer, resumed"])
        assert.strictEqual(yield* VirtualTime.run(program), "resumed, resumer")
      })
  )

  it.effect("finds the race in an ordinary test", () =>
    Effect.gen(function*() {
      const broken: Array<number> = []
      for (let seed = 1; seed <= 100; seed++) {
        if (!(yield* Effect.provide(lostUpdate, SeededScheduler.layer({ seed })))) broken.push(seed)
      }
      assert.isNotEmpty(broken)
    }))

  it.effect("sleepers wake in the order of their times under TestClock", () =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 20; seed++) {
        // With yields, a fiber could begin to sleep when the time has been moved already.
        yield* Effect.gen(function*() {
          const woken: Array<number> = []
          yield* Effect.forEach([3, 1, 2], (millis) =>
            Effect.forkChild(
              Effect.andThen(
                Effect.sleep(millis),
                Effect.sync(() => woken.push(millis))
              ),
              {
                startImmediately: true
              }
            ))
          while (woken.length < 3) yield* TestClock.adjust(1)
          assert.deepStrictEqual(woken, [1, 2, 3])
        }).pipe(Effect.provide(SeededScheduler.layer({ seed, yields: 0 })))
      }
    }))

  it.effect("fibers get on at the most yields there can be", () =>
    Effect.gen(function*() {
      const order = yield* VirtualTime.run(interleaving(4, 50), {
        scheduler: { seed: 1, yields: 0.5 }
      })
      assert.strictEqual(order.length, 200)
    }))

  it.effect.each(strategies)("%s: what synchronizes fibers still does", ([, options]) =>
    Effect.gen(function*() {
      for (let seed = 1; seed <= 50; seed++) {
        const program = Effect.gen(function*() {
          const semaphore = yield* Semaphore.make(2)
          const queue = yield* Queue.bounded<number>(1)
          const gate = yield* Latch.make()
          const done = yield* Deferred.make<number>()
          let inside = 0
          let most = 0
          const worker = (id: number) =>
            gate.await.pipe(Effect.andThen(
              semaphore.withPermits(1)(Effect.gen(function*() {
                most = Math.max(most, ++inside)
                yield* Effect.yieldNow
                yield* Queue.offer(queue, id)
                inside--
              }))
            ))
          const taker = Effect.gen(function*() {
            let sum = 0
            for (let left = 5; left > 0; left--) sum += yield* Queue.take(queue)
            yield* Deferred.succeed(done, sum)
          })
          yield* Effect.forEach([1, 2, 3, 4, 5], (id) => Effect.forkChild(worker(id)))
          yield* Effect.forkChild(taker)
          yield* gate.open
          return [yield* Deferred.await(done), most <= 2]
        })
        assert.deepStrictEqual(yield* VirtualTime.run(program, { scheduler: { ...options, seed } }), [15, true])
      }
    }))

  it.effect.each(strategies)(
    "%s: who yields in a loop until something happens does not starve the others",
    ([, options]) =>
      Effect.gen(function*() {
        for (let seed = 1; seed <= 20; seed++) {
          const program = Effect.gen(function*() {
            const other = yield* Effect.forkChild(Effect.yieldNow)
            while (other.pollUnsafe() === undefined) yield* Effect.yieldNow
          })
          yield* VirtualTime.run(program, { scheduler: { ...options, seed } })
        }
      })
  )

  it.effect.each(strategies)(
    "%s: of one dispatcher's tasks, those with lower numbers run first",
    ([, options]) =>
      Effect.gen(function*() {
        for (let seed = 1; seed <= 20; seed++) {
          const ran: Array<number> = []
          yield* Effect.gen(function*() {
            const dispatcher = (yield* Scheduler.Scheduler).makeDispatcher()
            for (const priority of [5, 0, 9, 0, -1, 5]) dispatcher.scheduleTask(() => void ran.push(priority), priority)
            while (ran.length < 6) yield* Effect.yieldNow
          }).pipe(Effect.provide(SeededScheduler.layer({ ...options, seed })))
          assert.deepStrictEqual(ran, [-1, 0, 0, 5, 5, 9])
        }
      })
  )

  it.effect("a flushed dispatcher has run all of its tasks, whoever else has some", () =>
    Effect.gen(function*() {
      const scheduler = yield* Scheduler.Scheduler
      const other = scheduler.makeDispatcher()
      const dispatcher = scheduler.makeDispatcher()
      const ran: Array<number> = []
      for (let left = 4; left > 0; left--) other.scheduleTask(() => {}, 0)
      for (const priority of [3, 0, 3]) dispatcher.scheduleTask(() => void ran.push(priority), priority)
      dispatcher.flush()
      assert.deepStrictEqual(ran, [0, 3, 3])
    }).pipe(Effect.provide(SeededScheduler.layer({ seed: 1, strategy: "round-robin" }))))

  it.effect("pct goes on changing priorities in long programs", () =>
    Effect.gen(function*() {
      const switches = (order: string) => order.split("").filter((who, at) => at > 0 && who !== order[at - 1]).length
      let most = 0
      for (let seed = 1; seed <= 10; seed++) {
        const order = yield* VirtualTime.run(interleaving(2, 400), { scheduler: { seed, strategy: "pct", steps: 100 } })
        most = Math.max(most, switches(order.slice(400)))
      }
      assert.isAbove(most, 3)
    }))

  it.effect.each<[string, SeededScheduler.Options, string]>([
    ["seed", { seed: 0.5 }, "seed must be a safe integer, got 0.5"],
    ["yields", { seed: 1, yields: 0.6 }, "yields must be a number from 0 to 0.5, got 0.6"],
    ["yields", { seed: 1, yields: Number.NaN }, "yields must be a number from 0 to 0.5, got NaN"],
    ["depth", { seed: 1, depth: 0 }, "depth must be a positive integer, got 0"],
    ["steps", { seed: 1, steps: -1 }, "steps must be a positive integer, got -1"]
  ])("refuses a bad %s", ([, options, message]) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.provide(Effect.void, SeededScheduler.layer(options)))
      assert.isTrue(Exit.hasDies(exit))
      assert.throws(() => SeededScheduler.make(options, new Scheduler.MixedScheduler()), message)
    }))
})
