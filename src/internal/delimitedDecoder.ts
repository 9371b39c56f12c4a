/**
 * Finds frames that end with a delimiter, in one pass over the bytes whatever they are.
 *
 * Bytes outside a possible delimiter are skipped by `indexOf`. Inside one, `matched` counts how many bytes of it have
 * been seen, across chunks; a byte that does not fit falls back as in Knuth, Morris and Pratt (1977), so nothing is
 * read twice.
 *
 * ```
 * delimiter CR LF      [ab CR] [LF cd]       matched 1 at the end of the first chunk
 * ```
 *
 * @since 0.1.0
 */
import type * as CloseReason from "../CloseReason.ts"
import type { Decoder, Output } from "./decoder.ts"
import { FrameBuffer } from "./frameBuffer.ts"

const carriageReturn = 0x0d

/** A line typed by hand fits; a longer one grows in a few steps. Arbitrary; not measured. */
const firstBytes = 64

/** A delimiter with its fallback table: `fallback[n]` is how much still matches if the byte after `n` does not fit. */
export class Delimiter {
  readonly bytes: Uint8Array
  readonly first: number
  private readonly fallback: Uint32Array

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.first = bytes[0] ?? 0
    this.fallback = new Uint32Array(bytes.length + 1)
    for (let i = 1, matched = 0; i < bytes.length; i++) {
      matched = this.step(matched, bytes[i] ?? 0)
      this.fallback[i + 1] = matched
    }
  }

  /** How many bytes of the delimiter are matched after `byte`, when `matched` of them (never all) were before. */
  step(matched: number, byte: number): number {
    let count = matched
    while (count > 0 && this.bytes[count] !== byte) {
      count = this.fallback[count] ?? 0
    }
    return this.bytes[count] === byte ? count + 1 : 0
  }

  /** Where the first delimiter of `payload` followed by the delimiter begins: `payload.length` if all is well. */
  firstIn(payload: Uint8Array): number {
    const size = this.bytes.length
    let matched = 0
    for (let i = 0; i < payload.length; i++) {
      if (matched === 0) {
        i = indexOf(payload, this.first, i)
        if (i === -1) {
          return payload.length
        }
      }
      matched = this.step(matched, payload[i] ?? 0)
      if (matched === size) {
        return i + 1 - size
      }
    }
    for (let i = 0; i < size; i++) {
      matched = this.step(matched, this.bytes[i] ?? 0)
      if (matched === size) {
        return payload.length + i + 1 - size
      }
    }
    return payload.length
  }
}

/** So far a loop is faster than the call of the built-in search, which costs 45 ns for nothing. */
const loopBytes = 128

const indexOf = (bytes: Uint8Array, byte: number, from: number): number => {
  const end = Math.min(bytes.length, from + loopBytes)
  for (let i = from; i < end; i++) if (bytes[i] === byte) return i
  return end === bytes.length ? -1 : bytes.indexOf(byte, end)
}

/** What the decoder of delimited frames is told. */
export interface Options {
  readonly delimiter: Delimiter
  readonly maxFrameBytes: number
  /** Cuts one CR off the end of a frame: `ending: "any"`. */
  readonly optionalCr: boolean
  readonly unterminated: "emit" | "reject"
}

/** Decodes delimited frames. */
export class DelimitedDecoder implements Decoder<Uint8Array> {
  private readonly delimiter: Delimiter
  private readonly size: number
  private readonly maxFrameBytes: number
  private readonly maxHeldBytes: number
  private readonly optionalCr: boolean
  private readonly emitsUnterminated: boolean
  private readonly buffer = new FrameBuffer(firstBytes)
  /** How many bytes of a delimiter stand at the end of what has been read. */
  private matched = 0
  private fatal: CloseReason.FrameError | undefined = undefined

  constructor(options: Options) {
    this.delimiter = options.delimiter
    this.size = options.delimiter.bytes.length
    this.maxFrameBytes = options.maxFrameBytes
    this.maxHeldBytes = options.maxFrameBytes + this.size
    this.optionalCr = options.optionalCr
    this.emitsUnterminated = options.unterminated === "emit"
  }

