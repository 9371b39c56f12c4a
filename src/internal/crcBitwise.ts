/**
 * The Rocksoft/Williams model one bit at a time, at any width: what tables are made from, and what they are tested with.
 *
 * The register is a bigint whose top bit is the coefficient of the highest power. Slow, and plainly right.
 */

/** The parameters, checked, as bigints. */
export interface Model {
  readonly widthBits: number
  readonly poly: bigint
  readonly init: bigint
  readonly refin: boolean
  readonly refout: boolean
  readonly xorout: bigint
}

/** The value with its bits in the other order. */
export const reflect = (value: bigint, widthBits: number): bigint => {
  let reflected = 0n
  for (let bit = 0; bit < widthBits; bit++) {
    reflected = reflected << 1n | (value >> BigInt(bit) & 1n)
  }
  return reflected
}

/** The register after one more bit. */
const feedBit = ({ poly, widthBits }: Model, register: bigint, bit: bigint): bigint => {
  const shifted = register << 1n & (1n << BigInt(widthBits)) - 1n
  return (register >> BigInt(widthBits - 1)) === bit ? shifted : shifted ^ poly
}

/** The register after the bits of one byte, in the order of `refin`. */
export const feedByte = (model: Model, register: bigint, byte: number): bigint => {
  for (let bit = 0; bit < 8; bit++) {
    register = feedBit(model, register, BigInt(byte >> (model.refin ? bit : 7 - bit) & 1))
  }
  return register
}

/** What is shown for a register. */
export const finish = (model: Model, register: bigint): bigint =>
  (model.refout ? reflect(register, model.widthBits) : register) ^ model.xorout

/** The value for bytes. */
export const compute = (model: Model, bytes: Iterable<number>): bigint => {
  let register = model.init
  for (const byte of bytes) {
    register = feedByte(model, register, byte)
  }
  return finish(model, register)
}

/** The value for bits, in the order in which they are written. */
export const computeBits = (model: Model, bits: string): bigint => {
  let register = model.init
  for (const bit of bits) {
    register = feedBit(model, register, bit === "1" ? 1n : 0n)
  }
  return finish(model, register)
}

/**
 * What the register holds, reflected if `refout`, after any message and its CRC in the order of transmission: the
 * message cancels, and what is left is `xorout` times x to the power of the width.
 */
export const residue = (model: Model): bigint => {
  let register = model.refout ? reflect(model.xorout, model.widthBits) : model.xorout
  for (let bit = 0; bit < model.widthBits; bit++) {
    register = feedBit(model, register, 0n)
  }
  return model.refout ? reflect(register, model.widthBits) : register
}
