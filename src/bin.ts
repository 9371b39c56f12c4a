/**
 * The process around the program: signals, stdout that nobody reads, and the exit.
 *
 * ```
 * first SIGINT or SIGTERM    `serve` drains and exits with 0; anything else is interrupted: 130 or 143
 * second one                 the process exits at once with 130 or 143, whatever it is doing
 * stdout is closed           as at the first signal, and the exit code is 0
 * SIGHUP                     `serve` loads its certificates again; anything else is ended by it
 * ```
 *
 * A worker of `serve --workers` has a supervisor to say all that: see `cli/workerPost.ts`.
 *
 * Effect's `runMain` exits with 130 for every signal, and lets a finalizer that hangs ignore the second one.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Failure from "./cli/Failure.ts"
import { main } from "./cli/main.ts"
import * as Post from "./cli/Post.ts"
import * as Reload from "./cli/Reload.ts"
import * as Stop from "./cli/Stop.ts"
import * as WorkerPost from "./cli/workerPost.ts"

const codes = { SIGINT: 130, SIGTERM: 143 } as const

/** What the process exits with when the program is interrupted. */
let interrupted: number | undefined
let asked = false
let awaited = false

const requested = Deferred.makeUnsafe<void>()

const stop = (code: number): void => {
  if (asked) return
  asked = true
  interrupted = code
  if (awaited) Deferred.doneUnsafe(requested, Effect.void)
  else fiber.interruptUnsafe()
}

/** In a worker: who is to be told when the supervisor got a SIGHUP. */
const reloads = new Set<() => void>()

const post = WorkerPost.take({
  drain: () => stop(0),
  reload: () => {
    for (const reload of reloads) reload()
  }
})

if (post === undefined) {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => asked ? process.exit(codes[signal]) : stop(codes[signal]))
  }
}

/** Why stdout cannot be written to, when it is not its reader that went away. */
const brokenBy = (error: NodeJS.ErrnoException): string | undefined =>
  error.code === "EPIPE" ? undefined : error.code ?? error.message

process.stdout.on("error", (error) => stop(brokenBy(error) === undefined ? 0 : 2))
process.stderr.on("error", () => {})

const reload = Reload.Reload.of({
  listen: (onRequest) =>
    Effect.acquireRelease(
      Effect.sync(() => post === undefined ? process.on("SIGHUP", onRequest) : reloads.add(onRequest)),
      () => Effect.sync(() => post === undefined ? process.off("SIGHUP", onRequest) : reloads.delete(onRequest))
    )
})

const fiber = Effect.runFork(
  main(process.argv.slice(2)).pipe(
    Effect.provideService(Post.CurrentPost, post),
    Effect.provideService(Reload.Reload, reload),
    Effect.provideService(Stop.Stop, {
      requested: Effect.suspend(() => {
        awaited = true
        return Deferred.await(requested)
      })
    }),
    Effect.provide(NodeServices.layer)
  )
)

// A program that only waits for a fiber would look idle to Node.
const alive = setInterval(() => {}, 2_147_483_647)

fiber.addObserver((exit) => {
  clearInterval(alive)
  const code = Exit.isSuccess(exit) ? exit.value : interrupted ?? 2
  // What was written to a pipe leaves later: the exit waits for it. A reader that does not read needs a second signal.
  process.stdout.write("", () => {
    const broken = process.stdout.errored === null ? undefined : brokenBy(process.stdout.errored)
    const unsaid = broken !== undefined && (code === 0 || Exit.isFailure(exit))
    const sentence = unsaid ? `${Failure.format(Failure.local(`cannot write to stdout (${broken})`))}\n` : ""
    process.stderr.write(sentence, () => process.exit(unsaid ? 2 : code))
  })
})
