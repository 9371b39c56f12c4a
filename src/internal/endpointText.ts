/**
 * How the text of an endpoint with a host and a port is taken apart, and what is wrong with the others.
 */
import * as Host from "effect/net/Host"
import * as Result from "effect/Result"

export const isPort = (port: number): boolean => Number.isInteger(port) && port >= 0 && port <= 65_535

export const portRule = (got: number | string): string => `port must be an integer from 0 to 65535, got ${got}`

export const isDescriptor = (fd: number | string): boolean =>
  /^\d+$/.test(String(fd)) && Number(fd) >= 3 && Number(fd) < 2 ** 31

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

/** `sun_path` has 108 bytes; a NUL ends a path and begins an abstract name (unix(7), Address format). */
const maxUnixBytes = 107

const encoder = new TextEncoder()

/** What is wrong with the path of a Unix socket, or with its abstract name behind an `@`. */
export const unixProblem = (path: string): string | undefined => {
  if (path === "@") return "an abstract name must not be empty, write unix:@NAME"
  if (path.includes("\0")) return "path must not contain a NUL"
  const bytes = encoder.encode(path.replace(/^@/, "")).length
  if (bytes <= maxUnixBytes) return undefined
  return `path must be at most ${maxUnixBytes} bytes, the limit of sun_path in unix(7), got ${bytes}`
}

/** What is wrong with a text without a known scheme; `tcpProblem` is what is wrong with it as a TCP endpoint. */
export const withoutScheme = (input: string, tcpProblem: (text: string) => string | undefined): string => {
  if (/^[/@.]/.test(input)) return `a scheme is missing, write unix:${input}`
  if (/^[^/]*:\d+$/.test(input)) {
    const problem = tcpProblem(input)
    return `a scheme is missing, ${problem === undefined ? `write tcp://${input}` : `and ${problem}`}`
  }
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(input)?.[1]
  return scheme === undefined
    ? "expected tcp://HOST:PORT, tls://HOST:PORT, unix:PATH or memory:NAME"
    : `unknown scheme ${scheme}, the known ones are tcp, tls, unix, memory and fd`
}
