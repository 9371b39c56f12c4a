/**
 * A bad link to try error detection with: it flips one bit in some of the frames that leave.
 *
 * ```
 * message --> [checksum] --> [noise] --> [framing] --> wire        what the framing adds is spared: no boundary is lost
 * ```
 *
 * @since 0.1.0
 */
import type * as Codec from "../Codec.ts"

/**
 * Decides on the next frame: nothing leaves it as it is, a number from 0 (the first bit) to below 1 says which bit flips.
 *
 * @category models
 * @since 0.1.0
 */
export type Noise = () => number | undefined

/**
 * Noise that hits the given share of frames, from 0 to 1, and is the same for the same seed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const random = (options: { readonly rate: number; readonly seed: number }): Noise => {
  // A counter in steps of the golden ratio, mixed well (Steele, Lea and Flood, "SplitMix", 2014, with 32 bits).
  let state = options.seed | 0
  const next = (): number => {
    state = (state + 0x9e3779b9) | 0
    let mixed = state ^ (state >>> 16)
    mixed = Math.imul(mixed, 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 2 ** 32
  }
  return () => {
    const [hit, where] = [next(), next()]
    return hit < options.rate ? where : undefined
  }
}

/** Flips a bit of a text of bits. @category combinators @since 0.1.0 */
export const flipBits = (bits: string, noise: Noise): string => {
  const where = noise()
  if (where === undefined || bits === "") return bits
  const at = Math.floor(where * bits.length)
  return `${bits.slice(0, at)}${bits[at] === "0" ? "1" : "0"}${bits.slice(at + 1)}`
}

/**
 * Flips a bit of the messages of a codec. Where the codec cannot write the result, such as a line with an LF in it, the
 * next bit is flipped instead; a message of which no bit can flip goes as it is.
 *
 * @category combinators
 * @since 0.1.0
 */
export const flip = (self: Codec.Codec<Uint8Array>, noise: Noise): Codec.Codec<Uint8Array> => ({
  ...self,
  encode: (message, writer) => {
    const where = noise()
    const count = where === undefined ? 0 : message.length * 8
    const first = Math.floor((where ?? 0) * count)
    for (let tried = 0; tried < count; tried++) {
      const at = (first + tried) % count
      const spoilt = message.map((byte, i) => i === at >> 3 ? byte ^ (0x80 >> (at & 7)) : byte)
      if (self.encode(spoilt, writer) === undefined) return undefined
    }
    return self.encode(message, writer)
  }
})
