import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import * as BitString from "../src/BitString.ts"
import * as Checksum from "../src/Checksum.ts"
import * as Crc from "../src/Crc.ts"
import * as CrcCatalogue from "../src/CrcCatalogue.ts"
import * as bitwise from "../src/internal/crcBitwise.ts"
import { makeNarrow, modelOf } from "../src/internal/crcEngine.ts"
import * as native from "../src/internal/nativeCrc32.ts"
import { ChecksumLaws, NetArbitrary } from "../src/testing/index.ts"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const nine = utf8("123456789")
const noise = (length: number): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => Math.imul(i + 1, 0x9e37_79b1) >>> 13)

// The first four narrow algorithms of a process have an engine of their own source each; the others share the fifth.
const engines = [
  CrcCatalogue.crc32IsoHdlc,
  CrcCatalogue.crc16Modbus,
  CrcCatalogue.crc16Ibm3740,
  CrcCatalogue.crc24Openpgp,
  CrcCatalogue.crc32Iscsi,
  CrcCatalogue.crc7Mmc
].map((crc) => ({ name: crc.name, model: modelOf(crc), engine: makeNarrow(modelOf(crc), undefined) }))

const refusal = (options: Crc.Options) => {
  const { parameter, rule, value } = Result.getOrThrow(Result.flip(Crc.make(options)))
  return { parameter, value, rule }
}

/** Random parameters of a width: the polynomial is odd, everything fits. */
const parametersOf = (widthBits: number) => {
  const bigint = Arbitrary.array(NetArbitrary.byte, {
    minLength: Math.ceil(widthBits / 8),
    maxLength: Math.ceil(widthBits / 8)
  }).pipe(
    Arbitrary.map((bytes) =>
      bytes.reduce((value, byte) => value << 8n | BigInt(byte), 0n) & (1n << BigInt(widthBits)) - 1n
    )
  )
  const flag = Arbitrary.schema(Schema.Boolean)
  return Arbitrary.all({ poly: bigint, init: bigint, xorout: bigint, refin: flag, refout: flag }).pipe(
    Arbitrary.map((drawn) => ({ ...drawn, widthBits, poly: drawn.poly | 1n }))
  )
}

const reversed = (bits: string): string => Array.from(bits).reverse().join("")

/** The CRC by long division on paper: init is XORed onto the first bits of the message and the zeros after it. */
const onPaper = (
  { init, poly, refin, refout, widthBits, xorout }: bitwise.Model,
  bytes: Uint8Array
): bigint => {
  const written = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0"))
  const message = written.map((byte) => refin ? reversed(byte) : byte).join("") + "0".repeat(widthBits)
  const start = init.toString(2).padStart(widthBits, "0").padEnd(message.length, "0")
  const dividend = Array.from(message, (bit, i) => bit === start[i] ? "0" : "1").join("")
  const key = `1${poly.toString(2).padStart(widthBits, "0")}`
  const { remainder } = Result.getOrThrow(BitString.divide(dividend, key))
  return BigInt(`0b${refout ? reversed(remainder) : remainder}`) ^ xorout
}

describe("table, bitwise and long division agree at width", () => {
  const widths = [...Array.from({ length: 64 }, (_, i) => i + 1), 65, 71, 72, 82, 100, 127, 128, 257]
  for (const widthBits of widths) {
    it.prop(
      `${widthBits}`,
      { parameters: parametersOf(widthBits), bytes: NetArbitrary.bytes({ maxBytes: 40 }) },
      ({ bytes, parameters }) => {
        const crc = Crc.makeUnsafe(parameters)
        const value = BigInt(crc.compute(bytes))
        assert.strictEqual(value, bitwise.compute(parameters, bytes))
        assert.strictEqual(value, onPaper(parameters, bytes))
      },
      { arbitrary: { runs: 15 } }
    )
  }
})

describe("a CRC of random parameters keeps the laws at width", () => {
  for (const widthBits of [1, 3, 7, 8, 12, 16, 24, 31, 32, 33, 40, 63, 64, 65, 82]) {
    it.effect.prop(
      `${widthBits}`,
      { parameters: parametersOf(widthBits) },
      ({ parameters }) =>
        ChecksumLaws.allCrc({
          crc: Crc.makeUnsafe(parameters),
          messages: NetArbitrary.bytes({ maxBytes: 12 }),
          options: { runs: 6 }
        }),
      { arbitrary: { runs: 4 } }
    )
  }
})

