/**
 * One input of a fuzzer as data: bytes, where the network cuts them, and how the peer leaves. It is spelled as a token
 * that can be pasted into a test.
 *
 * ```
 * bytes 03 61 62 63, cut at 1, then a reset     "03 616263 !reset"
 * no byte at all                                "-"
 * ```
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Result from "effect/Result"

/**
 * What a peer does after its last byte.
 *
 * `end`: it ends its side and reads on. `reset`: it breaks the connection. `stay`: it says nothing more and never leaves.
 * `deaf`: as `stay`, but it has never read anything, and says it all many times.
 *
 * @category models
 * @since 0.1.0
 */
export type Ending = "end" | "reset" | "stay" | "deaf"

/** All endings, the plainest first. @category models @since 0.1.0 */
export const endings: ReadonlyArray<Ending> = ["end", "reset", "stay", "deaf"]

/**
 * One input.
 *
 * **Details**: `cuts` are positions in `bytes`, in order; one that comes twice makes an empty chunk.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly bytes: Uint8Array
  readonly cuts: ReadonlyArray<number>
  readonly ending: Ending
}

/** A text that is no token of an input. @category errors @since 0.1.0 */
export class FuzzTokenError extends Data.TaggedError("FuzzTokenError")<{
  readonly token: string
  readonly rule: string
}> {
  override readonly message = `token ${JSON.stringify(this.token)}: ${this.rule}`
}

/** The chunks of an input; each is a copy with a buffer of its own. @category conversions @since 0.1.0 */
export const chunksOf = (input: Input): ReadonlyArray<Uint8Array> =>
  [...input.cuts, input.bytes.length].map((to, i) => input.bytes.slice(input.cuts[i - 1] ?? 0, to))

/** Writes an input as `parse` reads it. @category formatting @since 0.1.0 */
export const format = (input: Input): string => {
  const words = chunksOf(input).map((chunk) => chunk.length === 0 ? "-" : hex(chunk))
  return [...words, ...input.ending === "end" ? [] : [`!${input.ending}`]].join(" ")
}

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")

/** Reads a token. @category decoding @since 0.1.0 */
export const parse = (token: string): Result.Result<Input, FuzzTokenError> => {
  const fail = (rule: string) => Result.fail(new FuzzTokenError({ token, rule }))
  const words = token.trim().split(/\s+/)
  const last = words.at(-1) ?? ""
  const ending = last.startsWith("!") ? endings.find((one) => last === `!${one}`) : "end"
  if (ending === undefined) return fail(`expected one of ${endings.map((one) => `!${one}`).join(" ")}, got ${last}`)
  if (last.startsWith("!")) words.pop()
  const bytes: Array<number> = []
  const cuts: Array<number> = []
  for (const word of words) {
    if (word !== "-" && !/^(?:[\da-f]{2})+$/i.test(word)) {
      return fail(
        `a chunk is an even number of hexadecimal digits, or - where it is empty, got ${JSON.stringify(word)}`
      )
    }
    for (const pair of word.matchAll(/[\da-f]{2}/gi)) bytes.push(Number.parseInt(pair[0], 16))
    cuts.push(bytes.length)
  }
  return Result.succeed({ bytes: Uint8Array.from(bytes), cuts: cuts.slice(0, -1), ending })
}
