/**
 * Version 1 of the PROXY protocol: one line of text (section 2.1).
 */
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import type * as ProxyHeader from "../ProxyHeader.ts"
import { ipv4, ipv6 } from "./proxyEnds.ts"
import { broken, printable, ProxyHeaderError } from "./proxyHeaderError.ts"
import type { Read } from "./proxyParser.ts"

/** The longest line with its CR LF: the worst case in section 2.1. */
export const maxBytes = 107

const ascii = new TextEncoder()

/** How a line begins. */
export const prefix = ascii.encode("PROXY ")

/** A line that begins so may have anything before its CR LF. */
const unknownPrefix = ascii.encode("PROXY UNKNOWN")

const cr = 0x0d
const lf = 0x0a

const section = "2.1"

const malformed = (rule: string, value: string) => broken("Malformed", section, rule, value)

/** Reads a line from bytes that begin with `prefix`, as far as they go. */
export const read = (bytes: Uint8Array): Read => {
  const line = bytes.subarray(0, maxBytes)
  const mayHaveAnything = line.length >= unknownPrefix.length && unknownPrefix.every((byte, i) => line[i] === byte)
  for (let i = prefix.length; i < line.length; i++) {
    if (line[i] === lf && line[i - 1] === cr) return decode(line.subarray(0, i - 1), i + 1)
    // Told at once: who types a line by hand would wait for the deadline without knowing why.
    const isAlone = line[i] === lf || line[i - 1] === cr
    if (isAlone && !mayHaveAnything) return malformed("a line must end with CR LF", printable(line.subarray(0, i + 1)))
  }
  if (line.length < maxBytes) return undefined
  return broken("TooLarge", section, `a line must end with CR LF within ${maxBytes} bytes`, printable(line))
}

/** Reads a line without its CR LF. `bytes` is its length with them. */
const decode = (line: Uint8Array, bytes: number): Read => {
  // One character per byte, so that what is no ASCII matches no field and is shown as it came.
  let text = ""
  for (const byte of line) text += String.fromCharCode(byte)
  const fields = text.split(" ")
  const [, protocol = "", source = "", destination = "", sourcePort = "", destinationPort = ""] = fields
  if (protocol === "UNKNOWN") {
    return Result.succeed({ header: { _tag: "Proxied", addresses: { _tag: "Unspecified" }, tlvs: [] }, bytes })
  }
  if (protocol !== "TCP4" && protocol !== "TCP6") {
    return malformed("the protocol must be TCP4, TCP6 or UNKNOWN", shown(protocol))
  }
  if (fields.length !== 6) {
    return malformed("a line must have six fields with one space between them", printable(line))
  }
  const ports = decodeBoth(decodePort, sourcePort, destinationPort)
  // The address is judged first, as it stands first.
  const addresses: Result.Result<ProxyHeader.Addresses, ProxyHeaderError> = protocol === "TCP4"
    ? Result.flatMap(decodeBoth(decodeIpv4, source, destination), (ips) => Result.map(ports, (p) => ipv4(...ips, ...p)))
    : Result.flatMap(decodeBoth(decodeIpv6, source, destination), (ips) => Result.map(ports, (p) => ipv6(...ips, ...p)))
  return Result.map(addresses, (addresses) => ({ header: { _tag: "Proxied", addresses, tlvs: [] }, bytes }))
}

const decodeBoth = <A>(
  decodeOne: (field: string) => Result.Result<A, ProxyHeaderError>,
  source: string,
  destination: string
): Result.Result<readonly [A, A], ProxyHeaderError> =>
  Result.flatMap(
    decodeOne(source),
    (from) => Result.map(decodeOne(destination), (to): readonly [A, A] => [from, to])
  )

/** A field, printable. */
const shown = (field: string): string => printable(Uint8Array.from(field, (char) => char.charCodeAt(0)))

const decodeIp = <A>(
  parse: (text: string) => Result.Result<A, NetAddress.NetAddressError>,
  family: "IPv4" | "IPv6",
  text: string
): Result.Result<A, ProxyHeaderError> =>
  Result.mapError(parse(text), ({ message }) =>
    new ProxyHeaderError({
      reason: "Malformed",
      section,
      rule: `an address must be ${family} in its canonical format (${message})`,
      value: shown(text)
    }))

const decodeIpv4 = (text: string) => decodeIp(NetAddress.ipv4FromString, "IPv4", text)
const decodeIpv6 = (text: string) => decodeIp(NetAddress.ipv6FromString, "IPv6", text)

const decodePort = (text: string): Result.Result<number, ProxyHeaderError> => {
  const port = /^(?:0|[1-9]\d{0,4})$/.test(text) ? Number(text) : NaN
  return port <= 65_535
    ? Result.succeed(port)
    : malformed("a port must be a decimal integer from 0 to 65535 without leading zeros", shown(text))
}

/** Writes a header as a line; what version 1 has no word for is `UNKNOWN`. */
export const encode = (header: ProxyHeader.Header): Result.Result<Uint8Array, ProxyHeaderError> => {
  if (header._tag === "Proxied" && header.tlvs.length > 0) {
    const names = header.tlvs.map((tlv) => tlv._tag).join(", ")
    return broken("Unsendable", section, "version 1 has no TLVs, version 2 is needed for them", names)
  }
  return Result.succeed(ascii.encode(`PROXY ${header._tag === "Local" ? "UNKNOWN" : line(header.addresses)}\r\n`))
}

const line = (addresses: ProxyHeader.Addresses): string => {
  if (addresses._tag === "Unspecified" || addresses._tag === "Unix" || addresses.type === "datagram") return "UNKNOWN"
  const { destination, source } = addresses
  const protocol = addresses._tag === "Ipv4" ? "TCP4" : "TCP6"
  return `${protocol} ${formatIp(source.address)} ${formatIp(destination.address)} ${source.port} ${destination.port}`
}

/** An address without dots in IPv6, which section 2.1 does not allow. */
const formatIp = (address: NetAddress.IpAddress): string => {
  if (NetAddress.isIpv4Address(address) || !NetAddress.isIpv4Mapped(address)) return NetAddress.formatIp(address)
  const [, , , , , , high, low] = NetAddress.ipv6ToSegments(address)
  return `::ffff:${high.toString(16)}:${low.toString(16)}`
}
