/**
 * A link between two ends that spoils frames: each one meets its fate, in the order of sending.
 *
 * The fates are data, so that a failing case shrinks; when they are used up, everything arrives.
 */
import { Effect, Result } from "effect"
import {
  Checksum,
  Codec,
  Connection,
  CrcCatalogue,
  Endpoint,
  Framing,
  Retransmission,
  Transport
} from "../../src/index.ts"
import { until } from "./network.ts"

/** What becomes of a frame: `spoil` flips a bit, `cut` takes its end away, `lose` all of it, `repeat` sends it thrice. */
export type Fate = "arrive" | "spoil" | "cut" | "lose" | "repeat"

export const fates = ["arrive", "spoil", "cut", "lose", "repeat"] as const

/** Each frame with its CRC, in a length-prefixed frame, which the link leaves whole. */
const framing = Framing.lengthPrefixed({ maxFrameBytes: 1000, widthBytes: 2 })

/** Refuses what was spoilt. */
const checked = (self: Codec.Codec<Uint8Array>): Codec.Codec<Uint8Array> =>
  Codec.mapResult(self, {
    decode: (bytes: Uint8Array) =>
      Checksum.verifyAppended(CrcCatalogue.crc32Iscsi, bytes)
        ? Result.succeed(bytes.subarray(0, -4))
        : Result.fail("bad CRC"),
    encode: (bytes: Uint8Array) => Result.succeed(Checksum.append(CrcCatalogue.crc32Iscsi, bytes))
  })

/** Lets each outgoing frame meet its fate. */
const lossy = (
  self: Codec.Codec<Uint8Array>,
  fates: Iterator<Fate, unknown>,
  after: Fate = "arrive"
): Codec.Codec<Uint8Array> => ({
  ...self,
  encode: (message, writer) => {
    const next = fates.next()
    switch (next.done === true ? after : next.value) {
      case "arrive":
        return self.encode(message, writer)
      case "lose":
        return undefined
      case "cut":
        return self.encode(message.subarray(0, message.length >> 1), writer)
      case "spoil":
        return self.encode(message.map((byte, at) => at === message.length >> 1 ? byte ^ 4 : byte), writer)
      case "repeat":
        return self.encode(message, writer) ?? self.encode(message, writer) ?? self.encode(message, writer)
    }
  }
})

/** Frames of text over a link of such fates. */
export const codec = (
  fates: ReadonlyArray<Fate>,
  after: Fate = "arrive"
): Retransmission.FrameCodec<string> => Retransmission.text(checked(lossy(framing, fates.values(), after)))

/** Two connected ends, each with its own fates. */
export const pair = Effect.fnUntraced(function*<A>(
  left: Retransmission.FrameCodec<A>,
  right: Retransmission.FrameCodec<A>
) {
  const transport = yield* Transport.Transport
  const accepted: Array<Transport.RawSocket> = []
  const endpoint = Endpoint.memoryUnsafe("lossy")
  yield* transport.listen(endpoint, { backlog: 1, onAccept: (raw) => accepted.push(raw) })
  const from: Retransmission.Link<A> = yield* Connection.connect(endpoint, left)
  yield* until("the accept", () => accepted.length > 0)
  const to: Retransmission.Link<A> = yield* Connection.fromRawSocket(accepted[0]!, right)
  return [from, to] as const
})
