/**
 * Messages that arrive exactly once and in order over a link that spoils frames: ACK, NAK, and sending again.
 *
 * The sender numbers its messages and keeps each until it is acknowledged. The receiver answers every frame: ACK for a good
 * one, NAK for one that is corrupt or not the next; each answer names the number it wants next, and so acknowledges all
 * before it. On NAK, and when no answer comes in time, the sender goes back to the first message without ACK and sends it
 * and all after it again. The receiver holds nothing: it takes the next number and drops all others.
 *
 * ```
 * sender                                receiver
 * DATA 0, DATA 1, DATA 2  ----------->  0 handled, 1 corrupt, 2 is not the next
 *          <----------- ACK 1, NAK 1, NAK 1
 * DATA 1, DATA 2          ----------->  1 handled, 2 handled
 *          <----------- ACK 2, ACK 3
 * ```
 *
 * Up to `window` messages are on their way at once; with a window of 1 it is the textbook's stop-and-wait. Numbers are one
 * byte and begin again after 255. With a window of at most 128 a number tells what was handled from what is to come.
 *
 * **Gotchas**: frames may be lost, repeated and spoilt, but must not overtake each other. The codec must notice what is
 * spoilt (`Framing` with a checksum), and its boundaries must survive it. TCP itself keeps order and checks a little; this
 * is for what lies beyond it: serial lines, gateways, radio. Nothing is promised beyond one connection: a message without
 * ACK when it breaks may have been handled or not.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as CloseReason from "./CloseReason.ts"
import * as Codec from "./Codec.ts"
import * as Connection from "./Connection.ts"
import * as content from "./internal/content.ts"
import { Expiry } from "./internal/expiry.ts"
import {
  maxWindow,
  type RetransmissionOptionsError,
  type SenderOptions,
  settle
} from "./internal/retransmissionOptions.ts"
import { distance, type Failure, SendWindow, sequenceNumbers } from "./internal/sendWindow.ts"
import { monotonicMillis } from "./internal/time.ts"

/** A frame on the wire. The number of an answer is the next one that the receiver wants. @category models @since 0.1.0 */
export type Frame<A> =
  | { readonly _tag: "Data"; readonly seq: number; readonly payload: A }
  | { readonly _tag: "Ack"; readonly seq: number }
  | { readonly _tag: "Nak"; readonly seq: number }

/** A codec of frames, in which a frame that was spoilt is an item. @category models @since 0.1.0 */
export type FrameCodec<A> = Codec.Codec<Result.Result<Frame<A>, Codec.CorruptFrame>, Frame<A>>

/** A connection that carries frames. @category models @since 0.1.0 */
export type Link<A> = Connection.Connection<Result.Result<Frame<A>, Codec.CorruptFrame>, Frame<A>>

/** Why a message was sent again: its receiver refused it, or did not answer. @category models @since 0.1.0 */
export type Again = "Nak" | "TimedOut"

/** A message was handled. `again` has an entry for each time it was sent again. @category models @since 0.1.0 */
export interface Receipt {
  readonly again: ReadonlyArray<Again>
}

/** So many attempts, and no ACK; `last` is what came of the last one. @category models @since 0.1.0 */
export interface GaveUp {
  readonly _tag: "GaveUp"
  readonly attempts: number
  readonly last: Again
}

/**
 * A message was not acknowledged: the sender gave up, or the connection ended. It may have been handled or not.
 *
 * **Details**
 * - Errors: every later message fails alike, at once. A message that the codec cannot write ends the sender with the
 *   codec's reason; `Closed` is the end of the sender's scope.
 *
 * @category errors
 * @since 0.1.0
 */
export class RetransmissionError extends Data.TaggedError("RetransmissionError")<{
  readonly reason: GaveUp | CloseReason.CloseReason
}> {
  override get message(): string {
    const { reason } = this
    if (reason._tag !== "GaveUp") return CloseReason.format(reason)
    const last = reason.last === "Nak" ? "the last one was refused" : "nobody answered the last one in time"
    return `not acknowledged after ${reason.attempts} attempts: ${last}`
  }
}

