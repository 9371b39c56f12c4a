// A server for two at a time: the third is told so, and gets in when there is room again.
import { Console, Effect, Layer, References } from "effect"
import { Client, Codec, Connection, Framing, NodeTransport, Protocol, Server } from "hawser"

const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))

const Berth = Protocol.make("berth", {
  request: line,
  response: line,
  goodbye: { overLimit: "all berths are taken" }
})

const Harbour = Server.layer(Berth, "tcp://127.0.0.1:0", (ship) => Effect.succeed(`welcome, ${ship}`), {
  maxConnections: 2
})

const program = Effect.gen(function*() {
  const { endpoint, stats } = yield* Server.Server
  yield* Effect.gen(function*() {
    const first = yield* Client.make(Berth, endpoint)
    const second = yield* Client.make(Berth, endpoint)
    yield* Console.log(yield* first.call("Argo"))
    yield* Console.log(yield* second.call("Beagle"))
    const third = yield* Connection.connect(endpoint, line)
    yield* Console.log(`Cutty Sark hears: ${(yield* third.pull)[0]}`)
  }).pipe(Effect.scoped)
  const third = yield* Client.make(Berth, endpoint)
  yield* Console.log(yield* third.call("Cutty Sark"))
  const { accepted, refused } = yield* stats
  yield* Console.log(`${accepted} came in, ${refused} was turned away`)
}).pipe(Effect.scoped)

// The server logs a warning when it becomes full; here only the program speaks.
const Quiet = Layer.succeed(References.MinimumLogLevel, "Error")

await Effect.runPromise(program.pipe(Effect.provide(Harbour.pipe(Layer.provideMerge([NodeTransport.layer, Quiet])))))

// Prints:
//   welcome, Argo
//   welcome, Beagle
//   Cutty Sark hears: all berths are taken
//   welcome, Cutty Sark
//   3 came in, 1 was turned away
