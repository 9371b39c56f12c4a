import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Bytes, Effect, Result, Schema } from "effect"
import * as Codec from "../src/Codec.ts"
import * as Framing from "../src/Framing.ts"
import { CodecLaws, NetArbitrary } from "../src/testing/index.ts"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const plain = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Decodes text given as chunks and shows what came out. */
const decode = (codec: Codec.Codec<Uint8Array>, ...chunks: ReadonlyArray<string | Uint8Array>) => {
  const { error, messages } = Codec.decodeAll(
    codec,
    chunks.map((chunk) => typeof chunk === "string" ? utf8(chunk) : chunk)
  )
  return { messages: messages.map(plain), error }
}

const encode = (codec: Codec.Codec<Uint8Array>, message: string | Uint8Array) =>
  Codec.encode(codec, typeof message === "string" ? utf8(message) : message).pipe(Result.map(plain))

const ok = <A>(...messages: Array<A>) => ({ messages, error: undefined })
const tooLarge = (bytes: number, maxFrameBytes: number, direction: "inbound" | "outbound" = "inbound") => ({
  _tag: "FrameTooLarge" as const,
  bytes,
  maxFrameBytes,
  direction
})
const truncated = (bufferedBytes: number) => ({ _tag: "FrameTruncated" as const, bufferedBytes })
const corrupt = (message: string, recoverable = true) => ({ _tag: "FrameCorrupt" as const, message, recoverable })

const reject = { maxFrameBytes: 8, unterminated: "reject" } as const
const emit = { maxFrameBytes: 8, unterminated: "emit" } as const

/** One test per law and framing. */
const lawful = (
  name: string,
  codec: Codec.Codec<Uint8Array>,
  spec?: Partial<Omit<CodecLaws.Spec<Uint8Array>, "codec">>
): void => {
  describe(`${name} keeps the law`, () => {
    for (const [law, check] of Object.entries(CodecLaws.laws)) {
      it.effect(law, () => check({ codec, messages: NetArbitrary.bytes({ maxBytes: 10 }), ...spec }))
    }
  })
}

const filled = (minBytes: number, byte = 0x62) =>
  NetArbitrary.bytes().pipe(Arbitrary.map((bytes) => new Uint8Array(minBytes + bytes.length).fill(byte)))

