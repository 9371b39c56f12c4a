/**
 * The workers of a supervisor as one server: they listen together, are lost together, and drain together.
 *
 * The first worker finds out whether an address is free, and which port a 0 becomes; then the others listen there, too.
 * How long they may take for anything is bounded, but for the time in which somebody does not read what they printed.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as Server from "../Server.ts"
import * as Failure from "./Failure.ts"
import type * as Relay from "./Relay.ts"
import * as Units from "./Units.ts"
import * as Worker from "./Worker.ts"
import type * as WorkerMessage from "./WorkerMessage.ts"

/** How long a worker may take for what. @category constants @since 0.1.0 */
export const limits = {
  /** To listen. It takes well under a second; the rest is for a busy machine, and for hundreds of workers. */
  start: Duration.minutes(1),
  /** To close its listener and say how many are in, which takes no waiting. */
  answer: Duration.seconds(2),
  /** To drain, besides the grace: forcing and lingering take seconds. */
  drain: Duration.seconds(10),
  /** To end when all is done and printed. */
  exit: Duration.seconds(5)
} as const

/** Some workers. @category models @since 0.1.0 */
export interface Crew {
  /** Makes all of them listen; says where they do. */
  readonly listen: (endpoints: WorkerMessage.Endpoints) => Effect.Effect<WorkerMessage.Endpoints, Failure.Failure>
  /** Fails when one of them cannot go on, or has ended without being asked to. */
  readonly lost: Effect.Effect<never, Failure.Failure>
  /** Makes all of them load their certificates again. */
  readonly reload: () => void
  /** Makes all of them drain; says how many connections are in. */
  readonly drain: Effect.Effect<number>
  /** Waits until all of them have drained, printed everything, and ended; says how that went. */
  readonly end: (grace: Duration.Duration) => Effect.Effect<End>
}

/** How workers ended. @category models @since 0.1.0 */
interface End {
  /** The sums of those that told, and the longest time. */
  readonly report: Server.DrainReport
  /** What was wrong with an end, if anything was. */
  readonly failure: Failure.Failure | undefined
}

interface Member extends Worker.Worker {
  /** Passes on what it prints. */
  readonly passing: Fiber.Fiber<void>
}

const failed = (message: string, hint: string, exitCode: Failure.ExitCode = 1): Failure.Failure =>
  new Failure.Failure({ exitCode, message, hint })

/** What it means that a worker has ended in a way that nobody asked for. */
const fromEnding = ({ listening, number }: Worker.Worker, ending: Worker.Ending): Failure.Failure => {
  if (ending._tag === "NotStarted") {
    return failed(`worker ${number} cannot be started (${ending.code})`, "try fewer --workers", 2)
  }
  const how = ending._tag === "Killed" ? `was killed by ${ending.signal}` : `ended with exit code ${ending.code}`
  if (!Deferred.isDoneUnsafe(listening)) {
    return failed(`worker ${number} ${how} before it listened`, "what it said about that stands above")
  }
  return failed(
    `worker ${number} ${how}, and the others were drained`,
    ending._tag === "Killed" && ending.signal === "SIGKILL"
      ? "the system kills when memory runs out; a service manager can start the server again"
      : "what it said about that stands above; a service manager can start the server again"
  )
}

/** Waits, but not for ever. */
const within = <A>(duration: Duration.Duration, effect: Effect.Effect<A>): Effect.Effect<A | undefined> =>
  Effect.map(Effect.timeoutOption(effect, duration), Option.getOrUndefined)

/** What a worker says, or nothing where it ends before. */
const orEnds = <A>({ ended }: Worker.Worker, said: Deferred.Deferred<A>): Effect.Effect<A | undefined> =>
  Effect.raceFirst(Deferred.await(said), Effect.as(Deferred.await(ended), undefined))

const lost = (worker: Worker.Worker): Effect.Effect<never, Failure.Failure> =>
  Effect.raceFirst(
    Effect.flatMap(Deferred.await(worker.failed), (why) => Effect.fail(new Failure.Failure(why))),
    Effect.flatMap(Deferred.await(worker.ended), (ending) => Effect.fail(fromEnding(worker, ending)))
  )

const listen = Effect.fnUntraced(
  function*(worker: Worker.Worker, endpoints: WorkerMessage.Endpoints, isFirst: boolean) {
    yield* Deferred.await(worker.ready)
    worker.tell({ _tag: "Listen", endpoints, isFirst })
    return yield* Deferred.await(worker.listening)
  }
)

