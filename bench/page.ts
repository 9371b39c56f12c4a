/** The result as one HTML page that needs nothing else: a plot of the ratios for each scenario, and its table. */
import { reference } from "./peers.ts"
import { maxNoise, type MetricKey, metrics, type Result, type Spread, summarize } from "./report.ts"

/** What is known of a run besides its numbers. */
export interface About {
  readonly at: string
  readonly machine: string
  readonly node: string
  readonly generator: string
  readonly peers: ReadonlyArray<{ readonly name: string; readonly about: string }>
}

const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (char) => `&#${char.codePointAt(0)};`)

const width = 640
const left = 90
const right = 60
const rowHeight = 22

/** The plot reaches from a sixteenth to four times the reference; what is outside stands at the edge, with its number. */
const scale = { from: 1 / 16, to: 4, ticks: [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4] }

const x = (ratio: number): number => {
  const inside = Math.min(scale.to, Math.max(scale.from, ratio))
  return left + Math.log2(inside / scale.from) / Math.log2(scale.to / scale.from) * (width - left - right)
}

const tick = (ratio: number) => ratio >= 1 ? `${ratio}` : `1/${1 / ratio}`

/** A row for each peer: a dot at the median, a line over the middle half of the rounds. */
const plot = (rows: ReadonlyArray<{ readonly peer: string; readonly ratio: Spread }>, title: string): string => {
  const height = (rows.length + 1) * rowHeight + 8
  const grid = scale.ticks.map((ratio) =>
    `<line class="${ratio === 1 ? "one" : "grid"}" x1="${x(ratio)}" x2="${x(ratio)}" y1="4" y2="${
      height - rowHeight
    }"/>` +
    `<text class="tick" x="${x(ratio)}" y="${height - 6}">${tick(ratio)}</text>`
  )
  const marks = rows.map(({ peer, ratio: { high, low, median } }, i) => {
    const y = (i + 0.5) * rowHeight + 4
    const kind = peer === "hawser" ? "ours" : "theirs"
    return `<text class="peer" x="${left - 8}" y="${y + 4}">${escape(peer)}</text>` +
      `<line class="spread ${kind}" x1="${x(low)}" x2="${x(high)}" y1="${y}" y2="${y}"/>` +
      `<circle class="${kind}" cx="${x(median)}" cy="${y}" r="5"><title>${escape(peer)}: ${median.toFixed(2)} (${
        low.toFixed(2)
      }–${high.toFixed(2)})</title></circle>` +
      `<text class="value" x="${width - 4}" y="${y + 4}">${median.toFixed(2)}</text>`
  })
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(title)}">${grid.join("")}${
    marks.join("")
  }</svg>`
}

const section = ({ leftOut = [], rounds, scenario }: Result): string => {
  const names = Object.keys(rounds[0] ?? {})
  const summaries = new Map(names.map((name) => [name, summarize(rounds, name)]))
  const keys = Object.keys(summaries.get(reference) ?? {}) as Array<MetricKey> // summarize makes the keys
  const plots = keys.slice(0, 2).map((key) => {
    const rows = names.flatMap((peer) => {
      const ratio = summaries.get(peer)?.[key]?.ratio
      return peer === reference || ratio === undefined || Number.isNaN(ratio.median) ? [] : [{ peer, ratio }]
    })
    const { better, name } = metrics[key]
    const title = `${name}, × ${reference} (${better} is better)`
    return rows.length === 0 ? "" : `<figure><figcaption>${escape(title)}</figcaption>${plot(rows, title)}</figure>`
  })
  const head = keys.map((key) => `<th>${escape(metrics[key].name)}</th>`).join("")
  const body = names.map((peer) => {
    const cells = keys.map((key) => {
      const median = summaries.get(peer)?.[key]?.value.median
      return `<td>${median === undefined || Number.isNaN(median) ? "" : escape(metrics[key].print(median))}</td>`
    })
    const noise = Math.max(...rounds.map((round) => round[peer]?.noise ?? 0))
    return `<tr><th>${escape(peer)}${noise > maxNoise ? " ~" : ""}</th>${cells.join("")}</tr>`
  })
  const missing = leftOut.map(({ peer, reason }) =>
    `<tr><th>${escape(peer)}</th><td class="missing" colspan="${Math.max(1, keys.length)}">left out: ${
      escape(reason)
    }</td></tr>`
  )
  const extent = rounds.length === 0 ? `left out, because ${reference} failed` : `${rounds.length} rounds`
  return `<section id="${escape(scenario.name)}"><h2>${escape(scenario.name)}</h2>` +
    `<p>${escape(scenario.title)}; ${extent}</p><div class="plots">${plots.join("")}</div>` +
    `<table><tr><th></th>${head}</tr>${body.join("")}${missing.join("")}</table></section>`
}

const style = `
:root { color-scheme: light dark; --ink: light-dark(#1d2733, #dce3ea); --faint: light-dark(#d5dbe1, #36424e);
  --ours: light-dark(#c2410c, #fb923c); --theirs: light-dark(#64748b, #94a3b8); }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 1340px; margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 } h2 { margin: 2.5rem 0 0 } p { margin: .2rem 0 .6rem }
.plots { display: flex; flex-wrap: wrap; gap: 1rem } figure { margin: 0; flex: 1 1 420px; max-width: 660px }
figcaption { font-size: .85rem } svg { width: 100%; height: auto }
svg text { fill: var(--ink); font-size: 12px } .peer, .value { text-anchor: end } .tick { text-anchor: middle; opacity: .6 }
.grid { stroke: var(--faint) } .one { stroke: var(--ink); stroke-dasharray: 3 3 }
.spread { stroke-width: 3; stroke-linecap: round } line.ours { stroke: var(--ours) } line.theirs { stroke: var(--theirs) }
circle.ours { fill: var(--ours) } circle.theirs { fill: var(--theirs) }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem }
th, td { padding: .15rem .8rem .15rem 0; text-align: right } th:first-child, .missing { text-align: left }
tr + tr { border-top: 1px solid var(--faint) }`

/** The whole page. */
export const page = (about: About, results: ReadonlyArray<Result>): string =>
  `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>hawser: benchmarks</title><style>${style}</style>
<h1>hawser beside others</h1>
<p>${escape(about.machine)}, Node ${escape(about.node)}, ${escape(about.at.slice(0, 10))}; generator: ${
    escape(about.generator)
  }. Ratios are to ${reference}, taken within a round: the dot is the median over the rounds, the line their middle half, the
dashed line ${reference} itself. A peer with ~ was measured while other programs were busy.</p>
<ul>${about.peers.map(({ about, name }) => `<li><b>${escape(name)}</b>: ${escape(about)}</li>`).join("")}</ul>
${results.map(section).join("\n")}
</html>
`
