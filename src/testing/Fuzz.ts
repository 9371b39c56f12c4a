/**
 * A fuzzer for codecs and servers: it sends what nobody would send, and says which promise was broken.
 *
 * Inputs are valid conversations that are changed (bits flip, lengths lie, slices vanish or come twice, two streams are
 * joined, terminators and runs of 0 and ff are put in), and raw bytes; all are cut at random. Whatever had an outcome
 * that was not seen before is kept and changed further. The same seed gives the same inputs on every machine.
 *
 * ```
 * samples --> mutate, cut --> execute --> new outcome? keep it
 *                                `--> a promise is broken --> shrink --> FuzzFinding { seed, input, replay }
 * ```
 *
 * **Example**
 *
 * ```ts
 * import { Framing } from "hawser"
 * import { Fuzz, NetArbitrary } from "hawser/testing"
 *
 * const codec = Framing.lengthPrefixed({ maxFrameBytes: 1024 })
 * const target = Fuzz.codec(codec, { messages: NetArbitrary.bytes() })
 * export const robust = Fuzz.run(target, { seed: 1, runs: 500 }) // Effect<FuzzReport, FuzzFinding>
 * export const again = Fuzz.replay(target, "00000003 616263") // one input, as a finding prints it
 * ```
 *
 * **Gotchas**: a decoder that never returns cannot be stopped from outside. There is no coverage: an outcome (messages,
 * errors, close reasons) is all that tells one input from another.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as FuzzInput from "./internal/FuzzInput.ts"
import * as FuzzMutation from "./internal/FuzzMutation.ts"
import { ensureIntegers } from "./internal/FuzzOptions.ts"
import { shrink } from "./internal/FuzzShrink.ts"
import { printable } from "./internal/Tell.ts"
import * as Random from "./Random.ts"

export {
  /** A codec as a target. @category targets @since 0.1.0 */
  codec,
  /** How to fuzz a codec. @category options @since 0.1.0 */
  type CodecOptions
} from "./internal/FuzzCodec.ts"
export {
  /** A text that is no token of an input. @category errors @since 0.1.0 */
  FuzzTokenError
} from "./internal/FuzzInput.ts"
export {
  /** An option that no fuzzer can have. @category errors @since 0.1.0 */
  FuzzOptionsError
} from "./internal/FuzzOptions.ts"
export {
  /** A server of a protocol as a target. @category targets @since 0.1.0 */
  server,
  /** Any server as a target. @category targets @since 0.1.0 */
  serverLayer,
  /** How to fuzz any server. @category options @since 0.1.0 */
  type ServerLayerOptions,
  /** How to fuzz a server of a protocol. @category options @since 0.1.0 */
  type ServerOptions,
  /** What a server is built with. @category models @since 0.1.0 */
  type Setup
} from "./internal/FuzzServer.ts"

/**
 * A promise that an input broke: `rule` names it, `broken` says what happened instead.
 *
 * @category models
 * @since 0.1.0
 */
export interface Broken {
  readonly rule: string
  readonly broken: string
}

/**
 * Something that takes inputs and keeps promises; make one with `codec`, `server` or `serverLayer`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Target<out R = never> {
  readonly name: string
  /** Valid streams to begin with, for a seed. */
  readonly samples: (seed: number) => Effect.Effect<ReadonlyArray<Uint8Array>>
  /** Words that mean something to this target, beside those of `FuzzMutation.dictionary`. */
  readonly words: ReadonlyArray<Uint8Array>
  /** How its peers may leave. */
  readonly endings: readonly [FuzzInput.Ending, ...ReadonlyArray<FuzzInput.Ending>]
  readonly maxBytes: number
  readonly maxChunks: number
  /** Takes one input: the outcome in a few words, which has no sizes in it, or the promise that it broke. */
  readonly execute: (input: FuzzInput.Input) => Effect.Effect<string, Broken, R>
}

/** How long to search. @category options @since 0.1.0 */
export interface Options {
  /** How many inputs are tried. @default 200 */
  readonly runs?: number | undefined
  /** An integer that all inputs are drawn from. @default 0 */
  readonly seed?: number | undefined
  /** How many inputs are tried to make a finding smaller. @default 1000 */
  readonly maxShrinks?: number | undefined
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  /** A tenth of a second for a codec, about one for a server. */
  runs: 200,
  seed: 0,
  /** A finding of a hundred bytes takes a few hundred tries. */
  maxShrinks: 1_000
} as const

/** Beyond so many inputs with an outcome of their own, new ones are told and not kept. */
const maxKept = 512

/** So many samples are tried as they are, before anything is changed. */
const unchanged = 8

/** One outcome, how often it came, and an input that has it. @category models @since 0.1.0 */
export interface Outcome {
  readonly outcome: string
  readonly count: number
  readonly replay: string
}

