/**
 * Who handles the connections of a `SocketServer`: nobody, the one `run`, or nobody any more.
 *
 * ```
 * Waiting --run--> Running --interrupted: the server drains--> Over
 * ```
 *
 * Connections wait in `Waiting`, each as a fiber that a drain ends; they are bounded by the server's `maxConnections`.
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as SocketServer from "effect/socket/SocketServer"
import type * as Connection from "../Connection.ts"
import { park, type Resume } from "./outbox.ts"

type Bytes = Connection.Connection<Uint8Array>
type Handle = (connection: Bytes) => Effect.Effect<unknown, unknown>
type State =
  | { readonly _tag: "Waiting"; readonly waiting: Array<Resume<Handle, never>> }
  | { readonly _tag: "Running"; readonly handle: Handle }
  | { readonly _tag: "Over" }

const refused = (message: string): SocketServer.SocketServerError =>
  new SocketServer.SocketServerError({
    reason: new SocketServer.SocketServerUnknownError({ cause: new Error(message) })
  })

export class SocketRuns {
  private state: State = { _tag: "Waiting", waiting: [] }

  /** Handles a connection as `run` says, when somebody runs. */
  serve(connection: Bytes): Effect.Effect<unknown, unknown> {
    return this.state._tag === "Running"
      ? this.state.handle(connection)
      : Effect.flatMap(
        Effect.raceFirst(this.running, Effect.as(connection.awaitDrain, undefined)),
        (handle) => handle?.(connection) ?? Effect.void
      )
  }

  private get running(): Effect.Effect<Handle> {
    return Effect.callback((resume) => {
      const { state } = this
      if (state._tag === "Waiting") return park(state.waiting, resume)
      // Over: the drain that comes ends the wait.
      return state._tag === "Running" ? resume(Exit.succeed(state.handle)) : undefined
    })
  }

  /** Handles every connection, until it is interrupted; `drain` then ends them. */
  run<R>(
    handler: (connection: Bytes) => Effect.Effect<unknown, unknown, R>,
    drain: Effect.Effect<unknown>
  ): Effect.Effect<never, SocketServer.SocketServerError, R> {
    return Effect.contextWith((services: Context.Context<R>) =>
      Effect.callback((resume) => {
        const { state } = this
        if (state._tag !== "Waiting") {
          const why = state._tag === "Running" ? "the server is run already" : "the server has drained"
          return resume(Effect.fail(refused(why)))
        }
        const handle: Handle = (connection) => Effect.provideContext(handler(connection), services)
        this.state = { _tag: "Running", handle }
        for (const wake of state.waiting) wake(Exit.succeed(handle))
        return Effect.suspend(() => {
          this.state = { _tag: "Over" }
          return Effect.asVoid(drain)
        })
      })
    )
  }
}
