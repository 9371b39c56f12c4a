import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Schema } from "effect"
import * as MemoryTransport from "../../src/MemoryTransport.ts"
import * as Vowels from "../../src/services/Vowels.ts"
import { exchange } from "./exchange.ts"

describe("vowels", () => {
  it("are replaced, in either case, and nothing else is", () => {
    assert.strictEqual(Vowels.hide("Hello, Quay"), "H#ll#, Q##y")
    assert.strictEqual(Vowels.hide("aeiouAEIOU y é ñ 👩‍👩‍👧"), "########## y é ñ 👩‍👩‍👧")
    assert.strictEqual(Vowels.hide(""), "")
  })

  it.prop("keep the place of everything else, and hiding twice is hiding once", { text: Schema.String }, ({ text }) => {
    const hidden = Vowels.hide(text)
    assert.strictEqual(hidden.length, text.length)
    assert.strictEqual(Vowels.hide(hidden), hidden)
    for (let at = 0; at < text.length; at++) {
      assert.strictEqual(hidden[at], "aeiouAEIOU".includes(text[at]!) ? "#" : text[at])
    }
  })

  it.effect("are served", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* exchange("memory:vowels", "ahoy\r\n\nquay"), "#h#y\n\nq##y\n")
    }).pipe(Effect.provide(Vowels.layer("memory:vowels").pipe(Layer.provideMerge(MemoryTransport.layer)))))
})
