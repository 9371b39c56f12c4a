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
  Transport.ConnectError | Endpoint.EndpointError,
  Transport.Transport | Scope.Scope
> = Effect.fnUntraced(function*(input, codec, options = {}) {
  const endpoint = yield* Effect.fromResult(Endpoint.fromInput(input))
  const raw = yield* internal.dial(endpoint, options.connectTimeout ?? defaults.connectTimeout)
  return yield* internal.acquire(raw, codec, options.linger ?? defaults.linger)
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
