/** HAProxy in front of servers of hawser's, and behind clients: who is named, who is refused, what is read. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Codec, Connection, Endpoint, ProxyHeader as Header, type ProxyTlv, type Server } from "../../src/index.ts"
import { check } from "../support/proxyCapture.ts"
import { pair, pem } from "../support/tls.ts"
import { captures } from "./support/captures.ts"
import { haproxy } from "./support/haproxy.ts"
import { ended, freePort, output, pemPath, says, startFed, startJoined } from "./support/programs.ts"
import { news, portOf, real, serveLines, serveTls } from "./support/serving.ts"

const trusting: Server.Options = { proxy: { from: ["127.0.0.1"] } }

/** HAProxy that listens at a port and has one server. */
const front = Effect.fnUntraced(function*(server: string, bind = "", lines: ReadonlyArray<string> = []) {
  const port = yield* freePort
  const { program } = yield* haproxy((place) =>
    ["listen front", `bind 127.0.0.1:${port} ${bind.replace("CERTIFICATE", place.certificate)}`, ...lines, server].join(
      "\n  "
    )
  )
  return { port, program }
})

/** Has a line turned around by nc from an address of its own. */
const nc = (port: number, source: string, sourcePort: number) =>
  Effect.flatMap(
    startFed("printf 'ahoy\\n'", "nc", "-N", "-s", source, "-p", String(sourcePort), "127.0.0.1", String(port)),
    ended
  )

describe("what it writes", () => {
  it.live("is read as it was meant", () => Effect.map(captures, (all) => all.forEach(check)))
})

