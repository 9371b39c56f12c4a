/** What a call gets: its own response, in time, whatever else is on the wire. */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Exit, type Fiber, Schema } from "effect"
import { Client, Codec, Framing, Protocol, Server } from "../src/index.ts"
import { inWorld, line, memory, pass, script, serveText, settle, Text } from "./support/network.ts"

const lines = (depth: number) => Protocol.make("lines", { request: line, response: line, depth })

/** What a fiber has come to, without waiting for it. */
const outcome = <A, E>(fiber: Fiber.Fiber<A, E>): A | E | "outstanding" => {
  const exit = fiber.pollUnsafe()
  return exit === undefined ? "outstanding" : Exit.match(exit, {
    onSuccess: (value): A | E => value,
    onFailure: (cause) => {
      const [reason] = cause.reasons
      return reason?._tag === "Fail" ? reason.error : assert.fail(`neither success nor failure: ${String(cause)}`)
    }
  })
}

const error = (reason: Client.ClientError["reason"], sent: Client.Sent) => new Client.ClientError({ reason, sent })

const start = <A, E, R>(effects: ReadonlyArray<Effect.Effect<A, E, R>>) =>
  Effect.forEach(effects, (effect) => Effect.forkChild(effect, { startImmediately: true }))

describe("calls", () => {
  it.effect("are sent together, up to depth, and the next with each answer", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(3), memory)
        const fibers = yield* start(["a", "b", "c", "d", "e"].map(client.call))
        yield* settle
        assert.strictEqual(server.peer.heard, "a\nb\nc\n")
        server.peer.send("A\n")
        yield* settle
        assert.strictEqual(server.peer.heard, "a\nb\nc\nd\n")
        server.peer.send("B\nC\nD\nE\n")
        yield* settle
        // The answer to the fifth came before its question.
        assert.deepStrictEqual(fibers.map(outcome).slice(0, 4), ["A", "B", "C", "D"])
        assert.isAtMost(network.writes.length, 3)
      })
    ))

  it.effect("need no fiber of the client's, whose answers are given in the event that brings them", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const server = yield* script
        const { fibers } = network
        const client = yield* Client.make(lines(2), memory, { callTimeout: "Infinity" })
        yield* settle
        assert.strictEqual(network.fibers, fibers)
        yield* start(["a", "b", "c"].map(client.call))
        yield* settle
        assert.strictEqual(network.fibers, fibers + 3)
        server.peer.send("A\nB\n")
        yield* settle
        assert.strictEqual(network.fibers, fibers + 1)
      })
    ))

  it.effect("leave in one write when they are made together", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(Text, memory)
        yield* settle
        let reads = 0
        const onData = server.peer.onData.bind(server.peer)
        server.peer.onData = (chunk) => {
          reads++
          onData(chunk)
        }
        yield* start(["a", "b", "c"].map(client.call))
        yield* settle
        assert.deepStrictEqual([server.heard, reads], [["a", "b", "c"], 1])
      })
    ))

  it.effect("wait in the order of their coming, also behind one whom an answer lets call again", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(1), memory)
        yield* start([
          Effect.andThen(client.call("first"), client.call("again")),
          client.call("second"),
          client.call("third")
        ])
        yield* settle
        for (let i = 1; i <= 4; i++) {
          server.peer.send(`${i}\n`)
          yield* settle
        }
        assert.deepStrictEqual(server.heard, ["first", "second", "third", "again"])
      })
    ))

  it.effect("wait in order also behind one whom an error of the codec lets call again", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(1), memory)
        yield* start([
          client.call("first"),
          Effect.andThen(Effect.ignore(client.call("b\nad")), client.call("again")),
          client.call("second")
        ])
        yield* settle
        for (let i = 1; i <= 3; i++) {
          server.peer.send(`${i}\n`)
          yield* settle
        }
        assert.deepStrictEqual(server.heard, ["first", "second", "again"])
      })
    ))

  it.effect("find the room that an answer makes", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(1), memory, { maxWaiting: 1 })
        const [again] = yield* start([
          Effect.andThen(client.call("first"), client.call("again")),
          client.call("second")
        ])
        for (let i = 1; i <= 3; i++) {
          yield* settle
          server.peer.send(`${i}\n`)
        }
        yield* settle
        assert.strictEqual(outcome(again!), "3")
      })
    ))

  it.effect("beyond maxWaiting fail at once, and were not sent", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(1), memory, { maxWaiting: 2 })
        const fibers = yield* start(["a", "b", "c", "d"].map(client.call))
        const full = error({ _tag: "OverLimit", limit: "maxWaiting", max: 2 }, "none")
        assert.deepStrictEqual(fibers.map(outcome), ["outstanding", "outstanding", "outstanding", full])
        yield* settle
        server.peer.send("A\n")
        yield* settle
        const [next, tooMany] = yield* start(["e", "f"].map(client.call))
        assert.deepStrictEqual([outcome(next!), outcome(tooMany!)], ["outstanding", full])
        server.peer.send("B\n")
        yield* settle
        server.peer.send("C\n")
        yield* settle
        assert.deepStrictEqual(server.heard, ["a", "b", "c", "e"])
      })
    ))

  it.effect("may not wait at all where maxWaiting is 0", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* script
        const client = yield* Client.make(lines(1), memory, { maxWaiting: 0 })
        const [one, two] = yield* start(["a", "b"].map(client.call))
        assert.deepStrictEqual([outcome(one!), outcome(two!)], [
          "outstanding",
          error({ _tag: "OverLimit", limit: "maxWaiting", max: 0 }, "none")
        ])
      })
    ))

  it.effect("that cannot be encoded fail alone", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(2), memory)
        const fibers = yield* start(["a", "b\nb", "c", "d\nd", "e"].map(client.call))
        yield* settle
        server.peer.send("A\nC\n")
        yield* settle
        server.peer.send("E\n")
        yield* settle
        const corrupt = error({
          _tag: "FrameCorrupt",
          message: "message would end at byte 1, where its terminator begins",
          recoverable: true
        }, "none")
        assert.deepStrictEqual(fibers.map(outcome), ["A", corrupt, "C", corrupt, "E"])
      })
    ))

  it.effect("larger than what anybody holds go both ways at once without a deadlock", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const big = "x".repeat(90_000)
        const server = yield* serveText((text) => Effect.succeed(text))
        const client = yield* Client.make(lines(64), server.endpoint)
        const fibers = yield* start(Array.from({ length: 64 }, (_, i) => client.call(`${i} ${big}`)))
        for (let i = 0; i < 200; i++) yield* settle
        for (const [i, fiber] of fibers.entries()) assert.strictEqual(outcome(fiber), `${i} ${big}`)
      })
    ))
})

