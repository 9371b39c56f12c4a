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
 * never given to the next call. An ordered exchange cannot tell a goodbye from a response: what a server says that is
 * full is the response to the first call, and what it says when it drains that to the next. Make it a `failure` of the
 * protocol to see it as an error.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Connection from "./Connection.ts"
import * as Endpoint from "./Endpoint.ts"
import { Calls } from "./internal/calls.ts"
import type { ClientError } from "./internal/clientError.ts"
import * as internal from "./internal/connection.ts"
import { toMillis } from "./internal/time.ts"
import type * as Protocol from "./Protocol.ts"
import type * as Tls from "./Tls.ts"
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

export {
  /** A call took longer than `callTimeout`. @category models @since 0.1.0 */
  type CallTimeout,
  /** A call failed. @category errors @since 0.1.0 */
  ClientError,
  /** How much of a request had been handed over when its call failed. @category models @since 0.1.0 */
  type Sent
} from "./internal/clientError.ts"

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

/**
 * An option that a client cannot work with: `option` is its name, `value` what was given, `rule` what it must be.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientOptionsError extends Data.TaggedError("ClientOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override get message(): string {
    return `${this.option} must be ${this.rule}, got ${Formatter.format(this.value)}`
  }
}

/** Everything that can keep a client from starting. @category errors @since 0.1.0 */
export type StartError =
  | Transport.ConnectError
  | Endpoint.EndpointError
  | ClientOptionsError
  | Tls.TlsOptionsError

/**
 * Connects to a server of a protocol, for the time of the scope.
 *
 * **Details**
 * - When the scope closes, calls that are still outstanding fail with `Closed`; then the connection ends gracefully
 *   within `linger`.
 * - Interruption of a call before its turn takes it back; after that it may have been sent in part or whole.
 *
 * @see {@link layer}
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
  const { connectTimeoutMillis, lingerMillis, maxWaiting, timeoutMillis } = yield* settle(options)
  const endpoint = yield* Effect.fromResult(Endpoint.fromInput(input))
  const { raw, tls } = yield* internal.dial(endpoint, connectTimeoutMillis, options)
  const codec = internal.pair(protocol.response, protocol.request)
  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const clock = yield* Clock.Clock
  const { call } = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const connection = new internal.ConnectionMachine(raw, codec, { tls })
      const calls = new Calls(connection, { ...protocol, maxWaiting, timeoutMillis, clock, fork })
      // Before anything is delivered: nothing would tell it what came already.
      connection.sleep(calls)
      internal.start(connection)
      return calls
    }),
    ({ connection }) => internal.close(connection, lingerMillis)
  )
  return { endpoint, call }
})

const settle = Effect.fnUntraced(function*(options: Options) {
  const maxWaiting = options.maxWaiting ?? defaults.maxWaiting
  if (!Number.isSafeInteger(maxWaiting) || maxWaiting < 0) {
    return yield* new ClientOptionsError({ option: "maxWaiting", value: maxWaiting, rule: "an integer from 0" })
  }
  const linger = options.linger ?? defaults.linger
  const lingerMillis = toMillis(linger)
  if (!Number.isFinite(lingerMillis) || lingerMillis < 0) {
    return yield* new ClientOptionsError({ option: "linger", value: linger, rule: "a finite time, 0 or longer" })
  }
  return {
    maxWaiting,
    lingerMillis,
    timeoutMillis: yield* limit("callTimeout", options.callTimeout ?? defaults.callTimeout),
    connectTimeoutMillis: yield* limit("connectTimeout", options.connectTimeout ?? defaults.connectTimeout)
  }
})

const limit = (option: string, value: Duration.Input): Effect.Effect<number, ClientOptionsError> => {
  const millis = toMillis(value)
  return millis > 0
    ? Effect.succeed(millis)
    : Effect.fail(new ClientOptionsError({ option, value, rule: "a time longer than 0, or Infinity" }))
}

/**
 * A client as a layer, for a service of the application's own.
 *
 * **Example**
 *
 * ```ts
 * import { Console, Context, Effect, Layer } from "effect"
 * import { Client, Codec, Framing, MemoryTransport, Protocol, Server } from "hawser"
 *
 * const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))
 * const Shout = Protocol.make("shout", { request: line, response: line })
 *
 * class Shouter extends Context.Service<Shouter, Client.Client<string, string>>()("app/Shouter") {
 *   static readonly layer = Client.layer(Shouter, Shout, "memory:shout", { callTimeout: "2 seconds" })
 * }
 *
 * const ShoutServer = Server.layer(Shout, "memory:shout", (text) => Effect.succeed(text.toUpperCase()))
 * const Live = Shouter.layer.pipe(Layer.provide(ShoutServer), Layer.provide(MemoryTransport.layer))
 *
 * const program = Shouter.use((shouter) => Effect.flatMap(shouter.call("ahoy"), Console.log))
 *
 * await Effect.runPromise(Effect.provide(program, Live))
 * ```
 *
 * It prints:
 *
 * ```text
 * AHOY
 * ```
 *
 * @see {@link make} for what happens when the scope closes
 * @category layers
 * @since 0.1.0
 */
export const layer = <Self, Request, Response, Failure extends Response = never>(
  service: Context.Service<Self, Client<Request, Exclude<Response, Failure>, Failure>>,
  protocol: Protocol.Protocol<Request, Response, Failure>,
  endpoint: Endpoint.Input,
  options: Options = {}
): Layer.Layer<Self, StartError, Transport.Transport> => Layer.effect(service, make(protocol, endpoint, options))
