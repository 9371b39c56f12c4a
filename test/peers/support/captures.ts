/**
 * Headers that HAProxy wrote, each with its configuration and with what its client knows of the connection.
 *
 * One HAProxy with a door for each case stands in front of a recorder; the cases run one after the other. Health checks
 * have an HAProxy of their own, because they come by themselves.
 */
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import * as Tls from "node:tls"
import type { Capture, Ends, Tlv } from "../../support/proxyCapture.ts"
import { haproxy, type Place, recorder } from "./haproxy.ts"
import { freePort, pemPath } from "./programs.ts"

interface Case {
  readonly name: string
  /** Where HAProxy listens; `PORT` is a free one. */
  readonly bind: (place: Place) => string
  readonly server: string
  readonly lines?: ReadonlyArray<string>
  /** How to dial with TLS. */
  readonly tls?: Tls.ConnectionOptions
  /** What the client says. */
  readonly says?: string
  /** What the header names, where it is not the connection's two ends. */
  readonly ends?: (known: Ends) => Ends | undefined
  /** What the header says besides, in order. */
  readonly tlvs?: ReadonlyArray<Tlv>
  /** As in `Capture`. */
  readonly otherwise?: string
}

const inet = () => "127.0.0.1:PORT"
const unix = ({ folder }: Place) => `unix@${folder}/front.sock`
const crt = ({ certificate }: Place) => `127.0.0.1:PORT ssl crt ${certificate} alpn h2,http/1.1`
const mutual = (more: string) => (place: Place) => `${crt(place)} ca-file ${place.ca} verify optional${more}`

const pair = (name: string) => ({ cert: readFileSync(pemPath(name)), key: readFileSync(pemPath(`${name}.key`)) })
const client: Tls.ConnectionOptions = {
  ca: readFileSync(pemPath("ca")),
  servername: "quay.example.test",
  ALPNProtocols: ["h2"]
}

const all = "proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id"
const named = { lines: ["unique-id-format quay-%ci"] }
const uniqueId: Tlv = { _tag: "UniqueId", id: "quay-127.0.0.1" }
const alpn: Tlv = { _tag: "Alpn", protocol: "h2" }
const crc32c: Tlv = { _tag: "Crc32c" }
/** The client's side of TLS; `client` has the bits of section 2.2.6. */
const ssl = (client: number, parts: Record<string, string> = {}, verify = 0): Tlv => ({
  _tag: "Ssl",
  client,
  verify,
  ...parts,
  others: []
})
const sourceInIpv6 = {
  lines: ["tcp-request connection set-src ipv6(2001:db8::7)"],
  ends: ({ destination, source }: Ends) => ({ source: source.replace("127.0.0.1", "[2001:db8::7]"), destination })
}
/** X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE. */
const notVerified = 21

const cases: ReadonlyArray<Case> = [
  { name: "version 1, IPv4", bind: inet, server: "send-proxy" },
  { name: "version 1, IPv6", bind: () => "[::1]:PORT", server: "send-proxy" },
  { name: "version 1, Unix", bind: unix, server: "send-proxy" },
  { name: "version 1, IPv6 to IPv4", bind: inet, server: "send-proxy", ...sourceInIpv6, otherwise: "no dots in IPv6" },
  { name: "version 2, IPv4", bind: inet, server: "send-proxy-v2" },
  { name: "version 2, IPv6", bind: () => "[::1]:PORT", server: "send-proxy-v2" },
  { name: "version 2, Unix", bind: unix, server: "send-proxy-v2" },
  { name: "version 2, IPv6 to IPv4", bind: inet, server: "send-proxy-v2", ...sourceInIpv6 },
  { name: "version 2, checksum", bind: inet, server: "send-proxy-v2 proxy-v2-options crc32c", tlvs: [crc32c] },
  {
    name: "version 2, name of the connection",
    bind: inet,
    server: "send-proxy-v2 proxy-v2-options unique-id",
    ...named,
    tlvs: [uniqueId]
  },
  {
    name: "version 2, all options, client without TLS",
    bind: inet,
    server: `send-proxy-v2 ${all}`,
    ...named,
    tlvs: [crc32c, uniqueId, ssl(0)]
  },
  {
    name: "version 2 with TLS 1.2",
    bind: crt,
    server: "send-proxy-v2-ssl",
    tls: { maxVersion: "TLSv1.2" },
    tlvs: [alpn, ssl(1, { version: "TLSv1.2" })]
  },
  {
    name: "version 2 with TLS 1.3",
    bind: crt,
    server: "send-proxy-v2-ssl",
    tls: { minVersion: "TLSv1.3" },
    tlvs: [alpn, ssl(1, { version: "TLSv1.3" })]
  },
  {
    name: "version 2 with the name in the client's certificate",
    bind: mutual(""),
    server: "send-proxy-v2-ssl-cn",
    tls: pair("client"),
    tlvs: [alpn, ssl(7, { version: "TLSv1.3", commonName: "Test client" })]
  },
  {
    name: "version 2 with the name in a certificate that is not verified",
    bind: mutual(" ca-ignore-err all crt-ignore-err all"),
    server: "send-proxy-v2-ssl-cn",
    tls: pair("stranger"),
    tlvs: [alpn, ssl(7, { version: "TLSv1.3", commonName: "Stranger" }, notVerified)]
  },
  {
    name: "version 2, all options",
    bind: mutual(""),
    server: `send-proxy-v2 ${all}`,
    ...named,
    otherwise: "the parts of TLS in another order",
    tls: { ...pair("client"), ciphers: "TLS_AES_128_GCM_SHA256" },
    tlvs: [
      crc32c,
      alpn,
      { _tag: "Authority", host: "quay.example.test" },
      uniqueId,
      ssl(7, {
        version: "TLSv1.3",
        commonName: "Test client",
        keyAlgorithm: "EC256",
        signatureAlgorithm: "ecdsa-with-SHA256",
        cipher: "TLS_AES_128_GCM_SHA256"
      })
    ]
  },
  {
    name: "version 2, relayed from version 1",
    bind: () => "127.0.0.1:PORT accept-proxy",
    server: "send-proxy-v2",
    says: "PROXY TCP4 192.0.2.1 198.51.100.2 1024 443\r\nahoy\n",
    ends: () => ({ source: "tcp://192.0.2.1:1024", destination: "tcp://198.51.100.2:443" })
  },
  {
    name: "version 1, relayed from version 1 that says unknown",
    bind: () => "127.0.0.1:PORT accept-proxy",
    server: "send-proxy",
    says: "PROXY UNKNOWN\r\nahoy\n"
  }
]

