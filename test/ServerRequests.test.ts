/** Whose the bytes of requests are: the handler's for good, or until it has answered. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Deferred, Effect, Fiber, Layer, Result, Schema } from "effect"
import { Endpoint, MemoryTransport, NodeTransport, Server, Transport } from "../src/index.ts"
import { SharedReading } from "../src/internal/nodeReading.ts"
import { NetArbitrary, SimulatedNetwork, VirtualTime } from "../src/testing/index.ts"
import { frame, gone, keeping, texts, turn } from "./support/lending.ts"
import { settle } from "./support/network.ts"
import * as requests from "./support/requests.ts"

const lent = { requests: "lent" } as const

describe("options", () => {
  it.effect("refuse what is neither owned nor lent", () =>
    Effect.gen(function*() {
      const borrowed = "borrowed" as "lent" // a caller without types may write anything
      const error = yield* Server.make(requests.Plain, "memory:x", ({ body }) => Effect.succeed(body), {
        requests: borrowed
      }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer), Effect.flip)
      assert.strictEqual(error._tag, "ServerOptionsError")
      assert.strictEqual(error.message, `requests must be "owned" or "lent", got "borrowed"`)
    }))
})

// --- every byte --------------------------------------------------------------------------------------------------------

interface Place {
  readonly server: Transport.Transport["Service"]
  readonly client: Transport.Transport["Service"]
  readonly endpoint: string
  readonly dial: (listening: Endpoint.Endpoint) => Endpoint.Endpoint
  readonly wait: Effect.Effect<void>
}

const between = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const drawn = Arbitrary.all({
  plan: Arbitrary.schema(Schema.Literals(requests.plans)),
  // Most are small, some larger than one read.
  size: Arbitrary.map(
    Arbitrary.all([between(0, 2), between(0, 200)]),
    ([power, size]) => size * [1, 100, 1000][power]!
  ),
  seed: between(0, 255),
  isBad: Arbitrary.schema(Schema.Boolean)
})

const visitors = Arbitrary.array(
  Arbitrary.all({
    drawn: Arbitrary.array(drawn, { maxLength: 6 }),
    cuts: Arbitrary.array(between(1, 70_000), { maxLength: 6 }),
    isSlow: Arbitrary.schema(Schema.Boolean)
  }),
  { minLength: 1, maxLength: 3 }
)

const inputs = { visitors, isChecked: Arbitrary.schema(Schema.Boolean) }
type Inputs = typeof visitors extends Arbitrary.Arbitrary<infer A> ? A : never

/** Every visitor gets back exactly its own bytes. */
const exchange = Effect.fnUntraced(function*(place: Place, visitors: Inputs, isChecked: boolean) {
  const { client, wait } = place
  const make = isChecked
    ? Server.make(
      requests.Checked,
      place.endpoint,
      (asked) => Result.isSuccess(asked) ? requests.answer(asked.success, wait) : Effect.succeed(requests.bad),
      lent
    )
    : Server.make(requests.Plain, place.endpoint, (asked) => requests.answer(asked, wait), lent)
  const server = yield* Effect.provideService(make, Transport.Transport, place.server)
  yield* Effect.forEach(visitors, (visitor) =>
    Effect.gen(function*() {
      const list = visitor.drawn.map((each) => ({ ...each, isBad: isChecked && each.isBad }))
      const { expected, sent } = requests.script(list, isChecked ? requests.checked : requests.plain)
      const { ear, raw } = yield* requests.listenTo(client, place.dial(server.endpoint), expected.length)
      if (!visitor.isSlow) raw.resume()
      for (const chunk of NetArbitrary.cut(sent, visitor.cuts)) {
        raw.write([chunk])
        yield* wait
      }
      for (let i = 0; i < 20; i++) yield* wait
      raw.resume()
      const heard = yield* Deferred.await(ear.all)
      assert.isTrue(Buffer.compare(heard, expected) === 0, `${heard.length} bytes came for ${expected.length}`)
    }), { concurrency: "unbounded" })
})

