/** A server that is lent its requests and keeps them: what it finds later says whose they were. */
import { Effect, Result } from "effect"
import { Codec, MemoryTransport, type Protocol, Server, Transport } from "../../src/index.ts"
import * as requests from "./requests.ts"

export const turn = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** A request, as its peer sends it. */
export const frame = (plan: requests.Plan, text: string, codec = requests.plain) =>
  Result.getOrThrow(Codec.encode(codec, { plan, body: new TextEncoder().encode(text) }))

/** What can be read of answers. */
export const texts = (bytes: Uint8Array): string => new TextDecoder().decode(bytes).replaceAll(/[^ -~]+/g, " ").trim()

/** A server in memory that keeps the views of all requests, and what its visitors hear. */
export const keeping = Effect.fnUntraced(function*(
  options: Server.ProtocolOptions,
  handler: (asked: requests.Asked) => Effect.Effect<Uint8Array, requests.Refused> = (asked) =>
    requests.answer(asked, turn),
  protocol: Protocol.Protocol<requests.Asked, Uint8Array | requests.Refused, requests.Refused> = requests.Plain
) {
  const transport = yield* MemoryTransport.make
  const kept: Array<Uint8Array> = []
  const ends: Array<string> = []
  const server = yield* Effect.provideService(
    Server.make(protocol, "memory:x", (asked) => {
      kept.push(asked.body)
      return handler(asked)
    }, { ...options, onEvent: (event) => void (event._tag === "Ended" && ends.push(event.reason._tag)) }),
    Transport.Transport,
    transport
  )
  const dial = Effect.tap(requests.listenTo(transport, server.endpoint), ({ raw }) => Effect.sync(() => raw.resume()))
  const look = () => kept.map((body) => new TextDecoder("latin1").decode(body))
  return { dial, ends, kept, look, server }
})

/** What is found of a request that was lent and has come back. */
export const gone = (text: string) => "\xdd".repeat(text.length)
