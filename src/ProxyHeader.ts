/**
 * The PROXY protocol: the few bytes in front of a connection in which a proxy says for whom it connects.
 *
 * A server behind a load balancer sees the balancer's address. With this header it learns the client's: version 1 is
 * one line of text, version 2 is binary and can carry more (`ProxyTlv`). Headers are plain values; `parser` reads one
 * from chunks cut anywhere, `encode` writes one. Nothing here decides whom to believe: see **Gotchas**.
 *
 * ```
 * 1   PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n        source, destination; at most 107 bytes
 * 2   0d0a0d0a000d0a515549540a | 2 command | family transport | length (2) | addresses | TLV*
 *     signature, 12 bytes        1 byte      1 byte             the rest     12, 36 or 216 bytes
 *
 * TLV = type (1) | length (2) | value
 * ```
 *
 * **Gotchas**: anybody can write a header. Who must send one and who must not is decided by the address of the
 * connection (`Networks`), never by looking whether one is there (section 2). `Local` is the proxy's own connection,
 * such as a health check: what the header says besides is thrown away. `UNKNOWN` and `UNSPEC` name no address either.
 *
 * Source: "The PROXY protocol, Versions 1 & 2", Willy Tarreau, HAProxy Technologies, 2020/03/05.
 *
 * Laws: `parser` gives what was encoded, however it is cut; it holds at most `maxBytes`; it never throws.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import type * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Endpoint from "./Endpoint.ts"
import * as ends from "./internal/proxyEnds.ts"
import type { ProxyHeaderError } from "./internal/proxyHeaderError.ts"
import { HeaderParser } from "./internal/proxyParser.ts"
import * as v1 from "./internal/proxyV1.ts"
import * as v2 from "./internal/proxyV2.ts"
import type * as ProxyTlv from "./ProxyTlv.ts"

export { ProxyHeaderError, type ProxyHeaderReason } from "./internal/proxyHeaderError.ts"

/** What is proxied: TCP and Unix streams, or UDP and Unix datagrams. @category models @since 0.1.0 */
export type SocketType = "stream" | "datagram"

/** Source and destination over IPv4. @category models @since 0.1.0 */
export interface Ipv4 {
  readonly _tag: "Ipv4"
  readonly type: SocketType
  readonly source: NetAddress.InetAddressV4
  readonly destination: NetAddress.InetAddressV4
}

/** Source and destination over IPv6; a header has no place for a zone. @category models @since 0.1.0 */
export interface Ipv6 {
  readonly _tag: "Ipv6"
  readonly type: SocketType
  readonly source: NetAddress.InetAddressV6
  readonly destination: NetAddress.InetAddressV6
}

/** Source and destination are Unix sockets. Version 1 can only say "unknown". @category models @since 0.1.0 */
export interface Unix {
  readonly _tag: "Unix"
  readonly type: SocketType
  readonly source: Endpoint.Unix
  readonly destination: Endpoint.Unix
}

/** The proxy cannot say: `UNKNOWN` in version 1, `UNSPEC` in version 2. @category models @since 0.1.0 */
export interface Unspecified {
  readonly _tag: "Unspecified"
}

/** Whose connection is proxied. @category models @since 0.1.0 */
export type Addresses = Ipv4 | Ipv6 | Unix | Unspecified

/** The proxy's own connection, such as a health check: the real addresses count. @category models @since 0.1.0 */
export interface Local {
  readonly _tag: "Local"
}

/** A connection on behalf of somebody. @category models @since 0.1.0 */
export interface Proxied {
  readonly _tag: "Proxied"
  readonly addresses: Addresses
  /** In the order of the wire; version 1 has none. */
  readonly tlvs: ReadonlyArray<ProxyTlv.Tlv>
}

/** A PROXY header. @category models @since 0.1.0 */
export type Header = Local | Proxied

/** 1 is a line of text, 2 is binary. @category models @since 0.1.0 */
export type Version = 1 | 2

/** A header and where it ended. @category models @since 0.1.0 */
export interface Parsed {
  readonly header: Header
  readonly version: Version
  /** The length of the header. */
  readonly bytes: number
  /** What came behind the header in the last chunk: the first bytes of the conversation. A view, often empty. */
  readonly rest: Uint8Array
}

/** Reads one header from chunks. @category models @since 0.1.0 */
export interface Parser {
  /** Takes the next chunk and answers once the header is complete or wrong; undefined: more is needed. */
  readonly push: (chunk: Uint8Array) => Result.Result<Parsed, ProxyHeaderError> | undefined
  /** The error of a peer that ended before its header did. */
  readonly end: () => ProxyHeaderError
}

/** How to read. @category options @since 0.1.0 */
export interface ParserOptions {
  /**
   * The longest header that is read, an integer from 107 to 65551. A line of version 1 has at most 107 bytes anyway.
   *
   * @default 4096
   */
  readonly maxBytes?: number | undefined
}

/** What holds where nothing is set. @category options @since 0.1.0 */
export const defaults = {
  /** The specification promises 536 (section 2), certificates and custom values take more; nginx reads as many. */
  maxBytes: 4096
}

