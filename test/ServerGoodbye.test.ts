/** What a server says to a connection that a drain, or its lifetime, ends. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { Client, Protocol, Server } from "../src/index.ts"
import { dial, inWorld, line, memory, pass, passing, type Peer, settle } from "./support/network.ts"

const goodbye = { drained: "going down" }
const Polite = Protocol.make("polite", { request: line, response: line, goodbye })

const serve = (options: Server.Options = {}, millis = 0) =>
  Server.make(Polite, memory, (text) => millis === 0 ? Effect.succeed(text) : Effect.as(Effect.sleep(millis), text), {
    drain: { grace: 1_000, force: 100 },
    linger: 100,
    ...options
  })

/** Drains, and gives what a peer heard. */
const heardIn = (server: Server.Server["Service"], client: Peer) =>
  Effect.as(passing(server.drain), () => client.heard).pipe(Effect.map((heard) => heard()))

describe("a drain", () => {
  it.effect("says goodbye to a connection between frames, once", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const server = yield* serve()
        const silent = yield* dial
        const client = yield* dial
        client.send("a\nb\n")
        yield* settle
        assert.strictEqual(yield* heardIn(server, client), "a\nb\ngoing down\n")
        assert.strictEqual(silent.heard, "going down\n")
        assert.strictEqual(network.writes.filter((text) => text.includes("going")).length, 2)
      })
    ))

  it.effect("says it behind the answer to what is in flight, and to the frame that has begun", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serve({}, 300)
        const client = yield* dial
        client.send("a\nb")
        yield* settle
        const draining = yield* Effect.forkChild(server.drain, { startImmediately: true })
        yield* pass(100)
        assert.strictEqual(client.heard, "")
        client.send("b\n")
        yield* passing(Effect.asVoid(Effect.suspend(() => draining.pollUnsafe() ?? Effect.never)), 50).pipe(
          Effect.timeoutOption(2_000),
          Effect.forkChild
        )
        yield* pass(1_500)
        assert.strictEqual(client.heard, "a\nbb\ngoing down\n")
      })
    ))

  it.effect("does not say it to a peer that has ended first", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serve({}, 300)
        const client = yield* dial
        client.send("a\n")
        client.leave()
        yield* settle
        assert.strictEqual(yield* heardIn(server, client), "a\n")
      })
    ))

  it.effect("does not say it where the request in flight was broken off", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serve({}, 60_000)
        const client = yield* dial
        client.send("a\n")
        yield* settle
        assert.strictEqual(yield* heardIn(server, client), "")
      })
    ))

  it.effect("does not say it to a peer that does not read, and does not wait for it", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const server = yield* Server.makeConnection(
          line,
          memory,
          (connection) =>
            Effect.andThen(
              Effect.forkChild(connection.write(["x".repeat(70_000)])),
              Effect.andThen(Effect.sleep(10), connection.pull)
            ),
          { goodbye, drain: { grace: 1_000, force: 100 }, linger: 100 }
        )
        const client = yield* dial
        client.raw.pause()
        yield* pass(50)
        const { elapsed } = yield* passing(server.drain)
        assert.isAtMost(Number(elapsed.value._tag === "Millis" ? elapsed.value.millis : 9_999), 150)
        assert.isFalse(network.writes.some((text) => text.includes("going")))
      })
    ))

  it.effect("does not say it behind the end of this side", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const server = yield* Server.makeConnection(
          line,
          memory,
          (connection) => Effect.andThen(connection.finish, connection.pull),
          { goodbye, linger: 100 }
        )
        const client = yield* dial
        yield* settle
        assert.strictEqual(yield* heardIn(server, client), "")
        assert.deepStrictEqual(network.writes, [])
      })
    ))
})

describe("a lifetime", () => {
  it.effect("says it, too", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* serve({ deadlines: { lifetime: 1_000, lifetimeJitter: 0 } })
        const client = yield* dial
        client.send("a\n")
        yield* pass(1_000)
        assert.strictEqual(client.heard, "a\ngoing down\n")
        assert.isTrue(client.ended)
      })
    ))
})

describe("a client", () => {
  it.effect("gets it as the answer to its next call, which is not sent", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        yield* Scope.provide(serve({ linger: 1_000 }), scope)
        const client = yield* Client.make(Polite, memory)
        assert.strictEqual(yield* client.call("a"), "a")
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* settle
        const delivered = network.deliveredBytes
        assert.strictEqual(yield* client.call("b"), "going down")
        assert.strictEqual(network.deliveredBytes, delivered)
        yield* pass(2_000)
        assert.isDefined(closing.pollUnsafe())
      })
    ))
})

describe("a goodbye that the codec cannot write", () => {
  it.effect("is refused when the server is built", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const Rude = Protocol.make("rude", { request: line, response: line, goodbye: { drained: "a\nb" } })
        const error = yield* Effect.flip(Server.make(Rude, memory, Effect.succeed))
        assert.strictEqual(
          error.message,
          "goodbye.drained must be a message that the codec can write " +
            "(corrupt frame: message would end at byte 1, where its terminator begins), got \"a\\nb\""
        )
      })
    ))
})
