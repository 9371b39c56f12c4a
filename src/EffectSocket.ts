/**
 * The bridge to Effect's own sockets: programs written for `Socket` and `SocketServer` run on hawser's connections,
 * listeners and networks, and hawser's protocols run on any `Socket`.
 *
 * ```
 * a hawser connection, dialled endpoint or listener          one of Effect's
 *   connection ---- toSocket ------------------------------> Socket
 *   endpoint ------ makeSocket, layerSocket ---------------> Socket          each reader dials
 *   endpoint ------ makeSocketServer, layerSocketServer ---> SocketServer    limits, overflow, drain: Server.Options
 *   Connection <--- fromSocket ----------------------------- Socket          with any codec
 *   Transport <---- layerTransport ------------------------- Socket          dials: for Client.make
 *   Transport <---- layerTransportServer ------------------- SocketServer    listens: for Server.make
 * ```
 *
 * How a connection ends, in both languages (`toSocketError`, `toCloseReason`):
 *
 * | hawser                               | Effect                                     | and back                    |
 * | ------------------------------------ | ------------------------------------------ | --------------------------- |
 * | `PeerClosed` (`Cause.Done` of a pull) | `SocketCloseError` 1000, 1005              | `PeerClosed`                |
 * | `Drained`                            | `SocketCloseError` 1001                    | `PeerClosed`                |
 * | `Closed`                             | `SocketCloseError` 1006                    | `PeerReset`                 |
 * | any other, while reading             | `SocketReadError`, the error in `cause`    | the same                    |
 * | any, while writing                   | `SocketWriteError`, the error in `cause`   | the same                    |
 * | `ConnectError` `TimedOut`            | `SocketOpenError` `Timeout`, it in `cause` | the same                    |
 * | any other `ConnectError`             | `SocketOpenError` `Unknown`, it in `cause` | the same                    |
 * | `ProtocolViolation`                  | a `CloseEvent` of 1002 to 1010 written     | `PeerReset`, with the code  |
 * | `PeerReset` with the system's code   |                                            | a system's error in `cause` |
 *
 * **Gotchas**: bytes have no frames, so when a server drains, the input of its handlers ends wherever it stands. Effect's
 * RPC server takes the end of the input for a client that has left and interrupts its calls; `EffectRpc` lets them
 * finish. No close code goes over TCP. `upgrade` fails with `SocketUpgradeError`: bytes without frames cannot show that
 * nothing came behind the agreement; see `Connection.upgrade`.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as NetAddress from "effect/net/NetAddress"
import type * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import * as SocketServer from "effect/socket/SocketServer"
import type * as CloseReason from "./CloseReason.ts"
import type * as Codec from "./Codec.ts"
import * as Connection from "./Connection.ts"
import * as Endpoint from "./Endpoint.ts"
import * as Framing from "./Framing.ts"
import { toSocketAddress } from "./internal/socketAddress.ts"
import { DialledSocket } from "./internal/socketDialled.ts"
import { openError, readError, reasonOf, writeError } from "./internal/socketErrors.ts"
import { SocketLink } from "./internal/socketLink.ts"
import { open } from "./internal/socketRaw.ts"
import { SocketRuns } from "./internal/socketRuns.ts"
import { dialling, listening, unnamed } from "./internal/socketTransport.ts"
import * as Server from "./Server.ts"
import * as Transport from "./Transport.ts"

/** One read of a socket, passed through. Larger chunks are cut. */
const chunks = Framing.chunks({ maxFrameBytes: 65_536 })

/**
 * Says in Effect's words how a connection ended.
 *
 * **Details**: `operation` is what failed with it. The error stays in `reason.cause`, where Effect's reason has one.
 *
 * @category errors
 * @since 0.1.0
 */
export const toSocketError = (
  error: CloseReason.ConnectionError | Transport.ConnectError,
  operation: "read" | "write" = "read"
): Socket.SocketError => {
  if (error instanceof Transport.ConnectError) return openError(error)
  return operation === "write" ? writeError(error) : readError(error.reason, error)
}

/**
 * Says in hawser's words how one of Effect's sockets ended. A hawser error in its cause is given back.
 *
 * @category errors
 * @since 0.1.0
 */
export const toCloseReason: (error: Socket.SocketError) => CloseReason.CloseReason = reasonOf