  get bytesBuffered(): number {
    return this.buffer.length
  }

  decode(chunk: Uint8Array, out: Output<Uint8Array>): CloseReason.FrameError | undefined {
    if (this.fatal !== undefined) {
      return this.fatal
    }
    let start = 0
    let next = this.find(chunk, 0)
    while (next !== -1) {
      const error = this.emit(chunk, start, next, out)
      if (error !== undefined) {
        return error
      }
      start = next
      next = this.find(chunk, start)
    }
    return this.hold(chunk, start)
  }

  end(out: Output<Uint8Array>): CloseReason.FrameError | undefined {
    const bufferedBytes = this.buffer.length
    if (this.fatal !== undefined || bufferedBytes === 0) {
      return this.fatal
    }
    if (!this.emitsUnterminated) {
      return this.fail({ _tag: "FrameTruncated", bufferedBytes })
    }
    if (bufferedBytes > this.maxFrameBytes) {
      return this.failTooLarge()
    }
    out.push(this.buffer.take())
    return undefined
  }

  /** The position behind the next delimiter, or -1 when the chunk is exhausted. */
  private find(chunk: Uint8Array, from: number): number {
    const length = chunk.length
    let matched = this.matched
    let at = from
    while (at < length) {
      if (matched === 0) {
        at = indexOf(chunk, this.delimiter.first, at)
        if (at === -1) {
          break
        }
        matched = 1
      } else {
        matched = this.delimiter.step(matched, chunk[at] ?? 0)
      }
      at += 1
      if (matched === this.size) {
        this.matched = 0
        return at
      }
    }
    this.matched = matched
    return -1
  }

  /** Emits the frame that ends, delimiter included, at `next`. */
  private emit(
    chunk: Uint8Array,
    start: number,
    next: number,
    out: Output<Uint8Array>
  ): CloseReason.FrameError | undefined {
    const held = this.buffer.length
    let content = held + next - start - this.size
    if (this.optionalCr && this.byteBefore(chunk, start, start + content - held) === carriageReturn) {
      content -= 1
    }
    if (content > this.maxFrameBytes) {
      return this.failTooLarge()
    }
    if (held === 0) {
      out.push(new Uint8Array(chunk.buffer, chunk.byteOffset + start, content))
      return undefined
    }
    if (content > held) {
      this.buffer.append(chunk, start, start + content - held, content)
    } else {
      this.buffer.truncate(content)
    }
    out.push(this.buffer.take())
    return undefined
  }

  /** Keeps the unfinished frame, unless it is certain to be too large already. */
  private hold(chunk: Uint8Array, start: number): CloseReason.FrameError | undefined {
    const length = chunk.length
    if (start === length) {
      return undefined
    }
    const pendingCr = this.optionalCr && chunk[length - 1] === carriageReturn ? 1 : 0
    if (this.buffer.length + length - start - this.matched - pendingCr > this.maxFrameBytes) {
      return this.failTooLarge()
    }
    this.buffer.append(chunk, start, length, this.maxHeldBytes)
    return undefined
  }

  /** The byte of the frame just before `end`, a position in the chunk that may lie before it, in the buffer. */
  private byteBefore(chunk: Uint8Array, start: number, end: number): number | undefined {
    return end > start ? chunk[end - 1] : end === start ? this.buffer.peek()[this.buffer.length - 1] : undefined
  }

  /** The count at which the limit is passed, so that the error does not depend on how the network cut the bytes. */
  private failTooLarge(): CloseReason.FrameError {
    const maxFrameBytes = this.maxFrameBytes
    return this.fail({ _tag: "FrameTooLarge", bytes: maxFrameBytes + 1, maxFrameBytes, direction: "inbound" })
  }

  private fail(error: CloseReason.FrameError): CloseReason.FrameError {
    this.buffer.clear()
    this.fatal = error
    return error
  }
}
