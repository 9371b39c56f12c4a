/**
 * Each vowel replaced by `#`: the tutorial's practice problem.
 *
 * ```
 * Hello, Quay -->
 *             <-- H#ll#, Q##y
 * ```
 *
 * **Gotchas**: vowels are a, e, i, o and u in either case; `y` and letters with accents stay.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Codec from "../Codec.ts"
import * as Framing from "../Framing.ts"
import * as Protocol from "../Protocol.ts"
import * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import * as Goodbye from "./Goodbye.ts"

/** Replaces each vowel by `#`. @category combinators @since 0.1.0 */
export const hide = (text: string): string => text.replaceAll(/[aeiou]/gi, "#")

/** How to serve it. @category options @since 0.1.0 */
export interface Options extends Server.Options {
  /** @default lines of at most 64 KiB */
  readonly framing?: Codec.Codec<Uint8Array> | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  framing: Framing.lines({ maxFrameBytes: 65_536, ending: "any", unterminated: "emit" })
} as const

/**
 * The conversation: each request is a text, and its response the text without its vowels.
 *
 * **Gotchas**: over `Framing.chunks`, two requests at once may be read as one: give it `depth: 1`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const protocol = (
  framing: Codec.Codec<Uint8Array> = defaults.framing,
  options: Pick<Protocol.Options<string, string, never>, "depth"> = {}
): Protocol.Protocol<string, string> => {
  const text = Codec.text(framing)
  return Protocol.make("vowels", {
    ...options,
    request: text,
    response: text,
    goodbye: Goodbye.text(text)
  })
}

/** A server that hides vowels. @category layers @since 0.1.0 */
export const layer = (
  endpoints: Server.Endpoints,
  options: Options = {}
): Layer.Layer<Server.Server, Server.StartError, Transport.Transport> =>
  Server.layer(protocol(options.framing), endpoints, (text) => Effect.succeed(hide(text)), options)
