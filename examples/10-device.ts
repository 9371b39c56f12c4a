// A GPS tracker: frames with a start mark, a length, a CRC and a trailer. One is damaged on its way; the gateway answers
// NAK, finds the next frame, and goes on.
import { Console, Effect, Layer, Result } from "effect"
import { ByteWriter, Codec, Connection, CrcCatalogue, Framing, NodeTransport, Server } from "hawser"

// 78 78 | length of the rest without trailer | text | CRC-16 over length and text | CR LF
const frames = Framing.checksummed(
  Framing.enclosed(
    Framing.sized({
      maxFrameBytes: 64,
      headBytes: 3,
      size: ([first, second, length = 0]) => first === 0x78 && second === 0x78 ? length + 5 : undefined,
      resync: { delimiter: "\r\n" }
    }),
    { start: Uint8Array.of(0x78, 0x78), end: "\r\n" }
  ),
  CrcCatalogue.crc16IbmSdlc,
  { byteOrder: "big" }
)

const tracker = Codec.text(Codec.mapResult<Uint8Array, Uint8Array, Uint8Array>(frames, {
  decode: (frame) => Result.succeed(frame.subarray(1)),
  encode: (text) => Result.succeed(Uint8Array.of(text.length + 2, ...text))
}))

const Gateway = Server.layerConnection(
  Codec.attempt(tracker),
  "tcp://127.0.0.1:0",
  (connection) =>
    Connection.forEachBatch(connection, (items) =>
      Effect.forEach(items, (item) =>
        Result.match(item, {
          onSuccess: (fix) => Effect.andThen(Console.log(`fix ${fix}`), connection.write(["ACK"])),
          onFailure: ({ message }) => Effect.andThen(Console.log(message), connection.write(["NAK"]))
        })))
)

const program = Effect.gen(function*() {
  const { endpoint } = yield* Server.Server
  const wire = ByteWriter.make()
  for (const fix of ["54.18N 12.08E", "54.19N 12.09E", "54.20N 12.10E"]) tracker.encode(fix, wire)
  const damaged = wire.take()
  damaged[0]![30]! ^= 0x04
  const device = yield* Connection.connect(endpoint, Codec.bytes)
  yield* device.write(damaged)
  yield* device.finish
  const chunks: Array<Uint8Array> = []
  yield* Connection.forEachBatch(device, (batch) => Effect.sync(() => chunks.push(...batch)))
  yield* Console.log(`replies: ${Codec.decodeAll(tracker, chunks).messages.join(" ")}`)
}).pipe(Effect.scoped)

await Effect.runPromise(program.pipe(Effect.provide(Gateway.pipe(Layer.provideMerge(NodeTransport.layer)))))

// Prints:
//   fix 54.18N 12.08E
//   CRC-16/IBM-SDLC: expected 0xc629, got 0xd685; skipped 20 bytes
//   fix 54.20N 12.10E
//   replies: ACK NAK ACK