describe("lines", () => {
  for (const ending of ["lf", "crlf", "any"] as const) {
    for (const unterminated of ["emit", "reject"] as const) {
      for (const maxFrameBytes of [1, 7]) {
        lawful(`${ending}, ${unterminated}, ${maxFrameBytes}`, Framing.lines({ ending, unterminated, maxFrameBytes }), {
          unterminated,
          overheadBytes: 2,
          oversize: { streams: filled(maxFrameBytes + 1), messages: filled(maxFrameBytes + 1) }
        })
      }
    }
  }
  lawful("unbounded", Framing.lines({ ending: "any", unterminated: "reject", maxFrameBytes: "unbounded" }))

  it("lf ends a line at LF and keeps CR", () => {
    assert.deepStrictEqual(
      decode(Framing.lines({ ...reject, ending: "lf" }), "a\nb\r\n\n\rc\n"),
      ok("a", "b\r", "", "\rc")
    )
  })

  it("crlf ends a line at CR LF only", () => {
    assert.deepStrictEqual(
      decode(Framing.lines({ ...reject, ending: "crlf" }), "a\nb\r\n\r\n\rc\r\n\nd\r\r\n"),
      ok("a\nb", "", "\rc", "\nd\r")
    )
  })

  it("any ends a line at LF and drops one CR before it", () => {
    assert.deepStrictEqual(
      decode(Framing.lines({ ...reject, ending: "any" }), "a\nb\r\n\r\n\nc\r\r\nd\re\n"),
      ok("a", "b", "", "", "c\r", "d\re")
    )
  })

  it("finds CR LF cut between CR and LF", () => {
    for (const ending of ["crlf", "any"] as const) {
      const codec = Framing.lines({ ...reject, ending })
      assert.deepStrictEqual(decode(codec, "ab\r", "\ncd\r\n"), ok("ab", "cd"))
      assert.deepStrictEqual(decode(codec, "ab", "\r", "\n"), ok("ab"))
      assert.deepStrictEqual(decode(codec, "\r", "\n"), ok(""))
    }
  })

  it("takes a CR at the end of a chunk for content when no LF follows", () => {
    assert.deepStrictEqual(decode(Framing.lines({ ...reject, ending: "crlf" }), "ab\r", "\rc\r", "\n"), ok("ab\r\rc"))
    assert.deepStrictEqual(decode(Framing.lines({ ...reject, ending: "any" }), "ab\r", "c\n"), ok("ab\rc"))
  })

  it("accepts a line at the limit and refuses one above it, whether or not it is terminated", () => {
    for (const ending of ["lf", "crlf", "any"] as const) {
      const codec = Framing.lines({ ...reject, ending })
      const end = ending === "crlf" ? "\r\n" : "\n"
      assert.deepStrictEqual(decode(codec, `1234567${end}`), ok("1234567"))
      assert.deepStrictEqual(decode(codec, `12345678${end}`), ok("12345678"))
      assert.deepStrictEqual(decode(codec, `a${end}123456789${end}`), { messages: ["a"], error: tooLarge(9, 8) })
      assert.deepStrictEqual(decode(codec, `a${end}123456789`), { messages: ["a"], error: tooLarge(9, 8) })
    }
  })

  it("does not count the CR of a terminator", () => {
    assert.deepStrictEqual(decode(Framing.lines({ ...reject, ending: "any" }), "12345678\r\n"), ok("12345678"))
    assert.deepStrictEqual(decode(Framing.lines({ ...reject, ending: "any" }), "12345678\r", "\n"), ok("12345678"))
    assert.deepStrictEqual(decode(Framing.lines({ ...reject, ending: "crlf" }), "12345678\r", "\n"), ok("12345678"))
    assert.deepStrictEqual(
      decode(Framing.lines({ ...reject, ending: "any" }), "12345678\r", "x\n"),
      { messages: [], error: tooLarge(9, 8) }
    )
  })

  it("refuses a line that never ends at the first byte over the limit", () => {
    const decoder = Framing.lines({ ...reject, ending: "lf" }).decoder()
    const out: Array<Uint8Array> = []
    assert.strictEqual(decoder.decode(utf8("12345678"), out), undefined)
    assert.deepStrictEqual(decoder.decode(utf8("9"), out), tooLarge(9, 8))
    assert.strictEqual(decoder.bytesBuffered, 0)
    assert.deepStrictEqual(decoder.decode(utf8("\na\n"), out), tooLarge(9, 8))
    assert.deepStrictEqual(decoder.end(out), tooLarge(9, 8))
    assert.deepStrictEqual(out, [])
  })

  it("rejects an unterminated last line", () => {
    for (const ending of ["lf", "crlf", "any"] as const) {
      const codec = Framing.lines({ ...reject, ending })
      assert.deepStrictEqual(decode(codec, "a\r\nbcd"), {
        messages: ending === "lf" ? ["a\r"] : ["a"],
        error: truncated(3)
      })
      assert.deepStrictEqual(decode(codec, "\r"), { messages: [], error: truncated(1) })
      assert.deepStrictEqual(decode(codec, ""), ok())
    }
  })

  it("emits an unterminated last line, with its CR", () => {
    for (const ending of ["lf", "crlf", "any"] as const) {
      const codec = Framing.lines({ ...emit, ending })
      assert.deepStrictEqual(decode(codec, "bcd"), ok("bcd"))
      assert.deepStrictEqual(decode(codec, "bc", "d\r"), ok("bcd\r"))
      assert.deepStrictEqual(decode(codec, "a\r\n"), ok(ending === "lf" ? "a\r" : "a"))
    }
  })

  it("refuses an unterminated last line that is too large with its CR", () => {
    assert.deepStrictEqual(
      decode(Framing.lines({ ...emit, ending: "any" }), "12345678\r"),
      { messages: [], error: tooLarge(9, 8) }
    )
  })

  it("encodes LF for lf and any, CR LF for crlf", () => {
    assert.deepStrictEqual(encode(Framing.lines({ ...reject, ending: "lf" }), "a\r"), Result.succeed("a\r\n"))
    assert.deepStrictEqual(encode(Framing.lines({ ...reject, ending: "any" }), "a\rb"), Result.succeed("a\rb\n"))
    assert.deepStrictEqual(encode(Framing.lines({ ...reject, ending: "crlf" }), "a\n\r"), Result.succeed("a\n\r\r\n"))
    assert.deepStrictEqual(encode(Framing.lines({ ...reject, ending: "lf" }), ""), Result.succeed("\n"))
  })

  it("refuses to encode what would be read back as another line", () => {
    const at = (n: number) => Result.fail(corrupt(`message would end at byte ${n}, where its terminator begins`))
    assert.deepStrictEqual(encode(Framing.lines({ ...reject, ending: "lf" }), "ab\n"), at(2))
    assert.deepStrictEqual(encode(Framing.lines({ ...reject, ending: "any" }), "\nb"), at(0))
    assert.deepStrictEqual(encode(Framing.lines({ ...reject, ending: "crlf" }), "a\r\nb"), at(1))
    assert.deepStrictEqual(
      encode(Framing.lines({ ...reject, ending: "any" }), "ab\r"),
      Result.fail(corrupt("message ends with a CR, which would be read as a part of its terminator"))
    )
    assert.deepStrictEqual(
      encode(Framing.lines({ ...reject, ending: "lf" }), "123456789"),
      Result.fail(tooLarge(9, 8, "outbound"))
    )
  })
})

