/**
 * The laws of clients about calls on a connection that lives: answers, order, calls that are given up, a server that does
 * not read, and one that says what nobody asked.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as NetArbitrary from "../NetArbitrary.ts"
import type { Spec } from "./ClientSpec.ts"
import { type ClientWorld, playClient } from "./ClientWorld.ts"
import { type Check, must, plain } from "./Scene.ts"
import { random } from "./ServerSpec.ts"

const small = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/**
 * Calls from many fibers have their own answers, in whatever groups the server answers and however the network cuts; no
 * more than `depth` are on their way, and requests leave in the order of calling.
 *
 * @category laws
 * @since 0.1.0
 */
export const answers = <Request, Response>(spec: Spec<Request, Response>): Check => {
  const inputs = Arbitrary.all({
    groups: Arbitrary.array(small(0, 4), { maxLength: 6 }),
    replies: Arbitrary.array(small(1, 4), { minLength: 1, maxLength: 6 }),
    chunking: NetArbitrary.chunking,
    depth: small(1, 5)
  })
  return random(
    "ClientLaws.answers",
    spec.options,
    inputs,
    ({ chunking, depth, groups, replies }) =>
      playClient(spec, (world) =>
        Effect.gen(function*() {
          yield* world.connect({ depth })
          let n = 0
          let turn = 0
          const look = Effect.suspend(() => {
            const { replied, requests } = world
            return must(
              requests.length - replied <= depth,
              () => `${requests.length - replied} requests are on their way, the depth is ${depth}`
            )
          })
          for (const group of groups) {
            for (let i = 0; i < group; i++) yield* world.call(spec.request(n++))
            yield* world.settle
            yield* look
            yield* world.reply(replies[turn++ % replies.length] ?? 1, chunking)
          }
          for (let left = n; left > 0; left--) {
            yield* world.settle
            yield* look
            yield* world.reply(replies[turn++ % replies.length] ?? 1, chunking)
          }
          yield* world.settle
          for (const [i, call] of world.calls.entries()) {
            yield* world.answered(call)
            yield* must(
              world.requests.findIndex((request) => Equal.equals(request, call.request)) === i,
              () => `request ${i} of ${n} is not where it was called`
            )
          }
        }))
  )
}

/**
 * A call that is interrupted, or runs out of time, changes nothing for the others: its late answer is thrown away, and
 * what had not left never leaves.
 *
 * @category laws
 * @since 0.1.0
 */
export const givenUp = <Request, Response>(spec: Spec<Request, Response>): Check => {
  const step = Arbitrary.schema(
    Schema.Literals(["call", "call", "answer", "interrupt first", "interrupt last", "run out of time"])
  )
  const inputs = Arbitrary.all({ steps: Arbitrary.array(step, { maxLength: 16 }), depth: small(1, 3) })
  return random(
    "ClientLaws.givenUp",
    { size: 16, ...spec.options },
    inputs,
    ({ depth, steps }) =>
      playClient(spec, (world) =>
        Effect.gen(function*() {
          yield* world.connect({ depth, callTimeout: 100 })
          const gone = new Set<unknown>()
          for (const step of steps) {
            const living = world.calls.filter((call) => world.outcome(call)._tag === "Outstanding")
            if (step === "call") yield* world.call(spec.request(world.calls.length))
            else if (step === "answer") yield* world.reply(1)
            else if (step === "run out of time") {
              for (const call of living) gone.add(call)
              yield* world.pass(100)
              for (const call of living) yield* world.failed(call, ["CallTimeout"])
            } else {
              const call = step === "interrupt first" ? living[0] : living.at(-1)
              if (call === undefined) continue
              gone.add(call)
              call.fiber.interruptUnsafe()
              yield* world.settle
              const { _tag } = world.outcome(call)
              yield* must(_tag === "Interrupted", () => `a call that was interrupted is ${_tag}`)
            }
            yield* world.settle
          }
          for (let left = steps.length; left > 0; left--) {
            yield* world.reply(1)
            yield* world.settle
          }
          yield* world.truthful
          for (const call of world.calls) if (!gone.has(call)) yield* world.answered(call)
          const last = yield* world.call(spec.request(world.calls.length))
          yield* world.settle
          yield* world.reply(1)
          yield* world.settle
          yield* world.answered(last)
        }))
  )
}

