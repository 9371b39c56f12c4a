/**
 * How bytes become messages and messages become bytes: pure, synchronous, incremental.
 *
 * A `Codec` makes one `Decoder` per connection and is shared otherwise. A decoder takes chunks as they arrive, however
 * the network cut them, and emits every message that is complete. An encoder writes a message to a `ByteWriter`.
 *
 * ```
 * chunks from the wire          [he] [llo\nwor] [ld\n]
 * messages out of decode         -    hello      world
 * bytesBuffered afterwards       2    3          0        0 means: between frames
 * ```
 *
 * A decoder stops at the first error and gives the messages before it. After a *fatal* error (the boundary is lost) it
 * decodes nothing more. After a *recoverable* one (the boundary is known: `FrameCorrupt` with `recoverable: true`) the
 * next `decode`, also of an empty chunk, goes on with what follows the bad frame; give `decode(empty)` until there is
 * no error before the next chunk, so that nothing piles up. `end` may be called again in the same way.
 *
 * **Gotchas**: a message may be a view into the chunk it came in. An encoder that returns an error has written nothing.
 * A server of a protocol ends the connection at a recoverable error, unless the codec is wrapped in `attempt`, which makes
 * results of the messages and so says in the type that the reader deals with bad ones.
 *
 * Laws: `CodecLaws` in `hawser/testing`: round trip, any chunking, bounded memory, truncation, oversize.
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import { dual } from "effect/Function"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import type * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import * as ByteWriter from "./ByteWriter.ts"
import type * as CloseReason from "./CloseReason.ts"
import { ChunksDecoder } from "./internal/chunksDecoder.ts"
import * as content from "./internal/content.ts"
import type { Decoder } from "./internal/decoder.ts"
import * as textLines from "./internal/textLines.ts"
import * as wrapped from "./internal/wrappedDecoder.ts"

export type {
  /** The state of decoding one stream. @category models @since 0.1.0 */
  Decoder,
  /** Where a decoder puts messages. @category models @since 0.1.0 */
  Output
} from "./internal/decoder.ts"

/**
 * A pair of decoder and encoder for one kind of message.
 *
 * `A` is what decoding gives, `B` is what encoding takes; they are the same type for most codecs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Codec<out A, in B = A> {
  /** Makes the decoder for one stream. */
  readonly decoder: () => Decoder<A>
  /** Appends one message; returns the error when the message cannot be written, and then has written nothing. */
  readonly encode: (message: B, writer: ByteWriter.ByteWriter) => CloseReason.FrameError | undefined
  /** The largest frame in bytes; `Infinity` where the user spelled out `"unbounded"`. */
  readonly maxFrameBytes: number
}

/** The two functions of `map`. @category models @since 0.1.0 */
export interface Transform<in A, out A2, in B2, out B> {
  readonly decode: (message: A) => A2
  readonly encode: (message: B2) => B
}

/** The two functions of `mapResult`: each gives its value or the reason for refusing. @category models @since 0.1.0 */
export type PartialTransform<A, A2, B2, B> = Transform<A, Result.Result<A2, string>, B2, Result.Result<B, string>>

/** What `decodeAll` gives: the messages before the first error, and that error. @category models @since 0.1.0 */
export interface Decoded<out A> {
  readonly messages: ReadonlyArray<A>
  readonly error: CloseReason.FrameError | undefined
}

/** A schema that needs no services. @category models @since 0.1.0 */
export type SyncSchema = Schema.ConstraintCodec<unknown, unknown>

/** What `text` does with bytes that are not UTF-8. @category options @since 0.1.0 */
export interface TextOptions {
  /**
   * `"reject"` makes a bad frame a recoverable `FrameCorrupt` and refuses to encode lone surrogates; `"replace"` puts
   * U+FFFD in their place, both ways.
   *
   * @default "reject"
   */
  readonly invalid?: "reject" | "replace" | undefined
}

/**
 * The stream as it comes: every chunk is a message, whatever the network made of it.
 *
 * **When to use**: for bytes that are passed on and not understood, as in an echo or a proxy.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bytes: Codec<Uint8Array> = {
  decoder: () => new ChunksDecoder(Number.POSITIVE_INFINITY),
  encode: (message, writer) => {
    writer.bytes(message)
    return undefined
  },
  maxFrameBytes: Number.POSITIVE_INFINITY
}

/** A bad frame behind which decoding can go on. @category models @since 0.1.0 */
export type CorruptFrame = typeof CloseReason.FrameCorrupt.Type

