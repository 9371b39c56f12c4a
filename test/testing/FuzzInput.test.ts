import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import { Fuzz, NetArbitrary } from "../../src/testing/index.ts"
import * as FuzzInput from "../../src/testing/internal/FuzzInput.ts"
import { stream } from "../../src/testing/internal/FuzzMutation.ts"
import { shrink } from "../../src/testing/internal/FuzzShrink.ts"
import * as Random from "../../src/testing/Random.ts"

const inputs = Arbitrary.all({
  bytes: NetArbitrary.bytes(),
  cuts: Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 63 })))),
  ending: Arbitrary.schema(Schema.Literals(FuzzInput.endings))
}).pipe(
  Arbitrary.map(({ bytes, cuts, ending }) => ({
    bytes,
    cuts: cuts.map((cut) => cut % (bytes.length + 1)).sort((left, right) => left - right),
    ending
  }))
)

const parse = (token: string) => Result.getOrThrow(FuzzInput.parse(token))
const input = (token: string): FuzzInput.Input => parse(token)

describe("tokens", () => {
  it.effect.prop(
    "are read as they are written",
    { input: inputs },
    ({ input }) => Effect.sync(() => assert.deepStrictEqual(parse(FuzzInput.format(input)), input))
  )

  it.effect.prop("have the chunks of the input", { input: inputs }, ({ input }) =>
    Effect.sync(() => {
      const chunks = FuzzInput.chunksOf(input)
      assert.strictEqual(chunks.length, input.cuts.length + 1)
      assert.deepStrictEqual(Uint8Array.from(chunks.flatMap((chunk) => [...chunk])), input.bytes)
    }))

  it("are hexadecimal chunks, and how the peer left", () => {
    assert.deepStrictEqual(parse("03 6162 - 63 !reset"), {
      bytes: Uint8Array.of(3, 0x61, 0x62, 0x63),
      cuts: [1, 3, 3],
      ending: "reset"
    })
    assert.strictEqual(FuzzInput.format({ bytes: new Uint8Array(0), cuts: [], ending: "end" }), "-")
    // Both are words, and one of them hexadecimal.
    assert.strictEqual(FuzzInput.format({ bytes: Uint8Array.of(0xde, 0xaf), cuts: [], ending: "deaf" }), "deaf !deaf")
  })

  it.each([
    ["616", "a chunk is an even number of hexadecimal digits, or - where it is empty, got \"616\""],
    ["0x61", "a chunk is an even number of hexadecimal digits, or - where it is empty, got \"0x61\""],
    ["", "a chunk is an even number of hexadecimal digits, or - where it is empty, got \"\""],
    ["61 !gone", "expected one of !end !reset !stay !deaf, got !gone"]
  ])("that are none are refused: %j", (token, rule) => {
    const error = Result.getFailure(FuzzInput.parse(token))
    assert.deepStrictEqual(error, Result.getFailure(Result.fail(new Fuzz.FuzzTokenError({ token, rule }))))
  })

  it.effect("a bad one is a failure of replay", () =>
    Effect.gen(function*() {
      const target = Fuzz.codec(
        {
          decoder: () => ({ decode: () => undefined, end: () => undefined, bytesBuffered: 0 }),
          encode: () => undefined,
          maxFrameBytes: 1
        },
        { messages: Schema.Int }
      )
      assert.strictEqual(
        (yield* Effect.flip(Fuzz.replay(target, "6"))).message,
        "token \"6\": a chunk is an even number of hexadecimal digits, or - where it is empty, got \"6\""
      )
    }))
})

describe("shrinking", () => {
  const smallest = (found: string, fails: (input: FuzzInput.Input) => boolean, tries = 10_000) =>
    Effect.map(
      shrink(input(found), (candidate) => Effect.sync(() => fails(candidate)), tries),
      (shrunk) => FuzzInput.format(shrunk.input)
    )
  const has = (...wanted: ReadonlyArray<number>) => ({ bytes }: FuzzInput.Input) =>
    bytes.join(",").includes(wanted.join(","))

  it.effect("drops what does not matter", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* smallest("0102 03040506 !reset", has(3, 4)), "0304")
      assert.strictEqual(yield* smallest("61626364656667", () => true), "-")
    }))

  it.effect("makes bytes as small as they can be", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* smallest("41ff42", ({ bytes }) => bytes.some((byte) => byte > 0x80)), "81")
    }))

  it.effect("keeps the one cut that matters, and the ending", () =>
    Effect.gen(function*() {
      const fails = ({ bytes, cuts, ending }: FuzzInput.Input) =>
        ending === "stay" && bytes.length > 2 && cuts.includes(2)
      assert.strictEqual(yield* smallest("61 62 63 64 65 !stay", fails), "0000 00 !stay")
    }))

  it.effect("makes a count smaller together with what it counts", () =>
    Effect.gen(function*() {
      const fails = ({ bytes }: FuzzInput.Input) => bytes.length > 1 && bytes[0] === bytes.length - 1
      assert.strictEqual(yield* smallest("0561626364 65", fails), "0100")
    }))

  it.effect("stops when the budget is spent", () =>
    Effect.gen(function*() {
      let tries = 0
      const shrunk = yield* shrink(input("616263646566"), () => Effect.sync(() => ++tries > 0 && false), 7)
      assert.deepStrictEqual({ tries, steps: shrunk.steps, left: FuzzInput.format(shrunk.input) }, {
        tries: 7,
        steps: 0,
        left: "616263646566"
      })
    }))
})

describe("mutations", () => {
  it("are bounded, the same for the same seed, and leave their source alone", () => {
    const base = Uint8Array.from({ length: 40 }, (_, i) => i)
    const source = base.slice()
    const draw = (seed: number) => {
      const dice = Random.make(seed)
      return Array.from({ length: 300 }, () => stream(base, dice, { streams: [base], words: [] }, 64))
    }
    const drawn = draw(1)
    assert.deepStrictEqual(draw(1), drawn)
    assert.notDeepEqual(draw(2), drawn)
    assert.deepStrictEqual(base, source)
    assert.isTrue(drawn.every(({ length }) => length <= 64))
    // Shorter, longer, of the same size; changed in one place and in many.
    assert.isTrue(drawn.some(({ length }) => length < 40))
    assert.isTrue(drawn.some(({ length }) => length > 40))
    assert.isTrue(drawn.some((bytes) => bytes.length === 40 && bytes.filter((byte, i) => byte !== i).length === 1))
    assert.isAbove(new Set(drawn.map((bytes) => bytes.join())).size, 200)
  })
})
