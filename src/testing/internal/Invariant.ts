/**
 * What must hold in a simulation: all along, at the end, or at least once.
 *
 * An invariant is a function of the program's own state. It answers `true`, or nothing, where it holds, and `false` or a
 * text, which says what is wrong instead, where it does not.
 *
 * @since 0.1.0
 */
import { tell } from "./Tell.ts"

/** What an invariant answers. @category models @since 0.1.0 */
export type Answer = boolean | string | undefined | void

/**
 * What must hold.
 *
 * **Details**
 * - Shape: `Always` is asked at the end of each moment in which something happened. `AtEnd` is asked once, when all hosts
 *   are closed. `Sometimes` is asked at the end of each moment until it holds: a simulation in which it never did has
 *   not tested what it should.
 *
 * @category models
 * @since 0.1.0
 */
export interface Invariant {
  readonly _tag: "Always" | "AtEnd" | "Sometimes"
  readonly check: () => Answer
}

/** Invariants by their names, which messages use. @category models @since 0.1.0 */
export type Invariants = Readonly<Record<string, Invariant>>

/** Must hold at the end of each moment. @category constructors @since 0.1.0 */
export const always = (check: () => Answer): Invariant => ({ _tag: "Always", check })

/** Must hold when everything has ended. @category constructors @since 0.1.0 */
export const atEnd = (check: () => Answer): Invariant => ({ _tag: "AtEnd", check })

/** Must hold at the end of some moment, in at least one run. @category constructors @since 0.1.0 */
export const sometimes = (check: () => Answer): Invariant => ({ _tag: "Sometimes", check })

/** A broken invariant. @category models @since 0.1.0 */
export interface Broken {
  readonly invariant: string
  readonly broken: string
}

/** Asks; the text says what is wrong. An invariant that throws is broken by what it threw. @category running @since 0.1.0 */
export const ask = (invariant: Invariant): string | undefined => {
  try {
    const answer = invariant.check()
    return typeof answer === "string" ? answer : answer === false ? "it does not hold" : undefined
  } catch (defect) {
    return `it threw ${tell(defect)}`
  }
}

/** Asks all of one kind; the first that is broken. @category running @since 0.1.0 */
export const firstBroken = (invariants: Invariants, tag: "Always" | "AtEnd"): Broken | undefined => {
  for (const [name, invariant] of Object.entries(invariants)) {
    if (invariant._tag !== tag) continue
    const broken = ask(invariant)
    if (broken !== undefined) return { invariant: name, broken }
  }
  return undefined
}
