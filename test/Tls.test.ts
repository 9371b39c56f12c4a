/** What handshakes agree on, and how they fail: over Node's sockets and over memory alike. */
import { assert, describe, it } from "@effect/vitest"
import { DateTime, Effect } from "effect"
import * as NodeTls from "node:tls"
import { CloseReason, Endpoint, NodeTransport, type Tls, Transport } from "../src/index.ts"
import { until } from "./support/nodeSockets.ts"
import { engine, pair, pem, shake, Side, trusted } from "./support/tls.ts"

const node = it.layer(NodeTransport.layer, { excludeTestServices: true })

const mutual = {
  server: { clientCertificate: "require", clientCa: [pem("ca")] },
  client: { certificate: pair("client") }
} satisfies { readonly server: Partial<Tls.ServerOptions>; readonly client: Tls.ClientOptions }

describe.each(["tcp://127.0.0.1:0", "memory:tls"])("%s", (endpoint) => {
  node("agrees", (it) => {
    it.effect("on the newest version, and tells both sides", () =>
      Effect.gen(function*() {
        const { client, server } = yield* shake(endpoint)
        assert.deepStrictEqual(server.info, {
          protocol: "TLSv1.3",
          cipher: "TLS_AES_256_GCM_SHA384",
          alpn: undefined,
          servername: "localhost",
          resumed: false,
          verified: false,
          peerCertificate: undefined
        })
        const certificate = client.info?.peerCertificate
        assert.deepStrictEqual(
          { ...client.info, peerCertificate: undefined },
          { ...server.info, verified: true, peerCertificate: undefined }
        )
        assert.deepStrictEqual(
          [certificate?.subject, certificate?.issuer, DateTime.formatIso(certificate!.validTo)],
          ["CN=localhost, O=hawser tests", "CN=Test CA, O=hawser tests", "2070-01-01T00:00:00.000Z"]
        )
        assert.match(certificate!.fingerprint256, /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/)
        assert.deepStrictEqual([client.told, server.told], [{ secure: 1, failed: 0 }, { secure: 1, failed: 0 }])
      }))

    it.effect.each<readonly [Partial<Tls.ServerOptions>, Tls.ClientOptions]>([
      [{ maxVersion: "TLSv1.2" }, {}],
      [{}, { maxVersion: "TLSv1.2" }]
    ])("on the older version where one side wants it", ([server, client]) =>
      Effect.gen(function*() {
        const sides = yield* shake(endpoint, { server, client })
        assert.deepStrictEqual([sides.server.info?.protocol, sides.client.info?.protocol], ["TLSv1.2", "TLSv1.2"])
      }))

    it.effect.each<readonly [ReadonlyArray<string> | undefined, ReadonlyArray<string> | undefined, string | undefined]>(
      [
        [["b", "a"], ["a", "b"], "b"],
        [["a"], ["b", "a"], "a"],
        [["a"], undefined, undefined],
        [undefined, ["a"], undefined]
      ]
    )("on the server's %s and the client's %s: %s", ([serverAlpn, clientAlpn, expected]) =>
      Effect.gen(function*() {
        const { client, server } = yield* shake(endpoint, {
          server: { alpn: serverAlpn },
          client: { alpn: clientAlpn }
        })
        assert.deepStrictEqual([server.info?.alpn, client.info?.alpn], [expected, expected])
      }))

    it.effect.each([
      ["localhost", "CN=localhost"],
      ["second.example.test", "CN=second.example.test"],
      ["SECOND.example.test", "CN=second.example.test"],
      ["any.example.test", "CN=localhost"],
      ["any.second.test", "CN=second.example.test"],
      ["deep.any.second.test", "CN=localhost"],
      ["second.test", "CN=localhost"],
      ["unknown.test", "CN=localhost"]
    ])("on the certificate for the name %s: %s", ([servername, subject]) =>
      Effect.gen(function*() {
        const { client } = yield* shake(endpoint, {
          server: { certificates: [pair("server"), pair("second")] },
          client: { servername, verify: "insecure", ca: undefined }
        })
        assert.strictEqual(client.info?.peerCertificate?.subject.split(", ")[0], subject)
      }))

    it.effect("on no name where the client has an address, whose certificate is checked for it", () =>
      Effect.gen(function*() {
        const { client, server } = yield* shake(endpoint, { host: "127.0.0.1" })
        assert.deepStrictEqual([server.info?.servername, client.info?.verified], [undefined, true])
        const v6 = yield* shake(endpoint, { host: "::1" })
        assert.strictEqual(v6.client.info?.verified, true)
      }))

    it.effect("on both certificates, and talks both ways", () =>
      Effect.gen(function*() {
        const { client, server } = yield* shake(endpoint, mutual)
        assert.strictEqual(server.info?.peerCertificate?.subject, "CN=Test client, O=hawser tests")
        assert.deepStrictEqual([server.info?.verified, client.info?.verified], [true, true])
        client.send("ahoy")
        server.send("hello")
        yield* until("both texts", () => client.heard === "hello" && server.heard === "ahoy")
      }))

    it.effect("on a certificate of the client or none, where it is only asked for one", () =>
      Effect.gen(function*() {
        const asked = { clientCertificate: "request", clientCa: [pem("ca")] } as const
        const without = yield* shake(endpoint, { server: asked })
        assert.deepStrictEqual([without.server.info?.verified, without.server.info?.peerCertificate], [
          false,
          undefined
        ])
        const { server } = yield* shake(endpoint, { server: asked, client: mutual.client })
        assert.deepStrictEqual([server.info?.verified, server.info?.peerCertificate?.subject], [
          true,
          "CN=Test client, O=hawser tests"
        ])
      }))

    it.effect("on anything, where the client is insecure; and says so", () =>
      Effect.gen(function*() {
        const { client } = yield* shake(endpoint, {
          server: { certificates: [pair("stranger")] },
          client: { verify: "insecure", ca: undefined },
          host: "somebody.else"
        })
        assert.strictEqual(client.info?.verified, false)
        assert.strictEqual(client.info?.peerCertificate?.subject, "CN=Stranger, O=hawser tests")
      }))
  })

  node("fails", (it) => {
    interface Failing {
      readonly name: string
      readonly options: Parameters<typeof shake>[1]
      readonly server?: string
      readonly client?: string
    }
    it.effect.each<Failing>([
      {
        name: "a server of an unknown issuer",
        options: { server: { certificates: [pair("stranger")] } },
        client: "the handshake failed: the peer's certificate was issued by nobody that is trusted here"
      },
      {
        name: "a certificate for another name",
        options: { host: "elsewhere.test" },
        client:
          "the handshake failed: the peer's certificate is for somebody else: Host: elsewhere.test. is not in the " +
          "cert's altnames: DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, DNS:*.example.test"
      },
      {
        name: "a certificate for another address",
        options: { host: "127.0.0.2" },
        client: "the handshake failed: the peer's certificate is for somebody else: IP: 127.0.0.2 is not in the " +
          "cert's list: 127.0.0.1, ::1"
      },
      {
        name: "an expired certificate",
        options: { server: { certificates: [{ certificate: pem("expired"), key: pem("expired.key") }] } },
        client: "the handshake failed: the peer's certificate has expired"
      },
      {
        name: "a client without the certificate that is required",
        options: { server: mutual.server },
        server: "the handshake failed: the client showed no certificate, and one is required"
      },
      {
        name: "a client of an unknown issuer",
        options: { server: mutual.server, client: { certificate: pair("stranger") } },
        server: "the handshake failed: the peer's certificate was issued by nobody that is trusted here"
      },
      {
        name: "a client of an unknown issuer, that need not have shown anything",
        options: {
          server: { clientCertificate: "request", clientCa: [pem("ca")] },
          client: { certificate: pair("stranger") }
        },
        server: "the handshake failed: the peer's certificate was issued by nobody that is trusted here"
      },
      {
        name: "a certificate that is not for clients",
        options: { server: mutual.server, client: { certificate: pair("server") } },
        server: "the handshake failed: the peer's certificate was not issued for this use"
      },
      {
        name: "no version in common",
        options: { server: { minVersion: "TLSv1.3" }, client: { maxVersion: "TLSv1.2" } },
        server: "the handshake failed: the peer speaks no version of TLS that is allowed here",
        client: "the handshake failed: the peer allows no version of TLS that is spoken here"
      },
      {
        name: "no application protocol in common",
        options: { server: { alpn: ["a"] }, client: { alpn: ["b"] } },
        server: "the handshake failed: the client offered no application protocol that is spoken here",
        client: "the handshake failed: the peer speaks none of the application protocols offered"
      }
    ])("$name", ({ client, options, server }) =>
      Effect.gen(function*() {
        const sides = yield* shake(endpoint, options)
        if (server !== undefined) assert.strictEqual(sides.server.outcome, server)
        if (client !== undefined) assert.strictEqual(sides.client.outcome, client)
        // A client may be done before the server is, and learn it later; in the end both are gone.
        yield* until("the end of the client", () => sides.client.ended || sides.client.closed !== undefined)
        sides.client.raw?.end()
        yield* until("the close of both", () => sides.client.closed !== undefined && sides.server.closed !== undefined)
        assert.deepStrictEqual(
          [sides.client, sides.server].map(({ heard, told }) => [heard, told.secure + told.failed]),
          [["", 1], ["", 1]]
        )
      }))
  })
})