const over = (layer: Layer.Layer<Transport.Transport>, endpoint: string) => (visitors: Inputs, isChecked: boolean) =>
  Effect.gen(function*() {
    const transport = yield* Transport.Transport
    const place = { server: transport, client: transport, endpoint, dial: (at: Endpoint.Endpoint) => at, wait: turn }
    yield* exchange(place, visitors, isChecked)
  }).pipe(Effect.scoped, Effect.provide(layer))

const simulated = (visitors: Inputs, isChecked: boolean) =>
  VirtualTime.run(Effect.scoped(Effect.gen(function*() {
    const network = yield* SimulatedNetwork.make({ seed: 1, hosts: ["client", "server"], link: { latency: 3 } })
    const place = {
      server: network.transport("server"),
      client: network.transport("client"),
      endpoint: "tcp://*:7000",
      dial: () => Endpoint.tcpUnsafe("server", 7000),
      wait: Effect.sleep(5)
    }
    yield* exchange(place, visitors, isChecked)
  })))

describe("lent requests are answered with exactly their own bytes, however the handler answers", () => {
  const tcp = "tcp://127.0.0.1:0"
  const places = {
    "in memory": over(MemoryTransport.layer, "memory:x"),
    "in a simulation": simulated,
    "over tcp": over(NodeTransport.layer, tcp),
    "over tcp without sharing": over(Layer.provide(NodeTransport.layer, Layer.succeed(SharedReading, undefined)), tcp)
  }
  for (const [name, play] of Object.entries(places)) {
    it.effect.prop(name, inputs, ({ isChecked, visitors }) => play(visitors, isChecked), { arbitrary: { runs: 40 } })
  }
})

// --- one by one --------------------------------------------------------------------------------------------------------

/** A server with a visitor that reads nothing, which the system therefore takes nothing for. */
const unread = Effect.gen(function*() {
  const unsent: Array<Uint8Array> = []
  let handler: Transport.RawHandler | undefined = undefined
  const at = Endpoint.memoryUnsafe("x")
  const raw: Transport.RawSocket = {
    id: 1,
    local: at,
    peer: at,
    get bytesUnsent() {
      return unsent.reduce((sum, segment) => sum + segment.length, 0)
    },
    attach: (its) => {
      handler = its
    },
    pause() {},
    resume() {},
    unshift() {},
    write: (segments) => unsent.push(...segments) > 0,
    end() {},
    destroy: () => queueMicrotask(() => handler?.onClose(undefined)),
    reset() {}
  }
  yield* Effect.provideService(
    Server.make(requests.Plain, "memory:x", (asked) => requests.answer(asked, turn), lent),
    Transport.Transport,
    {
      connect: (endpoint) => Effect.fail(new Transport.ConnectError({ endpoint, reason: "Unsupported", code: "" })),
      listen: (endpoint, { onAccept }) => Effect.sync(() => (onAccept(raw), { endpoint, close: Effect.void }))
    }
  )
  yield* Effect.addFinalizer(() => Effect.sync(() => raw.destroy()))
  return { handler: handler! as Transport.RawHandler, unsent } // set by attach, which the compiler does not see
})

describe("a handler that keeps a request after it has answered", () => {
  it.effect.each([
    { requests: "owned" as const, looks: "one" },
    { requests: "lent" as const, looks: gone("one") },
    { requests: undefined, looks: "one" }
  ])(
    "finds it as it was or overwritten: $requests",
    ({ looks, requests: whose }) =>
      Effect.scoped(Effect.gen(function*() {
        const { dial, look } = yield* keeping({ requests: whose })
        const { ear, raw } = yield* dial
        raw.write([frame("in a fiber", "one")])
        yield* settle
        assert.deepStrictEqual([texts(ear.heard), look()], ["one", [looks]])
      }))
  )
})

