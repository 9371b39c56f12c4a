/**
 * Bits as text, `1001`, and the division that textbooks do with them on paper.
 *
 * A CRC appends the remainder of the message, followed by as many zeros, after division by a key without borrowing: each
 * subtraction is XOR. Whoever receives the codeword divides it by the same key; a remainder of zeros means that no error
 * was found. Here every step is data, and `format` draws them. It is slow and easy to follow: what `Crc` is tested with.
 *
 * ```
 * data 100010110101101001110, key 1001    ->  dividend 100010110101101001110 000
 *                                             remainder 111
 *                                             codeword 100010110101101001110 111
 * ```
 *
 * **Gotchas**: the key `1001` of many tutorials is three parity bits, one for each third place: two errors 3, 6, 9 ...
 * places apart pass. `CrcDetection` computes that.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/** A text that is no bit string, or bits that cannot be converted. @category errors @since 0.1.0 */
export class BitStringError extends Data.TaggedError("BitStringError")<{
  readonly input: string
  readonly rule: string
}> {
  override readonly message = `bits ${JSON.stringify(this.input)}: ${this.rule}`
}

/**
 * How characters become bits: `"unpadded"` as Python's `format(ord(c), "b")` does, 7 bits each (ASCII), or 8 bits for each
 * byte of UTF-8.
 *
 * @category models
 * @since 0.1.0
 */
export type TextBits = "unpadded" | 7 | 8

/** One line of a division: what stands under the key, what is subtracted, what remains. @category models @since 0.1.0 */
export interface Step {
  /** The place in the dividend where `window` begins, from 0. */
  readonly at: number
  /** As many bits as the key has: the last difference with the next bit brought down. */
  readonly window: string
  /** The next bit of the quotient: `1` if the key is subtracted, `0` if zeros are. */
  readonly quotient: "0" | "1"
  readonly subtrahend: string
  /** The window XOR the subtrahend. Its first bit is 0 and is dropped in the next step. */
  readonly difference: string
}

/** A division on paper. @category models @since 0.1.0 */
export interface Division {
  readonly dividend: string
  readonly key: string
  readonly quotient: string
  /** One bit less than the key. */
  readonly remainder: string
  readonly steps: ReadonlyArray<Step>
}

/** What is sent. @category models @since 0.1.0 */
export interface Encoded {
  readonly data: string
  readonly remainder: string
  /** The data and the remainder. */
  readonly codeword: string
  readonly division: Division
}

/** What the receiver finds: `ok` if the remainder is all zeros. @category models @since 0.1.0 */
export interface Verdict {
  readonly ok: boolean
  /** The codeword without its last bits. */
  readonly data: string
  readonly remainder: string
  readonly division: Division
}

const fail = (input: string, rule: string): Result.Result<never, BitStringError> =>
  Result.fail(new BitStringError({ input, rule }))

/** Takes a text of nothing but `0` and `1`; an empty one is none. @category constructors @since 0.1.0 */
export const fromString = (bits: string): Result.Result<string, BitStringError> => {
  if (bits === "") return fail(bits, "there must be at least one bit")
  const at = bits.search(/[^01]/)
  return at < 0 ? Result.succeed(bits) : fail(bits, `bits are 0 and 1, got ${JSON.stringify(bits[at])} at place ${at}`)
}

/** A key: at least two bits, the first of them 1. */
const keyOf = (key: string): Result.Result<string, BitStringError> => {
  const valid = fromString(key)
  if (Result.isFailure(valid)) return valid
  if (!key.startsWith("1")) return fail(key, "a key begins with 1, the term of its highest power")
  return key.length >= 2 ? valid : fail(key, "a key has at least two bits: the remainder has one bit less")
}

const xor = (a: string, b: string): string => Array.from(a, (bit, i) => bit === b[i] ? "0" : "1").join("")

const longDivision = (dividend: string, key: string): Division => {
  const zeros = "0".repeat(key.length)
  const steps: Array<Step> = []
  let difference = `0${dividend.slice(0, key.length - 1)}`
  for (let at = 0; at + key.length <= dividend.length; at++) {
    const window = difference.slice(1) + dividend[at + key.length - 1]
    const quotient = window.startsWith("1") ? "1" : "0"
    const subtrahend = quotient === "1" ? key : zeros
    difference = xor(window, subtrahend)
    steps.push({ at, window, quotient, subtrahend, difference })
  }
  return {
    dividend,
    key,
    quotient: steps.map((step) => step.quotient).join(""),
    // A dividend shorter than the key is its own remainder.
    remainder: (steps.length > 0 ? difference.slice(1) : dividend).padStart(key.length - 1, "0"),
    steps
  }
}

/** Divides bits by a key, as written. @category computing @since 0.1.0 */
export const divide = (dividend: string, key: string): Result.Result<Division, BitStringError> => {
  const valid = Result.flatMap(fromString(dividend), () => keyOf(key))
  return Result.map(valid, () => longDivision(dividend, key))
}

