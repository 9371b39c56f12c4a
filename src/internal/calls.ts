/**
 * The calls of a client: who waits, who is on the wire, and what each of them gets.
 *
 * ```
 * call --> waiting (a line) --turn--> onTheirWay (a line, as on the wire) --response--> settled
 *             `-------- interrupted, timed out, the connection ended --------'--> settled, the turn stays taken
 * ```
 *
 * Responses are handed out inside the event that brought them: each continues its caller's fiber there and then, and
 * what those fibers call leaves in one write behind the last of them.
 *
 * Invariants: a call settles once, when its `settle` is taken away; one whose fiber was interrupted on the wire keeps
 * it, and then it does nothing. `onTheirWay` holds exactly the requests on the wire that have no response yet, abandoned
 * ones included; its size never exceeds `depth`. A call waits only while it is full: so the two lines, one behind the
 * other, are in the order of coming.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Result from "effect/Result"
import * as CloseReason from "../CloseReason.ts"
import type * as Protocol from "../Protocol.ts"
import { CallLimit, type Moment } from "./callLimit.ts"
import { type CallTimeout, ClientError, type Sent } from "./clientError.ts"
import type * as internal from "./connection.ts"
import { type InLine, Line } from "./line.ts"

/** What a call ends with. */
type Outcome<Response, Failure> = Exit.Exit<Exclude<Response, Failure>, Failure | ClientError>

/** One call, from its first moment until it settles; `settle` is taken away when it does. */
interface Call<Request, Response, Failure> extends InLine<Call<Request, Response, Failure>> {
  readonly request: Request
  readonly since: Moment
  settle: ((outcome: Outcome<Response, Failure>) => void) | undefined
  /** Where the request lies in everything ever sent; -1 while it waits for its turn. */
  from: number
  to: number
}

/** How to call. */
export interface CallOptions<Response, Failure extends Response> {
  readonly goodbye: Protocol.Goodbye<Response>
  readonly isFailure: ((value: unknown) => value is Failure) | undefined
  readonly depth: number
  readonly maxWaiting: number
  readonly timeoutMillis: number
  readonly clock: Clock.Clock
  readonly fork: ConstructorParameters<typeof CallLimit>[0]["fork"]
}

/** For those who have all the time in the world. */
const whenever: Moment = { at: Number.POSITIVE_INFINITY }

/** The calls of one connection. */
export class Calls<Request, Response, Failure extends Response> implements internal.Answerer<Response> {
  readonly connection: internal.ConnectionMachine<Response, Request>
  private readonly goodbye: Protocol.Goodbye<Response>
  private readonly isFailure: ((value: unknown) => value is Failure) | undefined
  private readonly depth: number
  private readonly maxWaiting: number
  private readonly limit: CallLimit<Call<Request, Response, Failure>> | undefined
  private readonly waiting = new Line<Call<Request, Response, Failure>>()
  private readonly onTheirWay = new Line<Call<Request, Response, Failure>>()
  /** The goodbye, when it came while no call was on its way. */
  private parting: Outcome<Response, Failure> | undefined = undefined
  /** Responses are being handed out. */
  private handing = false
  /** Shared by the calls that are made meanwhile. */
  private moment: Moment | undefined = undefined

  constructor(
    connection: internal.ConnectionMachine<Response, Request>,
    { clock, depth, fork, goodbye, isFailure, maxWaiting, timeoutMillis }: CallOptions<Response, Failure>
  ) {
    this.connection = connection
    this.goodbye = goodbye
    this.isFailure = isFailure
    this.depth = depth
    this.maxWaiting = maxWaiting
    this.limit = Number.isFinite(timeoutMillis)
      ? new CallLimit({
        millis: timeoutMillis,
        clock,
        fork,
        outstanding: () => this.outstanding(),
        onExpire: (call) => this.expire(call, timeoutMillis)
      })
      : undefined
  }

  readonly call = (request: Request): Effect.Effect<Exclude<Response, Failure>, Failure | ClientError> =>
    Effect.callback((resume) => {
      const { parting } = this
      if (parting !== undefined) {
        // The first call after an unasked goodbye gets it, and is not sent.
        this.parting = undefined
        return resume(parting)
      }
      const call: Call<Request, Response, Failure> = {
        request,
        since: this.now(),
        settle: resume,
        from: -1,
        to: -1,
        before: undefined,
        behind: undefined
      }
      // Not past the ones that wait: a call may be made while responses are being handed out, or failures: those end.
      const waits = (this.onTheirWay.size >= this.depth || this.waiting.size > 0) &&
        this.connection.reason === undefined
      if (!waits) this.send(call)
      else if (this.waiting.size < this.maxWaiting) this.waiting.push(call)
      else this.fail(call, { _tag: "OverLimit", limit: "maxWaiting", max: this.maxWaiting })
      if (call.settle === undefined) return
      this.limit?.watch()
      // On the wire there is nothing to take back: 6 % in calls-1x64, and 8 % with 64 connections of 1 call each.
      return waits ? Effect.sync(() => this.takeBack(call)) : undefined
    })

  private send(call: Call<Request, Response, Failure>): void {
    call.from = this.connection.bytesOffered
    const error = this.connection.offer(call.request)
    if (error !== undefined) return this.fail(call, error)
    call.to = this.connection.bytesOffered
    this.onTheirWay.push(call)
    if (!this.handing) this.connection.flushSoon()
  }

