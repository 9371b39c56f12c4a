import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Bytes, Effect, Result, Schema } from "effect"
import type * as CloseReason from "../src/CloseReason.ts"
import { Checksum, Codec, CrcCatalogue, Framing } from "../src/index.ts"
import { CodecLaws, NetArbitrary } from "../src/testing/index.ts"

const { crc16Modbus, crc32Iscsi } = CrcCatalogue

const bytes = (...values: ReadonlyArray<number>): Uint8Array => Uint8Array.from(values)
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const wireOf = (codec: Codec.Codec<Uint8Array>, ...messages: ReadonlyArray<Uint8Array>): Uint8Array =>
  Result.getOrThrow(Codec.encodeAll(codec, messages))
const corrupt = (message: string, recoverable = true) => ({ _tag: "FrameCorrupt" as const, message, recoverable })
const skipped = (skippedBytes: number, reason: string) => ({
  ...corrupt(`${reason}; skipped ${skippedBytes} bytes`),
  skippedBytes
})

/** Messages as arrays of numbers, recoverable errors, and the fatal one. */
const attempt = (codec: Codec.Codec<Uint8Array>, chunks: Uint8Array | ReadonlyArray<Uint8Array>) => {
  const { error, messages } = Codec.decodeAll(Codec.attempt(codec), chunks)
  const items: Array<ReadonlyArray<number> | CloseReason.FrameError> = messages.map((item) =>
    Result.isSuccess(item) ? Array.from(item.success) : item.failure
  )
  return error === undefined ? items : [...items, error]
}

const lawful = (
  name: string,
  codec: Codec.Codec<Uint8Array>,
  spec?: Partial<Omit<CodecLaws.Spec<Uint8Array>, "codec">> & { readonly except?: ReadonlyArray<string> }
): void => {
  describe(`${name} keeps the law`, () => {
    for (const [law, check] of Object.entries(CodecLaws.laws)) {
      if (spec?.except?.includes(law) === true) continue
      it.effect(law, () => check({ codec, messages: NetArbitrary.bytes({ maxBytes: 10 }), ...spec }))
    }
  })
}

const filled = (minBytes: number, byte = 0x62) =>
  NetArbitrary.bytes().pipe(Arbitrary.map((rest) => new Uint8Array(minBytes + rest.length).fill(byte)))

/** a5, the size of the rest, the rest. */
const marked = (resync: Framing.Resync, maxFrameBytes: Framing.MaxFrameBytes = 16) =>
  Framing.sized({
    maxFrameBytes,
    headBytes: 2,
    size: ([mark, size = 0]) => mark === 0xa5 ? 2 + size : undefined,
    resync
  })
const markedFrame = (content: Uint8Array) => Uint8Array.from([0xa5, content.length, ...content])

/** The same with a CRC and a trailer; its messages are the size and the content. */
const tracker = (resync: Framing.Resync) =>
  Framing.checksummed(Framing.enclosed(marked(resync, 24), { start: bytes(0xa5), end: "\r\n" }), crc32Iscsi)
const trackerMessage = (content: Uint8Array) => Uint8Array.from([content.length + 6, ...content])
const trackerMessages = NetArbitrary.bytes({ maxBytes: 10 }).pipe(Arbitrary.map(trackerMessage))

const policies: ReadonlyArray<Framing.Resync> = ["fail", "byte", { delimiter: "\r\n" }]

