import { assert, describe, it } from "@effect/vitest"
import { Equal, Result } from "effect"
import { NetAddress } from "effect/net"
import { Endpoint, ProxyHeader, ProxyTlv } from "../src/index.ts"
import { HeaderParser } from "../src/internal/proxyParser.ts"
import { NetArbitrary } from "../src/testing/index.ts"
import { endpoint, header, int } from "./support/proxyArbitrary.ts"

const runs = { arbitrary: { runs: 500 } }

const bytesOf = (text: string) => new TextEncoder().encode(text)
const hex = (text: string) =>
  Uint8Array.from(text.replaceAll(/\s/g, "").match(/../g) ?? [], (pair) => Number.parseInt(pair, 16))
const join = (...parts: ReadonlyArray<Uint8Array>) => Uint8Array.from(parts.flatMap((part) => [...part]))

const signature = hex("0d0a0d0a000d0a515549540a")
/** A header of version 2 from its 13th byte on, in which `..` stands for the length. */
const v2 = (text: string) => {
  const rest = hex(text.replace("..", "0000"))
  const length = rest.length - 4
  if (text.includes("..")) rest.set([length >> 8, length & 255], 2)
  return join(signature, rest)
}

const inet = (
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number
): ProxyHeader.Addresses =>
  ProxyHeader.fromEndpoints(Endpoint.tcpUnsafe(source, sourcePort), Endpoint.tcpUnsafe(destination, destinationPort))
    .addresses

const proxied = (addresses: ProxyHeader.Addresses, tlvs: ReadonlyArray<ProxyTlv.Tlv> = []): ProxyHeader.Header => ({
  _tag: "Proxied",
  addresses,
  tlvs
})
const unspecified = proxied({ _tag: "Unspecified" })
const example = inet("192.168.0.1", 56_324, "192.168.0.11", 443)

const parsed = (bytes: Uint8Array, options?: ProxyHeader.ParserOptions) =>
  Result.getOrThrow(ProxyHeader.fromBytes(bytes, options)).header

const refused = (bytes: Uint8Array, options?: ProxyHeader.ParserOptions) => {
  const result = ProxyHeader.fromBytes(bytes, options)
  return Result.isFailure(result) ? [result.failure.reason, result.failure.message] : ["read", result.success.header]
}

/** What version 1 makes of a header. */
const inVersion1 = (self: ProxyHeader.Header): ProxyHeader.Header =>
  self._tag === "Proxied" && (self.addresses._tag === "Ipv4" || self.addresses._tag === "Ipv6") &&
    self.addresses.type === "stream"
    ? { ...self, tlvs: [] }
    : unspecified

