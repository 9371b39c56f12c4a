/**
 * The laws of servers about their conversations: answers, their order, who is held back, and how each one ends.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { show } from "../../internal/codecReader.ts"
import * as NetArbitrary from "../NetArbitrary.ts"
import { type Check, must, plain } from "./Scene.ts"
import { drawn, type Fate, fates } from "./ServerFates.ts"
import { answered, asked, defaults, type Handler, pick, random, type Spec } from "./ServerSpec.ts"
import { playServer, type ServerWorld, type Visitor } from "./ServerWorld.ts"

/** When a handler answers: at once, in a later turn, or later. */
const pace = Arbitrary.schema(Schema.Literals(["now", "next turn", "later"]))

const natural = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 999 })))

interface Conversation {
  readonly requests: ReadonlyArray<{ readonly sample: number; readonly pace: "now" | "next turn" | "later" }>
  readonly chunking: NetArbitrary.Chunking
}

const conversation: Arbitrary.Arbitrary<Conversation> = Arbitrary.all({
  requests: Arbitrary.array(Arbitrary.all({ sample: natural, pace }), { maxLength: 10 }),
  chunking: NetArbitrary.chunking
})

/** Sends what was drawn, in its pieces; gives what was asked. */
const converse = <Request, Response>(
  world: ServerWorld<Request, Response>,
  { chunking, requests }: Conversation
): Effect.Effect<Visitor & { readonly requests: ReadonlyArray<Request> }, string> =>
  Effect.gen(function*() {
    const { sample: spec } = world
    let next = 0
    const handler: Handler<Request, Response> = (request) => {
      const answer = Effect.sync(() => spec.answer(request))
      switch (requests[next++]?.pace) {
        case "next turn":
          return Effect.andThen(Effect.yieldNow, answer)
        case "later":
          return Effect.delay(answer, 10)
        default:
          return Effect.succeed(spec.answer(request))
      }
    }
    const visitor = yield* world.visit(handler)
    const asking = pick(spec.samples, requests.map(({ sample }) => sample))
    for (const chunk of NetArbitrary.cut(asked(spec, asking), chunking)) {
      visitor.peer.send(chunk)
      yield* world.settle
    }
    return { ...visitor, requests: asking }
  })

/**
 * Each request has its answer, in order, however the network cuts the requests, how many are sent at once, and how long
 * each answer takes; the connection stays open.
 *
 * @category laws
 * @since 0.1.0
 */
export const answers = <Request, Response>(spec: Spec<Request, Response>): Check =>
  random(
    "ServerLaws.answers",
    spec.options,
    conversation,
    (drawn) =>
      playServer(spec, (world) =>
        Effect.gen(function*() {
          yield* world.serve({})
          const { peer, requests } = yield* converse(world, drawn)
          yield* world.pass(10 * requests.length)
          yield* world.heard("a peer that", peer, requests)
          yield* must(!peer.ended && peer.closed === undefined, () => "a connection in use was ended")
        }))
  )

/** A peer that has ended its side has all its answers yet, and then the end. @category laws @since 0.1.0 */
export const halfClosed = <Request, Response>(spec: Spec<Request, Response>): Check =>
  random(
    "ServerLaws.halfClosed",
    spec.options,
    conversation,
    (drawn) =>
      playServer(spec, (world) =>
        Effect.gen(function*() {
          yield* world.serve({})
          const { id, peer, requests } = yield* converse(world, drawn)
          peer.raw.end()
          yield* world.pass(10 * requests.length)
          yield* world.heard("a half-closed peer", peer, requests)
          yield* must(peer.ended, () => "a half-closed peer did not hear the end")
          yield* ended(world, "a half-closed peer", id, "PeerClosed")
        }))
  )

const ended = <Request, Response>(
  world: ServerWorld<Request, Response>,
  who: string,
  id: number,
  reason: string
): Effect.Effect<void, string> =>
  must(
    world.reasons(id).join(" ") === reason,
    () => `${who} ended with ${world.reasons(id).join(" and ") || "no reason"}, expected ${reason}`
  )

