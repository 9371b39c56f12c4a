/**
 * The parts that random values of the network are made of; each shrinks towards the first, the smallest or nothing.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

/**
 * Integers from 0, half of them from a list of favourites, shrinking towards 0 (a literal alone would not shrink).
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const integer = (maximum: number, favourites: ReadonlyArray<number>): Arbitrary.Arbitrary<number> => {
  const between = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum }))
  const literals = favourites.filter((favourite) => favourite <= maximum)
  return Arbitrary.schema(literals.length === 0 ? between : Schema.Union([Schema.Literals(literals), between]), {
    shrink: smaller
  })
}

/** 0, a half, three quarters, and so on to one less: the smallest that fails is found in a few steps, wherever it is. */
const smaller = (value: number): ReadonlyArray<number> => {
  const candidates: Array<number> = []
  for (let less = value; less >= 1; less = Math.floor(less / 2)) candidates.push(value - less)
  return candidates
}

/** One of some values; there must be one, and the first is the simplest. @category arbitraries @since 0.1.0 */
export const element = <A>(values: readonly [A, ...ReadonlyArray<A>]): Arbitrary.Arbitrary<A> =>
  Arbitrary.map(index(values.length), (at) => values[at] ?? values[0])

/**
 * A value from one of some arbitraries; there must be one, and what the first gives is the simplest.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const oneOf = <A>(
  choices: readonly [Arbitrary.Arbitrary<A>, ...ReadonlyArray<Arbitrary.Arbitrary<A>>]
): Arbitrary.Arbitrary<A> =>
  choices.length === 1 ? choices[0] : Arbitrary.flatMap(index(choices.length), (at) => choices[at] ?? choices[0])

/** A value or none; none is simpler. @category arbitraries @since 0.1.0 */
export const maybe = <A>(value: Arbitrary.Arbitrary<A>): Arbitrary.Arbitrary<A | undefined> =>
  oneOf<A | undefined>([Arbitrary.Constant(undefined), value])

const index = (length: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: length - 1 })), {
    shrink: (value) => value === 0 ? [] : value === 1 ? [0] : [0, value - 1]
  })
