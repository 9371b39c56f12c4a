/**
 * A transport whose sockets went through Effect's and back: hawser's raw socket, its connection, Effect's socket over
 * that, and a raw socket again; and listeners through Effect's `SocketServer`. What holds for it holds for both directions
 * of the bridge.
 */
import { Effect } from "effect"
import { EffectSocket, Transport } from "../../src/index.ts"
import { dialling, listening } from "../../src/internal/socketTransport.ts"

export const bridged = (transport: Transport.Transport["Service"]): Transport.Transport["Service"] => ({
  connect: Effect.fnUntraced(function*(endpoint) {
    const socket = yield* Effect.orDie(EffectSocket.makeSocket(endpoint)).pipe(
      Effect.provideService(Transport.Transport, transport)
    )
    return yield* dialling(socket).connect(endpoint)
  }),
  listen: Effect.fnUntraced(function*(endpoint, options) {
    const { server, socketServer } = yield* EffectSocket.makeSocketServer(endpoint, {
      linger: 0,
      drain: { grace: 0, force: 0 }
    }).pipe(
      Effect.provideService(Transport.Transport, transport),
      Effect.catchTags({ EndpointError: Effect.die, ServerOptionsError: Effect.die, TlsOptionsError: Effect.die })
    )
    return { ...(yield* listening(socketServer).listen(endpoint, options)), endpoint: server.endpoint }
  })
})
