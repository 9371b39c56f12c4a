/**
 * The flags that several commands share, and how a flag refuses a value: with its rule.
 *
 * @since 0.1.0
 */
import * as CliError from "effect/cli/CliError"
import * as Flag from "effect/cli/Flag"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Endpoint from "../Endpoint.ts"
import * as Failure from "./Failure.ts"
import * as FramingFlag from "./FramingFlag.ts"
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

/** A flag for a number of things. @category constructors @since 0.1.0 */
export const count = (name: string, description: string): Flag.Flag<number> =>
  make(name, { value: "N", description, parse: integer(1, 2 ** 31 - 1, "an integer from 1") })

/** A flag for a time. @category constructors @since 0.1.0 */
export const duration = (name: string, description: string): Flag.Flag<Duration.Duration> =>
  make(name, { value: "TIME", description, parse: Units.parseDuration })

/** A flag for how long something may take at most. @category constructors @since 0.1.0 */
export const timeout = (description: string): Flag.Flag<Duration.Duration> =>
  make("timeout", {
    value: "TIME",
    description,
    parse: (text) =>
      Result.filterOrFail(
        Units.parseDuration(text),
        (time) => Duration.toMillis(time) > 0,
        () => "longer than nothing, such as 500ms, 2s or 1m"
      )
  }).pipe(Flag.withDefault(defaults.timeout))

/** The defaults that the tutorial's programs have. @category constants @since 0.1.0 */
export const defaults = {
  host: "127.0.0.1",
  port: 12345,
  /** The buffer of a read on a socket: what Node takes at once. */
  maxFrameBytes: 65_536,
  /** Longer than three lost SYN packets take, shorter than patience. */
  timeout: Duration.seconds(10)
} as const

/** `--host` and `--port`, or instead of both a flag for an endpoint. @category constructors @since 0.1.0 */
export const address = <const Name extends string>(
  name: Name,
  words: Readonly<Record<"host" | "port" | "endpoint", string>>
) => ({
  host: Flag.String("host").pipe(
    Flag.withMetavar("HOST"),
    Flag.withDescription(`${words.host} (default: ${defaults.host})`),
    Flag.optional
  ),
  port: make("port", {
    value: "PORT",
    description: `${words.port} (default: ${defaults.port})`,
    parse: integer(0, 65_535, "an integer from 0 to 65535")
  }).pipe(Flag.optional),
  endpoint: make(name, {
    value: "ENDPOINT",
    description: `${words.endpoint}: tcp://HOST:PORT or unix:PATH, instead of --host and --port`,
    parse: Result.succeed
  }).pipe(Flag.optional)
})

/** What was given of an `address`. @category models @since 0.1.0 */
export interface Address {
  readonly host: Option.Option<string>
  readonly port: Option.Option<number>
  readonly endpoint: Option.Option<string>
}

/** The endpoint that was meant; the flag of the other way is named `name`. @category conversions @since 0.1.0 */
export const toEndpoint = Effect.fnUntraced(function*(name: string, given: Address) {
  if (Option.isSome(given.endpoint)) {
    if (Option.isSome(given.host) || Option.isSome(given.port)) {
      return yield* Failure.local(
        `--${name} and ${Option.isSome(given.host) ? "--host" : "--port"} exclude each other`,
        "give one of them"
      )
    }
    return yield* Effect.mapError(Effect.fromResult(Endpoint.fromString(given.endpoint.value)), Failure.fromEndpoint)
  }
  const host = Option.getOrElse(given.host, () => defaults.host)
  // The tutorial's bind('') is every interface.
  const known = host === "" && name === "listen" ? "*" : host
  if (known === "") return yield* Usage.invalid("--host", "an address or a name", host)
  const endpoint = Endpoint.tcp(known, Option.getOrElse(given.port, () => defaults.port))
  return yield* Effect.mapError(Effect.fromResult(endpoint), ({ rule }) => Failure.local(`--host: ${rule}`))
})

/** `--framing` and `--max-frame`. @category constructors @since 0.1.0 */
export const framing = (unless: string) => ({
  framing: Flag.String("framing").pipe(
    Flag.withMetavar("FRAMING"),
    Flag.withDescription(`How messages are told apart: ${FramingFlag.rule} (default: ${unless})`),
    Flag.optional
  ),
  maxFrame: make("max-frame", {
    value: "SIZE",
    description: `The largest message (default: ${Units.formatSize(defaults.maxFrameBytes)})`,
    parse: Units.parseSize
  }).pipe(Flag.withDefault(defaults.maxFrameBytes))
})

/** The framing that was meant. @category conversions @since 0.1.0 */
export const toFraming = (given: {
  readonly framing: Option.Option<string>
  readonly maxFrame: number
}, unless: string): Effect.Effect<FramingFlag.Choice, Failure.Failure> => {
  const text = Option.getOrElse(given.framing, () => unless)
  return Effect.mapError(
    Effect.fromResult(FramingFlag.parse(text, given.maxFrame)),
    (rule) => Usage.invalid("--framing", rule, text, "for example lines, chunks, fixed:16, length:2 or delimited:;")
  )
}