describe("in front of a server", () => {
  it.live.each(["send-proxy", "send-proxy-v2", "send-proxy-v2 proxy-v2-options crc32c,unique-id"])(
    "its client is the peer (%s)",
    (how) =>
      real((logs) =>
        Effect.gen(function*() {
          const server = yield* serveLines("tcp://127.0.0.1:0", trusting)
          const { port } = yield* front(`server quay 127.0.0.1:${server.port} ${how}`)
          const from = yield* freePort
          const { exit, stdout } = yield* nc(port, "127.0.0.7", from)
          assert.deepStrictEqual([exit, stdout], [0, "yoha\n"])
          const { peer } = yield* server.told.nth("Accepted")
          assert.strictEqual(Endpoint.format(peer), `tcp://127.0.0.7:${from}`)
          assert.strictEqual(yield* server.told.ending(), "the peer closed the connection")
          assert.deepStrictEqual(news(logs), [])
        })
      )
  )

  it.live("rules are about its clients", () =>
    real(() =>
      Effect.gen(function*() {
        const server = yield* serveLines("tcp://127.0.0.1:0", { ...trusting, deny: ["127.0.0.8"] })
        const { port } = yield* front(`server quay 127.0.0.1:${server.port} send-proxy`)
        assert.strictEqual((yield* nc(port, "127.0.0.8", yield* freePort)).stdout, "")
        assert.strictEqual(yield* server.told.refusal(), "deny names the address")
        assert.strictEqual((yield* nc(port, "127.0.0.9", yield* freePort)).stdout, "yoha\n")
      })
    ))

  it.live("limits are about its clients", () =>
    real(() =>
      Effect.gen(function*() {
        const server = yield* serveLines("tcp://127.0.0.1:0", { ...trusting, perPeer: { maxConnections: 1 } })
        const { port } = yield* front(`server quay 127.0.0.1:${server.port} send-proxy-v2`)
        yield* startJoined("nc", "-s", "127.0.0.8", "127.0.0.1", String(port))
        yield* server.told.nth("Accepted")
        assert.strictEqual((yield* nc(port, "127.0.0.8", yield* freePort)).stdout, "")
        assert.strictEqual(yield* server.told.refusal(), "perPeer.maxConnections is 1")
        assert.strictEqual((yield* nc(port, "127.0.0.9", yield* freePort)).stdout, "yoha\n")
      })
    ))

  it.live("that ends TLS, tells the client's certificate", () =>
    real(() =>
      Effect.gen(function*() {
        const server = yield* serveLines("tcp://127.0.0.1:0", trusting)
        const options = "ssl,cert-cn,ssl-cipher,authority,crc32c"
        const { port } = yield* front(
          `server quay 127.0.0.1:${server.port} send-proxy-v2 proxy-v2-options ${options}`,
          `ssl crt CERTIFICATE ca-file ${pemPath("ca")} verify required`
        )
        const client = yield* startJoined(
          "openssl",
          ["s_client", "-connect", `127.0.0.1:${port}`, "-servername", "quay.example.test"],
          ["-cert", pemPath("client"), "-key", pemPath("client.key")]
        )
        client.child.stdin.write("ahoy\n")
        yield* says(client, /yoha\n/)
        const [row] = yield* server.connections
        const tlvs = row?.proxied?._tag === "Proxied" ? row.proxied.tlvs : []
        assert.deepStrictEqual(tlvs.filter(({ _tag }) => _tag !== "Ssl"), [
          { _tag: "Crc32c" },
          { _tag: "Authority", host: "quay.example.test" }
        ])
        const ssl = tlvs.find((tlv): tlv is ProxyTlv.Ssl => tlv._tag === "Ssl")
        assert.deepStrictEqual([ssl?.version, ssl?.commonName, ssl?.verify], ["TLSv1.3", "Test client", 0])
      })
    ))

  it.live("that passes TLS on by name: first the header, then the handshake", () =>
    real((logs) =>
      Effect.gen(function*() {
        const first = yield* serveTls({}, trusting)
        const second = yield* serveTls({ certificates: [pair("second")] }, trusting)
        const port = yield* freePort
        yield* haproxy(() =>
          `frontend names
  bind 127.0.0.1:${port}
  tcp-request inspect-delay 5s
  tcp-request content accept if { req.ssl_hello_type 1 }
  use_backend second if { req.ssl_sni -i second.example.test }
  default_backend first
backend first
  server quay 127.0.0.1:${first.port} send-proxy-v2
backend second
  server quay 127.0.0.1:${second.port} send-proxy`
        )
        for (const [name, { told }] of [["localhost", first], ["second.example.test", second]] as const) {
          const client = yield* startJoined(
            "openssl",
            ["s_client", "-connect", `127.0.0.1:${port}`, "-bind", "127.0.0.7"],
            ["-servername", name, "-verify_hostname", name, "-CAfile", pemPath("ca"), "-verify_return_error"]
          )
          client.child.stdin.write("ahoy\n")
          yield* says(client, /yoha\n/)
          client.child.stdin.end()
          assert.include(yield* output(client), "Verify return code: 0 (ok)")
          assert.match(Endpoint.format((yield* told.nth("Accepted")).peer), /:\/\/127\.0\.0\.7:\d+$/)
          assert.strictEqual((yield* told.nth("Secured")).tls.servername, name)
        }
        assert.deepStrictEqual(news(logs), [])
      })
    ))

  it.live("that sends no header is refused, and the log says why", () =>
    real((logs) =>
      Effect.gen(function*() {
        const server = yield* serveLines("tcp://127.0.0.1:0", trusting)
        const { port } = yield* front(`server quay 127.0.0.1:${server.port}`)
        assert.strictEqual((yield* nc(port, "127.0.0.7", yield* freePort)).stdout, "")
        const why = "the handshake failed: PROXY header: a connection must begin with \"PROXY \" or the signature of " +
          "version 2, got \"ahoy\\n\" (PROXY protocol 2020/03/05, section 2.2)"
        assert.strictEqual(yield* server.told.refusal(), why)
        assert.deepStrictEqual(news(logs), [`Warn: refused: ${why}`])
      })
    ))

  it.live("that is not trusted is no proxy", () =>
    real(() =>
      Effect.gen(function*() {
        const server = yield* serveLines("tcp://127.0.0.1:0", { proxy: { from: ["127.0.0.6"] } })
        const { port } = yield* front(`server quay 127.0.0.1:${server.port} send-proxy`)
        const { stdout } = yield* nc(port, "127.0.0.7", yield* freePort)
        // What it says of somebody else is taken for what it says.
        assert.match(stdout, /^\r\d+ \d+ 1\.0\.0\.721 7\.0\.0\.721 4PCT YXORP\nyoha\n$/)
        assert.match(Endpoint.format((yield* server.told.nth("Accepted")).peer), /^tcp:\/\/127\.0\.0\.1:/)
      })
    ))
})

