/**
 * A server as a layer: it is built when the port is bound, and closing it drains it.
 *
 * The server owns every connection from the accept until its socket is gone. Each has one fiber in the server's scope;
 * what one handler does, fails or dies of never reaches another connection. Whatever ends a connection is one
 * `CloseReason`, reported once.
 *
 * ```
 * arrive --> room? --> fiber: handler --> linger --> Ended(reason)
 *              `--> wait / goodbye / close / reset --> Refused
 * drain:  listener closed --announce--> input ends between frames --grace--> interrupted --force--> destroyed
 * ```
 *
 * Law: closing takes at most `announce + grace + force`, whatever the peers and the handlers do.
 *
 * **Gotchas**: a connection whose peer never ends its side holds its place for `linger` after its handler is done.
 * There is no idle limit: a silent peer keeps its place until it leaves or the server drains.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Admission from "./Admission.ts"
import type * as CloseReason from "./CloseReason.ts"
import type * as Codec from "./Codec.ts"
import type * as Connection from "./Connection.ts"
import * as Endpoint from "./Endpoint.ts"
import * as internal from "./internal/connection.ts"
import { serve } from "./internal/serve.ts"
import { ServerMachine } from "./internal/serverMachine.ts"
import { type ConnectionOptions, type Options, type ServerOptionsError, settle } from "./internal/serverOptions.ts"
import type * as Protocol from "./Protocol.ts"
import * as Transport from "./Transport.ts"

/**
 * A running server.
 *
 * @category services
 * @since 0.1.0
 */
export class Server extends Context.Service<Server, {
  /** Where it listens: port 0 has become the port that the system chose. */
  readonly endpoint: Endpoint.Endpoint
  /** The counts of this moment. */
  readonly stats: Effect.Effect<Stats>
  /**
   * Stops listening and ends every connection within `announce + grace + force`; then reports.
   *
   * Asking again gives the same drain. Closing the server's scope does the same.
   */
  readonly drain: Effect.Effect<DrainReport>
}>()("hawser/Server") {}

/**
 * Counts of a server. `accepted = open + ended`, and every connection that ever arrived is accepted, refused or waiting.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stats {
  /** Connections let in so far. */
  readonly accepted: number
  /** Connections that are in now, lingering ones included. */
  readonly open: number
  /** Connections that were in and are gone. */
  readonly ended: number
  /** Connections turned away so far, and those that broke while they waited. */
  readonly refused: number
  /** Connections in the waiting room. */
  readonly waiting: number
}

/**
 * How a drain went. `served + drained + forced` is the number of connections ever let in.
 *
 * @category models
 * @since 0.1.0
 */
export interface DrainReport {
  /** Connections that had ended before the drain began. */
  readonly served: number
  /** Connections that ended in their own time during the drain. */
  readonly drained: number
  /** Connections that the drain cut. */
  readonly forced: number
  /** Connections turned away in the server's life, and those that broke while they waited. */
  readonly refused: number
  /** How long the drain took. */
  readonly elapsed: Duration.Duration
}

/**
 * What a server tells its `onEvent`. `id` and `peer` name the connection.
 *
 * **Details**: each connection gives either one `Refused`, or one `Accepted` and later one `Ended`; before that a
 * `Waiting` if it had to wait. The reason of a `Refused` is `OverLimit`, `Drained` where a drain emptied the waiting
 * room, or `PeerReset` where the peer did not wait so long.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly _tag: "Listening"; readonly endpoint: Endpoint.Endpoint }
  | { readonly _tag: "Accepted"; readonly id: number; readonly peer: Endpoint.Endpoint }
  | { readonly _tag: "Waiting"; readonly id: number; readonly peer: Endpoint.Endpoint }
  | {
    readonly _tag: "Refused"
    readonly id: number
    readonly peer: Endpoint.Endpoint
    readonly reason: CloseReason.CloseReason
    readonly refusal: Admission.Refusal
  }
  | {
    readonly _tag: "Ended"
    readonly id: number
    readonly peer: Endpoint.Endpoint
    readonly reason: CloseReason.CloseReason
    readonly bytesIn: number
    readonly bytesOut: number
    readonly messagesIn: number
    readonly messagesOut: number
  }
  | { readonly _tag: "Draining"; readonly open: number }
  | { readonly _tag: "Drained"; readonly report: DrainReport }

export {
  /** The options of a server without a protocol. @category options @since 0.1.0 */
  type ConnectionOptions,
  /** The values used where an option is not given. @category options @since 0.1.0 */
  defaults,
  /** The three phases of a drain. @category options @since 0.1.0 */
  type DrainOptions,
  /** How to serve. @category options @since 0.1.0 */
  type Options,
  /** An option that a server cannot work with. @category errors @since 0.1.0 */
  ServerOptionsError
} from "./internal/serverOptions.ts"

