/**
 * How a sender of an ACK/NAK exchange is told to work, and which values it refuses.
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import { sequenceNumbers } from "./sendWindow.ts"
import { toMillis } from "./time.ts"

/** An option that a sender cannot work with; `rule` says what it must be. @category errors @since 0.1.0 */
export class RetransmissionOptionsError extends Data.TaggedError("RetransmissionOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override get message(): string {
    return `${this.option} must be ${this.rule}, got ${Formatter.format(this.value)}`
  }
}

/** How to send. @category options @since 0.1.0 */
export interface SenderOptions {
  /**
   * How many messages may be on their way without ACK, from 1 (stop and wait) to 128.
   *
   * @default 16
   */
  readonly window?: number | undefined
  /**
   * How long to wait for progress before sending again; finite, and longer than a round trip and the handling take.
   *
   * @default "1 second"
   */
  readonly timeout?: Duration.Input | undefined
  /**
   * How often a message is sent without any progress before the sender gives up.
   *
   * @default 10
   */
  readonly maxAttempts?: number | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  /** Hides a round trip, and on a bad link throws little away. Arbitrary; not measured. */
  window: 16,
  /** The first retransmission time-out of TCP (RFC 6298, section 2). */
  timeout: "1 second",
  /** On a link that spoils half of all frames, one message in a thousand needs more. */
  maxAttempts: 10
} as const

/** Half of the numbers: so `seq - expected` tells old from new. @category options @since 0.1.0 */
export const maxWindow: number = sequenceNumbers / 2

/** The options as numbers, with the defaults. */
export const settle = Effect.fnUntraced(function*(options: SenderOptions) {
  const { maxAttempts = defaults.maxAttempts, timeout = defaults.timeout, window = defaults.window } = options
  const millis = toMillis(timeout)
  const refuse = (option: string, value: unknown, rule: string) =>
    new RetransmissionOptionsError({ option, value, rule })
  if (!Number.isInteger(window) || window < 1 || window > maxWindow) {
    return yield* refuse("window", window, `an integer from 1 to ${maxWindow}`)
  }
  if (!Number.isFinite(millis) || millis <= 0) return yield* refuse("timeout", timeout, "a finite time longer than 0")
  if (!Number.isSafeInteger(maxAttempts) || maxAttempts < 1) {
    return yield* refuse("maxAttempts", maxAttempts, "an integer from 1")
  }
  return { window, millis, maxAttempts }
})
