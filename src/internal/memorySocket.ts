/**
 * A raw socket in memory: one end of a pair, each with the queue of what its peer wrote.
 */
import type * as Endpoint from "../Endpoint.ts"
import type * as Transport from "../Transport.ts"
import { lend } from "./lend.ts"

/** What one direction holds before the writer must wait: the size of one read on a socket. */
const windowBytes = 65_536

/** After so many deliveries in microtasks one goes through the event loop, so that timers are never starved. */
const turnsBeforeYield = 256

/** When what is due happens: in later turns, in the order of asking. */
export interface Turns {
  readonly run: (task: () => void) => void
}

/** The turns of one network. */
export const makeTurns = (): Turns => {
  let left = turnsBeforeYield
  return {
    run: (task) => {
      if (left > 0) {
        left--
        queueMicrotask(task)
      } else {
        setImmediate(() => {
          left = turnsBeforeYield
          task()
        })
      }
    }
  }
}

export class MemorySocket implements Transport.RawSocket {
  readonly id: number
  readonly local: Endpoint.Endpoint
  readonly peer: Endpoint.Endpoint
  /** Called once, when this end is gone. */
  onGone: () => void = () => {}
  private readonly turns: Turns
  private other: MemorySocket | undefined
  private handler: Transport.RawHandler | undefined
  /** What the peer wrote and this side has not read. */
  private queue: Array<Uint8Array> = []
  private queuedBytes = 0
  /** What this side put back, in front of the queue; it does not count as the peer's any more. Never empty. */
  private returned: Array<Uint8Array> | undefined = undefined
  private paused = true
  private scheduled = false
  /** The peer ended its side; seen by the handler once the queue is empty. */
  private ending = false
  private readEnded = false
  private writeEnded = false
  private needDrain = false
  private closed = false
  private closeSeen = false
  private code: string | undefined

  constructor(id: number, local: Endpoint.Endpoint, peer: Endpoint.Endpoint, turns: Turns) {
    this.id = id
    this.local = local
    this.peer = peer
    this.turns = turns
  }

  static pair(left: MemorySocket, right: MemorySocket): void {
    left.other = right
    right.other = left
  }

  get bytesUnsent(): number {
    return this.other === undefined ? 0 : Math.max(0, this.other.queuedBytes - windowBytes)
  }

  attach(handler: Transport.RawHandler): void {
    this.handler = handler
    // A new handler is told how things stand.
    this.readEnded = false
    this.closeSeen = false
    this.schedule()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.schedule()
  }

  unshift(chunk: Uint8Array): void {
    if (this.closed || this.readEnded || chunk.length === 0) return
    this.returned = [chunk, ...this.returned ?? []]
  }

  write(segments: ReadonlyArray<Uint8Array>): boolean {
    if (this.closed || this.writeEnded) return true
    const other = this.other
    if (other === undefined || other.closed) {
      // The peer is gone: what arrives there is answered by a reset.
      this.close("EPIPE")
      return true
    }
    for (const segment of segments) {
      other.queue.push(new Uint8Array(segment)) // not slice: that of a Buffer copies nothing
      other.queuedBytes += segment.length
    }
    other.schedule()
    // Who was told to wait is told to go on, also where the window has room by now.
    if (other.queuedBytes >= windowBytes) this.needDrain = true
    return !this.needDrain
  }

  end(): void {
    if (this.closed || this.writeEnded) return
    this.writeEnded = true
    if (this.other !== undefined) {
      this.other.ending = true
      this.other.schedule()
    }
    this.schedule()
  }

  destroy(): void {
    if (this.closed) return
    const other = this.other
    if (this.queuedBytes > 0) return this.reset()
    other?.loseUnsent()
    this.close(undefined)
    if (other !== undefined) {
      other.ending = true
      other.schedule()
    }
  }

  /** Forgets what the peer wrote and the window did not take: it never left the peer. */
  private loseUnsent(): void {
    for (let over = this.queuedBytes - windowBytes; over > 0; over = this.queuedBytes - windowBytes) {
      const last = this.queue.pop() as Uint8Array // queuedBytes counts what the queue holds
      this.queuedBytes -= last.length
      if (last.length > over) {
        this.queue.push(last.subarray(0, last.length - over))
        this.queuedBytes += last.length - over
      }
    }
  }

  reset(): void {
    if (this.closed) return
    this.close(undefined)
    const other = this.other
    if (other !== undefined && !other.closed) {
      other.queue = []
      other.queuedBytes = 0
      other.close("ECONNRESET")
    }
  }

  private close(code: string | undefined): void {
    if (this.closed) return
    this.closed = true
    this.code = code
    this.queue = []
    this.queuedBytes = 0
    this.returned = undefined
    this.onGone()
    this.schedule()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.turns.run(() => {
      this.scheduled = false
      this.deliver()
    })
  }

  /** One turn: what is due now, in TCP's order: room to write, data, end of stream, close. */
  private deliver(): void {
    const handler = this.handler
    if (handler === undefined || this.closeSeen) return
    if (this.needDrain && !this.closed && (this.other?.queuedBytes ?? 0) < windowBytes) {
      this.needDrain = false
      handler.onDrain()
    }
    if (!this.closed && !this.paused && this.hasUnread) {
      const chunk = this.readReturned() ?? this.read()
      this.other?.schedule()
      this.schedule()
      return lend(handler, chunk)
    }
    if (!this.closed && !this.paused && this.ending && !this.readEnded) {
      this.readEnded = true
      handler.onEnd()
    }
    if (!this.closed && this.readEnded && this.writeEnded && this.bytesUnsent === 0) {
      this.close(undefined)
    }
    if (this.closed && !this.closeSeen) {
      this.closeSeen = true
      handler.onClose(this.code)
    }
  }

  private get hasUnread(): boolean {
    return this.returned !== undefined || this.queuedBytes > 0
  }

  private readReturned(): Uint8Array | undefined {
    const chunk = this.returned?.shift()
    if (this.returned?.length === 0) this.returned = undefined
    return chunk
  }

  /** Joins what is queued, up to a window: the kernel keeps no boundaries. */
  private read(): Uint8Array {
    const first = this.queue[0]
    if (first !== undefined && this.queue.length === 1 && first.length <= windowBytes) {
      this.queue = []
      this.queuedBytes = 0
      return first
    }
    const chunk = new Uint8Array(Math.min(this.queuedBytes, windowBytes))
    let filled = 0
    while (filled < chunk.length) {
      const next = this.queue[0] as Uint8Array // queuedBytes counts what the queue holds
      const part = next.subarray(0, chunk.length - filled)
      chunk.set(part, filled)
      filled += part.length
      if (part.length === next.length) this.queue.shift()
      else this.queue[0] = next.subarray(part.length)
    }
    this.queuedBytes -= filled
    return chunk
  }
}
