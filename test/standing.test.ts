import { assert, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { standing } from "../bench/standing.ts"

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8")

/** The cells of each row; the formatter aligns them. */
const rows = (markdown: string): ReadonlyArray<string> =>
  markdown.split("\n").filter((line) => line.startsWith("| `")).map((line) =>
    line.split("|").map((cell) => cell.trim()).join("|")
  )

it("the README says of the speed what the last recorded run measured", () => {
  const recorded = rows(standing(JSON.parse(read("bench/results/latest.json")).results))
  const [, section = ""] = read("README.md").split("## How fast it is")
  assert.isAbove(recorded.length, 15)
  assert.deepStrictEqual(rows(section), recorded)
})
