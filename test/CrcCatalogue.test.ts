import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { readFileSync } from "node:fs"
import { constantOf } from "../scripts/crcCatalogue.ts"
import * as BitString from "../src/BitString.ts"
import type * as Checksum from "../src/Checksum.ts"
import * as Crc from "../src/Crc.ts"
import * as CrcCatalogue from "../src/CrcCatalogue.ts"
import { ChecksumLaws, NetArbitrary } from "../src/testing/index.ts"

interface Entry {
  readonly name: string
  readonly width: number
  readonly poly: string
  readonly init: string
  readonly refin: boolean
  readonly refout: boolean
  readonly xorout: string
  readonly check: string
  readonly residue: string
  readonly class: string
  readonly aliases: ReadonlyArray<string>
  readonly codewords: ReadonlyArray<string>
}

const { algorithms }: { algorithms: ReadonlyArray<Entry> } = JSON.parse(
  readFileSync(new URL("data/crc-catalogue.json", import.meta.url), "utf8")
)

const constants = new Map(Object.entries<unknown>(CrcCatalogue))
const nine = new TextEncoder().encode("123456789")

const found = (name: string): CrcCatalogue.Algorithm => {
  const algorithm = CrcCatalogue.find(name)
  assert(algorithm !== undefined, name)
  return algorithm
}

it("holds the 113 algorithms of the catalogue, as constants and in `all`", () => {
  assert.strictEqual(CrcCatalogue.all.length, 113)
  assert.deepStrictEqual(CrcCatalogue.all.map(({ name }) => name), algorithms.map(({ name }) => name))
  for (const { name } of algorithms) assert.strictEqual(constants.get(constantOf(name)), found(name))
  assert.strictEqual(constants.size, 113 + 2)
})

it("has the parameters of the catalogue", () => {
  for (const { codewords: _, width: widthBits, ...entry } of algorithms) {
    const value = (hex: string): Checksum.Value => widthBits <= 32 ? Number(hex) : BigInt(hex)
    const { compute: _compute, start: _start, ...algorithm } = found(entry.name)
    assert.deepStrictEqual(algorithm, {
      ...entry,
      widthBits,
      byteOrder: entry.refout ? "little" : "big",
      poly: value(entry.poly),
      init: value(entry.init),
      xorout: value(entry.xorout),
      check: value(entry.check),
      residue: value(entry.residue),
      // It is one of the four, as the type of the constants says.
      class: entry.class as CrcCatalogue.Class
    })
  }
})

describe("its check and residue come out for", () => {
  for (const algorithm of CrcCatalogue.all) {
    it(algorithm.name, () => {
      assert.strictEqual(algorithm.compute(nine), algorithm.check)
      const { check, init, poly, refin, refout, residue, widthBits, xorout } = algorithm
      const made = Crc.make({ widthBits, poly, init, refin, refout, xorout, check, residue })
      assert.isTrue(Result.isSuccess(made))
    })
  }
})

describe("keeps the laws:", () => {
  for (const crc of CrcCatalogue.all) {
    it.effect(
      crc.name,
      () => ChecksumLaws.allCrc({ crc, messages: NetArbitrary.bytes({ maxBytes: 12 }), options: { runs: 8 } })
    )
  }
})

it("accepts the 350 codewords that the catalogue quotes", () => {
  let count = 0
  for (const { codewords, name } of algorithms) {
    const crc = found(name)
    for (const codeword of codewords) {
      count += 1
      const bytes = Uint8Array.from(codeword.match(/../g) ?? [], (hex) => Number.parseInt(hex, 16))
      assert.strictEqual(crc.compute(bytes), Crc.residueValue(crc), `${name} ${codeword}`)
    }
  }
  assert.strictEqual(count, 350)
})

describe("find", () => {
  it("knows names and aliases in any case", () => {
    assert.strictEqual(CrcCatalogue.find("CRC-16/MODBUS"), CrcCatalogue.crc16Modbus)
    assert.strictEqual(CrcCatalogue.find("modbus"), CrcCatalogue.crc16Modbus)
    assert.strictEqual(CrcCatalogue.find("crc-32c"), CrcCatalogue.crc32Iscsi)
    assert.strictEqual(CrcCatalogue.find("CRC-32"), CrcCatalogue.crc32IsoHdlc)
    assert.isUndefined(CrcCatalogue.find("CRC-33"))
  })

  it("has no name that means two algorithms", () => {
    const names = CrcCatalogue.all.flatMap(({ aliases, name }) => [name, ...aliases]).map((name) => name.toUpperCase())
    assert.strictEqual(new Set(names).size, names.length)
    for (const algorithm of CrcCatalogue.all) {
      for (const name of [algorithm.name, ...algorithm.aliases]) assert.strictEqual(found(name), algorithm)
    }
  })
})

it("says the values that people look up", () => {
  const crc16: number = CrcCatalogue.crc16Modbus.compute(nine)
  const crc64: bigint = CrcCatalogue.crc64Xz.compute(nine)
  assert.deepStrictEqual([crc16, crc64], [0x4b37, 0x995d_c9bb_df19_39fan])
  assert.deepStrictEqual(BitString.fromBytes(nine.subarray(0, 1)), "00110001")
})
