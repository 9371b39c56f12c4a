/**
 * Numbers and bytes as people write them at a command line; a failure is the rule. And which flags were given.
 *
 * @since 0.1.0
 */
import * as Option from "effect/Option"
import * as Result from "effect/Result"

const numberRule = "a number such as 0x1021, 0b1001 or 4129"

/** Reads a number of any size. @category parsing @since 0.1.0 */
export const number = (text: string): Result.Result<bigint, string> =>
  /^(?:0x[0-9a-f]+|0b[01]+|\d+)$/i.test(text)
    ? Result.succeed(BigInt(text))
    // Digits of a checksum that somebody copied from elsewhere: whether they are hexadecimal cannot be guessed.
    : Result.fail(/^[0-9a-f]+$/i.test(text) ? `${numberRule}; hexadecimal digits begin with 0x` : numberRule)

const hexRule = "bytes of two hexadecimal digits each, such as 48656c6c6f or 48:65:6c:6c:6f"

/** Reads bytes; spaces, colons and dashes may stand between them, and 0x in front. @category parsing @since 0.1.0 */
export const hex = (text: string): Result.Result<Uint8Array, string> => {
  const groups = text.replace(/^0x/i, "").split(/[\s:-]+/)
  return groups.every((group) => /^(?:[\da-f]{2})*$/i.test(group))
    ? Result.succeed(Uint8Array.from(groups.join("").match(/../g) ?? [], (byte) => Number.parseInt(byte, 16)))
    : Result.fail(hexRule)
}

/** How characters become bits. @category constants @since 0.1.0 */
export const textBits = ["7", "8", "unpadded"] as const

/** The first of some flags that was given, for messages. @category getters @since 0.1.0 */
export const firstGiven = (flags: Readonly<Record<string, Option.Option<unknown>>>): string | undefined =>
  Object.keys(flags).find((name) => Option.isSome(flags[name] ?? Option.none()))
