import { assert, describe, it } from "@effect/vitest"
import { Cause, Context, Deferred, Effect, Exit, Latch, Layer, References, Schema, Scope } from "effect"
import { Codec, Endpoint, Framing, MemoryTransport, Protocol, Server, type Transport } from "../src/index.ts"
import {
  counts,
  dial,
  inWorld,
  line,
  memory,
  pass,
  passing,
  type Peer,
  peer,
  serveText,
  settle,
  Text
} from "./support/network.ts"
import { same } from "./support/types.ts"

const upper = (text: string) => Effect.succeed(text.toUpperCase())

describe("answering", () => {
  it.effect("sends the answers of one batch in one write", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        yield* serveText(upper)
        const client = yield* dial
        client.send("a\nb\nc\nd\n")
        yield* settle
        assert.deepStrictEqual(network.writes, ["A\nB\nC\nD\n"])
      })
    ))

  it.effect("does not let answers wait for a handler that takes its time", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const latch = yield* Latch.make()
        yield* serveText((text) => text === "wait" ? Effect.andThen(latch.await, upper(text)) : upper(text))
        const client = yield* dial
        client.send("a\nb\nwait\nc\n")
        yield* settle
        assert.deepStrictEqual(network.writes, ["A\nB\n"])
        yield* latch.open
        yield* settle
        assert.deepStrictEqual(network.writes, ["A\nB\n", "WAIT\nC\n"])
      })
    ))

  it.effect("stops reading and computing for a client that does not read, and goes on when it does", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        let computed = 0
        const answer = "x".repeat(10_000)
        yield* serveText(() => Effect.sync(() => computed++).pipe(Effect.as(answer)))
        const client = yield* dial
        client.raw.pause()
        for (let i = 0; i < 100; i++) client.send(`${"r".repeat(1_000)}\n`.repeat(50))
        yield* settle
        const { deliveredBytes } = network
        // A window of answers and the 64 KiB that collect before a flush; and at most two windows of requests.
        assert.isAtMost(computed, 2 * 7 + 1)
        assert.isAtMost(deliveredBytes, 2 * 65_536)
        yield* settle
        assert.strictEqual(network.deliveredBytes, deliveredBytes)
        client.raw.resume()
        for (let i = 0; i < 200; i++) yield* settle
        assert.strictEqual(computed, 5_000)
        assert.strictEqual(client.heardBytes, 5_000 * 10_001)
      })
    ))

  it.effect("stops for a client that does not read also when the answers come later", () =>
    inWorld(() =>
      Effect.gen(function*() {
        let computed = 0
        yield* serveText(() =>
          Effect.yieldNow.pipe(Effect.andThen(Effect.sync(() => computed++)), Effect.as("x".repeat(10_000)))
        )
        const client = yield* dial
        client.raw.pause()
        client.send("r\n".repeat(1_000))
        for (let i = 0; i < 10; i++) yield* settle
        assert.isAtMost(computed, 15)
        client.raw.resume()
        for (let i = 0; i < 400; i++) yield* settle
        assert.strictEqual(client.heardBytes, 1_000 * 10_001)
      })
    ))

  it.effect("waits for a half-closed client that takes long to read, however long that is", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* serveText(() => Effect.succeed("x".repeat(90_000)), { linger: 100 })
        const client = yield* dial
        client.raw.pause()
        client.send("a\n")
        client.raw.end()
        yield* pass(10_000, 1_000)
        client.raw.resume()
        for (let i = 0; i < 10; i++) yield* settle
        assert.deepStrictEqual([client.heardBytes, client.ended], [90_001, true])
      })
    ))

  it.effect.each([
    { answers: "at once", fibers: 0 },
    { answers: "by an effect, now and then", fibers: 20 }
  ])(
    "costs $fibers fibers for 20 connections that are answered $answers, and none for a log line",
    ({ fibers }) =>
      inWorld(({ network }) =>
        Effect.gen(function*() {
          yield* serveText((text) => fibers > 0 && text === "b" ? Effect.suspend(() => upper(text)) : upper(text))
          // The first one also starts the one timer of those that linger.
          const first = yield* dial
          first.leave()
          yield* settle
          const { fibersStarted } = network
          const clients = yield* Effect.forEach(Array(20), () => dial)
          for (const client of clients) {
            client.send("a\nb\n")
            client.send("a\na\nb\n")
            client.raw.end()
          }
          yield* settle
          assert.deepStrictEqual(
            clients.map(({ closed, heard }) => [heard, closed]),
            clients.map(() => ["A\nB\nA\nA\nB\n", { code: undefined }])
          )
          assert.strictEqual(network.fibersStarted - fibersStarted, fibers)
        }).pipe(Effect.provideService(References.MinimumLogLevel, "Info"))
      )
  )
})

