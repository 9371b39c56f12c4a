/**
 * Times in milliseconds: those that were written into options, and those that pass.
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** The milliseconds of a time; `NaN` for what is none. Effect takes the number `NaN` for 0, which is no answer here. */
export const toMillis = (value: Duration.Input): number =>
  typeof value === "number" && Number.isNaN(value)
    ? value
    : Option.match(Duration.fromInput(value), { onNone: () => Number.NaN, onSome: Duration.toMillis })

/** The milliseconds since some moment, never set back as the time of day is. */
export const monotonicMillis = (clock: Clock.Clock): number => Number(clock.monotonicTimeNanosUnsafe()) / 1_000_000
