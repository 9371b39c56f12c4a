/**
 * One input meets one server, and every promise is looked at.
 *
 * ```
 * start the server      nobody is there: so many fibers, so many timers
 * a guest comes         the same words each time; its answer is written down
 * the attack            chunk by chunk; the attacker leaves as the input says, or stays
 * a guest comes         and gets the same answer
 * everybody is gone     no socket, fiber or timer more than before
 * close the server      in time; one typed reason for each connection; nothing is left at all
 * ```
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as CloseReason from "../../CloseReason.ts"
import { show } from "../../internal/codecReader.ts"
import type * as Server from "../../Server.ts"
import type * as Transport from "../../Transport.ts"
import type { Broken } from "../Fuzz.ts"
import { type Bench, lazyMillis } from "./FuzzBench.ts"
import * as FuzzInput from "./FuzzInput.ts"
import type { RawPeer } from "./RawPeer.ts"

/** What is expected of a server. @category models @since 0.1.0 */
export interface Terms {
  /** What every guest says. */
  readonly guestSays: Uint8Array
  readonly sameAnswer: (answer: Uint8Array, first: Uint8Array) => boolean
  readonly maxUnsentBytes: number
}

/** A deaf attacker says so many bytes, what one read can return, so many times: more than both directions hold. */
const deafBytes = 65_536
const deafRounds = 3

const broke = (rule: string, broken: string): Effect.Effect<never, Broken> => Effect.fail({ rule, broken })

/**
 * Starts the server, attacks it, closes it: the outcome in few words, or the promise that was broken.
 *
 * @category running
 * @since 0.1.0
 */
export const trial = Effect.fnUntraced(function*<E, R>(
  bench: Bench,
  layer: Layer.Layer<Server.Server, E, R>,
  terms: Terms,
  input: FuzzInput.Input
): Effect.fn.Return<string, Broken, Exclude<R, Transport.Transport>> {
  const scope = yield* Scope.make()
  const built = yield* bench.exit(yield* bench.start(Layer.buildWithScope(Layer.fresh(layer), scope)))
  if (built === undefined) return yield* broke("starts", "it did not start")
  if (Exit.isFailure(built)) return yield* broke("starts", `it failed with ${show(Cause.squash(built.cause))}`)
  yield* bench.quiet
  const before = { fibers: bench.fibers, timers: bench.clock.timers }

  const first = yield* visit(bench, terms.guestSays)
  if (first === undefined) return yield* broke("answers a guest", "the first guest got no answer")
  const strangers = ids(bench, "Accepted").length
  if (strangers === 0) return yield* broke("tells its events", "none came: are the options of the setup passed on?")

  const attacker = yield* bench.dial
  if (attacker === undefined) return yield* broke("answers a guest", "it does not listen any more")
  yield* attack(bench, attacker, input)
  yield* memory(bench, terms)

  const answer = yield* visit(bench, terms.guestSays)
  if (answer === undefined) return yield* broke("answers a guest", "a guest got no answer")
  if (!terms.sameAnswer(answer, first)) {
    return yield* broke("answers a guest", `it answered ${show(answer)}, and ${show(first)} before`)
  }

  if (input.ending === "end" || input.ending === "reset") yield* everybodyGone(bench, before)
  const closed = yield* bench.exit(yield* bench.start(Scope.close(scope, Exit.void)))
  if (closed === undefined) return yield* broke("closes", "it did not close")
  if (Exit.isFailure(closed)) return yield* broke("closes", `closing failed with ${show(Cause.squash(closed.cause))}`)
  attacker.raw.destroy()
  yield* memory(bench, terms)
  yield* everybodyGone(bench, { fibers: 0, timers: 0 })
  yield* reasons(bench)
  return outcomeOf(bench, ids(bench, "Accepted")[strangers], attacker)
})

/** A guest says its words and ends; what it hears until the server ends too. */
const visit = Effect.fnUntraced(function*(bench: Bench, says: Uint8Array) {
  const guest = yield* bench.dial
  if (guest === undefined) return undefined
  guest.raw.resume()
  if (says.length > 0) guest.send(says)
  guest.raw.end()
  const done = yield* bench.until(() => guest.isDone)
  if (!done) guest.raw.destroy()
  return done ? guest.bytes : undefined
})

