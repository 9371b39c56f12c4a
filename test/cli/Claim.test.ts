import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock, TestConsole } from "effect/testing"
import * as Claim from "../../src/cli/Claim.ts"

const good = Claim.make("One and one", function*() {
  yield* Claim.say("adding")
  yield* Claim.check("they are two", [1 + 1], [2])
})

it.effect("shows what happens and what holds", () =>
  Effect.gen(function*() {
    yield* Claim.run([good, good])
    const shown = ["   adding", "   ✓ they are two", ""]
    assert.deepStrictEqual(yield* TestConsole.logLines, [
      "1. One and one",
      ...shown,
      "2. One and one",
      ...shown,
      "All 2 claims hold; showing them took 0ms."
    ])
  }))

it.effect("goes on after a claim that does not hold, and fails at the end", () =>
  Effect.gen(function*() {
    const wrong = Claim.make("Arithmetic", function*() {
      yield* Claim.check("they are three", 1 + 1, 3)
      yield* Claim.say("not reached")
    })
    const failing = Claim.make("Failing", function*() {
      yield* new Claim.Broken({ message: "no way" })
    })
    const dying = Claim.make("Dying", function*() {
      yield* Effect.die("out of order")
    })
    const failure = yield* Effect.flip(Claim.run([wrong, failing, dying, good]))
    assert.deepStrictEqual([failure.exitCode, failure.message], [1, "3 of 4 claims did not hold"])
    assert.deepStrictEqual((yield* TestConsole.logLines).slice(0, 11), [
      "1. Arithmetic",
      "   ✗ they are three: expected 3, got 2",
      "",
      "2. Failing",
      "   ✗ no way",
      "",
      "3. Dying",
      "   ✗ out of order",
      "",
      "4. One and one",
      "   adding"
    ])
  }))

it.effect("does not wait for ever", () =>
  Effect.gen(function*() {
    const endless = Claim.make("Endless", function*() {
      yield* Effect.never
    })
    const run = yield* Effect.forkChild(Effect.flip(Claim.run([endless])))
    yield* TestClock.adjust("10 seconds")
    assert.strictEqual((yield* Fiber.join(run)).message, "1 of 1 claims did not hold")
    assert.include(yield* TestConsole.logLines, "   ✗ not done after 10 seconds")
  }))

it.effect("can be interrupted", () =>
  Effect.gen(function*() {
    const endless = Claim.make("Endless", function*() {
      yield* Effect.never
    })
    const run = yield* Effect.forkChild(Claim.run([endless]), { startImmediately: true })
    yield* Fiber.interrupt(run)
    assert.deepStrictEqual(yield* TestConsole.logLines, ["1. Endless"])
  }))
