/** Whatever comes, in whatever order: the books are right at every event, no limit is exceeded, and nothing is left. */
import { assert, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Admission, Endpoint, ProxyHeader, Server, Transport } from "../src/index.ts"
import { Addressed, booksNow, door } from "./support/addressed.ts"
import { inWorld, pass, passing, type Peer, settle, Text, Told } from "./support/network.ts"

const proxy = "10.0.0.1"
const who = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 7 }))

const Come = Schema.TaggedStruct("Come", {
  client: Schema.Literals([1, 2, 3]),
  by: Schema.Literals(["itself", "proxy", "proxy"]),
  says: Schema.Literals(["nothing", "whole", "whole", "half", "wrong", "local"])
})

const Step = Schema.Union([
  Come,
  Come,
  Come,
  Schema.TaggedStruct("Header", { who, how: Schema.Literals(["whole", "half"]) }),
  Schema.TaggedStruct("Say", { who }),
  Schema.TaggedStruct("Leave", { who, how: Schema.Literals(["end", "reset"]) }),
  Schema.TaggedStruct("Pass", { millis: Schema.Literals([50, 300]) }),
  Schema.TaggedStruct("Limit", {
    maxConnections: Schema.Literals([1, 2, 4]),
    perPeer: Schema.Literals([1, 4]),
    deny: Schema.Boolean
  }),
  Schema.TaggedStruct("Close", { who }),
  Schema.TaggedStruct("Nap", {})
])

const header = (client: number): Uint8Array =>
  ProxyHeader.encodeUnsafe(ProxyHeader.fromEndpoints(Endpoint.tcpUnsafe(`192.0.2.${client}`, 1), door), 2)

const beginnings = {
  nothing: () => new Uint8Array(0),
  whole: header,
  half: (client: number) => header(client).subarray(0, 20),
  wrong: () => new TextEncoder().encode("GET / HTTP/1.1\r\n"),
  local: () => ProxyHeader.encodeUnsafe(ProxyHeader.local, 2)
}

it.effect.prop("the books are right, whatever comes", {
  steps: Schema.Array(Step).check(Schema.isMinLength(20), Schema.isMaxLength(60)),
  maxWaiting: Schema.Literals([0, 2])
}, ({ maxWaiting, steps }) =>
  inWorld(({ network }) =>
    Effect.gen(function*() {
      const net = new Addressed(yield* Transport.Transport)
      const told = new Told()
      const running: { stats?: Server.Server["Service"]["stats"] } = {}
      const wrong: Array<unknown> = []
      let max = 2
      /** One that comes after a limit was lowered must not find a place before it. */
      let before = 0
      const server = yield* Server.make(Text, door, (text) => Effect.delay(Effect.succeed(text), 20), {
        maxConnections: max,
        proxy: { from: [proxy] },
        overflow: maxWaiting === 0 ? "close" : Admission.wait({ maxWaiting, timeout: 200, otherwise: "close" }),
        linger: 100,
        deadlines: { handshake: 250 },
        drain: { announce: 50, grace: 50, force: 50 },
        onEvent: (event) => {
          told.events.push(event)
          if (running.stats === undefined) return
          const stats = booksNow(running.stats)
          const { accepted, arrived, ended, handshaking, open, refused, waiting } = stats
          // What is thrown here would be logged, and the server would go on.
          const isRight = arrived === accepted + refused + waiting + handshaking && accepted === open + ended &&
            open + handshaking <= Math.max(max, before) && waiting <= maxWaiting
          if (!isRight) wrong.push({ event, stats, max, before })
        }
      }).pipe(Effect.provideService(Transport.Transport, net.transport))
      running.stats = server.stats
      const peers: Array<{ readonly peer: Peer; readonly client: number }> = []
      const at = (index: number) => peers[index % (peers.length || 1)]
      for (const step of steps) {
        const { handshaking, open } = yield* server.stats
        before = open + handshaking
        if (step._tag === "Come") {
          const address = step.by === "proxy" ? proxy : `192.0.2.${step.client}`
          const came = yield* Effect.option(net.visit(address))
          if (came._tag === "None") continue
          peers.unshift({ peer: came.value, client: step.client })
          if (step.by === "proxy") came.value.raw.write([beginnings[step.says](step.client)])
        } else if (step._tag === "Header") {
          const found = at(step.who)
          found?.peer.raw.write([beginnings[step.how](found.client)])
        } else if (step._tag === "Say") {
          at(step.who)?.peer.send("hi\n")
        } else if (step._tag === "Leave") {
          if (step.how === "end") at(step.who)?.peer.leave()
          else at(step.who)?.peer.raw.reset()
        } else if (step._tag === "Pass") {
          yield* pass(step.millis)
        } else if (step._tag === "Limit") {
          max = step.maxConnections
          yield* server.setLimits({
            maxConnections: max,
            perPeer: { maxConnections: Math.min(step.perPeer, max) },
            deny: step.deny ? ["192.0.2.3"] : []
          })
        } else if (step._tag === "Close") {
          const rows = yield* server.connections
          const row = rows[step.who % (rows.length || 1)]
          if (row !== undefined) assert.isTrue(yield* server.close(row.id))
        } else {
          yield* server.suspend
          yield* server.resume
        }
        yield* settle
      }
      const start = yield* server.stats
      const report = yield* passing(server.drain)
      assert.deepStrictEqual(wrong, [])
      const stats = yield* server.stats
      const sum = (counts: Readonly<Record<string, number>>) => Object.values(counts).reduce((all, n) => all + n, 0)
      assert.deepStrictEqual([stats.open, stats.waiting, stats.handshaking], [0, 0, 0])
      assert.strictEqual(stats.arrived, network.arrived)
      assert.deepStrictEqual([sum(stats.endedBy), sum(stats.refusedBy)], [stats.ended, stats.refused])
      assert.strictEqual(report.served, start.ended)
      assert.deepStrictEqual([report.served + report.drained + report.forced, report.refused], [
        stats.accepted,
        stats.refused
      ])
      // Each is told once how it went: refused, or let in and ended.
      const ends = told.events.flatMap((event) => event._tag === "Refused" || event._tag === "Ended" ? [event.id] : [])
      assert.strictEqual(new Set(ends).size, ends.length)
      assert.strictEqual(ends.length, stats.arrived)
      yield* settle
      assert.strictEqual(network.open.size, 0)
    })
  ), { arbitrary: { runs: 100, size: 60 } })
