/**
 * The laws of connections about how they begin: opened late, and with bytes that were put back.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Codec from "../../Codec.ts"
import type * as Transport from "../../Transport.ts"
import * as Flow from "./ConnectionFlow.ts"
import { plain, type Spec } from "./ConnectionSpec.ts"
import { type End, play, type Stage } from "./ConnectionStage.ts"
import { type Check, must } from "./Scene.ts"

/** A socket that is opened late finds everything that happened before: data, end, reset. @category laws @since 0.1.0 */
export const lateOpen = (spec: Spec): Check =>
  plain(
    "lateOpen",
    Effect.forEach([[1000, true], [0, true], [1000, false], [0, false]] as const, ([size, held]) =>
      play(spec, (stage) =>
        Effect.gen(function*() {
          const [client, server] = yield* lateClient(stage)
          if (size > 0) {
            yield* stage.run("writing", Flow.write(client, 0, [size]))
          }
          yield* stage.run("finishing", client.connection.finish)
          if (held) {
            server.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} })
          }
          yield* stage.quiet
          const end = yield* stage.open(server, Codec.bytes)
          const read = yield* stage.run(`the reading of a socket opened late`, Flow.readAll(end, client))
          yield* must(read === size, () =>
            `a socket opened late gave ${read} of ${size} bytes`)
        })), { discard: true }).pipe(Effect.andThen(
          play(spec, (stage) =>
            Effect.gen(function*() {
              const [client, server] = yield* lateClient(stage)
              client.raw.reset()
              yield* stage.quiet
              const end = yield* stage.open(server, Codec.bytes)
              const exit = yield* stage.exit(
                "the pull from a socket that broke before it was opened",
                end.connection.pull
              )
              yield* must(Exit.isFailure(exit), () =>
                `a socket that broke before it was opened gave ${String(exit)}`)
            }))
        ))
  )

/**
 * Bytes that a handler puts back come first, in their order, for whoever opens the socket then: at once, or when more of
 * the stream and its end have arrived behind them. Behind the end they are thrown away.
 *
 * @category laws
 * @since 0.1.0
 */
export const putBack = (spec: Spec): Check =>
  plain(
    "putBack",
    Effect.forEach(
      [
        [true, 1, 200_000],
        [false, 1, 200_000],
        [true, 3, 200_000],
        [false, 3, 200_000],
        [true, 2, 1000],
        [false, 2, 1000]
      ] as const,
      ([atOnce, pieces, total]) =>
        play(spec, (stage) =>
          Effect.gen(function*() {
            const [client, server] = yield* lateClient(stage)
            const writing = yield* stage.start(Flow.writeAll(client, [[1000], [total - 1000]]))
            let first: ReadonlyArray<Uint8Array> = []
            const giveBack = () => {
              for (const chunk of first) {
                const piece = Math.ceil(chunk.length / pieces)
                for (let at = chunk.length; at > 0; at -= piece) {
                  server.unshift(chunk.subarray(Math.max(0, at - piece), at))
                }
              }
            }
            const onData = (chunk: Uint8Array) => {
              first = [chunk]
              server.pause()
              if (atOnce) giveBack()
            }
            server.attach({ onData, onEnd() {}, onDrain() {}, onClose() {} })
            server.resume()
            yield* stage.until("the first data", () => first.length > 0)
            if (!atOnce) {
              yield* stage.quiet
              giveBack()
            }
            const end = yield* stage.open(server, Codec.bytes)
            const read = yield* stage.run("the reading of what was put back", Flow.readAll(end, client))
            yield* must(read === total, () => `of ${total} bytes, some of them put back, ${read} came`)
            yield* stage.awaited("the writing", writing)
            server.unshift(new Uint8Array(1))
            yield* stage.quiet
            yield* stage.run("finishing, after bytes that came too late to be put back", end.connection.finish)
          })),
      { discard: true }
    )
  )

const lateClient = (stage: Stage): Effect.Effect<readonly [End<Uint8Array, Uint8Array>, Transport.RawSocket], string> =>
  Effect.gen(function*() {
    const client = yield* stage.dial(Codec.bytes)
    return [client, yield* stage.accept] as const
  })