/**
 * Computes the codeword: the data and the remainder of the data with zeros after it.
 *
 * **Example** (The tutorial's message)
 *
 * ```ts
 * import { BitString } from "hawser"
 * import { Result } from "effect"
 *
 * const { codeword } = Result.getOrThrow(BitString.encode("100010110101101001110", "1001"))
 * console.log(codeword) // 100010110101101001110111
 * ```
 *
 * @category computing
 * @since 0.1.0
 */
export const encode = (data: string, key: string): Result.Result<Encoded, BitStringError> => {
  const valid = Result.flatMap(fromString(data), () => keyOf(key))
  return Result.map(valid, () => {
    const division = longDivision(data + "0".repeat(key.length - 1), key)
    return { data, remainder: division.remainder, codeword: data + division.remainder, division }
  })
}

/** Divides a codeword and says whether it came out even. @category computing @since 0.1.0 */
export const check = (codeword: string, key: string): Result.Result<Verdict, BitStringError> =>
  Result.flatMap(divide(codeword, key), (division) => {
    const split = codeword.length - (key.length - 1)
    if (split < 1) return fail(codeword, `a codeword for a key of ${key.length} bits has at least ${key.length} bits`)
    const { remainder } = division
    return Result.succeed({ ok: !remainder.includes("1"), data: codeword.slice(0, split), remainder, division })
  })

/**
 * Draws a division as on paper. Steps that subtract zeros are left out, as people do.
 *
 * ```
 *          1010
 * 1001 ) 1011000
 *        1001
 *        ----
 *          1000
 *          1001
 *          ----
 *           010
 * ```
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = ({ dividend, key, quotient, remainder, steps }: Division): string => {
  const margin = " ".repeat(key.length + 3)
  const indent = (places: number, text: string): string => margin + " ".repeat(places) + text
  const lines = [indent(key.length - 1, quotient), `${key} ) ${dividend}`]
  let first = true
  for (const { at, quotient: bit, window } of steps) {
    if (bit === "0") continue
    // The first window is the dividend itself, which stands there already.
    if (!first || at > 0) lines.push(indent(at, window))
    lines.push(indent(at, key), indent(at, "-".repeat(key.length)))
    first = false
  }
  lines.push(indent(Math.max(0, dividend.length - remainder.length), remainder))
  return lines.join("\n")
}

/**
 * The bits of a text.
 *
 * **Details**
 * - Shape: with `"unpadded"`, `ODD` gives `1001111` `1000100` `1000100` and the digit `2` only `110010`.
 * - Errors: an empty text; a character above 127 with 7.
 *
 * **Gotchas**: `"unpadded"` is what the tutorial sends, and cannot be read back: different texts give the same bits.
 *
 * @category converting
 * @since 0.1.0
 */
export const fromText = (text: string, bits: TextBits): Result.Result<string, BitStringError> => {
  if (text === "") return fail(text, "there must be at least one character")
  if (bits === 8) return Result.succeed(fromBytes(new TextEncoder().encode(text)))
  const wide = bits === 7 ? Array.from(text).find((character) => codeOf(character) > 0x7f) : undefined
  if (wide !== undefined) return fail(text, `7 bits hold ASCII only, got ${JSON.stringify(wide)}; take 8`)
  return Result.succeed(
    Array.from(text, (character) => codeOf(character).toString(2).padStart(bits === 7 ? 7 : 1, "0")).join("")
  )
}

const codeOf = (character: string): number => character.codePointAt(0) ?? 0

/** The text of bits, 7 or 8 for a character or byte of UTF-8. @category converting @since 0.1.0 */
export const toText = (bits: string, size: 7 | 8): Result.Result<string, BitStringError> =>
  Result.flatMap(groups(bits, size), (codes) => {
    if (size === 7) return Result.succeed(String.fromCharCode(...codes))
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(codes))
    // The replacement character where none was encoded stands for bytes that are no UTF-8.
    return Result.getOrUndefined(fromText(text, 8)) === bits
      ? Result.succeed(text)
      : fail(bits, "these bytes are no UTF-8")
  })

/** The bits of bytes, the highest bit of each first. @category converting @since 0.1.0 */
export const fromBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("")

/** The bytes of bits, of which there must be a multiple of 8. @category converting @since 0.1.0 */
export const toBytes = (bits: string): Result.Result<Uint8Array, BitStringError> =>
  Result.map(groups(bits, 8), (codes) => Uint8Array.from(codes))

const groups = (bits: string, size: number): Result.Result<Array<number>, BitStringError> =>
  Result.flatMap(fromString(bits), () =>
    bits.length % size === 0
      ? Result.succeed(
        Array.from({ length: bits.length / size }, (_, i) => Number.parseInt(bits.slice(i * size, i * size + size), 2))
      )
      : fail(bits, `there must be a multiple of ${size} bits, got ${bits.length}`))
