/**
 * Random plans of faults for a simulated network, as data.
 *
 * Each plan leaves out about half of the kinds of faults that it could have. A plan in which everything goes wrong all
 * the time finds less than many plans in each of which a few things do (A. Groce and others, "Swarm testing", ISSTA
 * 2012). A plan shrinks to the fewest faults, with the fewest words and the smallest numbers.
 *
 * ```
 * [Crash b at 812 for 90, Stall a->b at 30 for 400, Crash a at 4 for 7]   -->   [Crash b for 1]
 * ```
 *
 * Every fault ends by itself, so that a system that heals can be asked for all of its promises in the end.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import type * as Fault from "../Fault.ts"
import * as Draw from "./Draw.ts"

/** The kinds of faults that are drawn; what puts them right again is a part of them. @category models @since 0.1.0 */
export type Family = Exclude<Fault.Tag, "Repair" | "Restart" | "Accept">

/** What a plan may have in it. @category options @since 0.1.0 */
export interface FaultPlanOptions {
  /** The hosts, by name; one at least. Faults between hosts need two. */
  readonly hosts: readonly [string, ...ReadonlyArray<string>]
  /** @default all that these hosts can have, but `Corrupt`: no stream hides that from its user */
  readonly families?: ReadonlyArray<Family> | undefined
  /** @default 8 */
  readonly maxFaults?: number | undefined
  /** When the last fault begins, at the latest. @default 10000 */
  readonly withinMillis?: number | undefined
  /** How long a fault lasts, at most. @default 5000 */
  readonly lastingMillis?: number | undefined
  /** Up to which byte of a stream it is reset or corrupted. @default 4096 */
  readonly withinBytes?: number | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
const defaults = {
  maxFaults: 8,
  /** Long enough for most retries and time limits to play a part. */
  withinMillis: 10_000,
  lastingMillis: 5_000,
  withinBytes: 4_096
} as const

/** An object of what is there: a key that is absent says less than one that is undefined. */
type Present<T> = { readonly [K in keyof T]: Exclude<T[K], undefined> }

const present = <T extends object>(fields: T): Present<T> =>
  // What is undefined is gone, and the rest is as it was.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>

/**
 * Plans of faults.
 *
 * **Details**
 * - Shape: an array of `Fault`, in any order; none is a plan too.
 * - Errors: throws a `RangeError` for a number that is no integer from 0, and for a family that there is not, or that
 *   needs two hosts where there is one.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const faultPlan = (options: FaultPlanOptions): Arbitrary.Arbitrary<Fault.Plan> => {
  const { hosts } = options
  for (const option of Object.keys(defaults) as Array<keyof typeof defaults>) { // its keys are known
    const value = options[option] ?? defaults[option]
    if (Number.isSafeInteger(value) && value >= 0) continue
    throw new RangeError(`${option} must be an integer from 0, got ${value}`)
  }
  const kinds = kindsOf(options)
  const all = Object.keys(kinds) as Array<Family> // the keys of a record of families
  const families = options.families ?? all.filter((family) => family !== "Corrupt")
  const [first, ...rest] = families.map((family) => {
    const kind = kinds[family]
    if (kind !== undefined) return kind
    throw new RangeError(
      hosts.length > 1
        ? `families must be of ${all.join(", ")}, got ${family}`
        : `${family} needs two hosts, got ${hosts.join(", ") || "none"}`
    )
  })
  if (first === undefined) return Arbitrary.Constant([])
  const maxLength = options.maxFaults ?? defaults.maxFaults
  return Arbitrary.all({
    // A family more or less, as a coin falls for each; a plan of one family has it.
    out: Arbitrary.all(families.map((_, i) => i === 0 && rest.length === 0 ? Arbitrary.Constant(false) : coin)),
    // Half of them will be left out.
    faults: Arbitrary.array(Draw.oneOf([first, ...rest]), { maxLength: 2 * maxLength })
  }).pipe(
    Arbitrary.map(({ faults, out }) => faults.filter(({ _tag }) => out[families.indexOf(_tag as Family)] === false)),
    Arbitrary.map((faults) => faults.slice(0, maxLength))
  )
}

const coin = Draw.element([false, true])

/** The arbitraries of all kinds that these hosts can have. */
const kindsOf = (options: FaultPlanOptions): { readonly [K in Family]?: Arbitrary.Arbitrary<Fault.Fault> } => {
  const { hosts } = options
  const [pair, ...pairs] = hosts.flatMap((from) => hosts.flatMap((to) => from === to ? [] : [{ from, to }]))
  const millis = Draw.integer(options.withinMillis ?? defaults.withinMillis, [1, 10, 100, 1_000])
  const lasting = Draw.integer(options.lastingMillis ?? defaults.lastingMillis, [1, 10, 100, 1_000])
  const byte = Draw.integer(options.withinBytes ?? defaults.withinBytes, [0, 1, 2, 3, 4, 8, 100])
  const host = Draw.element(hosts)
  const at = Draw.maybe(millis)
  const times = { at, forMillis: lasting }
  const connection = Draw.maybe(Arbitrary.map(Draw.integer(3, []), (n) => n + 1))
  const atHost = {
    Crash: fault("Crash", {
      host,
      at,
      peers: Draw.maybe(Draw.element(["silent"])),
      restartAfterMillis: lasting
    }),
    Refuse: fault("Refuse", { host, ...times }),
    BlackHole: fault("BlackHole", { host, ...times }),
    HoldAccepts: fault("HoldAccepts", { host, ...times }),
    Exhaust: fault("Exhaust", { host, ...times, descriptors: Draw.integer(64, [0, 1, 2, 3]) })
  }
  if (pair === undefined) return atHost
  const place = Draw.element([pair, ...pairs])
  const direction = Draw.maybe(Draw.element(["oneWay"]))
  return {
    Partition: between("Partition", place, {
      ...times,
      direction,
      connections: Draw.maybe(Draw.element(["reset"])),
      dials: Draw.maybe(Draw.element(["reject"]))
    }),
    Stall: between("Stall", place, times),
    Reset: Draw.oneOf([
      between("Reset", place, { atByte: byte, connection, seenAs: Draw.maybe(Draw.element(["end"])) }),
      between("Reset", place, { at: millis, connection, seenAs: Draw.maybe(Draw.element(["end"])) })
    ]),
    Corrupt: between("Corrupt", place, {
      atByte: byte,
      connection,
      xor: Arbitrary.map(Draw.integer(7, []), (bit) => 1 << bit)
    }),
    SetLink: between("SetLink", place, { ...times, direction, settings }),
    ...atHost
  }
}

const settings = Arbitrary.map(
  Arbitrary.all({
    latency: Draw.maybe(Draw.integer(2_000, [1, 10, 100])),
    bytesPerSecond: Draw.maybe(Arbitrary.map(Draw.integer(100_000, [9, 99, 999]), (n) => n + 1)),
    maxSegmentBytes: Draw.maybe(Arbitrary.map(Draw.integer(1_460, [0, 1, 2, 7]), (n) => n + 1)),
    windowBytes: Draw.maybe(Arbitrary.map(Draw.integer(65_535, [0, 1, 15, 255]), (n) => n + 1)),
    segmenting: Draw.maybe(Draw.element(["drip", "random"])),
    unread: Draw.maybe(Draw.element(["keep"]))
  }),
  present
)

type Fields = Readonly<Record<string, Arbitrary.Arbitrary<unknown>>>

const fault = (tag: Family, fields: Fields): Arbitrary.Arbitrary<Fault.Fault> =>
  // Each call below gives the fields of its kind; a test checks what is drawn with the schema.
  Arbitrary.map(Arbitrary.all(fields), (drawn) => ({ _tag: tag, ...present(drawn) }) as unknown as Fault.Fault)

const between = (
  tag: Family,
  place: Arbitrary.Arbitrary<{ readonly from: string; readonly to: string }>,
  fields: Fields
): Arbitrary.Arbitrary<Fault.Fault> =>
  Arbitrary.map(Arbitrary.all([place, fault(tag, fields)]), ([place, fault]) => ({ ...fault, ...place }) as Fault.Fault)
