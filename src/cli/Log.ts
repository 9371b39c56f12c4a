/**
 * What the library logs, on stderr, one line each: errors always, everything with `--verbose`.
 *
 * stdout belongs to the data of a command, so Effect's own logger, which writes there, is replaced.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Flag from "effect/cli/Flag"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as References from "effect/References"

/** `-v`, `--verbose`. @category flags @since 0.1.0 */
export const Verbose = GlobalFlag.Setting("verbose")({
  flag: Flag.Boolean("verbose").pipe(
    Flag.withAlias("v"),
    Flag.withDescription("Log everything to stderr"),
    Flag.withDefault(false)
  )
})

const show = (value: unknown): string => typeof value === "string" ? value : Formatter.format(value)

/** One line for one entry; the trace of a cause only where somebody asked for everything. */
const line = (verbose: boolean) =>
  Logger.make<unknown, string>(({ cause, fiber, logLevel, message }) => {
    const annotations = Object.entries(fiber.getRef(References.CurrentLogAnnotations))
      .map(([key, value]) => ` ${key}=${show(value)}`)
    const text = `hawser: ${logLevel.toLowerCase()}: ${Arr.ensure(message).map(show).join(" ")}${annotations.join("")}`
    return verbose && cause.reasons.length > 0 ? `${text}\n${Cause.pretty(cause)}` : text
  })

/** Logs as the flag asks for. @category running @since 0.1.0 */
export const provide = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.flatMap(Verbose, (verbose) =>
    Effect.provide(
      effect,
      Layer.mergeAll(
        Logger.layer([Logger.withConsoleError(line(verbose))]),
        Layer.succeed(References.MinimumLogLevel, verbose ? "Debug" : "Error")
      )
    ))
