/**
 * What a supervisor and its workers say to each other, besides the events that are printed.
 *
 * ```
 * worker                    supervisor
 *   Ready        ------>                     its settings are read
 *                <------    Listen           where; the first one looks whether anybody is there before it
 *   Listening    ------>                     with the ports that the system chose
 *                <------    Reload           any number of times
 *                <------    Drain            or the channel ends, because the supervisor did
 *   Draining     ------>
 *   Drained      ------>                     then it prints what is left, and ends
 *   Failed       ------>                     at any time; then it ends
 * ```
 *
 * They are read by hand: a schema would make every start of the program slower, of whatever command.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import type * as Failure from "./Failure.ts"

/** Endpoints as they are written. @category models @since 0.1.0 */
export type Endpoints = Arr.NonEmptyReadonlyArray<string>

/** Where to listen. @category models @since 0.1.0 */
export interface Listen {
  readonly _tag: "Listen"
  readonly endpoints: Endpoints
  readonly isFirst: boolean
}

/** What a supervisor says. @category models @since 0.1.0 */
export type Order = Listen | { readonly _tag: "Reload" } | { readonly _tag: "Drain" }

/** How the drain of one worker went. @category models @since 0.1.0 */
export interface Drained {
  readonly _tag: "Drained"
  readonly served: number
  readonly drained: number
  readonly forced: number
  readonly refused: number
  readonly elapsedMillis: number
}

/** Why a worker cannot go on. @category models @since 0.1.0 */
export interface Failed {
  readonly _tag: "Failed"
  readonly exitCode: Failure.ExitCode
  readonly message: string
  readonly hint: string | undefined
}

/** What a worker says. @category models @since 0.1.0 */
export type News =
  | { readonly _tag: "Ready" }
  | { readonly _tag: "Listening"; readonly endpoints: Endpoints }
  | { readonly _tag: "Draining"; readonly open: number }
  | Drained
  | Failed

/** The members of a message; of anything else, none. */
const membersOf = (message: unknown): Readonly<Record<string, unknown>> =>
  typeof message === "object" && message !== null ? { ...message } : {}

const toEndpoints = (value: unknown): Endpoints | undefined => {
  if (!Array.isArray(value)) return undefined
  const [first, ...others] = value.map(String)
  return first === undefined ? undefined : [first, ...others]
}

/** Reads what came from a supervisor. @category parsing @since 0.1.0 */
export const toOrder = (message: unknown): Order | undefined => {
  const { _tag, endpoints: listed, isFirst } = membersOf(message)
  const endpoints = toEndpoints(listed)
  if (_tag === "Reload" || _tag === "Drain") return { _tag }
  return _tag === "Listen" && endpoints !== undefined ? { _tag, endpoints, isFirst: isFirst === true } : undefined
}

const exitCodes: ReadonlyArray<Failure.ExitCode> = [1, 2, 3, 4]

/** Reads what came from a worker. @category parsing @since 0.1.0 */
export const toNews = (message: unknown): News | undefined => {
  const { _tag, ...rest } = membersOf(message)
  switch (_tag) {
    case "Ready":
      return { _tag }
    case "Listening": {
      const endpoints = toEndpoints(rest["endpoints"])
      return endpoints === undefined ? undefined : { _tag, endpoints }
    }
    case "Draining":
      return { _tag, open: Number(rest["open"]) }
    case "Drained":
      return {
        _tag,
        served: Number(rest["served"]),
        drained: Number(rest["drained"]),
        forced: Number(rest["forced"]),
        refused: Number(rest["refused"]),
        elapsedMillis: Number(rest["elapsedMillis"])
      }
    case "Failed": {
      const { exitCode: code, hint, message } = rest
      const exitCode = exitCodes.find((one) => one === code)
      return exitCode === undefined
        ? undefined
        : { _tag, exitCode, message: String(message), hint: hint === undefined ? undefined : String(hint) }
    }
    default:
      return undefined
  }
}
