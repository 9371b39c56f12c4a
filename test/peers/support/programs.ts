/**
 * Programs that were written elsewhere, for the time of a scope: started, waited for by what they say, and ended.
 *
 * Everything listens on the loopback. A program that cannot choose a port by itself is given one below the range from
 * which the system takes the ports of clients, so that nobody takes it before the program does.
 */
import { Effect } from "effect"
import { mkdtempSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bin, type Ended, Program } from "../../cli/process.ts"

/** Starts a program, for the time of the scope. */
export const start = (command: string, args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) =>
  Effect.acquireDisposable(Effect.sync(() => new Program(command, args, env)))

/** A program whose two outputs are one; `script` is what runs it, with the arguments as `"$@"`. */
const joined = (script: string, args: ReadonlyArray<string>) => start("sh", ["-c", `${script} 2>&1`, "sh", ...args])

/** A command and its arguments, in groups or one by one. */
type Words = ReadonlyArray<string | ReadonlyArray<string>>

/** Starts a program that says on stdout what it says on stderr. */
export const startJoined = (...words: Words) => joined("exec \"$@\"", words.flat())

/** Starts a program that reads what a script of the shell writes. */
export const startFed = (script: string, ...words: Words) => joined(`{ ${script}; } | "$@"`, words.flat())

/** Starts hawser. */
export const startHawser = (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) =>
  start(process.execPath, [bin, ...args], env)

/** Waits until stdout, as a whole, matches. */
export const says = (program: Program, pattern: RegExp) => Effect.promise(() => program.says(pattern))

/** How a program ends that is left alone. */
export const ended = (program: Program): Effect.Effect<Ended> => Effect.promise(() => program.ended)

/** The output of a program that is left alone. */
export const output = Effect.fnUntraced(function*(program: Program) {
  return (yield* ended(program)).stdout
})

/** Below 32768, where Linux begins to number the ports of clients. */
const lowestPort = 12_000
const highestPort = 32_000

/** A port of the loopback on which nobody listens. */
export const freePort: Effect.Effect<number> = Effect.callback<number>((resume) => {
  const look = () => {
    const port = lowestPort + Math.floor(Math.random() * (highestPort - lowestPort))
    const server = Net.createServer().once("error", look)
    server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.succeed(port))))
  }
  look()
})

/** A folder, for the time of the scope. */
export const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "hawser-peers-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

/** The path of a file of `test/data/tls`. */
export const pemPath = (name: string): string => fileURLToPath(new URL(`../../data/tls/${name}.pem`, import.meta.url))
