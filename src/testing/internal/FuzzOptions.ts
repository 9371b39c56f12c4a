/**
 * What is wrong with the options of a fuzzer.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Formatter from "effect/Formatter"

/**
 * An option that no fuzzer can have. Thrown by the targets, and a defect of a run.
 *
 * @category errors
 * @since 0.1.0
 */
export class FuzzOptionsError extends Data.TaggedError("FuzzOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.option} must be ${this.rule}, got ${Formatter.format(this.value)}`
}

/** Refuses numbers that are no integers from `minimum` on, the first one by its name. @category checks @since 0.1.0 */
export const ensureIntegers = (minimum: number, values: Readonly<Record<string, number>>): void => {
  for (const [option, value] of Object.entries(values)) {
    if (Number.isSafeInteger(value) && value >= minimum) continue
    throw new FuzzOptionsError({ option, value, rule: `an integer from ${minimum}` })
  }
}