/** Says whether decoding can go on behind the bad frame. @category predicates @since 0.1.0 */
export const isRecoverable: (error: CloseReason.FrameError) => error is CorruptFrame = wrapped.isRecoverable

/** Transforms the messages of a codec with two functions that cannot fail. @category combinators @since 0.1.0 */
export const map: {
  <A, B, A2, B2 = A2>(transform: Transform<A, A2, B2, B>): (self: Codec<A, B>) => Codec<A2, B2>
  <A, B, A2, B2 = A2>(self: Codec<A, B>, transform: Transform<A, A2, B2, B>): Codec<A2, B2>
} = dual(2, <A, B, A2, B2>(self: Codec<A, B>, transform: Transform<A, A2, B2, B>): Codec<A2, B2> => ({
  decoder: () => new wrapped.MapDecoder(self.decoder(), transform.decode),
  encode: (message, writer) => self.encode(transform.encode(message), writer),
  maxFrameBytes: self.maxFrameBytes
}))

/**
 * Transforms the messages of a codec with functions that can refuse, giving the reason as text (it ends up in logs).
 *
 * **Details**
 * - Errors: a refused inbound message is `FrameCorrupt`, recoverable, since the frame's boundary is known; a refused
 *   outbound one is returned by `encode`, and nothing is written.
 *
 * @category combinators
 * @since 0.1.0
 */
export const mapResult: {
  <A, B, A2, B2 = A2>(transform: PartialTransform<A, A2, B2, B>): (self: Codec<A, B>) => Codec<A2, B2>
  <A, B, A2, B2 = A2>(self: Codec<A, B>, transform: PartialTransform<A, A2, B2, B>): Codec<A2, B2>
} = dual(2, <A, B, A2, B2>(self: Codec<A, B>, transform: PartialTransform<A, A2, B2, B>): Codec<A2, B2> => ({
  decoder: () => new wrapped.MapResultDecoder(self.decoder(), transform.decode),
  encode: (message, writer) => {
    const result = transform.encode(message)
    return Result.isFailure(result) ? wrapped.corrupt(result.failure) : self.encode(result.success, writer)
  },
  maxFrameBytes: self.maxFrameBytes
}))

/**
 * Makes results of messages and recoverable errors, so that a reader can answer NAK and go on.
 *
 * **Details**
 * - Shape: a good frame is `Result.succeed(message)`, a bad one `Result.fail(FrameCorrupt)`, in the order of the wire.
 *   Encoding takes plain messages as before.
 * - Errors: only fatal ones are left.
 *
 * @category combinators
 * @since 0.1.0
 */
export const attempt = <A, B>(self: Codec<A, B>): Codec<Result.Result<A, CorruptFrame>, B> => ({
  decoder: () => new wrapped.AttemptDecoder(self.decoder()),
  encode: (message, writer) => self.encode(message, writer),
  maxFrameBytes: self.maxFrameBytes
})

const isCodec = (u: unknown): boolean => Predicate.hasProperty(u, "decoder")

/**
 * Turns a codec of bytes into one of UTF-8 text. A byte order mark is kept: it is the character U+FEFF.
 *
 * **Details**
 * - Errors: `FrameCorrupt`, recoverable, for bytes that are not UTF-8, unless `invalid` is `"replace"`.
 *
 * **Gotchas**: over `Framing.chunks` a character may be cut in two.
 *
 * @category constructors
 * @since 0.1.0
 */
export const text: {
  (options?: TextOptions): (self: Codec<Uint8Array>) => Codec<string>
  (self: Codec<Uint8Array>, options?: TextOptions): Codec<string>
} = dual(
  (args) => isCodec(args[0]),
  (self: Codec<Uint8Array>, options?: TextOptions): Codec<string> =>
    options?.invalid === "replace"
      ? map(self, { decode: content.fromUtf8, encode: content.toUtf8 })
      : textLines.faster(self, mapResult(self, { decode: content.fromUtf8Result, encode: content.toUtf8Result }))
)