describe("long input is computed as it is bit by bit", () => {
  const bytes = noise(2200)

  /** The values of all beginnings of `bytes` from `offset` on, by the bitwise model. */
  const valuesFrom = (model: bitwise.Model, offset: number): ReadonlyArray<bigint> => {
    const values = [bitwise.finish(model, model.init)]
    let register = model.init
    for (const byte of bytes.subarray(offset, offset + 1100)) {
      register = bitwise.feedByte(model, register, byte)
      values.push(bitwise.finish(model, register))
    }
    return values
  }

  // Words are read from 1024 bytes on, at any alignment, so every length around it and every remainder is tried.
  const lengths = [...Array.from({ length: 70 }, (_, i) => i), ...Array.from({ length: 76 }, (_, i) => i + 1015)]

  for (const [place, { engine, model, name }] of engines.entries()) {
    it(`by the engine ${place + 1} of the process: ${name}`, () => {
      for (const offset of [0, 1, 2, 3]) {
        const values = valuesFrom(model, offset)
        for (const length of lengths) {
          const value = engine.compute(bytes.subarray(offset, offset + length))
          assert.strictEqual(BigInt(value), values[length], `${length} bytes from ${offset}`)
        }
      }
    })
  }

  for (const crc of [CrcCatalogue.crc32IsoHdlc, CrcCatalogue.crc40Gsm, CrcCatalogue.crc64Xz, CrcCatalogue.crc82Darc]) {
    it(`by ${crc.name}`, () => {
      const values = valuesFrom(modelOf(crc), 1)
      for (const length of lengths) {
        assert.strictEqual(BigInt(crc.compute(bytes.subarray(1, 1 + length))), values[length], `${length} bytes`)
      }
    })
  }
})

describe("the CRC-32 of the runtime", () => {
  const found = native.find(globalThis)

  it("is found here, and nowhere else", () => {
    assert.isFunction(found)
    const withModule = (zlib: unknown) => ({ process: { getBuiltinModule: () => zlib } })
    const others = [
      {},
      { process: undefined },
      { process: {} },
      { process: { getBuiltinModule: 1 } },
      withModule(undefined)
    ]
    for (const global of [...others, withModule({}), withModule({ crc32: () => 1 })]) {
      assert.isUndefined(native.find(global))
    }
  })

  for (const crc of [CrcCatalogue.crc32IsoHdlc, CrcCatalogue.crc32Jamcrc]) {
    it(`agrees with JavaScript for ${crc.name} at every length around the threshold`, () => {
      const script = makeNarrow(modelOf(crc), undefined)
      const both = makeNarrow(modelOf(crc), found)
      const bytes = noise(native.nativeFrom + 70)
      for (let length = native.nativeFrom - 70; length <= bytes.length; length++) {
        const part = bytes.subarray(0, length)
        const value = script.finish(script.update(script.start(), part))
        assert.strictEqual(both.finish(both.update(both.start(), part)), value)
        assert.strictEqual(crc.compute(part), value)
        // From a register in the middle, as a running CRC has.
        assert.strictEqual(both.update(0x1234_5678, part), script.update(0x1234_5678, part))
      }
    })
  }

  it("is used from the threshold on, and only for its polynomial", () => {
    const lengths: Array<number> = []
    const spy: native.NativeCrc32 = (bytes, before) => {
      lengths.push(bytes.length)
      return found?.(bytes, before) ?? 0
    }
    for (const crc of [CrcCatalogue.crc32IsoHdlc, CrcCatalogue.crc32Iscsi, CrcCatalogue.crc32Bzip2]) {
      const engine = makeNarrow(modelOf(crc), spy)
      for (const length of [native.nativeFrom - 1, native.nativeFrom]) engine.update(engine.start(), noise(length))
    }
    assert.deepStrictEqual(lengths, [native.nativeFrom])
  })
})

describe("bits", () => {
  const tutorial = Crc.makeUnsafe({ widthBits: 3, poly: 0b001 })

  it("give the textbook's remainder", () => {
    assert.deepStrictEqual(Crc.computeBits(tutorial, "100010110101101001110"), Result.succeed(0b111))
    assert.deepStrictEqual(Crc.isCodewordBits(tutorial, "100010110101101001110111"), Result.succeed(true))
    assert.deepStrictEqual(Crc.isCodewordBits(tutorial, "100010110101101001110110"), Result.succeed(false))
  })

  it("are refused where they are none", () => {
    assert.strictEqual(
      Result.getOrThrow(Result.flip(Crc.computeBits(tutorial, "10 1"))).message,
      `bits "10 1": bits are 0 and 1, got " " at place 2`
    )
  })
})

