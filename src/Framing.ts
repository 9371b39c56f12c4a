/**
 * Where one message ends and the next begins: codecs that cut a stream of bytes into frames of bytes.
 *
 * TCP carries bytes, not messages: it joins what was written apart and cuts what was written at once. A framing puts
 * the boundaries back. Build on it with `Codec.text`, `Codec.schema`, `Codec.json` or `Codec.mapResult`.
 *
 * ```
 * lines, delimited    h e l l o LF w o r l d LF
 * fixed               [ 8 bytes ][ 8 bytes ]
 * lengthPrefixed      [header][length][payload]      the message is header + payload
 * sized               a head that tells the size, as devices have it; the message is all of the frame
 * escaped             SLIP, HDLC, COBS: a delimiter that is escaped in the content
 * chunks              whatever one read returned
 *
 * enclosed(framing)      a start mark and a trailer taken off
 * checksummed(framing)   a checksum verified and taken off
 * ```
 *
 * A frame that lies in one chunk is a view into it; one that is spread over many is copied once. A decoder keeps at
 * most one unfinished frame and no chunk. All sizes are limited: `maxFrameBytes` bounds the *message*, without
 * terminator or length field, and a frame is refused as soon as it is certain to be larger.
 *
 * **Gotchas**: a bad option throws `FramingOptionsError` when the framing is made, so at start-up. Where the boundary is
 * lost, what follows means nothing and the error is fatal, unless `sized` was told how to find a boundary again. A frame
 * that is bad between known boundaries (`escaped`, `enclosed`, `checksummed`) is a recoverable error: see `Codec.attempt`.
 *
 * Laws: `CodecLaws` in `hawser/testing`.
 *
 * @since 0.1.0
 */
import type { Codec } from "./Codec.ts"
import { ChunksDecoder } from "./internal/chunksDecoder.ts"
import { DelimitedDecoder, Delimiter } from "./internal/delimitedDecoder.ts"
import {
  ensure,
  maxFrame,
  type MaxFrameBytes,
  oneOf,
  positive,
  refused,
  someBytes,
  tooLarge
} from "./internal/framingOptions.ts"
import * as decoders from "./internal/sizedDecoder.ts"
import * as textLines from "./internal/textLines.ts"

export { type Checksummed, checksummed, type Covered, type Enclosed, enclosed } from "./internal/checkedFraming.ts"
export { escaped, type Stuffing } from "./internal/escapedFraming.ts"
export { FramingOptionsError, type MaxFrameBytes } from "./internal/framingOptions.ts"
export { type Resync, sized } from "./internal/measuredFraming.ts"

/**
 * What happens to bytes after the last terminator when the peer ends the stream: they are the last message, or the
 * frame is `FrameTruncated`. `"emit"` cannot tell a complete last message from half of one.
 *
 * @category options
 * @since 0.1.0
 */
export type Unterminated = "emit" | "reject"

/**
 * Frames that end with a line feed, a carriage return and line feed, or either.
 *
 * **Details**
 * - Shape: a message is the line without its terminator. Encoding appends LF for `"lf"` and `"any"`, CR LF for
 *   `"crlf"`.
 * - `"lf"`: LF ends a line, CR is content. `"crlf"`: only CR LF does; a lone LF or CR is content. Both are strict: one
 *   byte sequence has one reading. `"any"`: LF ends a line and one CR before it is dropped; a lone CR is content.
 * - Errors: `FrameTooLarge`, `FrameTruncated`; encoding refuses a line that would be read back as another one: with the
 *   terminator in it, or for `"any"` with a CR at its end.
 * - Source: RFC 5321, section 2.3.8, for `"crlf"`: nothing but CR LF ends a line.
 *
 * **Gotchas**: `"any"` is for people at terminals and old programs. Where lines are passed on to another server it lets
 * a peer smuggle: what one side reads as two lines the other reads as one (SMTP smuggling, 2023). Use `"crlf"` there,
 * and refuse lines that contain a lone CR or LF before passing them on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lines = (options: {
  readonly maxFrameBytes: MaxFrameBytes
  readonly ending: "lf" | "crlf" | "any"
  readonly unterminated: Unterminated
}): Codec<Uint8Array> => {
  const ending = oneOf("ending", options.ending, ["lf", "crlf", "any"])
  const optionalCr = ending === "any"
  const codec = terminated(ending === "crlf" ? crlf : lf, optionalCr, options)
  const { maxFrameBytes } = codec
  return textLines.mark(codec, { terminator: ending === "crlf" ? "\r\n" : "\n", optionalCr, maxFrameBytes })
}

/**
 * Frames that end with a sequence of bytes of your choice.
 *
 * **Details**
 * - Shape: `delimiter` is text (sent as UTF-8) or bytes, at least one; a message is what stands before it. The first
 *   delimiter counts: with `"aa"`, the bytes `aaa` are an empty message and an `a`.
 * - Errors: `FrameTooLarge`, `FrameTruncated`; encoding refuses a message with the delimiter in it, or one whose end
 *   and the delimiter together contain it earlier.
 *
 * @category constructors
 * @since 0.1.0
 */
