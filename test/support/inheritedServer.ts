/** A program that serves on the descriptor that it was given, as its argument says: says where, suspends when it is told so, and says how resuming went. */
import { Effect, Exit } from "effect"
import { Codec, Endpoint, Framing, NodeTransport, Protocol, Server } from "../../src/index.ts"
import { trusted } from "./tls.ts"

const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))
const Shout = Protocol.make("shout", { request: line, response: line })

const stdin = Effect.callback<void>((resume) => {
  process.stdin.once("data", () => resume(Effect.void))
})

const program = Effect.gen(function*() {
  const [endpoint = "fd:3"] = process.argv.slice(2)
  const server = yield* Server.make(
    Shout,
    endpoint,
    (text) => Effect.succeed(text.toUpperCase()),
    endpoint.startsWith("tls:") ? { tls: trusted.server } : {}
  )
  console.log(Endpoint.format(server.endpoint))
  yield* stdin
  yield* server.suspend
  const exit = yield* Effect.exit(server.resume)
  console.log(Exit.isFailure(exit) ? "cannot resume" : "resumed")
}).pipe(Effect.scoped, Effect.provide(NodeTransport.layer))

await Effect.runPromise(program)
process.exit(0)
