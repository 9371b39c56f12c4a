/**
 * The IP address in an endpoint, in the one form in which addresses are compared.
 */
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type * as Endpoint from "../Endpoint.ts"

/**
 * The IP address of an endpoint, or undefined: a name, `*`, a Unix socket and a place in memory have none.
 *
 * An IPv4-mapped address becomes the IPv4 address, and a zone (`fe80::1%eth0`) is left out: it says on which link the
 * address is, and a network in a list does not.
 */
export const endpointIp = (endpoint: Endpoint.Endpoint): NetAddress.IpAddress | undefined => {
  if (endpoint._tag !== "Tcp" && endpoint._tag !== "Tls") return undefined
  const { host } = endpoint
  if (typeof host !== "string") return NetAddress.isIpv4Address(host) ? host : NetAddress.toCanonical(host)
  const zone = host.indexOf("%")
  if (zone === -1) return undefined
  const address = NetAddress.ipv6FromString(host.slice(0, zone))
  return Result.isSuccess(address) ? NetAddress.toCanonical(address.success) : undefined
}