export const delimited = (options: {
  readonly delimiter: string | Uint8Array
  readonly maxFrameBytes: MaxFrameBytes
  readonly unterminated: Unterminated
}): Codec<Uint8Array> => {
  return terminated(new Delimiter(someBytes("delimiter", options.delimiter)), false, options)
}

/**
 * Frames of one size.
 *
 * **Details**
 * - Errors: `FrameTruncated`; encoding refuses a message of any other size.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fixed = (options: { readonly frameBytes: number }): Codec<Uint8Array> => {
  const frameBytes = positive("frameBytes", options.frameBytes)
  return {
    decoder: () => new decoders.FixedDecoder(frameBytes),
    encode: (message, writer) => {
      if (message.length > frameBytes) {
        return tooLarge(message.length, frameBytes)
      }
      if (message.length < frameBytes) {
        return refused(`message of ${message.length} bytes is not of the fixed size of ${frameBytes} bytes`)
      }
      writer.bytes(message)
      return undefined
    },
    maxFrameBytes: frameBytes
  }
}

const tooShort = (bytes: number, atLeastBytes: number) =>
  refused(`message of ${bytes} bytes is shorter than the ${atLeastBytes} bytes that each has`)

/**
 * Frames that begin with their length.
 *
 * **Details**
 * - Shape: `[offsetBytes of header][length field][payload]`. The message is the header and the payload without the
 *   field between them, so nothing is lost and it round-trips. With a header, a message is always a copy.
 * - Units: `maxFrameBytes` bounds the message. The field holds the number of bytes after it, minus `adjustmentBytes`;
 *   that is the sign of Netty and tokio. A field of 4 bytes that counts itself has `adjustmentBytes: -4`; one that also
 *   counts 2 bytes of header before it, `-6`.
 * - Errors: `FrameTooLarge` as soon as the field is read, before anything is buffered, also for a field of 8 bytes
 *   beyond 2^53 - 1; `FrameCorrupt`, not recoverable, when less than nothing follows; `FrameTruncated`. Encoding
 *   refuses what is over the limit or does not fit the field.
 *
 * **Gotchas**: a length is the peer's word. More than 64 KiB are allocated only as they arrive.
 *
 * @category constructors
 * @since 0.1.0
 */
