// An echo server, and a client that sends it a few bytes: the smallest whole program.
import { Console, Effect, Layer } from "effect"
import { Codec, Connection, NodeTransport, Server } from "hawser"

// Each connection is a fiber that runs this; it ends when the peer ends its side.
const EchoServer = Server.layerConnection(
  Codec.bytes,
  "tcp://127.0.0.1:0",
  (connection) => Connection.forEachBatch(connection, connection.write)
)

const program = Effect.gen(function*() {
  const { endpoint } = yield* Server.Server
  const connection = yield* Connection.connect(endpoint, Codec.bytes)
  yield* connection.write([new TextEncoder().encode("hello, sea")])
  const [reply] = yield* connection.pull
  yield* Console.log(new TextDecoder().decode(reply))
}).pipe(Effect.scoped)

await Effect.runPromise(program.pipe(Effect.provide(EchoServer.pipe(Layer.provideMerge(NodeTransport.layer)))))

// Prints:
//   hello, sea
