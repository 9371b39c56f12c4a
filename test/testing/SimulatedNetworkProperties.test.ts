/** What holds on a simulated network whatever is said on it and whatever goes wrong. */
import { assert, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { Endpoint, type Transport } from "../../src/index.ts"
import {
  type Fault,
  NetArbitrary,
  type SimulatedLink,
  SimulatedNetwork,
  Trace,
  VirtualTime
} from "../../src/testing/index.ts"

/** What one side of a connection does, after a while. */
const Step = Schema.Struct({
  waitMillis: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 400 })),
  act: Schema.Literals(["write", "write", "write", "pause", "resume", "putBack", "end", "destroy", "reset"]),
  bytes: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5000 }))
})
type Step = typeof Step.Type

const Talk = Schema.Struct({
  client: Schema.Array(Step).check(Schema.isMaxLength(8)),
  server: Schema.Array(Step).check(Schema.isMaxLength(8))
})

const links: ReadonlyArray<SimulatedLink.Settings> = [
  {},
  { latency: 0 },
  { latency: { _tag: "Uniform", minMillis: 0, maxMillis: 30 }, segmenting: "random", unread: "keep" },
  { latency: { _tag: "Exponential", minMillis: 1, meanMillis: 20 }, windowBytes: 777, pairMillis: 5 },
  { latency: 3, bytesPerSecond: 20_000, maxSegmentBytes: 100, segmenting: [1, 2, 3] }
]

/** Byte `at` of the stream that this side of this connection writes. */
const byteAt = (stream: number, at: number): number => (stream * 37 + at * 7 + (at >> 8)) & 255

/** One side: it plays its steps, checks what it hears, and writes down whether the rules were kept. */
class Player implements Transport.RawHandler {
  readonly raw: Transport.RawSocket
  written = 0
  read = 0
  hasEnded = false
  /** It ended its stream, and did nothing that loses a part of it. */
  isWhole = false
  sawEnd = false
  closes = 0
  readonly broken: Array<string> = []
  private isPaused = false
  private isInside = false
  private last: Uint8Array | undefined
  private readonly writes: number
  private readonly hears: number

  constructor(raw: Transport.RawSocket, writes: number, hears: number) {
    this.raw = raw
    this.writes = writes
    this.hears = hears
    raw.attach(this)
    raw.resume()
  }
  private saw(event: string): void {
    if (this.closes > 0) this.broken.push(`${event} after the close`)
    if (this.isInside) this.broken.push(`${event} inside a call`)
  }
  onData(chunk: Uint8Array): void {
    this.saw("data")
    if (this.isPaused) this.broken.push("data while paused")
    if (this.sawEnd) this.broken.push("data after the end")
    if (chunk.length === 0) this.broken.push("data without bytes")
    for (const [i, byte] of chunk.entries()) {
      if (byte !== byteAt(this.hears, this.read + i)) {
        this.broken.push(`byte ${this.read + i} is not the one that was written there`)
        break
      }
    }
    this.read += chunk.length
    this.last = chunk
  }
  onEnd(): void {
    this.saw("end")
    if (this.isPaused) this.broken.push("an end while paused")
    if (this.sawEnd) this.broken.push("a second end")
    this.sawEnd = true
  }
  onDrain(): void {
    this.saw("drain")
  }
  onClose(): void {
    this.saw("close")
    this.closes++
  }
  private call(run: () => void): void {
    this.isInside = true
    run()
    this.isInside = false
  }
  act({ act, bytes }: Step): void {
    this.call(() => {
      switch (act) {
        case "write": {
          if (this.hasEnded || this.closes > 0) return
          const from = this.written
          this.written += bytes
          return void this.raw.write([Uint8Array.from({ length: bytes }, (_, i) => byteAt(this.writes, from + i))])
        }
        case "pause":
          this.isPaused = true
          return this.raw.pause()
        case "resume":
          this.isPaused = false
          return this.raw.resume()
        case "putBack":
          if (!this.isPaused || this.sawEnd || this.closes > 0 || this.last === undefined) return
          this.read -= this.last.length
          this.raw.unshift(this.last)
          this.last = undefined
          return
        case "end":
          if (!this.hasEnded && this.closes === 0) this.hasEnded = this.isWhole = true
          return this.raw.end()
        case "destroy":
        case "reset":
          this.isWhole = false
          this.hasEnded = true
          return this.raw[act]()
      }
    })
  }
}

