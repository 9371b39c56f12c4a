/** Who comes in, by address, by rate, by descriptor and by the limits of now. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { Admission, Protocol, Server, Transport } from "../src/index.ts"
import { Addressed, door, wrongBooks } from "./support/addressed.ts"
import { inWorld, line, pass, settle, Told, type World } from "./support/network.ts"

const Full = Protocol.make("full", { request: line, response: line, goodbye: { overLimit: "full" } })

/** A server that says what it hears; at each event its counts add up. */
const serve = Effect.fnUntraced(function*(
  options: Server.Options,
  more: Pick<Transport.Transport["Service"], "descriptorLimit"> = {}
) {
  const net = new Addressed(yield* Transport.Transport, more)
  const told = new Told()
  const wrong: Array<unknown> = []
  const running: { stats?: Server.Server["Service"]["stats"] } = {}
  const server = yield* Server.make(Full, door, (text) => Effect.succeed(text), {
    ...options,
    onEvent: (event) => {
      told.events.push(event)
      if (running.stats === undefined) return
      const stats = wrongBooks(running.stats)
      if (stats !== undefined) wrong.push({ event, stats })
    }
  }).pipe(Effect.provideService(Transport.Transport, net.transport))
  running.stats = server.stats
  return { ...server, told, net, wrong }
})

type Running = Effect.Success<ReturnType<typeof serve>>

const reasons = ({ told }: Running) =>
  told.of("Refused").map(({ reason, refusal }) =>
    `${reason._tag === "OverLimit" ? `${reason.limit} ${reason.max}` : reason._tag} ${refusal}`
  )

const test = (
  options: Server.Options,
  body: (server: Running, world: World) => Effect.Effect<void, unknown, Scope.Scope | Transport.Transport>,
  more: Pick<Transport.Transport["Service"], "descriptorLimit"> = {}
) =>
  inWorld((world) =>
    Effect.gen(function*() {
      const server = yield* serve(options, more)
      yield* body(server, world)
      assert.deepStrictEqual(server.wrong, [])
    })
  )

/** Says something, and tells what is heard. */
const hears = Effect.fnUntraced(function*(server: Running, from: string) {
  const peer = yield* server.net.visit(from)
  peer.send("hi\n")
  yield* settle
  return peer.heard
})

describe("allow and deny", () => {
  it.effect("let in whoever allow names and deny does not", () =>
    test({ allow: ["192.0.2.0/24", "2001:db8::/32"], deny: ["192.0.2.64/26"] }, (server) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "hi\n")
        assert.strictEqual(yield* hears(server, "2001:db8::1"), "hi\n")
        assert.strictEqual(yield* hears(server, "::ffff:192.0.2.2"), "hi\n")
        assert.strictEqual(yield* hears(server, "192.0.2.65"), "")
        assert.strictEqual(yield* hears(server, "::ffff:192.0.2.66"), "")
        assert.strictEqual(yield* hears(server, "198.51.100.1"), "")
        assert.deepStrictEqual(
          server.told.of("Refused").map(({ reason, refusal }) => ({ reason, refusal })),
          (["deny", "deny", "allow"] as const).map((rule) => ({
            reason: { _tag: "Denied", rule } as const,
            refusal: "reset" as const
          }))
        )
        assert.deepStrictEqual((yield* server.stats).refusedBy, { Denied: 3 })
      })))

  it.effect("do not let those they refuse use up the rate", () =>
    test({ deny: ["198.51.100.0/24"], rate: { connections: 1, per: "1 minute" } }, (server) =>
      Effect.gen(function*() {
        for (let i = 0; i < 5; i++) yield* hears(server, "198.51.100.1")
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "hi\n")
      })))
})

