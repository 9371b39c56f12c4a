/**
 * The deadlines of a server, checked and in milliseconds: which values are refused, and what contradicts what.
 */
import * as Effect from "effect/Effect"
import * as Deadline from "../Deadline.ts"
import { defined, duration, limit, positive, refuse, type ServerOptionsError } from "./optionRules.ts"

/** The deadlines in milliseconds; `Infinity` is none. */
export interface DeadlineSettings {
  readonly handshakeMillis: number
  readonly firstFrameMillis: number
  readonly idleMillis: number
  readonly frameMillis: number
  /** 0 is none. */
  readonly minBytesPerSecond: number
  readonly rateGraceMillis: number
  readonly writeMillis: number
  readonly lifetimeMillis: number
  readonly lifetimeJitter: number
  readonly lifetimeGraceMillis: number
  readonly requestMillis: number
}

/** Checks deadlines; the first bad one, or the first contradiction, is the error. */
export const settleDeadlines = Effect.fnUntraced(function*(
  options: Deadline.Options
): Effect.fn.Return<DeadlineSettings, ServerOptionsError> {
  const given = { ...Deadline.defaults, ...defined(options) }
  const jitter = given.lifetimeJitter
  if (!(jitter >= 0 && jitter <= 1)) return yield* refuse("deadlines.lifetimeJitter", jitter, "a number from 0 to 1")
  const rate = given.minRate === "unbounded" ? undefined : given.minRate
  const settings: DeadlineSettings = {
    handshakeMillis: yield* limit("deadlines.handshake", given.handshake),
    firstFrameMillis: yield* limit("deadlines.firstFrame", given.firstFrame),
    idleMillis: yield* limit("deadlines.idle", given.idle),
    frameMillis: yield* limit("deadlines.frame", given.frame),
    minBytesPerSecond: rate === undefined
      ? 0
      : yield* positive("deadlines.minRate.bytesPerSecond", rate.bytesPerSecond),
    rateGraceMillis: rate === undefined ? 0 : yield* duration("deadlines.minRate.grace", rate.grace),
    writeMillis: yield* limit("deadlines.write", given.write),
    lifetimeMillis: yield* limit("deadlines.lifetime", given.lifetime),
    lifetimeJitter: jitter,
    lifetimeGraceMillis: yield* duration("deadlines.lifetimeGrace", given.lifetimeGrace),
    requestMillis: yield* limit("deadlines.request", given.request)
  }
  // A default that comes too late for one that was given does no harm.
  const { frameMillis, lifetimeMillis, rateGraceMillis } = settings
  if (options.minRate !== undefined && rate !== undefined && rateGraceMillis >= frameMillis) {
    const rule = `shorter than deadlines.frame, which is ${frameMillis} ms`
    return yield* refuse("deadlines.minRate.grace", rate.grace, rule)
  }
  const names = ["firstFrame", "idle", "frame", "write", "request"] as const
  for (const name of names) {
    const millis = settings[`${name}Millis`]
    const value = options[name]
    // What is unbounded ends with the lifetime.
    if (value !== undefined && Number.isFinite(millis) && millis > lifetimeMillis) {
      const rule = `at most deadlines.lifetime, which is ${lifetimeMillis} ms`
      return yield* refuse(`deadlines.${name}`, value, rule)
    }
  }
  return settings
})
