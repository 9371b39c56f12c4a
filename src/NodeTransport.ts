/**
 * The transport over Node's sockets: `tcp:` and `unix:` endpoints, and `memory:` ones in process.
 *
 * The only library file that knows `node:net`. A listener owns every socket from the accept callback on; a socket is
 * closed exactly once, when both sides ended or its owner destroys it.
 *
 * Every socket is opened half-open capable, so that a peer that ends its side (`printf hi | nc -N`) still gets its
 * answer, and without Nagle's delay, because hawser gathers small writes itself.
 *
 * ```
 * tcp://*:PORT   every interface, both families: binds [::] for both, or 0.0.0.0 where IPv6 is off
 * unix:/path     a stale file left by a killed process is removed, but only a socket that nobody answers on
 * unix:@name     Linux's abstract names, which leave no file
 * fd:3           a listening socket that the process was given (systemd's LISTEN_FDS); it is closed with the listener
 * ```
 *
 * It carries plain text: `connect` and `listen` refuse a `tls:` endpoint with `Unsupported`. The engine for TLS comes with
 * it, and clients and servers lay it over whatever socket they have.
 *
 * Where a listener's sockets are written to often in one turn of the event loop, writes of up to 32 KiB leave at the end
 * of the turn, or with the first one that comes more than a millisecond behind the one that has waited longest. Dialled
 * sockets and those of TLS write at once.
 *
 * **Gotchas**: Node accepts whatever comes and offers no way to stop for a while; who is over a limit is turned away
 * after the accept. `process.exit`, or an exception that nobody catches, takes with it what was to leave at the
 * end of the turn.
 *
 * Laws: `ConnectionLaws` in `hawser/testing`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Net from "node:net"
import type * as Endpoint from "./Endpoint.ts"
import { WorthWhile } from "./internal/nodeDepartures.ts"
import { descriptorLimit } from "./internal/nodeDescriptors.ts"
import { listen } from "./internal/nodeListen.ts"
import { codeOf, connectReason, nativeAddress } from "./internal/nodeNames.ts"
import { SharedReading } from "./internal/nodeReading.ts"
import { type Common, makeReading, NodeSocket } from "./internal/nodeSocket.ts"
import { engine } from "./internal/nodeTlsLazy.ts"
import * as MemoryTransport from "./MemoryTransport.ts"
import * as Transport from "./Transport.ts"

const connect = (
  nextId: () => number,
  dialled: Common,
  endpoint: Endpoint.Tcp | Endpoint.Unix
): Effect.Effect<Transport.RawSocket, Transport.ConnectError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<NodeSocket, Transport.ConnectError>((resume) => {
      const socket = Net.connect({ ...nativeAddress(endpoint), allowHalfOpen: true, noDelay: true })
      const failed = (cause: NodeJS.ErrnoException) => {
        const code = codeOf(cause)
        resume(new Transport.ConnectError({ endpoint, reason: connectReason(code), code, cause }))
      }
      socket.once("error", failed)
      socket.once("connect", () => {
        socket.off("error", failed)
        resume(Effect.succeed(new NodeSocket(nextId(), socket, endpoint, dialled)))
      })
      return Effect.sync(() => socket.destroy())
    }),
    (socket) => Effect.sync(() => socket.destroy()),
    { interruptible: true }
  )

/**
 * The transport as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Transport.Transport> = Layer.effect(
  Transport.Transport,
  Effect.gen(function*() {
    let lastId = 0
    const nextId = () => ++lastId
    const sharing = { keys: yield* SharedReading, worthWhile: yield* WorthWhile }
    const dialled = { reading: makeReading(sharing.keys) }
    const memory = yield* MemoryTransport.makeNumbered(nextId)
    return Transport.Transport.of({
      tls: engine,
      descriptorLimit: yield* descriptorLimit,
      connect: (endpoint) => {
        switch (endpoint._tag) {
          case "Memory":
            return memory.connect(endpoint)
          case "Tls":
          case "Descriptor":
            return Effect.fail(new Transport.ConnectError({ endpoint, reason: "Unsupported", code: endpoint._tag }))
          case "Tcp":
            return endpoint.host === "*"
              ? Effect.fail(new Transport.ConnectError({ endpoint, reason: "Unsupported", code: "*" }))
              : connect(nextId, dialled, endpoint)
          case "Unix":
            return connect(nextId, dialled, endpoint)
        }
      },
      listen: (endpoint, options) => {
        switch (endpoint._tag) {
          case "Memory":
            return memory.listen(endpoint, options)
          case "Tls":
            return Effect.fail(new Transport.BindError({ endpoint, reason: "Unsupported", code: "Tls" }))
          case "Tcp":
          case "Unix":
          case "Descriptor":
            return listen(nextId, sharing, endpoint, options)
        }
      }
    })
  })
)
