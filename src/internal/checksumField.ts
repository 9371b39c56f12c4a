/**
 * The field of a frame that holds a checksum: as bytes, or as digits.
 *
 * ```
 * binary    cb f4        hex    C B F 4        decimal    5 2 2 1 2
 * ```
 *
 * @since 0.1.0
 */
import * as Checksum from "../Checksum.ts"

/** Reads and writes a value at a place in a frame. */
export interface Field {
  readonly bytes: number
  /** The value, or nothing when what stands there is none. */
  readonly read: (frame: Uint8Array, at: number) => Checksum.Value | undefined
  readonly write: (value: Checksum.Value, frame: Uint8Array, at: number) => void
}

/** Bytes; arithmetic up to 32 bits, bigints above. */
export const binary = (checksum: Checksum.Checksum, byteOrder: Checksum.ByteOrder): Field => {
  const bytes = Checksum.widthBytes(checksum)
  const first = byteOrder === "big" ? 0 : bytes - 1
  const step = byteOrder === "big" ? 1 : -1
  return {
    bytes,
    read: checksum.widthBits > 32
      ? (frame, at) => Checksum.fromBytes(checksum, frame.subarray(at, at + bytes), byteOrder)
      : (frame, at) => {
        let value = 0
        for (let i = 0; i < bytes; i++) {
          value = value * 256 + frame[at + first + i * step]!
        }
        return value
      },
    write: (value, frame, at) => {
      if (typeof value !== "number") return frame.set(Checksum.toBytes(checksum, value, byteOrder), at)
      for (let i = bytes - 1, rest = value; i >= 0; i--) {
        frame[at + first + i * step] = rest // the array keeps the lowest byte
        rest = Math.floor(rest / 256)
      }
    }
  }
}

/** Digits, as many as the largest value has. Hexadecimal ones are written in capitals and read in any case. */
export const digits = (checksum: Checksum.Checksum, base: "hex" | "decimal"): Field => {
  const radix = base === "hex" ? 16 : 10
  const bytes = ((1n << BigInt(checksum.widthBits)) - 1n).toString(radix).length
  const pattern = base === "hex" ? /^[0-9a-f]+$/i : /^[0-9]+$/
  return {
    bytes,
    read: (frame, at) => {
      const text = String.fromCharCode(...frame.subarray(at, at + bytes))
      if (!pattern.test(text)) return undefined
      return checksum.widthBits <= 32 ? Number.parseInt(text, radix) : BigInt(base === "hex" ? `0x${text}` : text)
    },
    write: (value, frame, at) => {
      const text = value.toString(radix).toUpperCase().padStart(bytes, "0")
      for (let i = 0; i < bytes; i++) {
        frame[at + i] = text.charCodeAt(i)
      }
    }
  }
}
