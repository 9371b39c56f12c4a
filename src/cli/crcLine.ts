/**
 * A line of a list of checksums.
 *
 * ```
 * 0xcbf43926  CRC-32/ISO-HDLC  name       what is written
 * 0xcbf43926  name                        what is read too, if the algorithm is known otherwise
 * \0xcbf43926  CRC-32/ISO-HDLC  a\nb      a name with a line break: escaped, as by sha256sum
 * ```
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as CrcParse from "./crcParse.ts"

/** What a line says. @category models @since 0.1.0 */
export interface Entry {
  readonly value: bigint
  /** The second word, which is the algorithm or the beginning of the name. */
  readonly algorithm: string | undefined
  /** What follows the second word. */
  readonly name: string
  /** What follows the value. */
  readonly wholeName: string
}

const escapes: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\\": "\\\\" }
const unescapes: Readonly<Record<string, string>> = { "\\n": "\n", "\\r": "\r", "\\\\": "\\" }

/** A name in one line: escaped, behind a backslash that says so. @category formatting @since 0.1.0 */
export const escape = (name: string): string => {
  const escaped = name.replaceAll(/[\n\r\\]/g, (character) => escapes[character]!)
  return `${escaped === name ? "" : "\\"}${escaped}`
}

/** Writes a line, without its end. @category formatting @since 0.1.0 */
export const format = (value: string, algorithm: string, name: string): string => {
  const escaped = escape(name)
  return escaped === name ? `${value}  ${algorithm}  ${name}` : `\\${value}  ${algorithm}  ${escaped.slice(1)}`
}

/** Reads a line; nothing if it is none. @category parsing @since 0.1.0 */
export const parse = (line: string): Entry | undefined => {
  const escaped = line.startsWith("\\")
  const [, digits = "", rest = ""] = /^(\S+) [ *](.+)$/.exec(escaped ? line.slice(1) : line) ?? []
  const value = Result.getOrUndefined(CrcParse.number(digits))
  if (value === undefined) return undefined
  const nameOf = (text: string) => escaped ? text.replaceAll(/\\[nr\\]/g, (sequence) => unescapes[sequence]!) : text
  const [, algorithm, name = ""] = /^(\S+) {2}(.+)$/.exec(rest) ?? []
  return { value, algorithm, name: nameOf(name), wholeName: nameOf(rest) }
}
