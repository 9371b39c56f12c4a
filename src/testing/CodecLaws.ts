/**
 * What every codec must do, whoever wrote it: the contract of `Codec` as properties.
 *
 * Each law is an Effect that fails with a `LawViolation`; `all` runs them one after another, `laws` names them for a
 * test runner.
 *
 * ```ts
 * import { Codec, Framing } from "hawser"
 * import { CodecLaws, NetArbitrary } from "hawser/testing"
 *
 * const codec = Codec.text(Framing.delimited({ delimiter: "||", maxFrameBytes: 64, unterminated: "reject" }))
 * export const lawful = CodecLaws.all({ codec, messages: NetArbitrary.text() }) // Effect<void, LawViolation>
 * ```
 *
 * **Gotchas**: messages that the codec refuses are left out of streams, so `messages` need not be careful; if all are
 * refused, `roundTrip` says so. `Framing.chunks` is no framing: it keeps only `lentChunks`, `boundedMemory`, `fatalIsFinal`,
 * `neverThrows` and `refusalWritesNothing`.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Bytes from "effect/Bytes"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as ByteWriter from "../ByteWriter.ts"
import * as Codec from "../Codec.ts"
import { encodeAccepted, firstBroken, read, Reader, sameItems, show } from "../internal/codecReader.ts"
import { anyChunking, lentChunks } from "./internal/CodecChunkLaws.ts"
import { cutStreams, damagedStreams, mostBytes, naturals, type Spec } from "./internal/CodecSpec.ts"
import * as Law from "./Law.ts"
import * as NetArbitrary from "./NetArbitrary.ts"

/** A codec and what to try it with. @category models @since 0.1.0 */
export type { Spec } from "./internal/CodecSpec.ts"

export {
  /** However the network cuts the bytes, the same comes out, and stays as it is. @category laws @since 0.1.0 */
  anyChunking,
  /** A decoder is done with its chunk when it returns. @category laws @since 0.1.0 */
  lentChunks
} from "./internal/CodecChunkLaws.ts"

/** Encoded and decoded again, messages are the same, in order; chunks are left alone. @category laws @since 0.1.0 */
export const roundTrip = Effect.fnUntraced(function*<A, B>(
  spec: Spec<A, B>
): Effect.fn.Return<void, Law.LawViolation> {
  const law = "CodecLaws.roundTrip"
  const matches = spec.matches ?? ((decoded: A, sent: B) => Equal.equals(decoded, sent))
  let sentInAll = 0
  yield* Law.checkSync(law, Arbitrary.array(Law.fromInput(spec.messages)), (messages) => {
    const stream = encodeAccepted(spec.codec, messages)
    const given = stream.bytes.slice()
    const reader = read(spec.codec, [given])
    sentInAll += stream.messages.length
    const sent = stream.messages
    const arrived = sent.length === reader.items.length &&
      reader.items.every((item, i) =>
        item._tag === "Message" && sent.slice(i, i + 1).every((message) => matches(item.message, message))
      )
    return firstBroken(
      reader.broken,
      !arrived && `sent ${show(sent)}, decoded ${show(reader.items)}`,
      reader.decoder.bytesBuffered > 0 && `${reader.decoder.bytesBuffered} bytes are buffered after the last frame`,
      !Equal.equals(given, stream.bytes) && "the decoder changed the chunk"
    )
  }, spec.options)
  if (sentInAll === 0) {
    const broken = "the codec refused to encode every message that was drawn"
    return yield* new Law.LawViolation({ law, broken, counterexample: undefined, replay: undefined })
  }
})

/**
 * A decoder holds at most its limit plus one chunk (plus `overheadBytes`), never more than it was given, and does not
 * take in more than that without a message or an error, whatever arrives.
 *
 * @category laws @since 0.1.0
 */
