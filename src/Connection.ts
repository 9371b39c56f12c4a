/**
 * One live conversation: an open byte stream, read and written as messages, with one owner.
 *
 * A connection is opened with its codec and cannot be dialled again. Whoever opened it owns it: a server for the time
 * of its handler, `connect` for the time of its scope. When the owner is done, what was written still leaves, this side
 * ends, and the socket is closed exactly once, whatever happened.
 *
 * ```
 *            pull: batches of messages           write: batches of messages
 *   peer --> [chunk][chunk] --decoder--> fiber --encoder--> [segments] --> peer
 *            end of stream = Cause.Done           finish = end of stream
 * ```
 *
 * It keeps no deadline and no limit of its own beyond the codec's: those belong to the server or the client.
 *
 * **Gotchas**: the peer's end of stream ends only what `pull` gives; this side may go on writing. One fiber pulls at a
 * time (a second one dies); any number may write, and the messages of one `write` stay together.
 *
 * Laws: `ConnectionLaws` in `hawser/testing`.
 *
 * @since 0.1.0
 */
import type * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import type * as Scope from "effect/Scope"
import type * as CloseReason from "./CloseReason.ts"
import type * as Codec from "./Codec.ts"
import * as Endpoint from "./Endpoint.ts"
import * as internal from "./internal/connection.ts"
import { upgrade as upgradeMachine } from "./internal/upgrade.ts"
import type * as ProxyHeader from "./ProxyHeader.ts"
import type * as Tls from "./Tls.ts"
import type * as Transport from "./Transport.ts"

export {
  /** The error of every operation on a connection. @category errors @since 0.1.0 */
  ConnectionError
} from "./CloseReason.ts"

/**
 * A live conversation that gives `In` and takes `Out`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection<out In, in Out = In> {
  /** Counts from 1 per transport; names this connection in logs. */
  readonly id: number
  /** This side's address. */
  readonly local: Endpoint.Endpoint
  /** The other side's address. */
  readonly peer: Endpoint.Endpoint
  /** What the TLS handshake told: version, ALPN, the peer's certificate. Absent in plain text. */
  readonly tls?: Tls.Info | undefined
  /**
   * Waits for messages and gives all that one read completed; ends with `Cause.Done` after the peer's last message, or
   * when a draining server wants no more input.
   *
   * Interrupting one that waits loses nothing. After a recoverable `FrameCorrupt` the next pull goes on behind the bad frame; after
   * any other error every pull fails alike.
   */
  readonly pull: Pull.Pull<Arr.NonEmptyReadonlyArray<In>, CloseReason.ConnectionError>
  /**
   * Encodes and sends messages in one write, and waits while the peer does not read.
   *
   * A message that cannot be encoded fails the write; the messages before it in the batch are sent. Once the write
   * started, interruption does not take back what the kernel has: all of it may still arrive.
   */
  readonly write: (batch: ReadonlyArray<Out>) => Effect.Effect<void, CloseReason.ConnectionError>
  /** Ends this side after everything written; reading goes on. Again does nothing. */
  readonly finish: Effect.Effect<void, CloseReason.ConnectionError>
  /** Completes when a draining server asks the connection to end. Never, on a client. */
  readonly awaitDrain: Effect.Effect<void>
  /** Bytes received so far. */
  readonly bytesIn: number
  /** Bytes handed to the kernel so far. */
  readonly bytesOut: number
  /** Messages decoded so far. */
  readonly messagesIn: number
  /** Messages encoded so far. */
  readonly messagesOut: number
}

/**
 * How to open a connection.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * How long dialling may take.
   *
   * @default "10 seconds"
   */
  readonly connectTimeout?: Duration.Input | undefined
  /**
   * How long a closed connection may go on sending what was written, and wait for the peer's end.
   *
   * @default "2 seconds"
   */
  readonly linger?: Duration.Input | undefined
  /**
   * How to secure the connection. A `tls:` endpoint needs no option: the server's certificate must then be issued by
   * somebody whom Node trusts, for the endpoint's host. With `unix:` and `memory:` endpoints the option asks for TLS; a
   * `tcp:` endpoint is refused with it.
   *
   * @default nothing
   */
  readonly tls?: Tls.DialOptions | undefined
  /**
   * The version of the PROXY header to begin with, before TLS: it names this side's own addresses, as a proxy that speaks
   * for itself. A server that does not ask for one takes it for a broken message.
   *
   * @default none
   */
  readonly proxy?: ProxyHeader.Version | undefined
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  /** Longer than three lost SYN packets take (1 + 2 + 4 s). */
  connectTimeout: "10 seconds",
  /** Many round trips for a peer that reads. */
  linger: "2 seconds"
} as const

