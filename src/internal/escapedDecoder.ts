/**
 * Decodes frames between delimiters that cannot stand in them, and goes on at the next delimiter when one is bad.
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import * as Result from "effect/Result"
import type * as CloseReason from "../CloseReason.ts"
import type { Decoder, Output } from "./decoder.ts"
import { FrameBuffer } from "./frameBuffer.ts"
import type { Code } from "./stuffing.ts"
import { corrupt, emptyChunk } from "./wrappedDecoder.ts"

/** As for delimited frames. Arbitrary; not measured. */
const firstBytes = 64

/** Decodes escaped frames. */
export class EscapedDecoder implements Decoder<Uint8Array> {
  private readonly code: Code
  private readonly maxFrameBytes: number
  private readonly maxHeldBytes: number
  private readonly skipsEmpty: boolean
  private readonly buffer = new FrameBuffer(firstBytes)
  /** What was not read when an error was given. */
  private rest: Uint8Array = emptyChunk
  private fatal: CloseReason.FrameError | undefined = undefined

  constructor(code: Code, maxFrameBytes: number, skipsEmpty: boolean) {
    this.code = code
    this.maxFrameBytes = maxFrameBytes
    this.maxHeldBytes = code.mostBytes(maxFrameBytes)
    this.skipsEmpty = skipsEmpty
  }

  get bytesBuffered(): number {
    return this.buffer.length + this.rest.length
  }

  decode(chunk: Uint8Array, out: Output<Uint8Array>): CloseReason.FrameError | undefined {
    if (this.fatal !== undefined) return this.fatal
    const { buffer } = this
    const { delimiter } = this.code
    const bytes = this.rest.length === 0 ? chunk : Bytes.concat([this.rest, chunk])
    this.rest = emptyChunk
    let at = 0
    for (let next = bytes.indexOf(delimiter); next !== -1; next = bytes.indexOf(delimiter, at)) {
      if (buffer.length + next - at > this.maxHeldBytes) return this.failTooLarge()
      let frame: Uint8Array
      if (buffer.length === 0) {
        frame = bytes.subarray(at, next)
      } else {
        buffer.append(bytes, at, next, this.maxHeldBytes)
        frame = buffer.take()
      }
      at = next + 1
      if (frame.length === 0 && this.skipsEmpty) continue
      const content = this.code.decode(frame)
      if (Result.isFailure(content)) {
        this.rest = bytes.subarray(at)
        return corrupt(content.failure)
      }
      if (content.success.length > this.maxFrameBytes) return this.failTooLarge()
      out.push(content.success)
    }
    if (buffer.length + bytes.length - at > this.maxHeldBytes) return this.failTooLarge()
    if (at < bytes.length) buffer.append(bytes, at, bytes.length, this.maxHeldBytes)
    return undefined
  }

  end(out: Output<Uint8Array>): CloseReason.FrameError | undefined {
    const error = this.decode(emptyChunk, out)
    if (error !== undefined || this.buffer.length === 0) return error
    return this.fail({ _tag: "FrameTruncated", bufferedBytes: this.buffer.length })
  }

  private failTooLarge(): CloseReason.FrameError {
    const { maxFrameBytes } = this
    return this.fail({ _tag: "FrameTooLarge", bytes: maxFrameBytes + 1, maxFrameBytes, direction: "inbound" })
  }

  private fail(error: CloseReason.FrameError): CloseReason.FrameError {
    this.buffer.clear()
    this.fatal = error
    return error
  }
}
