/**
 * When a connection is late, and with what: the deadlines, computed from what its watch wrote down.
 *
 * What cannot be told yet, because a handler is at work, is answered by the earliest moment at which it may be due.
 */
import type { DeadlineSettings } from "./deadlineOptions.ts"
import type { Watch } from "./watch.ts"

/** What is due; `"look"`: nothing, but there is something to be seen. */
export type Late =
  | "linger"
  | "lifetime"
  | "grace"
  | "firstFrame"
  | "idle"
  | "frame"
  | "rate"
  | "write"
  | "request"
  | "look"
  | "nothing"

interface Answer {
  at: number
  what: Late
}

/** Asked for one connection at a time: the answer is read before the next question. */
const answer: Answer = { at: 0, what: "nothing" }

/** Not every transport tells when a part of what waits, or all of it, has left. */
export const lookMillis = (settings: DeadlineSettings): number => Math.ceil(Math.min(settings.writeMillis / 4, 1_000))

const consider = (at: number, what: Late): void => {
  if (at >= answer.at) return
  answer.at = at
  answer.what = what
}

/** What is due first. The answer is overwritten by the next one. */
export const late = (watch: Watch, settings: DeadlineSettings, now: number): Readonly<Answer> => {
  const { root, subject } = watch
  answer.at = Number.POSITIVE_INFINITY
  answer.what = "nothing"
  if (watch.lingerUntil >= 0) {
    consider(watch.lingerUntil, "linger")
    return answer
  }
  // One that has ended by itself lingers when its handler is done.
  if (root.reason !== undefined) return answer
  lifetime(watch, settings)
  if (subject.isHeard) {
    if (root.messagesIn === 0) consider(watch.waitingAt + settings.firstFrameMillis, "firstFrame")
    consider(Math.max(watch.movedAt, watch.waitingAt) + settings.idleMillis, "idle")
  } else {
    if (root.messagesIn === 0) consider(now + settings.firstFrameMillis, "look")
    consider(now + settings.idleMillis, "look")
  }
  if (watch.frameAt >= 0 && subject.isReading) frame(watch, settings)
  if (watch.stalledAt >= 0 && !root.isClosed) {
    consider(watch.stalledAt + settings.writeMillis, "write")
    consider(now + lookMillis(settings), "look")
  }
  if (watch.isHandling && watch.requestAt >= 0) consider(watch.requestAt + settings.requestMillis, "request")
  return answer
}

const lifetime = (watch: Watch, settings: DeadlineSettings): void => {
  if (watch.agedAt >= 0) return consider(watch.agedAt + settings.lifetimeGraceMillis, "grace")
  const part = 1 - settings.lifetimeJitter * watch.draw
  consider(Math.ceil(watch.openedAt + settings.lifetimeMillis * part), "lifetime")
}

const frame = (watch: Watch, settings: DeadlineSettings): void => {
  consider(watch.frameAt + settings.frameMillis, "frame")
  if (settings.minBytesPerSecond === 0) return
  const bytes = watch.subject.bytesIn - watch.frameFrom
  const millis = Math.max(settings.rateGraceMillis, bytes * 1000 / settings.minBytesPerSecond)
  consider(Math.ceil(watch.frameAt + millis), "rate")
}
