/**
 * The seam between hawser and whatever carries the bytes: dial an endpoint, or listen on one.
 *
 * A transport knows sockets and nothing else: no codec, no fiber per connection, no limits. Everything above this file
 * runs unchanged on TCP, on Unix sockets, in memory and on a simulated network, because all it sees of a socket is
 * `RawSocket`: a full-duplex stream of bytes that tells its one `RawHandler` what happens, by plain calls.
 *
 * ```
 * raw socket  -- attach, resume --> onData* onEnd? onClose      (onDrain after a write that returned false, or onUnsent)
 *             <- pause, unshift, resume, write, end, destroy, reset
 * ```
 *
 * A listener owns every raw socket from the accept on; closing its scope stops the listening first and then destroys
 * what is left.
 *
 * **Gotchas**: a raw socket is half-open capable: the peer's end of stream does not end this side. After `pause`, neither
 * `onData` nor `onEnd` comes before `resume`. `onClose` comes exactly once, and nothing comes after it.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Endpoint from "./Endpoint.ts"
import type { BindError } from "./internal/bindError.ts"
import type * as Tls from "./Tls.ts"

/**
 * What a raw socket tells its owner. Calls never nest inside a call to the same socket's methods, except where a
 * method says so.
 *
 * @category models
 * @since 0.1.0
 */
export interface RawHandler {
  /** Bytes arrived; the handler owns them. */
  readonly onData: (chunk: Uint8Array) => void
  /**
   * Whether it borrows what arrives: a socket whose bytes lie where its next read will go then calls `borrow`, which
   * gives `true` when it is done with them, and `false` to keep them. Any other socket calls `onData`.
   */
  readonly isBorrowing?: boolean | undefined
  readonly borrow?: ((chunk: Uint8Array) => boolean) | undefined
  /** The peer ended its side: no more bytes will come. */
  readonly onEnd: () => void
  /** What was written has left; the next write may follow. */
  readonly onDrain: () => void
  /**
   * Bytes that a write took, and that were to leave later in the same turn of the event loop, did not all leave then;
   * `mustWait` for `onDrain`, or write on, as if that write had said so.
   */
  readonly onUnsent?: ((mustWait: boolean) => void) | undefined
  /** The socket is gone. `code` is the system's word for what broke it, absent when both sides ended in peace. */
  readonly onClose: (code: string | undefined) => void
}

/**
 * One open socket, of whatever kind.
 *
 * @category models
 * @since 0.1.0
 */
export interface RawSocket {
  /** Counts from 1 per transport. */
  readonly id: number
  /** This side's address. */
  readonly local: Endpoint.Endpoint
  /** The other side's address. */
  readonly peer: Endpoint.Endpoint
  /**
   * Bytes taken by `write` that the kernel has not taken yet; what leaves in this turn of the event loop counts as taken.
   * When there are none, the socket is done with every segment
   * it was given: the writer may change them.
   */
  readonly bytesUnsent: number
  /**
   * How much of the write under way the system has still to take, where the runtime tells: `bytesUnsent` may count a write
   * as a whole until the last byte left. Each change is a sign that the peer reads.
   */
  readonly bytesQueued?: number | undefined
  /** The number of its descriptor, where it has one and the runtime tells. */
  readonly descriptor?: number | undefined
  /**
   * Names the handler; a later call hands the socket over to another, which is told what the first one already knew:
   * the peer's end, after `resume`, and the close, in a later turn. A fresh socket is paused: its first data comes
   * after `resume`.
   */
  readonly attach: (handler: RawHandler) => void
  /** Stops delivering. */
  readonly pause: () => void
  /** Delivers again, in a later turn. */
  readonly resume: () => void
  /**
   * Puts bytes back in front of what will be delivered, for the handler that is attached then: what was read of a head
   * that belongs to somebody else. Only while paused, before the end or the close was told; later they are thrown away.
   * The bytes are the socket's from then on.
   */
  readonly unshift: (chunk: Uint8Array) => void
  /**
   * Takes all the bytes, in order. `false` says: wait for `onDrain` before the next write. The segments are the socket's
   * until `bytesUnsent` is 0, which may be when `write` returns; one that keeps them longer copies them.
   */
  readonly write: (segments: ReadonlyArray<Uint8Array>) => boolean
  /** Ends this side after everything written has left; who waits for `onDrain` is told then. */
  readonly end: () => void
  /** Closes at once, whatever has not left is lost. `onClose` follows in a later turn. */
  readonly destroy: () => void
  /** Like `destroy`, but the peer sees a reset connection where the transport can show that. */
  readonly reset: () => void
}

/**
 * An endpoint that is being listened on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Listener {
  /** Where it really listens: port 0 has become the port that the system chose. */
  readonly endpoint: Endpoint.Endpoint
  /** Stops listening, at once and for good; accepted sockets live on. Calling it again does nothing. */
  readonly close: Effect.Effect<void>
}

