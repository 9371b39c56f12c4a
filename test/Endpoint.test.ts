import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Host from "effect/net/Host"
import * as NetAddress from "effect/net/NetAddress"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Endpoint from "../src/Endpoint.ts"

const int = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))
const oneOf = <A>(arbitraries: ReadonlyArray<Arbitrary.Arbitrary<A>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.flatMap(int(0, arbitraries.length - 1), (index) => arbitraries[index]!)
const joined = (pieces: Arbitrary.Arbitrary<string>, maxLength: number) =>
  Arbitrary.map(Arbitrary.array(pieces, { minLength: 1, maxLength }), (parts) => parts.join(""))
const succeeding = <A, E>(results: Arbitrary.Arbitrary<Result.Result<A, E>>): Arbitrary.Arbitrary<A> =>
  Arbitrary.filterMap(results, (result) => result)

const character = oneOf([
  Arbitrary.schema(Schema.Char),
  Arbitrary.schema(Schema.Literals(["a", "Z", "7", "/", "@", ":", "?", "#", "[", "%", " ", "\n", "\0", "é", "👩‍👩‍👧"]))
])
const segment = oneOf([int(0, 0), int(0, 0xffff)])
const ipv6 = Arbitrary.map(
  Arbitrary.all([segment, segment, segment, segment, segment, segment, segment, segment]),
  (segments) => Result.getOrThrow(NetAddress.ipv6FromSegments(segments))
)
const host: Arbitrary.Arbitrary<Host.Host | "*"> = oneOf<Host.Host | "*">([
  Arbitrary.Constant("*"),
  Arbitrary.map(
    Arbitrary.all([int(0, 255), int(0, 255), int(0, 255), int(0, 255)]),
    (octets) => Result.getOrThrow(NetAddress.ipv4FromOctets(octets))
  ),
  ipv6,
  succeeding(
    Arbitrary.map(
      Arbitrary.all([ipv6, joined(character, 4)]),
      ([address, zone]) => NetAddress.scopedIpv6LiteralFromString(`${NetAddress.formatIp(address)}%${zone}`)
    )
  ),
  succeeding(Arbitrary.map(
    joined(Arbitrary.schema(Schema.Literals(["a", "B", "7", "-", ".", "_", "xn--", "ü", "localhost"])), 8),
    Host.domainNameFromString
  ))
])
const port = oneOf([int(0, 1), int(65_534, 65_535), int(0, 65_535)])
const endpoint: Arbitrary.Arbitrary<Endpoint.Endpoint> = oneOf<Endpoint.Endpoint>([
  succeeding(Arbitrary.map(Arbitrary.all([host, port]), (parts) => Endpoint.tcp(...parts))),
  succeeding(Arbitrary.map(Arbitrary.all([host, port]), (parts) => Endpoint.tls(...parts))),
  succeeding(Arbitrary.map(joined(character, 40), Endpoint.unix)),
  succeeding(Arbitrary.map(joined(character, 40), Endpoint.memory))
])
const scheme = Arbitrary.schema(
  Schema.Literals(["", "tcp:", "tcp://", "TLS://", "unix:", "memory:", "//", "///", "http:"])
)
const nearHost = [
  "",
  "*",
  "::1",
  "[::1]",
  "[",
  "]",
  "fe80::1%eth0",
  "127.0.0.1",
  "1.2.3.999",
  "localhost",
  "@"
] as const
const nearPort = ["", ":", "::", ":0", ":80", ":080", ":99999", "]:1", "/", "?"] as const
const almostEndpoint = Arbitrary.map(
  Arbitrary.all([
    scheme,
    oneOf([Arbitrary.schema(Schema.Literals(nearHost)), joined(character, 4)]),
    oneOf([Arbitrary.schema(Schema.Literals(nearPort)), joined(character, 4)])
  ]),
  (parts) => parts.join("")
)
const runs = { arbitrary: { runs: 1000 } }

/** What the parts of an endpoint say, without its spelling. */
const isSame = (a: Endpoint.Endpoint, b: Endpoint.Endpoint): boolean => {
  const parts = (self: Endpoint.Endpoint): ReadonlyArray<unknown> => {
    if (self._tag === "Unix") return [self._tag, self.path]
    if (self._tag === "Memory") return [self._tag, self.name]
    if (self._tag === "Descriptor") return [self._tag, self.fd, self.security]
    return [self._tag, typeof self.host, self.host, self.port]
  }
  return Equal.equals(parts(a), parts(b))
}
const message = (result: Result.Result<unknown, Endpoint.EndpointError>): string =>
  Result.match(result, { onSuccess: () => "no error", onFailure: (error) => error.message })

describe("Endpoint", () => {
  it.prop("parses what it formats", { endpoint }, ({ endpoint }) => {
    const parsed = Endpoint.fromStringUnsafe(Endpoint.format(endpoint))
    assert.isTrue(isSame(parsed, endpoint))
    assert.strictEqual(Endpoint.format(parsed), Endpoint.format(endpoint))
  }, runs)

  it.prop("answers any text with an endpoint that parses again, or with an error that names it", {
    text: oneOf([Arbitrary.schema(Schema.String), almostEndpoint])
  }, ({ text }) =>
    Result.match(Endpoint.fromString(text), {
      onSuccess: (parsed) => {
        assert.isTrue(isSame(Endpoint.fromStringUnsafe(Endpoint.format(parsed)), parsed))
      },
      onFailure: (error) => {
        assert.instanceOf(error, Endpoint.EndpointError)
        assert.strictEqual(error.input.toLowerCase(), text.toLowerCase()) // capitals in the scheme may be lost
        assert.strictEqual(error.message, `endpoint ${JSON.stringify(error.input)}: ${error.rule}`)
      }
    }), runs)

  it.effect.prop("decodes what it encodes", { endpoint }, ({ endpoint }) =>
    Effect.gen(function*() {
      const encoded = yield* Schema.encodeEffect(Endpoint.EndpointFromString)(endpoint)
      assert.strictEqual(encoded, Endpoint.format(endpoint))
      const decoded = yield* Schema.decodeEffect(Endpoint.EndpointFromString)(encoded)
      assert.isTrue(isSame(decoded, endpoint))
    }), runs)

  it.prop("is equal, and hashes alike, exactly when its parts are equal", {
    a: endpoint,
    b: endpoint,
    near: Arbitrary.all([
      Arbitrary.schema(Schema.Literals(["tcpUnsafe", "tlsUnsafe"])),
      Arbitrary.schema(Schema.Literals(["*", "a", "0.0.0.0", "::", "::1", "::1%1", "::ffff:0.0.0.0"])),
      int(0, 1)
    ])
  }, ({ a, b, near: [make, host, port] }) => {
    const c = Endpoint[make](host, port)
    const d = Endpoint.tcpUnsafe("::1", 1)
    for (const [left, right] of [[a, a], [a, b], [a, c], [c, d]] as const) {
      assert.strictEqual(Equal.equals(left, right), isSame(left, right))
    }
    const again = Endpoint.fromStringUnsafe(Endpoint.format(a))
    assert.isTrue(Equal.equals(a, again))
    assert.strictEqual(Hash.hash(a), Hash.hash(again))
  }, runs)

  it.prop("prints as its spelling", { endpoint }, ({ endpoint }) => {
    assert.strictEqual(String(endpoint), Endpoint.format(endpoint))
    assert.strictEqual(JSON.stringify({ endpoint }), JSON.stringify({ endpoint: Endpoint.format(endpoint) }))
  })

  it.prop("replaces the port and nothing else", { host, from: port, to: port }, ({ host, from, to }) => {
    assert.isTrue(isSame(Endpoint.withPortUnsafe(Endpoint.tcpUnsafe(host, from), to), Endpoint.tcpUnsafe(host, to)))
    assert.isTrue(isSame(Endpoint.withPortUnsafe(Endpoint.tlsUnsafe(host, from), to), Endpoint.tlsUnsafe(host, to)))
  })

  it.each([
    ["tcp://127.0.0.1:12345", "tcp://127.0.0.1:12345"],
    ["tcp://[::1]:0", "tcp://[::1]:0"],
    ["tcp://[0:0::1]:0", "tcp://[::1]:0"],
    ["tcp://[::ffff:1.2.3.4]:1", "tcp://[::ffff:1.2.3.4]:1"],
    ["tcp://[fe80::1%eth0]:80", "tcp://[fe80::1%eth0]:80"],
    ["tcp://*:12345", "tcp://*:12345"],
    ["tcp://0.0.0.0:65535", "tcp://0.0.0.0:65535"],
    ["TCP://LocalHost:80", "tcp://localhost:80"],
    ["tls://bücher.example:443", "tls://xn--bcher-kva.example:443"],
    ["unix:/run/x.sock", "unix:/run/x.sock"],
    ["unix:///run/x.sock", "unix:/run/x.sock"],
    ["unix:x.sock", "unix:x.sock"],
    ["unix:@name", "unix:@name"],
    ["unix:./@name", "unix:./@name"],
    ["unix:/a b%20:?#", "unix:/a b%20:?#"],
    ["memory:name", "memory:name"],
    ["memory:a/b:80", "memory:a/b:80"],
    ["fd:3", "fd:3"],
    ["FD:0012", "fd:12"],
    ["tls:fd:3", "tls:fd:3"],
    ["TLS:FD:0012", "tls:fd:12"]
  ])("reads %s", (text, expected) => {
    assert.strictEqual(Endpoint.format(Endpoint.fromStringUnsafe(text)), expected)
  })

  const forms = "expected tcp://HOST:PORT, tls://HOST:PORT, unix:PATH or memory:NAME"
  const known = "the known ones are tcp, tls, unix, memory and fd"
  const host_ = "host must be an IP address, a name or *, got"
  it.each([
    ["", forms],
    ["localhost", forms],
    ["8080", forms],
    ["127.0.0.1:80", "a scheme is missing, write tcp://127.0.0.1:80"],
    ["localhost:80", "a scheme is missing, write tcp://localhost:80"],
    ["[::1]:80", "a scheme is missing, write tcp://[::1]:80"],
    ["*:80", "a scheme is missing, write tcp://*:80"],
    ["/run/x.sock", "a scheme is missing, write unix:/run/x.sock"],
    ["@name", "a scheme is missing, write unix:@name"],
    ["localhost:99999", "a scheme is missing, and port must be an integer from 0 to 65535, got 99999"],
    ["::1:80", "a scheme is missing, and an IPv6 address needs brackets, write tcp://[::1]:80"],
    [":80", "a scheme is missing, and host must not be empty, write * for all interfaces"],
    ["fd:", "a descriptor must be an integer from 3, as systemd counts them, got nothing"],
    ["fd:x", "a descriptor must be an integer from 3, as systemd counts them, got x"],
    ["tls:fd:", "a descriptor must be an integer from 3, as systemd counts them, got nothing"],
    ["tls:fd:2", "a descriptor must be an integer from 3, as systemd counts them, got 2"],
    ["fd:-3", "a descriptor must be an integer from 3, as systemd counts them, got -3"],
    ["fd:2", "a descriptor must be an integer from 3, as systemd counts them, got 2"],
    ["fd:2147483648", "a descriptor must be an integer from 3, as systemd counts them, got 2147483648"],
    ["http://localhost:80", `unknown scheme http, ${known}`],
    ["udp:localhost", `unknown scheme udp, ${known}`],
    ["tcp:localhost:80", "two slashes are missing, write tcp://localhost:80"],
    ["tls:/localhost:80", "two slashes are missing, write tls://localhost:80"],
    ["tcp:", "two slashes are missing, write tcp://HOST:PORT"],
    ["tcp://", "port is missing, write tcp://HOST:PORT"],
    ["tcp://localhost", "port is missing, write tcp://localhost:PORT"],
    ["tls://localhost:", "port is missing, write tls://localhost:PORT"],
    ["tcp://[::1]", "port is missing, write tcp://[::1]:PORT"],
    ["tcp://localhost:99999", "port must be an integer from 0 to 65535, got 99999"],
    ["tcp://localhost:65536", "port must be an integer from 0 to 65535, got 65536"],
    ["tcp://localhost:-1", "port must be an integer from 0 to 65535, got -1"],
    ["tcp://localhost:080", "port must be an integer from 0 to 65535, got 080"],
    ["tcp://localhost:http", "port must be an integer from 0 to 65535, got http"],
    ["tcp://localhost:1:2", "port must be an integer from 0 to 65535, got 1:2"],
    ["tcp://::1:80", "an IPv6 address needs brackets, write tcp://[::1]:80"],
    ["tls://fe80::1%eth0:80", "an IPv6 address needs brackets, write tls://[fe80::1%eth0]:80"],
    ["tcp://::1", "an IPv6 address needs brackets, write tcp://[::1]:PORT"],
    ["tcp://[localhost]:80", "brackets are for IPv6 addresses, write tcp://localhost:80"],
    ["tcp://[]", "brackets are for IPv6 addresses, write tcp://HOST:PORT"],
    ["tcp://[::1:80", "expected HOST:PORT or [IPv6]:PORT, got [::1:80"],
    ["tcp://[::1]x:80", "expected HOST:PORT or [IPv6]:PORT, got [::1]x:80"],
    ["tcp://localhost:80/", "a tcp endpoint ends with its port, got / after it"],
    ["tls://[::1]:80/x?y", "a tls endpoint ends with its port, got /x?y after it"],
    ["tcp://:80", "host must not be empty, write * for all interfaces"],
    ["tcp://exa mple:80", `${host_} exa mple (invalid domain name)`],
    ["tcp://1.2.3.999:80", `${host_} 1.2.3.999 (octets must be at most 255)`],
    ["tcp://[::g]:80", `${host_} ::g (segments must contain one through four hexadecimal digits)`],
    ["unix:", "path must not be empty, write unix:/PATH or unix:@NAME"],
    ["unix:@", "an abstract name must not be empty, write unix:@NAME"],
    ["unix://run/x.sock", "a unix endpoint has no host, write unix:/PATH or unix:@NAME"],
    ["unix:/a\0b", "path must not contain a NUL"],
    ["memory:", "name must not be empty or begin with /, write memory:NAME"],
    ["memory://name", "name must not be empty or begin with /, write memory:NAME"]
  ])("refuses %j", (text, rule) => {
    assert.strictEqual(message(Endpoint.fromString(text)), `endpoint ${JSON.stringify(text)}: ${rule}`)
    // Advice without a placeholder must be right.
    for (const advice of rule.match(/(?<=write )[a-z]+:[^A-Z]+$/) ?? []) {
      assert.isTrue(Endpoint.isEndpoint(Endpoint.fromStringUnsafe(advice)))
    }
  })

  it("refuses a Unix path of more than 107 bytes", () => {
    const limit = "the limit of sun_path in unix(7)"
    for (const start of ["", "@"]) {
      const longest = start + "é".repeat(53) + "x"
      assert.strictEqual(Endpoint.unixUnsafe(longest).path, longest)
      assert.strictEqual(
        message(Endpoint.unix(`${longest}y`)),
        `endpoint "unix:${longest}y": path must be at most 107 bytes, ${limit}, got 108`
      )
    }
  })

  it("checks the parts that constructors get", () => {
    for (const port of [-1, 0.5, NaN, 65_536]) {
      const rule = `port must be an integer from 0 to 65535, got ${port}`
      assert.strictEqual(message(Endpoint.tcp("a", port)), `endpoint "tcp://a:${port}": ${rule}`)
      assert.strictEqual(message(Endpoint.tls("a", port)), `endpoint "tls://a:${port}": ${rule}`)
      assert.strictEqual(
        message(Endpoint.withPort(Endpoint.tcpUnsafe("a", 1), port)),
        `endpoint "tcp://a:${port}": ${rule}`
      )
    }
    assert.strictEqual(
      message(Endpoint.withPort(Endpoint.unixUnsafe("/x"), 1)),
      `endpoint "unix:/x": a unix endpoint has no port`
    )
    assert.throws(() => Endpoint.tcpUnsafe("", 80), "host must not be empty, write * for all interfaces")
    assert.strictEqual(String(Endpoint.tcpUnsafe([127, 0, 0, 1], 80)), "tcp://127.0.0.1:80")
  })

  it("gives an endpoint back and parses a string", () => {
    const endpoint = Endpoint.memoryUnsafe("a")
    assert.strictEqual(Endpoint.fromInputUnsafe(endpoint), endpoint)
    assert.isTrue(Equal.equals(Endpoint.fromInputUnsafe("memory:a"), endpoint))
    assert.strictEqual(message(Endpoint.fromInput("a")), `endpoint "a": ${forms}`)
  })

  it("reads what Node says about a peer", () => {
    assert.strictEqual(String(Endpoint.fromNativeUnsafe("Tcp", "127.0.0.1", 1)), "tcp://127.0.0.1:1")
    assert.strictEqual(String(Endpoint.fromNativeUnsafe("Tls", "::1", 1)), "tls://[::1]:1")
    assert.strictEqual(String(Endpoint.fromNativeUnsafe("Tcp", "::ffff:10.0.0.1", 1)), "tcp://10.0.0.1:1")
    assert.strictEqual(String(Endpoint.fromNativeUnsafe("Tcp", "fe80::1%eth0", 1)), "tcp://[fe80::1%eth0]:1")
    assert.strictEqual(String(Endpoint.unixUnsafe("")), "unix:")
    assert.strictEqual(String(Endpoint.unixUnsafe("\0name")), "unix:@name")
  })

  it("tells endpoints from look-alikes", () => {
    assert.isTrue(Endpoint.isEndpoint(Endpoint.memoryUnsafe("a")))
    assert.isFalse(Endpoint.isEndpoint({ _tag: "Memory", name: "a" }))
    assert.isFalse(Endpoint.isEndpoint("memory:a"))
    assert.isTrue(Object.isFrozen(Endpoint.memoryUnsafe("a")))
  })

  it.effect("decodes with the rule in the message", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Schema.decodeEffect(Endpoint.EndpointFromString)("127.0.0.1:80"))
      assert.strictEqual(error.message, `endpoint "127.0.0.1:80": a scheme is missing, write tcp://127.0.0.1:80`)
    }))
})
