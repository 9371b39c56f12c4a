/**
 * `npm run bench`: servers side by side over loopback TCP, in one run. `README.md` says how to read what it prints.
 *
 * A round measures every peer once, each in a fresh process, in an order that changes from round to round; ratios are
 * taken within a round. A measurement that other programs disturbed is repeated, and rounds are added while the ratios
 * lie far apart.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { cpus, release, tmpdir } from "node:os"
import { basename, dirname, join, resolve } from "node:path"
import { parseArgs } from "node:util"
import { compare } from "./compare.ts"
import { measures } from "./measure.ts"
import { type About, page } from "./page.ts"
import { Absent, ofTree, peers, reference } from "./peers.ts"
import { type Contestant, cores, exclusively, Generator, quiet } from "./processes.ts"
import { maxNoise, type Measurement, overview, type Result, type Round, table, uncertainty } from "./report.ts"
import { type Scenario, scenarios } from "./scenarios.ts"
import { standing } from "./standing.ts"

const usage = `npm run bench [-- NAME ...]      scenarios whose names begin so; all without one
  --peers A,B        only these, besides ${reference}
  --rounds N         at least N rounds (5)
  --max-rounds N     no more than N while the ratios lie far apart (twice --rounds)
  --seconds S        measured time of a run (1.5), after --warmup S (2)
  --tree FOLDER      also the hawser of another working tree, such as one with a change to try; may be repeated
  --json FILE        everything measured
  --html FILE        the same as a page with plots
  --compare FILE     what is different from the --json of an earlier run, and how sure that is
  --record           writes bench/results/latest.json and bench/report.html, which are kept with the sources; of the
                     scenarios that are not measured now, what an earlier run on this machine recorded stays
  --cpu-prof FOLDER  a CPU profile of every server (one round is enough)
  --list             the names`

const { positionals: names, values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: "string" },
    rounds: { type: "string", default: "5" },
    "max-rounds": { type: "string" },
    seconds: { type: "string", default: "1.5" },
    warmup: { type: "string", default: "2" },
    tree: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    html: { type: "string" },
    compare: { type: "string" },
    record: { type: "boolean", default: false },
    "cpu-prof": { type: "string" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  }
})

/** A noisy measurement is taken again so many times; then the quietest one counts. */
const maxRepeats = 3

/** Rounds are added while half of the ratios lie in a range wider than this share of the median. */
const maxUncertainty = 0.06

/** How long a measurement waits for the machine to be quiet, and how long all of a scenario do, repetitions included. */
const quietMillis = 10_000
const patienceMillis = 90_000

const say = (text: string) => process.stdout.write(`${text}\n`)

const time = { warmup: Number(flags.warmup), seconds: Number(flags.seconds) }
const rounds = Number(flags.rounds)
const maxRounds = Number(flags["max-rounds"] ?? rounds * 2)
const profileFolder = flags["cpu-prof"]
const wantedPeers = flags.peers?.split(",")

const chosen = names.length === 0
  ? scenarios
  : scenarios.filter(({ name }) => names.some((prefix) => name.startsWith(prefix)))
/** Another kind of benchmark: in this process, with no server and no generator. */
const checksums = names.length === 0 || names.some((prefix) => "checksums".startsWith(prefix))
const unknown = wantedPeers?.find((wanted) => peers.every(({ name }) => name !== wanted))
const wanted = [
  ...peers.filter(({ name }) => name === reference || wantedPeers === undefined || wantedPeers.includes(name)),
  ...flags.tree.map((folder) => ofTree(basename(folder), resolve(folder)))
]

/** What is left of the time that a scenario may spend on waiting and repeating. */
class Patience {
  leftMillis = patienceMillis

  async spend<A>(effort: () => Promise<A>): Promise<A> {
    const from = performance.now()
    const result = await effort()
    this.leftMillis -= performance.now() - from
    return result
  }
}

