import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Context, Effect, pipe, Result, Schema, SchemaGetter } from "effect"
import * as ByteWriter from "../src/ByteWriter.ts"
import type * as CloseReason from "../src/CloseReason.ts"
import * as Codec from "../src/Codec.ts"
import * as Framing from "../src/Framing.ts"
import { CodecLaws, NetArbitrary } from "../src/testing/index.ts"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const framing = Framing.lines({ maxFrameBytes: 64, ending: "lf", unterminated: "reject" })
const prefixed = Framing.lengthPrefixed({ maxFrameBytes: 64, widthBytes: 1 })
const lines = Codec.text(framing)

/** Decimal numbers, refusing what is none. */
const numbers = Codec.mapResult(lines, {
  decode: (text) => /^\d+$/.test(text) ? Result.succeed(Number(text)) : Result.fail(`not a number: ${text}`),
  encode: (n) => n >= 0 ? Result.succeed(String(n)) : Result.fail("negative")
})

const corrupt = (message: string) => ({ _tag: "FrameCorrupt" as const, message, recoverable: true })
const truncated = (bufferedBytes: number) => ({ _tag: "FrameTruncated" as const, bufferedBytes })

/** One stream, step by step. */
class Steps<in out A> {
  readonly decoder: Codec.Decoder<A>
  constructor(codec: Codec.Codec<A, never>) {
    this.decoder = codec.decoder()
  }
  decode(text: string): { messages: Array<A>; error: CloseReason.FrameError | undefined } {
    const messages: Array<A> = []
    return { error: this.decoder.decode(utf8(text), messages), messages }
  }
  end(): { messages: Array<A>; error: CloseReason.FrameError | undefined } {
    const messages: Array<A> = []
    return { error: this.decoder.end(messages), messages }
  }
}

const lawful = <A, B>(name: string, spec: CodecLaws.Spec<A, B>): void => {
  describe(`${name} keeps the law`, () => {
    for (const [law, check] of Object.entries(CodecLaws.laws)) {
      it.effect(law, () => check(spec))
    }
  })
}

const Point = Schema.Struct({ x: Schema.Finite, label: Schema.optionalKey(Schema.String) })
const numberArbitrary = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: -5, maximum: 500 })))

lawful("text over lines", { codec: lines, messages: NetArbitrary.text() })
lawful("text with replacement", {
  codec: Codec.text(prefixed, { invalid: "replace" }),
  messages: NetArbitrary.text(),
  oversize: { messages: Arbitrary.map(NetArbitrary.text(), (text) => text + "x".repeat(65)) }
})
lawful("json", { codec: Codec.json(framing, Point), messages: Point })
lawful("schema over text", { codec: Codec.schema(lines, Schema.FiniteFromString), messages: Schema.Finite })
lawful("map", {
  codec: Codec.map(lines, { decode: (text) => [text], encode: ([text]: ReadonlyArray<string>) => text ?? "" }),
  messages: Arbitrary.map(NetArbitrary.text(), (text) => [text])
})
lawful("mapResult", { codec: numbers, messages: numberArbitrary })
lawful("mapResult twice", {
  codec: Codec.mapResult(numbers, {
    decode: (n) => n % 2 === 0 ? Result.succeed({ half: n / 2 }) : Result.fail("odd"),
    encode: ({ half }) => Result.succeed(half * 2)
  }),
  messages: Arbitrary.map(numberArbitrary, (half) => ({ half }))
})
lawful("attempt", {
  codec: Codec.attempt(Codec.json(prefixed, Point)),
  messages: Point,
  matches: (decoded, sent) => Result.isSuccess(decoded) && JSON.stringify(decoded.success) === JSON.stringify(sent)
})
lawful("mapResult at an unterminated end", {
  codec: Codec.mapResult(Codec.text(Framing.lines({ maxFrameBytes: 8, ending: "any", unterminated: "emit" })), {
    decode: (text) => text === "bad" ? Result.fail(text) : Result.succeed(text),
    encode: (text) => Result.succeed(text)
  }),
  messages: Schema.Union([Schema.Literals(["bad", "good", ""]), Schema.String]).pipe(
    Arbitrary.schema,
    Arbitrary.filter((text) => text !== "bad" && text.isWellFormed())
  ),
  unterminated: "emit"
})

