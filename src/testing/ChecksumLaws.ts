/**
 * What every checksum must do, whoever wrote it: the contract of `Checksum` as properties, and that of `Crc`.
 *
 * Each law is an Effect that fails with a `LawViolation`; `all` runs them one after another, `laws` names them for a test
 * runner.
 *
 * ```ts
 * import { Checksum } from "hawser"
 * import { ChecksumLaws } from "hawser/testing"
 *
 * export const lawful = ChecksumLaws.all({ checksum: Checksum.adler32, positional: true }) // Effect<void, LawViolation>
 * ```
 *
 * **Gotchas**: a sum that does not see one flipped bit breaks `singleBitErrors`: that is the least to ask of a checksum.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Result from "effect/Result"
import * as Checksum from "../Checksum.ts"
import * as Crc from "../Crc.ts"
import { firstBroken } from "../internal/codecReader.ts"
import * as Law from "./Law.ts"
import * as NetArbitrary from "./NetArbitrary.ts"

/** A checksum and what to try it with. @category models @since 0.1.0 */
export interface Spec {
  readonly checksum: Checksum.Checksum
  /** @default any bytes */
  readonly messages?: Law.Input<Uint8Array> | undefined
  /** Whether it sees that two neighbours changed places, as all but plain sums and XOR do. @default false */
  readonly positional?: boolean | undefined
  readonly options?: Law.Options | undefined
}

/** A CRC and what to try it with. @category models @since 0.1.0 */
export interface CrcSpec extends Omit<Spec, "checksum" | "positional"> {
  readonly crc: Crc.Crc
}

const messagesOf = (spec: Pick<Spec, "messages">): Arbitrary.Arbitrary<Uint8Array> =>
  Law.fromInput(spec.messages ?? NetArbitrary.bytes())

const orders = ["big", "little"] as const

/**
 * However the bytes are cut, the value is that of all at once; asking for it early, and another message in between, change
 * nothing; nor do the bytes change, or what happens to them afterwards matter.
 *
 * @category laws @since 0.1.0
 */
export const incremental = (spec: Spec): Effect.Effect<void, Law.LawViolation> => {
  const inputs = Arbitrary.all({ bytes: messagesOf(spec), chunking: NetArbitrary.chunking })
  return Law.checkSync("ChecksumLaws.incremental", inputs, ({ bytes, chunking }) => {
    const { checksum } = spec
    const whole = checksum.compute(bytes.slice())
    const running = checksum.start()
    const other = checksum.start()
    let given = 0
    let broken: string | undefined = undefined
    for (const chunk of NetArbitrary.cut(bytes, chunking)) {
      const kept = chunk.slice()
      running.update(chunk)
      given += chunk.length
      const value = running.finish()
      broken ??= firstBroken(
        !Equal.equals(chunk, kept) && "update changed the bytes",
        value !== running.finish() && `finish gave ${value} and then ${running.finish()}`,
        value !== checksum.compute(bytes.slice(0, given)) &&
          `after ${given} bytes it is ${value}, of these at once ${checksum.compute(bytes.slice(0, given))}`
      )
      chunk.fill(0xa5)
      other.update(Uint8Array.of(1, 2, 3))
    }
    return firstBroken(
      broken,
      running.finish() !== whole && `in pieces it is ${running.finish()}, at once ${whole}`,
      checksum.compute(bytes.slice()) !== whole &&
        `computed again it is ${checksum.compute(bytes.slice())}, not ${whole}`
    )
  }, spec.options)
}

/** A value fits the width, and is a number up to 32 bits, a bigint above. @category laws @since 0.1.0 */
export const range = (spec: Spec): Effect.Effect<void, Law.LawViolation> =>
  Law.checkSync("ChecksumLaws.range", messagesOf(spec), (bytes) => {
    const { checksum: { compute, widthBits } } = spec
    const value = compute(bytes)
    const type = widthBits <= 32 ? "number" : "bigint"
    return firstBroken(
      typeof value !== type && `${value} is a ${typeof value}, ${widthBits} bits make a ${type}`,
      (value < 0 || value >= 2n ** BigInt(widthBits)) && `${value} does not fit ${widthBits} bits`
    )
  }, spec.options)

/** Bytes with their checksum after them are accepted, in both byte orders. @category laws @since 0.1.0 */
export const accepts = (spec: Spec): Effect.Effect<void, Law.LawViolation> =>
  Law.checkSync("ChecksumLaws.accepts", messagesOf(spec), (bytes) => {
    const { checksum } = spec
    const value = checksum.compute(bytes)
    return firstBroken(
      !Checksum.verify(checksum, bytes, value) && `it does not verify its own value ${value}`,
      ...orders.map((order) =>
        !Checksum.verifyAppended(checksum, Checksum.append(checksum, bytes, order), order) &&
        `a codeword with the value in ${order}-endian order is refused`
      )
    )
  }, spec.options)

