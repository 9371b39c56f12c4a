/** How a client starts: types, options, dialling, as a layer. */
import { assert, describe, it } from "@effect/vitest"
import { Context, type Duration, Effect, type Layer, Schema, type Scope } from "effect"
import { Client, Codec, Framing, MemoryTransport, NodeTransport, Protocol, Server, Transport } from "../src/index.ts"
import { inWorld, line, memory, passing, script, serveText, settle, Text } from "./support/network.ts"
import { same } from "./support/types.ts"

class Shouter extends Context.Service<Shouter, Client.Client<string, string>>()("test/Shouter") {
  static readonly layer = Client.layer(Shouter, Text, memory)
}

describe("a client", () => {
  it.effect("is a service of the application", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText((text) => Effect.succeed(text.toUpperCase()))
        same<typeof Shouter.layer, Layer.Layer<Shouter, Client.StartError, Transport.Transport>>(true)
        const shouted = yield* Shouter.use((shouter) => shouter.call("ahoy")).pipe(Effect.provide(Shouter.layer))
        assert.strictEqual(shouted, "AHOY")
        yield* settle
        assert.deepStrictEqual(told.ends, ["the peer closed the connection"])
      })
    ))

  it("has types that follow from the protocol", () => {
    const check = Effect.gen(function*() {
      const client = yield* Client.make(Text, memory)
      same<typeof client, Client.Client<string, string>>(true)
      // @ts-expect-error: the requests of this protocol are texts
      yield* Effect.exit(client.call(1))

      const Refused = Schema.TaggedStruct("Refused", { why: Schema.String })
      const Answer = Schema.TaggedStruct("Answer", { text: Schema.String })
      const frames = Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" })
      const response = Codec.json(frames, Schema.Union([Answer, Refused]))
      const other = yield* Client.make(Protocol.make("work", { request: line, response, failure: Refused }), memory)
      same<typeof other, Client.Client<string, typeof Answer.Type, typeof Refused.Type>>(true)
      return other
    })
    same<Effect.Services<typeof check>, Scope.Scope | Transport.Transport>(true)
  })

  const time = "a time longer than 0, or Infinity"
  const bad: ReadonlyArray<readonly [message: string, options: Client.Options]> = [
    ["maxWaiting must be an integer from 0, got -1", { maxWaiting: -1 }],
    ["maxWaiting must be an integer from 0, got 1.5", { maxWaiting: 1.5 }],
    ["maxWaiting must be an integer from 0, got NaN", { maxWaiting: Number.NaN }],
    [`callTimeout must be ${time}, got 0`, { callTimeout: 0 }],
    [`callTimeout must be ${time}, got NaN`, { callTimeout: Number.NaN }],
    [`callTimeout must be ${time}, got "soon"`, { callTimeout: "soon" as Duration.Input }],
    [`connectTimeout must be ${time}, got -1`, { connectTimeout: -1 }],
    [`connectTimeout must be ${time}, got 0`, { connectTimeout: 0 }],
    ["linger must be a finite time, 0 or longer, got Infinity", { linger: Number.POSITIVE_INFINITY }],
    ["linger must be a finite time, 0 or longer, got NaN", { linger: Number.NaN }]
  ]
  it.effect.each(bad)("refuses an option: %s", ([message, options]) =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* script
        const error = yield* Effect.flip(Client.make(Text, memory, options))
        assert.isTrue(error instanceof Client.ClientOptionsError)
        assert.strictEqual(error.message, message)
      })
    ))

  it.effect("does not start where nobody listens, or on an endpoint that is none", () =>
    Effect.gen(function*() {
      const refused = yield* Effect.flip(Client.make(Text, "memory:nobody"))
      assert.isTrue(refused._tag === "ConnectError" && refused.reason === "Refused")
      const none = yield* Effect.flip(Client.make(Text, "nonsense"))
      assert.strictEqual(none._tag, "EndpointError")
    }).pipe(Effect.provide(MemoryTransport.layer)))

  it.effect("gives up dialling after connectTimeout", () =>
    Effect.gen(function*() {
      const error = yield* passing(Effect.flip(Client.make(Text, memory, { connectTimeout: 500 })))
      assert.isTrue(error._tag === "ConnectError" && error.reason === "TimedOut")
    }).pipe(Effect.provideService(Transport.Transport, {
      connect: () => Effect.never,
      listen: () => Effect.never
    })))

  it.live("talks over real sockets", () =>
    Effect.gen(function*() {
      const server = yield* Server.make(Text, "tcp://127.0.0.1:0", (text) => Effect.succeed(text.toUpperCase()))
      const client = yield* Client.make(Text, server.endpoint)
      const big = "x".repeat(90_000)
      const answers = yield* Effect.forEach(Array(64), () => client.call(big), { concurrency: "unbounded" })
      assert.isTrue(answers.every((answer) => answer === big.toUpperCase()))
    }).pipe(Effect.scoped, Effect.provide(NodeTransport.layer)))
})
