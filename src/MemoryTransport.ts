/**
 * The transport inside one process: `memory:` endpoints, no sockets, no ports, no kernel.
 *
 * It keeps TCP's contract where programs can see it: bytes come in order and in whatever pieces, each direction holds
 * at most a window and then makes the writer wait, the end of stream comes after the data, a reset destroys what is on
 * its way, and closing with unread input is a reset. Each layer is a network of its own.
 *
 * ```
 * writer --> [ window: at most 64 KiB not yet read ] --> reader        one such queue per direction
 * ```
 *
 * It has no latency and loses nothing: faults and virtual time belong to a simulated network.
 *
 * **Gotchas**: delivery happens in a later turn, never inside `write`. What is written is copied, as a kernel would.
 *
 * Laws: `ConnectionLaws` in `hawser/testing`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Endpoint from "./Endpoint.ts"
import { makeTurns, MemorySocket } from "./internal/memorySocket.ts"
import * as Transport from "./Transport.ts"

interface Listening {
  readonly accept: (socket: MemorySocket) => void
}

const unnamed = Endpoint.memoryUnsafe("client")

/**
 * Makes a network of its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<Transport.Transport["Service"]> = Effect.suspend(() => {
  let lastId = 0
  return makeNumbered(() => ++lastId)
})

/**
 * Makes a network of its own whose sockets have the numbers that `nextId` gives: for a transport that has other sockets, too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeNumbered = (nextId: () => number): Effect.Effect<Transport.Transport["Service"]> =>
  Effect.sync(() => {
    const turns = makeTurns()
    const listeners = new Map<string, Listening>()

    const listen = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint, options: Transport.ListenOptions) {
      if (endpoint._tag !== "Memory") {
        return yield* new Transport.BindError({ endpoint, reason: "Unsupported", code: endpoint._tag })
      }
      if (options.reusePort === true) {
        return yield* new Transport.BindError({ endpoint, reason: "NotShareable", code: endpoint._tag })
      }
      const { name } = endpoint
      const open = new Set<MemorySocket>()
      const listening: Listening = {
        accept: (socket) => {
          open.add(socket)
          socket.onGone = () => open.delete(socket)
          turns.run(() => listeners.get(name) === listening ? options.onAccept(socket) : socket.reset())
        }
      }
      const close = Effect.sync(() => {
        if (listeners.get(name) === listening) listeners.delete(name)
      })
      yield* Effect.acquireRelease(
        Effect.suspend(() => {
          if (listeners.has(name)) {
            return Effect.fail(new Transport.BindError({ endpoint, reason: "AddressInUse", code: "EADDRINUSE" }))
          }
          listeners.set(name, listening)
          return Effect.void
        }),
        () =>
          Effect.andThen(
            close,
            Effect.sync(() => {
              for (const socket of open) socket.destroy()
            })
          )
      )
      return { endpoint, close }
    })

    const connect = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint) {
      if (endpoint._tag !== "Memory") {
        return yield* new Transport.ConnectError({ endpoint, reason: "Unsupported", code: endpoint._tag })
      }
      const listener = listeners.get(endpoint.name)
      if (listener === undefined) {
        return yield* new Transport.ConnectError({ endpoint, reason: "Refused", code: "ECONNREFUSED" })
      }
      return yield* Effect.acquireRelease(
        Effect.sync(() => {
          const client = new MemorySocket(nextId(), unnamed, endpoint, turns)
          const server = new MemorySocket(nextId(), endpoint, unnamed, turns)
          MemorySocket.pair(client, server)
          listener.accept(server)
          return client
        }),
        (client) => Effect.sync(() => client.destroy())
      )
    })

    return Transport.Transport.of({ listen, connect })
  })

/**
 * The transport as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Transport.Transport> = Layer.effect(Transport.Transport, make)