describe("parser", () => {
  for (const version of [1, 2] as const) {
    it.prop(`gives what was encoded and what is behind it, however it is cut (version ${version})`, {
      header,
      tail: NetArbitrary.bytes({ maxBytes: 10 }),
      sizes: NetArbitrary.chunking
    }, ({ header, sizes, tail }) => {
      const sent = version === 2 || header._tag === "Local" ? header : { ...header, tlvs: [] }
      const encoded = ProxyHeader.encodeUnsafe(sent, version)
      const parser = ProxyHeader.parser()
      let seen = 0
      let rest: ReadonlyArray<number> = []
      let found: ProxyHeader.Parsed | undefined
      for (const chunk of NetArbitrary.cut(join(encoded, tail), sizes)) {
        const answer = parser.push(chunk)
        seen += chunk.length
        assert.strictEqual(answer !== undefined, seen >= encoded.length, `after ${seen} of ${encoded.length} bytes`)
        if (answer === undefined) continue
        found = Result.getOrThrow(answer)
        rest = [...rest, ...found.rest]
      }
      assert.deepStrictEqual({ ...found, rest }, {
        header: version === 2 ? header : inVersion1(header),
        version,
        bytes: encoded.length,
        rest: [...tail]
      })
    }, runs)

    it.prop(`answers no truncated header (version ${version})`, { header }, ({ header }) => {
      const encoded = ProxyHeader.encodeUnsafe(version === 2 ? header : inVersion1(header), version)
      for (let length = 0; length < encoded.length; length++) {
        assert.strictEqual(refused(encoded.subarray(0, length))[0], "Truncated", `${length} of ${encoded.length} bytes`)
      }
    }, { arbitrary: { runs: 50 } })

    it.prop(`answers any changed byte, within the header's limits (version ${version})`, {
      header,
      flip: int(1, 255)
    }, ({ flip, header }) => {
      const encoded = ProxyHeader.encodeUnsafe(version === 2 ? header : inVersion1(header), version)
      for (let at = 0; at < encoded.length; at++) {
        const changed = encoded.with(at, encoded[at]! ^ flip)
        const answer = ProxyHeader.parser({ maxBytes: 4096 }).push(changed)
        if (answer === undefined) continue
        if (Result.isFailure(answer)) {
          assert.instanceOf(answer.failure, ProxyHeader.ProxyHeaderError)
          continue
        }
        const { bytes, header } = answer.success
        assert.isTrue(bytes <= changed.length)
        assert.deepStrictEqual(parsed(changed.subarray(0, bytes)), header)
        // A checksum that is still seen holds, and no change of one byte keeps it.
        assert.isFalse(header._tag === "Proxied" && header.tlvs.some(({ _tag }) => _tag === "Crc32c"), `byte ${at}`)
      }
    }, { arbitrary: { runs: 100 } })
  }

  it.prop("answers any bytes behind a valid beginning", {
    command: int(0x20, 0x21),
    kind: int(0, 0x32),
    body: NetArbitrary.bytes({ maxBytes: 60 }),
    sizes: NetArbitrary.chunking
  }, ({ body, command, kind, sizes }) => {
    const whole = join(signature, Uint8Array.of(command, kind, 0, body.length), body)
    const parser = ProxyHeader.parser()
    const answers = NetArbitrary.cut(whole, sizes).map((chunk) => parser.push(chunk))
    const last = answers.at(-1)
    assert.isDefined(last)
    assert.deepStrictEqual(
      Result.map(last!, (found) => found.header),
      Result.map(ProxyHeader.fromBytes(whole), (found) => found.header)
    )
  }, runs)

  it.prop("holds no more than its limit", { size: int(0, 200), maxBytes: int(107, 150) }, ({ maxBytes, size }) => {
    const parser = new HeaderParser(maxBytes)
    const line = bytesOf(`PROXY UNKNOWN ${"x".repeat(size)}`)
    for (const byte of line) {
      parser.push(Uint8Array.of(byte))
      assert.isTrue(parser["buffer"].length <= maxBytes)
    }
    parser.push(new Uint8Array(100_000))
    assert.strictEqual(parser["buffer"].length, 0)
  })

  it("goes on with its answer", () => {
    const parser = ProxyHeader.parser()
    parser.push(bytesOf("PROXY UNKNOWN\r\nab"))
    const again = Result.getOrThrow(parser.push(bytesOf("cd"))!)
    assert.deepStrictEqual(again, { header: unspecified, version: 1, bytes: 15, rest: bytesOf("cd") })
    const wrong = ProxyHeader.parser()
    const first = wrong.push(bytesOf("GET"))
    assert.deepStrictEqual(wrong.push(bytesOf("PROXY UNKNOWN\r\n")), first)
  })

  it("keeps nothing of the chunk", () => {
    const bytes = ProxyHeader.encodeUnsafe(
      proxied(example, [
        { _tag: "UniqueId", id: Uint8Array.of(1, 2) },
        { _tag: "Unknown", type: 0xe0, value: Uint8Array.of(3) },
        { _tag: "Ssl", client: 0, verify: 0, others: [{ _tag: "Unknown", type: 0x99, value: Uint8Array.of(4) }] }
      ]),
      2
    )
    const expected = parsed(Uint8Array.from(bytes))
    // A Buffer, whose slice is a view.
    const chunk = Buffer.from(bytes)
    const found = parsed(chunk)
    chunk.fill(0)
    assert.deepStrictEqual(found, expected)
  })
})

