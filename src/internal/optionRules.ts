/**
 * What the options of a server have in common: the error of a bad one, and the rules for counts and times.
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import { toMillis } from "./time.ts"

/**
 * An option that a server cannot work with: `option` is its name, `value` what was given, `rule` what it must be. Where
 * two options contradict each other, the rule names the other one and its value.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServerOptionsError extends Data.TaggedError("ServerOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override get message(): string {
    return `${this.option} must be ${this.rule}, got ${Formatter.format(this.value)}`
  }
}

export const refuse = (option: string, value: unknown, rule: string): Effect.Effect<never, ServerOptionsError> =>
  Effect.fail(new ServerOptionsError({ option, value, rule }))

/** A positive integer. */
export const positive = (option: string, value: number): Effect.Effect<number, ServerOptionsError> =>
  Number.isSafeInteger(value) && value > 0 ? Effect.succeed(value) : refuse(option, value, "a positive integer")

/** An integer of a range. */
export const integer = (
  option: string,
  value: number,
  [least, most]: readonly [number, number]
): Effect.Effect<number, ServerOptionsError> =>
  Number.isSafeInteger(value) && value >= least && value <= most
    ? Effect.succeed(value)
    : refuse(option, value, `an integer from ${least} to ${most}`)

/** A time in milliseconds that ends, and may be 0. */
export const time = (option: string, value: Duration.Input): Effect.Effect<number, ServerOptionsError> => {
  const millis = toMillis(value)
  return Number.isFinite(millis) && millis >= 0
    ? Effect.succeed(millis)
    : refuse(option, value, "a finite time, 0 or longer")
}

/** A time in milliseconds that is longer than 0. */
export const duration = (option: string, value: Duration.Input): Effect.Effect<number, ServerOptionsError> => {
  const millis = toMillis(value)
  return Number.isFinite(millis) && millis > 0
    ? Effect.succeed(millis)
    : refuse(option, value, "a finite time, longer than 0")
}

/** A limit in milliseconds; `Infinity` where there is none. */
export const limit = (
  option: string,
  value: Duration.Input | "unbounded"
): Effect.Effect<number, ServerOptionsError> => {
  if (value === "unbounded") return Effect.succeed(Number.POSITIVE_INFINITY)
  const millis = toMillis(value)
  return Number.isFinite(millis) && millis > 0
    ? Effect.succeed(millis)
    : refuse(option, value, `a finite time, longer than 0, or "unbounded"`)
}

/** Options without the members that are undefined: they must not hide a default. */
export const defined = <A extends object>(options: A): { [K in keyof A]?: NonNullable<A[K]> } =>
  Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined)
  ) as { [K in keyof A]?: NonNullable<A[K]> } // what was filtered out is undefined
