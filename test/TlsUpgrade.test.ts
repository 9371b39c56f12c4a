/** STARTTLS: from plain text to TLS in mid-conversation, on both sides, and what must not come in between. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import {
  CloseReason,
  Codec,
  Connection,
  type Endpoint,
  NodeTransport,
  Server,
  Tls,
  type Transport
} from "../src/index.ts"
import { WorthWhile } from "../src/internal/nodeDepartures.ts"
import { line, passing, peer, Told, until } from "./support/network.ts"
import { pem, trusted } from "./support/tls.ts"

const inTurns = Layer.provide(NodeTransport.layer, Layer.succeed(WorthWhile, 0))

/** Runs a test while virtual time can pass: what it leaves open takes its linger to close. */
const ending = <A, E, R>(test: Effect.Effect<A, E, R | Scope.Scope>): Effect.Effect<A, E, R> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    return yield* Effect.onExit(Scope.provide(test, scope), (exit) => passing(Scope.close(scope, exit)))
  })

/** A server whose connections turn to TLS when they are asked to, and shout back from then on. */
const serve = Effect.fnUntraced(function*(endpoint: string, options: { readonly more?: ReadonlyArray<string> } = {}) {
  const told = new Told()
  const context = yield* Tls.makeServer(trusted.server)
  const seen: Array<Tls.Info | undefined> = []
  const server = yield* Server.makeConnection(
    line,
    endpoint,
    (plain) =>
      Effect.gen(function*() {
        const batch = yield* plain.pull
        const agreed = batch.findLast((text) => text === "STARTTLS") ?? assert.fail("nobody asked for TLS")
        const secure = yield* Connection.upgrade(plain, line, {
          side: "server",
          context,
          agreed,
          lastWord: ["ready", ...options.more ?? []],
          handshakeTimeout: "3 seconds"
        })
        seen.push(secure.tls)
        yield* Connection.forEachBatch(secure, (texts) => secure.write(texts.map((text) => text.toUpperCase())))
      }),
    { onEvent: (event) => void told.events.push(event) }
  )
  return { ...server, told, seen }
})

/** The client's side of the agreement. */
const start = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint, tls: Tls.DialOptions = trusted.client) {
  const plain = yield* Connection.connect(endpoint, line)
  yield* plain.write(["STARTTLS"])
  const [agreed] = yield* Effect.orDie(plain.pull)
  const secure = yield* Connection.upgrade(plain, line, { side: "client", tls, agreed })
  return { plain, secure }
})

const reasonOf = <R>(effect: Effect.Effect<unknown, Connection.ConnectionError, R>) =>
  Effect.map(Effect.flip(effect), ({ reason }) => reason)

