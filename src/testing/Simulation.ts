/**
 * Whole systems in simulation: servers, clients and the network between them, in virtual time, from one seed.
 *
 * A scenario names programs, the hosts they run on, what goes wrong on the network, and what must hold. `run` runs it
 * once: virtual time jumps from event to event, the seed decides every latency, every cut of a stream and the order of
 * fibers, and the invariants are asked at the end of each moment. `explore` runs many seeds and fault plans, makes the
 * first failing plan small, and prints the value that `replay` repeats it with.
 *
 * ```
 * scenario + seed + faults --> hosts, clients, network, clock, scheduler --> Report, or SimulationFailure
 *                                                                             `-- invariant, seed, faults, trace
 * ```
 *
 * What always must hold, besides the scenario's own invariants:
 *
 * - the run goes on: while a client waits, something is scheduled;
 * - no host or client fails; a client that expects an error catches it;
 * - everything closes within `closeWithin`, the clients first;
 * - nothing leaks: when all is closed, no fiber, socket, listener, dial or timer is left.
 *
 * `watchServer` adds what every Hawser server must keep.
 *
 * **Gotchas**: what a scenario shares between its programs and invariants must be made inside the function that gives
 * it, so that every run begins afresh. What is not drawn from the seed (`Math.random`, the real time, files) makes runs
 * differ; `checkDeterminism` finds the first line that does.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { missed } from "./internal/Explore.ts"
import type { Clients, Programs, Report, Scenario, Services } from "./internal/Scenario.ts"
import type { Replay, SimulationFailure } from "./internal/SimulationFailure.ts"
import { execute, keptLines } from "./internal/SimulationRun.ts"

export {
  /** What an exploration saw. @category models @since 0.1.0 */
  type Exploration,
  /** Runs many seeds, until one fails. @category running @since 0.1.0 */
  explore,
  /** Runs many seeds, all of them. @category running @since 0.1.0 */
  exploreAll,
  /** The values used where an option is not given. @category options @since 0.1.0 */
  exploreDefaults,
  /** How to explore. @category options @since 0.1.0 */
  type ExploreOptions,
  /** How far an exploration is. @category models @since 0.1.0 */
  type Progress
} from "./internal/Explore.ts"
export {
  /** Must hold at the end of each moment. @category invariants @since 0.1.0 */
  always,
  /** What an invariant answers. @category models @since 0.1.0 */
  type Answer,
  /** Must hold when everything has ended. @category invariants @since 0.1.0 */
  atEnd,
  /** What must hold. @category models @since 0.1.0 */
  type Invariant,
  /** Invariants by their names. @category models @since 0.1.0 */
  type Invariants,
  /** Must hold at the end of some moment, in at least one run. @category invariants @since 0.1.0 */
  sometimes
} from "./internal/Invariant.ts"
export {
  /** Programs that come to an end. @category models @since 0.1.0 */
  type Clients,
  /** How a client ended. @category models @since 0.1.0 */
  type Exits,
  /** The network of a simulation, for programs that make faults themselves. @category services @since 0.1.0 */
  Network,
  /** What a host runs. @category models @since 0.1.0 */
  type Program,
  /** Programs by the names of their hosts. @category models @since 0.1.0 */
  type Programs,
  /** What a simulation gives to its programs. @category models @since 0.1.0 */
  type Provided,
  /** A run in which everything held. @category models @since 0.1.0 */
  type Report,
  /** A system under test. @category models @since 0.1.0 */
  type Scenario,
  /** What programs need besides. @category models @since 0.1.0 */
  type Services
} from "./internal/Scenario.ts"
export {
  /** Watches a server from its events. @category watching @since 0.1.0 */
  make as watchServer,
  /** A recorder of one server's events. @category models @since 0.1.0 */
  type ServerWatch
} from "./internal/ServerWatch.ts"
export {
  /** Writes what decides a run as a TypeScript value. @category formatting @since 0.1.0 */
  formatReplay,
  /** All that decides a run of a scenario. @category models @since 0.1.0 */
  type Replay,
  /** An invariant of a simulation was broken. @category errors @since 0.1.0 */
  SimulationFailure
} from "./internal/SimulationFailure.ts"
export {
  /** The values used where a scenario says nothing. @category options @since 0.1.0 */
  defaults,
  /** An option that no simulation can have: a defect. @category errors @since 0.1.0 */
  SimulationOptionsError
} from "./internal/SimulationRun.ts"

/** How much of it two runs are compared by. */
const comparedLines = 1_000_000