describe("checksummed", () => {
  for (const placement of ["after", "before", 1, -3] as const) {
    for (const covers of [undefined, { field: "zero" }, { from: 1, to: -1 }] as const) {
      const framing = Framing.lengthPrefixed({ maxFrameBytes: 10, widthBytes: 1 })
      lawful(
        `${placement} ${JSON.stringify(covers)}`,
        Framing.checksummed(framing, crc16Modbus, { placement, covers }),
        { oversize: { streams: filled(12, 11), messages: filled(9) } }
      )
    }
  }
  lawful(
    "hexadecimal",
    Framing.checksummed(
      Framing.lines({ maxFrameBytes: 12, ending: "lf", unterminated: "reject" }),
      Checksum.xor8,
      { form: "hex" }
    ),
    { oversize: { streams: filled(13), messages: filled(11) } }
  )

  it("names the algorithm and both values, and goes on behind the frame", () => {
    const codec = Framing.checksummed(Framing.fixed({ frameBytes: 3 }), crc16Modbus)
    const good = wireOf(codec, bytes(7))
    assert.deepStrictEqual(attempt(codec, Bytes.concat([good, bytes(7, 0, 0xff), good])), [
      [7],
      corrupt("CRC-16/MODBUS: expected 0x82fe, got 0xff00"),
      [7]
    ])
  })

  it("says what stands in the place of digits", () => {
    const codec = Framing.checksummed(Framing.fixed({ frameBytes: 3 }), Checksum.xor8, { form: "hex" })
    assert.deepStrictEqual(attempt(codec, utf8("AG1A41Z5bA41")), [
      corrupt("XOR-8: expected 0x41, got bytes 47 31"),
      [0x41],
      corrupt("XOR-8: expected 0x5a, got 0x5b"),
      [0x41]
    ])
    assert.deepStrictEqual(attempt(codec, utf8("Z5AZ5a")), [[0x5a], [0x5a]])
    assert.deepStrictEqual(wireOf(codec, bytes(0x5a)), utf8("Z5A"))
    const decimal = Framing.checksummed(Framing.fixed({ frameBytes: 4 }), Checksum.sum8, { form: "decimal" })
    assert.deepStrictEqual(wireOf(decimal, bytes(7)), utf8("\x07007"))
    assert.deepStrictEqual(attempt(decimal, utf8("\x070x7\x07007")), [
      corrupt("SUM-8: expected 0x07, got bytes 30 78 37"),
      [7]
    ])
  })

  it("refuses frames and messages in which the checksum has no place", () => {
    const lines = Framing.delimited({ delimiter: "|", maxFrameBytes: 10, unterminated: "reject" })
    const short = (frameBytes: number) => corrupt(`frame of ${frameBytes} bytes is too short for CRC-16/MODBUS`)
    assert.deepStrictEqual(attempt(Framing.checksummed(lines, crc16Modbus), utf8("|a|")), [short(0), short(1)])
    const inside = Framing.checksummed(lines, crc16Modbus, { placement: 2 })
    assert.deepStrictEqual(attempt(inside, utf8("abc|")), [short(3)])
    assert.deepStrictEqual(
      Codec.encode(inside, utf8("a")),
      Result.fail(corrupt("message of 1 bytes is too short for CRC-16/MODBUS at byte 2"))
    )
    const fromEnd = Framing.checksummed(lines, crc16Modbus, { placement: -4 })
    assert.deepStrictEqual(attempt(fromEnd, utf8("abc|")), [short(3)])
    assert.isTrue(Result.isFailure(Codec.encode(fromEnd, utf8("a"))))
  })

  it("finds its place in the bytes before it, or none", () => {
    const codec = Framing.checksummed(
      Framing.delimited({ delimiter: "|", maxFrameBytes: 10, unterminated: "reject" }),
      Checksum.xor8,
      { form: "hex", placement: (bytes) => bytes[0] === 0x23 ? bytes.indexOf(0x2a) + 1 : undefined }
    )
    const messages = [utf8("#ab*c"), utf8("plain"), utf8("")]
    const wire = wireOf(codec, ...messages)
    assert.deepStrictEqual(wire, utf8("#ab*69c|plain||"))
    assert.deepStrictEqual(attempt(codec, wire), messages.map((message) => Array.from(message)))
    const lost = Framing.checksummed(Framing.fixed({ frameBytes: 4 }), Checksum.xor8, { placement: () => NaN })
    assert.deepStrictEqual(attempt(lost, bytes(1, 2, 3, 4)), [corrupt("frame of 4 bytes is too short for XOR-8")])
    assert.isTrue(Result.isFailure(Codec.encode(lost, bytes(1, 2, 3))))
  })

  it("covers what it is told, and no more", () => {
    const content = bytes(1, 2, 3, 4, 5, 6)
    const sum = (covers: Framing.Covered, placement: number) => {
      const wire = wireOf(
        Framing.checksummed(Framing.fixed({ frameBytes: 8 }), crc16Modbus, { placement, covers, byteOrder: "big" }),
        content
      )
      return wire[placement]! << 8 | wire[placement + 1]!
    }
    const crc = (...values: ReadonlyArray<number>) => crc16Modbus.compute(bytes(...values))
    assert.strictEqual(sum({}, 2), crc(1, 2, 3, 4, 5, 6))
    assert.strictEqual(sum({ field: "zero" }, 2), crc(1, 2, 0, 0, 3, 4, 5, 6))
    assert.strictEqual(sum({ from: 1, to: -1 }, 2), crc(2, 3, 4, 5))
    assert.strictEqual(sum({ from: 4 }, 2), crc(3, 4, 5, 6))
    assert.strictEqual(sum({ from: 1, to: "field" }, 4), crc(2, 3, 4))
    assert.strictEqual(sum({ from: -2, field: "zero" }, 2), crc(5, 6))
    assert.strictEqual(sum({ to: 2 }, 2), crc(1, 2))
    assert.strictEqual(sum({ from: 3 }, 2), crc(3, 4, 5, 6))
    assert.strictEqual(sum({ to: 3 }, 2), crc(1, 2))
    assert.strictEqual(sum({ from: 9, to: -9 }, 2), crc())
    assert.strictEqual(
      sum({ to: -1, field: "zero", extra: (frame) => frame.subarray(0, 1) }, 6),
      crc(1, 2, 3, 4, 5, 6, 0, 0, 1)
    )
    assert.strictEqual(sum({ from: 2, to: 4, extra: () => bytes(9) }, 6), crc(3, 4, 9))
  })

  const changes = Arbitrary.all({
    content: NetArbitrary.bytes(),
    at: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e6 })))
  })

  it.effect.prop(
    "never delivers a frame in which one bit changed",
    { change: changes },
    ({ change: { at, content } }) =>
      Effect.sync(() => {
        const codecs = [
          Framing.checksummed(Framing.fixed({ frameBytes: content.length + 4 }), crc32Iscsi),
          Framing.checksummed(
            Framing.escaped({ stuffing: "slip", delimiters: "around", maxFrameBytes: 200 }),
            crc32Iscsi
          ),
          Framing.checksummed(
            Framing.escaped({ stuffing: "cobs", delimiters: "after", maxFrameBytes: 200 }),
            crc32Iscsi
          )
        ]
        for (const codec of codecs) {
          const wire = wireOf(codec, content)
          wire[(at >> 3) % wire.length]! ^= 1 << at % 8
          assert.deepStrictEqual(Codec.decodeAll(Codec.attempt(codec), wire).messages.filter(Result.isSuccess), [])
        }
        for (const resync of policies) {
          const wire = wireOf(tracker(resync), trackerMessage(content.subarray(0, 10)))
          wire[(at >> 3) % wire.length]! ^= 1 << at % 8
          assert.deepStrictEqual(
            Codec.decodeAll(Codec.attempt(tracker(resync)), wire).messages.filter(Result.isSuccess),
            []
          )
        }
      }),
    { arbitrary: { runs: 300, size: 30 } }
  )

  it("takes no copy of a frame in one chunk", () => {
    const codec = Framing.checksummed(Framing.enclosed(marked("fail"), { start: bytes(0xa5), end: "!" }), crc16Modbus)
    const wire = wireOf(codec, bytes(5, 1, 2))
    assert.strictEqual(Codec.decodeAll(codec, wire).messages[0]?.buffer, wire.buffer)
  })

  it("refuses options that cannot be", () => {
    const framing = Framing.fixed({ frameBytes: 8 })
    const broken = (options: Framing.Checksummed) => {
      try {
        Framing.checksummed(framing, crc16Modbus, options)
        return undefined
      } catch (error) {
        return error instanceof Framing.FramingOptionsError ? error.message : error
      }
    }
    assert.strictEqual(broken({ placement: -1 }), "placement must be at least 2 bytes from the end, got -1")
    assert.strictEqual(
      broken({ placement: 0.5 }),
      `placement must be "after", "before", an integer or a function, got 0.5`
    )
    assert.strictEqual(broken({ covers: { from: NaN } }), "covers.from must be an integer, got NaN")
    assert.strictEqual(broken({ covers: { to: 1.5 } }), `covers.to must be an integer or "field", got 1.5`)
    assert.strictEqual(
      broken({ form: "octal" as "hex" }),
      `form must be one of "binary", "hex", "decimal", got "octal"`
    )
  })
})

