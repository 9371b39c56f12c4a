/** Deadlines where bytes really move: a peer that reads slowly from a socket, and a connection that turned to TLS. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Codec, Connection, type Deadline, NodeTransport, Server, Tls } from "../src/index.ts"
import { line, passing, peer, settle, Told, until } from "./support/network.ts"
import { trusted } from "./support/tls.ts"

/** Runs a test while virtual time can pass: what it leaves open takes its linger to close. */
const ending = <A, E, R>(test: Effect.Effect<A, E, R | Scope.Scope>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    return yield* Effect.onExit(Scope.provide(test, scope), (exit) => passing(Scope.close(scope, exit)))
  })

const unbounded = { firstFrame: "unbounded", idle: "unbounded", frame: "unbounded", minRate: "unbounded" } as const

it.layer(NodeTransport.layer)("over sockets", (it) => {
  describe("a peer that does not read", () => {
    it.effect("is told from one that takes a large write slowly", () =>
      ending(Effect.gen(function*() {
        const told = new Told()
        const large = new Uint8Array(40_000_000)
        const server = yield* Server.makeConnection(
          Codec.bytes,
          "tcp://127.0.0.1:0",
          (connection) => connection.write([large]),
          {
            deadlines: { ...unbounded, write: 8_000 },
            linger: 0,
            onEvent: (event) => void told.events.push(event)
          }
        )
        const client = yield* peer(server.endpoint)
        // Each time a part of one write that is not done for long: only the system knows of it.
        for (let i = 0; i < 4; i++) {
          const before = client.heardBytes
          client.raw.resume()
          yield* until("it reads", () => client.heardBytes > before + 5_000_000)
          client.raw.pause()
          yield* settle
          yield* TestClock.adjust(6_000)
          yield* settle
          assert.deepStrictEqual(told.ends, [])
        }
        yield* TestClock.adjust(3_000)
        yield* settle
        yield* until("the end", () => told.ends.length > 0)
        assert.deepStrictEqual(told.ends, ["the peer did not read for 8000 ms"])
      })))
  })

  describe("a connection that turned to TLS", () => {
    const upgraded = Effect.fnUntraced(function*(deadlines: Deadline.Options = {}, hangs = false) {
      const told = new Told()
      const context = yield* Tls.makeServer(trusted.server)
      const server = yield* Server.makeConnection(
        line,
        "memory:deadlines",
        (plain) =>
          Effect.gen(function*() {
            const [agreed] = yield* plain.pull
            const secure = yield* Connection.upgrade(plain, line, { side: "server", context, agreed, lastWord: ["ok"] })
            yield* hangs ? Effect.never : Connection.forEachBatch(secure, secure.write)
          }),
        {
          deadlines: { ...unbounded, idle: 10_000, frame: 20_000, firstFrame: 5_000, ...deadlines },
          onEvent: (event) => void told.events.push(event)
        }
      )
      const plain = yield* Connection.connect(server.endpoint, line)
      yield* plain.write(["STARTTLS"])
      const [agreed] = yield* Effect.orDie(plain.pull)
      const secure = yield* Connection.upgrade(plain, Codec.bytes, { side: "client", tls: trusted.client, agreed })
      return { secure, server, told }
    })

    const after = (millis: number) => Effect.andThen(TestClock.adjust(millis), settle)
    const bytes = (text: string) => [new TextEncoder().encode(text)]

    it.effect("is idle when nothing moves over TLS, and not before", () =>
      ending(Effect.gen(function*() {
        const { secure, server, told } = yield* upgraded()
        for (let i = 0; i < 3; i++) {
          yield* after(9_999)
          assert.deepStrictEqual(told.ends, [])
          yield* secure.write(bytes("a\n"))
          yield* Effect.orDie(secure.pull)
          yield* settle
        }
        yield* after(9_999)
        assert.deepStrictEqual(told.ends, [])
        // TLS does not tell when the last bytes left.
        yield* after(1_001)
        yield* until("the end", () => told.ends.length > 0)
        assert.deepStrictEqual(told.ends, ["nothing arrived for 10000 ms"])
        assert.deepStrictEqual((yield* server.stats).endedBy, { IdleTimeout: 1 })
      })))

    it.effect("reaches its lifetime, whatever its handler does", () =>
      ending(Effect.gen(function*() {
        const lifetime = { lifetime: 30_000, lifetimeJitter: 0, lifetimeGrace: 2_000 }
        const { secure, told } = yield* upgraded(lifetime, true)
        yield* after(31_999)
        assert.deepStrictEqual(told.ends, [])
        yield* after(1)
        yield* until("the end", () => told.ends.length > 0)
        assert.deepStrictEqual(told.ends, ["the connection reached its lifetime of 30000 ms"])
        assert.isTrue(Exit.isFailure(yield* Effect.exit(secure.pull)))
      })))

    it.effect("must finish the frames that it begins", () =>
      ending(Effect.gen(function*() {
        const { secure, told } = yield* upgraded()
        for (let i = 0; i < 4; i++) {
          yield* secure.write(bytes("a"))
          yield* after(5_000)
        }
        yield* until("the end", () => told.ends.length > 0)
        assert.deepStrictEqual(told.ends, ["a frame was not complete after 20000 ms"])
      })))
  })
})
