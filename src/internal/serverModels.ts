/**
 * What a server tells of itself: its events, its counts, its limits, its connections, and how its drain went.
 */
import type * as Duration from "effect/Duration"
import type * as Admission from "../Admission.ts"
import type * as CloseReason from "../CloseReason.ts"
import type * as Deadline from "../Deadline.ts"
import type * as Endpoint from "../Endpoint.ts"
import type * as ProxyHeader from "../ProxyHeader.ts"
import type * as Tls from "../Tls.ts"
import type { PerPeerOptions, Rate } from "./serverLimits.ts"

/**
 * Counts of a server. At each event `accepted = open + ended`, and
 * `arrived = accepted + refused + waiting + handshaking`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stats {
  /** Connections that ever came. */
  readonly arrived: number
  /** Connections let in so far. */
  readonly accepted: number
  /** Connections that are in now, lingering ones included. */
  readonly open: number
  /** Connections that were in and are gone. */
  readonly ended: number
  /** Connections turned away so far, and those that broke while they waited or shook hands. */
  readonly refused: number
  /** Connections in the waiting room. */
  readonly waiting: number
  /** Connections that send a PROXY header, or shake hands. */
  readonly handshaking: number
  /** What the connections that are in hold now: undecoded input, batches that no handler took, output not sent. */
  readonly bufferedBytes: number
  /** How many ended for each reason, by its tag. */
  readonly endedBy: Readonly<Record<string, number>>
  /** How many were refused, by the limit of an `OverLimit`, and by the tag of any other reason. */
  readonly refusedBy: Readonly<Record<string, number>>
}

/**
 * The limits in force; `allow` is empty for everybody.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limits {
  readonly maxConnections: number
  readonly perPeer: Required<{ [K in keyof PerPeerOptions]: NonNullable<PerPeerOptions[K]> }>
  readonly rate: Rate | "unbounded"
  readonly allow: ReadonlyArray<string>
  readonly deny: ReadonlyArray<string>
  readonly maxBufferedBytes: number | "unbounded"
  readonly deadlines: Required<{ [K in keyof Deadline.Options]: NonNullable<Deadline.Options[K]> }>
}

/**
 * A row in the list of connections.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionStatus {
  readonly id: number
  /** The client, where a trusted proxy named it. */
  readonly peer: Endpoint.Endpoint
  readonly local: Endpoint.Endpoint
  /** `draining`: it was asked to end; `lingering`: it has ended, and its socket is not gone. */
  readonly state: "waiting" | "handshaking" | "open" | "draining" | "lingering"
  /** Since it came in, or since it arrived where it is not in yet. */
  readonly ageMillis: number
  readonly bytesIn: number
  readonly bytesOut: number
  readonly messagesIn: number
  readonly messagesOut: number
  /** What the TLS handshake told. */
  readonly tls?: Tls.Info
  /** What the trusted proxy said. */
  readonly proxied?: ProxyHeader.Header
}

/**
 * How a drain went. `served + drained + forced` is the number of connections ever let in.
 *
 * @category models
 * @since 0.1.0
 */
export interface DrainReport {
  /** Connections that had ended before the drain began. */
  readonly served: number
  /** Connections that ended in their own time during the drain. */
  readonly drained: number
  /** Connections that the drain cut. */
  readonly forced: number
  /** Connections turned away in the server's life, and those that broke while they waited. */
  readonly refused: number
  /** How long the drain took. */
  readonly elapsed: Duration.Duration
}

/**
 * What a server tells its `onEvent`. `id` and `peer` name the connection.
 *
 * **Details**: each connection gives either one `Refused`, or one `Accepted` and later one `Ended`; before that a
 * `Waiting` each time it had to wait. The reason of a `Refused` is `OverLimit`, whose `limit` is the option; `Denied`;
 * `HandshakeFailed` or `HandshakeTimeout`; `Drained`; or how the peer left before it was in. `Secured` follows the
 * `Accepted` of a connection with TLS. An `Alarm` says that a limit of the whole server is near, at most once per cooldown.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly _tag: "Listening"; readonly endpoint: Endpoint.Endpoint }
  | { readonly _tag: "Accepted"; readonly id: number; readonly peer: Endpoint.Endpoint }
  | { readonly _tag: "Waiting"; readonly id: number; readonly peer: Endpoint.Endpoint }
  | {
    readonly _tag: "Refused"
    readonly id: number
    readonly peer: Endpoint.Endpoint
    readonly reason: CloseReason.CloseReason
    readonly refusal: Admission.Refusal
  }
  | {
    readonly _tag: "Ended"
    readonly id: number
    readonly peer: Endpoint.Endpoint
    readonly reason: CloseReason.CloseReason
    readonly bytesIn: number
    readonly bytesOut: number
    readonly messagesIn: number
    readonly messagesOut: number
  }
  | { readonly _tag: "Secured"; readonly id: number; readonly tls: Tls.Info }
  | { readonly _tag: "Alarm"; readonly limit: string; readonly value: number; readonly max: number }
  | { readonly _tag: "Suspended" }
  | { readonly _tag: "Resumed" }
  | { readonly _tag: "Draining"; readonly open: number }
  | { readonly _tag: "Drained"; readonly report: DrainReport }
