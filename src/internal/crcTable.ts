/**
 * Tables for the byte at a time and for many at once, and the form of the register that they all share.
 *
 * All engines hold the register so that the byte which is processed next is the lowest one: reflected for `refin`,
 * otherwise shifted up to 8, 32 or 64 bits and with its bytes in the other order. Then one step is
 * `T[(register ^ byte) & 255] ^ (register >>> 8)` for both, and so one piece of code serves all algorithms of a size.
 */
import { feedByte, type Model, reflect } from "./crcBitwise.ts"

/** Swaps the bytes of a register of so many bytes. */
const swap = (value: bigint, bytes: number): bigint => {
  let swapped = 0n
  for (let byte = 0; byte < bytes; byte++) {
    swapped = swapped << 8n | (value >> BigInt(8 * byte) & 0xffn)
  }
  return swapped
}

/** How many bytes a register has: 4 up to a width of 32, 8 up to 64, then as many as the width needs. */
const registerBytes = (widthBits: number): number =>
  widthBits <= 32 ? 4 : widthBits <= 64 ? 8 : Math.ceil(widthBits / 8)

/** From the register of the bitwise model to that of the engines. */
export const toRegister = ({ refin, widthBits }: Model, value: bigint): bigint => {
  const bytes = registerBytes(widthBits)
  return refin ? reflect(value, widthBits) : swap(value << BigInt(8 * bytes - widthBits), bytes)
}

/** From the register of the engines to that of the bitwise model. */
export const fromRegister = ({ refin, widthBits }: Model, register: bigint): bigint => {
  const bytes = registerBytes(widthBits)
  return refin ? reflect(register, widthBits) : swap(register, bytes) >> BigInt(8 * bytes - widthBits)
}

/**
 * What each byte does to a register of zeros.
 *
 * CRCs are linear: the eight bytes with one bit are computed, and the others are their sums.
 */
export const firstTable = (model: Model): Array<bigint> => {
  const table: Array<bigint> = [0n]
  for (let bit = 0; bit < 8; bit++) {
    const single = toRegister(model, feedByte(model, 0n, 1 << bit))
    for (let below = 0; below < 1 << bit; below++) {
      table.push(single ^ table[below]!)
    }
  }
  return table
}