  /** The clock is read once for all that is called while responses are handed out: 4 % in calls-1x64. */
  private now(): Moment {
    const { limit } = this
    if (limit === undefined) return whenever
    return this.handing ? this.moment ??= { at: Number.POSITIVE_INFINITY } : limit.end({ at: 0 })
  }

  /**
   * Hands out a response: the next of the wire belongs to the first call on its way. There is no fiber to be woken first:
   * 16 % with 64 connections of 1 call each.
   */
  push(response: Response): void {
    const { connection, onTheirWay, waiting } = this
    this.handing = true
    const call = onTheirWay.first
    // One that has not left yet cannot be answered: a fiber that was just settled may have called again.
    if (call === undefined || call.from >= connection.bytesOut) {
      // Or it may have closed the client.
      if (connection.reason !== undefined) return
      if (!this.isGoodbye(response)) return connection.shutdown(unasked)
      // A server that is full, or drains, says so without being asked; for a caller it is an answer whenever it came.
      if (call === undefined) {
        this.parting = this.outcome(response)
        return
      }
    }
    onTheirWay.delete(call)
    // First the next one: whom this settles may call again at once.
    if (waiting.size > 0) this.fill()
    const { settle } = call
    call.settle = undefined
    if (settle !== undefined) settle(this.outcome(response))
  }

  /** What was called while responses were handed out leaves behind the last of them. */
  done(): undefined {
    const { limit, moment } = this
    this.handing = false
    this.connection.flush() // and no microtask: 5 % in calls-1x64
    if (limit !== undefined && moment !== undefined) {
      this.moment = undefined
      limit.end(moment)
    }
  }

  private isGoodbye(response: Response): boolean {
    const { drained, overLimit } = this.goodbye
    return (drained !== undefined && Equal.equals(response, drained)) ||
      (this.connection.messagesIn === 1 && overLimit !== undefined && Equal.equals(response, overLimit))
  }

  /** What a response is for its caller. To ask in the caller's fiber costs 9 % in calls-1x64: a step of it for each. */
  private outcome(response: Response): Outcome<Response, Failure> {
    try {
      return this.isFailure?.(response) === true
        ? Exit.fail(response)
        : Exit.succeed(response as Exclude<Response, Failure>) // the guard said no
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  /** Sends what waits, as far as there is room. */
  private fill(): void {
    while (this.onTheirWay.size < this.depth) {
      const next = this.waiting.shift()
      if (next === undefined) return
      this.send(next)
    }
  }

  /** The connection has ended: everything outstanding fails. What is called from now on, the connection refuses. */
  wake(end: Pull.Pull<internal.Batch<Response>, CloseReason.ConnectionError>): void {
    const { connection, limit, onTheirWay, waiting } = this
    const reason = endOf(end)
    // First what is about to leave, so that each call is told truly how much of it was sent.
    connection.shutdown(reason)
    limit?.stop()
    for (let call = onTheirWay.shift(); call !== undefined; call = onTheirWay.shift()) this.fail(call, reason)
    for (let call = waiting.shift(); call !== undefined; call = waiting.shift()) this.fail(call, reason)
  }

  /** The calls that are not settled, in the order of their coming. */
  private *outstanding(): Iterable<Call<Request, Response, Failure>> {
    for (let call = this.onTheirWay.first; call !== undefined; call = call.behind) {
      if (call.settle !== undefined) yield call
    }
    for (let call = this.waiting.first; call !== undefined; call = call.behind) yield call
  }

  /** Forgets a call whose fiber was interrupted; if it waits, it gives its turn back. */
  private takeBack(call: Call<Request, Response, Failure>): void {
    if (call.settle !== undefined && call.from < 0) this.waiting.delete(call)
    call.settle = undefined
  }

  /** Settles a call that has taken too long; its turn on the wire, if it had one, stays taken. */
  private expire(call: Call<Request, Response, Failure>, limitMillis: number): void {
    if (call.settle === undefined) return
    if (call.from < 0) this.waiting.delete(call)
    this.fail(call, { _tag: "CallTimeout", limitMillis })
  }

  private fail(call: Call<Request, Response, Failure>, reason: CloseReason.CloseReason | CallTimeout): void {
    const { settle } = call
    call.settle = undefined
    if (settle !== undefined) settle(Exit.fail(new ClientError({ reason, sent: this.sent(call) })))
  }

  private sent(call: Call<Request, Response, Failure>): Sent {
    if (call.from < 0 || call.from >= this.connection.bytesOut) return "none"
    return call.to <= this.connection.bytesTaken ? "all" : "partial"
  }
}

const unasked: CloseReason.CloseReason = { _tag: "ProtocolViolation", message: "a response that nobody asked for" }

/** Why the reading ended: the peer's end of stream, or an error of the connection. */
const endOf = (end: Pull.Pull<unknown, CloseReason.ConnectionError>): CloseReason.CloseReason => {
  // `done` leaves nothing for a fiber, so it is an exit; and there is no batch in it.
  if (!Exit.isExit(end) || Exit.isSuccess(end)) return CloseReason.closed
  const cause = end.cause as Cause.Cause<CloseReason.ConnectionError | Cause.Done> // the errors of a Pull
  const error = Cause.findError(cause)
  if (Result.isFailure(error)) return CloseReason.fromCause(cause)
  return Cause.isDone(error.success) ? CloseReason.peerClosed : error.success.reason
}
