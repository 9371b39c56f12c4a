/** The table of the README: one line per scenario, the ratio of its first metric to the reference for each peer. */
import { reference } from "./peers.ts"
import { isLeftOut, type MetricKey, metrics, type Result, summarize } from "./report.ts"

/** Those in the table, in its order, and what stands above them. */
const columns: ReadonlyArray<readonly [peer: string, title: string]> = [
  ["hawser", "hawser"],
  ["owned", "owned"],
  ["effect", "Effect's server"],
  ["beginner", "`node:net` at first"],
  ["threads", "Python threads"],
  ["asyncio", "asyncio"],
  ["go", "Go"],
  ["erlang", "Erlang"],
  ["tokio", "tokio"],
  ["netty", "Netty"]
]

const row = (cells: ReadonlyArray<string>) => `| ${cells.join(" | ")} |`

/** A table in Markdown. What a peer does not offer stays empty; where it failed stands so. */
export const standing = (results: ReadonlyArray<Result>): string => {
  const rows = results.filter((result) =>
    columns.some(([peer]) => result.rounds[0]?.[peer] !== undefined || isLeftOut(result, peer))
  )
  const lines = rows.map((result) => {
    const { rounds, scenario } = result
    const [key] = Object.keys(rounds[0]?.[reference]?.values ?? {}) as Array<MetricKey> // the keys of a Measurement
    if (key === undefined) return row([`\`${scenario.name}\``, "", ...columns.map(() => "left out")])
    const { better, name } = metrics[key]
    const cells = columns.map(([peer]) => {
      if (isLeftOut(result, peer)) return "left out"
      const median = summarize(rounds, peer)[key]?.ratio.median
      return median === undefined || Number.isNaN(median) ? "" : median.toFixed(2)
    })
    return row([`\`${scenario.name}\``, `${name} ${better === "more" ? "▲" : "▼"}`, ...cells])
  })
  const head = ["Scenario", "", ...columns.map(([, title]) => title)]
  return [row(head), row(head.map(() => "---")), ...lines].join("\n")
}
