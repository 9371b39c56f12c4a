import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as Checksum from "../src/Checksum.ts"
import * as Parity from "../src/Parity.ts"
import { NetArbitrary } from "../src/testing/index.ts"

const kinds = ["even", "odd"] as const

const flip = (block: ReadonlyArray<string>, ...places: ReadonlyArray<number>): ReadonlyArray<string> => {
  const width = block[0]!.length
  const bits = Array.from(block.join(""))
  for (const place of places) bits[place] = bits[place] === "0" ? "1" : "0"
  return Array.from(block, (_, i) => bits.slice(i * width, (i + 1) * width).join(""))
}

const verdict = (block: ReadonlyArray<string>, kind?: Parity.Kind) => Result.getOrThrow(Parity.check(block, kind))

it("the bit makes the number of ones even, or odd", () => {
  assert.deepStrictEqual(["0", "1", "11", "1101"].map((bits) => Parity.bit(bits)), ["0", "1", "0", "1"])
  assert.deepStrictEqual(["0", "1", "11", "1101"].map((bits) => Parity.bit(bits, "odd")), ["1", "0", "1", "0"])
  assert.deepStrictEqual([Parity.ofByte(0x61), Parity.ofByte(0x61, "odd"), Parity.ofByte(0x1ff)], [1, 0, 0])
})

it("a table is drawn as in a textbook", () => {
  assert.strictEqual(
    Parity.format(Result.getOrThrow(Parity.table("HI", { bits: 7 }))),
    [
      "char  bits     parity",
      "H     1001000  0",
      "I     1001001  1",
      "LRC   0000001  1"
    ].join("\n")
  )
  assert.strictEqual(
    Parity.format(Result.getOrThrow(Parity.table(Uint8Array.of(0x0a), { kind: "odd" }))),
    ["char  bits      parity", "0x0a  00001010  1", "LRC   11110101  0"].join("\n")
  )
})

it.prop("the LRC of even parity is XOR", [NetArbitrary.bytes({ minBytes: 1 })], ([bytes]) => {
  const { lrc } = Result.getOrThrow(Parity.table(bytes))
  assert.strictEqual(Number.parseInt(lrc.bits, 2), Checksum.xor8.compute(bytes))
})

for (const kind of kinds) {
  describe(`a block of ${kind} parity`, () => {
    const block = Parity.toBlock(Result.getOrThrow(Parity.table("Tau", { kind, bits: 7 })))
    const places = Array.from(block.join(""), (_, place) => place)

    it.prop("is accepted", [NetArbitrary.bytes({ minBytes: 1, maxBytes: 12 })], ([bytes]) => {
      const sent = Parity.toBlock(Result.getOrThrow(Parity.table(bytes, { kind })))
      assert.deepStrictEqual(verdict(sent, kind), { ok: true, rows: [], columns: [], single: undefined })
    })

    it("shows where a single wrong bit is", () => {
      for (const place of places) {
        const { ok, single } = verdict(flip(block, place), kind)
        assert.deepStrictEqual({ ok, single }, { ok: false, single: { row: Math.floor(place / 8), column: place % 8 } })
      }
    })

    it("finds every two and three wrong bits", () => {
      for (const a of places) {
        for (const b of places.slice(0, a)) {
          assert.isFalse(verdict(flip(block, a, b), kind).ok)
          for (const c of places.slice(0, b)) assert.isFalse(verdict(flip(block, a, b, c), kind).ok)
        }
      }
    })

    it("misses a rectangle", () => {
      assert.isTrue(verdict(flip(block, 0, 3, 8, 11), kind).ok)
    })
  })
}

it("refuses what is no block or has no table", () => {
  const rule = <A>(result: Result.Result<A, Parity.ParityError>) => Result.getOrThrow(Result.flip(result)).message
  assert.strictEqual(rule(Parity.table("")), "there must be at least one character")
  assert.strictEqual(rule(Parity.table("é", { bits: 7 })), "7 bits hold bytes up to 0x7f, got 0xc3; take 8")
  assert.strictEqual(rule(Parity.check(["11"])), "a block has at least one line of bits and parity, and the LRC")
  assert.strictEqual(rule(Parity.check(["11", "1"])), `each line must have 2 bits, got "1"`)
  assert.strictEqual(rule(Parity.check(["11", "1x"])), `each line must have 2 bits, got "1x"`)
})
