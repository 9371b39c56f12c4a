/**
 * The processes of a measurement: a server on one core, the generator on the other. Both stop when this one does, because
 * their stdin ends then, and the generator's time is limited besides.
 */
import { spawnSync } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { createServer } from "node:net"
import { availableParallelism, cpus } from "node:os"
import { join, resolve } from "node:path"
import { PeerFailure } from "./failures.ts"
import type { Time } from "./measure.ts"
import type { Peer } from "./peers.ts"
import type { Load, Scenario } from "./scenarios.ts"
import { Speaker } from "./speaker.ts"

const here = import.meta.dirname

const works = (command: string, args: ReadonlyArray<string>) =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0

/** The cores of server and generator, where they can be chosen. */
export const cores = availableParallelism() > 1 && works("taskset", ["-c", "0,1", "true"])
  ? { server: 0, generator: 1 }
  : undefined

export const pin = (core: number | undefined, command: ReadonlyArray<string>): ReadonlyArray<string> =>
  core === undefined ? command : ["taskset", "-c", String(core), ...command]

/** What a server says first: those of the suite a port, the program an endpoint. */
interface Listening {
  readonly port?: number
  readonly endpoint?: string
}

/** What is known of a server's memory; of the heap, where it can say. */
export interface Memory {
  readonly heapBytes?: number
  readonly residentBytes: number
}

/** A peer that is ready to be started. */
export interface Contestant extends Omit<Peer, "command"> {
  readonly command: ReadonlyArray<string>
}

/** A server that listens. */
export class RunningServer {
  readonly port: number
  private readonly speaker: Speaker
  private readonly isNode: boolean

  private constructor(speaker: Speaker, port: number, isNode: boolean) {
    this.speaker = speaker
    this.port = port
    this.isNode = isNode
  }

  static async start(
    { command, isNode }: Contestant,
    scenario: Scenario,
    flags: ReadonlyArray<string>
  ): Promise<RunningServer> {
    const [program = "", ...args] = command
    const speaker = new Speaker(
      "server",
      pin(cores?.server, [
        program,
        ...isNode ? ["--expose-gc", ...flags] : [],
        ...args,
        scenario.service,
        String(scenario.load.connections + 128)
      ])
    )
    const { endpoint, port } = await speaker.hear<Listening>(30_000)
    return new RunningServer(speaker, port ?? Number(endpoint?.split(":").at(-1)), isNode)
  }

  get pid(): number {
    return this.speaker.process.pid ?? 0
  }

  /** The process and those that it started. */
  get pids(): ReadonlyArray<number> {
    return [this.pid, ...childrenOf(this.pid)]
  }

  async memory(): Promise<Memory> {
    if (!this.isNode) return { residentBytes: residentBytes(this.pid) }
    this.speaker.say("collect") // the first collection finds what the second one can free
    await this.speaker.hear(30_000)
    this.speaker.say("collect")
    return this.speaker.hear<Memory>(30_000)
  }

  stop(): Promise<void> {
    return this.speaker.stop()
  }

  /** Sends SIGTERM, and waits for the end that it must lead to. */
  terminate(): Promise<void> {
    return this.speaker.terminate(30_000)
  }

  /** Why a measurement failed; when the server died, that is the reason. */
  explain(failure: PeerFailure): Promise<PeerFailure> {
    return this.speaker.explain(failure)
  }

  /** Runs a client, which is a program too, until it has called for a time. */
  static async call(
    { client: [program = "", ...args] = [] }: Contestant,
    { load }: Scenario,
    flags: ReadonlyArray<string>,
    port: number,
    { seconds, warmup }: Time
  ): Promise<CallReport> {
    const options = [port, load.connections, load.depth, load.bytes, warmup, seconds].map(String)
    const speaker = new Speaker("client", pin(cores?.server, [program, ...flags, ...args, ...options]))
    const report = await speaker.hear<CallReport>((warmup + seconds) * 1000 + 20_000)
    await speaker.stop()
    return report
  }
}

/** What a client says of its calls in the measured time. */
export interface CallReport {
  readonly calls: number
  readonly seconds: number
  readonly cpuSeconds: number
}

/** Linux tells; elsewhere nothing is known of them. */
const childrenOf = (pid: number): ReadonlyArray<number> => {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter((id) => id !== "").map(Number)
  } catch {
    return []
  }
}

