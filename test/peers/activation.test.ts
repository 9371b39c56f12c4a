/** A listening socket handed over by `systemd-socket-activate`, and by a few lines of Python: to the program, and to the library. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { bin } from "../cli/process.ts"
import { ended, folder, freePort, says, startFed, startJoined } from "./support/programs.ts"
import { real } from "./support/serving.ts"

const node = process.execPath
const served = fileURLToPath(new URL("support/inherited.ts", import.meta.url))

/** Listens where it is told to, and runs the program when somebody comes. */
const activate = Effect.fnUntraced(function*(places: ReadonlyArray<string>, ...program: ReadonlyArray<string>) {
  const listening = yield* startJoined(
    "systemd-socket-activate",
    ...places.flatMap((place) => ["-l", place]),
    ...program
  )
  yield* says(listening, new RegExp(`(?:Listening on .*\n){${places.length}}`))
  return listening
})

const ask = (...args: ReadonlyArray<string>) => Effect.flatMap(startFed("printf 'ahoy\\n'", ...args), ended)
const nc = (port: number) => ask("nc", "-N", "127.0.0.1", String(port))
const answered = { exit: 0, stdout: "yoha\n", stderr: "" }

describe("systemd-socket-activate", () => {
  it.live.each<readonly [string, ReadonlyArray<string>, exit: number]>([
    ["the program", [bin, "serve", "reverse"], 0],
    ["the program, with --fd", [bin, "serve", "reverse", "--fd", "3"], 0],
    // 130 is how Effect's runtime leaves that was interrupted.
    ["the library", ["--conditions=hawser-source", served, "fd:3"], 130]
  ])("hands a socket to %s, with the client that waits at it", ([, args, exit]) =>
    real(() =>
      Effect.gen(function*() {
        const port = yield* freePort
        const program = yield* activate([`127.0.0.1:${port}`], node, ...args)
        assert.deepStrictEqual(yield* nc(port), answered)
        yield* says(program, new RegExp(`listening on tcp://127\\.0\\.0\\.1:${port}\\b`))
        assert.deepStrictEqual(yield* nc(port), answered)
        program.kill("SIGTERM")
        assert.strictEqual((yield* ended(program)).exit, exit)
        assert.strictEqual((yield* nc(port)).stdout, "")
      })
    ))

  it.live("hands over several, of which one is a file", () =>
    real(() =>
      Effect.gen(function*() {
        const port = yield* freePort
        const path = join(yield* folder, "quay.sock")
        const program = yield* activate([`127.0.0.1:${port}`, path], node, bin, "serve", "reverse")
        assert.deepStrictEqual(yield* ask("socat", "-t", "5", "-", `UNIX-CONNECT:${path}`), answered)
        assert.deepStrictEqual(yield* nc(port), answered)
        program.kill("SIGTERM")
        assert.match((yield* ended(program)).stdout, /: 2 served, 0 drained, 0 forced, 0 refused\n$/)
      })
    ))

  it.live("has counted them: a descriptor beyond is refused", () =>
    real(() =>
      Effect.gen(function*() {
        const port = yield* freePort
        const program = yield* activate([`127.0.0.1:${port}`], node, bin, "serve", "reverse", "--fd", "4")
        yield* nc(port)
        const { exit, stdout } = yield* ended(program)
        assert.strictEqual(exit, 2)
        assert.match(stdout, /--fd.*one of the 1 that LISTEN_FDS counts from 3/)
      })
    ))
})

describe("a few lines of Python", () => {
  /** Binds, hands the socket over as descriptor 3, and becomes the program. */
  const script = `import os, socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen()
os.dup2(s.fileno(), 3)
os.set_inheritable(3, True)
if sys.argv[1] == "count":
  os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
if sys.argv[1] == "another":
  os.environ.update(LISTEN_FDS="1", LISTEN_PID="1")
os.execv(sys.argv[2], sys.argv[2:])`

  const hand = (how: string, ...args: ReadonlyArray<string>) =>
    startJoined("python3", "-c", script, how, node, bin, "serve", "reverse", ...args)

  const portOf = (said: RegExpExecArray) => Number(said[1])

  it.live.each<readonly [string, ReadonlyArray<string>]>([
    ["count", []],
    ["none", ["--fd", "3"]]
  ])("hand a socket over (%s %j)", ([how, args]) =>
    real(() =>
      Effect.gen(function*() {
        const program = yield* hand(how, ...args)
        const port = portOf(yield* says(program, /listening on tcp:\/\/127\.0\.0\.1:(\d+)/))
        assert.deepStrictEqual(yield* nc(port), answered)
      })
    ))

  it.live.each([["count", "fd:3", "LISTEN_FDS"], ["another", "tcp://127.0.0.1:12345", "default"]])(
    "are believed by the process that they name (%s: %s)",
    ([how, place, from]) =>
      real(() =>
        Effect.gen(function*() {
          const { exit, stdout } = yield* ended(yield* hand(how!, "--check"))
          assert.strictEqual(exit, 0, stdout)
          assert.match(stdout, new RegExp(`^listen +${place} +${from}$`, "m"))
        })
      )
  )
})
