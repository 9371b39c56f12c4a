/**
 * A server as a layer: it is built when the port is bound, and closing it drains it.
 *
 * The server owns every connection from the accept until its socket is gone. Each has one fiber in the server's scope,
 * which starts with the first request that has to wait, or at once where the handler has the whole connection; what one
 * handler does, fails or dies of never reaches another connection. Whatever ends a connection is one `CloseReason`,
 * reported once.
 *
 * ```
 * arrive --> address, rate, room? --> proxy header --> TLS --> fiber: handler --> linger --> Ended(reason)
 *              `--> wait / goodbye / close / reset  `------`--> Refused
 * drain:  listener closed --announce--> input ends between frames --grace--> interrupted --force--> destroyed
 * ```
 *
 * Laws: closing takes at most `announce + grace + force`, whatever the peers and the handlers do; at every event
 * `accepted = open + ended` and `arrived = accepted + refused + waiting + handshaking`.
 *
 * The log: a handler that fails is an error, each time. What peers bring about is one warning for each reason per
 * `alarm.cooldown`, which counts the others. These, and every end that is no news, such as that of a silent peer, are there
 * at debug level.
 *
 * **Gotchas**: a connection whose peer never ends its side holds its place for `linger` after its handler is done. Behind a
 * proxy that is not named in `proxy.from`, all clients are one peer. `suspend` closes a descriptor that was inherited, for good.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Codec from "./Codec.ts"
import type * as Connection from "./Connection.ts"
import type * as Endpoint from "./Endpoint.ts"
import * as internal from "./internal/connection.ts"
import { Lending } from "./internal/lending.ts"
import { refuse } from "./internal/optionRules.ts"
import { serve } from "./internal/serve.ts"
import type { LimitOptions } from "./internal/serverLimits.ts"
import type { ConnectionStatus, DrainReport, Limits, Stats } from "./internal/serverModels.ts"
import type { ConnectionOptions, Options, ServerOptionsError } from "./internal/serverOptions.ts"
import { start } from "./internal/startServer.ts"
import type * as Protocol from "./Protocol.ts"
import type * as Tls from "./Tls.ts"
import type * as Transport from "./Transport.ts"

/**
 * A running server.
 *
 * @category services
 * @since 0.1.0
 */
export class Server extends Context.Service<Server, {
  /** Where it listens: port 0 has become the port that the system chose. With several endpoints, the first. */
  readonly endpoint: Endpoint.Endpoint
  /** Everywhere it listens, in the order of the endpoints given. */
  readonly endpoints: Arr.NonEmptyReadonlyArray<Endpoint.Endpoint>
  /** The counts of this moment. */
  readonly stats: Effect.Effect<Stats>
  /**
   * Stops listening and ends every connection within `announce + grace + force`; then reports.
   *
   * Asking again gives the same drain. Closing the server's scope does the same.
   */
  readonly drain: Effect.Effect<DrainReport>
  /** Whether it takes in whoever comes: not while it is suspended, and not from the first moment of a drain on. */
  readonly ready: Effect.Effect<boolean>
  /** Stops listening, until `resume`; who is in, waits or shakes hands lives on. Does nothing where it does not listen. */
  readonly suspend: Effect.Effect<void>
  /**
   * Listens again on the same addresses, on all of them or none. Does nothing where it listens.
   *
   * **Details**: Errors: `AddressInUse` where somebody took the place meanwhile; `AddressNotAvailable` for a descriptor,
   * which is closed by `suspend` and cannot be had back; `Unknown` with `ESHUTDOWN` once it drains.
   */
  readonly resume: Effect.Effect<void, Transport.BindError>
  /** The limits in force: those that were given, with all defaults. */
  readonly limits: Effect.Effect<Limits>
  /**
   * Changes limits, at once; the others stay as they are. Who is in stays in, also beyond a lower limit; who waits comes
   * in where a higher one has room, and who waits or shakes hands is refused where `allow` or `deny` is against it now.
   * With an error nothing changes.
   */
  readonly setLimits: (limits: LimitOptions) => Effect.Effect<Limits, ServerOptionsError>
  /** Everybody who is in, shakes hands, or waits. */
  readonly connections: Effect.Effect<ReadonlyArray<ConnectionStatus>>
  /** Ends one connection with `Closed` and interrupts its handler; says whether there is one of that number. */
  readonly close: (id: number) => Effect.Effect<boolean>
}>()("hawser/Server") {}