export {
  /** The values used where an option is not given. @category options @since 0.1.0 */
  defaults,
  /** The most messages that may be on their way. @category options @since 0.1.0 */
  maxWindow,
  /** An option that a sender cannot work with. @category errors @since 0.1.0 */
  RetransmissionOptionsError,
  /** How to send. @category options @since 0.1.0 */
  type SenderOptions
} from "./internal/retransmissionOptions.ts"

/** The sending end. @category models @since 0.1.0 */
export interface Sender<in A> {
  /**
   * Sends a message and waits until it was handled. Messages are handled in the order in which they were given here.
   *
   * Interruption takes back what was not sent yet; after that it may still be handled.
   */
  readonly send: (message: A) => Effect.Effect<Receipt, RetransmissionError>
}

/** What a receiver may be told. @category options @since 0.1.0 */
export interface ReceiveOptions {
  /** Called for each frame that gets a NAK: with what is wrong with it, or its number where another was next. */
  readonly onNak?: ((why: Codec.CorruptFrame | number) => void) | undefined
}

const tags = ["Data", "Ack", "Nak"] as const

const binary = (framing: Codec.Codec<Uint8Array>): Codec.Codec<Frame<Uint8Array>> =>
  Codec.mapResult(framing, {
    decode: (frame: Uint8Array): Result.Result<Frame<Uint8Array>, string> => {
      const tag = tags[frame[0] ?? tags.length]
      const seq = frame[1]
      if (tag === undefined || seq === undefined) return Result.fail("neither data nor ACK nor NAK")
      return Result.succeed(tag === "Data" ? { _tag: tag, seq, payload: frame.subarray(2) } : { _tag: tag, seq })
    },
    encode: (frame: Frame<Uint8Array>) => {
      const payload = frame._tag === "Data" ? frame.payload : new Uint8Array(0)
      const all = new Uint8Array(2 + payload.length)
      all[0] = tags.indexOf(frame._tag)
      all[1] = frame.seq
      all.set(payload, 2)
      return Result.succeed(all)
    }
  })

const mapPayload = <A, B, E>(
  frame: Frame<A>,
  f: (payload: A) => Result.Result<B, E>
): Result.Result<Frame<B>, E> =>
  frame._tag === "Data" ? Result.map(f(frame.payload), (payload) => ({ ...frame, payload })) : Result.succeed(frame)

/**
 * Frames in binary: a byte of kind (0 data, 1 ACK, 2 NAK), a byte of number, the payload.
 *
 * **Details**: the framing must refuse what was spoilt: give it a checksum.
 *
 * @category codecs
 * @since 0.1.0
 */
export const bytes = (framing: Codec.Codec<Uint8Array>): FrameCodec<Uint8Array> => Codec.attempt(binary(framing))

/** The same with a payload of UTF-8. @category codecs @since 0.1.0 */
export const text = (framing: Codec.Codec<Uint8Array>): FrameCodec<string> =>
  Codec.attempt(Codec.mapResult(binary(framing), {
    decode: (frame: Frame<Uint8Array>) => mapPayload(frame, content.fromUtf8Result),
    encode: (frame: Frame<string>) => mapPayload(frame, content.toUtf8Result)
  }))

