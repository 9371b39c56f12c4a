/**
 * What a PROXY header of version 2 can say besides the addresses: typed values, one behind the other.
 *
 * ```
 * type (1) | length (2) | value        01 00 02 68 32    ALPN, 2 bytes: h2
 *                                      20 00 0f ...      SSL: flags (1) | verify (4) | such values again
 * ```
 *
 * Values that nobody has a name for are kept as they came. The proxy is believed, not the client: an authority or a
 * common name is what the client sent, so it may be any text.
 *
 * **Gotchas**: `Ssl.verify` is 0 also where no certificate was asked for; `isVerified` looks at both.
 *
 * Source: "The PROXY protocol, Versions 1 & 2", 2020/03/05, section 2.2.
 *
 * @since 0.1.0
 */

/**
 * What the proxy knows of the client's TLS.
 *
 * **Details**
 * - Shape: `client` is a set of bits, see `clientFlags`; `verify` is 0 for a certificate that was verified, but also
 *   where none was asked for: ask `isVerified`. Of a part given twice the first counts; `others` has what is left over,
 *   unknown parts and texts that are not UTF-8.
 * - Source: section 2.2.6.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ssl {
  readonly _tag: "Ssl"
  readonly client: number
  readonly verify: number
  /** The TLS version, such as `TLSv1.3`. */
  readonly version?: string
  /** The common name of the client's certificate. */
  readonly commonName?: string
  readonly cipher?: string
  /** The algorithm that signed the certificate which the proxy presented. */
  readonly signatureAlgorithm?: string
  /** The kind of key in the certificate which the proxy presented. */
  readonly keyAlgorithm?: string
  readonly others: ReadonlyArray<Unknown>
}

/**
 * A type that this module has no name for, or a text that is not UTF-8, as it came. 0xE0 to 0xEF are for applications,
 * 0xF0 to 0xF7 for experiments (section 2.2.8).
 *
 * @category models
 * @since 0.1.0
 */
export interface Unknown {
  readonly _tag: "Unknown"
  readonly type: number
  readonly value: Uint8Array
}

/**
 * Something a version 2 header says besides the addresses.
 *
 * **Details**
 * - `Alpn`: the protocol that was agreed on in TLS. `Authority`: the host name that the client asked for (SNI).
 * - `Crc32c`: the header has a checksum; in a header that was read it holds, in one to be sent it is computed.
 * - `Noop`: so many bytes of padding. `UniqueId`: the proxy's name for the connection, at most 128 bytes.
 * - `Ssl`: the client's TLS. `Netns`: the name of the network namespace. `Unknown`: anything else.
 *
 * @category models
 * @since 0.1.0
 */
export type Tlv =
  | { readonly _tag: "Alpn"; readonly protocol: string }
  | { readonly _tag: "Authority"; readonly host: string }
  | { readonly _tag: "Crc32c" }
  | { readonly _tag: "Noop"; readonly bytes: number }
  | { readonly _tag: "UniqueId"; readonly id: Uint8Array }
  | Ssl
  | { readonly _tag: "Netns"; readonly name: string }
  | Unknown

/** The bits of `Ssl.client` (section 2.2.6). @category models @since 0.1.0 */
export const clientFlags = {
  /** The client came over TLS. */
  tls: 0x01,
  /** It presented a certificate on this connection. */
  certificateNow: 0x02,
  /** It presented a certificate at least once in this TLS session. */
  certificateInSession: 0x04
}

/** Says whether the client presented a certificate and the proxy verified it. @category guards @since 0.1.0 */
export const isVerified = (self: Ssl): boolean =>
  self.verify === 0 && (self.client & (clientFlags.certificateNow | clientFlags.certificateInSession)) !== 0