/**
 * A scenario with its seed.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options<H extends Programs, C extends Clients> extends Scenario<H, C> {
  /** Decides all that is drawn: any safe integer. */
  readonly seed: number
}

/**
 * Runs a scenario once.
 *
 * **Example**
 *
 * ```ts
 * import { Console, Effect } from "effect"
 * import { Client } from "hawser"
 * import { Reverse } from "hawser/services"
 * import { Fault, Simulation } from "hawser/testing"
 *
 * // A request, a network that is cut for two seconds, and a client that has three.
 * const scenario = () => {
 *   let answer = ""
 *   return {
 *     hosts: { server: Reverse.layer("tcp://*:7000") },
 *     clients: {
 *       alice: Effect.gen(function*() {
 *         const client = yield* Client.make(Reverse.protocol(), "tcp://server:7000", { callTimeout: "3 seconds" })
 *         yield* Effect.sleep("1 second")
 *         answer = yield* client.call("ahoy")
 *       })
 *     },
 *     faults: [Fault.partition("alice", "server", { at: 500, forMillis: 2000 })],
 *     invariants: { "alice has her answer": Simulation.atEnd(() => answer === "yoha") }
 *   }
 * }
 *
 * const program = Effect.gen(function*() {
 *   const { elapsedMillis } = yield* Simulation.run({ ...scenario(), seed: 1 })
 *   yield* Console.log(`all is well after ${elapsedMillis} ms`)
 *   const failure = yield* Effect.flip(
 *     Simulation.run({ ...scenario(), faults: [Fault.partition("alice", "server", { at: 500 })], seed: 1 })
 *   )
 *   yield* Console.log(failure.invariant)
 * })
 *
 * await Effect.runPromise(program)
 * ```
 *
 * It prints:
 *
 * ```text
 * all is well after 2504 ms
 * client alice succeeds
 * ```
 *
 * **Details**
 * - Errors: `SimulationFailure`, also where a `sometimes` never held. A scenario that cannot be, such as a fault of a
 *   host that is not there, is a defect.
 *
 * @see {@link explore} for many runs
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*<H extends Programs, C extends Clients>(
  options: Options<H, C>
): Effect.fn.Return<Report<C>, SimulationFailure, Services<H, C>> {
  const { failure, report } = yield* execute(options, { seed: options.seed, faults: options.faults ?? [] }, keptLines)
  if (failure !== undefined) return yield* failure
  const [unreached] = missed(report, report.reached)
  return unreached === undefined ? report : yield* unreached
})

/**
 * Runs a scenario with the seed and the faults of a failure.
 *
 * @category running
 * @since 0.1.0
 */
export const replay = <H extends Programs, C extends Clients>(
  scenario: () => Scenario<H, C>,
  { faults, seed }: Replay
): Effect.Effect<Report<C>, SimulationFailure, Services<H, C>> =>
  Effect.suspend(() => run({ ...scenario(), seed, faults }))

/**
 * The same seed and faults gave different traces: `line` counts from 1.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotDeterministic extends Data.TaggedError("NotDeterministic")<{
  readonly seed: number
  readonly line: number
  readonly first: string
  readonly second: string
}> {
  override readonly message = `seed ${this.seed} gave two traces; they differ from line ${this.line} on:\n`
    + `${this.first}\n${this.second}`
}

/**
 * Runs a scenario twice with the same seed and faults, and compares the traces, line by line, and the counts of steps.
 *
 * **Details**
 * - Errors: `NotDeterministic`. What the runs themselves break does not matter here.
 *
 * @category running
 * @since 0.1.0
 */
export const checkDeterminism = Effect.fnUntraced(function*<H extends Programs, C extends Clients>(
  scenario: () => Scenario<H, C>,
  replay: Replay
): Effect.fn.Return<Report<C>, NotDeterministic, Services<H, C>> {
  const { report: first } = yield* execute(scenario(), replay, comparedLines)
  const { report: second } = yield* execute(scenario(), replay, comparedLines)
  if (first.digest === second.digest) return first
  const line = first.trace.findIndex((text, index) => text !== second.trace[index])
  const at = line === -1 ? first.trace.length : line
  const end = ({ operations, steps }: Report) => `the end, after ${steps} steps and ${operations} operations`
  return yield* new NotDeterministic({
    seed: replay.seed,
    line: at + 1,
    first: first.trace[at] ?? end(first),
    second: second.trace[at] ?? end(second)
  })
})
