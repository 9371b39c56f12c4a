/** Effect's sockets over hawser's network in memory: servers that are run, and what their sockets said. */
import { Cause, Effect, Exit, type Scope } from "effect"
import { Socket } from "effect/socket"
import { EffectSocket, type Server } from "../../src/index.ts"
import { memory, Told } from "./network.ts"

/** What was pulled, as text. */
export const text = (batch: ReadonlyArray<Uint8Array | string>) =>
  batch.map((chunk) => typeof chunk === "string" ? chunk : new TextDecoder().decode(chunk)).join("")

/** What an operation of a socket failed with, in words. */
export const said = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  const error = Cause.squash(exit.cause)
  if (!Socket.isSocketError(error)) return String(error)
  const { reason } = error
  const cause = "cause" in reason && reason.cause instanceof Error ? ` (${reason.cause.message})` : ""
  return `${reason._tag}: ${reason.message}${cause}`
}

/** Starts a `SocketServer`, with its events. */
export const serve = Effect.fnUntraced(function*(options: Server.ConnectionOptions<Uint8Array> = {}) {
  const told = new Told()
  const { server, socketServer } = yield* EffectSocket.makeSocketServer(memory, {
    ...options,
    onEvent: (event) => void told.events.push(event)
  })
  return { ...server, ...socketServer, told }
})

/** Starts one that is run. */
export const running = Effect.fnUntraced(function*<E>(
  handler: (socket: Socket.Socket) => Effect.Effect<unknown, E, Scope.Scope>,
  options: Server.ConnectionOptions<Uint8Array> = {}
) {
  const server = yield* serve(options)
  const run = yield* Effect.forkChild(server.run(handler), { startImmediately: true })
  return { ...server, running: run }
})

/** Pulls to the end, and gives everything that came with the error. */
export const toEnd = (reader: Socket.Reader) =>
  Effect.gen(function*() {
    let all = ""
    const end = yield* Effect.exit(
      Effect.forever(Effect.tap(reader.pull, (batch) => Effect.sync(() => void (all += text(batch)))))
    )
    return { all, end: said(end) }
  })
