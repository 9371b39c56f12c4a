/**
 * Runs the program inside the test's own process: its arguments, stdin and terminal are given, what it prints is kept.
 *
 * Sockets and time are real; of the process there is nothing: no signals, no exit. That is tested with `process.ts`.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert } from "@effect/vitest"
import {
  type Cause,
  ConfigProvider,
  Deferred,
  Effect,
  Fiber,
  Layer,
  PlatformError,
  References,
  type Scope,
  Sink,
  Stdio,
  Stream,
  Terminal
} from "effect"
import { TestConsole } from "effect/testing"
import * as Net from "node:net"
import { main } from "../../src/cli/main.ts"
import * as Reload from "../../src/cli/Reload.ts"
import * as Stop from "../../src/cli/Stop.ts"
import * as NodeTransport from "../../src/NodeTransport.ts"
import * as Server from "../../src/Server.ts"

/** The world around the program. */
export interface World {
  /** What comes from a pipe. */
  readonly stdin?: ReadonlyArray<string | Uint8Array>
  /** The system's word for why stdin cannot be read any further. */
  readonly stdinFails?: string
  /** Nothing follows what comes from the pipe, not even its end. */
  readonly stdinStays?: boolean
  /** A bug behind what comes from the pipe. */
  readonly stdinDies?: string
  /** Makes stdin a terminal at which these lines are typed; then comes Ctrl-D. */
  readonly typed?: ReadonlyArray<string>
  /** The system's word for why stdout cannot be written to. */
  readonly stdoutFails?: string
  readonly env?: Readonly<Record<string, string>>
  readonly stdoutIsTerminal?: boolean
}

export interface Outcome {
  readonly exit: number
  readonly stdout: string
  readonly stderr: string
}

const encoder = new TextEncoder()
const toBytes = (data: string | Uint8Array): Uint8Array => typeof data === "string" ? encoder.encode(data) : data

const decoder = new TextDecoder()
const toText = (data: string | Uint8Array): string => typeof data === "string" ? data : decoder.decode(data)

/** What Effect's platform makes of an error of the system. */
export const systemFailure = (method: string, code: string): PlatformError.PlatformError =>
  PlatformError.systemError({ _tag: "Unknown", module: "Stdio", method, cause: { code } })

const terminal = (typed: ReadonlyArray<string>, write: (text: string) => void) => {
  const lines = [...typed]
  return Terminal.make({
    columns: Effect.succeed(80),
    rows: Effect.succeed(24),
    size: Effect.die("not used"),
    readInput: Effect.die("not used"),
    readLine: Effect.suspend(() => {
      const line = lines.shift()
      return line === undefined ? Effect.fail(new Terminal.QuitError({})) : Effect.succeed(line)
    }),
    display: (text) => Effect.sync(() => write(text))
  })
}

const surroundings = (world: World, write: (text: string) => void) =>
  Layer.mergeAll(
    NodeServices.layer,
    TestConsole.layer,
    ConfigProvider.layer(ConfigProvider.fromEnv({ env: { ...world.env } }))
  ).pipe(
    Layer.merge(Stdio.layerTest({
      stdin: Stream.concat(
        Stream.concat(
          Stream.map(Stream.fromIterable(world.stdin ?? []), toBytes),
          world.stdinFails === undefined
            ? world.stdinStays === true ? Stream.never : Stream.empty
            : Stream.fail(systemFailure("stdin", world.stdinFails))
        ),
        world.stdinDies === undefined ? Stream.empty : Stream.die(new Error(world.stdinDies))
      ),
      stdinIsTerminal: Effect.succeed(world.typed !== undefined),
      stdoutIsTerminal: Effect.succeed(world.stdoutIsTerminal ?? false),
      stdout: () =>
        Sink.forEach((data: string | Uint8Array) =>
          world.stdoutFails === undefined
            ? Effect.sync(() => write(toText(data)))
            : Effect.fail(systemFailure("stdout", world.stdoutFails))
        )
    })),
    Layer.merge(Layer.succeed(Terminal.Terminal, terminal(world.typed ?? [], write)))
  )

