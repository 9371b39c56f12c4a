/**
 * The message loop of a server: pull a batch, answer its requests in order, and let the replies leave together.
 *
 * A handler whose answer is already there costs no suspension: its value is taken and the loop goes on. Replies collect
 * in the connection; they leave when the fiber pulls again, when 64 KiB have collected, or, before a handler that may
 * take its time, at the end of the current turn of JavaScript.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import type * as CloseReason from "../CloseReason.ts"
import type * as internal from "./connection.ts"

/** Serves until the peer's end of stream; a failure that `isFailure` knows is a response like any other. */
export const serve = <Request, Response, E, R>(
  connection: internal.ConnectionMachine<Request, Response>,
  handler: (
    request: Request,
    connection: internal.ConnectionMachine<Request, Response>
  ) => Effect.Effect<Response, E, R>,
  isFailure: ((value: unknown) => value is Response) | undefined
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
        return Effect.matchCauseEffect(answer, {
          onSuccess: (response) => reply(response, batch, i + 1),
          onFailure: (cause) => failed(cause, batch, i + 1)
        })
      }
    }
    // Nor are any more of its requests read.
    connection.flush()
    return connection.isBlocked ? Effect.flatMap(connection.writable, () => loop) : loop
  }

  const reply = (response: Response, batch: ReadonlyArray<Request>, next: number): Step => {
    const error = connection.offer(response)
    return error === undefined ? run(batch, next) : connection.fail(error)
  }

  const failed = (cause: Cause.Cause<E>, batch: ReadonlyArray<Request>, next: number): Step => {
    const error = Cause.findError(cause)
    if (Result.isFailure(error) || Cause.hasDies(cause)) return Exit.failCause(cause)
    if (isFailure?.(error.success)) return reply(error.success, batch, next)
    // The end of some other stream, which must not pass for the end of this one.
    return Cause.isDone(error.success) ? Exit.die(error.success) : Exit.failCause(cause)
  }

  const loop: Step = Effect.flatMap(connection.pull, (batch) => run(batch, 0))
  return Pull.catchDone(loop, () => Effect.void)
}
