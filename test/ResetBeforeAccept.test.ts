/** Peers that broke the connection before it was accepted: the system does not know any more who they were. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { NodeTransport, Server, Transport } from "../src/index.ts"
import { Text } from "./support/network.ts"
import { until } from "./support/nodeSockets.ts"

/** Connects, says a line and breaks the connection, all while this process, which listens, stands still. */
const sayAndReset = (port: number) =>
  Effect.sync(() => {
    const script = `const socket = require("node:net").connect(${port}, "127.0.0.1", () => {
      socket.write("ahoy\\n", () => socket.resetAndDestroy())
    })`
    const { status, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" })
    assert.deepStrictEqual([status, stderr], [0, ""])
  })

const portOf = ({ endpoint }: Server.Server["Service"]): number => endpoint._tag === "Tcp" ? endpoint.port : 0

describe("a connection that was reset before the accept", () => {
  it.live.each<Server.Options>([
    { deny: ["127.0.0.1"] },
    { allow: ["127.0.0.2", "unix"] },
    { proxy: { from: ["127.0.0.1"] } }
  ])("comes past no rule: %j", (options) =>
    Effect.scoped(Effect.gen(function*() {
      const events: Array<Server.Event["_tag"]> = []
      const heard: Array<string> = []
      const server = yield* Server.make(Text, "tcp://127.0.0.1:0", (text) =>
        Effect.sync(() => {
          heard.push(text)
          return text
        }), { ...options, onEvent: ({ _tag }) => void events.push(_tag) })
      yield* sayAndReset(portOf(server))
      // Whoever comes later is seen later. It ends before it says anything.
      const later = yield* Transport.Transport.use((transport) => transport.connect(server.endpoint))
      later.destroy()
      yield* until("the end of the later one", () => events.length > 1)
      assert.deepStrictEqual([heard, events], [[], ["Listening", "Refused"]])
    })).pipe(Effect.provide(NodeTransport.layer)))
})
