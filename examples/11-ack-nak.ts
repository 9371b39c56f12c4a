// Messages that survive a bad link: each frame has a CRC, what is spoilt gets a NAK, and is sent again.
import { Console, Effect, Layer } from "effect"
import { type Codec, Connection, CrcCatalogue, Framing, MemoryTransport, Retransmission, Server } from "hawser"

const frames = Framing.lengthPrefixed({ maxFrameBytes: 256, widthBytes: 2 })

// A length, a kind, a number, the text, and the CRC of all but the length.
const codec = (link: Codec.Codec<Uint8Array>) => Retransmission.text(Framing.checksummed(link, CrcCatalogue.crc32Iscsi))

// The receiver: every message is handled once and in order, whatever happens on the way.
const Harbour = Server.layerConnection(
  codec(frames),
  "memory:harbour",
  (connection) =>
    Retransmission.receive(connection, (message) => Console.log(`harbour: ${message}`), {
      onNak: (why) => console.log(typeof why === "number" ? `harbour: ${why} is too early` : "harbour: spoilt")
    })
)

// A link that flips a bit in its second frame.
let count = 0
const badLink: Codec.Codec<Uint8Array> = {
  ...frames,
  encode: (frame, writer) => {
    count++
    return frames.encode(count === 2 ? frame.with(2, frame[2]! ^ 1) : frame, writer)
  }
}

const program = Effect.gen(function*() {
  const link = yield* Connection.connect("memory:harbour", codec(badLink))
  const sender = yield* Retransmission.makeSender(link, { window: 3, timeout: "1 second", maxAttempts: 5 })
  const receipts = yield* Effect.forEach(["cast off", "hoist sail", "steer north"], sender.send, { concurrency: 3 })
  for (const { again } of receipts) yield* Console.log(`sent ${1 + again.length} time(s)`)
}).pipe(Effect.scoped)

await Effect.runPromise(program.pipe(Effect.provide(Harbour.pipe(Layer.provideMerge(MemoryTransport.layer)))))

// Prints:
//   harbour: cast off
//   harbour: spoilt
//   harbour: 2 is too early
//   harbour: hoist sail
//   harbour: steer north
//   sent 1 time(s)
//   sent 2 time(s)
//   sent 2 time(s)
