/**
 * Finds frames whose first bytes tell their size, and finds the boundary again where they lie.
 *
 * A frame is complete when `size` gives the number of bytes it was shown. It is refused when its head is none, its size
 * is impossible, or `check` says so. What then follows is the policy:
 *
 * ```
 * fail        a frame that only `check` refused is passed over; all else is fatal
 * byte        its first byte is skipped, and the next one may begin a frame
 * delimiter   it is skipped up to the end of the next delimiter in it or after it
 * ```
 *
 * A run of skipped bytes is one error, given at a place in the stream that does not depend on how it was cut: at the end
 * of a delimiter, where a frame may begin, where all bytes of the refused frame have been looked at, and after as many
 * bytes as a frame may have.
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import * as Result from "effect/Result"
import * as CloseReason from "../CloseReason.ts"
import type { Decoder, Output } from "./decoder.ts"
import type { Delimiter } from "./delimitedDecoder.ts"
import { FrameBuffer } from "./frameBuffer.ts"
import * as wrapped from "./wrappedDecoder.ts"

/** As of length fields: a size is believed up to here, and more is allocated as it arrives. */
const trustedBytes = 65_536

/** What the decoder is told. */
export interface Measure {
  readonly maxFrameBytes: number
  readonly headBytes: number
  readonly size: (prefix: Uint8Array) => number | undefined
  readonly resync: "fail" | "byte" | Delimiter
}

/** Takes a whole frame apart, or refuses it. */
export type Check = (frame: Uint8Array) => Result.Result<Uint8Array, string>

/** Decodes frames that tell their size. */
export class MeasuredDecoder implements Decoder<Uint8Array> {
  private readonly measure: Measure
  private readonly check: Check
  private readonly buffer = new FrameBuffer(trustedBytes)
  /** How many bytes the frame in the buffer has at least: more than are there. */
  private need = 0
  /** What was not read when an error was given; nobody asks for it late who keeps to the contract. */
  private rest: Uint8Array = wrapped.emptyChunk
  /** How many bytes were thrown away since the last error, and what was wrong with the first of them. */
  private skipped = 0
  private reason = ""
  /** How many of the next bytes are of a refused frame that is looked through. */
  private inside = 0
  private looksInside = false
  /** Whether a delimiter is looked for, and how much of it was just seen. */
  private seeks = false
  private matched = 0
  /** What `look` found wrong. */
  private problem: CloseReason.FrameError | undefined = undefined
  private fatal: CloseReason.FrameError | undefined = undefined

  constructor(measure: Measure, check: Check) {
    this.measure = measure
    this.check = check
  }

  get bytesBuffered(): number {
    return this.buffer.length + this.rest.length
  }

  decode(chunk: Uint8Array, out: Output<Uint8Array>): CloseReason.FrameError | undefined {
    return this.fatal ?? this.feed(this.unread(chunk), out)
  }

  end(out: Output<Uint8Array>): CloseReason.FrameError | undefined {
    return this.fatal ?? this.read(join(this.buffer.take(), this.unread(wrapped.emptyChunk)), out, true)
  }

  private unread(chunk: Uint8Array): Uint8Array {
    const bytes = join(this.rest, chunk)
    this.rest = wrapped.emptyChunk
    return bytes
  }

  private feed(bytes: Uint8Array, out: Output<Uint8Array>): CloseReason.FrameError | undefined {
    const { buffer } = this
    let at = 0
    while (buffer.length > 0) {
      const taken = Math.min(this.need - buffer.length, bytes.length - at)
      buffer.append(bytes, at, at + taken, this.need)
      at += taken
      if (buffer.length < this.need) return undefined
      const held = buffer.peek().subarray(0, buffer.length)
      const need = this.look(held, 0, this.need)
      if (this.problem === undefined && need > held.length && this.skipped === 0) {
        this.need = need
        continue
      }
      // Complete or refused. What is left of it, if anything, goes back to the buffer.
      const error = this.read(buffer.take(), out, false)
      if (error !== undefined) {
        this.rest = this.fatal === undefined ? join(this.rest, bytes.subarray(at)) : wrapped.emptyChunk
        return error
      }
    }
    return this.read(at === 0 ? bytes : bytes.subarray(at), out, false)
  }