/**
 * Gives a connection of bytes as one of Effect's sockets.
 *
 * **Details**
 *
 * - The reader may be acquired once. Closing its scope closes the connection, behind what was written, and fails a pull
 *   that waits. Whoever opened the connection still owns it.
 * - Writers write at once, whether there is a reader or not. Closing a writer's scope ends this side; after it, and after
 *   the connection has ended, each write fails.
 * - A `CloseEvent` closes the connection behind what was written, and the reader fails with its code.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toSocket = (connection: Connection.Connection<Uint8Array>): Socket.Socket =>
  new SocketLink(connection).socket

/**
 * Makes one of Effect's sockets that dials an endpoint: each acquisition of its reader is a new connection, which ends
 * with the acquisition's scope.
 *
 * **Details**
 *
 * - Writes go to the newest connection. While there is none they wait for the next one, and follow what the fiber that
 *   acquired its reader writes before it waits for anything. On a connection that has broken they fail.
 * - Closing a writer's scope ends this side of the newest connection.
 *
 * **Gotchas**: Effect's `RpcClient` dies of a request that it cannot write, as it does on any socket that tells so.
 *
 * @see {@link layerSocket}
 * @category constructors
 * @since 0.1.0
 */
export const makeSocket: (
  endpoint: Endpoint.Input,
  options?: Connection.Options
) => Effect.Effect<Socket.Socket, Endpoint.EndpointError, Transport.Transport> = Effect.fnUntraced(
  function*(input, options = {}) {
    const endpoint = yield* Effect.fromResult(Endpoint.fromInput(input))
    const dial = Connection.connect(endpoint, chunks, options).pipe(
      Effect.catchTag("EndpointError", Effect.die), // it was parsed
      Effect.provideService(Transport.Transport, yield* Transport.Transport),
      Effect.mapError(openError)
    )
    return new DialledSocket(dial).socket
  }
)

/**
 * Effect's `Socket` service over the transport: what `NodeSocket.layerNet` is over Node's sockets.
 *
 * @see {@link makeSocket}
 * @category layers
 * @since 0.1.0
 */
export const layerSocket = (
  endpoint: Endpoint.Input,
  options: Connection.Options = {}
): Layer.Layer<Socket.Socket, Endpoint.EndpointError, Transport.Transport> =>
  Layer.effect(Socket.Socket, makeSocket(endpoint, options))

/**
 * What a handler of `layerSocketServer` may know of its connection; `undefined` elsewhere.
 *
 * @category services
 * @since 0.1.0
 */
export const CurrentConnection: Context.Reference<Server.Info | undefined> = Context.Reference<Server.Info | undefined>(
  "hawser/EffectSocket/CurrentConnection",
  { defaultValue: () => undefined }
)

/**
 * Starts a server whose connections are handled by Effect's `SocketServer.run`.
 *
 * **Details**
 *
 * - It listens when it is built. A connection that comes before `run` waits, and counts as open.
 * - `run` can run once, and does not end by itself. Interrupting it drains the server: the listener closes first, the
 *   input of the handlers ends (`SocketCloseError` 1001), and those that are not done after `grace` are interrupted.
 * - A handler's connection is live: it can write before it acquires the reader, and need not acquire it. Whatever it
 *   does, the connection ends with it. `CurrentConnection` names it.
 * - Errors: a handler that fails with the end of its own connection, or dies of it, gives it that reason. Any other
 *   failure is `HandlerFailed`, and is logged once.
 * - Resources: a scope that the handler requires is the connection's. Every other requirement is that of `run`.
 *
 * @see {@link layerSocketServer}
 * @category constructors
 * @since 0.1.0
 */
export const makeSocketServer: (
  endpoint: Endpoint.Input,
  options?: Server.ConnectionOptions<Uint8Array>
) => Effect.Effect<
  { readonly server: Server.Server["Service"]; readonly socketServer: SocketServer.SocketServer["Service"] },
  Server.StartError,
  Transport.Transport | Scope.Scope
