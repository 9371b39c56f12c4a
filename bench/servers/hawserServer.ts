/**
 * Hawser's own server with its defaults, and two exceptions: `maxConnections` is raised where a scenario opens more, and
 * `requests` is what the caller says.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { Codec, CrcCatalogue, Framing, NodeTransport, Protocol, Server } from "hawser"
import { connections, keyPair, listening, service } from "./control.ts"
import { reverse } from "./frames.ts"

const maxFrameBytes = 1 << 20
const maxConnections = Math.max(connections, Server.defaults.maxConnections)

const frame = Framing.lengthPrefixed({ maxFrameBytes })
const checked = Framing.checksummed(frame, CrcCatalogue.crc32IsoHdlc, { byteOrder: "big" })
const line = Codec.text(Framing.lines({ maxFrameBytes, ending: "lf", unterminated: "reject" }))

const framing = service === "checked" ? checked : frame

const layer = (options: Server.ProtocolOptions) =>
  service !== "reverse"
    ? Server.layer(
      Protocol.make("echo", { request: framing, response: framing }),
      keyPair === undefined ? "tcp://127.0.0.1:0" : "tls://127.0.0.1:0",
      (message) => Effect.succeed(message),
      { ...options, ...keyPair === undefined ? {} : { tls: { certificates: [keyPair] } } }
    )
    : Server.layer(
      Protocol.make("reverse", { request: line, response: line }),
      "tcp://127.0.0.1:0",
      (text) => Effect.succeed(reverse(text)),
      options
    )

const announce = Layer.effectDiscard(
  Server.Server.useSync(({ endpoint }) => {
    if (endpoint._tag === "Tcp" || endpoint._tag === "Tls") listening(endpoint.port)
  })
)

/** Serves until the process ends. */
export const serve = (requests: "owned" | "lent"): void => {
  const server = layer({ maxConnections, requests })
  NodeRuntime.runMain(Layer.launch(announce.pipe(Layer.provide(server), Layer.provide(NodeTransport.layer))))
}
