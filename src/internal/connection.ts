/**
 * How a connection is opened and how long it lives: over a raw socket, for the time of a scope.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Endpoint from "../Endpoint.ts"
import * as Transport from "../Transport.ts"
import { ConnectionMachine } from "./connectionMachine.ts"

export { ConnectionMachine } from "./connectionMachine.ts"

/** Wires a machine to its raw socket; from here on the socket delivers. */
export const open = <In, Out>(raw: Transport.RawSocket, codec: Codec.Codec<In, Out>): ConnectionMachine<In, Out> => {
  const machine = new ConnectionMachine(raw, codec)
  raw.attach(machine)
  raw.resume()
  return machine
}

/** Opens a connection for the time of the scope: then it ends within `linger`, or is destroyed. */
export const acquire = <In, Out>(
  raw: Transport.RawSocket,
  codec: Codec.Codec<In, Out>,
  linger: Duration.Input
): Effect.Effect<ConnectionMachine<In, Out>, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => open(raw, codec)),
    (machine) =>
      Effect.suspend(() => {
        machine.shutdown(CloseReason.closed)
        if (machine.isClosed) return Effect.void
        const closed = Effect.callback<void>((resume) => {
          if (machine.isClosed) return resume(Exit.void)
          machine.onClosed = () => resume(Exit.void)
        })
        return Effect.timeoutOrElse(Effect.interruptible(closed), {
          duration: linger,
          orElse: () => Effect.sync(() => raw.destroy())
        })
      })
  )

/** What one end of a conversation reads and writes, of the two codecs that describe it. */
export const pair = <In, Out>(incoming: Codec.Codec<In>, outgoing: Codec.Codec<Out>): Codec.Codec<In, Out> => ({
  decoder: incoming.decoder,
  encode: outgoing.encode,
  maxFrameBytes: incoming.maxFrameBytes
})

/** Dials within a time limit. */
export const dial = (
  endpoint: Endpoint.Endpoint,
  timeout: Duration.Input
): Effect.Effect<Transport.RawSocket, Transport.ConnectError, Transport.Transport | Scope.Scope> =>
  Transport.Transport.use((transport) => transport.connect(endpoint)).pipe(
    Effect.timeoutOrElse({
      duration: timeout,
      orElse: () => Effect.fail(new Transport.ConnectError({ endpoint, reason: "TimedOut", code: "ETIMEDOUT" }))
    })
  )
