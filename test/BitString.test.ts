import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Result, Schema } from "effect"
import { readFileSync } from "node:fs"
import * as BitString from "../src/BitString.ts"
import { NetArbitrary } from "../src/testing/index.ts"

const bits = (options?: { readonly minLength?: number; readonly maxLength?: number }) =>
  Arbitrary.array(Arbitrary.schema(Schema.Literals(["0", "1"])), { minLength: 1, ...options }).pipe(
    Arbitrary.map((list) => list.join(""))
  )
const key = bits({ maxLength: 9 }).pipe(Arbitrary.map((rest) => `1${rest}`))

const rule = (result: Result.Result<unknown, BitString.BitStringError>) => Result.getOrThrow(Result.flip(result)).rule

const flipped = (text: string, at: number): string =>
  text.slice(0, at) + (text[at] === "0" ? "1" : "0") + text.slice(at + 1)

describe("the textbook's vectors", () => {
  interface Vector {
    readonly text: string
    readonly bits: string
    readonly key: string
    readonly codeword: string
  }
  const { protocols }: { protocols: ReadonlyArray<{ id: string; vectors: ReadonlyArray<Vector> }> } = JSON.parse(
    readFileSync(new URL("data/protocol-vectors.json", import.meta.url), "utf8")
  )
  const vectors = protocols.find(({ id }) => id === "textbook-1001")?.vectors ?? []

  it("are seven", () => {
    assert.strictEqual(vectors.length, 7)
  })

  for (const vector of vectors) {
    it(`${vector.text} with ${vector.key}`, () => {
      assert.strictEqual(Result.getOrThrow(BitString.encode(vector.bits, vector.key)).codeword, vector.codeword)
      const { data, ok } = Result.getOrThrow(BitString.check(vector.codeword, vector.key))
      assert.deepStrictEqual({ data, ok }, { data: vector.bits, ok: true })
      if (!/^[01]+$/.test(vector.text)) {
        assert.deepStrictEqual(BitString.fromText(vector.text, "unpadded"), Result.succeed(vector.bits))
      }
    })
  }

  it("ODD", () => {
    const data = Result.getOrThrow(BitString.fromText("ODD", "unpadded"))
    assert.strictEqual(data, "100111110001001000100")
    assert.strictEqual(Result.getOrThrow(BitString.encode(data, "1001")).codeword, "100111110001001000100001")
  })
})

describe("division", () => {
  it.prop("gives codewords that divide evenly", { data: bits(), key }, ({ data, key: divisor }) => {
    const { codeword, remainder } = Result.getOrThrow(BitString.encode(data, divisor))
    assert.strictEqual(codeword, data + remainder)
    assert.strictEqual(remainder.length, divisor.length - 1)
    const verdict = Result.getOrThrow(BitString.check(codeword, divisor))
    assert.deepStrictEqual([verdict.ok, verdict.data], [true, data])
  })

  it.prop("finds each flipped bit, if the key ends with 1", { data: bits(), key }, ({ data, key: divisor }) => {
    const odd = `${divisor.slice(0, -1)}1`
    const { codeword } = Result.getOrThrow(BitString.encode(data, odd))
    for (let at = 0; at < codeword.length; at++) {
      assert.isFalse(Result.getOrThrow(BitString.check(flipped(codeword, at), odd)).ok)
    }
  })

  it.prop("is undone by multiplication", { dividend: bits({ maxLength: 40 }), key }, ({ dividend, key: divisor }) => {
    const { quotient, remainder } = Result.getOrThrow(BitString.divide(dividend, divisor))
    let product = BigInt(`0b${remainder}`)
    Array.from(quotient, (bit, i) => {
      if (bit === "1") product ^= BigInt(`0b${divisor}`) << BigInt(quotient.length - 1 - i)
    })
    assert.strictEqual(product, BigInt(`0b${dividend}`))
  })

  it.prop("has steps that follow from one another", { dividend: bits(), key }, ({ dividend, key: divisor }) => {
    const { quotient, remainder, steps } = Result.getOrThrow(BitString.divide(dividend, divisor))
    assert.strictEqual(steps.length, Math.max(0, dividend.length - divisor.length + 1))
    assert.strictEqual(steps.map((step) => step.quotient).join(""), quotient)
    steps.forEach(({ at, difference, subtrahend, window }, i) => {
      const before = steps[i - 1]?.difference.slice(1) ?? dividend.slice(0, divisor.length - 1)
      assert.strictEqual(at, i)
      assert.strictEqual(window, before + dividend[at + divisor.length - 1])
      assert.strictEqual(subtrahend, window.startsWith("1") ? divisor : "0".repeat(divisor.length))
      assert.strictEqual(BigInt(`0b${difference}`), BigInt(`0b${window}`) ^ BigInt(`0b${subtrahend}`))
    })
    if (steps.length > 0) assert.strictEqual(steps.at(-1)?.difference, `0${remainder}`)
  })

  it("of less than the key leaves it", () => {
    const { quotient, remainder, steps } = Result.getOrThrow(BitString.divide("10", "1001"))
    assert.deepStrictEqual({ quotient, remainder, steps }, { quotient: "", remainder: "010", steps: [] })
  })

  it("is drawn as on paper", () => {
    const draw = (data: string, divisor: string) =>
      `\n${BitString.format(Result.getOrThrow(BitString.encode(data, divisor)).division)}\n`
    assert.strictEqual(
      draw("1011", "1001"),
      [
        "",
        "          1010",
        "1001 ) 1011000",
        "       1001",
        "       ----",
        "         1000",
        "         1001",
        "         ----",
        "           010",
        ""
      ].join("\n")
    )
    assert.strictEqual(draw("00", "11"), "\n      00\n11 ) 000\n       0\n")
  })
})

