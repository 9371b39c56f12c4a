/**
 * The options that framings share: their checks, their error, and what encoders refuse.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as CloseReason from "../CloseReason.ts"

/**
 * The largest message in bytes, or the decision that peers may make this process hold as much as they like.
 *
 * @category options
 * @since 0.1.0
 */
export type MaxFrameBytes = number | "unbounded"

/**
 * An option that no framing can have. Thrown by the constructors.
 *
 * @category errors
 * @since 0.1.0
 */
export class FramingOptionsError extends Data.TaggedError("FramingOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.option} must be ${this.rule}, got ${
    typeof this.value === "string" ? JSON.stringify(this.value) : String(this.value)
  }`
}

/** The error of a message over the limit. */
export const tooLarge = (bytes: number, maxFrameBytes: number): CloseReason.FrameError => ({
  _tag: "FrameTooLarge",
  bytes,
  maxFrameBytes,
  direction: "outbound"
})

/** The error of a message that cannot be sent. */
export const refused = (message: string): CloseReason.FrameError => ({
  _tag: "FrameCorrupt",
  message,
  recoverable: true
})

/** Throws unless the option is valid. */
export const ensure = (option: string, valid: boolean, value: unknown, rule: string): void => {
  if (!valid) {
    throw new FramingOptionsError({ option, value, rule })
  }
}

/** A positive integer, or it throws. */
export const positive = (option: string, value: number, rule = "a positive integer"): number => {
  ensure(option, Number.isSafeInteger(value) && value > 0, value, rule)
  return value
}

/** The limit as a number, or it throws. */
export const maxFrame = (value: MaxFrameBytes): number =>
  value === "unbounded" ? Infinity : positive("maxFrameBytes", value, `a positive integer or "unbounded"`)

/** One of the allowed values, or it throws. */
export const oneOf = <const A extends string | number>(option: string, value: A, allowed: ReadonlyArray<A>): A => {
  ensure(option, allowed.includes(value), value, `one of ${allowed.map((a) => JSON.stringify(a)).join(", ")}`)
  return value
}

/** Text as UTF-8, or a copy of bytes; at least one, or it throws. */
export const someBytes = (option: string, value: string | Uint8Array): Uint8Array => {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : Uint8Array.from(value)
  ensure(option, bytes.length > 0, value, "at least one byte")
  return bytes
}
