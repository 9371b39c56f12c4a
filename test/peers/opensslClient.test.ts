/** `openssl s_client` at a server of hawser's: what it is shown, what it is refused, and what the server says of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { Tls } from "../../src/index.ts"
import type { Program } from "../cli/process.ts"
import { pair, pem } from "../support/tls.ts"
import { folder, output, pemPath, says, startFed, startJoined } from "./support/programs.ts"
import { news, real, serveLines, serveTls } from "./support/serving.ts"

/** Starts a client that checks the server's certificate. */
const client = (port: number, ...args: ReadonlyArray<string>) =>
  startJoined(
    "openssl",
    "s_client",
    ["-connect", `127.0.0.1:${port}`, "-CAfile", pemPath("ca"), "-verify_return_error", ...args]
  )

/** Sends a line and hears it turned around. */
const ask = Effect.fnUntraced(function*(program: Program) {
  program.child.stdin.write("ahoy\n")
  // What it says of a session ticket may be cut in the middle of a line.
  yield* says(program, /yoha\n/)
})

/** Sends a line, hears it turned around, and gives all that the client has said until its end. */
const exchange = Effect.fnUntraced(function*(program: Program) {
  yield* ask(program)
  program.child.stdin.end()
  return yield* output(program)
})

const own = (name: string) => ["-cert", pemPath(name), "-key", pemPath(`${name}.key`)]

/** Old versions are beyond Debian's own settings. */
const anything = ["-cipher", "DEFAULT@SECLEVEL=0"]

describe("versions", () => {
  it.live.each([["-tls1_2", "TLSv1.2"], ["-tls1_3", "TLSv1.3"]] as const)(
    "%s is %s on both sides",
    ([flag, version]) =>
      real((logs) =>
        Effect.gen(function*() {
          const { port, told } = yield* serveTls()
          const said = yield* exchange(yield* client(port, flag, "-verify_hostname", "localhost"))
          const { tls } = yield* told.nth("Secured")
          assert.match(said, new RegExp(`^New, ${version}, Cipher is \\S+$`, "m"))
          assert.include(said, "Verify return code: 0 (ok)")
          assert.deepStrictEqual(
            [tls.protocol, tls.resumed, tls.verified, tls.alpn, tls.peerCertificate],
            [version, false, false, undefined, undefined]
          )
          assert.strictEqual(yield* told.ending(), "the peer closed the connection")
          assert.deepStrictEqual(news(logs), [])
        })
      )
  )

  it.live.each<readonly [string, Partial<Tls.ServerOptions>, ReadonlyArray<string>]>([
    ["TLS 1.1 is refused", {}, ["-tls1_1", ...anything]],
    ["TLS 1.2 is refused where 1.3 is the least", { minVersion: "TLSv1.3" }, ["-tls1_2"]],
    ["TLS 1.3 is refused where 1.2 is the most", { maxVersion: "TLSv1.2" }, ["-tls1_3"]]
  ])("%s", ([, options, flags]) =>
    real((logs) =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls(options)
        assert.match(yield* output(yield* client(port, ...flags)), /alert protocol version|no protocols available/)
        const why = "the handshake failed: the peer speaks no version of TLS that is allowed here"
        assert.strictEqual(yield* told.refusal(), why)
        assert.deepStrictEqual(news(logs), [`Warn: refused: ${why}; compare minVersion and maxVersion of both sides`])
      })
    ))

  it.live("without a common cipher there is no handshake, and both sides say so", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls()
        // The certificate is of another kind than this cipher needs.
        const said = yield* output(yield* client(port, "-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"))
        assert.include(said, "alert handshake failure")
        assert.strictEqual(yield* told.refusal(), "the handshake failed: the two sides have no cipher in common")
      })
    ))
})

describe("ALPN", () => {
  it.live("the server's order counts", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls({ alpn: ["quay/2", "quay/1"] })
        const said = yield* exchange(yield* client(port, "-alpn", "quay/1,other,quay/2"))
        assert.include(said, "ALPN protocol: quay/2")
        assert.strictEqual((yield* told.nth("Secured")).tls.alpn, "quay/2")
      })
    ))

  it.live("who offers none gets along without", () =>
    real(() =>
      Effect.gen(function*() {
        const { port } = yield* serveTls({ alpn: ["quay/2"] })
        assert.include(yield* exchange(yield* client(port)), "No ALPN negotiated")
      })
    ))

  it.live("who offers others is refused", () =>
    real((logs) =>
      Effect.gen(function*() {
        const { port } = yield* serveTls({ alpn: ["quay/2"] })
        assert.include(yield* output(yield* client(port, "-alpn", "h2")), "alert no application protocol")
        assert.deepStrictEqual(news(logs), [
          "Warn: refused: the handshake failed: the client offered no application protocol that is spoken here; " +
          "compare alpn of both sides"
        ])
      })
    ))
})

