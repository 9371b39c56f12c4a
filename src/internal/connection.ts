/**
 * The machine behind every `Connection`: bytes in, batches of messages out, on any transport.
 *
 * The raw socket calls `onData`; the chunk is decoded there and then, and the fiber that waits in `pull` is resumed once
 * with the whole batch. What a fiber writes collects in one writer and leaves when the fiber asks for more input. While
 * nobody waits, one batch is kept and the raw socket is paused: that batch is all that a slow fiber can pile up.
 *
 * ```
 *            attach                 shutdown or raw close
 *   Open  ------------->  Open, half closed either way  ------------->  Closing  -- raw close -->  Closed
 * ```
 *
 * Invariants: `reason` is set once (only `abort` may replace it, when unsent bytes are lost). `waiter` is set only while the fiber is parked in `pull`, and then `inbox` is empty.
 * `onClosed` is called once, when the reason is known and the raw socket is gone.
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import * as ByteWriter from "../ByteWriter.ts"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Endpoint from "../Endpoint.ts"
import * as Transport from "../Transport.ts"

type Batch<A> = Arr.NonEmptyReadonlyArray<A>
type Resume<A, E = CloseReason.ConnectionError> = (effect: Effect.Effect<A, E>) => void

/** Replies leave when this many bytes have collected, even while the fiber is busy with its batch. */
const flushFromBytes = 65_536

const empty = new Uint8Array(0)
const done = Exit.fail(Cause.Done())

export class ConnectionMachine<In, Out> implements Transport.RawHandler {
  readonly raw: Transport.RawSocket
  readonly codec: Codec.Codec<In, Out>
  readonly pull: Pull.Pull<Batch<In>, CloseReason.ConnectionError>
  bytesIn = 0
  /** Bytes handed to the raw socket. */
  bytesOut = 0
  /** Of these, the ones that the kernel is known to have taken. */
  bytesTaken = 0
  messagesIn = 0
  messagesOut = 0
  /** Why it ended. */
  reason: CloseReason.CloseReason | undefined = undefined
  /** The reason in the last error that an operation gave. */
  failed: CloseReason.CloseReason | undefined = undefined
  /** The peer ended its side, and everything it sent has been taken by `pull`. */
  peerEnded = false
  /** How the raw socket went away, when it did so by itself. */
  lost: CloseReason.CloseReason | undefined = undefined
  /** Called once, when the reason is known and the raw socket is gone. */
  onClosed: (() => void) | undefined = undefined

  private readonly decoder: Codec.Decoder<In>
  private readonly writer: ByteWriter.ByteWriter = ByteWriter.make()
  private readonly wait: Pull.Pull<Batch<In>, CloseReason.ConnectionError>
  private inbox: Array<In> | undefined = undefined
  private failure: CloseReason.CloseReason | undefined = undefined
  private waiter: Resume<Batch<In>, CloseReason.ConnectionError | Cause.Done> | undefined = undefined
  private writers: Array<Resume<void>> | undefined = undefined
  private drainers: Array<Resume<void, never>> | undefined = undefined
  private eof = false
  private paused = false
  private blocked = false
  private finished = false
  private rawClosed = false
  private draining = false
  private flushQueued = false

  constructor(raw: Transport.RawSocket, codec: Codec.Codec<In, Out>) {
    this.raw = raw
    this.codec = codec
    this.decoder = decoderOf(codec)
    this.pull = Effect.suspend(() => this.take())
    const unwait = Effect.sync(() => {
      this.waiter = undefined
    })
    this.wait = Effect.callback((resume) => {
      this.waiter = resume
      return unwait
    })
  }

  get id(): number {
    return this.raw.id
  }
  get local(): Endpoint.Endpoint {
    return this.raw.local
  }
  get peer(): Endpoint.Endpoint {
    return this.raw.peer
  }
  /** Bytes handed to the raw socket or waiting to be. */
  get bytesOffered(): number {
    return this.bytesOut + this.writer.size
  }
  get isClosed(): boolean {
    return this.rawClosed
  }
  /** Whether replies must wait for the kernel before more may be written. */
  get isBlocked(): boolean {
    return this.blocked
  }

