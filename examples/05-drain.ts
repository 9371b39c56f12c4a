// Closing a server lets the request that is in flight finish, and ends the idle connection.
import { Console, Deferred, Effect, Fiber } from "effect"
import { Client, Codec, Connection, Framing, MemoryTransport, Protocol, Server } from "hawser"

const line = Codec.text(Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" }))

const Cargo = Protocol.make("cargo", { request: line, response: line })

const program = Effect.gen(function*() {
  const begun = yield* Deferred.make<void>()
  const unloaded = yield* Deferred.make<void>()
  const CargoServer = Server.layer(Cargo, "memory:quay", (crate) =>
    Effect.gen(function*() {
      yield* Deferred.succeed(begun, undefined)
      yield* Deferred.await(unloaded)
      return `unloaded ${crate}`
    }), { drain: { grace: "5 seconds" } })

  yield* Effect.gen(function*() {
    const server = yield* Server.Server
    const busy = yield* Client.make(Cargo, "memory:quay")
    const idle = yield* Connection.connect("memory:quay", line)
    const call = yield* Effect.forkChild(busy.call("tea"))
    yield* Deferred.await(begun)

    const drain = yield* Effect.forkChild(server.drain, { startImmediately: true })
    yield* Connection.forEachBatch(idle, () => Effect.void)
    yield* Console.log("the idle connection has ended")
    yield* Deferred.succeed(unloaded, undefined)
    yield* Console.log(yield* Fiber.join(call))
    const { drained, forced } = yield* Fiber.join(drain)
    yield* Console.log(`drained ${drained}, forced ${forced}`)
  }).pipe(Effect.scoped, Effect.provide(CargoServer))
})

await Effect.runPromise(program.pipe(Effect.provide(MemoryTransport.layer)))

// Prints:
//   the idle connection has ended
//   unloaded tea
//   drained 2, forced 0