describe("the limit of a peer", () => {
  it.effect("is that of its network, and of nobody else", () =>
    test({ perPeer: { maxConnections: 2, ipv4Prefix: 24 }, overflow: "close" }, (server) =>
      Effect.gen(function*() {
        const first = yield* server.net.visit("192.0.2.1")
        assert.strictEqual(yield* hears(server, "192.0.2.2"), "hi\n")
        assert.strictEqual(yield* hears(server, "192.0.2.3"), "")
        assert.strictEqual(yield* hears(server, "192.0.3.1"), "hi\n")
        assert.strictEqual(yield* hears(server, "2001:db8::1"), "hi\n")
        assert.strictEqual(yield* hears(server, "2001:db8::2"), "hi\n")
        assert.strictEqual(yield* hears(server, "2001:db8::3"), "")
        assert.strictEqual(yield* hears(server, "2001:db8:0:1::1"), "hi\n")
        first.leave()
        yield* settle
        assert.strictEqual(yield* hears(server, "192.0.2.3"), "hi\n")
        assert.deepStrictEqual(reasons(server), Array(2).fill("perPeer.maxConnections 2 close"))
        assert.deepStrictEqual((yield* server.stats).refusedBy, { "perPeer.maxConnections": 2 })
      })))

  it.effect("lets one more wait for a place of its own peer, not of others, and in its order", () =>
    test({
      maxConnections: 3,
      perPeer: { maxConnections: 1 },
      overflow: Admission.wait({ maxWaiting: 3, timeout: 1_000, otherwise: "goodbye" })
    }, (server) =>
      Effect.gen(function*() {
        const a = yield* server.net.visit("192.0.2.1")
        const b = yield* server.net.visit("192.0.2.2")
        const a2 = yield* server.net.visit("192.0.2.1")
        const a3 = yield* server.net.visit("192.0.2.1")
        const c = yield* server.net.visit("192.0.2.3")
        for (const peer of [a, b, c, a2, a3]) peer.send("hi\n")
        yield* settle
        assert.deepStrictEqual([a.heard, b.heard, c.heard, a2.heard, a3.heard], ["hi\n", "hi\n", "hi\n", "", ""])
        b.leave()
        yield* settle
        assert.deepStrictEqual([a2.heard, a3.heard], ["", ""])
        a.leave()
        yield* settle
        assert.deepStrictEqual([a2.heard, a3.heard], ["hi\n", ""])
        yield* pass(1_000)
        assert.deepStrictEqual([a3.heard, a3.ended], ["full\n", true])
        assert.deepStrictEqual(reasons(server), ["perPeer.maxConnections 1 goodbye"])
      })))

  it.effect("counts those that wait for any place, so that one peer cannot fill the room", () =>
    test({
      maxConnections: 2,
      perPeer: { maxConnections: 2 - 1 },
      overflow: Admission.wait({ maxWaiting: 1, timeout: 1_000, otherwise: "close" })
    }, (server) =>
      Effect.gen(function*() {
        yield* server.net.visit("192.0.2.1")
        yield* server.net.visit("192.0.2.2")
        const patient = yield* server.net.visit("192.0.2.3")
        yield* settle
        const other = yield* server.net.visit("192.0.2.3")
        yield* settle
        assert.deepStrictEqual([patient.ended, other.ended], [false, true])
        assert.deepStrictEqual(reasons(server), ["perPeer.maxConnections 1 close"])
      })))
})

