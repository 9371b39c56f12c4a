/**
 * How a fuzzer makes new streams of old ones: bits flip, lengths lie, slices vanish, come twice or change places, two
 * streams are joined, words that mean something to protocols are put in.
 *
 * All of it is drawn from one seeded stream of numbers, so that the same seed gives the same streams.
 *
 * ```
 * 03 61 62 63 01 64    a length is changed       ff 61 62 63 01 64
 *                      a slice comes twice       03 61 62 61 62 63 01 64
 *                      the end is lost           03 61
 * ```
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import type * as Random from "../Random.ts"
import type * as FuzzInput from "./FuzzInput.ts"

/** An integer from 0 to below `end`; 0 where there is none. */
const below = (dice: Random.Random, end: number): number => end <= 1 ? 0 : dice.int(0, end - 1)

/** Small numbers often, great ones now and then: each length in bits is as likely as the next. */
const small = (dice: Random.Random, most: number): number =>
  Math.min(most, below(dice, 2 ** (1 + below(dice, Math.ceil(Math.log2(most + 2))))))

const encoder = new TextEncoder()

const filled = (count: number, byte: number): Uint8Array => new Uint8Array(count).fill(byte)

/**
 * Words that mean something to many protocols: terminators, escapes, runs of 0 and ff, cut characters, JSON.
 *
 * @category constants
 * @since 0.1.0
 */
const dictionary: readonly [Uint8Array, ...ReadonlyArray<Uint8Array>] = [
  encoder.encode("\n"),
  ...["\r\n", "\r", "\0", "\n\n", "\r\r\n", " ", "||", "0", "-1", "{", "}", "[[[[", "\"", "null", "1e999", "\\ud800"]
    .map(
      (text) => encoder.encode(text)
    ),
  // SLIP (RFC 1055) and HDLC-like (RFC 1662) delimiters and escapes, whole and cut.
  ...[[0xc0], [0xdb], [0xdb, 0xdc], [0xdb, 0x00], [0x7e], [0x7d], [0x7d, 0x5e], [0x7d, 0x7e]].map((bytes) =>
    Uint8Array.from(bytes)
  ),
  // UTF-8: a byte order mark, characters that are cut, overlong, surrogates.
  ...[[0xef, 0xbb, 0xbf], [0xc3], [0xe2, 0x82], [0xf0, 0x9f, 0x98], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xff, 0xfe]].map(
    (bytes) => Uint8Array.from(bytes)
  ),
  ...[1, 2, 4, 8, 9, 64].flatMap((count) => [filled(count, 0), filled(count, 0xff)])
]

type Mutation = (bytes: Uint8Array, dice: Random.Random, others: Others) => Uint8Array

/** What else a mutation may use. @category models @since 0.1.0 */
export interface Others {
  readonly streams: ReadonlyArray<Uint8Array>
  readonly words: ReadonlyArray<Uint8Array>
}

const join = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => Bytes.concat(parts)

const insert = (bytes: Uint8Array, at: number, part: Uint8Array): Uint8Array =>
  join(bytes.subarray(0, at), part, bytes.subarray(at))

/** A slice, short ones often: where it begins and where it ends. */
const slice = (bytes: Uint8Array, dice: Random.Random): readonly [number, number] => {
  const from = below(dice, bytes.length)
  return [from, Math.min(bytes.length, from + 1 + small(dice, bytes.length))]
}

/** The same byte many times. */
const run = (bytes: Uint8Array, dice: Random.Random): Uint8Array =>
  filled(small(dice, 8_192), dice.pick([0x00, 0xff, 0x61, bytes[below(dice, bytes.length)] ?? 0]))

/** The values at which lengths are read wrongly: around every power of two that is a limit of some field, and signs. */
const lengths: readonly [bigint, ...ReadonlyArray<bigint>] = [
  0n,
  ...[7n, 8n, 15n, 16n, 24n, 31n, 32n, 53n, 63n, 64n].flatMap((bits) => [2n ** bits - 1n, 2n ** bits])
]

