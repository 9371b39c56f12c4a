/** How many buffers the connections of a server may keep. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { Lending } from "../src/internal/lending.ts"

/** Keeps as many as it may. */
const exhaust = (lending: Lending): number => {
  let kept = 0
  for (; lending.isOpen; kept++) lending.keep()
  return kept
}

const answer = (lending: Lending, batches: number) => {
  for (let i = 0; i < batches; i++) lending.answered()
}

const steps = Arbitrary.array(
  Arbitrary.schema(Schema.Union([Schema.Literals(["keep", "give back"]), Schema.Literals([1, 1000, 4096, 9000])])),
  { maxLength: 200 }
)

describe("lending", () => {
  it("ends when 16 are kept, however much is answered meanwhile", () => {
    const lending = new Lending()
    assert.strictEqual(exhaust(lending), 16)
    answer(lending, 100_000)
    assert.isFalse(lending.isOpen)
  })

  it("goes on, for one more, 4096 batches after one came back", () => {
    const lending = new Lending()
    exhaust(lending)
    for (let i = 0; i < 3; i++) {
      lending.giveBack()
      answer(lending, 4095)
      assert.isFalse(lending.isOpen)
      answer(lending, 1)
      assert.strictEqual(exhaust(lending), 1)
    }
  })

  it.prop("has no more than 16 out, and gives one again for 4096 batches", { steps }, ({ steps }) => {
    const lending = new Lending()
    let [kept, out, batches] = [0, 0, 0]
    for (const step of steps) {
      if (step === "keep" && lending.isOpen) {
        lending.keep()
        kept++
        out++
      } else if (step === "give back" && out > 0) {
        lending.giveBack()
        out--
      } else if (typeof step === "number") {
        answer(lending, step)
        batches += step
      }
      assert.isAtMost(out, 16)
      assert.isAtMost(kept, 16 + Math.floor(batches / 4096))
    }
    for (; out > 0; out--) lending.giveBack()
    answer(lending, 16 * 4096)
    assert.strictEqual(exhaust(lending), 16)
  })
})