describe("delimited", () => {
  for (const delimiter of ["|", "||", "aab", "abab", "END\r\n"]) {
    lawful(JSON.stringify(delimiter), Framing.delimited({ ...reject, delimiter }), {
      // Letters of the delimiters, so that near misses are common.
      messages: Arbitrary.array(Arbitrary.schema(Schema.Literals([..."aab|E"]))).pipe(
        Arbitrary.map((letters) => utf8(letters.join("")))
      ),
      oversize: { streams: filled(9, 0x63), messages: filled(9, 0x63) }
    })
  }
  lawful("zero byte, emit", Framing.delimited({ ...emit, delimiter: Uint8Array.of(0) }), { unterminated: "emit" })

  const letters = (minLength: number) =>
    Arbitrary.array(Arbitrary.schema(Schema.Literals(["a", "b"])), { minLength }).pipe(
      Arbitrary.map((all) => all.join(""))
    )

  it.effect.prop("splits as String.split does, wherever the network cuts", {
    text: letters(0),
    delimiter: letters(1).pipe(Arbitrary.map((text) => text.slice(0, 5))),
    chunking: NetArbitrary.chunking
  }, ({ chunking, delimiter, text }) =>
    Effect.sync(() => {
      const codec = Framing.delimited({ delimiter, maxFrameBytes: "unbounded", unterminated: "emit" })
      const expected = text.split(delimiter)
      const decoded = decode(codec, ...NetArbitrary.cut(utf8(text), chunking))
      assert.deepStrictEqual(decoded, ok(...(expected.at(-1) === "" ? expected.slice(0, -1) : expected)))
    }), { arbitrary: { runs: 500, size: 24 } })

  it("finds a delimiter cut at every position", () => {
    const codec = Framing.delimited({ ...reject, delimiter: "<END>" })
    const wire = "one<END><END>t<ENo<END>"
    for (let i = 0; i <= wire.length; i++) {
      for (let j = i; j <= wire.length; j++) {
        assert.deepStrictEqual(decode(codec, wire.slice(0, i), wire.slice(i, j), wire.slice(j)), ok("one", "", "t<ENo"))
      }
    }
  })

  it("takes bytes and text alike", () => {
    const codec = Framing.delimited({ ...reject, delimiter: Uint8Array.of(0x0d, 0x0a) })
    assert.deepStrictEqual(decode(codec, "a\r\nb\r\n"), ok("a", "b"))
    assert.deepStrictEqual(decode(Framing.delimited({ ...reject, delimiter: "§" }), "a§b§"), ok("a", "b"))
  })

  it("does not change when the delimiter array is changed later", () => {
    const delimiter = Uint8Array.of(0x3b, 0x3b)
    const codec = Framing.delimited({ ...reject, delimiter })
    delimiter.fill(0)
    assert.deepStrictEqual(decode(codec, "a;;"), ok("a"))
    assert.deepStrictEqual(encode(codec, "a"), Result.succeed("a;;"))
  })

  it("counts a partial delimiter as content only when it turns out to be some", () => {
    const codec = Framing.delimited({ ...reject, delimiter: "----" })
    assert.deepStrictEqual(decode(codec, "12345678---", "-"), ok("12345678"))
    assert.deepStrictEqual(decode(codec, "12345678---", "x"), { messages: [], error: tooLarge(9, 8) })
    assert.deepStrictEqual(decode(codec, "12345---x---", "-"), { messages: [], error: tooLarge(9, 8) })
  })

  it("refuses to encode a message whose end and the delimiter hold an earlier one", () => {
    const codec = Framing.delimited({ ...reject, delimiter: "aa" })
    assert.deepStrictEqual(
      encode(codec, "ba"),
      Result.fail(corrupt("message would end at byte 1, where its terminator begins"))
    )
    assert.deepStrictEqual(encode(codec, "ab"), Result.succeed("abaa"))
    assert.deepStrictEqual(encode(Framing.delimited({ ...reject, delimiter: "aab" }), "a"), Result.succeed("aaab"))
    assert.deepStrictEqual(decode(Framing.delimited({ ...reject, delimiter: "aab" }), "aaab"), ok("a"))
  })
})

