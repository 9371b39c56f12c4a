/**
 * Ways to keep a delimiter out of the content: an escape byte and a substitute, or COBS.
 *
 * ```
 * content            01 db c0 02              01 02 00 03
 * SLIP (RFC 1055)    01 db dd db dc 02 | c0
 * COBS                                        03 01 02 02 03 | 00     each 00 becomes the distance to the next
 * ```
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"

/** How content becomes bytes without the delimiter, and back. */
export interface Code {
  readonly delimiter: number
  /** The most that content of this size can take. */
  readonly mostBytes: (contentBytes: number) => number
  readonly encode: (content: Uint8Array) => Uint8Array
  /** The content of what stood between two delimiters, or the reason why there is none. */
  readonly decode: (bytes: Uint8Array) => Result.Result<Uint8Array, string>
}

const hex = (byte: number): string => byte.toString(16).padStart(2, "0")

/** Escapes with substitutes. `toSubstitute` and `fromSubstitute` have -1 where there is none. */
export const substitution = (
  delimiter: number,
  escape: number,
  toSubstitute: Int16Array,
  fromSubstitute: Int16Array
): Code => ({
  delimiter,
  mostBytes: (contentBytes) => contentBytes * 2,
  encode: (content) => {
    let extra = 0
    for (let i = 0; i < content.length; i++) {
      if (toSubstitute[content[i]!]! >= 0) extra += 1
    }
    if (extra === 0) return content
    const bytes = new Uint8Array(content.length + extra)
    for (let i = 0, at = 0; i < content.length; i++) {
      const substitute = toSubstitute[content[i]!]!
      if (substitute >= 0) bytes[at++] = escape
      bytes[at++] = substitute >= 0 ? substitute : content[i]!
    }
    return bytes
  },
  decode: (bytes) => {
    let next = bytes.indexOf(escape)
    if (next === -1) return Result.succeed(bytes)
    const content = new Uint8Array(bytes.length - 1)
    let size = 0
    let at = 0
    while (next !== -1) {
      content.set(bytes.subarray(at, next), size)
      size += next - at
      if (next + 1 === bytes.length) return Result.fail(`frame ends within an escape`)
      const original = fromSubstitute[bytes[next + 1]!]!
      if (original < 0) return Result.fail(`escape ${hex(escape)} ${hex(bytes[next + 1]!)} is not one`)
      content[size++] = original
      at = next + 2
      next = bytes.indexOf(escape, at)
    }
    content.set(bytes.subarray(at), size)
    return Result.succeed(content.subarray(0, size + bytes.length - at))
  }
})

/** Consistent Overhead Byte Stuffing: Cheshire and Baker, IEEE/ACM Transactions on Networking 7 (1999). */
export const cobs: Code = {
  delimiter: 0,
  mostBytes: (contentBytes) => contentBytes + Math.floor(contentBytes / 254) + 1,
  encode: (content) => {
    const bytes = new Uint8Array(cobs.mostBytes(content.length))
    let codeAt = 0
    let at = 1
    for (let i = 0; i < content.length; i++) {
      const byte = content[i]!
      if (byte !== 0) bytes[at++] = byte
      if (byte === 0 || (at - codeAt === 255 && i + 1 < content.length)) {
        bytes[codeAt] = at - codeAt
        codeAt = at++
      }
    }
    bytes[codeAt] = at - codeAt
    return bytes.subarray(0, at)
  },
  decode: (bytes) => {
    if (bytes.length === 0) return Result.fail("frame without a byte is no COBS, in which an empty message has one")
    const content = new Uint8Array(bytes.length - 1)
    let size = 0
    for (let at = 0; at < bytes.length;) {
      const code = bytes[at]!
      const end = at + code
      if (end > bytes.length) {
        return Result.fail(`COBS code of ${code} at byte ${at} points beyond the frame of ${bytes.length} bytes`)
      }
      content.set(bytes.subarray(at + 1, end), size)
      size += code - 1
      // The zero after the last block is the delimiter; blocks of 255 have none. The array is zero already.
      if (code < 255 && end < bytes.length) size += 1
      at = end
    }
    return Result.succeed(content.subarray(0, size))
  }
}
