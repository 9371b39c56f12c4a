/**
 * The laws of connections about how they end: close, reset, and a peer that is gone.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as Connection from "../../Connection.ts"
import * as Flow from "./ConnectionFlow.ts"
import { plain, reasonOf, type Spec } from "./ConnectionSpec.ts"
import { playBoth, type Stage } from "./ConnectionStage.ts"
import { type Check, must } from "./Scene.ts"

/** So many turns are at once: a fiber may yield on its way, but nothing has to come from the peer. */
const soonTurns = 50

/** Looks at an operation that something must have ended. */
const atOnce = (
  stage: Stage,
  what: string,
  fiber: Fiber.Fiber<unknown, unknown>,
  expected: ReadonlyArray<string>
): Effect.Effect<void, string> =>
  Effect.gen(function*() {
    for (let left = soonTurns; left > 0 && fiber.pollUnsafe() === undefined; left--) yield* stage.turn
    const reason = reasonOf(fiber.pollUnsafe())
    return yield* must(expected.includes(reason), () => `${what} ${reason}, expected ${expected.join(" or ")}`)
  })

/** Each operation of a connection must end at once, in the same way. */
const operations = (
  stage: Stage,
  when: string,
  connection: Connection.Connection<Uint8Array>,
  expected: {
    readonly pull: ReadonlyArray<string>
    readonly write: ReadonlyArray<string>
    readonly finish: ReadonlyArray<string>
  }
): Effect.Effect<void, string> =>
  Effect.gen(function*() {
    for (const name of ["first", "second"]) {
      const pull = yield* stage.start(connection.pull)
      yield* atOnce(stage, `the ${name} pull ${when}`, pull, expected.pull)
      const write = yield* stage.start(connection.write([new Uint8Array(1)]))
      yield* atOnce(stage, `the ${name} write ${when}`, write, expected.write)
      const empty = yield* stage.start(connection.write([]))
      yield* atOnce(stage, `the ${name} write of nothing ${when}`, empty, expected.write)
      const finish = yield* stage.start(connection.finish)
      yield* atOnce(stage, `the ${name} finish ${when}`, finish, expected.finish)
    }
  })

const closed = { pull: ["Closed"], write: ["Closed"], finish: ["Closed"] }

/**
 * Closing wakes the fiber that pulls and those that wait in write, at once and with `Closed`; what was taken before
 * still arrives.
 *
 * @category laws
 * @since 0.1.0
 */
export const close = (spec: Spec): Check =>
  plain(
    "close",
    playBoth(spec, Flow.bytes, (stage, one, other) =>
      Effect.gen(function*() {
        const { fiber, state } = yield* Flow.flood(stage, one)
        const behind = yield* stage.start(one.connection.write([new Uint8Array(1)]))
        const pull = yield* stage.start(one.connection.pull)
        yield* stage.quiet
        const closing = yield* stage.start(one.close)
        yield* atOnce(stage, "when the connection closed, the pull", pull, ["Closed"])
        yield* atOnce(stage, "when the connection closed, the write that waited", fiber, ["Closed"])
        yield* atOnce(stage, "when the connection closed, the write behind it", behind, ["Closed"])
        yield* operations(stage, "while closing", one.connection, closed)
        const read = yield* stage.run("the reading of what was written before the close", Flow.readAll(other, one))
        yield* must(
          read >= state.written,
          () => `of ${state.written} bytes written before the close, ${read} were read`
        )
        yield* stage.run("closing the other side", other.close)
        yield* stage.awaited("closing", closing)
      }))
  )

/** Closing with unread input does not destroy what is on its way to the peer. @category laws @since 0.1.0 */
export const reply = (spec: Spec): Check =>
  plain(
    "reply",
    playBoth(spec, Flow.bytes, (stage, one, other) =>
      Effect.gen(function*() {
        const { fiber } = yield* Flow.flood(stage, other)
        const writing = yield* stage.start(Flow.write(one, 0, [100_000]))
        yield* stage.quiet
        const closing = yield* stage.start(one.close)
        // It may have waited, where little is held; what it wrote leaves all the same.
        yield* stage.awaited("the writing of the reply", writing)
        const reading = yield* stage.start(Flow.readAll(other, one))
        const exit = yield* stage.awaited("the reading of a reply", reading)
        yield* must(
          Exit.isSuccess(exit) && exit.value === 100_000,
          () => `of a reply of 100000 bytes by a side that closed with unread input came ${String(exit)}`
        )
        yield* stage.awaited("the writer that waited", fiber)
        yield* stage.run("closing the other side", other.close)
        yield* stage.awaited("closing", closing)
      }))
  )