export const boundedMemory = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> => {
  const most = mostBytes(spec)
  // Passes the limit many times with the same byte over and over, so that no terminator comes.
  const floodBytes = Number.isFinite(most) ? Math.min(4 * most, 100_000) : 0
  const inputs = Arbitrary.all({ stream: cutStreams(spec), filler: NetArbitrary.byte })
  return Law.checkSync("CodecLaws.boundedMemory", inputs, ({ filler, stream }) => {
    const reader = new Reader(spec.codec)
    let given = 0
    let [silent, silentChunk] = [0, 0]
    let broken: string | undefined = undefined
    const flood = NetArbitrary.cut(new Uint8Array(floodBytes).fill(filler), stream.chunking.map((size) => size + 1))
    for (const chunk of [...NetArbitrary.cut(stream.bytes, stream.chunking), ...flood]) {
      const count = reader.items.length
      reader.feed(chunk)
      const held = reader.decoder.bytesBuffered
      given += chunk.length
      const speaks = held === 0 || reader.items.length > count
      ;[silent, silentChunk] = speaks ? [0, 0] : [silent + chunk.length, Math.max(silentChunk, chunk.length)]
      broken ??= firstBroken(
        held > given && `${held} bytes are buffered of ${given} given`,
        held > most + chunk.length &&
          `${held} bytes are buffered after a chunk of ${chunk.length}, the limit is ${most}`,
        silent > most + silentChunk && `${silent} bytes gave no message and no error, the limit is ${most}`
      )
    }
    return firstBroken(reader.broken, broken)
  }, spec.options)
}

/**
 * A stream that ends in the middle of a frame gives the messages before it and an error, never a shorter message
 * (unless `unterminated` is `"emit"`); and `bytesBuffered` is 0 between frames and only there.
 *
 * @category laws @since 0.1.0
 */
export const truncation = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> => {
  const messages = Law.fromInput(spec.messages)
  const inputs = Arbitrary.all({ before: Arbitrary.array(messages), last: messages, cutAt: Arbitrary.schema(naturals) })
  return Law.checkSync("CodecLaws.truncation", inputs, ({ before, cutAt, last }) => {
    const stream = encodeAccepted(spec.codec, before)
    const frame = encodeAccepted(spec.codec, [last]).bytes
    if (frame.length < 2) {
      return undefined
    }
    const partial = frame.slice(0, 1 + cutAt % (frame.length - 1))
    const reader = new Reader(spec.codec)
    reader.feed(stream.bytes)
    const between = reader.decoder.bytesBuffered
    reader.feed(partial)
    const inside = reader.decoder.bytesBuffered
    const early = reader.items.slice(stream.messages.length)
    reader.end()
    const ending = reader.items.slice(stream.messages.length)
    const completed = new Reader(spec.codec)
    completed.feed(partial)
    completed.feed(frame.slice(partial.length))
    const after = completed.decoder.bytesBuffered
    const part = `${partial.length} of ${frame.length} bytes of a frame`
    return firstBroken(
      reader.broken,
      between + after > 0 && `${between + after} bytes are buffered between frames`,
      early.length > 0 && `${part} gave ${show(early)}`,
      inside === 0 && `nothing is buffered after ${part}`,
      spec.unterminated !== "emit" && ending[0]?._tag !== "Error" && `${part} and the end gave ${show(ending)}`
    )
  }, spec.options)
}

/**
 * A frame larger than the limit is refused: after the messages before it, as soon as limit and `overheadBytes` are
 * passed; a message larger than the limit is not written. Needs `oversize`, and holds of itself without.
 *
 * @category laws @since 0.1.0
 */
export const oversize = Effect.fnUntraced(function*<A, B>(
  spec: Spec<A, B>
): Effect.fn.Return<void, Law.LawViolation> {
  const law = "CodecLaws.oversize"
  const most = mostBytes(spec)
  if (spec.oversize?.streams !== undefined) {
    const messages = Arbitrary.array(Law.fromInput(spec.messages))
    const inputs = Arbitrary.all({ before: messages, large: Law.fromInput(spec.oversize.streams) })
    yield* Law.checkSync(law, inputs, ({ before, large }) => {
      const stream = encodeAccepted(spec.codec, before)
      const slow = new Reader(spec.codec)
      slow.feed(stream.bytes)
      let given = 0
      while (given < large.length && slow.fatal === undefined) {
        slow.feed(large.slice(given, given + 1))
        given += 1
      }
      const atOnce = new Reader(spec.codec)
      atOnce.feed(Bytes.concat([stream.bytes, large]))
      const refused = slow.fatal?._tag === "FrameTooLarge" && slow.fatal.direction === "inbound"
      return firstBroken(
        slow.broken,
        (!refused || slow.items.length !== stream.messages.length + 1) &&
          `${stream.messages.length} messages and a frame that is too large gave ${show(slow.items)}`,
        given > most + 1 && `the error came after ${given} bytes, the limit is ${most}`,
        !sameItems(slow.items, atOnce.items) &&
          `byte by byte gives ${show(slow.items)}, at once gives ${show(atOnce.items)}`
      )
    }, spec.options)
  }
  if (spec.oversize?.messages !== undefined) {
    yield* Law.checkSync(law, spec.oversize.messages, (message) => {
      const writer = ByteWriter.make()
      const error = spec.codec.encode(message, writer)
      const refused = error?._tag === "FrameTooLarge" && error.direction === "outbound"
      return firstBroken(
        !refused && `encoding a message that is too large gave ${show(error)}`,
        writer.size > 0 && `${writer.size} bytes of a message that is too large were written`
      )
    }, spec.options)
  }
})

