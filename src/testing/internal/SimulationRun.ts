/**
 * One run of a scenario, from the first bind to the last leak.
 *
 * ```
 * hosts start --settle--> faults, clients start --all ended, or duration--> clients closed --> hosts closed --> leaks? at end?
 *                            `-- at the end of each moment: always? sometimes? --'
 * ```
 *
 * The first thing that is broken ends the run; everything is still closed, so that nothing of it stays behind.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import * as EffectRandom from "effect/Random"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import { toMillis } from "../../internal/time.ts"
import type * as SeededScheduler from "../SeededScheduler.ts"
import * as SimulatedNetwork from "../SimulatedNetwork.ts"
import * as VirtualTime from "../VirtualTime.ts"
import * as Invariant from "./Invariant.ts"
import { type Clients, Network, type Programs, type Report, type Scenario, type Services } from "./Scenario.ts"
import { namesIn } from "./SimulatedCore.ts"
import { fault, hostName, meantName } from "./SimulatedOptions.ts"
import { type Replay, SimulationFailure } from "./SimulationFailure.ts"
import { SimulationLog } from "./SimulationLog.ts"
import { type Broken, ownName, SimulationPrograms } from "./SimulationPrograms.ts"
import { tell } from "./Tell.ts"

/** The values used where a scenario says nothing. @category options @since 0.1.0 */
export const defaults = {
  /** Long enough for any retry; without traffic it costs nothing. */
  duration: "1 hour",
  /** More than a server's drain, with its defaults of 11 seconds and a linger of 2. */
  closeWithin: "1 minute"
} as const

/** How much of the trace a run keeps: more than anybody reads. @category constants @since 0.1.0 */
export const keptLines = 10_000

/** What the network and virtual time still need after the run: a minute for each side to close, and some. */
const spareMillis = 3_600_000

/** In which order fibers run where the scenario does not say. */
const strategies = ["random", "pct", "round-robin"] as const

const schedulerOf = (scenario: Scenario<Programs, Clients>, seed: number): SeededScheduler.Options => ({
  strategy: strategies[Math.abs(seed % strategies.length)],
  ...scenario.scheduler,
  seed
})

/** The trace up to the moment in which something broke. */
interface Snapshot {
  readonly atMillis: number
  readonly trace: ReadonlyArray<string>
  readonly traceSize: number
}

/** What is left of a run. `failure` is absent where everything held. @category models @since 0.1.0 */
export interface Outcome<C extends Clients> {
  readonly report: Report<C>
  readonly failure: SimulationFailure | undefined
}

/** Runs once; `maxLines` is how much of the trace is kept. @category running @since 0.1.0 */
export const execute = Effect.fnUntraced(function*<H extends Programs, C extends Clients>(
  scenario: Scenario<H, C>,
  replay: Replay,
  maxLines: number
): Effect.fn.Return<Outcome<C>, never, Services<H, C>> {
  yield* Effect.context<Services<H, C>>() // the programs find it there
  const run = new SimulationRun(scenario, replay, maxLines)
  const exit = yield* Effect.exit(VirtualTime.run(VirtualTime.named(run.main, ownName), {
    scheduler: schedulerOf(scenario, replay.seed),
    maxDuration: run.durationMillis + 2 * run.closeMillis + spareMillis,
    check: () => run.look()
  }))
  return yield* run.outcome(exit)
})

/**
 * An option that no simulation can have: a defect.
 *
 * @category errors
 * @since 0.1.0
 */
export class SimulationOptionsError extends Data.TaggedError("SimulationOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.option} must be ${this.rule}, got ${Formatter.format(this.value)}`
}

const time = (option: string, value: Duration.Input): number => {
  const millis = toMillis(value)
  if (Number.isFinite(millis) && millis > 0) return millis
  throw new SimulationOptionsError({ option, value, rule: "a finite time, longer than 0" })
}

const namesOf = ({ clients, hosts }: Scenario<Programs, Clients>): ReadonlyArray<string> =>
  Array.from(new Set([...Object.keys(hosts), ...Object.keys(clients)]))

/** A misspelt host would make a fault, or a link, that never is. */
const mustBeThere = (scenario: Scenario<Programs, Clients>, { faults }: Replay): void => {
  const known = namesOf(scenario).map((name) => Result.getOrElse(hostName(name), () => name))
  const named = { faults, links: scenario.network?.links ?? [] }
  for (const [option, values] of Object.entries(named)) {
    for (const value of values) {
      for (const name of namesIn(value).map((name) => Result.getOrElse(meantName(name), () => name))) {
        if (name === "*" || known.includes(name)) continue
        throw new SimulationOptionsError({ option, value, rule: `of hosts that are there: ${known.join(", ")}` })
      }
    }
  }
}

class SimulationRun<H extends Programs, C extends Clients> {
  readonly durationMillis: number
  readonly closeMillis: number
  private readonly scenario: Scenario<H, C>
  private readonly invariants: Invariant.Invariants
  private readonly replay: Replay
  private readonly maxLines: number
  private readonly reached: Record<string, boolean> = {}
  private readonly stopped = Deferred.makeUnsafe<void>()
  /** The first thing that was broken. */
  private broken: Broken | undefined
  private snapshot: Snapshot | undefined
  private parts: {
    readonly clock: VirtualTime.VirtualClock
    readonly network: SimulatedNetwork.SimulatedNetwork
    readonly log: SimulationLog
    readonly programs: SimulationPrograms
  } | undefined

  constructor(scenario: Scenario<H, C>, replay: Replay, maxLines: number) {
    this.scenario = scenario
    this.invariants = scenario.invariants ?? {}
    this.replay = replay
    this.maxLines = maxLines
    this.durationMillis = time("duration", scenario.duration ?? defaults.duration)
    this.closeMillis = time("closeWithin", scenario.closeWithin ?? defaults.closeWithin)
    mustBeThere(scenario, replay)
    for (const [name, { _tag }] of Object.entries(this.invariants)) {
      if (_tag === "Sometimes") this.reached[name] = false
    }
  }

