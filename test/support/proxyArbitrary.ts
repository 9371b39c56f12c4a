/** Random PROXY headers. */
import { Arbitrary, Result, Schema } from "effect"
import { NetAddress } from "effect/net"
import { Endpoint, type ProxyHeader, type ProxyTlv } from "../../src/index.ts"
import { NetArbitrary } from "../../src/testing/index.ts"

export const int = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

export const oneOf = <A>(arbitraries: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(int(0, arbitraries.length - 1), (index) => arbitraries[index]!)

const times = <A>(count: number, item: Arbitrary.Arbitrary<A>) =>
  Arbitrary.array(item, { minLength: count, maxLength: count })

const octet = oneOf([int(0, 1), int(254, 255), int(0, 255)])

export const ipv4: Arbitrary.Arbitrary<NetAddress.Ipv4Address> = Arbitrary.map(
  times(4, octet),
  (octets) => NetAddress.ipv4FromBytesUnsafe(Uint8Array.from(octets))
)

/** Also ones with long runs of zeros, and IPv4-mapped ones. */
export const ipv6: Arbitrary.Arbitrary<NetAddress.Ipv6Address> = oneOf([
  Arbitrary.map(times(16, octet), (octets) => NetAddress.ipv6FromBytesUnsafe(Uint8Array.from(octets))),
  Arbitrary.map(
    times(16, oneOf([int(0, 0), octet])),
    (octets) => NetAddress.ipv6FromBytesUnsafe(Uint8Array.from(octets))
  ),
  Arbitrary.map(ipv4, NetAddress.toIpv4Mapped)
])

const port = oneOf([int(0, 1), int(65_534, 65_535), int(0, 65_535)])

const text = NetArbitrary.text({ maxCharacters: 8 })
const bytes = NetArbitrary.bytes({ maxBytes: 20 })

const unix: Arbitrary.Arbitrary<Endpoint.Unix> = Arbitrary.filterMap(
  oneOf([text, Arbitrary.map(text, (name) => `@${name}`), Arbitrary.map(text, (path) => `/${path}`)]),
  Endpoint.unix
)

const inet = (address: Arbitrary.Arbitrary<NetAddress.IpAddress>): Arbitrary.Arbitrary<Endpoint.Endpoint> =>
  Arbitrary.map(
    Arbitrary.all([address, port, int(0, 1)]),
    ([host, port, kind]) => kind === 0 ? Endpoint.tcpUnsafe(host, port) : Endpoint.tlsUnsafe(host, port)
  )

/** Endpoints that a connection can have, of all kinds. */
export const endpoint: Arbitrary.Arbitrary<Endpoint.Endpoint> = oneOf<Endpoint.Endpoint>([
  inet(ipv4),
  inet(ipv6),
  unix,
  Arbitrary.Constant(Endpoint.memoryUnsafe("client"))
])

const type = Arbitrary.schema(Schema.Literals(["stream", "datagram"]))

const addresses: Arbitrary.Arbitrary<ProxyHeader.Addresses> = oneOf<ProxyHeader.Addresses>([
  Arbitrary.map(Arbitrary.all([type, ipv4, ipv4, port, port]), ([type, from, to, fromPort, toPort]) => ({
    _tag: "Ipv4",
    type,
    source: Result.getOrThrow(NetAddress.inetAddressV4(from, fromPort)),
    destination: Result.getOrThrow(NetAddress.inetAddressV4(to, toPort))
  })),
  Arbitrary.map(Arbitrary.all([type, ipv6, ipv6, port, port]), ([type, from, to, fromPort, toPort]) => ({
    _tag: "Ipv6",
    type,
    source: Result.getOrThrow(NetAddress.inetAddressV6(from, fromPort)),
    destination: Result.getOrThrow(NetAddress.inetAddressV6(to, toPort))
  })),
  Arbitrary.map(Arbitrary.all([type, unix, unix]), ([type, source, destination]) => ({
    _tag: "Unix",
    type,
    source,
    destination
  })),
  Arbitrary.Constant({ _tag: "Unspecified" })
])

const unknown = (types: ReadonlyArray<number>): Arbitrary.Arbitrary<ProxyTlv.Unknown> =>
  Arbitrary.map(
    Arbitrary.all([Arbitrary.schema(Schema.Literals(types)), bytes]),
    ([type, value]) => ({ _tag: "Unknown", type, value })
  )

const optional = oneOf<string | undefined>([Arbitrary.Constant(undefined), text])

const ssl: Arbitrary.Arbitrary<ProxyTlv.Ssl> = Arbitrary.map(
  Arbitrary.all([
    int(0, 255),
    oneOf([int(0, 1), int(0, 0xffff_ffff)]),
    optional,
    optional,
    optional,
    optional,
    optional,
    Arbitrary.array(unknown([0, 0x26, 0x99]), { maxLength: 2 })
  ]),
  ([client, verify, version, commonName, cipher, signatureAlgorithm, keyAlgorithm, others]) => ({
    _tag: "Ssl",
    client,
    verify,
    ...version !== undefined && { version },
    ...commonName !== undefined && { commonName },
    ...cipher !== undefined && { cipher },
    ...signatureAlgorithm !== undefined && { signatureAlgorithm },
    ...keyAlgorithm !== undefined && { keyAlgorithm },
    others
  })
)

const tlv: Arbitrary.Arbitrary<ProxyTlv.Tlv> = oneOf<ProxyTlv.Tlv>([
  Arbitrary.map(text, (protocol) => ({ _tag: "Alpn", protocol })),
  Arbitrary.map(text, (host) => ({ _tag: "Authority", host })),
  Arbitrary.map(int(0, 9), (bytes) => ({ _tag: "Noop", bytes })),
  Arbitrary.map(NetArbitrary.bytes({ maxBytes: 128 }), (id) => ({ _tag: "UniqueId", id })),
  ssl,
  Arbitrary.map(text, (name) => ({ _tag: "Netns", name })),
  unknown([0x00, 0x06, 0x1f, 0x21, 0x31, 0xe0, 0xea, 0xef, 0xf0, 0xff])
])

/** TLVs, in half of the cases with a checksum somewhere. */
const tlvs: Arbitrary.Arbitrary<ReadonlyArray<ProxyTlv.Tlv>> = Arbitrary.map(
  Arbitrary.all([Arbitrary.array(tlv, { maxLength: 4 }), int(0, 1), int(0, 4)]),
  ([found, sums, at]) => sums === 0 ? found : found.toSpliced(at, 0, { _tag: "Crc32c" })
)

/** Any header that version 2 can say. */
export const header: Arbitrary.Arbitrary<ProxyHeader.Header> = oneOf<ProxyHeader.Header>([
  Arbitrary.Constant({ _tag: "Local" }),
  Arbitrary.map(Arbitrary.all([addresses, tlvs]), ([addresses, tlvs]) => ({ _tag: "Proxied", addresses, tlvs })),
  Arbitrary.map(Arbitrary.all([addresses, tlvs]), ([addresses, tlvs]) => ({ _tag: "Proxied", addresses, tlvs }))
])
