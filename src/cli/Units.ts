/**
 * Durations and sizes as people write them at a command line, and as the program prints them.
 *
 * ```
 * 500ms   2s   1.5m   1h          a number and its unit, never without
 * 512   64KiB   1.5MiB   1GiB     a number of bytes, with a unit of 1024 or none
 * ```
 *
 * **Gotchas**: `KB` is refused, because it is 1000 bytes to some and 1024 to others.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Result from "effect/Result"

const millisOf: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

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
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? []
  const millis = Number(amount) * (millisOf[unit] ?? Number.NaN)
  return millis <= maxMillis ? Result.succeed(Duration.millis(millis)) : Result.fail(durationRule)
}

/** Reads a size in bytes; the failure is the rule. @category parsing @since 0.1.0 */
export const parseSize = (text: string): Result.Result<number, string> => {
  const [, amount, unit = ""] = /^(\d+(?:\.\d+)?)(|B|KiB|MiB|GiB)$/.exec(text) ?? []
  const bytes = Number(amount) * (bytesOf[unit] ?? Number.NaN)
  return Number.isInteger(bytes) && bytes >= 1 && bytes <= maxSizeBytes ? Result.succeed(bytes) : Result.fail(sizeRule)
}

/** Prints a duration: `12ms`, `1.25s`, `3m`. @category formatting @since 0.1.0 */
export const formatDuration = (duration: Duration.Duration): string => formatMillis(Duration.toMillis(duration))

/** Prints a number of milliseconds in the same way. @category formatting @since 0.1.0 */
export const formatMillis = (millis: number): string => {
  if (millis < 1000) return `${round(millis)}ms`
  return millis < 120_000 ? `${round(millis / 1000)}s` : `${round(millis / 60_000)}m`
}

/** Prints a number of bytes: `27B`, `1.5KiB`, `1GiB`. @category formatting @since 0.1.0 */
export const formatSize = (bytes: number): string => {
  const [unit, factor] = bytes < 1024 ? ["B", 1] : bytes < 1024 ** 2 ? ["KiB", 1024] : bytes < 1024 ** 3
    ? ["MiB", 1024 ** 2]
    : ["GiB", 1024 ** 3]
  return `${round(bytes / factor)}${unit}`
}

/** Two decimals, and no zeros at their end. */
const round = (value: number): string => String(Math.round(value * 100) / 100)
