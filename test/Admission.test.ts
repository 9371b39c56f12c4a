/** Who comes in when a server is full: the limit is exact, and everybody over it is treated as the option says. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Duration, Effect, Schema } from "effect"
import { Admission, Endpoint, Protocol, Server } from "../src/index.ts"
import { dial, inWorld, line, memory, pass, type Peer, peer, settle, Told } from "./support/network.ts"

const Full = Protocol.make("full", { request: line, response: line, goodbye: { overLimit: "full" } })

const echo = (text: string) => Effect.succeed(text)

const serve = (options: Server.Options) => {
  const told = new Told()
  return Effect.map(
    Server.make(Full, memory, echo, { ...options, onEvent: (event) => void told.events.push(event) }),
    (server) => ({ ...server, told })
  )
}

// --- the law, against a model ----------------------------------------------------------------------------------------

const Step = Schema.Union([
  Schema.TaggedStruct("Arrive", {}),
  Schema.TaggedStruct("Arrive", {}),
  Schema.TaggedStruct("Leave", { who: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })) }),
  Schema.TaggedStruct("Pass", { millis: Schema.Literals([10, 50, 100]) })
])

const Refusal = Schema.Literals(["close", "reset", "goodbye"])
const Overflow = Schema.Union([
  Refusal,
  Schema.TaggedStruct("Wait", {
    maxWaiting: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 3 })),
    timeout: Schema.Literals([50, 100]),
    otherwise: Refusal
  })
])

/** A visitor, and where the model says it is. */
interface Visitor {
  readonly peer: Peer
  readonly hello: string
  place: "in" | "waiting" | "refused" | "left"
  deadline: number
}

class Model {
  readonly visitors: Array<Visitor> = []
  now = 0
  accepted = 0
  ended = 0
  refused = 0
  readonly max: number
  readonly overflow: Admission.Overflow
  constructor(max: number, overflow: Admission.Overflow) {
    this.max = max
    this.overflow = overflow
  }
  at(place: Visitor["place"]): Array<Visitor> {
    return this.visitors.filter((visitor) => visitor.place === place)
  }
  arrive(visitor: Visitor): void {
    this.visitors.push(visitor)
    if (this.at("in").length < this.max) {
      visitor.place = "in"
      this.accepted++
    } else if (typeof this.overflow === "object" && this.at("waiting").length < this.overflow.maxWaiting) {
      visitor.place = "waiting"
      visitor.deadline = this.now + Duration.toMillis(this.overflow.timeout)
    } else {
      visitor.place = "refused"
      this.refused++
    }
  }
  leave(visitor: Visitor): void {
    if (visitor.place === "waiting") this.refused++
    if (visitor.place === "in") {
      this.ended++
      const next = this.at("waiting")[0]
      if (next !== undefined) {
        next.place = "in"
        this.accepted++
      }
    }
    visitor.place = "left"
  }
  pass(millis: number): void {
    this.now += millis
    for (const visitor of this.at("waiting").filter(({ deadline }) => deadline <= this.now)) {
      visitor.place = "refused"
      this.refused++
    }
  }
}

