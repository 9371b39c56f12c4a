/**
 * What a simulated link between two hosts is like: how long bytes take, how many fit, and in which pieces they come.
 *
 * Settings are plain data, one value for each direction of each pair of hosts. They hold for what is sent from then on.
 *
 * ```
 * write --> [ window ] --> depart, at most bytesPerSecond --> latency + the pair's own --> arrive, in segments
 * ```
 *
 * Every delivery has its own due time and none overtakes another: a stream is never reordered, and nothing of it is
 * lost. What looks like loss to TCP's users is delay, a stall or a reset.
 *
 * **Gotchas**: congestion control and retransmission of single segments are not simulated; of them, a program sees
 * nothing but latency.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as Random from "./Random.ts"

const Millis = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))
const Bytes = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/**
 * How long a segment is on its way, in milliseconds: always the same (a number alone says that too), or drawn for each
 * segment.
 *
 * **Details**
 * - Shape: `Exponential` is `minMillis` plus an exponential part with the rest of the mean, cut at ten times that rest;
 *   `Bimodal` is `slowMillis` with probability `slowRatio`, else `fastMillis`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Latency = Schema.Union([
  Millis,
  Schema.TaggedStruct("Fixed", { millis: Millis }),
  Schema.TaggedStruct("Uniform", { minMillis: Millis, maxMillis: Millis }).check(
    Schema.makeFilter(({ maxMillis, minMillis }) => minMillis <= maxMillis || "minMillis must be at most maxMillis")
  ),
  Schema.TaggedStruct("Exponential", { minMillis: Millis, meanMillis: Millis }).check(
    Schema.makeFilter(({ meanMillis, minMillis }) => minMillis <= meanMillis || "minMillis must be at most meanMillis")
  ),
  Schema.TaggedStruct("Bimodal", {
    fastMillis: Millis,
    slowMillis: Millis,
    slowRatio: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
  })
])

/** How long a segment is on its way. @category models @since 0.1.0 */
export type Latency = typeof Latency.Type

/**
 * How the bytes that leave together are cut: `whole` as little as possible, `drip` in single bytes, `random` anywhere,
 * or with the sizes of the first segments of each connection's direction, after which all is whole.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Segmenting = Schema.Union([Schema.Literals(["whole", "drip", "random"]), Schema.Array(Bytes)])

/** How the bytes that leave together are cut. @category models @since 0.1.0 */
export type Segmenting = typeof Segmenting.Type

/**
 * The settings of one direction of a link; those that are left out stay as they are, at first `defaults`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Settings = Schema.Struct({
  /** How long a segment is on its way. @default 1 */
  latency: Schema.optionalKey(Latency),
  /**
   * Each pair of hosts gets a latency of its own on top, drawn once, from 0 to this: a peer that is always slow.
   * @default 0
   */
  pairMillis: Schema.optionalKey(Millis),
  /** What all connections of this direction share. @default "unlimited" */
  bytesPerSecond: Schema.optionalKey(
    Schema.Union([Schema.Literal("unlimited"), Schema.Finite.check(Schema.isGreaterThan(0))])
  ),
  /** No segment is larger. @default 65536 */
  maxSegmentBytes: Schema.optionalKey(Bytes),
  /** What one direction of a connection holds that was written and not read; then the writer waits. @default 65536 */
  windowBytes: Schema.optionalKey(Bytes),
  /** How the bytes that leave together are cut. @default "whole" */
  segmenting: Schema.optionalKey(Segmenting),
  /**
   * Whether segments that wait for the reader are read as one chunk, as a kernel does it, or each as a chunk of its own.
   * @default "join"
   */
  unread: Schema.optionalKey(Schema.Literals(["join", "keep"])),
  /**
   * What a peer's reset looks like: a reset destroys what was not read; as an end, the data before it can be read, and
   * then comes a peaceful end in the middle of it (measured on Node 20). @default "reset"
   */
  resets: Schema.optionalKey(Schema.Literals(["reset", "end"]))
}).annotate({ identifier: "SimulatedLink" })

/** Some settings of a link. @category models @since 0.1.0 */
export type Settings = typeof Settings.Type

/** All settings of a link. @category models @since 0.1.0 */
export type AllSettings = { readonly [K in keyof Settings]-?: Exclude<Settings[K], undefined> }

/** The settings of a link of which nothing else was said. @category options @since 0.1.0 */
export const defaults: AllSettings = {
  /** A millisecond: every delivery is an event of its own, and no cause and effect are at one moment. */
  latency: 1,
  pairMillis: 0,
  bytesPerSecond: "unlimited",
  /** What Node reads at once. */
  maxSegmentBytes: 65_536,
  /** As in memory; small, so that who writes without reading is found. A Linux kernel takes 4 MB on loopback. */
  windowBytes: 65_536,
  segmenting: "whole",
  unread: "join",
  resets: "reset"
}

/** Settings with others on top. @category combinators @since 0.1.0 */
export const merge = (self: AllSettings, settings: Settings): AllSettings => ({ ...self, ...settings })

/** The shortest latency that can be drawn: what an acknowledgement takes. @category getters @since 0.1.0 */
export const minLatency = (latency: Latency): number => {
  if (typeof latency === "number") return latency
  switch (latency._tag) {
    case "Fixed":
      return latency.millis
    case "Uniform":
    case "Exponential":
      return latency.minMillis
    case "Bimodal":
      return Math.min(latency.fastMillis, latency.slowMillis)
  }
}

/** An exponential draw has no largest value; a simulation that waits for the one in a million is of no use. */
const exponentialCut = 10

/** Draws the latency of one segment. @category getters @since 0.1.0 */
export const drawLatency = (latency: Latency, random: Random.Random): number => {
  if (typeof latency === "number") return latency
  switch (latency._tag) {
    case "Fixed":
      return latency.millis
    case "Uniform":
      return latency.minMillis + random.real() * (latency.maxMillis - latency.minMillis)
    case "Exponential": {
      const rest = latency.meanMillis - latency.minMillis
      // Inverse transform; 1 - real() is never 0.
      return latency.minMillis + rest * Math.min(exponentialCut, -Math.log(1 - random.real()))
    }
    case "Bimodal":
      return random.chance(latency.slowRatio) ? latency.slowMillis : latency.fastMillis
  }
}

/**
 * How many bytes the next segment takes of those that may leave; `index` counts the segments of this direction.
 *
 * @category getters
 * @since 0.1.0
 */
export const drawSegment = (
  { maxSegmentBytes, segmenting }: Pick<AllSettings, "maxSegmentBytes" | "segmenting">,
  index: number,
  available: number,
  random: () => Random.Random
): number => {
  const most = Math.min(available, maxSegmentBytes)
  if (segmenting === "whole") return most
  if (segmenting === "drip") return 1
  if (segmenting === "random") return random().int(1, most)
  return Math.min(segmenting[index] ?? most, most)
}
