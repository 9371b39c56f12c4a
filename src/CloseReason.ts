/**
 * Why a connection ended: one closed union, the same value everywhere.
 *
 * Each connection ends with exactly one of these reasons. The value that a handler sees inside a `ConnectionError` is
 * the value in the log line, in the server's events, in the connection list and in a test's assertion. A reason is plain
 * data: it has a `Schema`, compares with `Equal`, and holds no socket and no stack.
 *
 * ```
 * who did it     reasons
 * the peer       PeerClosed PeerReset TooSlow IdleTimeout FrameTimeout WriteStalled HandshakeTimeout HandshakeFailed
 *                FrameTooLarge FrameCorrupt FrameTruncated ProtocolViolation
 * this side      Closed OverLimit Denied LifetimeReached RequestTimeout Drained ForcedByDrain HandlerFailed Interrupted
 * ```
 *
 * **Gotchas**: `PeerClosed` is the normal end of a conversation, not an error. A peer that ends in the middle of a frame
 * is `FrameTruncated`.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Formatter from "effect/Formatter"
import * as Schema from "effect/Schema"

/** The peer ended its side and everything it sent was handled: the normal end. @category models @since 0.1.0 */
export const PeerClosed = Schema.TaggedStruct("PeerClosed", {})

/** The peer broke the connection; `code` is the system's word for it (`ECONNRESET`, `EPIPE`, …). @category models @since 0.1.0 */
export const PeerReset = Schema.TaggedStruct("PeerReset", { code: Schema.String })

/** Nothing arrived for `limitMillis`. @category models @since 0.1.0 */
export const IdleTimeout = Schema.TaggedStruct("IdleTimeout", { limitMillis: Schema.Finite })

/** A frame was begun and not finished within `limitMillis`. @category models @since 0.1.0 */
export const FrameTimeout = Schema.TaggedStruct("FrameTimeout", { limitMillis: Schema.Finite })

/** The peer sent fewer than `minimumBytesPerSecond`. @category models @since 0.1.0 */
export const TooSlow = Schema.TaggedStruct("TooSlow", {
  bytesPerSecond: Schema.Finite,
  minimumBytesPerSecond: Schema.Finite
})

/** The peer did not read for `limitMillis` while bytes waited for it. @category models @since 0.1.0 */
export const WriteStalled = Schema.TaggedStruct("WriteStalled", { limitMillis: Schema.Finite })

/** The handshake was not finished within `limitMillis`. @category models @since 0.1.0 */
export const HandshakeTimeout = Schema.TaggedStruct("HandshakeTimeout", { limitMillis: Schema.Finite })

/** The handshake failed, for the reason in `message`. @category models @since 0.1.0 */
export const HandshakeFailed = Schema.TaggedStruct("HandshakeFailed", { message: Schema.String })

/**
 * A frame is larger than its limit; the boundary is lost, so nothing after it is decoded.
 *
 * **Details**: `bytes` is the size as far as it is known when the limit is passed: announced by a length field, or
 * counted so far. `direction` is `"outbound"` when this side tried to send it; then nothing of it was written.
 *
 * @category models
 * @since 0.1.0
 */
export const FrameTooLarge = Schema.TaggedStruct("FrameTooLarge", {
  bytes: Schema.Finite,
  maxFrameBytes: Schema.Finite,
  direction: Schema.Literals(["inbound", "outbound"])
})

/**
 * A frame's content is wrong. When `recoverable`, the boundary is known, or was found again by throwing `skippedBytes`
 * away, and decoding can go on after it.
 *
 * @category models
 * @since 0.1.0
 */
export const FrameCorrupt = Schema.TaggedStruct("FrameCorrupt", {
  message: Schema.String,
  recoverable: Schema.Boolean,
  skippedBytes: Schema.optionalKey(Schema.Finite)
})

/** The stream ended `bufferedBytes` into a frame. @category models @since 0.1.0 */
export const FrameTruncated = Schema.TaggedStruct("FrameTruncated", { bufferedBytes: Schema.Finite })

/** The peer sent something that the protocol does not allow here. @category models @since 0.1.0 */
export const ProtocolViolation = Schema.TaggedStruct("ProtocolViolation", { message: Schema.String })

/** The server was full; `limit` names the option and `max` is its value. @category models @since 0.1.0 */
export const OverLimit = Schema.TaggedStruct("OverLimit", { limit: Schema.String, max: Schema.Finite })

/** The address may not come in; `rule` names the option that says so. @category models @since 0.1.0 */
export const Denied = Schema.TaggedStruct("Denied", { rule: Schema.Literals(["allow", "deny"]) })

/** The handler of a request took longer than `limitMillis`. @category models @since 0.1.0 */
export const RequestTimeout = Schema.TaggedStruct("RequestTimeout", { limitMillis: Schema.Finite })

/** The connection reached its greatest age. @category models @since 0.1.0 */
export const LifetimeReached = Schema.TaggedStruct("LifetimeReached", { limitMillis: Schema.Finite })

/** A drain asked the connection to end, and it ended between frames. @category models @since 0.1.0 */
export const Drained = Schema.TaggedStruct("Drained", {})

/** A drain ran out of time and cut the connection. @category models @since 0.1.0 */
export const ForcedByDrain = Schema.TaggedStruct("ForcedByDrain", {})

