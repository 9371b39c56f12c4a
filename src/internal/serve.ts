/**
 * The message loop of a server: pull a batch, answer its requests in order, and let the replies leave together.
 *
 * A handler whose answer is already there costs no suspension: its value is taken and the loop goes on. Replies collect
 * in the connection; they leave when the fiber pulls again, when 64 KiB have collected, or, before a handler that may
 * take its time, at the end of the current turn of JavaScript.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import type * as CloseReason from "../CloseReason.ts"
import type * as internal from "./connection.ts"

export const serve = <Request, Response, E, R>(
  connection: internal.ConnectionMachine<Request, Response>,
  handler: (
    request: Request,
    connection: internal.ConnectionMachine<Request, Response>
  ) => Effect.Effect<Response, E, R>
): Effect.Effect<void, E | CloseReason.ConnectionError, R> => {
  type Step = Pull.Pull<never, E | CloseReason.ConnectionError, void, R>
  const run = (batch: ReadonlyArray<Request>, from: number): Step => {
    for (let i = from; i < batch.length; i++) {
      // A peer that does not read its replies gets no more of them computed.
      if (connection.isBlocked) return Effect.flatMap(connection.writable, () => run(batch, i))
      const answer = handler(batch[i] as Request, connection) // i is below the length
      if (Exit.isExit(answer) && Exit.isSuccess(answer)) {
        const error = connection.offer(answer.value as Response) // the value of an Effect<Response> that succeeded
        if (error !== undefined) return connection.fail(error)
      } else {
        connection.flushSoon()
        return Effect.flatMap(answer, (response) => {
          const error = connection.offer(response)
          return error === undefined ? run(batch, i + 1) : connection.fail(error)
        })
      }
    }
    return loop
  }
  const loop: Step = Effect.flatMap(connection.pull, (batch) => run(batch, 0))
  return Pull.catchDone(loop, () => Effect.void)
}