describe("the name that is asked for", () => {
  it.live.each(
    [
      [["-servername", "localhost"], "localhost", "localhost"],
      [["-servername", "second.example.test"], "second.example.test", "second.example.test"],
      [["-servername", "SECOND.example.TEST"], "second.example.test", "SECOND.example.TEST"],
      [["-servername", "first.example.test"], "localhost", "first.example.test"],
      [["-servername", "x.second.test"], "second.example.test", "x.second.test"],
      [["-servername", "nobody.invalid"], "localhost", "nobody.invalid"],
      [["-noservername"], "localhost", undefined]
    ] as const
  )("%j is shown the certificate of %s", ([flags, subject, servername]) =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls({ certificates: [pair("server"), pair("second")] })
        assert.include(yield* exchange(yield* client(port, ...flags)), `subject=O = hawser tests, CN = ${subject}\n`)
        assert.strictEqual((yield* told.nth("Secured")).tls.servername, servername)
      })
    ))
})

describe("clients with certificates", () => {
  const required = { clientCertificate: "require", clientCa: [pem("ca")] } as const

  it.live.each(["-tls1_2", "-tls1_3"])(
    "a good one is told to the server (%s)",
    (version) =>
      real((logs) =>
        Effect.gen(function*() {
          const { port, told } = yield* serveTls(required)
          const said = yield* exchange(yield* client(port, version, ...own("client")))
          assert.include(said, "Acceptable client certificate CA names\nO = hawser tests, CN = Test CA\n")
          const { tls } = yield* told.nth("Secured")
          assert.deepStrictEqual([tls.verified, tls.peerCertificate?.subject, tls.peerCertificate?.issuer], [
            true,
            "CN=Test client, O=hawser tests",
            "CN=Test CA, O=hawser tests"
          ])
          assert.deepStrictEqual(news(logs), [])
        })
      )
  )

  const untrusted = "the peer's certificate was issued by nobody that is trusted here"

  const bad: ReadonlyArray<readonly [name: string, flags: ReadonlyArray<string>, why: string]> = [
    ["none at all", [], "the client showed no certificate, and one is required"],
    ["one of another authority", own("stranger"), untrusted],
    ["one that is for servers", own("server"), "the peer's certificate was not issued for this use"],
    ["one that has expired", own("expired"), "the peer's certificate has expired"]
  ]

  describe.each(["-tls1_2", "-tls1_3"])("%s", (version) => {
    it.live.each(bad)("%s is refused", ([, flags, why]) =>
      real((logs) =>
        Effect.gen(function*() {
          const { port, told } = yield* serveTls(required)
          const program = yield* client(port, version, ...flags)
          // In TLS 1.3 the client is done before the server has looked at its certificate, and may speak.
          program.child.stdin.write("ahoy\n")
          const said = yield* output(program)
          assert.match(said, flags.length === 0 ? /alert (?:handshake failure|certificate required)/ : /unexpected eof/)
          assert.notInclude(said, "yoha")
          assert.strictEqual(yield* told.refusal(), `the handshake failed: ${why}`)
          assert.deepStrictEqual(told.of("Accepted"), [])
          assert.match(news(logs).join("\n"), new RegExp(`^Warn: refused: the handshake failed: ${why}; .+$`))
        })
      ))
  })

  it.live("where one is only requested, none will do, and a bad one will not", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls({ ...required, clientCertificate: "request" })
        yield* exchange(yield* client(port))
        assert.strictEqual((yield* told.nth("Secured")).tls.verified, false)
        yield* exchange(yield* client(port, ...own("client")))
        assert.strictEqual((yield* told.nth("Secured", 2)).tls.verified, true)
        const program = yield* client(port, ...own("stranger"))
        assert.notInclude(yield* output(program), "yoha")
        assert.strictEqual(yield* told.refusal(), `the handshake failed: ${untrusted}`)
      })
    ))
})

describe("what the client refuses", () => {
  it.live.each<readonly [string, string, ReadonlyArray<string>, string]>([
    ["an expired certificate", "expired", [], "the peer says that this side's certificate has expired"],
    ["another authority", "stranger", [], "the peer does not trust the issuer of this side's certificate"],
    [
      "another name",
      "server",
      ["-verify_hostname", "elsewhere.test"],
      "the peer refused this side's certificate"
    ]
  ])("%s is in the server's log", ([, certificate, flags, why]) =>
    real((logs) =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls({ certificates: [pair(certificate)] })
        assert.match(yield* output(yield* client(port, ...flags)), /certificate verify failed/)
        assert.strictEqual(yield* told.refusal(), `the handshake failed: ${why}`)
        assert.include(news(logs).at(-1), why)
      })
    ))
})