describe("version 1", () => {
  const longest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
  it.each<[line: string, bytes: number, header: ProxyHeader.Header]>([
    ["PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n", 47, proxied(example)],
    [
      "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
      56,
      proxied(inet("255.255.255.255", 65_535, "255.255.255.255", 65_535))
    ],
    [`PROXY TCP6 ${longest} ${longest} 65535 65535\r\n`, 104, proxied(inet(longest, 65_535, longest, 65_535))],
    ["PROXY UNKNOWN\r\n", 15, unspecified],
    [`PROXY UNKNOWN ${longest} ${longest} 65535 65535\r\n`, 107, unspecified]
  ])("the examples of section 2.1: %j", (line, bytes, header) => {
    assert.deepStrictEqual(
      ProxyHeader.fromBytes(bytesOf(line)),
      Result.succeed({
        header,
        version: 1,
        bytes,
        rest: new Uint8Array(0)
      })
    )
  })

  it.each<[what: string, line: string, header: ProxyHeader.Header]>([
    ["shortened, and capitals", "PROXY TCP6 2001:DB8::1 ::1 1 0\r\n", proxied(inet("2001:db8::1", 1, "::1", 0))],
    ["UNKNOWN ignores what follows", "PROXY UNKNOWN \0\xff\n\r what\rever\r\n", unspecified],
    [
      "the dots that inet_ntop writes",
      "PROXY TCP6 ::ffff:10.0.0.1 ::1 1 2\r\n",
      proxied({
        _tag: "Ipv6",
        type: "stream",
        source: Result.getOrThrow(
          NetAddress.inetAddressV6(Result.getOrThrow(NetAddress.ipv6FromString("::ffff:a00:1")), 1)
        ),
        destination: Result.getOrThrow(NetAddress.inetAddressV6(NetAddress.ipv6Loopback, 2))
      })
    ]
  ])("reads %s", (_, line, header) => {
    assert.deepStrictEqual(parsed(Uint8Array.from(line, (char) => char.charCodeAt(0))), header)
  })

  const port = "a port must be a decimal integer from 0 to 65535 without leading zeros"
  const crlf = "a line must end with CR LF"
  const fields = "a line must have six fields with one space between them"
  const ip4 = "an address must be IPv4 in its canonical format"
  const ip6 = "an address must be IPv6 in its canonical format"
  it.each<[line: string, rule: string, value: string]>([
    ["PROXY TCP4 1.2.3.4 5.6.7.8 1 2\n", crlf, "\"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\\n\""],
    ["PROXY TCP4 1.2.3.4 5.6.7.8 1 2\rx", crlf, "\"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\\rx\""],
    ["PROXY \n", crlf, "\"PROXY \\n\""],
    ["PROXY UNKNOW\n", crlf, "\"PROXY UNKNOW\\n\""],
    ["PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \r\n", fields, "\"PROXY TCP4 1.2.3.4 5.6.7.8 1 2 \""],
    ["PROXY TCP4  1.2.3.4 5.6.7.8 1 2\r\n", fields, "\"PROXY TCP4  1.2.3.4 5.6.7.8 1 2\""],
    ["PROXY TCP4 1.2.3.4 5.6.7.8 1\r\n", fields, "\"PROXY TCP4 1.2.3.4 5.6.7.8 1\""],
    ["PROXY TCP4\r\n", fields, "\"PROXY TCP4\""],
    ["PROXY TCP4 01.2.3.4 5.6.7.8 1 2\r\n", `${ip4} (leading zeroes are not allowed)`, "\"01.2.3.4\""],
    ["PROXY TCP4 1.2.3.4 256.6.7.8 1 2\r\n", `${ip4} (octets must be at most 255)`, "\"256.6.7.8\""],
    ["PROXY TCP4 1.2.3.4 ::1 1 2\r\n", `${ip4} (expected exactly four decimal octets)`, "\"::1\""],
    ["PROXY TCP6 1.2.3.4 ::1 1 2\r\n", `${ip6} (expected eight segments)`, "\"1.2.3.4\""],
    ["PROXY TCP6 ::1 1::2::3 1 2\r\n", `${ip6} (only one compression marker is allowed)`, "\"1::2::3\""],
    ["PROXY TCP4 1.2.3.4 5.6.7.8 01 2\r\n", port, "\"01\""],
    ["PROXY TCP4 1.2.3.4 5.6.7.8 1 65536\r\n", port, "\"65536\""],
    ["PROXY TCP4 1.2.3.4 5.6.7.8 -1 2\r\n", port, "\"-1\""],
    ["PROXY TCP4 1.2.3.4 5.6.7.8 1 \r\n", port, "\"\""],
    ["PROXY tcp4 1.2.3.4 5.6.7.8 1 2\r\n", "the protocol must be TCP4, TCP6 or UNKNOWN", "\"tcp4\""],
    ["PROXY TCP5 1.2.3.4 5.6.7.8 1 2\r\n", "the protocol must be TCP4, TCP6 or UNKNOWN", "\"TCP5\""],
    ["PROXY UNKNOWNS\r\n", "the protocol must be TCP4, TCP6 or UNKNOWN", "\"UNKNOWNS\""],
    ["PROXY \r\n", "the protocol must be TCP4, TCP6 or UNKNOWN", "\"\""],
    ["PROXY TCP4 1.2.3.4 5.6.7.8 \xb2 2\r\n", port, "\"\\xb2\""],
    ["PROXY \xff\0\r\n", "the protocol must be TCP4, TCP6 or UNKNOWN", "\"\\xff\\x00\""]
  ])("refuses %j", (line, rule, value) => {
    assert.deepStrictEqual(refused(Uint8Array.from(line, (char) => char.charCodeAt(0))), [
      "Malformed",
      `PROXY header: ${rule}, got ${value} (PROXY protocol 2020/03/05, section 2.1)`
    ])
  })

  it("refuses a line as soon as it is too long, whatever the limit", () => {
    const line = bytesOf(`PROXY UNKNOWN ${"x".repeat(93)}`)
    assert.strictEqual(line.length, 107)
    assert.strictEqual(refused(line.subarray(0, 106), { maxBytes: 65_551 })[0], "Truncated")
    assert.deepStrictEqual(refused(line, { maxBytes: 65_551 }), [
      "TooLarge",
      "PROXY header: a line must end with CR LF within 107 bytes, got "
      + "\"PROXY UNKNOWN xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"... (107 bytes) (PROXY protocol 2020/03/05, section 2.1)"
    ])
    assert.strictEqual(refused(bytesOf(`PROXY UNKNOWN ${"x".repeat(92)}\r\n`))[0], "TooLarge")
    assert.strictEqual(refused(bytesOf(`PROXY UNKNOWN ${"x".repeat(91)}\r\n`))[0], "read")
  })

  it("writes IPv6 without dots", () => {
    const mapped = proxied({
      _tag: "Ipv6",
      type: "stream",
      source: Result.getOrThrow(
        NetAddress.inetAddressV6(Result.getOrThrow(NetAddress.ipv6FromString("::ffff:10.0.0.1")), 1)
      ),
      destination: Result.getOrThrow(NetAddress.inetAddressV6(NetAddress.ipv6Loopback, 2))
    })
    assert.deepStrictEqual(ProxyHeader.encodeUnsafe(mapped, 1), bytesOf("PROXY TCP6 ::ffff:a00:1 ::1 1 2\r\n"))
  })
})