/** A smaller limit would refuse valid lines. */
const minMaxBytes = v1.maxBytes

/** An option that no parser can have. @category errors @since 0.1.0 */
export class ProxyHeaderOptionsError extends Data.TaggedError("ProxyHeaderOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override readonly message = `${this.option} must be ${this.rule}, got ${String(this.value)}`
}

/** The header of a connection that the proxy makes for itself. @category constructors @since 0.1.0 */
export const local: Local = { _tag: "Local" }

/**
 * The header that says: a connection from here to there.
 *
 * **Details**
 * - Shape: two IP addresses, of which one may be mapped into IPv6 to match the other, or two Unix sockets. Anything
 *   else (a name, `*`, memory, a mixture) is `Unspecified`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromEndpoints = (
  source: Endpoint.Endpoint,
  destination: Endpoint.Endpoint,
  tlvs: ReadonlyArray<ProxyTlv.Tlv> = []
): Proxied => ({ _tag: "Proxied", addresses: ends.toAddresses(source, destination), tlvs })

/** The two ends that a header names. @category models @since 0.1.0 */
export interface Ends {
  readonly source: Endpoint.Endpoint
  readonly destination: Endpoint.Endpoint
}

/**
 * The two ends of a proxied stream, or undefined: then the addresses of the connection itself count.
 *
 * **Details**
 * - Shape: IPv4-mapped addresses become IPv4, so that rules about addresses hold for them. Undefined for `Local`,
 *   `Unspecified` and datagrams, for which a server of streams may fall back to UNSPEC (section 2.2).
 *
 * @category conversions
 * @since 0.1.0
 */
export const toEndpoints = (self: Header): Ends | undefined =>
  self._tag === "Local" ? undefined : ends.fromAddresses(self.addresses)

/**
 * Makes a parser for one header.
 *
 * **Details**
 * - Shape: bytes that can be no header are refused as soon as they come, without waiting for more. Once it has
 *   answered it goes on giving that answer; after a header everything is `rest`.
 * - Units: holds at most `maxBytes`, and nothing of a header that comes in one chunk. Values are copies.
 * - Errors: `push` answers with a `ProxyHeaderError`; `parser` throws a `ProxyHeaderOptionsError` for a bad `maxBytes`.
 *
 * **Example** (A header in two pieces)
 *
 * ```ts
 * import { ProxyHeader } from "hawser"
 *
 * const text = (value: string) => new TextEncoder().encode(value)
 * const parser = ProxyHeader.parser()
 * console.log(parser.push(text("PROXY TCP4 192.168.0.1 192.168.0.11 "))) // undefined
 * const answer = parser.push(text("56324 443\r\nhello"))
 * if (answer?._tag === "Success") {
 *   const { header, rest } = answer.success
 *   console.log(ProxyHeader.format(header)) // proxied tcp://192.168.0.1:56324 to tcp://192.168.0.11:443
 *   console.log(new TextDecoder().decode(rest)) // hello
 * }
 * ```
 *
 * @category decoding
 * @since 0.1.0
 */
export const parser = (options?: ParserOptions): Parser => new HeaderParser(checkedMaxBytes(options))

/** Reads the header at the start of bytes that are all there. @category decoding @since 0.1.0 */
export const fromBytes = (bytes: Uint8Array, options?: ParserOptions): Result.Result<Parsed, ProxyHeaderError> => {
  const whole = parser(options)
  return whole.push(bytes) ?? Result.fail(whole.end())
}

const checkedMaxBytes = (options?: ParserOptions): number => {
  const maxBytes = options?.maxBytes ?? defaults.maxBytes
  if (!Number.isInteger(maxBytes) || maxBytes < minMaxBytes || maxBytes > v2.maxBytes) {
    const rule = `an integer from ${minMaxBytes} to ${v2.maxBytes}`
    throw new ProxyHeaderOptionsError({ option: "maxBytes", value: maxBytes, rule })
  }
  return maxBytes
}

/**
 * Writes a header, to be sent at once and before anything else.
 *
 * **Details**
 * - Shape: version 1 has no word for `Local`, Unix sockets and datagrams and says `UNKNOWN` (section 2.1). `Local` in
 *   version 2 carries nothing else.
 * - Errors: `Unsendable` for TLVs in version 1, a value that is too long for its field, two checksums, and an `Unknown`
 *   of type CRC32C or SSL, which would not be what its type says.
 *
 * @category encoding
 * @since 0.1.0
 */
export const encode = (self: Header, version: Version): Result.Result<Uint8Array, ProxyHeaderError> =>
  version === 1 ? v1.encode(self) : v2.encode(self)

/** Writes a trusted header; throws `ProxyHeaderError`. @category unsafe @since 0.1.0 */
export const encodeUnsafe = (self: Header, version: Version): Uint8Array => Result.getOrThrow(encode(self, version))

/** A header in a few words, for a log. @category encoding @since 0.1.0 */
export const format = (self: Header): string => {
  const named = toEndpoints(self)
  if (named !== undefined) return `proxied ${Endpoint.format(named.source)} to ${Endpoint.format(named.destination)}`
  return self._tag === "Local" ? "local" : "proxied, without addresses of a stream"
}
