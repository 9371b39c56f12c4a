/** What a drain does, step by step, and who may ask for it. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Duration, Effect, Exit, Fiber, Latch, Layer, Scope } from "effect"
import { Endpoint, Server, Transport } from "../src/index.ts"
import {
  assertNothingLeft,
  counts,
  dial,
  inWorld,
  memory,
  pass,
  passing,
  type Peer,
  peer,
  serveConnection,
  serveText,
  settle,
  Text
} from "./support/network.ts"

const echo = (text: string) => Effect.succeed(text)

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
    default:
      return Effect.succeed(text)
  }
}

describe("while it drains, a server", () => {
  /** A server with its drain under way. */
  const draining = (behave: (peer: Peer) => void, options: Server.DrainOptions) =>
    Effect.gen(function*() {
      const server = yield* serveText(handle, { drain: options })
      const client = yield* dial
      behave(client)
      yield* settle
      const drain = yield* Effect.forkChild(server.drain, { startImmediately: true })
      yield* settle
      return { ...server, client, drain }
    })

  it.effect("answers the request in flight, and nothing after it", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { client, drain, told } = yield* draining((peer) => {
          peer.onEnd = () => peer.leave()
          peer.send("slow\n")
        }, { grace: 1_000 })
        client.send("too late\n")
        assert.strictEqual(client.heard, "")
        yield* pass(200)
        assert.strictEqual(client.heard, "slow\n")
        assert.deepStrictEqual(told.ends, ["the server drained"])
        assert.strictEqual((yield* Fiber.join(drain)).drained, 1)
      })
    ))

  it.effect("does not wait for the last request of a peer that never stops asking", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const ask = (client: Peer) => {
          client.onData = (chunk) => {
            client.heardBytes += chunk.length
            if (!client.ended) client.send("slow\nslow\nsl", "ow\n")
          }
          client.onEnd = () => client.leave()
          client.send("slow\n".repeat(4))
        }
        const { client, drain, told } = yield* draining(ask, { grace: 5_000 })
        yield* pass(1_000)
        assert.deepStrictEqual(told.ends, ["the server drained"])
        assert.strictEqual(Duration.toMillis((yield* Fiber.join(drain)).elapsed), 800)
        assert.strictEqual(client.heardBytes, "slow\n".length * 4)
      })
    ))

  it.effect("answers what had arrived before", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { client, told } = yield* draining((peer) => peer.send("slow\n", "a\n", "b\n"), { grace: 3_000 })
        yield* pass(300)
        assert.strictEqual(client.heard, "slow\na\nb\n")
        client.leave()
        yield* settle
        assert.deepStrictEqual(told.ends, ["the server drained"])
      })
    ))

  it.effect("answers a frame that is completed within grace", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { client } = yield* draining((peer) => peer.send("hal"), { grace: 1_000 })
        yield* pass(500)
        assert.isFalse(client.ended)
        client.send("f\n")
        yield* settle
        assert.deepStrictEqual([client.heard, client.ended], ["half\n", true])
      })
    ))

  it.effect("cuts a frame that is not", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { client, drain, told } = yield* draining((peer) => peer.send("hal"), { grace: 1_000, force: 500 })
        yield* pass(1_000)
        client.send("f\n")
        yield* settle
        assert.deepStrictEqual([client.heard, client.ended], ["", true])
        yield* pass(500)
        assert.deepStrictEqual(told.ends, ["the drain ran out of time"])
        const { drained, elapsed, forced } = yield* Fiber.join(drain)
        assert.deepStrictEqual([drained, forced, Duration.toMillis(elapsed)], [0, 1, 1_500])
      })
    ))

  it.effect("ends idle connections at once, and is done as soon as they are gone", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { client, drain } = yield* draining(() => {}, {})
        assert.isTrue(client.ended)
        client.leave()
        yield* settle
        const { drained, elapsed } = yield* Fiber.join(drain)
        assert.deepStrictEqual([drained, Duration.toMillis(elapsed)], [1, 0])
      })
    ))

  it.effect("goes on serving for the time of announce, and then says so", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { client } = yield* draining((peer) => peer.send("a\n"), { announce: 1_000 })
        yield* pass(999)
        client.send("b\n")
        yield* settle
        assert.deepStrictEqual([client.heard, client.ended], ["a\nb\n", false])
        yield* pass(1)
        assert.isTrue(client.ended)
      })
    ))

  it.effect("interrupts first, so that finalizers run, and destroys then", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { client, drain, told } = yield* draining((peer) => peer.send("clean up\n"), { grace: 100, force: 1_000 })
        yield* pass(100)
        assert.deepStrictEqual([client.ended, network.open.size], [false, 1])
        yield* pass(300)
        assert.deepStrictEqual([client.ended, network.open.size], [true, 1])
        client.leave()
        yield* settle
        assert.deepStrictEqual(told.ends, ["the drain ran out of time"])
        assert.strictEqual(Duration.toMillis((yield* Fiber.join(drain)).elapsed), 400)
      })
    ))

  it.effect("says in the log how many handlers did not end", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        const { drain } = yield* draining((peer) => peer.send("uninterruptible\n"), { grace: 100, force: 100 })
        yield* pass(200)
        assert.strictEqual((yield* Fiber.join(drain)).forced, 1)
        assert.deepStrictEqual(
          logs.filter(({ level }) => level === "Warn").map(({ message }) => message),
          ["1 handlers did not end when they were interrupted"]
        )
        yield* pass(5_000, 1_000)
      })
    ))

  it.effect("tells the handler of a whole connection, which may say something yet", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serveConnection((connection) =>
          Effect.andThen(connection.awaitDrain, connection.write(["going down"]))
        )
        const client = yield* dial
        yield* settle
        yield* Effect.forkChild(server.drain, { startImmediately: true })
        yield* settle
        assert.deepStrictEqual([client.heard, client.ended], ["going down\n", true])
      })
    ))

  it.effect("lets those finish that it had turned away", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serveText(handle, { maxConnections: 1, overflow: "close" })
        const client = yield* dial
        const refused = yield* dial
        client.leave()
        yield* settle
        refused.send("more\n")
        const drain = yield* Effect.forkChild(server.drain, { startImmediately: true })
        yield* settle
        assert.deepStrictEqual([refused.ended, refused.closed, drain.pollUnsafe()], [true, undefined, undefined])
        refused.leave()
        yield* settle
        assert.deepStrictEqual(refused.closed, { code: undefined })
        assert.isDefined(drain.pollUnsafe())
      })
    ))
})

