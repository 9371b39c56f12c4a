/**
 * Who counts as one peer: the bucket that limits per peer count in.
 *
 * A customer of a provider has one IPv4 address, but a whole IPv6 network, /64 at least: whoever counts single IPv6
 * addresses counts nothing. So a key is a network, written in CIDR notation.
 *
 * ```
 * tcp://192.0.2.7:4711             192.0.2.7/32
 * tcp://[2001:db8:1:2:3::4]:4711   2001:db8:1:2::/64
 * unix:, unix:/run/x.sock          unix        all of them: the client chooses its own path, so it tells nothing
 * memory:client                    memory      all of them
 * ```
 *
 * **Gotchas**: a proxy is one peer, however many clients it has: count by the address in its PROXY header. A key names
 * a network for a human and for a map; it is not shortened as an address would be (`2001:db8:0:0::/64`).
 *
 * Laws: two IP peers have the same key if and only if one network of the prefix length contains both.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as NetAddress from "effect/net/NetAddress"
import * as Endpoint from "./Endpoint.ts"
import { endpointIp } from "./internal/endpointIp.ts"

/** How large one peer is. @category options @since 0.1.0 */
export interface Options {
  /**
   * How many leading bits of an IPv4 address are one peer.
   *
   * @default 32
   */
  readonly ipv4PrefixBits?: number | undefined
  /**
   * How many leading bits of an IPv6 address are one peer.
   *
   * @default 64
   */
  readonly ipv6PrefixBits?: number | undefined
}

/** What holds where nothing is set. @category options @since 0.1.0 */
export const defaults = {
  /** One address; many clients may be behind it, but no smaller unit can be seen. */
  ipv4PrefixBits: 32,
  /** The smallest network that a site gets (RFC 6177); every host in it chooses its addresses freely. */
  ipv6PrefixBits: 64
}

/** An option that no key can have; thrown by `make`. @category errors @since 0.1.0 */
export class PeerKeyOptionsError extends Data.TaggedError("PeerKeyOptionsError")<{
  readonly option: "ipv4PrefixBits" | "ipv6PrefixBits"
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.option} must be ${this.rule}, got ${String(this.value)}`
}

const checked = (options: Options | undefined, option: "ipv4PrefixBits" | "ipv6PrefixBits", width: number): number => {
  const bits = options?.[option] ?? defaults[option]
  if (Number.isInteger(bits) && bits >= 0 && bits <= width) return bits
  throw new PeerKeyOptionsError({ option, value: bits, rule: `an integer from 0 to ${width}` })
}

/**
 * Makes the function that gives the key of a peer.
 *
 * **Details**
 * - Shape: a host name, which no peer has, is its own key. TCP and TLS do not differ.
 * - Errors: throws a `PeerKeyOptionsError` for a prefix that is no integer from 0 to the width of the address.
 *
 * **Example**
 *
 * ```ts
 * import { Endpoint, PeerKey } from "hawser"
 *
 * const keyOf = PeerKey.make({ ipv4PrefixBits: 24 })
 * console.log(keyOf(Endpoint.fromStringUnsafe("tcp://192.0.2.7:4711"))) // 192.0.2.0/24
 * console.log(keyOf(Endpoint.fromStringUnsafe("tcp://[2001:db8:1:2:3::4]:4711"))) // 2001:db8:1:2::/64
 * ```
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options?: Options): (peer: Endpoint.Endpoint) => string => {
  const v4 = ipv4Key(checked(options, "ipv4PrefixBits", 32))
  const v6 = ipv6Key(checked(options, "ipv6PrefixBits", 128))
  return (peer) => {
    if (peer._tag === "Unix") return "unix"
    if (peer._tag === "Memory") return "memory"
    const address = endpointIp(peer)
    if (address === undefined) return peer._tag === "Descriptor" ? Endpoint.format(peer) : String(peer.host)
    return NetAddress.isIpv4Address(address) ? v4(address) : v6(address)
  }
}

const ipv4Key = (bits: number): (address: NetAddress.Ipv4Address) => string => {
  const mask = bits === 0 ? 0 : -1 << (32 - bits)
  return (address) => {
    const [a, b, c, d] = NetAddress.ipv4ToOctets(address)
    const base = ((a << 24) | (b << 16) | (c << 8) | d) & mask
    return `${base >>> 24}.${(base >>> 16) & 255}.${(base >>> 8) & 255}.${base & 255}/${bits}`
  }
}

const ipv6Key = (bits: number): (address: NetAddress.Ipv6Address) => string => {
  /** How many segments have bits of the prefix; the last of them may have others, too. */
  const segments = Math.ceil(bits / 16)
  const lastMask = (0xffff << (16 * segments - bits)) & 0xffff
  const end = `${segments === 8 ? "" : "::"}/${bits}`
  return (address) => {
    const parts = NetAddress.ipv6ToSegments(address)
    let key = ""
    for (let i = 0; i < segments; i++) {
      const part = parts[i] ?? 0
      key += (i === 0 ? "" : ":") + (i === segments - 1 ? part & lastMask : part).toString(16)
    }
    return key + end
  }
}
