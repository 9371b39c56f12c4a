// A protocol described once: the server and the client are made from the same value.
import { Console, Effect, Layer } from "effect"
import { Client, Codec, Framing, NodeTransport, Protocol, Server } from "hawser"

const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "any", unterminated: "emit" }))

const Shout = Protocol.make("shout", { request: line, response: line })

const ShoutServer = Server.layer(Shout, "tcp://127.0.0.1:0", (text) => Effect.succeed(text.toUpperCase()))

const program = Effect.gen(function*() {
  const { endpoint } = yield* Server.Server
  const client = yield* Client.make(Shout, endpoint)
  // Three calls share one connection; they are sent together and answered in order.
  const answers = yield* Effect.forEach(["port", "starboard", "hard astern"], client.call, { concurrency: "unbounded" })
  for (const answer of answers) yield* Console.log(answer)
}).pipe(Effect.scoped)

await Effect.runPromise(program.pipe(Effect.provide(ShoutServer.pipe(Layer.provideMerge(NodeTransport.layer)))))

// Prints:
//   PORT
//   STARBOARD
//   HARD ASTERN
