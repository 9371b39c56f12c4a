import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import type * as ByteWriter from "../../src/ByteWriter.ts"
import type * as CloseReason from "../../src/CloseReason.ts"
import type * as Codec from "../../src/Codec.ts"
import * as Framing from "../../src/Framing.ts"
import { CodecLaws, Law, NetArbitrary } from "../../src/testing/index.ts"

/** The ways in which the codec below can be broken, and the law that each breaks. */
const bugs = {
  "loses a byte at a chunk boundary": "anyChunking",
  "reuses the bytes of its messages": "anyChunking",
  "is confused by an empty chunk": "anyChunking",
  "holds a part of the chunk": "lentChunks",
  "goes on decoding after a fatal error": "fatalIsFinal",
  "emits messages with a fatal error for ever": "fatalIsFinal",
  "forgives a fatal error": "fatalIsFinal",
  "buffers without limit": "boundedMemory",
  "buffers without limit and lies": "boundedMemory",
  "keeps what it has decoded while a frame is open": "boundedMemory",
  "writes half a message before refusing": "refusalWritesNothing",
  "gives a short message at the end": "truncation",
  "says that nothing is buffered": "truncation",
  "forgets to empty its count": "truncation",
  "decodes in the wrong order": "roundTrip",
  "decodes a wrong byte": "roundTrip",
  "changes the chunk": "roundTrip",
  "refuses everything": "roundTrip",
  "accepts what is too large": "oversize",
  "sends what is too large": "oversize",
  "waits for all of what is too large": "oversize",
  "writes a part of what is too large": "oversize",
  "loses the messages before one that is too large": "oversize",
  "throws on garbage": "neverThrows",
  "gives the same recoverable error for ever": "neverThrows",
  "shares the buffer of all streams": "independentStreams"
} as const

type Bug = keyof typeof bugs

const maxFrameBytes = 6

const empty = new Uint8Array(0)

const isBad = (payload: Uint8Array): boolean => (payload[0] ?? 0) >= 0x80

/** Frames of one length byte and as many bytes; a length of 0xff is fatal, a payload from 0x80 on is bad. */
class ToyDecoder implements Codec.Decoder<Uint8Array> {
  private readonly bug: Bug | undefined
  private readonly state: { held: Uint8Array }
  private fatal: CloseReason.FrameError | undefined = undefined
  private reported = 0
  private given = 0

  constructor(bug: Bug | undefined, state: { held: Uint8Array }) {
    this.bug = bug
    this.state = state
  }

  get bytesBuffered(): number {
    switch (this.bug) {
      case "says that nothing is buffered":
        return 0
      case "forgets to empty its count":
        return this.reported
      case "keeps what it has decoded while a frame is open":
        return this.state.held.length > 0 ? this.given : 0
      case "buffers without limit and lies":
        return Math.min(this.state.held.length, maxFrameBytes)
      default:
        return this.state.held.length
    }
  }

  decode(chunk: Uint8Array, out: Codec.Output<Uint8Array>): CloseReason.FrameError | undefined {
    const made: Array<Uint8Array> = []
    this.given += chunk.length
    const error = this.run(chunk, made)
    this.reported = Math.max(this.reported, this.state.held.length)
    if (this.bug === "decodes in the wrong order") {
      made.reverse()
    }
    if (error?._tag !== "FrameTooLarge" || this.bug !== "loses the messages before one that is too large") {
      for (const message of made) out.push(message)
    }
    return error
  }

  end(out: Codec.Output<Uint8Array>): CloseReason.FrameError | undefined {
    const bufferedBytes = this.state.held.length
    if (this.fatal !== undefined || bufferedBytes === 0) {
      return this.fatal
    }
    if (this.bug === "gives a short message at the end") {
      out.push(this.state.held.slice(1))
      return undefined
    }
    return this.fail({ _tag: "FrameTruncated", bufferedBytes })
  }