describe("a call that is given up", () => {
  it.effect("after callTimeout keeps its turn: its late answer goes to nobody", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(1), memory, { callTimeout: 1_000 })
        const [first, second] = yield* start(["first", "second"].map(client.call))
        yield* pass(999)
        assert.deepStrictEqual([outcome(first!), outcome(second!)], ["outstanding", "outstanding"])
        yield* pass(1)
        const late = { _tag: "CallTimeout", limitMillis: 1_000 } as const
        assert.deepStrictEqual([outcome(first!), outcome(second!)], [error(late, "all"), error(late, "none")])
        assert.strictEqual(error(late, "all").message, "no response within 1000 ms (request sent: all)")
        const [third] = yield* start([client.call("third")])
        server.peer.send("FIRST\n")
        yield* settle
        assert.strictEqual(outcome(third!), "outstanding")
        server.peer.send("THIRD\n")
        yield* settle
        assert.strictEqual(outcome(third!), "THIRD")
        assert.deepStrictEqual(server.heard, ["first", "third"])
      })
    ))

  it.effect("because a slow peer took too long to read it was sent in part", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(2), memory, { callTimeout: 1_000 })
        yield* settle
        server.peer.raw.pause()
        const fibers = yield* start(["x".repeat(90_000), "behind"].map(client.call))
        yield* pass(1_000)
        const late = { _tag: "CallTimeout", limitMillis: 1_000 } as const
        assert.deepStrictEqual(fibers.map(outcome), [error(late, "partial"), error(late, "partial")])
      })
    ))

  it.effect("by nobody waits for ever where callTimeout is Infinity", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        yield* script
        const { timers } = network
        const client = yield* Client.make(Text, memory, { callTimeout: "Infinity" })
        const [call] = yield* start([client.call("a")])
        yield* pass(1_000_000_000, 500_000_000)
        assert.deepStrictEqual([outcome(call!), network.timers], ["outstanding", timers])
      })
    ))

  it.effect("has its full time, however busy the callers were whom the same answers woke", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const clock = yield* Clock.Clock
        let busyMillis = 0
        const client = yield* Client.make(lines(2), memory, { callTimeout: 1_000 }).pipe(
          Effect.provideService(Clock.Clock, {
            ...clock,
            monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe() + BigInt(busyMillis * 1_000_000)
          })
        )
        const busy = Effect.sync(() => {
          busyMillis += 600
        })
        const [first] = yield* start([
          Effect.andThen(Effect.andThen(client.call("a"), busy), client.call("b")),
          Effect.andThen(client.call("c"), busy)
        ])
        yield* settle
        server.peer.send("A\nC\n")
        yield* pass(999)
        assert.strictEqual(outcome(first!), "outstanding")
        yield* pass(1)
        assert.deepStrictEqual(outcome(first!), error({ _tag: "CallTimeout", limitMillis: 1_000 }, "all"))
      })
    ))

  it.effect("in time needs one timer for all", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(Text, memory)
        for (let i = 0; i < 50; i++) {
          const [call] = yield* start([client.call("a")])
          yield* settle
          server.peer.send("A\n")
          yield* pass(10, 10)
          assert.strictEqual(outcome(call!), "A")
        }
        assert.strictEqual(network.timers, 1)
        // It runs off once, 30 s after the first call, and finds that nobody needs it.
        yield* pass(29_499, 29_499)
        assert.strictEqual(network.timers, 1)
        yield* pass(1)
        assert.strictEqual(network.timers, 0)
      })
    ))
})

