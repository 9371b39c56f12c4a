/**
 * Two thousand peers that do what no client should, on a simulated network: each is ended or refused at its time, for its
 * reason, and a well-behaved client does not notice. `npm run attack` does the same over real sockets.
 */
import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect, Fiber, Logger, type Scope } from "effect"
import {
  Admission,
  Client,
  type CloseReason,
  Codec,
  Endpoint,
  Framing,
  Protocol,
  Server,
  type Transport
} from "../src/index.ts"
import { SimulatedNetwork, VirtualTime } from "../src/testing/index.ts"
import { wrongBooks } from "./support/addressed.ts"
import { Told } from "./support/network.ts"

const crowd = 2000

/** Half a second each, on a machine that has nothing else to do. */
const patience = { timeout: 60_000 }

const maxFrameBytes = 3000
const line = Codec.text(Framing.lines({ maxFrameBytes, ending: "lf", unterminated: "reject" }))
const Lines = Protocol.make("lines", {
  request: line,
  response: line,
  goodbye: { overLimit: "full", drained: "bye" }
})

const bytes = (text: string) => new TextEncoder().encode(text)

/** One of the crowd: it reads or not, and remembers how it was ended. */
class Enemy implements Transport.RawHandler {
  readonly raw: Transport.RawSocket
  heard = ""
  isOver = false
  code: string | undefined = undefined
  /** It does not end its side, whatever the server does. */
  isStubborn = false

  constructor(raw: Transport.RawSocket, reads: boolean) {
    this.raw = raw
    raw.attach(this)
    if (reads) raw.resume()
  }
  onData(chunk: Uint8Array): void {
    this.heard += new TextDecoder().decode(chunk)
  }
  onEnd(): void {
    if (!this.isStubborn) this.raw.end()
  }
  onDrain(): void {}
  onClose(code: string | undefined): void {
    this.isOver = true
    this.code = code
  }
  say(text: string): void {
    if (!this.isOver) this.raw.write([bytes(text)])
  }
}

/** The hosts of the crowd: each has an address of its own. */
const hosts = Array.from({ length: 20 }, (_, i) => ({ name: `enemy${i}`, addresses: [`10.66.0.${i + 1}`] }))

interface World {
  readonly server: Server.Server["Service"]
  readonly told: Told
  /** Brings peers that connect at once; each begins with `begin`. */
  readonly bring: (
    count: number,
    begin?: (enemy: Enemy, i: number) => void,
    options?: { readonly reads?: boolean }
  ) => Effect.Effect<ReadonlyArray<Enemy>, Transport.ConnectError, Scope.Scope>
  /** How long the well-behaved client's calls take, in virtual milliseconds. */
  readonly latencies: (calls: number) => Effect.Effect<ReadonlyArray<number>, unknown>
  readonly clock: VirtualTime.VirtualClock
  /** Checks that what the server had at first is all that it has. */
  readonly nothingLeft: Effect.Effect<void>
}

/** A server with its defaults, but for `options`, and a client that calls it now and then; then the attack. */
const under = <E>(
  options: Server.Options,
  attack: (world: World) => Effect.Effect<void, E, Scope.Scope>
): Effect.Effect<void, unknown> =>
  VirtualTime.run(
    Effect.scoped(Effect.gen(function*() {
      const clock = yield* VirtualTime.VirtualTime
      const network = yield* SimulatedNetwork.make({
        hosts: ["server", "client", ...hosts],
        link: { latency: 10, windowBytes: 4096 },
        maxTraceEvents: 0
      })
      const told = new Told()
      const wrong: Array<unknown> = []
      const running: { stats?: Effect.Effect<Server.Stats> } = {}
      const server = yield* Server.make(
        Lines,
        "tcp://*:7000",
        (text) => text === "hang" ? Effect.never : text === "deaf" ? deaf : Effect.succeed(text),
        {
          ...options,
          onEvent: (event) => {
            told.events.push(event)
            const books = running.stats === undefined ? undefined : wrongBooks(running.stats)
            if (books !== undefined) wrong.push({ event, books })
          }
        }
      ).pipe(Effect.provide(network.layer("server")))
      running.stats = server.stats
      const dial = Endpoint.tcpUnsafe("server", 7000)
      const client = yield* Client.make(Lines, dial).pipe(Effect.provide(network.layer("client")))
      const latencies = (calls: number) =>
        Effect.replicateEffect(
          Effect.gen(function*() {
            const from = yield* Clock.currentTimeMillis
            assert.strictEqual(yield* client.call("hello"), "hello")
            const took = (yield* Clock.currentTimeMillis) - from
            yield* Effect.sleep(100)
            return took
          }),
          calls
        )
      assert.deepStrictEqual(new Set(yield* latencies(3)), new Set([20]))
      yield* Effect.forkScoped(Effect.forever(Effect.delay(client.call("still here"), "10 seconds")))
      const host = network.host("server")
      const before = { descriptors: host.openDescriptors(), fibers: clock.fibers().length, events: clock.pending() }
      yield* attack({
        server,
        told,
        clock,
        latencies,
        bring: (count, begin = () => {}, { reads = true } = {}) =>
          Effect.forEach(Array.from({ length: count }, (_, i) => i), (i) =>
            Effect.map(network.transport(`enemy${i % hosts.length}`).connect(dial), (raw) => {
              const enemy = new Enemy(raw, reads)
              begin(enemy, i)
              return enemy
            }), { concurrency: 200 }),
        nothingLeft: Effect.gen(function*() {
          const { open, handshaking, waiting } = yield* server.stats
          assert.deepStrictEqual({ open, handshaking, waiting }, { open: 1, handshaking: 0, waiting: 0 })
          assert.strictEqual(host.openDescriptors(), before.descriptors, "descriptors")
          assert.isAtMost(clock.fibers().length, before.fibers + timers, "fibers")
          assert.isAtMost(clock.pending(), before.events + timers, "events that are to come")
        })
      })
      assert.deepStrictEqual(wrong, [])
      assert.deepStrictEqual(fates(told), [])
    })),
    { maxSteps: 1_000_000 }
  ).pipe(Effect.provide(Logger.layer([])))