  /** Reads the frames that begin in `bytes`; when `ended`, nothing follows. */
  private read(bytes: Uint8Array, out: Output<Uint8Array>, ended: boolean): CloseReason.FrameError | undefined {
    const { headBytes, maxFrameBytes } = this.measure
    let at = 0
    while (true) {
      if (this.seeks) {
        at = this.seek(bytes, at)
        if (!this.seeks || this.skipped >= maxFrameBytes) return this.report(bytes, at)
      }
      if (this.looksInside && this.inside < headBytes) {
        this.looksInside = false
        if (this.skipped > 0) return this.report(bytes, at)
      }
      const left = bytes.length - at
      if (left === 0) return ended && this.skipped > 0 ? this.report(bytes, at) : undefined
      let need = this.look(bytes, at, headBytes)
      if (this.problem === undefined) {
        if (this.skipped > 0 && need > headBytes && need > this.inside) return this.report(bytes, at)
        if (need <= left) {
          const frame = need === bytes.length ? bytes : bytes.subarray(at, at + need)
          const message = this.check(frame)
          if (Result.isSuccess(message)) {
            if (this.skipped > 0) return this.report(bytes, at)
            at += need
            this.inside = Math.max(0, this.inside - need)
            out.push(message.success)
            continue
          }
          this.problem = wrapped.corrupt(message.failure)
        } else if (ended) {
          this.problem = { _tag: "FrameTruncated", bufferedBytes: left }
          need = left
        } else {
          this.need = need
          this.buffer.append(bytes, at, bytes.length, need)
          return undefined
        }
      }
      const error = this.refuse(bytes, at, need, this.problem)
      if (error !== undefined) return error
      at += this.seeks ? 0 : 1
    }
  }

  /**
   * How many bytes the frame at `at` has, as far as it is there to be read; sets `problem` when it is none. Begins with
   * the answer that is known, so that bytes which come one by one cost one question each.
   */
  private look(bytes: Uint8Array, at: number, known: number): number {
    const { maxFrameBytes, size } = this.measure
    this.problem = undefined
    let need = known
    while (at + need <= bytes.length) {
      const bytesInAll = size(bytes.subarray(at, at + need))
      if (bytesInAll === need) return need
      if (bytesInAll === undefined || !(bytesInAll > need)) {
        this.problem = corrupt(
          bytesInAll === undefined
            ? "no frame begins here"
            : `size of ${bytesInAll} bytes is less than the ${need} bytes that tell it`
        )
        return need
      }
      if (bytesInAll > maxFrameBytes) {
        this.problem = { _tag: "FrameTooLarge", bytes: bytesInAll, maxFrameBytes, direction: "inbound" }
        return need
      }
      need = bytesInAll
      // A frame that may begin behind skipped bytes is where they are reported, however much of it is there.
      if (this.skipped > 0 && need > this.inside) return need
    }
    return need
  }

  /** Follows the policy: returns the error, or undefined when the search for the next frame is to go on. */
  private refuse(
    bytes: Uint8Array,
    at: number,
    need: number,
    problem: CloseReason.FrameError
  ): CloseReason.FrameError | undefined {
    const { headBytes, maxFrameBytes, resync } = this.measure
    if (resync === "fail") {
      if (wrapped.isRecoverable(problem)) {
        this.rest = bytes.subarray(at + need)
        return problem
      }
      this.fatal = problem
      return problem
    }
    if (this.skipped === 0) this.reason = reasonOf(problem)
    if (resync !== "byte") {
      this.seeks = true
      this.matched = 0
      return undefined
    }
    if (problem._tag !== "FrameTruncated" && (need > headBytes || wrapped.isRecoverable(problem))) {
      this.looksInside = true
      this.inside = Math.max(this.inside, need)
    }
    this.inside = Math.max(0, this.inside - 1)
    this.skipped += 1
    return this.skipped >= maxFrameBytes ? this.report(bytes, at + 1) : undefined
  }

  /** Skips up to the end of the next delimiter, the end of the bytes, or as many as are reported at once. */
  private seek(bytes: Uint8Array, from: number): number {
    const { maxFrameBytes, resync } = this.measure
    if (typeof resync === "string") return from
    const stop = Math.min(bytes.length, from + maxFrameBytes - this.skipped)
    let at = from
    while (at < stop && this.seeks) {
      if (this.matched === 0) {
        const next = bytes.indexOf(resync.first, at)
        if (next === -1 || next >= stop) {
          at = stop
          break
        }
        at = next
      }
      this.matched = resync.step(this.matched, bytes[at]!)
      at += 1
      this.seeks = this.matched < resync.bytes.length
    }
    this.skipped += at - from
    return at
  }

  private report(bytes: Uint8Array, at: number): CloseReason.FrameError {
    const skippedBytes = this.skipped
    this.skipped = 0
    this.rest = bytes.subarray(at)
    const message = `${this.reason}; skipped ${skippedBytes} bytes`
    return { _tag: "FrameCorrupt", message, recoverable: true, skippedBytes }
  }
}

const corrupt = (message: string): CloseReason.FrameError => ({ _tag: "FrameCorrupt", message, recoverable: false })

const reasonOf = (problem: CloseReason.FrameError): string =>
  problem._tag === "FrameCorrupt" ? problem.message : CloseReason.format(problem)

const join = (left: Uint8Array, right: Uint8Array): Uint8Array =>
  left.length === 0 ? right : right.length === 0 ? left : Bytes.concat([left, right])
