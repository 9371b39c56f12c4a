/**
 * The wires of real devices and protocols, with framings that anybody can write, against captured frames.
 *
 * The frames and where each comes from: `data/protocol-vectors.json`.
 */
import { assert, describe, it } from "@effect/vitest"
import { Bytes, Result } from "effect"
import { readFileSync } from "node:fs"
import { BitString, Checksum, Codec, Crc, CrcCatalogue, Framing } from "../src/index.ts"
import { NetArbitrary } from "../src/testing/index.ts"

interface Vector {
  readonly hex?: string
  readonly ascii?: string
  readonly payload?: string
  readonly payloadBytes?: number
  readonly direction?: "request" | "response" | "exception"
  readonly framing?: string
  readonly name?: string
  readonly crc?: string
  readonly codeword?: string
  readonly bits?: string
  readonly key?: string
  readonly valid: boolean
}

const { protocols }: {
  readonly protocols: ReadonlyArray<
    { readonly id: string; readonly vectors: ReadonlyArray<Vector>; readonly rejects?: ReadonlyArray<Vector> }
  >
} = JSON.parse(readFileSync(new URL("data/protocol-vectors.json", import.meta.url), "utf8"))

const vectorsOf = (id: string): ReadonlyArray<Vector> => protocols.find((each) => each.id === id)?.vectors ?? []
const rejectsOf = (id: string): ReadonlyArray<Vector> => protocols.find((each) => each.id === id)?.rejects ?? []

