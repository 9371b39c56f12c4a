/** Who comes in when a server is full, beside what `ServerLaws.limit` says. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Admission, Endpoint, Protocol, Server } from "../src/index.ts"
import { counts, dial, inWorld, line, memory, pass, peer, settle, Told } from "./support/network.ts"

const Full = Protocol.make("full", { request: line, response: line, goodbye: { overLimit: "full" } })

const echo = (text: string) => Effect.succeed(text)

const serve = (options: Server.Options) => {
  const told = new Told()
  return Effect.map(
    Server.make(Full, memory, echo, { ...options, onEvent: (event) => void told.events.push(event) }),
    (server) => ({ ...server, told })
  )
}

describe("the limit", () => {
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
        assert.deepStrictEqual(counts(yield* server.stats), { accepted: 2, open: 1, ended: 1, refused: 1, waiting: 0 })
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