describe("health checks", () => {
  const up = /Health check for server front\/quay succeeded/
  const graceful = ["option tcp-check", "tcp-check connect default linger"]

  it.live.each<readonly [string, ReadonlyArray<string>]>([
    ["send-proxy", []],
    ["send-proxy", graceful],
    ["send-proxy-v2", []],
    ["send-proxy-v2", graceful],
    ["send-proxy-v2 check-ssl verify none", []]
  ])("are no news, and nobody's requests (%s, %j)", ([how, lines]) =>
    real((logs) =>
      Effect.gen(function*() {
        const isSecure = how.includes("ssl")
        const server = yield* isSecure ? serveTls({}, trusting) : serveLines("tcp://127.0.0.1:0", trusting)
        const { port, program } = yield* front(
          `server quay 127.0.0.1:${server.port} ${how}${isSecure ? " ssl" : ""} check inter 300ms`,
          "",
          ["option log-health-checks", ...lines]
        )
        yield* says(program, up)
        assert.strictEqual((yield* nc(port, "127.0.0.7", yield* freePort)).stdout, "yoha\n")
        const { accepted, ended, endedBy, open, refusedBy } = yield* server.stats
        assert.strictEqual(accepted, open + ended)
        assert.includeMembers(["PeerClosed", "PeerReset"], [...Object.keys(endedBy), ...Object.keys(refusedBy)])
        assert.strictEqual(server.told.of("Ended").reduce((sum, { messagesIn }) => sum + messagesIn, 0), 1)
        assert.deepStrictEqual(news(logs), [])
      })
    ))

  it.live("see when a server is suspended, and when it is back", () =>
    real(() =>
      Effect.gen(function*() {
        const server = yield* serveLines("tcp://127.0.0.1:0", trusting)
        const { port, program } = yield* front(
          `server quay 127.0.0.1:${server.port} send-proxy-v2 check inter 100ms fall 2 rise 1`,
          "",
          ["option log-health-checks"]
        )
        yield* server.suspend
        yield* says(program, /Server front\/quay is DOWN/)
        assert.strictEqual((yield* nc(port, "127.0.0.7", yield* freePort)).stdout, "")
        yield* server.resume
        yield* says(program, /Server front\/quay is UP/)
        assert.strictEqual((yield* nc(port, "127.0.0.7", yield* freePort)).stdout, "yoha\n")
      })
    ))
})

