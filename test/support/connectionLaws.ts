/** Registers the laws of connections as tests. */
import { it } from "@effect/vitest"
import { Effect, type Layer } from "effect"
import type { Transport } from "../../src/index.ts"
import { ConnectionLaws } from "../../src/testing/index.ts"

/** One test for each law; in virtual time, which none of them may need. */
export const keepsTheLaws = (spec: ConnectionLaws.Spec, layer: Layer.Layer<Transport.Transport>): void => {
  for (const [name, law] of Object.entries(ConnectionLaws.laws)) {
    it.effect(name, () => Effect.provide(law(spec), layer), { timeout: 20_000 })
  }
}
