/**
 * The variables of the environment, which stand in for flags that were not typed.
 *
 * ```
 * HAWSER_           serve
 * HAWSER_CLIENT_    talk, connect: what names a server's key must not become a client's
 * ```
 *
 * @since 0.1.0
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Failure from "./Failure.ts"
import * as Setting from "./Setting.ts"
import * as Usage from "./Usage.ts"

/** What the variables of the commands begin with. @category constants @since 0.1.0 */
export const prefixes = { serve: "HAWSER_", client: "HAWSER_CLIENT_" } as const

/** The text of a variable; an empty one is none. @category reading @since 0.1.0 */
export const text = (name: string): Effect.Effect<string | undefined, Failure.Failure> =>
  Config.option(Config.String(name)).pipe(
    Effect.map(Option.getOrUndefined),
    Effect.mapError((error) => Failure.local(`cannot read ${name}: ${error.message}`))
  )

/** Adds what stands in the environment to what was typed. @category reading @since 0.1.0 */
export const fill = Effect.fnUntraced(function*<S extends Setting.Settings>(
  prefix: string,
  settings: S,
  typed: Setting.Typed<S>
): Effect.fn.Return<Setting.Filled<S>, Failure.Failure> {
  const options: Readonly<Record<string, Option.Option<Setting.Given<unknown>>>> = typed
  const hidden = new Set(
    Object.entries(settings).flatMap(([key, { group }]) =>
      Option.isSome(options[key] ?? Option.none()) ? group ?? [] : []
    )
  )
  const filled: Record<string, Setting.Given<unknown> | undefined> = {}
  for (const [key, setting] of Object.entries(settings)) {
    const given = Option.getOrUndefined(options[key] ?? Option.none())
    filled[key] = given
    if (given !== undefined || (setting.group !== undefined && hidden.has(setting.group))) continue
    const name = Setting.variable(prefix, setting.name)
    const found = yield* text(name)
    if (found === undefined) continue
    const read = setting.read(found)
    if (Result.isFailure(read)) return yield* Usage.invalid(name, read.failure, found)
    filled[key] = { value: read.success, text: found, from: name }
  }
  return filled as Setting.Filled<S> // each key got what its own setting read
})