describe("version 2", () => {
  const unix = (source: string, destination: string) =>
    proxied({
      _tag: "Unix",
      type: "stream",
      source: Endpoint.unixUnsafe(source),
      destination: Endpoint.unixUnsafe(destination)
    })
  const path = (text: string) => Buffer.from(text.padEnd(108, "\0"), "latin1").toString("hex")

  it.each<[what: string, bytes: Uint8Array, header: ProxyHeader.Header]>([
    [
      "a client over IPv4, as haproxy's send-proxy-v2 sends it",
      v2("21 11 000c c0a80001 c0a8000b dc04 01bb"),
      proxied(example)
    ],
    [
      "a client over IPv6",
      v2("21 21 0024 20010db8000000000000000000000001 20010db8000000000000000000000002 dc04 01bb"),
      proxied(inet("2001:db8::1", 56_324, "2001:db8::2", 443))
    ],
    [
      "a datagram",
      v2("21 12 000c c0a80001 c0a8000b dc04 01bb"),
      // The example is one over IPv4.
      proxied({ ...example, type: "datagram" } as ProxyHeader.Ipv4)
    ],
    ["a health check, as haproxy's send-proxy-v2 sends it", v2("20 00 0000"), ProxyHeader.local],
    ["a health check with addresses", v2("20 11 000c c0a80001 c0a8000b dc04 01bb"), ProxyHeader.local],
    ["a health check with what would be wrong elsewhere", v2("20 ff .. 03 0004 00000000 99"), ProxyHeader.local],
    ["a Unix client", v2(`21 31 00d8 ${path("/run/a.sock")} ${path("\0name")}`), unix("/run/a.sock", "@name")],
    ["an unnamed Unix client", v2(`21 31 00d8 ${path("")} ${path("/b")}`), unix("", "/b")],
    ["garbage behind a path", v2(`21 31 00d8 ${path("/a\0garbage")} ${path("@file")}`), unix("/a", "./@file")],
    ["nobody", v2("21 00 0000"), unspecified],
    [
      "nobody, with something to say",
      v2("21 00 .. 01 0002 6832"),
      proxied({ _tag: "Unspecified" }, [{ _tag: "Alpn", protocol: "h2" }])
    ],
    ["an unspecified transport", v2("21 10 000c c0a80001 c0a8000b dc04 01bb"), unspecified],
    ["an unspecified family", v2("21 01 0000"), unspecified],
    [
      "the SSL TLV of haproxy for a client with a certificate (capture in go-proxyproto, v2 TLV tests)",
      v2(
        "21 11 0040 7f000001 7f000001 cc8a 232e 20 0031 07 00000000 21 0007 544c5376312e33 22 001f "
          + Buffer.from("Example Common Name Client Cert").toString("hex")
      ),
      proxied(inet("127.0.0.1", 52_362, "127.0.0.1", 9006), [{
        _tag: "Ssl",
        client: 7,
        verify: 0,
        version: "TLSv1.3",
        commonName: "Example Common Name Client Cert",
        others: []
      }])
    ],
    [
      "a checksum, a custom value and padding (AWS elastic-load-balancing-tools, proprot tests)",
      v2(
        "21 11 0054 ac1f0771 ac1f0a1f c8f2 0050 03 0004 e8d6892d ea 0017 01"
          + Buffer.from("vpce-08d2bf15fac5001c9").toString("hex") + "04 0024" + "00".repeat(36)
      ),
      proxied(inet("172.31.7.113", 51_442, "172.31.10.31", 80), [
        { _tag: "Crc32c" },
        { _tag: "Unknown", type: 0xea, value: bytesOf("\x01vpce-08d2bf15fac5001c9") },
        { _tag: "Noop", bytes: 36 }
      ])
    ],
    [
      "texts that are no UTF-8, a part given twice, unknown parts",
      v2(
        "21 00 .. 01 0001 ff 02 0001 ff 30 0001 ff 20 001a 01 ffffffff "
          + "22 0001 ff 22 0001 61 22 0001 62 25 0001 63 99 0002 0102"
      ),
      proxied({ _tag: "Unspecified" }, [
        { _tag: "Unknown", type: 0x01, value: hex("ff") },
        { _tag: "Unknown", type: 0x02, value: hex("ff") },
        { _tag: "Unknown", type: 0x30, value: hex("ff") },
        {
          _tag: "Ssl",
          client: 1,
          verify: 0xffff_ffff,
          commonName: "a",
          keyAlgorithm: "c",
          others: [
            { _tag: "Unknown", type: 0x22, value: hex("ff") },
            { _tag: "Unknown", type: 0x22, value: hex("62") },
            { _tag: "Unknown", type: 0x99, value: hex("0102") }
          ]
        }
      ])
    ],
    [
      "every text",
      v2(
        "21 00 .. 02 0004 efbbbf61 30 0001 6e 05 0002 00ff 20 0015 00 00000001 21 0001 76 23 0001 63 24 0001 73 25 0001 6b"
      ),
      proxied({ _tag: "Unspecified" }, [
        { _tag: "Authority", host: "\uFEFFa" },
        { _tag: "Netns", name: "n" },
        { _tag: "UniqueId", id: hex("00ff") },
        {
          _tag: "Ssl",
          client: 0,
          verify: 1,
          version: "v",
          cipher: "c",
          signatureAlgorithm: "s",
          keyAlgorithm: "k",
          others: []
        }
      ])
    ]
  ])("reads %s", (_, bytes, header) => {
    assert.deepStrictEqual(
      ProxyHeader.fromBytes(join(bytes, bytesOf("rest"))),
      Result.succeed({ header, version: 2, bytes: bytes.length, rest: bytesOf("rest") })
    )
  })

  const tlvOutside = (type: string) => `the value of TLV ${type} must lie inside of what it is a part of`
  it.each<[what: string, bytes: Uint8Array, reason: string, rule: string, section: string]>([
    ["version 1 in binary", v2("11"), "Malformed", "the version must be 2, got 1 (byte 0x11)", "2.2"],
    ["version 3", v2("31"), "Malformed", "the version must be 2, got 3 (byte 0x31)", "2.2"],
    ["command 2", v2("22"), "Malformed", "the command must be LOCAL (0) or PROXY (1), got 2", "2.2"],
    ["family 4", v2("21 41"), "Malformed", "the address family must be from 0 to 3, got 4", "2.2"],
    ["transport 3", v2("21 13"), "Malformed", "the transport protocol must be from 0 to 2, got 3", "2.2"],
    [
      "half an address",
      v2("21 11 000b"),
      "Malformed",
      "the addresses of AF_INET must be 12 bytes, got a length of 11",
      "2.2"
    ],
    [
      "no address",
      v2("21 21 0000"),
      "Malformed",
      "the addresses of AF_INET6 must be 36 bytes, got a length of 0",
      "2.2"
    ],
    [
      "half of a Unix address",
      v2("21 31 006c"),
      "Malformed",
      "the addresses of AF_UNIX must be 216 bytes, got a length of 108",
      "2.2"
    ],
    [
      "a path that is no UTF-8",
      v2(`21 31 .. ${path("\xff")} ${path("")}`),
      "Malformed",
      "a Unix address: must be UTF-8, got \"\\xff\"",
      "2.2"
    ],
    [
      "a path of 108 bytes",
      v2(`21 31 .. ${path("a".repeat(108))} ${path("")}`),
      "Malformed",
      "a Unix address: path must be at most 107 bytes, the limit of sun_path in unix(7), got 108, got "
      + `"${"a".repeat(48)}"... (108 bytes)`,
      "2.2"
    ],
    [
      "a header over the limit, at its 16th byte",
      v2("21 11 0ff1"),
      "TooLarge",
      "a header must be at most 4096 bytes, got 4097",
      "2.2"
    ],
    ["a LOCAL over the limit", v2("20 00 ffff"), "TooLarge", "a header must be at most 4096 bytes, got 65551", "2.2"],
    [
      "half a TLV",
      v2("21 00 .. 0400"),
      "Malformed",
      "a TLV must begin with 3 bytes of type and length, got 2",
      "2.2"
    ],
    [
      "a TLV over the end",
      v2("21 00 .. e0 0002 00"),
      "Malformed",
      `${tlvOutside("0xe0")}, got a length of 2 where 1 is left`,
      "2.2"
    ],
    [
      "a part of SSL over its end",
      v2("21 00 .. 20 0008 00 00000000 21 0001 04 0000"),
      "Malformed",
      `${tlvOutside("0x21")}, got a length of 1 where 0 is left`,
      "2.2"
    ],
    [
      "SSL without flags",
      v2("21 00 .. 20 0004 00000000"),
      "Malformed",
      "an SSL TLV must be at least 5 bytes, got \"\\x00\\x00\\x00\\x00\"",
      "2.2.6"
    ],
    [
      "a long unique ID",
      v2(`21 00 .. 05 0081 ${"00".repeat(129)}`),
      "Malformed",
      "a unique ID must be at most 128 bytes, got 129",
      "2.2.5"
    ],
    ["a short checksum", v2("21 00 .. 03 0003 000000"), "Malformed", "a CRC32C must be 4 bytes, got 3", "2.2.3"],
    [
      "two checksums",
      v2("21 00 .. 03 0004 00000000 03 0004 00000000"),
      "Malformed",
      "a header must have at most one CRC32C, got 2",
      "2.2.3"
    ],
    [
      "a wrong checksum",
      v2("21 11 .. ac1f0771 ac1f0a1f c8f2 0051 03 0004 e8d6892d"),
      "BadChecksum",
      "the CRC32C must be 0x8b880d14, got 0xe8d6892d",
      "2.2.3"
    ]
  ])("refuses %s", (_, bytes, reason, rule, section) => {
    assert.deepStrictEqual(refused(bytes), [
      reason,
      `PROXY header: ${rule} (PROXY protocol 2020/03/05, section ${section})`
    ])
  })

  it.prop("reads a header of exactly the limit, and none of a byte more", { more: int(0, 300) }, ({ more }) => {
    const bytes = ProxyHeader.encodeUnsafe(proxied(example, [{ _tag: "Noop", bytes: 90 + more }]), 2)
    const size = bytes.length
    assert.strictEqual(refused(bytes, { maxBytes: size })[0], "read")
    assert.strictEqual(refused(bytes.subarray(0, 16), { maxBytes: size })[0], "Truncated")
    assert.strictEqual(refused(bytes.subarray(0, 16), { maxBytes: size - 1 })[0], "TooLarge")
  })

  it("reads and writes the longest header there is", () => {
    const longest = proxied({ _tag: "Unspecified" }, [{ _tag: "Noop", bytes: 65_532 }])
    const bytes = ProxyHeader.encodeUnsafe(longest, 2)
    assert.strictEqual(bytes.length, 65_551)
    assert.deepStrictEqual(parsed(bytes, { maxBytes: 65_551 }), longest)
  })
})

