/**
 * Parity: one bit more, so that the number of ones is even (or odd), across each character and down each column.
 *
 * Across, it is the vertical redundancy check (VRC) of serial lines; down, the longitudinal one (LRC). Each alone misses
 * two errors in one line. Together they find every one, two and three errors, say where a single one is, and miss four at
 * the corners of a rectangle. A table holds all of it as data; `format` draws it as textbooks do.
 *
 * ```
 * char  bits     parity
 * H     1001000  0
 * I     1001001  1
 * LRC   0000001  1
 * ```
 *
 * **Gotchas**: even parity makes the *whole* number of ones even: its bit is 1 where the count was odd.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/** What the number of ones becomes, the parity bit counted. @category models @since 0.1.0 */
export type Kind = "even" | "odd"

/** A character, its bits, and its parity bit. @category models @since 0.1.0 */
export interface Row {
  /** The character, or the byte in hexadecimal if it cannot be shown. */
  readonly character: string
  readonly bits: string
  readonly parity: "0" | "1"
}

/** A block of characters with parity across and down. @category models @since 0.1.0 */
export interface Table {
  readonly kind: Kind
  readonly rows: ReadonlyArray<Row>
  /** The parity of each column; its own parity bit is that of the column of parity bits. */
  readonly lrc: Row
}

/** What is wrong with a block that was received. @category models @since 0.1.0 */
export interface Verdict {
  readonly ok: boolean
  /** The lines whose parity is wrong, from 0; the last one is the LRC. */
  readonly rows: ReadonlyArray<number>
  /** The columns whose parity is wrong, from 0. */
  readonly columns: ReadonlyArray<number>
  /** Where the wrong bit is, if there is only one. */
  readonly single: { readonly row: number; readonly column: number } | undefined
}

/** Input without a parity table; `rule` says what was expected. @category errors @since 0.1.0 */
export class ParityError extends Data.TaggedError("ParityError")<{ readonly rule: string }> {
  override readonly message = this.rule
}

const fail = (rule: string): Result.Result<never, ParityError> => Result.fail(new ParityError({ rule }))

/** The parity bit of a text of bits. @category computing @since 0.1.0 */
export const bit = (bits: string, kind: Kind = "even"): "0" | "1" => {
  let ones = kind === "even" ? 0 : 1
  for (const each of bits) ones += each === "1" ? 1 : 0
  return ones % 2 === 0 ? "0" : "1"
}

/** The parity bit of a byte. @category computing @since 0.1.0 */
export const ofByte = (byte: number, kind: Kind = "even"): 0 | 1 => bit((byte & 0xff).toString(2), kind) === "1" ? 1 : 0

/** The parity of each column of lines of one length. @category computing @since 0.1.0 */
const columnBits = (lines: ReadonlyArray<string>, kind: Kind): string =>
  Array.from(lines[0] ?? "", (_, column) => bit(lines.map((line) => line.charAt(column)).join(""), kind)).join("")

/**
 * Makes the table of a text (as UTF-8) or of bytes.
 *
 * **Details**
 * - Shape: one row for each byte. The parity bit of the LRC row is the parity of the column above it.
 * - Errors: nothing to check; with 7 bits, a byte above 127.
 *
 * **Example** (What a textbook draws)
 *
 * ```ts
 * import { Parity } from "hawser"
 * import { Result } from "effect"
 *
 * const table = Result.getOrThrow(Parity.table("HI", { bits: 7 }))
 * console.log(Parity.format(table))
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const table = (
  input: string | Uint8Array,
  options?: {
    /** @default "even" */
    readonly kind?: Kind | undefined
    /** @default 8 */
    readonly bits?: 7 | 8 | undefined
  }
): Result.Result<Table, ParityError> => {
  const kind = options?.kind ?? "even"
  const size = options?.bits ?? 8
  const bytes = typeof input === "string" ? new TextEncoder().encode(input) : input
  if (bytes.length === 0) return fail("there must be at least one character")
  const high = bytes.find((byte) => size === 7 && byte > 0x7f)
  if (high !== undefined) return fail(`7 bits hold bytes up to 0x7f, got 0x${high.toString(16)}; take 8`)
  const rows = Array.from(bytes, (byte): Row => {
    const bits = byte.toString(2).padStart(size, "0")
    const character = byte > 0x20 && byte < 0x7f
      ? String.fromCharCode(byte)
      : `0x${byte.toString(16).padStart(2, "0")}`
    return { character, bits, parity: bit(bits, kind) }
  })
  const bits = columnBits(rows.map((row) => row.bits), kind)
  const parity = bit(rows.map((row) => row.parity).join(""), kind)
  return Result.succeed({ kind, rows, lrc: { character: "LRC", bits, parity } })
}

/** What is sent: the lines with their parity bits, the LRC last. @category converting @since 0.1.0 */
export const toBlock = ({ lrc, rows }: Table): ReadonlyArray<string> =>
  [...rows, lrc].map(({ bits, parity }) => bits + parity)

/**
 * Checks a block that was received: lines of bits that end with their parity, the LRC last.
 *
 * **Details**
 * - Shape: the parity of the LRC's own line is not looked at: with an odd `kind` it need not agree with its column.
 * - Errors: no line, a line of another length than the first, a character that is no bit.
 *
 * @category checking
 * @since 0.1.0
 */
export const check = (block: ReadonlyArray<string>, kind: Kind = "even"): Result.Result<Verdict, ParityError> => {
  const width = block[0]?.length ?? 0
  if (block.length < 2 || width < 2) return fail("a block has at least one line of bits and parity, and the LRC")
  const bad = block.find((line) => line.length !== width || /[^01]/.test(line))
  if (bad !== undefined) return fail(`each line must have ${width} bits, got ${JSON.stringify(bad)}`)
  const wrong = (lines: ReadonlyArray<string>): ReadonlyArray<number> =>
    lines.flatMap((line, i) => bit(line, kind) === "1" ? [i] : [])
  const columns = wrong(Array.from({ length: width }, (_, column) => block.map((line) => line.charAt(column)).join("")))
  const rows = wrong(block.slice(0, -1))
  const [column] = columns
  const row = rows.length === 0 ? block.length - 1 : rows[0]
  const single = columns.length === 1 && rows.length <= 1 && column !== undefined && row !== undefined
    ? { row, column }
    : undefined
  return Result.succeed({ ok: rows.length === 0 && columns.length === 0, rows, columns, single })
}

/** Draws a table: a line for each character, the LRC last. @category formatting @since 0.1.0 */
export const format = ({ lrc, rows }: Table): string => {
  const lines: ReadonlyArray<Row | { readonly character: string; readonly bits: string; readonly parity: string }> = [
    { character: "char", bits: "bits", parity: "parity" },
    ...rows,
    lrc
  ]
  const width = Math.max(lrc.bits.length, "bits".length)
  return lines
    .map(({ bits, character, parity }) => `${character.padEnd(4)}  ${bits.padEnd(width)}  ${parity}`)
    .join("\n")
}
