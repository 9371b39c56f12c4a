/**
 * Who may come in when a server is full, and what happens to the others.
 *
 * Node accepts every connection that the kernel has; there is no way to leave it in the backlog. So one number is
 * enforced exactly after the accept, and each connection over it is treated by one of four honest policies.
 *
 * ```
 * accepted --- fewer than maxConnections in, and fewer than perPeer.maxConnections of this peer? --yes--> served
 *                  `--no--> close     ends it (the peer sees an orderly end)
 *                           reset     breaks it (the peer sees ECONNRESET)
 *                           goodbye   says the protocol's word for "full", then ends it
 *                           wait      keeps it, unread, until there is room or its time is up; then one of the above
 * ```
 *
 * Who comes faster than a rate may not wait; who may not come in at all, or comes when descriptors run out, is reset. In
 * front of TLS a goodbye is a close, because it would come before the handshake. Each refusal is counted by its limit, and
 * reported with reason `OverLimit` or `Denied`.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * How a connection over the limit is turned away.
 *
 * @category models
 * @since 0.1.0
 */
export type Refusal = "close" | "reset" | "goodbye"

/**
 * Lets connections over the limit wait in a bounded room.
 *
 * @category models
 * @since 0.1.0
 */
export interface Wait {
  readonly _tag: "Wait"
  /** How many may wait; one more is refused at once. */
  readonly maxWaiting: number
  /** How long one may wait. */
  readonly timeout: Duration.Input
  /** What happens when the room is full or the time is up. */
  readonly otherwise: Refusal
}

/**
 * What happens to a connection over the limit.
 *
 * @category models
 * @since 0.1.0
 */
export type Overflow = Refusal | Wait

/**
 * Lets connections over the limit wait, in the order of their arrival.
 *
 * @category constructors
 * @since 0.1.0
 */
export const wait = (options: {
  readonly maxWaiting: number
  readonly timeout: Duration.Input
  readonly otherwise: Refusal
}): Wait => ({ _tag: "Wait", ...options })
