/**
 * The books of a server under attack: what its events tell of each connection, compared with its own counts.
 *
 * ```
 * nothing --Waiting--> waiting --Accepted--> in --Ended--> ended
 *    |                    `------Refused---> refused
 *    `--Accepted, Refused: the same without having waited
 * ```
 *
 * One byte for each connection, in a table that is made at the start: so the books do not look like a leak.
 */
import type { Server } from "hawser"

const fates = { nothing: 0, waiting: 1, in: 2, ended: 3, refused: 4 } as const

/** More than any attack makes. */
const maxConnections = 1 << 20

/** Broken rules that are kept; the first ones say the most. */
const maxBroken = 5

export class Books {
  /** One sentence for each rule that was broken, of the first ones. */
  readonly broken: Array<string> = []
  /** How many ended, by the tag of the reason in the event. */
  readonly endedBy: Record<string, number> = {}
  /** How many were refused, by the limit of an `OverLimit` and the tag of any other reason. */
  readonly refusedBy: Record<string, number> = {}
  /** How often each limit alarmed. */
  readonly alarms: Record<string, number> = {}
  private readonly fate = new Uint8Array(maxConnections)

  /** Takes an event down; `stats` are the counts of the moment in which it was told. */
  note(event: Server.Event, stats: Server.Stats | undefined): void {
    if (stats !== undefined) this.compare(event._tag, stats)
    switch (event._tag) {
      case "Waiting":
        return this.move(event.id, [fates.nothing, fates.waiting], fates.waiting, event._tag)
      case "Accepted":
        return this.move(event.id, [fates.nothing, fates.waiting], fates.in, event._tag)
      case "Ended":
        add(this.endedBy, event.reason._tag)
        return this.move(event.id, [fates.in], fates.ended, event._tag)
      case "Refused":
        add(this.refusedBy, event.reason._tag === "OverLimit" ? event.reason.limit : event.reason._tag)
        return this.move(event.id, [fates.nothing, fates.waiting], fates.refused, event._tag)
      case "Alarm":
        return add(this.alarms, event.limit)
      default:
    }
  }

  /** The sums that hold at each event, and the counts by reason. */
  compare(when: string, stats: Server.Stats): void {
    const { accepted, arrived, ended, handshaking, open, refused, waiting } = stats
    if (accepted !== open + ended) this.break(`${when}: accepted ${accepted} is not open ${open} + ended ${ended}`)
    if (arrived !== accepted + refused + waiting + handshaking) {
      const parts = `accepted ${accepted} + refused ${refused} + waiting ${waiting} + handshaking ${handshaking}`
      this.break(`${when}: arrived ${arrived} is not ${parts}`)
    }
    if (ended !== sum(stats.endedBy)) this.break(`${when}: ended ${ended} is not the sum of endedBy`)
    if (refused !== sum(stats.refusedBy)) this.break(`${when}: refused ${refused} is not the sum of refusedBy`)
  }

  private move(id: number, from: ReadonlyArray<number>, to: number, what: string): void {
    const before = this.fate[id]
    if (before === undefined || !from.includes(before)) {
      const name = Object.entries(fates).find(([, fate]) => fate === before)?.[0]
      this.break(`${what} came for connection ${id}, which was ${name ?? "beyond the books"}`)
    }
    this.fate[id] = to
  }

  private break(rule: string): void {
    if (this.broken.length < maxBroken) this.broken.push(rule)
  }
}

const add = (counts: Record<string, number>, name: string): void => {
  counts[name] = (counts[name] ?? 0) + 1
}

const sum = (counts: Readonly<Record<string, number>>): number =>
  Object.values(counts).reduce((total, count) => total + count, 0)
