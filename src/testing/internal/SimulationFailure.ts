/**
 * How a simulation fails, told so that it can be run again: what was broken, the seed, the faults as a value to paste, and
 * the end of the trace.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Fault from "../Fault.ts"
import { formatMillis } from "./Stuck.ts"

/**
 * All that decides a run of a scenario.
 *
 * @category models
 * @since 0.1.0
 */
export interface Replay {
  readonly seed: number
  readonly faults: Fault.Plan
}

/** How a failure was found and made small. @category models @since 0.1.0 */
export interface Search {
  /** How many seeds were run, the failing one included. */
  readonly runs: number
  /** How many faults the failing run had. */
  readonly faultsBefore: number
  /** How many runs making it small took. */
  readonly shrinks: number
}

/**
 * An invariant of a simulation was broken.
 *
 * **Details**
 * - Shape: `invariant` is its name, `broken` what happened instead; `trace` are the newest lines, of `traceSize` in all;
 *   `cause` is the error or `Cause` behind it, where there is one. `search` says how `explore` came to it.
 *
 * @category errors
 * @since 0.1.0
 */
export class SimulationFailure extends Data.TaggedError("SimulationFailure")<{
  readonly invariant: string
  readonly broken: string
  readonly seed: number
  readonly faults: Fault.Plan
  readonly atMillis: number
  readonly trace: ReadonlyArray<string>
  readonly traceSize: number
  readonly cause?: unknown
  readonly search?: Search | undefined
}> {
  override get message(): string {
    const { atMillis, broken, faults, invariant, search, seed, trace, traceSize } = this
    const tail = trace.slice(-maxLines)
    return [
      `${invariant}: ${broken}`,
      `at ${formatMillis(atMillis)}`,
      ...(search === undefined ? [] : [formatSearch(search, faults.length)]),
      `replay: ${formatReplay({ seed, faults })}`,
      tail.length < traceSize ? `trace, the last ${tail.length} of ${traceSize} lines:` : "trace:",
      ...tail
    ].join("\n")
  }
}

/** What fits on a screen, together with the rest of the message. */
const maxLines = 40

const formatSearch = ({ faultsBefore, runs, shrinks }: Search, faults: number): string =>
  faultsBefore === 0
    ? `found by run ${runs}, without faults`
    : `found by run ${runs}; ${faultsBefore} faults became ${faults} in ${shrinks} more runs`

/**
 * Writes what decides a run as a TypeScript value.
 *
 * @category formatting
 * @since 0.1.0
 */
export const formatReplay = ({ faults, seed }: Replay): string =>
  faults.length === 0
    ? `{ seed: ${seed}, faults: [] }`
    : `{ seed: ${seed}, faults: [\n${faults.map((fault) => `  ${formatValue(fault)}`).join(",\n")}\n] }`

/** Plain data as TypeScript writes it. */
const formatValue = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(formatValue).join(", ")}]`
  if (typeof value === "object" && value !== null) {
    return `{ ${Object.entries(value).map(([key, field]) => `${key}: ${formatValue(field)}`).join(", ")} }`
  }
  return typeof value === "string" ? JSON.stringify(value) : String(value)
}