/** Starts the sending end on a connection, for the time of the scope. @category constructors @since 0.1.0 */
export const makeSender: <A>(
  link: Link<A>,
  options?: SenderOptions
) => Effect.Effect<Sender<A>, RetransmissionOptionsError, Scope.Scope> = Effect.fnUntraced(
  function*<A>(link: Link<A>, options: SenderOptions = {}) {
    const { maxAttempts, millis, window: size } = yield* settle(options)
    const clock = yield* Clock.Clock
    const fork = Effect.runForkWith(yield* Effect.context<never>())
    let resume: (() => void) | undefined
    let awake = true
    // One turn later, so that all who send now leave in one write.
    const wake = () => {
      if (awake) return
      awake = true
      queueMicrotask(() => resume?.())
    }
    const timer = new Expiry<true>({ millis, clock, fork, onExpire: () => window.expire() })
    const window = new SendWindow<A>({
      window: size,
      maxAttempts,
      wake,
      timer: {
        start: () => {
          timer.delete(true)
          timer.add(true)
        },
        stop: () => void timer.delete(true)
      }
    })
    const asleep = Effect.callback<void>((done) => {
      resume = () => done(Exit.void)
      if (awake) resume()
    })
    const write: Effect.Effect<never, CloseReason.ConnectionError> = Effect.suspend(() => {
      awake = false
      const frames = window.take()
      return Effect.flatMap(frames.length > 0 ? link.write(frames) : asleep, () => write)
    })
    const read = Connection.forEachBatch(link, (batch) => {
      for (const item of batch) {
        // A spoilt answer is like a lost one.
        if (Result.isFailure(item)) continue
        const { _tag, seq } = item.success
        if (_tag === "Data") return violation("data for a sender")
        if (_tag === "Ack") window.ack(seq)
        else window.nak(seq)
      }
      return Effect.void
    })
    yield* Effect.raceFirst(write, read).pipe(
      Effect.match({
        onSuccess: () => window.end(CloseReason.peerClosed),
        onFailure: ({ reason }) => window.end(reason)
      }),
      Effect.ensuring(Effect.sync(() => {
        window.end(CloseReason.closed)
        timer.stop()
      })),
      Effect.forkScoped({ startImmediately: true })
    )
    const send = (message: A): Effect.Effect<Receipt, RetransmissionError> =>
      Effect.callback((done) => {
        const withdraw = window.offer(
          message,
          (exit) => done(Exit.mapError(exit, (reason: Failure) => new RetransmissionError({ reason })))
        )
        return Effect.sync(withdraw)
      })
    return { send }
  }
)

/** Answers leave when they collected for so long, well below any sensible time-out, or are more than a sender can await. */
const holdMillis = 20

/**
 * Handles every message once and in order, and answers every frame, until the peer's end.
 *
 * **Details**
 * - A message gets its ACK when its handler is done: to the sender an ACK means handled, not only received. A handler that
 *   fails ends this with its failure, and its message has no ACK.
 *
 * @category running
 * @since 0.1.0
 */
export const receive = Effect.fnUntraced(function*<A, E, R>(
  link: Link<A>,
  handler: (message: A) => Effect.Effect<unknown, E, R>,
  options: ReceiveOptions = {}
): Effect.fn.Return<void, CloseReason.ConnectionError | E, R> {
  const clock = yield* Clock.Clock
  let expected = 0
  let answers: Array<Frame<A>> = []
  const answer = (tag: "Ack" | "Nak") => void answers.push({ _tag: tag, seq: expected })
  const flush = Effect.suspend(() => {
    const ready = answers
    answers = []
    return link.write(ready)
  })
  const one = (
    item: Result.Result<Frame<A>, Codec.CorruptFrame>
  ): Effect.Effect<unknown, CloseReason.ConnectionError | E, R> => {
    if (Result.isFailure(item)) {
      options.onNak?.(item.failure)
      return Effect.sync(() => answer("Nak"))
    }
    const frame = item.success
    if (frame._tag !== "Data") return violation("an answer for a receiver")
    const ahead = distance(expected, frame.seq)
    if (ahead === 0) {
      return Effect.map(handler(frame.payload), () => {
        expected = (expected + 1) % sequenceNumbers
        answer("Ack")
      })
    }
    if (ahead >= maxWindow) return Effect.sync(() => answer("Ack"))
    options.onNak?.(frame.seq)
    return Effect.sync(() => answer("Nak"))
  }
  yield* Connection.forEachBatch(link, (batch) =>
    Effect.gen(function*() {
      let since = monotonicMillis(clock)
      for (const item of batch) {
        // Where a handler fails, the messages before its own still get their ACK.
        yield* Effect.tapError(one(item), () => Effect.ignore(flush))
        if (answers.length <= maxWindow && monotonicMillis(clock) - since < holdMillis) continue
        yield* flush
        since = monotonicMillis(clock)
      }
      yield* flush
    }))
})

const violation = (message: string): Effect.Effect<never, CloseReason.ConnectionError> =>
  Effect.fail(new CloseReason.ConnectionError({ reason: { _tag: "ProtocolViolation", message } }))
