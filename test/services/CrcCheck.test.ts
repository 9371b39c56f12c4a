import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Layer, Result, Schema } from "effect"
import * as Checksum from "../../src/Checksum.ts"
import * as Codec from "../../src/Codec.ts"
import * as CrcCatalogue from "../../src/CrcCatalogue.ts"
import * as Framing from "../../src/Framing.ts"
import * as MemoryTransport from "../../src/MemoryTransport.ts"
import * as CrcCheck from "../../src/services/CrcCheck.ts"
import * as Goodbye from "../../src/services/Goodbye.ts"
import * as Noise from "../../src/services/Noise.ts"
import { passing } from "../support/network.ts"
import { exchange } from "./exchange.ts"

const endpoint = "memory:crc"

/** Runs a test with a server, whose findings are kept, in virtual time. */
const served = <A, E>(
  options: CrcCheck.Options,
  test: (findings: Array<CrcCheck.Finding>) => Effect.Effect<A, E, Layer.Success<typeof MemoryTransport.layer>>
) => {
  const findings: Array<CrcCheck.Finding> = []
  const layer = CrcCheck.layer(endpoint, { ...options, onFinding: (finding) => void findings.push(finding) })
  return passing(Effect.provide(test(findings), Layer.provideMerge(layer, MemoryTransport.layer)))
}

const texts = Arbitrary.array(
  Arbitrary.map(Arbitrary.schema(Schema.String), (text) => text.toWellFormed().replaceAll(/[\r\n]/g, " ")),
  { minLength: 1, maxLength: 20 }
)

describe("with ACK and NAK", () => {
  const length = Framing.lengthPrefixed({ maxFrameBytes: 10_000, widthBytes: 2 })

  it.effect.prop(
    "every message is taken once and in order over a link that flips bits, readable or binary, with any CRC",
    {
      messages: texts,
      rate: Arbitrary.schema(Schema.Literals([0, 0.3, 0.8])),
      seed: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))),
      crc: Arbitrary.schema(Schema.Literals(["CRC-16/MODBUS", "CRC-32/ISCSI", "CRC-64/XZ", "CRC-24/OPENPGP"])),
      form: Arbitrary.schema(Schema.Literals(["readable", "binary"]))
    },
    ({ crc, form, messages, rate, seed }) => {
      const wire = {
        form,
        crc: CrcCatalogue.find(crc),
        framing: form === "binary" ? length : undefined
      }
      return served(wire, (findings) =>
        Effect.gen(function*() {
          const sender = yield* CrcCheck.connect(endpoint, {
            ...wire,
            noise: Noise.random({ rate, seed }),
            maxAttempts: 1000
          })
          yield* Effect.forEach(messages, sender.send, { concurrency: "unbounded" })
          assert.deepStrictEqual(findings.filter(({ ok }) => ok).map(({ received }) => received), messages)
          if (rate === 0) assert.strictEqual(findings.length, messages.length)
        }).pipe(Effect.scoped))
    },
    { arbitrary: { runs: 100 }, timeout: 60_000 }
  )

  it.effect("numbers begin again after 255 in lines too", () =>
    served({}, (findings) =>
      Effect.gen(function*() {
        const sender = yield* CrcCheck.connect(endpoint)
        const messages = Array.from({ length: 600 }, (_, n) => `message ${n}`)
        const receipts = yield* Effect.forEach(messages, sender.send, { concurrency: "unbounded" })
        assert.deepStrictEqual(findings.map(({ received }) => received), messages)
        assert.isTrue(receipts.every(({ again }) => again.length === 0))
      }).pipe(Effect.scoped)))

  it.effect("is lines that can be read and typed", () =>
    served({}, (findings) =>
      Effect.gen(function*() {
        const crc = (text: string) =>
          Checksum.format(CrcCatalogue.crc32Iscsi, CrcCatalogue.crc32Iscsi.compute(new TextEncoder().encode(text)))
            .slice(2).toUpperCase()
        const line = (text: string) => `${crc(text)}${text}\n`
        const sent = [
          "BF16E5C0 DATA 0 hello\n",
          "BF16E5C0 DATA 0 jello\n",
          line(" DATA 0 hello"),
          line(" DATA 5 early"),
          line(" DATA 256 x"),
          line(" HELLO"),
          line(" DATA 1 "),
          "\n"
        ]
        assert.strictEqual(
          yield* exchange(endpoint, sent.join("")),
          ["ACK 1", "NAK 1", "ACK 1", "NAK 1", "NAK 1", "NAK 1", "ACK 2", "NAK 2"].map((text) => line(` ${text}`)).join(
            ""
          )
        )
        assert.deepStrictEqual(
          findings.map(({ detail, ok, received }) => [ok, received, detail.replace(/:.*:/, ":")]),
          [
            [true, "hello", "CRC-32/ISCSI"],
            [false, "", "corrupt frame: expected 0xcf343a98, got 0xbf16e5c0"],
            [false, "", "number 5 is not the next"],
            [false, "", "corrupt frame: neither DATA nor ACK nor NAK with a number up to 255"],
            [false, "", "corrupt frame: neither DATA nor ACK nor NAK with a number up to 255"],
            [true, "", "CRC-32/ISCSI"],
            [false, "", "corrupt frame: frame of 0 bytes is too short for CRC-32/ISCSI"]
          ]
        )
      })))
})

