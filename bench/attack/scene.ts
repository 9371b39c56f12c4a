/**
 * The scene of an attack: a server, its well-behaved client, the enemies, and a list of what must hold.
 *
 * ```
 * what is there --> latency alone --> the attack, latency meanwhile --> silence --> what is left, and the books
 * ```
 */
import { after, Host, until } from "./enemy.ts"
import { type Facts, GoodClient, type Latency, type Left, type Setting, Target } from "./target.ts"

/** An attack, and what it is made on. */
export interface Attack {
  readonly name: string
  readonly title: string
  readonly setting: Setting
  /** Makes the attack; `scene` says whether it was held off. */
  readonly run: (scene: Scene) => Promise<void>
}

/** What came of an attack. */
export interface Outcome {
  readonly name: string
  readonly title: string
  readonly seconds: number
  /** What was measured, in the order of the table. */
  readonly figures: Readonly<Record<string, number | string>>
  /** One sentence for each thing that must hold, and did not. */
  readonly violations: ReadonlyArray<string>
  /** How many things were checked. */
  readonly checks: number
}

/**
 * How much slower the well-behaved client may be than alone, in the same run: a factor of its latency, or as many
 * milliseconds as one turn of a busy event loop takes, whichever is more.
 */
const bounds = {
  p50: { factor: 3, millis: 5 },
  p99: { factor: 5, millis: 50 }
} as const

/** Other programs on the machine make a client slower, and never faster: so the best of these counts,
 * for each percentile. */
const maxMeasures = 4

const measureMillis = 600

/** What a process may keep of an attack: code that was compiled, and tables of the engine that only grow. */
const maxKeptBytes = 4_000_000

/** What is counted in the server. */
const kinds = ["timers", "sockets", "connections", "watches", "arrivals", "fibers"] as const

/** How long after the last enemy everything may take to go: the linger, and a look of each timer. */
const silenceMillis = 6000

export class Scene {
  readonly target: Target
  readonly host = new Host()
  readonly violations: Array<string> = []
  readonly figures: Record<string, number | string> = {}
  checks = 0
  private readonly client: GoodClient
  private alone: Latency = { p50: Number.NaN, p99: Number.NaN, max: Number.NaN, lost: 0 }
  private before: { readonly left: Left; readonly descriptors: number } | undefined = undefined
  /** The drain was part of the attack. */
  isDrained = false

  private constructor(target: Target, client: GoodClient) {
    this.target = target
    this.client = client
  }

  /** Makes an attack, from the start of its server to the end. */
  static async play(attack: Attack): Promise<Outcome> {
    const from = performance.now()
    const target = await Target.start(attack.setting)
    let client: GoodClient | undefined
    let scene: Scene | undefined
    try {
      client = await GoodClient.start(target.port)
      scene = new Scene(target, client)
      await scene.begin()
      await attack.run(scene)
      await scene.finish(client)
    } finally {
      scene?.host.leave()
      await client?.stop()
      await target.stop()
    }
    const { checks, figures, violations } = scene
    const { name, title } = attack
    return { name, title, seconds: (performance.now() - from) / 1000, figures, violations, checks }
  }

  // --- what must hold ----------------------------------------------------------------------------------------------

  /** Takes a violation down where something does not hold. */
  must(holds: boolean, sentence: () => string): void {
    this.checks++
    if (!holds) this.violations.push(sentence())
  }

  equal(what: string, got: unknown, wanted: unknown): void {
    const [left, right] = [JSON.stringify(got), JSON.stringify(wanted)]
    this.must(left === right, () => `${what} is ${left}, and must be ${right}`)
  }

  atMost(what: string, got: number, max: number): void {
    this.must(got <= max, () => `${what} is ${got}, and must be at most ${max}`)
  }

  /** Waits for something that must come to hold. */
  async soon(what: string, millis: number, holds: () => boolean | Promise<boolean>): Promise<void> {
    this.must(await until(millis, holds), () => `${what}: not within ${millis} ms`)
  }

  /** Waits until so many enemies are in or on their way in. */
  async holds(count: number): Promise<void> {
    let held = 0
    await until(silenceMillis, async () => {
      const { handshaking, open } = (await this.target.facts()).stats
      held = open - 1 + handshaking
      return held === count
    })
    this.figures["held"] = held
    this.equal("enemies that hold a place", held, count)
  }

  /** Waits until the counts of reasons are these and no others, but for the well-behaved client's. */
  async ends(millis: number, wanted: Partial<Record<"endedBy" | "refusedBy", Counts>>): Promise<void> {
    let facts = await this.target.facts()
    const isDone = () =>
      (wanted.endedBy === undefined || total(facts.stats.endedBy) >= total(wanted.endedBy)) &&
      (wanted.refusedBy === undefined || total(facts.stats.refusedBy) >= total(wanted.refusedBy))
    await until(millis, async () => {
      facts = await this.target.facts()
      return isDone()
    })
    for (const name of ["endedBy", "refusedBy"] as const) {
      if (wanted[name] !== undefined) this.equal(name, ordered(facts.stats[name]), ordered(wanted[name]))
    }
  }

