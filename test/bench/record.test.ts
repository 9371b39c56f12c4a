/** What is read of earlier runs, and what of them stays. */
import { assert, describe, it } from "@effect/vitest"
import { Misuse } from "../../bench/commandLine.ts"
import { everybody, type Past, read, recorded } from "../../bench/record.ts"
import type { Result } from "../../bench/report.ts"
import { scenarios } from "../../bench/scenarios.ts"
import * as Clone from "../support/clone.ts"

const result = (name: string, rate?: number): Result => ({
  scenario: scenarios.find((scenario) => scenario.name === name)!,
  rounds: rate === undefined ? [] : [{ plain: { values: { rate }, noise: 0, repeats: 0 } }],
  leftOut: rate === undefined ? [{ peer: "plain", reason: "it died" }] : [{ peer: "go", reason: "it died" }]
})

const past = (...results: ReadonlyArray<Result>): Past => ({
  at: "",
  machine: "m",
  node: "n",
  generator: "g",
  peers: [],
  results
})

describe("read", () => {
  it.each([
    ["nothing", undefined, ": there is no such file"],
    ["no JSON", "{", " is no result of npm run bench -- --json"],
    ["null", "null", " is no result of npm run bench -- --json"],
    ["other JSON", "{\"results\":[{\"scenario\":\"churn\"}]}", " is no result of npm run bench -- --json"],
    ["a list of nothing", "{\"results\":[null]}", " is no result of npm run bench -- --json"]
  ])("refuses %s", (_, text, rule) => {
    using folder = Clone.make()
    if (text !== undefined) folder.write("run.json", text)
    const path = `${folder.folder}/run.json`
    assert.throws(() => read("--compare", path), Misuse, `--compare "${path}"${rule}`)
  })

  it("takes what a run wrote", () => {
    using folder = Clone.make()
    const run = past(result("churn", 1), result("start"))
    folder.write("run.json", JSON.stringify(run))
    assert.deepStrictEqual(read("--compare", `${folder.folder}/run.json`), run)
  })
})

describe("recorded", () => {
  const before = past(result("churn", 1), result("start", 1))

  it("replaces what was measured again, in the order of the list", () =>
    assert.deepStrictEqual(recorded(before, past(result("start", 2), result("line-64x1", 2))), [
      result("line-64x1", 2),
      result("churn", 1),
      result("start", 2)
    ]))

  it("keeps the figures of a scenario that is left out now", () => {
    assert.deepStrictEqual(recorded(before, past(result("churn"))), before.results)
    assert.deepStrictEqual(recorded(undefined, past(result("churn"))), [result("churn")])
    assert.deepStrictEqual(recorded(past(result("churn")), past(result("churn", 2))), [result("churn", 2)])
  })

  it("keeps nothing of another machine or Node", () => {
    const now = past(result("start", 2))
    assert.deepStrictEqual(recorded({ ...before, machine: "other" }, now), now.results)
    assert.deepStrictEqual(recorded({ ...before, node: "other" }, now), now.results)
  })
})

it("everybody are those who were measured or left out", () =>
  assert.deepStrictEqual(everybody([result("churn", 1)]).map(({ name }) => name), ["plain", "go"]))