/**
 * A server that does not read holds calls up, and nothing else: what runs out of time says truly how much was sent, and
 * when the server reads, every other call is answered. Needs `large`, and holds of itself without.
 *
 * @category laws
 * @since 0.1.0
 */
export const blocked = <Request, Response>(spec: Spec<Request, Response>): Check => {
  const { large } = spec
  if (large === undefined) return Effect.void
  const inputs = Arbitrary.all({
    sizes: Arbitrary.array(Arbitrary.schema(Schema.Literals(["small", "large"])), { minLength: 1, maxLength: 6 }),
    late: Arbitrary.schema(Schema.Boolean),
    depth: small(1, 6)
  })
  return random(
    "ClientLaws.blocked",
    spec.options,
    inputs,
    ({ depth, late, sizes }) =>
      playClient(spec, (world) =>
        Effect.gen(function*() {
          yield* world.connect({ depth, callTimeout: 100 })
          world.server.raw.pause()
          for (const [i, size] of sizes.entries()) yield* world.call(size === "large" ? large(i) : spec.request(i))
          yield* world.pass(late ? 100 : 50)
          for (const call of world.calls) {
            if (late) yield* world.failed(call, ["CallTimeout"])
            else {
              yield* must(
                world.outcome(call)._tag === "Outstanding",
                () => `a call to a server that does not read is ${world.outcome(call)._tag}`
              )
            }
          }
          yield* unsent(world)
          world.server.raw.resume()
          const after = yield* world.call(spec.request(sizes.length))
          for (let left = sizes.length + 1; left > 0; left--) {
            yield* world.settle
            yield* world.reply(left)
          }
          yield* world.settle
          yield* world.truthful
          for (const call of late ? [after] : world.calls) yield* world.answered(call)
        }))
  )
}

/** While bytes are still unsent, the last request that was begun is not said to have been sent whole. */
const unsent = <Request, Response>(world: ClientWorld<Request, Response>): Effect.Effect<void, string> => {
  const bytes = world.watch.sockets.reduce(
    (sum, { bytesUnsent, kind }) => kind === "dialled" ? sum + bytesUnsent : sum,
    0
  )
  const sent = world.calls.map(world.outcome, world).flatMap((outcome) =>
    outcome._tag === "Failed" ? [outcome.sent] : []
  )
  return must(
    bytes === 0 || sent.findLast((how) => how !== "none") !== "all",
    () => `${bytes} bytes are unsent, and the calls say sent: ${sent.join(", ")}`
  )
}

/**
 * What nobody asked is a violation: never the answer of a later call, which fails and was not sent.
 *
 * @category laws
 * @since 0.1.0
 */
export const unasked = <Request, Response>(spec: Spec<Request, Response>): Check =>
  plain(
    "ClientLaws.unasked",
    Effect.forEach([0, 1, 2], (asked) =>
      playClient(spec, (world) =>
        Effect.gen(function*() {
          yield* world.connect({})
          const requests = Array.from({ length: asked + 1 }, (_, n) => spec.request(n))
          for (const request of requests.slice(0, asked)) yield* world.call(request)
          yield* world.settle
          world.server.send(world.answersTo(requests))
          yield* world.settle
          for (const call of world.calls) yield* world.answered(call)
          const later = yield* world.call(spec.request(asked))
          yield* must(world.outcome(later)._tag !== "Outstanding", () => "a call after a violation takes time")
          yield* world.failed(later, ["ProtocolViolation"], "none")
        })), { discard: true })
  )
