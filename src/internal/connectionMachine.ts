/**
 * The machine behind every `Connection`: bytes in, batches of messages out, on any transport.
 *
 * The raw socket calls `onData`; the chunk is decoded there and then. An `Answerer` takes each message as it is decoded;
 * without one, the fiber that waits in `pull` is resumed once with the whole batch. What a fiber writes collects in one
 * writer and leaves when the fiber asks for more input.
 * While nobody waits, one batch is kept and the raw socket is paused: that batch is all that a slow fiber can pile up.
 *
 * ```
 *            attach                 shutdown or raw close
 *   Open  ------------->  Open, half closed either way  ------------->  Closing  -- raw close -->  Closed
 * ```
 *
 * Invariants: `reason` is set once (only `abort` may replace it, when unsent bytes are lost). `waiter` is set only
 * while the fiber is parked in `pull`, and then `inbox` has nothing, or gives it in the same turn. `asleep` stands for a
 * fiber that was not needed so far, parked in `pull` likewise. `onClosed` is called once, when the reason is known and the
 * raw socket is gone.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Pull from "effect/Pull"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Transport from "../Transport.ts"
import type { Addresses } from "./ends.ts"
import { type Answerer, type Batch, broughtMore, Inbox } from "./inbox.ts"
import { park, type Resume } from "./outbox.ts"
import type { Placed } from "./roster.ts"
import type { Root } from "./watch.ts"
import { WritingSide } from "./writingSide.ts"

const done = Exit.fail(Cause.Done())
const twoReaders = Exit.die(new Error("two fibers pull from one connection; a connection has one reader"))

export class ConnectionMachine<In, Out> extends WritingSide<Out> implements Transport.RawHandler, Placed, Root {
  bytesIn = 0
  place = -1
  /** The fiber of a server's handler, while it runs. */
  fiber: Fiber.Fiber<unknown, unknown> | undefined = undefined
  /** What asked the reader to end: a drain, or the end of its lifetime. */
  drainReason: CloseReason.CloseReason | undefined = undefined
  /** Why a server cut whoever took over its socket. */
  overdue: CloseReason.CloseReason | undefined = undefined
  /** Called once, when the reason is known and the raw socket is gone. */
  onClosed: ((machine: this) => void) | undefined = undefined
  protected readonly inbox: Inbox<In>
  protected answerer: Answerer<In> | undefined = undefined
  private asleep = false
  private madePull: Pull.Pull<Batch<In>, CloseReason.ConnectionError> | undefined = undefined
  private unwait: Effect.Effect<void> | undefined = undefined
  protected waiter: Resume<Batch<In>, CloseReason.ConnectionError | Cause.Done> | undefined = undefined
  private wakeSoon: (() => void) | undefined = undefined
  private drainers: Array<Resume<void, never>> | undefined = undefined
  /** The peer ended its side. */
  private eof = false
  private paused = false
  /** A drain wants no more input. */
  private deaf = false
  /** The raw socket belongs to somebody else. */
  private surrendered = false

  constructor(raw: Transport.RawSocket, codec: Codec.Codec<In, Out>, addresses?: Addresses) {
    super(raw, codec, addresses)
    this.inbox = new Inbox(codec)
    this.succeed(addresses?.predecessor, this)
  }

  get isDraining(): boolean {
    return this.drainReason !== undefined
  }
  get messagesIn(): number {
    return this.inbox.messagesIn
  }
  /** The peer ended its side, and everything it sent has been taken by `pull`. */
  get peerEnded(): boolean {
    return this.successor?.peerEnded ?? (this.inbox.ended && this.inbox.messages === undefined)
  }

  /** The socket broke before the peer ended its side: whoever asked is not there for the answer. */
  get isBroken(): boolean {
    return this.lost !== undefined && !this.eof
  }

  onData(chunk: Uint8Array): void {
    this.bytesIn += chunk.length
    if (this.reason !== undefined || this.eof || this.deaf) return
    const { inbox, isDraining: wasDraining, taker, watch } = this
    if (watch !== undefined) watch.arriving()
    const brought = inbox.decode(chunk, taker)
    const isOver = brought || inbox.failure !== undefined
    // The frame that was open when the drain began is over. A busy peer must not keep the drain up any longer.
    if (this.isDraining && (wasDraining ? isOver : !inbox.isInFrame)) this.deaf = true
    this.deliver(brought ? taker : undefined)
    if (watch !== undefined) watch.arrived(isOver, inbox.bytesBuffered)
  }

  onEnd(): void {
    this.eof = true
    // With something else to tell first, `ask` comes to the end in its turn.
    if (this.reason !== undefined || this.deaf || this.inbox.isReady) return
    const { taker } = this
    this.deliver(this.inbox.end(taker) ? taker : undefined)
    this.watch?.weigh()
  }

  onClose(code: string | undefined): void {
    this.outbox.closed = true
    const lost: CloseReason.CloseReason = code === undefined ? CloseReason.closed : { _tag: "PeerReset", code }
    this.predecessor?.bereave(this.reason === undefined ? lost : undefined)
    if (this.reason !== undefined) return this.onClosed?.(this)
    // A reset after the peer's orderly end breaks only what is still to be written.
    this.lost = lost
    this.watch?.weigh()
    this.wakeReader()
    if (this.outbox.hasParked) this.outbox.wake(this.fail(lost))
  }

  /** The successor's socket is gone; `lost` is how it went, where it did so by itself. */
  bereave(lost: CloseReason.CloseReason | undefined): void {
    this.outbox.closed = true
    this.lost = lost
    if (this.reason !== undefined) this.onClosed?.(this)
  }

  /** Made when a fiber asks for it. */
  get pull(): Pull.Pull<Batch<In>, CloseReason.ConnectionError> {
    // One step from the question to the waiting: could the fiber yield between them, it would miss its wake-up.
    return this.madePull ??= Effect.callback((resume) => this.ask(resume))
  }

  /** Lets `answerer` answer; it is woken, once, when that is not enough. To be called before anything is delivered. */
  sleep(answerer: Answerer<In>): void {
    this.answerer = answerer
    this.asleep = true
  }

  /** Answers a pull, or lets it wait until it is answered or interrupted. */
  private ask(resume: Resume<Batch<In>, CloseReason.ConnectionError | Cause.Done>): Effect.Effect<void> | void {
    const { inbox } = this
    if (this.waiter !== undefined) return resume(twoReaders)
    this.outbox.flush()
    inbox.heard()
    if (this.eof && !this.deaf && !inbox.isReady) inbox.end()
    if (inbox.holds && this.reason === undefined) {
      // Given in the next step, to a fiber that waits: from there it can be taken back when it does not get it.
      queueMicrotask(this.wakeSoon ??= () => this.wakeReader())
    } else {
      const now = this.take()
      if (now !== undefined) return resume(now)
      if (this.paused) this.resumeRaw()
    }
    this.waiter = resume
    this.watch?.waiting()
    return this.unwait ??= Effect.sync(() => {
      this.waiter = undefined
      this.inbox.takeBack()
      this.watch?.weigh()
    })
  }

  /** What there is for the reader now, if anything. */
  private take(): Exit.Exit<Batch<In>, CloseReason.ConnectionError | Cause.Done> | undefined {
    const { inbox } = this
    if (this.reason !== undefined) return this.fail(this.reason)
    const batch = inbox.give()
    if (batch !== undefined) {
      this.watch?.weigh()
      return Exit.succeed(batch)
    }
    const failure = inbox.tell()
    if (failure !== undefined) return this.fail(failure)
    if (this.deaf || inbox.ended) return done
    if (this.surrendered) return this.fail(CloseReason.closed)
    return this.lost === undefined ? undefined : this.fail(this.lost)
  }

  /** Tells who took messages, or the fiber that waits; while none does, one batch is all that piles up. */
  private deliver(taker: Answerer<In> | undefined): void {
    const { inbox } = this
    if (inbox.failure !== undefined || (!this.isHeard && inbox.holds)) this.pauseRaw()
    if (taker !== undefined) this.finishTaking(taker)
    if (inbox.isReady || this.deaf) this.wakeReader()
  }

  /** Who answers what arrives now. Behind what is kept nothing may be answered before it. */
  private get taker(): Answerer<In> | undefined {
    return this.isHeard && !this.inbox.holds ? this.answerer : undefined
  }

  /** Whether what arrives has somebody to go to. */
  get isHeard(): boolean {
    return this.waiter !== undefined || this.asleep
  }
  /** Whether more input is wanted. */
  get isReading(): boolean {
    return !this.paused && !this.deaf && !this.eof
  }
  /** Undecoded input, messages that nobody took, and output that the system did not take. */
  get bytesHeld(): number {
    return this.inbox.bytesHeld + this.outbox.bytesLeft
  }

  /** Waking a fiber and putting it to sleep costs a microsecond: 14 % with 1 request in flight, 11 % with 16. */
  private finishTaking(taker: Answerer<In>): void {
    let next: Pull.Pull<Batch<In>, CloseReason.ConnectionError>
    try {
      const rest = taker.done() as Effect.Effect<void> | undefined // its failures and needs are the fiber's
      if (rest === undefined) return
      next = Effect.flatMap(rest, () => this.pull)
    } catch (defect) {
      next = Exit.die(defect) // of a write: nobody else is to be hurt by it
    }
    this.wakeReader(next)
  }

  /** Continues the fiber that waits, or starts the one that was not needed so far. */
  private wakeReader(next?: Pull.Pull<Batch<In>, CloseReason.ConnectionError>): void {
    const { asleep, waiter } = this
    if (waiter === undefined && !asleep) return
    this.asleep = false
    this.waiter = undefined
    const given = next ?? this.take() ?? this.pull
    if (waiter !== undefined) waiter(given)
    else this.answerer?.wake(given)
  }

  /** One that has ended reads on, for the peer's end. */
  private pauseRaw(): void {
    if (this.paused || this.outbox.closed || this.reason !== undefined) return
    this.paused = true
    this.raw.pause()
  }

  private resumeRaw(): void {
    this.paused = false
    if (this.outbox.closed || this.surrendered) return
    this.watch?.resumed()
    this.raw.resume()
  }

  /**
   * Asks the reader to end between frames: from now on `pull` gives what has arrived, with it the frame that has begun
   * to arrive, and then the end.
   */
  drain(reason: CloseReason.CloseReason = CloseReason.drained): void {
    if (this.drainReason !== undefined) return
    this.drainReason = reason
    for (const resume of this.drainers ?? []) resume(Exit.void)
    this.successor?.drain(reason)
    if (this.reason !== undefined || this.inbox.isInFrame) return
    this.deaf = true
    this.pauseRaw()
    this.wakeReader()
  }

  get awaitDrain(): Effect.Effect<void> {
    return Effect.callback((resume) => this.isDraining ? resume(Exit.void) : park(this.drainers ??= [], resume))
  }

  /**
   * Says a last word and leaves the raw socket, paused, to another owner; each operation is `Closed` from then on. It is
   * refused, for the reason given, unless `agreed` is the very last thing that was read.
   */
  surrender(agreed: In, lastWord: ReadonlyArray<Out>): CloseReason.CloseReason | undefined {
    const over = this.reason ?? this.lost ?? (this.outbox.finished ? CloseReason.closed : undefined)
    if (over !== undefined || this.eof) return over ?? CloseReason.peerClosed
    if (this.drainReason !== undefined) return this.drainReason
    if (!this.inbox.isLast(agreed)) return broughtMore
    this.pauseRaw()
    const error = this.writeLast(lastWord)
    this.surrendered = error === undefined
    return error
  }

  /**
   * Ends this side: what was written still leaves, what arrives is thrown away until the peer ends too. Closing a
   * socket with unread input would make the kernel reset it and destroy the last reply on its way.
   */
  shutdown(reason: CloseReason.CloseReason): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.inbox.forget()
    if (this.outbox.closed) return this.onClosed?.(this)
    this.outbox.finish()
    this.wakeReader()
    if (this.outbox.hasParked) this.outbox.wake(this.fail(reason))
    this.resumeRaw()
    this.watch?.weigh()
  }

  /** Ends both sides now. Where that loses what was written, `reason` replaces the peaceful one it had. */
  abort(reason: CloseReason.CloseReason): void {
    this.shutdown(reason)
    if (this.outbox.closed) return
    if (this.raw.bytesUnsent > 0 && this.reason !== undefined && CloseReason.isNormal(this.reason)) this.reason = reason
    this.raw.destroy()
  }
}
