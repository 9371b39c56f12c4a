/** Conversations with services, in memory. */
import { Effect } from "effect"
import * as Codec from "../../src/Codec.ts"
import * as Connection from "../../src/Connection.ts"

/** Sends bytes, ends this side, and gives all that comes back until the peer's end. */
export const exchangeBytes = Effect.fnUntraced(function*(endpoint: string, sent: ReadonlyArray<Uint8Array>) {
  const connection = yield* Connection.connect(endpoint, Codec.bytes)
  const received: Array<Uint8Array> = []
  const send = Effect.andThen(Effect.forEach(sent, (chunk) => connection.write([chunk])), connection.finish)
  const receive = Connection.forEachBatch(connection, (batch) => Effect.sync(() => void received.push(...batch)))
  // A peer that is done before it has heard everything ends the sending, not the conversation.
  yield* Effect.all([Effect.ignore(send), receive], { concurrency: "unbounded" })
  return Uint8Array.from(Buffer.concat(received))
}, Effect.scoped)

/** The same with texts. */
export const exchange = (endpoint: string, sent: string) =>
  Effect.map(
    exchangeBytes(endpoint, [new TextEncoder().encode(sent)]),
    (received) => new TextDecoder().decode(received)
  )
