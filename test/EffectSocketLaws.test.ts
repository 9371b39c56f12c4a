/** The laws of transports and connections, for sockets that went through Effect's: in memory both ways, and Node's. */
import { NodeSocket } from "@effect/platform-node"
import { describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Host } from "effect/net"
import { MemoryTransport, NodeTransport, Transport } from "../src/index.ts"
import { dialling } from "../src/internal/socketTransport.ts"
import { ConnectionLaws, TransportLaws } from "../src/testing/index.ts"
import { bridged } from "./support/bridgedTransport.ts"

/** Dials with Effect's own `NodeSocket`. */
const overNodeSocket = (transport: Transport.Transport["Service"]): Transport.Transport["Service"] => ({
  ...transport,
  connect: Effect.fnUntraced(function*(endpoint) {
    if (endpoint._tag !== "Tcp" || endpoint.host === "*") {
      return yield* new Transport.ConnectError({ endpoint, reason: "Unsupported", code: endpoint._tag })
    }
    const { host, port } = endpoint
    const socket = yield* NodeSocket.makeNet({ host: Host.formatHost(host), port, allowHalfOpen: true, noDelay: true })
    return yield* dialling(socket).connect(endpoint)
  })
})

const Bridged = Layer.effect(Transport.Transport, Effect.map(MemoryTransport.make, bridged))

const OverNodeSocket = Layer.effect(Transport.Transport, Effect.map(Transport.Transport, overNodeSocket)).pipe(
  Layer.provide(NodeTransport.layer)
)

const keeps = (
  spec: ConnectionLaws.Spec,
  layer: Layer.Layer<Transport.Transport>,
  except: ReadonlyArray<string>
): void => {
  for (const suite of [TransportLaws, ConnectionLaws] as const) {
    describe(suite === TransportLaws ? "TransportLaws" : "ConnectionLaws", () => {
      for (const [name, law] of Object.entries(suite.laws)) {
        if (!except.includes(name)) it.effect(name, () => Effect.provide(law(spec), layer), { timeout: 20_000 })
      }
    })
  }
}

describe("through a connection, Effect's socket, and back", () => {
  // A close through one of hawser's own sockets is orderly: its peer goes on writing for the time of the linger. Effect's
  // servers cannot stop listening, and its sockets know no addresses.
  keeps({ endpoint: "memory:laws", resets: false }, Bridged, ["reset", "gone", "listener", "addresses"])
})

describe("over Effect's NodeSocket", () => {
  // One of Effect's sockets knows no addresses.
  keeps({ endpoint: "tcp://127.0.0.1:0", resets: false }, OverNodeSocket, ["addresses"])
})