/**
 * How to listen.
 *
 * @category models
 * @since 0.1.0
 */
export interface ListenOptions {
  /** Called for every accepted socket, synchronously; the callee owns it from then on. */
  readonly onAccept: (socket: RawSocket) => void
  /** How many connections the kernel holds that were not accepted yet. */
  readonly backlog: number
  /** The permission bits of the file of a `unix:PATH` endpoint, which is there at no moment with others. */
  readonly unixMode?: number | undefined
  /** Whether others may listen on the same address and get their share of the connections; `NotShareable` where not. */
  readonly reusePort?: boolean | undefined
  /** Told when an accept failed; without it that is logged. */
  readonly onError?: ((error: unknown) => void) | undefined
}

/**
 * Dials and listens.
 *
 * @category services
 * @since 0.1.0
 */
export class Transport extends Context.Service<Transport, {
  /** Opens a connection; closing the scope destroys it. Interruption abandons the attempt. */
  readonly connect: (endpoint: Endpoint.Endpoint) => Effect.Effect<RawSocket, ConnectError, Scope.Scope>
  /** Listens until the scope closes; then stops listening and destroys every socket it accepted that is still open. */
  readonly listen: (
    endpoint: Endpoint.Endpoint,
    options: ListenOptions
  ) => Effect.Effect<Listener, BindError, Scope.Scope>
  /** What makes its sockets secure; without it, `tls:` endpoints are `Unsupported`. */
  readonly tls?: Tls.Engine | undefined
  /** How many descriptors this process may have; absent where nobody knows. */
  readonly descriptorLimit?: number | undefined
}>()("hawser/Transport") {}

export {
  /** An endpoint could not be listened on. @category errors @since 0.1.0 */
  BindError,
  /** Why an endpoint could not be listened on. @category errors @since 0.1.0 */
  type BindReason
} from "./internal/bindError.ts"

/**
 * Why an endpoint could not be reached.
 *
 * `Refused`: nobody listens there. `NotFound`: the name or path does not exist. `TimedOut`: no answer in time.
 * `Unreachable`: no way there. `AccessDenied`: the system does not allow it. `Unsupported`: this transport knows no
 * such endpoint. `Unknown`: anything else, with the system's `code`.
 *
 * @category errors
 * @since 0.1.0
 */
export type ConnectReason =
  | "Refused"
  | "NotFound"
  | "TimedOut"
  | "Unreachable"
  | "AccessDenied"
  | "Unsupported"
  | "HandshakeFailed"
  | "HandshakeTimeout"
  | "Unknown"

/**
 * An endpoint could not be reached. `hint` says what to do.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectError extends Data.TaggedError("ConnectError")<{
  readonly endpoint: Endpoint.Endpoint
  readonly reason: ConnectReason
  readonly code: string
  /** Of a handshake: what went wrong with it, in a clause. */
  readonly detail?: string | undefined
  /** Of a handshake: what to do about it. */
  readonly advice?: string | undefined
  readonly cause?: unknown
}> {
  override get message(): string {
    const where = Endpoint.format(this.endpoint)
    switch (this.reason) {
      case "Refused":
        return `cannot connect to ${where}: nobody listens there`
      case "NotFound":
        return `cannot connect to ${where}: no such ${this.endpoint._tag === "Unix" ? "socket" : "host"} (${this.code})`
      case "TimedOut":
        return `cannot connect to ${where}: no answer in time`
      case "Unreachable":
        return `cannot connect to ${where}: there is no way to it (${this.code})`
      case "AccessDenied":
        return `cannot connect to ${where}: access denied (${this.code})`
      case "Unsupported":
        return `cannot connect to ${where}: this transport does not know such endpoints`
      case "HandshakeFailed":
      case "HandshakeTimeout":
        return `cannot connect to ${where}: ${this.detail ?? this.code}`
      case "Unknown":
        return `cannot connect to ${where}: ${this.code}`
    }
  }
  /** What the reader can do about it. */
  get hint(): string {
    switch (this.reason) {
      case "Refused":
        return "start the server first, or check host and port"
      case "NotFound":
        return this.endpoint._tag === "Unix" ? "check the path" : "check the name"
      case "TimedOut":
      case "Unreachable":
        return "check host, port and network"
      case "AccessDenied":
        return "check the permissions of the socket"
      case "Unsupported":
        return "use an endpoint of the transport's own kind"
      case "HandshakeFailed":
        return this.advice || "check that the server speaks TLS there"
      case "HandshakeTimeout":
        return "check that the server speaks TLS there, or give it more time"
      case "Unknown":
        return "check the endpoint"
    }
  }
}
