/** Registers the laws of transports and connections as tests. */
import { describe, it } from "@effect/vitest"
import { Effect, type Layer, Scheduler } from "effect"
import type { Transport } from "../../src/index.ts"
import { ConnectionLaws, TransportLaws } from "../../src/testing/index.ts"

/** One test for each law; in virtual time, which none of them may need. */
export const keepsTheLaws = (
  spec: ConnectionLaws.Spec,
  layer: Layer.Layer<Transport.Transport>,
  scheduler: () => Scheduler.Scheduler = () => new Scheduler.MixedScheduler()
): void => {
  for (const suite of [TransportLaws, ConnectionLaws] as const) {
    describe(suite === TransportLaws ? "raw sockets" : "connections", () => {
      for (const [name, law] of Object.entries(suite.laws)) {
        it.effect(
          name,
          () => law(spec).pipe(Effect.provide(layer), Effect.provideService(Scheduler.Scheduler, scheduler())),
          { timeout: 20_000 }
        )
      }
    })
  }
}

/**
 * Lets a fiber yield between any two of its steps, at every third one or so. The usual scheduler does that too, but only
 * once in 2048 steps, so that what must not happen in between happens on busy servers and not in tests.
 */
export class YieldingAnywhere extends Scheduler.MixedScheduler {
  private state = 1

  override shouldYield(): boolean {
    this.state = (Math.imul(this.state, 1_664_525) + 1_013_904_223) >>> 0 // Numerical Recipes, 7.1
    return this.state >>> 30 === 0
  }
}