describe("behind a client", () => {
  /** HAProxy that answers each request with what it was told by a header. */
  const mirror = Effect.fnUntraced(function*(bind: string) {
    const port = yield* freePort
    yield* haproxy((place) =>
      `frontend mirror
  mode http
  bind 127.0.0.1:${port} accept-proxy ${bind.replace("CERTIFICATE", place.certificate)}
  http-request return status 200 content-type text/plain lf-string "${
        ["src", "src_port", "dst", "dst_port", "fc_pp_authority", "fc_pp_unique_id"].map((name) => `%[${name}]`).join(
          ","
        )
      },"`
    )
    return port
  })

  /** What the mirror says on a connection on which the header was sent. */
  const answer = Effect.fnUntraced(function*(connection: Connection.Connection<Uint8Array>) {
    yield* connection.write([Buffer.from("GET / HTTP/1.0\r\n\r\n")])
    const heard: Array<Uint8Array> = []
    yield* Connection.forEachBatch(connection, (chunks) => Effect.sync(() => void heard.push(...chunks)))
    return Buffer.concat(heard).toString().replace(/^[^]*\r\n\r\n/, "")
  })

  it.live.each<readonly [string, Header.Header, Header.Version, string]>([
    [
      "version 1",
      Header.fromEndpoints(Endpoint.tcpUnsafe("192.0.2.1", 1024), Endpoint.tcpUnsafe("198.51.100.2", 443)),
      1,
      "192.0.2.1,1024,198.51.100.2,443,,,"
    ],
    [
      "version 1, IPv6",
      Header.fromEndpoints(Endpoint.tcpUnsafe("2001:db8::1", 1024), Endpoint.tcpUnsafe("::ffff:1.2.3.4", 443)),
      1,
      "2001:db8::1,1024,::ffff:1.2.3.4,443,,,"
    ],
    [
      "version 2, with everything that HAProxy reads",
      Header.fromEndpoints(Endpoint.tcpUnsafe("192.0.2.1", 1024), Endpoint.tcpUnsafe("198.51.100.2", 443), [
        { _tag: "Noop", bytes: 5 },
        { _tag: "Alpn", protocol: "h2" },
        { _tag: "Crc32c" },
        { _tag: "Authority", host: "quay.example.test" },
        { _tag: "UniqueId", id: Buffer.from("quay-1") },
        { _tag: "Ssl", client: 7, verify: 0, version: "TLSv1.3", commonName: "somebody", others: [] },
        { _tag: "Unknown", type: 0xe7, value: Buffer.from("ours") }
      ]),
      2,
      "192.0.2.1,1024,198.51.100.2,443,quay.example.test,quay-1,"
    ],
    [
      "version 2, IPv6",
      Header.fromEndpoints(Endpoint.tcpUnsafe("2001:db8::1", 1024), Endpoint.tcpUnsafe("2001:db8::2", 443), [
        { _tag: "Crc32c" }
      ]),
      2,
      "2001:db8::1,1024,2001:db8::2,443,,,"
    ]
  ])("what ProxyHeader writes is read: %s", ([, header, version, told]) =>
    real(() =>
      Effect.gen(function*() {
        const port = yield* mirror("")
        const connection = yield* Connection.connect(Endpoint.tcpUnsafe("127.0.0.1", port), Codec.bytes)
        yield* connection.write([Header.encodeUnsafe(header, version)])
        assert.strictEqual(yield* answer(connection), told)
      })
    ))

  it.live("a header that is none of a client, LOCAL, leaves the address of the connection", () =>
    real(() =>
      Effect.gen(function*() {
        const port = yield* mirror("")
        const connection = yield* Connection.connect(Endpoint.tcpUnsafe("127.0.0.1", port), Codec.bytes)
        yield* connection.write([Header.encodeUnsafe(Header.local, 2)])
        assert.match(yield* answer(connection), new RegExp(`^127.0.0.1,\\d+,127.0.0.1,${port},,,$`))
      })
    ))

  describe.each([1, 2] as const)("a client that sends version %i", (proxy) => {
    it.live.each(["tcp", "tls"] as const)("names itself, over %s", (scheme) =>
      real(() =>
        Effect.gen(function*() {
          const port = yield* mirror(scheme === "tls" ? "ssl crt CERTIFICATE" : "")
          const endpoint = Endpoint.fromStringUnsafe(`${scheme}://127.0.0.1:${port}`)
          const connection = yield* Connection.connect(endpoint, Codec.bytes, {
            proxy,
            ...(scheme === "tls" ? { tls: { ca: [pem("ca")] } } : {})
          })
          const { local } = connection
          assert.strictEqual(yield* answer(connection), `127.0.0.1,${portOf(local)},127.0.0.1,${port},,,`)
        })
      ))
  })
})
