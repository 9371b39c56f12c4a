/**
 * What one of several workers gets of the limits of a server, so that all of them together keep what was asked for.
 *
 * ```
 * --max-connections 10 --workers 4      3  3  2  2
 * --rate 100/s                          a quarter of the speed each, and bursts of 25
 * ```
 *
 * Counts are shared out, and the first workers get what is left over. A speed is shared by time, which has no remainder;
 * only what may come at once is a count. What is no count of the whole server, such as a time limit, holds for each.
 *
 * Law: the sums are exactly what was asked for, and a server that takes the limits takes each share of them.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Server from "../Server.ts"
import * as Failure from "./Failure.ts"
import { type ServeSettings, serveSettings } from "./serveSettings.ts"
import type * as Setting from "./Setting.ts"

/** The share of one worker, which count from 1, of a count that is at least the number of workers. @category sharing @since 0.1.0 */
export const countOf = (total: number, workers: number, worker: number): number =>
  Math.floor(total / workers) + (worker <= total % workers ? 1 : 0)

type Limit<A> = A | "unbounded"

const sizeOf = (total: Limit<number>, workers: number, worker: number): Limit<number> =>
  total === "unbounded" ? total : countOf(total, workers, worker)

const rateOf = (rate: Limit<Server.Rate>, workers: number, worker: number): Limit<Server.Rate> =>
  rate === "unbounded" ? rate : {
    connections: rate.connections,
    per: Duration.times(Duration.fromInputUnsafe(rate.per), workers),
    burst: countOf(rate.burst ?? rate.connections, workers, worker)
  }

const perSecond = ({ connections, per }: Server.Rate): number =>
  connections / Duration.toSeconds(Duration.fromInputUnsafe(per))

/**
 * The rate of one peer. The server's default stands aside where the rate of all is lower, and takes no part in a check; so
 * it is left to the server there.
 */
const peerRateOf = (options: Server.Options): Limit<Server.Rate> | undefined => {
  const { rate = Server.defaults.rate } = options
  const usual = Server.defaults.rate
  return options.perPeer?.rate ?? (rate === "unbounded" || perSecond(usual) <= perSecond(rate) ? usual : undefined)
}

/** The options of one worker. @category sharing @since 0.1.0 */
export const toShare = (options: Server.Options, workers: number, worker: number): Server.Options => {
  const { defaults } = Server
  const { overflow, perPeer } = options
  const peerRate = peerRateOf(options)
  return {
    ...options,
    reusePort: true,
    maxConnections: countOf(options.maxConnections ?? defaults.maxConnections, workers, worker),
    maxBufferedBytes: sizeOf(options.maxBufferedBytes ?? defaults.maxBufferedBytes, workers, worker),
    rate: rateOf(options.rate ?? defaults.rate, workers, worker),
    perPeer: {
      ...perPeer,
      maxConnections: perPeer?.maxConnections === undefined
        ? undefined
        : countOf(perPeer.maxConnections, workers, worker),
      rate: peerRate === undefined ? undefined : rateOf(peerRate, workers, worker)
    },
    overflow: typeof overflow === "object"
      ? { ...overflow, maxWaiting: countOf(overflow.maxWaiting, workers, worker) }
      : overflow
  }
}

/** Each limit that is shared out, and how much of it there is. */
const shared = (options: Server.Options): ReadonlyArray<readonly [key: keyof ServeSettings, total: Limit<number>]> => {
  const { defaults } = Server
  const { maxBufferedBytes = defaults.maxBufferedBytes, overflow, perPeer, rate = defaults.rate } = options
  const { maxConnections = defaults.maxConnections } = options
  const burst = (rate: Limit<Server.Rate> | undefined): Limit<number> =>
    rate === undefined || rate === "unbounded" ? "unbounded" : rate.burst ?? rate.connections
  return [
    ["maxConnections", maxConnections],
    ["maxPerPeer", perPeer?.maxConnections ?? "unbounded"],
    ["rate", burst(rate)],
    ["ratePerPeer", burst(perPeer?.rate)],
    ["maxWaiting", typeof overflow === "object" ? overflow.maxWaiting : "unbounded"],
    ["maxBuffered", maxBufferedBytes]
  ]
}

/** Refuses limits of which some worker would get nothing. @category checking @since 0.1.0 */
export const check = (
  given: ServeSettings,
  options: Server.Options,
  { from, value: workers }: Setting.Given<number>
): Effect.Effect<void, Failure.Failure> => {
  const short = shared(options).find(([, total]) => total !== "unbounded" && total < workers)
  if (short === undefined) return Effect.void
  const [key, total] = short
  const setting = given[key]
  return Effect.fail(Failure.local(
    `${setting?.from ?? `--${serveSettings[key].name}`} must be at least ${workers}, one for each of ${from}, got ${
      setting?.text ?? total
    }`,
    "limits are of the whole server, and are shared out among its workers"
  ))
}
