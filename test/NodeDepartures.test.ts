/** When what many sockets write leaves together, and that nothing of it is lost or overlooked. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Scope } from "effect"
import { TestClock } from "effect/testing"
import type * as Net from "node:net"
import { Duplex } from "node:stream"
import { Codec, Endpoint, NodeTransport, Server, Transport } from "../src/index.ts"
import { type Departing, Departures, WorthWhile } from "../src/internal/nodeDepartures.ts"
import { NodeSocket } from "../src/internal/nodeSocket.ts"
import { passing, peer, settle, Told, until } from "./support/network.ts"

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const bytes = (text: string) => new TextEncoder().encode(text)

/** Departures by a clock that stands still, and what left. */
const quay = (worthWhile: number) => {
  const left: Array<string> = []
  const buffers: Array<ArrayBufferLike> = []
  const clock = { now: 0 }
  const system = { isFull: false }
  const departures = new Departures(worthWhile, () => clock.now)
  const socket = (name: string): Departing => ({
    depart: (chunk) => {
      left.push(`${name}${chunk.length < 100 ? new TextDecoder().decode(chunk) : chunk.length}`)
      buffers.push(chunk.buffer)
      return !system.isFull
    }
  })
  /** Writes of so many sockets; says of each whether it waits. */
  const writes = (count: number) =>
    Array.from({ length: count }, (_, i) => departures.take(socket(`${i}`), [bytes("x")]))
  return { departures, left, buffers, clock, system, socket, writes }
}

const each = (count: number, waits: boolean) => Array.from({ length: count }, () => waits)

describe("writes", () => {
  it.effect("leave at once where there are few in a turn, however many turns there are", () =>
    Effect.gen(function*() {
      const { left, writes } = quay(4)
      for (let i = 0; i < 100; i++) {
        assert.deepStrictEqual(writes(3), each(3, false))
        yield* turn
      }
      assert.deepStrictEqual(left, [])
    }))

  it.effect("leave at the end of the turn behind one with many, until there are few again", () =>
    Effect.gen(function*() {
      const { left, writes } = quay(4)
      assert.deepStrictEqual(writes(4), each(4, false))
      yield* turn
      assert.deepStrictEqual([writes(5), left], [each(5, true), []])
      yield* turn
      assert.deepStrictEqual(left.splice(0), ["0x", "1x", "2x", "3x", "4x"])
      assert.deepStrictEqual([writes(3), left], [each(3, true), []])
      yield* turn
      assert.deepStrictEqual(left.splice(0), ["0x", "1x", "2x"])
      // Now nobody counts for a while.
      assert.deepStrictEqual(writes(128), each(128, false))
      yield* turn
      for (let i = 0; i < 2; i++) {
        assert.deepStrictEqual(writes(4), each(4, false))
        yield* turn
      }
      assert.deepStrictEqual(writes(1), [true])
    }))

  it.effect("are counted in whole turns, wherever in one the counting begins", () =>
    Effect.gen(function*() {
      for (let count = 20; count < 160; count += 3) {
        const { left, writes } = quay(20)
        writes(1)
        yield* turn
        for (let i = 0; i < 12; i++) {
          writes(count)
          yield* turn
        }
        assert.isNotEmpty(left, `${count} in a turn`)
      }
    }))

  it.effect("leave in order, each socket's own, whole", () =>
    Effect.gen(function*() {
      const { departures, left, socket } = quay(0)
      const [a, b] = [socket("a"), socket("b")]
      departures.take(a, [bytes("1"), bytes("2")])
      departures.take(b, [])
      departures.take(b, [bytes("3")])
      departures.take(a, [bytes("4")])
      yield* turn
      assert.deepStrictEqual(left, ["a12", "b3", "a4"])
    }))

  it("that are large leave at once, behind those that wait", () => {
    const { departures, left, socket } = quay(0)
    assert.isTrue(departures.take(socket("a"), [new Uint8Array(32_768)]))
    assert.isFalse(departures.take(socket("b"), [new Uint8Array(32_768), new Uint8Array(1)]))
    assert.deepStrictEqual(left, ["a32768"])
  })

  it("leave when there is no room for more, and more find room the next time", () => {
    const { buffers, departures, left, socket } = quay(0)
    const full: Array<number> = []
    for (let i = 0; i < 100; i++) {
      const before = left.length
      assert.isTrue(departures.take(socket(`${i}:`), [new Uint8Array(5_000)]))
      if (left.length > before) full.push(left.length - before)
    }
    assert.deepStrictEqual(full.slice(0, 5), [3, 6, 13, 26, 26])
    assert.deepStrictEqual(left.slice(0, 2), ["0:5000", "1:5000"])
    assert.deepStrictEqual(Array.from(new Set(buffers), (buffer) => buffer.byteLength), [
      16_384,
      32_768,
      65_536,
      131_072
    ])
  })

  it.effect("wait a millisecond while others are computed, and none waits for a while where that took longer", () =>
    Effect.gen(function*() {
      const { clock, departures, left, socket, writes } = quay(0)
      assert.isTrue(departures.take(socket("a"), [bytes("1")]))
      clock.now += 1
      assert.isTrue(departures.take(socket("b"), [bytes("2")]))
      assert.deepStrictEqual(left, [])
      clock.now += 0.1
      assert.isFalse(departures.take(socket("c"), [bytes("3")]))
      assert.deepStrictEqual(left.splice(0), ["a1", "b2"])
      assert.deepStrictEqual(writes(2), each(2, false))
      yield* turn
      assert.deepStrictEqual(writes(129), each(129, false))
      yield* turn
      assert.deepStrictEqual(writes(1), [false])
      yield* turn
      assert.deepStrictEqual([writes(1), left], [[true], []])
    }))

  it("wait from when the first of them came, also where others left for want of room", () => {
    const { clock, departures, socket } = quay(0)
    for (let i = 0; i < 40; i++) {
      clock.now += 0.15
      assert.isTrue(departures.take(socket("a"), [new Uint8Array(30_000)]), `${i}`)
    }
  })

  it("are written over only when the system has taken them", () => {
    const { buffers, departures, system, writes } = quay(0)
    for (const isFull of [false, true, false]) {
      system.isFull = isFull
      writes(2)
      departures.flush()
    }
    const [first, , second, , third] = buffers
    assert.strictEqual(first, second)
    assert.notStrictEqual(second, third)
  })

  it("leave in a small buffer again behind one that a peer does not empty", () => {
    const { buffers, departures, socket, system } = quay(0)
    for (let i = 0; i < 8; i++) departures.take(socket("a"), [new Uint8Array(30_000)])
    system.isFull = true
    departures.flush()
    departures.take(socket("a"), [bytes("1")])
    departures.flush()
    assert.strictEqual(buffers.at(-1)?.byteLength, 16_384)
  })
})

