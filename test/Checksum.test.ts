import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as zlib from "node:zlib"
import * as Checksum from "../src/Checksum.ts"
import * as CrcCatalogue from "../src/CrcCatalogue.ts"
import { ChecksumLaws, NetArbitrary } from "../src/testing/index.ts"

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

const all = [
  { checksum: Checksum.xor8, positional: false },
  { checksum: Checksum.sum8, positional: false },
  { checksum: Checksum.sum8Negated, positional: false },
  { checksum: Checksum.fletcher16, positional: true },
  { checksum: Checksum.fletcher32, positional: true },
  { checksum: Checksum.adler32, positional: true }
]

for (const { checksum, positional } of all) {
  describe(`${checksum.name} keeps the law`, () => {
    for (const [law, check] of Object.entries(ChecksumLaws.laws)) {
      it.effect(law, () => check({ checksum, positional }))
    }
  })
}

describe("published vectors", () => {
  it.each<[checksum: Checksum.Checksum<number>, text: string, value: number]>([
    // Fletcher's sums of these texts are on the Wikipedia page "Fletcher's checksum", section "Test vectors".
    [Checksum.fletcher16, "abcde", 0xc8f0],
    [Checksum.fletcher16, "abcdef", 0x2057],
    [Checksum.fletcher16, "abcdefgh", 0x0627],
    [Checksum.fletcher32, "abcde", 0xf04f_c729],
    [Checksum.fletcher32, "abcdef", 0x5650_2d2a],
    [Checksum.fletcher32, "abcdefgh", 0xebe1_9591],
    // "Adler-32", section "Example".
    [Checksum.adler32, "Wikipedia", 0x11e6_0398],
    [Checksum.adler32, "", 1],
    // A FIX 4.2 logon, up to and with the separator before tag 10, which says 10=062.
    [
      Checksum.sum8,
      "8=FIX.4.2|9=65|35=A|49=SERVER|56=CLIENT|34=177|52=20090107-18:15:16|98=0|108=30|".replaceAll("|", "\x01"),
      62
    ],
    [Checksum.xor8, "PASHR,LTN,3", 0x3d]
  ])("%o of %s", (checksum, text, value) => {
    assert.strictEqual(checksum.compute(utf8(text)), value)
  })

  it("of Modbus ASCII: the LRC of 1 3 0 0 0 10 is 0xf2", () => {
    assert.strictEqual(Checksum.sum8Negated.compute(Uint8Array.of(1, 3, 0, 0, 0, 10)), 0xf2)
  })

  it("of Intel HEX: the record sums to 0 with its check", () => {
    const record = Uint8Array.from(
      ":10010000214601360121470136007EFE09D21901".slice(1).match(/../g) ?? [],
      (hex) => Number.parseInt(hex, 16)
    )
    assert.strictEqual(Checksum.sum8Negated.compute(record), 0x40)
  })

  it("of NMEA 0183: 60 sentences from the tests of pynmea2 and the rejects there", () => {
    const { protocols }: {
      protocols: ReadonlyArray<{ id: string; vectors: ReadonlyArray<Sentence>; rejects?: ReadonlyArray<Sentence> }>
    } = JSON.parse(readFileSync(new URL("data/protocol-vectors.json", import.meta.url), "utf8"))
    const nmea = protocols.find(({ id }) => id === "nmea-0183")
    const holds = ({ ascii }: Sentence) => {
      const [, covered = "", hex = ""] = /^[$!]?(.*)\*([0-9A-Fa-f]{2})/.exec(ascii) ?? []
      return Checksum.verify(Checksum.xor8, utf8(covered), Number.parseInt(hex, 16))
    }
    assert.strictEqual(nmea?.vectors.length, 60)
    assert.deepStrictEqual(nmea?.vectors.filter((sentence) => !holds(sentence)), [])
    assert.deepStrictEqual((nmea?.rejects ?? []).filter(holds), [])
  })
})

interface Sentence {
  readonly ascii: string
}

// zlib shows its Adler-32 in the last four bytes of what it deflates.
const adlerOfZlib = (bytes: Uint8Array): number =>
  zlib.deflateSync(bytes).readUInt32BE(zlib.deflateSync(bytes).length - 4)

it.prop("Adler-32 is zlib's", [NetArbitrary.bytes()], ([bytes]) => {
  assert.strictEqual(Checksum.adler32.compute(bytes), adlerOfZlib(bytes))
})

it("Adler-32 is zlib's where its sums pass the modulus", () => {
  for (const length of [250, 256, 257, 258, 300, 5_553, 100_000]) {
    const bytes = new Uint8Array(length).fill(0xff)
    assert.strictEqual(Checksum.adler32.compute(bytes), adlerOfZlib(bytes))
  }
})

describe("values", () => {
  it("become bytes in the order of the checksum or the one asked for", () => {
    const { crc12Umts, crc16Modbus, crc32Iscsi, crc64Xz } = CrcCatalogue
    assert.deepStrictEqual(Array.from(Checksum.toBytes(crc16Modbus, 0x4b37)), [0x37, 0x4b])
    assert.deepStrictEqual(Array.from(Checksum.toBytes(crc16Modbus, 0x4b37, "big")), [0x4b, 0x37])
    assert.deepStrictEqual(Array.from(Checksum.toBytes(crc32Iscsi, 1n)), [1, 0, 0, 0])
    assert.deepStrictEqual(Array.from(Checksum.toBytes(crc12Umts, 0xdaf)), [0xaf, 0x0d])
    assert.strictEqual(Checksum.fromBytes(crc16Modbus, Uint8Array.of(0x37, 0x4b)), 0x4b37)
    assert.strictEqual(Checksum.fromBytes(crc64Xz, Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 0x80)), 0x8000_0000_0000_0001n)
  })

  it("are shown as wide as the checksum", () => {
    assert.strictEqual(Checksum.format(CrcCatalogue.crc32Iscsi, 0xab), "0x000000ab")
    assert.strictEqual(Checksum.format(CrcCatalogue.crc12Umts, 0xab), "0x0ab")
    assert.strictEqual(Checksum.format(CrcCatalogue.crc82Darc, 1n), "0x000000000000000000001")
    assert.strictEqual(Checksum.format(CrcCatalogue.crc3Gsm, 1, "bin"), "0b001")
    assert.strictEqual(Checksum.format(CrcCatalogue.crc32Iscsi, 171n, "dec"), "171")
  })

  it("are compared whether they are numbers or bigints", () => {
    assert.isTrue(Checksum.verify(Checksum.adler32, utf8("Wikipedia"), 0x11e6_0398n))
    assert.isTrue(Checksum.verify(CrcCatalogue.crc40Gsm, utf8("123456789"), 0xd4_164f_c646))
    assert.isFalse(Checksum.verify(Checksum.adler32, utf8("Wikipedia"), 0x11e6_0399n))
  })

  it("are missing where there are fewer bytes than the checksum has", () => {
    assert.isFalse(Checksum.verifyAppended(Checksum.adler32, Uint8Array.of(0, 0, 1)))
    assert.isTrue(Checksum.verifyAppended(Checksum.adler32, Uint8Array.of(0, 0, 0, 1)))
  })
})
