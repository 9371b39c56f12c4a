/**
 * What a server knows of the time and the memory of one connection: plain numbers, written where something happens and
 * read when a deadline may be due.
 *
 * ```
 * chunk --arriving--> movedAt        frame: [frameAt ---------- now]   begun, and not whole
 *   `---arrived-----> frameAt        write: [stalledAt -------- now]   bytes wait, and none leaves
 * write --sent------> stalledAt      held:  bytes decoded for nobody yet, half decoded, or not taken by the kernel
 * ```
 *
 * The clock is read once per chunk, however many frames it brings, and once per write that no chunk led to. Nothing is
 * allocated. A watch asks for an earlier look at it (`advance`) only when something begins that is due before the look it
 * waits for: at most once per look.
 *
 * Invariant: the sum of `held` of all watches is `budget.bytes`.
 */
import type * as CloseReason from "../CloseReason.ts"

/** The bytes that a whole server holds, and may hold. */
export interface Budget {
  bytes: number
  maxBytes: number
}

/** What all watches of one server share. */
export interface Watcher {
  /** How long after it began something of a frame or a request may be due; `Infinity` where nothing is. */
  readonly frameMillis: number
  readonly requestMillis: number
  /** How long after bytes began to wait to look whether they left. */
  readonly lookMillis: number
  readonly budget: Budget
  /** Whole milliseconds since some moment. */
  readonly now: () => number
  /** Looks at a watch no later than at `due`. */
  readonly advance: (watch: Watch, due: number) => void
  /** Calls `noteRequest` when the current turn of JavaScript is over. */
  readonly noteSoon: (watch: Watch) => void
  /** The connection holds more than before: perhaps more than there is. */
  readonly grown: (watch: Watch) => void
}

/** The connection as its watch sees it. */
export interface Watched {
  readonly bytesIn: number
  readonly bytesOut: number
  readonly bytesUnsent: number
  /** What of a write under way the system has not taken, where the transport knows; any change is a move. */
  readonly bytesQueued: number | undefined
  readonly bytesHeld: number
  readonly messagesIn: number
  readonly reason: CloseReason.CloseReason | undefined
  /** The reader waits for the peer. */
  readonly isHeard: boolean
  /** More input is wanted. */
  readonly isReading: boolean
  readonly shutdown: (reason: CloseReason.CloseReason) => void
  readonly abort: (reason: CloseReason.CloseReason) => void
}

/** The connection that a server opened, whoever talks over its socket by now. */
export interface Root extends Watched {
  overdue: CloseReason.CloseReason | undefined
  readonly lost: CloseReason.CloseReason | undefined
  readonly isClosed: boolean
  readonly fiber: { readonly interruptUnsafe: () => void } | undefined
  readonly drain: (reason: CloseReason.CloseReason) => void
}

export class Watch {
  /** Its place in the heap, and when it is looked at. */
  index = -1
  due = Number.POSITIVE_INFINITY
  readonly root: Root
  /** Who talks over the socket: the root, or who took its place. */
  subject: Watched
  readonly openedAt: number
  /** Which part of the jitter its lifetime loses; from 0 to 1. */
  readonly draw: number
  /** The last byte, in either direction. */
  movedAt: number
  /** The reader began to wait. */
  waitingAt: number
  /** The first byte of the open frame came, and so many bytes before it; -1 between frames. */
  frameAt = -1
  frameFrom = 0
  /** The last byte left while others wait; -1 while none waits. */
  stalledAt = -1
  /** The handler of a request began; -1 while none runs, or since this turn. */
  requestAt = -1
  isHandling = false
  isNoted = false
  /** The lifetime was over. */
  agedAt = -1
  /** Its socket is destroyed then; -1 while it was not ended. */
  lingerUntil = -1
  /** Its part of the budget. */
  held = 0
  private readonly watcher: Watcher
  /** A chunk is being handled: `movedAt` is now. */
  private isFresh = false
  private lastTaken = 0
  private lastQueued: number | undefined = undefined
  private isReleased = false

  constructor(root: Root, watcher: Watcher, now: number, draw: number) {
    this.root = root
    this.subject = root
    this.watcher = watcher
    this.openedAt = now
    this.movedAt = now
    this.waitingAt = now
    this.draw = draw
  }

  /** A chunk came. */
  arriving(): void {
    this.movedAt = this.watcher.now()
    this.isFresh = true
  }

  /** It was decoded: whether a frame became whole, or broke, in it, and how many bytes are held of the next one. */
  arrived(isWhole: boolean, bufferedBytes: number): void {
    this.isFresh = false
    if (bufferedBytes === 0) this.frameAt = -1
    else if (isWhole || this.frameAt < 0) this.openFrame(this.movedAt, bufferedBytes)
    this.weigh()
  }

  /** The reader took what there was, and waits. */
  waiting(): void {
    this.waitingAt = this.isFresh ? this.movedAt : this.watcher.now()
  }

  /** Input is wanted again. While it was not, the peer could not go on with its frame. */
  resumed(): void {
    if (this.frameAt >= 0) this.openFrame(this.watcher.now(), 0)
  }

  private openFrame(now: number, bufferedBytes: number): void {
    this.frameAt = now
    this.frameFrom = this.subject.bytesIn - bufferedBytes
    this.advance(now + this.watcher.frameMillis)
  }

  /** Bytes were handed to the raw socket, or it took some. */
  sent(unsent: number): void {
    if (unsent === 0 && this.stalledAt < 0) {
      if (!this.isFresh) this.movedAt = this.watcher.now()
    } else {
      this.look(this.isFresh ? this.movedAt : this.watcher.now(), unsent)
    }
    this.weigh()
  }

  /** Finds out whether bytes left since the last look. */
  look(now: number, unsent: number): void {
    const { subject } = this
    const taken = subject.bytesOut - unsent
    const queued = subject.bytesQueued
    const moved = taken > this.lastTaken || queued !== this.lastQueued
    this.lastTaken = taken
    this.lastQueued = queued
    if (moved) this.movedAt = now
    if (unsent === 0) {
      this.stalledAt = -1
    } else if (moved || this.stalledAt < 0) {
      this.stalledAt = now
      this.advance(now + this.watcher.lookMillis)
    }
  }

  /** A handler began that may take its time. It costs no clock where it is done in the same turn. */
  handling(): void {
    this.isHandling = true
    this.requestAt = -1
    if (!this.isNoted && this.watcher.requestMillis !== Number.POSITIVE_INFINITY) this.watcher.noteSoon(this)
  }

  handled(): void {
    this.isHandling = false
  }

  noteRequest(now: number): void {
    this.isNoted = false
    if (!this.isHandling) return
    this.requestAt = now
    this.advance(now + this.watcher.requestMillis)
  }

  /** Another machine talks over the socket. */
  handOver(subject: Watched): void {
    this.subject = subject
    this.frameAt = -1
    this.stalledAt = -1
    this.lastTaken = 0
    this.weigh()
  }

  /** Counts what the connection holds by now. */
  weigh(): void {
    if (this.isReleased) return
    const held = this.subject.bytesHeld
    const more = held - this.held
    if (more === 0) return
    const { budget } = this.watcher
    this.held = held
    budget.bytes += more
    if (more > 0) this.watcher.grown(this)
  }

  /** Counts no more. */
  release(): void {
    this.isReleased = true
    this.watcher.budget.bytes -= this.held
    this.held = 0
  }

  private advance(due: number): void {
    if (due < this.due) this.watcher.advance(this, due)
  }
}
