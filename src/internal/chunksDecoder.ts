/**
 * No framing at all: the chunk is the message.
 *
 * @since 0.1.0
 */
import type * as CloseReason from "../CloseReason.ts"
import type { Decoder, Output } from "./decoder.ts"

/** Passes chunks through, cut into pieces of at most `maxFrameBytes`. It never stands inside a frame. */
export class ChunksDecoder implements Decoder<Uint8Array> {
  private readonly maxFrameBytes: number
  readonly bytesBuffered = 0

  constructor(maxFrameBytes: number) {
    this.maxFrameBytes = maxFrameBytes
  }

  decode(chunk: Uint8Array, out: Output<Uint8Array>): CloseReason.FrameError | undefined {
    const size = this.maxFrameBytes
    if (chunk.length <= size) {
      if (chunk.length > 0) {
        out.push(chunk)
      }
      return undefined
    }
    for (let at = 0; at < chunk.length; at += size) {
      out.push(chunk.subarray(at, at + size))
    }
    return undefined
  }

  end(): CloseReason.FrameError | undefined {
    return undefined
  }
}
