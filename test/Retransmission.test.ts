import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Exit, Fiber, Result, Schema, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Codec, Connection, Framing, MemoryTransport, Retransmission, type Transport } from "../src/index.ts"
import { codec, type Fate, fates, pair } from "./support/lossyLink.ts"
import { passing, settle, until } from "./support/network.ts"

const fate = Arbitrary.schema(Schema.Literals(fates))
const manyFates = Arbitrary.array(fate, { maxLength: 60 })

/** A world with a network in memory; its end takes virtual time too. */
const inMemory = <A, E>(test: Effect.Effect<A, E, Transport.Transport | Scope.Scope>): Effect.Effect<A, E> =>
  passing(Effect.scoped(test)).pipe(Effect.provide(MemoryTransport.layer))

const texts = (count: number): Array<string> => Array.from({ length: count }, (_, n) => `message ${n}`)

/** Collects what the receiving end handles. */
const collect = Effect.fnUntraced(
  function*(link: Retransmission.Link<string>, options?: Retransmission.ReceiveOptions) {
    const handled: Array<string> = []
    const fiber = yield* Effect.forkScoped(
      Retransmission.receive(link, (text) => Effect.sync(() => void handled.push(text)), options)
    )
    return { handled, fiber }
  }
)

describe("on a link that spoils, cuts, loses and repeats frames both ways", () => {
  it.effect.prop(
    "each message is handled exactly once, in order, whatever the window",
    {
      there: manyFates,
      back: manyFates,
      count: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 40 }))),
      window: Arbitrary.schema(Schema.Literals([1, 2, 3, 16, 128]))
    },
    ({ back, count, there, window }) =>
      inMemory(Effect.gen(function*() {
        const [from, to] = yield* pair(codec(there), codec(back))
        const { handled } = yield* collect(to)
        const sender = yield* Retransmission.makeSender(from, { window, maxAttempts: 200 })
        const acknowledged: Array<string> = []
        yield* Effect.forEach(
          texts(count),
          (text) => Effect.map(sender.send(text), () => acknowledged.push(text)),
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(handled, texts(count))
        assert.deepStrictEqual(acknowledged, texts(count))
      })),
    { arbitrary: { runs: 300 }, timeout: 60_000 }
  )

  it.effect.prop(
    "numbers begin again after 255",
    { there: manyFates, back: manyFates, window: Arbitrary.schema(Schema.Literals([1, 7, 128])) },
    ({ back, there, window }) =>
      inMemory(Effect.gen(function*() {
        // The fates come when the numbers are about to begin again.
        const good = Array.from({ length: 230 }, (): Fate => "arrive")
        const [from, to] = yield* pair(codec([...good, ...there]), codec([...good, ...back]))
        const { handled } = yield* collect(to)
        const sender = yield* Retransmission.makeSender(from, { window, maxAttempts: 200 })
        yield* Effect.forEach(texts(600), sender.send, { concurrency: "unbounded" })
        assert.deepStrictEqual(handled, texts(600))
      })),
    { arbitrary: { runs: 30 }, timeout: 60_000 }
  )

  it.effect.prop(
    "and at most once, in order, when the link goes dead: what was acknowledged was handled",
    {
      there: manyFates,
      back: manyFates,
      dead: Arbitrary.schema(Schema.Literals(["lose", "spoil", "cut"])),
      window: Arbitrary.schema(Schema.Literals([1, 2, 16]))
    },
    ({ back, dead, there, window }) =>
      inMemory(Effect.gen(function*() {
        const [from, to] = yield* pair(codec(there, dead), codec(back))
        const { handled } = yield* collect(to)
        const sender = yield* Retransmission.makeSender(from, { window, maxAttempts: 3 })
        const sent = yield* Effect.forEach(
          texts(100),
          (text) => Effect.exit(sender.send(text)),
          { concurrency: "unbounded" }
        )
        const good = sent.filter(Exit.isSuccess).length
        assert.deepStrictEqual(handled, texts(100).slice(0, handled.length))
        assert.isAtMost(good, handled.length)
        assert.isTrue(sent.slice(0, good).every(Exit.isSuccess))
        assert.isBelow(good, 100)
      })),
    { arbitrary: { runs: 100 }, timeout: 60_000 }
  )
})

