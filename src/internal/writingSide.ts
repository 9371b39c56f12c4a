/**
 * The writing side of a connection machine: what it may still write, and the error where it may not.
 *
 * The bytes are the `Outbox`'s. Here is the end of the connection, which both sides must know: `lost` when the raw socket
 * went away by itself, `reason` when the connection has ended.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Transport from "../Transport.ts"
import { type Addresses, Ends } from "./ends.ts"
import { Outbox } from "./outbox.ts"
import type { Watch, Watched } from "./watch.ts"

/** What a machine without a socket still passes on. */
export interface Successor {
  readonly peerEnded: boolean
  readonly drain: (reason: CloseReason.CloseReason) => void
}

/** Who opened the connection knows this machine, and is told by it how all ends. */
export interface Predecessor {
  successor: Successor | undefined
  failed: CloseReason.CloseReason | undefined
  readonly watch: Watch | undefined
  readonly bereave: (lost: CloseReason.CloseReason | undefined) => void
}

export class WritingSide<Out> extends Ends {
  /** Why it ended. */
  reason: CloseReason.CloseReason | undefined = undefined
  /** The reason in the last error that an operation gave. */
  failed: CloseReason.CloseReason | undefined = undefined
  /** How the raw socket went away, when it did so by itself. */
  lost: CloseReason.CloseReason | undefined = undefined
  /** The machine that talks over its socket since that was handed over. */
  successor: Successor | undefined = undefined
  /** The machine whose socket it took over. */
  protected predecessor: Predecessor | undefined = undefined
  protected readonly outbox: Outbox<Out>
  private boundWrite: ((batch: ReadonlyArray<Out>) => Effect.Effect<void, CloseReason.ConnectionError>) | undefined =
    undefined

  constructor(
    raw: Transport.RawSocket,
    codec: Pick<Codec.Codec<never, Out>, "encode">,
    addresses: Addresses | undefined
  ) {
    super(raw, addresses)
    this.outbox = new Outbox(raw, codec)
  }

  /** What a server keeps of its time and memory. */
  get watch(): Watch | undefined {
    return this.outbox.watch
  }
  observe(watch: Watch): void {
    this.outbox.watch = watch
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
  get bytesUnsent(): number {
    return this.raw.bytesUnsent
  }
  get bytesQueued(): number | undefined {
    return this.raw.bytesQueued
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

  /** Encodes a message behind what waits to leave. Nothing is sent before `flush`. */
  offer(message: Out): CloseReason.CloseReason | undefined {
    if (this.reason !== undefined || this.outbox.finished) return this.reason ?? CloseReason.closed
    return this.outbox.offer(message)
  }

  flush(): void {
    this.outbox.flush()
  }
  onDrain(): void {
    this.outbox.onDrain()
  }
  onUnsent(mustWait: boolean): void {
    this.outbox.onUnsent(mustWait)
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

  /** Made when it is asked for: the server of a protocol never does. */
  get write(): (batch: ReadonlyArray<Out>) => Effect.Effect<void, CloseReason.ConnectionError> {
    return this.boundWrite ??= (batch) => this.writeBatch(batch)
  }

  private writeBatch(batch: ReadonlyArray<Out>): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.suspend(() => {
      const broken = this.broken()
      if (broken !== undefined) return broken
      if (this.outbox.blocked) return Effect.flatMap(this.unblocked, () => this.writeBatch(batch))
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
  }

  /** The error of a write that cannot leave any more. */
  private broken(): Exit.Exit<never, CloseReason.ConnectionError> | undefined {
    const reason = this.reason ?? (this.outbox.finished ? CloseReason.closed : this.lost)
    return reason === undefined ? undefined : this.fail(reason)
  }

  get finish(): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.suspend(() => {
      if (this.outbox.finished && this.reason === undefined && this.successor === undefined) return Exit.void
      return this.broken() ?? Exit.succeed(this.outbox.finish())
    })
  }

  /** Takes the place of another machine. */
  protected succeed(predecessor: Predecessor | undefined, self: Successor & Watched): void {
    if (predecessor === undefined) return
    this.predecessor = predecessor
    predecessor.successor = self
    const { watch } = predecessor
    if (watch === undefined) return
    this.outbox.watch = watch
    watch.handOver(self)
  }

  /** Says a last word, encoded before, to a peer that reads. */
  sayGoodbye(words: ReadonlyArray<Uint8Array>): void {
    if (words.length === 0 || this.outbox.finished) return
    this.outbox.flush()
    if (!this.outbox.blocked) this.outbox.say(words)
  }

  /** Writes for the last time; each write is `Closed` from then on, while the raw socket stays open. */
  protected writeLast(batch: ReadonlyArray<Out>): CloseReason.CloseReason | undefined {
    for (const message of batch) {
      const error = this.offer(message)
      if (error !== undefined) return error
    }
    this.outbox.flush()
    this.outbox.finished = true
    if (this.outbox.hasParked) this.outbox.wake(this.fail(CloseReason.closed))
    return undefined
  }

  /** The error of an operation on this connection; remembered, to be told from another connection's. */
  fail(reason: CloseReason.CloseReason): Exit.Exit<never, CloseReason.ConnectionError> {
    this.failed = reason
    if (this.predecessor !== undefined) this.predecessor.failed = reason
    return Exit.fail(new CloseReason.ConnectionError({ reason }))
  }
}
