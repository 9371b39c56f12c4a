import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { Endpoint, MemoryTransport, Transport } from "../src/index.ts"
import { keepsTheLaws, YieldingAnywhere } from "./support/connectionLaws.ts"
import { until } from "./support/nodeSockets.ts"

describe("memory", () => keepsTheLaws({ endpoint: "memory:laws" }, MemoryTransport.layer))
describe("memory, with fibers that yield anywhere", () =>
  keepsTheLaws({ endpoint: "memory:laws" }, MemoryTransport.layer, () => new YieldingAnywhere()))

const endpoint = Endpoint.memoryUnsafe("here")

/** Writes down what a raw socket tells. */
class Ear implements Transport.RawHandler {
  readonly heard: Array<string> = []
  bytes = 0

  onData(chunk: Uint8Array): void {
    this.bytes += chunk.length
    this.heard.push(`data ${chunk.length}`)
  }
  onEnd(): void {
    this.heard.push("end")
  }
  onDrain(): void {
    this.heard.push("drain")
  }
  onClose(code: string | undefined): void {
    this.heard.push(code === undefined ? "close" : `close ${code}`)
  }
}

const listen = Effect.fnUntraced(function*(transport: Transport.Transport["Service"]) {
  const accepted: Array<Transport.RawSocket> = []
  const listener = yield* transport.listen(endpoint, { backlog: 1, onAccept: (raw) => accepted.push(raw) })
  return { accepted, listener }
})

/** Two raw sockets, both with an ear, both flowing. */
const pair = Effect.gen(function*() {
  const transport = yield* MemoryTransport.make
  const { accepted } = yield* listen(transport)
  const client = yield* transport.connect(endpoint)
  yield* until("the accept", () => accepted.length > 0)
  const server = accepted[0]!
  const [clientEar, serverEar] = [new Ear(), new Ear()]
  client.attach(clientEar)
  server.attach(serverEar)
  client.resume()
  server.resume()
  return { client, server, clientEar, serverEar }
})

/** Enough turns for memory to do all it has to do. */
const settle = Effect.repeat(
  Effect.callback<void>((resume) => {
    setImmediate(() => resume(Effect.void))
  }),
  { times: 20 }
)

it.effect("what is written is copied, also from a Buffer", () =>
  Effect.gen(function*() {
    const { client, server } = yield* pair
    const received: Array<Uint8Array> = []
    server.attach(
      Object.assign(new Ear(), {
        onData: (chunk: Uint8Array) => {
          received.push(chunk)
        }
      })
    )
    const bytes = Buffer.from([1, 2, 3])
    client.write([bytes])
    bytes.fill(9)
    yield* settle
    assert.deepStrictEqual(received, [Uint8Array.of(1, 2, 3)])
  }))

it.effect("each layer is a network of its own", () =>
  Effect.gen(function*() {
    const [one, other] = [yield* MemoryTransport.make, yield* MemoryTransport.make]
    yield* listen(one)
    const error = yield* Effect.flip(Effect.scoped(other.connect(endpoint)))
    assert.deepStrictEqual(
      error,
      new Transport.ConnectError({ endpoint, reason: "Refused", code: "ECONNREFUSED" })
    )
  }))

it.effect("knows no other endpoints", () =>
  Effect.gen(function*() {
    const transport = yield* MemoryTransport.make
    const tcp = Endpoint.tcpUnsafe("127.0.0.1", 0)
    assert.deepStrictEqual(
      yield* Effect.flip(transport.listen(tcp, { backlog: 1, onAccept() {} })),
      new Transport.BindError({ endpoint: tcp, reason: "Unsupported", code: "Tcp" })
    )
    assert.deepStrictEqual(
      yield* Effect.flip(transport.connect(tcp)),
      new Transport.ConnectError({ endpoint: tcp, reason: "Unsupported", code: "Tcp" })
    )
  }))

it.effect("a write beyond the window says wait, and drains when the peer has read", () =>
  Effect.gen(function*() {
    const { client, clientEar, server, serverEar } = yield* pair
    server.pause()
    assert.isTrue(client.write([new Uint8Array(65_535)]))
    assert.isFalse(client.write([new Uint8Array(100_000)]))
    assert.strictEqual(client.bytesUnsent, 99_999)
    yield* settle
    assert.deepStrictEqual([clientEar.heard, serverEar.heard], [[], []])
    server.resume()
    yield* settle
    assert.deepStrictEqual([clientEar.heard, serverEar.bytes, client.bytesUnsent], [["drain"], 165_535, 0])
  }))