/**
 * After the close each operation fails with `Closed`, and none hangs; to close again, or the raw socket, is nothing.
 *
 * @category laws
 * @since 0.1.0
 */
export const closedIsClosed = (spec: Spec): Check =>
  plain(
    "closedIsClosed",
    Effect.andThen(
      playBoth(spec, Flow.bytes, (stage, one, other) =>
        Effect.gen(function*() {
          yield* stage.all({ "closing one side": one.close, "closing the other side": other.close })
          yield* stage.run("closing again", one.close)
          yield* operations(stage, "after the close", one.connection, closed)
          yield* stage.until("the close of the raw socket", () => one.raw.closed)
          yield* operations(stage, "after the close of the raw socket", one.connection, closed)
          for (const method of ["pause", "resume", "end", "reset", "destroy"] as const) one.raw[method]()
          one.raw.write([new Uint8Array(1)])
          yield* stage.quiet
        })),
      playBoth(spec, Flow.bytes, (stage, one, other) =>
        Effect.gen(function*() {
          yield* stage.all({
            "finishing": one.connection.finish,
            "finishing the other side": other.connection.finish,
            "reading": Flow.readAll(one, other),
            "reading of the other side": Flow.readAll(other, one)
          })
          yield* stage.until("the close of a raw socket that both sides ended", () => one.raw.closed)
          yield* operations(stage, "after both sides ended", one.connection, {
            pull: ["ends"],
            write: ["Closed"],
            finish: ["succeeds"]
          })
        }))
    )
  )

/**
 * A peer that resets is seen as `PeerReset` by whoever waits, and by each operation after that.
 *
 * @category laws
 * @since 0.1.0
 */
export const reset = (spec: Spec): Check => {
  // Where no reset can be shown, it looks like an end.
  const pull = spec.resets === false ? ["ends", "PeerReset"] : ["PeerReset"]
  return plain(
    "reset",
    Effect.andThen(
      playBoth(spec, Flow.bytes, (stage, one, other) =>
        Effect.gen(function*() {
          const reader = new Flow.Reader(other)
          yield* stage.run("writing", Flow.write(other, 0, [1000]))
          while (reader.bytes < 1000) yield* stage.run("reading", reader.pull(one))
          const parked = yield* stage.start(one.connection.pull)
          const own = yield* stage.start(other.connection.pull)
          other.raw.reset()
          yield* stage.awaited("the pull that waited when its own socket was destroyed", own)
          yield* stage.awaited("the pull that waited when the peer reset", parked)
          yield* atOnce(stage, "when the peer reset, the pull that waited", parked, pull)
          yield* operations(stage, "after its own raw socket was destroyed", other.connection, closed)
          if (spec.resets !== false) {
            const broken = ["PeerReset"]
            yield* operations(stage, "after the peer reset", one.connection, { pull, write: broken, finish: broken })
          }
        })),
      playBoth(spec, Flow.bytes, (stage, one, other) =>
        Effect.gen(function*() {
          const { fiber } = yield* Flow.flood(stage, one)
          other.raw.reset()
          yield* stage.awaited("the write that waited when the peer reset", fiber)
          yield* atOnce(stage, "when the peer reset, the write that waited", fiber, ["PeerReset"])
        }))
    )
  )
}

/** Writing to a peer that is gone fails with `PeerReset` before long, and never hangs. @category laws @since 0.1.0 */
export const gone = (spec: Spec): Check =>
  plain(
    "gone",
    playBoth(spec, Flow.bytes, (stage, one, other) =>
      Effect.gen(function*() {
        other.raw.destroy()
        const end = yield* stage.exit("the pull", one.connection.pull)
        yield* must(["ends", "PeerReset"].includes(reasonOf(end)), () =>
          `the peer is gone, and the pull ${reasonOf(end)}`)
        for (let tries = 0; tries < 1000; tries++) {
          const exit = yield* stage.exit("the write to a peer that is gone", one.connection.write([new Uint8Array(1)]))
          if (Exit.isFailure(exit)) {
            return yield* must(reasonOf(exit) === "PeerReset", () =>
              `the write to a peer that is gone: ${reasonOf(exit)}`)
          }
          yield* stage.turn
        }
        return yield* Effect.fail("1000 writes to a peer that is gone succeeded")
      }))
  )
