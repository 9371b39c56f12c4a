/**
 * Layers on a framing of bytes: constant bytes around the content, and a checksum in it.
 *
 * ```
 * 78 78 | 0d 01 .. 00 04 | 79 d0 | 0d 0a      the frame of a tracker
 *         0d 01 .. 00 04 | 79 d0              enclosed: start 78 78, end 0d 0a
 *         0d 01 .. 00 04                      checksummed: CRC-16, after, big-endian
 * ```
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import * as Result from "effect/Result"
import * as Checksum from "../Checksum.ts"
import type { Codec } from "../Codec.ts"
import * as bytePool from "./bytePool.ts"
import { binary, digits } from "./checksumField.ts"
import { ensure, oneOf, someBytes } from "./framingOptions.ts"
import { layered } from "./measuredFraming.ts"

/** The bytes around the content of each frame, as text or bytes. @category options @since 0.1.0 */
export interface Enclosed {
  readonly start?: string | Uint8Array | undefined
  readonly end?: string | Uint8Array | undefined
}

/**
 * Which bytes of a frame a checksum is computed over: by default all but those of the checksum itself.
 *
 * @category options
 * @since 0.1.0
 */
export interface Covered {
  /** The first byte, from the end of the frame when negative. @default 0 */
  readonly from?: number | undefined
  /** Behind the last byte, from the end of the frame when negative; or where the checksum begins. @default the end */
  readonly to?: number | "field" | undefined
  /** Whether the bytes of the checksum itself count as zeros or not at all. @default "omit" */
  readonly field?: "omit" | "zero" | undefined
  /** Bytes that are not sent and count after all others, from the frame; its checksum may not be filled in yet. */
  readonly extra?: ((frame: Uint8Array) => Uint8Array) | undefined
}

/** Where and how the checksum stands in a frame. @category options @since 0.1.0 */
export interface Checksummed {
  /**
   * At the end, at the beginning, or at a byte counted from the beginning or, when negative, from the end. A function
   * finds the byte in the bytes before it, which are those of the frame and of the message alike; `undefined`: this frame
   * has no checksum, and nothing is verified.
   *
   * @default "after"
   */
  readonly placement?: "after" | "before" | number | ((bytes: Uint8Array) => number | undefined) | undefined
  /** @default that of the checksum */
  readonly byteOrder?: Checksum.ByteOrder | undefined
  /** As bytes, or as so many digits as the largest value has: NMEA's two hexadecimal, FIX's three decimal. @default "binary" */
  readonly form?: "binary" | "hex" | "decimal" | undefined
  readonly covers?: Covered | undefined
}

/**
 * Takes a start mark and a trailer off each frame, and puts them on.
 *
 * **Details**
 * - Errors: `FrameCorrupt`, recoverable, for a frame that does not begin and end so; over `sized`, see its `resync`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const enclosed = (framing: Codec<Uint8Array>, options: Enclosed): Codec<Uint8Array> => {
  const start = options.start === undefined ? new Uint8Array(0) : someBytes("start", options.start)
  const end = options.end === undefined ? new Uint8Array(0) : someBytes("end", options.end)
  const around = start.length + end.length
  return layered(framing, {
    decode: (frame) => {
      if (frame.length < around || !standsAt(start, frame, 0)) {
        return Result.fail(`frame does not begin with ${hex(start)}`)
      }
      const to = frame.length - end.length
      return standsAt(end, frame, to)
        ? Result.succeed(frame.subarray(start.length, to))
        : Result.fail(`frame of ${frame.length} bytes does not end with ${hex(end)}`)
    },
    encode: (message) => Result.succeed(Bytes.concat([start, message, end]))
  })
}

/**
 * Verifies the checksum of each frame and takes it out, and computes it and puts it in.
 *
 * **Details**
 * - Shape: the message is the frame without its checksum; places are counted in the frame as `framing` gives it, checksum
 *   included. A range leaves the checksum's own bytes out unless they count as zeros.
 * - Errors: `FrameCorrupt`, recoverable, since the frame's boundary is known: its message names the algorithm and both
 *   values. Over `sized`, see its `resync`.
 *
 * **Gotchas**: what is under `framing` is not covered: `lengthPrefixed` has taken the length away, and `escaped` computes
 * over the content without escapes. To cover a length, keep it in the frame with `sized`.
 *
 * **Example** (NMEA 0183: `$`, content, `*`, two digits)
 *
 * ```ts
 * import { Checksum, Codec, Framing } from "hawser"
 *
 * const lines = Framing.lines({ maxFrameBytes: 82, ending: "crlf", unterminated: "reject" })
 * const nmea = Framing.enclosed(
 *   Framing.checksummed(lines, Checksum.xor8, { form: "hex", covers: { from: 1, to: -3 } }),
 *   { start: "$", end: "*" }
 * )
 * console.log(Codec.decodeAll(Codec.text(nmea), new TextEncoder().encode("$PFEC,GPhve,00.007,A*08\r\n")).messages.join())
 * // PFEC,GPhve,00.007,A
 * ```
 *
 * @category combinators
 * @since 0.1.0
 */
