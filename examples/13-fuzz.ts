// Send what nobody would send: the fuzzer finds where a decoder loses a byte, makes the input small, and can replay it.
import { Bytes, Console, Effect } from "effect"
import { Codec, Framing, Protocol } from "hawser"
import { Fuzz, NetArbitrary } from "hawser/testing"

// One byte of length, then the content. The careless one forgets a length that came alone.
const frames = (careful: boolean): Codec.Codec<Uint8Array> => ({
  maxFrameBytes: 255,
  encode: (message, writer) => {
    writer.u8(message.length)
    writer.bytes(message)
    return undefined
  },
  decoder: () => {
    let held = new Uint8Array(0)
    return {
      decode: (chunk, out) => {
        const bytes = careful || held.length > 1 ? Bytes.concat([held, chunk]) : chunk
        let at = 0
        for (let size = bytes[0]; size !== undefined && at + size < bytes.length; size = bytes[at]) {
          out.push(bytes.subarray(at + 1, at + 1 + size))
          at += 1 + size
        }
        held = bytes.slice(at)
        return undefined
      },
      end: () => held.length === 0 ? undefined : { _tag: "FrameTruncated", bufferedBytes: held.length },
      get bytesBuffered() {
        return held.length
      }
    }
  }
})
const target = (careful: boolean) =>
  Fuzz.codec(frames(careful), { messages: NetArbitrary.bytes({ maxBytes: 20 }), name: "frames" })

const line = Codec.text(Framing.lines({ maxFrameBytes: 80, ending: "lf", unterminated: "reject" }))
const Shout = Protocol.make("shout", { request: line, response: line })
const shout = Fuzz.server(Shout, (text) => Effect.succeed(text.toUpperCase()), { requests: NetArbitrary.text() })

const program = Effect.gen(function*() {
  const finding = yield* Effect.flip(Fuzz.run(target(false), { seed: 1 }))
  yield* Console.log(`not so: ${finding.rule}\n  ${finding.broken}\n  replay ${finding.replay}`)
  yield* Console.log(`mended: ${yield* Fuzz.replay(target(true), finding.replay)}`)
  const { outcomes, runs } = yield* Fuzz.run(shout, { seed: 1, runs: 100 })
  const reasons = new Set(outcomes.map(({ outcome }) => outcome.split(" ")[0]))
  yield* Console.log(`${runs} attacks on a server: ${[...reasons].sort().join(" ")}`)
})

await Effect.runPromise(program)

// Prints:
//   not so: gives the same in any chunks
//     in chunks of 2 bytes it gives [{"_tag":"Message","message":Uint8Array([0])}], byte by byte [{"_tag":"Message","message":Uint8Array([])}]
//     replay 0100
//   mended: message
//   100 attacks on a server: Drained ForcedByDrain FrameCorrupt FrameTooLarge FrameTruncated PeerClosed PeerReset
