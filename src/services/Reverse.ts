/**
 * Text turned around, one user-perceived character at a time: the tutorial's second service.
 *
 * What a reader takes for one character may be many code points (`é` written as two, a family of three, a flag). Such
 * grapheme clusters (Unicode UAX #29) keep their inside, so that `héllo 👩‍👩‍👧` comes back as `👩‍👩‍👧 olléh`.
 *
 * **Gotchas**: turning twice gives the text back unless clusters that meet in the result join there: an LF before a CR,
 * a mark or joiner with nothing to attach to, a prefix with nothing after it, loose parts of a Hangul syllable, an odd
 * number of flag letters in a row, an emoji that ends in a joiner.
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

/** Without CR LF, which is one cluster: then every ASCII character is one too. */
const isPlainAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text) && !text.includes("\r\n")

const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Made when first needed: making it takes 7 to 25 ms, and ASCII never needs it. English, so that no locale decides. */
let segmenter: Intl.Segmenter | undefined

/**
 * Reverses a text by user-perceived characters.
 *
 * **Details**
 *
 * - Units: plain ASCII takes half a microsecond and then 0.5 ns per character, any other text about 60 ns per character.
 * - Errors: none. A lone surrogate counts as a character, and two may meet as a pair in the result.
 *
 * @category combinators
 * @since 0.1.0
 */
export const reverse = (text: string): string => {
  if (isPlainAscii(text)) return decoder.decode(encoder.encode(text).reverse())
  segmenter ??= new Intl.Segmenter("en", { granularity: "grapheme" })
  let reversed = ""
  for (const { segment } of segmenter.segment(text)) reversed = segment + reversed
  return reversed
}

/** How to serve it. @category options @since 0.1.0 */
export interface Options extends Server.Options {
  /**
   * What is turned around: a line, a frame with its length in front, or, as in the tutorial, what one read returned.
   *
   * @default lines of at most 64 KiB
   */
  readonly framing?: Codec.Codec<Uint8Array> | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  framing: Framing.lines({ maxFrameBytes: 65_536, ending: "any", unterminated: "emit" })
} as const

/**
 * The conversation: each request is a text, and its response the text turned around.
 *
 * **Gotchas**: over `Framing.chunks`, two requests at once may be read, and turned around, as one: give it `depth: 1`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const protocol = (
  framing: Codec.Codec<Uint8Array> = defaults.framing,
  options: Pick<Protocol.Options<string, string, never>, "depth"> = {}
): Protocol.Protocol<string, string> => {
  const text = Codec.text(framing)
  return Protocol.make("reverse", {
    ...options,
    request: text,
    response: text,
    goodbye: Goodbye.text(text)
  })
}

/** A server that turns texts around. @category layers @since 0.1.0 */
export const layer = (
  endpoints: Server.Endpoints,
  options: Options = {}
): Layer.Layer<Server.Server, Server.StartError, Transport.Transport> =>
  Server.layer(protocol(options.framing), endpoints, (text) => Effect.succeed(reverse(text)), options)