it.effect("who was told to wait is told to go on, whatever it writes before", () =>
  Effect.gen(function*() {
    const { client, clientEar, server, serverEar } = yield* pair
    let more: boolean | undefined = undefined
    server.attach({
      onData: (chunk) => {
        // The window is free, and the writer does not know it yet.
        more ??= client.write([new Uint8Array(1)])
        serverEar.onData(chunk)
      },
      onEnd() {},
      onDrain() {},
      onClose() {}
    })
    assert.isFalse(client.write([new Uint8Array(70_000)]))
    yield* until("the data", () => serverEar.bytes === 70_001)
    assert.isFalse(more)
    yield* until("the drain", () => clientEar.heard.length > 0)
    assert.deepStrictEqual(clientEar.heard, ["drain"])
  }).pipe(Effect.scoped))

it.effect("what both sides ended closes when all has left", () =>
  Effect.gen(function*() {
    const { client, clientEar, server, serverEar } = yield* pair
    server.pause()
    client.write([new Uint8Array(100_000)])
    client.end()
    server.end()
    yield* settle
    assert.deepStrictEqual(clientEar.heard, ["end"])
    server.resume()
    yield* settle
    assert.deepStrictEqual([clientEar.heard, serverEar.bytes, serverEar.heard.slice(-2)], [
      ["end", "drain", "close"],
      100_000,
      ["end", "close"]
    ])
  }))

it.effect("destroying loses what the window did not take, and ends", () =>
  Effect.gen(function*() {
    const { client, clientEar, server, serverEar } = yield* pair
    server.pause()
    client.write([new Uint8Array(65_000), new Uint8Array(1000), new Uint8Array(100)])
    client.destroy()
    server.resume()
    yield* settle
    assert.deepStrictEqual([clientEar.heard, serverEar.bytes, serverEar.heard.at(-1)], [["close"], 65_536, "end"])
  }))

it.effect("destroying with unread input resets the peer", () =>
  Effect.gen(function*() {
    const { client, clientEar, server, serverEar } = yield* pair
    server.pause()
    client.write([new Uint8Array(10)])
    server.destroy()
    yield* settle
    assert.deepStrictEqual([clientEar.heard, serverEar.heard], [["close ECONNRESET"], ["close"]])
  }))

it.effect("writing to a peer that is gone breaks the socket", () =>
  Effect.gen(function*() {
    const { client, clientEar, server } = yield* pair
    server.destroy()
    yield* settle
    client.write([new Uint8Array(1)])
    yield* settle
    assert.deepStrictEqual(clientEar.heard, ["end", "close EPIPE"])
  }))

it.effect("who dials a listener that closes at once is reset", () =>
  Effect.gen(function*() {
    const transport = yield* MemoryTransport.make
    const { accepted, listener } = yield* listen(transport)
    const client = yield* transport.connect(endpoint)
    yield* listener.close
    const ear = new Ear()
    client.attach(ear)
    yield* settle
    assert.deepStrictEqual([accepted, ear.heard], [[], ["close ECONNRESET"]])
  }))

it.effect("a busy network does not starve the event loop", () =>
  Effect.gen(function*() {
    const { client, server } = yield* pair
    // Each answers the other at once, for ever.
    const player = (raw: Transport.RawSocket) =>
      raw.attach(
        Object.assign(new Ear(), {
          onData: (chunk: Uint8Array) => {
            raw.write([chunk])
          }
        })
      )
    player(client)
    player(server)
    client.write([new Uint8Array(1)])
    yield* settle
    client.destroy()
  }))

it.effect("closing the scope of a listener twice over leaves nothing", () =>
  Effect.gen(function*() {
    const transport = yield* MemoryTransport.make
    for (let i = 0; i < 2; i++) {
      const scope = yield* Scope.make()
      const { accepted } = yield* Scope.provide(listen(transport), scope)
      const client = yield* transport.connect(endpoint)
      const ear = new Ear()
      client.attach(ear)
      client.resume()
      yield* until("the accept", () => accepted.length > 0)
      yield* Scope.close(scope, Exit.void)
      yield* settle
      assert.deepStrictEqual(ear.heard, ["end"])
    }
  }))
