/**
 * Transports over Effect's sockets: dialling with a `Socket`, listening with a `SocketServer`.
 *
 * ```
 * Client --connect--> Socket.reader              Server --listen--> SocketServer.run
 *            SocketRaw over it                     one handler for each socket: SocketRaw, until that is gone
 * ```
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type * as Socket from "effect/socket/Socket"
import type * as SocketServer from "effect/socket/SocketServer"
import * as Endpoint from "../Endpoint.ts"
import * as Transport from "../Transport.ts"
import { fromSocketAddress } from "./socketAddress.ts"
import { connectErrorOf } from "./socketErrors.ts"
import { open, type SocketRaw } from "./socketRaw.ts"

/** Where one of Effect's sockets is, as far as it can tell. */
export const unnamed: Endpoint.Endpoint = Endpoint.memoryUnsafe("effect-socket")

/** Dials by acquiring the socket's reader, whatever the endpoint. */
export const dialling = (socket: Socket.Socket): Transport.Transport["Service"] => {
  let lastId = 0
  return {
    connect: (endpoint) =>
      Effect.mapError(
        open(socket, { id: ++lastId, local: unnamed, peer: endpoint }),
        (error) => connectErrorOf(endpoint, error)
      ),
    listen: (endpoint) => Effect.fail(new Transport.BindError({ endpoint, reason: "Unsupported", code: endpoint._tag }))
  }
}

/** Keeps a socket until it is gone; one that could not be opened was never there. */
const keep = (
  opened: Effect.Effect<SocketRaw, Socket.SocketError, Scope.Scope>,
  accept: (raw: SocketRaw) => void
): Effect.Effect<void> =>
  Effect.flatMap(opened, (raw) =>
    Effect.callback<void>((resume) => {
      raw.onGone = () => resume(Exit.void)
      accept(raw)
    })).pipe(Effect.scoped, Effect.ignore)

/** Listens where the server already does, whatever the endpoint. */
export const listening = (server: SocketServer.SocketServer["Service"]): Transport.Transport["Service"] => {
  const endpoint = fromSocketAddress(server.address)
  let lastId = 0
  return {
    connect: (endpoint) =>
      Effect.fail(new Transport.ConnectError({ endpoint, reason: "Unsupported", code: endpoint._tag })),
    listen: Effect.fnUntraced(function*(wanted, { onAccept, reusePort }) {
      // The server was bound before, by somebody who was not asked.
      if (reusePort === true) {
        return yield* new Transport.BindError({ endpoint: wanted, reason: "NotShareable", code: "SocketServer" })
      }
      let closed = false
      const accept = (raw: SocketRaw) => closed ? raw.destroy() : onAccept(raw)
      yield* Effect.forkScoped(
        server.run((socket) => keep(open(socket, { id: ++lastId, local: endpoint, peer: unnamed }), accept)),
        { startImmediately: true }
      )
      return { endpoint, close: Effect.sync(() => void (closed = true)) }
    })
  }
}