const attack = Effect.fnUntraced(function*(bench: Bench, attacker: RawPeer, input: FuzzInput.Input) {
  const { bytes, ending } = input
  if (ending === "deaf") {
    const times = bytes.length === 0 ? 0 : Math.ceil(deafBytes / bytes.length)
    const block = Bytes.concat(Array.from({ length: times }, () => bytes))
    for (let round = 0; round < deafRounds && attacker.closed === undefined; round++) {
      if (block.length > 0) attacker.send(block)
      yield* bench.quiet
    }
    return
  }
  attacker.raw.resume()
  for (const chunk of FuzzInput.chunksOf(input)) {
    if (attacker.closed !== undefined || chunk.length === 0) continue
    attacker.send(chunk)
    yield* bench.quiet
  }
  if (ending === "end") attacker.raw.end()
  if (ending === "reset") attacker.raw.reset()
  yield* bench.quiet
})

const memory = (bench: Bench, { maxUnsentBytes }: Terms): Effect.Effect<void, Broken> => {
  const rule = "bounds its memory"
  if (bench.overfull !== undefined) return broke(rule, bench.overfull)
  if (bench.mostUnsent <= maxUnsentBytes) return Effect.void
  return broke(
    rule,
    `${bench.mostUnsent} bytes were written to a peer that had no room, the limit is ${maxUnsentBytes}`
  )
}

/** Nothing is left of the connections. */
const everybodyGone = Effect.fnUntraced(function*(
  bench: Bench,
  before: { readonly fibers: number; readonly timers: number }
) {
  const rule = "leaks nothing"
  if (!(yield* bench.until(() => bench.accepted.length === 0))) {
    return yield* broke(rule, `${bench.accepted.length} connections stay open after their peers left`)
  }
  if (!(yield* bench.until(() => bench.fibers <= before.fibers, lazyMillis))) {
    return yield* broke(rule, `${bench.fibers} fibers run with nobody there, ${before.fibers} did before`)
  }
  if (!(yield* bench.until(() => bench.clock.timers <= before.timers, lazyMillis))) {
    return yield* broke(rule, `${bench.clock.timers} timers run with nobody there, ${before.timers} did before`)
  }
})

const ids = (bench: Bench, tag: "Accepted" | "Waiting" | "Ended" | "Refused"): ReadonlyArray<number> =>
  bench.events.flatMap((event) => event._tag === tag ? [event.id] : [])

const isCloseReason = Schema.is(CloseReason.CloseReason)

/** Each connection ended once, with a reason that is one, and no handler died. */
const reasons = Effect.fnUntraced(function*(bench: Bench) {
  const rule = "ends each connection with one typed reason"
  const over = [...ids(bench, "Ended"), ...ids(bench, "Refused")]
  for (const id of new Set([...ids(bench, "Accepted"), ...ids(bench, "Waiting"), ...over])) {
    const times = over.filter((other) => other === id).length
    if (times !== 1) return yield* broke(rule, `a connection ended ${times} times`)
  }
  for (const event of bench.events) {
    if (event._tag !== "Ended" && event._tag !== "Refused") continue
    const { reason } = event
    if (!isCloseReason(reason)) return yield* broke(rule, `a connection ended with ${show(reason)}`)
    if (reason._tag === "HandlerFailed" && Cause.hasDies(reason.cause)) {
      return yield* broke("survives every input", `a handler or a codec died: ${reason.message}`)
    }
  }
})

/** How the attack ended, with no sizes. */
const outcomeOf = (bench: Bench, id: number | undefined, attacker: RawPeer): string => {
  for (const event of bench.events) {
    if ((event._tag !== "Ended" && event._tag !== "Refused") || event.id !== id) continue
    const words = CloseReason.format(event.reason).replaceAll(/\d+|"[^"]*"/g, "#").slice(0, 80)
    const messages = event._tag === "Ended" ? Math.min(2, event.messagesIn) : 0
    return `${event.reason._tag} (${words}), ${["no", "one", "many"][messages]} messages${
      attacker.heardBytes > 0 ? ", answered" : ""
    }`
  }
  return "Refused"
}
