/** How each kind of scenario is measured: one server, or one client, in a process of its own. */
import { PeerFailure } from "./failures.ts"
import { type Contestant, type Generator, RunningServer } from "./processes.ts"
import type { Measurement, MetricKey } from "./report.ts"
import type { Kind, Scenario } from "./scenarios.ts"

/** For how long the load goes on, in seconds. */
export interface Time {
  readonly warmup: number
  readonly seconds: number
}

/** What a measurement is made with. */
export interface Bench {
  readonly generator: Generator
  readonly time: Time
  /** Flags for Node, such as those for a profile. */
  readonly flags: ReadonlyArray<string>
  /** Requests per second, where the scenario has a fixed rate. */
  readonly rate: number | undefined
}

type Measure = (contestant: Contestant, scenario: Scenario, bench: Bench) => Promise<Measurement>

/** Starts a server, measures it, and stops it. */
const withServer = async (
  contestant: Contestant,
  scenario: Scenario,
  bench: Bench,
  measure: (server: RunningServer) => Promise<Measurement>
): Promise<Measurement> => {
  const server = await RunningServer.start(contestant, scenario, bench.flags)
  try {
    return await measure(server)
  } catch (error) {
    throw error instanceof PeerFailure ? await server.explain(error) : error
  } finally {
    await server.stop()
  }
}

const quietly = (values: Measurement["values"]): Measurement => ({ values, noise: 0, repeats: 0 })

/** Drives a server. What comes first in the result is the first column of the table. */
const load = (first: ReadonlyArray<MetricKey>): Measure => (contestant, scenario, bench) =>
  withServer(contestant, scenario, bench, async (server) => {
    const report = await bench.generator.drive(server, scenario.load, { ...bench.time, rate: bench.rate })
    const { latencyMicros: { p50, p99, p999 }, requests, seconds, serverCpuSeconds } = report
    const known = serverCpuSeconds > 0
    const all: Partial<Record<MetricKey, number>> = {
      rate: requests / seconds,
      ...known ? { cpu: serverCpuSeconds / requests * 1e6 } : {},
      p50,
      p99,
      p999
    }
    const ordered = [...first, "rate", "cpu", "p50", "p99", "p999"] as const
    return {
      values: Object.fromEntries(ordered.flatMap((key) => all[key] === undefined ? [] : [[key, all[key]]])),
      busy: known ? serverCpuSeconds / seconds : undefined,
      noise: Math.max(report.othersOnServerCore, report.othersOnGeneratorCore),
      repeats: 0
    }
  })

const memory: Measure = (contestant, scenario, bench) =>
  withServer(contestant, scenario, bench, async (server) => {
    // The first connections make the server compile its code, which is not theirs.
    await bench.generator.hold(server, { ...scenario.load, connections: 100 }, () => server.memory())
    const before = await server.memory()
    const after = await bench.generator.hold(server, scenario.load, () => server.memory())
    const perConnection = (key: keyof typeof after) =>
      ((after[key] ?? Number.NaN) - (before[key] ?? Number.NaN)) / scenario.load.connections / 1024
    return quietly({ resident: perConnection("residentBytes"), heap: perConnection("heapBytes") })
  })

const drain: Measure = (contestant, scenario, bench) =>
  withServer(contestant, scenario, bench, async (server) => {
    const millis = await bench.generator.hold(server, scenario.load, async () => {
      const from = performance.now()
      await server.terminate()
      return performance.now() - from
    })
    return quietly({ millis })
  })

/** A start is short and its time uneven: the middle one of several counts. */
const starts = 7

const start: Measure = async (contestant, scenario, bench) => {
  const all: Array<number> = []
  for (let i = 0; i < starts; i++) {
    const from = performance.now()
    await withServer(contestant, scenario, bench, () => {
      all.push(performance.now() - from)
      return Promise.resolve(quietly({}))
    })
  }
  return quietly({ millis: all.sort((a, b) => a - b)[starts >> 1] ?? Number.NaN })
}

const calls: Measure = async (contestant, scenario, bench) => {
  const report = await bench.generator.serve((port) =>
    RunningServer.call(contestant, scenario, bench.flags, port, bench.time)
  )
  if (report.calls === 0) throw new PeerFailure("the client made no call in the measured time")
  return quietly({ rate: report.calls / report.seconds, cpu: report.cpuSeconds / report.calls * 1e6 })
}

/** The measurement of each kind. */
export const measures: Readonly<Record<Kind, Measure>> = {
  throughput: load(["rate"]),
  latency: load(["p999", "p99", "p50"]),
  memory,
  drain,
  start,
  calls
}
