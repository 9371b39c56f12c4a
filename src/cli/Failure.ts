/**
 * How the program fails: one plain sentence, a hint, and an exit code that scripts can rely on.
 *
 * ```
 * 0  done, or drained                      3    what arrived is not what the framing promises
 * 1  the network or the peer failed             or a checksum is not what it should be
 * 2  wrong use, or a local error           4    it took too long
 *                                         130  143  ended by SIGINT, SIGTERM
 * ```
 *
 * Every error that a command can meet becomes a `Failure` here, and nowhere else.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as CloseReason from "../CloseReason.ts"
import type * as Endpoint from "../Endpoint.ts"
import type * as Transport from "../Transport.ts"

/** The exit codes of failures. @category models @since 0.1.0 */
export type ExitCode = 1 | 2 | 3 | 4

/** A failure, ready to be shown. @category errors @since 0.1.0 */
export class Failure extends Data.TaggedError("Failure")<{
  readonly exitCode: ExitCode
  /** One sentence, without a full stop: what failed, with which values, against which rule. */
  readonly message: string
  /** What the reader can do about it. */
  readonly hint?: string | undefined
}> {}

/** Failures that were told as they came, of which only the exit code is left. @category errors @since 0.1.0 */
export class Reported extends Data.TaggedError("Reported")<{ readonly exitCode: ExitCode }> {}

/** Wrong use of the program, or an error on this machine. @category constructors @since 0.1.0 */
export const local = (message: string, hint?: string): Failure => new Failure({ exitCode: 2, message, hint })

/** An endpoint that cannot be listened on. @category constructors @since 0.1.0 */
export const fromBind = (error: Transport.BindError): Failure => local(error.message, hintOf(error))

/** A text that is no endpoint. @category constructors @since 0.1.0 */
export const fromEndpoint = (error: Endpoint.EndpointError): Failure =>
  local(error.message, "for example tcp://127.0.0.1:12345 or unix:/tmp/echo.sock")

/** An endpoint that cannot be reached. @category constructors @since 0.1.0 */
export const fromConnect = (error: Transport.ConnectError): Failure =>
  new Failure({
    exitCode: error.reason === "TimedOut" || error.reason === "HandshakeTimeout"
      ? 4
      : error.reason === "Unsupported"
      ? 2
      : 1,
    message: error.message,
    hint: hintOf(error)
  })

/** What the library calls its options of TLS, and how they are called here. */
const flags: ReadonlyArray<readonly [word: RegExp, flag: string]> = [
  [/\bas ca\b/, "in --tls-ca"],
  [/\bas certificate\b/, "in --tls-cert and --tls-key"],
  [/\b(servername|alpn)\b/, "--$1"]
]

/** The transport speaks to programmers; here it is the endpoint and the flags that were typed. */
const hintOf = (error: Transport.BindError | Transport.ConnectError): string =>
  error.reason === "HandshakeFailed"
    ? flags.reduce((hint, [word, flag]) => hint.replace(word, flag), error.hint)
    : error.reason === "Unsupported"
    ? "hawser knows tcp://HOST:PORT, tls://HOST:PORT and unix:PATH; the host * and fd:N are for listening"
    : error.reason === "NotShareable"
    ? "leave it at one worker: this system does not share ports among processes"
    : error.hint

/**
 * A conversation that did not end well; `who` names the peer.
 *
 * **Details**: a frame that is not what it should be is a failure of integrity; a limit of time is a time-out; anything
 * else is the network's or the peer's.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromReason = (who: string, reason: CloseReason.CloseReason): Failure => {
  switch (reason._tag) {
    case "PeerClosed":
      return new Failure({
        exitCode: 1,
        message: `${who} closed the connection before it answered`,
        hint: "it may be full, or not understand what it was sent: check --framing at both ends"
      })
    case "ProtocolViolation":
      return new Failure({
        exitCode: 1,
        message: `${who} said something that nobody asked for`,
        hint: "it may be full and say goodbye, or speak another protocol"
      })
    case "PeerReset":
      return new Failure({
        exitCode: 1,
        message: `${who} broke the connection (${reason.code})`,
        hint: /^ERR_SSL|ALERT/.test(reason.code)
          ? "it may want a certificate of this side, or another one: --tls-cert and --tls-key"
          : "it may have crashed, or refuse more connections"
      })
    case "FrameTooLarge":
    case "FrameCorrupt":
    case "FrameTruncated":
      return new Failure({
        exitCode: 3,
        message: `what ${who} answered is not a message: ${CloseReason.format(reason)}`,
        hint: "check --framing and --max-frame at both ends"
      })
    case "IdleTimeout":
    case "FrameTimeout":
    case "TooSlow":
    case "WriteStalled":
    case "RequestTimeout":
      return new Failure({
        exitCode: 4,
        message: `the conversation with ${who} stalled: ${CloseReason.format(reason)}`,
        hint: "one side waits for the other: check --framing at both ends, and whether the peer is busy"
      })
    case "HandshakeTimeout":
      return new Failure({
        exitCode: 4,
        message: `${who} did not finish the handshake: ${CloseReason.format(reason)}`,
        hint: "it may not speak TLS there, or wait for a PROXY header: --send-proxy"
      })
    case "HandshakeFailed":
      return new Failure({
        exitCode: 1,
        message: `there is no TLS with ${who}: ${CloseReason.format(reason)}`,
        hint: "check that it speaks TLS there, and --tls-ca and --servername"
      })
    case "OverLimit":
    case "Denied":
      return new Failure({
        exitCode: 1,
        message: `${who} takes no more: ${CloseReason.format(reason)}`,
        hint: "try again later"
      })
    case "LifetimeReached":
      return new Failure({
        exitCode: 1,
        message: `the connection to ${who} was too old: ${CloseReason.format(reason)}`,
        hint: "connect again"
      })
    default:
      return new Failure({ exitCode: 1, message: `the connection to ${who} failed: ${CloseReason.format(reason)}` })
  }
}

/** What is shown of a failure, without a line break at its end. @category formatting @since 0.1.0 */
export const format = ({ hint, message }: Failure): string =>
  hint === undefined ? `hawser: ${message}` : `hawser: ${message}\nhint: ${hint}`
