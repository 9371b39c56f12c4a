/**
 * `--compare FILE`: whether this run differs from an earlier one, and how sure that is.
 *
 * What is compared is each peer's ratio to the reference, round by round, because absolute figures of two runs say more of
 * the machine than of the program. Mann and Whitney's test asks how likely so clear a difference would be by chance; it
 * makes no assumption of how the figures are spread (`perf_hooks`, `Histogram.mannWhitneyTest`).
 */
import { createHistogram, type RecordableHistogram } from "node:perf_hooks"
import { reference } from "./peers.ts"
import { align, type MetricKey, metrics, type Result, summarize } from "./report.ts"

/** Chance differences look as clear as this once in a hundred comparisons. */
const surely = 0.01

/** A difference that is sure but smaller than this is nothing to act on. */
const notable = 0.03

/** A histogram counts integers: parts per million of a ratio. */
const histogram = (ratios: ReadonlyArray<number>): RecordableHistogram => {
  const counts = createHistogram({ figures: 5 })
  for (const ratio of ratios) if (ratio > 0) counts.record(Math.round(ratio * 1e6))
  return counts
}

/** What Node's histograms have since version 26, and its types have not. */
interface Tested {
  readonly mannWhitneyTest: (other: RecordableHistogram) => { readonly pValue: number }
}

const pValue = (one: RecordableHistogram, other: RecordableHistogram): number =>
  (one as RecordableHistogram & Tested).mannWhitneyTest(other).pValue // see Tested

const ratios = ({ rounds }: Result, peer: string, key: MetricKey): ReadonlyArray<number> =>
  rounds.map((round) => (round[peer]?.values[key] ?? Number.NaN) / (round[reference]?.values[key] ?? Number.NaN))

const verdict = (change: number, better: "more" | "less", p: number): string => {
  if (Number.isNaN(p) || p > surely) return `not sure (p = ${p.toFixed(2)})`
  if (Math.abs(change) < notable) return `the same within ${notable * 100} %`
  return `${(change > 0) === (better === "more") ? "better" : "WORSE"} (p = ${p < 0.001 ? "< 0.001" : p.toFixed(3)})`
}

/** A line for each peer, scenario and first two metrics that both runs have. */
export const compare = (before: ReadonlyArray<Result>, after: ReadonlyArray<Result>): string => {
  const rows = after.flatMap((result) => {
    const old = before.find(({ scenario }) => scenario.name === result.scenario.name)
    if (old === undefined) return []
    return Object.keys(result.rounds[0] ?? {}).filter((peer) => peer !== reference).flatMap((peer) => {
      const summary = summarize(result.rounds, peer)
      const summaryBefore = summarize(old.rounds, peer)
      return (Object.keys(summary) as Array<MetricKey>).slice(0, 2).flatMap((key) => { // summarize makes the keys
        const now = summary[key]?.ratio.median ?? Number.NaN
        const then = summaryBefore[key]?.ratio.median ?? Number.NaN
        if (Number.isNaN(now) || Number.isNaN(then)) return []
        const p = pValue(histogram(ratios(old, peer, key)), histogram(ratios(result, peer, key)))
        const change = now / then - 1
        const { better, name } = metrics[key]
        const percent = `${change < 0 ? "-" : "+"}${Math.abs(change * 100).toFixed(1)} %`
        return [[
          result.scenario.name,
          peer,
          name,
          then.toFixed(2),
          now.toFixed(2),
          percent,
          verdict(change, better, p)
        ]]
      })
    })
  })
  return rows.length === 0
    ? "nothing that both runs have measured"
    : align([["compared", "peer", "ratio of", "before", "after", "change", "verdict"], ...rows])
}
