/**
 * How a connection is opened and how long it lives: over a raw socket, for the time of a scope.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Endpoint from "../Endpoint.ts"
import type * as ProxyHeader from "../ProxyHeader.ts"
import type * as Tls from "../Tls.ts"
import * as Transport from "../Transport.ts"
import { ConnectionMachine } from "./connectionMachine.ts"
import type { Addresses } from "./ends.ts"
import { dialSecure } from "./tlsDial.ts"

export { ConnectionMachine } from "./connectionMachine.ts"
export type { Addresses } from "./ends.ts"
export type { Answerer, Batch } from "./inbox.ts"

/** Wires a machine to its raw socket; from here on the socket delivers. */
export const start = <In, Out>(machine: ConnectionMachine<In, Out>): ConnectionMachine<In, Out> => {
  machine.raw.attach(machine)
  machine.raw.resume()
  return machine
}

/** Makes a machine and wires it to its raw socket. A proxy's header may know better `addresses`. */
export const open = <In, Out>(
  raw: Transport.RawSocket,
  codec: Codec.Codec<In, Out>,
  addresses?: Addresses
): ConnectionMachine<In, Out> => start(new ConnectionMachine(raw, codec, addresses))

/** Opens a connection for the time of the scope: then it ends within `linger`, or is destroyed. */
export const acquire = <In, Out>(
  raw: Transport.RawSocket,
  codec: Codec.Codec<In, Out>,
  linger: Duration.Input,
  addresses?: Addresses
): Effect.Effect<ConnectionMachine<In, Out>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => open(raw, codec, addresses)),
    (machine) => close(machine, linger)
  )

/** Ends a connection within `linger`, or destroys it. */
export const close = <In, Out>(machine: ConnectionMachine<In, Out>, linger: Duration.Input): Effect.Effect<void> =>
  Effect.suspend(() => {
    machine.shutdown(CloseReason.closed)
    if (machine.isClosed) return Effect.void
    const closed = Effect.callback<void>((resume) => {
      if (machine.isClosed) return resume(Exit.void)
      machine.onClosed = () => resume(Exit.void)
    })
    return Effect.timeoutOrElse(Effect.interruptible(closed), {
      duration: linger,
      orElse: () => Effect.sync(() => machine.raw.destroy())
    })
  })

/** What one end of a conversation reads and writes, of the two codecs that describe it. */
export const pair = <In, Out>(incoming: Codec.Codec<In>, outgoing: Codec.Codec<Out>): Codec.Codec<In, Out> => ({
  decoder: incoming.decoder,
  encode: outgoing.encode,
  maxFrameBytes: incoming.maxFrameBytes
})

/** A raw socket that was dialled, and what its handshake told, where there was one. */
export interface Dialled {
  readonly raw: Transport.RawSocket
  readonly tls: Tls.Info | undefined
}

/** What comes before the protocol on a connection that is dialled. */
export interface DialOptions {
  readonly tls?: Tls.DialOptions | undefined
  readonly proxy?: ProxyHeader.Version | undefined
}

/** Dials within a time limit, and secures what asks for it within its own. */
export const dial = (
  endpoint: Endpoint.Endpoint,
  timeout: Duration.Input,
  { proxy, tls }: DialOptions
): Effect.Effect<Dialled, DialError, Transport.Transport | Scope.Scope> => {
  const plain = (below: Endpoint.Endpoint) =>
    proxy === undefined ? dialPlain(below, timeout) : Effect.tap(dialPlain(below, timeout), introduce(proxy))
  return endpoint._tag === "Tls" || tls !== undefined
    ? dialSecure(endpoint, tls ?? {}, plain)
    : Effect.map(plain(endpoint), (raw) => ({ raw, tls: undefined }))
}

/** Begins with a header; the addresses of a socket can always be sent. Few need it: it is loaded for those. */
const introduce = (version: ProxyHeader.Version) => (raw: Transport.RawSocket): Effect.Effect<void> =>
  Effect.map(
    Effect.promise(() => import("./proxySend.ts")),
    ({ sendProxy }) => Result.getOrThrow(sendProxy(raw, { version }))
  )

/** Why there is no connection. */
export type DialError = Transport.ConnectError | Tls.TlsOptionsError

const dialPlain = (
  endpoint: Endpoint.Endpoint,
  timeout: Duration.Input
): Effect.Effect<Transport.RawSocket, Transport.ConnectError, Transport.Transport | Scope.Scope> =>
  Transport.Transport.use((transport) => transport.connect(endpoint)).pipe(
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => Effect.fail(new Transport.ConnectError({ endpoint, reason: "TimedOut", code: "ETIMEDOUT" }))
    })
  )