/** One end under test, and at the other the bare frames. */
const bare = (fates: ReadonlyArray<Fate> = []) => pair(codec(fates), codec([]))

const data = (seq: number, payload: string): Retransmission.Frame<string> => ({ _tag: "Data", seq, payload })

const hear = Effect.fnUntraced(function*(link: Retransmission.Link<string>) {
  const heard: Array<string> = []
  yield* Effect.forkScoped(Connection.forEachBatch(link, (batch) =>
    Effect.sync(() => {
      for (const item of batch) {
        heard.push(
          Result.isFailure(item)
            ? "spoilt"
            : item.success._tag === "Data"
            ? `${item.success.seq} ${item.success.payload}`
            : `${item.success._tag} ${item.success.seq}`
        )
      }
    })))
  return heard
})

/** Time passes only where the test says so, and at the end, where connections linger. */
const quiet = <A, E>(test: Effect.Effect<A, E, Transport.Transport | Scope.Scope>): Effect.Effect<A, E> =>
  Effect.gen(function*() {
    const scope = yield* Scope.make()
    return yield* test.pipe(Scope.provide(scope), Effect.onExit((exit) => passing(Scope.close(scope, exit))))
  }).pipe(Effect.provide(MemoryTransport.layer))

describe("the sender", () => {
  it.effect("sends no more than the window, and the rest as answers come", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const heard = yield* hear(to)
      const sender = yield* Retransmission.makeSender(from, { window: 2 })
      const all = yield* Effect.forkScoped(Effect.forEach(texts(4), sender.send, { concurrency: "unbounded" }))
      yield* until("the first two", () => heard.length > 1)
      yield* settle
      assert.deepStrictEqual(heard, ["0 message 0", "1 message 1"])
      yield* to.write([{ _tag: "Ack", seq: 1 }])
      yield* until("the third", () => heard.length > 2)
      yield* settle
      assert.deepStrictEqual(heard.slice(2), ["2 message 2"])
      yield* to.write([{ _tag: "Ack", seq: 4 }, { _tag: "Ack", seq: 3 }, { _tag: "Ack", seq: 200 }])
      yield* until("the fourth", () => heard.length > 3)
      yield* settle
      assert.deepStrictEqual(heard.slice(3), ["3 message 3"])
      assert.isUndefined(all.pollUnsafe())
      yield* to.write([{ _tag: "Ack", seq: 4 }])
      assert.deepStrictEqual(yield* Fiber.join(all), texts(4).map(() => ({ again: [] })))
    }).pipe(quiet))

  it.effect("goes back to the refused message, once for all the NAKs that one spoilt frame causes", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const heard = yield* hear(to)
      const sender = yield* Retransmission.makeSender(from)
      const all = yield* Effect.forkScoped(Effect.forEach(texts(3), sender.send, { concurrency: "unbounded" }))
      yield* until("all three", () => heard.length === 3)
      yield* to.write([{ _tag: "Ack", seq: 1 }, { _tag: "Nak", seq: 1 }])
      yield* until("two of them again", () => heard.length === 5)
      yield* to.write([{ _tag: "Nak", seq: 1 }])
      yield* settle
      assert.deepStrictEqual(heard.slice(3), ["1 message 1", "2 message 2"])
      yield* to.write([{ _tag: "Nak", seq: 1 }])
      yield* until("and again", () => heard.length === 7)
      yield* to.write([{ _tag: "Ack", seq: 3 }])
      assert.deepStrictEqual(yield* Fiber.join(all), [
        { again: [] },
        { again: ["Nak", "Nak"] },
        { again: ["Nak", "Nak"] }
      ])
    }).pipe(quiet))

  it.effect("sends again when no answer comes in time, and gives up after so many attempts", () =>
    Effect.gen(function*() {
      const [from, to] = yield* pair(codec([]), codec([]))
      const heard = yield* hear(to)
      const sender = yield* Retransmission.makeSender(from, { maxAttempts: 3, timeout: "2 seconds" })
      const one = yield* Effect.forkScoped(Effect.flip(sender.send("hello")))
      yield* until("the first", () => heard.length === 1)
      yield* TestClock.adjust(1999)
      yield* settle
      assert.strictEqual(heard.length, 1)
      yield* TestClock.adjust(1)
      yield* until("the second", () => heard.length === 2)
      yield* TestClock.adjust(2000)
      yield* until("the third", () => heard.length === 3)
      yield* TestClock.adjust(2000)
      const { message, reason } = yield* Fiber.join(one)
      assert.deepStrictEqual(reason, { _tag: "GaveUp", attempts: 3, last: "TimedOut" })
      assert.strictEqual(message, "not acknowledged after 3 attempts: nobody answered the last one in time")
      assert.deepStrictEqual((yield* Effect.flip(sender.send("later"))).reason, reason)
      assert.deepStrictEqual(heard, ["0 hello", "0 hello", "0 hello"])
    }).pipe(quiet))

  it.effect("gives up on a message that is refused each time", () =>
    Effect.gen(function*() {
      const [from, to] = yield* pair(codec([], "spoil"), codec([]))
      yield* collect(to)
      const sender = yield* Retransmission.makeSender(from, { maxAttempts: 4 })
      const { message, reason } = yield* Effect.flip(sender.send("hello"))
      assert.deepStrictEqual(reason, { _tag: "GaveUp", attempts: 4, last: "Nak" })
      assert.strictEqual(message, "not acknowledged after 4 attempts: the last one was refused")
    }).pipe(quiet))

  it.effect("fails with the end of the connection", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const sender = yield* Retransmission.makeSender(from)
      const one = yield* Effect.forkScoped(Effect.flip(sender.send("hello")))
      yield* to.finish
      assert.deepStrictEqual((yield* Fiber.join(one)).reason, { _tag: "PeerClosed" })
    }).pipe(quiet))

  it.effect("fails with data from the other end", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const sender = yield* Retransmission.makeSender(from)
      const one = yield* Effect.forkScoped(Effect.flip(sender.send("hello")))
      yield* to.write([data(0, "x")])
      const { reason } = yield* Fiber.join(one)
      assert.deepStrictEqual(reason, { _tag: "ProtocolViolation", message: "data for a sender" })
    }).pipe(quiet))

  it.effect("fails with a message that the codec cannot write", () =>
    Effect.gen(function*() {
      const [from] = yield* bare()
      const sender = yield* Retransmission.makeSender(from)
      const { message } = yield* Effect.flip(sender.send("x".repeat(2000)))
      assert.strictEqual(message, "outbound frame of 2006 bytes exceeds the limit of 1000 bytes")
    }).pipe(quiet))

  it.effect("fails with the end of its scope", () =>
    Effect.gen(function*() {
      const [from] = yield* bare()
      const scope = yield* Scope.make()
      const sender = yield* Scope.provide(Retransmission.makeSender(from), scope)
      const one = yield* Effect.forkScoped(Effect.flip(sender.send("hello")), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.deepStrictEqual((yield* Fiber.join(one)).reason, { _tag: "Closed" })
      assert.deepStrictEqual((yield* Effect.flip(sender.send("late"))).reason, { _tag: "Closed" })
    }).pipe(quiet))

  it.effect("takes back a message that was interrupted before it was sent, and no other", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const heard = yield* hear(to)
      const sender = yield* Retransmission.makeSender(from, { window: 1 })
      const fibers = yield* Effect.forEach(
        texts(3),
        (text) => Effect.forkChild(sender.send(text), { startImmediately: true })
      )
      yield* until("the first", () => heard.length === 1)
      yield* Fiber.interruptAll(fibers.slice(0, 2))
      yield* to.write([{ _tag: "Ack", seq: 1 }])
      yield* until("the third", () => heard.length === 2)
      yield* to.write([{ _tag: "Ack", seq: 2 }])
      yield* Fiber.join(fibers[2]!)
      assert.deepStrictEqual(heard, ["0 message 0", "1 message 2"])
    }).pipe(quiet))

  it.effect.each(
    [
      [{ window: 0 }, "window must be an integer from 1 to 128, got 0"],
      [{ window: 129 }, "window must be an integer from 1 to 128, got 129"],
      [{ maxAttempts: 0 }, "maxAttempts must be an integer from 1, got 0"],
      [{ timeout: 0 }, "timeout must be a finite time longer than 0, got 0"],
      [{ timeout: "Infinity" }, "timeout must be a finite time longer than 0, got \"Infinity\""]
    ] as const
  )("refuses %j", ([options, message]) =>
    Effect.gen(function*() {
      const [from] = yield* bare()
      assert.strictEqual((yield* Effect.flip(Retransmission.makeSender(from, options))).message, message)
    }).pipe(quiet))
})