describe("fixed", () => {
  for (const frameBytes of [1, 3, 8]) {
    lawful(String(frameBytes), Framing.fixed({ frameBytes }), {
      messages: NetArbitrary.bytes({ minBytes: frameBytes, maxBytes: frameBytes + 1 }),
      overheadBytes: 0,
      oversize: { messages: filled(frameBytes + 1) }
    })
  }

  it("cuts the stream into frames of one size", () => {
    const codec = Framing.fixed({ frameBytes: 3 })
    assert.deepStrictEqual(decode(codec, "abcdef", "g", "hi"), ok("abc", "def", "ghi"))
    assert.deepStrictEqual(decode(codec, "abcd"), { messages: ["abc"], error: truncated(1) })
  })

  it("refuses to encode any other size", () => {
    const codec = Framing.fixed({ frameBytes: 3 })
    assert.deepStrictEqual(encode(codec, "abcd"), Result.fail(tooLarge(4, 3, "outbound")))
    assert.deepStrictEqual(
      encode(codec, "ab"),
      Result.fail(corrupt("message of 2 bytes is not of the fixed size of 3 bytes"))
    )
  })
})

describe("lengthPrefixed", () => {
  for (const widthBytes of [1, 2, 3, 4, 8] as const) {
    for (const endianness of ["big", "little"] as const) {
      for (
        const { adjustmentBytes, offsetBytes } of [
          { offsetBytes: 0, adjustmentBytes: 0 },
          { offsetBytes: 2, adjustmentBytes: -(widthBytes + 2) },
          { offsetBytes: 1, adjustmentBytes: 3 }
        ]
      ) {
        const options = { maxFrameBytes: 10, widthBytes, endianness, offsetBytes, adjustmentBytes }
        const codec = Framing.lengthPrefixed(options)
        const size = (11 - offsetBytes - adjustmentBytes) % 256
        const field = new Uint8Array(widthBytes)
        field[endianness === "big" ? widthBytes - 1 : 0] = size
        lawful(JSON.stringify(options), codec, {
          messages: NetArbitrary.bytes({ maxBytes: 11 }),
          overheadBytes: widthBytes,
          oversize: {
            streams: NetArbitrary.bytes().pipe(
              Arbitrary.map((rest) => Bytes.concat([new Uint8Array(offsetBytes), field, rest]))
            ),
            messages: filled(11)
          }
        })
      }
    }
  }

  it("puts the length field before the payload, in each width and order", () => {
    const wire = (widthBytes: 1 | 2 | 3 | 4 | 8, endianness: "big" | "little", payloadBytes: number) =>
      Codec.encode(
        Framing.lengthPrefixed({ maxFrameBytes: 1 << 20, widthBytes, endianness }),
        new Uint8Array(payloadBytes)
      ).pipe(Result.map((bytes) => Array.from(bytes.subarray(0, bytes.length - payloadBytes))), Result.getOrThrow)
    assert.deepStrictEqual(wire(1, "big", 255), [255])
    assert.deepStrictEqual(wire(2, "big", 258), [1, 2])
    assert.deepStrictEqual(wire(2, "little", 258), [2, 1])
    assert.deepStrictEqual(wire(3, "big", 66_051), [1, 2, 3])
    assert.deepStrictEqual(wire(3, "little", 66_051), [3, 2, 1])
    assert.deepStrictEqual(wire(4, "big", 66_051), [0, 1, 2, 3])
    assert.deepStrictEqual(wire(4, "little", 66_051), [3, 2, 1, 0])
    assert.deepStrictEqual(wire(8, "big", 66_051), [0, 0, 0, 0, 0, 1, 2, 3])
    assert.deepStrictEqual(wire(8, "little", 66_051), [3, 2, 1, 0, 0, 0, 0, 0])
  })

  it("has a field of 4 bytes, big-endian, by default", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 8 })
    assert.deepStrictEqual(encode(codec, "hi"), Result.succeed("\0\0\0\x02hi"))
    assert.deepStrictEqual(decode(codec, "\0\0\0\x02hi\0\0\0\0\0\0\0\x01!"), ok("hi", "", "!"))
  })

  it("counts the field itself with an adjustment of minus its width", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 8, adjustmentBytes: -4 })
    assert.deepStrictEqual(encode(codec, "hi"), Result.succeed("\0\0\0\x06hi"))
    assert.deepStrictEqual(decode(codec, "\0\0\0\x06hi\0\0\0\x04"), ok("hi", ""))
  })

  it("keeps the header before the field in the message", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 8, widthBytes: 1, offsetBytes: 2, adjustmentBytes: -3 })
    assert.deepStrictEqual(encode(codec, "xyhi"), Result.succeed("xy\x05hi"))
    assert.deepStrictEqual(decode(codec, "xy\x05hiXY\x03"), ok("xyhi", "XY"))
    assert.deepStrictEqual(
      encode(codec, "x"),
      Result.fail(corrupt("message of 1 bytes is shorter than the 2 bytes that each has"))
    )
  })

  it("adds a positive adjustment for what the field leaves out", () => {
    // GT06: the field does not count the two bytes that end a frame.
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 8, widthBytes: 1, adjustmentBytes: 2 })
    assert.deepStrictEqual(decode(codec, "\x01a\r\n\x00\r\n"), ok("a\r\n", "\r\n"))
    assert.deepStrictEqual(encode(codec, "a\r\n"), Result.succeed("\x01a\r\n"))
    assert.deepStrictEqual(
      encode(codec, "a"),
      Result.fail(corrupt("message of 1 bytes is shorter than the 2 bytes that each has"))
    )
  })

  it("is fatal when less than nothing follows the field", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 8, widthBytes: 1, adjustmentBytes: -4 })
    assert.deepStrictEqual(decode(codec, "\x05a\x03", "\x05a"), {
      messages: ["a"],
      error: corrupt("length field of 3 with an adjustment of -4 is less than nothing", false)
    })
  })

  it("accepts a frame at the limit and refuses one above it before it arrives", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 3, widthBytes: 2 })
    assert.deepStrictEqual(decode(codec, "\0\x02ab\0\x03abc"), ok("ab", "abc"))
    assert.deepStrictEqual(decode(codec, "\0\x01a\0\x04"), { messages: ["a"], error: tooLarge(4, 3) })
    assert.deepStrictEqual(decode(codec, "\0", "\x04"), { messages: [], error: tooLarge(4, 3) })
    assert.deepStrictEqual(encode(codec, "abc"), Result.succeed("\0\x03abc"))
    assert.deepStrictEqual(encode(codec, "abcd"), Result.fail(tooLarge(4, 3, "outbound")))
  })

  it("counts the header to the limit", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 3, widthBytes: 1, offsetBytes: 2 })
    assert.deepStrictEqual(decode(codec, "xy\x01a"), ok("xya"))
    assert.deepStrictEqual(decode(codec, "xy\x02"), { messages: [], error: tooLarge(4, 3) })
  })

  it("refuses to encode what does not fit the field", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: "unbounded", widthBytes: 1 })
    assert.isTrue(Result.isSuccess(Codec.encode(codec, new Uint8Array(255))))
    assert.deepStrictEqual(Codec.encode(codec, new Uint8Array(256)), Result.fail(tooLarge(256, 255, "outbound")))
  })

  it("refuses a length beyond safe integers, also without a limit", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: "unbounded", widthBytes: 8, adjustmentBytes: -8 })
    const wire = (first: number) => Uint8Array.of(first, 0, 0, 0, 0, 0, 0, 0)
    assert.deepStrictEqual(decode(codec, wire(0xff)).error, tooLarge(0xff * 2 ** 56 - 8, Number.MAX_SAFE_INTEGER))
    // 2^53 itself: with the adjustment it would be safe, but it might as well have been 2^53 + 1.
    assert.deepStrictEqual(decode(codec, Uint8Array.of(0, 0x20, 0, 0, 0, 0, 0, 0)).error, {
      ...tooLarge(2 ** 53 - 8, Number.MAX_SAFE_INTEGER)
    })
  })

  it("joins a large frame from many chunks, without believing its length", () => {
    const payload = Uint8Array.from({ length: 300_000 }, (_, i) => i % 251)
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 1 << 20 })
    const wire = Result.getOrThrow(Codec.encode(codec, payload))
    const chunks = Array.from({ length: 50 }, (_, i) => wire.slice(i * 7000, (i + 1) * 7000))
    assert.deepStrictEqual(Codec.decodeAll(codec, chunks), ok(payload))
    const decoder = Framing.lengthPrefixed({ maxFrameBytes: "unbounded", widthBytes: 8 }).decoder()
    assert.strictEqual(decoder.decode(Uint8Array.of(0, 0x1f, 255, 255, 255, 255, 255, 255, 1, 2), []), undefined)
    assert.strictEqual(decoder.bytesBuffered, 10)
  })

  it("says how far into a frame the stream ended", () => {
    const codec = Framing.lengthPrefixed({ maxFrameBytes: 8, widthBytes: 2, offsetBytes: 1 })
    assert.deepStrictEqual(decode(codec, "x").error, truncated(1))
    assert.deepStrictEqual(decode(codec, "x\0").error, truncated(2))
    assert.deepStrictEqual(decode(codec, "x\0\x02").error, truncated(3))
    assert.deepStrictEqual(decode(codec, "x\0\x02a").error, truncated(4))
    assert.deepStrictEqual(decode(codec, "x\0\x02ab").error, undefined)
  })
})