describe("enclosed", () => {
  lawful(
    "delimited",
    Framing.enclosed(Framing.delimited({ delimiter: "|", maxFrameBytes: 10, unterminated: "reject" }), {
      start: "$$",
      end: "*"
    }),
    { oversize: { streams: filled(11), messages: filled(8) } }
  )

  it("says which end is wrong, and goes on", () => {
    const codec = Framing.enclosed(Framing.fixed({ frameBytes: 4 }), { start: "ab", end: "c" })
    assert.deepStrictEqual(attempt(codec, utf8("abxcaxxcabxxab.c")), [
      [0x78],
      corrupt("frame does not begin with 61 62"),
      corrupt("frame of 4 bytes does not end with 63"),
      [0x2e]
    ])
    const overlapping = Framing.enclosed(
      Framing.delimited({ delimiter: "|", maxFrameBytes: 9, unterminated: "reject" }),
      {
        start: "aba",
        end: "ba"
      }
    )
    assert.isTrue(Result.isFailure(Codec.decodeAll(Codec.attempt(overlapping), utf8("aba|")).messages[0]!))
  })
})

describe("escaped", () => {
  const jt808: Framing.Stuffing = { delimiter: 0x7e, escape: 0x7d, pairs: [[0x7e, 2], [0x7d, 1]] }
  const special = Arbitrary.array(
    Arbitrary.schema(Schema.Literals([0, 1, 2, 0x7d, 0x7e, 0xc0, 0xdb, 0xdc, 0xdd, 0xff])),
    {
      maxLength: 10
    }
  ).pipe(Arbitrary.map((values) => Uint8Array.from(values)))
  for (const stuffing of ["slip", "hdlc", "cobs", jt808] as const) {
    const spec = { messages: special, overheadBytes: 10, oversize: { streams: filled(20), messages: filled(9) } }
    const name = typeof stuffing === "string" ? stuffing : "pairs"
    lawful(`${name} after`, Framing.escaped({ stuffing, delimiters: "after", maxFrameBytes: 8 }), spec)
    // A first delimiter may as well be the last of a frame before, so it begins nothing.
    const around = Framing.escaped({ stuffing, delimiters: "around", maxFrameBytes: 8 })
    lawful(`${name} around`, around, { ...spec, except: ["truncation"] })
    lawful(
      `${name} with a checksum`,
      Framing.checksummed(Framing.escaped({ stuffing, delimiters: "after", maxFrameBytes: 8 }), crc16Modbus),
      spec
    )
  }

  it("goes on at the next delimiter behind a bad escape", () => {
    const slip = Framing.escaped({ stuffing: "slip", delimiters: "after", maxFrameBytes: 8 })
    assert.deepStrictEqual(attempt(slip, bytes(1, 0xc0, 0xdb, 2, 0xc0, 2, 0xdb, 0xc0, 3, 0xc0)), [
      [1],
      corrupt("escape db 02 is not one"),
      corrupt("frame ends within an escape"),
      [3]
    ])
    const cobs = Framing.escaped({ stuffing: "cobs", delimiters: "after", maxFrameBytes: 8 })
    assert.deepStrictEqual(attempt(cobs, bytes(5, 1, 0, 0, 2, 9, 0)), [
      corrupt("COBS code of 5 at byte 0 points beyond the frame of 2 bytes"),
      corrupt("frame without a byte is no COBS, in which an empty message has one"),
      [9]
    ])
  })

  it("takes delimiters in a row for one when they stand around", () => {
    const slip = Framing.escaped({ stuffing: "slip", delimiters: "around", maxFrameBytes: 8 })
    assert.deepStrictEqual(attempt(slip, bytes(0xc0, 0xc0, 1, 0xc0, 2, 0xc0, 0xc0, 0xc0, 3, 0xc0)), [[1], [2], [3]])
    assert.deepStrictEqual(wireOf(slip, bytes(1)), bytes(0xc0, 1, 0xc0))
    assert.deepStrictEqual(
      Codec.encode(slip, bytes()),
      Result.fail(corrupt("a frame between delimiters cannot be empty"))
    )
    const cobs = Framing.escaped({ stuffing: "cobs", delimiters: "around", maxFrameBytes: 8 })
    assert.deepStrictEqual(attempt(cobs, wireOf(cobs, bytes(), bytes(0))), [[], [0]])
  })

  it("reads any byte that HDLC escapes", () => {
    const hdlc = Framing.escaped({ stuffing: "hdlc", delimiters: "after", maxFrameBytes: 8 })
    assert.deepStrictEqual(attempt(hdlc, bytes(0x7d, 0x31, 0x7d, 0x5e, 0x7d, 0x5d, 0x7e)), [[0x11, 0x7e, 0x7d]])
    assert.deepStrictEqual(wireOf(hdlc, bytes(0x11, 0x7e, 0x7d)), bytes(0x11, 0x7d, 0x5e, 0x7d, 0x5d, 0x7e))
  })

  it("limits the content, not its escapes", () => {
    for (const stuffing of ["slip", "hdlc"] as const) {
      const codec = Framing.escaped({ stuffing, delimiters: "after", maxFrameBytes: 4 })
      const content = new Uint8Array(4).fill(stuffing === "slip" ? 0xc0 : 0x7e)
      assert.deepStrictEqual(attempt(codec, wireOf(codec, content)), [Array.from(content)])
      assert.deepStrictEqual(
        attempt(codec, bytes(1, 2, 3, 4, 5, 0xc0, 0x7e)).map((item) => "_tag" in item && item._tag),
        ["FrameTooLarge"]
      )
    }
    const cobs = Framing.escaped({ stuffing: "cobs", delimiters: "after", maxFrameBytes: 600 })
    for (const size of [0, 1, 253, 254, 255, 507, 508, 509, 600]) {
      for (const byte of [0, 1]) {
        const content = new Uint8Array(size).fill(byte)
        const wire = wireOf(cobs, content)
        assert.deepStrictEqual(attempt(cobs, wire), [Array.from(content)])
        assert.strictEqual(wire.indexOf(0), wire.length - 1)
      }
    }
  })

  it("refuses a stuffing that is ambiguous", () => {
    const make = (delimiter: number, escape: number, pairs: ReadonlyArray<readonly [number, number]>) => () =>
      Framing.escaped({ stuffing: { delimiter, escape, pairs }, delimiters: "after", maxFrameBytes: 8 })
    for (
      const [broken, rule] of [
        [make(1, 1, []), "a byte that is not the delimiter, got 1"],
        [make(256, 1, []), "a byte, got 256"],
        [make(1, 2, [[1, 3]]), "for delimiter and escape at least, got 1"],
        [make(1, 2, [[1, 3], [2, 3]]), "with different substitutes that are not the delimiter, got 3"],
        [make(1, 2, [[1, 3], [2, 1]]), "with different substitutes that are not the delimiter, got 1"],
        [make(1, 2, [[1, 3], [1, 4]]), "of different bytes, got 1"]
      ] as const
    ) {
      assert.throws(broken, rule)
    }
  })
})

