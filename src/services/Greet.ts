/**
 * One line for everyone who connects, and then the end: the tutorial's first server, whose client only receives.
 *
 * ```
 * connect -->
 *         <-- Thank you for connecting
 *         <-- end of stream
 * ```
 *
 * **Gotchas**: what the client sends is thrown away.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import * as Codec from "../Codec.ts"
import * as Framing from "../Framing.ts"
import * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import * as Goodbye from "./Goodbye.ts"

/** What everyone hears. @category constants @since 0.1.0 */
export const greeting: string = "Thank you for connecting"

/** How to serve it. @category options @since 0.1.0 */
export interface Options extends Server.Options {
  /**
   * What marks the end of the greeting; with `Framing.chunks` nothing does, as in the tutorial.
   *
   * @default lines that end with LF
   */
  readonly framing?: Codec.Codec<Uint8Array> | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  framing: Framing.lines({ maxFrameBytes: 1024, ending: "any", unterminated: "emit" })
} as const

/** A server that greets. @category layers @since 0.1.0 */
export const layer = (
  endpoints: Server.Endpoints,
  options: Options = {}
): Layer.Layer<Server.Server, Server.StartError, Transport.Transport> => {
  const text = Codec.text(options.framing ?? defaults.framing)
  return Server.layerConnection(text, endpoints, (connection) => connection.write([greeting]), {
    ...options,
    goodbye: Goodbye.text(text)
  })
}
