/** Lines of text have a way of their own; it must give what text over any framing gives. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { Codec, Framing } from "hawser"
import { NetArbitrary } from "hawser/testing"

const framingOf = Schema.Struct({
  ending: Schema.Literals(["lf", "crlf", "any"]),
  unterminated: Schema.Literals(["emit", "reject"]),
  maxFrameBytes: Schema.Literals([1, 4, 40, "unbounded"])
})

/** The same framing behind a function that does nothing: no codec of lines any more. */
const slow = (framing: Codec.Codec<Uint8Array>) =>
  Codec.text(Codec.map(framing, { decode: (bytes) => bytes, encode: (bytes: Uint8Array) => bytes }))

/** What lines are made of, and what they may be confused with. */
const piece = Schema.Literals(["a", "bcdefgh", "\n", "\r", "\r\n", "é", "\uFFFD", "\uD800", "😀"])
const text = Arbitrary.map(Arbitrary.schema(Schema.Array(piece)), (pieces) => pieces.join(""))

/** Bytes of such lines, some of which are no text. */
const wire = Arbitrary.map(
  Arbitrary.schema(Schema.Array(Schema.Union([piece, Schema.Literals([0xff, 0xc3])]))),
  (pieces) =>
    Uint8Array.from(
      pieces.flatMap((piece) => typeof piece === "number" ? [piece] : [...new TextEncoder().encode(piece)])
    )
)

/** Everything that a decoder says of a stream, going on behind errors as a reader does. */
const heard = (codec: Codec.Codec<string>, chunks: ReadonlyArray<Uint8Array>) => {
  const decoder = codec.decoder()
  const said: Array<unknown> = []
  const say = (step: (out: Array<string>) => unknown) => {
    for (let tries = 0; tries < 100; tries++) {
      const out: Array<string> = []
      const error = step(out)
      said.push(out, error, decoder.bytesBuffered === 0)
      if (error === undefined) return
      step = (out) => decoder.decode(new Uint8Array(0), out)
    }
  }
  for (const chunk of chunks) say((out) => decoder.decode(chunk, out))
  for (let i = 0; i < 3; i++) said.push(decoder.end([]))
  return said
}

describe("text over lines", () => {
  it.effect.prop(
    "decodes as text over any framing",
    [framingOf, wire, NetArbitrary.chunking],
    ([options, bytes, chunking]) =>
      Effect.sync(() => {
        const framing = Framing.lines(options)
        const chunks = NetArbitrary.cut(bytes, chunking)
        assert.deepStrictEqual(heard(Codec.text(framing), chunks), heard(slow(framing), chunks))
      }),
    { arbitrary: { runs: 2000 } }
  )

  it.effect.prop("encodes as text over any framing", [framingOf, text], ([options, message]) =>
    Effect.sync(() => {
      const framing = Framing.lines(options)
      assert.deepStrictEqual(Codec.encode(Codec.text(framing), message), Codec.encode(slow(framing), message))
    }), { arbitrary: { runs: 2000 } })

  it("gives the same of a chunk that is longer than it takes at once", () => {
    const framing = Framing.lines({ maxFrameBytes: 100, ending: "lf", unterminated: "reject" })
    const chunk = new TextEncoder().encode("0123456789abcdef\n".repeat(300))
    assert.deepStrictEqual(heard(Codec.text(framing), [chunk]), heard(slow(framing), [chunk]))
  })
})
