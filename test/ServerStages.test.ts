/** The stages between the accept and the protocol: the header of a proxy, and TLS, under one deadline. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import {
  Admission,
  Client,
  CloseReason,
  Endpoint,
  NodeTransport,
  Protocol,
  ProxyHeader,
  Server,
  Transport
} from "../src/index.ts"
import { Addressed, door, wrongBooks } from "./support/addressed.ts"
import { inWorld, line, pass, passing, type Peer, settle, Told, until, type World } from "./support/network.ts"
import { pair, trusted } from "./support/tls.ts"

const proxy = "10.0.0.1"
const secureDoor = Endpoint.tlsUnsafe("192.0.2.254", 7)

const Full = Protocol.make("full", { request: line, response: line, goodbye: { overLimit: "full" } })

const header = (client: string, version: ProxyHeader.Version = 2): Uint8Array =>
  ProxyHeader.encodeUnsafe(ProxyHeader.fromEndpoints(Endpoint.tcpUnsafe(client, 40_000), door), version)

/** A server that says who is on the other side, as it knows it; at each event its counts add up. */
const serve = Effect.fnUntraced(function*(options: Server.Options, endpoint: Endpoint.Endpoint) {
  const { tls } = yield* Effect.provide(Transport.Transport, NodeTransport.layer)
  const net = new Addressed(yield* Transport.Transport, { tls })
  const told = new Told()
  const wrong: Array<unknown> = []
  const running: { stats?: Server.Server["Service"]["stats"] } = {}
  const server = yield* Server.make(Full, endpoint, (text, { peer }) => Effect.succeed(`${text} ${peer}`), {
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

const test = (
  options: Server.Options,
  body: (server: Running, world: World) => Effect.Effect<void, unknown, Scope.Scope | Transport.Transport>,
  endpoint: Endpoint.Endpoint = door
) =>
  inWorld((world) =>
    Effect.gen(function*() {
      const server = yield* serve(options, endpoint)
      yield* body(server, world)
      assert.deepStrictEqual(server.wrong, [])
    })
  )

const refused = ({ told }: Running) =>
  told.of("Refused").map(({ peer, reason }) => `${peer} ${CloseReason.format(reason)}`)

const from = (server: Running, address: string, ...bytes: ReadonlyArray<Uint8Array | string>) =>
  Effect.tap(server.net.visit(address), (peer) => {
    for (const each of bytes) peer.raw.write([typeof each === "string" ? new TextEncoder().encode(each) : each])
    return settle
  })

describe("a proxy", () => {
  it.effect.each([1, 2] as const)(
    "is believed who its client is, in version %s",
    (version) =>
      test({ proxy: { from: ["10.0.0.0/8"] } }, (server) =>
        Effect.gen(function*() {
          const peer = yield* from(server, proxy, header("192.0.2.1", version), "hi\n")
          assert.strictEqual(peer.heard, "hi tcp://192.0.2.1:40000\n")
          assert.deepStrictEqual(server.told.of("Accepted").map((event) => String(event.peer)), [
            "tcp://192.0.2.1:40000"
          ])
          const [row] = yield* server.connections
          assert.deepStrictEqual([String(row?.local), row?.proxied?._tag], [String(door), "Proxied"])
        }))
  )

  it.effect("must say it, however its bytes come, and what comes behind is not lost", () =>
    test({ proxy: { from: [proxy] } }, (server) =>
      Effect.gen(function*() {
        const peer = yield* server.net.visit(proxy)
        for (const byte of [...header("192.0.2.1"), ...new TextEncoder().encode("hi\nho\n")]) {
          peer.raw.write([Uint8Array.of(byte)])
          yield* settle
        }
        assert.strictEqual(peer.heard, "hi tcp://192.0.2.1:40000\nho tcp://192.0.2.1:40000\n")
        const mute = yield* from(server, proxy, "hi\n")
        assert.isTrue(mute.ended)
        assert.match(refused(server).join(), /^tcp:\/\/10\.0\.0\.1:40000 the handshake failed: /)
        assert.deepStrictEqual((yield* server.stats).refusedBy, { HandshakeFailed: 1 })
      })))

  it.effect("is nobody else: their headers are bytes of the protocol", () =>
    test({ proxy: { from: [proxy] } }, (server) =>
      Effect.gen(function*() {
        const peer = yield* from(server, "10.0.0.2", header("192.0.2.1", 1), "hi\n")
        assert.match(peer.heard, /^PROXY TCP4 .*tcp:\/\/10\.0\.0\.2:40000\nhi tcp:\/\/10\.0\.0\.2:40000\n$/s)
      })))

  it.effect("is not counted itself, and its clients are, by their own addresses", () =>
    test({
      proxy: { from: [proxy] },
      perPeer: { maxConnections: 1 },
      deny: ["192.0.2.66"],
      allow: ["192.0.2.0/24"],
      overflow: "close"
    }, (server) =>
      Effect.gen(function*() {
        const hears = (client: string) =>
          Effect.map(from(server, proxy, header(client), "hi\n"), ({ heard }) => heard !== "")
        assert.isTrue(yield* hears("192.0.2.1"))
        assert.isTrue(yield* hears("192.0.2.2"))
        assert.isFalse(yield* hears("192.0.2.1"))
        assert.isFalse(yield* hears("192.0.2.66"))
        assert.isFalse(yield* hears("198.51.100.1"))
        const health = ProxyHeader.encodeUnsafe(ProxyHeader.local, 2)
        for (let i = 0; i < 2; i++) {
          assert.strictEqual((yield* from(server, proxy, health, "hi\n")).heard, "hi tcp://10.0.0.1:40000\n")
        }
        assert.deepStrictEqual(refused(server), [
          "tcp://192.0.2.1:40000 perPeer.maxConnections is 1",
          "tcp://192.0.2.66:40000 deny names the address",
          "tcp://198.51.100.1:40000 allow does not name the address"
        ])
      })))

  it.effect("brings clients that may wait for a place of theirs, and give the proxy's place to others meanwhile", () =>
    test({
      proxy: { from: [proxy] },
      maxConnections: 2,
      perPeer: { maxConnections: 1 },
      overflow: Admission.wait({ maxWaiting: 2, timeout: "1 minute", otherwise: "close" })
    }, (server) =>
      Effect.gen(function*() {
        const first = yield* from(server, proxy, header("192.0.2.1"), "hi\n")
        const second = yield* from(server, proxy, header("192.0.2.1"), "ho\n")
        const other = yield* from(server, proxy, header("192.0.2.2"), "hi\n")
        assert.deepStrictEqual([second.heard, other.heard], ["", "hi tcp://192.0.2.2:40000\n"])
        first.leave()
        yield* settle
        assert.strictEqual(second.heard, "ho tcp://192.0.2.1:40000\n")
      })))

  it.effect("gives its place to whoever waits for one, when its client must wait for another", () =>
    test({
      proxy: { from: [proxy] },
      maxConnections: 2,
      perPeer: { maxConnections: 1 },
      overflow: Admission.wait({ maxWaiting: 2, timeout: "1 minute", otherwise: "close" })
    }, (server) =>
      Effect.gen(function*() {
        yield* from(server, "192.0.2.1", "hi\n")
        const second = yield* server.net.visit(proxy)
        yield* settle
        const third = yield* from(server, "192.0.2.9", "hi\n")
        assert.strictEqual(third.heard, "")
        second.raw.write([header("192.0.2.1")])
        yield* settle
        assert.strictEqual(third.heard, "hi tcp://192.0.2.9:40000\n")
        assert.deepStrictEqual((yield* server.connections).map(({ state }) => state), ["open", "open", "waiting"])
      })))

  it.effect("that looks whether the port is open, or breaks, is no news", () =>
    test({ proxy: { from: [proxy] } }, (server, { logs }) =>
      Effect.gen(function*() {
        const looks = yield* server.net.visit(proxy)
        looks.leave()
        yield* settle
        const breaks = yield* server.net.visit(proxy)
        breaks.raw.reset()
        yield* settle
        assert.deepStrictEqual((yield* server.stats).refusedBy, { PeerClosed: 1, PeerReset: 1 })
        assert.deepStrictEqual(logs.filter(({ level }) => level === "Warn"), [])
      })))
})

describe("the handshake deadline", () => {
  it.effect("counts from the accept on, holds a place until then, and is told once per cooldown", () =>
    test({
      proxy: { from: [proxy] },
      maxConnections: 2,
      overflow: "close",
      linger: 0,
      deadlines: { handshake: 1_000 }
    }, (server, { logs, network }) =>
      Effect.gen(function*() {
        const slow = yield* server.net.visit(proxy)
        const silent = yield* server.net.visit(proxy)
        yield* settle
        assert.deepStrictEqual((yield* server.connections).map(({ state }) => state), ["handshaking", "handshaking"])
        assert.isDefined((yield* from(server, "192.0.2.9", "hi\n")).closed)
        for (let i = 0; i < 9; i++) {
          slow.raw.write([header("192.0.2.1").subarray(i, i + 1)])
          yield* pass(100)
        }
        assert.deepStrictEqual([slow.closed, silent.closed, (yield* server.stats).handshaking], [
          undefined,
          undefined,
          2
        ])
        yield* pass(100)
        assert.deepStrictEqual([slow.ended, silent.ended, network.open.size], [true, true, 0])
        assert.deepStrictEqual((yield* server.stats).refusedBy, { maxConnections: 1, HandshakeTimeout: 2 })
        assert.strictEqual(refused(server)[1], "tcp://10.0.0.1:40000 the handshake was not complete after 1000 ms")
        assert.strictEqual(logs.filter(({ message }) => message.startsWith("refused: the handshake")).length, 1)
        yield* server.setLimits({ deadlines: { handshake: 200 } })
        const third = yield* server.net.visit(proxy)
        yield* pass(200)
        assert.isTrue(third.ended)
      })))

  it.effect("that is shortened holds for those who shake hands already", () =>
    test({ proxy: { from: [proxy] }, deadlines: { handshake: "unbounded" } }, (server) =>
      Effect.gen(function*() {
        const peer = yield* server.net.visit(proxy)
        yield* pass(100_000, 10_000)
        assert.isFalse(peer.ended)
        yield* server.setLimits({ deadlines: { handshake: 1_000 } })
        yield* settle
        assert.isTrue(peer.ended)
      })))
})

describe("TLS", () => {
  /** A client of the server; `client` is the header that its proxy sends. */
  const secure = (server: Running, client: Uint8Array | undefined, options: Client.Options = {}) =>
    Effect.gen(function*() {
      const below = server.net.transport
      const connected: Array<Transport.RawSocket> = []
      const transport = Transport.Transport.of({
        ...below,
        connect: () =>
          Effect.map(server.net.dial(client === undefined ? "192.0.2.1" : proxy), (raw) => {
            if (client !== undefined) raw.write([client])
            connected.push(raw)
            return raw
          })
      })
      const made = yield* Client.make(Full, secureDoor, { tls: trusted.client, ...options }).pipe(
        Effect.provideService(Transport.Transport, transport)
      )
      return made
    })

  it.effect("comes behind the header of a proxy, and tells what was agreed", () =>
    test({ tls: trusted.server, proxy: { from: [proxy] } }, (server) =>
      Effect.gen(function*() {
        const direct = yield* secure(server, undefined)
        assert.strictEqual(yield* direct.call("hi"), "hi tls://192.0.2.1:40000")
        const proxied = yield* secure(server, header("192.0.2.7"))
        assert.strictEqual(yield* proxied.call("hi"), "hi tcp://192.0.2.7:40000")
        assert.deepStrictEqual(server.told.of("Secured").map(({ tls }) => [tls.protocol, tls.servername]), [
          ["TLSv1.3", "localhost"],
          ["TLSv1.3", "localhost"]
        ])
        const rows = yield* server.connections
        assert.deepStrictEqual(rows.map(({ tls }) => tls?.protocol), ["TLSv1.3", "TLSv1.3"])
        assert.strictEqual(String(server.endpoint), String(secureDoor))
      }), secureDoor))

  it.effect("uses what was reloaded, for whoever comes after that", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { tls: engine } = yield* Effect.provide(Transport.Transport, NodeTransport.layer)
        const context = yield* engine!.server(trusted.server)
        const server = yield* serve({ tls: context }, secureDoor)
        yield* (yield* secure(server, undefined)).call("hi")
        yield* context.reload({ certificates: [pair("stranger")] })
        const error = yield* Effect.flip(secure(server, undefined))
        assert.strictEqual(error._tag, "ConnectError")
      })
    ))

  it.effect("ends where a new rule is against the client, and not where its address is not known yet", () =>
    test({ tls: trusted.server, proxy: { from: [proxy] } }, (server, { network }) =>
      Effect.gen(function*() {
        const client = yield* server.net.visit("192.0.2.1")
        const unknown = yield* server.net.visit(proxy)
        yield* settle
        yield* server.setLimits({ deny: ["192.0.2.1", proxy] })
        yield* settle
        assert.deepStrictEqual([client.ended || client.closed !== undefined, unknown.closed], [true, undefined])
        const { handshaking, refusedBy } = yield* server.stats
        assert.deepStrictEqual({ handshaking, refusedBy, open: network.open.size }, {
          handshaking: 1,
          refusedBy: { Denied: 1 },
          open: 1
        })
      }), secureDoor))

  it.effect("with the context of another engine fails each handshake, and nothing else", () =>
    test(
      { tls: { certificates: [], notices: [], reload: () => Effect.void } },
      (server, { network }) =>
        Effect.gen(function*() {
          yield* server.net.visit("192.0.2.1")
          yield* settle
          assert.deepStrictEqual(refused(server), [
            "tcp://192.0.2.1:40000 the handshake failed: TypeError: a TLS context works with the engine that made it"
          ])
          assert.strictEqual(network.open.size, 0)
        }),
      secureDoor
    ))

  it.effect("is not what a peer in plain text gets: the log says so, and the deadline is one for both stages", () =>
    test(
      { tls: trusted.server, proxy: { from: [proxy] }, deadlines: { handshake: 1_000 } },
      (server, { logs }) =>
        Effect.gen(function*() {
          const plain = yield* from(server, "192.0.2.1", "GET / HTTP/1.1\r\n\r\n")
          yield* until("the end", () => plain.closed !== undefined || plain.ended)
          assert.isTrue(
            logs.some(({ level, message }) =>
              level === "Warn" && /^refused: the handshake failed: .*plain|HTTP/.test(message)
            )
          )
          const slow = yield* server.net.visit(proxy)
          yield* pass(900)
          slow.raw.write([header("192.0.2.8")])
          yield* settle
          assert.deepStrictEqual([slow.ended, (yield* server.stats).handshaking], [false, 1])
          yield* pass(100)
          yield* until("the end", () => slow.ended || slow.closed !== undefined)
          assert.deepStrictEqual((yield* server.stats).refusedBy, { HandshakeFailed: 1, HandshakeTimeout: 1 })
          assert.match(
            refused(server)[1] ?? "",
            /^tcp:\/\/192\.0\.2\.8:40000 the handshake was not complete after 1000 ms$/
          )
        }),
      secureDoor
    ))
})

it.effect("nobody says goodbye in plain text to a peer that waits for TLS", () =>
  test({ tls: trusted.server, maxConnections: 1 }, (server) =>
    Effect.gen(function*() {
      yield* server.net.visit("192.0.2.1")
      const refused = yield* server.net.visit("192.0.2.2")
      yield* settle
      assert.deepStrictEqual([refused.heard, refused.ended], ["", true])
      assert.deepStrictEqual(server.told.of("Refused").map(({ refusal }) => refusal), ["close"])
    }), secureDoor))

describe("a drain", () => {
  it.effect("lets a handshake end within announce, and ends it then", () =>
    test(
      { proxy: { from: [proxy] }, drain: { announce: 500, grace: 1_000, force: 100 } },
      (server) =>
        Effect.gen(function*() {
          const quick = yield* server.net.visit(proxy)
          const slow = yield* server.net.visit(proxy)
          yield* settle
          const fiber = yield* Effect.forkChild(server.drain)
          yield* pass(400)
          quick.raw.write([header("192.0.2.1"), new TextEncoder().encode("hi\n")])
          yield* settle
          assert.strictEqual(quick.heard, "hi tcp://192.0.2.1:40000\n")
          yield* pass(100)
          assert.isTrue(slow.ended)
          quick.leave()
          yield* pass(50)
          assert.isDefined(fiber.pollUnsafe())
          assert.deepStrictEqual(refused(server), ["tcp://10.0.0.1:40000 the server drained"])
          const { drained, forced, refused: turnedAway, served } = yield* server.drain
          assert.deepStrictEqual({ served, drained, forced, turnedAway }, {
            served: 0,
            drained: 1,
            forced: 0,
            turnedAway: 1
          })
        })
    ))

  it.effect("keeps its time while peers shake hands, with TLS and without", () =>
    test(
      { tls: trusted.server, drain: { announce: 0, grace: 0, force: 0 } },
      (server, { network }) =>
        Effect.gen(function*() {
          const peers: Array<Peer> = []
          for (let i = 0; i < 3; i++) peers.push(yield* server.net.visit("192.0.2.1"))
          // The beginning of a record with a handshake message.
          peers[1]?.raw.write([Uint8Array.of(22, 3, 1, 2, 0)])
          yield* settle
          assert.strictEqual((yield* server.stats).handshaking, 3)
          const report = yield* passing(server.drain)
          assert.deepStrictEqual([report.refused, (yield* server.stats).handshaking], [3, 0])
          yield* until("the end of all sockets", () => network.open.size === 0)
          assert.deepStrictEqual((yield* server.stats).refusedBy, { Drained: 3 })
        }),
      secureDoor
    ))
})