/** A server has so many, and each has a fiber while somebody may be due; none of them is a connection's. */
const timers = 5

/** Nobody interrupts it. */
const deaf = Effect.uninterruptible(Effect.as(Effect.sleep("1 hour"), "at last"))

/** Connections with other events than one `Refused`, or one `Accepted` and then one `Ended` at most. */
const fates = (told: Told): ReadonlyArray<unknown> => {
  const all = new Map<number, string>()
  for (const event of told.events) {
    if ("id" in event) all.set(event.id, `${all.get(event.id) ?? ""}${event._tag} `)
  }
  return Array.from(all).filter(([, fate]) => !/^(Waiting )*(Accepted (Ended )?|Refused )$/.test(fate))
}

/** The events' own counts of reasons, and when the first and the last came, in whole seconds. */
const reasons = (told: Told) => {
  const counts: Record<string, number> = {}
  for (const event of told.events) {
    if (event._tag !== "Ended" && event._tag !== "Refused") continue
    const tag = event.reason._tag === "OverLimit" ? event.reason.limit : event.reason._tag
    counts[tag] = (counts[tag] ?? 0) + 1
  }
  return counts
}

/** Each kind of slow peers, and when the defaults end them: no earlier and not much later than the deadline. */
const slow: ReadonlyArray<{
  readonly name: string
  readonly reason: CloseReason.CloseReason["_tag"]
  readonly seconds: number
  readonly begin?: (enemy: Enemy) => void
  readonly eachSecond?: (enemy: Enemy, second: number) => void
  readonly reads?: boolean
  readonly options?: Server.Options
}> = [
  {
    name: "send one byte a second",
    reason: "TooSlow",
    seconds: 10,
    begin: (enemy) => enemy.say("a"),
    eachSecond: (enemy) => enemy.say("a")
  },
  {
    name: "never end a frame, at a fair rate",
    reason: "FrameTimeout",
    seconds: 60,
    begin: (enemy) => enemy.say("whole\na"),
    eachSecond: (enemy, second) => {
      if (second % 5 === 0) enemy.say("a".repeat(160))
    }
  },
  { name: "say nothing", reason: "IdleTimeout", seconds: 60 },
  { name: "say nothing more", reason: "IdleTimeout", seconds: 600, begin: (enemy) => enemy.say("hello\n") },
  {
    name: "do not read",
    reason: "WriteStalled",
    seconds: 30,
    reads: false,
    begin: (enemy) => enemy.say(`${"a".repeat(900)}\n`.repeat(20))
  },
  {
    name: "ask for what never ends",
    reason: "RequestTimeout",
    seconds: 300,
    begin: (enemy) => enemy.say("hang\n")
  },
  {
    name: "send a header of a proxy, one byte a second",
    reason: "HandshakeTimeout",
    seconds: 10,
    eachSecond: (enemy, second) => enemy.say("PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n"[second] ?? ""),
    options: { proxy: { from: ["10.66.0.0/16"] } }
  }
]

