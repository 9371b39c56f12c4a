/** From the numbers of the rounds to the table: medians, spreads, and ratios taken within each round. */
import { reference } from "./peers.ts"
import type { Scenario } from "./scenarios.ts"

/** One quantity: what it is called, how it is printed, and whether more of it is better. */
export interface Metric {
  readonly name: string
  readonly better: "more" | "less"
  readonly print: (value: number) => string
}

const fixed = (digits: number, unit: string) => (value: number) => `${value.toFixed(digits)}${unit}`
const significant = (value: number) => value.toFixed(value >= 100 ? 0 : value >= 10 ? 1 : 2)
/** What a peer cannot say of itself stays empty. */
const orNothing = (value: number | undefined, print: (value: number) => string) =>
  value === undefined || Number.isNaN(value) ? "" : print(value)

/** The first of each kind of scenario is the one in the summary. */
export const metrics = {
  rate: { name: "req/s", better: "more", print: (value) => Math.round(value).toLocaleString("en") },
  cpu: { name: "CPU/req", better: "less", print: (value) => `${significant(value)} µs` },
  p50: { name: "p50", better: "less", print: (value) => `${significant(value)} µs` },
  p99: { name: "p99", better: "less", print: (value) => `${significant(value)} µs` },
  p999: { name: "p99.9", better: "less", print: (value) => `${significant(value)} µs` },
  millis: { name: "time", better: "less", print: fixed(0, " ms") },
  resident: { name: "resident", better: "less", print: fixed(2, " KiB") },
  heap: { name: "heap", better: "less", print: fixed(2, " KiB") }
} as const satisfies Record<string, Metric>

export type MetricKey = keyof typeof metrics

/** What one round saw of one peer. */
export interface Measurement {
  readonly values: Readonly<Partial<Record<MetricKey, number>>>
  /** The share of the time in which the server used its core; the generator was the slower one where this is low. */
  readonly busy?: number | undefined
  /** The largest share of a core that other programs took. */
  readonly noise: number
  /** How often it was repeated because of noise. */
  readonly repeats: number
}

/** Each peer once. */
export type Round = Readonly<Record<string, Measurement>>

/** A peer that failed twice in a scenario, and has no figures there. */
export interface LeftOut {
  readonly peer: string
  readonly reason: string
}

/** What was measured of one scenario; no rounds at all where the reference is left out. */
export interface Result {
  readonly scenario: Scenario
  readonly rounds: ReadonlyArray<Round>
  /** Earlier runs did not leave out anybody: they ended. */
  readonly leftOut?: ReadonlyArray<LeftOut>
}

/** Whether a peer has no figures because it, or the reference, failed. */
export const isLeftOut = ({ leftOut = [] }: Result, name: string): boolean =>
  leftOut.some(({ peer }) => peer === name || peer === reference)

/** Who is left out of something, of those without whom a run is not a good one. */
export const sorelyMissed = (results: ReadonlyArray<Result>): ReadonlyArray<string> =>
  [reference, "hawser"].filter((name) => results.some(({ leftOut = [] }) => leftOut.some(({ peer }) => peer === name)))

/** Who was left out of what, and why; nothing where all were measured. */
export const leftOutLines = (results: ReadonlyArray<Result>): ReadonlyArray<string> =>
  results.flatMap(({ leftOut = [], scenario }) =>
    leftOut.map(({ peer, reason }) => `${peer} is left out of ${scenario.name}: ${reason}`)
  )

/** A middle value with the quarter of the rounds below and above. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

const spread = (values: ReadonlyArray<number>): Spread => {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (share: number) => {
    const place = (sorted.length - 1) * share
    const below = sorted[Math.floor(place)] ?? Number.NaN
    return below + ((sorted[Math.ceil(place)] ?? below) - below) * (place % 1)
  }
  return { median: at(0.5), low: at(0.25), high: at(0.75) }
}

/** One metric of one peer over all rounds. */
export interface Summary {
  readonly value: Spread
  /** To the reference in the same round. */
  readonly ratio: Spread
}

const keysOf = (rounds: ReadonlyArray<Round>): Array<MetricKey> =>
  Object.keys(rounds[0]?.[reference]?.values ?? {}) as Array<MetricKey> // the keys of a Measurement

export const summarize = (rounds: ReadonlyArray<Round>, peer: string): Partial<Record<MetricKey, Summary>> =>
  Object.fromEntries(
    keysOf(rounds).map((key) => {
      const values = rounds.map((round) => round[peer]?.values[key] ?? Number.NaN)
      const ratios = values.map((value, i) => value / (rounds[i]?.[reference]?.values[key] ?? Number.NaN))
      return [key, { value: spread(values), ratio: spread(ratios) }]
    })
  )