describe("chunks", () => {
  for (const law of ["lentChunks", "boundedMemory", "fatalIsFinal", "neverThrows", "refusalWritesNothing"] as const) {
    it.effect(`keeps the law ${law}`, () =>
      CodecLaws.laws[law]({ codec: Framing.chunks({ maxFrameBytes: 4 }), messages: NetArbitrary.bytes() }))
  }

  it("passes chunks on, cut to the limit", () => {
    const codec = Framing.chunks({ maxFrameBytes: 3 })
    assert.deepStrictEqual(decode(codec, "ab", "", "abc", "abcdefg"), ok("ab", "abc", "abc", "def", "g"))
  })

  it("is always between frames", () => {
    const decoder = Framing.chunks({ maxFrameBytes: 3 }).decoder()
    assert.strictEqual(decoder.decode(utf8("abcd"), []), undefined)
    assert.strictEqual(decoder.bytesBuffered, 0)
    assert.strictEqual(decoder.end([]), undefined)
  })

  it("encodes any number of bytes as they are", () => {
    assert.deepStrictEqual(encode(Framing.chunks({ maxFrameBytes: 3 }), "abcdefg"), Result.succeed("abcdefg"))
    assert.deepStrictEqual(encode(Framing.chunks({ maxFrameBytes: 3 }), ""), Result.succeed(""))
  })

  it.effect.prop(
    "loses nothing, whatever the cuts",
    [NetArbitrary.chunked(NetArbitrary.bytes())],
    ([chunks]) =>
      Effect.sync(() => {
        const decoded = Codec.decodeAll(Framing.chunks({ maxFrameBytes: 3 }), chunks)
        assert.deepStrictEqual(Bytes.concat(decoded.messages), Bytes.concat(chunks))
        assert.isTrue(decoded.messages.every((message) => message.length > 0 && message.length <= 3))
      })
  )
})