const editLength: Mutation = (bytes, dice) => {
  const width = dice.pick([1, 1, 2, 2, 3, 4, 8])
  if (bytes.length < width) return bytes
  const at = below(dice, bytes.length - width + 1)
  const order = Array.from({ length: width }, (_, i) => at + i)
  if (dice.chance(0.5)) order.reverse()
  const old = order.reduce((sum, place) => sum * 256n + BigInt(bytes[place] ?? 0), 0n)
  const value = dice.pick<bigint>([
    dice.pick(lengths),
    old + BigInt(below(dice, 9) - 4),
    BigInt(bytes.length - at - width + below(dice, 3) - 1)
  ])
  const edited = bytes.slice()
  order.forEach((place, i) => {
    edited[place] = Number((value >> BigInt(8 * (width - 1 - i))) & 0xffn)
  })
  return edited
}

const setByte = (bytes: Uint8Array, at: number, byte: number): Uint8Array => {
  const edited = bytes.slice()
  edited[at] = byte
  return edited
}

const mutations: readonly [Mutation, ...ReadonlyArray<Mutation>] = [
  (bytes, dice) => {
    const at = below(dice, bytes.length)
    return setByte(bytes, at, (bytes[at] ?? 0) ^ (1 << below(dice, 8)))
  },
  (bytes, dice) => setByte(bytes, below(dice, bytes.length), below(dice, 256)),
  editLength,
  editLength,
  (bytes, dice) => {
    const [from, to] = slice(bytes, dice)
    return join(bytes.subarray(0, from), bytes.subarray(to))
  },
  (bytes, dice) => {
    const part = bytes.slice(...slice(bytes, dice))
    const copies = Array.from({ length: 1 + small(dice, 32) }, () => part)
    return insert(bytes, below(dice, bytes.length + 1), join(...copies))
  },
  // Two slices that touch change places.
  (bytes, dice) => {
    const [from, middle] = slice(bytes, dice)
    const to = Math.min(bytes.length, middle + 1 + small(dice, bytes.length))
    return join(bytes.subarray(0, from), bytes.subarray(middle, to), bytes.subarray(from, middle), bytes.subarray(to))
  },
  (bytes, dice) => bytes.slice(0, below(dice, bytes.length)),
  (bytes, dice) => insert(bytes, below(dice, bytes.length + 1), raw(dice, 1 + small(dice, 16))),
  (bytes, dice, { words }) => insert(bytes, below(dice, bytes.length + 1), dice.pick([...dictionary, ...words])),
  (bytes, dice, { words }) => {
    const word = dice.pick([...dictionary, ...words])
    const at = below(dice, bytes.length)
    return join(bytes.subarray(0, at), word, bytes.subarray(at + word.length))
  },
  (bytes, dice, { streams }) => {
    const other = dice.pick([bytes, ...streams])
    return join(bytes.subarray(0, below(dice, bytes.length + 1)), other.subarray(below(dice, other.length + 1)))
  },
  (bytes, dice) => insert(bytes, below(dice, bytes.length + 1), run(bytes, dice)),
  // A frame that begins and goes on without an end.
  (bytes, dice) => join(bytes.subarray(0, below(dice, bytes.length + 1)), run(bytes, dice))
]

/** Bytes that know nothing of any protocol. */
const raw = (dice: Random.Random, count: number): Uint8Array =>
  Uint8Array.from({ length: count }, () => below(dice, 256))

/**
 * A new stream: an old one changed in one to many places, or one in eight times raw bytes.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stream = (base: Uint8Array, dice: Random.Random, others: Others, maxBytes: number): Uint8Array => {
  if (dice.chance(1 / 8)) return raw(dice, small(dice, Math.min(maxBytes, 256)))
  let bytes = base
  // Half of the streams are changed in one place, a quarter in two, and so on; one in eight is only cut.
  if (dice.chance(7 / 8)) {
    do {
      bytes = dice.pick(mutations)(bytes, dice, others)
    } while (dice.chance(0.5))
  }
  return bytes.slice(0, maxBytes)
}

/** Cuts: none, one behind each byte, or some, with an empty chunk now and then. @category constructors @since 0.1.0 */
export const cuts = (bytes: Uint8Array, dice: Random.Random, maxChunks: number): FuzzInput.Input["cuts"] => {
  if (dice.chance(0.2)) return []
  if (bytes.length <= maxChunks && dice.chance(0.2)) return Array.from(bytes, (_, i) => i)
  const some = Array.from({ length: 1 + small(dice, Math.min(maxChunks, 64) - 2) }, () => below(dice, bytes.length + 1))
  return some.sort((left, right) => left - right)
}
