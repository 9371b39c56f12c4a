/**
 * The limits of a server that can be changed while it runs: what may be set, and what contradicts what.
 *
 * They are kept as they were given, so that a change of one takes the defaults that follow from it along.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Deadline from "../Deadline.ts"
import * as Networks from "../Networks.ts"
import * as PeerKey from "../PeerKey.ts"
import type * as Server from "../Server.ts"
import { type DeadlineSettings, settleDeadlines } from "./deadlineOptions.ts"
import { defined, duration, integer, positive, refuse, type ServerOptionsError } from "./optionRules.ts"

/**
 * So many connections per time, evenly; `burst` of them may come at once after a quiet time.
 *
 * @category options
 * @since 0.1.0
 */
export interface Rate {
  readonly connections: number
  readonly per: Duration.Input
  /** @default connections */
  readonly burst?: number | undefined
}

/**
 * What one peer may have. Who is one peer is told by `PeerKey`; a trusted proxy is none, its clients are.
 *
 * @category options
 * @since 0.1.0
 */
export interface PerPeerOptions {
  /**
   * How many connections of one peer may be open, in a handshake, or waiting for one of all places.
   *
   * @default maxConnections
   */
  readonly maxConnections?: number | undefined
  /**
   * How fast one peer may connect.
   *
   * @default { connections: 100_000, per: "1 second" }
   */
  readonly rate?: Rate | "unbounded" | undefined
  /**
   * How many leading bits of an IPv4 address are one peer.
   *
   * @default 32
   */
  readonly ipv4Prefix?: number | undefined
  /**
   * How many leading bits of an IPv6 address are one peer.
   *
   * @default 64
   */
  readonly ipv6Prefix?: number | undefined
}

/**
 * The limits that hold for whoever comes, and can be changed with `setLimits`.
 *
 * @category options
 * @since 0.1.0
 */
export interface LimitOptions {
  /**
   * How many connections may be in at once, exactly: in a handshake, open, or lingering.
   *
   * @default 1024
   */
  readonly maxConnections?: number | undefined
  /** What one peer may have. */
  readonly perPeer?: PerPeerOptions | undefined
  /**
   * How fast connections may come; whoever comes faster is refused.
   *
   * @default { connections: 100_000, per: "1 second" }
   */
  readonly rate?: Rate | "unbounded" | undefined
  /**
   * Networks and addresses as `Networks` reads them; nobody else may come in. The client's address counts, where a trusted
   * proxy names it.
   *
   * @default everybody
   */
  readonly allow?: ReadonlyArray<string> | undefined
  /**
   * Networks and addresses that may not come in, even where `allow` has them too, in a larger network.
   *
   * @default nobody
   */
  readonly deny?: ReadonlyArray<string> | undefined
  /**
   * How many bytes the whole server may hold: undecoded input, batches that no handler has taken, and output that the
   * kernel has not. Bytes are counted, and not the memory that they are in: of what a peer does not read, that may be
   * 128 KiB for each peer.
   *
   * @default 268_435_456
   */
  readonly maxBufferedBytes?: number | "unbounded" | undefined
  /** How long a connection may take for what. */
  readonly deadlines?: Deadline.Options | undefined
}

/** The values used where a limit is not given. */
export const limitDefaults = {
  /** What Ranch and HAProxy-like servers start from; a process has 1024 descriptors on many systems. */
  maxConnections: 1024,
  /** Three times what one process can accept: a bound for the books, which no honest load meets. */
  rate: { connections: 100_000, per: "1 second" },
  ipv4Prefix: PeerKey.defaults.ipv4PrefixBits,
  ipv6Prefix: PeerKey.defaults.ipv6PrefixBits,
  /** 256 KiB for each of 1024 connections: a quarter of what small machines have. */
  maxBufferedBytes: 268_435_456
} as const

/** A rate as a bucket counts it. */
export interface RateSettings {
  readonly connections: number
  readonly perMillis: number
  readonly burst: number
}

/** Limits, checked and filled in. */
export interface LimitSettings {
  /** As they were given, and changed since. */
  readonly given: LimitOptions
  readonly maxConnections: number
  readonly rate: RateSettings | undefined
  readonly peerMaxConnections: number
  /** Undefined where nobody can break it, or it is unbounded. */
  readonly peerRate: RateSettings | undefined
  readonly keyOf: (peer: Parameters<ReturnType<typeof PeerKey.make>>[0]) => string
  /** Undefined is everybody. */
  readonly allow: Networks.Networks | undefined
  /** Undefined is nobody. */
  readonly deny: Networks.Networks | undefined
  readonly maxBufferedBytes: number
  readonly deadlines: DeadlineSettings
}

const settleRate = Effect.fnUntraced(function*(
  option: string,
  rate: Rate | "unbounded"
): Effect.fn.Return<RateSettings | undefined, ServerOptionsError> {
  if (rate === "unbounded") return undefined
  const connections = yield* positive(`${option}.connections`, rate.connections)
  return {
    connections,
    perMillis: yield* duration(`${option}.per`, rate.per),
    burst: rate.burst === undefined ? connections : yield* positive(`${option}.burst`, rate.burst)
  }
})

