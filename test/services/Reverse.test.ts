import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Client from "../../src/Client.ts"
import * as Framing from "../../src/Framing.ts"
import * as MemoryTransport from "../../src/MemoryTransport.ts"
import * as Reverse from "../../src/services/Reverse.ts"
import { reverse } from "../../src/services/Reverse.ts"
import { exchange, exchangeBytes } from "./exchange.ts"

const segmenter = new Intl.Segmenter("en", { granularity: "grapheme" })
const clusters = (text: string): Array<string> => Array.from(segmenter.segment(text), ({ segment }) => segment)
const sorted = (text: string): Array<string> => Array.from(text).sort()

/** One character of each kind that the rules of UAX #29 tell apart, and some whole clusters. */
// dprint-ignore
const pieces = [
  "a", " ", "\r", "\n", "\r\n", "\0", "\u200b", "\u0301", "e\u0301", "\u200d", "\u0903", "\u0600", "\u0915", "\u094d",
  "\u1100", "\u1161", "\u11a8", "\uac00", "\u{1f1e6}", "\u{1f1e7}", "\u{1f3fd}", "😀", "👍🏽", "👩‍👩‍👧", "🇳🇱"
] as const
const join = (parts: ReadonlyArray<string>): string => parts.join("")
const text = Arbitrary.map(Arbitrary.array(Arbitrary.schema(Schema.Literals(pieces)), { maxLength: 12 }), join)
const complete = ["a", " ", "\n", "\r\n", "é", "e\u0301", "\uac00", "नि", "😀", "👍🏽", "👩‍👩‍👧", "🇳🇱", "1️⃣"] as const
const whole = Arbitrary.map(Arbitrary.array(Arbitrary.schema(Schema.Literals(complete)), { maxLength: 12 }), join)
const ascii = Arbitrary.map(
  Arbitrary.array(Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 127 }))), {
    maxLength: 40
  }),
  (codes) => String.fromCharCode(...codes)
)
const runs = { arbitrary: { runs: 2000 } }

describe("Reverse", () => {
  it.prop("keeps each cluster and turns their order", { text }, ({ text }) => {
    assert.strictEqual(reverse(text), clusters(text).reverse().join(""))
  }, runs)

  it.prop("keeps every code point", { text }, ({ text }) => {
    assert.deepStrictEqual(sorted(reverse(text)), sorted(text))
  }, runs)

  it.prop("takes any string, even one that is not well formed", { text: Schema.String }, ({ text }) => {
    assert.strictEqual(reverse(text), clusters(text).reverse().join(""))
    assert.strictEqual(reverse(text).length, text.length)
  }, runs)

  it.prop("gives the text back the second time where no clusters join", { text }, ({ text }) => {
    const once = reverse(text)
    const joined = clusters(once).reverse().join("|") !== clusters(text).join("|")
    return joined || reverse(once) === text
  }, runs)

  it.prop("is its own inverse on texts of complete characters", { whole }, ({ whole }) => {
    assert.strictEqual(reverse(reverse(whole)), whole)
  }, runs)

  it.prop("agrees with the segmenter on ASCII, CR LF included", { ascii }, ({ ascii }) => {
    assert.strictEqual(reverse(ascii), clusters(ascii).reverse().join(""))
  }, runs)

  it.prop("agrees with the segmenter on texts of CR and LF", {
    parts: Arbitrary.array(Arbitrary.schema(Schema.Literals(["a", "\r", "\n"])), { maxLength: 12 })
  }, ({ parts }) => {
    assert.strictEqual(reverse(parts.join("")), clusters(parts.join("")).reverse().join(""))
  }, runs)

  it.prop("is the naive reversal for ASCII without CR LF, and its own inverse without CR", { ascii }, ({ ascii }) => {
    const plain = ascii.replaceAll("\r", "")
    assert.strictEqual(reverse(plain), plain.split("").reverse().join(""))
    assert.strictEqual(reverse(reverse(plain)), plain)
  }, runs)

  it.each([
    ["the tutorial's sample", "shaurya says geeksforgeeks", "skeegrofskeeg syas ayruahs"],
    ["nothing", "", ""],
    ["an accent and a family", "héllo 👩‍👩‍👧", "👩‍👩‍👧 olléh"],
    ["an accent of its own code point", "he\u0301llo", "olle\u0301h"],
    ["a skin tone and flags", "👍🏽🇳🇱🇧🇪", "🇧🇪🇳🇱👍🏽"],
    ["CR LF", "a\r\nb", "b\r\na"],
    ["Devanagari", "नमस्ते", "स्तेमन"]
  ])("reverses %s", (_, text, expected) => {
    assert.strictEqual(reverse(text), expected)
  })

  it.each([
    ["an LF before a CR", "\n\r"],
    ["a mark with nothing to attach to", "\u0301a"],
    ["a joiner with nothing to attach to", "\u200da"],
    ["a prefix with nothing after it", "a\u0600"],
    ["loose parts of a syllable", "\u1161\u1100"],
    ["an odd number of flag letters", "\u{1f1e6}\u{1f1e7}\u{1f1e8}"],
    ["an emoji that ends in a joiner", "😀😀\u200d"]
  ])("does not give back %s", (_, text) => {
    assert.notStrictEqual(reverse(reverse(text)), text)
  })

  it("reverses a million characters", () => {
    assert.strictEqual(reverse("ab".repeat(500_000)), "ba".repeat(500_000))
    assert.strictEqual(reverse("äb".repeat(50_000)), "bä".repeat(50_000))
  })
})

describe("the service", () => {
  const served = (options?: Reverse.Options) =>
    Effect.provide(Reverse.layer("memory:reverse", options).pipe(Layer.provideMerge(MemoryTransport.layer)))

  it.effect("turns lines around, and a last one without an end", () =>
    Effect.gen(function*() {
      const sent = "shaurya says geeksforgeeks\r\n\nhéllo 👩‍👩‍👧"
      assert.strictEqual(yield* exchange("memory:reverse", sent), "skeegrofskeeg syas ayruahs\n\n👩‍👩‍👧 olléh\n")
    }).pipe(served()))

  it.effect("turns around what one read returned, as in the tutorial", () =>
    Effect.gen(function*() {
      const sent = "shaurya says geeksforgeeks"
      assert.strictEqual(yield* exchange("memory:reverse", sent), "skeegrofskeeg syas ayruahs")
    }).pipe(served({ framing: Framing.chunks({ maxFrameBytes: 1024 }) })))

  it.effect("answers a client in order", () =>
    Effect.gen(function*() {
      const client = yield* Client.make(Reverse.protocol(), "memory:reverse")
      const texts = Array.from({ length: 200 }, (_, n) => `text ${n} ü`)
      const replies = yield* Effect.forEach(texts, client.call, { concurrency: "unbounded" })
      assert.deepStrictEqual(replies, texts.map(reverse))
    }).pipe(Effect.scoped, served()))

  it.effect("ends the connection of a peer that sends no text, and goes on serving others", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* exchange("memory:reverse", "ab\n\x00\n"), "ba\n\x00\n")
      const garbage = Uint8Array.of(0x61, 0x0a, 0xff, 0xfe, 0x0a, 0x62, 0x0a)
      assert.strictEqual(new TextDecoder().decode(yield* exchangeBytes("memory:reverse", [garbage])), "a\n")
      assert.strictEqual(yield* exchange("memory:reverse", "cd\n"), "dc\n")
    }).pipe(served()))
})
