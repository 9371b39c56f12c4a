/**
 * A client of a protocol: `call` sends a request and gives its response.
 *
 * Calls from many fibers share one connection and are pipelined: up to the protocol's `depth` are on their way at once,
 * and the n-th response settles the n-th request. Every call settles exactly once, whatever happens to the connection,
 * and an error says how much of the request was sent.
 *
 * ```
 * call --> [waiting: at most maxWaiting] --> [on their way: at most depth] --> response
 *               sent: none                       sent: none, partial or all
 * ```
 *
 * It does not dial again: when the connection is gone, every later call fails with `sent: "none"`.
 *
 * **Gotchas**: a call that is interrupted or timed out keeps its turn on the wire: its late response is thrown away, and
 * never given to the next call.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as CloseReason from "./CloseReason.ts"
import * as Connection from "./Connection.ts"
import * as Endpoint from "./Endpoint.ts"
import * as internal from "./internal/connection.ts"
import { Expiry } from "./internal/expiry.ts"
import type * as Protocol from "./Protocol.ts"
import type * as Transport from "./Transport.ts"

/**
 * A client of a protocol, connected.
 *
 * @category models
 * @since 0.1.0
 */
export interface Client<in Request, out Response, out Failure = never> {
  /** The server's address. */
  readonly endpoint: Endpoint.Endpoint
  /** Sends a request and waits for its response; failures of the protocol are errors. */
  readonly call: (request: Request) => Effect.Effect<Response, Failure | ClientError>
}

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
 * A call failed: the connection ended (`reason` says how), the call took too long, or there was no room for it.
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

/**
 * How to call.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Connection.Options {
  /**
   * How long a call may take, waiting for its turn included; `"Infinity"` for no limit.
   *
   * @default "30 seconds"
   */
  readonly callTimeout?: Duration.Input | undefined
  /**
   * How many calls may wait for their turn; one more fails at once with `OverLimit`.
   *
   * @default 1024
   */
  readonly maxWaiting?: number | undefined
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  ...Connection.defaults,
  /** Above any response a person waits for; arbitrary, not measured. */
  callTimeout: "30 seconds",
  /** Sixteen times the default depth: enough for a burst, and a sign of overload beyond. */
  maxWaiting: 1024
} as const

/** An option that a client cannot work with. @category errors @since 0.1.0 */
export class ClientOptionsError extends Data.TaggedError("ClientOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override get message(): string {
    return `${this.option} must be ${this.rule}, got ${String(this.value)}`
  }
}

/** Everything that can keep a client from starting. @category errors @since 0.1.0 */
export type StartError = Transport.ConnectError | Endpoint.EndpointError | ClientOptionsError

/** One call, from its first moment until it settles; `settle` is taken away when it does. */
interface Call<Request, Response> {
  readonly request: Request
  settle: ((exit: Exit.Exit<Response, ClientError>) => void) | undefined
  /** Where the request lies in everything ever sent; -1 while it waits for its turn. */
  from: number
  to: number
}

class Calls<Request, Response> {
  private readonly connection: internal.ConnectionMachine<Response, Request>
  private readonly depth: number
  private readonly maxWaiting: number
  private readonly timers: Expiry<Call<Request, Response>> | undefined
  private readonly waiting = new Set<Call<Request, Response>>()
  private readonly onTheirWay: Array<Call<Request, Response>> = []
  private ended: CloseReason.CloseReason | undefined = undefined