describe("failures of the protocol", () => {
  const Refused = Schema.TaggedStruct("Refused", { why: Schema.String })
  const Done = Schema.TaggedStruct("Done", { what: Schema.String })
  const frames = Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" })
  const Work = Protocol.make("work", {
    request: line,
    response: Codec.json(frames, Schema.Union([Done, Refused])),
    failure: Refused
  })
  const answered = (handler: (text: string) => Effect.Effect<typeof Done.Type, typeof Refused.Type | string>) =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        yield* Server.make(Work, memory, handler)
        const client = yield* dial
        client.send("a\nrefuse\nb\n")
        yield* pass(10)
        return {
          heard: client.heard.split("\n").slice(0, -1).map((text) => JSON.parse(text)._tag),
          ended: client.ended,
          logged: logs.length
        }
      })
    )

  it.effect.each(
    [
      ["at once", (why: string) => Effect.fail(Refused.make({ why }))],
      ["later", (why: string) => Effect.delay(Effect.fail(Refused.make({ why })), 1)]
    ] as const
  )("are answers, and the connection lives: %s", ([, refuse]) =>
    Effect.gen(function*() {
      const { ended, heard, logged } = yield* answered((what) =>
        what === "refuse" ? refuse("no") : Effect.succeed(Done.make({ what }))
      )
      assert.deepStrictEqual(heard, ["Done", "Refused", "Done"])
      assert.isFalse(ended)
      assert.strictEqual(logged, 0)
    }))

  it.effect("are the only ones that are", () =>
    Effect.gen(function*() {
      const { ended, heard } = yield* answered((what) =>
        what === "refuse" ? Effect.fail("disk full") : Effect.succeed(Done.make({ what }))
      )
      assert.deepStrictEqual([heard, ended], [["Done"], true])
    }))

  it.effect("do not hide a defect that came with them", () =>
    Effect.gen(function*() {
      const { ended, heard } = yield* answered((what) =>
        what === "refuse"
          ? Effect.failCause(Cause.combine(Cause.fail(Refused.make({ why: "no" })), Cause.die(new Error("bug"))))
          : Effect.succeed(Done.make({ what }))
      )
      assert.deepStrictEqual([heard, ended], [["Done"], true])
    }))
})

class Dictionary
  extends Context.Service<Dictionary, { readonly look: (word: string) => string }>()("test/Dictionary")
{}

