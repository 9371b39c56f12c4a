/**
 * Many runs of one scenario: seeds in a row, faults drawn for each, and the first failure made small.
 *
 * ```
 * seed 1, 2, 3 ... --> faults drawn --> run --> broken? --> fewer and simpler faults, same invariant --> smallest
 * ```
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Fault from "../Fault.ts"
import * as Random from "../Random.ts"
import { minimise, simplerData } from "./Minimise.ts"
import type { Clients, Programs, Report, Scenario, Services } from "./Scenario.ts"
import { SimulationFailure } from "./SimulationFailure.ts"
import { execute, keptLines, type Outcome, SimulationOptionsError } from "./SimulationRun.ts"

/**
 * How to explore.
 *
 * @category options
 * @since 0.1.0
 */
export interface ExploreOptions {
  /** How many runs. */
  readonly runs: number
  /** The seed of the first run; the others follow it. @default 1 */
  readonly seed?: number | undefined
  /**
   * Draws the faults of a run, which come on top of the scenario's own.
   *
   * @default none
   */
  readonly drawFaults?: Arbitrary.Arbitrary<Fault.Plan> | ((random: Random.Random) => Fault.Plan) | undefined
  /** How many runs may be spent on making a failing plan small. @default 200 */
  readonly maxShrinks?: number | undefined
  /** Called after each run. */
  readonly onProgress?: ((progress: Progress) => Effect.Effect<void>) | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const exploreDefaults = {
  seed: 1,
  /** A plan of ten faults takes about a hundred. */
  maxShrinks: 200
} as const

/** How far an exploration is. @category models @since 0.1.0 */
export interface Progress {
  /** Runs so far. */
  readonly runs: number
  readonly of: number
  /** The seed of the last one, and what was broken in it. */
  readonly seed: number
  readonly failure: SimulationFailure | undefined
}

/**
 * What an exploration saw in which everything held.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exploration {
  readonly runs: number
  /** Virtual time of all runs together. */
  readonly elapsedMillis: number
  /** How many different traces there were. */
  readonly traces: number
}

/**
 * Runs a scenario with many seeds and fault plans, until one fails; makes the faults of that run few and simple, and
 * fails with the smallest run.
 *
 * **Details**
 * - Errors: `SimulationFailure`, with `search`; also where a `sometimes` held in no run. A smaller plan counts only if
 *   it breaks the same invariant.
 *
 * @see {@link exploreAll} for all failures
 * @category running
 * @since 0.1.0
 */
export const explore = Effect.fnUntraced(function*<H extends Programs, C extends Clients>(
  scenario: () => Scenario<H, C>,
  options: ExploreOptions
): Effect.fn.Return<Exploration, SimulationFailure, Services<H, C>> {
  const { exploration, failures: [first] } = yield* search(scenario, options, true)
  return first === undefined ? exploration : yield* first
})

/**
 * Runs a scenario with many seeds and fault plans, all of them, and gives the first failure of each invariant, made small;
 * a `sometimes` that held in no run is one too.
 *
 * @category running
 * @since 0.1.0
 */
export const exploreAll = <H extends Programs, C extends Clients>(
  scenario: () => Scenario<H, C>,
  options: ExploreOptions
): Effect.Effect<ReadonlyArray<SimulationFailure>, never, Services<H, C>> =>
  Effect.map(search(scenario, options, false), ({ failures }) => failures)

const search = Effect.fnUntraced(function*<H extends Programs, C extends Clients>(
  scenario: () => Scenario<H, C>,
  options: ExploreOptions,
  stopAtFirst: boolean
) {
  const digests = new Set<string>()
  const reached: Record<string, boolean> = {}
  let exploration: Exploration = { runs: 0, elapsedMillis: 0, traces: 0 }
  const failures = new Map<string, SimulationFailure>()
  const { maxShrinks = exploreDefaults.maxShrinks, runs: of, seed: first = exploreDefaults.seed } = options
  ensure("runs", Number.isSafeInteger(of) && of > 0, of, "a positive integer")
  ensure("maxShrinks", Number.isSafeInteger(maxShrinks) && maxShrinks >= 0, maxShrinks, "an integer from 0")
  for (let runs = 1; runs <= of; runs++) {
    const seed = first + runs - 1
    const drawn = yield* draw(options.drawFaults, seed)
    const system = scenario()
    const { failure, report } = yield* execute(system, { seed, faults: [...system.faults ?? [], ...drawn] }, keptLines)
    digests.add(report.digest)
    for (const [name, holds] of Object.entries(report.reached)) reached[name] = reached[name] === true || holds
    exploration = { runs, elapsedMillis: exploration.elapsedMillis + report.elapsedMillis, traces: digests.size }
    if (failure !== undefined && !failures.has(failure.invariant)) {
      failures.set(failure.invariant, yield* smallest(scenario, failure, runs, maxShrinks))
    }
    if (options.onProgress !== undefined) yield* options.onProgress({ runs, of, seed, failure })
    if (failures.size > 0 && stopAtFirst) break
    if (runs === of) { for (const failure of missed(report, reached)) failures.set(failure.invariant, failure) }
  }
  return { failures: Array.from(failures.values()), exploration }
})

const ensure = (option: string, valid: boolean, value: unknown, rule: string): void => {
  if (!valid) throw new SimulationOptionsError({ option, value, rule })
}

const draw = (drawFaults: ExploreOptions["drawFaults"], seed: number): Effect.Effect<Fault.Plan> => {
  if (drawFaults === undefined) return Effect.succeed([])
  if (!Arbitrary.isArbitrary(drawFaults)) return Effect.sync(() => drawFaults(Random.make(seed).fork("faults")))
  return Effect.map(Effect.orDie(Arbitrary.sampleEffect(drawFaults, { count: 1, seed })), ([plan]) => plan ?? [])
}

const isFault = Schema.is(Fault.Fault)

const smallest = Effect.fnUntraced(function*<H extends Programs, C extends Clients>(
  scenario: () => Scenario<H, C>,
  found: SimulationFailure,
  runs: number,
  maxShrinks: number
) {
  const { elements, failure, runs: shrinks } = yield* minimise({
    elements: found.faults,
    failure: found,
    maxRuns: maxShrinks,
    *simpler(fault: Fault.Fault) {
      for (const simpler of simplerData(fault)) if (isFault(simpler)) yield simpler
    },
    fails: (faults) =>
      Effect.map(
        Effect.suspend(() => execute(scenario(), { seed: found.seed, faults }, keptLines)),
        ({ failure }: Outcome<C>) => failure?.invariant === found.invariant ? failure : undefined
      )
  })
  return new SimulationFailure({
    ...failure,
    faults: elements,
    search: { runs, faultsBefore: found.faults.length, shrinks }
  })
})

/** Each `sometimes` that never held, with the run after which that is so. @category constructors @since 0.1.0 */
export const missed = (
  { elapsedMillis, faults, seed, trace, traceSize }: Report,
  reached: Report["reached"]
): ReadonlyArray<SimulationFailure> => {
  const told = { broken: "it never held", seed, faults, atMillis: elapsedMillis, trace, traceSize }
  return Object.keys(reached).flatMap((invariant) =>
    reached[invariant] === true ? [] : [new SimulationFailure({ invariant, ...told })]
  )
}