  constructor(
    connection: internal.ConnectionMachine<Response, Request>,
    limits: {
      readonly depth: number
      readonly maxWaiting: number
      readonly timeoutMillis: number
      readonly clock: Clock.Clock
      readonly fork: ConstructorParameters<typeof Expiry>[0]["fork"]
    }
  ) {
    this.connection = connection
    this.depth = limits.depth
    this.maxWaiting = limits.maxWaiting
    const { clock, fork, timeoutMillis: limitMillis } = limits
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
      if (this.ended !== undefined) return this.fail(call, this.ended)
      if (this.onTheirWay.length < this.depth) {
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

  private send(call: Call<Request, Response>): void {
    call.from = this.connection.bytesOffered
    const error = this.connection.offer(call.request)
    if (error !== undefined) {
      call.from = -1
      return this.fail(call, error)
    }
    call.to = this.connection.bytesOffered
    this.onTheirWay.push(call)
    this.connection.flushSoon()
  }

  /** The next response of the wire belongs to the first call on its way. */
  readonly received = (batch: ReadonlyArray<Response>): Effect.Effect<void, CloseReason.ConnectionError> => {
    for (const response of batch) {
      const call = this.onTheirWay.shift()
      if (call === undefined) {
        return this.connection.fail({ _tag: "ProtocolViolation", message: "a response that nobody asked for" })
      }
      this.settle(call, Exit.succeed(response))
      for (const next of this.waiting) {
        if (this.onTheirWay.length >= this.depth) break
        this.waiting.delete(next)
        this.send(next)
      }
    }
    return Effect.void
  }

  /** The connection is gone: everything outstanding fails. */
  end(reason: CloseReason.CloseReason): void {
    if (this.ended !== undefined) return
    this.ended = reason
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

/**
 * Connects to a server of a protocol, for the time of the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: <Request, Response, Failure extends Response = never>(
  protocol: Protocol.Protocol<Request, Response, Failure>,
  endpoint: Endpoint.Input,
  options?: Options
) => Effect.Effect<
  Client<Request, Exclude<Response, Failure>, Failure>,
  StartError,
  Scope.Scope | Transport.Transport
> = Effect.fnUntraced(function*<Request, Response, Failure extends Response>(
  protocol: Protocol.Protocol<Request, Response, Failure>,
  input: Endpoint.Input,
  options: Options = {}
) {
  const maxWaiting = options.maxWaiting ?? defaults.maxWaiting
  if (!Number.isInteger(maxWaiting) || maxWaiting < 0) {
    return yield* new ClientOptionsError({ option: "maxWaiting", value: maxWaiting, rule: "an integer from 0" })
  }
  const callTimeout = options.callTimeout ?? defaults.callTimeout
  const timeoutMillis = Duration.toMillis(Duration.fromInputUnsafe(callTimeout))
  if (timeoutMillis <= 0) {
    return yield* new ClientOptionsError({ option: "callTimeout", value: callTimeout, rule: "longer than nothing" })
  }
  const endpoint = yield* Effect.fromResult(Endpoint.fromInput(input))
  const raw = yield* internal.dial(endpoint, options.connectTimeout ?? defaults.connectTimeout)
  const connection = yield* internal.acquire(
    raw,
    internal.pair(protocol.response, protocol.request),
    options.linger ?? defaults.linger
  )
  const context = yield* Effect.context<never>()
  const calls = new Calls(connection, {
    depth: protocol.depth,
    maxWaiting,
    timeoutMillis,
    clock: yield* Clock.Clock,
    fork: Effect.runForkWith(context)
  })
  yield* Connection.forEachBatch(connection, calls.received).pipe(
    Effect.exit,
    Effect.flatMap((exit) =>
      Effect.sync(() => {
        const reason = Exit.isSuccess(exit) ? CloseReason.peerClosed : connection.failed ?? CloseReason.interrupted
        calls.end(reason)
        connection.shutdown(reason)
      })
    ),
    Effect.onInterrupt(() => Effect.sync(() => calls.end(CloseReason.closed))),
    Effect.forkScoped({ startImmediately: true })
  )
  const { isFailure } = protocol
  const call = (request: Request): Effect.Effect<Exclude<Response, Failure>, Failure | ClientError> =>
    Effect.flatMap(
      calls.call(request),
      (response) =>
        isFailure !== undefined && isFailure(response)
          ? Exit.fail(response)
          : Exit.succeed(response as Exclude<Response, Failure>) // the guard said no
    )
  return { endpoint, call }
})

/**
 * A client as a layer, for a service of the application's own.
 *
 * **Example**
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <Self, Request, Response, Failure extends Response = never>(
  service: Context.Service<Self, Client<Request, Exclude<Response, Failure>, Failure>>,
  protocol: Protocol.Protocol<Request, Response, Failure>,
  endpoint: Endpoint.Input,
  options: Options = {}
): Layer.Layer<Self, StartError, Transport.Transport> => Layer.effect(service, make(protocol, endpoint, options))