describe("map", () => {
  it("transforms both ways", () => {
    const shout = Codec.map(lines, {
      decode: (text) => text.toUpperCase(),
      encode: (text) => text.toLowerCase()
    })
    assert.deepStrictEqual(Codec.decodeAll(shout, utf8("a\nb\n")), { messages: ["A", "B"], error: undefined })
    assert.deepStrictEqual(Codec.encode(shout, "AB"), Result.succeed(utf8("ab\n")))
  })

  it("keeps the error and the limit of the codec inside", () => {
    const sizes = pipe(
      framing,
      Codec.map({ decode: (bytes) => bytes.length, encode: (n) => new Uint8Array(n) })
    )
    assert.strictEqual(sizes.maxFrameBytes, 64)
    assert.deepStrictEqual(Codec.decodeAll(sizes, utf8("abc\nd")), { messages: [3], error: truncated(1) })
  })
})

describe("mapResult", () => {
  it("stops at a bad message and goes on behind it", () => {
    const steps = new Steps(numbers)
    assert.deepStrictEqual(steps.decode("1\nx\n2\ny\n3\n4"), { messages: [1], error: corrupt("not a number: x") })
    assert.isAbove(steps.decoder.bytesBuffered, 1)
    assert.deepStrictEqual(steps.decode(""), { messages: [2], error: corrupt("not a number: y") })
    assert.deepStrictEqual(steps.decode(""), { messages: [3], error: undefined })
    assert.strictEqual(steps.decoder.bytesBuffered, 1)
    assert.deepStrictEqual(steps.decode("5\n"), { messages: [45], error: undefined })
    assert.strictEqual(steps.decoder.bytesBuffered, 0)
  })

  it("stands between frames after a bad message that was the last", () => {
    const steps = new Steps(numbers)
    assert.deepStrictEqual(steps.decode("1\nx\n"), { messages: [1], error: corrupt("not a number: x") })
    assert.strictEqual(steps.decoder.bytesBuffered, 0)
    assert.deepStrictEqual(steps.end(), { messages: [], error: undefined })
  })

  it("keeps the order when the reader gives chunks without asking for the rest", () => {
    const steps = new Steps(numbers)
    assert.deepStrictEqual(steps.decode("x\n1\ny\n"), { messages: [], error: corrupt("not a number: x") })
    assert.deepStrictEqual(steps.decode("2\nz\n3\n"), { messages: [1], error: corrupt("not a number: y") })
    assert.deepStrictEqual(steps.decode("4\n"), { messages: [2], error: corrupt("not a number: z") })
    assert.isAbove(steps.decoder.bytesBuffered, 0)
    assert.deepStrictEqual(steps.decode(""), { messages: [3, 4], error: undefined })
    assert.strictEqual(steps.decoder.bytesBuffered, 0)
  })

  it("gives what is left at the end, and then the error of the end", () => {
    const steps = new Steps(numbers)
    assert.deepStrictEqual(steps.decode("x\n1\ny\n2\n3"), { messages: [], error: corrupt("not a number: x") })
    assert.deepStrictEqual(steps.end(), { messages: [1], error: corrupt("not a number: y") })
    assert.deepStrictEqual(steps.end(), { messages: [2], error: truncated(1) })
    assert.deepStrictEqual(steps.end(), { messages: [], error: truncated(1) })
  })

  it("gives chunks that waited before the end", () => {
    const steps = new Steps(numbers)
    assert.deepStrictEqual(steps.decode("x\n1\ny\n2\n"), { messages: [], error: corrupt("not a number: x") })
    assert.deepStrictEqual(steps.decode("3\n4"), { messages: [1], error: corrupt("not a number: y") })
    assert.deepStrictEqual(steps.end(), { messages: [2, 3], error: truncated(1) })
    assert.strictEqual(steps.decoder.bytesBuffered, 0)
  })

  it("drops chunks that waited when an error is fatal", () => {
    const steps = new Steps(numbers)
    const fatal = { _tag: "FrameTooLarge" as const, bytes: 65, maxFrameBytes: 64, direction: "inbound" as const }
    assert.deepStrictEqual(steps.decode(`x\n1\ny\n${"9".repeat(65)}`), {
      messages: [],
      error: corrupt("not a number: x")
    })
    assert.deepStrictEqual(steps.decode("2\n"), { messages: [1], error: corrupt("not a number: y") })
    assert.deepStrictEqual(steps.decode("3\n"), { messages: [], error: fatal })
    assert.strictEqual(steps.decoder.bytesBuffered, 0)
    assert.deepStrictEqual(steps.decode(""), { messages: [], error: fatal })
  })

  it("gives the messages before a fatal error, then nothing more", () => {
    const steps = new Steps(numbers)
    const fatal = { _tag: "FrameTooLarge" as const, bytes: 65, maxFrameBytes: 64, direction: "inbound" as const }
    assert.deepStrictEqual(steps.decode(`1\nx\n2\n${"9".repeat(65)}\n3\n`), {
      messages: [1],
      error: corrupt("not a number: x")
    })
    assert.deepStrictEqual(steps.decode("4\n"), { messages: [2], error: fatal })
    assert.deepStrictEqual(steps.decode("5\n"), { messages: [], error: fatal })
    assert.deepStrictEqual(steps.end(), { messages: [], error: fatal })
    assert.strictEqual(steps.decoder.bytesBuffered, 0)
  })

  it("writes nothing of a message that it refuses", () => {
    const writer = ByteWriter.make()
    assert.deepStrictEqual(numbers.encode(-1, writer), corrupt("negative"))
    assert.strictEqual(writer.size, 0)
  })
})

