/**
 * A worker, as its supervisor sees it: a process that runs the same command, what it says, and how it ended.
 *
 * It belongs to the supervisor: it is killed when the scope closes, or the process exits in whatever way. A supervisor
 * that is killed itself cannot do that; then the channel between them ends, and the worker drains.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, spawn } from "node:child_process"
import type { Readable } from "node:stream"
import * as Post from "./Post.ts"
import * as WorkerMessage from "./WorkerMessage.ts"

type Arguments = readonly [file: string, ...args: ReadonlyArray<string>]

/** The command that this process is, which a worker runs again. @category services @since 0.1.0 */
export class Command extends Context.Reference<Arguments>(
  "hawser/cli/WorkerCommand",
  { defaultValue: () => [process.execPath, ...process.execArgv, ...process.argv.slice(1)] }
) {}

/** How a process ended. @category models @since 0.1.0 */
export type Ending =
  | { readonly _tag: "Exited"; readonly code: number }
  | { readonly _tag: "Killed"; readonly signal: string }
  | { readonly _tag: "NotStarted"; readonly code: string }

/** A worker. @category models @since 0.1.0 */
export interface Worker {
  /** Counts from 1. */
  readonly number: number
  readonly processId: number | undefined
  /** What it prints; absent where there is no process. */
  readonly stdout: Readable | undefined
  readonly ready: Deferred.Deferred<void>
  /** Completes with where it listens. */
  readonly listening: Deferred.Deferred<WorkerMessage.Endpoints>
  /** Completes with how many are in. */
  readonly draining: Deferred.Deferred<number>
  readonly drained: Deferred.Deferred<WorkerMessage.Drained>
  /** Completes with why it cannot go on. */
  readonly failed: Deferred.Deferred<WorkerMessage.Failed>
  /** Completes when the process is gone, and everything that it said is known. */
  readonly ended: Deferred.Deferred<Ending>
  /** Says something, and never waits; to a worker that is gone, nothing. */
  readonly tell: (order: WorkerMessage.Order) => void
  /** Ends it at once. */
  readonly kill: () => void
}

const hear = (worker: Worker, news: WorkerMessage.News): void => {
  switch (news._tag) {
    case "Ready":
      return void Deferred.doneUnsafe(worker.ready, Effect.void)
    case "Listening":
      return void Deferred.doneUnsafe(worker.listening, Effect.succeed(news.endpoints))
    case "Draining":
      return void Deferred.doneUnsafe(worker.draining, Effect.succeed(news.open))
    case "Drained":
      return void Deferred.doneUnsafe(worker.drained, Effect.succeed(news))
    case "Failed":
      return void Deferred.doneUnsafe(worker.failed, Effect.succeed(news))
  }
}

/** Starts the process; without one, gives the system's word for why. */
const begin = ([file, ...args]: Arguments, place: Post.Place): ChildProcess | string => {
  try {
    return spawn(file, args, {
      env: { ...process.env, [Post.variable]: Post.format(place) },
      // Its errors go where those of the supervisor go: also what the runtime says before it crashes.
      stdio: ["ignore", "pipe", "inherit", "ipc"]
    })
  } catch (error) {
    // Some errors are thrown, others are told later.
    return codeOf(error)
  }
}

const codeOf = (error: unknown): string =>
  error instanceof Error && "code" in error ? String(error.code) : String(error)

const start = (command: Arguments, place: Post.Place): Worker => {
  const begun = begin(command, place)
  const child = typeof begun === "string" ? undefined : begun
  const worker: Worker = {
    number: place.worker,
    processId: child?.pid,
    stdout: child?.stdout ?? undefined,
    ready: Deferred.makeUnsafe(),
    listening: Deferred.makeUnsafe(),
    draining: Deferred.makeUnsafe(),
    drained: Deferred.makeUnsafe(),
    failed: Deferred.makeUnsafe(),
    ended: Deferred.makeUnsafe(),
    tell: (order) => {
      // What cannot be sent need not be: that the worker is gone is told in another way.
      if (child?.connected === true) child.send(order, () => {})
    },
    kill: () => void child?.kill("SIGKILL")
  }
  const end = (ending: Ending) => void Deferred.doneUnsafe(worker.ended, Effect.succeed(ending))
  if (typeof begun === "string") end({ _tag: "NotStarted", code: begun })
  child?.on("message", (message) => {
    const news = WorkerMessage.toNews(message)
    if (news !== undefined) hear(worker, news)
  })
  let exit: Ending | undefined
  // What it said last may be read after its exit.
  const look = () => {
    if (exit !== undefined && child?.connected !== true) end(exit)
  }
  child?.on("exit", (code, signal) => {
    exit = code === null ? { _tag: "Killed", signal: signal ?? "a signal" } : { _tag: "Exited", code }
    look()
  })
  child?.on("disconnect", look)
  child?.on("error", (error) => {
    // Where there is a process, a message could not be sent.
    if (child.pid === undefined) end({ _tag: "NotStarted", code: codeOf(error) })
  })
  return worker
}

/** Starts so many workers, for the time of the scope. @category constructors @since 0.1.0 */
export const startAll = Effect.fnUntraced(function*(
  workers: number,
  colours: boolean
): Effect.fn.Return<ReadonlyArray<Worker>, never, Scope.Scope> {
  const command = yield* Command
  const started: Array<Worker> = []
  const killAll = () => {
    for (const worker of started) worker.kill()
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => process.on("exit", killAll)),
    () =>
      Effect.sync(() => {
        process.off("exit", killAll)
        killAll()
      })
  )
  for (let worker = 1; worker <= workers; worker++) {
    started.push(start(command, { worker, workers, colours }))
    yield* Effect.logDebug(`worker ${worker} is process ${started.at(-1)?.processId}`)
  }
  return started
})
