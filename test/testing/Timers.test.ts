import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Clock, Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { NetArbitrary, Timers, VirtualTime } from "../../src/testing/index.ts"
import * as ByteQueue from "../../src/testing/internal/ByteQueue.ts"
import { TimerHeap } from "../../src/testing/internal/TimerHeap.ts"

const short = Arbitrary.map(NetArbitrary.byte, (byte) => byte % 8)

describe("the heap", () => {
  it.effect.prop(
    "gives the earliest first, equal ones in the order of adding, and none that was removed",
    { steps: Arbitrary.array(Arbitrary.all([short, short])) },
    ({ steps }) =>
      Effect.sync(() => {
        const heap = new TimerHeap()
        let model: Array<{ readonly time: number; readonly id: number }> = []
        const timers = steps.map(([time, kind], id) => {
          const timer = heap.add(time, () => {})
          model.push({ time, id })
          return { timer, kind, id }
        })
        for (const { id, kind, timer } of timers) {
          if (kind > 2) continue
          assert.isTrue(heap.remove(timer))
          assert.isFalse(heap.remove(timer))
          model = model.filter((other) => other.id !== id)
        }
        model.sort((one, other) => one.time - other.time || one.id - other.id)
        const given: Array<number> = []
        for (let first = heap.first; first !== undefined; first = heap.first) {
          given.push(timers.findIndex(({ timer }) => timer === first))
          heap.remove(first)
        }
        assert.deepStrictEqual(given, model.map(({ id }) => id))
        assert.strictEqual(heap.size, 0)
      })
  )
})

describe("the queue of bytes", () => {
  it.effect.prop(
    "gives what was pushed, in pieces of the size that was asked for",
    { chunks: Arbitrary.array(NetArbitrary.bytes({ maxBytes: 8 })), sizes: Arbitrary.array(short, { maxLength: 300 }) },
    ({ chunks, sizes }) =>
      Effect.sync(() => {
        const queue = new ByteQueue.ByteQueue()
        const rest = Array.from(chunks)
        const expected = chunks.flatMap((chunk) => Array.from(chunk))
        for (const [i, size] of sizes.entries()) {
          const chunk = i % 2 === 0 ? rest.shift() : undefined
          if (chunk !== undefined) queue.push(chunk)
          const there = queue.bytes
          const taken = i % 3 === 0 ? queue.takeChunk(size) : queue.take(size)
          if (i % 3 !== 0) assert.strictEqual(taken.length, Math.min(size, there))
          assert.strictEqual(queue.bytes, there - taken.length)
          assert.deepStrictEqual(Array.from(taken), expected.splice(0, taken.length))
        }
        for (const chunk of rest) queue.push(chunk)
        assert.deepStrictEqual(Array.from(queue.take(Infinity)), expected)
        queue.push(Uint8Array.of(1))
        queue.clear()
        assert.deepStrictEqual([queue.bytes, queue.take(1).length], [0, 0])
      })
  )
})

describe("on any clock", () => {
  it.effect("events run at their times, in the order of asking, never inside at", () =>
    Effect.gen(function*() {
      const timers = yield* Timers.current
      const seen: Array<string> = []
      const note = (name: string) => () => void seen.push(`${timers.now()} ${name}`)
      timers.at(20, note("late"))
      timers.at(10, note("first"))
      timers.at(10, note("second"))
      timers.at(-5, note("past"))
      timers.at(10.0005, () => {
        note("between")()
        timers.at(10, note("at once"))
      })
      timers.at(15, note("cancelled"))()
      assert.deepStrictEqual(seen, [])
      yield* TestClock.adjust(19)
      assert.deepStrictEqual(seen, ["0 past", "10 first", "10 second", "10.0005 between", "10.0005 at once"])
      yield* TestClock.adjust(1)
      assert.deepStrictEqual(seen.slice(5), ["20 late"])
    }))

  it.effect("without events nothing sleeps", () =>
    Effect.gen(function*() {
      const clock = yield* Clock.Clock
      let sleeping = 0
      const sleep = (duration: Parameters<Clock.Clock["sleep"]>[0]) =>
        Effect.acquireUseRelease(
          Effect.sync(() => void sleeping++),
          () => clock.sleep(duration),
          () => Effect.sync(() => void sleeping--)
        )
      const counting = { ...clock, sleep }
      const scope = yield* Scope.make()
      const timers = yield* Scope.provide(Timers.fromClock(counting), scope)
      assert.strictEqual(sleeping, 0)
      const cancels = [timers.at(10, () => {}), timers.at(5, () => {}), timers.at(20, () => {})]
      assert.strictEqual(sleeping, 1)
      for (const cancel of cancels) cancel()
      assert.strictEqual(sleeping, 0)
      timers.at(3, () => {})
      yield* TestClock.adjust(3)
      assert.strictEqual(sleeping, 0)
      timers.at(100, () => {})
      let due = 0
      timers.at(3, () => void due++)
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual([sleeping, due], [0, 1])
      timers.at(3, () => void due++)
      yield* TestClock.adjust(1000)
      assert.deepStrictEqual([sleeping, due], [0, 1])
    }))

  it.effect("an event that throws does not keep others from happening", () =>
    Effect.gen(function*() {
      const timers = yield* Timers.current
      const thrown: Array<unknown> = []
      // What it throws surfaces like what any callback throws: here it is caught on its way.
      const queue = globalThis.queueMicrotask
      yield* Effect.acquireRelease(
        Effect.sync(() => {
          globalThis.queueMicrotask = (run) =>
            queue(() => {
              try {
                run()
              } catch (error) {
                thrown.push(error)
              }
            })
        }),
        () => Effect.sync(() => void (globalThis.queueMicrotask = queue))
      )
      let happened = false
      timers.at(1, () => {
        throw new Error("a bug")
      })
      timers.at(1, () => void (happened = true))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([thrown.map(String), happened], [["Error: a bug"], true])
    }))

  it.effect("a virtual clock is its own timers", () =>
    VirtualTime.run(Effect.scoped(Effect.gen(function*() {
      const clock = yield* VirtualTime.VirtualTime
      assert.strictEqual(yield* Timers.current, clock)
    }))))
})