/** A socket over a stream whose system takes `room` writes at once, and others when it is asked to. */
const berth = (room: number) => {
  const taken: Array<string> = []
  const waits: Array<() => void> = []
  const left = { room }
  const stream = new Duplex({
    highWaterMark: 4,
    read() {},
    write(chunk: Buffer, _, done) {
      taken.push(chunk.toString())
      if (left.room-- > 0) done()
      else waits.push(done)
    }
  })
  const departures = new Departures(0, () => 0)
  const raw = new NodeSocket(1, stream as Net.Socket, Endpoint.unixUnsafe(""), { departures }) // all that it needs of one
  const heard: Array<string> = []
  raw.attach({
    onData() {},
    onEnd() {},
    onDrain: () => void heard.push("drain"),
    onUnsent: (mustWait) => void heard.push(mustWait ? "wait" : "unsent"),
    onClose: () => void heard.push("close")
  })
  const write = (text: string) => raw.write([bytes(text)])
  return { heard, raw, taken, waits, write }
}

describe("a socket", () => {
  it.effect("tells what did not leave, behind the call that found it out, and whether to wait", () =>
    Effect.gen(function*() {
      const { heard, raw, taken, waits, write } = berth(0)
      assert.deepStrictEqual([write("1"), raw.bytesUnsent, taken], [true, 0, []])
      yield* turn
      assert.deepStrictEqual([taken, heard, raw.bytesUnsent], [["1"], ["unsent"], 1])
      // By itself from now on, until it can be done with the others again.
      assert.deepStrictEqual([write("2"), write("34")], [true, false])
      yield* turn
      assert.deepStrictEqual([taken, heard], [["1"], ["unsent"]])
      while (waits.length > 0) {
        waits.shift()?.()
        yield* turn
      }
      assert.deepStrictEqual([taken, heard, raw.bytesUnsent], [["1", "2", "34"], ["unsent", "drain"], 0])
      assert.isTrue(write("5"))
      assert.strictEqual(taken.length, 3)
    }))

  it.effect("waits for the drain where too much did not leave", () =>
    Effect.gen(function*() {
      const { heard, waits, write } = berth(0)
      assert.deepStrictEqual([write("12"), write("34"), write("56")], [true, true, true])
      yield* turn
      assert.deepStrictEqual(heard, ["wait"])
      while (waits.length > 0) {
        waits.shift()?.()
        yield* turn
      }
      assert.deepStrictEqual(heard.slice(1), ["drain"])
    }))

  it.effect.each<[what: string, act: (raw: Transport.RawSocket) => void]>([
    ["ends", (raw) => raw.end()],
    ["is destroyed", (raw) => raw.destroy()],
    ["is reset", (raw) => raw.reset()],
    ["is given to TLS", (raw) => void (raw as NodeSocket).release()]
  ])("lets go what waits when it %s", ([, act]) =>
    Effect.sync(() => {
      const { raw, taken, write } = berth(9)
      write("1")
      act(raw)
      assert.deepStrictEqual(taken, ["1"])
    }))

  it.effect("that is destroyed with what did not leave tells its end, and nothing behind it", () =>
    Effect.gen(function*() {
      const { heard, raw, write } = berth(0)
      yield* turn
      setImmediate(() => {
        write("12345")
        raw.destroy()
      })
      yield* turn
      yield* turn
      assert.deepStrictEqual(heard, ["close"])
    }))

  it.effect("that is gone is written to by nobody, and told nothing", () =>
    Effect.gen(function*() {
      const { heard, raw, taken, write } = berth(0)
      write("12345")
      ;(raw as unknown as { readonly socket: Duplex }).socket.destroy()
      yield* turn
      assert.deepStrictEqual([taken, heard], [[], ["close"]])
    }))
})