/** A search that found nothing. @category models @since 0.1.0 */
export interface FuzzReport {
  readonly runs: number
  readonly seed: number
  /** What came out, in the order in which it was first seen. */
  readonly outcomes: ReadonlyArray<Outcome>
}

/**
 * An input broke a promise of the target.
 *
 * **Details**
 * - Shape: `replay` is the smallest input found, as `replay` reads it: its chunks in hexadecimal, `-` for an empty one, and
 *   how the peer left (`!reset`, `!stay`, `!deaf`). `run` counts from 1 and is 0 for a replay.
 *
 * @category errors
 * @since 0.1.0
 */
export class FuzzFinding extends Data.TaggedError("FuzzFinding")<{
  readonly target: string
  readonly rule: string
  readonly broken: string
  readonly input: FuzzInput.Input
  readonly replay: string
  readonly seed: number
  readonly run: number
}> {
  override readonly message = `${this.target} ${this.rule}: ${printable(this.broken)}\n${
    this.run === 0 ? "" : `found by run ${this.run} with seed ${this.seed}\n`
  }replay: ${JSON.stringify(this.replay)}`
}

/**
 * Tries inputs until one breaks a promise; then it is made as small as it can and is the failure.
 *
 * **Details**
 * - Shape: deterministic from `seed`, as far as the target is. The first few inputs are samples, only cut.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*<R>(
  target: Target<R>,
  options: Options = {}
): Effect.fn.Return<FuzzReport, FuzzFinding, R> {
  const { maxShrinks = defaults.maxShrinks, runs = defaults.runs, seed = defaults.seed } = options
  ensureIntegers(1, { runs })
  ensureIntegers(0, { maxShrinks })
  ensureIntegers(Number.MIN_SAFE_INTEGER, { seed })
  const dice = Random.make(seed).fork("Fuzz")
  const samples = [new Uint8Array(0), ...yield* target.samples(seed)]
  /** Those that had an outcome of their own. */
  const grown: Array<Uint8Array> = []
  const seen = new Map<string, { count: number; readonly replay: string }>()

  const next = (sample: Uint8Array | undefined): FuzzInput.Input => {
    const base = dice.pick(grown.length > 0 && dice.chance(0.5) ? grown : samples)
    const bytes = sample ?? FuzzMutation.stream(base, dice, { streams: samples, words: target.words }, target.maxBytes)
    return { bytes, cuts: FuzzMutation.cuts(bytes, dice, target.maxChunks), ending: dice.pick(target.endings) }
  }

  for (let index = 0; index < runs; index++) {
    const input = next(index < unchanged ? samples[index] : undefined)
    const result = yield* Effect.result(target.execute(input))
    if (result._tag === "Failure") {
      const { rule } = result.failure
      const shrunk = yield* shrink(input, (simpler) => breaks(target, simpler, rule), maxShrinks)
      return yield* toFinding(target, shrunk.input, { ...result.failure, seed, run: index + 1 })
    }
    const known = seen.get(result.success)
    if (known !== undefined) {
      known.count++
      continue
    }
    seen.set(result.success, { count: 1, replay: FuzzInput.format(input) })
    if (grown.length < maxKept) grown.push(input.bytes)
  }
  return { runs, seed, outcomes: Array.from(seen, ([outcome, { count, replay }]) => ({ outcome, count, replay })) }
})

/** Whether an input breaks the same promise; another one would be another finding. */
const breaks = <R>(target: Target<R>, input: FuzzInput.Input, rule: string): Effect.Effect<boolean, never, R> =>
  Effect.match(target.execute(input), {
    onSuccess: () => false,
    onFailure: (failure) => failure.rule === rule
  })

/** What happened with the smallest input is what is told. */
const toFinding = <R>(
  target: Target<R>,
  input: FuzzInput.Input,
  found: Broken & Pick<FuzzFinding, "seed" | "run">
): Effect.Effect<never, FuzzFinding, R> =>
  Effect.flatMap(Effect.result(target.execute(input)), (again) =>
    Effect.fail(
      new FuzzFinding({
        ...found,
        ...(again._tag === "Failure" ? again.failure : undefined),
        target: target.name,
        input,
        replay: FuzzInput.format(input)
      })
    ))

/**
 * Gives one input to a target: the one of a finding, or one that was kept from an earlier day. Succeeds with the outcome.
 *
 * @category running
 * @since 0.1.0
 */
export const replay = Effect.fnUntraced(function*<R>(
  target: Target<R>,
  token: string
): Effect.fn.Return<string, FuzzFinding | FuzzInput.FuzzTokenError, R> {
  const input = yield* Effect.fromResult(FuzzInput.parse(token))
  return yield* Effect.catch(
    target.execute(input),
    (broken) => toFinding(target, input, { ...broken, seed: 0, run: 0 })
  )
})