describe("a drain", () => {
  it.effect("is one, however often and from wherever it is asked for", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const server = yield* Scope.provide(serveText(handle, { drain: { grace: 100, force: 100 } }), scope)
        const client = yield* dial
        client.send("never\n")
        yield* settle
        const fibers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(server.drain))
        yield* pass(100)
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        const report = yield* passing(Fiber.join(fibers[0]!), 10)
        yield* Fiber.join(closing)
        for (const fiber of fibers) assert.strictEqual(yield* Fiber.join(fiber), report)
        assert.strictEqual(yield* server.drain, report)
        assert.deepStrictEqual([server.told.of("Draining").length, server.told.of("Drained").length], [1, 1])
      })
    ))

  it.effect("goes on when who asked for it is interrupted", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serveText(handle, { drain: { grace: 100, force: 100 } })
        const client = yield* dial
        client.send("never\n")
        yield* settle
        const fiber = yield* Effect.forkChild(server.drain, { startImmediately: true })
        yield* Fiber.interrupt(fiber)
        yield* pass(200)
        assert.strictEqual(server.told.of("Drained").length, 1)
      })
    ))

  it.effect.each(["drain\nb\n", "a\ndrain\nb\n", "a\ndrain\nb\nha"])(
    "that begins inside a handler leaves nothing unanswered of what came with its request: %j",
    (sent) =>
      inWorld(() =>
        Effect.gen(function*() {
          const context = yield* Effect.context()
          const begin: { drain: Effect.Effect<unknown> } = { drain: Effect.void }
          const server = yield* serveText((text) => {
            if (text === "drain") Effect.runForkWith(context)(begin.drain)
            return Effect.succeed(text)
          }, { drain: { grace: 1_000 } })
          begin.drain = server.drain
          const client = yield* dial
          client.send(sent)
          yield* settle
          const rest = sent.endsWith("\n") ? "" : "lf\n"
          client.send(rest)
          yield* settle
          client.send("too late\n")
          client.leave()
          yield* settle
          assert.deepStrictEqual([client.heard, client.ended], [sent + rest, true])
          assert.deepStrictEqual(server.told.ends, ["the server drained"])
        })
      )
  )

  it.effect("may be asked for by a handler, which it then interrupts", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const asked = yield* Latch.make()
        const server = yield* serveText(() => Effect.andThen(asked.open, Effect.never), {
          drain: { grace: 100, force: 100 }
        })
        const client = yield* dial
        client.send("stop\n")
        yield* asked.await
        yield* Effect.forkChild(server.drain)
        yield* pass(100)
        assert.isTrue(client.ended)
      })
    ))

  it.effect("comes with the closing of the layer", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const fibers = network.fibers
        const scope = yield* Scope.make()
        const layer = Server.layer(Text, memory, handle, { drain: { grace: 500 } })
        const context = yield* Layer.buildWithScope(layer, scope)
        const client = yield* dial
        client.send("slow\n")
        yield* settle
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
        yield* pass(200)
        assert.deepStrictEqual([client.heard, client.ended], ["slow\n", true])
        client.leave()
        yield* Fiber.join(closing)
        const { drained, served } = yield* Context.get(context, Server.Server).drain
        assert.deepStrictEqual([served, drained], [0, 1])
        assertNothingLeft(network, fibers)
      })
    ))
})

it.effect("an empty server drains in no time", () =>
  inWorld(({ network }) =>
    Effect.gen(function*() {
      const fibers = network.fibers
      const server = yield* serveText(echo)
      const report = yield* server.drain
      assert.deepStrictEqual(report, { served: 0, drained: 0, forced: 0, refused: 0, elapsed: Duration.millis(0) })
      yield* settle
      assertNothingLeft(network, fibers)
    })
  ))

it.effect("a connection that is handed over after the listener has closed is reset and counted", () =>
  inWorld(() =>
    Effect.gen(function*() {
      const transport = yield* Transport.Transport
      const handOver: Array<Transport.ListenOptions["onAccept"]> = []
      const server = yield* serveText(echo).pipe(
        Effect.provideService(Transport.Transport, {
          ...transport,
          listen: (endpoint, options) => {
            handOver.push(options.onAccept)
            return transport.listen(endpoint, options)
          }
        })
      )
      yield* transport.listen(Endpoint.memoryUnsafe("late"), { backlog: 1, onAccept: (raw) => handOver[0]!(raw) })
      yield* server.drain
      const late = yield* peer(Endpoint.memoryUnsafe("late"))
      yield* settle
      assert.deepStrictEqual(late.closed, { code: "ECONNRESET" })
      assert.deepStrictEqual(counts(yield* server.stats), { accepted: 0, open: 0, ended: 0, refused: 1, waiting: 0 })
    })
  ))
