/**
 * The client's side of TLS as an effect: over a raw socket that was just dialled, or one that has talked in plain text.
 */
import * as Effect from "effect/Effect"
import * as Host from "effect/net/Host"
import type * as Scope from "effect/Scope"
import * as CloseReason from "../CloseReason.ts"
import * as Endpoint from "../Endpoint.ts"
import * as Tls from "../Tls.ts"
import * as Transport from "../Transport.ts"
import { toMillis } from "./time.ts"
import { needsName } from "./tlsOptions.ts"

/** A raw socket after its handshake. */
export interface Secured {
  readonly raw: Transport.RawSocket
  readonly tls: Tls.Info
}

/** A handshake that can be started: its options are checked. */
interface Prepared {
  readonly context: Tls.ClientContext
  readonly timeoutMillis: number
}

/** How long a handshake may take. */
export const handshakeMillis = (
  options: Pick<Tls.DialOptions, "handshakeTimeout">
): Effect.Effect<number, Tls.TlsOptionsError> => {
  const value = options.handshakeTimeout ?? Tls.defaults.handshakeTimeout
  const millis = toMillis(value)
  return millis > 0
    ? Effect.succeed(millis)
    : Effect.fail(
      new Tls.TlsOptionsError({
        option: "handshakeTimeout",
        rule: "a time longer than 0, or Infinity",
        got: `${millis} ms`
      })
    )
}

/** Checks the options of a client, before anything is dialled. */
export const prepare = Effect.fnUntraced(function*(
  engine: Tls.Engine,
  host: string | undefined,
  options: Tls.DialOptions
): Effect.fn.Return<Prepared, Tls.TlsOptionsError> {
  const nameless = needsName(options, host)
  if (nameless !== undefined) return yield* nameless
  const timeoutMillis = yield* handshakeMillis(options)
  const context = yield* engine.client(options)
  for (const notice of context.notices) yield* Effect.logWarning(notice)
  return { context, timeoutMillis }
})

/** Shakes hands within a time limit; the socket is gone if that fails, and given up if it is interrupted. */
export const shakeHands = (
  start: (handshake: Tls.Handshake) => Transport.RawSocket,
  timeoutMillis: number
): Effect.Effect<Secured, Tls.HandshakeFailure> =>
  Effect.callback<Secured, Tls.HandshakeFailure>((resume) => {
    const socket: Transport.RawSocket = start({
      onSecure: (tls) => resume(Effect.succeed({ raw: socket, tls })),
      onFailed: (failure) => resume(Effect.fail(failure))
    })
    return Effect.sync(() => socket.destroy())
  }).pipe(
    Effect.timeoutOrElse({
      duration: timeoutMillis,
      orElse: () =>
        Effect.fail<Tls.HandshakeFailure>({
          reason: { _tag: "HandshakeTimeout", limitMillis: timeoutMillis },
          code: "ETIMEDOUT",
          hint: "check that the peer speaks TLS there, or give it more time"
        })
    })
  )

const connectError = (endpoint: Endpoint.Endpoint, { code, hint, reason }: Tls.HandshakeFailure) =>
  new Transport.ConnectError({
    endpoint,
    reason: reason._tag === "HandshakeTimeout" ? "HandshakeTimeout" : "HandshakeFailed",
    code,
    detail: CloseReason.format(reason),
    advice: hint
  })

/** Dials with TLS: a `tls:` endpoint, or one that has no such scheme. */
export const dialSecure = Effect.fnUntraced(function*(
  endpoint: Endpoint.Endpoint,
  options: Tls.DialOptions,
  plain: (
    endpoint: Endpoint.Endpoint
  ) => Effect.Effect<Transport.RawSocket, Transport.ConnectError, Transport.Transport | Scope.Scope>
): Effect.fn.Return<
  Secured,
  Tls.TlsOptionsError | Transport.ConnectError,
  Transport.Transport | Scope.Scope
> {
  if (endpoint._tag === "Tcp") {
    const rule = `absent for a tcp endpoint; write ${Endpoint.format(Endpoint.tlsUnsafe(endpoint.host, endpoint.port))}`
    return yield* new Tls.TlsOptionsError({ option: "*", rule, got: "options" })
  }
  const { tls: engine } = yield* Transport.Transport
  if (engine === undefined) {
    return yield* new Transport.ConnectError({ endpoint, reason: "Unsupported", code: "Tls" })
  }
  const host = endpoint._tag === "Tls" && endpoint.host !== "*" ? Host.formatHost(endpoint.host) : undefined
  const { context, timeoutMillis } = yield* prepare(engine, host, options)
  const below = endpoint._tag === "Tls" ? Endpoint.tcpUnsafe(endpoint.host, endpoint.port) : endpoint
  const raw = yield* Effect.mapError(
    plain(below),
    ({ cause, code, reason }) => new Transport.ConnectError({ endpoint, reason, code, cause })
  )
  return yield* Effect.mapError(
    shakeHands((handshake) => engine.connect(raw, context, host, handshake), timeoutMillis),
    (failure) => connectError(endpoint, failure)
  )
})
