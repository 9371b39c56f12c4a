/**
 * `hawser crc encode` and `hawser crc verify --key`: the textbook's division of bits, with every step if asked for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as BitString from "../BitString.ts"
import type * as CrcCommands from "./crcCommands.ts"
import * as CrcParse from "./crcParse.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Style from "./Style.ts"

/** A failure of `BitString`, with the name of what was typed. */
const orFail = <A>(
  what: string,
  result: Result.Result<A, BitString.BitStringError>
): Effect.Effect<A, Failure.Failure> =>
  Effect.mapError(
    Effect.fromResult(result),
    ({ input, rule }) => Failure.local(`${what} ${JSON.stringify(input)}: ${rule}`)
  )

/** A key is refused before the bits, which cannot be told from it in the error. */
const checkKey = (key: string) => orFail("--key", BitString.encode("1", key))

const print = (lines: ReadonlyArray<string>) => Output.write(Stream.succeed(lines.map((line) => `${line}\n`).join("")))

const stepsOf = ({ quotient, steps }: BitString.Division) => ({ quotient, steps })

const bitsOf = Effect.fnUntraced(function*({ bits, size, text }: CrcCommands.Encode) {
  if (Option.isSome(bits)) {
    if (Option.isSome(text)) return yield* Failure.local("--text and the BITS exclude each other", "give one of them")
    if (Option.isSome(size)) return yield* Failure.local("--bits needs --text")
    return yield* orFail("the BITS", BitString.fromString(bits.value))
  }
  if (Option.isNone(text)) return yield* Failure.local("the BITS are missing", "give them, or a --text")
  const given = Option.getOrElse(size, () => "7" as const)
  return yield* orFail("--text", BitString.fromText(text.value, given === "unpadded" ? given : given === "7" ? 7 : 8))
})

/** Prints the codeword. @category running @since 0.1.0 */
export const encode = Effect.fnUntraced(function*(input: CrcCommands.Encode) {
  const { json, key, steps } = input
  yield* checkKey(key)
  const bits = yield* bitsOf(input)
  const { codeword, data, division, remainder } = yield* orFail("the BITS", BitString.encode(bits, key))
  if (json) {
    return yield* print([JSON.stringify({ data, key, remainder, codeword, ...steps ? stepsOf(division) : {} })])
  }
  const { faint, strong } = yield* Style.current
  yield* print(
    steps
      ? [
        BitString.format(division),
        "",
        `${faint("data     ")}  ${data}`,
        `${faint("remainder")}  ${remainder}`,
        `${faint("codeword ")}  ${data}${strong(remainder)}`
      ]
      : [codeword]
  )
})

/** Says whether a codeword divides by a key. @category running @since 0.1.0 */
export const verify = Effect.fnUntraced(function*(input: CrcCommands.Verify, key: string) {
  const { algorithm, json, steps } = input
  const { hex, init, poly, refin, refout, text, value, width, xorout } = input
  const other = CrcParse.firstGiven({ value, text, hex, width, poly, init, refin, refout, xorout })
  if (other !== undefined) {
    return yield* Failure.local(`--key and --${other} exclude each other`, "--key verifies a codeword given in bits")
  }
  if (Option.isNone(algorithm)) return yield* Failure.local("the BITS are missing", "give the codeword before --key")
  if (input.file.length > 0) {
    return yield* Failure.local(
      `there is nothing to do with ${JSON.stringify(input.file[0])}`,
      "--key takes one codeword"
    )
  }
  yield* checkKey(key)
  const codeword = algorithm.value
  const { data, division, ok, remainder } = yield* orFail("the BITS", BitString.check(codeword, key))
  const { bad, good } = yield* Style.current
  const verdict = `${ok ? good("no error found") : bad("error found")}, remainder ${remainder}`
  const lines = json
    ? [JSON.stringify({ codeword, key, data, remainder, ok, ...steps ? stepsOf(division) : {} })]
    : steps
    ? [BitString.format(division), "", verdict]
    : [verdict]
  yield* print(lines)
  if (!ok) {
    return yield* new Failure.Failure({ exitCode: 3, message: `the codeword does not divide by ${key}` })
  }
})
