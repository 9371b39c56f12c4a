/** Clients of hawser's at `openssl s_server`: what they reach, and why they do not. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect } from "effect"
import { Client, CloseReason, Connection, Endpoint, type Tls, Transport } from "../../src/index.ts"
import { line, Text } from "../support/network.ts"
import { pair, pem } from "../support/tls.ts"
import { freePort, pemPath, says, startFed, startJoined } from "./support/programs.ts"
import { real } from "./support/serving.ts"

const files = (name: string, second = "") => [`-cert${second}`, pemPath(name), `-key${second}`, pemPath(`${name}.key`)]

/** Starts a server that turns lines around, with a certificate; where to dial it. */
const server = Effect.fnUntraced(function*(certificate: string, ...args: ReadonlyArray<string>) {
  const program = yield* startJoined(
    "openssl",
    "s_server",
    ["-accept", "127.0.0.1:0", "-rev", ...files(certificate), ...args]
  )
  const [, port] = yield* says(program, /ACCEPT 127\.0\.0\.1:(\d+)/)
  return { program, endpoint: Endpoint.tlsUnsafe("localhost", Number(port)) }
})

const ca = [pem("ca")]

/** Dials (the server has one connection at a time), has a line turned around, and gives what the handshake told. */
const talk = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint, tls: Tls.DialOptions) {
  const connection = yield* Connection.connect(endpoint, line, { tls })
  yield* connection.write(["ahoy"])
  assert.deepStrictEqual(yield* connection.pull, ["yoha"])
  return connection.tls ?? assert.fail("no TLS")
}, Effect.scoped)

/** Why there is no conversation: what dialling said, or the first read after that. */
const failure = (endpoint: Endpoint.Endpoint, tls: Tls.DialOptions) =>
  Effect.flip(talk(endpoint, tls)).pipe(
    Effect.map((error) => {
      if (error instanceof CloseReason.ConnectionError) return CloseReason.format(error.reason)
      return error instanceof Transport.ConnectError
        ? error.message.replace(`cannot connect to ${Endpoint.format(endpoint)}: `, "")
        : assert.fail(String(error))
    })
  )

describe("versions", () => {
  it.live.each([["-tls1_2", "TLSv1.2"], ["-tls1_3", "TLSv1.3"]])(
    "%s is %s",
    ([flag, version]) =>
      real(() =>
        Effect.gen(function*() {
          const { endpoint, program } = yield* server("server", flag!)
          const tls = yield* talk(endpoint, { ca })
          assert.deepStrictEqual([tls.protocol, tls.verified, tls.servername, tls.peerCertificate?.subject], [
            version,
            true,
            "localhost",
            "CN=localhost, O=hawser tests"
          ])
          yield* says(program, new RegExp(`Protocol version: ${version}\n[^]*Ciphersuite: `))
        })
      )
  )

  const noVersion = "the handshake failed: the peer allows no version of TLS that is spoken here"

  it.live.each<readonly [string, ReadonlyArray<string>, Tls.DialOptions]>([
    ["TLS 1.1", ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"], {}],
    ["TLS 1.2, where 1.3 is the least", ["-tls1_2"], { minVersion: "TLSv1.3" }],
    ["TLS 1.3, where 1.2 is the most", ["-tls1_3"], { maxVersion: "TLSv1.2" }]
  ])("%s is refused", ([, flags, options]) =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* server("server", ...flags)
        assert.strictEqual(yield* failure(endpoint, { ca, ...options }), noVersion)
      })
    ))

  it.live("a cipher of another kind is told", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* server("server", "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256")
        const why = "the handshake failed: the peer found nothing that both sides can do"
        assert.strictEqual(yield* failure(endpoint, { ca }), why)
      })
    ))
})

describe("ALPN", () => {
  it.live("what both speak is agreed on", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* server("server", "-alpn", "other,quay/1")
        assert.strictEqual((yield* talk(endpoint, { ca, alpn: ["quay/2", "quay/1"] })).alpn, "quay/1")
        assert.strictEqual((yield* talk(endpoint, { ca })).alpn, undefined)
      })
    ))

  it.live("a server that has none in common ends it", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* server("server", "-alpn", "other")
        const why = "the handshake failed: the peer speaks none of the application protocols offered"
        assert.strictEqual(yield* failure(endpoint, { ca, alpn: ["quay/2"] }), why)
      })
    ))
})

