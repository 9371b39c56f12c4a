/**
 * The laws of connections about codecs that refuse: what comes before an error, what after it, and who is hurt.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Result from "effect/Result"
import * as CloseReason from "../../CloseReason.ts"
import * as Codec from "../../Codec.ts"
import * as Framing from "../../Framing.ts"
import { plain, type Spec } from "./ConnectionSpec.ts"
import { play, playBoth, type Stage } from "./ConnectionStage.ts"
import { type Check, must } from "./Scene.ts"
import { tell } from "./Tell.ts"

/** Lines that may not be "bad", and that nobody can write when they are "worse". */
const lines = Codec.mapResult(
  Codec.text(Framing.lines({ maxFrameBytes: 16, ending: "lf", unterminated: "reject" })),
  {
    decode: (line) => line === "bad" ? Result.fail("bad") : Result.succeed(line),
    encode: (line: string) => line === "worse" ? Result.fail("worse") : Result.succeed(line)
  }
)

/** The same, but its decoder throws at "throw" and its encoder throws in the middle of "throw out". */
const throwing: Codec.Codec<string> = {
  maxFrameBytes: 16,
  decoder: () => {
    const decoder = lines.decoder()
    return {
      decode: (chunk, out) => {
        const messages: Array<string> = []
        const error = decoder.decode(chunk, messages)
        for (const message of messages) out.push(message)
        if (messages.includes("throw")) throw new Error("decoder")
        return error
      },
      end: (out) => decoder.end(out),
      get bytesBuffered() {
        return decoder.bytesBuffered
      }
    }
  },
  encode: (line, writer) => {
    if (line !== "throw out") return lines.encode(line, writer)
    writer.text("half a li")
    throw new Error("encoder")
  }
}

/** What pulls give, one after the other: messages, the end, or errors; stops at the end or after `most` of them. */
const pulls = (
  stage: Stage,
  connection: { readonly pull: Effect.Effect<ReadonlyArray<unknown>, unknown> },
  most: number
): Effect.Effect<Array<string>, string> =>
  Effect.gen(function*() {
    const seen: Array<string> = []
    for (let i = 0; i < most; i++) {
      const exit = yield* stage.exit("a pull", connection.pull)
      seen.push(...show(exit))
      if (seen.at(-1) === "end") break
    }
    return seen
  })

const show = (exit: Exit.Exit<unknown, unknown>): ReadonlyArray<string> => {
  if (Exit.isSuccess(exit)) return Array.isArray(exit.value) ? exit.value.map(String) : ["done"]
  const error = Cause.squash(exit.cause)
  if (Cause.isDone(error)) return ["end"]
  return [error instanceof CloseReason.ConnectionError ? error.reason._tag : tell(error)]
}

const same = (what: string, got: ReadonlyArray<string>, expected: ReadonlyArray<string>): Effect.Effect<void, string> =>
  must(got.join() === expected.join(), () => `${what}: ${got.join(", ")}; expected ${expected.join(", ")}`)

/**
 * After an error with a known boundary the next pull goes on behind it; what came before comes first.
 *
 * @category laws
 * @since 0.1.0
 */
export const recoverable = (spec: Spec): Check =>
  plain(
    "recoverable",
    Effect.forEach([100, 5], (size) =>
      playBoth(spec, [Codec.bytes, lines], (stage, one, other) =>
        Effect.gen(function*() {
          const text = new TextEncoder().encode("one\nbad\ntwo\nbad\nbad\nthree\nbad\n")
          const writing = yield* stage.start(Effect.gen(function*() {
            for (let at = 0; at < text.length; at += size) {
              yield* one.connection.write([text.subarray(at, at + size)])
              yield* stage.quiet
            }
            yield* one.connection.finish
          }))
          const corrupt = "FrameCorrupt"
          yield* same(
            "lines with bad ones among them",
            yield* pulls(stage, other.connection, 20),
            ["one", corrupt, "two", corrupt, corrupt, "three", corrupt, "end"]
          )
          yield* stage.awaited("the writing", writing)
        })), { discard: true })
  )

/**
 * After an error without a boundary each pull fails alike, and this side may still write; messages before it come
 * first.
 *
 * @category laws
 * @since 0.1.0
 */
export const fatal = (spec: Spec): Check =>
  plain(
    "fatal",
    Effect.forEach(
      [["FrameTooLarge", "0123456789abcdefg\nthree\n"], ["FrameTruncated", "thr"]],
      ([error = "", rest = ""]) =>
        playBoth(spec, [Codec.bytes, lines], (stage, one, other) =>
          Effect.gen(function*() {
            yield* stage.run("writing", one.connection.write([new TextEncoder().encode(`one\ntwo\n${rest}`)]))
            yield* stage.run("finishing", one.connection.finish)
            const seen = yield* pulls(stage, other.connection, 5)
            const messages = seen.filter((item) => item !== error)
            yield* same("two lines and a broken one", seen, [
              ...messages,
              ...Array<string>(seen.length - 2).fill(error)
            ])
            yield* same("two lines before a broken one", messages, ["one", "two"])
            yield* stage.run("answering", other.connection.write(["sorry"]))
            yield* stage.run("finishing", other.connection.finish)
            const answer = yield* pulls(stage, one.connection, 10) // it may come byte by byte
            yield* must(answer.at(-1) === "end" && answer.length > 1, () => `the answer was ${answer.join()}`)
          })),
      { discard: true }
    )
  )

/**
 * A message that cannot be encoded fails its write; those before it are sent, and the connection lives on.
 *
 * @category laws
 * @since 0.1.0
 */
export const refusal = (spec: Spec): Check =>
  plain(
    "refusal",
    playBoth(spec, [throwing, throwing], (stage, one, other) =>
      Effect.gen(function*() {
        const outcomes = []
        const arrived = []
        for (const batch of [["one", "worse", "two"], ["three", "throw out", "four"], ["five"]]) {
          outcomes.push(...show(yield* stage.exit("a write", one.connection.write(batch))))
          // Nothing more is needed for them to leave.
          arrived.push(...yield* pulls(stage, other.connection, 1))
        }
        yield* same("writes of what cannot be encoded", outcomes, ["FrameCorrupt", "HandlerFailed", "done"])
        yield* stage.run("finishing", one.connection.finish)
        arrived.push(...yield* pulls(stage, other.connection, 10))
        yield* same("what arrived", arrived, ["one", "three", "five", "end"])
      }))
  )

/** A decoder that throws breaks its own connection, as `HandlerFailed`, and no other. @category laws @since 0.1.0 */
export const defect = (spec: Spec): Check =>
  plain(
    "defect",
    play(spec, (stage) =>
      Effect.gen(function*() {
        const [client, server] = yield* stage.pair(throwing, throwing)
        const [otherClient, otherServer] = yield* stage.pair(throwing, throwing)
        yield* stage.run("writing", client.connection.write(["throw"]))
        const thrown = ["throw", "HandlerFailed", "HandlerFailed"]
        yield* same("a decoder that throws behind a message", yield* pulls(stage, server.connection, 3), thrown)
        yield* stage.run("writing elsewhere", otherClient.connection.write(["hello"]))
        yield* same("another connection", yield* pulls(stage, otherServer.connection, 1), ["hello"])
      }))
  )
