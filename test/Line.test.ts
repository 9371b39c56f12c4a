import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { type InLine, Line } from "../src/internal/line.ts"

interface One extends InLine<One> {
  readonly name: number
}

const steps = Arbitrary.array(
  Arbitrary.schema(Schema.Struct({
    does: Schema.Literals(["push", "push", "shift", "delete"]),
    who: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 }))
  })),
  { maxLength: 60 }
)

const members = (line: Line<One>): Array<One> => {
  const all: Array<One> = []
  for (let one = line.first; one !== undefined; one = one.behind) all.push(one)
  return all
}

describe("Line", () => {
  it.effect.prop(
    "is an array that anybody may leave, and who left knows nobody",
    [steps],
    ([list]) =>
      Effect.sync(() => {
        const people = Array.from({ length: 8 }, (_, name): One => ({ name, before: undefined, behind: undefined }))
        const line = new Line<One>()
        let model: Array<One> = []
        for (const { does, who } of list) {
          const one = people[who]!
          if (does === "shift") assert.strictEqual(line.shift(), model.shift())
          else if (does === "push" && !model.includes(one)) {
            line.push(one)
            model.push(one)
          } else if (does === "delete" && model.includes(one)) {
            line.delete(one)
            model = model.filter((other) => other !== one)
          }
          assert.strictEqual(line.size, model.length)
          assert.deepStrictEqual(members(line).map(({ name }) => name), model.map(({ name }) => name))
          assert.deepStrictEqual(
            members(line).map(({ before }) => before?.name),
            [
              undefined,
              ...model.map(({ name }) => name)
            ].slice(0, model.length)
          )
          for (const other of people) {
            if (!model.includes(other)) assert.deepStrictEqual([other.before, other.behind], [undefined, undefined])
          }
        }
      })
  )
})
