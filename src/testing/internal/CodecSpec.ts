/**
 * What the laws of codecs are given, and the streams that they draw from it.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import type * as Codec from "../../Codec.ts"
import { encodeAccepted } from "../../internal/codecReader.ts"
import * as Law from "../Law.ts"
import * as NetArbitrary from "../NetArbitrary.ts"

/**
 * A codec and what to try it with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spec<in out A, in out B = A> {
  readonly codec: Codec.Codec<A, B>
  /** Messages to send; those that `encode` refuses are left out of streams. */
  readonly messages: Law.Input<B>
  /** Says whether what was decoded is what was sent. @default structural equality */
  readonly matches?: ((decoded: A, sent: B) => boolean) | undefined
  /** The greatest number of bytes around the content of a frame: terminator, length field, checksum. @default 16 */
  readonly overheadBytes?: number | undefined
  /** Whether an unfinished frame at the end of the stream may become a message. @default "reject" */
  readonly unterminated?: "emit" | "reject" | undefined
  /** What is too large, for the law of that name: streams that begin with such a frame, and messages. */
  readonly oversize?: {
    readonly streams?: Law.Input<Uint8Array> | undefined
    readonly messages?: Law.Input<B> | undefined
  } | undefined
  readonly options?: Law.Options | undefined
}

/** A stream and how it is cut. @category models @since 0.1.0 */
export interface CutStream {
  readonly bytes: Uint8Array
  readonly chunking: NetArbitrary.Chunking
}

/** The most that a decoder of this codec may hold beside one chunk. @category limits @since 0.1.0 */
export const mostBytes = <A, B>(spec: Spec<A, B>): number => spec.codec.maxFrameBytes + (spec.overheadBytes ?? 16)

/** Numbers that can point anywhere into the streams that are drawn. @category arbitraries @since 0.1.0 */
export const naturals = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1023 }))

/** Streams of good frames, often with a byte changed or garbage at the end. @category arbitraries @since 0.1.0 */
export const damagedStreams = <A, B>(spec: Spec<A, B>): Arbitrary.Arbitrary<Uint8Array> =>
  Arbitrary.all({
    messages: Arbitrary.array(Law.fromInput(spec.messages)),
    changes: Arbitrary.array(Arbitrary.all({ at: Arbitrary.schema(naturals), byte: NetArbitrary.byte }), {
      maxLength: 2
    }),
    tail: NetArbitrary.bytes()
  }).pipe(Arbitrary.map((drawn) => {
    const bytes = Uint8Array.from([...encodeAccepted(spec.codec, drawn.messages).bytes, ...drawn.tail])
    for (const change of drawn.changes) {
      // Of an empty stream this sets the element NaN, which typed arrays ignore.
      bytes[change.at % bytes.length] = change.byte
    }
    return bytes
  }))

/** Such streams, and how they are cut. @category arbitraries @since 0.1.0 */
export const cutStreams = <A, B>(spec: Spec<A, B>): Arbitrary.Arbitrary<CutStream> =>
  Arbitrary.all({ bytes: damagedStreams(spec), chunking: NetArbitrary.chunking })
