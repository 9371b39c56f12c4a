/**
 * Looks for the multiples of a polynomial with few terms: the errors that a CRC does not see.
 *
 * A multiple of `weight` terms with the terms 1 and x^top is found by meeting in the middle: sums of one or two powers of x
 * lie in a hash table, and the others are tried against it. `top` grows, so the first one found is the shortest.
 */
import { mod } from "./gf2.ts"

/** A hash table may grow to so many entries: 16 bytes each. */
const maxEntries = 2 ** 22

/** Powers of x modulo a polynomial of degree at most 64, in halves. */
class Powers {
  readonly low: Array<number> = []
  readonly high: Array<number> = []
  private readonly poly: bigint
  private last = 1n

  constructor(poly: bigint) {
    this.poly = poly
  }

  /** Makes x^`exponent` known. */
  reach(exponent: number): void {
    while (this.low.length <= exponent) {
      this.low.push(Number(BigInt.asIntN(32, this.last)))
      this.high.push(Number(BigInt.asIntN(32, this.last >> 32n)))
      this.last = mod(this.last << 1n, this.poly)
    }
  }
}

/** A set of sums of powers: open addressing, at most half full. */
class Sums {
  private low = new Int32Array(1024)
  private high = new Int32Array(1024)
  private used = new Uint8Array(1024)
  size = 0

  add(low: number, high: number): void {
    if (2 * this.size >= this.used.length) this.grow()
    const slot = this.find(low, high)
    if (this.used[slot] === 0) this.size += 1
    this.used[slot] = 1
    this.low[slot] = low
    this.high[slot] = high
  }

  has(low: number, high: number): boolean {
    return this.used[this.find(low, high)] === 1
  }

  private find(low: number, high: number): number {
    const mask = this.used.length - 1
    const mixed = Math.imul(low ^ Math.imul(high, 0x85eb_ca6b), 0x9e37_79b1)
    let slot = (mixed ^ mixed >>> 15) & mask
    while (this.used[slot] === 1 && (this.low[slot] !== low || this.high[slot] !== high)) slot = slot + 1 & mask
    return slot
  }

  private grow(): void {
    const { high, low, used } = this
    this.low = new Int32Array(used.length * 4)
    this.high = new Int32Array(used.length * 4)
    this.used = new Uint8Array(used.length * 4)
    this.size = 0
    for (let slot = 0; slot < used.length; slot++) {
      if (used[slot] === 1) this.add(low[slot]!, high[slot]!)
    }
  }
}

/** `top` of the shortest multiple; or nothing up to `below`, the wanted end if `complete`. */
export type Found =
  | { readonly _tag: "Found"; readonly top: number }
  | { readonly _tag: "None"; readonly below: number; readonly complete: boolean }

/**
 * Looks for the shortest multiple of `weight` terms, 3 or more, whose degree is less than `below`.
 *
 * There must be no multiple of fewer terms of such a degree. Then all sums in the table differ, and one that is met cannot
 * share a power with those that were tried: they would cancel and leave such a multiple.
 */
export const shortest = (poly: bigint, width: number, weight: number, below: number, maxLookups: number): Found => {
  const powers = new Powers(poly)
  const sums = new Sums()
  const pairs = weight >= 5
  const tried = weight - 2 - (pairs ? 2 : 1)
  const { high, low } = powers
  let lookups = 0

  /** Tries all sums of `count` powers from x to x^(`end` - 1) with what there is. */
  const meets = (count: number, end: number, sumLow: number, sumHigh: number): boolean => {
    if (count === 0) {
      lookups += 1
      return sums.has(sumLow, sumHigh)
    }
    if (count === 1) {
      lookups += end
      for (let i = 1; i < end; i++) {
        if (sums.has(sumLow ^ low[i]!, sumHigh ^ high[i]!)) return true
      }
      return false
    }
    for (let i = 1; i < end; i++) {
      if (lookups > maxLookups) return false
      if (meets(count - 1, i, sumLow ^ low[i]!, sumHigh ^ high[i]!)) return true
    }
    return false
  }

  for (let top = 1; top < below; top++) {
    powers.reach(top)
    if (top >= width) {
      if (meets(tried, top, low[top]! ^ 1, high[top]!)) return { _tag: "Found", top }
      if (lookups > maxLookups || sums.size + top > maxEntries) {
        // The search of this top may have been cut short.
        return { _tag: "None", below: top, complete: false }
      }
    }
    if (pairs) {
      for (let i = 1; i < top; i++) sums.add(low[top]! ^ low[i]!, high[top]! ^ high[i]!)
    } else {
      sums.add(low[top]!, high[top]!)
    }
  }
  return { _tag: "None", below, complete: true }
}
