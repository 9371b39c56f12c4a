import { assert, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Codec from "../../src/Codec.ts"
import * as Framing from "../../src/Framing.ts"
import * as MemoryTransport from "../../src/MemoryTransport.ts"
import * as Greet from "../../src/services/Greet.ts"
import { exchange } from "./exchange.ts"

it.effect("says one line and ends", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* exchange("memory:greet", ""), "Thank you for connecting\n")
  }).pipe(Effect.provide(Greet.layer("memory:greet").pipe(Layer.provideMerge(MemoryTransport.layer)))))

it.effect("does not mind what it is told", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* exchange("memory:greet", "hello\n".repeat(1000)), "Thank you for connecting\n")
  }).pipe(Effect.provide(Greet.layer("memory:greet").pipe(Layer.provideMerge(MemoryTransport.layer)))))

it.effect("says nothing but the words where no framing is asked for, as in the tutorial", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* exchange("memory:greet", ""), "Thank you for connecting")
  }).pipe(Effect.provide(
    Greet.layer("memory:greet", { framing: Framing.chunks({ maxFrameBytes: 1024 }) }).pipe(
      Layer.provideMerge(MemoryTransport.layer)
    )
  )))

it("can be said in the default framing", () => {
  assert.deepStrictEqual(Codec.decodeAll(Greet.defaults.framing, new TextEncoder().encode(`${Greet.greeting}\n`)), {
    messages: [new TextEncoder().encode(Greet.greeting)],
    error: undefined
  })
})
