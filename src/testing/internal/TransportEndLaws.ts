/**
 * The laws of transports about ends: half open, destroyed, reset, closed, handed over.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import { type Check, must } from "./Scene.ts"
import { tell } from "./Tell.ts"
import { plain, type Spec } from "./TransportSpec.ts"
import { Ear, playBoth, type RawEnd, type TransportStage, write } from "./TransportStage.ts"

/** How a socket went, in words. */
const how = (ear: Ear): string => ear.closed === undefined ? "nothing" : ear.closed.code ?? "a close in peace"

/**
 * The peer's end does not end this side: it goes on writing, and the peer reading. When both have ended, both close, in
 * peace.
 *
 * @category laws
 * @since 0.1.0
 */
export const halfOpen = (spec: Spec): Check =>
  plain(
    "halfOpen",
    playBoth(spec, (stage) => stage.pair, (stage, one, other) =>
      Effect.gen(function*() {
        yield* stage.writeAll(one, [[100_000]])
        one.raw.end()
        yield* stage.stage.until("the peer's end", () => other.ear.ended)
        yield* stage.heard(other.ear, one.sent)
        for (let i = 0; i < 3; i++) {
          yield* stage.writeAll(other, [[1, 100_000]])
          yield* stage.heard(one.ear, other.sent)
          yield* stage.stage.quiet
        }
        yield* must(
          one.ear.closed === undefined && other.ear.closed === undefined,
          () => `while one side was open, the client heard ${how(one.ear)} and the server ${how(other.ear)}`
        )
        other.raw.end()
        yield* closesOf(stage, [one, other])
        yield* must(
          [one, other].every(({ ear }) => ear.closed?.code === undefined),
          () => `when both sides had ended, they heard ${how(one.ear)} and ${how(other.ear)}`
        )
      }))
  )

const closesOf = ({ stage }: TransportStage, ends: ReadonlyArray<RawEnd>): Effect.Effect<void, string> =>
  stage.until("the close of both sides", () => ends.every(({ ear }) => ear.closed !== undefined))

/**
 * `destroy` closes at once, in a later turn and in peace, and nothing else is heard any more; the peer has a prefix of
 * what was written and then an end.
 *
 * @category laws
 * @since 0.1.0
 */
export const destroy = (spec: Spec): Check =>
  plain(
    "destroy",
    Effect.forEach(["quiet", "sending", "unread", "ended"] as const, (state) =>
      playBoth(spec, (stage) =>
        stage.pair, (stage, one, other) =>
        Effect.gen(function*() {
          if (state === "unread") {
            one.raw.pause()
            write(other, [1000])
            yield* stage.stage.quiet
          }
          if (state === "sending") write(one, [300_000])
          if (state === "ended") one.raw.end()
          const before = one.ear.events.length
          one.raw.destroy()
          yield* must(one.ear.events.length === before, () => `destroy told ${how(one.ear)} at once`)
          yield* stage.stage.until("the close of who was destroyed", () => one.ear.closed !== undefined)
          yield* must(
            one.ear.closed?.code === undefined && one.ear.events.length === before + 1,
            () => `who was destroyed heard ${one.ear.events.slice(before).join(", ")}, at last ${how(one.ear)}`
          )
          yield* stage.stage.until(
            "the end of whose peer was destroyed",
            () => other.ear.ended || other.ear.closed !== undefined
          )
          yield* must(
            other.ear.broken === undefined && other.ear.bytes <= one.sent,
            () => other.ear.broken ?? `${other.ear.bytes} bytes came of ${one.sent} that were written`
          )
          other.raw.destroy()
          yield* closesOf(stage, [one, other])
        })), { discard: true })
  )