  private run(chunk: Uint8Array, out: Codec.Output<Uint8Array>): CloseReason.FrameError | undefined {
    if (this.fatal !== undefined && this.bug !== "goes on decoding after a fatal error") {
      if (this.bug === "emits messages with a fatal error for ever") {
        out.push(chunk)
      }
      return this.bug === "forgives a fatal error" ? undefined : this.fatal
    }
    if (this.bug === "loses a byte at a chunk boundary" && this.state.held.length === 1 && chunk.length > 1) {
      this.state.held = empty
    }
    if (this.bug === "is confused by an empty chunk" && chunk.length === 0 && this.state.held.length > 1) {
      return this.fail({ _tag: "FrameCorrupt", message: "an empty chunk", recoverable: false })
    }
    const isFirst = this.state.held.length === 0
    this.state.held = isFirst && this.bug === "holds a part of the chunk"
      ? chunk
      : Uint8Array.from([...this.state.held, ...chunk])
    while (this.state.held.length > 0) {
      const held = this.state.held
      const size = held[0] ?? 0
      if (size === 0xff && this.bug === "throws on garbage") {
        throw new RangeError("garbage")
      }
      if (size === 0xff && !this.bug?.startsWith("buffers without limit")) {
        return this.fail({ _tag: "FrameCorrupt", message: "length of 255", recoverable: false })
      }
      const accepts = this.bug === "accepts what is too large" || this.bug?.startsWith("buffers without limit") === true
      const waits = this.bug === "waits for all of what is too large" && held.length < 1 + size
      if (size > maxFrameBytes && !accepts && !waits) {
        return this.fail({ _tag: "FrameTooLarge", bytes: size, maxFrameBytes, direction: "inbound" })
      }
      if (held.length < 1 + size) {
        return undefined
      }
      const message = held.subarray(1, 1 + size)
      if (isBad(message)) {
        this.state.held = this.bug === "gives the same recoverable error for ever" ? held : held.slice(1 + size)
        return { _tag: "FrameCorrupt", message: "payload begins with 80 or more", recoverable: true }
      }
      this.state.held = this.bug === "reuses the bytes of its messages"
        ? this.shift(held, 1 + size)
        : this.bug === "holds a part of the chunk"
        ? held.subarray(1 + size)
        : held.slice(1 + size)
      if (this.bug === "decodes a wrong byte" && message[0] === 0x61) {
        message[0] = 0x62
      }
      if (this.bug === "changes the chunk") {
        chunk.fill(0)
      }
      out.push(message)
    }
    return undefined
  }

  private shift(held: Uint8Array, bytes: number): Uint8Array {
    held.copyWithin(0, bytes)
    return held.subarray(0, held.length - bytes)
  }

  private fail(error: CloseReason.FrameError): CloseReason.FrameError {
    this.state.held = empty
    this.fatal = error
    return error
  }
}

const toy = (bug?: Bug): Codec.Codec<Uint8Array> => {
  const shared = { held: empty }
  return {
    decoder: () => new ToyDecoder(bug, bug === "shares the buffer of all streams" ? shared : { held: empty }),
    encode: (message: Uint8Array, writer: ByteWriter.ByteWriter) => {
      if (bug === "refuses everything") {
        return { _tag: "FrameCorrupt", message: "no", recoverable: true }
      }
      if (bug === "writes half a message before refusing") {
        writer.u8(message.length)
      }
      if (isBad(message)) {
        return { _tag: "FrameCorrupt", message: "payload begins with 80 or more", recoverable: true }
      }
      if (message.length > maxFrameBytes && bug !== "sends what is too large") {
        if (bug === "writes a part of what is too large") {
          writer.u8(message.length)
        }
        return { _tag: "FrameTooLarge", bytes: message.length, maxFrameBytes, direction: "outbound" }
      }
      if (bug !== "writes half a message before refusing") {
        writer.u8(message.length)
      }
      writer.bytes(message)
      return undefined
    },
    maxFrameBytes
  }
}