/** How far the ratios of the rounds lie apart, in the worst case of all peers. */
export const uncertainty = (rounds: ReadonlyArray<Round>): number => {
  const key = keysOf(rounds)[0]
  if (key === undefined) return 0
  return Math.max(
    ...Object.keys(rounds[0] ?? {}).map((peer) => {
      const ratio = summarize(rounds, peer)[key]?.ratio
      return ratio === undefined ? 0 : (ratio.high - ratio.low) / ratio.median
    })
  )
}

const printRatio = ({ high, low, median }: Spread) => `${median.toFixed(2)} (${low.toFixed(2)}-${high.toFixed(2)})`

/** Columns: the first to the left, the others to the right. */
export const align = (rows: ReadonlyArray<ReadonlyArray<string>>): string => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) =>
    row.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join("  ").trimEnd()
  ).join("\n")
}

const noisy = (rounds: ReadonlyArray<Round>, peer: string): boolean =>
  spread(rounds.map((round) => round[peer]?.noise ?? 0)).median > maxNoise

/** Above this share of a core taken by others, a measurement is repeated. */
export const maxNoise = 0.1

/** Below this use of its core, the server waited for the generator or the network. */
const saturated = 0.9

/** The table of one scenario. Ratios come first; of the rest the medians. Who is left out has a line below. */
export const table = (result: Result, peers: ReadonlyArray<{ readonly name: string }>): string => {
  const { leftOut = [], rounds, scenario } = result
  const notes = leftOut.map(({ peer, reason }) => `  ${peer} left out: ${reason}`)
  if (rounds.length === 0) {
    return ["", `${scenario.name}: ${scenario.title}; left out, because ${reference} failed`, ...notes].join("\n")
  }
  const keys = keysOf(rounds)
  const ratioKeys = keys.slice(0, 2)
  const rows = peers.filter(({ name }) => !isLeftOut(result, name)).map((peer) => {
    const summary = summarize(rounds, peer.name)
    const busy = spread(rounds.map((round) => round[peer.name]?.busy ?? Number.NaN)).median
    return [
      `  ${peer.name}${noisy(rounds, peer.name) ? " ~" : ""}`,
      ...ratioKeys.map((key) => {
        const ratio = summary[key]?.ratio
        return peer.name === reference ? "1" : orNothing(ratio?.median, () => printRatio(ratio ?? spread([])))
      }),
      ...keys.map((key) => orNothing(summary[key]?.value.median, metrics[key].print)),
      orNothing(busy, () => `${Math.round(busy * 100)} %${busy < saturated ? " *" : ""}`)
    ]
  })
  const repeats = rounds.flatMap((round) => Object.values(round)).reduce((sum, { repeats }) => sum + repeats, 0)
  return [
    "",
    `${scenario.name}: ${scenario.title}; ${rounds.length} rounds${
      repeats > 0 ? `, ${repeats} noisy runs repeated` : ""
    }`,
    align([
      [
        "  peer",
        ...ratioKeys.map((key) => `${metrics[key].name} × ${metrics[key].better === "more" ? "▲" : "▼"}`),
        ...keys.map((key) => metrics[key].name),
        rows.some((row) => row.at(-1) !== "") ? "busy" : ""
      ],
      ...rows
    ]),
    ...notes
  ].join("\n")
}

/** One line per scenario: the ratio of its first metric, and of the second in brackets. */
export const overview = (
  peers: ReadonlyArray<{ readonly name: string }>,
  results: ReadonlyArray<Result>
): string => {
  const others = peers.filter((peer) => peer.name !== reference)
  return align([
    [`ratio to ${reference}`, "", ...others.map((peer) => peer.name)],
    ...results.flatMap((result) => {
      const { rounds, scenario } = result
      if (rounds.length === 0) return [[scenario.name, "", ...others.map(() => "left out")]]
      return keysOf(rounds).slice(0, 2).map((key, i) => [
        i === 0 ? scenario.name : "",
        `${metrics[key].name} ${metrics[key].better === "more" ? "▲" : "▼"}`,
        ...others.map(({ name }) =>
          isLeftOut(result, name)
            ? "left out"
            : orNothing(summarize(rounds, name)[key]?.ratio.median, (ratio) => ratio.toFixed(2))
        )
      ])
    })
  ])
}
