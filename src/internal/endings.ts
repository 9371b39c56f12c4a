/**
 * How a connection of a server ended: the one reason, and the line about it in the log.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as CloseReason from "../CloseReason.ts"
import * as Endpoint from "../Endpoint.ts"
import { type Alarms, besides } from "./alarms.ts"
import type { ConnectionMachine } from "./connectionMachine.ts"

/** What is asked of a connection. */
type Ended = Pick<
  ConnectionMachine<never, never>,
  "id" | "peer" | "reason" | "overdue" | "failed" | "lost" | "peerEnded" | "drainReason"
>

/** The reason of a connection whose handler is done; `isForced`: a drain has interrupted it. */
export const reasonOf = (
  machine: Ended,
  exit: Exit.Exit<unknown, unknown>,
  isForced: boolean
): CloseReason.CloseReason => {
  const known = machine.reason ?? machine.overdue
  if (known !== undefined) return known
  if (Exit.isFailure(exit)) {
    const { cause } = exit
    if (Cause.hasInterruptsOnly(cause)) return isForced ? CloseReason.forcedByDrain : CloseReason.interrupted
    const error = Cause.squash(cause)
    // A defect is told, whatever else ended the handler. The error of another connection, say of a proxy's upstream,
    // is the handler's failure and not this one's end.
    if (Cause.hasDies(cause)) return CloseReason.fromCause(cause)
    if (error instanceof CloseReason.ConnectionError && error.reason === machine.failed) return error.reason
    if (!Cause.isDone(error)) return CloseReason.fromCause(cause)
  }
  if (machine.peerEnded) return CloseReason.peerClosed
  // The handler may never have touched the connection after it was lost.
  return machine.lost ?? machine.drainReason ?? CloseReason.closed
}

/**
 * Logs the end of each connection, once; no fiber and no text for a line that nobody sees.
 *
 * What peers can do by the thousand is a warning once per cooldown for each reason, with the count of the others, which
 * are logged at debug level. A handler that fails is a bug of this side: each is an error.
 */
export class EndLog {
  private readonly context: Context.Context<never>
  /** Asked once: it is 1 % of a short connection otherwise. */
  private readonly shows: Readonly<Record<"Debug" | "Warn" | "Error", boolean>>

  constructor(context: Context.Context<never>) {
    this.context = context
    const minimum = Context.get(context, References.MinimumLogLevel)
    const shows = (level: LogLevel.Severity) => !LogLevel.isLessThan(level, minimum)
    this.shows = { Debug: shows("Debug"), Warn: shows("Warn"), Error: shows("Error") }
  }

  ended(machine: Ended, reason: CloseReason.CloseReason, alarms: Pick<Alarms, "news">): void {
    const usual = levelOf(reason)
    if (!this.shows[usual]) return
    const kept = usual === "Warn" ? alarms.news(`ended: ${reason._tag}`) : 0
    const level = kept === undefined ? "Debug" : usual
    if (!this.shows[level]) return
    const annotations = { connection: machine.id, peer: Endpoint.format(machine.peer), reason: reason._tag }
    const text = `${CloseReason.format(reason)}${besides(kept ?? 0)}`
    const log = Effect.logWithLevel(level)
    Effect.runForkWith(this.context)(
      Effect.annotateLogs(reason._tag === "HandlerFailed" ? log(text, reason.cause) : log(text), annotations)
    )
  }
}

/** A peer that is silent, leaves, or is cut off by a drain is no news. */
const levelOf = (reason: CloseReason.CloseReason): "Debug" | "Warn" | "Error" => {
  switch (reason._tag) {
    case "HandlerFailed":
      return "Error"
    case "PeerReset":
    case "IdleTimeout":
    case "ForcedByDrain":
      return "Debug"
    default:
      return CloseReason.isNormal(reason) ? "Debug" : "Warn"
  }
}
