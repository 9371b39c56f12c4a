/** Clients that dial with TLS: what they reach, and why they do not. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { Client, Connection, Endpoint, MemoryTransport, NodeTransport, type Tls, Transport } from "../src/index.ts"
import { TlsStage } from "../src/internal/tlsStage.ts"
import { line, passingSlowly, Text, until } from "./support/network.ts"
import { engine, pair, pem, trusted } from "./support/tls.ts"

const node = it.layer(NodeTransport.layer)

/** A server that shouts back, over TLS; how many handshakes failed is counted. */
const serve = Effect.fnUntraced(function*(endpoint: string, options: Partial<Tls.ServerOptions> = {}) {
  const tls = yield* engine
  const context = yield* tls.server({ ...trusted.server, ...options })
  const transport = yield* Transport.Transport
  const told = { secure: [] as Array<Tls.Info>, failed: 0 }
  const effects = yield* Effect.context<never>()
  const listener = yield* transport.listen(Endpoint.fromStringUnsafe(endpoint), {
    backlog: 16,
    onAccept: (raw) =>
      new TlsStage(raw, tls, context, {
        onSecure: (secure, info) => {
          told.secure.push(info)
          Effect.runForkWith(effects)(
            Effect.gen(function*() {
              const connection = yield* Connection.fromRawSocket(secure, line)
              yield* Connection.forEachBatch(
                connection,
                (texts) => connection.write(texts.map((text) => text.toUpperCase()))
              )
            }).pipe(Effect.scoped, Effect.ignore)
          )
        },
        onFailure: () => {
          told.failed++
        }
      }).start()
  })
  return { endpoint: listener.endpoint, told }
})

/** What to dial for a listener below TLS. */
const target = (endpoint: Endpoint.Endpoint, host: string): Endpoint.Input =>
  endpoint._tag === "Tcp" ? `tls://${host}:${endpoint.port}` : endpoint

describe.each(["tcp://127.0.0.1:0", "memory:tls"])("%s", (endpoint) => {
  node("a client", (it) => {
    it.effect("calls over TLS", () =>
      passingSlowly(Effect.scoped(Effect.gen(function*() {
        const server = yield* serve(endpoint)
        const client = yield* Client.make(Text, target(server.endpoint, "localhost"), { tls: trusted.client })
        assert.strictEqual(yield* client.call("ahoy"), "AHOY")
        assert.strictEqual(server.told.secure[0]?.servername, "localhost")
      }))))

    it.effect("is told what was agreed on", () =>
      passingSlowly(Effect.scoped(Effect.gen(function*() {
        const server = yield* serve(endpoint, { alpn: ["shout"] })
        const connection = yield* Connection.connect(target(server.endpoint, "localhost"), line, {
          tls: { ...trusted.client, alpn: ["shout"] }
        })
        assert.deepStrictEqual([connection.tls?.alpn, connection.tls?.verified], ["shout", true])
        assert.strictEqual(
          Endpoint.format(connection.peer),
          Endpoint.format(
            server.endpoint._tag === "Tcp" ? Endpoint.tlsUnsafe("127.0.0.1", server.endpoint.port) : server.endpoint
          )
        )
      }))))

    it.effect("is told why there is no handshake, and what to do", () =>
      passingSlowly(Effect.scoped(Effect.gen(function*() {
        const server = yield* serve(endpoint, { certificates: [pair("stranger")] })
        const dialled = target(server.endpoint, "localhost")
        const error = yield* Effect.flip(Connection.connect(dialled, line, { tls: trusted.client }))
        assert.instanceOf(error, Transport.ConnectError)
        if (!(error instanceof Transport.ConnectError)) return
        assert.deepStrictEqual(
          [error.reason, error.code, error.message, error.hint],
          [
            "HandshakeFailed",
            "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
            `cannot connect to ${typeof dialled === "string" ? dialled : Endpoint.format(dialled)}: the handshake ` +
            "failed: the peer's certificate was issued by nobody that is trusted here",
            "give the certificate of its issuer as ca, or have it issued by an authority that this side trusts"
          ]
        )
        yield* until("the failure of the server", () => server.told.failed === 1)
      }))))

    it.effect("does not wait for ever", () =>
      Effect.scoped(Effect.gen(function*() {
        const transport = yield* Transport.Transport
        const accepted: Array<Transport.RawSocket> = []
        const silent = yield* transport.listen(Endpoint.fromStringUnsafe(endpoint), {
          backlog: 1,
          onAccept: (raw) => void accepted.push(raw)
        })
        const dialled = target(silent.endpoint, "localhost")
        const error = yield* passingSlowly(Effect.flip(
          Effect.scoped(
            Connection.connect(dialled, line, { tls: { ...trusted.client, handshakeTimeout: "2 seconds" } })
          )
        ))
        assert.instanceOf(error, Transport.ConnectError)
        if (!(error instanceof Transport.ConnectError)) return
        assert.deepStrictEqual([error.reason, error.message, error.hint], [
          "HandshakeTimeout",
          `cannot connect to ${
            typeof dialled === "string" ? dialled : Endpoint.format(dialled)
          }: the handshake was not complete after 2000 ms`,
          "check that the server speaks TLS there, or give it more time"
        ])
        // What was dialled is gone.
        let gone = false
        accepted[0]?.attach({
          onData() {},
          onEnd: () => {
            gone = true
          },
          onDrain() {},
          onClose: () => {
            gone = true
          }
        })
        accepted[0]?.resume()
        yield* until("the end of the socket", () => gone)
      })))
  })
})

node("dialling", (it) => {
  const failure = (endpoint: Endpoint.Input, options: Connection.Options = {}) =>
    Effect.map(
      Effect.flip(Effect.scoped(Connection.connect(endpoint, line, options))),
      ({ message }) => message
    )

  it.effect("trusts only what Node does, where nothing is said", () =>
    passingSlowly(Effect.scoped(Effect.gen(function*() {
      const server = yield* serve("tcp://127.0.0.1:0")
      assert.match(
        yield* failure(target(server.endpoint, "localhost")),
        /^cannot connect to tls:\/\/localhost:\d+: the handshake failed: the peer's certificate was issued by nobody/
      )
    }))))

  it.effect.each<readonly [string, Endpoint.Input, Connection.Options]>([
    ["tls.* must be absent for a tcp endpoint; write tls://h:1, got options", "tcp://h:1", { tls: {} }],
    ["tls.servername must be given where the endpoint has no host name, got nothing", "memory:x", { tls: {} }],
    ["tls.handshakeTimeout must be a time longer than 0, or Infinity, got 0 ms", "tls://h:1", {
      tls: { handshakeTimeout: 0 }
    }],
    ["tls.certificate.key must be the key of certificate.certificate, got the key of another", "tls://h:1", {
      tls: { certificate: { certificate: pem("client"), key: pem("server.key") } }
    }],
    ["cannot connect to tls://127.0.0.1:1: nobody listens there", "tls://127.0.0.1:1", {}],
    ["cannot connect to tls://*:1: this transport does not know such endpoints", "tls://*:1", {
      tls: { verify: "insecure" }
    }]
  ])("%s", ([message, endpoint, options]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* failure(endpoint, options), message)
    }))

  it.effect("with TLS is beyond a transport without it", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* failure("tls://localhost:1"),
        "cannot connect to tls://localhost:1: this transport does not know such endpoints"
      )
    }).pipe(Effect.provide(MemoryTransport.layer)))

  it.effect("warns of an own certificate that has expired", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const tls = yield* engine
      const context = yield* tls.client({ certificate: pair("expired") })
      assert.strictEqual(context.notices.length, 1)
    }))
})
