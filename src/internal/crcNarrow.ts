/**
 * CRCs of up to 32 bits, 16 bytes at a time: 16 tables, each for a byte at another distance (slicing by 16; Kounavis and
 * Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008).
 *
 * The same function stands here several times on purpose. V8 compiles the tables of a closure into the machine code, as
 * constants without bounds checks, if its source was made into a closure only once; from the second one on the same
 * source runs at two thirds of the speed (1.4 instead of 2.2 GB/s for 64 bytes). So the first algorithms that a process
 * uses get a source each, and further ones share the last. Two algorithms with the same tables share one engine.
 *
 * Longer input is read as 32-bit words, at 2.9 instead of 2.5 GB/s; making the view costs about 20 ns.
 */
import type { Model } from "./crcBitwise.ts"
import { firstTable } from "./crcTable.ts"

/** From the register before some bytes to the register after them; `crcTable` describes its form. */
export type Update = (register: number, bytes: Uint8Array) => number

type Table = Int32Array
type Tables = readonly [
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table,
  Table
]

type Source = (tables: Tables) => Update

/** From how many bytes on the view of words pays. Measured: equal at about 700. */
const wordsFrom = 1024

/** Up to here an index is a 32-bit integer, also to the compiler. */
const maxPieceBytes = 2 ** 30

const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1

const wordsOf = (bytes: Uint8Array, from: number): Int32Array =>
  new Int32Array(bytes.buffer, bytes.byteOffset + from, bytes.length - from >>> 2)

const tablesOf = (model: Model): Tables => {
  const t0 = Int32Array.from(firstTable(model), (value) => Number(BigInt.asIntN(32, value)))
  const next = (table: Table): Table => table.map((value) => (value >>> 8) ^ t0[value & 255]!)
  const t1 = next(t0)
  const t2 = next(t1)
  const t3 = next(t2)
  const t4 = next(t3)
  const t5 = next(t4)
  const t6 = next(t5)
  const t7 = next(t6)
  const t8 = next(t7)
  const t9 = next(t8)
  const t10 = next(t9)
  const t11 = next(t10)
  const t12 = next(t11)
  const t13 = next(t12)
  const t14 = next(t13)
  return [t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, next(t14)]
}

const first: Source = ([t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15]) => {
  const update: Update = (c, b) => {
    const length = b.length | 0
    if (b.length >= wordsFrom) {
      if (b.length > maxPieceBytes) return inPieces(update, c, b)
      const from = isLittleEndian ? -b.byteOffset & 3 : length
      for (let i = 0; i < from; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      const words = wordsOf(b, from)
      const count = words.length & ~3
      for (let w = 0; w < count; w += 4) {
        const x = words[w]! ^ c
        const y = words[w + 1]!
        const z = words[w + 2]!
        const v = words[w + 3]!
        c = t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]! ^
          t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]!
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t15[b[i]! ^ c & 255]! ^ t14[b[i + 1]! ^ c >>> 8 & 255]! ^ t13[b[i + 2]! ^ c >>> 16 & 255]! ^
        t12[b[i + 3]! ^ c >>> 24]! ^ t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]!
    }
    for (; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
    return c
  }
  return update
}

const second: Source = ([t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15]) => {
  const update: Update = (c, b) => {
    const length = b.length | 0
    if (b.length >= wordsFrom) {
      if (b.length > maxPieceBytes) return inPieces(update, c, b)
      const from = isLittleEndian ? -b.byteOffset & 3 : length
      for (let i = 0; i < from; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      const words = wordsOf(b, from)
      const count = words.length & ~3
      for (let w = 0; w < count; w += 4) {
        const x = words[w]! ^ c
        const y = words[w + 1]!
        const z = words[w + 2]!
        const v = words[w + 3]!
        c = t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]! ^
          t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]!
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t15[b[i]! ^ c & 255]! ^ t14[b[i + 1]! ^ c >>> 8 & 255]! ^ t13[b[i + 2]! ^ c >>> 16 & 255]! ^
        t12[b[i + 3]! ^ c >>> 24]! ^ t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]!
    }
    for (; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
    return c
  }
  return update
}