  // --- from the raw socket ---------------------------------------------------------------------------------------

  onData(chunk: Uint8Array): void {
    this.bytesIn += chunk.length
    if (this.reason !== undefined || this.eof) return
    this.deliver(this.decode(chunk))
  }

  onEnd(): void {
    this.eof = true
    // With something else to deliver first, `take` decodes the end in its turn.
    if (this.reason === undefined && this.inbox === undefined && this.failure === undefined) {
      this.deliver(this.decodeEnd())
    }
  }

  onDrain(): void {
    this.blocked = false
    this.bytesTaken = this.bytesOut
    this.wakeWriters(Exit.void)
  }

  onClose(code: string | undefined): void {
    this.rawClosed = true
    this.blocked = false
    if (this.reason !== undefined) {
      this.settle()
      return
    }
    // A reset after the peer's orderly end breaks only what is still to be written.
    const reason = code === undefined ? CloseReason.closed : { _tag: "PeerReset" as const, code }
    this.lost = reason
    if (this.waiter !== undefined) this.wakeReader(this.fail(reason))
    if (this.writers !== undefined) this.wakeWriters(this.fail(reason))
  }

  // --- reading ---------------------------------------------------------------------------------------------------

  private take(): Pull.Pull<Batch<In>, CloseReason.ConnectionError> {
    if (this.waiter !== undefined) {
      return Effect.die(new Error(`two fibers pull from connection ${this.id}; a connection has one reader`))
    }
    if (this.writer.size > 0) this.flush()
    if (this.inbox !== undefined) {
      const batch = this.inbox
      this.inbox = undefined
      return Exit.succeed(batch as unknown as Batch<In>) // deliver keeps no empty inbox
    }
    if (this.reason !== undefined) return this.fail(this.reason)
    if (this.failure !== undefined) {
      const failure = this.failure
      if (failure._tag === "FrameCorrupt" && failure.recoverable) {
        // What follows the bad frame waits for the next pull.
        this.deliver(this.decode(empty))
      }
      return this.fail(failure)
    }
    if (this.eof && !this.peerEnded) {
      this.deliver(this.decodeEnd())
      return this.take()
    }
    if (this.peerEnded || (this.draining && this.decoder.bytesBuffered === 0)) return done
    if (this.lost !== undefined) return this.fail(this.lost)
    if (this.paused) this.resumeRaw()
    return this.wait
  }

  private decode(chunk: Uint8Array): Array<In> {
    const out: Array<In> = []
    try {
      this.failure = this.decoder.decode(chunk, out)
    } catch (defect) {
      this.failure = CloseReason.fromCause(Cause.die(defect))
    }
    return out
  }

  private decodeEnd(): Array<In> {
    const out: Array<In> = []
    try {
      this.failure = this.decoder.end(out)
      this.peerEnded = this.failure === undefined
    } catch (defect) {
      this.failure = CloseReason.fromCause(Cause.die(defect))
    }
    return out
  }

  /** Gives messages, or else the failure or the end, to the fiber that waits; keeps them when none does. */
  private deliver(out: Array<In>): void {
    this.messagesIn += out.length
    if (this.failure !== undefined || (out.length > 0 && this.waiter === undefined)) this.pauseRaw()
    if (out.length > 0) {
      if (this.waiter === undefined) this.inbox = out
      else this.wakeReader(Exit.succeed(out as unknown as Batch<In>)) // length was checked above
    } else if (this.waiter !== undefined && (this.failure !== undefined || this.peerEnded)) {
      const waiter = this.waiter
      this.waiter = undefined
      waiter(this.take())
    }
  }

  private wakeReader(exit: Exit.Exit<Batch<In>, CloseReason.ConnectionError | Cause.Done>): void {
    const waiter = this.waiter
    if (waiter === undefined) return
    this.waiter = undefined
    waiter(exit)
  }