describe("the limit", () => {
  it.effect.prop(
    "is exact, and everybody gets what the policy says, whoever comes and goes",
    {
      steps: Arbitrary.array(Arbitrary.schema(Step), { maxLength: 25 }),
      max: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 })),
      overflow: Overflow
    },
    ({ max, overflow, steps }) =>
      inWorld(({ network }) =>
        Effect.gen(function*() {
          const model = new Model(max, overflow)
          const server = yield* serve({ maxConnections: max, overflow })
          for (const step of steps) {
            if (step._tag === "Arrive") {
              const visitor: Visitor = {
                peer: yield* dial,
                hello: `hello ${model.visitors.length}\n`,
                place: "left",
                deadline: 0
              }
              visitor.peer.send(visitor.hello) // also by the ones that must wait: it is not lost
              model.arrive(visitor)
            } else if (step._tag === "Leave") {
              const present = [...model.at("in"), ...model.at("waiting")]
              const visitor = present[step.who % present.length]
              if (visitor !== undefined) {
                visitor.peer.raw.reset()
                model.leave(visitor)
              }
            } else {
              model.pass(step.millis)
              yield* pass(step.millis, 10)
            }
            yield* settle

            const open = model.at("in").length
            const waiting = model.at("waiting").length
            assert.deepStrictEqual(yield* server.stats, {
              accepted: model.accepted,
              open,
              ended: model.ended,
              refused: model.refused,
              waiting
            })
            assert.isAtMost(open, max)
            assert.strictEqual(model.accepted, open + model.ended)
            assert.strictEqual(network.arrived, model.accepted + model.refused + waiting)
            assert.strictEqual(server.told.of("Refused").length, model.refused)
            const refusal = typeof overflow === "object" ? overflow.otherwise : overflow
            for (const { hello, peer, place } of model.visitors) {
              if (place === "in") assert.deepStrictEqual([peer.heard, peer.ended], [hello, false])
              if (place === "waiting") assert.deepStrictEqual([peer.heard, peer.ended], ["", false])
              if (place !== "refused") continue
              assert.strictEqual(peer.heard, refusal === "goodbye" ? "full\n" : "")
              if (refusal === "reset") assert.deepStrictEqual(peer.closed, { code: "ECONNRESET" })
              else assert.isTrue(peer.ended)
            }
          }
        })
      ),
    { arbitrary: { runs: 150, size: 25 } }
  )

  it.effect("is never passed, not even for a moment", () =>
    inWorld(() =>
      Effect.gen(function*() {
        let open = 0
        let most = 0
        yield* Server.make(Full, memory, echo, {
          maxConnections: 3,
          overflow: Admission.wait({ maxWaiting: 100, timeout: "1 minute", otherwise: "close" }),
          onEvent: ({ _tag }) => {
            if (_tag === "Accepted") most = Math.max(most, ++open)
            if (_tag === "Ended") open--
          }
        })
        const peers = yield* Effect.forEach(Array(50), () => dial)
        yield* settle
        for (const peer of peers) {
          peer.leave()
          yield* settle
        }
        assert.deepStrictEqual([open, most], [0, 3])
      })
    ))

  it.effect("counts a connection that lingers, and gives its place away when it is gone", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serve({ maxConnections: 1, linger: 500 })
        const lingering = yield* dial
        lingering.send("x".repeat(100_001))
        yield* settle
        assert.isTrue(lingering.ended)
        const second = yield* dial
        yield* settle
        assert.strictEqual(second.heard, "full\n")
        yield* pass(500)
        const third = yield* dial
        third.send("hello\n")
        yield* settle
        assert.strictEqual(third.heard, "hello\n")
        assert.deepStrictEqual(yield* server.stats, { accepted: 2, open: 1, ended: 1, refused: 1, waiting: 0 })
      })
    ))
})

// --- turning away ----------------------------------------------------------------------------------------------------

describe("turning away", () => {
  it.effect("is a goodbye where the protocol has one, and a plain close where it has none", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const Mute = Protocol.make("mute", { request: line, response: line })
        yield* serve({ maxConnections: 1 })
        yield* Server.make(Mute, "memory:mute", echo, { maxConnections: 1 })
        for (const [name, heard] of [["server", "full\n"], ["mute", ""]] as const) {
          yield* peer(Endpoint.memoryUnsafe(name))
          const refused = yield* peer(Endpoint.memoryUnsafe(name))
          refused.send("hello\n")
          yield* settle
          assert.deepStrictEqual([refused.heard, refused.ended], [heard, true])
        }
      })
    ))

  it.effect("says goodbye to a peer that goes on sending, for the time of linger", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        yield* serve({ maxConnections: 1, linger: 500 })
        yield* dial
        const refused = yield* dial
        refused.raw.pause()
        for (let i = 0; i < 40; i++) {
          refused.send("x".repeat(10_000))
          yield* pass(10)
        }
        assert.strictEqual(network.open.size, 2)
        refused.raw.resume()
        yield* settle
        assert.deepStrictEqual([refused.heard, refused.ended, refused.closed], ["full\n", true, undefined])
        yield* pass(100)
        assert.strictEqual(network.open.size, 1)
      })
    ))

  it.effect("lets a flood have no more than 256 goodbyes at a time", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const server = yield* serve({ maxConnections: 1, linger: 500 })
        yield* dial
        const peers = yield* Effect.forEach(Array(300), () => dial)
        yield* settle
        assert.strictEqual(network.open.size, 1 + 256)
        assert.strictEqual(peers.filter(({ heard }) => heard === "full\n").length, 256)
        assert.strictEqual((yield* server.stats).refused, 300)
        yield* pass(500)
        assert.strictEqual(network.open.size, 1)
      })
    ))

  it.effect("is logged once, until a tenth of the places was free", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        yield* serve({ maxConnections: 20, overflow: "close" })
        const warnings = () => logs.filter(({ level }) => level === "Warn").map(({ message }) => message)
        const peers = yield* Effect.forEach(Array(20), () => dial)
        const one = "the server is full: maxConnections is 20; refusing with close"
        yield* dial
        yield* dial
        yield* settle
        assert.deepStrictEqual(warnings(), [one])
        peers[0]!.leave()
        yield* settle
        yield* dial
        yield* dial
        yield* settle
        assert.deepStrictEqual(warnings(), [one])
        peers[1]!.leave()
        peers[2]!.leave()
        yield* settle
        yield* dial
        yield* dial
        yield* dial
        yield* settle
        assert.deepStrictEqual(warnings(), [one, one])
      })
    ))
})

