/** Limits of several workers: together they are exactly what was asked for, and each of them is one that a server takes. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Schema } from "effect"
import type { ServeSettings } from "../../src/cli/serveSettings.ts"
import * as Shares from "../../src/cli/serveShares.ts"
import { settleLimits } from "../../src/internal/serverLimits.ts"
import * as Server from "../../src/Server.ts"

const Workers = Schema.Int.check(Schema.isBetween({ minimum: 2, maximum: 64 }))
const Count = Schema.Int.check(Schema.isBetween({ minimum: 64, maximum: 200_000 }))
const Rate = Schema.Union([
  Schema.Literal("unbounded"),
  Schema.Struct({ connections: Count, per: Schema.Literals(["1 second", "10 seconds", "1 minute", "7 minutes"]) })
])
const Limits = Schema.Struct({
  maxConnections: Schema.UndefinedOr(Count),
  maxPerPeer: Schema.UndefinedOr(Count),
  rate: Schema.UndefinedOr(Rate),
  ratePerPeer: Schema.UndefinedOr(Rate),
  maxBufferedBytes: Schema.UndefinedOr(Schema.Union([Schema.Literal("unbounded"), Count])),
  maxWaiting: Schema.UndefinedOr(Count)
})

const perSecond = (rate: Server.Rate) => rate.connections / Duration.toSeconds(Duration.fromInputUnsafe(rate.per))

/** Limits that do not contradict each other. */
const toOptions = (limits: typeof Limits.Type): Server.Options => {
  const { defaults } = Server
  const { maxConnections = defaults.maxConnections, maxPerPeer, rate = defaults.rate, ratePerPeer } = limits
  const isFaster = typeof ratePerPeer === "object" && rate !== "unbounded" && perSecond(ratePerPeer) > perSecond(rate)
  return {
    maxConnections: limits.maxConnections,
    perPeer: {
      maxConnections: maxPerPeer === undefined ? undefined : Math.min(maxPerPeer, maxConnections),
      rate: isFaster ? undefined : ratePerPeer
    },
    rate: limits.rate,
    maxBufferedBytes: limits.maxBufferedBytes,
    overflow: limits.maxWaiting === undefined
      ? "close"
      : { _tag: "Wait", maxWaiting: limits.maxWaiting, timeout: "1 second", otherwise: "close" }
  }
}

const none = {} as ServeSettings // nothing was set: each member is undefined

const workersOf = (value: number) => ({ value, text: String(value), from: "--workers" })

const numbers = (count: number) => Array.from({ length: count }, (_, n) => n + 1)

/** The number of a limit, or why it has none. */
const numbersOf = ({ maxBufferedBytes, maxConnections, overflow, perPeer, rate }: Server.Options) => {
  const burst = (rate: Server.Rate | "unbounded" | undefined) =>
    typeof rate === "object" ? rate.burst ?? rate.connections : rate
  return {
    maxConnections,
    maxBufferedBytes,
    maxPerPeer: perPeer?.maxConnections,
    burst: burst(rate),
    peerBurst: burst(perPeer?.rate),
    maxWaiting: typeof overflow === "object" ? overflow.maxWaiting : undefined
  }
}

it.effect.prop(
  "sum up to exactly what was asked for, and to the defaults where nothing was",
  { limits: Limits, workers: Workers },
  ({ limits, workers }) =>
    Effect.gen(function*() {
      const options = toOptions(limits)
      yield* Shares.check(none, options, workersOf(workers))
      const shares = numbers(workers).map((worker) => Shares.toShare(options, workers, worker))
      const { defaults } = Server
      const whole = numbersOf({
        ...options,
        maxConnections: options.maxConnections ?? defaults.maxConnections,
        maxBufferedBytes: options.maxBufferedBytes ?? defaults.maxBufferedBytes,
        rate: options.rate ?? defaults.rate
      })
      for (const [name, total] of Object.entries(whole)) {
        const parts = shares.map((share) => numbersOf(share)[name as keyof typeof whole]) // its own keys
        if (name === "peerBurst" && total === undefined) continue
        if (typeof total !== "number") {
          assert.deepStrictEqual(parts, parts.map(() => total))
          continue
        }
        const counts = parts.map(Number)
        assert.strictEqual(counts.reduce((sum, count) => sum + count, 0), total, name)
        assert.isAtMost(Math.max(...counts) - Math.min(...counts), 1)
        assert.deepStrictEqual(counts, counts.toSorted((a, b) => b - a))
        assert.isAtLeast(counts.at(-1) ?? 0, 1)
      }
      const { rate = defaults.rate } = options
      for (const share of shares) {
        assert.isTrue(share.reusePort)
        if (typeof rate === "object" && typeof share.rate === "object") {
          assert.approximately(perSecond(share.rate) * workers, perSecond(rate), perSecond(rate) * 1e-9)
        }
      }
    }),
  { arbitrary: { runs: 300 } }
)

it.effect.prop(
  "a server that takes the limits takes each share of them",
  { limits: Limits, workers: Workers },
  ({ limits, workers }) =>
    Effect.gen(function*() {
      const options = toOptions(limits)
      yield* settleLimits(options)
      yield* Shares.check(none, options, workersOf(workers))
      for (const worker of numbers(workers)) yield* settleLimits(Shares.toShare(options, workers, worker))
    }),
  { arbitrary: { runs: 300 } }
)

it("the first workers get what is left over", () => {
  assert.deepStrictEqual(numbers(4).map((worker) => Shares.countOf(10, 4, worker)), [3, 3, 2, 2])
})

it("the rate of one peer is shared, also where nobody set it", () => {
  const peerRate = (options: Server.Options) => Shares.toShare(options, 4, 1).perPeer?.rate
  const rate = (connections: number) => ({ connections, per: "1 second" }) as const
  const quarter = { connections: 100_000, per: Duration.seconds(4), burst: 25_000 }
  assert.deepStrictEqual(peerRate({}), quarter)
  assert.deepStrictEqual(peerRate({ rate: "unbounded" }), quarter)
  assert.isUndefined(peerRate({ rate: rate(100) }))
  assert.strictEqual(peerRate({ perPeer: { rate: "unbounded" } }), "unbounded")
})

it.effect("a limit of which some worker would get nothing is refused, with both numbers", () =>
  Effect.gen(function*() {
    const refused = (options: Server.Options, settings: Partial<ServeSettings> = {}, workers = 4) =>
      Effect.map(Effect.flip(Shares.check({ ...none, ...settings }, options, workersOf(workers))), ({ message }) =>
        message)
    assert.strictEqual(
      yield* refused({ maxConnections: 3 }, {
        maxConnections: { value: 3, text: "3", from: "HAWSER_MAX_CONNECTIONS" }
      }),
      "HAWSER_MAX_CONNECTIONS must be at least 4, one for each of --workers, got 3"
    )
    assert.strictEqual(
      yield* refused({ overflow: { _tag: "Wait", maxWaiting: 64, timeout: 1, otherwise: "close" } }, {}, 65),
      "--max-waiting must be at least 65, one for each of --workers, got 64"
    )
    for (
      const options of [
        { perPeer: { maxConnections: 3 } },
        { rate: { connections: 3, per: 1 } },
        { perPeer: { rate: { connections: 3, per: 1 } } },
        { maxBufferedBytes: 3 }
      ]
    ) {
      assert.match(yield* refused(options), /^--[a-z-]+ must be at least 4, one for each of --workers, got 3$/)
    }
    yield* Shares.check(none, {}, workersOf(1024))
  }))
