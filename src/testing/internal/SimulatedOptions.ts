/**
 * What a simulated network is made from: options, their defaults, and what is wrong with them.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Formatter from "effect/Formatter"
import * as NetAddress from "effect/net/NetAddress"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Endpoint from "../../Endpoint.ts"
import { toMillis } from "../../internal/time.ts"
import * as Fault from "../Fault.ts"
import * as Random from "../Random.ts"
import * as SimulatedLink from "../SimulatedLink.ts"
import type * as Timers from "../Timers.ts"
import * as Trace from "../Trace.ts"
import { type LinkRule, nameOf, type Parts } from "./SimulatedCore.ts"

/** A host, when there is more to say than its name. @category options @since 0.1.0 */
export interface HostOptions {
  /** A name as endpoints have it: `tcp://NAME:PORT`. */
  readonly name: string
  /** @default an IPv4 and an IPv6 address of its own, from the networks for documentation */
  readonly addresses?: ReadonlyArray<NetAddress.IpAddressInput> | undefined
  /** How many sockets and listeners it may have open. @default no limit */
  readonly descriptors?: number | undefined
}

/** The link between two hosts; `"*"` is any. @category options @since 0.1.0 */
export interface LinkOptions extends SimulatedLink.Settings {
  readonly from: string
  readonly to: string
  /** @default "both" */
  readonly direction?: "both" | "oneWay" | undefined
}

/** What a network is like. @category options @since 0.1.0 */
export interface Options {
  /** Decides everything that is drawn. @default 0 */
  readonly seed?: number | string | undefined
  /** The hosts. Then there are no others. @default each host is added when its name is first used */
  readonly hosts?: ReadonlyArray<string | HostOptions> | undefined
  /** Every link. @default SimulatedLink.defaults */
  readonly link?: SimulatedLink.Settings | undefined
  /** Some links, on top of that; later ones win. */
  readonly links?: ReadonlyArray<LinkOptions> | undefined
  /** What goes wrong, and when. @default nothing */
  readonly faults?: Fault.Plan | undefined
  /** How long a dial waits for an answer. @default "127 seconds" */
  readonly connectTimeout?: Duration.Input | undefined
  /** How long a connection waits that has sent and is cut off. @default "924600 millis" */
  readonly giveUp?: Duration.Input | undefined
  /** How many events the trace keeps, the newest. @default 10000 */
  readonly maxTraceEvents?: number | undefined
  /** What calls back in time. @default those of the virtual clock that is around, or else of the current clock */
  readonly timers?: Timers.Timers | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  seed: 0,
  /** Linux with its six retries, `tcp_syn_retries`: 1 + 2 + 4 + 8 + 16 + 32 + 64 s. */
  connectTimeout: "127 seconds",
  /** Linux with its fifteen retries, `tcp_retries2`, by its own account. */
  giveUp: "924600 millis",
  maxTraceEvents: Trace.defaultMaxEvents
} as const

/**
 * An option that no network can have.
 *
 * @category errors
 * @since 0.1.0
 */
export class SimulatedNetworkError extends Data.TaggedError("SimulatedNetworkError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.option}: ${this.rule}, got ${Formatter.format(this.value)}`
}

/** Options that were checked, without what only the running network has. @category models @since 0.1.0 */
export interface Settled extends Omit<Parts, "timers"> {
  readonly seed: number | string
  readonly hosts: ReadonlyArray<{
    readonly name: string
    readonly addresses: ReadonlyArray<NetAddress.IpAddress> | undefined
    readonly descriptors: number | undefined
  }>
  readonly faults: Fault.Plan
}

type Checked<A, E = SimulatedNetworkError> = Result.Result<A, E>

const fail = (option: string, value: unknown, rule: string): Checked<never> =>
  Result.fail(new SimulatedNetworkError({ option, value, rule }))

/** Misspelt keys are errors: an option that does nothing would make a test pass. */
const strict = { onExcessProperty: "error" } as const

const decodeSettings = Schema.decodeUnknownResult(SimulatedLink.Settings, strict)

const settings = (option: string, value: unknown): Checked<SimulatedLink.Settings> =>
  Result.mapError(
    decodeSettings(value),
    ({ message }) => new SimulatedNetworkError({ option, value, rule: message })
  )

const millis = (option: string, value: Duration.Input): Checked<number> => {
  const time = toMillis(value)
  return time > 0 ? Result.succeed(time) : fail(option, value, "must be a time longer than 0")
}

/** The name of a host as its endpoints have it. @category checks @since 0.1.0 */
export const hostName = (name: string): Checked<string> => {
  const endpoint = Endpoint.tcp(name, 1)
  const host = Result.isSuccess(endpoint) ? endpoint.success.host : undefined
  return typeof host === "string" && host !== "*" && host !== "localhost" && !host.includes("%")
    ? Result.succeed(nameOf(host))
    : fail("host", name, "a host must have a name as in tcp://NAME:PORT, no address")
}

