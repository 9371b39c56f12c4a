/**
 * What is under way in one direction of a simulated connection, in the order of sending, each with its own due time.
 *
 * ```
 * open | data | end | reset  --> due = max(the one before, now + bandwidth + latency) --> receive
 * ```
 *
 * Invariant: due times never go down; so what is before a reset that has come has come too, and is lost as a whole.
 * One timer waits for the first; the rest needs none. On a frozen route there is no timer at all: everything is kept,
 * and comes after the thaw, as what TCP sends again does.
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import type * as Random from "../Random.ts"
import type { SimulatedCore } from "./SimulatedCore.ts"
import type { SimulatedRoute } from "./SimulatedRoute.ts"

/** Something under way. @category models @since 0.1.0 */
export interface Segment {
  /** `open` is the last part of the handshake. */
  readonly kind: "open" | "data" | "end" | "reset"
  readonly sentAt: number
  due: number
  readonly parts: Array<Uint8Array>
  size: number
  /** Its size was drawn when it left; others are cut when they arrive, all pieces at one moment. */
  readonly cut: boolean
}

/** Holes at the front of the list are closed when there are so many, and as many as segments. */
const holesBeforeMove = 64

/** What is under way in one direction. @category models @since 0.1.0 */
export class SimulatedFlight {
  bytes = 0
  private readonly core: SimulatedCore
  private readonly route: SimulatedRoute
  private readonly random: () => Random.Random
  /** `doomed` data comes together with a reset that destroys it. */
  private readonly receive: (segment: Segment, doomed: boolean) => void
  private segments: Array<Segment> = []
  private head = 0
  private lastDue = 0
  private timer: (() => void) | undefined = undefined

  constructor(
    core: SimulatedCore,
    route: SimulatedRoute,
    random: () => Random.Random,
    receive: (segment: Segment, doomed: boolean) => void
  ) {
    this.core = core
    this.route = route
    this.random = random
    this.receive = receive
  }

  get isEmpty(): boolean {
    return this.segments.length === 0
  }

  send(kind: Segment["kind"], bytes?: Uint8Array, cut = false): void {
    const now = this.core.now()
    const size = bytes === undefined ? 0 : bytes.length
    this.bytes += size
    const last = this.segments.at(-1)
    // Written at one moment, sent together: three small writes in one tick of Node arrive as one chunk.
    if (
      bytes !== undefined && !cut && last !== undefined && last.kind === "data" && !last.cut && last.sentAt === now
    ) {
      last.parts.push(bytes)
      last.size += size
      return
    }
    const due = Math.max(this.lastDue, this.route.arrival(now, size, this.random))
    this.lastDue = due
    this.segments.push({ kind, sentAt: now, due, parts: bytes === undefined ? [] : [bytes], size, cut })
    this.arm()
  }

  /** The route is frozen now. */
  freeze(): void {
    this.timer?.()
    this.timer = undefined
  }

  /** The route is open again: what waited is sent anew. */
  thaw(): void {
    if (this.isEmpty) return
    const soonest = this.route.arrival(this.core.now(), 0, this.random)
    for (let at = this.head; at < this.segments.length; at++) {
      const segment = this.segments[at] as Segment // at is below the length
      if (segment.due < soonest) segment.due = soonest
    }
    this.lastDue = Math.max(this.lastDue, soonest)
    this.arm()
  }

  /** Forgets everything. */
  clear(): void {
    this.freeze()
    this.segments = []
    this.head = 0
    this.bytes = 0
  }

  private arm(): void {
    const first = this.segments[this.head]
    if (first === undefined || this.timer !== undefined || this.route.frozen) return
    this.timer = this.core.at(first.due, this.arrive)
  }

  private readonly arrive = (): void => {
    this.timer = undefined
    const first = this.segments[this.head]
    if (first === undefined) return
    // A clock may be a nanosecond early.
    const now = Math.max(this.core.now(), first.due)
    const last = this.segments.at(-1)
    const doomed = last !== undefined && last.kind === "reset" && last.due <= now
    // What arrives may freeze the route, or end the connection.
    for (let next: Segment | undefined = first; next !== undefined && next.due <= now && !this.route.frozen;) {
      this.segments[this.head] = taken
      this.head++
      this.bytes -= next.size
      if (this.head === this.segments.length) {
        this.segments = []
        this.head = 0
      } else if (this.head >= holesBeforeMove && this.head * 2 >= this.segments.length) {
        this.segments.splice(0, this.head)
        this.head = 0
      }
      this.receive(next, doomed)
      next = this.segments[this.head]
    }
    this.arm()
  }
}

/** In the place of a segment that arrived, to let go of its bytes. */
const taken: Segment = { kind: "end", sentAt: 0, due: 0, parts: [], size: 0, cut: false }

/** The bytes of a segment as one piece. @category getters @since 0.1.0 */
export const bytesOf = ({ parts }: Segment): Uint8Array => {
  const [first] = parts
  return parts.length === 1 && first !== undefined ? first : Bytes.concat(parts)
}