/**
 * Dials an endpoint and opens the connection with a codec, for the time of the scope.
 *
 * **Details**: when the scope closes, the connection ends gracefully within `linger`, and is destroyed then.
 *
 * @category constructors
 * @since 0.1.0
 */
export const connect: <In, Out>(
  endpoint: Endpoint.Input,
  codec: Codec.Codec<In, Out>,
  options?: Options
) => Effect.Effect<
  Connection<In, Out>,
  Transport.ConnectError | Endpoint.EndpointError | Tls.TlsOptionsError,
  Transport.Transport | Scope.Scope
> = Effect.fnUntraced(function*(input, codec, options = {}) {
  const endpoint = yield* Effect.fromResult(Endpoint.fromInput(input))
  const { raw, tls } = yield* internal.dial(endpoint, options.connectTimeout ?? defaults.connectTimeout, options)
  return yield* internal.acquire(raw, codec, options.linger ?? defaults.linger, { tls })
})

/**
 * Opens the connection over a raw socket that a transport gave, for the time of the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromRawSocket = <In, Out>(
  raw: Transport.RawSocket,
  codec: Codec.Codec<In, Out>,
  options: Pick<Options, "linger"> = {}
): Effect.Effect<Connection<In, Out>, never, Scope.Scope> =>
  internal.acquire(raw, codec, options.linger ?? defaults.linger)

/**
 * How one side of a connection turns to TLS.
 *
 * @category options
 * @since 0.1.0
 */
export type UpgradeOptions<In, Out> = (ServerUpgrade | ClientUpgrade) & {
  /**
   * The message by which both sides agreed on TLS, as `pull` gave it: a server's is the request, a client's the answer
   * that says yes. It must be the last that was read, and nothing may have come behind it.
   */
  readonly agreed: In
  /**
   * What to say in plain text before the handshake: a server's answer that says yes. Written before, the client's
   * handshake could come in between and be read as messages.
   *
   * @default nothing
   */
  readonly lastWord?: ReadonlyArray<Out> | undefined
  /**
   * How long the closed connection may go on sending what was written, and wait for the peer's end.
   *
   * @default "2 seconds"
   */
  readonly linger?: Duration.Input | undefined
}

/** The side that shows a certificate. @category options @since 0.1.0 */
export interface ServerUpgrade extends Pick<Tls.DialOptions, "handshakeTimeout"> {
  readonly side: "server"
  /** Of `Tls.makeServer`: made once, for all connections. */
  readonly context: Tls.ServerContext
}

/** The side that checks it: `servername` is needed, unless `verify` is `"insecure"`. @category options @since 0.1.0 */
export interface ClientUpgrade {
  readonly side: "client"
  readonly tls: Tls.DialOptions
}

/**
 * Turns a connection in plain text into one over TLS, in mid-conversation (STARTTLS), for the time of the scope.
 *
 * **Details**
 *
 * - The old connection is `Closed` for its user at once, and lives on for its owner: a server counts, drains and ends it as
 *   before, and it ends for the reason of the new one.
 * - Anything that came behind `agreed` ends the connection with `ProtocolViolation`: somebody in the middle could have
 *   put it there, to be taken for what came encrypted (RFC 3207, 4.2; CVE-2011-0411).
 * - A handshake that fails ends the connection with `HandshakeFailed` or `HandshakeTimeout`.
 *
 * **Gotchas**: what was learned in plain text, names included, was learned from anybody: forget it. `agreed` must come
 * from a framing: with `Codec.bytes` a chunk may hold more than the agreement.
 *
 * @category combinators
 * @since 0.1.0
 */
export const upgrade = <In, Out, In2, Out2>(
  self: Connection<In, Out>,
  codec: Codec.Codec<In2, Out2>,
  options: UpgradeOptions<In, Out>
): Effect.Effect<
  Connection<In2, Out2>,
  CloseReason.ConnectionError | Tls.TlsOptionsError,
  Transport.Transport | Scope.Scope
> => upgradeMachine(self, codec, options, options.linger ?? defaults.linger)

/**
 * Runs an effect on every batch until the peer's end of stream.
 *
 * @category consuming
 * @since 0.1.0
 */
export const forEachBatch = <In, Out, A, E, R>(
  self: Connection<In, Out>,
  f: (batch: Arr.NonEmptyReadonlyArray<In>) => Effect.Effect<A, E, R>
): Effect.Effect<void, CloseReason.ConnectionError | E, R> => {
  const loop: Pull.Pull<never, CloseReason.ConnectionError | E, void, R> = Effect.flatMap(
    self.pull,
    (batch) => Effect.flatMap(f(batch), () => loop)
  )
  return Pull.catchDone(loop, () => Effect.void)
}