describe("a handler", () => {
  it.effect("has what the layer was given, and a scope that closes with its connection", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const lookUp = (word: string) =>
          Effect.gen(function*() {
            yield* Effect.addFinalizer((exit) => Effect.sync(() => log.push(`${word} ${exit._tag}`)))
            return (yield* Dictionary).look(word)
          })
        yield* serveText(lookUp).pipe(Effect.provideService(Dictionary, { look: (word) => `<${word}>` }))
        const client = yield* dial
        client.send("a\nb\n")
        yield* settle
        assert.deepStrictEqual([client.heard, log], ["<a>\n<b>\n", []])
        client.leave()
        yield* settle
        assert.deepStrictEqual(log, ["b Success", "a Success"])
      })
    ))

  it.effect("runs its finalizers also when it is interrupted", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const server = yield* serveText(
          () => Effect.andThen(Effect.addFinalizer(() => Effect.sync(() => log.push("closed"))), Effect.never),
          {
            drain: { grace: 100, force: 100 }
          }
        )
        const client = yield* dial
        client.send("a\n")
        yield* settle
        yield* Effect.forkChild(server.drain)
        yield* pass(100)
        assert.deepStrictEqual(log, ["closed"])
      })
    ))

  it.effect("sees who is on the other side, and that the server drains", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const seen: Array<unknown> = []
        const server = yield* serveText((_, { awaitDrain, id, local, peer }) =>
          Effect.sync(() => seen.push(id, Endpoint.format(local), Endpoint.format(peer))).pipe(
            Effect.andThen(awaitDrain),
            Effect.as("bye")
          )
        )
        const client = yield* dial
        client.send("a\n")
        yield* settle
        assert.deepStrictEqual(seen, [client.raw.id + 1, memory, "memory:client"])
        assert.strictEqual(client.heard, "")
        yield* Effect.forkChild(server.drain)
        yield* settle
        assert.deepStrictEqual([client.heard, client.ended], ["bye\n", true])
      })
    ))

  it.effect("finishes for a peer that has left, and its answer is thrown away", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const began = yield* Deferred.make<void>()
        let finished = 0
        const { told } = yield* serveText(() =>
          Deferred.succeed(began, undefined).pipe(
            Effect.andThen(Effect.sleep(50)),
            Effect.andThen(Effect.sync(() => finished++)),
            Effect.as("late")
          )
        )
        const client = yield* dial
        client.send("a\n")
        yield* Deferred.await(began)
        client.raw.reset()
        yield* pass(100)
        assert.strictEqual(finished, 1)
        assert.deepStrictEqual(told.ends, ["the peer broke the connection (ECONNRESET)"])
      })
    ))

  it.effect.each(
    [
      ["is the last one for a peer that broke the connection", [(peer: Peer) => peer.raw.reset()], 1],
      ["is not the last one for a peer that ended its side", [(peer: Peer) => peer.raw.end()], 50],
      [
        "nor for one that ended its side, and is gone",
        [(peer: Peer) => peer.raw.end(), (peer: Peer) => peer.raw.reset()],
        50
      ]
    ] as const
  )("%s", ([, leave, handled]) =>
    inWorld(() =>
      Effect.gen(function*() {
        let requests = 0
        const { told } = yield* serveText((text) => Effect.delay(Effect.sync(() => text + requests++), 50))
        const client = yield* dial
        client.send("a\n".repeat(50))
        yield* settle
        for (const step of leave) {
          step(client)
          yield* settle
        }
        yield* pass(3_000)
        assert.strictEqual(requests, handled)
        assert.strictEqual(told.ends.length, 1)
      })
    ))

  it.effect("is the last one also where another batch waits", () =>
    inWorld(() =>
      Effect.gen(function*() {
        let requests = 0
        yield* serveText((text) => Effect.delay(Effect.sync(() => text + requests++), 50))
        const client = yield* dial
        client.send("a\n")
        yield* settle
        client.send("b\n".repeat(50))
        yield* settle
        client.raw.reset()
        yield* pass(3_000)
        assert.strictEqual(requests, 1)
      })
    ))
})

describe("as a layer", () => {
  it.effect("is listening when it is built, and not when it is closed", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const scope = yield* Scope.make()
        const context = yield* Layer.buildWithScope(Server.layer(Text, memory, upper), scope)
        assert.strictEqual(Endpoint.format(Context.get(context, Server.Server).endpoint), memory)
        const client = yield* dial
        client.send("a\n")
        yield* settle
        assert.strictEqual(client.heard, "A\n")
        yield* passing(Scope.close(scope, Exit.void))
        assert.strictEqual((yield* Effect.flip(dial)).reason, "Refused")
      })
    ))

  it.effect("does not start where another one listens, and starts when that one has gone", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const layer = Server.layer(Text, memory, upper)
        const second = Layer.build(layer)
        yield* Effect.scoped(Effect.gen(function*() {
          yield* Layer.build(layer)
          const error = yield* Effect.flip(Layer.build(Layer.fresh(layer)))
          assert.isTrue(error._tag === "BindError" && error.reason === "AddressInUse")
        }))
        yield* second
      })
    ))

  it.effect("does not start on an endpoint that is none", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(Server.layer(Text, "nonsense", upper)))
      assert.strictEqual(error._tag, "EndpointError")
    }).pipe(Effect.provide(MemoryTransport.layer)))
})

