/**
 * The law of servers about `maxConnections`, against a model of who is in, who waits and who was sent away.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as Admission from "../../Admission.ts"
import { encodeAccepted, show } from "../../internal/codecReader.ts"
import { type Check, must } from "./Scene.ts"
import { asked, pick, random, type Spec } from "./ServerSpec.ts"
import type { Counts } from "./ServerWatch.ts"
import { playServer, type ServerWorld, text, type Visitor } from "./ServerWorld.ts"

const small = (maximum: number) => Schema.Int.check(Schema.isBetween({ minimum: 1, maximum }))

const Step = Schema.Union([
  Schema.TaggedStruct("Arrive", {}),
  Schema.TaggedStruct("Leave", { who: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })) }),
  Schema.TaggedStruct("Pass", { millis: Schema.Literals([10, 50, 100]) })
])

/** A visitor, and where the model says it is. */
interface Guest extends Visitor {
  place: "in" | "waiting" | "refused" | "left"
  deadline: number
}

class Model {
  readonly guests: Array<Guest> = []
  now = 0
  accepted = 0
  refused = 0
  readonly max: number
  readonly maxWaiting: number

  constructor(max: number, maxWaiting: number) {
    this.max = max
    this.maxWaiting = maxWaiting
  }
  at(place: Guest["place"]): ReadonlyArray<Guest> {
    return this.guests.filter((guest) => guest.place === place)
  }
  arrive(visitor: Visitor): void {
    const place = this.at("in").length < this.max
      ? "in"
      : this.at("waiting").length < this.maxWaiting
      ? "waiting"
      : "refused"
    if (place === "in") this.accepted++
    if (place === "refused") this.refused++
    this.guests.push({ ...visitor, place, deadline: this.now + waitMillis })
  }
  leave(guest: Guest): void {
    const next = guest.place === "in" ? this.at("waiting")[0] : undefined
    if (guest.place === "waiting") this.refused++
    guest.place = "left"
    if (next === undefined) return
    next.place = "in"
    this.accepted++
  }
  pass(millis: number): void {
    this.now += millis
    for (const guest of this.at("waiting")) {
      if (guest.deadline > this.now) continue
      guest.place = "refused"
      this.refused++
    }
  }
  get stats(): Counts {
    const { accepted, refused } = this
    const open = this.at("in").length
    return { accepted, open, ended: accepted - open, refused, waiting: this.at("waiting").length }
  }
}

const waitMillis = 100

/**
 * Exactly `maxConnections` are in, never one more and never one less while somebody waits; who waits comes in in its
 * order, with what it had sent; and everybody else is turned away in time and as the policy says, to the byte.
 *
 * @category laws
 * @since 0.1.0
 */
export const limit = <Request, Response>(spec: Spec<Request, Response>): Check => {
  const goodbye = spec.protocol.goodbye.overLimit
  const refusals: ReadonlyArray<Admission.Refusal> = goodbye === undefined
    ? ["close", "reset"]
    : ["close", "reset", "goodbye"]
  const said = goodbye === undefined ? new Uint8Array(0) : encodeAccepted(spec.protocol.response, [goodbye]).bytes
  const inputs = Arbitrary.all({
    steps: Arbitrary.array(Arbitrary.schema(Step), { maxLength: 25 }),
    max: Arbitrary.schema(small(4)),
    waiting: Arbitrary.schema(Schema.Literals([0, 0, 1, 2, 3])),
    refusal: Arbitrary.schema(Schema.Literals(refusals))
  })
  return random(
    "ServerLaws.limit",
    { size: 25, ...spec.options },
    inputs,
    ({ max, refusal, steps, waiting }) =>
      playServer(spec, (world) =>
        Effect.gen(function*() {
          const model = new Model(max, waiting)
          const overflow = waiting === 0
            ? refusal
            : Admission.wait({ maxWaiting: waiting, timeout: waitMillis, otherwise: refusal })
          yield* world.serve({ maxConnections: max, overflow })
          for (const step of steps) {
            if (step._tag === "Arrive") {
              const visitor = yield* world.visit()
              // Also by those that must wait: it is not lost.
              visitor.peer.send(asked(spec, pick(spec.samples, [visitor.id])))
              model.arrive(visitor)
            } else if (step._tag === "Leave") {
              const present = [...model.at("in"), ...model.at("waiting")]
              const guest = present[step.who % present.length]
              // A peer that waits may end its side and still want an answer: only a reset is a leave for both.
              if (guest !== undefined && (spec.resets !== false || guest.place === "in")) {
                if (spec.resets === false) guest.peer.raw.end()
                else guest.peer.raw.reset()
                model.leave(guest)
              }
            } else {
              model.pass(step.millis)
              yield* world.pass(step.millis)
            }
            yield* world.settle
            const { books } = world
            yield* must(
              Equal.equals(books, model.stats),
              () => `of ${max} places the server says ${show(books)}, expected ${show(model.stats)}`
            )
            yield* must(world.most <= max, () => `${world.most} were in at once, the limit is ${max}`)
            yield* world.check
            for (const guest of model.guests) yield* treated(world, guest, refusal, said)
          }
        }))
  )
}

/** A guest hears what it should in its place. */
const treated = <Request, Response>(
  world: ServerWorld<Request, Response>,
  { id, peer, place }: Guest,
  refusal: Admission.Refusal,
  goodbye: Uint8Array
): Effect.Effect<void, string> =>
  Effect.gen(function*() {
    const { sample: spec } = world
    if (place === "in") yield* world.heard("one that is in", peer, pick(spec.samples, [id]))
    if (place === "in" || place === "waiting") {
      yield* must(!peer.ended && peer.closed === undefined, () => `one that is ${place} was ended`)
    }
    if (place === "waiting") yield* must(peer.heardBytes === 0, () => "one that waits was told something")
    if (place !== "refused") return
    const expected = refusal === "goodbye" ? goodbye : new Uint8Array(0)
    yield* must(
      Equal.equals(peer.bytes, expected),
      () => `one that was refused with ${refusal} heard ${text(peer.bytes)} instead of ${text(expected)}`
    )
    const gone = refusal === "reset" && spec.resets !== false
      ? peer.closed?.code !== undefined
      : peer.ended || peer.closed !== undefined
    yield* must(gone, () => `one that was refused with ${refusal} did not hear it`)
  })
