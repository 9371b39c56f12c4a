/** Checks of types, made by the compiler. */
import { assert } from "@effect/vitest"

/** `true` where the two types are the same, and not merely assignable to each other. */
export type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false

/** Does not compile where the two types differ. */
export const same = <A, B>(holds: Same<A, B>): void => assert.isTrue(holds)
