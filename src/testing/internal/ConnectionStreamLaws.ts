/**
 * The laws of connections about what flows: order, ends, backpressure.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Flow from "./ConnectionFlow.ts"
import { plain, random, type Spec } from "./ConnectionSpec.ts"
import { type End, playBoth, type Stage } from "./ConnectionStage.ts"
import { type Check, must } from "./Scene.ts"

type Bytes = End<Uint8Array, Uint8Array>

/** Both sides write all of this at once while both read, and finish; each must have read what the other wrote. */
const exchange = (
  stage: Stage,
  sides: ReadonlyArray<readonly [writer: Bytes, reader: Bytes, batches: ReadonlyArray<ReadonlyArray<number>>]>
): Effect.Effect<void, string> => {
  const effects: Record<string, Effect.Effect<unknown, unknown>> = {}
  for (const [writer, reader, sizes] of sides) {
    const total = sizes.flat().reduce((sum, size) => sum + size, 0)
    effects[`the reading of the ${reader.name}`] = Effect.flatMap(
      Flow.readAll(reader, writer),
      (bytes) => must(bytes === total, () => `it read ${bytes} of ${total} bytes and the end`)
    )
    effects[`the writing of the ${writer.name}`] = Flow.writeAll(writer, sizes)
  }
  return stage.all(effects)
}

/**
 * What is read is what was written, in order and whole, then comes the end; also with both sides writing at once, in
 * pieces of any size, more than the kernel holds.
 *
 * @category laws
 * @since 0.1.0
 */
export const order = (spec: Spec): Check => {
  const mebibytes = Array.from({ length: 6 }, () => [Flow.maxPieceBytes])
  const large = playBoth(
    spec,
    Flow.bytes,
    (stage, one, other) => exchange(stage, [[one, other, mebibytes], [other, one, mebibytes]])
  )
  const inputs = Arbitrary.all({ one: Flow.batches, other: Flow.batches })
  return Effect.andThen(
    plain("order", large),
    random(
      "order",
      spec,
      inputs,
      (sizes) =>
        playBoth(
          spec,
          Flow.bytes,
          (stage, one, other) => exchange(stage, [[one, other, sizes.one], [other, one, sizes.other]])
        )
    )
  )
}

/**
 * The end comes after all data, and again with every pull; the side that saw it may go on writing, and its peer
 * reading.
 *
 * @category laws
 * @since 0.1.0
 */
export const halfClose = (spec: Spec): Check =>
  plain(
    "halfClose",
    playBoth(spec, Flow.bytes, (stage, one, other) =>
      Effect.gen(function*() {
        const sizes = [[300_000, 0, 5], [200_000]]
        yield* exchange(stage, [[one, other, sizes]])
        const again = new Flow.Reader(one)
        yield* stage.run("the second end", again.pull(other))
        yield* must(again.ended, () => `the ${other.name} read ${again.bytes} bytes after the end`)
        const late = yield* Effect.result(stage.run("writing", Flow.write(one, 0, [1])))
        yield* must(late._tag === "Failure", () => `the ${one.name} wrote after it had finished`)
        // Two exchanges: the way back lives on for as long as it is used.
        const answer = yield* stage.start(Flow.readAll(one, other))
        const at = yield* stage.run(`writing after the peer's end`, Flow.write(other, 0, [10]))
        yield* stage.quiet
        yield* stage.run(`writing after the peer's end`, Flow.write(other, at, [500_000]))
        yield* stage.run("finishing", other.connection.finish)
        const exit = yield* stage.awaited(`the rest at the side that ended first`, answer)
        yield* must(
          Exit.isSuccess(exit) && exit.value === 500_010,
          () => `the ${one.name} finished, then read ${String(exit)} of 500010 bytes`
        )
      }))
  )

/**
 * A writer whose peer does not read must wait, with little held on either side, and goes on when the peer reads;
 * nothing is lost by that.
 *
 * @category laws
 * @since 0.1.0
 */
export const backpressure = (spec: Spec): Check =>
  plain(
    "backpressure",
    playBoth(spec, Flow.bytes, (stage, one, other) =>
      Effect.gen(function*() {
        const { fiber, state } = yield* Flow.flood(stage, one)
        const unsent = one.raw.bytesUnsent
        yield* must(
          unsent <= 4 * Flow.pieceOfFlood,
          () => `the raw socket of a writer that waits holds ${unsent} bytes`
        )
        const early = other.connection.bytesIn
        yield* must(early <= 4 * Flow.pieceOfFlood, () => `${early} bytes were read although nobody pulled`)
        const reading = yield* stage.start(Flow.readAll(other, one))
        const exit = yield* stage.awaited("the writer that waited", fiber)
        yield* must(Exit.isSuccess(exit), () => `the writer that waited: ${String(exit)}`)
        yield* stage.run("finishing", one.connection.finish)
        const read = yield* stage.awaited("the reading", reading)
        yield* must(
          Exit.isSuccess(read) && read.value === state.written,
          () => `after the wait, of ${state.written} bytes came ${String(read)}`
        )
      }))
  )

/**
 * `finish` may come while a writer waits: what was taken still arrives, before the end, and the writer is told; a
 * second one does nothing, and a write after it fails.
 *
 * @category laws
 * @since 0.1.0
 */
export const finish = (spec: Spec): Check =>
  plain(
    "finish",
    playBoth(spec, Flow.bytes, (stage, one, other) =>
      Effect.gen(function*() {
        const { fiber, state } = yield* Flow.flood(stage, one)
        const behind = yield* stage.start(one.connection.write([new Uint8Array(1)]))
        yield* stage.run("finish", one.connection.finish)
        yield* stage.run("a second finish", one.connection.finish)
        const read = yield* stage.run("the reading", Flow.readAll(other, one))
        const exit = yield* stage.awaited("the writer that waited when its side was finished", fiber)
        yield* must(Exit.isSuccess(exit), () => `the writer that waited when its side was finished: ${String(exit)}`)
        yield* must(read === state.written, () => `of ${state.written} bytes before finish, ${read} were read`)
        const late = yield* stage.awaited("the writer behind it", behind)
        yield* must(Exit.isFailure(late), () => "a write that waited for its turn went on after finish")
      }))
  )