/** `reset` is like `destroy`, and the peer sees it where the transport can show that. @category laws @since 0.1.0 */
export const reset = (spec: Spec): Check =>
  plain(
    "reset",
    playBoth(spec, (stage) => stage.pair, (stage, one, other) =>
      Effect.gen(function*() {
        yield* stage.writeAll(other, [[1000]])
        yield* stage.heard(one.ear, 1000)
        one.raw.reset()
        yield* must(one.ear.closed === undefined, () => `reset told ${how(one.ear)} at once`)
        yield* stage.stage.until("the close of who reset", () => one.ear.closed !== undefined)
        yield* stage.stage.until("the end of whose peer reset", () => other.ear.ended || other.ear.closed !== undefined)
        if (spec.resets !== false) {
          yield* stage.stage.until("the reset", () => other.ear.closed !== undefined)
          yield* must(other.ear.closed?.code !== undefined, () => `a reset is ${how(other.ear)} for its peer`)
        }
        other.raw.destroy()
      }))
  )

/**
 * `onClose` comes exactly once, and after it nothing; every method may still be called, and does nothing.
 *
 * @category laws
 * @since 0.1.0
 */
export const closed = (spec: Spec): Check =>
  plain(
    "closed",
    playBoth(spec, (stage) => stage.pair, (stage, one, other) =>
      Effect.gen(function*() {
        // Destroyed with a peer that has not heard of it yet, gone, and ended by both.
        one.raw.destroy()
        yield* harmless(one)
        yield* stage.stage.until("the close of who was destroyed", () => one.ear.closed !== undefined)
        yield* harmless(one)
        yield* stage.stage.until("the end", () => other.ear.ended || other.ear.closed !== undefined)
        other.raw.end()
        yield* closesOf(stage, [one, other])
        yield* harmless(one)
        yield* harmless(other)
        yield* stage.stage.quiet
        yield* must(
          [one, other].every(({ ear }) => ear.events.filter((event) => event === "close").length === 1),
          () => `onClose came otherwise than once: ${one.ear.events.join(", ")}; ${other.ear.events.join(", ")}`
        )
      }))
  )

const harmless = ({ name, raw }: RawEnd): Effect.Effect<void, string> =>
  Effect.gen(function*() {
    const calls: Record<string, () => unknown> = {
      pause: () => raw.pause(),
      unshift: () => raw.unshift(new Uint8Array(3)),
      resume: () => raw.resume(),
      write: () => raw.write([new Uint8Array(3), new Uint8Array(100_000)]),
      end: () => raw.end(),
      destroy: () => raw.destroy(),
      reset: () => raw.reset()
    }
    for (const [method, call] of Object.entries(calls)) {
      yield* Effect.try({
        try: call,
        catch: (error) => `${method} of a ${name} that was closed threw ${tell(error)}`
      })
    }
    yield* must(
      Number.isSafeInteger(raw.bytesUnsent) && raw.bytesUnsent >= 0,
      () => `a ${name} that was closed has ${raw.bytesUnsent} bytes unsent`
    )
  })

/**
 * A new handler hears everything from then on, and what the one before it already knew: the peer's end, after `resume`,
 * and the close; the old one hears nothing more.
 *
 * @category laws
 * @since 0.1.0
 */
export const handover = (spec: Spec): Check =>
  plain(
    "handover",
    playBoth(spec, (stage) => stage.pair, (stage, one, other) =>
      Effect.gen(function*() {
        const next = (heard: number) => {
          const ear = new Ear(one.name, heard)
          other.raw.attach(ear)
          other.raw.resume()
          return ear
        }
        yield* stage.writeAll(one, [[1000]])
        yield* stage.heard(other.ear, 1000)
        const second = next(1000)
        yield* stage.writeAll(one, [[1000]])
        yield* stage.heard(second, 2000)
        one.raw.end()
        yield* stage.stage.until("the end", () => second.ended)
        const third = next(2000)
        yield* stage.stage.until("the end for a new handler", () => third.ended)
        other.raw.end()
        yield* stage.stage.until("the close", () => third.closed !== undefined)
        const fourth = next(2000)
        yield* must(fourth.events.length === 0, () => `attach told ${how(fourth)} at once`)
        yield* stage.stage.until("the close for a new handler", () => fourth.closed !== undefined)
        yield* must(
          other.ear.events.every((event) => event === "data") && second.events.every((event) => event !== "close"),
          () => "a handler that was replaced heard what came later"
        )
      }))
  )
