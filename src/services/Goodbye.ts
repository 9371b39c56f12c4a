/**
 * What the services of this folder say to a connection that they turn away.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Codec from "../Codec.ts"
import type * as Protocol from "../Protocol.ts"

/** The words for a server that is full. @category constants @since 0.1.0 */
export const full: string = "the server is full, try again later"

/**
 * The goodbye of a service, where its codec can say it: not every text fits into a frame of a fixed or small size.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <In, Out>(codec: Codec.Codec<In, Out>, overLimit: Out): Protocol.Goodbye<Out> =>
  Result.isSuccess(Codec.encode(codec, overLimit)) ? { overLimit } : {}

/** Whether a framing can carry the words. @category predicates @since 0.1.0 */
export const canSay = (framing: Codec.Codec<Uint8Array>): boolean => "overLimit" in make(Codec.text(framing), full)
