/**
 * `Framing.sized`, and layers that decide with it whether a frame is one.
 *
 * ```
 * bytes -> size: how many are a frame -> layers: mark, checksum -> message
 *             | no frame here               | refused
 *             +--------- resync: fail, skip one byte, skip to a delimiter
 * ```
 *
 * A layer on any other framing is a plain `Codec.mapResult`: there the boundary is known whatever the content.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type { ByteWriter } from "../ByteWriter.ts"
import type * as CloseReason from "../CloseReason.ts"
import * as Codec from "../Codec.ts"
import { Delimiter } from "./delimitedDecoder.ts"
import { ensure, maxFrame, type MaxFrameBytes, positive, refused, someBytes, tooLarge } from "./framingOptions.ts"
import { type Measure, MeasuredDecoder } from "./measuredDecoder.ts"

/**
 * What to do when no frame begins where one should, or a layer (`enclosed`, `checksummed`) refuses it: `"fail"`, skip one
 * byte and look again, or skip to the end of the next delimiter, text or bytes.
 *
 * @category options
 * @since 0.1.0
 */
export type Resync = "fail" | "byte" | { readonly delimiter: string | Uint8Array }

/** What a layer makes of frames, and frames of. */
export type Layer = Codec.PartialTransform<Uint8Array, Uint8Array, Uint8Array, Uint8Array>

class SizedCodec implements Codec.Codec<Uint8Array> {
  readonly maxFrameBytes: number
  private readonly measure: Measure
  private readonly layer: Layer

  constructor(measure: Measure, layer: Layer) {
    this.maxFrameBytes = measure.maxFrameBytes
    this.measure = measure
    this.layer = layer
  }

  decoder(): Codec.Decoder<Uint8Array> {
    return new MeasuredDecoder(this.measure, this.layer.decode)
  }

  encode(message: Uint8Array, writer: ByteWriter): CloseReason.FrameError | undefined {
    const { headBytes, maxFrameBytes, size } = this.measure
    const framed = this.layer.encode(message)
    if (Result.isFailure(framed)) return refused(framed.failure)
    const frame = framed.success
    if (frame.length > maxFrameBytes) return tooLarge(frame.length, maxFrameBytes)
    let told: number | undefined = headBytes
    // As the decoder does it: each answer is asked again with that many bytes.
    for (let shown = 0; told !== undefined && told > shown && told <= frame.length;) {
      shown = told
      told = size(frame.subarray(0, shown))
      if (told === shown && shown === frame.length) {
        writer.bytes(frame)
        return undefined
      }
    }
    return refused(
      told === undefined
        ? "no frame begins as this message does"
        : `frame of ${frame.length} bytes has a head that tells ${told} bytes`
    )
  }

  with(outer: Layer): SizedCodec {
    const inner = this.layer
    return new SizedCodec(this.measure, {
      decode: (frame) => {
        const content = inner.decode(frame)
        return Result.isFailure(content) ? content : outer.decode(content.success)
      },
      encode: (message) => {
        const content = outer.encode(message)
        return Result.isFailure(content) ? content : inner.encode(content.success)
      }
    })
  }
}

/** Puts a layer on a framing. */
export const layered = (framing: Codec.Codec<Uint8Array>, layer: Layer): Codec.Codec<Uint8Array> =>
  framing instanceof SizedCodec ? framing.with(layer) : Codec.mapResult(framing, layer)

/**
 * Frames whose first bytes tell their size, in whatever way: a length that is masked or depends on a mark, a function
 * code, a text.
 *
 * **When to use**: for the wire of a device. `lengthPrefixed` is faster and takes the length out of the message.
 *
 * **Details**
 * - Shape: a message is the whole frame, head included. Take marks and trailers off with `enclosed`, the checksum with
 *   `checksummed`.
 * - `size` is shown the first `headBytes` bytes (default 1) and gives how many bytes the frame has in all, or at least;
 *   when so many are there, it is asked again with them. The frame is complete when the answer is the number of bytes
 *   shown. `undefined`: no frame begins like this. The answer must depend on the bytes shown only.
 * - `resync` (default `"fail"`): then a refused head is a fatal error, and a frame that a layer refuses is passed over as a
 *   recoverable one. With any other policy both are recoverable, and so is a frame over the limit or cut short by the end:
 *   bytes are skipped, from the first of the refused frame on, and the `FrameCorrupt` counts them in `skippedBytes`.
 *   The sum over all errors is what was lost.
 * - Errors: `FrameCorrupt`, `FrameTooLarge`, `FrameTruncated`. Encoding refuses a message whose head tells another size.
 *
 * **Gotchas**: `"byte"` may look at a byte as often as it can be part of a frame, so let `size` refuse what it can (a
 * mark of two bytes), and keep `maxFrameBytes` small; each place where a frame seemed to begin may be an error of its own,
 * and so are the last `headBytes - 1` bytes of a refused frame. To answer one NAK per frame, take a delimiter. A head with
 * a large size that is a lie holds the stream up until so many bytes have come. Without `checksummed`, a frame that is found
 * inside another is believed.
 *
 * **Example** (Modbus RTU over TCP: the size follows from the function code)
 *
 * ```ts
 * import { CrcCatalogue, Framing } from "hawser"
 *
 * const responses = Framing.sized({
 *   maxFrameBytes: 256,
 *   headBytes: 3,
 *   size: ([, code = 0, count = 0]) => code > 0x80 ? 5 : code <= 4 ? 5 + count : 8
 * })
 * export const modbus = Framing.checksummed(responses, CrcCatalogue.crc16Modbus)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const sized = (options: {
  readonly maxFrameBytes: MaxFrameBytes
  readonly size: (prefix: Uint8Array) => number | undefined
  /** @default 1 */
  readonly headBytes?: number | undefined
  /** @default "fail" */
  readonly resync?: Resync | undefined
}): Codec.Codec<Uint8Array> => {
  const maxFrameBytes = maxFrame(options.maxFrameBytes)
  const headBytes = positive("headBytes", options.headBytes ?? 1)
  ensure("maxFrameBytes", maxFrameBytes >= headBytes, maxFrameBytes, `at least headBytes, ${headBytes}`)
  const { resync = "fail", size } = options
  ensure(
    "resync",
    typeof resync === "object" || resync === "fail" || resync === "byte",
    resync,
    `"fail", "byte" or { delimiter }`
  )
  return new SizedCodec({
    maxFrameBytes,
    headBytes,
    size,
    resync: typeof resync === "string" ? resync : new Delimiter(someBytes("resync.delimiter", resync.delimiter))
  }, { decode: Result.succeed, encode: Result.succeed })
}
