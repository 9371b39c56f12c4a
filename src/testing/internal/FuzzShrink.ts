/**
 * How a fuzzer makes a found input small: each step tries something simpler and keeps what still fails.
 *
 * ```
 * leaves more plainly, fewer cuts, fewer bytes, smaller bytes, and again until nothing helps or the budget is spent
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Input } from "./FuzzInput.ts"
import { endings } from "./FuzzInput.ts"

/** Blocks of so many items are tried in each size, at each place: a character of UTF-8 only goes as a whole. */
const fewItems = 4

/** What was found so far, and how many inputs may still be tried. @category models @since 0.1.0 */
export interface Shrunk {
  readonly input: Input
  /** How many simpler inputs failed too. */
  readonly steps: number
}

/** Searches for a simpler input for which `fails` is true, with at most `maxTries` tries. @category running @since 0.1.0 */
export const shrink = <R>(
  found: Input,
  fails: (input: Input) => Effect.Effect<boolean, never, R>,
  maxTries: number
): Effect.Effect<Shrunk, never, R> =>
  Effect.gen(function*() {
    let best = found
    let steps = 0
    let left = maxTries
    const canTry = () => left > 0

    /** Whether a simpler input fails too; then it is the best. */
    const keeps = Effect.fnUntraced(function*(candidate: Input) {
      if (left <= 0) return false
      left--
      if (!(yield* fails(candidate))) return false
      best = candidate
      steps++
      return true
    })

    const leaveMorePlainly = Effect.fnUntraced(function*() {
      for (const ending of endings.slice(0, endings.indexOf(best.ending))) {
        if (yield* keeps({ ...best, ending })) return
      }
    })

    /** Removes blocks of a list of `length` items: halves, quarters, and so on; small ones from wherever they begin. */
    const removeBlocks = Effect.fnUntraced(function*(
      length: () => number,
      without: (from: number, to: number) => Input
    ) {
      for (
        let size = length();
        size >= 1;
        size = size > fewItems ? Math.max(fewItems, Math.floor(size / 2)) : size - 1
      ) {
        for (let from = 0; from < length() && canTry();) {
          if (!(yield* keeps(without(from, Math.min(length(), from + size))))) from += size > fewItems ? size : 1
        }
      }
    })

    const smallerBytes = Effect.fnUntraced(function*() {
      for (let at = 0; at < best.bytes.length && canTry(); at++) {
        let high = best.bytes[at] ?? 0
        if (high === 0 || (yield* keeps(withByte(best, at, 0)))) continue
        for (let low = 0; high - low > 1;) {
          const middle = (low + high) >> 1
          if (yield* keeps(withByte(best, at, middle))) high = middle
          else low = middle
        }
      }
    })

    /** A byte that counts what follows it can only become smaller together with that. */
    const shorterCounts = Effect.fnUntraced(function*() {
      for (let at = 0; at < best.bytes.length && canTry(); at++) {
        const count = best.bytes[at] ?? 0
        for (const less of count <= 1 ? [count] : [count, count >> 1, 1]) {
          const end = at + 1 + less
          if (less === 0 || end > best.bytes.length) continue
          if (yield* keeps(withoutBytes(withByte(best, at, count - less), at + 1, end))) break
        }
      }
    })

    for (let before = -1; before < steps && canTry();) {
      before = steps
      yield* leaveMorePlainly()
      yield* removeBlocks(
        () => best.cuts.length,
        (from, to) => ({ ...best, cuts: best.cuts.toSpliced(from, to - from) })
      )
      yield* removeBlocks(() => best.bytes.length, (from, to) => withoutBytes(best, from, to))
      yield* shorterCounts()
      yield* smallerBytes()
    }
    return { input: best, steps }
  })

const withByte = (input: Input, at: number, byte: number): Input => ({ ...input, bytes: input.bytes.with(at, byte) })

const withoutBytes = (input: Input, from: number, to: number): Input => ({
  ...input,
  bytes: Uint8Array.from([...input.bytes.subarray(0, from), ...input.bytes.subarray(to)]),
  cuts: input.cuts.map((cut) => cut <= from ? cut : Math.max(from, cut - (to - from)))
})