const listenAll = Effect.fnUntraced(function*(members: ReadonlyArray<Member>, wanted: WorkerMessage.Endpoints) {
  const [first, ...others] = members
  if (first === undefined) return wanted
  const endpoints = yield* listen(first, wanted, true)
  yield* Effect.forEach(others, (other) => listen(other, endpoints, false), { concurrency: "unbounded" })
  return endpoints
})

const isLate = (members: ReadonlyArray<Member>): Failure.Failure => {
  const late = members.find(({ listening }) => !Deferred.isDoneUnsafe(listening))
  const time = Units.formatDuration(limits.start)
  return failed(`worker ${late?.number} did not listen within ${time}`, "the machine may be too busy for so many")
}

/** Sees a worker that was asked to drain to its end; says what was wrong with it. */
const seeOff = Effect.fnUntraced(function*(worker: Member, grace: Duration.Duration, relay: Relay.Relay) {
  const time = Duration.sum(grace, limits.drain)
  let late: string | undefined
  const giveUp = (what: string) => {
    late ??= `worker ${worker.number} ${what}`
    worker.kill()
  }
  const isDone = yield* within(time, Effect.as(orEnds(worker, worker.drained), true))
  if (isDone === undefined) giveUp(`had not drained ${Units.formatDuration(time)} after it was asked to`)
  // What it printed must be read before it can end, and whoever reads stdout may take any time.
  const gone = Effect.andThen(Fiber.await(worker.passing), Deferred.await(worker.ended))
  let ending = yield* within(limits.exit, gone)
  while (ending === undefined) {
    if (!relay.isBehind()) giveUp(`had not ended ${Units.formatDuration(limits.exit)} after it had drained`)
    ending = yield* within(limits.exit, gone)
  }
  if (late !== undefined) return failed(late, "it was killed, with the connections that it still had")
  const isFine = ending._tag === "Exited" && ending.code === 0
  return isFine || Deferred.isDoneUnsafe(worker.failed) ? undefined : fromEnding(worker, ending)
})

const sum = (all: ReadonlyArray<number | undefined>): number => all.reduce<number>((sum, one = 0) => sum + one, 0)

const merge = (reports: ReadonlyArray<WorkerMessage.Drained | undefined>): Server.DrainReport => ({
  served: sum(reports.map((report) => report?.served)),
  drained: sum(reports.map((report) => report?.drained)),
  forced: sum(reports.map((report) => report?.forced)),
  refused: sum(reports.map((report) => report?.refused)),
  elapsed: Duration.millis(Math.max(0, ...reports.map((report) => report?.elapsedMillis ?? 0)))
})

/** Starts so many workers, for the time of the scope. @category constructors @since 0.1.0 */
export const make = Effect.fnUntraced(function*(
  workers: number,
  colours: boolean,
  relay: Relay.Relay
): Effect.fn.Return<Crew, never, Scope.Scope> {
  const members = yield* Effect.forEach(
    yield* Worker.startAll(workers, colours),
    (worker) =>
      Effect.map(
        Effect.forkScoped(worker.stdout === undefined ? Effect.void : relay.pass(worker.stdout)),
        (passing): Member => ({ ...worker, passing })
      )
  )
  const each = <A>(ask: (worker: Member) => Effect.Effect<A>): Effect.Effect<ReadonlyArray<A>> =>
    Effect.forEach(members, ask, { concurrency: "unbounded" })
  return {
    listen: (endpoints) =>
      Effect.timeoutOrElse(listenAll(members, endpoints), {
        duration: limits.start,
        orElse: () => Effect.fail(isLate(members))
      }),
    lost: Effect.raceAllFirst(members.map(lost)),
    reload: () => {
      for (const { tell } of members) tell({ _tag: "Reload" })
    },
    drain: Effect.suspend(() => {
      for (const { tell } of members) tell({ _tag: "Drain" })
      return Effect.map(each((worker) => within(limits.answer, orEnds(worker, worker.draining))), sum)
    }),
    end: Effect.fnUntraced(function*(grace) {
      const failures = yield* each((worker) => seeOff(worker, grace, relay))
      const reports = yield* each((worker) => orEnds(worker, worker.drained))
      return { report: merge(reports), failure: failures.find((failure) => failure !== undefined) }
    })
  }
})