/** One flipped bit, in the message or in the checksum, is found. @category laws @since 0.1.0 */
export const singleBitErrors = (spec: Spec): Effect.Effect<void, Law.LawViolation> =>
  Law.checkSync("ChecksumLaws.singleBitErrors", messagesOf(spec), (bytes) => {
    const { checksum } = spec
    const value = checksum.compute(bytes)
    const damaged = bytes.slice()
    for (let at = 0; at < 8 * bytes.length; at++) {
      damaged[at >> 3]! ^= 1 << at % 8
      if (Checksum.verify(checksum, damaged, value)) return `bit ${at % 8} of byte ${at >> 3} may be flipped`
      damaged[at >> 3]! ^= 1 << at % 8
    }
    for (let at = 0; at < checksum.widthBits; at++) {
      if (Checksum.verify(checksum, bytes, BigInt(value) ^ 1n << BigInt(at))) {
        return `bit ${at} of the value may be flipped`
      }
    }
    return undefined
  }, spec.options)

/**
 * Two different neighbours that change places are found, if the checksum is `positional`. Neighbours that differ by 255 are
 * left out, because sums modulo 255 take them for equal.
 *
 * @category laws @since 0.1.0
 */
export const swappedBytes = (spec: Spec): Effect.Effect<void, Law.LawViolation> =>
  spec.positional !== true ? Effect.void : Law.checkSync("ChecksumLaws.swappedBytes", messagesOf(spec), (bytes) => {
    const { checksum } = spec
    const value = checksum.compute(bytes)
    for (let at = 0; at + 1 < bytes.length; at++) {
      const swapped = bytes.slice()
      swapped[at] = bytes[at + 1]!
      swapped[at + 1] = bytes[at]!
      const differ = (bytes[at]! - bytes[at + 1]!) % 255 !== 0
      if (differ && Checksum.verify(checksum, swapped, value)) return `bytes ${at} and ${at + 1} may change places`
    }
    return undefined
  }, spec.options)

/** The laws of all checksums by name, for a test runner. @category laws @since 0.1.0 */
export const laws = { incremental, range, accepts, singleBitErrors, swappedBytes } as const

/** Checks all laws of a checksum, one after another. @category running @since 0.1.0 */
export const all = (spec: Spec): Effect.Effect<void, Law.LawViolation> =>
  Effect.forEach(Object.values(laws), (law) => law(spec), { discard: true })

const reversed = (text: string): string => Array.from(text).reverse().join("")

/**
 * Every message followed by its CRC, bit by bit as it is sent, leaves the residue; where the CRC fills bytes, also as bytes.
 *
 * @category laws of CRCs @since 0.1.0
 */
export const residue = (spec: CrcSpec): Effect.Effect<void, Law.LawViolation> =>
  Law.checkSync("ChecksumLaws.residue", messagesOf(spec), (bytes) => {
    const { crc } = spec
    const byteBits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0"))
    const crcBits = crc.compute(bytes).toString(2).padStart(crc.widthBits, "0")
    const sent = byteBits.map((bits) => crc.refin ? reversed(bits) : bits).join("") +
      (crc.refout ? reversed(crcBits) : crcBits)
    const left = Result.getOrUndefined(Crc.computeBits(crc, sent))
    const fillsBytes = crc.widthBits % 8 === 0 && crc.refin === crc.refout
    return firstBroken(
      left !== Crc.residueValue(crc) && `the codeword ${sent} leaves ${left}, not ${Crc.residueValue(crc)}`,
      fillsBytes && !Crc.isCodeword(crc, Checksum.append(crc, bytes)) && "the codeword is refused as bytes"
    )
  }, spec.options)

/** The value for bytes is that for their bits. @category laws of CRCs @since 0.1.0 */
export const bits = (spec: CrcSpec): Effect.Effect<void, Law.LawViolation> =>
  Law.checkSync("ChecksumLaws.bits", messagesOf(spec), (bytes) => {
    const { crc } = spec
    const written = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0"))
    const sent = written.map((byte) => crc.refin ? reversed(byte) : byte).join("")
    const ofBits = sent === "" ? crc.compute(bytes) : Result.getOrUndefined(Crc.computeBits(crc, sent))
    return ofBits === crc.compute(bytes) ? undefined : `of the bits it is ${ofBits}, of the bytes ${crc.compute(bytes)}`
  }, spec.options)

/** The further laws of CRCs by name, for a test runner. @category laws of CRCs @since 0.1.0 */
export const crcLaws = { residue, bits } as const

/** Checks all laws of a CRC, those of all checksums included. @category running @since 0.1.0 */
export const allCrc = (spec: CrcSpec): Effect.Effect<void, Law.LawViolation> => {
  const { crc, messages, options } = spec
  // Two bytes that change places lie within 16 bits, a burst that a CRC of that width finds.
  const general = all({ checksum: crc, positional: crc.widthBits >= 16, messages, options })
  const further = Effect.forEach(Object.values(crcLaws), (law) => law(spec), { discard: true })
  return Effect.andThen(general, further)
}
