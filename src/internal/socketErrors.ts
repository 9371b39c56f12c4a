/**
 * How a connection ended, in hawser's words and in those of Effect's `Socket`; the table is in `EffectSocket`.
 *
 * Close codes are WebSocket's (RFC 6455, section 7.4.1), as everywhere in Effect's sockets.
 */
import * as Socket from "effect/socket/Socket"
import * as CloseReason from "../CloseReason.ts"
import type * as Endpoint from "../Endpoint.ts"
import type * as Tls from "../Tls.ts"
import * as Transport from "../Transport.ts"
import { connectReason } from "./connectReasons.ts"

/** The peer has ended its side. */
const normalClosure = 1000
/** This side is about to end: it drains. */
const goingAway = 1001
/** This side has closed the connection. */
export const abnormalClosure = 1006

/** The codes by which somebody complains of what the other side sent. */
const isComplaint = (code: number): boolean => code >= 1002 && code <= 1010 && code !== 1005 && code !== 1006

/** The codes of a peer that is done: normal, going away, and none at all. */
const isOrderly = (code: number): boolean => code === normalClosure || code === goingAway || code === 1005

export const closeError = (code: number, closeReason?: string): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketCloseError({ code, closeReason }) })

/** The error of a reader, for how its connection ended. */
export const readError = (reason: CloseReason.CloseReason, cause: CloseReason.ConnectionError): Socket.SocketError => {
  switch (reason._tag) {
    case "PeerClosed":
      return closeError(normalClosure)
    case "Drained":
      return closeError(goingAway, CloseReason.format(reason))
    case "Closed":
      return closeError(abnormalClosure, CloseReason.format(reason))
    default:
      return new Socket.SocketError({ reason: new Socket.SocketReadError({ cause }) })
  }
}

/** The error of a writer: Effect has one for whatever happened. */
export const writeError = (cause: CloseReason.ConnectionError): Socket.SocketError =>
  new Socket.SocketError({ reason: new Socket.SocketWriteError({ cause }) })

export const openError = (cause: Transport.ConnectError | Tls.TlsOptionsError): Socket.SocketError => {
  const timedOut = cause._tag === "ConnectError" &&
    (cause.reason === "TimedOut" || cause.reason === "HandshakeTimeout")
  return new Socket.SocketError({
    reason: new Socket.SocketOpenError({ kind: timedOut ? "Timeout" : "Unknown", cause })
  })
}

/** Why this side closes a connection with a code. */
export const reasonOfCloseEvent = (event: Socket.CloseEvent): CloseReason.CloseReason =>
  isComplaint(event.code) ? { _tag: "ProtocolViolation", message: event.toString() } : CloseReason.closed

/** The system's word for an error, and what it says where there is none. */
const codeOf = (cause: unknown): string => {
  if (!(cause instanceof Error)) return String(cause)
  return "code" in cause && typeof cause.code === "string" ? cause.code : cause.message
}

/** How a connection ended, for the error of a socket. */
export const reasonOf = ({ reason }: Socket.SocketError): CloseReason.CloseReason => {
  switch (reason._tag) {
    case "SocketCloseError":
      return isOrderly(reason.code)
        ? CloseReason.peerClosed
        : { _tag: "PeerReset", code: `close code ${reason.message}` }
    case "SocketReadError":
    case "SocketWriteError":
      return reason.cause instanceof CloseReason.ConnectionError
        ? reason.cause.reason
        : { _tag: "PeerReset", code: codeOf(reason.cause) }
    case "SocketOpenError":
      return { _tag: "PeerReset", code: reason.kind === "Timeout" ? "ETIMEDOUT" : codeOf(reason.cause) }
    case "SocketUpgradeError":
      return {
        _tag: "HandshakeFailed",
        message: reason.cause === undefined ? "this socket cannot change to TLS" : codeOf(reason.cause)
      }
  }
}

/** Why a dial failed, for the error of a socket that could not be opened. */
export const connectErrorOf = (endpoint: Endpoint.Endpoint, error: Socket.SocketError): Transport.ConnectError => {
  const { reason } = error
  if (reason._tag === "SocketOpenError" && reason.cause instanceof Transport.ConnectError) return reason.cause
  if (reason._tag === "SocketOpenError" && reason.kind === "Timeout") {
    return new Transport.ConnectError({ endpoint, reason: "TimedOut", code: "ETIMEDOUT", cause: error })
  }
  const code = "cause" in reason ? codeOf(reason.cause) : reason.message
  return new Transport.ConnectError({ endpoint, reason: connectReason(code), code, cause: error })
}