describe("memory", () => {
  const framings = {
    lines: [Framing.lines({ ...reject, ending: "crlf" }), "ab\r\ncd\r\nef", "gh\r\n"],
    any: [Framing.lines({ ...reject, ending: "any" }), "ab\ncd\nef", "gh\n"],
    fixed: [Framing.fixed({ frameBytes: 4 }), "ab\r\ncd\r\nef", "gh"],
    lengthPrefixed: [Framing.lengthPrefixed({ maxFrameBytes: 4, widthBytes: 1 }), "\x02ab\x02cd\x04ef", "gh"]
  } as const

  for (const [name, [codec, first, second]] of Object.entries(framings)) {
    it(`${name} gives views of whole frames and copies the tail`, () => {
      const decoder = codec.decoder()
      const chunk = utf8(first)
      const out: Array<Uint8Array> = []
      assert.strictEqual(decoder.decode(chunk, out), undefined)
      assert.strictEqual(out.length, 2)
      assert.isTrue(out.every((message) => message.buffer === chunk.buffer))
      chunk.fill(0)
      assert.strictEqual(decoder.decode(utf8(second), out), undefined)
      assert.strictEqual(plain(out[2] ?? chunk), "efgh")
      assert.notStrictEqual(out[2]?.buffer, chunk.buffer)
    })
  }

  it("emits one frame per chunk as views of their chunks", () => {
    const decoder = Framing.lengthPrefixed({ maxFrameBytes: 4, widthBytes: 1 }).decoder()
    for (const chunk of [utf8("\x02ab"), utf8("\x02cd")]) {
      const out: Array<Uint8Array> = []
      decoder.decode(chunk, out)
      assert.strictEqual(out[0]?.buffer, chunk.buffer)
    }
  })
})