describe("a rate", () => {
  it.effect("gives a burst, and then as many as time brings", () =>
    test(
      { rate: { connections: 10, per: "1 second", burst: 3 }, overflow: "close" },
      (server) =>
        Effect.gen(function*() {
          const come = Effect.forEach(Array(5), () => hears(server, "192.0.2.1"))
          assert.deepStrictEqual(yield* come, ["hi\n", "hi\n", "hi\n", "", ""])
          yield* pass(100)
          assert.deepStrictEqual(yield* come, ["hi\n", "", "", "", ""])
          yield* pass(10_000, 1_000)
          assert.deepStrictEqual(yield* come, ["hi\n", "hi\n", "hi\n", "", ""])
          assert.deepStrictEqual((yield* server.stats).refusedBy, { rate: 8 })
          assert.deepStrictEqual(reasons(server)[0], "rate 10 close")
          assert.deepStrictEqual(server.told.of("Alarm"), [{ _tag: "Alarm", limit: "rate", value: 10, max: 10 }])
        })
    ))

  it.effect("of a peer is its own, lasts beyond its connections, and uses up no rate of all", () =>
    test({
      rate: { connections: 3, per: "1 minute" },
      perPeer: { rate: { connections: 1, per: "1 minute" } },
      overflow: "close"
    }, (server) =>
      Effect.gen(function*() {
        const first = yield* server.net.visit("192.0.2.1")
        yield* settle
        first.leave()
        yield* settle
        for (let i = 0; i < 5; i++) assert.strictEqual(yield* hears(server, "192.0.2.1"), "")
        assert.strictEqual(yield* hears(server, "192.0.2.2"), "hi\n")
        assert.strictEqual(yield* hears(server, "192.0.2.3"), "hi\n")
        assert.strictEqual(yield* hears(server, "192.0.2.4"), "")
        assert.deepStrictEqual((yield* server.stats).refusedBy, { "perPeer.rate": 5, rate: 1 })
        yield* pass(60_000, 10_000)
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "hi\n")
      })))
})

describe("descriptors", () => {
  it.effect("are kept free: who comes with one of the reserved is reset, with one alarm, and others are not", () =>
    test({ reservedDescriptors: 10 }, (server, { logs }) =>
      Effect.gen(function*() {
        const come = (descriptor: number) =>
          Effect.tap(server.net.visit("192.0.2.1", { descriptor }), (peer) => {
            peer.send("hi\n")
            return settle
          })
        assert.strictEqual((yield* come(50)).heard, "hi\n")
        assert.deepStrictEqual((yield* come(90)).closed, { code: "ECONNRESET" })
        assert.strictEqual((yield* come(89)).heard, "hi\n")
        assert.deepStrictEqual((yield* come(91)).closed, { code: "ECONNRESET" })
        assert.strictEqual((yield* come(51)).heard, "hi\n")
        assert.deepStrictEqual(reasons(server), Array(2).fill("reservedDescriptors 10 reset"))
        assert.deepStrictEqual((yield* server.stats).refusedBy, { reservedDescriptors: 2 })
        assert.deepStrictEqual(server.told.of("Alarm").map(({ limit, max, value }) => [limit, value, max]), [
          ["reservedDescriptors", 90, 89]
        ])
        assert.deepStrictEqual(
          logs.filter(({ level }) => level === "Warn").map(({ message }) => message),
          ["reservedDescriptors is at 90 of 89"]
        )
      }), { descriptorLimit: 100 }))

  it.effect("are told of before they run out", () =>
    test({ reservedDescriptors: 10, alarm: { at: 0.5 } }, (server) =>
      Effect.gen(function*() {
        for (const descriptor of [44, 45, 46]) yield* server.net.visit("192.0.2.1", { descriptor })
        yield* settle
        assert.deepStrictEqual(server.told.of("Alarm").map(({ value }) => value), [45])
      }), { descriptorLimit: 100 }))

  it.effect("are not watched where nobody knows the limit", () =>
    test({}, (server) =>
      Effect.gen(function*() {
        const peer = yield* server.net.visit("192.0.2.1", { descriptor: 1_000_000 })
        peer.send("hi\n")
        yield* settle
        assert.strictEqual(peer.heard, "hi\n")
      })))
})