describe("what is no header", () => {
  it.each<[bytes: string, value: string]>([
    ["GET / HTTP/1.1\r\n", "\"GET / HTTP/1.1\\r\\n\""],
    ["\x16\x03\x01\x02", "\"\\x16\\x03\\x01\\x02\""],
    ["PROXY\r\n", "\"PROXY\\r\\n\""],
    ["\r\n\r\n\0\r\nQUIX", "\"\\r\\n\\r\\n\\x00\\r\\nQUIX\""],
    ["\"\\\t", "\"\\\"\\\\\\t\""]
  ])("is refused at once: %j", (text, value) => {
    assert.deepStrictEqual(refused(bytesOf(text)), [
      "NotProxy",
      `PROXY header: a connection must begin with "PROXY " or the signature of version 2, got ${value}`
      + " (PROXY protocol 2020/03/05, section 2.2)"
    ])
  })

  it.each<[bytes: string, value: string]>([["", "nothing"], ["PRO", "\"PRO\""], ["\r\n\r", "\"\\r\\n\\r\""]])(
    "is truncated: %j",
    (text, value) => {
      assert.deepStrictEqual(refused(bytesOf(text)), [
        "Truncated",
        `PROXY header: the header must be complete before the peer's end, got ${value}`
        + " (PROXY protocol 2020/03/05, section 2)"
      ])
    }
  )
})