> = Effect.fnUntraced(function*(endpoint, options = {}) {
  const runs = new SocketRuns()
  const server = yield* Server.makeConnection(chunks, endpoint, (connection) => runs.serve(connection), options)
  const address: NetAddress.SocketAddress = toSocketAddress(server.endpoint)
  const socketServer = SocketServer.SocketServer.of({
    address,
    run: (handler) =>
      runs.run((connection) => {
        const link = new SocketLink(connection)
        return Effect.suspend(() => handler(link.socket)).pipe(
          Effect.provideService(CurrentConnection, connection),
          // A scope of its own, and not that of `run`. It closes before anybody asks why the connection ended.
          Effect.scoped,
          (handled) => link.settled(handled)
        )
      }, server.drain)
  })
  return { server, socketServer }
})

/**
 * Effect's `SocketServer` service behind a hawser listener, with all of a server's options: what RPC servers and cluster
 * runners listen on.
 *
 * **Gotchas**: layers close in the reverse order of their building, so a program in a layer above this one is closed
 * before this one drains. `drainFirst` turns that round.
 *
 * @see {@link makeSocketServer} for how connections are handled
 * @category layers
 * @since 0.1.0
 */
export const layerSocketServer = (
  endpoint: Endpoint.Input,
  options: Server.ConnectionOptions<Uint8Array> = {}
): Layer.Layer<SocketServer.SocketServer | Server.Server, Server.StartError, Transport.Transport> =>
  Layer.effectContext(
    Effect.map(
      makeSocketServer(endpoint, options),
      ({ server, socketServer }) =>
        Context.make(SocketServer.SocketServer, socketServer).pipe(Context.add(Server.Server, server))
    )
  )

/**
 * Drains the server in a layer before anything else in that layer is closed: what its handlers need lives until they are
 * done.
 *
 * @category layers
 * @since 0.1.0
 */
export const drainFirst = <A, E, R>(
  layer: Layer.Layer<A | Server.Server, E, R>
): Layer.Layer<A | Server.Server, E, R> =>
  Layer.effectDiscard(
    Effect.flatMap(Server.Server, ({ drain }) => Effect.addFinalizer(() => drain))
  ).pipe(Layer.provideMerge(layer))

/** What one of Effect's sockets does not know of itself. @category options @since 0.1.0 */
export interface Names {
  /** This side's address. @default memory:effect-socket */
  readonly local?: Endpoint.Endpoint | undefined
  /** The other side's address. @default memory:effect-socket */
  readonly peer?: Endpoint.Endpoint | undefined
}

/**
 * Opens a connection over one of Effect's sockets, with any codec, for the time of the scope: acquires its reader, so
 * a socket that dials does it here.
 *
 * **Gotchas**: a socket of Effect that is not half-open capable is gone when the peer ends, and a write to it may wait
 * for ever; one that cannot be half-closed, such as a WebSocket, does not tell the peer that this side has ended.
 * Closing the scope ends both within `linger`. A reset arrives as one, but none can be sent.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromSocket = <In, Out>(
  socket: Socket.Socket,
  codec: Codec.Codec<In, Out>,
  options: Names & Pick<Connection.Options, "linger"> = {}
): Effect.Effect<Connection.Connection<In, Out>, Socket.SocketError, Scope.Scope> =>
  Effect.flatMap(
    open(socket, { id: 1, local: options.local ?? unnamed, peer: options.peer ?? unnamed }),
    (raw) => Connection.fromRawSocket(raw, codec, options)
  )

/**
 * A transport that dials by acquiring the reader of Effect's `Socket` service, whatever the endpoint: hawser's clients
 * on a WebSocket, or on whatever else is a `Socket`. It does not listen.
 *
 * **Gotchas**: a `Socket` writes to its newest connection, so one client at a time may use it.
 *
 * @see {@link fromSocket}
 * @category layers
 * @since 0.1.0
 */
export const layerTransport: Layer.Layer<Transport.Transport, never, Socket.Socket> = Layer.effect(
  Transport.Transport,
  Effect.map(Socket.Socket, dialling)
)

/**
 * A transport that listens where Effect's `SocketServer` service does, whatever the endpoint: hawser's servers on a
 * WebSocket server, or on whatever else is a `SocketServer`. It does not dial.
 *
 * **Gotchas**: a `SocketServer` cannot stop listening. Who comes during a drain is accepted and closed at once; the port
 * is free when the `SocketServer` closes. Peers have no addresses.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerTransportServer: Layer.Layer<Transport.Transport, never, SocketServer.SocketServer> = Layer.effect(
  Transport.Transport,
  Effect.map(SocketServer.SocketServer, listening)
)