describe("attempt", () => {
  it("makes results of good and bad messages, in order", () => {
    const bad = (text: string) => Result.fail(corrupt(`not a number: ${text}`))
    assert.deepStrictEqual(Codec.decodeAll(Codec.attempt(numbers), utf8("1\nx\n2\n\n")), {
      messages: [Result.succeed(1), bad("x"), Result.succeed(2), bad("")],
      error: undefined
    })
  })

  it("leaves fatal errors", () => {
    assert.deepStrictEqual(Codec.decodeAll(Codec.attempt(numbers), utf8("x\n1")), {
      messages: [Result.fail(corrupt("not a number: x"))],
      error: truncated(1)
    })
  })

  it("encodes plain messages", () => {
    assert.deepStrictEqual(Codec.encode(Codec.attempt(numbers), 7), Result.succeed(utf8("7\n")))
  })
})

describe("text", () => {
  const invalid = Uint8Array.of(0x61, 0xc3, 0x0a, 0x62, 0x0a)

  it("rejects bytes that are not UTF-8, recoverably", () => {
    assert.deepStrictEqual(Codec.decodeAll(Codec.attempt(lines), invalid), {
      messages: [Result.fail(corrupt("2 bytes are not valid UTF-8")), Result.succeed("b")],
      error: undefined
    })
  })

  it("replaces them when told to", () => {
    const replacing = Codec.text(framing, { invalid: "replace" })
    assert.deepStrictEqual(Codec.decodeAll(replacing, invalid), { messages: ["a\uFFFD", "b"], error: undefined })
    assert.deepStrictEqual(Codec.encode(replacing, "a\uD800"), Result.succeed(utf8("a\uFFFD\n")))
  })

  it("accepts U+FFFD that the peer sent", () => {
    assert.deepStrictEqual(Codec.decodeAll(lines, utf8("a\uFFFD\n")), { messages: ["a\uFFFD"], error: undefined })
  })

  it("refuses to encode a lone surrogate", () => {
    assert.deepStrictEqual(Codec.encode(lines, "a\uD800"), Result.fail(corrupt("text has a lone surrogate")))
  })

  it("keeps a byte order mark", () => {
    assert.deepStrictEqual(Codec.decodeAll(lines, utf8("\uFEFFa\n")), { messages: ["\uFEFFa"], error: undefined })
  })

  it("encodes short and long text, ASCII or not", () => {
    const long = Codec.text(Framing.lengthPrefixed({ maxFrameBytes: 1 << 16, widthBytes: 4 }))
    for (const text of ["", "a", "héllo", "a".repeat(4096), "é".repeat(5000), "a".repeat(5000)]) {
      const bytes = Result.getOrThrow(Codec.encode(long, text))
      assert.deepStrictEqual(bytes.subarray(4), utf8(text))
    }
  })

  it("is data-last too", () => {
    assert.deepStrictEqual(Codec.decodeAll(pipe(framing, Codec.text()), utf8("a\n")).messages, ["a"])
    assert.deepStrictEqual(Codec.decodeAll(pipe(framing, Codec.text({ invalid: "replace" })), invalid).messages[1], "b")
  })
})