describe("the server's certificate", () => {
  it.live("is chosen by the name that is asked for", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* server("server", "-servername", "second.example.test", ...files("second", "2"))
        const subject = (servername: string) =>
          Effect.map(talk(endpoint, { ca, servername }), ({ peerCertificate }) => peerCertificate?.subject)
        assert.strictEqual(yield* subject("second.example.test"), "CN=second.example.test, O=hawser tests")
        assert.strictEqual(yield* subject("other.example.test"), "CN=localhost, O=hawser tests")
      })
    ))

  it.live("may be for an address", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* server("server")
        const { servername, verified } = yield* talk(Endpoint.tlsUnsafe("127.0.0.1", endpoint.port), { ca })
        assert.deepStrictEqual([servername, verified], [undefined, true])
      })
    ))

  it.live.each([
    ["expired", "the peer's certificate has expired"],
    ["stranger", "the peer's certificate was issued by nobody that is trusted here"],
    [
      "second",
      "the peer's certificate is for somebody else: Host: localhost. is not in the cert's altnames: " +
      "DNS:second.example.test, DNS:*.second.test"
    ],
    ["client", "the peer's certificate was not issued for this use"]
  ])("%s is refused, unless nobody looks", ([certificate, why]) =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* server(certificate!)
        assert.strictEqual(yield* failure(endpoint, { ca }), `the handshake failed: ${why}`)
        assert.isFalse((yield* talk(endpoint, { verify: "insecure" })).verified)
      })
    ))
})

describe("the client's certificate", () => {
  const asks = ["-Verify", "1", "-verify_return_error", "-CAfile", pemPath("ca")]

  describe.each(["-tls1_2", "-tls1_3"])("%s", (version) => {
    it.live("a good one opens the door", () =>
      real(() =>
        Effect.gen(function*() {
          const { endpoint, program } = yield* server("server", version, ...asks)
          yield* talk(endpoint, { ca, certificate: pair("client") })
          yield* says(program, /Peer certificate: O = hawser tests, CN = Test client/)
        })
      ))

    const kind = "the peer refused the kind of this side's certificate"

    // What TLS 1.2 says in the handshake, TLS 1.3 says behind it, to the first read.
    it.live.each<readonly [string, Tls.DialOptions, in1_2: string, in1_3: string]>([
      ["none", {}, "the peer found nothing that both sides can do", "TLSV13_ALERT_CERTIFICATE_REQUIRED"],
      [
        "another authority's",
        { certificate: pair("stranger") },
        "the peer does not trust the issuer of this side's certificate",
        "TLSV1_ALERT_UNKNOWN_CA"
      ],
      ["one for servers", { certificate: pair("server") }, kind, "SSL/TLS_ALERT_UNSUPPORTED_CERTIFICATE"]
    ])("%s does not", ([, options, in1_2, in1_3]) =>
      real(() =>
        Effect.gen(function*() {
          const { endpoint } = yield* server("server", version, ...asks)
          assert.strictEqual(
            yield* failure(endpoint, { ca, ...options }),
            version === "-tls1_2"
              ? `the handshake failed: ${in1_2}`
              : `the peer broke the connection (ERR_SSL_${in1_3})`
          )
        })
      ))
  })
})

describe("no TLS at all", () => {
  it.live.each([["220 quay ESMTP\\r\\n"], ["HTTP/1.1 400 Bad Request\\r\\n\\r\\n"]])(
    "%s is told",
    ([text]) =>
      real(() =>
        Effect.gen(function*() {
          const port = yield* freePort
          const nc = yield* startFed(`printf '${text}'; cat`, "nc", "-lv", "127.0.0.1", String(port))
          yield* says(nc, /Listening on/)
          const why = "the handshake failed: the peer did not speak TLS"
          assert.strictEqual(yield* failure(Endpoint.tlsUnsafe("localhost", port), { ca }), why)
        })
      )
  )

  it.live("a server that hangs up is told", () =>
    real(() =>
      Effect.gen(function*() {
        const socat = yield* startJoined("socat", "-d", "-d", "TCP-LISTEN:0,bind=127.0.0.1", "EXEC:true")
        const [, port] = yield* says(socat, /listening on AF=2 127\.0\.0\.1:(\d+)/)
        const why = "the handshake failed: the peer hung up in the handshake"
        assert.strictEqual(yield* failure(Endpoint.tlsUnsafe("localhost", Number(port)), { ca }), why)
      })
    ))
})

describe("a conversation", () => {
  it.live("is pipelined", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* server("server")
        const client = yield* Client.make(Text, endpoint, { tls: { ca } })
        const lines = Array.from({ length: 500 }, (_, i) => `line ${i} ${"x".repeat(i)}`)
        const answers = yield* Effect.forEach(lines, client.call, { concurrency: "unbounded" })
        assert.deepStrictEqual(answers, lines.map((text) => Array.from(text).reverse().join("")))
      })
    ))

  it.live("ends when the server quits", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint, program } = yield* server("server")
        const connection = yield* Connection.connect(endpoint, line, { tls: { ca } })
        yield* connection.write(["ahoy"])
        yield* connection.pull
        program.kill("SIGTERM")
        // It leaves without a close_notify, which Node does not tell from an end with one.
        assert.isTrue(Cause.isDone(yield* Effect.flip(connection.pull)))
      })
    ))
})