describe(`${crowd} peers that`, patience, () => {
  it.effect.each(slow)(
    "$name end with $reason",
    ({ begin, eachSecond, options, reads, reason, seconds }) =>
      under(
        { maxConnections: crowd + 1, ...options },
        ({ bring, clock, latencies, nothingLeft, server, told }) =>
          Effect.gen(function*() {
            const from = clock.now()
            const enemies = yield* bring(crowd, begin, { reads: reads ?? true })
            if (eachSecond !== undefined) {
              yield* Effect.forkScoped(Effect.gen(function*() {
                for (let second = 0;; second++) {
                  for (const enemy of enemies) {
                    eachSecond(enemy, second)
                  }
                  yield* Effect.sleep("1 second")
                }
              }))
            }
            // As if it were alone.
            assert.deepStrictEqual(new Set(yield* latencies(20)), new Set([20]))
            const { handshaking, open } = yield* server.stats
            assert.strictEqual(open + handshaking, crowd + 1)
            yield* Effect.sleep(from + seconds * 1000 - clock.now())
            assert.deepStrictEqual(reasons(told), {}, "before their time")
            // They came within a second; a stall is found up to a quarter late; some linger.
            yield* Effect.sleep(`${seconds / 4 + 5} seconds`)
            assert.deepStrictEqual(reasons(told), { [reason]: crowd })
            assert.strictEqual(told.of("Ended").length + told.of("Refused").length, crowd)
            assert.isTrue(enemies.every(({ isOver }) => isOver || reads === false))
            yield* nothingLeft
          })
      )
  )
})

const places = 100

/** What each policy shows to those it refuses. */
const policies: ReadonlyArray<{
  readonly overflow: Admission.Refusal
  readonly isRight: (enemy: Enemy) => boolean
}> = [
  // Where 256 are on their way out, one that comes on top of them is destroyed without a word.
  { overflow: "goodbye", isRight: ({ code, heard }) => (heard === "full\n" && code === undefined) || heard === "" },
  { overflow: "close", isRight: ({ code, heard }) => heard === "" && code === undefined },
  { overflow: "reset", isRight: ({ code, heard }) => heard === "" && code === "ECONNRESET" }
]

/** Silent peers on all places but the client's. */
const fill = ({ bring }: World) => bring(places - 1)

describe(`a flood of ${crowd} on a full server`, patience, () => {
  it.effect.each(policies)(
    "sees $overflow, and nobody else notices",
    ({ isRight, overflow }) =>
      under({ maxConnections: places, overflow }, (world) =>
        Effect.gen(function*() {
          const { bring, latencies, nothingLeft, server, told } = world
          const holders = yield* fill(world)
          const flood = yield* Effect.forkScoped(bring(crowd, (enemy, i) => {
            enemy.isStubborn = i % 2 === 1
          }))
          assert.deepStrictEqual(new Set(yield* latencies(20)), new Set([20]))
          const enemies = yield* Fiber.join(flood)
          yield* Effect.sleep("3 seconds")
          assert.deepStrictEqual(
            enemies.filter((enemy) => !(enemy.isOver || enemy.isStubborn) || !isRight(enemy)).slice(0, 1),
            []
          )
          if (overflow === "goodbye") assert.isAbove(enemies.filter(({ heard }) => heard !== "").length, 256)
          assert.deepStrictEqual(reasons(told), { maxConnections: crowd })
          assert.deepStrictEqual((yield* server.stats).refusedBy, { maxConnections: crowd })
          for (const holder of holders) holder.raw.end()
          yield* Effect.sleep("1 second")
          const [next] = yield* bring(1, (enemy) => enemy.say("hello\n"))
          yield* Effect.sleep("1 second")
          assert.strictEqual(next?.heard, "hello\n")
          next?.raw.end()
          yield* Effect.sleep("3 seconds")
          yield* nothingLeft
        }))
  )

  it.effect("waits, as many as may, and comes in as places get free, in its order", () =>
    under({
      maxConnections: places,
      overflow: Admission.wait({ maxWaiting: 50, timeout: "10 seconds", otherwise: "close" })
    }, (world) =>
      Effect.gen(function*() {
        const { bring, latencies, server, told } = world
        const holders = yield* fill(world)
        const enemies = yield* bring(crowd, (enemy, i) => enemy.say(`${i}\n`))
        yield* Effect.sleep("1 second")
        assert.strictEqual((yield* server.stats).waiting, 50)
        assert.deepStrictEqual(reasons(told), { maxConnections: crowd - 50 })
        for (const holder of holders.slice(0, 20)) holder.raw.end()
        assert.deepStrictEqual(new Set(yield* latencies(20)), new Set([20]))
        const waited = enemies.filter(({ isOver }) => !isOver)
        assert.strictEqual(waited.length, 50)
        assert.deepStrictEqual(waited.map(({ heard }) => heard !== ""), waited.map((_, i) => i < 20))
        yield* Effect.sleep("10 seconds")
        assert.deepStrictEqual(reasons(told), { PeerClosed: 20, maxConnections: crowd - 20 })
      })))

  it.effect("from one address takes no place of another's", () =>
    under(
      { overflow: "reset", perPeer: { maxConnections: 10 }, deny: ["10.66.0.20"] },
      ({ bring, latencies, told }) =>
        Effect.gen(function*() {
          yield* bring(crowd)
          assert.deepStrictEqual(new Set(yield* latencies(20)), new Set([20]))
          const each = crowd / hosts.length
          assert.deepStrictEqual(reasons(told), {
            "perPeer.maxConnections": (hosts.length - 1) * (each - 10),
            Denied: each
          })
        })
    ))
})

