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

  it("copies a piece of 32,767 bytes and keeps one of 32,768 by reference", () => {
    const writer = ByteWriter.make()
    const small = new Uint8Array(32_767)
    const large = new Uint8Array(32_768)
    writer.bytes(small)
    writer.bytes(large)
    writer.u8(1)
    const segments = writer.take()
    small.fill(7)
    assert.deepStrictEqual(lengths(segments), [32_767, 32_768, 1])
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

  it.effect.prop("writes unsigned integers of any width, both ways", [
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
    Schema.Literals([1, 2, 3, 4, 5, 6, 7, 8])
  ], ([drawn, width]) =>
    Effect.sync(() => {
      const value = drawn % 256 ** width
      const big = new Uint8Array(8)
      new DataView(big.buffer).setBigUint64(0, BigInt(value))
      const writer = ByteWriter.make()
      writer.u8(1)
      writer.uint(value, width, "big")
      writer.uint(value, width, "little")
      const expected = big.slice(8 - width)
      assert.deepStrictEqual(Bytes.concat(writer.take()), Uint8Array.of(1, ...expected, ...expected.toReversed()))
    }))
})

/** What one of several writers does next; `left` says that the wire is done with what was taken, where nothing waits. */
const steps = Arbitrary.array(
  Arbitrary.schema(Schema.Struct({
    writer: Schema.Literals([0, 1, 2]),
    does: Schema.Literals(["bytes", "bytes", "text", "reserve", "take", "take", "left", "left"]),
    size: Schema.Literals([1, 5, 100, 1023, 1024, 4000, 4096, 70_000])
  })),
  { maxLength: 60 }
)

describe("writers that share a spare buffer", () => {
  it.effect.prop(
    "never write over what another one has written or the wire still needs",
    [steps],
    ([list]) =>
      Effect.sync(() => {
        const spare: ByteWriter.Spare = { buffer: undefined }
        const writers = [0, 1, 2].map(() => ({
          writer: ByteWriter.make(spare),
          waiting: [] as Array<Uint8Array>,
          taken: [] as Array<{ readonly segments: ReadonlyArray<Uint8Array>; readonly expected: Uint8Array }>
        }))
        const check = () => {
          for (const { taken } of writers) {
            for (const { expected, segments } of taken) assert.deepStrictEqual(Bytes.concat(segments), expected)
          }
        }
        list.forEach(({ does, size, writer: index }, i) => {
          const { taken, waiting, writer } = writers[index]!
          const piece = new Uint8Array(size).fill(32 + i)
          switch (does) {
            case "bytes":
              writer.bytes(piece)
              return waiting.push(piece)
            case "text":
              writer.text(String.fromCharCode(32 + i).repeat(size))
              return waiting.push(piece)
            case "reserve": {
              const room = writer.reserve(size)
              assert.deepStrictEqual(room, new Uint8Array(size))
              room.set(piece)
              return waiting.push(piece)
            }
            case "take":
              taken.push({ segments: writer.take(), expected: Bytes.concat(waiting.splice(0)) })
              return check()
            case "left":
              // Said also while something waits: then it must do nothing.
              if (waiting.length === 0) taken.splice(0)
              return writer.reuse()
          }
        })
        for (const { taken, waiting, writer } of writers) {
          taken.push({ segments: writer.take(), expected: Bytes.concat(waiting) })
        }
        check()
      }),
    { arbitrary: { runs: 300, size: 60 } }
  )

  it("keep nothing by reference while the spare says so", () => {
    const spare: ByteWriter.Spare = { buffer: undefined, isCopying: true }
    const writer = ByteWriter.make(spare)
    const large = new Uint8Array(200_000).fill(1)
    writer.bytes(large)
    const [copied] = writer.take()
    spare.isCopying = false
    writer.bytes(large)
    const [kept] = writer.take()
    large.fill(2)
    assert.deepStrictEqual([copied?.length, copied?.[0], kept], [200_000, 1, large])
  })

  it("pass on the largest buffer that came back, and none above 128 KiB", () => {
    const spare: ByteWriter.Spare = { buffer: undefined }
    const write = (size: number) => {
      const writer = ByteWriter.make(spare)
      writer.reserve(size)
      writer.take()
      writer.reuse()
      return spare.buffer?.length
    }
    assert.deepStrictEqual([1, 5000, 1, 131_072, 140_000, 10].map(write), [1024, 5000, 5000, 131_072, 131_072, 131_072])
  })

  it("have none while one of them writes", () => {
    const spare: ByteWriter.Spare = { buffer: undefined }
    const [first, second] = [ByteWriter.make(spare), ByteWriter.make(spare)]
    first.u8(1)
    first.take()
    first.reuse()
    const buffer = spare.buffer
    second.u8(2)
    assert.strictEqual(second.take()[0]?.buffer, buffer?.buffer)
    assert.strictEqual(spare.buffer, undefined)
  })

  it("one that was too small for a batch gives way to one that is not", () => {
    const spare: ByteWriter.Spare = { buffer: undefined }
    const segments = Array.from({ length: 4 }, () => {
      const writer = ByteWriter.make(spare)
      for (let i = 0; i < 200; i++) writer.bytes(new Uint8Array(100))
      const { length } = writer.take()
      writer.reuse()
      return length
    })
    assert.deepStrictEqual(segments.slice(2), [1, 1])
  })
})
