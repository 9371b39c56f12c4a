/**
 * Version 2 of the PROXY protocol: a binary head, addresses and TLVs (section 2.2).
 */
import * as Bytes from "effect/Bytes"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Endpoint from "../Endpoint.ts"
import type * as ProxyHeader from "../ProxyHeader.ts"
import { ipv4, ipv6 } from "./proxyEnds.ts"
import { broken, hexByte, printable, type ProxyHeaderError } from "./proxyHeaderError.ts"
import type { Read } from "./proxyParser.ts"
import * as tlv from "./proxyTlv.ts"

/** How a header begins. */
export const signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a)

/** The bytes before the addresses. */
const headBytes = 16

/** What the length field can say. */
const maxLength = 65_535

/** The longest header there can be. */
export const maxBytes = headBytes + maxLength

/** The size of a Unix address: `sun_path` of Linux. */
const unixBytes = 108

/** The size of the addresses, by family: AF_UNSPEC, AF_INET, AF_INET6, AF_UNIX. */
const addressBytes = [0, 12, 36, 2 * unixBytes]

const families = ["AF_UNSPEC", "AF_INET", "AF_INET6", "AF_UNIX"]

const section = "2.2"

const malformed = (rule: string, value: string) => broken("Malformed", section, rule, value)

/** Reads a header from bytes that begin with the signature, as far as they go, and judges each as soon as it is there. */
export const read = (bytes: Uint8Array, limit: number): Read => {
  const command = bytes[12]
  if (command === undefined) return undefined
  if (command >> 4 !== 2) return malformed("the version must be 2", `${command >> 4} (byte ${hexByte(command)})`)
  const isLocal = command === 0x20
  if (!isLocal && command !== 0x21) return malformed("the command must be LOCAL (0) or PROXY (1)", `${command & 15}`)
  const kind = bytes[13]
  if (kind === undefined) return undefined
  const least = isLocal ? 0 : addressBytes[kind >> 4]
  if (least === undefined) return malformed("the address family must be from 0 to 3", `${kind >> 4}`)
  if (!isLocal && (kind & 15) > 2) return malformed("the transport protocol must be from 0 to 2", `${kind & 15}`)
  if (bytes.length < headBytes) return undefined
  const length = uint16(bytes, 14)
  if (headBytes + length > limit) {
    return broken("TooLarge", section, `a header must be at most ${limit} bytes`, `${headBytes + length}`)
  }
  if (length < least) {
    return malformed(`the addresses of ${families[kind >> 4]} must be ${least} bytes`, `a length of ${length}`)
  }
  if (bytes.length < headBytes + length) return undefined
  const header = bytes.subarray(0, headBytes + length)
  return Result.map(
    // Everything is thrown away, the family too: nothing in it is checked (section 2.2, LOCAL).
    isLocal ? Result.succeed<ProxyHeader.Header>({ _tag: "Local" }) : decode(header, kind, headBytes + least),
    (found) => ({ header: found, bytes: header.length })
  )
}

const decode = (
  header: Uint8Array,
  kind: number,
  tlvsAt: number
): Result.Result<ProxyHeader.Proxied, ProxyHeaderError> =>
  Result.flatMap(
    decodeAddresses(header.subarray(headBytes, tlvsAt), kind),
    (addresses) =>
      Result.map(tlv.decode(header, tlvsAt), (tlvs): ProxyHeader.Proxied => ({ _tag: "Proxied", addresses, tlvs }))
  )

const uint16 = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)

