/**
 * Decoders around a decoder: what `Codec.map`, `mapResult` and `attempt` stand on.
 *
 * The one difficult duty is to stop at a bad message although the inner decoder has already given the ones behind it.
 * Those wait here; the reader asks for them with `decode(empty)`, and no chunk reaches the inner decoder before they
 * are gone.
 *
 * ```
 * inner gave      m1 m2 bad m4 m5
 * decode(chunk)   m1 m2, error        bytesBuffered > 0
 * decode(empty)   m4 m5               bytesBuffered = 0
 * ```
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as CloseReason from "../CloseReason.ts"
import type { CorruptFrame } from "../Codec.ts"
import type { Decoder, Output } from "./decoder.ts"

/** Nothing: what a reader passes to go on after a recoverable error. */
export const emptyChunk = new Uint8Array(0)

/** Says whether the frame's boundary is known, so that decoding can go on behind it. */
export const isRecoverable = (error: CloseReason.FrameError): error is CorruptFrame =>
  error._tag === "FrameCorrupt" && error.recoverable

/** The error of a whole frame whose content is wrong. */
export const corrupt = (message: string): CorruptFrame => ({
  _tag: "FrameCorrupt",
  message,
  recoverable: true
})

/** Transforms every message; nothing can fail, so nothing is ever held back. */
export class MapDecoder<in out A, in out C> implements Decoder<C>, Output<A> {
  private readonly inner: Decoder<A>
  private readonly f: (message: A) => C
  private out: Output<C> | undefined = undefined

  constructor(inner: Decoder<A>, f: (message: A) => C) {
    this.inner = inner
    this.f = f
  }

  get bytesBuffered(): number {
    return this.inner.bytesBuffered
  }

  decode(chunk: Uint8Array, out: Output<C>): CloseReason.FrameError | undefined {
    this.out = out
    const error = this.inner.decode(chunk, this)
    this.out = undefined
    return error
  }

  end(out: Output<C>): CloseReason.FrameError | undefined {
    this.out = out
    const error = this.inner.end(this)
    this.out = undefined
    return error
  }

  push(message: A): void {
    this.out?.push(this.f(message))
  }
}

/** Transforms every message or refuses it with the text of a recoverable error. */
export class MapResultDecoder<in out A, in out C> implements Decoder<C> {
  private readonly inner: Decoder<A>
  private readonly f: (message: A) => Result.Result<C, string>
  /** What the inner decoder gave; the first `next` of it are done. */
  private readonly queue: Array<A> = []
  private next = 0
  /** The inner decoder's own error, due after the queue. */
  private queuedError: CloseReason.FrameError | undefined = undefined
  /** An upper bound of the bytes behind the queue: what the inner decoder consumed for it. */
  private queuedBytes = 0
  /** Chunks of a reader that did not ask for the queue first. Empty for readers that keep to the contract. */
  private readonly waiting: Array<Uint8Array> = []
  private waitingBytes = 0
  private fatal: CloseReason.FrameError | undefined = undefined

  constructor(inner: Decoder<A>, f: (message: A) => Result.Result<C, string>) {
    this.inner = inner
    this.f = f
  }

  get bytesBuffered(): number {
    return this.inner.bytesBuffered + this.queuedBytes + this.waitingBytes
  }

  decode(chunk: Uint8Array, out: Output<C>): CloseReason.FrameError | undefined {
    if (this.fatal !== undefined) {
      return this.fatal
    }
    if (this.next === 0 && this.queuedError === undefined && this.waiting.length === 0) {
      return this.feed(chunk, out)
    }
    if (chunk.length > 0) {
      this.waiting.push(chunk)
      this.waitingBytes += chunk.length
    }
    return this.catchUp(out)
  }

  end(out: Output<C>): CloseReason.FrameError | undefined {
    const error = this.fatal ?? this.catchUp(out)
    if (error !== undefined) {
      return error
    }
    this.queuedBytes = this.inner.bytesBuffered
    this.queuedError = this.inner.end(this.queue)
    return this.drain(out)
  }

  private feed(chunk: Uint8Array, out: Output<C>): CloseReason.FrameError | undefined {
    const before = this.inner.bytesBuffered
    this.queuedError = this.inner.decode(chunk, this.queue)
    this.queuedBytes = Math.max(0, before + chunk.length - this.inner.bytesBuffered)
    return this.drain(out)
  }

  private catchUp(out: Output<C>): CloseReason.FrameError | undefined {
    let error = this.drain(out)
    while (error === undefined && this.waiting.length > 0) {
      const chunk = this.waiting.shift() ?? emptyChunk
      this.waitingBytes -= chunk.length
      error = this.feed(chunk, out)
    }
    return error
  }

  private drain(out: Output<C>): CloseReason.FrameError | undefined {
    while (this.next < this.queue.length) {
      // In range by the line above; A may itself include undefined, so the index type cannot be narrowed instead.
      const result = this.f(this.queue[this.next] as A)
      this.next += 1
      if (Result.isFailure(result)) {
        if (this.next === this.queue.length && this.queuedError === undefined) {
          this.clear()
        }
        return corrupt(result.failure)
      }
      out.push(result.success)
    }
    const error = this.queuedError
    this.clear()
    if (error !== undefined && !isRecoverable(error)) {
      this.fatal = error
      this.waiting.length = 0
      this.waitingBytes = 0
    }
    return error
  }

  private clear(): void {
    this.queue.length = 0
    this.next = 0
    this.queuedBytes = 0
    this.queuedError = undefined
  }
}

/** Makes results of messages and recoverable errors, so that decoding goes on by itself. */
export class AttemptDecoder<in out A> implements Decoder<Result.Result<A, CorruptFrame>>, Output<A> {
  private readonly inner: Decoder<A>
  private out: Output<Result.Result<A, CorruptFrame>> | undefined = undefined

  constructor(inner: Decoder<A>) {
    this.inner = inner
  }

  get bytesBuffered(): number {
    return this.inner.bytesBuffered
  }

  decode(chunk: Uint8Array, out: Output<Result.Result<A, CorruptFrame>>): CloseReason.FrameError | undefined {
    this.out = out
    let error = this.inner.decode(chunk, this)
    while (forgives(error, out)) error = this.inner.decode(emptyChunk, this)
    this.out = undefined
    return error
  }

  end(out: Output<Result.Result<A, CorruptFrame>>): CloseReason.FrameError | undefined {
    this.out = out
    let error = this.inner.end(this)
    while (forgives(error, out)) error = this.inner.end(this)
    this.out = undefined
    return error
  }

  push(message: A): void {
    this.out?.push(Result.succeed(message))
  }
}

/** Makes a result of an error behind which decoding can go on, and says whether it is one. */
const forgives = (
  error: CloseReason.FrameError | undefined,
  out: Output<Result.Result<never, CorruptFrame>>
): boolean => {
  if (error === undefined || !isRecoverable(error)) return false
  out.push(Result.fail(error))
  return true
}
