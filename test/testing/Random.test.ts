import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as Random from "../../src/testing/Random.ts"

const word = 2n ** 32n - 1n
const rotate = (value: bigint, bits: bigint) => ((value << bits) | (value >> (32n - bits))) & word

/** The reference in its own words: `xoshiro128starstar.c`, on big integers. */
const reference = (state: Array<bigint>) => (): number => {
  const result = (rotate((state[1]! * 5n) & word, 7n) * 9n) & word
  const shifted = (state[1]! << 9n) & word
  state[2]! ^= state[0]!
  state[3]! ^= state[1]!
  state[1]! ^= state[2]!
  state[0]! ^= state[3]!
  state[2]! ^= shifted
  state[3] = rotate(state[3]!, 11n)
  return Number(result)
}

/** The finalizer of MurmurHash3. */
const finalize = (input: bigint): bigint => {
  let value = BigInt.asUintN(32, input)
  value = ((value ^ (value >> 16n)) * 0x85ebca6bn) & word
  value = ((value ^ (value >> 13n)) * 0xc2b2ae35n) & word
  return value ^ (value >> 16n)
}

/** Four words from splitmix, of the lower half of the seed and the mixed upper half. */
const stateOf = (seed: number): Array<bigint> => {
  let mix = finalize(BigInt(seed) >> 32n) ^ BigInt.asUintN(32, BigInt(seed))
  return Array.from({ length: 4 }, () => finalize(mix = (mix + 0x9e3779b9n) & word))
}

const Seed = Schema.Int.check(
  Schema.isBetween({ minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER })
)

describe("Random", () => {
  it("the reference gives the published numbers for the state 1, 2, 3, 4", () => {
    const next = reference([1n, 2n, 3n, 4n])
    assert.deepStrictEqual([next(), next(), next(), next(), next()], [11520, 0, 5927040, 70819200, 2031721883])
  })

  it.effect.prop("gives the numbers of the reference", { seed: Seed }, ({ seed }) =>
    Effect.sync(() => {
      const random = Random.make(seed)
      const next = reference(stateOf(seed))
      for (let at = 0; at < 50; at++) assert.strictEqual(random.next(), next())
    }))

  it.effect.prop(
    "a fork depends on seed and label, not on what was drawn before",
    { seed: Seed },
    ({ seed }) =>
      Effect.sync(() => {
        const one = Random.make(seed)
        const other = Random.make(seed)
        other.next()
        assert.strictEqual(one.fork("a").next(), other.fork("a").next())
        assert.notStrictEqual(one.fork("a").seed, one.fork("b").seed)
        assert.notStrictEqual(one.fork("a").next(), one.next())
      })
  )

  it("neighbouring seeds, small, large and negative, have different forks", () => {
    const seeds = [0, 1, 2, -1, 2 ** 32, 2 ** 32 + 1, 2 ** 40, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]
    assert.strictEqual(new Set(seeds.map((seed) => Random.make(seed).fork("link").next())).size, seeds.length)
    assert.strictEqual(new Set(seeds.map((seed) => Random.make(seed).next())).size, seeds.length)
  })

  it("integers stay within both bounds and reach them", () => {
    const random = Random.make(5)
    const drawn = new Set(Array.from({ length: 200 }, () => random.int(-2, 2)))
    assert.deepStrictEqual(Array.from(drawn).sort((a, b) => a - b), [-2, -1, 0, 1, 2])
    const rolls = Array.from({ length: 6000 }, () => random.int(1, 6))
    for (const face of [1, 2, 3, 4, 5, 6]) {
      assert.closeTo(rolls.filter((roll) => roll === face).length, 1000, 120)
    }
  })

  it("picks one of the values, and needs one", () => {
    const random = Random.make(5)
    assert.sameMembers(Array.from(new Set(Array.from({ length: 50 }, () => random.pick(["a", "b"])))), ["a", "b"])
    assert.throws(() => random.pick([]), /at least one value/)
  })

  it("a chance of 0 never comes, one of 1 always", () => {
    const random = Random.make(9)
    assert.isFalse(Array.from({ length: 100 }, () => random.chance(0)).includes(true))
    assert.isFalse(Array.from({ length: 100 }, () => random.chance(1)).includes(false))
  })

  it("FNV-1a gives its published sums, and goes on from one", () => {
    // From the reference code of draft-eastlake-fnv, for 32 bits.
    assert.deepStrictEqual(["", "a", "foobar"].map((text) => Random.hash(text)), [0x811c9dc5, 0xe40c292c, 0xbf9cf968])
    assert.strictEqual(Random.hash("bar", Random.hash("foo")), Random.hash("foobar"))
  })
})
