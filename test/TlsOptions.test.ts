/** TLS options are checked when a context is made of them: what is refused, and what is noticed. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect, Formatter, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import { MemoryTransport, NodeTls, Tls } from "../src/index.ts"
import { pair, pem, trusted } from "./support/tls.ts"

const { engine } = NodeTls

const file = (name: string): string => fileURLToPath(new URL(`./data/tls/${name}.pem`, import.meta.url))

/** The message of the error of a server's options. */
const serverError = (options: Partial<Tls.ServerOptions>) =>
  Effect.map(Effect.flip(engine.server({ ...trusted.server, ...options })), ({ message }) => message)

const clientError = (options: Tls.ClientOptions) =>
  Effect.map(Effect.flip(engine.client(options)), ({ message }) => message)

const second = (change: Partial<Tls.KeyPair>): Partial<Tls.ServerOptions> => ({
  certificates: [pair("server"), { ...pair("second"), ...change }]
})

const garbled = pem("server").replace(/\n[A-Za-z0-9+/]{20}/, "\nAAAAAAAAAAAAAAAAAAAA")

describe("a server's options", () => {
  it.effect.each<readonly [string, Partial<Tls.ServerOptions>]>([
    ["tls.certificates must be a list with at least one certificate, got an empty list", { certificates: [] }],
    ["tls.clientCa must be absent while clientCertificate is none, got 1 of them", { clientCa: [pem("ca")] }],
    [
      "tls.clientCa must be a list with at least one certificate, because clientCertificate is require, got nothing",
      { clientCertificate: "require" }
    ],
    [
      "tls.clientCa must be a list with at least one certificate, because clientCertificate is request, got an empty list",
      { clientCertificate: "request", clientCa: [] }
    ],
    [
      "tls.clientCa[0] must be certificates in PEM, got a text without BEGIN CERTIFICATE and END CERTIFICATE",
      { clientCertificate: "request", clientCa: [pem("server.key")] }
    ],
    [
      "tls.minVersion must be at most maxVersion, which is TLSv1.2, got TLSv1.3",
      { minVersion: "TLSv1.3", maxVersion: "TLSv1.2" }
    ],
    ["tls.alpn must be absent or a list with at least one protocol, got an empty list", { alpn: [] }],
    ["tls.alpn[1] must be of 1 to 255 bytes (RFC 7301, 3.1), got 0 bytes", { alpn: ["a", ""] }],
    ["tls.alpn[0] must be of 1 to 255 bytes (RFC 7301, 3.1), got 256 bytes", { alpn: ["é".repeat(128)] }],
    [
      "tls.certificates[1].certificate must be certificates in PEM, got a text without BEGIN CERTIFICATE and " +
      "END CERTIFICATE",
      second({ certificate: "hello" })
    ],
    [
      "tls.certificates[1].certificate must be a chain in which each certificate is issued by the next, got " +
      "CN=Other CA, O=hawser tests behind CN=localhost, O=hawser tests",
      second({ certificate: pem("server") + pem("otherCa") })
    ],
    [
      "tls.certificates[1].key must be the key of certificates[1].certificate, got the key of another",
      second({ key: pem("server.key") })
    ],
    [
      "tls.certificates[1].passphrase must be given, because certificates[1].key is encrypted, got nothing",
      second({ key: pem("server.locked.key") })
    ],
    [
      "tls.certificates[1].passphrase must be the one that opens certificates[1].key, got another",
      second({ key: pem("server.locked.key"), passphrase: "wrong" })
    ]
  ])("%s", ([message, options]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* serverError(options), message)
    }))

  it.effect("that OpenSSL cannot read are refused in its words", () =>
    Effect.gen(function*() {
      assert.match(
        yield* serverError(second({ certificate: garbled })),
        /^tls\.certificates\[1\]\.certificate must be certificates in PEM, got error:/
      )
      assert.match(
        yield* serverError(second({ key: "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n" })),
        /^tls\.certificates\[1\]\.key must be a private key in PEM, got error:/
      )
      // A program may have read it from somewhere.
      const old = { minVersion: "TLSv1" } as unknown as Tls.ServerOptions
      assert.strictEqual(yield* serverError(old), "tls.minVersion must be TLSv1.2 or TLSv1.3, got TLSv1")
    }))

  it.effect("may have a key that is encrypted, and secrets that are redacted", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const key = { certificate: pem("server"), key: Redacted.make(pem("server.locked.key")) }
      const context = yield* engine.server({ certificates: [{ ...key, passphrase: Redacted.make("quay") }] })
      assert.deepStrictEqual(context.certificates.map(({ subject }) => subject), ["CN=localhost, O=hawser tests"])
      assert.deepStrictEqual(context.notices, [])
    }))

  it.effect("have a chain up to the root", () =>
    Effect.gen(function*() {
      const context = yield* engine.server({
        certificates: [{ ...pair("server"), certificate: `issued by\n${pem("server")}\nby\n${pem("ca")}` }]
      })
      assert.strictEqual(context.certificates.length, 1)
    }))

  it.effect("with a certificate out of its time are noticed", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(Date.UTC(2026, 0, 1))
      const expired = yield* engine.server({ certificates: [pair("server"), pair("expired")] })
      assert.deepStrictEqual(expired.notices, [
        "tls.certificates[1].certificate (CN=localhost, O=hawser tests) expired on 2011-01-01T00:00:00.000Z"
      ])
      assert.strictEqual(DateTime.formatIso(expired.certificates[1]!.validFrom), "2010-01-01T00:00:00.000Z")
      yield* TestClock.setTime(Date.UTC(2019, 0, 1))
      const early = yield* engine.client({ certificate: pair("client") })
      assert.deepStrictEqual(early.notices, [
        "tls.certificate.certificate (CN=Test client, O=hawser tests) is not valid before 2020-01-01T00:00:00.000Z"
      ])
    }))

  it.effect("that are refused leave a context as it was", () =>
    Effect.gen(function*() {
      const context = yield* engine.server(trusted.server)
      const error = yield* Effect.flip(
        context.reload({ certificates: [{ ...pair("server"), key: pem("second.key") }] })
      )
      assert.strictEqual(error.option, "certificates[0].key")
      assert.strictEqual(context.certificates[0]?.subject, "CN=localhost, O=hawser tests")
      yield* context.reload({ certificates: [pair("second")] })
      assert.strictEqual(context.certificates[0]?.subject, "CN=second.example.test, O=hawser tests")
    }))

  it.effect("never show a secret", () =>
    Effect.gen(function*() {
      const secret = pem("second.key").split("\n")[1]!
      const errors = [
        yield* Effect.flip(engine.server({ certificates: [{ ...pair("server"), key: pem("second.key") }] })),
        yield* Effect.flip(
          engine.server({ certificates: [{ certificate: pem("second.key"), key: pem("second.key") }] })
        )
      ]
      const contexts = [
        yield* engine.server({ certificates: [pair("second")] }),
        yield* engine.client({ certificate: { ...pair("client"), key: pem("client.key") } })
      ]
      for (const value of [...errors, ...contexts]) {
        for (const text of [Formatter.format(value), JSON.stringify(value), String(value)]) {
          assert.notInclude(text, secret)
          assert.notInclude(text, pem("client.key").split("\n")[1]!)
        }
      }
    }))
})