  private pauseRaw(): void {
    if (this.paused || this.rawClosed) return
    this.paused = true
    this.raw.pause()
  }

  private resumeRaw(): void {
    this.paused = false
    if (!this.rawClosed) this.raw.resume()
  }

  // --- writing ---------------------------------------------------------------------------------------------------

  /** Encodes a message behind what waits to leave. Nothing is sent before `flush`. */
  offer(message: Out): CloseReason.CloseReason | undefined {
    if (this.reason !== undefined || this.finished) return this.reason ?? CloseReason.closed
    let error: CloseReason.CloseReason | undefined
    try {
      error = this.codec.encode(message, this.writer)
    } catch (defect) {
      return CloseReason.fromCause(Cause.die(defect))
    }
    if (error !== undefined) return error
    this.messagesOut++
    if (this.writer.size >= flushFromBytes) this.flush()
    return undefined
  }

  /** Hands what collected to the kernel, in one write. */
  flush(): void {
    const size = this.writer.size
    if (size === 0) return
    const segments = this.writer.take()
    if (this.rawClosed) return
    this.bytesOut += size
    if (!this.raw.write(segments)) this.blocked = true
    this.bytesTaken = this.bytesOut - this.raw.bytesUnsent
  }

  /** Flushes when the current turn of JavaScript is over: for replies before a handler that may suspend. */
  flushSoon(): void {
    if (this.flushQueued || this.writer.size === 0) return
    this.flushQueued = true
    queueMicrotask(() => {
      this.flushQueued = false
      this.flush()
    })
  }

  /** Completes when the kernel takes more. */
  get writable(): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.suspend(() => this.broken() ?? (this.blocked ? this.awaitWritable : Exit.void))
  }

  private get awaitWritable(): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.callback((resume) => park(this.writers ??= [], resume))
  }

  readonly write = (batch: ReadonlyArray<Out>): Effect.Effect<void, CloseReason.ConnectionError> =>
    Effect.suspend(() => {
      const broken = this.broken()
      if (broken !== undefined) return broken
      if (this.blocked) return Effect.flatMap(this.writable, () => this.write(batch))
      for (let i = 0; i < batch.length; i++) {
        const error = this.offer(batch[i] as Out) // i is below the length
        if (error !== undefined) {
          this.flush()
          return this.fail(error)
        }
      }
      this.flush()
      return this.blocked ? this.writable : Exit.void
    })

  /** The error of a write that cannot leave any more. */
  private broken(): Exit.Exit<never, CloseReason.ConnectionError> | undefined {
    if (this.reason !== undefined) return this.fail(this.reason)
    if (this.finished) return this.fail(CloseReason.closed)
    if (this.lost !== undefined) return this.fail(this.lost)
    return undefined
  }

  private wakeWriters(exit: Exit.Exit<void, CloseReason.ConnectionError>): void {
    const writers = this.writers
    if (writers === undefined) return
    this.writers = undefined
    for (const resume of writers) resume(exit)
  }

  get finish(): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.suspend(() => {
      if (this.finished && this.reason === undefined) return Exit.void
      const broken = this.broken()
      if (broken !== undefined) return broken
      this.flush()
      this.finished = true
      this.raw.end()
      return Exit.void
    })
  }

  // --- ending ----------------------------------------------------------------------------------------------------

  /** Asks the reader to end between frames: from now on `pull` gives what has arrived, and then the end. */
  drain(): void {
    if (this.draining) return
    this.draining = true
    const drainers = this.drainers
    this.drainers = undefined
    if (drainers !== undefined) { for (const resume of drainers) resume(Exit.void) }
    if (this.waiter !== undefined && this.decoder.bytesBuffered === 0) this.wakeReader(done)
  }

  get isDraining(): boolean {
    return this.draining
  }

  get awaitDrain(): Effect.Effect<void> {
    return Effect.callback((resume) => this.draining ? resume(Exit.void) : park(this.drainers ??= [], resume))
  }

  /**
   * Ends this side: what was written still leaves, what arrives is thrown away until the peer ends too. Closing a
   * socket with unread input would make the kernel reset it and destroy the last reply on its way.
   */
  shutdown(reason: CloseReason.CloseReason): void {
    if (this.reason !== undefined) return
    this.reason = reason
    this.inbox = undefined
    if (this.rawClosed) return this.settle()
    this.flush()
    if (this.waiter !== undefined) this.wakeReader(this.fail(reason))
    if (this.writers !== undefined) this.wakeWriters(this.fail(reason))
    if (!this.finished) {
      this.finished = true
      this.raw.end()
    }
    this.resumeRaw()
  }

  /** Ends both sides now. Where that loses what was written, `reason` replaces the peaceful one it had. */
  abort(reason: CloseReason.CloseReason): void {
    this.finished = true
    this.shutdown(reason)
    if (this.rawClosed) return
    if (this.raw.bytesUnsent > 0 && this.reason !== undefined && CloseReason.isNormal(this.reason)) this.reason = reason
    this.raw.destroy()
  }

  /** The error of an operation on this connection; remembered, to be told from another connection's. */
  fail(reason: CloseReason.CloseReason): Exit.Exit<never, CloseReason.ConnectionError> {
    this.failed = reason
    return Exit.fail(new CloseReason.ConnectionError({ reason }))
  }

  private settle(): void {
    const onClosed = this.onClosed
    this.onClosed = undefined
    if (onClosed !== undefined) onClosed()
  }
}