const spec = (bug?: Bug, options?: Law.Options): CodecLaws.Spec<Uint8Array> => ({
  codec: toy(bug),
  messages: NetArbitrary.bytes({ maxBytes: 7 }),
  overheadBytes: 1,
  oversize: {
    streams: Arbitrary.map(NetArbitrary.bytes({ minBytes: 20 }), (bytes) => Uint8Array.from([20, ...bytes])),
    messages: NetArbitrary.bytes({ minBytes: maxFrameBytes + 1 }).pipe(
      Arbitrary.map((bytes) => bytes.map((byte) => byte & 0x7f))
    )
  },
  options: { runs: 300, ...options }
})

describe("CodecLaws", () => {
  it.effect("hold for a codec that is right", () => CodecLaws.all(spec()))

  it.effect("hold for a codec that fills the time between frames with delimiters", () => {
    const cobs = Framing.escaped({ stuffing: "cobs", delimiters: "around", maxFrameBytes: 8 })
    const encode: Codec.Codec<Uint8Array>["encode"] = (message, writer) => {
      if (message.length <= 8) writer.bytes(new Uint8Array(20))
      return cobs.encode(message, writer)
    }
    return CodecLaws.boundedMemory({
      codec: { ...cobs, encode },
      messages: NetArbitrary.bytes({ maxBytes: 8 }),
      overheadBytes: 2,
      options: { runs: 300, seed: 1 }
    })
  })

  for (const [name, law] of Object.entries(bugs)) {
    it.effect(`${law} is broken by a codec that ${name}`, () =>
      Effect.gen(function*() {
        // Object.entries widens the keys of `bugs` to text.
        const violation = yield* Effect.flip(CodecLaws.laws[law](spec(name as Bug)))
        assert.strictEqual(violation._tag, "LawViolation")
        assert.strictEqual(violation.law, `CodecLaws.${law}`)
        assert.isAbove(violation.broken.length, 0)
      }))
  }

  it.effect("see what was written of a message that is too large", () =>
    Effect.gen(function*() {
      const messages = Arbitrary.map(NetArbitrary.bytes(), (bytes) => new Uint8Array(maxFrameBytes + 1 + bytes.length))
      const codec = toy("writes a part of what is too large")
      const violation = yield* Effect.flip(CodecLaws.oversize({ codec, messages, oversize: { messages } }))
      assert.strictEqual(violation.broken, "1 bytes of a message that is too large were written")
    }))

  it.effect("show a small input that breaks the law, and what happened", () =>
    Effect.gen(function*() {
      const violation = yield* Effect.flip(CodecLaws.anyChunking(spec("loses a byte at a chunk boundary")))
      const { counterexample } = violation
      assert(Schema.is(Schema.Struct({ bytes: Schema.Uint8Array, chunking: Schema.Array(Schema.Int) }))(counterexample))
      assert.isAtMost(counterexample.bytes.length, 4)
      assert.isAtMost(counterexample.chunking.length, 2)
      assert.include(violation.message, "CodecLaws.anyChunking: at once gives ")
      assert.include(violation.message, `\nreplay: ${violation.replay}`)
    }))

  it.effect("replay a violation from its token", () =>
    Effect.gen(function*() {
      const first = yield* Effect.flip(CodecLaws.roundTrip(spec("decodes a wrong byte")))
      assert.deepStrictEqual(first.counterexample, [Uint8Array.of(0x61)])
      const again = yield* Effect.flip(CodecLaws.roundTrip(spec("decodes a wrong byte", { replay: first.replay })))
      assert.deepStrictEqual(again.counterexample, first.counterexample)
      assert.strictEqual(again.replay, first.replay)
    }))

  it.effect("stop at the first law that is broken", () =>
    Effect.gen(function*() {
      const violation = yield* Effect.flip(CodecLaws.all(spec("writes half a message before refusing")))
      assert.strictEqual(violation.law, "CodecLaws.roundTrip")
    }))
})

