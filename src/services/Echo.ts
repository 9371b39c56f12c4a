/**
 * What comes is sent back, byte for byte: the smallest service, and a good one to try a network with.
 *
 * The server passes on whatever batch of chunks one read gave and asks for more when the kernel has taken it, so that
 * any amount goes through constant memory.
 *
 * ```
 * [chunk][chunk] --pull--> fiber --write--> [chunk][chunk]          one write per read
 * ```
 *
 * **Gotchas**: with a framing, a frame goes back when it is complete, and one over its limit ends the connection.
 *
 * @since 0.1.0
 */
import type * as Layer from "effect/Layer"
import * as Codec from "../Codec.ts"
import * as Connection from "../Connection.ts"
import * as Framing from "../Framing.ts"
import * as Protocol from "../Protocol.ts"
import * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import * as Goodbye from "./Goodbye.ts"

/** How to serve it. @category options @since 0.1.0 */
export interface Options extends Server.Options {
  /**
   * Which pieces are sent back.
   *
   * @default the bytes as they come
   */
  readonly framing?: Codec.Codec<Uint8Array> | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  framing: Framing.lines({ maxFrameBytes: 65_536, ending: "any", unterminated: "emit" })
} as const

/**
 * The conversation as a client of texts sees it: the response is the request.
 *
 * **Gotchas**: over `Framing.chunks`, two requests at once may come back as one response: give it `depth: 1`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const protocol = (
  framing: Codec.Codec<Uint8Array> = defaults.framing,
  options: Pick<Protocol.Options<string, string, never>, "depth"> = {}
): Protocol.Protocol<string, string> => {
  const text = Codec.text(framing)
  return Protocol.make("echo", {
    ...options,
    request: text,
    response: text,
    goodbye: Goodbye.text(text)
  })
}

/** A server that sends everything back. @category layers @since 0.1.0 */
export const layer = (
  endpoints: Server.Endpoints,
  options: Options = {}
): Layer.Layer<Server.Server, Server.StartError, Transport.Transport> => {
  const framing = options.framing ?? Codec.bytes
  const encoder = new TextEncoder()
  const encode = (words: string): Uint8Array => encoder.encode(words)
  return Server.layerConnection(
    framing,
    endpoints,
    (connection) => Connection.forEachBatch(connection, connection.write),
    { ...options, goodbye: Goodbye.make(framing, encode) }
  )
}
