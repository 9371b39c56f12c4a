/**
 * What can be set: by a flag, by a variable of the environment, or not at all. A flag beats a variable.
 *
 * ```
 * --idle-timeout 5m                   HAWSER_IDLE_TIMEOUT=5m
 * --allow ::1 --allow 10.0.0.0/8      HAWSER_ALLOW="::1 10.0.0.0/8"     several: with spaces or commas between
 * --json, --no-json                   HAWSER_JSON=true                  or false
 * ```
 *
 * An empty variable counts as none. The flags are read by the command line, the variables by `Environment`.
 *
 * @since 0.1.0
 */
import * as CliError from "effect/cli/CliError"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"

/** A value, and where it came from. @category models @since 0.1.0 */
export interface Given<out A> {
  readonly value: A
  /** As it was written; several with a space between. */
  readonly text: string
  /** The flag or the variable, as messages name it. */
  readonly from: string
}

/** Something that can be set. @category models @since 0.1.0 */
export interface Setting<out A> {
  /** The flag's name, without the dashes. */
  readonly name: string
  readonly flag: Flag.Flag<Option.Option<Given<A>>>
  /** Reads the text of a variable; the failure completes the sentence "HAWSER_… must be …". */
  readonly read: (text: string) => Result.Result<A, string>
  /** What holds where it is not set, as one would write it. */
  readonly usual: string | undefined
  /** What it means where it is not set and nothing usual can be written. */
  readonly unless: string | undefined
  /** Settings of one group are set together: a flag hides the variables of all of them. */
  readonly group: string | undefined
}

/** Many of them, by the keys of the program. @category models @since 0.1.0 */
export type Settings = Readonly<Record<string, Setting<unknown>>>

/** What was typed. @category models @since 0.1.0 */
export type Typed<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer A> ? Option.Option<Given<A>> : never
}

/** What was typed, or else stands in the environment. @category models @since 0.1.0 */
export type Filled<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer A> ? Given<A> | undefined : never
}

/** How a setting is described. @category models @since 0.1.0 */
export interface Description<A> {
  /** What stands for the value in the help. */
  readonly value: string
  readonly description: string
  /** Reads one value; the failure completes the sentence "--flag must be …". */
  readonly parse: (text: string) => Result.Result<A, string>
  /** What holds where it is not set, as one would write it. */
  readonly usual?: string
  /** What the help says instead of `usual`. */
  readonly unless?: string
  readonly group?: string
}

interface Parsed<A> {
  readonly value: A
  readonly text: string
}

const parsed = <A>(
  name: string,
  { description, parse, unless, usual, value }: Description<A>
): Flag.Flag<Parsed<A>> => {
  const otherwise = unless ?? usual
  return Flag.String(name).pipe(
    Flag.withMetavar(value),
    Flag.withDescription(otherwise === undefined ? description : `${description} (default: ${otherwise})`),
    Flag.mapEffect((text) =>
      Result.match(parse(text), {
        onSuccess: (value) => Effect.succeed({ value, text }),
        onFailure: (expected) =>
          Effect.fail(new CliError.InvalidValue({ option: name, value: text, expected, kind: "flag" }))
      })
    )
  )
}

/** A setting with one value. @category constructors @since 0.1.0 */
export const one = <A>(name: string, options: Description<A>): Setting<A> => ({
  name,
  flag: parsed(name, options).pipe(
    Flag.optional,
    Flag.map(Option.map(({ text, value }) => ({ value, text, from: `--${name}` })))
  ),
  read: options.parse,
  usual: options.usual,
  unless: options.unless,
  group: options.group
})

/** A setting with several values: the flag is given again and again. @category constructors @since 0.1.0 */
export const many = <A>(name: string, options: Description<A>): Setting<ReadonlyArray<A>> => ({
  name,
  flag: parsed(name, options).pipe(
    Flag.atLeast(0),
    Flag.map((all) =>
      all.length === 0 ? Option.none() : Option.some({
        value: all.map(({ value }) => value),
        text: all.map(({ text }) => text).join(" "),
        from: `--${name}`
      })
    )
  ),
  read: (text) => Result.all(text.split(/[\s,]+/).filter((part) => part !== "").map(options.parse)),
  usual: options.usual,
  unless: options.unless,
  group: options.group
})

/** A setting that is on or off, and off by itself. @category constructors @since 0.1.0 */
export const toggle = (name: string, description: string): Setting<boolean> => ({
  name,
  flag: Flag.Boolean(name).pipe(
    Flag.withDescription(description),
    Flag.optional,
    Flag.map(Option.map((value) => ({ value, text: String(value), from: `--${name}` })))
  ),
  read: (text) => text === "true" || text === "false" ? Result.succeed(text === "true") : Result.fail("true or false"),
  usual: "false",
  unless: undefined,
  group: undefined
})

/** The flags of settings, for a command. @category conversions @since 0.1.0 */
export const flags = <S extends Settings>(settings: S) =>
  Object.fromEntries(Object.entries(settings).map(([key, { flag }]) => [key, flag])) as {
    readonly [K in keyof S]: S[K]["flag"] // the same keys, each with its own flag
  }

/** The variable of a setting. @category getters @since 0.1.0 */
export const variable = (prefix: string, name: string): string => `${prefix}${name.toUpperCase().replaceAll("-", "_")}`
