/**
 * The message loop of a server: answer requests in order as they are decoded, and let the replies leave together.
 *
 * A handler whose answer is already there needs no fiber: its value is taken and the next request follows, inside the
 * event that brought them. Anything else runs in the connection's fiber, which is started when the first request needs
 * it, and sleeps on while the requests do not; the requests behind it wait.
 *
 * ```
 * push --> answer    push --> answer    ...    done --> flush          asleep, or no fiber so far
 *   `-- an effect that is to be run, others behind it --> rest --> pull    in the fiber
 * ```
 *
 * Replies collect in the connection; they leave when all that arrived was answered, when 64 KiB have collected, or, before
 * a handler that may take its time, at the end of the current turn of JavaScript.
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

/** What is left to do of the requests that arrived. */
type Rest<E, R> = Effect.Effect<void, E | CloseReason.ConnectionError, R>

/** Gives what is left to do of a request, and of those from `next` on that stand behind it. */
type Unanswered<Request, E, R> = (behind: ReadonlyArray<Request>, next: number) => Rest<E, R>

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
  /** What arrived behind a request that could not be answered at once, and what is left to do of both. */
  private behind: Array<Request> | undefined = undefined
  private rest: Rest<E, R> | undefined = undefined

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
    this.connection.fiber?.addObserver(() => this.pay())
    return true
  }

  /** There is nothing more to answer. */
  private pay(): void {
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
      this.lending?.answered()
      const rest = this.answerFrom(batch, 0)
      return rest === undefined ? loop : Effect.flatMap(rest, () => loop)
    }
    const loop: Loop = Effect.flatMap(this.connection.pull, next)
    // A fiber's frames hold the effects that they stand for, and would hold the first batch as long as it lives.
    const once = [first]
    const begin = Effect.suspend(() => once.pop() ?? this.connection.pull)
    return Pull.catchDone(Effect.flatMap(begin, next), () => Effect.void)
  }

  push(request: Request): void {
    if (this.behind !== undefined) {
      this.behind.push(request)
      return
    }
    try {
      const unanswered = this.begin(request)
      if (unanswered !== undefined) this.rest = unanswered(this.behind = [], 0)
    } catch (defect) {
      this.behind = []
      this.rest = Exit.die(defect)
    }
  }

  done(): Rest<E, R> | undefined {
    this.lending?.answered()
    const { rest } = this
    if (rest === undefined) return this.finish()
    this.behind = undefined
    this.rest = undefined
    return rest
  }

  /** Answers a request, if that can be done at once. */
  private begin(request: Request): Unanswered<Request, E, R> | undefined {
    const { connection } = this
    if (connection.isBlocked) return this.wait(request)
    const answer = this.handler(request, connection)
    if (!hasSucceeded(answer)) return this.handle(answer)
    const error = connection.offer(answer.value as Response) // the value of an Effect<Response> that succeeded
    return error === undefined ? undefined : this.refuse(error)
  }

  private refuse(error: CloseReason.CloseReason): Unanswered<Request, E, R> {
    return () => this.connection.fail(error)
  }

  /** A peer that does not read its replies gets no more of them computed. */
  private wait(request: Request): Unanswered<Request, E, R> {
    this.owe()
    return (behind, next) =>
      Effect.flatMap(this.connection.writable, () => this.goOn(() => this.retry(request, behind, next)))
  }

  private handle(answer: Effect.Effect<Response, E, R>): Unanswered<Request, E, R> {
    const { connection } = this
    this.owe()
    connection.flushSoon()
    connection.watch?.handling()
    return (behind, next) =>
      Effect.matchCauseEffect(answer, {
        onSuccess: (response) => this.reply(response, behind, next),
        onFailure: (cause) => this.failed(cause, behind, next)
      })
  }

  private retry(request: Request, behind: ReadonlyArray<Request>, next: number): Rest<E, R> {
    return this.begin(request)?.(behind, next) ?? this.answerFrom(behind, next) ?? Exit.void
  }

  /** Answers what can be answered at once, and gives the effect that does the rest. */
  private answerFrom(requests: ReadonlyArray<Request>, from: number): Rest<E, R> | undefined {
    for (let i = from; i < requests.length; i++) {
      const unanswered = this.begin(requests[i] as Request) // i is below the length
      if (unanswered !== undefined) return unanswered(requests, i + 1)
    }
    return this.finish()
  }

  /** Everything was answered. */
  private finish(): Rest<E, R> | undefined {
    const { connection } = this
    if (this.debt !== "nothing") this.pay()
    // A peer that does not read gets no more of its requests read, either.
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

  private reply(response: Response, behind: ReadonlyArray<Request>, next: number): Rest<E, R> {
    const { connection } = this
    connection.watch?.handled()
    return this.goOn(() => {
      const error = connection.isBroken ? connection.lost : connection.offer(response)
      return error === undefined ? this.answerFrom(behind, next) ?? Exit.void : connection.fail(error)
    })
  }

  private failed(cause: Cause.Cause<E>, behind: ReadonlyArray<Request>, next: number): Rest<E, R> {
    const error = Cause.findError(cause)
    if (Result.isFailure(error) || Cause.hasDies(cause)) return Exit.failCause(cause)
    if (this.isFailure?.(error.success)) return this.reply(error.success, behind, next)
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