const measure = async (
  generator: Generator,
  peer: Contestant,
  scenario: Scenario,
  rate: number | undefined,
  patience: Patience
): Promise<Measurement> => {
  const attempt = async (): Promise<Measurement> => {
    if (scenario.kind !== "memory") await patience.spend(() => quiet(Math.min(quietMillis, patience.leftMillis)))
    const flags = profileFolder === undefined
      ? []
      : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${scenario.name}.${peer.name}.cpuprofile`]
    return measures[scenario.kind](peer, scenario, { generator, time, flags, rate })
  }
  let best = await attempt()
  for (let repeats = 1; repeats <= maxRepeats && best.noise > maxNoise && patience.leftMillis > 0; repeats++) {
    const again = await patience.spend(attempt)
    best = { ...again.noise < best.noise ? again : best, repeats }
  }
  return best
}

/** Half of the requests per second that the reference answers with one in flight on each connection. */
const halfThePeak = async (
  generator: Generator,
  scenario: Scenario,
  able: ReadonlyArray<Contestant>,
  patience: Patience
): Promise<number | undefined> => {
  const peer = able.find(({ name }) => name === reference)
  if (peer === undefined) return undefined
  const closed: Scenario = { ...scenario, kind: "throughput", load: { ...scenario.load, depth: 1 } }
  const peak = await exclusively(() => measure(generator, peer, closed, undefined, patience))
  return Math.round((peak.values.rate ?? Number.NaN) / 2)
}

const measureScenario = async (
  generator: Generator,
  scenario: Scenario,
  present: ReadonlyArray<Contestant>
): Promise<ReadonlyArray<Round>> => {
  const done: Array<Round> = []
  const patience = new Patience()
  const able = present.filter(({ services }) => services.includes(scenario.service))
  const rate = scenario.kind === "latency" ? await halfThePeak(generator, scenario, able, patience) : undefined
  const isUnsure = () => done.length < maxRounds && uncertainty(done) > maxUncertainty && patience.leftMillis > 0
  while (done.length < rounds || isUnsure()) {
    const first = done.length % able.length
    const round: Record<string, Measurement> = {}
    for (const peer of [...able.slice(first), ...able.slice(0, first)]) {
      if (process.stderr.isTTY) {
        process.stderr.write(`\r\x1b[K${scenario.name}, round ${done.length + 1}: ${peer.name} `)
      }
      round[peer.name] = await exclusively(() => measure(generator, peer, scenario, rate, patience))
    }
    done.push(round)
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K")
  return done
}

/** Those that can run here; the others are named. */
const prepare = (folder: string): ReadonlyArray<Contestant> =>
  wanted.flatMap(({ command, ...peer }) => {
    try {
      const contestant = { ...peer, command: command(folder) }
      say(`  ${peer.name.padEnd(10)}${peer.about}`)
      return [contestant]
    } catch (error) {
      if (!(error instanceof Absent)) throw error
      say(`  ${peer.name.padEnd(10)}left out: ${error.message}`)
      return []
    }
  })

/** Four digits are more than a measurement is worth. */
const brief = (value: unknown): unknown => typeof value === "number" ? Number(value.toPrecision(4)) : value

/** An earlier run. */
const read = (path: string): About & { readonly results: ReadonlyArray<Result> } => {
  const run = JSON.parse(readFileSync(path, "utf8"))
  if (!Array.isArray(run.results)) throw new Error(`${path} is no result of npm run bench -- --json`)
  return run
}

const recordPath = join(import.meta.dirname, "results/latest.json")

/** What was recorded of other scenarios and stays true: on the same machine, with the same Node. */
const recorded = (about: About, results: ReadonlyArray<Result>): ReadonlyArray<Result> => {
  if (!existsSync(recordPath)) return results
  const before = read(recordPath)
  if (before.machine !== about.machine || before.node !== about.node) return results
  const all = [
    ...results,
    ...before.results.filter((old) => results.every((now) => now.scenario.name !== old.scenario.name))
  ]
  const order = scenarios.map(({ name }) => name)
  return all.sort((a, b) => order.indexOf(a.scenario.name) - order.indexOf(b.scenario.name))
}

/** Everybody who was ever measured, in the order of the list. */
const everybody = (results: ReadonlyArray<Result>): About["peers"] =>
  peers.filter(({ name }) => results.some(({ rounds }) => rounds[0]?.[name] !== undefined))
    .map(({ about, name }) => ({ name, about }))

const main = async () => {
  const before = flags.compare === undefined ? undefined : read(flags.compare).results
  const folder = mkdtempSync(join(tmpdir(), "hawser-bench-"))
  try {
    const generator = new Generator(folder)
    const machine = `${cpus()[0]?.model ?? "unknown CPU"} × ${cpus().length}, ${process.platform} ${release()}`
    say(`${machine}, Node ${process.version}; generator: ${generator.about}`)
    say(cores === undefined ? "not pinned to cores: there is one core only, or no taskset" : "one core each, pinned")
    const present = prepare(folder)
    const results: Array<Result> = []
    for (const scenario of chosen) {
      const done = await measureScenario(generator, scenario, present)
      results.push({ scenario, rounds: done })
      say(table(scenario, present.filter(({ services }) => services.includes(scenario.service)), done))
    }
    say(`\n${overview(present, results)}`)
    const about = {
      at: new Date().toISOString(),
      machine,
      node: process.version,
      generator: generator.about,
      ...time,
      peers: present.map(({ about, name }) => ({ name, about }))
    }
    const write = (
      json: string | undefined,
      html: string | undefined,
      about: About,
      results: ReadonlyArray<Result>
    ) => {
      const file = `${JSON.stringify({ ...about, results }, (_, value) => brief(value), 1)}\n`
      if (json !== undefined) writeFileSync(json, file)
      if (html !== undefined) writeFileSync(html, page(about, results))
    }
    write(flags.json, flags.html, about, results)
    if (flags.record) {
      const all = recorded(about, results)
      mkdirSync(dirname(recordPath), { recursive: true })
      write(recordPath, join(import.meta.dirname, "report.html"), { ...about, peers: everybody(all) }, all)
      say(`\nfor README.md, which a test compares with what is recorded:\n\n${standing(all)}`)
    }
    if (before !== undefined) say(`\n${compare(before, results)}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

if (flags.help) {
  say(usage)
} else if (flags.list) {
  for (const { name, title } of scenarios) say(`${name.padEnd(20)}${title}`)
  say(`${"checksums".padEnd(20)}CRCs beside the packages that compute them`)
} else if (unknown !== undefined) {
  process.stderr.write(`bench: there is no peer ${unknown}; there are ${peers.map(({ name }) => name).join(", ")}\n`)
  process.exitCode = 2
} else if (chosen.length === 0 && !checksums) {
  process.stderr.write(`bench: no scenario begins with ${names.join(" or ")}; --list shows them\n`)
  process.exitCode = 2
} else {
  if (chosen.length > 0) await main()
  if (checksums) await import("./checksums.ts")
}
