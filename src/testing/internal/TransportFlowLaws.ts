/**
 * The laws of transports about bytes: paused and resumed, in order, held back, put back.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Flow from "./ConnectionFlow.ts"
import { defaults } from "./ConnectionSpec.ts"
import { type Check, must } from "./Scene.ts"
import { plain, random, type Spec } from "./TransportSpec.ts"
import { Ear, play, playBoth, type RawEnd, write } from "./TransportStage.ts"

/**
 * A fresh socket is paused: what the peer wrote, and its end behind it, come after `resume`, in a later turn, whether it
 * was attached to before or after they arrived.
 *
 * @category laws
 * @since 0.1.0
 */
export const paused = (spec: Spec): Check =>
  plain(
    "paused",
    playBoth(spec, (stage) => stage.lazyPair, (stage, one, other) =>
      Effect.gen(function*() {
        write(one, [1000])
        one.raw.end()
        yield* stage.stage.quiet
        yield* must(other.ear.events.length === 0, () => `a fresh ${other.name} was told ${told(other.ear)}`)
        const late = new Ear(one.name)
        other.raw.attach(late)
        yield* stage.stage.quiet
        yield* must(late.events.length === 0, () => `a late handler was told ${told(late)} before resume`)
        other.raw.resume()
        yield* must(late.events.length === 0, () => `resume told ${told(late)} at once`)
        yield* stage.heard(late, 1000)
        yield* stage.stage.until("the end", () => late.ended)
      }))
  )

/** More would show no more, and take long where each byte comes alone. */
const mostPauses = 50

/**
 * After `pause` nothing comes before `resume`, however often and how long; and nothing is lost.
 *
 * @category laws
 * @since 0.1.0
 */
export const pauses = (spec: Spec): Check =>
  random(
    "pauses",
    spec,
    Arbitrary.all({
      batches: Flow.batches,
      turns: Arbitrary.array(Flow.integer(0, 8), { minLength: 1, maxLength: 6 })
    }),
    ({ batches, turns }) =>
      playBoth(spec, (stage) => stage.pair, (stage, one, other) =>
        Effect.gen(function*() {
          const { ear, raw } = other
          let chunks = 0
          let waits = 0
          ear.onChunk = () => {
            if (chunks >= mostPauses) return
            raw.pause()
            waits = turns[chunks++ % turns.length] ?? 0
            // A pause and its end in one moment change nothing.
            if (waits === 0) raw.resume()
          }
          const writing = yield* stage.stage.start(
            Effect.andThen(stage.writeAll(one, batches), Effect.sync(() => one.raw.end()))
          )
          for (let seen = 0; !ear.ended && ear.broken === undefined;) {
            yield* stage.stage.until("more data or the end", () => chunks > seen || ear.ended)
            for (; seen < chunks; seen = chunks) {
              for (let i = 0; i < waits; i++) yield* stage.stage.turn
              if (waits > 0) raw.resume()
            }
          }
          yield* stage.stage.awaited("the writing", writing)
          yield* stage.heard(ear, total(batches))
        }))
  )

/** Both ways at once, everything that is written arrives, once, in order, and the end behind it. @category laws @since 0.1.0 */
export const order = (spec: Spec): Check =>
  random(
    "order",
    spec,
    Arbitrary.all({ there: Flow.batches, back: Flow.batches }),
    ({ back, there }) =>
      play(spec, (stage) =>
        Effect.gen(function*() {
          const ends = yield* stage.pair
          const send = (end: RawEnd, batches: typeof there) =>
            Effect.andThen(stage.writeAll(end, batches), Effect.sync(() => end.raw.end()))
          yield* stage.stage.all({
            "the writing of the client": send(ends[0], there),
            "the writing of the server": send(ends[1], back)
          })
          yield* stage.stage.until("both ends", () => ends.every(({ ear }) => ear.ended))
          yield* stage.heard(ends[1].ear, total(there))
          yield* stage.heard(ends[0].ear, total(back))
        }))
  )

/**
 * Whose peer does not read is told to wait, soon; `onDrain` comes when the peer has read, also to one that has ended
 * its side meanwhile; then nothing is unsent.
 *
 * @category laws
 * @since 0.1.0
 */
