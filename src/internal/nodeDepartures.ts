/**
 * Where a listener's sockets write often in one turn of the event loop, all of it leaves at the end of the turn.
 *
 * ```
 * poll:   read A, answer A    read B, answer B   ...
 *                    `-- copied ---------`-------------> [ A's | B's | ... ]
 * check:  write A's, write B's, ...
 * ```
 *
 * A peer that sleeps is woken by the first of them, and finds the others while this side still writes. Between reads, each
 * write would wake it anew, which costs this side more than the write does. Redis answers like that, too (`beforeSleep`).
 * It bought 8 % at 64x1 and with 256 in flight, 3 % at 1000x1, and 14 % of lines with 16 in flight.
 *
 * With few writes in a turn each leaves at once, for the two sides would take turns instead of working at the same time:
 * that cost 14 % with 4 connections and 5 % with 16. So now and then a turn is counted. An answer waits a millisecond while
 * others are computed, and until the one that is computed then is there: then all leave, and for a while none waits.
 */
import * as Context from "effect/Context"
import { performance } from "node:perf_hooks"

/** So many writes in a turn are worth it; 0 makes all of them wait. With 28 nothing is gained at 40x1, with 16 16x1 loses. */
export const WorthWhile = Context.Reference<number>("hawser/NodeTransport/WorthWhile", { defaultValue: () => 20 })

/** So many writes leave at once before the next turn is counted again, which costs two callbacks. */
const uncountedWrites = 128

/** Larger writes are not worth the copy. */
const maxWriteBytes = 32_768

/**
 * What waits leaves earlier when there is no room for more, and the next buffer is twice as large. One that the system did
 * not empty stays with a peer that does not read, so the next one is small again.
 */
const leastBytes = 16_384
const mostBytes = 131_072

const maxWaitMillis = 1

/** A socket whose bytes wait. */
export interface Departing {
  /** Hands bytes to the system; says whether it took all of them. */
  readonly depart: (bytes: Uint8Array) => boolean
}

export class Departures {
  private readonly worthWhile: number
  private readonly now: () => number
  /** Whether writes wait. */
  private isOn: boolean
  /** Those of this turn; while it is below 0, nobody counts. */
  private writes = 0
  private isQueued = false
  /** The counting began in the midst of this turn. */
  private isPart = false
  private bytes: Buffer<ArrayBuffer> | undefined = undefined
  /** Whose bytes wait, and up to where in `bytes`. */
  private readonly sockets: Array<Departing> = []
  private readonly ends: Array<number> = []
  private end = 0
  private since = 0

  /** `now` gives milliseconds. */
  constructor(worthWhile: number, now: () => number = () => performance.now()) {
    this.worthWhile = worthWhile
    this.now = now
    this.isOn = worthWhile === 0
  }

  /** Copies what may leave later; gives `false` for what is to leave now, behind everything that waits. */
  take(socket: Departing, segments: ReadonlyArray<Uint8Array>): boolean {
    if (++this.writes > 0 && !this.isQueued) {
      this.isQueued = true
      setImmediate(this.onTurn)
    }
    if (!this.isOn) return false
    let size = 0
    for (const segment of segments) size += segment.length
    const now = this.now()
    if (this.sockets.length > 0 && now - this.since > maxWaitMillis) this.stop()
    if (size > maxWriteBytes || !this.isOn) {
      this.flush()
      return false
    }
    const bytes = this.room(size)
    if (this.sockets.length === 0) this.since = now
    this.add(socket, segments, bytes)
    return true
  }

  private room(size: number): Buffer<ArrayBuffer> {
    if (this.bytes !== undefined && this.end + size <= this.bytes.length) return this.bytes
    this.flush()
    const { bytes } = this
    if (bytes?.length === mostBytes) return bytes
    const wanted = bytes === undefined ? leastBytes : Math.min(mostBytes, bytes.length * 2)
    return this.bytes = Buffer.allocUnsafeSlow(Math.max(size, wanted))
  }

  private add(socket: Departing, segments: ReadonlyArray<Uint8Array>, bytes: Buffer<ArrayBuffer>): void {
    for (const segment of segments) {
      bytes.set(segment, this.end)
      this.end += segment.length
    }
    const { ends, sockets } = this
    if (sockets.at(-1) === socket) {
      ends[ends.length - 1] = this.end
    } else {
      sockets.push(socket)
      ends.push(this.end)
    }
  }

  private readonly onTurn = (): void => {
    this.isQueued = false
    if (this.isPart && this.writes > 0) {
      this.isPart = false
      this.writes = 0
    } else if (this.writes >= this.worthWhile) {
      this.isOn = true
      this.writes = 0
    } else {
      this.stop()
    }
    this.flush()
  }

  /** Nothing is gained where there are few writes, or where answers take long. */
  private stop(): void {
    this.isOn = false
    this.isPart = true
    this.writes = -uncountedWrites
  }

  /** Everything that waits leaves. */
  flush(): void {
    const { bytes, ends, sockets } = this
    if (bytes === undefined || sockets.length === 0) return
    let isTaken = true
    let from = 0
    for (let i = 0; i < sockets.length; i++) {
      const to = ends[i] as number // as many as sockets
      if (!(sockets[i] as Departing).depart(bytes.subarray(from, to))) isTaken = false // i is below the length
      from = to
    }
    sockets.length = 0
    ends.length = 0
    this.end = 0
    // Node holds on to what the system did not take.
    if (!isTaken) this.bytes = undefined
  }
}
