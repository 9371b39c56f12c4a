/**
 * Makes a failing list of plain data small: fewer elements first, then simpler ones.
 *
 * ```
 * [a b c d e f g h] --halves--> [e f g h] --quarters--> [e h] --one by one--> [h] --simpler--> [h']
 * ```
 *
 * **Details**
 * - Source: delta debugging, A. Zeller and R. Hildebrandt, "Simplifying and isolating failure-inducing input", IEEE TSE 28
 *   (2002), here with complements only, since a part that fails is found by taking the rest away.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/**
 * What to make small.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options<A, F, R> {
  readonly elements: ReadonlyArray<A>
  /** What `elements` fails with. */
  readonly failure: F
  /** Runs a candidate: what it fails with, or `undefined` if it does not fail in the same way. */
  readonly fails: (elements: ReadonlyArray<A>) => Effect.Effect<F | undefined, never, R>
  /** Simpler elements in the place of one, the simplest first; each chain of them must end. */
  readonly simpler: (element: A) => Iterable<A>
  /** No more candidates are run. */
  readonly maxRuns: number
}

/**
 * The smallest list that was found, with its failure and how many candidates were run.
 *
 * @category models
 * @since 0.1.0
 */
export interface Minimised<A, F> {
  readonly elements: ReadonlyArray<A>
  readonly failure: F
  readonly runs: number
}

/** Makes a failing list small. @category running @since 0.1.0 */
export const minimise = Effect.fnUntraced(function*<A, F, R>(
  options: Options<A, F, R>
): Effect.fn.Return<Minimised<A, F>, never, R> {
  let { elements, failure } = options
  let runs = 0
  const accept = Effect.fnUntraced(function*(candidate: ReadonlyArray<A>) {
    if (runs >= options.maxRuns) return false
    runs++
    const found = yield* options.fails(candidate)
    if (found === undefined) return false
    elements = candidate
    failure = found
    return true
  })
  // Often nothing is needed at all: the order of fibers alone does it.
  if (elements.length > 1) yield* accept([])
  for (let size = Math.ceil(elements.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < elements.length;) {
      const without = [...elements.slice(0, at), ...elements.slice(at + size)]
      if (!(yield* accept(without))) at += size
    }
  }
  for (let at = 0; at < elements.length; at++) {
    let progress = true
    while (progress) {
      progress = false
      for (const simpler of options.simpler(elements[at]!)) {
        progress = yield* accept([...elements.slice(0, at), simpler, ...elements.slice(at + 1)])
        if (progress || runs >= options.maxRuns) break
      }
    }
  }
  return { elements, failure, runs }
})

/**
 * Simpler forms of plain data: without an optional field, or with a number nearer to 0. Not all of them need be valid.
 *
 * @category combinators
 * @since 0.1.0
 */
export const simplerData = function*(value: unknown): Generator<unknown> {
  if (typeof value === "number") yield* simplerNumbers(value)
  else if (Array.isArray(value)) {
    for (const [index, element] of value.entries()) {
      yield value.toSpliced(index, 1)
      for (const simpler of simplerData(element)) yield value.with(index, simpler)
    }
  } else if (typeof value === "object" && value !== null) {
    for (const key of Object.keys(value)) {
      const { [key]: _, ...rest } = value as Record<string, unknown> // of this object
      yield rest
    }
    for (const [key, field] of Object.entries(value)) {
      for (const simpler of simplerData(field)) yield { ...value, [key]: simpler }
    }
  }
}

/** Below this, each number is tried. */
const fewUnits = 16

/** Nearer to 0, the plainest first: 0, 1, one digit, a half, three quarters, two digits, three, no fraction; of small ones, one less. */
const simplerNumbers = function*(value: number): Generator<number> {
  const size = Math.abs(value)
  const unit = 10 ** Math.floor(Math.log10(size))
  const digits = (count: number) => {
    const last = unit / 10 ** (count - 1)
    return last >= 1 ? Math.floor(size / last) * last : size
  }
  const whole = Math.floor(size)
  const less = size <= fewUnits ? whole - 1 : size
  const parts = [Math.floor(size / 2), Math.floor(size * 3 / 4)]
  for (const candidate of new Set([0, 1, digits(1), ...parts, digits(2), digits(3), whole, less])) {
    if (candidate >= 0 && candidate < size) yield value < 0 ? -candidate : candidate
  }
}
