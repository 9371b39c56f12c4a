/** The drain law over real sockets: several listeners of all kinds, under one budget, with the worst peers there are. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber } from "effect"
import { Endpoint, NodeTransport, Server, Transport } from "../src/index.ts"
import { wrongBooks } from "./support/addressed.ts"
import { collectLogs, Network, Peer, peer, Text, Told, until, watch } from "./support/network.ts"
import { engine, trusted } from "./support/tls.ts"

const budget = { announce: 40, grace: 120, force: 80 }
const budgetMillis = 240
/** A busy machine may be late by some turns of the event loop, but by no peer's doing: all of those stay for ever. */
const slackMillis = 2_000

const handle = (text: string) => {
  switch (text) {
    case "slow":
      return Effect.delay(Effect.succeed("slow"), 60)
    case "never":
      return Effect.never
    case "never clean":
      return Effect.andThen(Effect.addFinalizer(() => Effect.sleep(5_000)), Effect.never)
    case "big":
      return Effect.succeed("x".repeat(90_000))
    default:
      return Effect.succeed(text)
  }
}

/** What peers do that are in. More than any buffer holds is `big` so often. */
const behaviours: Readonly<Record<string, (peer: Peer) => void>> = {
  silent: () => {},
  "in the middle of a frame": (peer) => peer.send("abc"),
  "not reading": (peer) => {
    peer.raw.pause()
    peer.send("big\n".repeat(200))
  },
  "not reading, half closed": (peer) => {
    peer.raw.pause()
    peer.send("big\n".repeat(200))
    peer.raw.end()
  },
  "asking much": (peer) => peer.send("slow\n".repeat(100)),
  "half closed": (peer) => {
    peer.send("slow\n")
    peer.raw.end()
  },
  polite: (peer) => {
    peer.onEnd = () => {
      peer.ended = true
      peer.raw.end()
    }
  },
  gone: (peer) => peer.raw.reset(),
  never: (peer) => peer.send("never\n"),
  "never clean": (peer) => peer.send("never clean\n")
}
const names = Object.keys(behaviours)

/** What peers of a TLS endpoint do before they are in: nothing, or the beginning of a record of 512 bytes. */
const beginnings = ["", "\x16\x03\x01\x02\x00\x01"]

const below = (endpoint: Endpoint.Endpoint): Endpoint.Endpoint =>
  endpoint._tag === "Tls" ? Endpoint.tcpUnsafe(endpoint.host, endpoint.port) : endpoint

/** Connects a peer to any endpoint. */
const visit = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint) {
  if (endpoint._tag !== "Tls") return yield* peer(endpoint)
  const tls = yield* engine
  const context = yield* tls.client(trusted.client)
  const raw = yield* Transport.Transport.use((transport) => transport.connect(below(endpoint)))
  return new Peer(tls.connect(raw, context, "localhost", { onSecure() {}, onFailed() {} }))
})

const drained = (...endpoints: [Endpoint.Input, ...ReadonlyArray<Endpoint.Input>]) =>
  Effect.gen(function*() {
    const network = new Network()
    const sockets = yield* Transport.Transport
    const transport = { ...watch(network, sockets), tls: sockets.tls }
    const told = new Told()
    yield* Effect.gen(function*() {
      const hasTls = endpoints.some((endpoint) => String(endpoint).startsWith("tls:"))
      const server = yield* Server.make(Text, endpoints, handle, {
        drain: budget,
        ...(hasTls ? { tls: trusted.server } : {}),
        onEvent: (event) => void told.events.push(event)
      })
      const secure = server.endpoints.filter(({ _tag }) => _tag === "Tls")
      for (const endpoint of secure) {
        for (const beginning of beginnings) (yield* peer(below(endpoint))).send(beginning)
      }
      const visitors = yield* Effect.forEach(
        server.endpoints,
        (endpoint) =>
          Effect.forEach(names, (name) => Effect.map(visit(endpoint), (visitor) => [name, visitor] as const))
      )
      const inside = server.endpoints.length * names.length
      const shaking = secure.length * beginnings.length
      yield* until("all are in", () => told.of("Accepted").length === inside && network.open.size === inside + shaking)
      for (const [name, visitor] of visitors.flat()) behaviours[name]?.(visitor)
      yield* until("those that reset are gone", () => told.of("Ended").length >= server.endpoints.length)
      const before = yield* server.stats
      assert.strictEqual(before.handshaking, shaking)
      const draining = yield* Effect.forkChild(server.drain, { startImmediately: true })
      assert.isFalse(yield* server.ready)
      yield* until("it drains", () => told.of("Draining").length === 1)
      for (const endpoint of server.endpoints) {
        assert.strictEqual((yield* Effect.flip(peer(below(endpoint)))).reason, "Refused", Endpoint.format(endpoint))
      }
      const report = yield* Fiber.join(draining)
      assert.isAtMost(Duration.toMillis(report.elapsed), budgetMillis + slackMillis)

      // The books: everybody once, for one reason.
      const stats = yield* server.stats
      assert.isUndefined(wrongBooks(server.stats))
      assert.deepStrictEqual([stats.accepted, stats.open, stats.bufferedBytes], [inside, 0, 0])
      assert.deepStrictEqual(stats.refusedBy, shaking === 0 ? {} : { Drained: shaking })
      assert.strictEqual(report.refused, shaking)
      assert.isAtLeast(report.served, before.ended)
      assert.strictEqual(report.served + report.drained + report.forced, inside)
      // Those that nothing can end in peace, at each endpoint.
      assert.isAtLeast(report.forced, 2 * server.endpoints.length)
      assert.isAtLeast(report.drained, 2 * server.endpoints.length)
      assert.strictEqual(stats.endedBy["ForcedByDrain"], report.forced)
      const ids = told.of("Ended").map(({ id }) => id)
      assert.deepStrictEqual([ids.length, new Set(ids).size], [inside, inside])

      // The order: told first, then everybody ends, then it is over.
      const tags = told.tags()
      assert.strictEqual(tags.at(-1), "Drained")
      assert.strictEqual(tags.filter((tag) => tag === "Draining" || tag === "Drained").length, 2)
      assert.strictEqual(tags.lastIndexOf("Accepted") < tags.indexOf("Draining"), true)
      yield* until("no socket is left", () => network.open.size === 0)
    }).pipe(Effect.scoped, Effect.provideService(Transport.Transport, transport))
  }).pipe(Effect.provide([NodeTransport.layer, collectLogs([])]))

describe("over real sockets the law holds", () => {
  it.live.each(["tcp://127.0.0.1:0", "tcp://[::1]:0", "unix:@hawser-test-drain", "tls://127.0.0.1:0"])(
    "on %s",
    (endpoint) => drained(endpoint)
  )

  it.live("on all of them at once, with one budget", () =>
    drained("tcp://127.0.0.1:0", "unix:@hawser-test-drain-all", "tls://127.0.0.1:0", "tls://[::1]:0"))
})
