import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Bytes, Effect, Schema } from "effect"
import * as ByteWriter from "../src/ByteWriter.ts"
import { NetArbitrary } from "../src/testing/index.ts"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const lengths = (segments: ReadonlyArray<Uint8Array>): ReadonlyArray<number> => segments.map((bytes) => bytes.length)

/** Sizes around the borders of copying and of the buffers. */
const sizes = Schema.Literals([0, 1, 2, 100, 1023, 1024, 1025, 4095, 4096, 4097, 9000, 65_535])

const operations = Arbitrary.array(Arbitrary.schema(
  Schema.Union([
    Schema.TaggedStruct("bytes", { size: sizes }),
    Schema.TaggedStruct("text", { character: Schema.Literals(["a", "é", "€", "😀"]), count: sizes }),
    Schema.TaggedStruct("u8", { byte: Schema.Literals([0, 10, 255]) }),
    Schema.TaggedStruct("reserve", { size: sizes })
  ])
))

describe("ByteWriter", () => {
  it.effect.prop("gives everything written, in order, and counts it", [operations], ([list]) =>
    Effect.sync(() => {
      const writer = ByteWriter.make()
      const expected: Array<Uint8Array> = []
      list.forEach((operation, i) => {
        switch (operation._tag) {
          case "bytes": {
            const bytes = new Uint8Array(operation.size).fill(i)
            writer.bytes(bytes)
            return expected.push(bytes)
          }
          case "text": {
            const text = operation.character.repeat(operation.count)
            writer.text(text)
            return expected.push(utf8(text))
          }
          case "u8":
            writer.u8(operation.byte)
            return expected.push(Uint8Array.of(operation.byte))
          case "reserve":
            writer.reserve(operation.size).fill(i)
            return expected.push(new Uint8Array(operation.size).fill(i))
        }
      })
      const whole = Bytes.concat(expected)
      assert.strictEqual(writer.size, whole.length)
      assert.deepStrictEqual(Bytes.concat(writer.take()), whole)
      assert.strictEqual(writer.size, 0)
      assert.deepStrictEqual(writer.take(), [])
    }), { arbitrary: { runs: 60, size: 20 } })

  it.effect.prop("writes text as TextEncoder does", [NetArbitrary.text()], ([text]) =>
    Effect.sync(() => {
      const writer = ByteWriter.make()
      writer.text(text)
      assert.deepStrictEqual(Bytes.concat(writer.take()), utf8(text))
    }))

  it("joins small pieces into one segment", () => {
    const writer = ByteWriter.make()
    writer.text("ab")
    writer.bytes(Uint8Array.of(1, 2, 3))
    writer.u8(4)
    writer.reserve(2).set([5, 6])
    assert.deepStrictEqual(writer.take(), [Uint8Array.of(97, 98, 1, 2, 3, 4, 5, 6)])
  })

  it("copies a piece of 4095 bytes and keeps one of 4096 by reference", () => {
    const writer = ByteWriter.make()
    const small = new Uint8Array(4095)
    const large = new Uint8Array(4096)
    writer.bytes(small)
    writer.bytes(large)
    writer.u8(1)
    const segments = writer.take()
    small.fill(7)
    assert.deepStrictEqual(lengths(segments), [4095, 4096, 1])
    assert.strictEqual(segments[0]?.[0], 0)
    assert.strictEqual(segments[1], large)
  })

  it("leaves segments alone once they are taken", () => {
    const writer = ByteWriter.make()
    writer.text("first")
    const taken = writer.take()
    writer.text("other")
    assert.deepStrictEqual(taken, [utf8("first")])
  })

  it("replaces a lone surrogate with U+FFFD", () => {
    const writer = ByteWriter.make()
    writer.text("\uD800")
    assert.deepStrictEqual(writer.take(), [utf8("\uFFFD")])
  })

  it("collects a thousand small pieces in few segments", () => {
    const writer = ByteWriter.make()
    for (let i = 0; i < 1000; i++) {
      writer.bytes(new Uint8Array(64))
    }
    assert.strictEqual(writer.size, 64_000)
    assert.isAtMost(writer.take().length, 5)
  })
})
