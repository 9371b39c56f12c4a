/**
 * Durations, sizes and rates as people write them at a command line, and as the program prints them.
 *
 * ```
 * 500ms   2s   1.5m   1h   7d     a number and its unit, never without
 * 512   64KiB   1.5MiB   1GiB     a number of bytes, with a unit of 1024 or none
 * 100   100/s   5000/1m           so many in a time, which is a second where it is missing
 * 160/10s   1KiB/s                so many bytes in a time
 * unbounded                       where a limit may be off
 * ```
 *
 * **Gotchas**: `KB` is refused, because it is 1000 bytes to some and 1024 to others.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"

const millisOf: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const bytesOf: Readonly<Record<string, number>> = { "": 1, B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** What a duration must be, for messages. @category constants @since 0.1.0 */
export const durationRule = "a time such as 500ms, 2s or 1m, of at most 24 days"

/** What a size must be, for messages. @category constants @since 0.1.0 */
export const sizeRule = "a size from 1 byte to 1GiB, such as 512, 64KiB or 1MiB"

/** The largest frame that one may ask for: all of it is held in memory, once per connection. */
const maxSizeBytes = 1024 ** 3

/** The longest time that a timer can hold; it would run off at once above that. */
const maxMillis = 2_147_483_647

/** Reads a duration; the failure is the rule. @category parsing @since 0.1.0 */
export const parseDuration = (text: string): Result.Result<Duration.Duration, string> => {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? []
  const millis = Number(amount) * (millisOf[unit] ?? Number.NaN)
  return millis <= maxMillis ? Result.succeed(Duration.millis(millis)) : Result.fail(durationRule)
}

const size = (maxBytes: number, rule: string) => (text: string): Result.Result<number, string> => {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(|B|KiB|MiB|GiB)$/.exec(text) ?? []
  const bytes = Number(amount) * (bytesOf[unit] ?? Number.NaN)
  return Number.isInteger(bytes) && bytes >= 1 && bytes <= maxBytes ? Result.succeed(bytes) : Result.fail(rule)
}

/** Reads a size in bytes; the failure is the rule. @category parsing @since 0.1.0 */
export const parseSize: (text: string) => Result.Result<number, string> = size(maxSizeBytes, sizeRule)

/** Reads the size of what many frames share; the failure is the rule. @category parsing @since 0.1.0 */
export const parseBudget: (text: string) => Result.Result<number, string> = size(
  1024 ** 4,
  "a size from 1 byte to 1024GiB, such as 64MiB or 1GiB"
)

/** A limit that may be off. @category models @since 0.1.0 */
export type Limit<A> = A | "unbounded"

/** So many things in a time. @category models @since 0.1.0 */
export interface Rate {
  readonly connections: number
  readonly per: Duration.Duration
}

/** So many bytes a second, judged after a time. @category models @since 0.1.0 */
export interface ByteRate {
  readonly bytesPerSecond: number
  readonly grace: Duration.Duration
}

/** Lets a limit be off. @category parsing @since 0.1.0 */
export const orUnbounded =
  <A>(parse: (text: string) => Result.Result<A, string>) => (text: string): Result.Result<Limit<A>, string> =>
    text === "unbounded" ? Result.succeed(text) : Result.mapError(parse(text), (rule) => `${rule}, or unbounded`)

/** Reads a duration that is longer than nothing; the failure is the rule. @category parsing @since 0.1.0 */
export const parseTimeout = (text: string): Result.Result<Duration.Duration, string> =>
  Result.filterOrFail(
    Result.mapError(parseDuration(text), () => timeoutRule),
    (time) => Duration.toMillis(time) > 0,
    () => timeoutRule
  )

const timeoutRule = "a time such as 500ms, 2s or 1m, longer than nothing and of at most 24 days"

const rateRule = "a number from 1 and perhaps a time, such as 100, 100/s or 5000/1m"

/** A time behind a slash; the number 1 may be missing. */
const per = (text: string) => parseTimeout(/^\d/.test(text) ? text : `1${text}`)

/** Reads a rate of connections; the failure is the rule. @category parsing @since 0.1.0 */
export const parseRate = (text: string): Result.Result<Rate, string> => {
  const [, amount, time = "s"] = /^([1-9]\d{0,8})(?:\/(\w[\w.]*))?$/.exec(text) ?? []
  return amount === undefined ? Result.fail(rateRule) : Result.mapBoth(per(time), {
    onSuccess: (per) => ({ connections: Number(amount), per }),
    onFailure: () => rateRule
  })
}

const byteRateRule = "a size and a time, of whole bytes per second, such as 160/10s or 1KiB/s"

/** Reads a rate of bytes; the failure is the rule. @category parsing @since 0.1.0 */
export const parseByteRate = (text: string): Result.Result<ByteRate, string> => {
  const [size = "", time = "", ...rest] = text.split("/")
  const bytes = parseSize(size)
  const grace = per(time)
  if (Result.isFailure(bytes) || Result.isFailure(grace) || rest.length > 0) return Result.fail(byteRateRule)
  const bytesPerSecond = bytes.success * 1000 / Duration.toMillis(grace.success)
  return Number.isInteger(bytesPerSecond)
    ? Result.succeed({ bytesPerSecond, grace: grace.success })
    : Result.fail(byteRateRule)
}

/** Reads the permission bits of a file; the failure is the rule. @category parsing @since 0.1.0 */
export const parseMode = (text: string): Result.Result<number, string> =>
  /^0?[0-7]{3}$/.test(text)
    ? Result.succeed(Number.parseInt(text, 8))
    : Result.fail("the permission bits in octal, such as 660 or 0600")

/** Prints a duration: `12ms`, `1.25s`, `3m`, `7d`. @category formatting @since 0.1.0 */
export const formatDuration = (duration: Duration.Duration): string => formatMillis(Duration.toMillis(duration))

/** Prints a number of milliseconds in the same way. @category formatting @since 0.1.0 */
export const formatMillis = (millis: number): string => {
  if (millis < 1000) return `${round(millis)}ms`
  if (millis < 120_000) return `${round(millis / 1000)}s`
  if (millis < 7_200_000) return `${round(millis / 60_000)}m`
  return millis < 172_800_000 ? `${round(millis / 3_600_000)}h` : `${round(millis / 86_400_000)}d`
}

/** A text with its milliseconds in the usual units. @category formatting @since 0.1.0 */
export const inWords = (text: string): string =>
  text.replaceAll(/\b(\d+) ms\b/g, (_, millis: string) => formatMillis(Number(millis)))

/** Prints a number of bytes: `27B`, `1.5KiB`, `1GiB`. @category formatting @since 0.1.0 */
export const formatSize = (bytes: number): string => {
  const [unit, factor] = bytes < 1024 ? ["B", 1] : bytes < 1024 ** 2 ? ["KiB", 1024] : bytes < 1024 ** 3
    ? ["MiB", 1024 ** 2]
    : ["GiB", 1024 ** 3]
  return `${round(bytes / factor)}${unit}`
}

/** Two decimals, and no zeros at their end. */
const round = (value: number): string => String(Math.round(value * 100) / 100)