  /** Asks the invariants, at the end of a moment. */
  look(): undefined {
    for (const name of Object.keys(this.reached)) {
      this.reached[name] ||= Invariant.ask(this.invariants[name]!) === undefined
    }
    this.ask("Always")
  }

  private ask(tag: "Always" | "AtEnd"): void {
    const broken = Invariant.firstBroken(this.invariants, tag)
    if (broken !== undefined) this.fail(broken)
  }

  /** Something is broken: the first one counts, and ends the run. */
  private readonly fail = (broken: Broken): void => {
    if (this.broken !== undefined) return
    this.broken = broken
    this.snap()
    Deferred.doneUnsafe(this.stopped, Exit.void)
  }

  private snap(): void {
    if (this.snapshot !== undefined || this.parts === undefined) return
    const { log, network } = this.parts
    this.snapshot = { atMillis: network.now(), trace: log.lines, traceSize: log.size }
  }

  // --- the run -----------------------------------------------------------------------------------------------------

  readonly main = Effect.gen({ self: this }, function*() {
    const { scenario } = this
    const clock = yield* VirtualTime.VirtualTime
    const faults = yield* Effect.fromResult(Result.all(this.replay.faults.map(fault)))
    const scope = yield* Scope.make()
    const network = yield* SimulatedNetwork.make({
      ...scenario.network,
      seed: this.replay.seed,
      hosts: namesOf(scenario),
      maxTraceEvents: this.maxLines
    }).pipe(Scope.provide(scope))
    const log = new SimulationLog(network, this.maxLines)
    const programs = new SimulationPrograms(network, this.closeMillis, this.fail)
    this.parts = { clock, network, log, programs }
    yield* Effect.gen({ self: this }, function*() {
      for (const [name, program] of Object.entries(scenario.hosts)) yield* programs.startHost(name, program)
      yield* clock.settle
      // At once: with a yield for each, a plan that is made smaller would also change the order of fibers.
      for (const value of faults) network.injectUnsafe(value)
      for (const [name, program] of Object.entries(scenario.clients)) yield* programs.startClient(name, program)
      yield* this.untilOver
      yield* programs.close
      yield* clock.settle
      yield* this.findLeaks
      yield* Scope.close(scope, Exit.void)
      if (clock.pending() > 0) this.fail({ invariant: "nothing leaks", broken: `${clock.pending()} timers are left` })
      this.ask("AtEnd")
    }).pipe(
      Effect.onInterrupt(() => Effect.andThen(Effect.sync(() => this.snap()), programs.close)),
      Effect.provideService(Network, network),
      // What programs draw, such as the jitter of a schedule, belongs to the run.
      EffectRandom.withSeed(this.replay.seed),
      Effect.provide(Logger.layer([log.logger]))
    )
  })

  /** Until all clients have ended, the time is over, or something is broken. */
  private readonly untilOver = Effect.suspend(() => {
    const { clock, programs } = this.parts!
    const ended = Object.keys(this.scenario.clients).length === 0 ? Effect.sleep(this.durationMillis) : programs.ended
    return Effect.raceAllFirst([
      Effect.asVoid(ended),
      clock.deadline(this.durationMillis),
      Deferred.await(this.stopped)
    ])
  })

  // --- the end -----------------------------------------------------------------------------------------------------

  private readonly findLeaks = Effect.withFiber((self) =>
    Effect.sync(() => {
      const { clock, network } = this.parts!
      const fibers = clock.fibers().filter(({ fiber }) => fiber !== self)
      const open = network.hosts().filter((host) => host.openDescriptors() > 0)
      const leaks = [
        ...fibers.map(({ id, name, waitsFor }) => `fiber ${id} (${name}): ${waitsFor}`),
        ...(open.length === 0 ? [] : [`open on ${open.map(({ name }) => name).join(", ")}`, ...network.describe()])
      ]
      if (leaks.length > 0) this.fail({ invariant: "nothing leaks", broken: leaks.join("; ") })
      for (const { fiber } of fibers) fiber.interruptUnsafe()
    })
  )

  /** What a run was, from how it ended. A scenario that no network can have is a defect. */
  outcome(exit: Exit.Exit<void, unknown>): Effect.Effect<Outcome<C>> {
    if (this.parts === undefined) return Effect.orDie(Effect.andThen(exit, Effect.die("a run without a network")))
    if (Exit.isFailure(exit)) {
      const error = Cause.squash(exit.cause)
      const invariant = "the run goes on"
      if (error instanceof VirtualTime.Stuck) {
        const fibers = error.fibers.filter(({ name }) => !name.startsWith(ownName))
        const cause = new VirtualTime.Stuck({ ...error, fibers })
        this.fail({ invariant, broken: cause.message, cause })
      } else {
        this.fail({ invariant, broken: `it died of ${tell(error)}`, cause: exit.cause })
      }
    }
    const { clock, log, network, programs } = this.parts
    const { operations, steps } = clock.counts()
    const report: Report<C> = {
      ...this.replay,
      elapsedMillis: network.now(),
      steps,
      operations,
      counts: network.counts,
      clients: programs.exits as Report<C>["clients"], // of each client, under its name
      reached: this.reached,
      trace: log.lines,
      traceSize: log.size,
      digest: log.digest([steps, operations])
    }
    const failure = this.broken === undefined || this.snapshot === undefined
      ? undefined
      : new SimulationFailure({ ...this.replay, ...this.snapshot, ...this.broken })
    return Effect.succeed({ report, failure })
  }
}
