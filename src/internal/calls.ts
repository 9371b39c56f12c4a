/**
 * The calls of a client: who waits, who is on the wire, and what each of them gets.
 *
 * ```
 * call --> waiting (a set, in order) --turn--> onTheirWay (a queue, as on the wire) --response--> settled
 *             `-------- interrupted, timed out, the connection ended --------'-----> settled, the turn stays taken
 * ```
 *
 * Invariants: a call settles once, when its `settle` is taken away. `onTheirWay` holds exactly the requests on the wire
 * that have no response yet, abandoned ones included; its length never exceeds `depth`. A call waits only while it is
 * full.
 */
import type * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as CloseReason from "../CloseReason.ts"
import type * as Protocol from "../Protocol.ts"
import type * as internal from "./connection.ts"
import { Expiry } from "./expiry.ts"

/**
 * How much of a request had been handed over when its call failed. Only `"none"` is sure to have had no effect.
 *
 * `"none"`: no byte left this program. `"partial"`: bytes left, but not surely all. `"all"`: the kernel took everything.
 *
 * @category models
 * @since 0.1.0
 */
export type Sent = "none" | "partial" | "all"

/** A call took longer than `callTimeout`; the connection lives on. @category models @since 0.1.0 */
export interface CallTimeout {
  readonly _tag: "CallTimeout"
  readonly limitMillis: number
}

/**
 * A call failed: `reason` says why, and `sent` how much of the request may have had an effect.
 *
 * **Details**
 * - The connection ended: `reason` is how; `Closed` where the client's own scope closed.
 * - `CallTimeout`: it took too long. `OverLimit`: too many calls were waiting. `FrameTooLarge` or `FrameCorrupt` with
 *   `sent: "none"`: the codec cannot write this request. These end the call alone; the connection lives on.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientError extends Data.TaggedError("ClientError")<{
  readonly reason: CloseReason.CloseReason | CallTimeout
  readonly sent: Sent
}> {
  override get message(): string {
    const why = this.reason._tag === "CallTimeout"
      ? `no response within ${this.reason.limitMillis} ms`
      : CloseReason.format(this.reason)
    return `${why} (request sent: ${this.sent})`
  }
}

/** One call, from its first moment until it settles; `settle` is taken away when it does. */
interface Call<Request, Response> {
  readonly request: Request
  settle: ((exit: Exit.Exit<Response, ClientError>) => void) | undefined
  /** Where the request lies in everything ever sent; -1 while it waits for its turn. */
  from: number
  to: number
}

/** The calls of one connection. */
export class Calls<Request, Response> {
  private readonly connection: internal.ConnectionMachine<Response, Request>
  private readonly depth: number
  private readonly maxWaiting: number
  private readonly timers: Expiry<Call<Request, Response>> | undefined
  private readonly waiting = new Set<Call<Request, Response>>()
  private readonly onTheirWay: Array<Call<Request, Response>> = []
  private readonly goodbye: Protocol.Goodbye<Response>
  /** The goodbye, when it came while no call was on its way. */
  private parting: Exit.Exit<Response> | undefined = undefined

  constructor(
    connection: internal.ConnectionMachine<Response, Request>,
    options: {
      readonly goodbye: Protocol.Goodbye<Response>
      readonly depth: number
      readonly maxWaiting: number
      readonly timeoutMillis: number
      readonly clock: Clock.Clock
      readonly fork: ConstructorParameters<typeof Expiry>[0]["fork"]
    }
  ) {
    this.connection = connection
    this.goodbye = options.goodbye
    this.depth = options.depth
    this.maxWaiting = options.maxWaiting
    const { clock, fork, timeoutMillis: limitMillis } = options
    this.timers = Number.isFinite(limitMillis)
      ? new Expiry({
        millis: limitMillis,
        clock,
        fork,
        onExpire: (call) => this.abandon(call, { _tag: "CallTimeout", limitMillis })
      })
      : undefined
  }

