/** Each deadline ends a connection at its time, for its reason, and nobody else. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Random, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { CloseReason, Deadline, Server } from "../src/index.ts"
import {
  assertNothingLeft,
  dial,
  inWorld,
  pass,
  serveConnection,
  serveText,
  settle,
  type Told
} from "./support/network.ts"
import { int } from "./support/proxyArbitrary.ts"

const echo = (text: string) => Effect.succeed(text)

/** No deadline at all. */
const unbounded: Deadline.Options = {
  handshake: "unbounded",
  firstFrame: "unbounded",
  idle: "unbounded",
  frame: "unbounded",
  minRate: "unbounded",
  write: "unbounded",
  lifetime: "unbounded",
  request: "unbounded"
}

const only = (deadlines: Deadline.Options): Server.Options => ({ deadlines: { ...unbounded, ...deadlines }, linger: 0 })

/** Checks that the one connection lives for so long from here, to the millisecond, and why it ends. */
const endsAfter = Effect.fnUntraced(function*(told: Told, millis: number, reason: CloseReason.CloseReason) {
  yield* pass(millis - 1, millis - 1)
  assert.deepStrictEqual(told.ends, [], "before its time")
  yield* pass(1)
  assert.deepStrictEqual(told.of("Ended").map((event) => event.reason), [reason])
})

const livesFor = Effect.fnUntraced(function*(told: Told, millis: number) {
  yield* pass(millis, millis)
  assert.deepStrictEqual(told.ends, [])
})

describe("the first frame", () => {
  const limit = only({ firstFrame: 5_000 })

  it.effect("must come: IdleTimeout where nothing came", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { stats, told } = yield* serveText(echo, limit)
        yield* dial
        yield* endsAfter(told, 5_000, { _tag: "IdleTimeout", limitMillis: 5_000 })
        assert.deepStrictEqual((yield* stats).endedBy, { IdleTimeout: 1 })
      })
    ))

  it.effect("must come whole: FrameTimeout where a part of it came", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, limit)
        const client = yield* dial
        yield* livesFor(told, 4_000)
        client.send("a")
        yield* endsAfter(told, 1_000, { _tag: "FrameTimeout", limitMillis: 5_000 })
      })
    ))

  it.effect("is enough, whatever comes later", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, limit)
        const client = yield* dial
        yield* livesFor(told, 4_999)
        client.send("a\n")
        yield* livesFor(told, 60_000)
      })
    ))

  it.effect("is not asked of a peer that nobody listens to, until somebody does", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(
          (connection) => Effect.andThen(Effect.sleep(60_000), connection.pull),
          limit
        )
        yield* dial
        yield* livesFor(told, 60_000)
        yield* endsAfter(told, 5_000, { _tag: "IdleTimeout", limitMillis: 5_000 })
      })
    ))

  it.effect("has a minute where nothing is set", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, { linger: 0 })
        yield* dial
        yield* endsAfter(told, 60_000, { _tag: "IdleTimeout", limitMillis: 60_000 })
      })
    ))
})

describe("idle", () => {
  const limit = only({ idle: 10_000 })
  const reason: CloseReason.CloseReason = { _tag: "IdleTimeout", limitMillis: 10_000 }

  it.effect("counts from the last byte that came", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, limit)
        const client = yield* dial
        for (let i = 0; i < 3; i++) {
          yield* livesFor(told, 9_999)
          client.send("a")
          yield* settle
        }
        yield* endsAfter(told, 10_000, reason)
      })
    ))

  it.effect("counts from the last byte that left", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(
          (connection) =>
            Effect.andThen(
              Effect.forkChild(Effect.repeat(
                Effect.andThen(Effect.sleep(9_999), connection.write(["tick"])),
                { times: 2 }
              )),
              connection.pull
            ),
          limit
        )
        yield* dial
        yield* livesFor(told, 9_999)
        yield* livesFor(told, 9_999)
        yield* livesFor(told, 9_999)
        yield* endsAfter(told, 10_000, reason)
      })
    ))

  it.effect("does not count while a handler runs", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText((text) => Effect.as(Effect.sleep(33_333), text), limit)
        const client = yield* dial
        client.send("a\n")
        yield* livesFor(told, 33_333)
        assert.strictEqual(client.heard, "a\n")
        yield* endsAfter(told, 10_000, reason)
      })
    ))

  it.effect("counts from when the handler begins to wait, if that is later", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(
          (connection) => Effect.andThen(connection.pull, Effect.andThen(Effect.sleep(15_000), connection.pull)),
          limit
        )
        const client = yield* dial
        client.send("a\n")
        yield* livesFor(told, 15_000)
        yield* endsAfter(told, 10_000, reason)
      })
    ))

  it.effect("is an error of pull, which the handler may clean up after", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const seen: Array<CloseReason.CloseReason> = []
        const { told } = yield* serveConnection(
          (connection) =>
            Effect.catchTag(connection.pull, "ConnectionError", (error) => {
              seen.push(error.reason)
              return Effect.sleep(500)
            }),
          limit
        )
        yield* dial
        yield* pass(10_400, 10_400)
        assert.deepStrictEqual(seen, [reason])
        assert.deepStrictEqual(told.ends, [])
        yield* pass(100)
        assert.deepStrictEqual(told.of("Ended").map((event) => event.reason), [reason])
      })
    ))
})

