/** Hawser's own client with its defaults: a call is an effect, and each line of calls is a fiber. */
import * as Effect from "effect/Effect"
import { Client, Framing, NodeTransport, Protocol } from "hawser"
import { check, connections, depth, measure, nextMessage, port } from "./control.ts"

const frame = Framing.lengthPrefixed({ maxFrameBytes: 1 << 20 })
const Echo = Protocol.make("echo", { request: frame, response: frame, depth })

const program = Effect.gen(function*() {
  for (let i = 0; i < connections; i++) {
    const { call } = yield* Client.make(Echo, `tcp://127.0.0.1:${port}`)
    const converse = Effect.gen(function*() {
      while (true) {
        const message = nextMessage()
        check(message, yield* call(message))
      }
    })
    for (let j = 0; j < depth; j++) yield* Effect.forkScoped(converse)
  }
  yield* Effect.promise(measure)
})

await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))