/** Parses networks; an empty list is none. */
export const networks = (
  option: string,
  list: ReadonlyArray<string> | undefined
): Effect.Effect<Networks.Networks | undefined, ServerOptionsError> => {
  if (list === undefined || list.length === 0) return Effect.succeed(undefined)
  const parsed = Networks.fromInput(list)
  if (Result.isSuccess(parsed)) return Effect.succeed(parsed.success)
  const { entry, index, rule } = parsed.failure
  return refuse(`${option}[${index}]`, entry, `a network (${rule})`)
}

/** Limits, laid over others; what is undefined changes nothing. */
export const mergeLimits = (below: LimitOptions, above: LimitOptions): LimitOptions => ({
  ...below,
  ...defined(above),
  perPeer: { ...below.perPeer, ...defined(above.perPeer ?? {}) },
  deadlines: { ...below.deadlines, ...defined(above.deadlines ?? {}) }
})

/** The limits in force, in the words of the options. */
export const showLimits = ({ given, maxConnections, peerMaxConnections }: LimitSettings): Server.Limits => ({
  maxConnections,
  perPeer: {
    rate: limitDefaults.rate,
    ipv4Prefix: limitDefaults.ipv4Prefix,
    ipv6Prefix: limitDefaults.ipv6Prefix,
    ...defined(given.perPeer ?? {}),
    maxConnections: peerMaxConnections
  },
  rate: given.rate ?? limitDefaults.rate,
  allow: given.allow ?? [],
  deny: given.deny ?? [],
  maxBufferedBytes: given.maxBufferedBytes ?? limitDefaults.maxBufferedBytes,
  deadlines: { ...Deadline.defaults, ...defined(given.deadlines ?? {}) }
})

/** Whether a peer alone can be too fast where all together are not. */
const isStricter = (peer: RateSettings, all: RateSettings): boolean => peer.burst < all.burst || isFaster(all, peer)

const isFaster = (left: RateSettings, right: RateSettings): boolean =>
  left.connections / left.perMillis > right.connections / right.perMillis

/** Checks limits; the first bad one, or the first contradiction, is the error. */
export const settleLimits = Effect.fnUntraced(function*(
  given: LimitOptions
): Effect.fn.Return<LimitSettings, ServerOptionsError> {
  const peer = given.perPeer ?? {}
  const maxConnections = yield* positive("maxConnections", given.maxConnections ?? limitDefaults.maxConnections)
  const peerMax = yield* positive("perPeer.maxConnections", peer.maxConnections ?? maxConnections)
  if (peerMax > maxConnections) {
    return yield* refuse("perPeer.maxConnections", peerMax, `at most maxConnections, which is ${maxConnections}`)
  }
  const rate = yield* settleRate("rate", given.rate ?? limitDefaults.rate)
  const peerRate = yield* settleRate("perPeer.rate", peer.rate ?? limitDefaults.rate)
  if (peer.rate !== undefined && peerRate !== undefined && rate !== undefined && isFaster(peerRate, rate)) {
    const rule = `at most rate, which is ${rate.connections} in ${rate.perMillis} ms`
    return yield* refuse("perPeer.rate", peer.rate, rule)
  }
  const allow = yield* networks("allow", given.allow)
  const deny = yield* networks("deny", given.deny)
  const both = deny === undefined ? undefined : allow?.entries.find((entry) => sameAs(entry, deny))
  if (both !== undefined) {
    const rule = "without what deny names too"
    return yield* refuse("allow", Networks.format(Networks.fromInputUnsafe([both])), rule)
  }
  const max = given.maxBufferedBytes ?? limitDefaults.maxBufferedBytes
  return {
    given: {
      maxConnections: given.maxConnections,
      perPeer: given.perPeer,
      rate: given.rate,
      allow: given.allow,
      deny: given.deny,
      maxBufferedBytes: given.maxBufferedBytes,
      deadlines: given.deadlines
    },
    maxConnections,
    rate,
    peerMaxConnections: peerMax,
    peerRate: peerRate === undefined || (rate !== undefined && !isStricter(peerRate, rate)) ? undefined : peerRate,
    keyOf: PeerKey.make({
      ipv4PrefixBits: yield* integer("perPeer.ipv4Prefix", peer.ipv4Prefix ?? limitDefaults.ipv4Prefix, [0, 32]),
      ipv6PrefixBits: yield* integer("perPeer.ipv6Prefix", peer.ipv6Prefix ?? limitDefaults.ipv6Prefix, [0, 128])
    }),
    allow,
    deny,
    maxBufferedBytes: max === "unbounded" ? Number.POSITIVE_INFINITY : yield* positive("maxBufferedBytes", max),
    deadlines: yield* settleDeadlines(given.deadlines ?? {})
  }
})

const sameAs = (entry: Networks.Entry, others: Networks.Networks): boolean => {
  const text = Networks.format(Networks.fromInputUnsafe([entry]))
  return others.entries.some((other) => Networks.format(Networks.fromInputUnsafe([other])) === text)
}