/** After a fatal error nothing is decoded, held, or forgiven, whatever follows. @category laws @since 0.1.0 */
export const fatalIsFinal = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> => {
  const inputs = Arbitrary.all({
    stream: damagedStreams(spec),
    after: Arbitrary.array(Law.fromInput(spec.messages))
  })
  return Law.checkSync("CodecLaws.fatalIsFinal", inputs, ({ after, stream }) => {
    const reader = read(spec.codec, [stream])
    const held = reader.decoder.bytesBuffered
    const good = encodeAccepted(spec.codec, after).bytes
    const out: Array<A> = []
    const errors = reader.fatal === undefined ? [] : [
      reader.decoder.decode(good.slice(), out),
      reader.decoder.decode(new Uint8Array(0), out),
      reader.decoder.decode(good.slice(), out),
      reader.decoder.end(out)
    ]
    return firstBroken(
      reader.broken,
      out.length > 0 && `after ${show(reader.fatal)} it decoded ${show(out)}`,
      errors.some((error) => error === undefined || Codec.isRecoverable(error)) &&
        `after ${show(reader.fatal)} it returned ${show(errors)}`,
      reader.decoder.bytesBuffered > held && `after ${show(reader.fatal)} it still buffers`
    )
  }, spec.options)
}

/** Whatever bytes arrive, nothing throws, and recoverable errors come to an end. @category laws @since 0.1.0 */
export const neverThrows = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> => {
  const inputs = NetArbitrary.chunked(damagedStreams(spec))
  return Law.checkSync("CodecLaws.neverThrows", inputs, (chunks) => read(spec.codec, chunks).broken, spec.options)
}

/** A refused message leaves no trace among the bytes of the messages around it. @category laws @since 0.1.0 */
export const refusalWritesNothing = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> => {
  const messages = Law.fromInput(spec.messages)
  const inputs = Arbitrary.array(Arbitrary.all([messages, Law.fromInput(spec.oversize?.messages ?? messages)]))
  return Law.checkSync("CodecLaws.refusalWritesNothing", inputs, (pairs) => {
    const writer = ByteWriter.make()
    const accepted = pairs.flat().filter((message) => spec.codec.encode(message, writer) === undefined)
    const bytes = Bytes.concat(writer.take())
    const expected = encodeAccepted(spec.codec, accepted).bytes
    return firstBroken(
      !Equal.equals(bytes, expected) && `with refused messages ${show(bytes)}, without ${show(expected)}`
    )
  }, spec.options)
}

/** Two streams decoded in turns do not disturb each other. @category laws @since 0.1.0 */
export const independentStreams = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> => {
  const streams = cutStreams(spec)
  return Law.checkSync("CodecLaws.independentStreams", Arbitrary.all([streams, streams]), (pair) => {
    const alone = pair.map(({ bytes }) => read(spec.codec, [bytes.slice()]).items)
    const chunks = pair.map(({ bytes, chunking }) => NetArbitrary.cut(bytes, chunking))
    const readers = pair.map(() => new Reader(spec.codec))
    for (let turn = 0; turn < Math.max(...chunks.map((list) => list.length)); turn++) {
      readers.forEach((reader, i) => reader.feed(chunks[i]?.[turn] ?? new Uint8Array(0)))
    }
    readers.forEach((reader) => reader.end())
    const inTurns = readers.map((reader) => reader.items)
    return firstBroken(
      !alone.every((items, i) => sameItems(items, inTurns[i] ?? [])) &&
        `alone they give ${show(alone)}, in turns ${show(inTurns)}`
    )
  }, spec.options)
}

/** All laws by name, to make one test of each. @category laws @since 0.1.0 */
export const laws = {
  roundTrip,
  anyChunking,
  lentChunks,
  boundedMemory,
  truncation,
  oversize,
  fatalIsFinal,
  neverThrows,
  refusalWritesNothing,
  independentStreams
}

/** Checks all laws; the first that is broken is the failure. @category laws @since 0.1.0 */
export const all = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> =>
  Effect.forEach(Object.values(laws), (law) => law(spec), { discard: true })
