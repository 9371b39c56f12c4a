/**
 * The deadlines of a server: everything that ends a connection because it takes too long, as one set of options.
 *
 * ```
 * accept --handshake--> open --firstFrame--> first whole frame ... idle ... last frame        lifetime, then a drain
 * input    [== frame, at minRate ==]            output  [== write ==]            handler  [== request ==]
 * ```
 *
 * Every deadline is finite unless `"unbounded"` is spelled out, ends the connection with a reason of its own, and starts
 * again for open connections when it is changed. None is reset by a single byte: `frame` and `minRate` count from the
 * first byte of a frame, so that a peer cannot live for ever on one byte a second.
 *
 * A server has one timer for all deadlines of all connections. It looks at a connection when something may be due, and
 * again when the numbers that were written meanwhile say; so a busy connection is not looked at for each message.
 *
 * **Gotchas**
 *
 * - `firstFrame` and `idle` count only while the handler waits for the peer: a server that only talks never pulls, and
 *   is never waiting. One that talks and pulls in two fibers is; set both for it.
 * - `frame` and `minRate` stand still while this side does not want to read, because its handler is slower than the peer.
 * - `request` is for the handlers of a protocol, and only those that suspend can be late: JavaScript that does not give
 *   way cannot be interrupted. The handler of a whole connection has no requests.
 * - No deadline is early. Where a transport does not tell that a part of a write left, as TLS does not, `write` and `idle`
 *   may be up to a second late.
 * - A handler that cannot be interrupted keeps its place until it is done; its socket is gone after `linger`.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/** A time limit, or the word for none. @category options @since 0.1.0 */
export type Limit = Duration.Input | "unbounded"

/**
 * How fast a frame must come.
 *
 * @category options
 * @since 0.1.0
 */
export interface MinRate {
  /** On the average since its first byte. */
  readonly bytesPerSecond: number
  /** How long a frame may be open before that is asked. */
  readonly grace: Duration.Input
}

/**
 * How long a connection may take for what; each limit may be `"unbounded"`.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * For everything before the protocol, together: the PROXY header and TLS, from the accept, or from the end of waiting.
   * Then `HandshakeTimeout`.
   *
   * @default "10 seconds"
   */
  readonly handshake?: Limit | undefined
  /**
   * From the opening, or from when the handler began to wait, to the first whole frame. Then `IdleTimeout` where nothing
   * came, or `FrameTimeout`.
   *
   * @default "1 minute"
   */
  readonly firstFrame?: Limit | undefined
  /**
   * Without a byte in either direction, while no handler runs. Then `IdleTimeout`.
   *
   * @default "10 minutes"
   */
  readonly idle?: Limit | undefined
  /**
   * From the first byte of a frame to its last. Then `FrameTimeout`.
   *
   * @default "1 minute"
   */
  readonly frame?: Limit | undefined
  /**
   * How fast a frame must come, once it has been open for `grace`. Else `TooSlow`.
   *
   * @default { bytesPerSecond: 16, grace: "10 seconds" }
   */
  readonly minRate?: MinRate | "unbounded" | undefined
  /**
   * While bytes wait for the peer and none leaves. Then `WriteStalled`.
   *
   * The kernel takes more only when a good part of its buffer, which grows to 4 MiB on Linux, is free again. So a peer that
   * reads less than about 50 KB/s may look like one that does not read at all; give it more time.
   *
   * @default "30 seconds"
   */
  readonly write?: Limit | undefined
  /**
   * From the opening on; then the connection is drained, as all are in a drain, and ends with `LifetimeReached`.
   *
   * @default "7 days"
   */
  readonly lifetime?: Limit | undefined
  /**
   * By which part of itself a lifetime may be shorter, drawn for each connection with Effect's `Random`, so that those
   * that came together do not leave together; from 0 to 1.
   *
   * @default 0.1
   */
  readonly lifetimeJitter?: number | undefined
  /**
   * How long a connection at the end of its lifetime has to finish what is in flight, before its handler is interrupted.
   *
   * @default "30 seconds"
   */
  readonly lifetimeGrace?: Duration.Input | undefined
  /**
   * For the handler of one request; then it is interrupted, and the connection ends with `RequestTimeout`.
   *
   * @default "5 minutes"
   */
  readonly request?: Limit | undefined
}

/**
 * The values used where a deadline is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  /** Three round trips over a satellite and a signature take two; a silent peer must not hold a place much longer. */
  handshake: "10 seconds",
  /** A person at a terminal types a line in less. */
  firstFrame: "1 minute",
  /** Twice what middleboxes forget connections after; devices that report more seldom need their own number. */
  idle: "10 minutes",
  /** 1 MiB at 17 kB/s. */
  frame: "1 minute",
  /** Half the 300 bit/s of the slowest modem anybody still has; after a grace for what the network lost. */
  minRate: { bytesPerSecond: 16, grace: "10 seconds" },
  /** TCP tries for longer; a peer that reads nothing for so long is not coming back. Arbitrary; not measured. */
  write: "30 seconds",
  /** Long enough that nobody notices, short enough that a forgotten peer is found. */
  lifetime: "7 days",
  lifetimeJitter: 0.1,
  lifetimeGrace: "30 seconds",
  /** Far longer than any request should take; a handler that hangs is found the same day. */
  request: "5 minutes"
} as const