interface Case {
  readonly seed: number
  readonly link: SimulatedLink.Settings
  readonly plan: Fault.Plan
  readonly talks: ReadonlyArray<typeof Talk.Type>
}

/** Plays a case to its end, with everything that lasts over; tells what is broken, and the whole trace. */
const play = ({ link, plan, seed, talks }: Case) =>
  VirtualTime.run(
    Effect.gen(function*() {
      const clock = yield* VirtualTime.VirtualTime
      const broken: Array<string> = []
      const played = yield* Effect.scoped(Effect.gen(function*() {
        const network = yield* SimulatedNetwork.make({
          seed,
          link,
          faults: plan,
          hosts: ["client", "server"],
          maxTraceEvents: 100_000,
          giveUp: "300 millis"
        })
        const most = Math.max(
          link.windowBytes ?? 65_536,
          ...plan.map((fault) => fault._tag === "SetLink" ? fault.settings.windowBytes ?? 0 : 0)
        )
        network.trace.watch(({ kind, offset, time }) => {
          if (time < latest) broken.push(`${kind} at ${time}, after ${latest}`)
          latest = time
          for (const { backward, forward } of network.connections()) {
            for (const { inFlight, unread } of [forward, backward]) {
              if (inFlight + unread > most) broken.push(`${inFlight} in flight and ${unread} unread @${offset}`)
            }
          }
        })
        let latest = 0
        const players: Array<readonly [dialer: Player, acceptor: Player | undefined]> = []
        const accepted = new Map<string, Player>()
        const listen = network.transport("server").listen(Endpoint.tcpUnsafe("*", 7000), {
          backlog: 2,
          onAccept: (raw) => {
            const stream = Number(Endpoint.format(raw.peer).split(":").at(-1)) - 49_152
            const player = new Player(raw, 2 * stream + 1, 2 * stream)
            accepted.set(Endpoint.format(raw.peer), player)
            run(player, talks[stream % Math.max(1, talks.length)]?.server ?? [])
          }
        })
        const run = (player: Player, steps: ReadonlyArray<Step>): void => {
          let at = clock.now()
          for (const step of steps) {
            at += step.waitMillis
            clock.at(at, () => player.act(step))
          }
        }
        // The program of the server starts again with its host.
        let up = yield* Effect.forkScoped(Effect.ignore(Effect.scoped(Effect.andThen(listen, Effect.never))))
        const fork = Effect.runForkWith(yield* Effect.context<never>())
        network.host("server").watch((state) => {
          up.interruptUnsafe()
          if (state === "up") up = fork(Effect.ignore(Effect.scoped(Effect.andThen(listen, Effect.never))))
        })
        yield* Effect.sleep(1)
        yield* Effect.forEach(talks, (talk) =>
          Effect.gen(function*() {
            const raw = yield* network.transport("client").connect(Endpoint.tcpUnsafe("server", 7000))
            const stream = Number(Endpoint.format(raw.local).split(":").at(-1)) - 49_152
            const dialer = new Player(raw, 2 * stream, 2 * stream + 1)
            run(dialer, talk.client)
            yield* Effect.sleep("2 minutes")
            players.push([dialer, accepted.get(Endpoint.format(raw.local))])
          }).pipe(Effect.ignore), { concurrency: "unbounded", discard: true })
        yield* Effect.sleep("2 minutes")
        const sleepers = clock.pending()
        for (const [dialer, acceptor] of players) {
          for (const [player, other] of [[dialer, acceptor], [acceptor, dialer]] as const) {
            if (player === undefined) continue
            broken.push(...player.broken)
            if (player.read > (other?.written ?? 0)) broken.push("more was read than written")
            const mayBeCut = plan.some(({ _tag }) => _tag === "Crash" || _tag === "Reset")
            if (player.sawEnd && other?.isWhole === true && !mayBeCut && player.read !== other.written) {
              broken.push(`an end after ${player.read} of ${other.written} bytes`)
            }
            player.raw.destroy()
          }
        }
        for (const player of accepted.values()) player.raw.destroy()
        up.interruptUnsafe()
        yield* Effect.sleep("10 days") // a link may have been as slow as a byte a second
        for (const player of [...players.map(([dialer]) => dialer), ...accepted.values()]) {
          if (player.closes !== 1) broken.push(`${player.closes} closes`)
        }
        const counts = network.counts
        const left = {
          connections: network.connections(),
          client: network.host("client").openDescriptors(),
          server: network.host("server").openDescriptors(),
          // Only plans may have something to come.
          events: Math.min(sleepers, clock.pending())
        }
        return { trace: network.trace.toString(), digest: network.trace.digest, counts, left }
      }))
      return { ...played, broken, pending: clock.pending() }
    }),
    { maxDuration: "20 days" }
  )

