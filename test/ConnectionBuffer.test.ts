/**
 * One buffer for the writes of all connections: no connection ever sends what another one wrote, whatever the raw
 * sockets still hold, and whatever the codecs do.
 */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Bytes, Effect, Schema, type Scope } from "effect"
import { type CloseReason, Codec, Connection, Endpoint, type Transport } from "../src/index.ts"

/** A raw socket that sends nothing before it is told to, and keeps what it was handed until then. */
class Holding implements Transport.RawSocket {
  readonly id = 1
  readonly local = Endpoint.memoryUnsafe("here")
  readonly peer = Endpoint.memoryUnsafe("there")
  /** Everything that has left. */
  sent = new Uint8Array(0)
  private readonly held: Array<Uint8Array> = []
  private handler: Transport.RawHandler | undefined = undefined

  get bytesUnsent(): number {
    return this.held.reduce((sum, segment) => sum + segment.length, 0)
  }
  attach(handler: Transport.RawHandler): void {
    this.handler = handler
  }
  pause(): void {}
  resume(): void {}
  unshift(): void {}
  write(segments: ReadonlyArray<Uint8Array>): boolean {
    this.held.push(...segments)
    return true
  }
  /** Sends some of the segments, the first ones first. */
  send(count: number): void {
    this.sendQuietly(count)
    if (this.held.length === 0) this.handler?.onDrain()
  }
  /** The same, without a word: nobody was told to wait for one. Gives the memory that they were in. */
  sendQuietly(count: number): Array<ArrayBufferLike> {
    const segments = this.held.splice(0, count)
    this.sent = Bytes.concat([this.sent, ...segments])
    return segments.map((segment) => segment.buffer)
  }
  end(): void {}
  destroy(): void {
    this.handler?.onClose(undefined)
  }
  reset(): void {
    this.destroy()
  }
}

const open = <In, Out>(
  codec: Codec.Codec<In, Out>
): Effect.Effect<readonly [Connection.Connection<In, Out>, Holding], never, Scope.Scope> =>
  Effect.suspend(() => {
    const raw = new Holding()
    return Effect.map(
      Connection.fromRawSocket(raw, codec, { linger: 0 }),
      (connection) => [connection, raw] as const
    )
  })

/** Copies small messages, and keeps large ones by reference. */
const encode = (message: Uint8Array, writer: Parameters<typeof Codec.bytes.encode>[1]) => {
  writer.u8(message.length & 0xff)
  writer.bytes(message)
  return undefined
}

const steps = Arbitrary.array(
  Arbitrary.schema(Schema.Struct({
    connection: Schema.Literals([0, 1, 2]),
    does: Schema.Literals(["write", "write", "send one", "send all", "send all", "send quietly"]),
    size: Schema.Literals([1, 10, 1000, 3000, 5000])
  })),
  { maxLength: 60 }
)

describe("connections share one buffer", () => {
  it.effect.prop(
    "and each sends what was written to it, whenever the kernel takes it",
    [steps],
    ([list]) =>
      Effect.scoped(Effect.gen(function*() {
        const connections = yield* Effect.forEach([0, 1, 2], () => open({ ...Codec.bytes, encode }))
        const expected: Array<Array<Uint8Array>> = [[], [], []]
        for (const [i, { connection: index, does, size }] of list.entries()) {
          const [connection, raw] = connections[index]!
          if (does === "write") {
            const message = new Uint8Array(size).fill(i)
            yield* connection.write([message, message])
            for (let twice = 0; twice < 2; twice++) expected[index]!.push(Uint8Array.of(size & 0xff), message)
          } else if (does === "send quietly") {
            raw.sendQuietly(Infinity)
          } else {
            raw.send(does === "send one" ? 1 : Infinity)
          }
        }
        for (const [i, [, raw]] of connections.entries()) {
          raw.send(Infinity)
          assert.deepStrictEqual(raw.sent, Bytes.concat(expected[i]!))
        }
      })),
    { arbitrary: { runs: 200, size: 60 } }
  )

  it.effect("that comes back to a write behind one that left without a word, as through TLS", () =>
    Effect.scoped(Effect.gen(function*() {
      const [connection, raw] = yield* open(Codec.bytes)
      const memory = []
      // More than any one buffer holds.
      for (let byte = 0; byte < 20; byte++) {
        yield* connection.write([new Uint8Array(30_000).fill(byte)])
        memory.push(...raw.sendQuietly(Infinity))
      }
      assert.strictEqual(memory.length, 20)
      assert.isAtMost(new Set(memory).size, 2)
      assert.deepStrictEqual(Array.from([0, 29_999, 30_000, 599_999], (at) => raw.sent[at]), [0, 0, 1, 19])
    })))

  it.effect("when a codec writes to another connection while it encodes", () =>
    Effect.scoped(Effect.gen(function*() {
      const [other, otherRaw] = yield* open(Codec.bytes)
      const run = Effect.runSyncWith(yield* Effect.context<never>())
      const telling: Codec.Codec<Uint8Array> = {
        ...Codec.bytes,
        encode: (message, writer) => {
          writer.u8(1)
          run(other.write([Uint8Array.of(7, 7, 7)]))
          otherRaw.send(Infinity)
          writer.bytes(message)
          run(other.write([Uint8Array.of(8)]))
          return undefined
        }
      }
      const [connection, raw] = yield* open(telling)
      for (let i = 0; i < 3; i++) {
        yield* connection.write([Uint8Array.of(2, 3)])
        raw.send(Infinity)
      }
      otherRaw.send(Infinity)
      assert.deepStrictEqual(raw.sent, Uint8Array.of(1, 2, 3, 1, 2, 3, 1, 2, 3))
      assert.deepStrictEqual(otherRaw.sent, Uint8Array.of(7, 7, 7, 8, 7, 7, 7, 8, 7, 7, 7, 8))
    })))

  for (const how of ["throws", "refuses"] as const) {
    it.effect(`when a codec ${how} in the middle of a message`, () =>
      Effect.scoped(Effect.gen(function*() {
        const fault: CloseReason.FrameError = { _tag: "FrameCorrupt", message: "no", recoverable: false }
        const breaking: Codec.Codec<Uint8Array> = {
          ...Codec.bytes,
          encode: (message, writer) => {
            writer.bytes(message)
            if (message[0] !== 9) return undefined
            if (how === "refuses") return fault
            throw new Error("no")
          }
        }
        const [connection, raw] = yield* open(breaking)
        const [other, otherRaw] = yield* open(Codec.bytes)
        yield* Effect.ignore(connection.write([Uint8Array.of(1, 2), Uint8Array.of(9, 9, 9)]))
        yield* other.write([Uint8Array.of(5, 5, 5, 5)])
        yield* Effect.ignore(connection.write([Uint8Array.of(9, 9)]))
        yield* connection.write([Uint8Array.of(3, 4)])
        raw.send(Infinity)
        yield* other.write([Uint8Array.of(6)])
        yield* connection.write([Uint8Array.of(5)])
        raw.send(Infinity)
        otherRaw.send(Infinity)
        assert.deepStrictEqual(raw.sent, Uint8Array.of(1, 2, 3, 4, 5))
        assert.deepStrictEqual(otherRaw.sent, Uint8Array.of(5, 5, 5, 5, 6))
      })))
  }
})