node("tickets", (it) => {
  /** Dials with a session, or without one, and gives the one that the server offers. */
  const dial = (port: number, session: Buffer | undefined, own: NodeTls.SecureContextOptions = {}) =>
    Effect.callback<Buffer>((resume) => {
      const socket = NodeTls.connect({
        port,
        host: "127.0.0.1",
        ca: [pem("ca")],
        servername: "localhost",
        ...own,
        ...(session === undefined ? {} : { session })
      })
      socket.once("session", (offered) => {
        socket.destroy()
        resume(Effect.succeed(offered))
      })
      socket.on("error", (error) => resume(Effect.die(error)))
      // A server without tickets offers nothing; what it says comes behind what it would have offered.
      socket.once("data", () => {
        socket.destroy()
        resume(Effect.succeed(Buffer.alloc(0)))
      })
    })

  /** Serves, and says of each handshake whether it resumed a session. */
  const serve = Effect.fnUntraced(function*(options: Partial<Tls.ServerOptions>) {
    const tls = yield* engine
    const context = yield* tls.server({ ...trusted.server, ...options })
    const transport = yield* Transport.Transport
    const resumed: Array<boolean | string> = []
    const { endpoint } = yield* transport.listen(Endpoint.tcpUnsafe("127.0.0.1", 0), {
      backlog: 16,
      onAccept: (raw) => {
        const secure: Transport.RawSocket = tls.accept(raw, context, {
          onSecure: (info) => {
            resumed.push(info.resumed)
            secure.write([new Uint8Array(1)])
          },
          onFailed: ({ reason }) => void resumed.push(CloseReason.format(reason))
        })
      }
    })
    return { context, resumed, port: endpoint._tag === "Tcp" ? endpoint.port : 0 }
  })

  it.effect("resume a session, until the context is reloaded", () =>
    Effect.gen(function*() {
      const server = yield* serve({})
      const session = yield* dial(server.port, undefined)
      yield* dial(server.port, session)
      yield* server.context.reload(trusted.server)
      yield* dial(server.port, session)
      assert.deepStrictEqual(server.resumed, [false, true, false])
    }))

  it.effect("resume also the session of a client that showed a certificate", () =>
    Effect.gen(function*() {
      const server = yield* serve(mutual.server)
      const own = { cert: pem("client"), key: pem("client.key") }
      const session = yield* dial(server.port, undefined, own)
      yield* dial(server.port, session, own)
      assert.deepStrictEqual(server.resumed, [false, true])
    }))

  it.effect("are not given where they are off", () =>
    Effect.gen(function*() {
      const server = yield* serve({ sessionTickets: "off" })
      const session = yield* dial(server.port, undefined)
      yield* dial(server.port, session.length > 0 ? session : undefined)
      assert.deepStrictEqual(server.resumed, [false, false])
    }))
})

node("a second handshake", (it) => {
  it.effect("in mid-connection is refused", () =>
    Effect.gen(function*() {
      const tls = yield* engine
      const context = yield* tls.server({ ...trusted.server, maxVersion: "TLSv1.2" })
      const transport = yield* Transport.Transport
      const side = new Side()
      const { endpoint } = yield* transport.listen(Endpoint.tcpUnsafe("127.0.0.1", 0), {
        backlog: 16,
        onAccept: (raw) => side.start((handshake) => tls.accept(raw, context, handshake))
      })
      const client = NodeTls.connect({
        port: endpoint._tag === "Tcp" ? endpoint.port : 0,
        ca: [pem("ca")],
        servername: "localhost"
      })
      client.on("error", () => {})
      client.once("secureConnect", () => client.renegotiate({}, () => {}))
      yield* until("the end", () => side.closed !== undefined)
      assert.strictEqual(side.closed?.code, "ERR_TLS_RENEGOTIATION_DISABLED")
    }))
})