/** The handler failed or died; `message` is for people, `cause` keeps the original. @category models @since 0.1.0 */
export const HandlerFailed = Schema.TaggedStruct("HandlerFailed", {
  message: Schema.String,
  cause: Schema.Cause(Schema.Defect(), Schema.Defect())
})

/** The fiber of the connection was interrupted from outside. @category models @since 0.1.0 */
export const Interrupted = Schema.TaggedStruct("Interrupted", {})

/** This side closed the connection, as it meant to. @category models @since 0.1.0 */
export const Closed = Schema.TaggedStruct("Closed", {})

/**
 * Every way a connection can end.
 *
 * @category schemas
 * @since 0.1.0
 */
export const CloseReason = Schema.Union([
  PeerClosed,
  PeerReset,
  IdleTimeout,
  FrameTimeout,
  TooSlow,
  WriteStalled,
  HandshakeTimeout,
  HandshakeFailed,
  FrameTooLarge,
  FrameCorrupt,
  FrameTruncated,
  ProtocolViolation,
  OverLimit,
  Denied,
  LifetimeReached,
  RequestTimeout,
  Drained,
  ForcedByDrain,
  HandlerFailed,
  Interrupted,
  Closed
])

/** Every way a connection can end. @category models @since 0.1.0 */
export type CloseReason = typeof CloseReason.Type

/** The reasons that a decoder or an encoder can give. @category models @since 0.1.0 */
export type FrameError =
  | typeof FrameTooLarge.Type
  | typeof FrameCorrupt.Type
  | typeof FrameTruncated.Type

/** The constant for `PeerClosed`. @category constants @since 0.1.0 */
export const peerClosed: CloseReason = { _tag: "PeerClosed" }

/** The constant for `Drained`. @category constants @since 0.1.0 */
export const drained: CloseReason = { _tag: "Drained" }

/** The constant for `ForcedByDrain`. @category constants @since 0.1.0 */
export const forcedByDrain: CloseReason = { _tag: "ForcedByDrain" }

/** The constant for `Interrupted`. @category constants @since 0.1.0 */
export const interrupted: CloseReason = { _tag: "Interrupted" }

/** The constant for `Closed`. @category constants @since 0.1.0 */
export const closed: CloseReason = { _tag: "Closed" }

/** One text for any value, and never a throw: a handler may fail with anything. */
const describe = (error: unknown): string => {
  if (typeof error === "string") return error
  return error instanceof Error ? error.message || error.name : Formatter.format(error)
}

/**
 * Makes the reason of a handler that failed, from the whole `Cause`; one that was only interrupted is `Interrupted`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromCause = (cause: Cause.Cause<unknown>): CloseReason =>
  Cause.hasInterruptsOnly(cause)
    ? interrupted
    : { _tag: "HandlerFailed", message: describe(Cause.squash(cause)), cause }

/**
 * Says whether the connection ended as both sides meant it to: such an end is no news and is logged at debug level.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isNormal = (reason: CloseReason): boolean => {
  switch (reason._tag) {
    case "PeerClosed":
    case "Drained":
    case "Closed":
    case "LifetimeReached":
      return true
    default:
      return false
  }
}

/**
 * One plain clause for people, with the values and the rule: `frame of 256 bytes exceeds the limit of 255 bytes`.
 *
 * @category formatting
 * @since 0.1.0
 */
export const format = (reason: CloseReason): string => {
  switch (reason._tag) {
    case "PeerClosed":
      return "the peer closed the connection"
    case "PeerReset":
      return `the peer broke the connection (${reason.code})`
    case "IdleTimeout":
      return `nothing arrived for ${reason.limitMillis} ms`
    case "FrameTimeout":
      return `a frame was not complete after ${reason.limitMillis} ms`
    case "TooSlow":
      return `${reason.bytesPerSecond} bytes per second is less than the minimum of ${reason.minimumBytesPerSecond}`
    case "WriteStalled":
      return `the peer did not read for ${reason.limitMillis} ms`
    case "HandshakeTimeout":
      return `the handshake was not complete after ${reason.limitMillis} ms`
    case "HandshakeFailed":
      return `the handshake failed: ${reason.message}`
    case "FrameTooLarge":
      return `${reason.direction} frame of ${reason.bytes} bytes exceeds the limit of ${reason.maxFrameBytes} bytes`
    case "FrameCorrupt":
      return `corrupt frame: ${reason.message}`
    case "FrameTruncated":
      return `the stream ended ${reason.bufferedBytes} bytes into a frame`
    case "ProtocolViolation":
      return `protocol violation: ${reason.message}`
    case "OverLimit":
      return `${reason.limit} is ${reason.max}`
    case "Denied":
      return reason.rule === "deny" ? "deny names the address" : "allow does not name the address"
    case "RequestTimeout":
      return `the handler of a request was not done after ${reason.limitMillis} ms`
    case "LifetimeReached":
      return `the connection reached its lifetime of ${reason.limitMillis} ms`
    case "Drained":
      return "the server drained"
    case "ForcedByDrain":
      return "the drain ran out of time"
    case "HandlerFailed":
      return `the handler failed: ${reason.message}`
    case "Interrupted":
      return "the connection was interrupted"
    case "Closed":
      return "closed by this side"
  }
}

/**
 * The error of every operation on a connection: the reason says which of the ways to end it was.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConnectionError extends Data.TaggedError("ConnectionError")<{ readonly reason: CloseReason }> {
  override get message(): string {
    return format(this.reason)
  }
}
