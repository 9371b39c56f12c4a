/**
 * CRCs of 33 to 64 bits in two 32-bit halves, 8 bytes at a time, without a bigint until somebody asks for the value; and
 * wider ones, where every step is a bigint.
 */
import type { Model } from "./crcBitwise.ts"
import { firstTable } from "./crcTable.ts"

/** A register of 64 bits; `crcTable` describes its form: the lowest byte of `low` meets the next byte. */
export interface Halves {
  low: number
  high: number
}

type Table = Int32Array
type Tables = readonly [Table, Table, Table, Table, Table, Table, Table, Table]

/** Indices are 32-bit integers below. */
const maxPieceBytes = 2 ** 30

/** Sixteen tables side by side, those of the low halves first: 16 KiB in one piece fit the first cache. */
const halfTables = (model: Model): { readonly low: Tables; readonly high: Tables } => {
  const all = new Int32Array(16 * 256)
  const low = all.subarray(0, 8 * 256)
  const high = all.subarray(8 * 256)
  firstTable(model).forEach((value, byte) => {
    low[byte] = Number(BigInt.asIntN(32, value))
    high[byte] = Number(BigInt.asIntN(32, value >> 32n))
  })
  for (let i = 256; i < low.length; i++) {
    const before = low[i - 256]!
    const above = high[i - 256]!
    low[i] = (before >>> 8 | above << 24) ^ low[before & 255]!
    high[i] = above >>> 8 ^ high[before & 255]!
  }
  const tables = (half: Int32Array): Tables => {
    const table = (k: number): Table => half.subarray(256 * k, 256 * k + 256)
    return [table(0), table(1), table(2), table(3), table(4), table(5), table(6), table(7)]
  }
  return { low: tables(low), high: tables(high) }
}

/** Updates a register in place. */
export type Update64 = (register: Halves, bytes: Uint8Array) => void

/** The engine of an algorithm of 33 to 64 bits. */
export const make64 = (model: Model): Update64 => {
  const { high: [h0, h1, h2, h3, h4, h5, h6, h7], low: [l0, l1, l2, l3, l4, l5, l6, l7] } = halfTables(model)
  const update: Update64 = (register, bytes) => {
    const length = bytes.length | 0
    let { high, low } = register
    let i = 0
    for (const last = length - 8; i <= last; i += 8) {
      const a = bytes[i]! ^ low & 255
      const b = bytes[i + 1]! ^ low >>> 8 & 255
      const c = bytes[i + 2]! ^ low >>> 16 & 255
      const d = bytes[i + 3]! ^ low >>> 24
      const e = bytes[i + 4]! ^ high & 255
      const f = bytes[i + 5]! ^ high >>> 8 & 255
      const g = bytes[i + 6]! ^ high >>> 16 & 255
      const h = bytes[i + 7]! ^ high >>> 24
      low = l7[a]! ^ l6[b]! ^ l5[c]! ^ l4[d]! ^ l3[e]! ^ l2[f]! ^ l1[g]! ^ l0[h]!
      high = h7[a]! ^ h6[b]! ^ h5[c]! ^ h4[d]! ^ h3[e]! ^ h2[f]! ^ h1[g]! ^ h0[h]!
    }
    for (; i < length; i++) {
      const index = (low ^ bytes[i]!) & 255
      low = (low >>> 8 | high << 24) ^ l0[index]!
      high = high >>> 8 ^ h0[index]!
    }
    register.low = low
    register.high = high
  }
  return (register, bytes) => {
    if (bytes.length <= maxPieceBytes) return update(register, bytes)
    for (let from = 0; from < bytes.length; from += maxPieceBytes) {
      update(register, bytes.subarray(from, from + maxPieceBytes))
    }
  }
}

/** The engine of an algorithm of more than 64 bits, a byte at a time. */
export const makeBeyond = (model: Model): (register: bigint, bytes: Uint8Array) => bigint => {
  const table = firstTable(model)
  return (register, bytes) => {
    for (const byte of bytes) {
      register = register >> 8n ^ table[Number(register & 0xffn) ^ byte]!
    }
    return register
  }
}