/**
 * Decodes and encodes the messages of a codec with a `Schema`.
 *
 * **Details**
 * - Shape: the codec's messages are the schema's `Encoded` side.
 * - Errors: `FrameCorrupt`, recoverable, with the schema's message, which names paths and expectations, not values.
 *
 * **Gotchas**: a schema that needs services does not type-check; one that suspends (an asynchronous transformation)
 * throws when it is first used.
 *
 * @category constructors
 * @since 0.1.0
 */
export const schema: {
  <S extends SyncSchema>(schema: S): <A extends S["Encoded"]>(self: Codec<A, S["Encoded"]>) => Codec<S["Type"]>
  <S extends SyncSchema, A extends S["Encoded"]>(self: Codec<A, S["Encoded"]>, schema: S): Codec<S["Type"]>
} = dual(
  2,
  <S extends SyncSchema, A extends S["Encoded"]>(self: Codec<A, S["Encoded"]>, schema: S): Codec<S["Type"]> => {
    const decode = SchemaParser.decodeResult(schema)
    const encode = SchemaParser.encodeResult(schema)
    return mapResult(self, {
      decode: (message: A) => Result.mapError(decode(message), content.formatIssue),
      encode: (message: S["Type"]) => Result.mapError(encode(message), content.formatIssue)
    })
  }
)

/** Not `Schema.fromJsonString`, which takes three times as long. */
const jsonValues = (self: Codec<Uint8Array>): Codec<unknown> =>
  mapResult(text(self), { decode: content.fromJson, encode: content.toJson })

/**
 * Turns a codec of bytes into one of JSON values that a `Schema` describes.
 *
 * **Details**
 * - Shape: one JSON text per frame, without line breaks, so `Framing.lines` gives newline-delimited JSON. The schema's
 *   `Encoded` side must be JSON; `Schema.toCodecJson` makes it so.
 * - Errors: `FrameCorrupt`, recoverable, for what is not UTF-8, not JSON, or not of the schema.
 *
 * @category constructors
 * @since 0.1.0
 */
export const json: {
  <S extends SyncSchema>(schema: S): (self: Codec<Uint8Array>) => Codec<S["Type"]>
  <S extends SyncSchema>(self: Codec<Uint8Array>, schema: S): Codec<S["Type"]>
} = dual(
  2,
  <S extends SyncSchema>(self: Codec<Uint8Array>, json: S): Codec<S["Type"]> => schema(jsonValues(self), json)
)

/** Encodes one message to bytes, as tests and files need them. @category running @since 0.1.0 */
export const encode = <A, B>(self: Codec<A, B>, message: B): Result.Result<Uint8Array, CloseReason.FrameError> =>
  encodeAll(self, [message])

/** Encodes messages to the bytes of one stream, or fails with the first refusal. @category running @since 0.1.0 */
export const encodeAll = <A, B>(
  self: Codec<A, B>,
  messages: Iterable<B>
): Result.Result<Uint8Array, CloseReason.FrameError> => {
  const writer = ByteWriter.make()
  for (const message of messages) {
    const error = self.encode(message, writer)
    if (error !== undefined) {
      return Result.fail(error)
    }
  }
  return Result.succeed(Bytes.concat(writer.take()))
}

/**
 * Decodes a whole stream, given at once or in chunks, and its end; stops at the first error.
 *
 * **Example**
 *
 * ```ts
 * import { Codec, Framing } from "hawser"
 *
 * const lines = Codec.text(Framing.lines({ maxFrameBytes: 80, ending: "lf", unterminated: "reject" }))
 * Codec.decodeAll(lines, new TextEncoder().encode("hello\nwor"))
 * // { messages: ["hello"], error: { _tag: "FrameTruncated", bufferedBytes: 3 } }
 * ```
 *
 * @see {@link attempt} to go on after recoverable errors
 * @category running
 * @since 0.1.0
 */
export const decodeAll = <A, B>(self: Codec<A, B>, bytes: Uint8Array | Iterable<Uint8Array>): Decoded<A> => {
  const decoder = self.decoder()
  const messages: Array<A> = []
  for (const chunk of bytes instanceof Uint8Array ? [bytes] : bytes) {
    const error = decoder.decode(chunk, messages)
    if (error !== undefined) {
      return { messages, error }
    }
  }
  return { messages, error: decoder.end(messages) }
}