/** Runs the program to its end. */
export const run = (
  args: ReadonlyArray<string>,
  world: World = {},
  onWrite: (stdout: string) => void = () => {}
): Effect.Effect<Outcome> => {
  let stdout = ""
  const write = (text: string) => {
    stdout += text
    onWrite(stdout)
  }
  return Effect.gen(function*() {
    const exit = yield* main(args)
    const lines = (yield* TestConsole.logLines).map((line) => `${String(line)}\n`).join("")
    const stderr = (yield* TestConsole.errorLines).map((line) => `${String(line)}\n`).join("")
    return { exit, stdout: stdout + lines, stderr }
  }).pipe(Effect.provide(surroundings(world, write)))
}

/** A server that runs, and what the world may do to it. */
interface Serving {
  /** Waits until everything that was printed matches. */
  readonly says: (pattern: RegExp) => Effect.Effect<RegExpExecArray>
  /** SIGHUP. */
  readonly reload: Effect.Effect<void>
  /** Ctrl-C, and how it ends then. */
  readonly stop: Effect.Effect<Outcome>
}

/** Starts `hawser serve`, for the time of the scope. */
export const serving = Effect.fnUntraced(function*(args: ReadonlyArray<string>, world: World = {}) {
  const asked = yield* Deferred.make<void>()
  const listeners = new Set<() => void>()
  const waiting = new Set<() => void>()
  let stdout = ""
  const fiber = yield* run(["serve", ...args], world, (all) => {
    stdout = all
    for (const look of waiting) look()
  }).pipe(
    Effect.provideService(Stop.Stop, { requested: Deferred.await(asked) }),
    Effect.provideService(Reload.Reload, {
      listen: (onRequest) =>
        Effect.acquireRelease(
          Effect.sync(() => listeners.add(onRequest)),
          () => Effect.sync(() => listeners.delete(onRequest))
        )
    }),
    Effect.forkScoped
  )
  const ended = Effect.flatMap(
    Fiber.join(fiber),
    (outcome) => Effect.die(new Error(`it ended: ${outcome.stdout}${outcome.stderr}`))
  )
  const says = (pattern: RegExp) =>
    Effect.callback<RegExpExecArray>((resume) => {
      const look = () => {
        const found = pattern.exec(stdout)
        if (found !== null) resume(Effect.succeed(found))
      }
      waiting.add(look)
      look()
      return Effect.sync(() => waiting.delete(look))
    })
  const self: Serving = {
    says: (pattern) => Effect.raceFirst(says(pattern), ended),
    reload: Effect.sync(() => {
      for (const listener of listeners) listener()
    }),
    stop: Effect.andThen(Deferred.succeed(asked, undefined), Fiber.join(fiber))
  }
  return self
})

/** Checks how the program ends on wrong use, or when nothing works: one sentence, perhaps a hint, and nothing else. */
export const fails = Effect.fnUntraced(function*(
  args: ReadonlyArray<string>,
  expected: { readonly exit: number; readonly stderr: string },
  world: World = {}
) {
  assert.deepStrictEqual(yield* run(args, world), { stdout: "", ...expected })
})

/** Starts a server on real loopback TCP for the time of the scope, and gives its port as an argument. */
export const portOf = Effect.fnUntraced(function*<E, R>(layer: Layer.Layer<Server.Server, E, R>) {
  const context = yield* Layer.build(Layer.provide(layer, NodeTransport.layer)).pipe(
    // Whom it turns away is no news here.
    Effect.provideService(References.MinimumLogLevel, "Error")
  )
  const { endpoint } = yield* Effect.provide(Server.Server, context)
  return endpoint._tag === "Tcp" || endpoint._tag === "Tls" ? String(endpoint.port) : assert.fail("not TCP")
})

/** A server that knows nothing of hawser: `onSocket` is all it does. */
export const strange = (
  onSocket: (socket: Net.Socket) => void
): Effect.Effect<string, Cause.UnknownError, Scope.Scope> => {
  const sockets = new Set<Net.Socket>()
  return Effect.map(
    Effect.acquireRelease(
      Effect.callback<Net.Server>((resume) => {
        const server = Net.createServer({ allowHalfOpen: true }, (socket) => {
          sockets.add(socket.on("error", () => {}))
          onSocket(socket)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed(server)))
      }),
      (server) =>
        Effect.sync(() => {
          server.close()
          for (const socket of sockets) socket.destroy()
        })
    ),
    (server) => String((server.address() as Net.AddressInfo).port)
  )
}
