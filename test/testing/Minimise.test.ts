import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { minimise, simplerData } from "../../src/testing/internal/Minimise.ts"

const run = (elements: ReadonlyArray<number>, fails: (elements: ReadonlyArray<number>) => boolean, maxRuns = 10_000) =>
  minimise({
    elements,
    failure: "failed",
    maxRuns,
    simpler: (value) => Array.from(simplerData(value), Number),
    fails: (candidate) => Effect.sync(() => fails(candidate) ? "failed" : undefined)
  })

const Plan = Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 50 }))).check(Schema.isMaxLength(20))

describe("minimise", () => {
  it.effect.prop("leaves what fails, from which nothing can be taken away", {
    plan: Plan,
    modulus: Schema.Literals([2, 3, 7])
  }, ({ modulus, plan }) =>
    Effect.gen(function*() {
      const fails = (elements: ReadonlyArray<number>) => elements.reduce((sum, n) => sum + n, 0) >= modulus * 10
      if (!fails(plan)) return
      const { elements } = yield* run(plan, fails)
      assert.isTrue(fails(elements))
      for (const index of elements.keys()) assert.isFalse(fails(elements.toSpliced(index, 1)))
    }))

  it.effect("finds the two of a hundred that matter, in few runs", () =>
    Effect.gen(function*() {
      const plan = Array.from({ length: 100 }, (_, index) => index + 100)
      const { elements, runs } = yield* run(plan, (candidate) => candidate.includes(131) && candidate.includes(177))
      assert.deepStrictEqual(elements, [131, 177])
      assert.isBelow(runs, 100)
    }))

  it.effect("makes numbers short", () =>
    Effect.gen(function*() {
      const { elements, runs } = yield* run([873_421.735], ([value = 0]) => value > 5123)
      assert.deepStrictEqual(elements, [5200])
      assert.isBelow(runs, 60)
    }))

  it.effect("leaves everything away where nothing is needed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run([1, 2, 3], () => true), { elements: [], failure: "failed", runs: 1 })
    }))

  it.effect("runs no more candidates than it may", () =>
    Effect.gen(function*() {
      let runs = 0
      const { elements } = yield* run([900, 800, 700], () => (runs++, false), 4)
      assert.strictEqual(runs, 4)
      assert.deepStrictEqual(elements, [900, 800, 700])
    }))
})

describe("simplerData", () => {
  it("leaves out fields and elements, and takes numbers towards 0", () => {
    assert.deepStrictEqual(Array.from(simplerData({ a: 2, b: [1, "x"] })), [
      { b: [1, "x"] },
      { a: 2 },
      { a: 0, b: [1, "x"] },
      { a: 1, b: [1, "x"] },
      { a: 2, b: ["x"] },
      { a: 2, b: [0, "x"] },
      { a: 2, b: [1] }
    ])
  })

  it.effect.prop(
    "of a number gives smaller ones only, so that every chain ends",
    { value: Schema.Finite },
    ({ value }) =>
      Effect.sync(() => {
        for (const simpler of simplerData(value)) assert.isBelow(Math.abs(Number(simpler)), Math.abs(value))
      })
  )
})