it.effect("a server that is full says so once per cooldown, however often a place is free in between", () =>
  test(
    { maxConnections: 1, overflow: "close", alarm: { cooldown: 1_000 } },
    (server, { logs }) =>
      Effect.gen(function*() {
        const crowd = Effect.gen(function*() {
          const first = yield* server.net.visit("192.0.2.1")
          for (let i = 0; i < 3; i++) yield* server.net.visit("192.0.2.2")
          yield* settle
          first.leave()
          yield* settle
        })
        for (let i = 0; i < 5; i++) yield* crowd
        yield* pass(1_000)
        yield* crowd
        const refusals = logs.filter(({ level, message }) => level === "Warn" && message.startsWith("refused"))
        assert.deepStrictEqual(refusals.map(({ message }) => message), [
          "refused: maxConnections is 1",
          "refused: maxConnections is 1 (and 14 more of this kind since the last line)"
        ])
      })
  ))

describe("limits that change", () => {
  it.effect("let in those who wait, or nobody more, and keep those who are in", () =>
    test({
      maxConnections: 1,
      overflow: Admission.wait({ maxWaiting: 5, timeout: "1 minute", otherwise: "close" })
    }, (server) =>
      Effect.gen(function*() {
        const peers = yield* Effect.forEach([1, 2, 3, 4], (i) => server.net.visit(`192.0.2.${i}`))
        for (const peer of peers) peer.send("hi\n")
        yield* settle
        assert.strictEqual(peers.filter(({ heard }) => heard !== "").length, 1)
        assert.strictEqual((yield* server.setLimits({ maxConnections: 3 })).maxConnections, 3)
        yield* settle
        assert.strictEqual(peers.filter(({ heard }) => heard !== "").length, 3)
        yield* server.setLimits({ maxConnections: 1 })
        yield* settle
        assert.strictEqual((yield* server.stats).open, 3)
        peers[0]!.leave()
        peers[1]!.leave()
        yield* settle
        assert.deepStrictEqual([peers[3]!.heard, (yield* server.stats).waiting], ["", 1])
        peers[2]!.leave()
        yield* settle
        assert.strictEqual(peers[3]!.heard, "hi\n")
      })))

  it.effect("count the peers that are in already, by their new prefix, and forget what is not watched", () =>
    test({ overflow: "close" }, (server) =>
      Effect.gen(function*() {
        const first = yield* server.net.visit("192.0.2.1")
        yield* server.net.visit("192.0.2.2")
        yield* settle
        yield* server.setLimits({ perPeer: { maxConnections: 2, ipv4Prefix: 24 } })
        assert.strictEqual(yield* hears(server, "192.0.2.3"), "")
        yield* server.setLimits({ perPeer: { ipv4Prefix: 32 } })
        assert.strictEqual(yield* hears(server, "192.0.2.3"), "hi\n")
        yield* server.setLimits({ perPeer: { ipv4Prefix: 24, maxConnections: 3 } })
        assert.strictEqual(yield* hears(server, "192.0.2.4"), "")
        first.leave()
        yield* settle
        assert.strictEqual(yield* hears(server, "192.0.2.4"), "hi\n")
      })))

  it.effect("hold for networks and rates, too", () =>
    test({ overflow: "close" }, (server) =>
      Effect.gen(function*() {
        yield* server.setLimits({ deny: ["192.0.2.1"] })
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "")
        yield* server.setLimits({ deny: [], rate: { connections: 1, per: "1 minute" } })
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "hi\n")
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "")
        yield* server.setLimits({ maxConnections: 100 })
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "")
        yield* server.setLimits({ rate: "unbounded" })
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "hi\n")
      })))

  it.effect("turn away who waits, where a new rule is against it, and not who is in", () =>
    test({
      maxConnections: 1,
      overflow: Admission.wait({ maxWaiting: 5, timeout: "1 minute", otherwise: "close" })
    }, (server) =>
      Effect.gen(function*() {
        const [first, second, third] = yield* Effect.all([1, 2, 3].map((i) => server.net.visit(`192.0.2.${i}`)))
        yield* settle
        yield* server.setLimits({ deny: ["192.0.2.0/31", "192.0.2.2"], maxConnections: 3 })
        for (const peer of [first, second, third]) if (peer?.closed === undefined) peer?.send("hi\n")
        yield* settle
        assert.deepStrictEqual([first, second, third].map((peer) => peer?.heard), ["hi\n", "", "hi\n"])
        assert.deepStrictEqual((yield* server.stats).refusedBy, { Denied: 1 })
      })))

  it.effect("change nothing where one of them is bad, or contradicts another", () =>
    test({ maxConnections: 5 }, (server) =>
      Effect.gen(function*() {
        const before = yield* server.limits
        const bad = yield* Effect.flip(server.setLimits({ maxConnections: 0 }))
        assert.strictEqual(bad.message, "maxConnections must be a positive integer, got 0")
        const both = yield* Effect.flip(server.setLimits({ deny: ["192.0.2.1"], perPeer: { maxConnections: 6 } }))
        assert.strictEqual(both.message, "perPeer.maxConnections must be at most maxConnections, which is 5, got 6")
        assert.deepStrictEqual(yield* server.limits, before)
        assert.strictEqual(yield* hears(server, "192.0.2.1"), "hi\n")
        // What follows from another limit goes along with it.
        const { perPeer } = yield* server.setLimits({ maxConnections: 7 })
        assert.strictEqual(perPeer.maxConnections, 7)
      })))
})

