/**
 * `npm run bench`: servers side by side over loopback TCP, in one run. `README.md` says how to read what it prints.
 *
 * A round measures every peer once, each in a fresh process, in an order that changes from round to round; ratios are
 * taken within a round. A measurement that other programs disturbed is repeated, and rounds are added while the ratios
 * lie far apart.
 */
import { writeFileSync } from "node:fs"
import { cpus, release } from "node:os"
import { basename, resolve } from "node:path"
import { parseArgs } from "node:util"
import { cores, exclusively, Generator, quiet, RunningServer } from "./processes.ts"
import { maxNoise, type Measurement, overview, type Round, summarize, table, uncertainty } from "./report.ts"
import { type Peer, peers, reference, type Scenario, scenarios } from "./scenarios.ts"

const usage = `npm run bench [-- NAME ...]      scenarios whose names begin so; all without one
  --peers A,B        only these, besides ${reference}
  --rounds N         at least N rounds (5); up to twice as many while the ratios lie far apart
  --seconds S        measured time of a run (1.5), after --warmup S (2)
  --tree FOLDER      also the hawser of another working tree, such as one with a change to try; may be repeated
  --json FILE        everything measured
  --cpu-prof FOLDER  a CPU profile of every server (one round is enough)
  --list             the names`

const { positionals: names, values: flags } = parseArgs({
  allowPositionals: true,
  options: {
    peers: { type: "string" },
    rounds: { type: "string", default: "5" },
    seconds: { type: "string", default: "1.5" },
    warmup: { type: "string", default: "2" },
    tree: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
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
const profileFolder = flags["cpu-prof"]
const wantedPeers = flags.peers?.split(",")

const chosen = names.length === 0
  ? scenarios
  : scenarios.filter(({ name }) => names.some((prefix) => name.startsWith(prefix)))
/** Another kind of benchmark: in this process, with no server and no generator. */
const checksums = names.length === 0 || names.some((prefix) => "checksums".startsWith(prefix))
const present = [
  ...peers.filter(({ name }) => name === reference || wantedPeers === undefined || wantedPeers.includes(name)),
  ...flags.tree.map((folder): Peer => ({
    name: basename(folder),
    about: `hawser's server in ${resolve(folder)}`,
    file: resolve(folder, "bench/servers/hawser.ts")
  }))
]

const measureLoad = async (generator: Generator, server: RunningServer, { load }: Scenario): Promise<Measurement> => {
  const report = await generator.drive(server, load, time)
  const { latencyMicros: { p50, p99, p999 }, requests, seconds, serverCpuSeconds } = report
  const known = serverCpuSeconds > 0
  return {
    values: {
      rate: requests / seconds,
      ...known ? { cpu: serverCpuSeconds / requests * 1e6 } : {},
      p50,
      p99,
      p999
    },
    busy: known ? serverCpuSeconds / seconds : undefined,
    noise: Math.max(report.othersOnServerCore, report.othersOnGeneratorCore),
    repeats: 0
  }
}

const measureMemory = async (generator: Generator, server: RunningServer, { load }: Scenario): Promise<Measurement> => {
  // The first connections make the server compile its code, which is not theirs.
  await generator.hold(server, { ...load, connections: 100 }, () => server.memory())
  const before = await server.memory()
  const after = await generator.hold(server, load, () => server.memory())
  const perConnection = (key: keyof typeof after) => (after[key] - before[key]) / load.connections / 1024
  return {
    values: { resident: perConnection("residentBytes"), heap: perConnection("heapBytes") },
    noise: 0,
    repeats: 0
  }
}

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
  peer: Peer,
  scenario: Scenario,
  patience: Patience
): Promise<Measurement> => {
  const attempt = async (): Promise<Measurement> => {
    const loads = scenario.load.mode !== "idle"
    if (loads) await patience.spend(() => quiet(Math.min(quietMillis, patience.leftMillis)))
    const profile = profileFolder === undefined
      ? []
      : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${scenario.name}.${peer.name}.cpuprofile`]
    const server = await RunningServer.start(peer, scenario, profile)
    try {
      return await (loads ? measureLoad : measureMemory)(generator, server, scenario)
    } finally {
      await server.stop()
    }
  }
  let best = await attempt()
  for (let repeats = 1; repeats <= maxRepeats && best.noise > maxNoise && patience.leftMillis > 0; repeats++) {
    const again = await patience.spend(attempt)
    best = { ...again.noise < best.noise ? again : best, repeats }
  }
  return best
}

const measureScenario = async (generator: Generator, scenario: Scenario): Promise<ReadonlyArray<Round>> => {
  const done: Array<Round> = []
  const patience = new Patience()
  const isUnsure = () => done.length < rounds * 2 && uncertainty(done) > maxUncertainty && patience.leftMillis > 0
  while (done.length < rounds || isUnsure()) {
    const first = done.length % present.length
    const round: Record<string, Measurement> = {}
    for (const peer of [...present.slice(first), ...present.slice(0, first)]) {
      if (process.stderr.isTTY) {
        process.stderr.write(`\r\x1b[K${scenario.name}, round ${done.length + 1}: ${peer.name} `)
      }
      round[peer.name] = await exclusively(() => measure(generator, peer, scenario, patience))
    }
    done.push(round)
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K")
  return done
}

const main = async () => {
  const generator = new Generator()
  try {
    const machine = `${cpus()[0]?.model ?? "unknown CPU"} × ${cpus().length}, ${process.platform} ${release()}`
    say(`${machine}, Node ${process.version}; generator: ${generator.about}`)
    say(cores === undefined ? "not pinned to cores: there is one core only, or no taskset" : "one core each, pinned")
    for (const { about, name } of present) say(`  ${name.padEnd(10)}${about}`)
    const results = []
    for (const scenario of chosen) {
      const done = await measureScenario(generator, scenario)
      results.push({ scenario, rounds: done })
      say(table(scenario, present, done))
    }
    say(`\n${overview(present, results)}`)
    if (flags.json === undefined) return
    const scenarioResults = results.map(({ rounds, scenario }) => ({
      ...scenario,
      summary: Object.fromEntries(present.map(({ name }) => [name, summarize(rounds, name)])),
      rounds
    }))
    const about = { at: new Date().toISOString(), machine, node: process.version, generator: generator.about, ...time }
    writeFileSync(flags.json, `${JSON.stringify({ ...about, scenarios: scenarioResults }, undefined, 2)}\n`)
  } finally {
    generator.remove()
  }
}

if (flags.help) {
  say(usage)
} else if (flags.list) {
  for (const { name, title } of scenarios) say(`${name.padEnd(20)}${title}`)
  say(`${"checksums".padEnd(20)}CRCs beside the packages that compute them`)
} else if (chosen.length === 0 && !checksums) {
  process.stderr.write(`bench: no scenario begins with ${names.join(" or ")}; --list shows them\n`)
  process.exitCode = 2
} else {
  if (chosen.length > 0) await main()
  if (checksums) await import("./checksums.ts")
}