/** The transport whose writes all wait for the end of the turn, and the sockets that it accepted. */
const waiting = Effect.fnUntraced(function*() {
  const accepted: Array<Transport.RawSocket> = []
  const transport = yield* Effect.provide(
    Transport.Transport,
    Layer.provide(NodeTransport.layer, Layer.succeed(WorthWhile, 0))
  )
  return {
    accepted,
    transport: Transport.Transport.of({
      ...transport,
      listen: (endpoint, options) =>
        transport.listen(endpoint, {
          ...options,
          onAccept: (raw) => {
            accepted.push(raw)
            options.onAccept(raw)
          }
        })
    })
  }
})

it.effect("a peer is known not to read when what waited for the end of a turn did not leave", () =>
  Effect.gen(function*() {
    const { accepted, transport } = yield* waiting()
    const scope = yield* Scope.make()
    yield* Effect.gen(function*() {
      const told = new Told()
      const server = yield* Server.makeConnection(
        Codec.bytes,
        "tcp://127.0.0.1:0",
        (connection) =>
          Effect.gen(function*() {
            // The last write is one that was thought to have left: whoever writes no more sees nothing of that.
            while (accepted[0]?.bytesUnsent === 0) {
              yield* connection.write([new Uint8Array(32_768)])
              yield* turn
            }
            return yield* connection.pull
          }),
        {
          deadlines: { idle: "unbounded", firstFrame: "unbounded", write: 8_000 },
          linger: 0,
          onEvent: (event) => void told.events.push(event)
        }
      )
      const client = yield* peer(server.endpoint)
      client.raw.pause()
      yield* until("the peer's window is full", () => (accepted[0]?.bytesUnsent ?? 0) > 0)
      yield* settle
      yield* TestClock.adjust(9_000)
      yield* until("the end", () => told.ends.length > 0)
      assert.deepStrictEqual(told.ends, ["the peer did not read for 8000 ms"])
    }).pipe(
      Scope.provide(scope),
      Effect.onExit((exit) => passing(Scope.close(scope, exit))),
      Effect.provideService(Transport.Transport, transport)
    )
  }))
