/**
 * The laws about chunks: how a stream is cut does not matter, and a chunk is its owner's again when `decode` returns.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import { firstBroken, read, Reader, sameItems, show } from "../../internal/codecReader.ts"
import * as Law from "../Law.ts"
import * as NetArbitrary from "../NetArbitrary.ts"
import { cutStreams, type Spec } from "./CodecSpec.ts"

/**
 * However the network cuts the bytes, also damaged ones, the same messages and errors come out: at once, byte by byte,
 * at random, and for short streams in each of the 2^(n-1) ways. Also, no message changes after it was given.
 *
 * @category laws @since 0.1.0
 */
export const anyChunking = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> =>
  Law.checkSync("CodecLaws.anyChunking", cutStreams(spec), ({ bytes, chunking }) => {
    const whole = read(spec.codec, [bytes.slice()])
    const differs = (chunks: ReadonlyArray<Uint8Array>): string | undefined => {
      const reader = read(spec.codec, chunks)
      return firstBroken(
        reader.broken,
        !sameItems(reader.items, whole.items) &&
          `at once gives ${show(whole.items)}, in chunks of ${show(chunks.map((chunk) => chunk.length))} bytes ${
            show(reader.items)
          }`
      )
    }
    let broken = whole.broken ??
      differs(NetArbitrary.cut(bytes, Array.from(bytes, () => 1))) ??
      differs(NetArbitrary.cut(bytes, chunking))
    if (bytes.length <= 8) {
      for (const chunks of NetArbitrary.everyCut(bytes)) {
        broken ??= differs(chunks)
      }
    }
    return broken
  }, spec.options)

/**
 * A decoder holds nothing of a chunk once `decode` has returned without an error: with each chunk overwritten then, as the
 * next read of a socket may do, the same messages and errors come out.
 *
 * @category laws
 * @since 0.1.0
 */
export const lentChunks = <A, B>(spec: Spec<A, B>): Effect.Effect<void, Law.LawViolation> =>
  Law.checkSync("CodecLaws.lentChunks", cutStreams(spec), ({ bytes, chunking }) => {
    const kept = read(spec.codec, NetArbitrary.cut(bytes, chunking)).items
    const reader = new Reader(spec.codec)
    let looked = 0
    let broken: string | undefined = undefined
    // Looked at before the chunk goes, of which the messages may be views.
    const look = (where: string): void => {
      const given = reader.items.slice(looked)
      const expected = kept.slice(looked, reader.items.length)
      looked = reader.items.length
      if (sameItems(given, expected)) return
      broken ??= `${where} it gave ${show(given)}, and ${show(expected)} where chunks stay as they are`
    }
    for (const chunk of NetArbitrary.cut(bytes, chunking)) {
      const size = chunk.length
      reader.feed(chunk)
      look(`at a chunk of ${size} bytes`)
      chunk.fill(overwritten)
    }
    reader.end()
    look("at the end")
    return firstBroken(
      reader.broken,
      broken,
      looked < kept.length && `it did not give ${show(kept.slice(looked))}, as it does where chunks stay as they are`
    )
  }, spec.options)

/** No text, and seldom what stood there. */
const overwritten = 0xdd