describe("the receiver", () => {
  it.effect("answers every frame: good, spoilt, too early, repeated", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare(["arrive", "arrive", "spoil"])
      const naks: Array<unknown> = []
      const { handled } = yield* collect(to, { onNak: (why) => naks.push(typeof why === "number" ? why : why.message) })
      const heard = yield* hear(from)
      yield* from.write([
        data(0, "a"),
        data(0, "a"),
        data(1, "b"),
        data(5, "f"),
        data(1, "b"),
        data(129, "?"),
        data(130, "?")
      ])
      yield* until("all answers", () => heard.length === 7)
      assert.deepStrictEqual(heard, ["Ack 1", "Ack 1", "Nak 1", "Nak 1", "Ack 2", "Nak 2", "Ack 2"])
      assert.deepStrictEqual({ handled, naks }, { handled: ["a", "b"], naks: ["bad CRC", 5, 129] })
    }).pipe(quiet))

  it.effect("acknowledges what was handled, not what only came", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const heard = yield* hear(from)
      const receiving = yield* Effect.forkScoped(
        Effect.flip(Retransmission.receive(to, (text) => text === "b" ? Effect.fail("full") : Effect.void))
      )
      yield* from.write([data(0, "a"), data(1, "b"), data(2, "c")])
      assert.strictEqual(yield* Fiber.join(receiving), "full")
      yield* settle
      assert.deepStrictEqual(heard, ["Ack 1"])
    }).pipe(quiet))

  it.effect("answers before the next message where one takes its time", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const heard = yield* hear(from)
      yield* Effect.forkScoped(Retransmission.receive(to, () => Effect.sleep(20)))
      yield* from.write([data(0, "a"), data(1, "b")])
      yield* settle
      yield* TestClock.adjust(20)
      yield* until("the first answer", () => heard.length === 1)
      yield* TestClock.adjust(20)
      yield* until("the second", () => heard.length === 2)
      assert.deepStrictEqual(heard, ["Ack 1", "Ack 2"])
    }).pipe(quiet))

  it.effect("ends with the sender", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const { fiber } = yield* collect(to)
      yield* from.finish
      yield* Fiber.join(fiber)
    }).pipe(quiet))

  it.effect("does not take answers", () =>
    Effect.gen(function*() {
      const [from, to] = yield* bare()
      const { fiber } = yield* collect(to)
      yield* from.write([{ _tag: "Ack", seq: 0 }])
      const error = yield* Effect.flip(Fiber.join(fiber))
      assert.deepStrictEqual(error.reason, { _tag: "ProtocolViolation", message: "an answer for a receiver" })
    }).pipe(quiet))
})

