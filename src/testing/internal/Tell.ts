/**
 * Texts for messages: what was thrown, and what a terminal can show.
 *
 * @since 0.1.0
 */
import * as Formatter from "effect/Formatter"

/**
 * An error as a text: name and message, or the value itself where it is plain data, whose `String` says nothing.
 *
 * @category formatting
 * @since 0.1.0
 */
export const tell = (error: unknown): string =>
  typeof error === "string" || error instanceof Error ? String(error) : Formatter.format(error)

/**
 * A text whose invisible characters are escaped, as `\u{1b}`; line feeds stay.
 *
 * Input of a fuzzer comes back in error messages. It must not move the cursor of whoever reads them, nor hide anything.
 *
 * @category formatting
 * @since 0.1.0
 */
export const printable = (text: string): string =>
  text.replaceAll(/[^\P{C}\n]/gu, (character) => `\\u{${character.codePointAt(0)!.toString(16)}}`)
