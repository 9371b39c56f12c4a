/**
 * `Framing.escaped`: a delimiter that is escaped where it stands in the content.
 *
 * @since 0.1.0
 */
import type { Codec } from "../Codec.ts"
import { EscapedDecoder } from "./escapedDecoder.ts"
import { ensure, maxFrame, type MaxFrameBytes, oneOf, refused, tooLarge } from "./framingOptions.ts"
import { cobs, type Code, substitution } from "./stuffing.ts"

/**
 * How content is kept free of the delimiter: one of three by name, or pairs of a byte and its substitute behind `escape`.
 *
 * **Details**
 * - `"slip"`: delimiter c0, escape db, pairs c0 dc and db dd (RFC 1055).
 * - `"hdlc"`: delimiter 7e, escape 7d, the byte XOR 20 behind it; any byte may be escaped by the sender, this one escapes
 *   7e and 7d (RFC 1662, section 4.2).
 * - `"cobs"`: delimiter 00, no escape: one byte in 254 at most.
 * - JT/T 808: `{ delimiter: 0x7e, escape: 0x7d, pairs: [[0x7e, 0x02], [0x7d, 0x01]] }`.
 *
 * @category options
 * @since 0.1.0
 */
export type Stuffing = "slip" | "hdlc" | "cobs" | {
  readonly delimiter: number
  readonly escape: number
  readonly pairs: ReadonlyArray<readonly [byte: number, substitute: number]>
}

/**
 * Frames that end with a delimiter which is escaped in them: SLIP, HDLC and PPP over TCP, COBS, JT/T 808.
 *
 * **Details**
 * - Shape: the message is the content without escapes. `delimiters: "after"`: one ends each frame, and a frame may be
 *   empty. `"around"`: they stand before and after frames, several in a row or one between two frames count alike, and
 *   encoding writes both and refuses what would be an empty frame.
 * - Units: `maxFrameBytes` bounds the content; up to twice as many bytes are held.
 * - Errors: `FrameCorrupt`, recoverable, for a bad escape or COBS code: the next delimiter is where decoding goes on;
 *   `FrameTooLarge`, `FrameTruncated`.
 *
 * **Gotchas**: over a link that was cut in, the first frame may be the end of one; only a checksum tells. Noise before the
 * first delimiter spoils one frame, unless the peer sends `"around"`.
 *
 * **Example** (PPP: HDLC stuffing, and the FCS under it)
 *
 * ```ts
 * import { CrcCatalogue, Framing } from "hawser"
 *
 * const hdlc = Framing.escaped({ stuffing: "hdlc", delimiters: "around", maxFrameBytes: 1504 })
 * export const ppp = Framing.checksummed(hdlc, CrcCatalogue.crc16IbmSdlc)
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const escaped = (options: {
  readonly stuffing: Stuffing
  readonly delimiters: "after" | "around"
  readonly maxFrameBytes: MaxFrameBytes
}): Codec<Uint8Array> => {
  const maxFrameBytes = maxFrame(options.maxFrameBytes)
  const around = oneOf("delimiters", options.delimiters, ["after", "around"]) === "around"
  const code = codeOf(options.stuffing)
  return {
    decoder: () => new EscapedDecoder(code, maxFrameBytes, around),
    encode: (message, writer) => {
      if (message.length > maxFrameBytes) return tooLarge(message.length, maxFrameBytes)
      const bytes = code.encode(message)
      if (around && bytes.length === 0) return refused("a frame between delimiters cannot be empty")
      if (around) writer.u8(code.delimiter)
      writer.bytes(bytes)
      writer.u8(code.delimiter)
      return undefined
    },
    maxFrameBytes
  }
}

const codeOf = (stuffing: Stuffing): Code => {
  if (typeof stuffing === "object") {
    return substitutes(stuffing.delimiter, stuffing.escape, stuffing.pairs)
  }
  switch (oneOf("stuffing", stuffing, ["slip", "hdlc", "cobs"])) {
    case "slip":
      return substitutes(0xc0, 0xdb, [[0xc0, 0xdc], [0xdb, 0xdd]])
    case "hdlc": {
      const none = new Int16Array(256).fill(-1)
      none[0x7e] = 0x5e
      none[0x7d] = 0x5d
      return substitution(0x7e, 0x7d, none, Int16Array.from({ length: 256 }, (_, byte) => byte ^ 0x20))
    }
    case "cobs":
      return cobs
  }
}

const substitutes = (
  delimiter: number,
  escape: number,
  pairs: ReadonlyArray<readonly [byte: number, substitute: number]>
): Code => {
  const to = new Int16Array(256).fill(-1)
  const from = new Int16Array(256).fill(-1)
  ensure("stuffing.delimiter", isByte(delimiter), delimiter, "a byte")
  ensure("stuffing.escape", isByte(escape) && escape !== delimiter, escape, "a byte that is not the delimiter")
  for (const [byte, substitute] of pairs) {
    ensure("stuffing.pairs", isByte(byte) && to[byte] === -1, byte, "of different bytes")
    ensure(
      "stuffing.pairs",
      isByte(substitute) && substitute !== delimiter && from[substitute] === -1,
      substitute,
      "with different substitutes that are not the delimiter"
    )
    to[byte] = substitute
    from[substitute] = byte
  }
  ensure("stuffing.pairs", to[delimiter] !== -1 && to[escape] !== -1, pairs.length, "for delimiter and escape at least")
  return substitution(delimiter, escape, to, from)
}

const isByte = (value: number): boolean => Number.isInteger(value) && value >= 0 && value <= 255