/** Everything that can keep a server from starting: where to listen, or how. @category errors @since 0.1.0 */
export type StartError = Transport.BindError | Endpoint.EndpointError | ServerOptionsError

/** What a handler of requests may know of its connection. @category models @since 0.1.0 */
export type Info = Pick<Connection.Connection<unknown, never>, "id" | "local" | "peer" | "awaitDrain">

const start = Effect.fnUntraced(function*<In, Out, R>(
  codec: Codec.Codec<In, Out>,
  input: Endpoint.Input,
  handler: (connection: internal.ConnectionMachine<In, Out>) => Effect.Effect<unknown, unknown, R>,
  options: ConnectionOptions<Out>
): Effect.fn.Return<
  Server["Service"],
  StartError,
  Exclude<R, Scope.Scope> | Scope.Scope | Transport.Transport
> {
  const endpoint = yield* Effect.fromResult(Endpoint.fromInput(input))
  const settings = yield* settle(codec, options)
  const transport = yield* Transport.Transport
  const context = yield* Effect.context<Exclude<R, Scope.Scope>>()
  const machine = new ServerMachine({ settings, codec, handler, context, clock: yield* Clock.Clock })
  const listener = yield* Effect.acquireRelease(
    transport.listen(endpoint, { backlog: settings.backlog, onAccept: machine.accept }),
    (listener) => machine.drain(listener)
  )
  machine.emit({ _tag: "Listening", endpoint: listener.endpoint })
  return Server.of({
    endpoint: listener.endpoint,
    stats: Effect.sync(() => machine.stats),
    drain: machine.drain(listener)
  })
})

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
 *   its end, and its answer is thrown away.
 *
 * @see {@link layer}
 * @category constructors
 * @since 0.1.0
 */
export const make = <Request, Response, Failure extends Response, E, R>(
  protocol: Protocol.Protocol<Request, Response, Failure>,
  endpoint: Endpoint.Input,
  handler: (request: Request, connection: Info) => Effect.Effect<Response, E, R>,
  options: Options = {}
): Effect.Effect<Server["Service"], StartError, Exclude<R, Scope.Scope> | Scope.Scope | Transport.Transport> =>
  start(
    internal.pair(protocol.request, protocol.response),
    endpoint,
    (connection) => serve(connection, handler, protocol.isFailure),
    { ...options, goodbye: protocol.goodbye }
  )

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
  endpoint: Endpoint.Input,
  handler: (request: Request, connection: Info) => Effect.Effect<Response, E, R>,
  options: Options = {}
): Layer.Layer<Server, StartError, Exclude<R, Scope.Scope> | Transport.Transport> =>
  Layer.effect(Server, make(protocol, endpoint, handler, options))

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
  endpoint: Endpoint.Input,
  handler: (connection: Connection.Connection<In, Out>) => Effect.Effect<unknown, E, R>,
  options: ConnectionOptions<Out> = {}
): Effect.Effect<Server["Service"], StartError, Exclude<R, Scope.Scope> | Scope.Scope | Transport.Transport> =>
  start(codec, endpoint, handler, options)

/**
 * A server whose handler has the whole connection, as a layer.
 *
 * @see {@link makeConnection}
 * @category layers
 * @since 0.1.0
 */
export const layerConnection = <In, Out, E, R>(
  codec: Codec.Codec<In, Out>,
  endpoint: Endpoint.Input,
  handler: (connection: Connection.Connection<In, Out>) => Effect.Effect<unknown, E, R>,
  options: ConnectionOptions<Out> = {}
): Layer.Layer<Server, StartError, Exclude<R, Scope.Scope> | Transport.Transport> =>
  Layer.effect(Server, makeConnection(codec, endpoint, handler, options))