describe("failures of the protocol", () => {
  const Refused = Schema.TaggedStruct("Refused", { why: Schema.String })
  const Answer = Schema.TaggedStruct("Answer", { text: Schema.String })
  const frames = Framing.lines({ maxFrameBytes: 1024, ending: "lf", unterminated: "reject" })
  const Work = Protocol.make("work", {
    request: line,
    response: Codec.json(frames, Schema.Union([Answer, Refused])),
    failure: Refused
  })

  it.effect("are errors of the call, and the connection lives", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* Server.make(
          Work,
          memory,
          (text) => text === "no" ? Effect.fail(Refused.make({ why: text })) : Effect.succeed(Answer.make({ text }))
        )
        const client = yield* Client.make(Work, server.endpoint)
        const refused = yield* Effect.flip(client.call("no"))
        assert.deepStrictEqual(refused, Refused.make({ why: "no" }))
        const answer = yield* client.call("yes")
        assert.strictEqual(answer.text, "yes")
      })
    ))

  it.effect("that cannot be told from answers are a defect of that call alone", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const bug = new Error("no")
        const isFailure = (value: unknown): value is never => {
          if (value === "NO") throw bug
          return false
        }
        const server = yield* script
        const client = yield* Client.make({ ...lines(3), isFailure }, memory)
        const fibers = yield* start(["a", "no", "b"].map(client.call))
        yield* settle
        server.peer.send("A\nNO\nB\n")
        yield* settle
        assert.deepStrictEqual(fibers.map((fiber) => fiber.pollUnsafe()), [
          Exit.succeed("A"),
          Exit.die(bug),
          Exit.succeed("B")
        ])
      })
    ))

  it.effect.each(["before", "with", "long before"] as const)(
    "may be the goodbye of a full server that comes %s the first call",
    (when) =>
      inWorld(() =>
        Effect.gen(function*() {
          const Full = { ...Work, goodbye: { overLimit: Refused.make({ why: "full" }) } }
          const server = yield* Server.make(Full, memory, (text) => Effect.succeed(Answer.make({ text })), {
            maxConnections: 1
          })
          yield* Client.make(Full, server.endpoint)
          const second = yield* Client.make(Full, server.endpoint)
          if (when === "before") yield* Effect.yieldNow
          if (when === "long before") yield* pass(10_000, 1_000)
          assert.deepStrictEqual(yield* Effect.flip(second.call("hello")), Refused.make({ why: "full" }))
          yield* settle
          assert.deepStrictEqual(yield* Effect.flip(second.call("hello?")), error({ _tag: "PeerClosed" }, "none"))
        })
      )
  )
})