describe("a client's options", () => {
  it.effect.each<readonly [string, Tls.ClientOptions]>([
    ["tls.ca must be default, system or a list with at least one certificate, got an empty list", { ca: [] }],
    ["tls.ca must be absent while verify is insecure, got 1 of them", { ca: [pem("ca")], verify: "insecure" }],
    ["tls.ca must be absent while verify is insecure, got system", { ca: "system", verify: "insecure" }],
    [
      "tls.ca[1] must be certificates in PEM, got a text without BEGIN CERTIFICATE and END CERTIFICATE",
      { ca: [pem("ca"), ""] }
    ],
    [`tls.servername must be a host name or an address, got "a b"`, { servername: "a b" }],
    ["tls.certificate.key must be the key of certificate.certificate, got the key of another", {
      certificate: { certificate: pem("client"), key: pem("server.key") }
    }],
    ["tls.maxVersion must be TLSv1.2 or TLSv1.3, got SSLv3", { maxVersion: "SSLv3" as Tls.Version }]
  ])("%s", ([message, options]) =>
    Effect.gen(function*() {
      assert.strictEqual(yield* clientError(options), message)
    }))

  it.effect("may trust the system's list", () => Effect.asVoid(engine.client({ ca: "system" })))
})

describe("files", () => {
  const certificates = [{ certificate: file("server"), key: file("server.key") }]

  it.effect("are read into options, each time again", () =>
    Effect.gen(function*() {
      const options = yield* NodeTls.fromFiles({
        certificates,
        clientCa: [file("ca")],
        clientCertificate: "require",
        alpn: ["a"]
      })
      const [read] = options.certificates
      assert.strictEqual(read?.certificate, pem("server"))
      assert.isTrue(Redacted.isRedacted(read?.key))
      assert.deepStrictEqual([options.clientCa, options.clientCertificate, options.alpn], [[pem("ca")], "require", [
        "a"
      ]])
      const context = yield* engine.server(options)
      assert.strictEqual(context.certificates.length, 1)
    }))

  it.effect("that cannot be read are named", () =>
    Effect.gen(function*() {
      const path = `${tmpdir()}/hawser-no-such.pem`
      const missing = yield* Effect.flip(
        NodeTls.fromFiles({ certificates: [...certificates, { ...certificates[0]!, key: path }] })
      )
      assert.strictEqual(missing.message, `tls.certificates[1].key: cannot read ${path} (ENOENT)`)
      const folder = yield* Effect.flip(NodeTls.fromFiles({ certificates, clientCa: [tmpdir()] }))
      assert.deepStrictEqual([folder.option, folder.code], ["clientCa[0]", "EISDIR"])
    }))
})

describe("a transport", () => {
  it.effect("without TLS makes no context", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Tls.makeServer(trusted.server))
      assert.strictEqual(error.message, "tls.* must be absent with a transport that does no TLS, got options")
    }).pipe(Effect.provide(MemoryTransport.layer)))

  it.effect("can be given Node's", () =>
    Effect.asVoid(Tls.makeServer(trusted.server)).pipe(
      Effect.provide(Layer.provide(NodeTls.layer, MemoryTransport.layer))
    ))
})
