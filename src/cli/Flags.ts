/**
 * The flags and settings that several commands share, and how one refuses a value: with its rule.
 *
 * @since 0.1.0
 */
import * as CliError from "effect/cli/CliError"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type * as Failure from "./Failure.ts"
import * as FramingFlag from "./FramingFlag.ts"
import * as Setting from "./Setting.ts"
import * as Units from "./Units.ts"
import * as Usage from "./Usage.ts"

/** How a flag is described. @category models @since 0.1.0 */
export interface Description<A> {
  /** What stands for the value in the help. */
  readonly value: string
  readonly description: string
  /** Reads the value; the failure completes the sentence "--flag must be …". */
  readonly parse: (text: string) => Result.Result<A, string>
}

/** A flag whose value is read by a function. @category constructors @since 0.1.0 */
export const make = <A>(name: string, { description, parse, value }: Description<A>): Flag.Flag<A> =>
  Flag.String(name).pipe(
    Flag.withMetavar(value),
    Flag.withDescription(description),
    Flag.mapEffect((text) =>
      Result.match(parse(text), {
        onSuccess: Effect.succeed,
        onFailure: (expected) =>
          Effect.fail(new CliError.InvalidValue({ option: name, value: text, expected, kind: "flag" }))
      })
    )
  )

const integer = (minimum: number, maximum: number, rule: string) => (text: string): Result.Result<number, string> =>
  /^\d+$/.test(text) && Number(text) >= minimum && Number(text) <= maximum
    ? Result.succeed(Number(text))
    : Result.fail(rule)

/** Reads a number of things. @category parsing @since 0.1.0 */
export const count: (text: string) => Result.Result<number, string> = integer(1, 2 ** 31 - 1, "an integer from 1")

/** Reads a number of processes; more than the largest machines have cores. @category parsing @since 0.1.0 */
export const workers: (text: string) => Result.Result<number, string> = integer(1, 1024, "an integer from 1 to 1024")

/** Reads one of some words. @category parsing @since 0.1.0 */
export const word = <const Names extends ReadonlyArray<string>>(names: Names) => (text: string) => {
  const found: Names[number] | undefined = names.find((name) => name === text)
  return found === undefined
    ? Result.fail(`${names.slice(0, -1).join(", ")} or ${names.at(-1)}`)
    : Result.succeed(found)
}

/** Reads a text that is not empty. @category parsing @since 0.1.0 */
export const filled = (rule: string) => (text: string): Result.Result<string, string> =>
  text === "" ? Result.fail(rule) : Result.succeed(text)

/** The defaults that the tutorial's programs have. @category constants @since 0.1.0 */
export const defaults = {
  host: "127.0.0.1",
  port: 12345,
  /** The buffer of a read on a socket: what Node takes at once. */
  maxFrameBytes: 65_536,
  /** Longer than three lost SYN packets take, shorter than patience. */
  timeout: Duration.seconds(10)
} as const

/** `--timeout`: how long something may take at most. @category settings @since 0.1.0 */
export const timeout = (description: string): Setting.Setting<Duration.Duration> =>
  Setting.one("timeout", {
    value: "TIME",
    description,
    usual: "10s",
    parse: (text) =>
      Result.filterOrFail(
        Units.parseDuration(text),
        (time) => Duration.toMillis(time) > 0,
        () => "longer than nothing, such as 500ms, 2s or 1m"
      )
  })

/** How the flags of an address are called: they are set together. */
const group = "address"

/** `--host` and `--port`. @category settings @since 0.1.0 */
export const hostAndPort = (words: Readonly<Record<"host" | "port", string>>) => ({
  host: Setting.one("host", {
    value: "HOST",
    description: words.host,
    usual: defaults.host,
    parse: Result.succeed<string>,
    group
  }),
  port: Setting.one("port", {
    value: "PORT",
    description: words.port,
    usual: String(defaults.port),
    parse: integer(0, 65_535, "an integer from 0 to 65535"),
    group
  })
})

/** A flag for an endpoint. @category settings @since 0.1.0 */
export const endpoint = (description: string): Setting.Description<string> => ({
  value: "ENDPOINT",
  description,
  parse: Result.succeed,
  group
})

/** A descriptor that the process was given. @category settings @since 0.1.0 */
export const descriptors: Setting.Setting<ReadonlyArray<number>> = Setting.many("fd", {
  value: "N",
  description: "Listen on this descriptor, which the program was started with; may be given again",
  parse: integer(3, 2 ** 31 - 1, "the number of a descriptor, from 3"),
  group
})

/** `--framing` and `--max-frame`. @category settings @since 0.1.0 */
export const framing = (unless: string) => ({
  framing: Setting.one("framing", {
    value: "FRAMING",
    description: `How messages are told apart: ${FramingFlag.rule}`,
    unless,
    parse: Result.succeed<string>
  }),
  maxFrame: Setting.one("max-frame", {
    value: "SIZE",
    description: "The largest message",
    usual: Units.formatSize(defaults.maxFrameBytes),
    parse: Units.parseSize
  })
})

/** The framing that was meant. @category conversions @since 0.1.0 */
export const toFraming = (given: {
  readonly framing: Setting.Given<string> | undefined
  readonly maxFrame: Setting.Given<number> | undefined
}, unless: string): Effect.Effect<FramingFlag.Choice, Failure.Failure> => {
  const { from, text } = given.framing ?? { from: "--framing", text: unless }
  return Effect.mapError(
    Effect.fromResult(FramingFlag.parse(text, given.maxFrame?.value ?? defaults.maxFrameBytes)),
    (rule) => Usage.invalid(from, rule, text, "for example lines, chunks, fixed:16, length:2 or delimited:;")
  )
}

/** `--crc`. @category settings @since 0.1.0 */
export const crc: Setting.Setting<string> = Setting.one("crc", {
  value: "ALGORITHM",
  description: "For crc: the algorithm, by its name or alias",
  usual: "CRC-32C",
  parse: Result.succeed<string>
})
