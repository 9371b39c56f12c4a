/**
 * CRCs of up to 32 bits, 16 bytes at a time: 16 tables, each for a byte at another distance (slicing by 16; Kounavis and
 * Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC Generation", 2008).
 *
 * The same function stands here five times on purpose. V8 compiles the tables of a closure into its machine code, as
 * constants whose bounds are known, if the source was made into a closure only once; from the second one on that source
 * runs at half the speed (1.1 instead of 2.2 GB/s for 64 bytes). So the first four algorithms that a process uses get a
 * source each, and further ones share the last. It must not be cut into smaller functions: those would be inlined into
 * callers, where the tables are no constants. Two algorithms with the same tables share one engine.
 *
 * What depends on the register comes last in each sum, so that the rest is done while the register is on its way. Longer
 * input is read as 32-bit words; making the view costs about 20 ns.
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

/** Sixteen tables side by side: 16 KiB in one piece fit the first cache, wherever they lie. */
const tablesOf = (model: Model): Tables => {
  const all = new Int32Array(16 * 256)
  all.set(firstTable(model).map((value) => Number(BigInt.asIntN(32, value))))
  for (let i = 256; i < all.length; i++) {
    const before = all[i - 256]!
    all[i] = before >>> 8 ^ all[before & 255]!
  }
  const table = (k: number): Table => all.subarray(256 * k, 256 * k + 256)
  return [
    table(0),
    table(1),
    table(2),
    table(3),
    table(4),
    table(5),
    table(6),
    table(7),
    table(8),
    table(9),
    table(10),
    table(11),
    table(12),
    table(13),
    table(14),
    table(15)
  ]
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
        c = t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]! ^
          (t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]!)
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]! ^
        (t15[(b[i]! ^ c) & 255]! ^ t14[(b[i + 1]! ^ c >>> 8) & 255]! ^
          t13[(b[i + 2]! ^ c >>> 16) & 255]! ^ t12[(b[i + 3]! ^ c >>> 24) & 255]!)
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
        c = t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]! ^
          (t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]!)
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]! ^
        (t15[(b[i]! ^ c) & 255]! ^ t14[(b[i + 1]! ^ c >>> 8) & 255]! ^
          t13[(b[i + 2]! ^ c >>> 16) & 255]! ^ t12[(b[i + 3]! ^ c >>> 24) & 255]!)
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
        c = t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]! ^
          (t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]!)
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]! ^
        (t15[(b[i]! ^ c) & 255]! ^ t14[(b[i + 1]! ^ c >>> 8) & 255]! ^
          t13[(b[i + 2]! ^ c >>> 16) & 255]! ^ t12[(b[i + 3]! ^ c >>> 24) & 255]!)
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
        c = t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]! ^
          (t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]!)
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]! ^
        (t15[(b[i]! ^ c) & 255]! ^ t14[(b[i + 1]! ^ c >>> 8) & 255]! ^
          t13[(b[i + 2]! ^ c >>> 16) & 255]! ^ t12[(b[i + 3]! ^ c >>> 24) & 255]!)
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
        c = t11[y & 255]! ^ t10[y >>> 8 & 255]! ^ t9[y >>> 16 & 255]! ^ t8[y >>> 24]! ^
          t7[z & 255]! ^ t6[z >>> 8 & 255]! ^ t5[z >>> 16 & 255]! ^ t4[z >>> 24]! ^
          t3[v & 255]! ^ t2[v >>> 8 & 255]! ^ t1[v >>> 16 & 255]! ^ t0[v >>> 24]! ^
          (t15[x & 255]! ^ t14[x >>> 8 & 255]! ^ t13[x >>> 16 & 255]! ^ t12[x >>> 24]!)
      }
      for (let i = from + 4 * count; i < length; i++) c = t0[(c ^ b[i]!) & 255]! ^ c >>> 8
      return c
    }
    let i = 0
    for (const last = length - 16; i <= last; i += 16) {
      c = t11[b[i + 4]!]! ^ t10[b[i + 5]!]! ^ t9[b[i + 6]!]! ^ t8[b[i + 7]!]! ^
        t7[b[i + 8]!]! ^ t6[b[i + 9]!]! ^ t5[b[i + 10]!]! ^ t4[b[i + 11]!]! ^
        t3[b[i + 12]!]! ^ t2[b[i + 13]!]! ^ t1[b[i + 14]!]! ^ t0[b[i + 15]!]! ^
        (t15[(b[i]! ^ c) & 255]! ^ t14[(b[i + 1]! ^ c >>> 8) & 255]! ^
          t13[(b[i + 2]! ^ c >>> 16) & 255]! ^ t12[(b[i + 3]! ^ c >>> 24) & 255]!)
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