/** A codec that throws breaks its own connection, at the first byte, and not whoever accepts it. */
const decoderOf = <In, Out>(codec: Codec.Codec<In, Out>): Codec.Decoder<In> => {
  try {
    return codec.decoder()
  } catch (defect) {
    const fail = () => {
      throw defect
    }
    return { decode: fail, end: fail, bytesBuffered: 0 }
  }
}

/** Adds a waiting fiber to a list, and takes it off again when it is interrupted. */
const park = <A>(list: Array<A>, resume: A): Effect.Effect<void> => {
  list.push(resume)
  return Effect.sync(() => {
    const index = list.indexOf(resume)
    if (index >= 0) list.splice(index, 1)
  })
}

/** Wires a machine to its raw socket; from here on the socket delivers. */
export const open = <In, Out>(raw: Transport.RawSocket, codec: Codec.Codec<In, Out>): ConnectionMachine<In, Out> => {
  const machine = new ConnectionMachine(raw, codec)
  raw.attach(machine)
  raw.resume()
  return machine
}

/** Opens a connection for the time of the scope: then it ends within `linger`, or is destroyed. */
export const acquire = <In, Out>(
  raw: Transport.RawSocket,
  codec: Codec.Codec<In, Out>,
  linger: Duration.Input
): Effect.Effect<ConnectionMachine<In, Out>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => open(raw, codec)),
    (machine) =>
      Effect.suspend(() => {
        machine.shutdown(CloseReason.closed)
        if (machine.isClosed) return Effect.void
        const closed = Effect.callback<void>((resume) => {
          machine.onClosed = () => resume(Exit.void)
        })
        return Effect.timeoutOrElse(Effect.interruptible(closed), {
          duration: linger,
          orElse: () => Effect.sync(() => raw.destroy())
        })
      })
  )

/** What one end of a conversation reads and writes, of the two codecs that describe it. */
export const pair = <In, Out>(incoming: Codec.Codec<In>, outgoing: Codec.Codec<Out>): Codec.Codec<In, Out> => ({
  decoder: incoming.decoder,
  encode: outgoing.encode,
  maxFrameBytes: incoming.maxFrameBytes
})

/** Dials within a time limit. */
export const dial = (
  endpoint: Endpoint.Endpoint,
  timeout: Duration.Input
): Effect.Effect<Transport.RawSocket, Transport.ConnectError, Transport.Transport | Scope.Scope> =>
  Transport.Transport.use((transport) => transport.connect(endpoint)).pipe(
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => Effect.fail(new Transport.ConnectError({ endpoint, reason: "TimedOut", code: "ETIMEDOUT" }))
    })
  )