describe("sized", () => {
  const sizedMessages = NetArbitrary.bytes({ maxBytes: 14 }).pipe(Arbitrary.map(markedFrame))
  for (const resync of policies) {
    const name = JSON.stringify(resync)
    lawful(`marked, ${name}`, marked(resync), {
      messages: sizedMessages,
      oversize: resync === "fail"
        ? {
          streams: filled(4).pipe(Arbitrary.map((rest) => Uint8Array.from([0xa5, 15, ...rest]))),
          messages: filled(17)
        }
        : { messages: filled(17) }
    })
    lawful(`tracker, ${name}`, tracker(resync), { messages: trackerMessages, oversize: { messages: filled(22) } })
    lawful(
      `in steps, ${name}`,
      // ( ) around any number of the same: the size is known bit by bit.
      Framing.sized({
        maxFrameBytes: 16,
        size: (prefix) => {
          let depth = 0
          for (const byte of prefix) depth += byte === 0x28 ? 1 : byte === 0x29 ? -1 : NaN
          return Number.isNaN(depth) || depth < 0 ? undefined : prefix.length + depth
        },
        resync
      }),
      {
        messages: Arbitrary.schema(Schema.Literals(["()", "(())", "(()())", "((", ")"])).pipe(Arbitrary.map(utf8)),
        oversize: { messages: Arbitrary.schema(Schema.Literal("()".repeat(9))).pipe(Arbitrary.map(utf8)) }
      }
    )
  }

  it("is fatal at a head that is none, passes over a frame that a layer refuses", () => {
    const [one, two] = [trackerMessage(bytes(1)), trackerMessage(bytes(2))]
    const wire = wireOf(tracker("fail"), one, two)
    wire[3]! ^= 1
    const items = attempt(tracker("fail"), Bytes.concat([wire, bytes(7, 7)]))
    assert.deepStrictEqual(items.slice(1), [Array.from(two), corrupt("no frame begins here", false)])
    assert.match(JSON.stringify(items[0]), /^{"_tag":"FrameCorrupt","message":"CRC-32\/ISCSI: expected 0x/)
    assert.deepStrictEqual(
      attempt(Framing.sized({ maxFrameBytes: 9, headBytes: 3, size: () => 2 }), bytes(1, 2, 3)),
      [corrupt("size of 2 bytes is less than the 3 bytes that tell it", false)]
    )
  })

  it("says at once that a frame was skipped, when its delimiter is there", () => {
    const codec = tracker({ delimiter: "\r\n" })
    const [one, two] = [trackerMessage(bytes(1)), trackerMessage(bytes(2))]
    const bad = wireOf(codec, one)
    bad[3]! ^= 1
    const decoder = Codec.attempt(codec).decoder()
    const out: Array<Result.Result<Uint8Array, Codec.CorruptFrame>> = []
    assert.isUndefined(decoder.decode(bad, out))
    assert.strictEqual(out.length, 1)
    assert.strictEqual(out.flatMap((item) => Result.isFailure(item) ? [item.failure.skippedBytes] : [])[0], bad.length)
    assert.isUndefined(decoder.decode(wireOf(codec, two), out))
    assert.deepStrictEqual(out[1], Result.succeed(two))
  })

  it("says at once that a frame was skipped, byte by byte, when no other can begin in it", () => {
    const codec = tracker("byte")
    const bad = wireOf(codec, trackerMessage(bytes(1)))
    bad[3]! ^= 1
    const items = attempt(codec, bad)
    assert.strictEqual(items.length, 2)
    const decoder = Codec.attempt(codec).decoder()
    const out: Array<Result.Result<Uint8Array, Codec.CorruptFrame>> = []
    assert.isUndefined(decoder.decode(bad, out))
    assert.strictEqual(
      out.flatMap((item) => Result.isFailure(item) ? [item.failure.skippedBytes] : [])[0],
      bad.length - 1
    )
  })

  it("finds a frame inside one that was refused, behind the error for what stands before it", () => {
    const codec = Framing.checksummed(marked("byte"), Checksum.xor8)
    const inner = wireOf(codec, bytes(0xa5, 2, 1))
    const outer = bytes(0xa5, 8, 7, ...inner, 7, 7, 0)
    assert.deepStrictEqual(attempt(codec, Bytes.concat([outer, inner])), [
      skipped(3, "XOR-8: expected 0xaa, got 0x00"),
      [0xa5, 2, 1],
      skipped(2, "no frame begins here"),
      skipped(1, "no frame begins here"),
      [0xa5, 2, 1]
    ])
  })

  it("reports noise where a frame may begin, and after as much as a frame may have", () => {
    const frame = markedFrame(bytes(1))
    assert.deepStrictEqual(attempt(marked("byte"), Bytes.concat([bytes(1, 2, 3), frame, frame, bytes(4)])), [
      skipped(3, "no frame begins here"),
      Array.from(frame),
      Array.from(frame),
      skipped(1, "the stream ended 1 bytes into a frame")
    ])
    for (const resync of ["byte", { delimiter: "\r\n" }] as const) {
      assert.deepStrictEqual(
        attempt(marked(resync), new Uint8Array(40)),
        [16, 16, 8].map((count) => skipped(count, "no frame begins here"))
      )
    }
  })

  it("skips a frame over the limit and one that the end cut short", () => {
    const frame = markedFrame(bytes(1))
    const tooLarge = "inbound frame of 102 bytes exceeds the limit of 16 bytes"
    assert.deepStrictEqual(attempt(marked("byte"), Bytes.concat([bytes(0xa5, 100), frame, bytes(0xa5, 9), frame])), [
      skipped(2, tooLarge),
      Array.from(frame),
      skipped(2, "the stream ended 5 bytes into a frame"),
      Array.from(frame)
    ])
    assert.deepStrictEqual(attempt(marked("fail"), bytes(0xa5, 9, 1)), [{ _tag: "FrameTruncated", bufferedBytes: 3 }])
  })

  it("begins to look for a delimiter anew behind the last one", () => {
    const chunks = NetArbitrary.cut(utf8("xaaaxaaaa"), [1, 1, 1, 1, 1, 1, 1, 1])
    const reason = "no frame begins here"
    const expected = [skipped(3, reason), skipped(4, reason), skipped(2, reason)]
    assert.deepStrictEqual(attempt(marked({ delimiter: "aa" }), chunks), expected)
    assert.deepStrictEqual(attempt(marked({ delimiter: "aa" }), utf8("xaaaxaaaa")), expected)
  })

  it("has the same errors at the end, whether or not they were asked for before", () => {
    const codec = Framing.checksummed(marked("byte"), Checksum.xor8)
    const inner = wireOf(codec, bytes(0xa5, 2, 1))
    const stream = bytes(7, ...inner, 0xa5, 3, 1, 1, 1, ...inner, 0xa5, 9, ...inner)
    const decoder = codec.decoder()
    const out: Array<Uint8Array> = []
    let sum = 0
    for (let error = decoder.decode(stream, out); error !== undefined; error = decoder.end(out)) {
      sum += error._tag === "FrameCorrupt" ? error.skippedBytes! : NaN
    }
    assert.deepStrictEqual(out.map((frame) => Array.from(frame)), [[0xa5, 2, 1], [0xa5, 2, 1], [0xa5, 2, 1]])
    assert.strictEqual(sum, 1 + 5 + 2)
    assert.strictEqual(decoder.bytesBuffered, 0)
  })

  it("refuses to send what would be read otherwise", () => {
    const codec = marked("fail")
    const refused = (message: string) => Result.fail(corrupt(message))
    assert.deepStrictEqual(Codec.encode(codec, bytes(1, 2)), refused("no frame begins as this message does"))
    assert.deepStrictEqual(
      Codec.encode(codec, bytes(0xa5, 2, 1)),
      refused("frame of 3 bytes has a head that tells 4 bytes")
    )
    assert.deepStrictEqual(
      Codec.encode(codec, bytes(0xa5, 0, 1)),
      refused("frame of 3 bytes has a head that tells 2 bytes")
    )
    assert.deepStrictEqual(Codec.encode(codec, bytes(0xa5)), refused("frame of 1 bytes has a head that tells 2 bytes"))
  })

  it("refuses options that cannot be", () => {
    const size = () => 1
    assert.throws(() => Framing.sized({ maxFrameBytes: 1, headBytes: 2, size }), "at least headBytes, 2, got 1")
    assert.throws(() => Framing.sized({ maxFrameBytes: 1, headBytes: 0, size }), "headBytes must be a positive integer")
    assert.throws(() => Framing.sized({ maxFrameBytes: 1, size, resync: { delimiter: "" } }), "at least one byte")
    assert.throws(
      () => Framing.sized({ maxFrameBytes: 1, size, resync: "skip" as "fail" }),
      `"fail", "byte" or { delimiter }`
    )
  })

  /** Good frames, frames with a changed byte, marks with a size that lies, and noise, from few bytes. */
  const noise = Arbitrary.array(Arbitrary.schema(Schema.Literals([0xa5, 0, 1, 2, 7, 10, 13, 20, 0x61])), {
    maxLength: 12
  }).pipe(
    Arbitrary.map((values) => Uint8Array.from(values))
  )
  const pieces = Arbitrary.array(
    Arbitrary.all({
      content: noise,
      kind: Arbitrary.schema(Schema.Literals(["good", "bad", "noise"])),
      at: NetArbitrary.byte
    })
  )
  const streamOf = (
    codec: Codec.Codec<Uint8Array>,
    list: ReadonlyArray<{ content: Uint8Array; kind: string; at: number }>
  ) =>
    Bytes.concat(list.map(({ at, content, kind }) => {
      if (kind === "noise") return content
      const frame = wireOf(codec, trackerMessage(content.subarray(0, 10)))
      if (kind === "bad") frame[at % frame.length]! ^= 1 + at % 7
      return frame
    }))

  for (const resync of policies.slice(1)) {
    const codec = tracker(resync)

    it.effect.prop(`gives every byte as part of a message or counts it as skipped: ${JSON.stringify(resync)}`, {
      list: pieces,
      chunking: NetArbitrary.chunking
    }, ({ chunking, list }) =>
      Effect.sync(() => {
        const stream = streamOf(codec, list)
        const whole = attempt(codec, stream.slice())
        assert.deepStrictEqual(attempt(codec, NetArbitrary.cut(stream, chunking)), whole)
        assert.deepStrictEqual(attempt(codec, NetArbitrary.cut(stream, Array.from(stream, () => 1))), whole)
        const sum = whole.reduce((bytesInAll, item) =>
          bytesInAll + ("_tag" in item ? item._tag === "FrameCorrupt" ? item.skippedBytes! : NaN : item.length + 7), 0)
        assert.strictEqual(sum, stream.length)
        assert.isTrue(whole.every((item) =>
          !("_tag" in item) || item._tag !== "FrameCorrupt" || item.skippedBytes! > 0
        ))
      }), { arbitrary: { runs: 1000, size: 30 } })

    it.effect.prop(`delivers every frame behind noise without a mark: ${JSON.stringify(resync)}`, {
      content: noise,
      noises: Arbitrary.array(noise)
    }, ({ content, noises }) =>
      Effect.sync(() => {
        const message = trackerMessage(content.subarray(0, 10))
        const frame = wireOf(codec, message)
        const end = resync === "byte" ? bytes() : utf8("\r\n")
        const stream = Bytes.concat(noises.flatMap((each) => [each.filter((byte) => byte !== 0xa5), end, frame]))
        const messages = attempt(codec, stream).filter((item) => !("_tag" in item))
        assert.deepStrictEqual(messages, noises.map(() => Array.from(message)))
      }), { arbitrary: { runs: 300, size: 30 } })
  }

  it.effect.prop(
    "byte by byte, delivers every good frame that noise does not promise to be larger",
    { list: pieces },
    ({ list }) =>
      Effect.sync(() => {
        const codec = tracker("byte")
        const good = list.filter(({ kind }) => kind === "good").length
        const messages = attempt(codec, streamOf(codec, list)).filter((item) => !("_tag" in item))
        assert.isAtLeast(messages.length, good)
      }),
    { arbitrary: { runs: 500, size: 30 } }
  )

  it("keeps no chunk, and joins a large frame once", () => {
    const codec = Framing.sized({
      maxFrameBytes: "unbounded",
      headBytes: 4,
      size: (head) => new DataView(head.buffer, head.byteOffset).getUint32(0)
    })
    const frame = new Uint8Array(300_000).fill(7)
    new DataView(frame.buffer).setUint32(0, frame.length)
    const chunks = Array.from({ length: 43 }, (_, i) => frame.slice(i * 7000, (i + 1) * 7000))
    assert.deepStrictEqual(Codec.decodeAll(codec, chunks), { messages: [frame], error: undefined })
    const decoder = codec.decoder()
    assert.isUndefined(decoder.decode(Uint8Array.of(255, 255, 255, 255, 1), []))
    assert.strictEqual(decoder.bytesBuffered, 5)
  })
})
