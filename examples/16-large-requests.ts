// Large requests on more than one core: views instead of copies, and servers that share a port.
import { Console, Effect } from "effect"
import { Checksum, Client, Codec, CrcCatalogue, type Endpoint, Framing, NodeTransport, Protocol, Server } from "hawser"

const blob = Framing.lengthPrefixed({ maxFrameBytes: 1_000_000 })
const line = Codec.text(Framing.lines({ maxFrameBytes: 64, ending: "lf", unterminated: "reject" }))
const Digest = Protocol.make("digest", { request: blob, response: line })

// Nothing is kept of the blob but a number, so the server may lend it where it was read, and copies nothing.
// A handler that keeps its request, in a Map or for later, must copy it (`blob.slice()`), or leave requests "owned".
const crc = CrcCatalogue.crc32Iscsi
const serve = (endpoint: Endpoint.Input) =>
  Server.make(Digest, endpoint, (blob) => Effect.succeed(Checksum.format(crc, crc.compute(blob))), {
    requests: "lent",
    reusePort: true // as `hawser serve --workers 2` does in two processes
  })

const program = Effect.gen(function*() {
  const first = yield* serve("tcp://127.0.0.1:0")
  const second = yield* serve(first.endpoint)
  for (const size of [16, 1000, 1_000_000]) {
    // The kernel decides whom each connection reaches.
    const client = yield* Client.make(Digest, first.endpoint)
    yield* Console.log(`${size} bytes: ${yield* client.call(new Uint8Array(size).fill(7))}`)
  }
  const accepted = (yield* first.stats).accepted + (yield* second.stats).accepted
  yield* Console.log(`two servers on one port took ${accepted} connections`)
}).pipe(Effect.scoped)

await Effect.runPromise(Effect.provide(program, NodeTransport.layer))

// Prints:
//   16 bytes: 0x55f5a132
//   1000 bytes: 0x8a9c792b
//   1000000 bytes: 0x1ad13f43
//   two servers on one port took 3 connections
