/**
 * A set of networks: which addresses a rule is about. Whom to believe (`--proxy-from`), to let in, to keep out.
 *
 * ```
 * 10.0.0.0/8         a network in CIDR notation, without host bits
 * 192.0.2.7          one address: the same as 192.0.2.7/32
 * 2001:db8::/32      IPv6, the same way
 * unix  memory       every peer of a Unix socket, every peer in this process: they have no IP address
 * ```
 *
 * A set is made once and asked for every connection: the networks are sorted, and a question is a binary search.
 *
 * **Gotchas**: an IPv4-mapped address (`::ffff:10.1.2.3`) is the IPv4 address, in a list as well as in a question; so
 * `::/0` is every IPv6 address and no IPv4 address. A zone (`fe80::1%eth0`) does not count. Host names are in no set.
 *
 * Laws: `contains` is what `IpNetwork.contains` of any one of the networks says; the order of the list does not matter.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type * as Endpoint from "./Endpoint.ts"
import { endpointIp } from "./internal/endpointIp.ts"
import * as table from "./internal/networkTable.ts"

const TypeId = "~hawser/Networks"

/** A member of a set, as it is written: `unix`, `memory`, or a network. @category models @since 0.1.0 */
export type Entry = "unix" | "memory" | IpNetwork.IpNetwork

/** A set of networks. @category models @since 0.1.0 */
export interface Networks {
  readonly [TypeId]: table.Table
  /** As they were given, with single addresses as networks. */
  readonly entries: ReadonlyArray<Entry>
}

/** A set, or what `fromInput` makes one of: texts as in the header of this module. @category models @since 0.1.0 */
export type Input = Networks | ReadonlyArray<string | IpNetwork.IpNetwork>

/** A text that is no network; `rule` says what was expected or what to write. @category errors @since 0.1.0 */
export class NetworksError extends Data.TaggedError("NetworksError")<{
  readonly entry: string
  /** The place in the list, from 0. */
  readonly index: number
  readonly rule: string
}> {
  override readonly message = `network ${JSON.stringify(this.entry)} (number ${this.index + 1}): ${this.rule}`
}

/** Says whether a value is a set of networks. @category guards @since 0.1.0 */
export const isNetworks = (u: unknown): u is Networks => typeof u === "object" && u !== null && TypeId in u

const make = (entries: ReadonlyArray<Entry>): Networks => ({ [TypeId]: table.make(entries), entries })

/** No network at all. @category constructors @since 0.1.0 */
export const empty: Networks = make([])

/** What is wrong with a text, in terms of what to write. */
const whyNot = (text: string): string => {
  const slash = text.lastIndexOf("/")
  const address = NetAddress.ipFromString(slash === -1 ? text : text.slice(0, slash))
  if (Result.isFailure(address)) {
    return `expected a network such as 10.0.0.0/8, an address, unix or memory (${address.failure.message})`
  }
  const prefix = text.slice(slash + 1)
  const width = NetAddress.width(address.success)
  if (!/^(?:0|[1-9]\d*)$/.test(prefix) || Number(prefix) > width) {
    return `the prefix length must be an integer from 0 to ${width}, got ${JSON.stringify(prefix)}`
  }
  const network = IpNetwork.fromAddressUnsafe(address.success, Number(prefix))
  return `the address has bits behind the prefix, write ${IpNetwork.format(network)}`
}

const parse = (text: string): Entry | undefined => {
  if (text === "unix" || text === "memory") return text
  if (text.includes("/")) return Result.getOrUndefined(IpNetwork.fromString(text))
  const address = NetAddress.ipFromString(text)
  if (Result.isFailure(address)) return undefined
  return IpNetwork.fromAddressUnsafe(address.success, NetAddress.width(address.success))
}

/**
 * Makes a set from texts and networks, or gives a set back.
 *
 * **Details**
 * - Errors: `NetworksError` for the first text that is no network, with its place and what to write instead.
 *
 * **Example** (Proxies of one's own network)
 *
 * ```ts
 * import { Endpoint, Networks } from "hawser"
 *
 * const trusted = Networks.fromInputUnsafe(["10.0.0.0/8", "2001:db8::/32"])
 * console.log(Networks.contains(trusted, Endpoint.fromStringUnsafe("tcp://10.1.2.3:4711"))) // true
 * console.log(Networks.contains(trusted, Endpoint.fromStringUnsafe("tcp://[::ffff:10.1.2.3]:4711"))) // true
 * console.log(Networks.contains(trusted, Endpoint.fromStringUnsafe("tcp://192.0.2.1:4711"))) // false
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromInput = (input: Input): Result.Result<Networks, NetworksError> => {
  if (isNetworks(input)) return Result.succeed(input)
  const entries: Array<Entry> = []
  for (const [index, each] of input.entries()) {
    const entry = typeof each === "string" ? parse(each) : each
    if (entry === undefined) {
      const text = String(each)
      return Result.fail(new NetworksError({ entry: text, index, rule: whyNot(text) }))
    }
    entries.push(entry)
  }
  return Result.succeed(make(entries))
}

/** Makes a set from trusted texts and networks; throws `NetworksError`. @category unsafe @since 0.1.0 */
export const fromInputUnsafe = (input: Input): Networks => Result.getOrThrow(fromInput(input))

/** Parses networks with commas or white space between them, or none. @category decoding @since 0.1.0 */
export const fromString = (input: string): Result.Result<Networks, NetworksError> =>
  fromInput(input.split(/[\s,]+/).filter((text) => text !== ""))

/** Writes a set as `fromString` reads it. @category encoding @since 0.1.0 */
export const format = (self: Networks): string =>
  self.entries.map((entry) => typeof entry === "string" ? entry : IpNetwork.format(entry)).join(", ")

/**
 * Says whether the address of an endpoint is in one of the networks.
 *
 * **Details**
 * - Shape: `unix` and `memory` hold for endpoints of these kinds. A host name and `*` are in no network.
 *
 * @category predicates
 * @since 0.1.0
 */
export const contains = (self: Networks, endpoint: Endpoint.Endpoint): boolean => {
  if (endpoint._tag === "Unix") return self[TypeId].unix
  if (endpoint._tag === "Memory") return self[TypeId].memory
  const address = endpointIp(endpoint)
  return address !== undefined && table.has(self[TypeId], address)
}

/** Says whether an address is in one of the networks. @category predicates @since 0.1.0 */
export const containsIp = (self: Networks, address: NetAddress.IpAddress): boolean =>
  table.has(self[TypeId], NetAddress.toCanonical(address))

/** Schema for sets of networks. @category schemas @since 0.1.0 */
export const Networks: Schema.declare<Networks> = Schema.declare(isNetworks, { identifier: "Networks" })

/** Schema for sets of networks encoded as text, for configurations. @category schemas @since 0.1.0 */
export const NetworksFromString: Schema.decodeTo<typeof Networks, Schema.String> = Schema.String.pipe(
  Schema.decodeTo(
    Networks,
    SchemaTransformation.transformEffect({
      decode: (input, options) =>
        Effect.mapError(
          Effect.fromResult(fromString(input)),
          ({ message }) => new SchemaIssue.InvalidValue({ message }, input, options)
        ),
      encode: (networks) => Effect.succeed(format(networks))
    })
  )
).annotate({ identifier: "NetworksFromString" })