export const checksummed = (
  framing: Codec<Uint8Array>,
  checksum: Checksum.Checksum,
  options?: Checksummed
): Codec<Uint8Array> => {
  const form = oneOf("form", options?.form ?? "binary", ["binary", "hex", "decimal"])
  const byteOrder = oneOf("byteOrder", options?.byteOrder ?? checksum.byteOrder, ["big", "little"])
  const field = form === "binary" ? binary(checksum, byteOrder) : digits(checksum, form)
  const placed = options?.placement ?? "after"
  const place = placed === "after" ? -field.bytes : placed === "before" ? 0 : placed
  if (typeof place !== "function") {
    ensure("placement", Number.isSafeInteger(place), place, `"after", "before", an integer or a function`)
    ensure("placement", place >= 0 || place <= -field.bytes, place, `at least ${field.bytes} bytes from the end`)
  }
  /** Where the checksum begins in a frame of this length whose bytes up to there are given. */
  const placeIn = (bytes: Uint8Array, frameBytes: number): number => {
    const at = typeof place === "function" ? place(bytes) : place
    return at === undefined ? absent : at < 0 ? frameBytes + at : at
  }
  const { extra, from = 0, to } = options?.covers ?? {}
  ensure("covers.from", Number.isSafeInteger(from), from, "an integer")
  ensure("covers.to", to === undefined || to === "field" || Number.isSafeInteger(to), to, `an integer or "field"`)
  const zeros = oneOf("covers.field", options?.covers?.field ?? "omit", ["omit", "zero"]) === "zero"
    ? new Uint8Array(field.bytes)
    : undefined

  const sum = (frame: Uint8Array, at: number): Checksum.Value => {
    const length = frame.length
    const first = from < 0 ? Math.max(0, length + from) : from
    const last = to === undefined
      ? length
      : to === "field"
      ? at
      : Math.max(0, to < 0 ? length + to : Math.min(to, length))
    const behind = at + field.bytes
    const fieldIn = first < behind && last > at
    if (extra === undefined && (!fieldIn || (zeros === undefined && (first >= at || last <= behind)))) {
      // One piece, which is the usual case.
      return checksum.compute(
        frame.subarray(fieldIn && first >= at ? behind : first, fieldIn && last <= behind ? at : last)
      )
    }
    const running = checksum.start()
    if (fieldIn) {
      if (first < at) running.update(frame.subarray(first, at))
      if (zeros !== undefined) running.update(zeros)
      if (last > behind) running.update(frame.subarray(behind, last))
    } else if (first < last) {
      running.update(frame.subarray(first, last))
    }
    if (extra !== undefined) running.update(extra(frame))
    return running.finish()
  }

  return layered(framing, {
    decode: (frame) => {
      const length = frame.length
      const at = placeIn(frame, length)
      if (at === absent) return Result.succeed(frame)
      const behind = at + field.bytes
      if (!(at >= 0 && behind <= length)) {
        return Result.fail(`frame of ${length} bytes is too short for ${checksum.name}`)
      }
      const got = field.read(frame, at)
      const expected = sum(frame, at)
      if (got === undefined || (typeof got === typeof expected ? got !== expected : BigInt(got) !== BigInt(expected))) {
        const shown = got === undefined ? `bytes ${hex(frame.subarray(at, behind))}` : Checksum.format(checksum, got)
        return Result.fail(`${checksum.name}: expected ${Checksum.format(checksum, expected)}, got ${shown}`)
      }
      return Result.succeed(
        behind === length
          ? frame.subarray(0, at)
          : at === 0
          ? frame.subarray(behind)
          : Bytes.concat([frame.subarray(0, at), frame.subarray(behind)])
      )
    },
    encode: (message) => {
      const frameBytes = message.length + field.bytes
      const at = placeIn(message, frameBytes)
      if (at === absent) return Result.succeed(message)
      if (!(at >= 0 && at <= message.length)) {
        return Result.fail(`message of ${message.length} bytes is too short for ${checksum.name} at byte ${at}`)
      }
      const frame = bytePool.take(frameBytes)
      if (at === message.length) {
        frame.set(message)
      } else {
        frame.set(message.subarray(0, at))
        frame.set(message.subarray(at), at + field.bytes)
      }
      field.write(sum(frame, at), frame, at)
      return Result.succeed(frame)
    }
  })
}

const absent = Infinity

const standsAt = (expected: Uint8Array, frame: Uint8Array, at: number): boolean => {
  for (let i = 0; i < expected.length; i++) {
    if (frame[at + i] !== expected[i]) return false
  }
  return true
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join(" ")
