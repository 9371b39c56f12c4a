import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Checksum from "../../src/Checksum.ts"
import type * as Crc from "../../src/Crc.ts"
import * as CrcCatalogue from "../../src/CrcCatalogue.ts"
import { ChecksumLaws } from "../../src/testing/index.ts"

const right = Checksum.fletcher16

/** The right checksum with one function changed. */
const withCompute = (compute: (bytes: Uint8Array) => number): Checksum.Checksum<number> => ({ ...right, compute })

let shared = right.start()

/** Ways to be wrong, and the law that each breaks. */
const bugs: Readonly<Record<string, readonly [law: keyof typeof ChecksumLaws.laws, checksum: Checksum.Checksum]>> = {
  "forgets what came before a chunk": ["incremental", {
    ...right,
    start: () => {
      let value = 0
      return {
        update: (bytes) => {
          value = right.compute(bytes)
        },
        finish: () => value
      }
    }
  }],
  "keeps the chunk and reads it later": ["incremental", {
    ...right,
    start: () => {
      const chunks: Array<Uint8Array> = []
      return {
        update: (bytes) => {
          chunks.push(bytes)
        },
        finish: () => right.compute(Uint8Array.from(chunks.flatMap((chunk) => Array.from(chunk))))
      }
    }
  }],
  "changes the bytes": ["incremental", {
    ...right,
    start: () => {
      const running = right.start()
      return {
        ...running,
        update: (bytes) => {
          running.update(bytes)
          bytes.fill(0)
        }
      }
    }
  }],
  "starts again when it is asked": ["incremental", {
    ...right,
    start: () => {
      let running = right.start()
      return {
        update: (bytes) => running.update(bytes),
        finish: () => {
          const value = running.finish()
          running = right.start()
          return value
        }
      }
    }
  }],
  "shares its state": ["incremental", {
    ...right,
    start: () => {
      shared = right.start()
      return { update: (bytes) => shared.update(bytes), finish: () => shared.finish() }
    }
  }],
  "is wider than it says": ["range", { ...right, widthBits: 8 }],
  "is signed": ["range", withCompute((bytes) => right.compute(bytes) - 0x8000)],
  "gives a bigint for 16 bits": ["range", { ...right, compute: (bytes) => BigInt(right.compute(bytes)) }],
  "has a value that does not fit its bytes": ["accepts", { ...right, widthBits: 8 }],
  "does not look at the highest bit": [
    "singleBitErrors",
    withCompute((bytes) => right.compute(bytes.map((byte) => byte & 0x7f)))
  ],
  "does not look at the last byte": ["singleBitErrors", withCompute((bytes) => right.compute(bytes.subarray(0, -1)))],
  "sums": ["swappedBytes", Checksum.sum8]
}

describe("ChecksumLaws", () => {
  it.effect("hold for a checksum that is right", () => ChecksumLaws.all({ checksum: right, positional: true }))

  for (const [name, [law, checksum]] of Object.entries(bugs)) {
    it.effect(`${law} is broken by one that ${name}`, () =>
      Effect.gen(function*() {
        const violation = yield* Effect.flip(ChecksumLaws.laws[law]({ checksum, positional: true }))
        assert.strictEqual(violation.law, `ChecksumLaws.${law}`)
        assert.isAbove(violation.broken.length, 0)
      }))
  }

  it.effect("do not ask a sum for the places of bytes", () => ChecksumLaws.all({ checksum: Checksum.sum8 }))
})

describe("laws of CRCs", () => {
  const crc: Crc.Crc = CrcCatalogue.crc16Genibus

  it.effect("hold for one that is right", () => ChecksumLaws.allCrc({ crc }))

  it.effect("residue is broken by another residue", () =>
    Effect.gen(function*() {
      const violation = yield* Effect.flip(ChecksumLaws.residue({ crc: { ...crc, residue: 0 } }))
      assert.strictEqual(violation.law, "ChecksumLaws.residue")
    }))

  it.effect("residue is broken by a CRC in the other byte order", () =>
    Effect.gen(function*() {
      const violation = yield* Effect.flip(ChecksumLaws.residue({ crc: { ...crc, byteOrder: "little" } }))
      assert.strictEqual(violation.broken, "the codeword is refused as bytes")
    }))

  it.effect("bits is broken by a computation for other parameters", () =>
    Effect.gen(function*() {
      const { compute } = CrcCatalogue.crc16Xmodem
      const violation = yield* Effect.flip(ChecksumLaws.allCrc({ crc: { ...crc, compute } }))
      assert.strictEqual(violation.law, "ChecksumLaws.incremental")
      const other = yield* Effect.flip(ChecksumLaws.bits({ crc: { ...crc, compute } }))
      assert.strictEqual(other.law, "ChecksumLaws.bits")
    }))
})
