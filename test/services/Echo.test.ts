import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Layer, Schema } from "effect"
import * as Client from "../../src/Client.ts"
import * as Codec from "../../src/Codec.ts"
import * as Connection from "../../src/Connection.ts"
import * as Framing from "../../src/Framing.ts"
import * as MemoryTransport from "../../src/MemoryTransport.ts"
import * as Server from "../../src/Server.ts"
import * as Echo from "../../src/services/Echo.ts"
import * as Goodbye from "../../src/services/Goodbye.ts"
import { exchange, exchangeBytes } from "./exchange.ts"

const served = (options?: Echo.Options) =>
  Effect.provide(Echo.layer("memory:echo", options).pipe(Layer.provideMerge(MemoryTransport.layer)))

const byte = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 })))

describe("bytes", () => {
  it.effect.prop(
    "come back as they went, however they are cut",
    { chunks: Arbitrary.array(Arbitrary.array(byte, { maxLength: 20 }), { maxLength: 20 }) },
    ({ chunks }) =>
      Effect.gen(function*() {
        const received = yield* exchangeBytes("memory:echo", chunks.map((chunk) => Uint8Array.from(chunk)))
        assert.deepStrictEqual(received, Uint8Array.from(chunks.flat()))
      }).pipe(served()),
    { arbitrary: { runs: 100 } }
  )

  it.effect("come back in any number", () =>
    Effect.gen(function*() {
      const chunk = Uint8Array.from({ length: 100_000 }, (_, n) => n * 31)
      const received = yield* exchangeBytes("memory:echo", Array.from({ length: 100 }, () => chunk))
      assert.strictEqual(received.length, 10_000_000)
      for (let at = 0; at < received.length; at += 100_000) {
        assert.isTrue(Buffer.compare(received.subarray(at, at + 100_000), chunk) === 0)
      }
    }).pipe(served()))
})

describe("the protocol", () => {
  it.effect("gives a client its texts back, in order", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(Echo.protocol(), "memory:echo")
      const texts = Array.from({ length: 200 }, (_, n) => `text ${n} 👩‍👩‍👧`)
      const replies = yield* Effect.forEach(texts, client.call, { concurrency: "unbounded" })
      assert.deepStrictEqual(replies, texts)
    }).pipe(Effect.scoped, served()))

  it.effect("goes one at a time over chunks", () =>
    Effect.gen(function*() {
      const framing = Framing.chunks({ maxFrameBytes: 100 })
      const client = yield* Client.make(Echo.protocol(framing, { depth: 1 }), "memory:echo")
      const replies = yield* Effect.forEach(["ab", "cd", "ef"], client.call, { concurrency: "unbounded" })
      assert.deepStrictEqual(replies, ["ab", "cd", "ef"])
    }).pipe(Effect.scoped, served()))
})

describe("with a framing", () => {
  it.effect("a frame comes back when it is complete, and one too large ends only its own connection", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* exchange("memory:echo", "ab\r\ncd"), "ab\ncd\n")
      assert.strictEqual(yield* exchange("memory:echo", `ab\n${"x".repeat(17)}\ncd\n`), "ab\n")
      assert.strictEqual(yield* exchange("memory:echo", "ef\n"), "ef\n")
    }).pipe(served({ framing: Framing.lines({ maxFrameBytes: 16, ending: "any", unterminated: "emit" }) })))
})

describe("a full server", () => {
  const second = Effect.gen(function*() {
    const first = yield* Connection.connect("memory:echo", Codec.bytes)
    yield* first.write([Uint8Array.of(1)])
    yield* first.pull
    return yield* exchange("memory:echo", "")
  }).pipe(Effect.scoped)

  it.effect("says so", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* second, Goodbye.full)
      assert.strictEqual((yield* Effect.flatMap(Server.Server, ({ stats }) => stats)).refused, 1)
    }).pipe(served({ maxConnections: 1 })))

  it.effect("says nothing in frames that cannot carry it", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* second, "")
    }).pipe(served({ maxConnections: 1, framing: Framing.fixed({ frameBytes: 1 }) })))
})