  readonly call = (request: Request): Effect.Effect<Response, ClientError> =>
    Effect.callback((resume) => {
      const call: Call<Request, Response> = { request, settle: resume, from: -1, to: -1 }
      if (this.parting !== undefined) return this.part(call, this.parting)
      // Not past the ones that wait: a call may be made while responses are being handed out.
      if (this.onTheirWay.length < this.depth && this.waiting.size === 0) {
        this.send(call)
      } else if (this.waiting.size < this.maxWaiting) {
        this.waiting.add(call)
      } else {
        return this.fail(call, { _tag: "OverLimit", limit: "maxWaiting", max: this.maxWaiting })
      }
      if (call.settle === undefined) return
      this.timers?.add(call)
      return Effect.sync(() => this.abandon(call, CloseReason.interrupted))
    })

  /** The first call after an unasked goodbye gets it, and is not sent. */
  private part(call: Call<Request, Response>, parting: Exit.Exit<Response>): void {
    this.parting = undefined
    this.settle(call, parting)
  }

  private send(call: Call<Request, Response>): void {
    call.from = this.connection.bytesOffered
    const error = this.connection.offer(call.request)
    if (error !== undefined) return this.fail(call, error)
    call.to = this.connection.bytesOffered
    this.onTheirWay.push(call)
    this.connection.flushSoon()
  }

  /** The next response of the wire belongs to the first call on its way. */
  readonly received = (batch: ReadonlyArray<Response>): Effect.Effect<void, CloseReason.ConnectionError> => {
    for (let i = 0; i < batch.length; i++) {
      const response = batch[i] as Response // i is below the length
      const call = this.onTheirWay[0]
      // One that has not left yet cannot be answered: a fiber that was just settled may have called again.
      if (call === undefined || call.from >= this.connection.bytesOut) {
        const isFirst = this.connection.messagesIn - batch.length + i === 0
        if (!this.isGoodbye(response, isFirst)) {
          return this.connection.fail({ _tag: "ProtocolViolation", message: "a response that nobody asked for" })
        }
        // A server that is full, or drains, says so without being asked; for a caller it is an answer whenever it came.
        if (call === undefined) {
          this.parting = Exit.succeed(response)
          continue
        }
      }
      this.onTheirWay.shift()
      // First the next one: whom this settles may call again at once.
      this.fill()
      this.settle(call, Exit.succeed(response))
    }
    return Effect.void
  }

  private isGoodbye(response: Response, isFirst: boolean): boolean {
    const { drained, overLimit } = this.goodbye
    return (drained !== undefined && Equal.equals(response, drained)) ||
      (isFirst && overLimit !== undefined && Equal.equals(response, overLimit))
  }

  /** Sends what waits, as far as there is room. */
  private fill(): void {
    for (const next of this.waiting) {
      if (this.onTheirWay.length >= this.depth) return
      this.waiting.delete(next)
      this.send(next)
    }
  }

  /** The connection has ended: everything outstanding fails. What is called from now on, the connection refuses. */
  end(reason: CloseReason.CloseReason): void {
    this.timers?.stop()
    for (const call of this.onTheirWay.splice(0)) this.fail(call, reason)
    for (const call of this.waiting) this.fail(call, reason)
    this.waiting.clear()
  }

  /** Settles a call whose turn on the wire, if it had one, stays taken. */
  private abandon(call: Call<Request, Response>, reason: CloseReason.CloseReason | CallTimeout): void {
    this.waiting.delete(call)
    this.fail(call, reason)
  }

  private fail(call: Call<Request, Response>, reason: CloseReason.CloseReason | CallTimeout): void {
    if (call.settle !== undefined) this.settle(call, Exit.fail(new ClientError({ reason, sent: this.sent(call) })))
  }

  private settle(call: Call<Request, Response>, exit: Exit.Exit<Response, ClientError>): void {
    const settle = call.settle
    call.settle = undefined
    this.timers?.delete(call)
    if (settle !== undefined) settle(exit)
  }

  private sent(call: Call<Request, Response>): Sent {
    if (call.from < 0 || call.from >= this.connection.bytesOut) return "none"
    return call.to <= this.connection.bytesTaken ? "all" : "partial"
  }
}
