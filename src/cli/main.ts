/**
 * The program as one effect: arguments in, exit code out. It prints what went wrong, and never fails.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as CliError from "effect/cli/CliError"
import * as CliOutput from "effect/cli/CliOutput"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as TerminalCapabilities from "effect/cli/TerminalCapabilities"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import { readFileSync } from "node:fs"
import { program } from "./commands.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Style from "./Style.ts"
import { topics } from "./Topics.ts"
import * as Usage from "./Usage.ts"

/** Both the sources and what is built from them are two folders below the package. */
const readVersion = (): string =>
  String(JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version)

/** Effect's own takes `-v`, which is `--verbose` here. */
const Version = GlobalFlag.Action({
  flag: Flag.Boolean("version").pipe(Flag.withDescription("Show the version"), Flag.withDefault(false)),
  run: () => Effect.flatMap(Effect.sync(readVersion), (version) => Console.log(`hawser ${version}`))
})

/** The help goes to those who ask for it; who made a mistake gets a sentence instead. */
const presenter: CliOutput.Presenter = {
  present: Effect.fnUntraced(function*(event) {
    if (event._tag !== "Help") return
    yield* CliOutput.defaultPresenter.present(event)
    const { strong } = yield* Style.current
    for (const { lines, title } of topics[event.commandPath.join(" ")] ?? []) {
      yield* Console.log(`\n${strong(title)}\n${lines.map((line) => `  ${line}`).join("\n")}`)
    }
  })
}

const settings = Layer.mergeAll(
  CliConfig.layer({ builtIns: [GlobalFlag.Help, Version, GlobalFlag.Completions] }),
  CliOutput.layerPresenter(presenter),
  TerminalCapabilities.layer
)

const report = (failure: Failure.Failure): Effect.Effect<number> =>
  Effect.as(Console.error(Failure.format(failure)), failure.exitCode)

/** A bug: a sentence for everybody, and where it is for those who want everything. */
const reportBug = (cause: Cause.Cause<unknown>, verbose: boolean): Effect.Effect<number> => {
  const error = Cause.squash(cause)
  const why = error instanceof Error ? error.message : Formatter.format(error)
  const failure = Failure.local(`internal error: ${why}`, "this is a bug in hawser; --verbose shows where")
  return Effect.andThen(verbose ? Console.error(Cause.pretty(cause)) : Effect.void, report(failure))
}

/** Runs the program to its exit code; only an interruption gets through. @category running @since 0.1.0 */
export const main = (args: ReadonlyArray<string>): Effect.Effect<number, never, Command.Environment> =>
  Command.runWith(program, { version: "" })(args).pipe(
    Effect.as(0),
    Effect.catchCause((cause) => {
      if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause as Cause.Cause<never>) // it has no failure
      const error = Cause.squash(cause)
      if (error instanceof Failure.Failure) return report(error)
      if (error instanceof Failure.Reported) return Effect.succeed(error.exitCode)
      if (error instanceof Output.Closed) return Effect.succeed(0)
      if (error instanceof CliError.ShowHelp) {
        return error.errors.length === 0 ? Effect.succeed(0) : report(Usage.fromShowHelp(error))
      }
      return reportBug(cause, args.includes("-v") || args.includes("--verbose"))
    }),
    Effect.provide(settings)
  )
