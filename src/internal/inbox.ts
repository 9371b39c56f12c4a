/**
 * The reading side of a connection: chunks are decoded as they come. Each message goes at once to whoever takes it; where
 * nobody does, it is kept.
 *
 * ```
 * decode --> taker
 *       `--> messages --give--> reader --heard--> forgotten      first the messages,
 *       `--> failure  --tell-->   `---- takeBack                 then what stopped the decoder,
 * end   ---> ended                                               or else the end
 * ```
 *
 * A decoder that throws fails like one that returns an error.
 */
import type * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Pull from "effect/Pull"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"

/** What one pull gives. */
export type Batch<A> = Arr.NonEmptyReadonlyArray<A>

/** What answers messages at once, as far as that can be done. */
export interface Answerer<in In> extends Codec.Output<In> {
  /** Whether what it is given may be gone when it has answered. */
  readonly isBorrowing?: boolean
  /** Keeps what it was lent, if it is not done with it; says whether it does. */
  readonly keep?: () => boolean
  /**
   * There are no more messages for now: what was answered leaves. Gives what is left for the fiber to run, if anything; it
   * may fail and need what that fiber's loop may.
   */
  readonly done: () => Effect.Effect<void, unknown, unknown> | undefined
  /** Starts the fiber, with what its first pull gives. */
  readonly wake: (first: Pull.Pull<Batch<In>, CloseReason.ConnectionError>) => void
}

const empty = new Uint8Array(0)

/** Somebody in the middle may have put it there, to be taken for what came encrypted (CVE-2011-0411). */
export const broughtMore: CloseReason.CloseReason = {
  _tag: "ProtocolViolation",
  message: "plain text followed the message that agreed on TLS (RFC 3207, 4.2)"
}

export class Inbox<In> implements Codec.Output<In> {
  messagesIn = 0
  /** Decoded and not taken; never empty. */
  messages: Array<In> | undefined = undefined
  /** Given, and perhaps not heard. */
  private given: Array<In> | undefined = undefined
  private told = false
  /** What stopped the decoder, behind the messages. */
  failure: CloseReason.CloseReason | undefined = undefined
  /** The decoder was told the end, and had no objection. */
  ended = false
  private decoder: Codec.Decoder<In>
  /** While it decodes for somebody. */
  private taker: Codec.Output<In> | undefined = undefined
  /** Bytes given to the decoder. */
  private fed = 0
  /** Of these, the ones in front of the first message that nobody took. */
  private settled = 0
  private givenFrom = 0

  constructor(codec: Pick<Codec.Codec<In>, "decoder">) {
    this.decoder = decoderOf(codec)
  }

  /** Whether there is something to tell the reader. */
  get isReady(): boolean {
    return this.messages !== undefined || this.failure !== undefined || this.ended
  }

  /** Whether a frame has begun to arrive; there may be one behind each that is taken. */
  get isInFrame(): boolean {
    return this.taker !== undefined || this.decoder.bytesBuffered > 0
  }

  /** Bytes of the frame that has begun. */
  get bytesBuffered(): number {
    return this.decoder.bytesBuffered
  }

  /** Bytes of everything that nobody took so far. In the midst of decoding nobody knows. */
  get bytesHeld(): number {
    if (this.taker !== undefined) return 0
    return this.messages === undefined ? this.decoder.bytesBuffered : this.fed - this.settled
  }

  /** Whether there is something that can be told only once. */
  get holds(): boolean {
    return this.messages !== undefined || this.failure !== undefined
  }

  /** Whether a message is the last that was read, and nothing at all came behind it. */
  isLast(message: In): boolean {
    const { given } = this
    return !this.isReady && !this.isInFrame && given !== undefined && Object.is(given.at(-1), message)
  }

  /** Gives the messages to the reader. */
  give(): Batch<In> | undefined {
    const { messages } = this
    this.given = messages
    this.givenFrom = this.settled
    this.messages = undefined
    return messages as unknown as Batch<In> | undefined // never empty
  }

  /** Gives the failure to the reader. */
  tell(): CloseReason.CloseReason | undefined {
    this.told = this.failure !== undefined
    return this.failure
  }

  /** The reader has heard what it was given, and asks for more: goes on behind a bad frame, where that can be done. */
  heard(): void {
    this.given = undefined
    if (!this.told) return
    this.told = false
    const { failure } = this
    if (failure?._tag === "FrameCorrupt" && failure.recoverable) this.decode(empty)
  }

  /** The reader was interrupted before it heard. */
  takeBack(): void {
    const { given } = this
    this.told = false
    this.given = undefined
    if (given === undefined) return
    if (this.messages !== undefined) given.push(...this.messages)
    this.messages = given
    this.settled = this.givenFrom
  }

  /** Decodes a chunk, for `taker` if there is one: then nothing may be kept. Says whether there were messages in it. */
  decode(chunk: Uint8Array, taker?: Codec.Output<In>): boolean {
    const before = this.messagesIn
    if (this.messages === undefined) this.settled = this.fed - this.decoder.bytesBuffered
    this.fed += chunk.length
    this.taker = taker
    try {
      this.failure = this.decoder.decode(chunk, this)
    } catch (defect) {
      this.broke(defect)
    }
    this.taker = undefined
    return this.messagesIn !== before
  }

  /** Whoever threw in the middle of something is not asked again. */
  private broke(defect: unknown): void {
    this.decoder = spent
    this.failure = CloseReason.fromCause(Cause.die(defect))
  }

  /**
   * Takes a message from the decoder. Passed on one by one they are still in the processor's cache, and no array grows: 14 %
   * with 256 in flight.
   */
  push(message: In): void {
    this.messagesIn++
    if (this.taker === undefined) this.collect(message)
    else this.taker.push(message)
  }

  private collect(message: In): void {
    if (this.messages === undefined) this.messages = [message]
    else this.messages.push(message)
  }

  /** Nobody takes any more. */
  forget(): void {
    this.messages = undefined
    this.decoder = spent
  }

  /** No more bytes will come. Says whether there were messages left. */
  end(taker?: Codec.Output<In>): boolean {
    const before = this.messagesIn
    this.taker = taker
    try {
      this.failure = this.decoder.end(this)
      this.ended = this.failure === undefined
    } catch (defect) {
      this.broke(defect)
    }
    this.taker = undefined
    return this.messagesIn !== before
  }
}

/** What is left of a decoder that nobody needs any more. */
const spent = { decode: () => undefined, end: () => undefined, bytesBuffered: 0 } as const

/** A codec that throws breaks its own connection, at the first byte, and not whoever accepts it. */
const decoderOf = <In>(codec: Pick<Codec.Codec<In>, "decoder">): Codec.Decoder<In> => {
  try {
    return codec.decoder()
  } catch (defect) {
    const fail = () => {
      throw defect
    }
    return { decode: fail, end: fail, bytesBuffered: 0 }
  }
}
