/**
 * What decodes a stream, and where it puts what it decoded.
 */
import type * as CloseReason from "../CloseReason.ts"

/**
 * Where a decoder puts messages, one by one and in order; an array is one.
 *
 * A server may answer a message, and a client hand it to its caller, before `push` returns; neither asks the decoder
 * anything meanwhile. It lets through what `push` throws, and is not asked again then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Output<in A> {
  push(message: A): unknown
}

/**
 * The state of decoding one stream.
 *
 * **Example** (Each byte is a message)
 *
 * ```ts
 * import { Codec } from "hawser"
 *
 * const keys: Codec.Codec<number> = {
 *   decoder: () => ({
 *     decode: (chunk, out) => {
 *       for (const key of chunk) out.push(key)
 *       return undefined
 *     },
 *     end: () => undefined,
 *     bytesBuffered: 0
 *   }),
 *   encode: (key, writer) => {
 *     writer.u8(key)
 *     return undefined
 *   },
 *   maxFrameBytes: 1
 * }
 * Codec.decodeAll(keys, Uint8Array.of(38, 40)).messages // [38, 40]
 * ```
 *
 * @category models
 * @since 0.1.0
 */
export interface Decoder<out A> {
  /**
   * Takes one chunk and puts each message that it completes into `out`.
   *
   * Returns the error at which decoding stopped, `undefined` when all is well. Messages may be views into the chunk. The
   * decoder itself holds nothing of it any more once it has returned `undefined`: what it needs for the next chunk it has
   * copied, for the bytes may change as soon as the messages are answered. Behind a recoverable error they stay as they
   * are until it has returned `undefined`.
   */
  readonly decode: (chunk: Uint8Array, out: Output<A>) => CloseReason.FrameError | undefined
  /** Says that no more bytes will come: puts a last message into `out` or returns `FrameTruncated`. */
  readonly end: (out: Output<A>) => CloseReason.FrameError | undefined
  /** How many bytes of an unfinished frame are held. Zero between frames, only there, and after a fatal error. */
  readonly bytesBuffered: number
}
