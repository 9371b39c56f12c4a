/** Requests that are lent over real sockets, whatever stands in front of the protocol. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Result } from "effect"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Codec, Endpoint, NodeTransport, ProxyHeader, Server, Transport } from "../src/index.ts"
import { NetArbitrary } from "../src/testing/index.ts"
import { turn } from "./support/lending.ts"
import { until } from "./support/nodeSockets.ts"
import * as requests from "./support/requests.ts"
import { trusted } from "./support/tls.ts"

/** How peers come to a server, and whether its sockets lend what they read. */
interface Way {
  readonly endpoint: string
  readonly isProxied: boolean
  readonly isLent: boolean
}

const [tcp, tls] = ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"]
const unix = `unix:${join(tmpdir(), `hawser-lent-${process.pid}.sock`)}`

const ways: Record<string, Way> = {
  "tcp": { endpoint: tcp, isProxied: false, isLent: true },
  "a unix socket": { endpoint: unix, isProxied: false, isLent: true },
  "tcp behind a proxy": { endpoint: tcp, isProxied: true, isLent: true },
  "tls": { endpoint: tls, isProxied: false, isLent: false },
  "tls behind a proxy": { endpoint: tls, isProxied: true, isLent: false }
}

const header = ProxyHeader.encodeUnsafe(
  ProxyHeader.fromEndpoints(Endpoint.tcpUnsafe("192.0.2.1", 4000), Endpoint.tcpUnsafe("192.0.2.2", 7)),
  2
)

/** Shakes hands over a socket that was dialled. */
const secure = Effect.fnUntraced(function*(below: Transport.RawSocket) {
  const engine = (yield* Transport.Transport).tls ?? assert.fail("no TLS")
  const context = yield* engine.client(trusted.client)
  return yield* Effect.callback<Transport.RawSocket>((resume) => {
    const raw: Transport.RawSocket = engine.connect(below, context, undefined, {
      onSecure: () => resume(Effect.succeed(raw)),
      onFailed: ({ code }) => resume(Effect.die(new Error(code)))
    })
  })
})

/** A visitor that begins with some bytes, in one write with what comes before them where that can be. */
const visit = Effect.fnUntraced(
  function*(at: Endpoint.Endpoint, { isProxied }: Way, first: Uint8Array, bytes?: number) {
    const isSecure = at._tag === "Tls"
    const transport = yield* Transport.Transport
    const below = yield* transport.connect(isSecure ? Endpoint.tcpUnsafe(at.host, at.port) : at)
    if (isProxied && isSecure) below.write([header])
    const raw = isSecure ? yield* secure(below) : below
    const ear = new requests.Listener(bytes ?? Number.POSITIVE_INFINITY)
    raw.attach(ear)
    raw.resume()
    raw.write(isProxied && !isSecure ? [header, first] : [first])
    return { raw, ear }
  }
)

/** A server that keeps the views of all requests. */
const serve = Effect.fnUntraced(function*({ endpoint, isProxied }: Way, wait: Effect.Effect<void>) {
  const kept: Array<Uint8Array> = []
  const server = yield* Server.make(requests.Plain, endpoint, (asked) => {
    kept.push(asked.body)
    return requests.answer(asked, wait)
  }, {
    requests: "lent",
    drain: { grace: 50, force: 50 },
    ...(isProxied ? { proxy: { from: ["127.0.0.1"] } } : {}),
    ...(endpoint === tls ? { tls: trusted.server } : {})
  })
  return { at: server.endpoint, kept }
})

const size = 1000
const frame = (plan: requests.Plan, seed: number) =>
  Result.getOrThrow(Codec.encode(requests.plain, { plan, body: requests.bodyOf({ seed, size }) }))
/** The bytes of one reply. */
const replyBytes = 4 + size

describe.each(Object.entries(ways))("over %s", (_, way) => {
  it.live("each visitor gets back exactly its own bytes, however the handler answers", () =>
    Effect.gen(function*() {
      const { at } = yield* serve(way, turn)
      yield* Effect.forEach([1, 2, 3, 4], (visitor) =>
        Effect.gen(function*() {
          const drawn = requests.plans.flatMap((plan, i) =>
            [10, 3000, 90_000].map((size, j) => ({ plan, size, seed: visitor * 50 + i * 3 + j, isBad: false }))
          )
          const { expected, sent } = requests.script(drawn, requests.plain)
          // Now in pieces, now many requests at once.
          const [first, ...others] = NetArbitrary.cut(sent, [7, 5000 * visitor, 50_000, 1, 120_000])
          const { ear, raw } = yield* visit(at, way, first!, expected.length)
          for (const chunk of others) {
            yield* turn
            raw.write([chunk])
          }
          const heard = yield* Deferred.await(ear.all)
          assert.isTrue(Buffer.compare(heard, expected) === 0, `${heard.length} bytes came for ${expected.length}`)
        }), { concurrency: "unbounded" })
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))

  it.live("a handler that waits sees none of the bytes that others send meanwhile", () =>
    Effect.gen(function*() {
      let latch = yield* Deferred.make<void>()
      const { at, kept } = yield* serve(way, Effect.suspend(() => Deferred.await(latch)))
      const expected = (seed: number) => requests.bodyOf({ seed, size })
      const before = yield* visit(at, way, frame("at once", 1))
      yield* until("the first answer", () => before.ear.bytes === replyBytes)
      const waiting = yield* visit(at, way, Buffer.concat([frame("waits", 100), frame("at once", 101)]))
      // In the second round its way here is behind it.
      for (const round of [0, 1]) {
        yield* until("the question", () => kept.at(-1)![0] === 100 + round * 2)
        const asked = kept.at(-1)!
        const behind = yield* visit(at, way, frame("at once", 2))
        yield* until("the answer", () => behind.ear.bytes === replyBytes)
        for (let i = 0; i < 5; i++) {
          for (const { ear, raw } of [before, behind]) {
            const length = ear.bytes
            raw.write([frame("at once", 3 + i)])
            yield* until("an answer", () => ear.bytes === length + replyBytes)
          }
        }
        assert.deepStrictEqual(asked, expected(100 + round * 2))
        // What the others sent was lent where it can be: it came to the same place.
        const [left, right] = kept.slice(-2)
        assert.strictEqual(left!.buffer === right!.buffer && left!.byteOffset === right!.byteOffset, way.isLent)
        yield* Deferred.succeed(latch, undefined)
        yield* until("both answers", () => waiting.ear.bytes === (round + 1) * 2 * replyBytes)
        latch = yield* Deferred.make<void>()
        if (round === 0) waiting.raw.write([frame("waits", 102), frame("at once", 103)])
      }
      const replies = [100, 101, 102, 103].map((seed) => Buffer.concat([Uint8Array.of(0, 0, 3, 232), expected(seed)]))
      assert.isTrue(Buffer.compare(waiting.ear.heard, Buffer.concat(replies)) === 0)
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))
})
