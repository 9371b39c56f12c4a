// JSON messages described by schemas; what goes wrong is part of the protocol, and a typed error at the caller.
import { Console, Effect, Layer, Schema } from "effect"
import { Client, Codec, Framing, NodeTransport, Protocol, Server } from "hawser"

const Divide = Schema.Struct({ dividend: Schema.Finite, divisor: Schema.Finite })
const Quotient = Schema.TaggedStruct("Quotient", { value: Schema.Finite })
const DivisionByZero = Schema.TaggedStruct("DivisionByZero", { dividend: Schema.Finite })

const frames = Framing.lengthPrefixed({ maxFrameBytes: 4096, widthBytes: 2 })

const Division = Protocol.make("division", {
  request: Codec.json(frames, Divide),
  response: Codec.json(frames, Schema.Union([Quotient, DivisionByZero])),
  failure: DivisionByZero
})

const DivisionServer = Server.layer(Division, "tcp://127.0.0.1:0", ({ dividend, divisor }) =>
  divisor === 0
    ? Effect.fail(DivisionByZero.make({ dividend }))
    : Effect.succeed(Quotient.make({ value: dividend / divisor })))

const program = Effect.gen(function*() {
  const { endpoint } = yield* Server.Server
  const client = yield* Client.make(Division, endpoint)
  const { value } = yield* client.call({ dividend: 6, divisor: 4 })
  yield* Console.log(`6 / 4 = ${value}`)
  const answer = client.call({ dividend: 6, divisor: 0 }).pipe(
    Effect.map(({ value }) => `${value}`),
    Effect.catchTag("DivisionByZero", ({ dividend }) => Effect.succeed(`nobody can divide ${dividend} by zero`))
  )
  yield* Console.log(yield* answer)
}).pipe(Effect.scoped)

await Effect.runPromise(program.pipe(Effect.provide(DivisionServer.pipe(Layer.provideMerge(NodeTransport.layer)))))

// Prints:
//   6 / 4 = 1.5
//   nobody can divide 6 by zero