describe("encode", () => {
  const tlv = (...tlvs: ReadonlyArray<ProxyTlv.Tlv>) => proxied({ _tag: "Unspecified" }, tlvs)
  const ssl: ProxyTlv.Ssl = { _tag: "Ssl", client: 0, verify: 0, others: [] }
  it.each<[what: string, header: ProxyHeader.Header, version: ProxyHeader.Version, rule: string]>([
    [
      "TLVs in version 1",
      tlv({ _tag: "Crc32c" }, { _tag: "Alpn", protocol: "h2" }),
      1,
      "version 1 has no TLVs, version 2 is needed for them, got Crc32c, Alpn"
    ],
    [
      "two checksums",
      tlv({ _tag: "Crc32c" }, { _tag: "Crc32c" }),
      2,
      "a header must have at most one CRC32C, got 2"
    ],
    [
      "a long unique ID",
      tlv({ _tag: "UniqueId", id: new Uint8Array(129) }),
      2,
      "a unique ID must be at most 128 bytes, got 129"
    ],
    [
      "a long value",
      tlv({ _tag: "Unknown", type: 0xe0, value: new Uint8Array(65_536) }),
      2,
      "the value of a TLV must be at most 65535 bytes, got 65536 in TLV 0xe0"
    ],
    [
      "much padding",
      tlv({ _tag: "Noop", bytes: 65_536 }),
      2,
      "the padding of a NOOP must be an integer from 0 to 65535, got 65536"
    ],
    [
      "negative padding",
      tlv({ _tag: "Noop", bytes: -1 }),
      2,
      "the padding of a NOOP must be an integer from 0 to 65535, got -1"
    ],
    [
      "more than the length can say",
      tlv({ _tag: "Noop", bytes: 65_533 }),
      2,
      "addresses and TLVs must be at most 65535 bytes, got 65536"
    ],
    [
      "a type of 256",
      tlv({ _tag: "Unknown", type: 256, value: new Uint8Array(0) }),
      2,
      "the type of a TLV must be an integer from 0 to 255, got 256"
    ],
    [
      "a type of 1.5 in SSL",
      tlv({ ...ssl, others: [{ _tag: "Unknown", type: 1.5, value: new Uint8Array(0) }] }),
      2,
      "the type of a TLV must be an integer from 0 to 255, got 1.5"
    ],
    [
      "a checksum that is none",
      tlv({ _tag: "Unknown", type: 3, value: new Uint8Array(4) }),
      2,
      "TLV 0x03 must be written as Crc32c, got Unknown"
    ],
    [
      "an SSL that is none",
      tlv({ _tag: "Unknown", type: 0x20, value: new Uint8Array(0) }),
      2,
      "TLV 0x20 must be written as Ssl, got Unknown"
    ],
    [
      "flags of 256",
      tlv({ ...ssl, client: 256 }),
      2,
      "the flags of an SSL TLV must be an integer from 0 to 255, got 256"
    ],
    [
      "a verify of 2^32",
      tlv({ ...ssl, verify: 2 ** 32 }),
      2,
      "the verify field of an SSL TLV must be an integer from 0 to 4294967295, got 4294967296"
    ]
  ])("refuses %s", (_, header, version, rule) => {
    const result = ProxyHeader.encode(header, version)
    assert.deepStrictEqual(
      Result.isFailure(result) && [result.failure.reason, `${result.failure.rule}, got ${result.failure.value}`],
      ["Unsendable", rule]
    )
  })

  it("throws for trusted headers that are none", () => {
    assert.throws(() => ProxyHeader.encodeUnsafe(tlv({ _tag: "Noop", bytes: -1 }), 2), ProxyHeader.ProxyHeaderError)
  })

  it("a LOCAL carries nothing", () => {
    assert.deepStrictEqual(ProxyHeader.encodeUnsafe(ProxyHeader.local, 2), v2("20 00 0000"))
    assert.deepStrictEqual(ProxyHeader.encodeUnsafe(ProxyHeader.local, 1), bytesOf("PROXY UNKNOWN\r\n"))
  })
})