describe("an alarm", () => {
  it.effect("comes at its part of a limit, once per cooldown", () =>
    test({ maxConnections: 10, alarm: { at: 0.5, cooldown: "1 minute" } }, (server) =>
      Effect.gen(function*() {
        const alarms = () => server.told.of("Alarm").map(({ limit, max, value }) => `${limit} ${value}/${max}`)
        for (let i = 0; i < 4; i++) yield* hears(server, "192.0.2.1")
        assert.deepStrictEqual(alarms(), [])
        for (let i = 0; i < 3; i++) yield* hears(server, "192.0.2.1")
        assert.deepStrictEqual(alarms(), ["maxConnections 5/10"])
        yield* pass(60_000, 10_000)
        yield* hears(server, "192.0.2.1")
        yield* hears(server, "192.0.2.1")
        assert.deepStrictEqual(alarms(), ["maxConnections 5/10", "maxConnections 8/10"])
      })))
})

describe("the list of connections", () => {
  it.effect("has everybody who is in or waits, and ends one by its number", () =>
    test({
      maxConnections: 1,
      overflow: Admission.wait({ maxWaiting: 1, timeout: "1 minute", otherwise: "close" })
    }, (server) =>
      Effect.gen(function*() {
        const first = yield* server.net.visit("192.0.2.1")
        first.send("hi\n")
        yield* pass(500)
        const second = yield* server.net.visit("192.0.2.2")
        yield* pass(100)
        const rows = yield* server.connections
        assert.deepStrictEqual(
          rows.map(({ ageMillis, bytesIn, bytesOut, messagesIn, messagesOut, peer, state }) =>
            [String(peer), state, ageMillis, bytesIn, bytesOut, messagesIn, messagesOut].join(" ")
          ),
          ["tcp://192.0.2.1:40000 open 600 3 3 1 1", "tcp://192.0.2.2:40000 waiting 100 0 0 0 0"]
        )
        assert.isFalse(yield* server.close(4_711))
        assert.isTrue(yield* server.close(rows[1]!.id))
        assert.isTrue(yield* server.close(rows[0]!.id))
        yield* settle
        assert.deepStrictEqual([first.ended, second.ended], [true, true])
        first.leave()
        yield* settle
        assert.deepStrictEqual(server.told.of("Ended").map(({ reason }) => reason._tag), ["Closed"])
        assert.deepStrictEqual(reasons(server), ["Closed close"])
        assert.deepStrictEqual((yield* server.stats).endedBy, { Closed: 1 })
        assert.deepStrictEqual(yield* server.connections, [])
      })))
})