const cases: Arbitrary.Arbitrary<Case> = Arbitrary.all({
  seed: Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 32 }))),
  link: Arbitrary.schema(Schema.Literals([0, 1, 2, 3, 4])).pipe(Arbitrary.map((index) => links[index] ?? {})),
  plan: NetArbitrary.faultPlan({ hosts: ["client", "server"], withinMillis: 3000, lastingMillis: 2000 }),
  talks: Arbitrary.array(Arbitrary.schema(Talk), { maxLength: 3 })
})

/** Plays a case, in which nothing may be broken, and nothing left. */
const holds = (input: Case) =>
  Effect.map(play(input), ({ broken, counts, left, pending }) => {
    assert.deepStrictEqual([broken, left, pending], [[], { connections: [], client: 0, server: 0, events: 0 }, 0])
    return counts
  })

it.effect.prop(
  "a stream is a prefix or fails, whatever is said and whatever goes wrong; and nothing is left",
  { input: cases },
  ({ input }) => holds(input),
  { arbitrary: { runs: 300, size: 20 }, timeout: 60_000 }
)

it.effect(
  "every kind of event happens in such runs: where one never does, they say nothing about it",
  () =>
    Effect.gen(function*() {
      const missing = new Set<string>(Object.keys(Trace.kinds))
      yield* Arbitrary.checkEffect(cases, (input) =>
        Effect.map(holds(input), (counts) => {
          for (const [kind, count] of Object.entries(counts)) if (count > 0) missing.delete(kind)
          return true
        }), { seed: 1, runs: 300, size: 20 })
      // What the programs of these runs hardly do, and the fault that no stream hides.
      for (const kind of ["abandoned", "turnedAway", "corrupted"]) missing.delete(kind)
      assert.deepStrictEqual(Array.from(missing), [])
    }),
  { timeout: 60_000 }
)

it.effect.prop(
  "the same seed gives the same trace, byte for byte, also beside others",
  { input: cases },
  ({ input }) =>
    Effect.gen(function*() {
      const alone = yield* play(input)
      const [again, beside] = yield* Effect.all([play(input), play({ ...input, seed: input.seed + 1 })], {
        concurrency: "unbounded"
      })
      assert.strictEqual(again.trace, alone.trace)
      assert.strictEqual(again.digest, alone.digest)
      // The digest tells traces apart.
      assert.strictEqual(beside.digest === alone.digest, beside.trace === alone.trace)
    }),
  { arbitrary: { runs: 100, size: 20 }, timeout: 60_000 }
)

it.effect("another seed gives another trace", () =>
  Effect.gen(function*() {
    const talk = { client: [{ waitMillis: 1, act: "write", bytes: 100 }], server: [] } as const
    const digests = new Set<string>()
    for (let seed = 0; seed < 50; seed++) {
      digests.add((yield* play({ seed, link: links[2] ?? {}, plan: [], talks: [talk] })).digest)
    }
    assert.strictEqual(digests.size, 50)
  }))
