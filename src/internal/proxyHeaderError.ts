/**
 * What is wrong with a PROXY header, and how its bytes are shown in an error.
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/**
 * Why bytes are no header, or why a header has no bytes.
 *
 * `NotProxy`: these bytes begin something else, so the peer is probably no proxy. `Malformed`: a header that breaks a
 * rule. `TooLarge`: longer than a line may be, or than `maxBytes`. `BadChecksum`: its CRC-32C does not hold.
 * `Truncated`: the peer ended too early. `Unsendable`: the version cannot say this.
 *
 * @category errors
 * @since 0.1.0
 */
export type ProxyHeaderReason = "NotProxy" | "Malformed" | "TooLarge" | "BadChecksum" | "Truncated" | "Unsendable"

/**
 * Bytes that are no PROXY header, or a header that cannot be sent.
 *
 * **Details**
 * - Shape: `rule` is what was expected, `value` what came instead, printable, and `section` where the specification
 *   says so.
 *
 * @category errors
 * @since 0.1.0
 */
export class ProxyHeaderError extends Data.TaggedError("ProxyHeaderError")<{
  readonly reason: ProxyHeaderReason
  readonly rule: string
  readonly value: string
  readonly section: string
}> {
  override readonly message =
    `PROXY header: ${this.rule}, got ${this.value} (PROXY protocol 2020/03/05, section ${this.section})`
}

/** Fails with a `ProxyHeaderError`. */
export const broken = (
  reason: ProxyHeaderReason,
  section: string,
  rule: string,
  value: string
): Result.Result<never, ProxyHeaderError> => Result.fail(new ProxyHeaderError({ reason, rule, value, section }))

/** Enough to recognise the protocol that came instead; the rest would only fill the log. */
const shownBytes = 48

const escapes: Record<number, string> = { 0x09: "\\t", 0x0a: "\\n", 0x0d: "\\r", 0x22: "\\\"", 0x5c: "\\\\" }

/** Bytes as a text in quotes: ASCII as it is, the rest as `\xNN`; the first 48 of them. */
export const printable = (bytes: Uint8Array): string => {
  let text = ""
  for (const byte of bytes.subarray(0, shownBytes)) {
    text += escapes[byte] ?? (byte >= 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : `\\x${byte.toString(16).padStart(2, "0")}`)
  }
  return bytes.length > shownBytes ? `"${text}"... (${bytes.length} bytes)` : `"${text}"`
}

/** A byte as the specification writes it. */
export const hexByte = (byte: number): string => `0x${byte.toString(16).padStart(2, "0")}`
