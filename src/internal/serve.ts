/**
 * The message loop of a server: take a batch, answer its requests in order, and let the replies leave together.
 *
 * A handler whose answer is already there needs no fiber: its value is taken and the next request follows, inside the
 * event that brought them. Anything else runs in the connection's fiber, which is started when the first request needs
 * it, and sleeps on while the requests do not.
 *
 * ```
 * batch --> answer, answer, ... --------------------------> flush      asleep, or no fiber so far
 *                 `-- an effect that is to be run --> rest --> pull    in the fiber
 * ```
 *
 * Replies collect in the connection; they leave at the end of a batch, when 64 KiB have collected, or, before a handler
 * that may take its time, at the end of the current turn of JavaScript.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import type * as CloseReason from "../CloseReason.ts"
import type * as internal from "./connection.ts"
import type { Lending } from "./lending.ts"
import { copying } from "./outbox.ts"

type Machine<Request, Response> = internal.ConnectionMachine<Request, Response>

type Handler<Request, Response, E, R> = (
  request: Request,
  connection: Machine<Request, Response>
) => Effect.Effect<Response, E, R>

/** Runs an effect in the connection's fiber; an exit ends the connection at once. */
type Run<Request, Response, E, R> = (
  connection: Machine<Request, Response>,
  effect: Effect.Effect<unknown, E | CloseReason.ConnectionError | Cause.Done, R>
) => void

/** What is left to do of a batch. */
type Rest<E, R> = Effect.Effect<void, E | CloseReason.ConnectionError, R>

/** What a connection owes: answers, or answers for which it keeps the bytes that it was lent. */
type Debt = "nothing" | "answers" | "bytes"

/**
 * Whether an effect has succeeded already. Effect's own question is one for anything at all, and slower: 19 % with 256
 * in flight.
 */
const hasSucceeded = <A, E, R>(effect: Effect.Effect<A, E, R>): effect is Exit.Success<A, E> => {
  const exit = effect as Partial<Exit.Exit<unknown, unknown>> // of which it may have all or nothing
  return exit["~effect/Exit"] !== undefined && exit._tag === "Success"
}

/** One per connection, with no closure of its own: an idle connection would hold them all. */
class Conversation<Request, Response, E, R> implements internal.Answerer<Request> {
  private readonly connection: Machine<Request, Response>
  private readonly handler: Handler<Request, Response, E, R>
  private readonly isFailure: ((value: unknown) => value is Response) | undefined
  private readonly run: Run<Request, Response, E, R>
  /** Until it has kept something, once: what comes later is copied for it. */
  private lending: Lending | undefined
  private debt: Debt = "nothing"

  constructor(
    connection: Machine<Request, Response>,
    handler: Handler<Request, Response, E, R>,
    isFailure: ((value: unknown) => value is Response) | undefined,
    run: Run<Request, Response, E, R>,
    lending: Lending | undefined
  ) {
    this.connection = connection
    this.handler = handler
    this.isFailure = isFailure
    this.run = run
    this.lending = lending
  }

  get isBorrowing(): boolean {
    return this.lending !== undefined && this.lending.isOpen
  }

  keep(): boolean {
    if (this.lending === undefined || this.debt === "nothing") return false
    this.debt = "bytes"
    this.lending.keep()
    this.connection.fiber?.addObserver(() => this.settle())
    return true
  }

  /** There is nothing more to answer. */
  private settle(): void {
    if (this.debt === "bytes") {
      this.lending?.giveBack()
      this.lending = undefined
    }
    this.debt = "nothing"
  }

  /** What has ended already needs no fiber. */
  wake(first: Pull.Pull<internal.Batch<Request>, CloseReason.ConnectionError>): void {
    this.run(this.connection, Exit.isExit(first) && Exit.isFailure(first) ? first : this.loop(first))
  }

  private loop(
    first: Pull.Pull<internal.Batch<Request>, CloseReason.ConnectionError>
  ): Effect.Effect<void, E | CloseReason.ConnectionError, R> {
    type Loop = Pull.Pull<never, E | CloseReason.ConnectionError, void, R>
    const next = (batch: internal.Batch<Request>): Loop => {
      const rest = this.answer(batch)
      return rest === undefined ? loop : Effect.flatMap(rest, () => loop)
    }
    const loop: Loop = Effect.flatMap(this.connection.pull, next)
    // A fiber's frames hold the effects that they stand for, and would hold the first batch as long as it lives.
    const once = [first]
    const begin = Effect.suspend(() => once.pop() ?? this.connection.pull)
    return Pull.catchDone(Effect.flatMap(begin, next), () => Effect.void)
  }

  answer(batch: internal.Batch<Request>): Rest<E, R> | undefined {
    this.lending?.answered()
    return this.answerFrom(batch, 0)
  }

  /** Answers what can be answered at once, and gives the effect that does the rest. */
  private answerFrom(batch: internal.Batch<Request>, from: number): Rest<E, R> | undefined {
    const { connection, handler } = this
    for (let i = from; i < batch.length; i++) {
      // A peer that does not read its replies gets no more of them computed.
      if (connection.isBlocked) {
        this.owe()
        return Effect.flatMap(connection.writable, () => this.goOn(() => this.answerFrom(batch, i) ?? Exit.void))
      }
      const answer = handler(batch[i] as Request, connection) // i is below the length
      if (hasSucceeded(answer)) {
        const error = connection.offer(answer.value as Response) // the value of an Effect<Response> that succeeded
        if (error !== undefined) return connection.fail(error)
      } else {
        this.owe()
        connection.flushSoon()
        connection.watch?.handling()
        return Effect.matchCauseEffect(answer, {
          onSuccess: (response) => this.reply(response, batch, i + 1),
          onFailure: (cause) => this.failed(cause, batch, i + 1)
        })
      }
    }
    if (this.debt !== "nothing") this.settle()
    // Nor are any more of its requests read.
    connection.flush()
    return connection.isBlocked ? connection.writable : undefined
  }

  private owe(): void {
    if (this.debt === "nothing") this.debt = "answers"
  }

  /** Replies to kept bytes are copied: these go with the last answer, and do not wait until the peer has read it. */
  private goOn(answer: () => Rest<E, R>): Rest<E, R> {
    return this.debt === "bytes" ? copying(answer) : answer()
  }

  private reply(response: Response, batch: internal.Batch<Request>, next: number): Rest<E, R> {
    const { connection } = this
    connection.watch?.handled()
    return this.goOn(() => {
      const error = connection.isBroken ? connection.lost : connection.offer(response)
      return error === undefined ? this.answerFrom(batch, next) ?? Exit.void : connection.fail(error)
    })
  }

  private failed(cause: Cause.Cause<E>, batch: internal.Batch<Request>, next: number): Rest<E, R> {
    const error = Cause.findError(cause)
    if (Result.isFailure(error) || Cause.hasDies(cause)) return Exit.failCause(cause)
    if (this.isFailure?.(error.success)) return this.reply(error.success, batch, next)
    // The end of some other stream, which must not pass for the end of this one.
    return Cause.isDone(error.success) ? Exit.die(error.success) : Exit.failCause(cause)
  }
}

/**
 * Serves until the peer's end of stream; a failure that `isFailure` knows is a response like any other. With `lending`,
 * a request may be gone when it is answered.
 */
export const serve = <Request, Response, E, R>(
  connection: Machine<Request, Response>,
  handler: Handler<Request, Response, E, R>,
  isFailure: ((value: unknown) => value is Response) | undefined,
  run: Run<Request, Response, E, R>,
  lending: Lending | undefined
): void => connection.sleep(new Conversation(connection, handler, isFailure, run, lending))
