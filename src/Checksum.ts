/**
 * A short number computed from bytes, so that the receiver can tell whether they arrived as they were sent.
 *
 * Here is what every checksum is, and the simple ones; `Crc` and `CrcCatalogue` have the better ones. A checksum is a
 * pure value without state of its own: `compute` takes all bytes at once, `start` gives a `Running` that takes them in
 * pieces and belongs to whoever started it.
 *
 * ```
 * bytes -- compute --> value (number up to 32 bits, bigint above)
 * bytes -- append ---> [bytes][value as bytes, in the byte order of the checksum]
 * ```
 *
 * **Gotchas**: a checksum finds accidents, not attacks: anybody can compute the right one for changed bytes. Sums and XOR
 * miss much that a CRC of the same width finds, such as bytes that changed places.
 *
 * Laws: `ChecksumLaws` in `hawser/testing`.
 *
 * @since 0.1.0
 */

/** The number that a checksum gives: `number` up to 32 bits, `bigint` above. @category models @since 0.1.0 */
export type Value = number | bigint

/** Which byte of a number comes first. @category models @since 0.1.0 */
export type ByteOrder = "big" | "little"

/**
 * A checksum in the middle of its bytes.
 *
 * **Details**
 * - Shape: `update` takes the next bytes and does not keep them. `finish` gives the value of all bytes so far and changes
 *   nothing, so more bytes may follow.
 *
 * @category models
 * @since 0.1.0
 */
export interface Running<out V extends Value = Value> {
  readonly update: (bytes: Uint8Array) => void
  readonly finish: () => V
}

/**
 * What any checksum is. `byteOrder` is the customary one on the wire; protocols deviate, so functions take another.
 *
 * **Example** (In pieces)
 *
 * ```ts
 * import { Checksum } from "hawser"
 *
 * const running = Checksum.adler32.start()
 * running.update(new TextEncoder().encode("Wiki"))
 * running.update(new TextEncoder().encode("pedia"))
 * console.log(Checksum.format(Checksum.adler32, running.finish())) // 0x11e60398
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Checksum<out V extends Value = Value> {
  readonly name: string
  readonly widthBits: number
  readonly byteOrder: ByteOrder
  readonly compute: (bytes: Uint8Array) => V
  readonly start: () => Running<V>
}

/** How many bytes a value takes: the width, rounded up. @category getters @since 0.1.0 */
export const widthBytes = (self: Checksum): number => Math.ceil(self.widthBits / 8)

/** Says whether bytes have a checksum; the value may be a number or a bigint. @category checking @since 0.1.0 */
export const verify = (self: Checksum, bytes: Uint8Array, value: Value): boolean => same(self.compute(bytes), value)

/** Writes a value as bytes. @category converting @since 0.1.0 */
export const toBytes = (self: Checksum, value: Value, byteOrder: ByteOrder = self.byteOrder): Uint8Array => {
  const bytes = new Uint8Array(widthBytes(self))
  let rest = BigInt(value)
  for (let at = bytes.length - 1; at >= 0; at--) {
    bytes[at] = Number(rest & 0xffn)
    rest >>= 8n
  }
  return byteOrder === "big" ? bytes : bytes.reverse()
}

/** Reads a value from its bytes: a number up to 32 bits, a bigint above. @category converting @since 0.1.0 */
export const fromBytes = (self: Checksum, bytes: Uint8Array, byteOrder: ByteOrder = self.byteOrder): Value => {
  let value = 0n
  for (const byte of byteOrder === "big" ? bytes : bytes.toReversed()) {
    value = value << 8n | BigInt(byte)
  }
  return self.widthBits <= 32 ? Number(value) : value
}

/** The bytes with their checksum after them. @category checking @since 0.1.0 */
export const append = (self: Checksum, bytes: Uint8Array, byteOrder: ByteOrder = self.byteOrder): Uint8Array => {
  const codeword = new Uint8Array(bytes.length + widthBytes(self))
  codeword.set(bytes)
  codeword.set(toBytes(self, self.compute(bytes), byteOrder), bytes.length)
  return codeword
}

/** Says whether bytes end with the checksum of those before it. @category checking @since 0.1.0 */
export const verifyAppended = (
  self: Checksum,
  codeword: Uint8Array,
  byteOrder: ByteOrder = self.byteOrder
): boolean => {
  const split = codeword.length - widthBytes(self)
  return split >= 0 &&
    verify(self, codeword.subarray(0, split), fromBytes(self, codeword.subarray(split), byteOrder))
}

