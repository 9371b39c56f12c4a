/**
 * Framings as they are named at the command line.
 *
 * ```
 * lines              lines that end with LF or CR LF; LF is sent
 * lines:lf           lines that end with LF only; also lines:crlf and lines:any
 * chunks             whatever one read returned, the tutorial's recv()
 * fixed:16           frames of 16 bytes
 * length:2           a length of 2 bytes in front (1, 2, 3, 4 or 8), big-endian; length:2le is little-endian
 * delimited:TEXT     frames that end with TEXT, in which \n \r \t \0 \\ and \x1f are read as in many languages
 * ```
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as Codec from "../Codec.ts"
import * as Framing from "../Framing.ts"
import * as Units from "./Units.ts"

/** A framing that was chosen. @category models @since 0.1.0 */
export interface Choice {
  readonly codec: Codec.Codec<Uint8Array>
  /** In a few words, for people. */
  readonly name: string
  /** Whether a boundary is only a guess, so that one message must be answered before the next is sent. */
  readonly guesses: boolean
  /** Whether frames end with a mark, so that they are better made of text than of any bytes. */
  readonly isText: boolean
}

/** What a framing must be, for messages. @category constants @since 0.1.0 */
export const rule = "lines, chunks, fixed:BYTES, length:WIDTH or delimited:TEXT"

/** Reads the name of a framing; the failure says what it must be. @category parsing @since 0.1.0 */
export const parse = (text: string, maxFrameBytes: number): Result.Result<Choice, string> => {
  const [kind = "", ...rest] = text.split(":")
  const argument = text.includes(":") ? rest.join(":") : undefined
  const upTo = `of at most ${Units.formatSize(maxFrameBytes)}`
  switch (kind) {
    case "lines": {
      const ending = argument ?? "any"
      if (ending !== "lf" && ending !== "crlf" && ending !== "any") return Result.fail("lines, lines:lf or lines:crlf")
      return choice(`lines ${upTo}`, () => Framing.lines({ maxFrameBytes, ending, unterminated: "emit" }))
    }
    case "chunks":
      if (argument !== undefined) return Result.fail("chunks, with the size in --max-frame")
      return choice(`chunks ${upTo}`, () => Framing.chunks({ maxFrameBytes }))
    case "fixed": {
      const frameBytes = Units.parseSize(argument ?? "")
      if (Result.isFailure(frameBytes)) return Result.fail(`fixed:BYTES, where BYTES is ${frameBytes.failure}`)
      return choice(
        `frames of ${Units.formatSize(frameBytes.success)}`,
        () => Framing.fixed({ frameBytes: frameBytes.success })
      )
    }
    case "length": {
      const [, width, order] = /^([12348])(|be|le)$/.exec(argument ?? "4") ?? []
      if (width === undefined) return Result.fail(lengthRule)
      return choice(`length-prefixed frames ${upTo}`, () =>
        Framing.lengthPrefixed({
          maxFrameBytes,
          widthBytes: Number(width) as 1 | 2 | 3 | 4 | 8, // the pattern allows no other
          endianness: order === "le" ? "little" : "big"
        }))
    }
    case "delimited": {
      const delimiter = unescape(argument ?? "")
      if (delimiter === undefined || delimiter.length === 0) return Result.fail(delimitedRule)
      return choice(
        `frames ${upTo} that end with ${argument}`,
        () => Framing.delimited({ delimiter, maxFrameBytes, unterminated: "emit" })
      )
    }
    default:
      return Result.fail(rule)
  }
}

const lengthRule = "length:WIDTH, where WIDTH is 1, 2, 3, 4 or 8 bytes, as in length:2 or length:2le"

const delimitedRule = String.raw`delimited:TEXT, where TEXT is not empty and escapes are \n \r \t \0 \\ and \x1f`

const choice = (name: string, codec: () => Codec.Codec<Uint8Array>): Result.Result<Choice, string> =>
  Result.try({
    try: () => ({
      codec: codec(),
      name,
      guesses: name.startsWith("chunks "),
      isText: /^lines | that end with /.test(name)
    }),
    catch: (error) => error instanceof Framing.FramingOptionsError ? `one whose ${error.message}` : rule
  })

const escapes: Readonly<Record<string, number>> = { n: 10, r: 13, t: 9, 0: 0, "\\": 92 }

/** The bytes that a text stands for; nothing when it has an escape that is not known. */
const unescape = (text: string): Uint8Array | undefined => {
  const bytes: Array<number> = []
  for (const [piece, escape] of text.matchAll(/\\(x[0-9a-fA-F]{2}|.?)|[^\\]+/gs)) {
    if (escape === undefined) {
      bytes.push(...new TextEncoder().encode(piece))
    } else {
      const byte = escape.length === 3 ? Number.parseInt(escape.slice(1), 16) : escapes[escape]
      if (byte === undefined) return undefined
      bytes.push(byte)
    }
  }
  return Uint8Array.from(bytes)
}
