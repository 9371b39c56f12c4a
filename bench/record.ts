/** What earlier runs left in files. */
import { existsSync, readFileSync } from "node:fs"
import { Misuse } from "./commandLine.ts"
import type { About } from "./page.ts"
import { peers } from "./peers.ts"
import type { Result } from "./report.ts"
import { scenarios } from "./scenarios.ts"

/** A run: of which machine, and what it measured. */
export interface Past extends About {
  readonly results: ReadonlyArray<Result>
}

const parsed = (path: string): unknown => {
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}

const isResult = (value: unknown): boolean => {
  const { rounds, scenario } = (value ?? {}) as Partial<Record<keyof Result, unknown>> // each member is looked at
  return Array.isArray(rounds) && typeof scenario === "object" && scenario !== null && "name" in scenario
}

/** Reads the `--json` of a run, for an option. Throws `Misuse`. */
export const read = (option: string, path: string): Past => {
  if (!existsSync(path)) throw new Misuse(`${option} "${path}": there is no such file`)
  const run = parsed(path) as Partial<Past> | undefined // what is used of it is looked at
  if (!Array.isArray(run?.results) || !run.results.every(isResult)) {
    throw new Misuse(`${option} "${path}" is no result of npm run bench -- --json`)
  }
  return run as Past // by the check above
}

/** With what was recorded of other scenarios and stays true: on the same machine, with the same Node. */
export const recorded = (before: Past | undefined, now: Past): ReadonlyArray<Result> => {
  if (before === undefined || before.machine !== now.machine || before.node !== now.node) return now.results
  const stays = ({ scenario }: Result) =>
    now.results.every(({ rounds, scenario: { name } }) => name !== scenario.name || rounds.length === 0)
  // A scenario that was left out as a whole takes nothing away.
  const kept = before.results.filter(stays)
  const order = scenarios.map(({ name }) => name)
  return [...kept, ...now.results.filter(({ scenario }) => kept.every((old) => old.scenario.name !== scenario.name))]
    .sort((a, b) => order.indexOf(a.scenario.name) - order.indexOf(b.scenario.name))
}

/** Everybody who was ever measured or left out, in the order of the list. */
export const everybody = (results: ReadonlyArray<Result>): About["peers"] =>
  peers.filter(({ name }) =>
    results.some(({ leftOut = [], rounds }) =>
      rounds[0]?.[name] !== undefined || leftOut.some(({ peer }) => peer === name)
    )
  ).map(({ about, name }) => ({ name, about }))
