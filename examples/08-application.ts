// A client as a service of a larger application: code that needs it says so in its type and knows nothing of sockets.
import { Console, Context, Effect, Layer } from "effect"
import { Client, Codec, Framing, MemoryTransport, Protocol, Server } from "hawser"

const line = Codec.text(Framing.lines({ maxFrameBytes: 256, ending: "lf", unterminated: "reject" }))
const Pilotage = Protocol.make("pilotage", { request: line, response: line })

class Pilot extends Context.Service<Pilot, Client.Client<string, string>>()("app/Pilot") {
  static readonly layer = Client.layer(Pilot, Pilotage, "memory:pilot", { callTimeout: "2 seconds" })
}

// The server needs a service, too; the layer provides it to every handler.
class Charts extends Context.Service<Charts, { readonly course: (port: string) => string }>()("app/Charts") {}

const PilotServer = Server.layer(
  Pilotage,
  "memory:pilot",
  (port) => Charts.useSync((charts) => `steer ${charts.course(port)}`)
)

const enterHarbour = Effect.fn("enterHarbour")(function*(port: string) {
  const pilot = yield* Pilot
  const order = yield* pilot.call(port)
  yield* Console.log(`${port}: ${order}`)
})

// In production NodeTransport.layer and a tcp:// endpoint; in tests, and here, the same program in memory.
const App = Pilot.layer.pipe(
  Layer.provide(PilotServer),
  Layer.provide(Layer.succeed(Charts, { course: (port) => (port === "Genova" ? "north" : "with care") })),
  Layer.provide(MemoryTransport.layer)
)

await Effect.runPromise(Effect.forEach(["Genova", "Cagliari"], enterHarbour).pipe(Effect.provide(App)))

// Prints:
//   Genova: steer north
//   Cagliari: steer with care