const header = "PROXY TCP4 192.0.2.1 192.0.2.2 40000 443\r\n"
const conversation = `${header}hello\n\na somewhat longer message\n`

describe("a conversation", patience, () => {
  it.effect("may be reset behind each of its bytes, before and after they were read", () =>
    under(
      { proxy: { from: ["10.66.0.0/16"] } },
      ({ bring, latencies, nothingLeft, server, told }) =>
        Effect.gen(function*() {
          const ways = 3
          const count = (conversation.length + 1) * ways
          const enemies = yield* bring(count, (enemy, i) => {
            enemy.say(conversation.slice(0, Math.floor(i / ways)))
            if (i % ways === 0) enemy.raw.reset()
            if (i % ways === 1) enemy.raw.end()
          })
          yield* Effect.sleep("100 millis")
          for (const enemy of enemies) if (!enemy.isOver) enemy.raw.reset()
          assert.deepStrictEqual(new Set(yield* latencies(20)), new Set([20]))
          yield* Effect.sleep("5 seconds")
          yield* nothingLeft
          const { arrived, endedBy, refusedBy } = yield* server.stats
          assert.strictEqual(arrived, count + 1)
          assert.strictEqual(told.of("Ended").length + told.of("Refused").length, count)
          const known = new Set(["PeerClosed", "PeerReset", "FrameTruncated", "HandshakeFailed"])
          assert.deepStrictEqual(
            [...Object.keys(endedBy), ...Object.keys(refusedBy)].filter((reason) => !known.has(reason)),
            []
          )
        })
    ))

  it.effect("has frames up to the limit, and not one byte more", () =>
    under({}, ({ bring, server }) =>
      Effect.gen(function*() {
        const sizes = [0, 1, maxFrameBytes - 1, maxFrameBytes, maxFrameBytes + 1, 2 * maxFrameBytes]
        const enemies = yield* bring(sizes.length * 20, (enemy, i) => {
          enemy.say(`before\n${"a".repeat(sizes[i % sizes.length] ?? 0)}\n`)
        })
        yield* Effect.sleep("1 second")
        for (const [i, enemy] of enemies.entries()) {
          const size = sizes[i % sizes.length] ?? 0
          const isRight = size <= maxFrameBytes
          assert.strictEqual(enemy.heard, `before\n${isRight ? `${"a".repeat(size)}\n` : ""}`)
          assert.strictEqual(enemy.isOver, !isRight)
        }
        assert.deepStrictEqual((yield* server.stats).endedBy, { FrameTooLarge: 40 })
      })))
})

describe("a drain in the midst of all of them", patience, () => {
  const phases = { announce: 300, grace: 1500, force: 500 } as const

  it.effect("ends within announce + grace + force, and its report adds up", () =>
    under({
      maxConnections: 1500,
      overflow: Admission.wait({ maxWaiting: 300, timeout: "1 minute", otherwise: "goodbye" }),
      proxy: { from: ["10.66.0.1"] },
      drain: phases
    }, ({ bring, clock, latencies, server, told }) =>
      Effect.gen(function*() {
        const beginnings = ["a", "", "hello\n", "hang\n", "deaf\n", `${"a".repeat(900)}\n`.repeat(20)]
        yield* bring(crowd, (enemy, i) => enemy.say(beginnings[i % beginnings.length] ?? ""), { reads: false })
        assert.deepStrictEqual(new Set(yield* latencies(10)), new Set([20]))
        const before = yield* server.stats
        assert.strictEqual(before.open + before.handshaking, 1500)
        assert.strictEqual(before.waiting, 300)
        const from = clock.now()
        const { drained, forced, refused, served } = yield* server.drain
        assert.strictEqual(clock.now() - from, phases.announce + phases.grace + phases.force)
        const { accepted, endedBy, open, refused: turnedAway } = yield* server.stats
        assert.deepStrictEqual([open, served + drained + forced, refused], [0, accepted, turnedAway])
        assert.strictEqual(endedBy["ForcedByDrain"], forced)
        assert.isAbove(forced, 500)
        assert.isAbove(drained, 200)
        assert.strictEqual(told.of("Ended").length, accepted)
      })))
})
