/** Codecs of every kind that the library has, and its services, as targets of the fuzzer. */
import { Arbitrary, Schema } from "effect"
import { Codec, CrcCatalogue, Framing, Retransmission } from "../../src/index.ts"
import { CrcCheck, Echo, Greet, ParityCheck, Reverse, Vowels } from "../../src/services/index.ts"
import { Fuzz, NetArbitrary } from "../../src/testing/index.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)
const bytes = (maxBytes: number, minBytes = 0) => NetArbitrary.bytes({ minBytes, maxBytes })
const texts = NetArbitrary.text({ maxCharacters: 8 })
const crc16 = CrcCatalogue.crc16Modbus

const lines = (ending: "lf" | "crlf" | "any", unterminated: Framing.Unterminated, maxFrameBytes = 64) =>
  Framing.lines({ maxFrameBytes, ending, unterminated })

/** a5, the size of the rest, the rest. */
const marked = (resync: Framing.Resync) =>
  Framing.sized({
    maxFrameBytes: 24,
    headBytes: 2,
    size: ([mark, size = 0]) => mark === 0xa5 ? 2 + size : undefined,
    resync
  })
const resyncs: Readonly<Record<string, Framing.Resync>> = {
  fail: "fail",
  byte: "byte",
  delimiter: { delimiter: "\r\n" }
}
const Seq = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 255 }))
const frames = Schema.Union([
  Schema.TaggedStruct("Data", { seq: Schema.Literal(0), payload: Schema.Literals(["", "hello", "a b", "é"]) }),
  Schema.TaggedStruct("Data", { seq: Seq, payload: Schema.Literals(["", "x"]) }),
  Schema.TaggedStruct("Ack", { seq: Seq }),
  Schema.TaggedStruct("Nak", { seq: Seq })
])
const Point = Schema.Struct({ x: Schema.Int, y: Schema.optionalKey(Schema.String) })
const prefixed = Framing.lengthPrefixed({ maxFrameBytes: 64, widthBytes: 2 })

const codecs: Record<string, Fuzz.Target> = {}
const codec = <A, B>(name: string, codec: Codec.Codec<A, B>, options: Fuzz.CodecOptions<B>) => {
  codecs[name] = Fuzz.codec(codec, { ...options, name })
}

for (const ending of ["lf", "crlf", "any"] as const) {
  for (const unterminated of ["emit", "reject"] as const) {
    codec(`lines ${ending} ${unterminated}`, lines(ending, unterminated, 8), { messages: bytes(8), overheadBytes: 2 })
  }
}
for (const delimiter of ["|", "aab", "\r\n\r\n"]) {
  codec(
    `delimited ${JSON.stringify(delimiter)}`,
    Framing.delimited({ delimiter, maxFrameBytes: 8, unterminated: "reject" }),
    { messages: bytes(8), overheadBytes: delimiter.length, words: [utf8(delimiter), utf8(delimiter.slice(1))] }
  )
}
codec("fixed", Framing.fixed({ frameBytes: 7 }), { messages: bytes(7, 7), overheadBytes: 0 })
for (const widthBytes of [1, 2, 3, 4, 8] as const) {
  const little = { widthBytes, endianness: "little", offsetBytes: 2, adjustmentBytes: -2 - widthBytes } as const
  const options = { messages: bytes(16), overheadBytes: widthBytes }
  codec(`lengthPrefixed ${widthBytes}`, Framing.lengthPrefixed({ maxFrameBytes: 16, widthBytes }), options)
  codec(`lengthPrefixed ${widthBytes} little`, Framing.lengthPrefixed({ maxFrameBytes: 16, ...little }), options)
}
for (const [name, resync] of Object.entries(resyncs)) {
  const words = [Uint8Array.of(0xa5), Uint8Array.of(0xa5, 0), Uint8Array.of(0xa5, 0xff)]
  const enclosed = Framing.enclosed(marked(resync), { start: Uint8Array.of(0xa5), end: "\r\n" })
  codec(`sized ${name}`, marked(resync), {
    messages: Arbitrary.map(bytes(12), (content) => Uint8Array.from([0xa5, content.length, ...content])),
    words
  })
  codec(`sized, enclosed, checksummed ${name}`, Framing.checksummed(enclosed, CrcCatalogue.crc32Iscsi), {
    messages: Arbitrary.map(bytes(10), (content) => Uint8Array.from([content.length + 6, ...content])),
    words
  })
}
for (const stuffing of ["slip", "hdlc", "cobs"] as const) {
  for (const delimiters of ["after", "around"] as const) {
    const escaped = Framing.escaped({ stuffing, delimiters, maxFrameBytes: 8 })
    codec(`${stuffing} ${delimiters}`, escaped, { messages: bytes(8), overheadBytes: 18 })
  }
}
codec(
  "slip checksummed",
  Framing.checksummed(Framing.escaped({ stuffing: "slip", delimiters: "after", maxFrameBytes: 8 }), crc16),
  {
    messages: bytes(6),
    overheadBytes: 18
  }
)
codec("checksummed hex", Framing.checksummed(lines("lf", "reject"), crc16, { form: "hex", placement: "before" }), {
  messages: bytes(20)
})
codec("text", Codec.text(lines("any", "emit")), { messages: texts })
codec("text replace", Codec.text(lines("any", "emit"), { invalid: "replace" }), { messages: texts })
codec("text attempt", Codec.attempt(Codec.text(lines("lf", "reject"))), { messages: texts })
codec("json", Codec.json(lines("lf", "reject"), Point), { messages: Point })
codec("json attempt", Codec.attempt(Codec.json(prefixed, Schema.Json)), { messages: Schema.Json })
codec("schema", Codec.attempt(Codec.schema(Codec.text(lines("lf", "reject")), Schema.FiniteFromString)), {
  messages: Schema.Finite
})
codec("chunks", Framing.chunks({ maxFrameBytes: 4 }), { messages: bytes(4), boundaries: "chunks" })
codec("retransmission", CrcCheck.codec(), { messages: frames, maxBytes: 1_000 })
codec("retransmission binary", Retransmission.text(Framing.checksummed(prefixed, crc16)), { messages: frames })

const servers: Record<string, Fuzz.Target> = {}
const framings = { lines: lines("lf", "reject"), prefixed, "lines any": Reverse.defaults.framing }
for (const [kind, framing] of Object.entries(framings)) {
  for (const [service, { layer }] of Object.entries({ Echo, Greet, ParityCheck, Reverse, Vowels })) {
    const name = `${service} ${kind}`
    servers[name] = Fuzz.serverLayer(
      ({ endpoint, options, watch }) => layer(endpoint, { ...options, framing: watch(framing) }),
      { name, codec: Codec.text(framing), messages: texts }
    )
  }
}
servers["CrcCheck"] = Fuzz.serverLayer(
  ({ endpoint, options, watch }) => CrcCheck.layer(endpoint, { ...options, framing: watch(CrcCheck.defaults.framing) }),
  { name: "CrcCheck", codec: CrcCheck.codec(), messages: frames }
)
servers["CrcCheck textbook"] = Fuzz.serverLayer(
  ({ endpoint, options }) => CrcCheck.layerTextbook(endpoint, options),
  {
    name: "CrcCheck textbook",
    codec: Codec.text(CrcCheck.defaults.textbookFraming),
    messages: Schema.Literals(["1001", "100010110101101001110111", "0"])
  }
)

export { codecs, servers }
