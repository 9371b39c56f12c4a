/** Transports and connections with a planted bug, to show that somebody notices. */
import { Effect, Layer, type Scope } from "effect"
import { type Connection, Endpoint, MemoryTransport, Transport } from "../../src/index.ts"

/** The methods of a raw socket that a bug replaces. */
export type Bug = (raw: Transport.RawSocket) => Partial<Transport.RawSocket>

const withBug = (raw: Transport.RawSocket, bug: Bug): Transport.RawSocket => {
  const passed: Transport.RawSocket = {
    id: raw.id,
    get local() {
      return raw.local
    },
    get peer() {
      return raw.peer
    },
    get bytesUnsent() {
      return raw.bytesUnsent
    },
    attach: (handler) => raw.attach(handler),
    pause: () => raw.pause(),
    resume: () => raw.resume(),
    unshift: (chunk) => raw.unshift(chunk),
    write: (segments) => raw.write(segments),
    end: () => raw.end(),
    destroy: () => raw.destroy(),
    reset: () => raw.reset()
  }
  // Not a spread, which would ask the getters now.
  return Object.defineProperties(passed, Object.getOwnPropertyDescriptors(bug(raw)))
}

/** A handler that hears other things than the raw socket says. */
export const hearing = (
  change: (handler: Transport.RawHandler, raw: Transport.RawSocket) => Partial<Transport.RawHandler>
): Bug =>
(raw) => ({
  attach: (handler) =>
    raw.attach({
      onData: (chunk) => handler.onData(chunk),
      onEnd: () => handler.onEnd(),
      onDrain: () => handler.onDrain(),
      onClose: (code) => handler.onClose(code),
      ...change(handler, raw)
    })
})

/** Memory, whose raw sockets have a bug. */
export const sockets = (bug: Bug, onAccept: Bug = bug): Layer.Layer<Transport.Transport> =>
  transport((memory) => ({
    connect: (endpoint) => Effect.map(memory.connect(endpoint), (raw) => withBug(raw, bug)),
    listen: (endpoint, options) =>
      memory.listen(endpoint, { ...options, onAccept: (raw) => options.onAccept(withBug(raw, onAccept)) })
  }))

/** Memory, with a bug of its own. */
export const transport = (
  bug: (memory: Transport.Transport["Service"], forever: Scope.Scope) => Partial<Transport.Transport["Service"]>
): Layer.Layer<Transport.Transport> =>
  Layer.effect(
    Transport.Transport,
    Effect.gen(function*() {
      const memory = yield* MemoryTransport.make
      return Transport.Transport.of({ ...memory, ...bug(memory, yield* Effect.scope) })
    })
  )

/** A connection with other operations. */
export const wrapped = <In, Out>(
  connection: Connection.Connection<In, Out>,
  change: Partial<Connection.Connection<In, Out>>
): Connection.Connection<In, Out> => ({
  id: connection.id,
  get local() {
    return connection.local
  },
  get peer() {
    return connection.peer
  },
  pull: connection.pull,
  write: connection.write,
  finish: connection.finish,
  awaitDrain: connection.awaitDrain,
  get bytesIn() {
    return connection.bytesIn
  },
  get bytesOut() {
    return connection.bytesOut
  },
  get messagesIn() {
    return connection.messagesIn
  },
  get messagesOut() {
    return connection.messagesOut
  },
  ...change
})

/** Where the broken ones listen. */
export const somewhere = Endpoint.memoryUnsafe("broken")
