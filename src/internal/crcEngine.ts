/**
 * From parameters to a running CRC: which engine, and how its register becomes a value.
 *
 * ```
 * width 1 to 32    crcNarrow   a number; long CRC-32s of the runtime's zlib
 * width 33 to 64   crcWide     two numbers
 * wider            crcWide     a bigint
 * ```
 */
import type { ByteOrder, Running, Value } from "../Checksum.ts"
import type { Crc, Parameters } from "../Crc.ts"
import type { Model } from "./crcBitwise.ts"
import * as bitwise from "./crcBitwise.ts"
import * as narrow from "./crcNarrow.ts"
import { fromRegister, toRegister } from "./crcTable.ts"
import * as wide from "./crcWide.ts"
import * as native from "./nativeCrc32.ts"

/** The parameters as the bitwise model has them. */
export const modelOf = (parameters: Parameters): Model => ({
  widthBits: parameters.widthBits,
  poly: BigInt(parameters.poly),
  init: BigInt(parameters.init),
  refin: parameters.refin,
  refout: parameters.refout,
  xorout: BigInt(parameters.xorout)
})

/** What an engine does, whatever its register is. */
interface Engine<R, V> {
  readonly start: () => R
  readonly update: (register: R, bytes: Uint8Array) => R
  readonly finish: (register: R) => V
}

/** The native CRC-32 works with the inverted register, as it is before and after a whole CRC-32. */
const withNative = (update: narrow.Update, crc32: native.NativeCrc32): narrow.Update => (register, bytes) =>
  bytes.length < native.nativeFrom ? update(register, bytes) : ~crc32(bytes, ~register >>> 0)

const swapBytes = (c: number): number => c << 24 | (c & 0xff00) << 8 | c >>> 8 & 0xff00 | c >>> 24

/**
 * The engine of up to 32 bits: a class, so that one piece of machine code serves `compute` of all of them. A closure for
 * each step costs as much as 64 bytes do.
 */
class NarrowEngine implements Engine<number, number> {
  readonly init: number
  readonly update: narrow.Update
  private readonly model: Model
  private readonly order: "reflected" | "straight" | "mixed"
  private readonly shift: number
  private readonly xorout: number

  constructor(model: Model, update: narrow.Update) {
    const { refin, refout, widthBits, xorout } = model
    this.init = Number(BigInt.asIntN(32, toRegister(model, model.init)))
    this.update = update
    this.model = model
    this.order = refin !== refout ? "mixed" : refin ? "reflected" : "straight"
    this.shift = 32 - widthBits
    this.xorout = Number(xorout)
  }

  start(): number {
    return this.init
  }

  finish(register: number): number {
    switch (this.order) {
      case "reflected":
        return (register ^ this.xorout) >>> 0
      case "straight":
        return (swapBytes(register) >>> this.shift ^ this.xorout) >>> 0
      case "mixed":
        return Number(bitwise.finish(this.model, fromRegister(this.model, BigInt(register >>> 0))))
    }
  }

  compute(bytes: Uint8Array): number {
    return this.finish(this.update(this.init, bytes))
  }
}

/** The engine of up to 32 bits. Tests pass `undefined` for the native CRC-32 to get all in JavaScript. */
export const makeNarrow = (model: Model, crc32: native.NativeCrc32 | undefined): NarrowEngine => {
  const update = narrow.make(model)
  const isCrc32 = model.widthBits === 32 && model.refin && model.poly === 0x04c1_1db7n
  return new NarrowEngine(model, crc32 !== undefined && isCrc32 ? withNative(update, crc32) : update)
}

const scratch = new DataView(new ArrayBuffer(8))

const makeMiddle = (model: Model): Engine<wide.Halves, bigint> => {
  const { refin, refout, widthBits, xorout } = model
  const init = toRegister(model, model.init)
  const low = Number(BigInt.asIntN(32, init))
  const high = Number(BigInt.asIntN(32, init >> 32n))
  const shift = BigInt(64 - widthBits)
  const update = wide.make64(model)
  const toBigInt = (register: wide.Halves, isLittleEndian: boolean): bigint => {
    scratch.setInt32(0, register.low, true)
    scratch.setInt32(4, register.high, true)
    return scratch.getBigUint64(0, isLittleEndian)
  }
  return {
    start: () => ({ low, high }),
    update: (register, bytes) => {
      update(register, bytes)
      return register
    },
    finish: refin && refout
      ? (register) => toBigInt(register, true) ^ xorout
      : !refin && !refout
      ? (register) => toBigInt(register, false) >> shift ^ xorout
      : (register) => bitwise.finish(model, fromRegister(model, toBigInt(register, true)))
  }
}

const makeBeyond = (model: Model): Engine<bigint, bigint> => {
  const init = toRegister(model, model.init)
  return {
    start: () => init,
    update: wide.makeBeyond(model),
    finish: (register) => bitwise.finish(model, fromRegister(model, register))
  }
}

const running = <R, V extends Value>(engine: Engine<R, V>): Running<V> => {
  let register = engine.start()
  return {
    update: (bytes) => {
      register = engine.update(register, bytes)
    },
    finish: () => engine.finish(register)
  }
}

/** `compute` and `start`, with an engine that is made at the first use. */
const lazily = <R, V extends Value>(make: () => Engine<R, V>): Pick<Crc<V>, "compute" | "start"> => {
  let made: Engine<R, V> | undefined = undefined
  return {
    compute: (bytes) => {
      const engine = made ??= make()
      return engine.finish(engine.update(engine.start(), bytes))
    },
    start: () => running(made ??= make())
  }
}

const byteOrder = (parameters: Parameters): ByteOrder => parameters.refout ? "little" : "big"

let nativeCrc32: native.NativeCrc32 | undefined | "unknown" = "unknown"

const findNative = (): native.NativeCrc32 | undefined =>
  nativeCrc32 === "unknown" ? nativeCrc32 = native.find(globalThis) : nativeCrc32

/** A CRC of up to 32 bits; nothing is checked, nothing computed yet. */
export const defineNarrow = (parameters: Parameters<number>): Crc<number> => {
  let made: NarrowEngine | undefined = undefined
  const engine = (): NarrowEngine => made ??= makeNarrow(modelOf(parameters), findNative())
  return {
    ...parameters,
    byteOrder: byteOrder(parameters),
    compute: (bytes) => (made ?? engine()).compute(bytes),
    start: () => running(engine())
  }
}

/** A CRC of more than 32 bits; nothing is checked, nothing computed yet. */
export const defineWide = (parameters: Parameters<bigint>): Crc<bigint> => ({
  ...parameters,
  byteOrder: byteOrder(parameters),
  ...parameters.widthBits <= 64
    ? lazily(() => makeMiddle(modelOf(parameters)))
    : lazily(() => makeBeyond(modelOf(parameters)))
})
