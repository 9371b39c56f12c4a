/**
 * The server under attack and its well-behaved client, as the attackers see them: two processes that take orders.
 */
import type { Server } from "hawser"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { cores, pin } from "../processes.ts"
import { Speaker } from "../speaker.ts"

/** How the server is started. */
export interface Setting {
  /** What can be said in JSON. Everything else has its default. */
  readonly options: Omit<Server.Options, "tls" | "onEvent">
  /** Whether it also listens for TLS, on a port of its own. */
  readonly tls?: boolean
  /** How long a handler takes that cannot be interrupted. */
  readonly deafMillis?: number
  /** `ulimit -n` of its process; without it that of this one. */
  readonly descriptors?: number
}

/** What the server can be asked for. */
export type Order = "facts" | "left" | "drain" | "take descriptors" | "free some" | "free descriptors"

/** The server's counts, and what its events told. */
export interface Facts {
  readonly stats: Server.Stats
  readonly told: Pick<Server.Stats, "endedBy" | "refusedBy">
  readonly alarms: Readonly<Record<string, number>>
  /** The rules of the books that were broken. */
  readonly broken: ReadonlyArray<string>
}

/** What there is in the server after a garbage collection. */
export interface Left {
  readonly timers: number
  readonly heapBytes: number
  readonly sockets: number
  readonly connections: number
  readonly watches: number
  readonly arrivals: number
  readonly fibers: number
}

/** How long answers took, in milliseconds, and how many never came. */
export interface Latency {
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly lost: number
}

const program = (name: string, ...flags: ReadonlyArray<string>): ReadonlyArray<string> => [
  process.execPath,
  ...flags,
  "--conditions=hawser-source",
  join(import.meta.dirname, name)
]

/** Orders are obeyed within this time, a drain included. */
const patienceMillis = 30_000

/** A server that listens. */
export class Target {
  private readonly speaker: Speaker
  private readonly ports: ReadonlyArray<number>

  private constructor(speaker: Speaker, ports: ReadonlyArray<number>) {
    this.speaker = speaker
    this.ports = ports
  }

  static async start(setting: Setting): Promise<Target> {
    const command = pin(cores?.server, [
      ...program("server.ts", "--disable-warning=ExperimentalWarning"),
      JSON.stringify(setting)
    ])
    const { descriptors } = setting
    const limited = descriptors === undefined
      ? command
      : ["sh", "-c", `ulimit -n ${descriptors} && exec "$0" "$@"`, ...command]
    const speaker = new Speaker("server", limited, "inherit")
    const { ports } = await speaker.hear<{ readonly ports: ReadonlyArray<number> }>(patienceMillis)
    return new Target(speaker, ports)
  }

  get port(): number {
    return this.ports[0] ?? 0
  }

  get tlsPort(): number {
    return this.ports[1] ?? 0
  }

  /** What the system says of the process's descriptors; 0 where it does not tell, as outside of Linux. */
  get descriptors(): number {
    try {
      return readdirSync(`/proc/${this.speaker.process.pid}/fd`).length
    } catch {
      return 0
    }
  }

  order<A>(order: Order): Promise<A> {
    this.speaker.say(order)
    return this.speaker.hear<A>(patienceMillis)
  }

  readonly facts = (): Promise<Facts> => this.order<Facts>("facts")

  /** Ends it, and says whether it went by itself, with nothing left that keeps a process alive. */
  async leave(millis: number): Promise<boolean> {
    const { process } = this.speaker
    const exit = once(process, "exit")
    process.stdin?.end()
    const timer = setTimeout(() => process.kill("SIGKILL"), millis)
    const [code] = await exit
    clearTimeout(timer)
    return code === 0
  }

  /** Ends it for good. */
  stop(): Promise<void> {
    return this.speaker.stop()
  }
}

/** The client whose latency counts, and which has one connection all the time. */
export class GoodClient {
  private readonly speaker: Speaker

  private constructor(speaker: Speaker) {
    this.speaker = speaker
  }

  static async start(port: number): Promise<GoodClient> {
    const speaker = new Speaker("client", pin(cores?.generator, [...program("client.ts"), String(port)]))
    await speaker.hear(patienceMillis)
    return new GoodClient(speaker)
  }

  measure(way: "stay" | "visit", millis: number): Promise<Latency> {
    this.speaker.say(`${way} ${millis}`)
    return this.speaker.hear<Latency>(patienceMillis)
  }

  stop(): Promise<void> {
    return this.speaker.stop()
  }
}
