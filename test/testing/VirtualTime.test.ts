import { assert, describe, it } from "@effect/vitest"
import { Cause, Clock, Deferred, Effect, Exit, Fiber, Layer, Schedule, Schema } from "effect"
import { TestClock } from "effect/testing"
import { Client, MemoryTransport, Server } from "../../src/index.ts"
import { VirtualTime } from "../../src/testing/index.ts"
import * as Timers from "../../src/testing/Timers.ts"
import { Text } from "../support/network.ts"

/** A program's log of what happened when. */
const withLog = <A, E, R>(
  use: (log: (what: string) => Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<ReadonlyArray<string>, E, R> =>
  Effect.suspend(() => {
    const lines: Array<string> = []
    const log = (what: string) => Effect.map(Clock.currentTimeMillis, (now) => void lines.push(`${now} ${what}`))
    return Effect.as(use(log), lines)
  })

const Delay = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))

describe("VirtualTime", () => {
  it.effect("jumps from event to event: an hour of seconds, and a day of timeouts", () =>
    Effect.gen(function*() {
      const beats = yield* VirtualTime.run(
        Effect.gen(function*() {
          let beats = 0
          yield* Effect.repeat(Effect.sync(() => beats++), Schedule.spaced("1 second")).pipe(
            Effect.timeoutOption("1 hour")
          )
          return [beats, yield* Clock.currentTimeMillis]
        })
      )
      assert.deepStrictEqual(beats, [3600, 3_600_000])
    }))

  it.effect.prop(
    "sleepers wake in the order of their times, at their times",
    { delays: Schema.Array(Delay) },
    ({ delays }) =>
      Effect.gen(function*() {
        const woken: Array<[number, number]> = []
        yield* VirtualTime.run(
          Effect.forEach(delays, (delay, index) =>
            Effect.gen(function*() {
              yield* Effect.sleep(delay)
              assert.strictEqual(yield* Clock.currentTimeMillis, delay)
              assert.strictEqual(yield* Clock.monotonicTimeNanos, BigInt(delay) * 1_000_000n)
              woken.push([delay, index])
            }), { concurrency: "unbounded", discard: true })
        )
        const expected = delays.map((delay, index): [number, number] => [delay, index])
          .sort(([one, first], [other, second]) => one - other || first - second)
        assert.deepStrictEqual(woken, expected)
      }),
    { arbitrary: { runs: 50 } }
  )

  it.effect("callbacks run at their times, equal ones in the order of asking, cancelled ones never", () =>
    Effect.gen(function*() {
      const log = yield* VirtualTime.run(Effect.gen(function*() {
        const timers = (yield* Timers.CurrentTimers)!
        const ran: Array<string> = []
        const note = (name: string) => () => void ran.push(`${name}@${timers.now()}`)
        timers.at(20, note("c"))
        timers.at(10, () => {
          note("a")()
          timers.at(0, note("late"))
          timers.at(10.5, note("between"))
        })
        timers.at(20, note("d"))
        timers.at(10, note("b"))
        timers.at(15, note("never"))()
        assert.deepStrictEqual(ran, [])
        yield* Effect.sleep(30)
        return ran
      }))
      assert.deepStrictEqual(log, ["a@10", "b@10", "late@10", "between@10.5", "c@20", "d@20"])
    }))

  it.effect("things happen at whole nanoseconds, and the clock tells exactly when", () =>
    Effect.gen(function*() {
      const [now, nanos] = yield* VirtualTime.run(Effect.gen(function*() {
        const clock = yield* VirtualTime.VirtualTime
        yield* Effect.callback<void>((resume) => void clock.at(100 / 3, () => resume(Effect.void)))
        return [clock.now(), yield* Clock.monotonicTimeNanos] as const
      }))
      assert.deepStrictEqual([now, nanos], [33.333333, 33_333_333n])
    }))

  it.effect("time stands still until microtasks, promises and immediates are done", () =>
    Effect.gen(function*() {
      const log = yield* VirtualTime.run(withLog((log) =>
        Effect.gen(function*() {
          const timer = yield* Effect.forkChild(Effect.andThen(Effect.sleep(1), log("timer")))
          yield* Effect.promise(async () => {
            for (let left = 500; left > 0; left--) await undefined
          })
          yield* log("promises")
          yield* Effect.callback<void>((resume) => void setImmediate(() => resume(Effect.void)))
          yield* log("immediate")
          yield* Effect.promise(() => Effect.runPromise(Effect.yieldNow))
          yield* log("a fiber outside")
          yield* Fiber.join(timer)
        })
      ))
      assert.deepStrictEqual(log, ["0 promises", "0 immediate", "0 a fiber outside", "1 timer"])
    }))

  it.effect("a server in memory, which uses microtasks and immediates, takes no virtual time", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(Text, "memory:text", { callTimeout: "1 second" })
      yield* Effect.forEach(Array.from({ length: 2000 }, String), (text) => client.call(text), { concurrency: 8 })
      assert.strictEqual(yield* Clock.currentTimeMillis, 0)
    }).pipe(
      Effect.scoped,
      Effect.provide(Layer.provideMerge(Server.layer(Text, "memory:text", Effect.succeed), MemoryTransport.layer)),
      VirtualTime.run
    ))

  it.effect("an immediate inside an immediate is waited for", () =>
    Effect.gen(function*() {
      const now = yield* VirtualTime.run(Effect.gen(function*() {
        yield* Effect.forkChild(Effect.sleep(1))
        yield* Effect.callback<void>((resume) => void setImmediate(() => setImmediate(() => resume(Effect.void))))
        return yield* Clock.currentTimeMillis
      }))
      assert.strictEqual(now, 0)
    }))

  describe("as a TestClock", () => {
    it.effect("adjust waits for all that happens in the time, and for what that leads to", () =>
      Effect.gen(function*() {
        const log = yield* VirtualTime.run(withLog((log) =>
          Effect.gen(function*() {
            yield* Effect.forkChild(Effect.gen(function*() {
              for (const step of ["one", "two", "three"]) {
                yield* Effect.sleep(500)
                yield* log(step)
                yield* Effect.yieldNow
                yield* log(`${step}, later`)
              }
            }))
            yield* TestClock.adjust(1000)
            yield* log("adjusted")
            yield* TestClock.setTime(1600)
            yield* log("set")
          })
        ))
        assert.deepStrictEqual(log, [
          "500 one",
          "500 one, later",
          "1000 two",
          "1000 two, later",
          "1000 adjusted",
          "1500 three",
          "1500 three, later",
          "1600 set"
        ])
      }))

    it.effect("setTime moves the time of day back, and no sleep with it", () =>
      Effect.gen(function*() {
        const seen = yield* VirtualTime.run(Effect.gen(function*() {
          yield* Effect.sleep(1000)
          const sleeper = yield* Effect.forkChild(Effect.sleep(100))
          yield* Effect.yieldNow
          yield* TestClock.setTime(50)
          const back = yield* Clock.currentTimeMillis
          yield* Fiber.join(sleeper)
          return [back, yield* Clock.currentTimeMillis, Number(yield* Clock.monotonicTimeNanos) / 1e6]
        }))
        assert.deepStrictEqual(seen, [50, 150, 1100])
      }))

    it.effect("withLive uses the real clock, and virtual time waits for it", () =>
      Effect.gen(function*() {
        const [live, after, end] = yield* VirtualTime.run(Effect.gen(function*() {
          const sleeper = yield* Effect.forkChild(Effect.sleep(100))
          const turns = Effect.callback<void>((resume) => {
            let left = 200
            const turn = () => void (--left === 0 ? resume(Effect.void) : setImmediate(turn))
            turn()
          })
          const live = yield* TestClock.withLive(Effect.andThen(turns, Clock.currentTimeMillis))
          const after = yield* Clock.currentTimeMillis
          yield* Fiber.join(sleeper)
          return [live, after, yield* Clock.currentTimeMillis]
        }))
        assert.isAbove(live!, Date.UTC(2025))
        assert.deepStrictEqual([after, end], [0, 100])
      }))
  })

  it.effect("has a scope of its own, which is closed while its clock still runs", () =>
    Effect.gen(function*() {
      const closed: Array<number> = []
      const slow = Effect.acquireRelease(
        Effect.void,
        () => Effect.andThen(Effect.sleep("1 minute"), Effect.map(Clock.currentTimeMillis, (now) => closed.push(now)))
      )
      yield* VirtualTime.run(Effect.andThen(slow, Effect.sleep("1 second")))
      assert.deepStrictEqual(closed, [61_000])
    }))

  describe("stuck", () => {
    const stuck = <A, E, R>(effect: Effect.Effect<A, E, R>, options?: VirtualTime.Options) =>
      VirtualTime.run(effect, options).pipe(
        Effect.flip,
        Effect.map((error) => error instanceof VirtualTime.Stuck ? error : assert.fail(String(error)))
      )

    it.effect("names the fibers that wait, and what the network says", () =>
      Effect.gen(function*() {
        const waiting = Effect.fn("Waiter.wait")(function*() {
          return yield* Effect.never
        })
        const error = yield* stuck(
          VirtualTime.named(
            Effect.gen(function*() {
              const deferred = yield* Deferred.make<void>()
              yield* Effect.forkChild(VirtualTime.named(waiting(), "waiter"))
              yield* Effect.forkChild(Effect.sleep("1 second"))
              yield* Effect.withSpan(Deferred.await(deferred), "promise")
            }),
            "main"
          ),
          { describe: () => ["connection 1: nothing arrives"] }
        )
        assert.strictEqual(error.reason, "Deadlock")
        assert.strictEqual(error.atMillis, 1000)
        assert.strictEqual(
          error.message.replaceAll(/VirtualTime.test.ts:\d+/g, "here"),
          [
            "stuck: every fiber waits and nothing is scheduled at 1000.000 ms",
            "  fiber 1 (main > promise (here)): waits since 0.000 ms",
            "  fiber 2 (waiter > Waiter.wait (here)): waits since 0.000 ms",
            "  connection 1: nothing arrives"
          ].join("\n")
        )
      }))

    it.effect("a loop at one moment is a livelock", () =>
      Effect.gen(function*() {
        const error = yield* stuck(Effect.forever(Effect.yieldNow), { maxSteps: 1000 })
        assert.deepStrictEqual([error.reason, error.limit, error.atMillis], ["Livelock", 1000, 0])
      }))

    it.effect("the steps of many moments are none", () =>
      VirtualTime.run(Effect.repeat(Effect.sleep(1), { times: 100 }), { maxSteps: 10 }))

    it.effect("timers that ask for the same moment again are a livelock", () =>
      Effect.gen(function*() {
        const error = yield* stuck(
          Effect.gen(function*() {
            const clock = yield* VirtualTime.VirtualTime
            const again = () => void clock.at(clock.now(), again)
            again()
            return yield* Effect.never
          }),
          { maxSteps: 1000 }
        )
        assert.strictEqual(error.reason, "Livelock")
      }))

    it.effect("a program that beats for ever ends at the limit of time, or of events", () =>
      Effect.gen(function*() {
        const beat = Effect.forever(Effect.sleep("1 second"))
        const late = yield* stuck(VirtualTime.named(beat, "heart"), { maxDuration: "90 minutes" })
        assert.strictEqual(
          late.message,
          "stuck: nothing to do within the limit of 5400000.000 ms of virtual time at 5400000.000 ms\n"
            + "  fiber 1 (heart): sleeps until 5401000.000 ms"
        )
        const many = yield* stuck(beat, { maxEvents: 100 })
        assert.deepStrictEqual([many.reason, many.limit, many.atMillis], ["EventLimit", 100, 101_000])
      }))

    it.effect("the finalizers of what was stuck still run, in virtual time, and get stuck once only", () =>
      Effect.gen(function*() {
        const log = yield* withLog((log) =>
          Effect.gen(function*() {
            yield* stuck(
              Effect.onInterrupt(Effect.never, () => Effect.andThen(Effect.sleep("1 minute"), log("closed")))
            )
            yield* stuck(
              Effect.onInterrupt(Effect.forever(Effect.sleep("1 second")), () =>
                Effect.andThen(Effect.sleep("1 minute"), log("closed"))),
              { maxDuration: "1 hour" }
            )
            yield* stuck(
              Effect.onInterrupt(Effect.forever(Effect.yieldNow), () =>
                Effect.andThen(Effect.repeat(Effect.yieldNow, { times: 20 }), log("closed"))),
              { maxSteps: 100 }
            )
            const waits = Effect.onInterrupt(Effect.never, () =>
              Effect.never)
            yield* stuck(waits)
            yield* stuck(
              Effect.onInterrupt(Effect.never, () =>
                Effect.forever(Effect.yieldNow)),
              { maxSteps: 100 }
            )
          })
        )
        assert.deepStrictEqual(log, ["60000 closed", "3660000 closed", "0 closed"])
      }))

    it.effect("what really takes time is waited for inside withLive only", () =>
      Effect.gen(function*() {
        const slow = Effect.callback<string>((resume) => void setTimeout(() => resume(Effect.succeed("done")), 20))
        assert.strictEqual(yield* VirtualTime.run(TestClock.withLive(slow)), "done")
        assert.strictEqual((yield* stuck(slow)).reason, "Deadlock")
      }))
  })

  it.effect("check ends the run, at the end of the moment", () =>
    Effect.gen(function*() {
      let value = 0
      const times: Array<number> = []
      const exit = yield* Effect.exit(VirtualTime.run(
        Effect.forever(Effect.andThen(Effect.sync(() => value++), Effect.sleep("1 second"))),
        {
          check: (millis) => {
            times.push(millis)
            return value === 3 ? { error: "three" } : undefined
          }
        }
      ))
      assert.deepStrictEqual(exit, Exit.fail("three"))
      assert.deepStrictEqual(times, [0, 1000, 2000])
    }))

  it.effect("who is resumed by check goes on in the same moment", () =>
    Effect.gen(function*() {
      const told = Deferred.makeUnsafe<void>()
      const now = yield* VirtualTime.run(
        Effect.gen(function*() {
          yield* Effect.forkChild(Effect.sleep("1 second"))
          yield* Deferred.await(told)
          yield* Effect.yieldNow
          return yield* Clock.currentTimeMillis
        }),
        {
          check: () => {
            Deferred.doneUnsafe(told, Exit.void)
            return undefined
          }
        }
      )
      assert.strictEqual(now, 0)
    }))

  it.effect("a check that always resumes somebody is a livelock", () =>
    Effect.gen(function*() {
      let wake = () => {}
      const again = Effect.callback<void>((resume) => {
        wake = () => resume(Effect.void)
      })
      const error = yield* Effect.flip(VirtualTime.run(Effect.forever(again), {
        maxSteps: 100,
        check: () => {
          wake()
          return undefined
        }
      }))
      assert.strictEqual(error.reason, "Livelock")
    }))

  it.effect("what a callback throws is a defect of the run", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(VirtualTime.run(Effect.gen(function*() {
        const clock = yield* VirtualTime.VirtualTime
        clock.at(10, () => {
          throw new Error("boom")
        })
        return yield* Effect.never
      })))
      assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("boom"))
    }))

  it.effect("so is what check throws; what describe throws is told", () =>
    Effect.gen(function*() {
      const throws = () => {
        throw new Error("boom")
      }
      const exit = yield* Effect.exit(VirtualTime.run(Effect.never, { check: throws }))
      assert.isTrue(Exit.isFailure(exit) && Cause.pretty(exit.cause).includes("boom"))
      const error = yield* Effect.flip(VirtualTime.run(Effect.never, { describe: throws }))
      assert.deepStrictEqual(error.network, ["no description: it threw Error: boom"])
    }))

  it.effect("interruption runs the finalizers and waits for them", () =>
    Effect.gen(function*() {
      const log = yield* withLog((log) =>
        Effect.gen(function*() {
          const begun = yield* Deferred.make<void>()
          const fiber = yield* Effect.forkChild(VirtualTime.run(
            Effect.gen(function*() {
              yield* Deferred.succeed(begun, undefined)
              return yield* TestClock.withLive(Effect.never)
            }).pipe(Effect.onInterrupt(() => Effect.andThen(Effect.sleep("1 hour"), log("closed"))))
          ))
          yield* Deferred.await(begun)
          yield* Fiber.interrupt(fiber)
        })
      )
      assert.deepStrictEqual(log, ["3600000 closed"])
    }))

  it.effect("knows its living fibers, and settles when nothing is left to do at this moment", () =>
    Effect.gen(function*() {
      const names = yield* VirtualTime.run(VirtualTime.named(
        Effect.gen(function*() {
          const clock = yield* VirtualTime.VirtualTime
          yield* Effect.forkDetach(VirtualTime.named(Effect.never, "left behind"))
          yield* Effect.forkDetach(VirtualTime.named(Effect.yieldNow, "soon gone"))
          yield* Effect.forkDetach(VirtualTime.named(Effect.sleep(5), "asleep"))
          yield* clock.settle
          assert.deepStrictEqual([clock.now(), clock.pending()], [0, 1])
          return clock.fibers().map(({ name, waitsFor }) => `${name}: ${waitsFor}`)
        }),
        "main"
      ))
      assert.deepStrictEqual(names, [
        "main: waits since 0.000 ms",
        "left behind: waits since 0.000 ms",
        "asleep: sleeps until 5.000 ms"
      ])
    }))

  it.effect("forgets ended fibers, and no others", () =>
    Effect.gen(function*() {
      const [ids, names] = yield* VirtualTime.run(VirtualTime.named(
        Effect.gen(function*() {
          const clock = yield* VirtualTime.VirtualTime
          const waiting = yield* Effect.forkChild(VirtualTime.named(Effect.never, "waiting"))
          yield* Effect.repeat(Effect.flatMap(Effect.forkChild(Effect.yieldNow), Fiber.join), { times: 4999 })
          const living = clock.fibers()
          yield* Fiber.interrupt(waiting)
          return [living.map(({ id }) => id), living.map(({ name }) => name)] as const
        }),
        "main"
      ))
      assert.deepStrictEqual([ids, names], [[1, 2], ["main", "waiting"]])
    }))

  it.effect("counts the same steps and operations in every run", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        yield* Effect.forEach([1, 2, 3], (millis) => Effect.repeat(Effect.sleep(millis), { times: 20 }), {
          concurrency: "unbounded"
        })
        return (yield* VirtualTime.VirtualTime).counts()
      })
      for (const seed of [1, 2]) {
        const first = yield* VirtualTime.run(program, { scheduler: { seed } })
        assert.deepStrictEqual(yield* VirtualTime.run(program, { scheduler: { seed } }), first)
      }
    }))

  it.effect.each<[string, VirtualTime.Options, RegExp]>([
    ["maxDuration", { maxDuration: 0 }, /maxDuration must be a time longer than 0, got 0/],
    ["maxDuration", { maxDuration: Number.NaN }, /maxDuration must be a time longer than 0, got NaN/],
    ["maxSteps", { maxSteps: 0 }, /maxSteps must be a positive integer, got 0/],
    ["maxEvents", { maxEvents: 1.5 }, /maxEvents must be a positive integer, got 1.5/]
  ])("refuses a bad %s", ([, options, message]) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(VirtualTime.run(Effect.void, options))
      assert.match(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "", message)
    }))
})