describe("sessions", () => {
  const resume = (tls: Partial<Tls.ServerOptions>, ...flags: ReadonlyArray<string>) =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls(tls)
        const session = join(yield* folder, "session")
        const first = yield* client(port, ...flags, "-sess_out", session)
        yield* exchange(first)
        const second = yield* exchange(yield* client(port, ...flags, "-sess_in", session))
        return { said: /^(?:New|Reused), .*$/m.exec(second)?.[0], tls: (yield* told.nth("Secured", 2)).tls }
      })
    )

  it.live.each(["-tls1_2", "-tls1_3"])("are resumed (%s)", (version) =>
    Effect.gen(function*() {
      const { said, tls } = yield* resume({}, version)
      assert.match(said ?? "", /^Reused, /)
      assert.isTrue(tls.resumed)
    }))

  it.live.each(["-tls1_2", "-tls1_3"])("keep the client's certificate (%s)", (version) =>
    Effect.gen(function*() {
      const { said, tls } = yield* resume(
        { clientCertificate: "require", clientCa: [pem("ca")] },
        version,
        ...own("client")
      )
      assert.match(said ?? "", /^Reused, /)
      assert.deepStrictEqual([tls.resumed, tls.verified, tls.peerCertificate?.subject], [
        true,
        true,
        "CN=Test client, O=hawser tests"
      ])
    }))

  // In TLS 1.3 OpenSSL goes on offering tickets, of sessions that it does not keep.
  it.live.each(["-tls1_2", "-tls1_3"])(
    "are not resumed with tickets switched off (%s)",
    (version) =>
      Effect.gen(function*() {
        const { said, tls } = yield* resume({ sessionTickets: "off" }, version)
        assert.match(said ?? "", /^New, /)
        assert.isFalse(tls.resumed)
      })
  )
})

describe("during a conversation", () => {
  it.live("keys are changed in TLS 1.3", () =>
    real((logs) =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls()
        const program = yield* client(port, "-tls1_3")
        yield* ask(program)
        for (const [times, command] of ["K", "k"].entries()) {
          program.child.stdin.write(`${command}\n`)
          yield* says(program, new RegExp(`(?:KEYUPDATE[^]*){${times + 1}}`))
          program.child.stdin.write(`after ${command}\n`)
          yield* says(program, new RegExp(`${command} retfa\n`))
        }
        program.child.stdin.end()
        assert.strictEqual(yield* told.ending(), "the peer closed the connection")
        assert.deepStrictEqual(news(logs), [])
      })
    ))

  it.live("a renegotiation in TLS 1.2 is refused", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls()
        const program = yield* client(port, "-tls1_2")
        yield* ask(program)
        program.child.stdin.write("R\n")
        assert.match(yield* output(program), /RENEGOTIATING\n.*unexpected eof/)
        assert.strictEqual(yield* told.ending(), "the peer broke the connection (ERR_TLS_RENEGOTIATION_DISABLED)")
      })
    ))

  it.live("certificates are reloaded, and who is in stays in", () =>
    real(() =>
      Effect.gen(function*() {
        const context = yield* Tls.makeServer({ certificates: [pair("server")] })
        const { port } = yield* serveLines("tls://127.0.0.1:0", { tls: context })
        const before = yield* client(port)
        yield* ask(before)
        yield* context.reload({ certificates: [pair("second")] })
        const after = yield* exchange(yield* client(port))
        assert.include(after, "subject=O = hawser tests, CN = second.example.test\n")
        before.child.stdin.write("still here\n")
        yield* says(before, /ereh llits\n/)
      })
    ))
})

describe("who speaks no TLS", () => {
  it.live.each(
    [
      ["printf 'ahoy\\n'", "ahoy"],
      ["printf 'GET / HTTP/1.1\\r\\nHost: quay\\r\\n\\r\\n'", "GET / HTTP/1.1"],
      ["printf 'SSH-2.0-OpenSSH_9.2p1 Debian-2\\r\\n'", "SSH-2.0-OpenSSH_9.2p1 De…"],
      ["head -c 100 /dev/zero", `${"\\x00".repeat(24)}…`]
    ] as const
  )("%s is told what is wrong in the log", ([script, sent]) =>
    real((logs) =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls()
        yield* output(yield* startFed(script, "nc", "-N", "127.0.0.1", String(port)))
        const why = `the handshake failed: the peer did not speak TLS (it sent "${sent}")`
        assert.strictEqual(yield* told.refusal(), why)
        assert.deepStrictEqual(news(logs), [`Warn: refused: ${why}; check that both sides mean TLS at this port`])
      })
    ))

  it.live("who only looks whether the port is open is no news", () =>
    real((logs) =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls()
        yield* output(yield* startJoined("nc", "-z", "127.0.0.1", String(port)))
        assert.strictEqual(yield* told.refusal(), "the peer closed the connection")
        assert.deepStrictEqual(news(logs), [])
      })
    ))
})