/**
 * Writes a value as people compare it: `0x0000cbf4` in hexadecimal, as wide as the checksum; `bin` is as wide too.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (self: Checksum, value: Value, base: "hex" | "dec" | "bin" = "hex"): string => {
  switch (base) {
    case "hex":
      return `0x${value.toString(16).padStart(Math.ceil(self.widthBits / 4), "0")}`
    case "dec":
      return value.toString()
    case "bin":
      return `0b${value.toString(2).padStart(self.widthBits, "0")}`
  }
}

/**
 * Makes a checksum whose state is one number.
 *
 * **When to use**: for the sum that a device's manual describes in a sentence.
 *
 * **Example** (The sum of all bytes and 42)
 *
 * ```ts
 * import { Checksum } from "hawser"
 *
 * const salted = Checksum.fold({
 *   name: "salted",
 *   widthBits: 8,
 *   initial: 42,
 *   step: (sum, byte) => (sum + byte) & 0xff
 * })
 * console.log(salted.compute(Uint8Array.of(1, 2, 255))) // 44
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fold = (options: {
  readonly name: string
  readonly widthBits: number
  readonly initial: number
  readonly step: (state: number, byte: number) => number
  /** The value from the last state. @default the state itself */
  readonly finish?: ((state: number) => number) | undefined
  /** @default "big" */
  readonly byteOrder?: ByteOrder | undefined
}): Checksum<number> => {
  const { initial, step } = options
  const finish = options.finish ?? ((state: number) => state)
  const all = (state: number, bytes: Uint8Array): number => {
    for (let at = 0; at < bytes.length; at++) {
      state = step(state, bytes[at]!)
    }
    return state
  }
  return {
    name: options.name,
    widthBits: options.widthBits,
    byteOrder: options.byteOrder ?? "big",
    compute: (bytes) => finish(all(initial, bytes)),
    start: () => {
      let state = initial
      return {
        update: (bytes) => {
          state = all(state, bytes)
        },
        finish: () => finish(state)
      }
    }
  }
}

/**
 * All bytes XORed: the `*hh` of NMEA 0183 (over what stands between `$` and `*`), and the longitudinal redundancy check
 * (LRC, BCC) of ISO 1155.
 *
 * @category checksums
 * @since 0.1.0
 */
export const xor8: Checksum<number> = /* @__PURE__ */ fold({
  name: "XOR-8",
  widthBits: 8,
  initial: 0,
  step: (state, byte) => state ^ byte
})

/** The sum of all bytes modulo 256: tag 10 of FIX (Volume 1, "CheckSum"). @category checksums @since 0.1.0 */
export const sum8: Checksum<number> = /* @__PURE__ */ fold({
  name: "SUM-8",
  widthBits: 8,
  initial: 0,
  step: (state, byte) => (state + byte) & 0xff
})

/**
 * The byte that makes the sum of all bytes 0 modulo 256: the LRC of Modbus ASCII (Modbus over Serial Line V1.02, section
 * 2.5.2.2) and the check of Intel HEX.
 *
 * @category checksums
 * @since 0.1.0
 */
export const sum8Negated: Checksum<number> = /* @__PURE__ */ fold({
  name: "SUM-8/NEGATED",
  widthBits: 8,
  initial: 0,
  step: (state, byte) => (state - byte) & 0xff
})

/**
 * Two sums modulo 255, the second of the first: Fletcher, IEEE Transactions on Communications 30 (1982). A byte of 0x00
 * counts as much as one of 0xff.
 *
 * @category checksums
 * @since 0.1.0
 */
export const fletcher16: Checksum<number> = /* @__PURE__ */ fold({
  name: "Fletcher-16",
  widthBits: 16,
  initial: 0,
  step: (state, byte) => {
    const low = ((state & 0xff) + byte) % 255
    return ((state >>> 8) + low) % 255 << 8 | low
  }
})

/** The state of Fletcher-32: the two sums, and the first byte of a word whose second one has not come. */
class Fletcher32 implements Running<number> {
  private low = 0
  private high = 0
  private half = -1

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at]!
      if (this.half < 0) {
        this.half = byte
      } else {
        this.low = (this.low + (this.half | byte << 8)) % 0xffff
        this.high = (this.high + this.low) % 0xffff
        this.half = -1
      }
    }
  }

  finish(): number {
    const low = (this.low + Math.max(0, this.half)) % 0xffff
    const high = this.half < 0 ? this.high : (this.high + low) % 0xffff
    return high * 0x1_0000 + low
  }
}

/** Two sums modulo 65535 of little-endian words; a last byte alone is a word. @category checksums @since 0.1.0 */
export const fletcher32: Checksum<number> = {
  name: "Fletcher-32",
  widthBits: 32,
  byteOrder: "big",
  compute: (bytes) => {
    const running = new Fletcher32()
    running.update(bytes)
    return running.finish()
  },
  start: () => new Fletcher32()
}

/** Two sums modulo 65521: the check of zlib (RFC 1950, section 2.2). @category checksums @since 0.1.0 */
export const adler32: Checksum<number> = /* @__PURE__ */ fold({
  name: "Adler-32",
  widthBits: 32,
  initial: 1,
  step: (state, byte) => {
    const low = ((state & 0xffff) + byte) % 65_521
    return (((state >>> 16) + low) % 65_521 << 16 | low) >>> 0
  }
})

const same = (a: Value, b: Value): boolean => typeof a === typeof b ? a === b : BigInt(a) === BigInt(b)
