import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import * as Crc from "../src/Crc.ts"
import * as CrcCatalogue from "../src/CrcCatalogue.ts"
import * as CrcDetection from "../src/CrcDetection.ts"
import * as gf2 from "../src/internal/gf2.ts"

/** For each weight, the degree of the shortest multiple of a polynomial, by looking at all multiples below a degree. */
const shortestByHand = (poly: number, below: number): ReadonlyMap<number, number> => {
  const shortest = new Map<number, number>()
  for (let error = 1; error < 2 ** below; error += 2) {
    let rest = error
    const top = 31 - Math.clz32(poly)
    while (rest > 0 && 31 - Math.clz32(rest) >= top) {
      rest ^= poly << (31 - Math.clz32(rest)) - top
    }
    if (rest !== 0) continue
    const weight = error.toString(2).replaceAll("0", "").length
    shortest.set(weight, Math.min(shortest.get(weight) ?? Infinity, 31 - Math.clz32(error)))
  }
  return shortest
}

const limits = (guarantees: CrcDetection.Guarantees) =>
  guarantees.limits.map(({ exact, hammingDistance, maxDataBits }) =>
    `${hammingDistance}: ${exact ? "" : "at least "}${maxDataBits}`
  )

describe("what is computed is what trying all errors finds", () => {
  const below = 15
  for (const widthBits of [1, 2, 3, 4, 5, 6]) {
    it(`for all polynomials of width ${widthBits} and lengths up to ${below - widthBits}`, () => {
      for (let poly = 1; poly < 1 << widthBits; poly += 2) {
        const guarantees = CrcDetection.compute({ widthBits, poly })
        const byHand = shortestByHand(1 << widthBits | poly, below)
        for (let dataBits = 1; dataBits + widthBits <= below; dataBits++) {
          const bits = dataBits + widthBits
          const smallest = Math.min(...Array.from(byHand).filter(([, top]) => top < bits).map(([weight]) => weight))
          assert.deepStrictEqual(
            CrcDetection.distanceAt(guarantees, dataBits),
            { hammingDistance: smallest, exact: true },
            `poly ${poly.toString(2)}, ${dataBits} bits`
          )
        }
        const odd = Array.from(byHand.keys()).some((weight) => weight % 2 === 1)
        assert.strictEqual(guarantees.oddCounts, !odd)
        assert.strictEqual(guarantees.burstBits, Math.min(...byHand.values()))
      }
    })
  }

  it("the order of x, by multiplying", () => {
    for (let poly = 3; poly < 1024; poly += 2) {
      let power = gf2.mod(2n, BigInt(poly))
      let order = 1n
      for (; power !== gf2.mod(1n, BigInt(poly)); order++) power = gf2.mod(power << 1n, BigInt(poly))
      assert.strictEqual(gf2.orderOfX(BigInt(poly)), order)
    }
  })

  it("the share of two-bit errors that pass", () => {
    const tutorial = CrcDetection.compute(Crc.makeUnsafe({ widthBits: 3, poly: 1 }))
    let missed = 0
    for (let a = 0; a < 24; a++) for (let b = 0; b < a; b++) missed += (a - b) % 3 === 0 ? 1 : 0
    assert.strictEqual(CrcDetection.undetectedTwoBitShare(tutorial, 21), missed / (24 * 23 / 2))
    assert.strictEqual(CrcDetection.undetectedTwoBitShare(CrcDetection.compute({ widthBits: 3, poly: 3 }), 4), 0)
  })
})

describe("published limits", () => {
  interface Row {
    readonly poly: string
    readonly width: number
    readonly twoBitErrorsDetectedUpToDataBits: number
    readonly threeBit: number | string
    readonly fourBit: number | string
  }
  const { errorDetection }: { errorDetection: ReadonlyArray<Row> } = JSON.parse(
    readFileSync(new URL("data/crc-catalogue.json", import.meta.url), "utf8")
  )

  it.each(errorDetection)("of $poly", ({ fourBit, poly, threeBit, twoBitErrorsDetectedUpToDataBits: two, width }) => {
    const guarantees = CrcDetection.compute({ widthBits: width, poly: BigInt(poly) }, { maxHammingDistance: 5 })
    const at = (distance: number) => guarantees.limits.find(({ hammingDistance }) => hammingDistance === distance)
    assert.deepStrictEqual(at(3), { hammingDistance: 3, maxDataBits: two, exact: true })
    // A distance holds up to where all smaller errors are found, so the shortest of their lengths counts.
    const three = typeof threeBit === "number" ? Math.min(two, threeBit) : two
    assert.deepStrictEqual(at(4), { hammingDistance: 4, maxDataBits: three, exact: true })
    const five = at(5)
    if (typeof fourBit === "number") {
      const four = Math.min(three, fourBit)
      assert.strictEqual(five?.exact === false ? Math.max(five.maxDataBits, four) : five?.maxDataBits ?? 0, four)
    } else {
      assert.isFalse(five?.exact)
    }
  })

  it("of CRC-32C and CRC-32, further on", () => {
    assert.deepStrictEqual(limits(CrcDetection.compute(CrcCatalogue.crc32Iscsi, { maxHammingDistance: 8 })), [
      "3: 2147483615",
      "4: 2147483615",
      "5: 5243",
      "6: 5243",
      "7: 177",
      "8: 177"
    ])
    // Koopman 2002, table 1, column "802.3".
    assert.deepStrictEqual(limits(CrcDetection.compute(CrcCatalogue.crc32IsoHdlc, { maxHammingDistance: 8 })), [
      "3: 4294967263",
      "4: 91607",
      "5: 2974",
      "6: 268",
      "7: 171",
      "8: 91"
    ])
  })
})

describe("bounds", () => {
  it("of the work are admitted", () => {
    const options = { maxLookups: 1000, maxHammingDistance: 5 }
    const guarantees = CrcDetection.compute(CrcCatalogue.crc32Iscsi, options)
    const [, , five] = guarantees.limits
    assert.isFalse(five?.exact)
    assert.isBelow(five?.maxDataBits ?? Infinity, 5243)
    assert.deepStrictEqual(CrcDetection.distanceAt(guarantees, 5243), { hammingDistance: 4, exact: false })
    assert.deepStrictEqual(CrcDetection.distanceAt(guarantees, 1), { hammingDistance: 5, exact: false })
    assert.deepStrictEqual(CrcDetection.distanceAt(guarantees, 2 ** 40), { hammingDistance: 2, exact: true })
  })

  it("of numbers are admitted", () => {
    const { limits: [three], order } = CrcDetection.compute(CrcCatalogue.crc64GoIso, { maxHammingDistance: 3 })
    assert.strictEqual(order, 2n ** 64n - 1n)
    assert.deepStrictEqual(three, {
      hammingDistance: 3,
      maxDataBits: Number.MAX_SAFE_INTEGER - 64,
      exact: false
    })
  })

  it("of widths are admitted", () => {
    const darc = CrcDetection.compute(CrcCatalogue.crc82Darc)
    assert.deepStrictEqual([darc.order, limits(darc)], [273n, ["3: 191", "4: 191"]])
    const { limits: none, order } = CrcDetection.compute({ widthBits: 97, poly: 3n })
    assert.deepStrictEqual([order, none], [undefined, []])
  })
})
