/** Serves lines, each turned around, at the endpoint in the first argument, until it is told to end. */
import { NodeRuntime } from "@effect/platform-node"
import { Effect } from "effect"
import { Endpoint, NodeTransport, Server } from "hawser"
import { Text } from "../../support/network.ts"

Effect.gen(function*() {
  const { endpoint } = yield* Server.make(
    Text,
    process.argv[2] ?? "",
    (line) => Effect.succeed([...line].reverse().join(""))
  )
  console.log(`listening on ${Endpoint.format(endpoint)}`)
  return yield* Effect.never
}).pipe(Effect.scoped, Effect.provide(NodeTransport.layer), NodeRuntime.runMain)
