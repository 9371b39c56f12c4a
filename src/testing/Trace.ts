/**
 * What happened on a simulated network: one line per event, and a count of each kind.
 *
 * ```
 *      0.000 server:7000 listens
 *      1.000 #1 client:49152 > server:7000 connected
 *      1.000 #1 client:49152 > server:7000 sends 5 @0
 *      2.000 #1 client:49152 > server:7000 accepted
 *      2.000 #1 client:49152 > server:7000 reads 5 @0
 *      7.250 #1 server:7000 > client:49152 reset
 * ```
 *
 * A line has the virtual milliseconds since the network was made, the connection's number, where the bytes come from
 * and where they go, what happened, how many bytes and from which place of the stream. What becomes of a dial at its
 * target, and `reads`, `ends` and `lost`, happen on the right; `corrupted` on the way; everything else on the left. It has
 * nothing of the machine or the run: the same seed and program give the same trace, byte for byte.
 *
 * The newest events are kept, `maxEvents` of them; counts and digest cover all of them.
 *
 * @since 0.1.0
 */
import * as Random from "./Random.ts"

/**
 * The kinds of events, with what they mean.
 *
 * @category constants
 * @since 0.1.0
 */
export const kinds = {
  listens: "a host listens",
  unlistens: "a listener was closed",
  bindFails: "a bind failed; the detail is the system's code",
  dials: "a dial began",
  dialDropped: "an attempt of a dial got lost: partition, black hole, host down, backlog full",
  connected: "a dial succeeded",
  dialFails: "a dial failed; the detail is the system's code",
  abandoned: "a dial was interrupted",
  waits: "a connection waits in the backlog",
  accepted: "a connection was accepted",
  turnedAway: "a connection was closed or reset before it was accepted",
  exhausted: "a host had no descriptor left",
  sends: "bytes left a host",
  blocked: "a writer must wait: the window is full",
  drained: "a writer may go on",
  reads: "a reader was given bytes",
  ends: "a reader was told the end",
  resets: "a reset left a host",
  lost: "a socket broke by a reset; the detail is the system's code",
  closes: "a socket is gone",
  timesOut: "a host gave up a connection whose bytes nobody acknowledges",
  corrupted: "a byte was changed under way",
  crashed: "a host went down",
  restarted: "a host is up again",
  fault: "a fault began; the detail is its kind",
  faultEnds: "a fault ended"
} as const

/** The kind of an event. @category models @since 0.1.0 */
export type Kind = keyof typeof kinds

/** How often each kind of event happened. @category models @since 0.1.0 */
export type Counts = Readonly<Record<Kind, number>>

/** One event. @category models @since 0.1.0 */
export interface Event {
  /** Virtual milliseconds since the network was made. */
  readonly time: number
  readonly kind: Kind
  /** The number of the connection, from 1; 0 for an event of none. */
  readonly connection: number
  /** `host:port`, or a host. */
  readonly from: string
  /** The other side, or empty. */
  readonly to: string
  /** -1 where bytes have no meaning. */
  readonly bytes: number
  /** The place of the first byte in its stream. */
  readonly offset: number
  /** A code or a name, or empty. */
  readonly detail: string
}

/** Writes an event as a line. @category formatting @since 0.1.0 */
export const format = (event: Event): string => {
  const time = event.time.toFixed(3).padStart(10)
  const connection = event.connection === 0 ? "" : ` #${event.connection}`
  const to = event.to === "" ? "" : ` > ${event.to}`
  const bytes = event.bytes < 0 ? "" : ` ${event.bytes} @${event.offset}`
  const detail = event.detail === "" ? "" : ` ${event.detail}`
  return `${time}${connection} ${event.from}${to} ${event.kind}${bytes}${detail}`
}

/** The newest events that are kept when nothing else was said: a minute of a busy test. @category options @since 0.1.0 */
export const defaultMaxEvents = 10_000

const kindNames = Object.keys(kinds) as Array<Kind> // its keys are the kinds
const codes = Object.fromEntries(kindNames.map((kind, code) => [kind, code + 1])) as Record<Kind, number> // of all kinds

/** The events of one network. @category models @since 0.1.0 */
export class Trace {
  readonly maxEvents: number
  private readonly ring: Array<Event> = []
  private recorded = 0
  private readonly tallies: Record<Kind, number>
  private sum = Random.hash("")
  private readonly listeners = new Set<(event: Event) => void>()

  constructor(maxEvents: number) {
    this.maxEvents = maxEvents
    this.tallies = Object.fromEntries(kindNames.map((kind) => [kind, 0])) as Record<Kind, number> // of all kinds
  }

  /** How often each kind of event happened, from the beginning. */
  get counts(): Counts {
    return this.tallies
  }

  /** How many events there were. */
  get size(): number {
    return this.recorded
  }

  /** How many events are kept no more. */
  get dropped(): number {
    return this.recorded - this.ring.length
  }

  /** A sum over all events from the beginning: equal traces have the same, others hardly ever. */
  get digest(): string {
    return this.sum.toString(16).padStart(8, "0")
  }

  /** The events that are kept, the oldest first. */
  get events(): ReadonlyArray<Event> {
    const start = this.recorded % Math.max(1, this.maxEvents)
    return this.dropped === 0 ? this.ring.slice() : [...this.ring.slice(start), ...this.ring.slice(0, start)]
  }

  /** The lines that are kept, the oldest first; the first one tells what is missing before them. */
  get lines(): ReadonlyArray<string> {
    const lines = this.events.map(format)
    return this.dropped === 0 ? lines : [`... ${this.dropped} earlier events`, ...lines]
  }

  /** Calls back for every event from now on, inside the network: the callee must not touch it. The result ends that. */
  watch(listener: (event: Event) => void): () => void {
    this.listeners.add(listener)
    return () => void this.listeners.delete(listener)
  }

  toString(): string {
    return this.lines.join("\n")
  }

  /** Adds an event. */
  record(event: Event): void {
    this.tallies[event.kind]++
    this.sum = digestOf(this.sum, event)
    if (this.ring.length < this.maxEvents) this.ring.push(event)
    else if (this.maxEvents > 0) this.ring[this.recorded % this.maxEvents] = event
    this.recorded++
    if (this.listeners.size > 0) { for (const listener of this.listeners) listener(event) }
  }
}

/** FNV-1a over what the line says, without writing it. */
const digestOf = (sum: number, event: Event): number => {
  let next = mix(sum, codes[event.kind])
  next = mix(next, Math.round(event.time * 1000))
  next = mix(next, event.connection)
  next = mix(next, event.bytes)
  next = mix(next, event.offset)
  next = Random.hash(event.from, next)
  next = Random.hash(event.to, next)
  return event.detail === "" ? next : Random.hash(event.detail, next)
}

const mix = (sum: number, value: number): number =>
  Math.imul(Math.imul(sum ^ (value | 0), 0x01000193) ^ Math.floor(value / 2 ** 32), 0x01000193) >>> 0
