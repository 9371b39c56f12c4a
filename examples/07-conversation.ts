// A conversation that is no request and response: a lighthouse that speaks first and goes on until it is told to stop.
import { Console, Effect, Layer, Schedule } from "effect"
import { CloseReason, Codec, Connection, Framing, NodeTransport, Server } from "hawser"

const line = Codec.text(Framing.lines({ maxFrameBytes: 80, ending: "lf", unterminated: "reject" }))

// Two fibers share the connection: one writes, one reads; the conversation ends with the first of them.
const Lighthouse = Server.layerConnection(line, "tcp://127.0.0.1:0", (connection) =>
  Effect.raceFirst(
    connection.write(["flash"]).pipe(Effect.repeat(Schedule.spaced("5 millis"))),
    Connection.forEachBatch(connection, ([word]) => word === "out" ? Effect.fail("put out") : Effect.void)
  ).pipe(Effect.ignore), {
  onEvent: (event) => {
    if (event._tag === "Ended") console.log(`ended: ${CloseReason.format(event.reason)}`)
  }
})

const program = Effect.gen(function*() {
  const { endpoint } = yield* Server.Server
  const connection = yield* Connection.connect(endpoint, line)
  let seen = 0
  while (seen < 3) seen += (yield* connection.pull).length
  yield* connection.write(["out"])
  // The lighthouse ends its side; what it still said comes first.
  yield* Connection.forEachBatch(connection, () => Effect.void)
  yield* Console.log("saw at least three flashes, then the end")
}).pipe(Effect.scoped)

await Effect.runPromise(program.pipe(Effect.provide(Lighthouse.pipe(Layer.provideMerge(NodeTransport.layer)))))

// Prints:
//   saw at least three flashes, then the end
//   ended: closed by this side
