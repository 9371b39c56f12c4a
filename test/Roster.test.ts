import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { type Placed, Roster } from "../src/internal/roster.ts"

const steps = Arbitrary.array(
  Arbitrary.schema(Schema.Struct({
    does: Schema.Literals(["add", "delete"]),
    who: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 }))
  })),
  { maxLength: 60 }
)

describe("Roster", () => {
  it.effect.prop("holds who came and did not go, as a Set does", [steps], ([list]) =>
    Effect.sync(() => {
      const people: ReadonlyArray<Placed> = Array.from({ length: 8 }, () => ({ place: -1 }))
      const roster = new Roster<Placed>()
      const model = new Set<Placed>()
      for (const { does, who } of list) {
        const one = people[who]!
        if (does === "delete") assert.strictEqual(roster.delete(one), model.delete(one))
        else if (!model.has(one)) {
          roster.add(one)
          model.add(one)
        }
        assert.strictEqual(roster.size, model.size)
        const members = [...roster]
        const inside = people.map((each) => model.has(each))
        assert.deepStrictEqual(people.map((each) => members.includes(each)), inside)
        assert.deepStrictEqual(people.map((each) => roster.has(each)), inside)
        assert.deepStrictEqual(people.map(({ place }) => place >= 0), inside)
      }
    }))

  it("visits everybody who was in at the start, also when they go meanwhile", () => {
    const roster = new Roster<Placed>()
    const people = Array.from({ length: 5 }, (): Placed => ({ place: -1 }))
    for (const one of people) roster.add(one)
    let visited = 0
    for (const one of roster) {
      visited++
      roster.delete(one)
    }
    assert.deepStrictEqual([visited, roster.size], [5, 0])
  })
})
