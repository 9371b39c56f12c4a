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
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Admission from "./Admission.ts"
import * as ByteWriter from "./ByteWriter.ts"
import * as CloseReason from "./CloseReason.ts"
import type * as Codec from "./Codec.ts"
import type * as Connection from "./Connection.ts"
import * as Endpoint from "./Endpoint.ts"
import * as internal from "./internal/connection.ts"
import { serve } from "./internal/serve.ts"
import { ServerMachine, type Settings } from "./internal/serverMachine.ts"
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
 * Counts of a server. `accepted = open + ended`.
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
  /** Connections turned away so far. */
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
  /** Connections turned away in the server's life. */
  readonly refused: number
  /** How long the drain took. */
  readonly elapsed: Duration.Duration
}

/**
 * What a server tells its `onEvent`. `id` and `peer` name the connection.
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

/**
 * How to serve.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * How many connections may be open at once, exactly.
   *
   * @default 1024
   */
  readonly maxConnections?: number | undefined
  /**
   * What happens to a connection over `maxConnections`.
   *
   * @default "goodbye" where the protocol has a message for it, else "close"
   */
  readonly overflow?: Admission.Overflow | undefined
  /**
   * How many connections the kernel holds that were not accepted yet (`listen(2)`; the kernel has a limit of its own).
   *
   * @default 511
   */
  readonly backlog?: number | undefined
  /**
   * How long a connection whose handler is done may go on sending what was written, and wait for the peer's end.
   *
   * @default "2 seconds"
   */
  readonly linger?: Duration.Input | undefined
  /** How a drain goes. */
  readonly drain?: DrainOptions | undefined
  /**
   * Called with every event, synchronously, where it happens: it must be quick and must not throw.
   *
   * @default undefined
   */
  readonly onEvent?: ((event: Event) => void) | undefined
}

/**
 * The three phases of a drain; each ends early when nobody is left.
 *
 * @category options
 * @since 0.1.0
 */
export interface DrainOptions {
  /**
   * How long to go on serving after the listener closed; `awaitDrain` completes when it is over.
   *
   * @default 0
   */
  readonly announce?: Duration.Input | undefined
  /**
   * How long the connections have to finish what is in flight.
   *
   * @default "10 seconds"
   */
  readonly grace?: Duration.Input | undefined
  /**
   * How long interrupted handlers have to clean up before their sockets are destroyed.
   *
   * @default "1 second"
   */
  readonly force?: Duration.Input | undefined
}

/**
 * The options of a server without a protocol, which brings its own goodbye.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConnectionOptions<in out Out> extends Options {
  /** What the server says before it turns a connection away. */
  readonly goodbye?: Protocol.Goodbye<Out> | undefined
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  /** What Ranch and HAProxy-like servers start from; a process has 1024 descriptors on many systems. */
  maxConnections: 1024,
  /** Node's own default. */
  backlog: 511,
  /** Many round trips for a peer that reads; short enough that an idle peer does not hold up a drain. */
  linger: "2 seconds",
  /** Nobody is told before a listener goes away unless the deployment needs it. */
  announce: 0,
  /** Container platforms kill 30 s after the signal; most requests take far less than 10. */
  grace: "10 seconds",
  /** Finalizers are short; arbitrary, not measured. */
  force: "1 second"
} as const

/**
 * An option that a server cannot work with.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServerOptionsError extends Data.TaggedError("ServerOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override get message(): string {
    return `${this.option} must be ${this.rule}, got ${String(this.value)}`
  }
}

/** Everything that can keep a server from starting. @category errors @since 0.1.0 */
export type StartError = Transport.BindError | Endpoint.EndpointError | ServerOptionsError

/** What a handler of requests may know of its connection. @category models @since 0.1.0 */
export type Info = Pick<Connection.Connection<unknown, never>, "id" | "local" | "peer" | "awaitDrain">

const positive = (option: string, value: number) =>
  Number.isInteger(value) && value > 0
    ? Effect.succeed(value)
    : Effect.fail(new ServerOptionsError({ option, value, rule: "a positive integer" }))