describe("text", () => {
  it("is read back from 7 and 8 bits", () => {
    for (const [text, size] of [["ODD 2", 7], ["ODD 2", 8], ["grüße €😀\uFEFF", 8]] as const) {
      assert.deepStrictEqual(
        Result.flatMap(BitString.fromText(text, size), (list) => BitString.toText(list, size)),
        Result.succeed(text)
      )
    }
  })

  it("is ambiguous without padding", () => {
    const unpadded = (text: string) => BitString.fromText(text, "unpadded")
    assert.deepStrictEqual(unpadded("C2"), Result.succeed("1000011110010"))
    assert.deepStrictEqual(unpadded("\x01\x01"), unpadded("\x03"))
  })

  it("of 7 bits is ASCII", () => {
    assert.strictEqual(rule(BitString.fromText("aé", 7)), `7 bits hold ASCII only, got "é"; take 8`)
  })

  it("is refused where the bytes are none", () => {
    assert.strictEqual(rule(BitString.toText("11111111", 8)), "these bytes are no UTF-8")
    assert.strictEqual(rule(BitString.toText("1111111", 8)), "there must be a multiple of 8 bits, got 7")
    assert.strictEqual(rule(BitString.fromText("", 8)), "there must be at least one character")
  })
})

it.prop("bytes are read back", [NetArbitrary.bytes({ minBytes: 1 })], ([bytes]) => {
  assert.deepStrictEqual(BitString.toBytes(BitString.fromBytes(bytes)), Result.succeed(bytes))
})

describe("refused are", () => {
  it.each<[what: string, result: Result.Result<unknown, BitString.BitStringError>, rule: string]>([
    ["other characters", BitString.encode("10201", "1001"), `bits are 0 and 1, got "2" at place 2`],
    ["nothing", BitString.divide("", "1001"), "there must be at least one bit"],
    ["a key that begins with 0", BitString.encode("1", "0101"), "a key begins with 1, the term of its highest power"],
    ["a key of one bit", BitString.encode("1", "1"), "a key has at least two bits: the remainder has one bit less"],
    ["a key that is none", BitString.encode("1", "1x"), `bits are 0 and 1, got "x" at place 1`],
    ["a short codeword", BitString.check("101", "1001"), "a codeword for a key of 4 bits has at least 4 bits"]
  ])("%s", (_, result, expected) => {
    assert.strictEqual(rule(result), expected)
  })
})