describe("a frame", () => {
  const limit = only({ frame: 10_000 })
  const reason: CloseReason.CloseReason = { _tag: "FrameTimeout", limitMillis: 10_000 }

  it.effect("that comes byte by byte is not complete in time", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, limit)
        const client = yield* dial
        yield* livesFor(told, 777)
        for (let i = 0; i < 10; i++) {
          client.send("a")
          if (i < 9) yield* livesFor(told, 1_000)
        }
        yield* endsAfter(told, 1_000, reason)
      })
    ))

  it.effect("counts from its own first byte, in whichever chunk that came", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, limit)
        const client = yield* dial
        client.send("a")
        for (let i = 0; i < 5; i++) {
          yield* livesFor(told, 9_999)
          client.send("b\nc")
          yield* settle
        }
        yield* endsAfter(told, 10_000, reason)
      })
    ))

  it.effect("does not count while this side reads nothing", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText((text) => Effect.as(Effect.sleep(15_000), text), limit)
        const client = yield* dial
        client.send("a\n")
        yield* settle
        client.send("b\nc") // held back: the first is not answered
        yield* livesFor(told, 14_000)
        client.send("c\n")
        yield* livesFor(told, 31_000)
        assert.strictEqual(client.heard, "a\nb\ncc\n")
      })
    ))

  it.effect("starts again when this side reads again", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText((text) => Effect.as(Effect.sleep(15_000), text), limit)
        const client = yield* dial
        client.send("a\n")
        yield* settle
        client.send("b\nc")
        yield* livesFor(told, 15_000)
        yield* livesFor(told, 15_000)
        assert.strictEqual(client.heard, "a\nb\n")
        yield* endsAfter(told, 10_000, reason)
      })
    ))
})

describe("the rate of a frame", () => {
  const limit = only({ minRate: { bytesPerSecond: 2, grace: 5_000 } })

  it.effect("is asked after the grace", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, limit)
        const client = yield* dial
        for (let i = 0; i < 4; i++) {
          client.send("a")
          yield* livesFor(told, 1_000)
        }
        client.send("a")
        yield* endsAfter(told, 1_000, { _tag: "TooSlow", bytesPerSecond: 1, minimumBytesPerSecond: 2 })
      })
    ))

  it.effect("is that of the whole frame: what came before the pause counts", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, limit)
        const client = yield* dial
        client.send("a".repeat(20))
        yield* endsAfter(told, 10_000, { _tag: "TooSlow", bytesPerSecond: 2, minimumBytesPerSecond: 2 })
      })
    ))

  it.effect("is not asked between frames", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, limit)
        const client = yield* dial
        for (let i = 0; i < 20; i++) {
          client.send("\n")
          yield* livesFor(told, 1_000)
        }
        yield* livesFor(told, 60_000)
      })
    ))
})