const residentBytes = (pid: number): number => {
  try {
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024
  } catch (error) {
    throw new PeerFailure("nothing is known of the server's memory", { cause: error })
  }
}

/** What the generator saw in the measured time. `others` are the shares of a core that neither process used. */
export interface LoadReport {
  readonly requests: number
  readonly seconds: number
  readonly serverCpuSeconds: number
  readonly generatorCpuSeconds: number
  readonly othersOnServerCore: number
  readonly othersOnGeneratorCore: number
  readonly latencyMicros: Readonly<Record<"p50" | "p90" | "p99" | "p999" | "max", number>>
}

/** The load generator: native where there is a compiler, else the same in Node. */
export class Generator {
  readonly about: string
  private readonly command: ReadonlyArray<string>
  private readonly inNode: ReadonlyArray<string> = [process.execPath, resolve(here, "generator.ts")]

  /** Compiles it into the folder. */
  constructor(folder: string) {
    const program = join(folder, "generator")
    if (process.platform === "linux" && works("cc", ["-O2", "-o", program, join(here, "generator.c")])) {
      this.about = "native (generator.c)"
      this.command = [program]
    } else {
      this.about = "Node (generator.ts), because the machine has no cc: servers may outrun it"
      this.command = this.inNode
    }
  }

  /** Puts the load on the server for a time: as much as it takes, or at a fixed rate. */
  async drive(server: RunningServer, load: Load, time: Time & { readonly rate: number | undefined }) {
    const speaker = this.start(server, load, [
      `warmup=${time.warmup}`,
      `seconds=${time.seconds}`,
      ...time.rate === undefined ? [] : [`rate=${time.rate}`]
    ])
    const report = await speaker.hear<LoadReport>((time.warmup + time.seconds) * 1000 + 20_000)
    await speaker.stop()
    if (report.requests === 0) throw new PeerFailure("the server answered nothing in the measured time")
    return report
  }

  /** Opens connections and keeps them open while `during` runs. */
  async hold<A>(server: RunningServer, load: Load, during: () => Promise<A>): Promise<A> {
    const speaker = this.start(server, load, [])
    try {
      await speaker.hear(40_000)
      return await during()
    } finally {
      await speaker.stop()
    }
  }

  /** Is the server that clients call while `during` runs; only the native generator can. */
  async serve<A>(during: (port: number) => Promise<A>): Promise<A> {
    const speaker = new Speaker("generator", pin(cores?.generator, [...this.command, "mode=serve"]))
    try {
      const { port } = await speaker.hear<{ readonly port: number }>(5_000)
      return await during(port)
    } finally {
      await speaker.stop()
    }
  }

  private start(server: RunningServer, load: Load, args: ReadonlyArray<string>): Speaker {
    return new Speaker(
      "generator",
      pin(cores?.generator, [
        ...load.isSecure === true ? [...this.inNode, "tls=1"] : this.command,
        `port=${server.port}`,
        `mode=${load.mode}`,
        `connections=${load.connections}`,
        `depth=${load.depth}`,
        `bytes=${load.bytes}`,
        `pid=${server.pids.join(",")}`,
        `core=${cores?.server ?? -1}`,
        ...args
      ])
    )
  }
}

/** Lets no other suite on this machine measure meanwhile: who listens on a name that dies with its process has the turn. */
export const exclusively = async <A>(measure: () => Promise<A>): Promise<A> => {
  if (process.platform !== "linux") return measure()
  const turn = createServer()
  while (!turn.listening) {
    turn.listen("\0hawser-bench")
    await once(turn, "listening").catch(() => after(100 + Math.random() * 200))
  }
  try {
    return await measure()
  } finally {
    turn.close()
  }
}

const after = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))

/** Waits for a moment in which nobody else works on this machine, but not for ever. */
export const quiet = async (millis: number): Promise<void> => {
  const sampleMillis = 150
  for (let waited = 0; waited < millis; waited += sampleMillis) {
    const before = cpus()
    await after(sampleMillis)
    const idle = cpus().map((cpu, i) => cpu.times.idle - (before[i]?.times.idle ?? 0))
    if (idle.every((part) => part > sampleMillis * 0.75)) return
  }
}
