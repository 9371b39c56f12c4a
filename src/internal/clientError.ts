/**
 * How a call fails, and what of its request may have had an effect.
 */
import * as Data from "effect/Data"
import * as CloseReason from "../CloseReason.ts"

/**
 * How much of a request had been handed over when its call failed. Only `"none"` is sure to have had no effect.
 *
 * `"none"`: no byte left this program. `"partial"`: bytes left, but not surely all. `"all"`: the kernel took everything.
 *
 * @category models
 * @since 0.1.0
 */
export type Sent = "none" | "partial" | "all"

/** A call took longer than `callTimeout`; the connection lives on. @category models @since 0.1.0 */
export interface CallTimeout {
  readonly _tag: "CallTimeout"
  readonly limitMillis: number
}

/**
 * A call failed: `reason` says why, and `sent` how much of the request may have had an effect.
 *
 * **Details**
 * - The connection ended: `reason` is how; `Closed` where the client's own scope closed.
 * - `CallTimeout`: it took too long. `OverLimit`: too many calls were waiting. `FrameTooLarge` or `FrameCorrupt` with
 *   `sent: "none"`: the codec cannot write this request. These end the call alone; the connection lives on.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientError extends Data.TaggedError("ClientError")<{
  readonly reason: CloseReason.CloseReason | CallTimeout
  readonly sent: Sent
}> {
  override get message(): string {
    const why = this.reason._tag === "CallTimeout"
      ? `no response within ${this.reason.limitMillis} ms`
      : CloseReason.format(this.reason)
    return `${why} (request sent: ${this.sent})`
  }
}
