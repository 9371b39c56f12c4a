/** The drain law: closing takes at most `announce + grace + force`, whatever the peers and the handlers do. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Duration, Effect, Exit, Fiber, Schema } from "effect"
import { Admission, type Endpoint, NodeTransport, Server, Transport } from "../src/index.ts"
import {
  assertNothingLeft,
  collectLogs,
  dial,
  inWorld,
  Network,
  pass,
  type Peer,
  peer,
  serveText,
  settle,
  Text,
  until,
  watch
} from "./support/network.ts"

/** The worst handlers there are, by what they are asked. */
const handle = (text: string) => {
  switch (text) {
    case "slow":
      return Effect.delay(Effect.succeed("slow"), 200)
    case "never":
      return Effect.never
    case "uninterruptible":
      return Effect.uninterruptible(Effect.delay(Effect.succeed("at last"), 5_000))
    case "clean up":
      return Effect.andThen(Effect.addFinalizer(() => Effect.sleep(300)), Effect.never)
    case "never clean":
      return Effect.andThen(Effect.addFinalizer(() => Effect.sleep(5_000)), Effect.never)
    case "children":
      return Effect.all([Effect.never, Effect.sleep(5_000)], { concurrency: "unbounded" }).pipe(Effect.as("never"))
    case "big":
      return Effect.succeed("x".repeat(50_000))
    default:
      return Effect.succeed(text)
  }
}

/** What peers do, before the drain and while it goes on. */
const behaviours: Readonly<Record<string, (peer: Peer) => void>> = {
  idle: () => {},
  polite: (peer) => {
    peer.onEnd = () => {
      peer.ended = true
      peer.raw.end()
    }
  },
  "in the middle of a frame": (peer) => peer.send("abc"),
  "not reading": (peer) => {
    peer.raw.pause()
    peer.send("big\n".repeat(10))
  },
  "half closed": (peer) => {
    peer.send("slow\n")
    peer.raw.end()
  },
  "half closed, not reading": (peer) => {
    peer.raw.pause()
    peer.send("big\n".repeat(10))
    peer.raw.end()
  },
  "gone": (peer) => peer.raw.reset(),
  "asking much": (peer) => peer.send("slow\n".repeat(100)),
  ...Object.fromEntries(
    ["slow", "never", "uninterruptible", "clean up", "never clean", "children"].map((text) => [
      text,
      (peer: Peer) => peer.send(`${text}\n`)
    ])
  )
}

const millis = Schema.Literals([0, 50, 250])

describe("the law", () => {
  it.effect.prop(
    "holds for any mixture of peers, and the report adds up",
    {
      names: Arbitrary.array(Arbitrary.schema(Schema.Literals(Object.keys(behaviours))), { maxLength: 12 }),
      announce: millis,
      grace: millis,
      force: millis,
      linger: Schema.Literals([0, 100, 2_000]),
      maxConnections: Schema.Literals([3, 100]),
      overflow: Schema.Literals(["close", "wait"]),
      before: millis
    },
    ({ announce, before, force, grace, linger, maxConnections, names, overflow }) =>
      Effect.gen(function*() {
        const world = yield* inWorld(({ network }) =>
          Effect.gen(function*() {
            const fibers = network.fibers
            const server = yield* serveText(handle, {
              maxConnections,
              linger,
              drain: { announce, grace, force },
              overflow: overflow === "wait"
                ? Admission.wait({ maxWaiting: 3, timeout: "1 minute", otherwise: "reset" })
                : "close"
            })
            for (const name of names) behaviours[name]!(yield* dial)
            yield* pass(before, 10)
            const { accepted, ended } = yield* server.stats
            const drain = yield* Effect.forkChild(server.drain, { startImmediately: true })
            yield* settle
            // Whoever comes now is refused by the transport.
            assert.strictEqual((yield* Effect.flip(dial)).reason, "Refused")
            yield* pass(announce + grace + force, 10)
            const exit = drain.pollUnsafe()
            assert.isTrue(exit !== undefined && Exit.isSuccess(exit), "the drain is over in time")
            const report = yield* Fiber.join(drain)
            assert.isAtMost(Duration.toMillis(report.elapsed), announce + grace + force)
            assert.strictEqual(report.served, ended)
            assert.strictEqual(report.served + report.drained + report.forced, accepted)
            const stats = yield* server.stats
            assert.deepStrictEqual(stats, { accepted, open: 0, ended: accepted, refused: report.refused, waiting: 0 })
            assert.strictEqual(network.arrived, accepted + report.refused)
            const ends = server.told.of("Ended")
            assert.strictEqual(ends.length, accepted)
            assert.strictEqual(new Set(ends.map(({ id }) => id)).size, accepted)
            assert.strictEqual(ends.filter(({ reason }) => reason._tag === "ForcedByDrain").length, report.forced)
            // Handlers that nothing can stop end by themselves; then nothing at all is left.
            yield* pass(5_000, 1_000)
            assertNothingLeft(network, fibers)
            return network
          })
        )
        assert.strictEqual(world.open.size, 0)
      }),
    { arbitrary: { runs: 150, size: 12 } }
  )
})

describe("over real sockets", () => {
  const budget = { announce: 40, grace: 120, force: 80 }
  const names = Object.keys(behaviours).filter((name) => name !== "uninterruptible")

  const drained = (endpoint: Endpoint.Input) =>
    Effect.gen(function*() {
      const network = new Network()
      const transport = watch(network, yield* Transport.Transport)
      return yield* Effect.gen(function*() {
        const server = yield* Server.make(Text, endpoint, handle, { drain: budget })
        const peers = yield* Effect.forEach(names, () => peer(server.endpoint))
        yield* until("all are in", () => network.open.size === names.length)
        names.forEach((name, i) => behaviours[name]!(peers[i]!))
        // The clients share the process: let what they did arrive.
        yield* until("the one that resets is gone", () => network.open.size === names.length - 1)
        const report = yield* server.drain
        const { open } = yield* server.stats
        yield* until("no socket is left", () => network.open.size === 0)
        return { refused: (yield* Effect.flip(peer(server.endpoint))).reason, open, report }
      }).pipe(Effect.scoped, Effect.provideService(Transport.Transport, transport))
    }).pipe(Effect.provide([NodeTransport.layer, collectLogs([])]))

  it.live.each(["tcp://127.0.0.1:0", "tcp://[::1]:0", "unix:@hawser-test-drain"])(
    "holds, too: %s",
    (endpoint) =>
      Effect.gen(function*() {
        const { open, refused, report } = yield* drained(endpoint)
        assert.deepStrictEqual([open, refused], [0, "Refused"])
        assert.strictEqual(report.served + report.drained + report.forced, names.length)
        assert.isAbove(report.forced, 0)
        assert.isAbove(report.drained, 0)
        // A busy machine may be late by some turns of the event loop, but by no peer's doing.
        assert.isAtMost(Duration.toMillis(report.elapsed), 240 + 1_000)
      })
  )
})