describe.each<[network: string, endpoint: string, Layer.Layer<Transport.Transport>]>([
  ["tcp", "tcp://127.0.0.1:0", NodeTransport.layer],
  ["tcp, where what is written leaves at the end of a turn", "tcp://127.0.0.1:0", inTurns],
  ["memory", "memory:starttls", NodeTransport.layer]
])("%s", (_, endpoint, network) => {
  const node = it.layer(network)

  node("a connection", (it) => {
    it.effect("turns to TLS, and goes on", () =>
      ending(Effect.gen(function*() {
        const server = yield* serve(endpoint)
        const scope = yield* Scope.make()
        const { plain, secure } = yield* Scope.provide(start(server.endpoint), scope)
        assert.deepStrictEqual([secure.tls?.protocol, secure.tls?.verified], ["TLSv1.3", true])
        yield* secure.write(["ahoy"])
        assert.deepStrictEqual(yield* secure.pull, ["AHOY"])
        assert.deepStrictEqual([yield* reasonOf(plain.write(["x"])), yield* reasonOf(plain.finish)], [
          CloseReason.closed,
          CloseReason.closed
        ])
        assert.deepStrictEqual(
          yield* Effect.flip(plain.pull),
          new Connection.ConnectionError({ reason: CloseReason.closed })
        )
        assert.deepStrictEqual([secure.peer, secure.id], [plain.peer, plain.id])
        yield* Scope.close(scope, Exit.void)
        yield* until("the end", () => server.told.ends.length > 0)
        assert.deepStrictEqual(server.told.ends, ["the peer closed the connection"])
        assert.strictEqual(server.seen[0]?.servername, "localhost")
        assert.deepStrictEqual((yield* server.stats).open, 0)
      })))

    it.effect("that was upgraded is drained with the others", () =>
      ending(Effect.gen(function*() {
        const server = yield* serve(endpoint)
        const { secure } = yield* start(server.endpoint)
        yield* secure.write(["ahoy"])
        assert.deepStrictEqual(yield* secure.pull, ["AHOY"])
        const draining = yield* Effect.forkChild(server.drain, { startImmediately: true })
        yield* Effect.ignore(secure.pull)
        yield* secure.finish
        yield* until("the end of the drain", () => draining.pollUnsafe() !== undefined)
        assert.deepStrictEqual(server.told.ends, ["the server drained"])
        const report = yield* Fiber.join(draining)
        assert.deepStrictEqual([report.drained, report.forced], [1, 0])
      })))

    it.effect("ends for the reason of what came over TLS", () =>
      ending(Effect.gen(function*() {
        const server = yield* serve(endpoint)
        const plain = yield* Connection.connect(server.endpoint, line)
        yield* plain.write(["STARTTLS"])
        const [agreed] = yield* plain.pull
        const secure = yield* Connection.upgrade(plain, Codec.bytes, { side: "client", tls: trusted.client, agreed })
        yield* secure.write([new TextEncoder().encode("half a li")])
        yield* secure.finish
        yield* until("the end", () => server.told.ends.length > 0)
        assert.deepStrictEqual(server.told.ends, ["the stream ended 9 bytes into a frame"])
      })))

    it.effect("ends for the reason of the handshake", () =>
      ending(Effect.gen(function*() {
        const server = yield* serve(endpoint)
        const failed = yield* reasonOf(
          start(server.endpoint, { ...trusted.client, servername: "elsewhere.test" }).pipe(
            Effect.catchTags({ TlsOptionsError: Effect.die, ConnectError: Effect.die, EndpointError: Effect.die })
          )
        )
        assert.strictEqual(failed._tag, "HandshakeFailed")
        yield* until("the end", () => server.told.ends.length > 0)
        assert.match(server.told.ends[0]!, /^the handshake failed: the peer (?:hung up|refused)|broke the connection/)
      })))

    it.effect("ends when the handshake takes too long", () =>
      ending(Effect.gen(function*() {
        const server = yield* serve(endpoint)
        const silent = yield* peer(server.endpoint)
        silent.send("STARTTLS\n")
        yield* until("the answer", () => silent.heard === "ready\n")
        yield* TestClock.adjust("3 seconds")
        yield* until("the end", () => server.told.ends.length > 0)
        assert.deepStrictEqual(server.told.ends, ["the handshake was not complete after 3000 ms"])
      })))

    it.effect("is told what else came instead of TLS", () =>
      ending(Effect.gen(function*() {
        const server = yield* serve(endpoint)
        const talker = yield* peer(server.endpoint)
        talker.send("STARTTLS\n")
        yield* until("the answer", () => talker.heard === "ready\n")
        talker.send("RCPT TO:<x>\n")
        yield* until("the end", () => server.told.ends.length > 0)
        assert.deepStrictEqual(server.told.ends, [
          `the handshake failed: the peer did not speak TLS (it sent "RCPT TO:<x>")`
        ])
      })))
  })

  node("plain text behind the agreement", (it) => {
    const violation = "protocol violation: plain text followed the message that agreed on TLS (RFC 3207, 4.2)"

    it.effect.each(["STARTTLS\nRCPT TO:<x>\n", "STARTTLS\nR", "STARTTLS\n\n"])(
      "is refused by the server: %j",
      (text) =>
        ending(Effect.gen(function*() {
          const server = yield* serve(endpoint)
          const attacker = yield* peer(server.endpoint)
          attacker.send(text)
          yield* until("the end of this side", () => attacker.ended)
          attacker.leave()
          yield* until("the end", () => server.told.ends.length > 0)
          assert.deepStrictEqual([server.told.ends, attacker.heard], [[violation], ""])
        }))
    )

    it.effect("is refused by the client", () =>
      ending(Effect.gen(function*() {
        const server = yield* serve(endpoint, { more: ["and more"] })
        const plain = yield* Connection.connect(server.endpoint, line)
        yield* plain.write(["STARTTLS"])
        const [agreed] = yield* plain.pull
        const reason = yield* reasonOf(
          Effect.catchTag(
            Connection.upgrade(plain, line, { side: "client", tls: trusted.client, agreed }),
            "TlsOptionsError",
            Effect.die
          )
        )
        assert.strictEqual(CloseReason.format(reason), violation)
      })))
  })
})

it.layer(NodeTransport.layer)("upgrading", (it) => {
  const open = Effect.gen(function*() {
    const server = yield* serve("memory:options")
    const plain = yield* Connection.connect(server.endpoint, line)
    yield* plain.write(["STARTTLS"])
    const [agreed] = yield* plain.pull
    return { plain, agreed }
  })

  it.effect("needs a name to check", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(
        Connection.upgrade({} as Connection.Connection<string>, line, {
          side: "client",
          tls: { ca: [pem("ca")] },
          agreed: ""
        }).pipe(Effect.catchDefect(Effect.fail))
      )
      assert.instanceOf(error, TypeError)
      const { agreed, plain } = yield* open
      const nameless = yield* Effect.flip(
        Connection.upgrade(plain, line, { side: "client", tls: { ca: [pem("ca")] }, agreed })
      )
      assert.strictEqual(
        nameless.message,
        "tls.servername must be given where the endpoint has no host name, got nothing"
      )
    }))
})