describe("the tutorial's form", () => {
  const textbook = (sent: string, options?: CrcCheck.TextbookOptions) => {
    const findings: Array<CrcCheck.Finding> = []
    const layer = CrcCheck.layerTextbook(endpoint, { ...options, onFinding: (finding) => void findings.push(finding) })
    return Effect.map(
      exchange(endpoint, sent),
      (answer) => ({ answer, findings: findings.map(({ detail }) => detail) })
    )
      .pipe(Effect.provide(Layer.provideMerge(layer, MemoryTransport.layer)))
  }

  it.effect.each<[sent: string, answer: string, detail: string]>([
    ["100010110101101001110111", "THANK you Data ->100010110101101001110111 Received No error FOUND", "remainder 000"],
    ["000010110101101001110111", "Error in data", "remainder 100"],
    ["101", "Error in data", "a codeword for a key of 4 bits has at least 4 bits"],
    ["EVN", "Error in data", "bits are 0 and 1, got \"E\" at place 0"]
  ])(
    "%s is answered",
    ([sent, answer, detail]) =>
      Effect.map(textbook(sent), (result) => assert.deepStrictEqual(result, { answer, findings: [detail] }))
  )

  it.effect("takes another key and framing", () =>
    Effect.gen(function*() {
      const options = { key: "1011", framing: Framing.lines({ maxFrameBytes: 80, ending: "lf", unterminated: "emit" }) }
      const { codeword } = Result.getOrThrow(CrcCheck.encodeTextbook("EVN", "1011"))
      assert.strictEqual(
        (yield* textbook(`${codeword}\n`, options)).answer,
        `THANK you Data ->${codeword} Received No error FOUND\n`
      )
    }))

  it("makes bits of a text as the tutorial does", () => {
    const made = Result.getOrThrow(CrcCheck.encodeTextbook("ODD"))
    assert.deepStrictEqual([made.data, made.codeword], ["100111110001001000100", "100111110001001000100001"])
    assert.isTrue(Result.isFailure(CrcCheck.encodeTextbook("")))
  })

  it("knows the answers, with or without line ends around them", () => {
    assert.deepStrictEqual(
      [
        "\nTHANK you Data ->1001 Received No error FOUND\n",
        "Error in data",
        "\nError in data\n",
        "THANK you Data ->10",
        ""
      ]
        .map(CrcCheck.verdictOf),
      ["positive", "negative", "negative", "unknown", "unknown"]
    )
  })

  it.effect("a full server says so, which is neither yes nor no", () =>
    Effect.gen(function*() {
      assert.strictEqual(CrcCheck.verdictOf(Goodbye.full), "unknown")
      const answer = yield* CrcCheck.askTextbook(endpoint, "1001")
      assert.strictEqual(answer, "THANK you Data ->1001 Received No error FOUND")
    }).pipe(Effect.provide(Layer.provideMerge(CrcCheck.layerTextbook(endpoint), MemoryTransport.layer))))
})

describe("noise", () => {
  it("is the same for the same seed, and hits about its share", () => {
    const hits = (rate: number, seed: number) => {
      const noise = Noise.random({ rate, seed })
      return Array.from({ length: 10_000 }, () => noise())
    }
    assert.deepStrictEqual(hits(0.25, 7), hits(0.25, 7))
    assert.notDeepEqual(hits(0.25, 7), hits(0.25, 8))
    assert.closeTo(hits(0.25, 7).filter((hit) => hit !== undefined).length, 2500, 150)
    assert.isTrue(hits(1, 0).every((hit) => hit !== undefined && hit >= 0 && hit < 1))
    assert.isTrue(hits(0, 0).every((hit) => hit === undefined))
  })

  it("flips one bit, one that can be written", () => {
    const line = Framing.lines({ maxFrameBytes: 80, ending: "lf", unterminated: "emit" })
    // The first bit that is tried would make an LF of the vertical tab.
    const sent = Result.getOrThrow(Codec.encode(Noise.flip(line, () => 7 / 8), Uint8Array.of(11)))
    assert.deepStrictEqual(Array.from(sent), [11 ^ 0x80, 10])
    assert.deepStrictEqual(Array.from(Result.getOrThrow(Codec.encode(Noise.flip(line, () => 0), new Uint8Array(0)))), [
      10
    ])
    assert.strictEqual(Noise.flipBits("1001", () => 0.5), "1011")
    assert.strictEqual(Noise.flipBits("1001", () => undefined), "1001")
    assert.strictEqual(Noise.flipBits("", () => 0), "")
  })
})