  // --- the client --------------------------------------------------------------------------------------------------

  /** Compares the client's latency with that of the beginning. */
  async latency(way: "stay" | "visit" = "stay"): Promise<void> {
    let best = await this.client.measure(way, measureMillis)
    for (let i = 1; i < maxMeasures && !this.isFast(best); i++) {
      const again = await this.client.measure(way, measureMillis)
      const least = (part: "p50" | "p99" | "max") => Math.min(best[part], again[part])
      best = { p50: least("p50"), p99: least("p99"), max: least("max"), lost: best.lost + again.lost }
    }
    const name = way === "stay" ? "" : "visit "
    this.figures[`${name}p50 ms`] = best.p50
    this.figures[`${name}p99 ms`] = best.p99
    this.equal(`${name}answers lost`, best.lost, 0)
    if (way === "visit") return
    for (const part of ["p50", "p99"] as const) {
      this.atMost(`${part} (alone ${this.alone[part].toFixed(2)} ms)`, best[part], this.bound(part))
    }
  }

  private bound(part: "p50" | "p99"): number {
    const { factor, millis } = bounds[part]
    return Math.max(this.alone[part] * factor, millis)
  }

  private isFast(latency: Latency): boolean {
    return latency.lost === 0 && latency.p50 <= this.bound("p50") && latency.p99 <= this.bound("p99")
  }

  // --- before and after --------------------------------------------------------------------------------------------

  private async begin(): Promise<void> {
    // Code is compiled for the first connections, which would look like a leak.
    await this.client.measure("visit", 300)
    this.alone = await this.client.measure("stay", measureMillis)
    this.figures["alone p50 ms"] = this.alone.p50
    this.figures["alone p99 ms"] = this.alone.p99
    await until(silenceMillis, async () => (await this.target.facts()).stats.open === 1)
    await this.target.order("left") // the first look finds what the second one can free
    this.before = { left: await this.target.order<Left>("left"), descriptors: this.target.descriptors }
  }

  private async finish(client: GoodClient): Promise<void> {
    this.host.leave()
    await this.nothingLeaks(this.isDrained ? 0 : 1)
    if (!this.isDrained) await this.drain()
    const facts = await this.target.facts()
    this.books(facts)
    await client.stop()
    this.must(await this.target.leave(silenceMillis), () => "something kept the server's process alive after its end")
  }

  /** Everything is as it was before the enemies came; or less, where the attack ended the server. */
  private async nothingLeaks(open: number): Promise<void> {
    const { before } = this
    if (before === undefined) throw new Error("the scene has not begun")
    await this.soon("all enemies are out", silenceMillis, async () => {
      const { stats } = await this.target.facts()
      return stats.open === open && stats.handshaking === 0 && stats.waiting === 0
    })
    let left = await this.target.order<Left>("left")
    const isClean = () =>
      kinds.every((kind) => left[kind] <= before.left[kind]) && this.target.descriptors <= before.descriptors &&
      left.heapBytes <= before.left.heapBytes + maxKeptBytes
    await until(silenceMillis, async () => {
      if (isClean()) return true
      await after(200)
      left = await this.target.order<Left>("left")
      return isClean()
    })
    for (const kind of kinds) this.atMost(`${kind} left`, left[kind], before.left[kind])
    this.atMost("descriptors left", this.target.descriptors, before.descriptors)
    this.atMost("bytes kept on the heap", left.heapBytes - before.left.heapBytes, maxKeptBytes)
    this.figures["kept kB"] = Math.round((left.heapBytes - before.left.heapBytes) / 1000)
  }

  /** Nothing is left but the client, which an idle drain lets go at once. */
  private async drain(): Promise<void> {
    const report = await this.target.order<Report>("drain")
    this.equal("forced by a drain without enemies", report.forced, 0)
  }

  private books({ broken, stats, told }: Facts): void {
    for (const rule of broken) this.must(false, () => rule)
    this.equal("endedBy by events", ordered(told.endedBy), ordered(stats.endedBy))
    this.equal("refusedBy by events", ordered(told.refusedBy), ordered(stats.refusedBy))
    this.equal("open, waiting, handshaking at the end", [stats.open, stats.waiting, stats.handshaking], [0, 0, 0])
    this.figures["arrived"] = stats.arrived
    this.figures["ended"] = show(stats.endedBy)
    this.figures["refused"] = show(stats.refusedBy)
  }
}

/** The counts of a drain. */
export interface Report {
  readonly served: number
  readonly drained: number
  readonly forced: number
  readonly refused: number
}

type Counts = Readonly<Record<string, number>>

/** The client's visits at the beginning ended well, and are no affair of the attack. */
const ordered = (counts: Counts) =>
  Object.entries(counts).filter(([tag]) => tag !== "PeerClosed").toSorted(([a], [b]) => a < b ? -1 : 1)

const total = (counts: Counts): number => ordered(counts).reduce((sum, [, count]) => sum + count, 0)

const show = (counts: Counts): string =>
  Object.entries(counts).map(([tag, count]) => `${tag} ${count}`).join(", ") || "none"
