/**
 * What the services of this folder say to a connection that they turn away or end.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Codec from "../Codec.ts"
import type * as Protocol from "../Protocol.ts"

/** The words for a server that is full. @category constants @since 0.1.0 */
export const full: string = "the server is full, try again later"

/** The words at the end of a server, or of a connection that is too old. @category constants @since 0.1.0 */
export const leaving: string = "the server ends this connection, connect again"

/**
 * The goodbye of a service, where its codec can say it: not every text fits into a frame of a fixed or small size.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <In, Out>(codec: Codec.Codec<In, Out>, of: (words: string) => Out): Protocol.Goodbye<Out> => {
  const say = (words: string): Out | undefined => {
    const message = of(words)
    return Result.isSuccess(Codec.encode(codec, message)) ? message : undefined
  }
  return { overLimit: say(full), drained: say(leaving) }
}

/** The goodbye of a service that speaks text. @category constructors @since 0.1.0 */
export const text = <In>(codec: Codec.Codec<In, string>): Protocol.Goodbye<string> => make(codec, (words) => words)

/** Whether a framing can carry the words. @category predicates @since 0.1.0 */
export const canSay = (framing: Codec.Codec<Uint8Array>): boolean => text(Codec.text(framing)).overLimit !== undefined
