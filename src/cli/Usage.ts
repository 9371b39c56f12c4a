/**
 * Wrong use of the program, said in one sentence.
 *
 * Effect's command-line module prints the whole help to stdout and then the error; here the help is printed only to
 * those who ask for it, and an error names the flag, the rule and the value, and where to read more.
 *
 * @since 0.1.0
 */
import type * as CliError from "effect/cli/CliError"
import * as Failure from "./Failure.ts"

/** A value that a flag does not take. @category constructors @since 0.1.0 */
export const invalid = (flag: string, rule: string, got: string, hint?: string): Failure.Failure =>
  Failure.local(`${flag} must be ${rule}, got ${JSON.stringify(got)}`, hint)

/**
 * What Effect's parser refused; only the first of several errors, which often causes the others.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromShowHelp = ({ commandPath, errors }: CliError.ShowHelp): Failure.Failure => {
  const command = commandPath.join(" ")
  const [error] = errors
  const { hint, message } = error === undefined ? { message: "nothing to do" } : sentence(error)
  return Failure.local(message, hint ?? `${command} --help tells more`)
}

interface Sentence {
  readonly message: string
  readonly hint?: string | undefined
}

const sentence = (error: CliError.NonShowHelpErrors): Sentence => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return {
        message: `there is no flag ${error.option}`,
        hint: didYouMean(error.suggestions) ??
          (error.command?.includes("talk") ? "put -- before a message that begins with a dash" : undefined)
      }
    case "UnknownSubcommand":
      return { message: `there is no command ${JSON.stringify(error.subcommand)}`, hint: didYouMean(error.suggestions) }
    case "MissingOption":
      return { message: `the flag --${error.option} is missing` }
    case "MissingArgument":
      return { message: `the ${error.argument.toUpperCase()} is missing` }
    case "UnexpectedArgument":
      return {
        message: `there is nothing to do with ${error.arguments.map((value) => JSON.stringify(value)).join(", ")}`
      }
    case "InvalidValue": {
      const what = error.kind === "flag" ? `--${error.option}` : `the ${error.option.toUpperCase()}`
      if (error.expected === "at most 1 value") return { message: `${what} may be given once, got ${error.value}` }
      if (error.value === "") return { message: `${what} needs a value: ${error.expected}` }
      return { message: invalid(what, choices(error.expected), error.value).message }
    }
    case "DuplicateOption":
    case "ValidationError":
    case "UserError":
      return { message: error.message }
  }
}

/** Effect writes the values of a choice as the type `"a" | "b" | "c"`. */
const choices = (expected: string): string =>
  /^"[^"]*"(?: \| "[^"]*")+$/.test(expected)
    ? expected.replaceAll("\"", "").replaceAll(" | ", ", ").replace(/, (\S+)$/, " or $1")
    : expected

const didYouMean = (suggestions: ReadonlyArray<string>): string | undefined =>
  suggestions.length === 0 ? undefined : `did you mean ${suggestions.join(" or ")}?`