describe("endpoints", () => {
  /** An endpoint as it comes back: over TCP, and IPv4 if it is a mapped address. */
  const canonical = (self: Endpoint.Endpoint): Endpoint.Endpoint =>
    "host" in self && NetAddress.isIpAddress(self.host)
      ? Endpoint.tcpUnsafe(NetAddress.toCanonical(self.host), self.port)
      : self

  it.prop("come back, if they have a family in common", { source: endpoint, destination: endpoint }, (pair) => {
    const kinds = [pair.source, pair.destination].map(({ _tag }) => _tag === "Tls" ? "Tcp" : _tag)
    const found = ProxyHeader.toEndpoints(ProxyHeader.fromEndpoints(pair.source, pair.destination))
    if (kinds[0] !== kinds[1] || kinds[0] === "Memory") {
      assert.isUndefined(found)
    } else {
      assert.isTrue(Equal.equals(found?.source, canonical(pair.source)), String(found?.source))
      assert.isTrue(Equal.equals(found?.destination, canonical(pair.destination)), String(found?.destination))
    }
  }, runs)

  it("a zone is not sent; names and stars are no addresses", () => {
    const v6 = Endpoint.tcpUnsafe("::1", 2)
    const zoned = ProxyHeader.fromEndpoints(Endpoint.tcpUnsafe("fe80::1%eth0", 1), v6)
    assert.strictEqual(ProxyHeader.format(zoned), "proxied tcp://[fe80::1]:1 to tcp://[::1]:2")
    for (const nobody of [Endpoint.tcpUnsafe("localhost", 1), Endpoint.tcpUnsafe("*", 1)]) {
      assert.deepStrictEqual(ProxyHeader.fromEndpoints(nobody, v6), unspecified)
      assert.deepStrictEqual(ProxyHeader.fromEndpoints(v6, nobody), unspecified)
    }
  })

  it("IPv4 and IPv6 together are sent as IPv6", () => {
    const mixed = ProxyHeader.fromEndpoints(Endpoint.tcpUnsafe("10.0.0.1", 1), Endpoint.tcpUnsafe("2001:db8::1", 2))
    assert.deepStrictEqual(
      ProxyHeader.encodeUnsafe(mixed, 1),
      bytesOf("PROXY TCP6 ::ffff:a00:1 2001:db8::1 1 2\r\n")
    )
  })

  it("LOCAL, UNKNOWN and datagrams name nobody", () => {
    // The example is one over IPv4.
    const datagram = { ...example, type: "datagram" } as ProxyHeader.Ipv4
    for (const header of [ProxyHeader.local, unspecified, proxied(datagram)]) {
      assert.isUndefined(ProxyHeader.toEndpoints(header))
    }
    assert.deepStrictEqual([ProxyHeader.local, unspecified, proxied(example)].map(ProxyHeader.format), [
      "local",
      "proxied, without addresses of a stream",
      "proxied tcp://192.168.0.1:56324 to tcp://192.168.0.11:443"
    ])
  })
})

it.each<[client: number, verify: number, isVerified: boolean]>([
  [0x00, 0, false],
  [0x01, 0, false],
  [0x03, 0, true],
  [0x05, 0, true],
  [0x07, 1, false]
])("a client with flags %i and verify %i", (client, verify, isVerified) => {
  assert.strictEqual(ProxyTlv.isVerified({ _tag: "Ssl", client, verify, others: [] }), isVerified)
})

it.each([106, 65_552, 200.5, Number.NaN, Infinity])("a limit of %d is refused", (maxBytes) => {
  assert.throws(
    () => ProxyHeader.parser({ maxBytes }),
    `maxBytes must be an integer from 107 to 65551, got ${maxBytes}`
  )
})
