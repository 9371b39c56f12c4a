/** Effect's own `NodeSocketServer`, tuned: the same codec as `plain.ts`, and the replies of one pull in one write. */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import type * as Socket from "effect/socket/Socket"
import { keyPair, listening, service } from "./control.ts"
import { frames } from "./frames.ts"

const { answer, splitter } = frames[service]

const handler = Effect.fnUntraced(
  function*(socket: Socket.Socket) {
    const { pull } = yield* socket.reader
    const writer = yield* socket.writer
    const { split } = splitter()
    while (true) {
      const chunks = yield* pull
      const messages: Array<Buffer> = []
      for (const chunk of chunks) split(chunk as Buffer, messages) // Node's sockets give Buffers
      if (messages.length === 0) continue
      const replies = answer(messages)
      yield* replies.length === 1
        ? writer.write(replies[0] as Buffer)
        : writer.writeAll(replies as [Buffer, ...Array<Buffer>])
    }
  },
  Effect.scoped,
  Effect.catchReason("SocketError", "SocketCloseError", () => Effect.void)
)

const program = Effect.gen(function*() {
  const address = { host: "127.0.0.1", port: 0, noDelay: true }
  const server = yield* keyPair === undefined
    ? NodeSocketServer.make(address)
    : NodeSocketServer.makeTls({ ...address, cert: keyPair.certificate, key: keyPair.key })
  if (server.address._tag !== "UnixPathAddress") listening(server.address.port)
  return yield* Effect.provideService(server.run(handler), References.UnhandledLogLevel, undefined)
})

NodeRuntime.runMain(Effect.scoped(program))