/** A name in a fault or a link: `"*"`, or that of a host as its endpoints have it. @category checks @since 0.1.0 */
export const meantName = (name: string): Checked<string> => name === "*" ? Result.succeed(name) : hostName(name)

const hostOf = (input: string | HostOptions): Checked<Settled["hosts"][number]> =>
  Result.gen(function*() {
    const host: HostOptions = typeof input === "string" ? { name: input } : input
    const { descriptors } = host
    const addresses: Array<NetAddress.IpAddress> = []
    for (const address of host.addresses ?? []) {
      addresses.push(
        yield* Result.mapError(
          NetAddress.ipFromInput(address),
          ({ message }) => new SimulatedNetworkError({ option: "addresses", value: address, rule: message })
        )
      )
    }
    if (host.addresses?.length === 0) return yield* fail("addresses", [], "a host must have an address")
    if (descriptors !== undefined && !(Number.isSafeInteger(descriptors) && descriptors >= 0)) {
      return yield* fail("descriptors", descriptors, "must be an integer from 0")
    }
    return {
      name: yield* hostName(host.name),
      addresses: host.addresses === undefined ? undefined : addresses,
      descriptors
    }
  })

const linkName = (name: string): Checked<string> =>
  Result.mapError(meantName(name), (error) => new SimulatedNetworkError({ ...error, option: "links" }))

const decodeFault = Schema.decodeUnknownResult(Fault.Fault, strict)

const tags: ReadonlyArray<string> = Fault.Fault.members.map(({ fields }) => fields._tag.schema.literal)
const tagRule = `_tag must be ${tags.slice(0, -1).map((tag) => `"${tag}"`).join(", ")} or "${tags.at(-1)}"`

/** A fault that is well formed, with the names as endpoints have them. @category checks @since 0.1.0 */
export const fault = (value: unknown): Checked<Fault.Fault, Fault.FaultError> => {
  // The schema would only say that it is no fault.
  if (!Predicate.hasProperty(value, "_tag") || !tags.some((tag) => tag === value._tag)) {
    return Result.fail(new Fault.FaultError({ fault: value, rule: tagRule }))
  }
  return Result.gen(function*() {
    const fault = yield* decodeFault(value)
    if ("host" in fault) return { ...fault, host: yield* meantName(fault.host) }
    return { ...fault, from: yield* meantName(fault.from), to: yield* meantName(fault.to) }
  }).pipe(Result.mapError(({ message }) => new Fault.FaultError({ fault: value, rule: message })))
}

/** Checks all options. @category checks @since 0.1.0 */
export const settle = (options: Options): Checked<Settled, SimulatedNetworkError | Fault.FaultError> =>
  Result.gen(function*() {
    const seed = options.seed ?? defaults.seed
    if (typeof seed === "number" && !Number.isSafeInteger(seed)) {
      return yield* fail("seed", seed, "must be an integer or a text")
    }
    const links: Array<LinkRule> = []
    for (const given of options.links ?? []) {
      const { direction = "both", from, to, ...link } = given
      if (direction !== "both" && direction !== "oneWay") {
        return yield* fail("links", given, "direction must be \"both\" or \"oneWay\"")
      }
      const rule = {
        from: yield* linkName(from),
        to: yield* linkName(to),
        settings: yield* settings("links", link)
      }
      links.push(rule)
      if (direction === "both") links.push({ ...rule, from: rule.to, to: rule.from })
    }
    const hosts: Array<Settled["hosts"][number]> = []
    for (const input of options.hosts ?? []) hosts.push(yield* hostOf(input))
    const faults: Array<Fault.Fault> = []
    for (const value of options.faults ?? []) faults.push(yield* fault(value))
    const maxTraceEvents = options.maxTraceEvents ?? defaults.maxTraceEvents
    if (!(Number.isSafeInteger(maxTraceEvents) && maxTraceEvents >= 0)) {
      return yield* fail("maxTraceEvents", maxTraceEvents, "must be an integer from 0")
    }
    return {
      seed,
      hosts,
      faults,
      random: Random.make(typeof seed === "number" ? seed : Random.hash(seed)),
      trace: new Trace.Trace(maxTraceEvents),
      link: SimulatedLink.merge(SimulatedLink.defaults, yield* settings("link", options.link ?? {})),
      links,
      connectTimeoutMillis: yield* millis("connectTimeout", options.connectTimeout ?? defaults.connectTimeout),
      giveUpMillis: yield* millis("giveUp", options.giveUp ?? defaults.giveUp)
    }
  })
