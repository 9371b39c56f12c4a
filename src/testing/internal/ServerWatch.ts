/**
 * Watches a server from its events, and knows what every server must keep: one close reason for each connection, counts
 * that add up, and a drain within its time.
 *
 * ```
 * Accepted --> open --> Ended(one reason)            accepted = open + ended
 * Waiting* --> Refused                               arrived = accepted + refused + waiting
 * Drained.elapsed <= announce + grace + force        served + drained + forced = accepted
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import { toMillis } from "../../internal/time.ts"
import * as Server from "../../Server.ts"
import * as Invariant from "./Invariant.ts"

/** The counts that events tell. @category models @since 0.1.0 */
export type Counts = Pick<Server.Stats, "accepted" | "open" | "ended" | "refused" | "waiting">

/** Those of all counts. @category models @since 0.1.0 */
export const toCounts = ({ accepted, ended, open, refused, waiting }: Server.Stats): Counts => ({
  accepted,
  open,
  ended,
  refused,
  waiting
})

/** A recorder of one server's events. @category models @since 0.1.0 */
export interface ServerWatch {
  /** Give it to the server as its `onEvent`. */
  readonly onEvent: (event: Server.Event) => void
  /** Every event so far. */
  readonly events: ReadonlyArray<Server.Event>
  /** The counts, as the events tell them; of the server that runs, where it was restarted. */
  readonly stats: () => Counts
  /** What must hold. */
  readonly invariants: Invariant.Invariants
}

/** What to watch. @category options @since 0.1.0 */
export interface Options {
  /** The server's `drain` option. @default the values in `Server.defaults` */
  readonly drain?: Server.DrainOptions | undefined
  /** What the invariants are called by; needed where there is more than one server. @default "server" */
  readonly name?: string | undefined
}

/**
 * Watches a server: give it `onEvent`, and its `invariants` to the scenario.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): ServerWatch => {
  const { name = "server" } = options
  const phases = ["announce", "grace", "force"] as const
  const limitMillis = phases
    .map((phase) => toMillis(options.drain?.[phase] ?? Server.defaults[phase]))
    .reduce((sum, millis) => sum + millis)
  const events: Array<Server.Event> = []
  let life = new Life(limitMillis)
  let broken: string | undefined
  return {
    events,
    onEvent: (event) => {
      events.push(event)
      // A host that was restarted has a new server.
      if (event._tag === "Listening") life = new Life(limitMillis)
      broken ??= life.take(event)
    },
    stats: () => life.stats,
    invariants: {
      [`${name}: every connection has one close reason, and the counts add up`]: Invariant.always(() => broken),
      [`${name}: nobody is in or waits at the end`]: Invariant.atEnd(() => life.left)
    }
  }
}

/** From one `Listening` to the next. */
class Life {
  private readonly limitMillis: number
  private readonly open = new Set<number>()
  private readonly waiting = new Set<number>()
  private readonly gone = new Set<number>()
  private accepted = 0
  private ended = 0
  private refused = 0

  constructor(limitMillis: number) {
    this.limitMillis = limitMillis
  }

  get stats(): Counts {
    const { accepted, ended, refused } = this
    return { accepted, open: this.open.size, ended, refused, waiting: this.waiting.size }
  }

  get left(): string | undefined {
    const { open, waiting } = this.stats
    return open === 0 && waiting === 0 ? undefined : `${open} connections have not ended, and ${waiting} wait`
  }

  /** What is wrong with this event. */
  take(event: Server.Event): string | undefined {
    switch (event._tag) {
      case "Waiting":
        // It may wait for more than one thing, one after the other.
        this.waiting.delete(event.id)
        return this.known(event.id) ?? void this.waiting.add(event.id)
      case "Accepted":
        this.waiting.delete(event.id)
        this.accepted++
        return this.known(event.id) ?? void this.open.add(event.id)
      case "Refused":
        this.refused++
        if (this.open.has(event.id)) return `connection ${event.id} was refused after it was let in`
        this.waiting.delete(event.id)
        return this.known(event.id) ?? void this.gone.add(event.id)
      case "Ended":
        this.ended++
        this.gone.add(event.id)
        return this.open.delete(event.id)
          ? undefined
          : `connection ${event.id} ended with ${event.reason._tag}, but it was not open`
      case "Drained":
        return this.drained(event.report)
      default:
        return undefined
    }
  }

  private known(id: number): string | undefined {
    return this.open.has(id) || this.waiting.has(id) || this.gone.has(id) ? `connection ${id} came twice` : undefined
  }

  private drained({ drained, elapsed, forced, refused, served }: Server.DrainReport): string | undefined {
    const millis = Duration.toMillis(elapsed)
    if (millis > this.limitMillis) return `the drain took ${millis} ms, over its limit of ${this.limitMillis} ms`
    const reported = served + drained + forced
    if (reported !== this.accepted) return `the drain reports ${reported} connections, ${this.accepted} were let in`
    if (refused !== this.refused) return `the drain reports ${refused} refused connections, there were ${this.refused}`
    return this.left
  }
}
