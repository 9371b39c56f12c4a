/**
 * Cyclic redundancy checks: the remainder of the message, read as one long polynomial, after division by another.
 *
 * All CRCs in use differ in six parameters, the Rocksoft model of Ross Williams ("A Painless Guide to CRC Error Detection
 * Algorithms", 1993). `make` builds one from them; `CrcCatalogue` has 113 ready-made, `CrcDetection` says what one finds.
 * A `Crc` is a `Checksum`. Its tables are made when it is first used.
 *
 * ```
 * poly    the divisor without its top term, highest power first: x^16 + x^12 + x^5 + 1 is 0x1021
 * init    what the register holds before the first byte
 * refin   true: the lowest bit of each byte goes first, as on serial lines; false: the highest
 * refout  true: the register is read from its lowest bit on (it differs from refin in CRC-12/UMTS only)
 * xorout  XORed onto the result
 * ```
 *
 * **Gotchas**: one name stands for many CRCs ("CRC-16", "CCITT"). Compare `check`, the value for the nine bytes
 * `123456789`, with what the other side computes. A CRC of `init` 0 does not notice zeros added or lost at the start.
 *
 * Laws: `ChecksumLaws` in `hawser/testing`.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"
import * as BitString from "./BitString.ts"
import type { Checksum, Value } from "./Checksum.ts"
import * as bitwise from "./internal/crcBitwise.ts"
import * as engine from "./internal/crcEngine.ts"

/** Parameters in the Rocksoft model, and two values that follow from them. @category models @since 0.1.0 */
export interface Parameters<out V extends Value = Value> {
  readonly name: string
  readonly widthBits: number
  readonly poly: V
  readonly init: V
  readonly refin: boolean
  readonly refout: boolean
  readonly xorout: V
  /** The CRC of the nine bytes `123456789`. */
  readonly check: V
  /** What the register holds after any message and its CRC, before `xorout`. */
  readonly residue: V
}

/** A CRC: a checksum with parameters. @category models @since 0.1.0 */
export interface Crc<out V extends Value = Value> extends Checksum<V>, Parameters<V> {}

type Narrow =
  | (1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12 | 13 | 14 | 15 | 16)
  | (17 | 18 | 19 | 20 | 21 | 22 | 23 | 24 | 25 | 26 | 27 | 28 | 29 | 30 | 31 | 32)

/** What a CRC of a width gives: a number up to 32, a bigint above, either if the width is not known. @category models @since 0.1.0 */
export type ValueOf<Width extends number> = number extends Width ? Value : Width extends Narrow ? number : bigint

/** What `make` takes. Numbers above 2^53 - 1 are written as bigints. @category options @since 0.1.0 */
export interface Options<Width extends number = number> {
  readonly widthBits: Width
  /** Without the top term, highest power first; so it is odd. */
  readonly poly: Value
  /** @default "CRC-WIDTH/0xPOLY" */
  readonly name?: string | undefined
  /** @default 0 */
  readonly init?: Value | undefined
  /** @default false */
  readonly refin?: boolean | undefined
  /** @default the same as refin */
  readonly refout?: boolean | undefined
  /** @default 0 */
  readonly xorout?: Value | undefined
  /** The value for `123456789` from the document you have; it is compared. */
  readonly check?: Value | undefined
  /** The residue from the document you have; it is compared. */
  readonly residue?: Value | undefined
}

/** Keeps a mistyped width from costing gigabytes; the widest CRC known in use has 82 bits. @category options @since 0.1.0 */
export const maxWidthBits = 4096

/** A parameter that no CRC has; `rule` says what it must be. @category errors @since 0.1.0 */
export class CrcError extends Data.TaggedError("CrcError")<{
  readonly parameter: string
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.parameter} must be ${this.rule}, got ${shown(this.value)}`
}

/**
 * Makes a CRC from its parameters.
 *
 * **Details**
 * - Shape: values are numbers if `widthBits` is at most 32, bigints above; of a literal width the type tells which.
 *   `byteOrder` is `"little"` if `refout`, so that the bits leave in the order of division.
 * - Errors: `CrcError` for a width that is no integer from 1 to `maxWidthBits`, a number that does not fit the width, an
 *   even polynomial (it is in reversed notation or not a CRC's), and a `check` or `residue` that does not come out.
 * - Source: Williams, "A Painless Guide to CRC Error Detection Algorithms", section 15.
 *
 * **Example** (The CRC of a device whose manual gives the parameters)
 *
 * ```ts
 * import { Checksum, Crc } from "hawser"
 * import { Result } from "effect"
 *
 * const crc = Crc.make({ widthBits: 16, poly: 0x8005, init: 0xffff, refin: true, check: 0x4b37 })
 * if (Result.isSuccess(crc)) {
 *   const frame = Checksum.append(crc.success, Uint8Array.of(1, 3, 0, 0, 0, 10))
 *   console.log(frame.toString()) // 1,3,0,0,0,10,197,205
 * }
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <const Width extends number>(
  options: Options<Width>
): Result.Result<Crc<ValueOf<Width>>, CrcError> => {
  const { widthBits } = options
  if (!Number.isInteger(widthBits) || widthBits < 1 || widthBits > maxWidthBits) {
    return refuse("widthBits", widthBits, `an integer from 1 to ${maxWidthBits}`)
  }
  const refin = options.refin ?? false
  const given = { init: 0n, xorout: 0n, poly: 0n }
  for (const parameter of ["poly", "init", "xorout"] as const) {
    const value = options[parameter] ?? 0n
    const broken = brokenRule(parameter, value, widthBits)
    if (broken !== undefined) return refuse(parameter, value, broken)
    given[parameter] = BigInt(value)
  }
  const model: bitwise.Model = { widthBits, ...given, refin, refout: options.refout ?? refin }
  const check = bitwise.compute(model, new TextEncoder().encode("123456789"))
  const residue = bitwise.residue(model)
  if (options.check !== undefined && !isSame(options.check, check)) {
    return refuse("check", options.check, `${hex(check)}, the CRC of "123456789" with these parameters`)
  }
  if (options.residue !== undefined && !isSame(options.residue, residue)) {
    return refuse("residue", options.residue, `${hex(residue)}, as follows from these parameters`)
  }
  const name = options.name ?? `CRC-${widthBits}/${hex(model.poly)}`
  // ValueOf<Width> is number for widths up to 32 and bigint above, which is what the two branches make.
  const crc: Crc<Value> = widthBits <= 32
    ? engine.defineNarrow({
      ...model,
      name,
      poly: Number(model.poly),
      init: Number(model.init),
      xorout: Number(model.xorout),
      check: Number(check),
      residue: Number(residue)
    })
    : engine.defineWide({ ...model, name, check, residue })
  return Result.succeed(crc as Crc<ValueOf<Width>>)
}