const spell = (address: string | undefined, port: number | undefined): string =>
  `tcp://${address?.includes(":") ? `[${address}]` : address}:${port}`

/** Connects, says something, ends its side, and gives the two ends that it knows; none of a Unix socket. */
const talk = (to: Net.NetConnectOpts, tls: Tls.ConnectionOptions | undefined, said: string) =>
  Effect.callback<Ends | undefined>((resume) => {
    const leave = (socket: Net.Socket) => {
      const { localAddress, localPort, remoteAddress, remotePort } = socket
      socket.end(said)
      const ends = { source: spell(localAddress, localPort), destination: spell(remoteAddress, remotePort) }
      resume(Effect.succeed(localAddress === undefined ? undefined : ends))
    }
    const socket: Net.Socket = tls === undefined
      ? Net.connect(to, () => leave(socket))
      : Tls.connect({ ...to, ...client, ...tls }, () => leave(socket))
    socket.resume().on("error", (error) => resume(Effect.die(error)))
  })

/** What is of one run says nothing. */
const anonymous = (line: string): string => line.replaceAll(/\/\S*\//g, "").replaceAll(/:\d{5}/g, ":PORT")

const relayed = Effect.gen(function*() {
  const { next, port } = yield* recorder
  const ports = yield* Effect.forEach(cases, () => freePort)
  const doors = (place: Place) =>
    cases.map(({ bind, lines = [], server }, i) => [
      `bind ${bind(place).replace("PORT", String(ports[i])).replace("front", `front${i}`)}`,
      ...lines,
      `server recorder 127.0.0.1:${port} ${server}`
    ])
  const { place } = yield* haproxy((place) =>
    doors(place).map((lines, i) => `listen door${i}\n${lines.map((line) => `  ${line}`).join("\n")}`).join("\n")
  )
  const captures: Array<Capture> = []
  for (const [i, { bind, ends, name, otherwise, says = "ahoy\n", server, tls, tlvs = [] }] of cases.entries()) {
    const where = bind(place)
    const to = where.startsWith("unix@")
      ? { path: where.slice(5).replace("front", `front${i}`) }
      : { host: where.startsWith("[") ? "::1" : "127.0.0.1", port: ports[i]! }
    const known = yield* talk(to, tls, says)
    const named = known === undefined || ends === undefined ? known : ends(known)
    captures.push({
      name,
      configuration: doors(place)[i]!.map(anonymous),
      version: server.startsWith("send-proxy-v2") ? 2 : 1,
      // HAProxy speaks for itself where it cannot name its client.
      isLocal: named === undefined && server.startsWith("send-proxy-v2"),
      ...(named === undefined ? {} : { ends: named }),
      tlvs,
      rest: "ahoy\n",
      ...(otherwise === undefined ? {} : { otherwise }),
      hex: (yield* next).bytes.toString("hex")
    })
  }
  return captures
}).pipe(Effect.scoped)

const checked = Effect.fnUntraced(function*(name: string, server: string) {
  const { next, port } = yield* recorder
  yield* haproxy((place) =>
    [
      "listen front",
      `bind ${unix(place)}`,
      // Without this a check ends with a reset, and nobody can tell where it came from.
      "option tcp-check",
      "tcp-check connect default linger",
      `server recorder 127.0.0.1:${port} ${server} check inter 100ms`
    ].join("\n  ")
  )
  const { bytes, from } = yield* next
  const isLocal = server.startsWith("send-proxy-v2")
  const ends = { source: spell(from.address, from.port), destination: spell("127.0.0.1", port) }
  const capture: Capture = {
    name,
    configuration: [`server recorder 127.0.0.1:PORT ${server} check`],
    version: isLocal ? 2 : 1,
    isLocal,
    ...(isLocal ? {} : { ends }),
    tlvs: [],
    rest: "",
    hex: bytes.toString("hex")
  }
  return capture
}, Effect.scoped)

/** Lets HAProxy write all headers. */
export const captures: Effect.Effect<ReadonlyArray<Capture>> = Effect.gen(function*() {
  return [
    ...yield* relayed,
    ...yield* Effect.all([
      checked("version 1, health check", "send-proxy"),
      checked("version 2, health check", "send-proxy-v2"),
      checked("version 2, health check, all options", `send-proxy-v2 ${all}`)
    ], { concurrency: "unbounded" })
  ]
})