describe("make", () => {
  it("infers number up to 32 bits and bigint above", () => {
    const narrow: number = Crc.makeUnsafe({ widthBits: 32, poly: 0x04c1_1db7 }).compute(nine)
    const wide: bigint = Crc.makeUnsafe({ widthBits: 33, poly: 0x04c1_1db7 }).compute(nine)
    const either: number | bigint = Crc.makeUnsafe({ widthBits: narrow % 20 + 10, poly: 1 }).compute(nine)
    assert.deepStrictEqual([typeof narrow, typeof wide, typeof either], ["number", "bigint", "number"])
  })

  it("has defaults and computes what follows from the parameters", () => {
    const { compute: _, start: __, ...crc } = Crc.makeUnsafe({ widthBits: 16, poly: 0x8005, refin: true, init: 0xffff })
    assert.deepStrictEqual(crc, {
      name: "CRC-16/0x8005",
      widthBits: 16,
      byteOrder: "little",
      poly: 0x8005,
      init: 0xffff,
      refin: true,
      refout: true,
      xorout: 0,
      check: 0x4b37,
      residue: 0
    })
  })

  it("refuses a width", () => {
    const rule = "an integer from 1 to 4096"
    for (const value of [0, -1, 1.5, Number.NaN, Infinity, 4097]) {
      assert.deepStrictEqual(refusal({ widthBits: value, poly: 1 }), { parameter: "widthBits", value, rule })
    }
  })

  it.each<[options: Crc.Options, message: string]>([
    [
      { widthBits: 16, poly: 0x1_1021 },
      "poly must be less than 2^16: its top term is not written, so this is 0x1021, got 69665 (0x11021)"
    ],
    [
      { widthBits: 32, poly: 0xedb8_8320 },
      "poly must be odd: every CRC's polynomial ends with 1, and this may be 0x4c11db7 in reversed notation, got 3988292384 (0xedb88320)"
    ],
    [{ widthBits: 8, poly: 0 }, "poly must be odd: every CRC's polynomial ends with 1, got 0 (0x0)"],
    [{ widthBits: 8, poly: -7 }, "poly must be from 0 to 2^8 - 1, as it has 8 bits, got -7"],
    [{ widthBits: 8, poly: 1.5 }, "poly must be an integer, a bigint if it is above 2^53 - 1, got 1.5"],
    [
      { widthBits: 64, poly: 2 ** 60 + 1 },
      "poly must be an integer, a bigint if it is above 2^53 - 1, got 1152921504606847000"
    ],
    [{ widthBits: 8, poly: 7, init: 256 }, "init must be from 0 to 2^8 - 1, as it has 8 bits, got 256 (0x100)"],
    [{ widthBits: 8, poly: 7, xorout: 256n }, "xorout must be from 0 to 2^8 - 1, as it has 8 bits, got 256 (0x100)"],
    [
      { widthBits: 8, poly: 7, check: 0xf5 },
      `check must be 0xf4, the CRC of "123456789" with these parameters, got 245 (0xf5)`
    ],
    [{ widthBits: 8, poly: 7, residue: 1 }, "residue must be 0x0, as follows from these parameters, got 1 (0x1)"]
  ])("refuses %o", (options, message) => {
    assert.strictEqual(Result.getOrThrow(Result.flip(Crc.make(options))).message, message)
    assert.throws(() => Crc.makeUnsafe(options), message)
  })

  it("takes a check that is right", () => {
    assert.isTrue(Result.isSuccess(Crc.make({ widthBits: 8, poly: 7, check: 0xf4n, residue: 0 })))
  })
})

interface Frame {
  readonly hex: string
  readonly crc?: string
}

describe("frames of real protocols", () => {
  const { protocols }: { protocols: ReadonlyArray<{ id: string; vectors: ReadonlyArray<Frame> }> } = JSON.parse(
    readFileSync(new URL("data/protocol-vectors.json", import.meta.url), "utf8")
  )
  const frames = (id: string) => protocols.find((protocol) => protocol.id === id)?.vectors ?? []
  const bytesOf = ({ hex }: Frame): Uint8Array =>
    Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16))

  it("CRC-32C of RFC 3720", () => {
    for (const frame of frames("iscsi-crc32c")) {
      assert.strictEqual(CrcCatalogue.crc32Iscsi.compute(bytesOf(frame)), Number(frame.crc))
    }
  })

  it("PPP, by the residue 0xf0b8 of RFC 1662", () => {
    assert.strictEqual(CrcCatalogue.crc16IbmSdlc.residue, 0xf0b8)
    for (const frame of frames("hdlc-ppp-fcs16")) {
      assert.isTrue(Crc.isCodeword(CrcCatalogue.crc16IbmSdlc, bytesOf(frame)), frame.hex)
    }
  })

  it("GT06, whose reflected CRC is sent big-endian", () => {
    assert.strictEqual(frames("gt06").length, 157)
    for (const frame of frames("gt06")) {
      assert.isTrue(
        Checksum.verifyAppended(CrcCatalogue.crc16IbmSdlc, bytesOf(frame).subarray(2, -2), "big"),
        frame.hex
      )
    }
  })
})
