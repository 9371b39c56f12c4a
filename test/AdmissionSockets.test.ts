/** Turning away and waiting over real sockets, where the kernel has a say: unread input, early ends, resets. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { Admission, type Endpoint, NodeTransport, Protocol, Server, Transport } from "../src/index.ts"
import { collectLogs, counts, line, Network, peer, settle, Told, until, watch } from "./support/network.ts"

const Full = Protocol.make("full", { request: line, response: line, goodbye: { overLimit: "full" } })

const real = <A, E>(test: (network: Network) => Effect.Effect<A, E, Transport.Transport | Scope.Scope>) =>
  Effect.gen(function*() {
    const network = new Network()
    const transport = watch(network, yield* Transport.Transport)
    yield* test(network).pipe(Effect.scoped, Effect.provideService(Transport.Transport, transport))
    yield* until("no socket is left", () => network.open.size === 0)
  }).pipe(Effect.provide([NodeTransport.layer, collectLogs([])]))

const serve = Effect.fnUntraced(function*(endpoint: Endpoint.Input, options: Server.Options) {
  const told = new Told()
  const server = yield* Server.make(Full, endpoint, (text) => Effect.succeed(text), {
    maxConnections: 1,
    drain: { grace: 100, force: 100 },
    onEvent: (event) => void told.events.push(event),
    ...options
  })
  return { ...server, told }
})

const room = Admission.wait({ maxWaiting: 3, timeout: "10 seconds", otherwise: "close" })

describe.each(["tcp://127.0.0.1:0", "unix:@hawser-test-admission"])("over %s", (endpoint) => {
  it.live("the goodbye arrives although the client had already sent much", () =>
    real(() =>
      Effect.gen(function*() {
        const server = yield* serve(endpoint, {})
        yield* peer(server.endpoint)
        for (let i = 0; i < 20; i++) {
          const refused = yield* peer(server.endpoint)
          for (let j = 0; j < 10; j++) refused.send("x".repeat(50_000))
          yield* until("the end is heard", () => refused.ended)
          assert.deepStrictEqual([refused.heard, refused.closed], ["full\n", undefined])
          refused.send("more")
          refused.leave()
          yield* until("it is gone", () => refused.closed !== undefined)
          assert.deepStrictEqual(refused.closed, { code: undefined })
        }
        assert.strictEqual((yield* server.stats).refused, 20)
      })
    ))

  it.live("who waits is answered when it is in, also when it has ended its side, with data or without", () =>
    real(() =>
      Effect.gen(function*() {
        const server = yield* serve(endpoint, { overflow: room })
        const first = yield* peer(server.endpoint)
        yield* until("the first is in", () => server.told.of("Accepted").length === 1)
        const mute = yield* peer(server.endpoint)
        mute.raw.end()
        yield* until("one waits", () => server.told.of("Waiting").length === 1)
        const patient = yield* peer(server.endpoint)
        patient.send("hello\n")
        patient.raw.end()
        yield* until("two wait", () => server.told.of("Waiting").length === 2)
        yield* settle
        first.leave()
        yield* until("all are gone", () => server.told.of("Ended").length === 3)
        assert.deepStrictEqual(server.told.of("Ended").map(({ messagesIn, reason }) => [reason._tag, messagesIn]), [
          ["PeerClosed", 0],
          ["PeerClosed", 0],
          ["PeerClosed", 1]
        ])
        yield* until("the answer is heard", () => patient.ended)
        assert.deepStrictEqual([mute.heard, patient.heard], ["", "hello\n"])
      })
    ))
})

it.live("who waits on tcp and resets gives its place away", () =>
  real(() =>
    Effect.gen(function*() {
      const server = yield* serve("tcp://127.0.0.1:0", { overflow: room })
      const first = yield* peer(server.endpoint)
      const leaving = yield* peer(server.endpoint)
      yield* until("one waits", () => server.told.of("Waiting").length === 1)
      leaving.raw.reset()
      yield* until("it has left", () => server.told.of("Refused").length === 1)
      assert.deepStrictEqual(server.told.of("Refused").map(({ reason }) => reason), [{
        _tag: "PeerReset",
        code: "ECONNRESET"
      }])
      assert.deepStrictEqual(counts(yield* server.stats), { accepted: 1, open: 1, ended: 0, refused: 1, waiting: 0 })
      first.leave()
    })
  ))

it.live("who is reset on tcp sees a reset", () =>
  real(() =>
    Effect.gen(function*() {
      const server = yield* serve("tcp://127.0.0.1:0", { overflow: "reset" })
      yield* peer(server.endpoint)
      const seen = yield* peer(server.endpoint).pipe(
        Effect.tap((refused) => until("it is gone", () => refused.closed !== undefined)),
        Effect.map((refused) => refused.closed?.code),
        // It may come before the connect is seen to have succeeded.
        Effect.catchTag("ConnectError", ({ code }) => Effect.succeed(code))
      )
      assert.strictEqual(seen, "ECONNRESET")
    })
  ))