const bytesOf = (hex: string | undefined): Uint8Array =>
  Uint8Array.from((hex ?? "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const hexOf = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const plain = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

/** Every cut in two, and every cut into pieces of one size. */
const cuts = function*(wire: Uint8Array): Generator<ReadonlyArray<Uint8Array>> {
  for (let at = 0; at <= wire.length; at++) yield [wire.slice(0, at), wire.slice(at)]
  for (let size = 1; size <= 7; size++) yield NetArbitrary.cut(wire, Array.from(wire, () => size))
}

/** What an attempt at the whole stream gives, after comparing it with every cut. */
const attempt = (codec: Codec.Codec<Uint8Array>, wire: Uint8Array) => {
  const shown = (chunks: ReadonlyArray<Uint8Array>) => {
    const { error, messages } = Codec.decodeAll(Codec.attempt(codec), chunks)
    return {
      messages: messages.filter(Result.isSuccess).map((message) => hexOf(message.success)),
      corrupt: messages.filter(Result.isFailure).map((message) => message.failure),
      error
    }
  }
  const whole = shown([wire.slice()])
  for (const chunks of cuts(wire)) assert.deepStrictEqual(shown(chunks), whole)
  return whole
}

const good = (...messages: ReadonlyArray<string>) => ({ messages: [...messages], corrupt: [], error: undefined })

/** The frames decode, alone and in one stream, and encoding gives them back. */
const holds = (
  codec: Codec.Codec<Uint8Array>,
  frames: ReadonlyArray<Uint8Array>,
  content: ReadonlyArray<Uint8Array>
) => {
  assert.isAbove(frames.length, 0)
  frames.forEach((frame, i) => {
    assert.deepStrictEqual(attempt(codec, frame), good(hexOf(content[i]!)))
    assert.deepStrictEqual(Codec.encode(codec, content[i]!).pipe(Result.map(hexOf)), Result.succeed(hexOf(frame)))
  })
  assert.deepStrictEqual(
    Codec.decodeAll(codec, NetArbitrary.cut(Bytes.concat(frames), Array.from({ length: 4000 }, () => 5))),
    { messages: content.map((each) => each.slice()), error: undefined }
  )
}

/** The message is the frame from the mark to the serial number, without CRC and trailer: marks and lengths differ. */
const gt06 = (resync: Framing.Resync) =>
  Framing.checksummed(
    Framing.enclosed(
      Framing.sized({
        maxFrameBytes: 1024,
        headBytes: 4,
        size: ([first, second, high = 0, low = 0]) =>
          first === 0x78 && second === 0x78
            ? high + 5
            : first === 0x79 && second === 0x79
            ? (high << 8 | low) + 6
            : undefined,
        resync
      }),
      { end: "\r\n" }
    ),
    CrcCatalogue.crc16IbmSdlc,
    { byteOrder: "big", covers: { from: 2 } }
  )

describe("GT06 tracker", () => {
  const frames = vectorsOf("gt06").map((vector) => bytesOf(vector.hex))
  const rejects = rejectsOf("gt06").map((vector) => bytesOf(vector.hex))
  const policies: ReadonlyArray<Framing.Resync> = ["fail", "byte", { delimiter: "\r\n" }]

  it("decodes every frame, whatever the policy", () => {
    for (const resync of policies) holds(gt06(resync), frames, frames.map((frame) => frame.subarray(0, -4)))
  })

  it("delivers no frame that devices sent with a lying length or checksum", () => {
    for (const resync of policies) {
      for (const reject of rejects) {
        const { corrupt, error, messages } = attempt(gt06(resync), reject)
        assert.deepStrictEqual(messages, [])
        assert.isTrue(corrupt.length > 0 || error !== undefined)
      }
    }
  })

  it("finds the next frame behind each of them, and counts what was skipped", () => {
    const first = frames[1]!
    const second = frames[3]!
    for (const reject of rejects) {
      // One was cut off before its line feed: the next delimiter is that of the frame behind it.
      const whole = reject.at(-1) === 10
      const wire = Bytes.concat([reject, first, second, first])
      const byDelimiter = attempt(gt06({ delimiter: "\r\n" }), wire)
      const contents = (whole ? [first, second, first] : [second, first]).map((frame) => hexOf(frame.subarray(0, -4)))
      assert.deepStrictEqual(byDelimiter.messages, contents)
      assert.strictEqual(sumOf(byDelimiter.corrupt), reject.length + (whole ? 0 : first.length))
      assert.isUndefined(byDelimiter.error)
      const byByte = attempt(gt06("byte"), wire)
      assert.deepStrictEqual(byByte.messages, [first, second, first].map((frame) => hexOf(frame.subarray(0, -4))))
      assert.strictEqual(sumOf(byByte.corrupt), reject.length)
    }
  })
})

const sumOf = (corrupt: ReadonlyArray<Codec.CorruptFrame>): number =>
  corrupt.reduce((sum, { skippedBytes = 0 }) => sum + skippedBytes, 0)

describe("Modbus", () => {
  const checked = (size: (prefix: Uint8Array) => number | undefined) =>
    Framing.checksummed(Framing.sized({ maxFrameBytes: 256, headBytes: 3, size }), CrcCatalogue.crc16Modbus)
  const requests = checked((prefix) => {
    const code = prefix[1]!
    return code <= 6 ? 8 : code !== 15 && code !== 16 ? undefined : prefix.length < 7 ? 7 : 9 + prefix[6]!
  })
  const responses = checked(([, code = 0, count = 0]) => code > 0x80 ? 5 : code <= 4 ? 5 + count : 8)
  const rtu = vectorsOf("modbus-rtu-over-tcp").filter((vector) => vector.direction !== undefined)
  const content = (wire: Uint8Array) => wire.subarray(0, -2)

  it("decodes requests and responses, whose size follows from the function", () => {
    const wires = (wanted: boolean) =>
      rtu.filter((vector) => (vector.direction === "request") === wanted).map((vector) => bytesOf(vector.hex))
    holds(requests, wires(true), wires(true).map(content))
    holds(responses, wires(false), wires(false).map(content))
    const write = Uint8Array.of(1, 16, 0, 1, 0, 2, 4, 0, 10, 1, 2)
    holds(requests, [Checksum.append(CrcCatalogue.crc16Modbus, write)], [write])
  })

  it("decodes the TCP form by its length", () => {
    const wire = bytesOf(vectorsOf("modbus-rtu-over-tcp").find((vector) => vector.direction === undefined)?.hex)
    const mbap = Framing.lengthPrefixed({ maxFrameBytes: 260, offsetBytes: 4, widthBytes: 2 })
    holds(mbap, [wire], [Bytes.concat([wire.subarray(0, 4), wire.subarray(6)])])
  })
})

it("iSCSI digests", () => {
  for (const vector of vectorsOf("iscsi-crc32c")) {
    const content = bytesOf(vector.hex)
    const digest = bytesOf(vector.crc?.slice(2)).reverse()
    const codec = Framing.checksummed(
      Framing.fixed({ frameBytes: content.length + 4 }),
      CrcCatalogue.crc32Iscsi
    )
    holds(codec, [Bytes.concat([content, digest])], [content])
  }
})

it("PROXY protocol, version 1 and 2, with the CRC field taken as zero", () => {
  const signature = "0d0a0d0a000d0a515549540a"
  const header = Framing.sized({
    maxFrameBytes: 536,
    headBytes: 16,
    size: (prefix) =>
      hexOf(prefix.subarray(0, 12)) === signature
        ? 16 + (prefix[14]! << 8 | prefix[15]!)
        : prefix[0] === 0x50 && prefix.length <= 107
        ? prefix.at(-1) === 10 ? prefix.length : prefix.length + 1
        : undefined
  })
  const wires = vectorsOf("proxy-protocol").map((vector) =>
    bytesOf(vector.hex).slice(0, -vector.payloadBytes! || undefined)
  )
  holds(header, wires, wires)
  // The CRC is the value of a TLV of type 3, wherever that stands behind the addresses.
  const addressBytes: Readonly<Record<number, number>> = { 0x11: 12, 0x21: 36, 0x31: 216 }
  const withCrc = Framing.checksummed(header, CrcCatalogue.crc32Iscsi, {
    placement: (bytes) => {
      if (bytes[0] !== 0x0d) return undefined
      let at = 16 + (addressBytes[bytes[13]!] ?? 0)
      while (at + 3 <= bytes.length && bytes[at] !== 3) at += 3 + (bytes[at + 1]! << 8 | bytes[at + 2]!)
      return at + 3 <= bytes.length ? at + 3 : undefined
    },
    byteOrder: "big",
    covers: { field: "zero" }
  })
  const crcAt = 16 + 12 + 3
  const contents = wires.map((wire, i) =>
    i === 2 ? Bytes.concat([wire.subarray(0, crcAt), wire.subarray(crcAt + 4)]) : wire
  )
  holds(withCrc, wires, contents)
  const damaged = wires[2]!.slice()
  damaged[20]! ^= 1
  assert.match(attempt(withCrc, damaged).corrupt[0]?.message ?? "", /^CRC-32\/ISCSI: expected 0x/)
})

describe("ZMODEM", () => {
  const [init, ready, file, data] = vectorsOf("zmodem").map((vector) => bytesOf(vector.hex))
  /** As many bytes from `at` on as `count` take with their escapes, or one more than there are. */
  const through = (prefix: Uint8Array, at: number, count: number): number => {
    for (; count > 0; count--) at += prefix[at] === 0x18 ? 2 : 1
    return at
  }
  const unescape = (bytes: Uint8Array) => {
    const content: Array<number> = []
    for (let at = 0; at < bytes.length; at++) content.push(bytes[at] === 0x18 ? bytes[++at]! ^ 0x40 : bytes[at]!)
    return Uint8Array.from(content)
  }

  it("hexadecimal headers", () => {
    const frames = Framing.enclosed(Framing.fixed({ frameBytes: 21 }), {
      start: "**\x18B",
      end: Uint8Array.of(0x0d, 0x8a, 0x11)
    })
    const binary = Codec.mapResult<Uint8Array, Uint8Array, Uint8Array>(frames, {
      decode: (digits) => Result.succeed(bytesOf(plain(digits))),
      encode: (bytes: Uint8Array) => Result.succeed(utf8(hexOf(bytes)))
    })
    holds(Framing.checksummed(binary, CrcCatalogue.crc16Xmodem), [init!, ready!], [
      Uint8Array.of(0, 0, 0, 0, 0),
      Uint8Array.of(1, 0, 0, 0, 0x23)
    ])
  })

  it("binary headers with CRC-32", () => {
    const frames = Framing.enclosed(
      Framing.sized({ maxFrameBytes: 32, headBytes: 3, size: (prefix) => Math.max(12, through(prefix, 3, 9)) }),
      { start: "*\x18C" }
    )
    const binary = Codec.mapResult<Uint8Array, Uint8Array, Uint8Array>(frames, {
      decode: (bytes) => Result.succeed(unescape(bytes)),
      encode: (bytes: Uint8Array) => Result.succeed(bytes)
    })
    holds(Framing.checksummed(binary, CrcCatalogue.crc32IsoHdlc), [file!], [Uint8Array.of(4, 0, 0, 0, 0)])
  })

  it("data subpackets", () => {
    const endOf = (prefix: Uint8Array): number =>
      prefix.findIndex((byte, at) => byte === 0x18 && prefix[at + 1]! >= 0x68 && prefix[at + 1]! <= 0x6b)
    const frames = Framing.sized({
      maxFrameBytes: 1100,
      size: (prefix) => {
        const end = endOf(prefix)
        return end === -1 ? prefix.length + 1 : through(prefix, end + 2, 4) + (prefix[end + 1] === 0x6b ? 1 : 0)
      }
    })
    const binary = Codec.mapResult<Uint8Array, Uint8Array, Uint8Array>(Framing.enclosed(frames, { end: "\x11" }), {
      decode: (bytes) =>
        Result.succeed(
          Bytes.concat([unescape(bytes.subarray(0, endOf(bytes))), unescape(bytes.subarray(endOf(bytes) + 1))])
        ),
      encode: () => Result.fail("not sent here")
    })
    const codec = Framing.checksummed(binary, CrcCatalogue.crc32IsoHdlc)
    assert.deepStrictEqual(attempt(codec, data!), good(hexOf(utf8("f.bin\x003000 15300511020 100644 0 1 3000\x00k"))))
  })
})

it("HDLC and PPP", () => {
  const hdlc = Framing.escaped({ stuffing: "hdlc", delimiters: "around", maxFrameBytes: 1504 })
  const contents = vectorsOf("hdlc-ppp-fcs16").map((vector) => bytesOf(vector.hex))
  const frames = contents.map((content) => Result.getOrThrow(Codec.encode(hdlc, content)))
  holds(
    Framing.checksummed(hdlc, CrcCatalogue.crc16IbmSdlc),
    frames,
    contents.map((content) => content.subarray(0, -2))
  )
})

it("SLIP", () => {
  const frames = vectorsOf("slip").map((vector) => bytesOf(vector.hex))
  const slip = Framing.escaped({ stuffing: "slip", delimiters: "after", maxFrameBytes: 1006 })
  holds(slip, frames, vectorsOf("slip").map((vector) => bytesOf(vector.payload)))
})

describe("COBS", () => {
  const cobs = Framing.escaped({ stuffing: "cobs", delimiters: "after", maxFrameBytes: 1000 })
  const wireOf = (vector: Vector) => Uint8Array.from([...bytesOf(vector.hex), 0])
  const [valid, invalid] = [true, false].map((wanted) => vectorsOf("cobs").filter((vector) => vector.valid === wanted))

  it("decodes and encodes", () => {
    holds(cobs, valid!.map(wireOf), valid!.map((vector) => bytesOf(vector.payload)))
  })

  it("refuses codes that point beyond the frame, and frames without any", () => {
    for (const vector of invalid!) {
      const { corrupt, error, messages } = attempt(cobs, Uint8Array.from([...wireOf(vector), 2, 0x31, 0]))
      assert.isAbove(corrupt.length, 0)
      assert.isUndefined(error)
      assert.strictEqual(messages.at(-1), "31")
    }
  })
})

/** Sentences may be longer than the 82 bytes of the standard; some here are. */
const nmea = Framing.enclosed(
  Framing.checksummed(
    Framing.lines({ maxFrameBytes: 1024, ending: "crlf", unterminated: "reject" }),
    Checksum.xor8,
    { form: "hex", covers: { from: 1, to: -3 } }
  ),
  { start: "$", end: "*" }
)

it("NMEA 0183", () => {
  const sentences = vectorsOf("nmea-0183").map((vector) => vector.ascii!)
  holds(nmea, sentences.map((text) => utf8(`${text}\r\n`)), sentences.map((text) => utf8(text.slice(1, -3))))
  for (const { ascii } of rejectsOf("nmea-0183")) {
    assert.deepStrictEqual(attempt(nmea, utf8(`${ascii}\r\n`)).messages, [])
  }
})

it("FIX", () => {
  // The body's length is a text of its own length; "10=ddd" stands behind the body.
  const fix = Framing.enclosed(
    Framing.checksummed(
      Framing.sized({
        maxFrameBytes: 4096,
        size: (prefix) => {
          const head = /^8=[^|]*\|9=(\d+)\|/.exec(plain(prefix.subarray(0, 40)).replaceAll("\x01", "|"))
          return head === null ? prefix.length + 1 : head[0].length + Number(head[1]) + 7
        }
      }),
      Checksum.sum8,
      { placement: -4, form: "decimal", covers: { to: -7 } }
    ),
    { end: "10=\x01" }
  )
  const body = "8=FIX.4.2\x019=5\x0135=0\x01"
  const sum = Checksum.sum8.compute(utf8(body))
  holds(fix, [utf8(`${body}10=${String(sum).padStart(3, "0")}\x01`)], [utf8(body)])
})

it("HL7 MLLP", () => {
  const mllp = Framing.enclosed(
    Framing.delimited({ delimiter: "\x1c\r", maxFrameBytes: 65_536, unterminated: "reject" }),
    { start: "\x0b" }
  )
  const frames = vectorsOf("hl7-mllp").map((vector) => bytesOf(vector.hex))
  holds(mllp, frames, frames.map((frame) => frame.subarray(1, -2)))
})

it("RESP", () => {
  /** The end of the value that begins at `at`, or one byte more than there are. */
  const endOf = (prefix: Uint8Array, at: number): number => {
    const line = prefix.indexOf(10, at)
    if (line === -1) return prefix.length + 1
    const kind = prefix[at]
    const number = Number(plain(prefix.subarray(at + 1, line - 1)))
    if (kind === 0x24) return number < 0 ? line + 1 : line + 1 + number + 2
    let end = line + 1
    for (let left = kind === 0x2a ? number : 0; left > 0 && end <= prefix.length; left--) {
      end = end === prefix.length ? end + 1 : endOf(prefix, end)
    }
    return end
  }
  const resp = Framing.sized({ maxFrameBytes: 4096, size: (prefix) => endOf(prefix, 0) })
  const frames = [...vectorsOf("resp").map((vector) => bytesOf(vector.hex)), utf8("+OK\r\n"), utf8("$-1\r\n")]
  holds(resp, frames, frames)
})

it("the textbook's bit strings", () => {
  const lines = Codec.text(Framing.lines({ maxFrameBytes: 4096, ending: "lf", unterminated: "reject" }))
  for (const { bits = "", codeword = "", key = "" } of vectorsOf("textbook-1001")) {
    const codec = Codec.mapResult(lines, {
      decode: (line) =>
        BitString.check(line, key).pipe(
          Result.mapError((error) => error.message),
          Result.flatMap(({ data, ok, remainder }) =>
            ok ? Result.succeed(data) : Result.fail(`the remainder is ${remainder}`)
          )
        ),
      encode: (data: string) =>
        Result.mapBoth(BitString.encode(data, key), {
          onFailure: (error) => error.message,
          onSuccess: ({ codeword }) => codeword
        })
    })
    assert.deepStrictEqual(Codec.decodeAll(codec, utf8(`${codeword}\n`)), { messages: [bits], error: undefined })
    const flipped = `${codeword[0] === "1" ? "0" : "1"}${codeword.slice(1)}`
    assert.strictEqual(Codec.decodeAll(codec, utf8(`${flipped}\n`)).error?._tag, "FrameCorrupt")
  }
})

it("JT/T 808: pairs of its own, and XOR under the escapes", () => {
  const codec = Framing.checksummed(
    Framing.escaped({
      stuffing: { delimiter: 0x7e, escape: 0x7d, pairs: [[0x7e, 0x02], [0x7d, 0x01]] },
      delimiters: "around",
      maxFrameBytes: 1024
    }),
    Checksum.xor8
  )
  const content = Uint8Array.of(0x30, 0x7e, 0x08, 0x7d, 0x55)
  holds(codec, [Uint8Array.of(0x7e, 0x30, 0x7d, 0x02, 0x08, 0x7d, 0x01, 0x55, 0x6e, 0x7e)], [content])
})

it("MAVLink 2: a CRC without the start mark and with a byte for each kind of message that is not sent", () => {
  // HEARTBEAT (0), whose CRC_EXTRA is 50.
  const crcExtra: Readonly<Record<number, number>> = { 0: 50 }
  const codec = Framing.checksummed(
    Framing.sized({
      maxFrameBytes: 280,
      headBytes: 3,
      // A signature of 13 bytes may follow the CRC.
      size: ([mark, payload = 0, flags = 0]) => mark === 0xfd ? payload + (flags & 1 ? 25 : 12) : undefined,
      resync: "byte"
    }),
    CrcCatalogue.crc16Mcrf4xx,
    {
      placement: (bytes) => 10 + bytes[1]!,
      covers: { from: 1, to: "field", extra: (frame) => Uint8Array.of(crcExtra[frame[7]!] ?? 0) }
    }
  )
  const content = bytesOf("fd090000000101000000000000000203510403")
  const crc = CrcCatalogue.crc16Mcrf4xx.compute(Uint8Array.from([...content.subarray(1), 50]))
  const frame = Uint8Array.from([...content, crc & 0xff, crc >> 8])
  const signed = Uint8Array.of(...content, ...new Uint8Array(13).fill(9))
  signed[2] = 1
  const signedCrc = CrcCatalogue.crc16Mcrf4xx.compute(Uint8Array.from([...signed.subarray(1, 19), 50]))
  const signedFrame = Uint8Array.from([
    ...signed.subarray(0, 19),
    signedCrc & 0xff,
    signedCrc >> 8,
    ...signed.subarray(19)
  ])
  holds(codec, [frame, signedFrame], [content, signed])
  const { corrupt, messages } = attempt(codec, Bytes.concat([Uint8Array.of(0xfd, 1, 2), frame, frame]))
  assert.deepStrictEqual(messages, [hexOf(content), hexOf(content)])
  assert.strictEqual(sumOf(corrupt), 3)
})

it("a length of 15 bits beside a flag", () => {
  const codec = Framing.checksummed(
    Framing.sized({
      maxFrameBytes: 1024,
      headBytes: 3,
      size: ([, low = 0, high = 0]) => 5 + (low | (high & 0x7f) << 8)
    }),
    CrcCatalogue.crc16Modbus
  )
  const content = Uint8Array.of(1, 2, 0x80, 7, 8)
  holds(codec, [Checksum.append(CrcCatalogue.crc16Modbus, content)], [content])
})

it("a CRC wider than a number", () => {
  const codec = Framing.checksummed(Framing.fixed({ frameBytes: 11 }), CrcCatalogue.crc64Xz, {
    placement: "before",
    byteOrder: "big"
  })
  const content = utf8("abc")
  holds(codec, [
    Bytes.concat([Checksum.toBytes(CrcCatalogue.crc64Xz, CrcCatalogue.crc64Xz.compute(content), "big"), content])
  ], [content])
  assert.isTrue(Crc.isCodeword(CrcCatalogue.crc64Xz, Checksum.append(CrcCatalogue.crc64Xz, content)))
})
