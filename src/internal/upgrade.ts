/**
 * From plain text to TLS in mid-connection: what STARTTLS is to SMTP, IMAP and LDAP.
 *
 * ```
 * machine --surrender--> raw socket --handshake--> secure socket --> new machine, its successor
 *    `-- lives on for whoever opened it: it is told how the successor ends, and passes a drain on
 * ```
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Connection from "../Connection.ts"
import * as Tls from "../Tls.ts"
import type * as Transport from "../Transport.ts"
import { acquire, ConnectionMachine } from "./connection.ts"
import { handshakeMillis, prepare, shakeHands } from "./tlsDial.ts"

const foreign = new TypeError("only a connection that hawser opened can be upgraded, and not one that is wrapped")

type Start = (raw: Transport.RawSocket, handshake: Tls.Handshake) => Transport.RawSocket

/** What shakes hands for one side, its options checked. */
const prepareSide = Effect.fnUntraced(function*<In, Out>(options: Connection.UpgradeOptions<In, Out>) {
  const engine = yield* Tls.engine
  if (options.side === "server") {
    const { context } = options
    const start: Start = (raw, handshake) => engine.accept(raw, context, handshake)
    return { start, timeoutMillis: yield* handshakeMillis(options) }
  }
  const { context, timeoutMillis } = yield* prepare(engine, undefined, options.tls)
  const start: Start = (raw, handshake) => engine.connect(raw, context, undefined, handshake)
  return { start, timeoutMillis }
})

/** Upgrades a connection, for the time of the scope. */
export const upgrade = Effect.fnUntraced(function*<In, Out, In2, Out2>(
  self: Connection.Connection<In, Out>,
  codec: Codec.Codec<In2, Out2>,
  options: Connection.UpgradeOptions<In, Out>,
  linger: NonNullable<Connection.Options["linger"]>
): Effect.fn.Return<
  ConnectionMachine<In2, Out2>,
  CloseReason.ConnectionError | Tls.TlsOptionsError,
  Transport.Transport | Scope.Scope
> {
  if (!(self instanceof ConnectionMachine)) return yield* Effect.die(foreign)
  const machine: ConnectionMachine<In, Out> = self // instanceof does not see what it gives and takes
  const { start, timeoutMillis } = yield* prepareSide(options)
  const { local, peer } = machine
  const refused = machine.surrender(options.agreed, options.lastWord ?? [])
  if (refused !== undefined) {
    machine.shutdown(refused)
    return yield* machine.fail(refused)
  }
  const { raw, tls } = yield* Effect.catch(
    shakeHands((handshake) =>
      start(machine.raw, {
        onSecure: handshake.onSecure,
        onFailed: (failure) => {
          machine.bereave(undefined)
          handshake.onFailed(failure)
        }
      }), timeoutMillis),
    ({ reason }) => machine.fail(reason)
  )
  return yield* acquire(raw, codec, linger, { local, peer, tls, predecessor: machine })
})