/** Makes a CRC from trusted parameters; throws `CrcError`. @category unsafe @since 0.1.0 */
export const makeUnsafe = <const Width extends number>(options: Options<Width>): Crc<ValueOf<Width>> =>
  Result.getOrThrow(make(options))

/**
 * The CRC of bits, in the order in which they are written: `refin` does not apply, for it is about the bits of bytes.
 *
 * **When to use**: for messages that are no whole number of bytes, and to compare with division on paper: with `init` 0
 * and nothing reflected, this is the remainder of `BitString.encode`.
 *
 * @category computing
 * @since 0.1.0
 */
export const computeBits = <V extends Value>(
  self: Crc<V>,
  bits: string
): Result.Result<V, BitString.BitStringError> =>
  Result.map(BitString.fromString(bits), (valid) => {
    const value = bitwise.computeBits(engine.modelOf(self), valid)
    // V is the type of poly: number up to 32 bits, bigint above.
    return (typeof self.poly === "number" ? Number(value) : value) as V
  })

/**
 * Says whether bytes are a message and its CRC, by the residue: the sum runs over all of it, nothing is cut off.
 *
 * **Details**
 * - Shape: the CRC stands at the end in the algorithm's own byte order (`refout`: little-endian) and fills its bytes. For
 *   any other placement, and for widths that are no multiple of 8, take `Checksum.verifyAppended`.
 *
 * @category checking
 * @since 0.1.0
 */
export const isCodeword = (self: Crc, bytes: Uint8Array): boolean => self.compute(bytes) === residueValue(self)

/** What `compute` and `finish` give for every codeword: the residue with `xorout`. @category checking @since 0.1.0 */
export const residueValue = <V extends Value>(self: Crc<V>): V => {
  const { residue, xorout } = self
  // Both have the type V, and XOR of two of the same kind is of that kind.
  return (typeof residue === "number" ? (residue ^ Number(xorout)) >>> 0 : BigInt(residue) ^ BigInt(xorout)) as V
}

/** Says whether bits are a message and its CRC, the register's highest bit first. @category checking @since 0.1.0 */
export const isCodewordBits = (self: Crc, bits: string): Result.Result<boolean, BitString.BitStringError> =>
  Result.map(computeBits(self, bits), (value) => value === residueValue(self))

const hex = (value: bigint): string => `0x${value.toString(16)}`

const shown = (value: unknown): string =>
  typeof value === "bigint" || (typeof value === "number" && Number.isSafeInteger(value) && value >= 0)
    ? `${value} (0x${value.toString(16)})`
    : String(value)

const isSame = (given: Value, computed: bigint): boolean =>
  typeof given === "bigint" ? given === computed : given === Number(computed)

const refuse = (parameter: string, value: unknown, rule: string): Result.Result<never, CrcError> =>
  Result.fail(new CrcError({ parameter, value, rule }))

/** The rule that a parameter breaks, or undefined. */
const brokenRule = (parameter: "poly" | "init" | "xorout", value: Value, widthBits: number): string | undefined => {
  if (typeof value === "number" && !Number.isSafeInteger(value)) return "an integer, a bigint if it is above 2^53 - 1"
  const limit = 1n << BigInt(widthBits)
  const excess = BigInt(value)
  if (parameter === "poly" && excess >= limit && excess < 2n * limit) {
    return `less than 2^${widthBits}: its top term is not written, so this is ${hex(excess - limit)}`
  }
  if (excess < 0n || excess >= limit) return `from 0 to 2^${widthBits} - 1, as it has ${widthBits} bits`
  if (parameter === "poly" && excess % 2n === 0n) {
    const reversed = bitwise.reflect(excess, widthBits)
    return `odd: every CRC's polynomial ends with 1${
      reversed % 2n === 1n ? `, and this may be ${hex(reversed)} in reversed notation` : ""
    }`
  }
  return undefined
}