describe("the frames", () => {
  const framing = Framing.lengthPrefixed({ maxFrameBytes: 100, widthBytes: 1 })
  const text = Retransmission.text(framing)

  it("are a kind, a number and the payload", () => {
    const wire = Codec.encodeAll(text, [data(7, "hé"), { _tag: "Ack", seq: 8 }, { _tag: "Nak", seq: 255 }])
    assert.deepStrictEqual(Array.from(Result.getOrThrow(wire)), [5, 0, 7, 104, 195, 169, 2, 1, 8, 2, 2, 255])
    assert.deepStrictEqual(Codec.decodeAll(text, Result.getOrThrow(wire)), {
      messages: [data(7, "hé"), { _tag: "Ack", seq: 8 } as const, { _tag: "Nak", seq: 255 } as const].map(
        (frame) => Result.succeed(frame)
      ),
      error: undefined
    })
  })

  it("of no known kind, too short or not of text are spoilt ones", () => {
    const { error, messages } = Codec.decodeAll(text, Uint8Array.of(0, 1, 0, 2, 3, 0, 3, 0, 0, 255))
    assert.isUndefined(error)
    assert.deepStrictEqual(messages.map((item) => Result.isFailure(item) ? item.failure.message : "good"), [
      "neither data nor ACK nor NAK",
      "neither data nor ACK nor NAK",
      "neither data nor ACK nor NAK",
      "1 bytes are not valid UTF-8"
    ])
  })
})