describe("a peer that does not read", () => {
  const limit = only({ write: 8_000 })
  const much = "x".repeat(60_000)
  const reason: CloseReason.CloseReason = { _tag: "WriteStalled", limitMillis: 8_000 }

  it.effect("ends the connection when nothing has left for so long", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { told } = yield* serveText(() => Effect.succeed(much), limit)
        const client = yield* dial
        client.raw.pause()
        yield* livesFor(told, 1_234)
        client.send("a\n".repeat(5))
        yield* endsAfter(told, 8_000, reason)
        assert.strictEqual(network.open.size, 0)
      })
    ))

  it.effect("does not, if it reads a little in that time", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection((connection) => connection.write(Array(8).fill(much)), limit)
        const client = yield* dial
        client.raw.pause()
        const total = 8 * (much.length + 1)
        for (let heard = 0; heard < total; heard = client.heardBytes) {
          yield* livesFor(told, 7_000)
          client.raw.resume()
          while (client.heardBytes === heard) yield* Effect.promise(() => new Promise((go) => setImmediate(go)))
          client.raw.pause()
        }
        yield* pass(100)
        assert.strictEqual(client.heardBytes, total)
      })
    ))
})

describe("the handler of a request", () => {
  const limit = only({ request: 3_000 })
  const reason: CloseReason.CloseReason = { _tag: "RequestTimeout", limitMillis: 3_000 }

  it.effect("is interrupted when its time is over; what was answered before leaves", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { fibers } = network
        let interrupted = 0
        const { told } = yield* serveText(
          (text) =>
            text === "quick"
              ? Effect.succeed(text)
              : Effect.onInterrupt(Effect.never, () => Effect.sync(() => void interrupted++)),
          limit
        )
        const client = yield* dial
        client.send("quick\nslow\nquick\n")
        yield* endsAfter(told, 3_000, reason)
        assert.deepStrictEqual({ heard: client.heard, interrupted }, { heard: "quick\n", interrupted: 1 })
        yield* pass(10)
        assert.isAtMost(network.fibers, fibers + 1) // that of the deadlines
      })
    ))

  it.effect("has its time for itself, whatever those before it took", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText((text) => Effect.as(Effect.sleep(2_999), text), limit)
        const client = yield* dial
        client.send("a\nb\nc\n")
        yield* livesFor(told, 2_999)
        yield* livesFor(told, 2_999)
        yield* livesFor(told, 2_999)
        assert.strictEqual(client.heard, "a\nb\nc\n")
        yield* livesFor(told, 60_000)
      })
    ))

  it.effect("is interrupted, too, when its peer has long gone, which is why it ended", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(() => Effect.never, limit)
        const client = yield* dial
        client.send("a\n")
        yield* settle
        client.raw.reset()
        yield* endsAfter(told, 3_000, { _tag: "PeerReset", code: "ECONNRESET" })
      })
    ))

  it.effect("has its time from when the limit was set, if it ran already", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { setLimits, told } = yield* serveText((text) => Effect.as(Effect.sleep(Number(text)), text), only({}))
        const client = yield* dial
        client.send("2000\n60000\n")
        yield* livesFor(told, 10_000)
        yield* setLimits({ deadlines: { request: 3_000 } })
        yield* endsAfter(told, 3_000, reason)
      })
    ))

  it.effect("gives the peer one linger, from the moment it was due, however long the handler takes to stop", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const handle = () => Effect.onInterrupt(Effect.never, () => Effect.sleep(300))
        const { told } = yield* serveText(handle, { ...limit, linger: 500 })
        const client = yield* dial
        client.send("a\n")
        yield* pass(3_499, 3_499)
        assert.deepStrictEqual([network.open.size, told.ends], [1, []])
        yield* pass(1)
        assert.deepStrictEqual([network.open.size, told.of("Ended").map((event) => event.reason)], [0, [reason]])
      })
    ))

  it.effect("keeps its place while it cannot be interrupted, and the socket is gone", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { stats, told } = yield* serveText(
          (text) => Effect.as(Effect.uninterruptible(Effect.sleep(10_000)), text),
          { ...limit, linger: 500 }
        )
        const client = yield* dial
        client.send("a\n")
        yield* pass(3_500, 3_500)
        assert.deepStrictEqual([network.open.size, (yield* stats).open], [0, 1])
        yield* pass(6_500, 6_500)
        assert.deepStrictEqual(told.of("Ended").map((event) => event.reason), [reason])
      })
    ))
})

