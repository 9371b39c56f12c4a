/** Runs one scenario on this machine: waits for quiet, repeats what was disturbed, tries twice what failed. */
import { caught, PeerFailure, twice, WrongReply } from "./failures.ts"
import { measures, type Time } from "./measure.ts"
import { reference } from "./peers.ts"
import { type Contestant, exclusively, type Generator, quiet } from "./processes.ts"
import { maxNoise, type Measurement, type Result } from "./report.ts"
import { takeRounds } from "./rounds.ts"
import type { Scenario } from "./scenarios.ts"

/** A noisy measurement is taken again so many times; then the quietest one counts. */
const maxRepeats = 3

/** How long a measurement waits for the machine to be quiet, and how long all of a scenario do, repetitions included. */
const quietMillis = 10_000
const patienceMillis = 90_000

/** How each scenario is run. */
export interface Run {
  readonly generator: Generator
  readonly time: Time
  readonly rounds: number
  readonly maxRounds: number
  /** Where Node's servers leave CPU profiles. */
  readonly profileFolder: string | undefined
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

/** What is going on, where somebody looks; the next line takes its place. */
const progress = (text: string) => {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

const measure = async (
  { generator, profileFolder, time }: Run,
  peer: Contestant,
  scenario: Scenario,
  rate: number | undefined,
  patience: Patience
): Promise<Measurement> => {
  const where = `${scenario.name}, ${peer.name}`
  const flags = profileFolder === undefined
    ? []
    : ["--cpu-prof", `--cpu-prof-dir=${profileFolder}`, `--cpu-prof-name=${scenario.name}.${peer.name}.cpuprofile`]
  const once = async (): Promise<Measurement> => {
    if (scenario.kind !== "memory") await patience.spend(() => quiet(Math.min(quietMillis, patience.leftMillis)))
    return measures[scenario.kind](peer, scenario, { generator, time, flags, rate })
  }
  const attempt = () =>
    twice(once, (reason) => {
      progress("")
      process.stderr.write(`${where}: ${reason}; trying once more\n`)
    })
  try {
    let best = await attempt()
    for (let repeats = 1; repeats <= maxRepeats && best.noise > maxNoise && patience.leftMillis > 0; repeats++) {
      const again = await patience.spend(attempt)
      best = { ...again.noise < best.noise ? again : best, repeats }
    }
    return best
  } catch (error) {
    throw error instanceof WrongReply ? new WrongReply(`${where}: ${error.message}`, { cause: error }) : error
  }
}

/** Half of the requests per second that the reference answers with one in flight on each connection. */
const halfThePeak = async (run: Run, scenario: Scenario, peer: Contestant, patience: Patience): Promise<number> => {
  const closed: Scenario = { ...scenario, kind: "throughput", load: { ...scenario.load, depth: 1 } }
  const peak = await exclusively(() => measure(run, peer, closed, undefined, patience))
  return Math.round((peak.values.rate ?? Number.NaN) / 2)
}

/** Measures a scenario on those that have its service. Throws `WrongReply`. */
export const runScenario = async (
  run: Run,
  scenario: Scenario,
  present: ReadonlyArray<Contestant>
): Promise<Result> => {
  const patience = new Patience()
  const able = new Map(
    present.filter(({ services }) => services.includes(scenario.service)).map((one) => [one.name, one])
  )
  const first = able.get(reference)
  const rate = scenario.kind === "latency" && first !== undefined
    ? await caught(() => halfThePeak(run, scenario, first, patience))
    : undefined
  if (rate instanceof PeerFailure) {
    return { scenario, rounds: [], leftOut: [{ peer: reference, reason: rate.message }] }
  }
  const seen = await takeRounds(
    [...able.keys()],
    { least: run.rounds, most: run.maxRounds, hasTime: () => patience.leftMillis > 0 },
    (name, round) => {
      const peer = able.get(name)
      if (peer === undefined) throw new Error(`${name} is not measured in ${scenario.name}`)
      progress(`${scenario.name}, round ${round}: ${name} `)
      return exclusively(() => measure(run, peer, scenario, rate, patience))
    }
  )
  progress("")
  return { scenario, ...seen }
}