const decodeAddresses = (
  block: Uint8Array,
  kind: number
): Result.Result<ProxyHeader.Addresses, ProxyHeaderError> => {
  // An unspecified half makes the whole unspecified; addresses that are there all the same are skipped.
  if (kind >> 4 === 0 || (kind & 15) === 0) return Result.succeed({ _tag: "Unspecified" })
  const type = (kind & 15) === 1 ? "stream" : "datagram"
  switch (kind >> 4) {
    case 1:
      return Result.succeed(ipv4(
        NetAddress.ipv4FromBytesUnsafe(block.subarray(0, 4)),
        NetAddress.ipv4FromBytesUnsafe(block.subarray(4, 8)),
        uint16(block, 8),
        uint16(block, 10),
        type
      ))
    case 2:
      return Result.succeed(ipv6(
        NetAddress.ipv6FromBytesUnsafe(block.subarray(0, 16)),
        NetAddress.ipv6FromBytesUnsafe(block.subarray(16, 32)),
        uint16(block, 32),
        uint16(block, 34),
        type
      ))
    default:
      return Result.gen(function*() {
        const source = yield* decodeUnix(block.subarray(0, unixBytes))
        const destination = yield* decodeUnix(block.subarray(unixBytes))
        return { _tag: "Unix", type, source, destination } as const
      })
  }
}

/** A path ends at its first NUL; an abstract name begins with one, and the NULs behind it are padding. */
const decodeUnix = (bytes: Uint8Array): Result.Result<Endpoint.Unix, ProxyHeaderError> => {
  const isAbstract = bytes[0] === 0
  const nul = bytes.indexOf(0)
  const end = isAbstract ? bytes.findLastIndex((byte) => byte !== 0) + 1 : nul === -1 ? bytes.length : nul
  const text = tlv.decodeText(bytes.subarray(0, end))
  // A file may be called "@name", which as an endpoint is an abstract name.
  const endpoint = text === undefined ? undefined : Endpoint.unix(text.startsWith("@") ? `./${text}` : text)
  if (endpoint !== undefined && Result.isSuccess(endpoint)) return Result.succeed(endpoint.success)
  const rule = endpoint === undefined ? "must be UTF-8" : endpoint.failure.rule
  return malformed(`a Unix address: ${rule}`, printable(bytes.subarray(0, end)))
}

/** Writes a header. */
export const encode = (header: ProxyHeader.Header): Result.Result<Uint8Array, ProxyHeaderError> => {
  if (header._tag === "Local") return Result.succeed(Bytes.concat([signature, Uint8Array.of(0x20, 0, 0, 0)]))
  const { kind, block } = encodeAddresses(header.addresses)
  return Result.flatMap(tlv.encode(header.tlvs), (tlvs) => {
    const length = block.length + tlvs.length
    if (length > maxLength) {
      return broken("Unsendable", section, `addresses and TLVs must be at most ${maxLength} bytes`, `${length}`)
    }
    const head = Uint8Array.of(0x21, kind, length >> 8, length & 255)
    const bytes = Bytes.concat([signature, head, block, tlvs])
    if (header.tlvs.some(({ _tag }) => _tag === "Crc32c")) tlv.setChecksum(bytes, headBytes + block.length)
    return Result.succeed(bytes)
  })
}

const encodeAddresses = (addresses: ProxyHeader.Addresses): { readonly kind: number; readonly block: Uint8Array } => {
  if (addresses._tag === "Unspecified") return { kind: 0, block: new Uint8Array(0) }
  const type = addresses.type === "stream" ? 1 : 2
  if (addresses._tag === "Unix") {
    const block = new Uint8Array(2 * unixBytes)
    setUnix(block, 0, addresses.source.path)
    setUnix(block, unixBytes, addresses.destination.path)
    return { kind: 0x30 | type, block }
  }
  const { destination, source } = addresses
  const ips = addresses._tag === "Ipv4"
    ? [...NetAddress.ipv4ToOctets(addresses.source.address), ...NetAddress.ipv4ToOctets(addresses.destination.address)]
    : [...NetAddress.ipv6ToOctets(addresses.source.address), ...NetAddress.ipv6ToOctets(addresses.destination.address)]
  const ports = [source.port >> 8, source.port & 255, destination.port >> 8, destination.port & 255]
  return { kind: (addresses._tag === "Ipv4" ? 0x10 : 0x20) | type, block: Uint8Array.from([...ips, ...ports]) }
}

/** The path of an endpoint has at most 107 bytes, so a NUL follows it, or goes before an abstract name. */
const setUnix = (block: Uint8Array, at: number, path: string): void => {
  block.set(tlv.encodeText(path.replace(/^@/, "\0")), at)
}
