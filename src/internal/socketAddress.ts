/**
 * Endpoints in the words of `effect/net`.
 */
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Endpoint from "../Endpoint.ts"

/** The address of a listener; for what is none to `effect/net`, a path that spells the endpoint. */
export const toSocketAddress = (endpoint: Endpoint.Endpoint): NetAddress.SocketAddress => {
  switch (endpoint._tag) {
    case "Tcp":
    case "Tls":
      if (endpoint.host === "*") return NetAddress.inetAddressFromIpStringUnsafe("::", endpoint.port)
      return NetAddress.isIpAddress(endpoint.host)
        ? NetAddress.inetAddressUnsafe(endpoint.host, endpoint.port)
        : NetAddress.unixPathAddress(Endpoint.format(endpoint))
    case "Unix":
      return NetAddress.unixPathAddress(endpoint.path)
    case "Memory":
    case "Descriptor":
      return NetAddress.unixPathAddress(Endpoint.format(endpoint))
  }
}

/** The endpoint of an address; a path that no endpoint can have is a name. */
export const fromSocketAddress = (address: NetAddress.SocketAddress): Endpoint.Endpoint => {
  if (address._tag !== "UnixPathAddress") return Endpoint.tcpUnsafe(address.address, address.port)
  return Result.getOrElse(Endpoint.unix(address.path), () => Endpoint.memoryUnsafe(address.path.replace(/^\/+/, "")))
}