/**
 * What becomes of one connection never reaches another: beside every other fate, one more peer is answered at once.
 *
 * @category laws
 * @since 0.1.0
 */
export const isolation = <Request, Response>(spec: Spec<Request, Response>): Check =>
  random(
    "ServerLaws.isolation",
    spec.options,
    drawn(spec),
    (names) =>
      playServer(spec, (world) =>
        Effect.gen(function*() {
          yield* world.serve({ linger: 50, drain: { grace: 50, force: 50 } })
          const witness = yield* world.visit()
          for (const [i, name] of names.entries()) {
            yield* play(world, name)
            witness.peer.send(asked(spec, pick(spec.samples, [i])))
            yield* world.settle
            yield* world.heard(`beside one that is ${name}, a peer`, witness.peer, pick(spec.samples, naturals(i + 1)))
          }
          yield* world.pass(50)
          yield* must(!witness.peer.ended, () => `beside ${names.join(", ")}, a connection in use was ended`)
        }))
  )

const naturals = (count: number): ReadonlyArray<number> => Array.from({ length: count }, (_, i) => i)

/** Comes, and meets its fate. */
const play = <Request, Response>(
  world: ServerWorld<Request, Response>,
  name: string
): Effect.Effect<Visitor & { readonly fate: Fate<Request, Response> }, string> =>
  Effect.gen(function*() {
    const fate = fates(world.sample)[name]
    if (fate === undefined) return yield* Effect.fail(`there is no fate ${name}`)
    const visitor = yield* world.visit(fate.handler)
    fate.act(visitor.peer)
    yield* world.settle
    return { ...visitor, fate }
  })

/**
 * Each connection that was let in ends once, with the one reason that fits; the counts add up at every event; and the
 * request before a bad frame is answered.
 *
 * @category laws
 * @since 0.1.0
 */
export const endings = <Request, Response>(spec: Spec<Request, Response>): Check =>
  random(
    "ServerLaws.endings",
    spec.options,
    drawn(spec, ({ reason }) => reason !== undefined),
    (names) =>
      playServer(spec, (world) =>
        Effect.gen(function*() {
          yield* world.serve({})
          const visitors = []
          for (const name of names) visitors.push({ ...yield* play(world, name), name })
          yield* world.pass(20)
          for (const { peer } of visitors) peer.raw.end()
          yield* world.settle
          for (const { fate, id, name, peer } of visitors) {
            yield* ended(world, `one that is ${name}`, id, fate.reason ?? "")
            if (fate.answers === true) yield* world.heard(`one that is ${name}`, peer, pick(spec.samples, [0]))
          }
          yield* world.check
        }))
  )

/**
 * For a peer that does not read, the handler stops, and a bounded number of bytes is made; when it reads, it has all its
 * answers. Needs `large`, and holds of itself without.
 *
 * @category laws
 * @since 0.1.0
 */
export const backpressure = <Request, Response>(spec: Spec<Request, Response>): Check => {
  const { large } = spec
  if (large === undefined) return Effect.void
  const limit = spec.maxBufferedBytes ?? defaults.maxBufferedBytes
  return plain(
    "ServerLaws.backpressure",
    playServer(spec, (world) =>
      Effect.gen(function*() {
        yield* world.serve({})
        const { peer } = yield* world.visit()
        const size = answered(spec, [large]).length
        const count = Math.ceil((2 * limit) / size)
        peer.raw.pause()
        const all = asked(spec, Array<Request>(count).fill(large))
        // All of it is this side's to keep: how much of that is sent is the server's doing.
        peer.send(all)
        yield* world.pass(100)
        const made = world.handled * size
        yield* must(
          made <= limit,
          () => `for a peer that does not read, ${made} bytes of answers were made, the limit is ${limit}`
        )
        const { handled } = world
        yield* world.pass(100)
        yield* must(world.handled === handled, () => `for a peer that does not read, ${show(handled)} answers grew`)
        peer.raw.resume()
        yield* world.until("every answer", () => peer.heardBytes >= count * size)
        yield* must(
          peer.heardBytes === count * size && world.handled === count,
          () => `${world.handled} requests of ${count} were answered with ${peer.heardBytes} bytes`
        )
      }))
  )
}