describe("schema and json", () => {
  const points = Codec.json(framing, Point)

  it("decodes and encodes one JSON text per frame", () => {
    assert.deepStrictEqual(Codec.decodeAll(points, utf8(`{"x":1}\n{"x":2,"label":"b"}\n`)), {
      messages: [{ x: 1 }, { x: 2, label: "b" }],
      error: undefined
    })
    assert.deepStrictEqual(
      Codec.encode(points, { x: 1, label: "a\nb" }),
      Result.succeed(utf8(`{"x":1,"label":"a\\nb"}\n`))
    )
  })

  it("says what is wrong without quoting the input, and goes on", () => {
    const wire = `{"x":"secret"}\nsecret\n{}\n\xff\n{"x":3}\n`
    const bytes = Uint8Array.from(wire, (character) => character.charCodeAt(0))
    const { error, messages } = Codec.decodeAll(Codec.attempt(points), bytes)
    assert.strictEqual(error, undefined)
    assert.deepStrictEqual(messages, [
      Result.fail(corrupt(`Expected number at ["x"]`)),
      Result.fail(corrupt("text is not valid JSON")),
      Result.fail(corrupt(`Missing key at ["x"]`)),
      Result.fail(corrupt("1 bytes are not valid UTF-8")),
      Result.succeed({ x: 3 })
    ])
  })

  it("bounds the message of an error", () => {
    const strict = Codec.json(
      Framing.lengthPrefixed({ maxFrameBytes: "unbounded" }),
      Schema.Record(Schema.String, Schema.Finite)
    )
    const wire = Result.getOrThrow(
      Codec.encode(Codec.text(Framing.lengthPrefixed({ maxFrameBytes: "unbounded" })), `{"${"k".repeat(5000)}":"x"}`)
    )
    const { error } = Codec.decodeAll(strict, wire)
    assert.strictEqual(error?._tag, "FrameCorrupt")
    assert.isAtMost(error?._tag === "FrameCorrupt" ? error.message.length : 0, 200)
  })

  it("refuses to encode what the schema or JSON does not allow", () => {
    const writer = ByteWriter.make()
    assert.deepStrictEqual(points.encode({ x: NaN }, writer), corrupt(`Expected a finite number at ["x"]`))
    const anything = Codec.json(framing, Schema.Unknown)
    assert.deepStrictEqual(anything.encode(undefined, writer), corrupt("value has no JSON form"))
    assert.deepStrictEqual(anything.encode(1n, writer), corrupt("value has no JSON form"))
    assert.strictEqual(writer.size, 0)
  })

  it("is data-last too, over any codec of the encoded side", () => {
    const codec = pipe(framing, Codec.text(), Codec.schema(Schema.FiniteFromString))
    assert.deepStrictEqual(Codec.decodeAll(codec, utf8("42\n")).messages, [42])
    assert.deepStrictEqual(Codec.decodeAll(pipe(framing, Codec.json(Point)), utf8(`{"x":1}\n`)).messages, [{ x: 1 }])
  })

  it("takes no schema of another encoded side, and none that needs services", () => {
    class Zone extends Context.Service<Zone, string>()("test/Zone") {}
    const needsZone = Schema.String.pipe(Schema.decode({
      decode: SchemaGetter.transformEffect((text: string) => Zone.use((zone) => Effect.succeed(zone + text))),
      encode: SchemaGetter.passthrough()
    }))
    // @ts-expect-error the codec gives text, the schema takes numbers
    assert.isFunction(() => Codec.schema(lines, Schema.Finite))
    // @ts-expect-error the service Zone is missing
    assert.isFunction(() => Codec.schema(lines, needsZone))
    // @ts-expect-error the service Zone is missing
    assert.isFunction(() => Codec.json(framing, needsZone))
  })
})

describe("encodeAll and decodeAll", () => {
  it("joins messages to one stream", () => {
    assert.deepStrictEqual(Codec.encodeAll(lines, ["a", "b"]), Result.succeed(utf8("a\nb\n")))
    assert.deepStrictEqual(Codec.encodeAll(lines, []), Result.succeed(new Uint8Array(0)))
  })

  it("fails with the first message that cannot be encoded", () => {
    assert.deepStrictEqual(Codec.encodeAll(numbers, [1, -1, 2]), Result.fail(corrupt("negative")))
  })

  it("takes bytes or chunks, and stops at the first error", () => {
    assert.deepStrictEqual(Codec.decodeAll(numbers, utf8("1\n2\n")), { messages: [1, 2], error: undefined })
    assert.deepStrictEqual(Codec.decodeAll(numbers, [utf8("1"), utf8("\nx\n2\n"), utf8("3\n")]), {
      messages: [1],
      error: corrupt("not a number: x")
    })
  })
})

describe("isRecoverable", () => {
  it("is true only for a FrameCorrupt that says so", () => {
    assert.isTrue(Codec.isRecoverable(corrupt("x")))
    assert.isFalse(Codec.isRecoverable({ ...corrupt("x"), recoverable: false }))
    assert.isFalse(Codec.isRecoverable(truncated(1)))
  })
})