const third: Source = ([t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15]) => {
  const update: Update = (c, b) => {
    const length = b.length | 0
    if (b.length >= wordsFrom) {
      if (b.length > maxPieceBytes) return inPieces(update, c, b)
      const from = isLittleEndian ? -b.byteOffset & 3 : length
      for (let i = 0; i < from; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      const words = wordsOf(b, from)
      const count = words.length & ~3
      for (let w = 0; w < count; w += 4) {
        const x = words[w]! ^ c
        const y = words[w + 1]!
        const z = words[w + 2]!
        const v = words[w + 3]!
        c = t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]! ^
          t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]!
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t15[b[i]! ^ c & 255]! ^ t14[b[i + 1]! ^ c >>> 8 & 255]! ^ t13[b[i + 2]! ^ c >>> 16 & 255]! ^
        t12[b[i + 3]! ^ c >>> 24]! ^ t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]!
    }
    for (; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
    return c
  }
  return update
}

const fourth: Source = ([t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15]) => {
  const update: Update = (c, b) => {
    const length = b.length | 0
    if (b.length >= wordsFrom) {
      if (b.length > maxPieceBytes) return inPieces(update, c, b)
      const from = isLittleEndian ? -b.byteOffset & 3 : length
      for (let i = 0; i < from; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      const words = wordsOf(b, from)
      const count = words.length & ~3
      for (let w = 0; w < count; w += 4) {
        const x = words[w]! ^ c
        const y = words[w + 1]!
        const z = words[w + 2]!
        const v = words[w + 3]!
        c = t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]! ^
          t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]!
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t15[b[i]! ^ c & 255]! ^ t14[b[i + 1]! ^ c >>> 8 & 255]! ^ t13[b[i + 2]! ^ c >>> 16 & 255]! ^
        t12[b[i + 3]! ^ c >>> 24]! ^ t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]!
    }
    for (; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
    return c
  }
  return update
}

const shared: Source = ([t0, t1, t2, t3, t4, t5, t6, t7, t8, t9, t10, t11, t12, t13, t14, t15]) => {
  const update: Update = (c, b) => {
    const length = b.length | 0
    if (b.length >= wordsFrom) {
      if (b.length > maxPieceBytes) return inPieces(update, c, b)
      const from = isLittleEndian ? -b.byteOffset & 3 : length
      for (let i = 0; i < from; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      const words = wordsOf(b, from)
      const count = words.length & ~3
      for (let w = 0; w < count; w += 4) {
        const x = words[w]! ^ c
        const y = words[w + 1]!
        const z = words[w + 2]!
        const v = words[w + 3]!
        c = t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]! ^
          t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]!
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t15[b[i]! ^ c & 255]! ^ t14[b[i + 1]! ^ c >>> 8 & 255]! ^ t13[b[i + 2]! ^ c >>> 16 & 255]! ^
        t12[b[i + 3]! ^ c >>> 24]! ^ t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]!
    }
    for (; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
    return c
  }
  return update
}

/** In pieces below 2 GiB. */
const inPieces = (update: Update, register: number, bytes: Uint8Array): number => {
  for (let from = 0; from < bytes.length; from += maxPieceBytes) {
    register = update(register, bytes.subarray(from, from + maxPieceBytes))
  }
  return register
}

const sources = [first, second, third, fourth]
const engines = new Map<string, Update>()

/** The engine of an algorithm; the tables are made here (16 KiB, about 50 µs). */
export const make = (model: Model): Update => {
  const key = `${model.widthBits} ${model.poly} ${model.refin}`
  const known = engines.get(key)
  if (known !== undefined) return known
  const source = sources[engines.size]
  // Beyond the last source nothing is remembered: what a program makes on and on is not kept for ever.
  if (source === undefined) return shared(tablesOf(model))
  const update = source(tablesOf(model))
  engines.set(key, update)
  return update
}