export type {
  /** A row in the list of connections. @category models @since 0.1.0 */
  ConnectionStatus,
  /** How a drain went. @category models @since 0.1.0 */
  DrainReport,
  /** What a server tells its `onEvent`. @category models @since 0.1.0 */
  Event,
  /** The limits in force. @category models @since 0.1.0 */
  Limits,
  /** Counts of a server. @category models @since 0.1.0 */
  Stats
} from "./internal/serverModels.ts"

export {
  /** When to alarm. @category options @since 0.1.0 */
  type AlarmOptions,
  /** The options of a server without a protocol. @category options @since 0.1.0 */
  type ConnectionOptions,
  /** The values used where an option is not given. @category options @since 0.1.0 */
  defaults,
  /** The three phases of a drain. @category options @since 0.1.0 */
  type DrainOptions,
  /** How to serve. @category options @since 0.1.0 */
  type Options,
  /** Whom to believe that it connects for somebody else. @category options @since 0.1.0 */
  type ProxyOptions,
  /** An option that a server cannot work with. @category errors @since 0.1.0 */
  ServerOptionsError
} from "./internal/serverOptions.ts"

export {
  /** The limits that can be changed while a server runs. @category options @since 0.1.0 */
  type LimitOptions,
  /** What one peer may have. @category options @since 0.1.0 */
  type PerPeerOptions,
  /** So many connections per time. @category options @since 0.1.0 */
  type Rate
} from "./internal/serverLimits.ts"

export {
  /** How to listen. @category options @since 0.1.0 */
  type ListenOptions
} from "./internal/listenOptions.ts"

/** One endpoint, or several: all under the same limits, with one drain. @category models @since 0.1.0 */
export type Endpoints = Endpoint.Input | Arr.NonEmptyReadonlyArray<Endpoint.Input>

/** Everything that can keep a server from starting: where to listen, or how. @category errors @since 0.1.0 */
export type StartError = Transport.BindError | Endpoint.EndpointError | ServerOptionsError | Tls.TlsOptionsError

/** What a handler of requests may know of its connection. @category models @since 0.1.0 */
export type Info = Pick<Connection.Connection<unknown, never>, "id" | "local" | "peer" | "awaitDrain">

/**
 * How to serve a protocol.
 *
 * @category options
 * @since 0.1.0
 */
export interface ProtocolOptions extends Options {
  /**
   * Whose the requests are. `"owned"`: the handler's, for good. `"lent"`: the handler's until it has answered; the bytes
   * that a request shows (a `Uint8Array`, or a view in what a codec made) may change then, so what is to be kept must be
   * copied (`request.slice()`). A response may hold them. Nothing is copied for a handler that answers at once.
   *
   * A handler may wait all the same, and finds its request unchanged: once per connection the buffer that was read into,
   * of 128 KiB, is kept for it until it has answered; what comes on that connection later is copied. At most 16 are kept
   * at a time, so 2 MiB per server. Who has answered leaves its place to another after 4096 batches of requests, of all
   * connections that have kept nothing so far; while no place is free, everything is copied for all.
   *
   * Lent bytes, and small ones that are owned, cannot be transferred to a worker: copy them for it.
   *
   * Numbers, texts and what `Codec.json` makes are no views: with them `"lent"` is always right. It is for large binary
   * requests, and does nothing over transports other than sockets without TLS, but in memory and in simulations, where
   * what was lent is overwritten, so that tests find a handler which keeps it.
   *
   * @default "owned"
   */
  readonly requests?: "owned" | "lent" | undefined
}

/**
 * Starts a server of a protocol: the handler answers one request at a time, in the order of their arrival.
 *
 * **Details**
 *
 * - Order: the next request of a connection waits until the handler is done with this one; other connections do not.
 *   What the handler has answered already does not wait for it.
 * - Errors: a failure that the protocol knows (`failure`) is sent as the response. Any other failure, and any defect,
 *   ends this connection with `HandlerFailed` and is logged once; so does a response that the codec cannot write, with
 *   the codec's reason.
 * - Resources: a scope that the handler requires is the connection's. Every other requirement is the server's.
 * - Interruption: a drain interrupts the handler when `grace` is over. A peer that leaves does not: the handler runs to
 *   its end, and its answer is thrown away. Of the requests behind it, none is handled for a peer that broke the
 *   connection, and all are for one that ended its side before it went.
 *
 * @see {@link layer}
 * @category constructors
 * @since 0.1.0
 */