describe("bad options are refused with their rule and value", () => {
  const cases: ReadonlyArray<readonly [() => unknown, string]> = [
    [
      () => Framing.lines({ ...reject, ending: "lf", maxFrameBytes: 0 }),
      `maxFrameBytes must be a positive integer or "unbounded", got 0`
    ],
    [
      () => Framing.delimited({ ...reject, delimiter: "|", maxFrameBytes: 1.5 }),
      `maxFrameBytes must be a positive integer or "unbounded", got 1.5`
    ],
    [
      () => Framing.lengthPrefixed({ maxFrameBytes: Infinity }),
      `maxFrameBytes must be a positive integer or "unbounded", got Infinity`
    ],
    [() => Framing.chunks({ maxFrameBytes: NaN }), "maxFrameBytes must be a positive integer, got NaN"],
    [() => Framing.fixed({ frameBytes: -1 }), "frameBytes must be a positive integer, got -1"],
    [() => Framing.delimited({ ...reject, delimiter: "" }), `delimiter must be at least one byte, got ""`],
    [
      () =>
        Framing.lines({
          ...reject,
          // @ts-expect-error not an ending
          ending: "cr"
        }),
      `ending must be one of "lf", "crlf", "any", got "cr"`
    ],
    [
      () =>
        Framing.lines({
          maxFrameBytes: 1,
          ending: "lf",
          // @ts-expect-error not a choice
          unterminated: 1
        }),
      `unterminated must be one of "emit", "reject", got 1`
    ],
    [
      () =>
        Framing.lengthPrefixed({
          maxFrameBytes: 1,
          // @ts-expect-error no such width
          widthBytes: 5
        }),
      "widthBytes must be one of 1, 2, 3, 4, 8, got 5"
    ],
    [
      () => Framing.lengthPrefixed({ maxFrameBytes: 1, offsetBytes: -1 }),
      "offsetBytes must be an integer of 0 or more, got -1"
    ],
    [
      () => Framing.lengthPrefixed({ maxFrameBytes: 1, offsetBytes: 2 }),
      "maxFrameBytes must be at least offsetBytes, 2, got 1"
    ],
    [
      () => Framing.lengthPrefixed({ maxFrameBytes: 1, widthBytes: 1, adjustmentBytes: -256 }),
      "adjustmentBytes must be an integer of at least -255, got -256"
    ]
  ]
  for (const [make, message] of cases) {
    it(message, () => {
      const result = Result.try(make)
      const error = Result.isFailure(result) ? result.failure : undefined
      assert.instanceOf(error, Framing.FramingOptionsError)
      assert.strictEqual(error.message, message)
    })
  }
})
