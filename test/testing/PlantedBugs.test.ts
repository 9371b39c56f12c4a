/**
 * Bugs that the simulation must find: each in a system of its own, which passes the same runs without it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import { Simulation } from "../../src/testing/index.ts"
import * as Planted from "../support/plantedBugs.ts"

const bugs: Array<{
  readonly bug: string
  readonly scenario: (variant: Planted.Variant) => () => Simulation.Scenario<
    Record<
      string,
      Effect.Effect<unknown, unknown, Simulation.Provided> | Layer.Layer<never, unknown, Simulation.Provided>
    >,
    Record<string, Effect.Effect<unknown, unknown, Simulation.Provided>>
  >
  readonly invariant: string
  /** How many faults it takes. */
  readonly faults: number
  readonly runs: number
}> = [
  {
    bug: "a drain that forgets who has not spoken",
    scenario: Planted.forgetfulDrain,
    invariant: "the drain takes at most 1 s",
    faults: 1,
    runs: 60
  },
  {
    bug: "a client that hands a late reply to the next call",
    scenario: Planted.lateReply,
    invariant: "every call gets its own reply",
    faults: 1,
    runs: 60
  },
  {
    bug: "a permit leaked on interruption",
    scenario: Planted.leakedPermit,
    invariant: "the permit comes back",
    faults: 1,
    runs: 60
  },
  {
    bug: "a lost wake-up",
    scenario: Planted.lostWakeUp,
    invariant: "the server takes no time",
    faults: 0,
    // One order of fibers in twenty shows it.
    runs: 200
  }
]

describe.each(bugs)("$bug", ({ faults, invariant, runs, scenario }) => {
  it.effect(`is found within ${runs} runs, made small, and replayed`, () =>
    Effect.gen(function*() {
      const found = yield* Effect.flip(Simulation.explore(scenario("broken"), { runs, drawFaults: Planted.drawFaults }))
      assert.strictEqual(found.invariant, invariant)
      assert.strictEqual(found.faults.length, faults)
      const again = yield* Effect.flip(Simulation.replay(scenario("broken"), found))
      assert.deepStrictEqual([again.invariant, again.broken, again.trace], [found.invariant, found.broken, found.trace])
      yield* Simulation.replay(scenario("fixed"), found)
    }), 20_000)

  it.effect("is not seen without faults in the order that Effect's scheduler has", () =>
    Effect.suspend(() =>
      Simulation.run({ ...scenario("broken")(), scheduler: { strategy: "round-robin", yields: 0 }, seed: 1 })
    ))

  it.effect(
    "once fixed, the same runs pass",
    () => Simulation.explore(scenario("fixed"), { runs, drawFaults: Planted.drawFaults }),
    20_000
  )
})