// --- waiting ---------------------------------------------------------------------------------------------------------

describe("waiting", () => {
  const room = (options: Partial<Admission.Wait> = {}) =>
    serve({
      maxConnections: 1,
      overflow: Admission.wait({ maxWaiting: 2, timeout: 1_000, otherwise: "goodbye", ...options })
    })

  it.effect("is told, and then what came of it", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* room()
        const first = yield* dial
        const second = yield* dial
        const third = yield* dial
        yield* settle
        first.leave()
        yield* settle
        third.raw.reset()
        yield* settle
        assert.deepStrictEqual(told.tags(second.raw.id + 1), ["Waiting", "Accepted"])
        assert.deepStrictEqual(told.tags(third.raw.id + 1), ["Waiting", "Refused"])
        assert.deepStrictEqual(told.of("Refused").map(({ reason }) => reason), [{
          _tag: "PeerReset",
          code: "ECONNRESET"
        }])
      })
    ))

  it.effect("answers, once it is in, a peer that had ended its side while it waited", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* room()
        const first = yield* dial
        const patient = yield* dial
        patient.send("hello\n")
        patient.raw.end()
        yield* pass(500)
        assert.deepStrictEqual([patient.heard, patient.ended], ["", false])
        first.leave()
        yield* settle
        assert.deepStrictEqual([patient.heard, patient.ended], ["hello\n", true])
      })
    ))

  it.effect("holds back a peer that sends much, and loses nothing of it", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        yield* room()
        const first = yield* dial
        const patient = yield* dial
        const text = "x".repeat(10_000)
        patient.send(...Array(20).fill(`${text}\n`))
        yield* pass(100)
        assert.strictEqual(network.deliveredBytes, 0)
        first.leave()
        for (let i = 0; i < 10; i++) yield* settle
        assert.strictEqual(patient.heard, `${text}\n`.repeat(20))
      })
    ))

  it.effect("ends with the drain", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* room()
        const first = yield* dial
        const patient = yield* dial
        patient.send("hello\n")
        yield* settle
        const fiber = yield* Effect.forkChild(server.drain, { startImmediately: true })
        first.leave()
        yield* settle
        assert.deepStrictEqual([patient.heard, patient.ended, patient.closed], ["", true, undefined])
        patient.leave()
        yield* pass(100)
        const report = fiber.pollUnsafe()
        assert.strictEqual(report?._tag, "Success")
        assert.deepStrictEqual(server.told.of("Refused").map(({ reason }) => reason._tag), ["Drained"])
      })
    ))

  it.effect.each([0, 1] as const)(
    "for no longer than %s ms is soon over",
    (timeout) =>
      inWorld(() =>
        Effect.gen(function*() {
          const { told } = yield* room({ timeout })
          yield* dial
          for (let i = 1; i <= 3; i++) {
            const patient = yield* dial
            yield* pass(1)
            assert.deepStrictEqual([patient.heard, patient.ended], ["full\n", true])
            assert.deepStrictEqual(told.tags(patient.raw.id + 1), ["Waiting", "Refused"])
          }
        })
      )
  )
})