const finite = (option: string, value: Duration.Input) =>
  Effect.suspend(() => {
    const millis = Duration.toMillis(Duration.fromInputUnsafe(value))
    return Number.isFinite(millis) && millis >= 0 && millis <= maxTimerMillis
      ? Effect.succeed(Duration.millis(millis))
      : Effect.fail(new ServerOptionsError({ option, value, rule: "a time from 0 to 24 days" }))
  })

/** The longest time that a Node timer can hold; it runs off at once above that. */
const maxTimerMillis = 2_147_483_647

const settle = Effect.fnUntraced(function*<In, Out>(
  codec: Codec.Codec<In, Out>,
  options: ConnectionOptions<Out>
): Effect.fn.Return<Settings<Out>, ServerOptionsError> {
  const goodbye = options.goodbye?.overLimit
  const overflow = options.overflow ?? (goodbye === undefined ? "close" : "goodbye")
  const refusal = typeof overflow === "string" ? overflow : overflow.otherwise
  if (refusal === "goodbye") {
    if (goodbye === undefined) {
      return yield* new ServerOptionsError({
        option: "overflow",
        value: "goodbye",
        rule: "close or reset, because there is no goodbye message for overLimit"
      })
    }
    const unsayable = codec.encode(goodbye, ByteWriter.make())
    if (unsayable !== undefined) {
      return yield* new ServerOptionsError({
        option: "goodbye.overLimit",
        value: goodbye,
        rule: `a message that the codec can write (${CloseReason.format(unsayable)})`
      })
    }
  }
  if (typeof overflow !== "string") {
    yield* positive("overflow.maxWaiting", overflow.maxWaiting)
    yield* finite("overflow.timeout", overflow.timeout)
  }
  return {
    maxConnections: yield* positive("maxConnections", options.maxConnections ?? defaults.maxConnections),
    overflow,
    goodbye,
    linger: yield* finite("linger", options.linger ?? defaults.linger),
    announce: yield* finite("drain.announce", options.drain?.announce ?? defaults.announce),
    grace: yield* finite("drain.grace", options.drain?.grace ?? defaults.grace),
    force: yield* finite("drain.force", options.drain?.force ?? defaults.force),
    onEvent: options.onEvent
  }
})

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
  const backlog = yield* positive("backlog", options.backlog ?? defaults.backlog)
  const settings = yield* settle(codec, options)
  const transport = yield* Transport.Transport
  const context = yield* Effect.context<Exclude<R, Scope.Scope>>()
  const machine = new ServerMachine({ settings, codec, handler, context, clock: yield* Clock.Clock })
  const listener = yield* Effect.acquireRelease(
    transport.listen(endpoint, { backlog, onAccept: machine.accept }),
    (listener) => machine.drain(listener)
  )
  machine.emit({ _tag: "Listening", endpoint: listener.endpoint })
  return Server.of({
    endpoint: listener.endpoint,
    stats: Effect.sync(() => ({
      accepted: machine.accepted,
      open: machine.open,
      ended: machine.ended,
      refused: machine.refused,
      waiting: machine.waitingRoom
    })),
    drain: machine.drain(listener)
  })
})

/**
 * Starts a server of a protocol: the handler answers one request at a time, in the order of their arrival.
 *
 * **Details**
 *
 * - Errors: a failure that the protocol knows (`failure`) is sent as the response. Any other failure, and any defect,
 *   ends this connection with `HandlerFailed`.
 * - Resources: a scope that the handler requires is the connection's.
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
): Effect.Effect<Server["Service"], StartError, Exclude<R, Scope.Scope> | Scope.Scope | Transport.Transport> => {
  const { isFailure } = protocol
  const answer = isFailure === undefined
    ? handler
    : (request: Request, connection: Info): Effect.Effect<Response, E, R> =>
      Effect.catch(handler(request, connection), (error) => isFailure(error) ? Exit.succeed(error) : Exit.fail(error))
  return start(
    internal.pair(protocol.request, protocol.response),
    endpoint,
    (connection) => serve(connection, answer),
    { ...options, goodbye: protocol.goodbye }
  )
}

/**
 * A server of a protocol, as a layer.
 *
 * **Example**
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
 * The connection ends when the handler does. A handler that fails with the error of its own connection gives it that
 * reason; any other failure is `HandlerFailed`.
 *
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