describe("events and counts", () => {
  it.effect("tell the life of each connection in order, and add up", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serveText(upper, { maxConnections: 1 })
        const first = yield* dial
        yield* settle
        const second = yield* dial
        first.send("abc\n")
        yield* settle
        assert.deepStrictEqual(counts(yield* server.stats), { accepted: 1, open: 1, ended: 0, refused: 1, waiting: 0 })
        first.leave()
        yield* settle
        assert.deepStrictEqual(counts(yield* server.stats), { accepted: 1, open: 0, ended: 1, refused: 1, waiting: 0 })
        const id = first.raw.id + 1
        const peer = Endpoint.memoryUnsafe("client")
        assert.deepStrictEqual(server.told.events, [
          { _tag: "Listening", endpoint: Endpoint.memoryUnsafe("server") },
          { _tag: "Accepted", id, peer },
          { _tag: "Alarm", limit: "maxConnections", value: 1, max: 1 },
          {
            _tag: "Refused",
            id: second.raw.id + 1,
            peer,
            reason: { _tag: "OverLimit", limit: "maxConnections", max: 1 },
            refusal: "close"
          },
          {
            _tag: "Ended",
            id,
            peer,
            reason: { _tag: "PeerClosed" },
            bytesIn: 4,
            bytesOut: 4,
            messagesIn: 1,
            messagesOut: 1
          }
        ])
        const report = yield* passing(server.drain)
        assert.deepStrictEqual(server.told.events.slice(5), [{ _tag: "Draining", open: 0 }, {
          _tag: "Drained",
          report
        }])
      })
    ))
})

// --- types -----------------------------------------------------------------------------------------------------------

it("types follow from the protocol", () => {
  const Asked = Schema.Struct({ question: Schema.String })
  const Answer = Schema.TaggedStruct("Answer", { text: Schema.String })
  const Unknown = Schema.TaggedStruct("Unknown", { question: Schema.String })
  const frames = Framing.lengthPrefixed({ maxFrameBytes: 1024 })
  const Oracle = Protocol.make("oracle", {
    request: Codec.json(frames, Asked),
    response: Codec.json(frames, Schema.Union([Answer, Unknown])),
    failure: Unknown
  })
  const layer = Server.layer(Oracle, memory, (request, connection) => {
    same<typeof request, typeof Asked.Type>(true)
    same<typeof connection, Server.Info>(true)
    return Effect.gen(function*() {
      yield* Effect.addFinalizer(() => Effect.void)
      const { look } = yield* Dictionary
      if (request.question === "") return yield* Effect.fail(Unknown.make(request))
      return Answer.make({ text: look(request.question) })
    })
  })
  same<typeof layer, Layer.Layer<Server.Server, Server.StartError, Dictionary | Transport.Transport>>(true)

  // @ts-expect-error: a text is no response of this protocol
  Server.layer(Oracle, memory, () => Effect.succeed("text"))
  // @ts-expect-error: its requests are no texts
  Server.layer(Oracle, memory, (request: string) => Effect.succeed(Answer.make({ text: request })))

  const connections = Server.layerConnection(line, memory, (connection) => {
    same<Effect.Success<typeof connection.pull>, readonly [string, ...Array<string>]>(true)
    return Effect.andThen(Scope.Scope, connection.write(["text"]))
  })
  same<typeof connections, Layer.Layer<Server.Server, Server.StartError, Transport.Transport>>(true)
})

it.effect("peers of the tests see what a server refuses", () =>
  inWorld(() =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(peer(Endpoint.memoryUnsafe("nobody")))
      assert.strictEqual(error.reason, "Refused")
    })
  ))
