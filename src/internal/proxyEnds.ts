/**
 * Endpoints to the addresses of a PROXY header, and back.
 */
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Endpoint from "../Endpoint.ts"
import type * as ProxyHeader from "../ProxyHeader.ts"
import { endpointIp } from "./endpointIp.ts"

const portOf = (endpoint: Endpoint.Endpoint): number => "port" in endpoint ? endpoint.port : 0

const toIpv6 = (address: NetAddress.IpAddress): NetAddress.Ipv6Address =>
  NetAddress.isIpv4Address(address) ? NetAddress.toIpv4Mapped(address) : address

/** The addresses that two endpoints have in common: of one family, or none. */
export const toAddresses = (
  source: Endpoint.Endpoint,
  destination: Endpoint.Endpoint
): ProxyHeader.Addresses => {
  if (source._tag === "Unix" && destination._tag === "Unix") {
    return { _tag: "Unix", type: "stream", source, destination }
  }
  const from = endpointIp(source)
  const to = endpointIp(destination)
  if (from === undefined || to === undefined) return { _tag: "Unspecified" }
  const ports = [portOf(source), portOf(destination)] as const
  return NetAddress.isIpv4Address(from) && NetAddress.isIpv4Address(to)
    ? ipv4(from, to, ...ports)
    : ipv6(toIpv6(from), toIpv6(to), ...ports)
}

/** Addresses of a stream over IPv4; the ports were checked. */
export const ipv4 = (
  source: NetAddress.Ipv4Address,
  destination: NetAddress.Ipv4Address,
  sourcePort: number,
  destinationPort: number,
  type: ProxyHeader.SocketType = "stream"
): ProxyHeader.Ipv4 => ({
  _tag: "Ipv4",
  type,
  source: Result.getOrThrow(NetAddress.inetAddressV4(source, sourcePort)),
  destination: Result.getOrThrow(NetAddress.inetAddressV4(destination, destinationPort))
})

/** Addresses of a stream over IPv6; the ports were checked. */
export const ipv6 = (
  source: NetAddress.Ipv6Address,
  destination: NetAddress.Ipv6Address,
  sourcePort: number,
  destinationPort: number,
  type: ProxyHeader.SocketType = "stream"
): ProxyHeader.Ipv6 => ({
  _tag: "Ipv6",
  type,
  source: Result.getOrThrow(NetAddress.inetAddressV6(source, sourcePort)),
  destination: Result.getOrThrow(NetAddress.inetAddressV6(destination, destinationPort))
})

const toTcp = (address: NetAddress.InetAddress): Endpoint.Tcp =>
  Endpoint.tcpUnsafe(NetAddress.toCanonical(address.address), address.port)

/** The endpoints that addresses of a stream name. */
export const fromAddresses = (addresses: ProxyHeader.Addresses): ProxyHeader.Ends | undefined => {
  if (addresses._tag === "Unspecified" || addresses.type === "datagram") return undefined
  if (addresses._tag === "Unix") return { source: addresses.source, destination: addresses.destination }
  return { source: toTcp(addresses.source), destination: toTcp(addresses.destination) }
}