export const lengthPrefixed = (options: {
  readonly maxFrameBytes: MaxFrameBytes
  /** The size of the length field. @default 4 */
  readonly widthBytes?: 1 | 2 | 3 | 4 | 8 | undefined
  /** How many bytes of header stand before the length field. @default 0 */
  readonly offsetBytes?: number | undefined
  /** Added to the value of the field, it gives the number of bytes after it. @default 0 */
  readonly adjustmentBytes?: number | undefined
  /** @default "big" */
  readonly endianness?: "big" | "little" | undefined
}): Codec<Uint8Array> => {
  const limit = maxFrame(options.maxFrameBytes)
  const widthBytes = oneOf("widthBytes", options.widthBytes ?? 4, [1, 2, 3, 4, 8])
  const endianness = oneOf("endianness", options.endianness ?? "big", ["big", "little"])
  const offsetBytes = options.offsetBytes ?? 0
  const adjustmentBytes = options.adjustmentBytes ?? 0
  const largest = decoders.largestValue(widthBytes)
  ensure("offsetBytes", Number.isSafeInteger(offsetBytes) && offsetBytes >= 0, offsetBytes, "an integer of 0 or more")
  ensure("maxFrameBytes", limit >= offsetBytes, limit, `at least offsetBytes, ${offsetBytes}`)
  ensure(
    "adjustmentBytes",
    Number.isSafeInteger(adjustmentBytes) && largest + adjustmentBytes >= 0,
    adjustmentBytes,
    `an integer of at least ${-largest}`
  )
  const field: decoders.LengthField = { widthBytes, offsetBytes, adjustmentBytes, endianness }
  // A limit in every error is a number: no field can announce more than this.
  const maxMessageBytes = Math.min(limit, Number.MAX_SAFE_INTEGER)
  const maxEncodedBytes = Math.min(maxMessageBytes, largest + adjustmentBytes + offsetBytes)
  const minEncodedBytes = offsetBytes + Math.max(0, adjustmentBytes)
  return {
    decoder: () => new decoders.LengthDecoder(field, maxMessageBytes),
    encode: (message, writer) => {
      const { length } = message
      if (length > maxEncodedBytes) return tooLarge(length, maxEncodedBytes)
      if (length < minEncodedBytes) return tooShort(length, minEncodedBytes)
      if (offsetBytes > 0) writer.bytes(message.subarray(0, offsetBytes))
      writer.uint(length - offsetBytes - adjustmentBytes, widthBytes, endianness)
      writer.bytes(offsetBytes > 0 ? message.subarray(offsetBytes) : message)
      return undefined
    },
    maxFrameBytes: limit
  }
}

/**
 * No framing: each message is what one read happened to return, cut to at most `maxFrameBytes`; the tutorial's
 * `recv(1024)`.
 *
 * **When to use**: bytes that are passed on as they come (echo, proxies), and peers that were written without a framing
 * and happen to work because messages are small and answered one by one.
 *
 * **Details**
 * - Errors: none, in either direction. Encoding writes the bytes as they are, whatever their number: splitting is the
 *   receiver's affair.
 *
 * **Gotchas**: TCP may join two writes into one chunk or cut one into many, and does so under load. The round trip laws
 * do not hold. A stream is always "between frames", so nothing is ever truncated.
 *
 * @category constructors
 * @since 0.1.0
 */
export const chunks = (options: { readonly maxFrameBytes: number }): Codec<Uint8Array> => {
  const maxFrameBytes = positive("maxFrameBytes", options.maxFrameBytes)
  return {
    decoder: () => new ChunksDecoder(maxFrameBytes),
    encode: (message, writer) => {
      writer.bytes(message)
      return undefined
    },
    maxFrameBytes
  }
}

const lf = new Delimiter(Uint8Array.of(10))
const crlf = new Delimiter(Uint8Array.of(13, 10))

const terminated = (
  delimiter: Delimiter,
  optionalCr: boolean,
  options: { readonly maxFrameBytes: MaxFrameBytes; readonly unterminated: Unterminated }
): Codec<Uint8Array> => {
  const maxFrameBytes = maxFrame(options.maxFrameBytes)
  const unterminated = oneOf("unterminated", options.unterminated, ["emit", "reject"])
  const decoding = { delimiter, maxFrameBytes, optionalCr, unterminated }
  return {
    decoder: () => new DelimitedDecoder(decoding),
    encode: (message, writer) => {
      if (message.length > maxFrameBytes) {
        return tooLarge(message.length, maxFrameBytes)
      }
      const at = delimiter.firstIn(message)
      if (at < message.length) {
        return refused(`message would end at byte ${at}, where its terminator begins`)
      }
      if (optionalCr && message.at(-1) === 13) {
        return refused("message ends with a CR, which would be read as a part of its terminator")
      }
      writer.bytes(message)
      writer.bytes(delimiter.bytes)
      return undefined
    },
    maxFrameBytes
  }
}
