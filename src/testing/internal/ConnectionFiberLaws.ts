/**
 * The laws of connections about many fibers: batches that stay together, and fibers that are interrupted.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Flow from "./ConnectionFlow.ts"
import { plain, random, type Spec } from "./ConnectionSpec.ts"
import { playBoth, type Stage } from "./ConnectionStage.ts"
import { type Check, must } from "./Scene.ts"

/**
 * The messages of one `write` stay together and in order, however many fibers write.
 *
 * @category laws
 * @since 0.1.0
 */
export const batch = (spec: Spec): Check => {
  const writers = Arbitrary.array(
    Arbitrary.array(Arbitrary.array(Flow.pieceBytes, { maxLength: 5 }), { maxLength: 5 }),
    { minLength: 2, maxLength: 5 }
  )
  return random(
    "batch",
    spec,
    writers,
    (sizes) =>
      playBoth(spec, [Flow.frames, Flow.frames], (stage, one, other) =>
        Effect.gen(function*() {
          const messages: Array<Uint8Array> = []
          const reading = yield* stage.start(Flow.readMessages(other.connection, messages))
          yield* stage.all(Object.fromEntries(sizes.map((list, writer) => [
            `writer ${writer}`,
            Effect.forEach(
              list,
              (each, number) =>
                one.connection.write(each.map((size, index) => Flow.toMessage({ writer, batch: number, index }, size)))
            )
          ])))
          yield* stage.run("finishing", one.connection.finish)
          yield* stage.awaited("the reading", reading)
          const next = sizes.map(() => 0)
          while (messages.length > 0) {
            const { writer } = Flow.fromMessage(messages[0] as Uint8Array) // the length was checked
            const list = sizes[writer] ?? []
            while (next[writer]! < list.length && list[next[writer]!]!.length === 0) next[writer]!++
            const number = next[writer]!++
            for (let index = 0; index < (list[number]?.length ?? 1); index++) {
              const got = messages.shift()
              const tag = got === undefined ? undefined : Flow.fromMessage(got)
              yield* must(
                tag?.writer === writer && tag.batch === number && tag.index === index,
                () => `instead of message ${index} of batch ${number} of writer ${writer} came ${JSON.stringify(tag)}`
              )
            }
          }
          const missing = next.findIndex((number, writer) =>
            sizes[writer]!.slice(number).some((each) => each.length > 0)
          )
          yield* must(missing < 0, () => `batch ${next[missing]} of writer ${missing} did not come`)
        }))
  )
}

const turns = Arbitrary.array(Flow.integer(0, 6), { minLength: 1 })

/** Interrupts an effect after some turns, if it still runs; says how it ended. */
const cut = Effect.fnUntraced(function*<A, E>(stage: Stage, what: string, effect: Effect.Effect<A, E>, after: number) {
  const fiber = yield* stage.start(effect)
  for (let i = 0; i < after && fiber.pollUnsafe() === undefined; i++) yield* stage.turn
  yield* Effect.sync(() => fiber.interruptUnsafe())
  return yield* stage.awaited(what, fiber)
})

/**
 * A pull that is interrupted while it waits loses nothing: the next one gives what it would have given.
 *
 * @category laws
 * @since 0.1.0
 */
export const interruptedPull = (spec: Spec): Check =>
  random(
    "interruptedPull",
    spec,
    Arbitrary.all({ turns, batches: Flow.batches }),
    (input) =>
      playBoth(spec, Flow.bytes, (stage, one, other) =>
        Effect.gen(function*() {
          const reader = new Flow.Reader(one)
          const writing = yield* stage.start(Effect.gen(function*() {
            let at = 0
            for (const sizes of input.batches) {
              at = yield* Flow.write(one, at, sizes)
              yield* stage.turn
            }
            yield* one.connection.finish
            return at
          }))
          for (let i = 0, idle = 0; !reader.ended && idle < 10_000; i++, idle++) {
            const before = stage.watch.moves
            // One that is always cut at once never gets anything.
            const after = i % 8 === 7 ? 6 : input.turns[i % input.turns.length] as number // the length is at least 1
            const exit = yield* cut(stage, "the pull", reader.pull(other), after)
            if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
              return yield* Effect.fail(`after an interrupted pull: ${Cause.pretty(exit.cause)}`)
            }
            if (stage.watch.moves !== before) idle = 0
            if (after === 0) yield* stage.turn
          }
          const written = yield* stage.awaited("the writing", writing)
          yield* must(
            reader.ended && Exit.isSuccess(written) && written.value === reader.bytes,
            () => `with interrupted pulls, ${reader.bytes} bytes came of ${String(written)}`
          )
        }))
  )

