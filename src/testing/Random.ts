/**
 * Random numbers that a seed fully decides: the same on every machine, in every run.
 *
 * A seed is an integer. `fork(label)` gives a stream of its own for each use (the scheduler's, each link's), which
 * depends on the seed and the label only: how much one part draws never changes what another part gets.
 *
 * ```
 * seed --splitmix32--> 4 words of state --xoshiro128**--> 32 bits, 32 bits, ...
 *   `-- fork("link a-b") = a seed made of this seed and the label
 * ```
 *
 * Not for secrets.
 *
 * **Details**
 * - Source: D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", ACM TOMS 47 (2021), and their
 *   public-domain `xoshiro128starstar.c` (prng.di.unimi.it). The state is filled as they advise, by a splitmix
 *   generator (G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014), here with
 *   32-bit words and the finalizer of MurmurHash3. Labels are hashed with FNV-1a.
 *
 * @since 0.1.0
 */

/**
 * A stream of random numbers.
 *
 * @category models
 * @since 0.1.0
 */
export interface Random {
  /** What decides the stream. */
  readonly seed: number
  /** 32 random bits, as an integer from 0. */
  readonly next: () => number
  /** From 0 inclusive to 1 exclusive, in steps of 2^-32. */
  readonly real: () => number
  /** An integer from `minimum` to `maximum`, both inclusive; each is as likely as the others to one part in 2^32. */
  readonly int: (minimum: number, maximum: number) => number
  /** One of the values. There must be one. */
  readonly pick: <A>(values: ReadonlyArray<A>) => A
  /** True with this probability. */
  readonly chance: (probability: number) => boolean
  /** A stream of its own, decided by this stream's seed and the label. */
  readonly fork: (label: string) => Random
}

/** The stream of a seed, which is a safe integer. @category constructors @since 0.1.0 */
export const make = (seed: number): Random => {
  // A safe integer has 53 bits: both halves count.
  const folded = finalize(Math.floor(seed / 2 ** 32)) ^ seed
  let mix = folded
  const word = (): number => {
    mix = (mix + 0x9e3779b9) | 0
    return finalize(mix)
  }
  let a = word()
  let b = word()
  let c = word()
  let d = word()
  const next = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0
    const shifted = b << 9
    c ^= a
    d ^= b
    b ^= c
    a ^= d
    c ^= shifted
    d = rotate(d, 11)
    return result
  }
  const real = (): number => next() / 2 ** 32
  const int = (minimum: number, maximum: number): number => minimum + Math.floor(real() * (maximum - minimum + 1))
  return {
    seed,
    next,
    real,
    int,
    pick: <A>(values: ReadonlyArray<A>): A => {
      const value = values[int(0, values.length - 1)]
      if (value === undefined && values.length === 0) throw new RangeError("pick needs at least one value, got none")
      return value as A // the index is inside
    },
    chance: (probability) => real() < probability,
    fork: (label) => make((hash(label) ^ finalize((folded + 0x85ebca6b) | 0)) >>> 0)
  }
}

const rotate = (value: number, bits: number): number => (value << bits) | (value >>> (32 - bits))

const finalize = (value: number): number => {
  let mixed = Math.imul(value ^ (value >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return (mixed ^ (mixed >>> 16)) >>> 0
}

/**
 * The FNV-1a hash of a text's UTF-16 units, 32 bits; `start` goes on from an earlier one.
 *
 * @category hashing
 * @since 0.1.0
 */
export const hash = (text: string, start: number = 0x811c9dc5): number => {
  let sum = start
  for (let at = 0; at < text.length; at++) sum = Math.imul(sum ^ text.charCodeAt(at), 0x01000193)
  return sum >>> 0
}