export const make = <Request, Response, Failure extends Response, E, R>(
  protocol: Protocol.Protocol<Request, Response, Failure>,
  endpoints: Endpoints,
  handler: (request: Request, connection: Info) => Effect.Effect<Response, E, R>,
  options: ProtocolOptions = {}
): Effect.Effect<Server["Service"], StartError, Exclude<R, Scope.Scope> | Scope.Scope | Transport.Transport> =>
  Effect.flatMap(settleRequests(options.requests ?? "owned"), (lending) =>
    start(
      internal.pair(protocol.request, protocol.response),
      endpoints,
      (connection, run) => serve(connection, handler, protocol.isFailure, run, lending),
      { ...options, goodbye: protocol.goodbye }
    ))

const settleRequests = (requests: "owned" | "lent"): Effect.Effect<Lending | undefined, ServerOptionsError> => {
  switch (requests) {
    case "owned":
      return Effect.undefined
    case "lent":
      return Effect.sync(() => new Lending())
    default:
      return refuse("requests", requests, `"owned" or "lent"`)
  }
}

/**
 * A server of a protocol, as a layer: built when the port is bound, drained when it closes.
 *
 * **Example**
 *
 * ```ts
 * import { Console, Effect, Layer } from "effect"
 * import { Client, Codec, Framing, MemoryTransport, Protocol, Server } from "hawser"
 *
 * const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))
 * const Shout = Protocol.make("shout", { request: line, response: line })
 *
 * const ShoutServer = Server.layer(Shout, "memory:shout", (text) => Effect.succeed(text.toUpperCase()), {
 *   maxConnections: 100,
 *   drain: { grace: "5 seconds" }
 * })
 *
 * const program = Effect.gen(function*() {
 *   const client = yield* Client.make(Shout, "memory:shout")
 *   yield* Console.log(yield* client.call("ahoy"))
 * }).pipe(Effect.scoped)
 *
 * await Effect.runPromise(program.pipe(Effect.provide(ShoutServer.pipe(Layer.provideMerge(MemoryTransport.layer)))))
 * ```
 *
 * It prints:
 *
 * ```text
 * AHOY
 * ```
 *
 * @see {@link make} for how requests are answered
 * @category layers
 * @since 0.1.0
 */
export const layer = <Request, Response, Failure extends Response, E, R>(
  protocol: Protocol.Protocol<Request, Response, Failure>,
  endpoints: Endpoints,
  handler: (request: Request, connection: Info) => Effect.Effect<Response, E, R>,
  options: ProtocolOptions = {}
): Layer.Layer<Server, StartError, Exclude<R, Scope.Scope> | Transport.Transport> =>
  Layer.effect(Server, make(protocol, endpoints, handler, options))

/**
 * Starts a server whose handler has the whole connection: any conversation that a protocol does not describe.
 *
 * **Details**
 *
 * - The connection ends when the handler does; what it wrote still leaves. `Cause.Done` out of `pull` is a normal end.
 * - Errors: a handler that fails with the error of its own connection gives it that reason. Any other failure, that of
 *   another connection included, and any defect is `HandlerFailed`.
 * - Resources: a scope that the handler requires is the connection's.
 *
 * @see {@link make} for requests and responses
 * @category constructors
 * @since 0.1.0
 */
export const makeConnection = <In, Out, E, R>(
  codec: Codec.Codec<In, Out>,
  endpoints: Endpoints,
  handler: (connection: Connection.Connection<In, Out>) => Effect.Effect<unknown, E, R>,
  options: ConnectionOptions<Out> = {}
): Effect.Effect<Server["Service"], StartError, Exclude<R, Scope.Scope> | Scope.Scope | Transport.Transport> =>
  start(codec, endpoints, (connection, run) => run(connection, Effect.suspend(() => handler(connection))), options)

/**
 * A server whose handler has the whole connection, as a layer.
 *
 * @see {@link makeConnection}
 * @category layers
 * @since 0.1.0
 */
export const layerConnection = <In, Out, E, R>(
  codec: Codec.Codec<In, Out>,
  endpoints: Endpoints,
  handler: (connection: Connection.Connection<In, Out>) => Effect.Effect<unknown, E, R>,
  options: ConnectionOptions<Out> = {}
): Layer.Layer<Server, StartError, Exclude<R, Scope.Scope> | Transport.Transport> =>
  Layer.effect(Server, makeConnection(codec, endpoints, handler, options))