describe("Law", () => {
  it.effect("reports what a property failed with and a thrown defect alike", () =>
    Effect.gen(function*() {
      const failed = yield* Effect.flip(
        Law.check("some law", Schema.Int, (n) => n > 3 ? Effect.fail(`${n} > 3`) : Effect.void)
      )
      assert.deepInclude(failed, { law: "some law", broken: "4 > 3", counterexample: 4 })
      const threw = yield* Effect.flip(Law.checkSync("other law", NetArbitrary.byte, (n) => {
        throw new Error(`boom ${n}`)
      }))
      assert.deepInclude(threw, { broken: "it threw Error: boom 0", counterexample: 0 })
    }))

  it.effect("is a violation when no input can be drawn", () =>
    Effect.gen(function*() {
      const nothing = Arbitrary.filter(Arbitrary.schema(Schema.Int), () => false)
      const violation = yield* Effect.flip(Law.checkSync("some law", nothing, () => undefined))
      assert.include(violation.broken, "exhausted")
    }))
})

describe("NetArbitrary", () => {
  it.effect.prop(
    "cuts join to the whole",
    [NetArbitrary.bytes(), NetArbitrary.chunking],
    ([bytes, chunking]) =>
      Effect.sync(() => {
        const chunks = NetArbitrary.cut(bytes, chunking)
        assert.deepStrictEqual(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])), bytes)
        assert.isTrue(chunks.slice(0, -1).every((chunk, i) => chunk.length === chunking[i]))
      })
  )

  it("cuts in every way, each once", () => {
    const ways = [...NetArbitrary.everyCut(Uint8Array.of(1, 2, 3, 4))].map((chunks) =>
      chunks.map((chunk) => chunk.join("")).join(" ")
    )
    assert.strictEqual(new Set(ways).size, 8)
    assert.includeMembers(ways, ["1234", "1 2 3 4", "12 34", "1 234"])
    assert.strictEqual([...NetArbitrary.everyCut(new Uint8Array(0))].length, 1)
  })

  it.effect("draws terminators, empty chunks and text of all widths", () =>
    Effect.gen(function*() {
      const bytes = yield* Arbitrary.sampleEffect(NetArbitrary.bytes(), { count: 200 })
      const drawn = new Set(bytes.flatMap((all) => [...all]))
      assert.isTrue([0, 10, 13, 255].every((byte) => drawn.has(byte)))
      const chunkings = yield* Arbitrary.sampleEffect(NetArbitrary.chunking, { count: 200 })
      assert.isTrue(chunkings.some((sizes) => sizes.includes(0)))
      const texts = yield* Arbitrary.sampleEffect(NetArbitrary.text(), { count: 200 })
      assert.isTrue(texts.every((text) => text.isWellFormed()))
      assert.isTrue(["é", "€", "😀", "\uFEFF"].every((character) => texts.some((text) => text.includes(character))))
    }))

  it.effect("respects the sizes asked for", () =>
    Effect.gen(function*() {
      const bytes = yield* Arbitrary.sampleEffect(NetArbitrary.bytes({ minBytes: 2, maxBytes: 3 }), { count: 100 })
      assert.isTrue(bytes.every((all) => all.length === 2 || all.length === 3))
    }))

  it.effect("shrinks a chunking to the one cut that matters", () =>
    Effect.gen(function*() {
      const inputs = Arbitrary.all({ bytes: NetArbitrary.bytes({ minBytes: 4 }), chunking: NetArbitrary.chunking })
      const violation = yield* Effect.flip(Law.checkSync("never cut after the second byte", inputs, (input) =>
        NetArbitrary.cut(input.bytes, input.chunking)[0]?.length === 2 ? "cut" : undefined))
      assert.deepStrictEqual(violation.counterexample, { bytes: new Uint8Array(4), chunking: [2] })
    }))
})
