/**
 * The machine behind every `Connection`: bytes in, batches of messages out, on any transport.
 *
 * The raw socket calls `onData`; the chunk is decoded there and then, and the fiber that waits in `pull` is resumed
 * once with the whole batch. What a fiber writes collects in one writer and leaves when the fiber asks for more input.
 * While nobody waits, one batch is kept and the raw socket is paused: that batch is all that a slow fiber can pile up.
 *
 * ```
 *            attach                 shutdown or raw close
 *   Open  ------------->  Open, half closed either way  ------------->  Closing  -- raw close -->  Closed
 * ```
 *
 * Invariants: `reason` is set once (only `abort` may replace it, when unsent bytes are lost). `waiter` is set only
 * while the fiber is parked in `pull`, and then `inbox` has nothing, or gives it in the same turn. `onClosed` is called
 * once, when the reason is known and the raw socket is gone.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Endpoint from "../Endpoint.ts"
import type * as Transport from "../Transport.ts"
import { type Batch, Inbox } from "./inbox.ts"
import { Outbox, park, type Resume } from "./outbox.ts"

const done = Exit.fail(Cause.Done())
const twoReaders = Exit.die(new Error("two fibers pull from one connection; a connection has one reader"))

export class ConnectionMachine<In, Out> implements Transport.RawHandler {
  readonly id: number
  readonly raw: Transport.RawSocket
  readonly pull: Pull.Pull<Batch<In>, CloseReason.ConnectionError>
  bytesIn = 0
  /** Why it ended. */
  reason: CloseReason.CloseReason | undefined = undefined
  /** The reason in the last error that an operation gave. */
  failed: CloseReason.CloseReason | undefined = undefined
  /** A drain asked the reader to end. */
  isDraining = false
  /** How the raw socket went away, when it did so by itself. */
  lost: CloseReason.CloseReason | undefined = undefined
  /** Called once, when the reason is known and the raw socket is gone. */
  onClosed: (() => void) | undefined = undefined

  private readonly inbox: Inbox<In>
  private readonly outbox: Outbox<Out>
  private readonly unwait: Effect.Effect<void>
  private waiter: Resume<Batch<In>, CloseReason.ConnectionError | Cause.Done> | undefined = undefined
  private wakeSoon: (() => void) | undefined = undefined
  private drainers: Array<Resume<void, never>> | undefined = undefined
  /** The peer ended its side. */
  private eof = false
  private paused = false
  /** A drain wants no more input. */
  private deaf = false

  constructor(raw: Transport.RawSocket, codec: Codec.Codec<In, Out>) {
    this.id = raw.id
    this.raw = raw
    this.inbox = new Inbox(codec)
    this.outbox = new Outbox(raw, codec)
    this.unwait = Effect.sync(() => {
      this.waiter = undefined
      this.inbox.takeBack()
    })
    // One step from the question to the waiting: could the fiber yield between them, it would miss its wake-up.
    this.pull = Effect.callback((resume) => this.ask(resume))
  }

  get local(): Endpoint.Endpoint {
    return this.raw.local
  }
  get peer(): Endpoint.Endpoint {
    return this.raw.peer
  }
  /** Bytes handed to the raw socket. */
  get bytesOut(): number {
    return this.outbox.bytesOut
  }
  /** Of these, the ones that the kernel is known to have taken. */
  get bytesTaken(): number {
    return this.outbox.bytesTaken
  }
  /** Bytes handed to the raw socket or waiting to be. */
  get bytesOffered(): number {
    return this.outbox.bytesOut + this.outbox.bytesCollected
  }
  get messagesIn(): number {
    return this.inbox.messagesIn
  }
  get messagesOut(): number {
    return this.outbox.messagesOut
  }
  get isClosed(): boolean {
    return this.outbox.closed
  }
  /** Whether replies must wait for the kernel before more may be written. */
  get isBlocked(): boolean {
    return this.outbox.blocked
  }
  /** The peer ended its side, and everything it sent has been taken by `pull`. */
  get peerEnded(): boolean {
    return this.inbox.ended && this.inbox.messages === undefined
  }

  onData(chunk: Uint8Array): void {
    this.bytesIn += chunk.length
    if (this.reason !== undefined || this.eof || this.deaf) return
    this.inbox.decode(chunk)
    // The frame that was open when the drain began is complete. A busy peer must not keep the drain up any longer.
    if (this.isDraining && this.inbox.messages !== undefined) this.deaf = true
    this.deliver()
  }

  onEnd(): void {
    this.eof = true
    // With something else to tell first, `ask` comes to the end in its turn.
    if (this.reason !== undefined || this.deaf || this.inbox.isReady) return
    this.inbox.end()
    this.deliver()
  }

  onDrain(): void {
    this.outbox.onDrain()
  }

  onClose(code: string | undefined): void {
    this.outbox.closed = true
    if (this.reason !== undefined) return this.onClosed?.()
    // A reset after the peer's orderly end breaks only what is still to be written.
    this.lost = code === undefined ? CloseReason.closed : { _tag: "PeerReset", code }
    this.wakeReader()
    if (this.outbox.hasParked) this.outbox.wake(this.fail(this.lost))
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
    return this.unwait
  }

  /** What there is for the reader now, if anything. */
  private take(): Exit.Exit<Batch<In>, CloseReason.ConnectionError | Cause.Done> | undefined {
    const { inbox } = this
    if (this.reason !== undefined) return this.fail(this.reason)
    const batch = inbox.give()
    if (batch !== undefined) return Exit.succeed(batch)
    const failure = inbox.tell()
    if (failure !== undefined) return this.fail(failure)
    if (this.deaf || inbox.ended) return done
    return this.lost === undefined ? undefined : this.fail(this.lost)
  }

  /** Tells the fiber that waits; while none does, one batch is all that piles up. */
  private deliver(): void {
    const { inbox } = this
    if (inbox.failure !== undefined || (this.waiter === undefined && inbox.holds)) this.pauseRaw()
    if (inbox.isReady) this.wakeReader()
  }

  /** Continues the fiber that waits with what there is now. */
  private wakeReader(): void {
    const { waiter } = this
    if (waiter === undefined) return
    this.waiter = undefined
    waiter(this.take() ?? this.pull)
  }

  private pauseRaw(): void {
    if (this.paused || this.outbox.closed) return
    this.paused = true
    this.raw.pause()
  }

  private resumeRaw(): void {
    this.paused = false
    if (!this.outbox.closed) this.raw.resume()
  }

  /** Encodes a message behind what waits to leave. Nothing is sent before `flush`. */
  offer(message: Out): CloseReason.CloseReason | undefined {
    if (this.reason !== undefined || this.outbox.finished) return this.reason ?? CloseReason.closed
    return this.outbox.offer(message)
  }

  flush(): void {
    this.outbox.flush()
  }
  /** For replies before a handler that may suspend. */
  flushSoon(): void {
    this.outbox.flushSoon()
  }

  /** Completes when the kernel takes more. */
  get writable(): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.suspend(() => this.broken() ?? (this.outbox.blocked ? this.unblocked : Exit.void))
  }

  /** Waits for the kernel, with what was already handed over: to end this side does not take it back. */
  private get unblocked(): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.callback((resume) => {
      // Asked again, for the fiber may have yielded since.
      const reason = this.reason ?? this.lost
      if (reason !== undefined) return resume(this.fail(reason))
      return this.outbox.blocked ? this.outbox.park(resume) : resume(Exit.void)
    })
  }

  readonly write = (batch: ReadonlyArray<Out>): Effect.Effect<void, CloseReason.ConnectionError> =>
    Effect.suspend(() => {
      const broken = this.broken()
      if (broken !== undefined) return broken
      if (this.outbox.blocked) return Effect.flatMap(this.unblocked, () => this.write(batch))
      for (let i = 0; i < batch.length; i++) {
        const error = this.offer(batch[i] as Out) // i is below the length
        if (error !== undefined) {
          this.outbox.flush()
          return this.fail(error)
        }
      }
      this.outbox.flush()
      return this.outbox.blocked ? this.unblocked : Exit.void
    })

  /** The error of a write that cannot leave any more. */
  private broken(): Exit.Exit<never, CloseReason.ConnectionError> | undefined {
    const reason = this.reason ?? (this.outbox.finished ? CloseReason.closed : this.lost)
    return reason === undefined ? undefined : this.fail(reason)
  }

  get finish(): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.suspend(() => {
      if (this.outbox.finished && this.reason === undefined) return Exit.void
      return this.broken() ?? Exit.succeed(this.outbox.finish())
    })
  }

  /**
   * Asks the reader to end between frames: from now on `pull` gives what has arrived, with it the frame that has begun
   * to arrive, and then the end.
   */
  drain(): void {
    if (this.isDraining) return
    this.isDraining = true
    for (const resume of this.drainers ?? []) resume(Exit.void)
    // One that is ending already reads on, for the peer's end.
    if (this.reason !== undefined || this.inbox.isInFrame) return
    this.deaf = true
    this.pauseRaw()
    this.wakeReader()
  }

  get awaitDrain(): Effect.Effect<void> {
    return Effect.callback((resume) => this.isDraining ? resume(Exit.void) : park(this.drainers ??= [], resume))
  }

  /**
   * Ends this side: what was written still leaves, what arrives is thrown away until the peer ends too. Closing a
   * socket with unread input would make the kernel reset it and destroy the last reply on its way.
   */
  shutdown(reason: CloseReason.CloseReason): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.inbox.messages = undefined
    if (this.outbox.closed) return this.onClosed?.()
    this.outbox.finish()
    this.wakeReader()
    if (this.outbox.hasParked) this.outbox.wake(this.fail(reason))
    this.resumeRaw()
  }

  /** Ends both sides now. Where that loses what was written, `reason` replaces the peaceful one it had. */
  abort(reason: CloseReason.CloseReason): void {
    this.shutdown(reason)
    if (this.outbox.closed) return
    if (this.raw.bytesUnsent > 0 && this.reason !== undefined && CloseReason.isNormal(this.reason)) this.reason = reason
    this.raw.destroy()
  }

  /** The error of an operation on this connection; remembered, to be told from another connection's. */
  fail(reason: CloseReason.CloseReason): Exit.Exit<never, CloseReason.ConnectionError> {
    this.failed = reason
    return Exit.fail(new CloseReason.ConnectionError({ reason }))
  }
}
