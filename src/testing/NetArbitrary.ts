/**
 * Random bytes, texts and cuts for properties about the wire.
 *
 * They favour what breaks decoders: terminators, zeros, 0xff, characters of several bytes, empty chunks and chunks of
 * one byte. All shrink towards few, short and plain values, and a chunking shrinks to no cut at all.
 *
 * ```
 * bytes      68 65 0a 6c 6f
 * chunking   [2, 0, 1]           sizes of the first chunks; the rest comes at once
 * chunks     [68 65] [] [0a] [6c 6f]
 * ```
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Law from "./Law.ts"

/** The sizes of the first chunks; what is left comes at once. @category models @since 0.1.0 */
export type Chunking = ReadonlyArray<number>

/** How many bytes there are at least and at most. @category options @since 0.1.0 */
export interface BytesOptions {
  readonly minBytes?: number | undefined
  readonly maxBytes?: number | undefined
}

/** Integers from 0, half of them from a list of favourites, shrinking towards 0 (a literal alone would not shrink). */
const integer = (maximum: number, favourites: ReadonlyArray<number>): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(
    Schema.Union([Schema.Literals(favourites), Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))]),
    { shrink: (value) => value === 0 ? [] : value === 1 ? [0] : [0, Math.floor(value / 2), value - 1] }
  )

/** One byte, often one that means something to a protocol. @category arbitraries @since 0.1.0 */
export const byte: Arbitrary.Arbitrary<number> = integer(
  255,
  [0x00, 0x01, 0x02, 0x0a, 0x0d, 0x20, 0x61, 0x7e, 0x80, 0xc0, 0xff]
)

/** Any bytes. @category arbitraries @since 0.1.0 */
export const bytes = (options?: BytesOptions): Arbitrary.Arbitrary<Uint8Array> =>
  Arbitrary.array(byte, { minLength: options?.minBytes, maxLength: options?.maxBytes }).pipe(
    Arbitrary.map((values) => Uint8Array.from(values))
  )

/**
 * Well-formed text with characters of one to four bytes, combined ones, a byte order mark, and line breaks.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const text = (options?: { readonly maxCharacters?: number | undefined }): Arbitrary.Arbitrary<string> =>
  Arbitrary.array(
    Arbitrary.schema(Schema.Union([
      Schema.Literals(["a", " ", "\n", "\r", "\r\n", "\0", "é", "e\u0301", "€", "\uFEFF", "\uFFFD", "😀", "👩‍👧"]),
      Schema.String.check(Schema.isMaxLength(3))
    ])),
    { maxLength: options?.maxCharacters }
  ).pipe(Arbitrary.map((parts) => parts.join("").toWellFormed()))

/** How a network might cut a stream. Apply it with `cut`. @category arbitraries @since 0.1.0 */
export const chunking: Arbitrary.Arbitrary<Chunking> = Arbitrary.array(integer(64, [0, 1, 2, 3, 4]))

/** Bytes cut into chunks. @category arbitraries @since 0.1.0 */
export const chunked = (input: Law.Input<Uint8Array>): Arbitrary.Arbitrary<ReadonlyArray<Uint8Array>> =>
  Arbitrary.all([Law.fromInput(input), chunking]).pipe(Arbitrary.map(([whole, sizes]) => cut(whole, sizes)))

/** Cuts bytes as a chunking says. Each chunk is a copy with a buffer of its own. @category cutting @since 0.1.0 */
export const cut = (whole: Uint8Array, sizes: Chunking): ReadonlyArray<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  let at = 0
  for (const size of sizes) {
    if (at === whole.length) {
      break
    }
    chunks.push(Uint8Array.from(whole.subarray(at, at + size)))
    at = Math.min(whole.length, at + size)
  }
  if (at < whole.length || chunks.length === 0) {
    chunks.push(Uint8Array.from(whole.subarray(at)))
  }
  return chunks
}

/**
 * Every way to cut bytes into chunks that are not empty: 2^(n-1) of them for n bytes.
 *
 * @category cutting
 * @since 0.1.0
 */
export const everyCut = function*(whole: Uint8Array): Generator<ReadonlyArray<Uint8Array>> {
  const places = Math.max(0, whole.length - 1)
  for (let set = 0; set < 2 ** places; set++) {
    const chunks: Array<Uint8Array> = []
    let from = 0
    for (let place = 0; place < places; place++) {
      if ((set >> place) % 2 === 1) {
        chunks.push(whole.slice(from, place + 1))
        from = place + 1
      }
    }
    chunks.push(whole.slice(from))
    yield chunks
  }
}