describe("a lifetime", () => {
  const lifetime = { lifetime: 10_000, lifetimeJitter: 0, lifetimeGrace: 2_000 } as const
  const reason: CloseReason.CloseReason = { _tag: "LifetimeReached", limitMillis: 10_000 }

  it.effect("ends a quiet connection at once", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, only(lifetime))
        const client = yield* dial
        client.send("a\n")
        yield* endsAfter(told, 10_000, reason)
      })
    ))

  it.effect("lets the request and the frame in flight come to their end", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText((text) => Effect.as(Effect.sleep(600), text), only(lifetime))
        const client = yield* dial
        yield* livesFor(told, 9_700)
        client.send("a\nb")
        yield* livesFor(told, 1_000)
        client.send("b\n")
        yield* pass(700)
        assert.strictEqual(client.heard, "a\nbb\n")
        assert.deepStrictEqual(told.of("Ended").map((event) => event.reason), [reason])
      })
    ))

  it.effect("interrupts the handler when the grace is over", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(() => Effect.never, only(lifetime))
        yield* dial
        yield* endsAfter(told, 12_000, reason)
      })
    ))

  it.effect("tells a handler that asks", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(
          (connection) => Effect.andThen(connection.awaitDrain, connection.write(["bye"])),
          only(lifetime)
        )
        const client = yield* dial
        yield* endsAfter(told, 10_000, { _tag: "LifetimeReached", limitMillis: 10_000 })
        assert.strictEqual(client.heard, "bye\n")
      })
    ))

  const ends = (seed: string) =>
    Effect.gen(function*() {
      const { told } = yield* serveText(echo, only({ ...lifetime, lifetimeJitter: 0.5 }))
      for (let i = 0; i < 10; i++) yield* dial
      const times: Array<number> = []
      for (let at = 0; at < 10_000; at += 100) {
        const before = told.ends.length
        yield* TestClock.adjust(100)
        yield* settle
        for (let i = before; i < told.ends.length; i++) times.push(at)
      }
      return times
    }).pipe((test) => inWorld(() => test), Random.withSeed(seed))

  it.effect("is shortened by a random part, the same for the same seed", () =>
    Effect.gen(function*() {
      const times = yield* ends("one")
      assert.strictEqual(times.length, 10)
      assert.isAtLeast(Math.min(...times), 4_900)
      assert.isAbove(new Set(times).size, 3)
      assert.deepStrictEqual(yield* ends("one"), times)
      assert.notDeepEqual(yield* ends("two"), times)
    }))
})

describe("all deadlines", () => {
  it.effect("can be unbounded, and then nothing ends by itself", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { timers } = network
        const { told } = yield* serveText(() => Effect.never, only({}))
        const silent = yield* dial
        const partial = yield* dial
        const busy = yield* dial
        partial.send("a")
        busy.send("a\n")
        yield* livesFor(told, 3_000_000_000)
        assert.strictEqual(network.timers, timers)
        silent.leave()
      })
    ))

  it.effect("have one timer for all connections, and no fiber of theirs", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { fibers, timers } = network
        const { told } = yield* serveText(echo, { linger: 0 })
        for (let i = 0; i < 50; i++) {
          const client = yield* dial
          client.send("a\nb")
          yield* pass(10)
        }
        assert.deepStrictEqual([network.timers - timers, network.fibers - fibers], [1, 1])
        yield* pass(60_000, 10)
        assert.strictEqual(told.ends.length, 50)
      })
    ))

  it.effect("leave nothing behind", () =>
    Effect.gen(function*() {
      let world: Parameters<typeof assertNothingLeft>[0] | undefined
      yield* inWorld(({ network }) =>
        Effect.gen(function*() {
          world = network
          yield* serveText(echo, { linger: 0 })
          for (let i = 0; i < 5; i++) yield* dial
          yield* pass(100)
        })
      )
      if (world !== undefined) assertNothingLeft(world, 0)
    }))

  it.effect("can be changed, and then hold for those that are open, too", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { setLimits, told } = yield* serveText(echo, only({ idle: 60_000 }))
        const client = yield* dial
        client.send("a\n")
        yield* livesFor(told, 30_000)
        yield* setLimits({ deadlines: { idle: 40_000 } })
        yield* livesFor(told, 9_999)
        yield* setLimits({ deadlines: { idle: 50_000 } })
        yield* livesFor(told, 9_000)
        yield* setLimits({ deadlines: { idle: 1_000 } })
        yield* settle
        assert.deepStrictEqual(told.ends, ["nothing arrived for 1000 ms"])
      })
    ))

  it.effect("that contradict each other are refused by both names", () =>
    Effect.gen(function*() {
      const refused = (deadlines: Deadline.Options) =>
        inWorld(() => Effect.map(Effect.flip(serveText(echo, { deadlines })), ({ message }) => message))
      const contradictions: ReadonlyArray<Deadline.Options> = [
        { frame: 10_000, lifetime: 9_000 },
        { idle: 10_000, lifetime: 9_000 },
        { firstFrame: 10_000, lifetime: 9_000 },
        { frame: 5_000, minRate: { bytesPerSecond: 1, grace: 5_000 } },
        { frame: "8 days" },
        { write: 0 },
        { lifetimeJitter: 1.5 },
        { minRate: { bytesPerSecond: 0, grace: 1 } }
      ]
      assert.deepStrictEqual(
        yield* Effect.forEach(contradictions, refused),
        [
          "deadlines.frame must be at most deadlines.lifetime, which is 9000 ms, got 10000",
          "deadlines.idle must be at most deadlines.lifetime, which is 9000 ms, got 10000",
          "deadlines.firstFrame must be at most deadlines.lifetime, which is 9000 ms, got 10000",
          "deadlines.minRate.grace must be shorter than deadlines.frame, which is 5000 ms, got 5000",
          `deadlines.frame must be at most deadlines.lifetime, which is 604800000 ms, got "8 days"`,
          `deadlines.write must be a finite time, longer than 0, or "unbounded", got 0`,
          "deadlines.lifetimeJitter must be a number from 0 to 1, got 1.5",
          "deadlines.minRate.bytesPerSecond must be a positive integer, got 0"
        ]
      )
      // A default gives way.
      yield* inWorld(() => serveText(echo, { deadlines: { lifetime: 1_000 } }))
      yield* inWorld(() => serveText(echo, { deadlines: { frame: 1_000 } }))
    }))
})

