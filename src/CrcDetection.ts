/**
 * Which errors a CRC is certain to find, up to which length of message: computed from its polynomial.
 *
 * An error passes if it, read as a polynomial, is a multiple of the CRC's. So every question is one about multiples: the
 * shortest with two terms says up to which length all two-bit errors are found, and so on. The Hamming distance at a length
 * is the smallest number of flipped bits that can pass there. `init`, `xorout` and reflection change nothing of this.
 *
 * ```
 * CRC-32C    6 up to 5243 data bits (655 bytes)    4 up to 2147483615    burst 32    odd: all
 * CRC-32     5 up to 2974 (371 bytes)              4 up to 91607         burst 32    odd: no
 * key 1001   2 at every length: three parity bits                        burst 3     odd: all
 * ```
 *
 * **Gotchas**: a length is in *data* bits, without the CRC. Errors beyond the guarantees pass with a chance of 2^-width if
 * they are random. Bits added or lost are no flipped bits: a length field or a terminator guards against those.
 *
 * @since 0.1.0
 */
import type * as Crc from "./Crc.ts"
import * as gf2 from "./internal/gf2.ts"
import { shortest } from "./internal/gf2Search.ts"

/**
 * All errors of fewer than `hammingDistance` flipped bits are found in messages of up to `maxDataBits`. That is the largest
 * such length if `exact`; otherwise the search ended there, or the length is above 2^53 - 1.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit {
  readonly hammingDistance: number
  readonly maxDataBits: number
  readonly exact: boolean
}

/** What a CRC is certain to find. @category models @since 0.1.0 */
export interface Guarantees {
  readonly widthBits: number
  /** Whether every single flipped bit is found, at any length: the polynomial has more than one term. */
  readonly singleBit: boolean
  /** Whether every odd number of flipped bits is found, at any length: x + 1 divides the polynomial. */
  readonly oddCounts: boolean
  /** Every error that lies within so many bits is found, at any length: one less than the bits of the polynomial. */
  readonly burstBits: number
  /** Two flipped bits pass if their distance is a multiple of this; `undefined` above a width of `maxOrderBits`. */
  readonly order: bigint | undefined
  /** For each Hamming distance from 3 on how far it goes. */
  readonly limits: ReadonlyArray<Limit>
  /** Whether `limits` went on until no data bit was left; otherwise the search ended, and there may be more. */
  readonly complete: boolean
}

/** The Hamming distance at a length: exactly that, or at least. @category models @since 0.1.0 */
export interface Distance {
  readonly hammingDistance: number
  readonly exact: boolean
}

/**
 * 15 million lookups take half a second at most for each number of terms, and suffice for the table above.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = { maxLookups: 15_000_000, maxHammingDistance: 64 } as const

/** The order of a wider polynomial may need the factors of a number that nobody knows. @category options @since 0.1.0 */
export const maxOrderBits = 96

/** Shortest multiples are looked for up to this width. @category options @since 0.1.0 */
export const maxSearchBits = 64

/**
 * Computes what a CRC finds.
 *
 * **Details**
 * - Shape: where `maxLookups` is reached, the entry is not `exact` and the search goes on with what is certain.
 * - Units: `maxLookups` bounds the work for each number of flipped bits; 10 million take 0.2 to 0.4 s.
 * - Source: Koopman, "32-Bit Cyclic Redundancy Codes for Internet Applications", DSN 2002, whose table this reproduces.
 *
 * **Example** (The key of the tutorial)
 *
 * ```ts
 * import { Crc, CrcDetection } from "hawser"
 *
 * const tutorial = CrcDetection.compute(Crc.makeUnsafe({ widthBits: 3, poly: 0b001 }))
 * console.log(tutorial.order) // 3n
 * console.log(CrcDetection.distanceAt(tutorial, 21)) // { hammingDistance: 2, exact: true }
 * ```
 *
 * @category computing
 * @since 0.1.0
 */
export const compute = (
  crc: Pick<Crc.Parameters, "poly" | "widthBits">,
  options?: {
    /** @default 15_000_000 */
    readonly maxLookups?: number | undefined
    /** Looks no further than this distance. @default 64 */
    readonly maxHammingDistance?: number | undefined
  }
): Guarantees => {
  const { widthBits } = crc
  const poly = BigInt(crc.poly) | 1n << BigInt(widthBits)
  const terms = poly.toString(2).replaceAll("0", "").length
  const order = widthBits <= maxOrderBits ? gf2.orderOfX(poly) : undefined
  const oddCounts = terms % 2 === 0
  return {
    widthBits,
    singleBit: terms > 1,
    oddCounts,
    burstBits: widthBits,
    order,
    ...order === undefined ? { limits: [], complete: false } : limitsOf(poly, widthBits, order, oddCounts, options)
  }
}

const limitsOf = (
  poly: bigint,
  widthBits: number,
  order: bigint,
  oddCounts: boolean,
  options: { readonly maxLookups?: number | undefined; readonly maxHammingDistance?: number | undefined } | undefined
): Pick<Guarantees, "limits" | "complete"> => {
  const { maxHammingDistance = defaults.maxHammingDistance, maxLookups = defaults.maxLookups } = options ?? {}
  const limits: Array<Limit> = []
  // The degree of the shortest multiple with as many terms as were looked at, which is the longest codeword without it.
  let top = order <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(order) : Number.MAX_SAFE_INTEGER
  let exact = order <= BigInt(Number.MAX_SAFE_INTEGER)
  for (let weight = 2; weight < maxHammingDistance; weight++) {
    if (weight > 2 && !(oddCounts && weight % 2 === 1)) {
      if (widthBits > maxSearchBits) break
      const found = shortest(poly, widthBits, weight, top, maxLookups)
      if (found._tag === "Found") {
        top = found.top
        exact = true
      } else if (!found.complete) {
        top = found.below
        exact = false
      }
    }
    if (top <= widthBits) return { limits, complete: exact }
    limits.push({ hammingDistance: weight + 1, maxDataBits: top - widthBits, exact })
  }
  return { limits, complete: false }
}

/** The Hamming distance for messages of so many data bits. @category computing @since 0.1.0 */
export const distanceAt = (self: Guarantees, dataBits: number): Distance => {
  const beyond = self.limits.findIndex(({ maxDataBits }) => maxDataBits < dataBits)
  const next = self.limits[beyond]
  const reached = beyond < 0 ? self.limits.at(-1) : self.limits[beyond - 1]
  return { hammingDistance: reached?.hammingDistance ?? 2, exact: next?.exact ?? self.complete }
}

/** The share of all two-bit errors that pass in messages of so many data bits. @category computing @since 0.1.0 */
export const undetectedTwoBitShare = (self: Guarantees, dataBits: number): number => {
  if (self.order === undefined || self.order > BigInt(Number.MAX_SAFE_INTEGER)) return 0
  const bits = dataBits + self.widthBits
  const order = Number(self.order)
  // Pairs at the distance k * order: bits - k * order of them.
  const distances = Math.floor((bits - 1) / order)
  return (bits * distances - order * distances * (distances + 1) / 2) / (bits * (bits - 1) / 2)
}