describe("what is lent", () => {
  it.effect("is lent on where peers send what ends their connections", () =>
    Effect.scoped(Effect.gen(function*() {
      const { dial, ends, look } = yield* keeping(lent, undefined, requests.Strict)
      for (let i = 0; i < 20; i++) {
        const { raw } = yield* dial
        const wrong = requests.spoil(frame("at once", "x", requests.checked))
        // With one in front, as a fiber or not, and alone.
        raw.write(i % 3 === 0 ? [wrong] : [frame(i % 3 === 1 ? "at once" : "in sync", "y", requests.checked), wrong])
        yield* settle
      }
      assert.deepStrictEqual(ends.filter((end) => end !== "FrameCorrupt"), [])
      const { raw } = yield* dial
      raw.write([frame("at once", "last", requests.checked)])
      yield* settle
      assert.strictEqual(look().at(-1), gone("last"))
    })))

  it.effect.each<[how: string, end: Effect.Effect<Uint8Array>]>([
    ["dies", Effect.die("as planned")],
    ["is interrupted", Effect.interrupt],
    ["waits, and dies", Effect.andThen(Effect.yieldNow, Effect.die("as planned"))]
  ])("does no harm where a handler %s in the middle of a batch", ([, end]) =>
    Effect.scoped(Effect.gen(function*() {
      const { dial, look } = yield* keeping(lent, (asked) => asked.body[0] === 33 ? end : requests.answer(asked, turn))
      const [first, second] = [yield* dial, yield* dial]
      first.raw.write([frame("at once", "one"), frame("in sync", "two"), frame("at once", "!"), frame("at once", "x")])
      second.raw.write([frame("in sync", "three"), frame("waits", "four"), frame("at once", "five")])
      yield* settle
      assert.deepStrictEqual([texts(first.ear.heard), texts(second.ear.heard)], ["one two", "three four five"])
      assert.deepStrictEqual([first.ear.isEnded, second.ear.isEnded, look().length], [true, false, 6])
    })))

  it.effect("is unchanged for a handler that waits through a drain, whose answer still leaves", () =>
    Effect.scoped(Effect.gen(function*() {
      const latch = yield* Deferred.make<void>()
      const { dial, look, server } = yield* keeping(
        { ...lent, drain: { grace: "1 minute" } },
        (asked) => requests.answer(asked, Deferred.await(latch))
      )
      const [first, second] = [yield* dial, yield* dial]
      first.raw.write([frame("at once", "one"), frame("waits", "two"), frame("at once", "three")])
      yield* settle
      const draining = yield* Effect.forkChild(server.drain, { startImmediately: true })
      first.raw.write([frame("at once", "four")])
      yield* settle
      yield* Deferred.succeed(latch, undefined)
      yield* settle
      assert.deepStrictEqual([texts(first.ear.heard), look()], ["one two three", ["one", "two", "three"]])
      for (const { raw } of [first, second]) raw.end()
      const report = yield* Fiber.join(draining)
      assert.strictEqual(report.forced, 0)
    })))

  it.effect("is unchanged for a peer that does not read its answers for a long time", () =>
    Effect.scoped(Effect.gen(function*() {
      const { dial } = yield* keeping(lent)
      const [slow, other] = [yield* dial, yield* dial]
      slow.raw.pause()
      const words = Array.from({ length: 8 }, (_, i) => String(i).repeat(50_000))
      slow.raw.write(words.map((word) => frame("at once", word)))
      for (let i = 0; i < 10; i++) {
        other.raw.write([frame("at once", "noise")])
        yield* settle
      }
      slow.raw.resume()
      for (let i = 0; i < 30; i++) yield* settle
      const heard = new TextDecoder().decode(slow.ear.heard)
      assert.deepStrictEqual(heard.length, 8 * 50_004)
      assert.isTrue(words.every((word, i) => heard.slice(i * 50_004 + 4, (i + 1) * 50_004) === word))
    })))

  it.effect.each<[what: string, plan: requests.Plan, isDone: boolean]>([
    ["is answered at once", "at once", true],
    ["is answered in a fiber", "in sync", true],
    ["was kept", "waits", false]
  ])(
    "is copied where the system takes an answer later, however large: what %s",
    ([, plan, isDone]) =>
      Effect.scoped(Effect.gen(function*() {
        const { handler, unsent } = yield* unread
        const text = "a".repeat(40_000)
        const chunk = frame(plan, text)
        assert.deepStrictEqual([handler.isBorrowing, handler.borrow?.(chunk)], [true, isDone])
        yield* settle
        chunk.fill(0xdd)
        assert.strictEqual(texts(Buffer.concat(unsent)).replaceAll(/[^a]/g, ""), text)
      }))
  )
})
