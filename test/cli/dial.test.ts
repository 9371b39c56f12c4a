/** The client's side of TLS and of the PROXY header: `talk` and `connect`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFileSync } from "node:fs"
import * as Codec from "../../src/Codec.ts"
import * as Framing from "../../src/Framing.ts"
import * as Server from "../../src/Server.ts"
import * as CrcCheck from "../../src/services/CrcCheck.ts"
import * as Reverse from "../../src/services/Reverse.ts"
import type * as Tls from "../../src/Tls.ts"
import { fails, portOf, run, strange } from "./inProcess.ts"
import { file, pair } from "./tlsFiles.ts"

const pem = (name: string): string => readFileSync(file(name), "utf8")

const server = (more: Partial<Tls.ServerOptions> = {}): Server.Options => ({
  tls: { certificates: [{ certificate: pem("server.pem"), key: pem("server.key.pem") }], ...more }
})

const anywhere = "tls://127.0.0.1:0"
const ca = ["--tls-ca", file("ca.pem")]
const warning = (name: string) =>
  `hawser: warning: ${name}: anybody may be at the other end, the certificate is not looked at\n`

const good = (stdout: string, stderr = "") => ({ exit: 0, stdout, stderr })

describe("TLS", () => {
  it.live("is spoken where an authority is given, and the certificate is checked", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Reverse.layer(anywhere, server()))
      assert.deepStrictEqual(yield* run(["talk", "reverse", "--port", port, ...ca, "abc"]), good("cba\n"))
      assert.deepStrictEqual(
        yield* run(["talk", "reverse", "--connect", `tls://localhost:${port}`, ...ca, "abc"]),
        good("cba\n")
      )
      assert.deepStrictEqual(
        yield* run(["connect", `tls://127.0.0.1:${port}`, ...ca], { stdin: ["abc\n"] }),
        good("cba\n")
      )
      yield* fails(["talk", "reverse", "--port", port, "--tls-ca", file("otherCa.pem"), "abc"], {
        exit: 1,
        stderr: `hawser: cannot connect to tls://127.0.0.1:${port}: the handshake failed: the peer's certificate was ` +
          "issued by nobody that is trusted here\nhint: give the certificate of its issuer in --tls-ca, or have it issued " +
          "by an authority that this side trusts\n"
      })
    }))

  it.live("is set by variables of the client, and not by those of the server", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Reverse.layer(anywhere, server()))
      const env = { HAWSER_CLIENT_TLS_CA: file("ca.pem"), HAWSER_CLIENT_PORT: port, HAWSER_TLS_CERT: "/nowhere" }
      assert.deepStrictEqual(yield* run(["talk", "reverse", "abc"], { env }), good("cba\n"))
      yield* fails(["connect", `tls://127.0.0.1:${port}`], {
        exit: 2,
        stderr: "hawser: HAWSER_CLIENT_TLS_CA /nowhere cannot be read: there is no such file (ENOENT)\n"
      }, { env: { HAWSER_CLIENT_TLS_CA: "/nowhere" } })
    }))

  it.live("with anybody warns, whoever asked for it", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Reverse.layer(anywhere, server()))
      assert.deepStrictEqual(
        yield* run(["talk", "reverse", "--port", port, "--insecure", "abc"]),
        good("cba\n", warning("--insecure"))
      )
      const env = { HAWSER_CLIENT_INSECURE: "true" }
      assert.deepStrictEqual(
        yield* run(["talk", "reverse", "--port", port, "abc"], { env }),
        good("cba\n", warning("HAWSER_CLIENT_INSECURE"))
      )
      const { exit } = yield* run(["talk", "reverse", "--connect", `tls://127.0.0.1:${port}`, "--no-insecure", "a"], {
        env
      })
      assert.strictEqual(exit, 1)
    }))

  it.live("looks for the name that is given", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Reverse.layer(anywhere, server()))
      const talk = (name: string) => run(["talk", "reverse", "--port", port, ...ca, "--servername", name, "abc"])
      assert.deepStrictEqual(yield* talk("a.example.test"), good("cba\n"))
      const { exit, stderr } = yield* talk("second.test")
      assert.strictEqual(exit, 1)
      assert.match(stderr, /the peer's certificate is for somebody else.*\nhint: .* give it as --servername\n/)
    }))

  it.live("shows a certificate of this side, and says where one is wanted", () =>
    Effect.gen(function*() {
      const port = yield* portOf(
        Reverse.layer(anywhere, server({ clientCertificate: "require", clientCa: [pem("ca.pem")] }))
      )
      assert.deepStrictEqual(
        yield* run(["talk", "reverse", "--port", port, ...ca, ...pair("client"), "abc"]),
        good("cba\n")
      )
      const { exit, stderr, stdout } = yield* run(["talk", "reverse", "--port", port, ...ca, "abc"])
      assert.deepStrictEqual([exit, stdout], [1, ""])
      assert.match(
        stderr,
        /\nhint: it may want a certificate of this side, or another one: --tls-cert and --tls-key\n$/
      )
    }))

  it.live("offers protocols", () =>
    Effect.gen(function*() {
      let agreed: string | undefined
      const text = Codec.text(Framing.lines({ maxFrameBytes: 64, ending: "lf", unterminated: "reject" }))
      const port = yield* portOf(
        Server.layerConnection(text, anywhere, (connection) => {
          agreed = connection.tls?.alpn
          return Effect.andThen(connection.pull, connection.write(["x"]))
        }, server({ alpn: ["new", "old"] }))
      )
      yield* run(["talk", "echo", "--port", port, ...ca, "--alpn", "older", "--alpn", "old", "x"])
      assert.strictEqual(agreed, "old")
      yield* fails(["talk", "echo", "--port", port, ...ca, "--alpn", "oldest", "x"], {
        exit: 1,
        stderr:
          `hawser: cannot connect to tls://127.0.0.1:${port}: the handshake failed: the peer speaks none of the ` +
          "application protocols offered\nhint: compare --alpn of both sides\n"
      })
    }))

  it.live("serves the forms of crc, too", () =>
    Effect.gen(function*() {
      const port = yield* portOf(CrcCheck.layer(anywhere, server()))
      assert.deepStrictEqual(yield* run(["talk", "crc", "--port", port, ...ca, "abc"]), good("abc: ACK\n"))
      const textbook = yield* portOf(CrcCheck.layerTextbook(anywhere, server()))
      const { exit, stdout } = yield* run(["talk", "crc", "--framing", "chunks", "--port", textbook, ...ca, "abc"])
      assert.strictEqual(exit, 0)
      assert.include(stdout, "Positive acknowledgement")
    }))

  it.live("takes no longer than --timeout", () =>
    Effect.gen(function*() {
      const port = yield* strange(() => {})
      const hint = "hint: check that the server speaks TLS there, or give it more time\n"
      for (const args of [["talk", "reverse", "x", "--connect"], ["connect"]]) {
        yield* fails([...args, `tls://127.0.0.1:${port}`, "--timeout", "50ms"], {
          exit: 4,
          stderr:
            `hawser: cannot connect to tls://127.0.0.1:${port}: the handshake was not complete after 50 ms\n${hint}`
        })
      }
    }))

  it.live("is not what a server in plain text speaks", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.end("220 hello\r\n"))
      const { exit, stderr } = yield* run(["connect", `tls://127.0.0.1:${port}`])
      assert.strictEqual(exit, 1)
      assert.match(
        stderr,
        /the peer did not speak TLS\nhint: check that both sides mean TLS at this port\n$/
      )
    }))
})

describe("refuses", () => {
  it.live.each<[args: string, message: string]>([
    ["--tls-ca a --connect tcp://h:1", "--tls-ca is for TLS, and tcp://h:1 is not\nhint: write tls://h:1"],
    ["--servername a --connect tcp://h:1", "--servername is for TLS, and tcp://h:1 is not\nhint: write tls://h:1"],
    ["--alpn a --connect tcp://h:1", "--alpn is for TLS, and tcp://h:1 is not\nhint: write tls://h:1"],
    ["--insecure --connect tcp://h:1", "--insecure is for TLS, and tcp://h:1 is not\nhint: write tls://h:1"],
    ["--insecure --tls-ca a", "--insecure and --tls-ca exclude each other\nhint: give one of them"],
    ["--tls-ca system --tls-ca a", "--tls-ca system and --tls-ca a exclude each other"],
    ["--tls-cert a", "--tls-cert needs --tls-key"],
    ["--tls-key a", "--tls-key needs --tls-cert"],
    ["--tls-ca /nowhere/a", "--tls-ca /nowhere/a cannot be read: there is no such file (ENOENT)"],
    ["--tls-ca /", "--tls-ca / cannot be read: it is a directory (EISDIR)"],
    ["--servername a..b", "--servername must be a host name or an address, got \"a..b\""],
    ["--send-proxy 3", "--send-proxy must be 1 or 2, got \"3\"\nhint: hawser talk --help tells more"],
    [
      `--tls-cert ${file("client.pem")} --tls-key ${file("server.key.pem")}`,
      `--tls-key ${file("server.key.pem")} must be the key of --tls-cert ${file("client.pem")}, got the key of another`
    ],
    [
      `--tls-ca ${file("ca.pem")} --tls-ca ${file("client.key.pem")}`,
      `--tls-ca ${file("client.key.pem")} must be certificates in PEM, got a text without BEGIN CERTIFICATE and END ` +
      "CERTIFICATE"
    ]
  ])(
    "%s",
    ([args, message]) => fails(["talk", "echo", ...args.split(" "), "hi"], { exit: 2, stderr: `hawser: ${message}\n` })
  )
})

describe("a PROXY header", () => {
  it.live("comes first, with this side's own addresses", () =>
    Effect.gen(function*() {
      const heard: Array<string> = []
      const port = yield* strange((socket) => {
        const peer = `127.0.0.1 127.0.0.1 ${socket.remotePort} ${socket.localPort}`
        socket.setEncoding("latin1").once("data", (text: string) => {
          heard.push(text.replace(peer, "ADDRESSES"))
          socket.end()
        })
      })
      const send = (version: string) =>
        run(["connect", `tcp://127.0.0.1:${port}`, "--send-proxy", version], { stdin: ["hello"] })
      yield* send("1")
      yield* send("2")
      assert.match(String(heard[0]), /^PROXY TCP4 ADDRESSES\r\n/)
      const head = "\r\n\r\n\0\r\nQUIT\n!\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01"
      assert.strictEqual(String(heard[1]).slice(0, head.length), head)
    }))

  it.live("is what a server behind a proxy wants, before TLS, and nobody else may send one", () =>
    Effect.gen(function*() {
      const proxy = { from: ["127.0.0.0/8"] }
      const port = yield* portOf(Reverse.layer(anywhere, { ...server(), proxy }))
      const args = ["talk", "reverse", "--port", port, ...ca, "--timeout", "10s"]
      assert.deepStrictEqual(yield* run([...args, "--send-proxy", "2", "abc"]), good("cba\n"))
      assert.strictEqual((yield* run([...args, "abc"])).exit, 1)
      const plain = yield* portOf(CrcCheck.layer("tcp://127.0.0.1:0", { proxy }))
      assert.deepStrictEqual(
        yield* run(["talk", "crc", "--port", plain, "--send-proxy", "1", "abc"]),
        good("abc: ACK\n")
      )
      const without = yield* portOf(Reverse.layer("tcp://127.0.0.1:0"))
      assert.match(
        (yield* run(["talk", "reverse", "--port", without, "--send-proxy", "1", "abc"])).stdout,
        /^\d+ \d+ 1\.0\.0\.721 1\.0\.0\.721 4PCT YXORP\n$/
      )
    }))
})