/** What a peer does, and when it ends by the definition of the deadlines, computed without any timer. */
interface Step {
  readonly after: number
  readonly send: string
}

const model = (steps: ReadonlyArray<Step>, limits: typeof modelLimits): readonly [number, string] => {
  let now = 0
  let moved = 0
  let frame = -1
  let bytes = 0
  let messages = 0
  const due = (): readonly [number, string] => {
    // Of two at once, the first of these.
    const all: Array<readonly [number, string]> = []
    if (messages === 0) all.push([limits.firstFrame, bytes === 0 ? "IdleTimeout" : "FrameTimeout"])
    all.push([moved + limits.idle, "IdleTimeout"])
    if (frame >= 0) {
      all.push([frame + limits.frame, "FrameTimeout"])
      const rate = Math.ceil(bytes * 1000 / limits.minRate.bytesPerSecond)
      all.push([frame + Math.max(limits.minRate.grace, rate), "TooSlow"])
    }
    return all.reduce((least, each) => each[0] < least[0] ? each : least)
  }
  for (const { after, send } of steps) {
    const [at] = due()
    if (at <= now + after) break
    now += after
    moved = now
    for (const char of send) {
      if (char === "\n") {
        frame = -1
        bytes = 0
        messages++
      } else {
        if (frame < 0) frame = now
        bytes++
      }
    }
  }
  return due()
}
const modelLimits = { firstFrame: 200, idle: 150, frame: 180, minRate: { bytesPerSecond: 40, grace: 60 } }

it.effect.prop(
  "a peer ends when the definition says, and why",
  {
    steps: Arbitrary.array(
      Arbitrary.map(
        Arbitrary.all([
          int(1, 170),
          Arbitrary.array(Arbitrary.schema(Schema.Literals(["a", "aa", "aaaa", "\n"])), { minLength: 1, maxLength: 4 })
        ]),
        ([after, parts]): Step => ({ after, send: parts.join("") })
      ),
      { maxLength: 8 }
    )
  },
  ({ steps }) =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(echo, only(modelLimits))
        const client = yield* dial
        yield* settle
        const [at, reason] = model(steps, modelLimits)
        let now = 0
        for (const { after, send } of steps) {
          if (now + after >= at) break
          yield* TestClock.adjust(after)
          now += after
          client.send(send)
          yield* settle
        }
        yield* TestClock.adjust(at - now - 1)
        yield* settle
        assert.deepStrictEqual(told.ends, [], `before ${at}`)
        yield* TestClock.adjust(1)
        yield* settle
        assert.deepStrictEqual(told.of("Ended").map((event) => event.reason._tag), [reason], `at ${at}`)
      })
    ),
  { arbitrary: { runs: 300, size: 20 } }
)