/**
 * A write that is interrupted is whole or not there: its messages all arrive or none does, those of writes that
 * succeeded do, and everything keeps its order.
 *
 * @category laws
 * @since 0.1.0
 */
export const interruptedWrite = (spec: Spec): Check => {
  const writes = Arbitrary.array(
    Arbitrary.all({
      sizes: Arbitrary.array(Flow.pieceBytes, { maxLength: 8 }),
      turns: Flow.integer(0, 6)
    }),
    { maxLength: 60 }
  )
  return random(
    "interruptedWrite",
    spec,
    writes,
    (input) =>
      playBoth(spec, [Flow.frames, Flow.frames], (stage, one, other) =>
        Effect.gen(function*() {
          const messages: Array<Uint8Array> = []
          const outcomes: Array<boolean> = []
          for (const [number, { sizes, turns: after }] of input.entries()) {
            const batch = sizes.map((size, index) => Flow.toMessage({ writer: 0, batch: number, index }, size))
            const exit = yield* cut(stage, "the write", one.connection.write(batch), after)
            if (Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)) {
              return yield* Effect.fail(`after an interrupted write: ${Cause.pretty(exit.cause)}`)
            }
            outcomes.push(Exit.isSuccess(exit))
          }
          // Nobody has read so far, so that many of the writes had to wait.
          yield* stage.run("finishing", one.connection.finish)
          yield* stage.run("the reading", Flow.readMessages(other.connection, messages))
          for (const [number, { sizes }] of input.entries()) {
            const { length } = messages.filter((message) => Flow.fromMessage(message).batch === number)
            yield* must(
              length === sizes.length || (length === 0 && !outcomes[number]),
              () => `of ${sizes.length} messages ${outcomes[number] ? "written" : "interrupted"}, ${length} arrived`
            )
          }
          const tags = messages.map(Flow.fromMessage)
          const wrong = tags.findIndex(({ batch, index }, i) =>
            i > 0 && batch * 256 + index <= tags[i - 1]!.batch * 256 + tags[i - 1]!.index
          )
          yield* must(
            wrong < 0,
            () => `message ${JSON.stringify(tags[wrong])} came after ${JSON.stringify(tags[wrong - 1])}`
          )
        }))
  )
}

/**
 * A second fiber that pulls dies, at once; the first is not disturbed.
 *
 * @category laws
 * @since 0.1.0
 */
export const onePull = (spec: Spec): Check =>
  plain(
    "onePull",
    playBoth(spec, Flow.bytes, (stage, one, other) =>
      Effect.gen(function*() {
        const reader = new Flow.Reader(other)
        const first = yield* stage.start(reader.pull(one))
        yield* stage.quiet
        const second = yield* stage.exit("the second pull", one.connection.pull)
        yield* must(Exit.isFailure(second) && Cause.hasDies(second.cause), () => `the second pull: ${String(second)}`)
        yield* stage.run("writing", Flow.write(other, 0, [1])) // what no transport can cut
        yield* Effect.asVoid(stage.awaited("the first pull", first))
        yield* must(reader.bytes === 1, () => `the first pull gave ${reader.bytes} bytes of 1`)
        yield* stage.run("writing", Flow.write(other, 1, [2]))
        yield* stage.run("the next pull", reader.pull(one))
      }))
  )
