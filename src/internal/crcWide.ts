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

const halfTables = (model: Model): { readonly low: Tables; readonly high: Tables } => {
  const values = firstTable(model)
  const low0 = Int32Array.from(values, (value) => Number(BigInt.asIntN(32, value)))
  const high0 = Int32Array.from(values, (value) => Number(BigInt.asIntN(32, value >> 32n)))
  const next = (low: Table, high: Table): readonly [Table, Table] => [
    low.map((value, i) => (value >>> 8 | high[i]! << 24) ^ low0[value & 255]!),
    high.map((value, i) => value >>> 8 ^ high0[low[i]! & 255]!)
  ]
  const [low1, high1] = next(low0, high0)
  const [low2, high2] = next(low1, high1)
  const [low3, high3] = next(low2, high2)
  const [low4, high4] = next(low3, high3)
  const [low5, high5] = next(low4, high4)
  const [low6, high6] = next(low5, high5)
  const [low7, high7] = next(low6, high6)
  return {
    low: [low0, low1, low2, low3, low4, low5, low6, low7],
    high: [high0, high1, high2, high3, high4, high5, high6, high7]
  }
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