export const backpressure = (spec: Spec): Check =>
  plain(
    "backpressure",
    Effect.forEach([false, true], (ending) =>
      playBoth(spec, (stage) =>
        stage.pair, (stage, one, other) =>
        Effect.gen(function*() {
          const limit = spec.maxBufferedBytes ?? defaults.maxBufferedBytes
          other.raw.pause()
          let drains = -1
          while (drains !== one.ear.drains) {
            drains = one.ear.drains
            // Each write that is told to wait is the last one until the drain.
            while (write(one, [Flow.pieceOfFlood])) {
              yield* must(one.sent <= limit, () => `${one.sent} bytes were taken for a peer that does not read`)
            }
            yield* stage.stage.quiet
          }
          yield* must(one.raw.bytesUnsent <= one.sent, () => `of ${one.sent} bytes ${one.raw.bytesUnsent} are unsent`)
          yield* must(other.ear.bytes === 0, () => `a paused ${other.name} was given ${other.ear.bytes} bytes`)
          if (ending) one.raw.end()
          other.raw.resume()
          const waiter = ending ? "the writer that ended" : "the writer"
          yield* stage.stage.until(`the drain of ${waiter}`, () => one.ear.drains > drains)
          yield* stage.heard(other.ear, one.sent)
          yield* stage.stage.until("the sending of everything", () => one.raw.bytesUnsent === 0)
          if (ending) yield* stage.stage.until("the end", () => other.ear.ended)
        })), { discard: true })
  )

/**
 * Segments are the writer's again as soon as nothing is unsent: by then they were copied, or have left.
 *
 * @category laws
 * @since 0.1.0
 */
export const reuse = (spec: Spec): Check =>
  random(
    "reuse",
    spec,
    Arbitrary.array(Arbitrary.array(Flow.integer(0, 3000), { maxLength: 3 }), { maxLength: 6 }),
    (batches) =>
      playBoth(spec, (stage) => stage.pair, (stage, one, other) =>
        Effect.gen(function*() {
          other.raw.pause()
          for (const sizes of batches) {
            const segments = sizes.map((size) => {
              const segment = Flow.pattern(Flow.startOf(one) + one.sent, size).slice()
              one.sent += size
              return segment
            })
            one.raw.write(segments)
            // Where a window takes so little, the rest leaves when the peer reads.
            if (one.raw.bytesUnsent > 0) other.raw.resume()
            yield* stage.stage.until("the sending of a little", () => one.raw.bytesUnsent === 0)
            for (const segment of segments) segment.fill(0xa5)
          }
          other.raw.resume()
          yield* stage.heard(other.ear, one.sent)
        }))
  )

/**
 * What is put back comes first, in its order, to whoever is attached then; behind the end it is thrown away.
 *
 * @category laws
 * @since 0.1.0
 */
export const unshift = (spec: Spec): Check =>
  random(
    "unshift",
    spec,
    Arbitrary.all({ pieces: Flow.integer(1, 4), rest: Flow.integer(0, 100_000), late: Flow.integer(0, 1) }),
    ({ late, pieces, rest }) =>
      playBoth(spec, (stage) => stage.pair, (stage, one, other) =>
        Effect.gen(function*() {
          const { ear, raw } = other
          let first: Uint8Array = new Uint8Array(0)
          ear.onChunk = (chunk) => {
            first = chunk
            raw.pause()
          }
          write(one, [1000])
          yield* stage.stage.until("the first data", () => first.length > 0)
          const ending = Effect.sync(() => late === 1 ? one.raw.end() : undefined)
          const writing = yield* stage.stage.start(Effect.andThen(stage.writeAll(one, [[rest]]), ending))
          if (late === 1) {
            yield* stage.stage.quiet
            yield* must(!ear.ended, () => "the end was told while paused")
          }
          const size = Math.ceil(first.length / pieces)
          for (let at = (pieces - 1) * size; at >= 0; at -= size) raw.unshift(first.slice(at, at + size))
          const second = new Ear(one.name)
          raw.attach(second)
          raw.resume()
          yield* stage.stage.awaited("the writing", writing)
          one.raw.end()
          yield* stage.stage.until("the end", () => second.ended)
          yield* stage.heard(second, 1000 + rest)
          raw.pause()
          raw.unshift(new Uint8Array(3))
          raw.resume()
          yield* stage.stage.quiet
          yield* stage.heard(second, 1000 + rest)
        }))
  )

const total = (batches: ReadonlyArray<ReadonlyArray<number>>): number => batches.flat().reduce((a, b) => a + b, 0)

const told = (ear: Ear): string => ear.events.length === 0 ? "nothing" : ear.events.join(", ")
