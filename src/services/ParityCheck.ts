/**
 * Parity across and down, VRC and LRC, both ways: a text becomes its block of bits, and a block is checked.
 *
 * ```
 * HI                            -->
 *                               <-- 010010000 010010011 000000011        8 bits and the parity of each byte, the LRC last
 * 010010000 010110011 000000011 -->
 *                               <-- Error in data: row 2, column 4
 * ```
 *
 * **Gotchas**: what looks like a block, nothing but `0`, `1` and spaces between at least two groups, is taken for one.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import * as Codec from "../Codec.ts"
import * as Framing from "../Framing.ts"
import * as Parity from "../Parity.ts"
import * as Protocol from "../Protocol.ts"
import * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import * as Goodbye from "./Goodbye.ts"

/** How to serve it. @category options @since 0.1.0 */
export interface Options extends Server.Options {
  /** @default lines of at most 64 KiB */
  readonly framing?: Codec.Codec<Uint8Array> | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  framing: Framing.lines({ maxFrameBytes: 65_536, ending: "any", unterminated: "emit" })
} as const

const places = (what: string, numbers: ReadonlyArray<number>): ReadonlyArray<string> =>
  numbers.length === 0 ? [] : [`${what}${numbers.length > 1 ? "s" : ""} ${numbers.map((n) => n + 1).join(" and ")}`]

/** What the service answers: the block of a text, or what it found in a block. @category combinators @since 0.1.0 */
export const answer = (text: string): string => {
  const result = /^[01]+(?: +[01]+)+ *$/.test(text)
    ? Result.map(Parity.check(text.trim().split(/ +/)), ({ columns, ok, rows, single }) =>
      ok
        ? "No error found"
        : `Error in data: ${
          (single === undefined
            ? [...places("row", rows), ...places("column", columns)]
            : [...places("row", [single.row]), ...places("column", [single.column])]).join(", ")
        }`)
    : Result.map(Parity.table(text), (table) => Parity.toBlock(table).join(" "))
  return Result.getOrElse(result, ({ rule }) => `Error: ${rule}`)
}

/**
 * The conversation: each request is a text or a block, and its response the other or a verdict.
 *
 * **Gotchas**: over `Framing.chunks`, two requests at once may be read as one: give it `depth: 1`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const protocol = (
  framing: Codec.Codec<Uint8Array> = defaults.framing,
  options: Pick<Protocol.Options<string, string, never>, "depth"> = {}
): Protocol.Protocol<string, string> => {
  const text = Codec.text(framing)
  return Protocol.make("parity", {
    ...options,
    request: text,
    response: text,
    goodbye: Goodbye.text(text)
  })
}

/** A server of parity. @category layers @since 0.1.0 */
export const layer = (
  endpoints: Server.Endpoints,
  options: Options = {}
): Layer.Layer<Server.Server, Server.StartError, Transport.Transport> =>
  Server.layer(protocol(options.framing), endpoints, (text) => Effect.succeed(answer(text)), options)
