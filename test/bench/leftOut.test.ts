/** A peer or a scenario without figures is never passed over in silence. */
import { assert, describe, it } from "@effect/vitest"
import { page } from "../../bench/page.ts"
import { isLeftOut, leftOutLines, overview, type Result, sorelyMissed, table } from "../../bench/report.ts"
import { scenarios } from "../../bench/scenarios.ts"
import { standing } from "../../bench/standing.ts"

const scenario = scenarios.find(({ name }) => name === "churn")!
const measurement = (rate: number) => ({ values: { rate, cpu: 1 }, noise: 0, repeats: 0 })
const peers = ["plain", "hawser", "threads"].map((name) => ({ name, about: `about ${name}` }))

/** One peer is missing; and the reference, so all are. */
const one: Result = {
  scenario,
  rounds: [{ plain: measurement(100), hawser: measurement(150) }],
  leftOut: [{ peer: "threads", reason: "only <9> were served" }]
}
const all: Result = { scenario, rounds: [], leftOut: [{ peer: "plain", reason: "it died" }] }
const none: Result = { scenario, rounds: one.rounds }

const about = { at: "2026-01-01T00:00:00.000Z", machine: "m", node: "n", generator: "g", peers }

describe("a peer that is left out", () => {
  it("has a line below the table, and none in it", () => {
    assert.deepStrictEqual(table(one, peers).split("\n").slice(-3), [
      "  plain                  1                 1    100  1.00 µs",
      "  hawser  1.50 (1.50-1.50)  1.00 (1.00-1.00)    150  1.00 µs",
      "  threads left out: only <9> were served"
    ])
  })

  it("is named in the overview", () => {
    assert.deepStrictEqual(overview(peers, [one]).split("\n").slice(1), [
      "churn             req/s ▲    1.50  left out",
      "                CPU/req ▼    1.00  left out"
    ])
    assert.deepStrictEqual(leftOutLines([none, one]), ["threads is left out of churn: only <9> were served"])
  })

  it("has a row in the page", () => {
    assert.include(
      page(about, [one]),
      "<tr><th>threads</th><td class=\"missing\" colspan=\"2\">left out: only &#60;9&#62; were served</td></tr></table>"
    )
  })

  it("is named in the table of the README", () => {
    assert.strictEqual(
      standing([one]).split("\n").at(-1),
      "| `churn` | req/s ▲ | 1.50 |  |  |  | left out |  |  |  |  |  |"
    )
  })
})

describe("a scenario without the reference", () => {
  it("is named in the table, the overview, the page and the README", () => {
    assert.deepStrictEqual(table(all, peers).split("\n"), [
      "",
      `churn: ${scenario.title}; left out, because plain failed`,
      "  plain left out: it died"
    ])
    assert.strictEqual(overview(peers, [all]).split("\n").at(-1), "churn             left out  left out")
    assert.include(page(about, [all]), "; left out, because plain failed</p>")
    assert.include(page(about, [all]), "<th>plain</th><td class=\"missing\" colspan=\"1\">left out: it died</td>")
    assert.strictEqual(standing([all]).split("\n").at(-1), `| \`churn\` |  |${" left out |".repeat(10)}`)
  })

  it("leaves out everybody", () => {
    assert.deepStrictEqual([one, all, none].map((result) => isLeftOut(result, "hawser")), [false, true, false])
  })
})

it("only the reference and hawser are missed sorely", () => {
  const ours: Result = { ...one, leftOut: [{ peer: "hawser", reason: "it died" }] }
  assert.deepStrictEqual([[none, one], [none, all], [ours], [ours, all]].map(sorelyMissed), [
    [],
    ["plain"],
    ["hawser"],
    ["plain", "hawser"]
  ])
})
