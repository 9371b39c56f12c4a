/**
 * How the text of an endpoint with a host and a port is taken apart.
 */
import * as Host from "effect/net/Host"
import * as Result from "effect/Result"

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65_535

export const portRule = (got: number | string): string => `port must be an integer from 0 to 65535, got ${got}`

export const descriptorRule = (got: number | string): string =>
  `a descriptor must be an integer from 3, as systemd counts them, got ${got}`

const isIpv6 = (text: string): boolean => text.includes(":") && Result.isSuccess(Host.hostFromString(text))

/** What to write instead of an IPv6 address without brackets, with or without a port. */
export const bracketed = (text: string): string | undefined => {
  const colon = text.lastIndexOf(":")
  const address = text.slice(0, colon)
  if (isIpv6(address) && /^\d+$/.test(text.slice(colon + 1))) return `[${address}]${text.slice(colon)}`
  return isIpv6(text) ? `[${text}]:PORT` : undefined
}

/** `[IPv6]` or a host, then a colon and a port, then what should not be there. Matches every text. */
export const inetPattern = /^(?:\[([^\]]*)\]|([^[:/?#]*))(?::([^/?#]*))?(.*)$/s
