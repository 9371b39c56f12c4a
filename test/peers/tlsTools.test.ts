/** ncat and socat, which speak TLS in their own ways, at both ends. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Client, Codec, Connection, Endpoint, Server, type Tls } from "../../src/index.ts"
import { Text } from "../support/network.ts"
import { pair, pem } from "../support/tls.ts"
import { ended, folder, freePort, pemPath, says, start, startFed, startJoined } from "./support/programs.ts"
import { news, portOf, real, serveTls } from "./support/serving.ts"

const mutual = { clientCertificate: "require", clientCa: [pem("ca")] } as const
const ca = [pem("ca")]

/** What a program hears that says a line and ends its side. */
const ask = (...args: ReadonlyArray<string>) => Effect.flatMap(startFed("printf 'ahoy\\n'", ...args), ended)

describe("at a server", () => {
  const socat = (port: number, options = "") =>
    ask("socat", "-t", "5", "-", `OPENSSL:127.0.0.1:${port},cafile=${pemPath("ca")},commonname=localhost${options}`)
  const ncat = (port: number, ...options: ReadonlyArray<string>) =>
    ask("ncat", "--ssl-verify", "--ssl-trustfile", pemPath("ca"), ...options, "localhost", String(port))

  it.live.each<readonly [string, (port: number) => ReturnType<typeof ask>, string | undefined]>([
    ["socat", (port) => socat(port, ",snihost=localhost"), "localhost"],
    ["ncat", (port) => ncat(port), "localhost"]
  ])("%s has a line turned around, and ends", ([, run, servername]) =>
    real((logs) =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls()
        assert.deepStrictEqual(yield* run(port), { exit: 0, stdout: "yoha\n", stderr: "" })
        const { tls } = yield* told.nth("Secured")
        assert.deepStrictEqual([tls.protocol, tls.servername], ["TLSv1.3", servername])
        assert.strictEqual(yield* told.ending(), "the peer closed the connection")
        assert.deepStrictEqual(news(logs), [])
      })
    ))

  it.live.each<readonly [string, (port: number) => ReturnType<typeof ask>]>([
    ["socat", (port) => socat(port, `,cert=${pemPath("client")},key=${pemPath("client.key")}`)],
    ["ncat", (port) => ncat(port, "--ssl-cert", pemPath("client"), "--ssl-key", pemPath("client.key"))]
  ])("%s shows a certificate", ([, run]) =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls(mutual)
        assert.strictEqual((yield* run(port)).stdout, "yoha\n")
        const { tls } = yield* told.nth("Secured")
        assert.strictEqual(tls.peerCertificate?.subject, "CN=Test client, O=hawser tests")
      })
    ))

  it.live.each<readonly [string, (port: number) => ReturnType<typeof ask>]>([
    ["socat", (port) => socat(port)],
    ["ncat", (port) => ncat(port)]
  ])("%s without a certificate is refused", ([, run]) =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls(mutual)
        assert.notInclude((yield* run(port)).stdout, "yoha")
        assert.strictEqual(
          yield* told.refusal(),
          "the handshake failed: the client showed no certificate, and one is required"
        )
      })
    ))

  it.live("ncat agrees on a protocol", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls({ alpn: ["quay/2", "quay/1"] })
        assert.strictEqual((yield* ncat(port, "--ssl-alpn", "quay/1")).stdout, "yoha\n")
        assert.strictEqual((yield* told.nth("Secured")).tls.alpn, "quay/1")
      })
    ))

  it.live("ncat in plain text is told in the log", () =>
    real((logs) =>
      Effect.gen(function*() {
        const { port, told } = yield* serveTls()
        yield* ask("ncat", "127.0.0.1", String(port))
        yield* told.refusal()
        assert.deepStrictEqual(news(logs), [
          "Warn: refused: the handshake failed: the peer did not speak TLS (it sent \"ahoy\"); " +
          "check that both sides mean TLS at this port"
        ])
      })
    ))

  it.live.each([["1.2"], ["1.3"]])(
    "32 MiB go through socat and back, past its end (TLS %s)",
    ([version]) =>
      real(() =>
        Effect.gen(function*() {
          const into = yield* folder
          const server = yield* Server.makeConnection(
            Codec.bytes,
            "tls://127.0.0.1:0",
            (connection) => Connection.forEachBatch(connection, connection.write),
            { tls: { certificates: [pair("server")], maxVersion: `TLSv${version}` as Tls.Version } }
          )
          const script = `head -c ${2 ** 25} /dev/urandom > "$1/in" &&
          socat -t 20 - "OPENSSL:127.0.0.1:$2,cafile=$3,commonname=localhost" < "$1/in" > "$1/out" &&
          cmp "$1/in" "$1/out" && echo the same`
          const program = yield* start("sh", ["-c", script, "sh", into, String(portOf(server.endpoint)), pemPath("ca")])
          assert.deepStrictEqual(yield* ended(program), { exit: 0, stdout: "the same\n", stderr: "" })
        })
      )
  )
})

describe("at a client", () => {
  const certificate = `cert=${pemPath("server")},key=${pemPath("server.key")},cafile=${pemPath("ca")}`

  /** socat that gives back what it gets; where to dial it. */
  const socat = Effect.fnUntraced(function*(options: string) {
    const listen = `OPENSSL-LISTEN:0,bind=127.0.0.1,${certificate},${options}`
    const program = yield* startJoined("socat", "-d", "-d", listen, "EXEC:cat")
    const [, port] = yield* says(program, /listening on AF=2 127\.0\.0\.1:(\d+)/)
    return Endpoint.tlsUnsafe("localhost", Number(port))
  })

  /** ncat that gives back what it gets. */
  const ncat = Effect.fnUntraced(function*(...options: ReadonlyArray<string>) {
    const port = yield* freePort
    const program = yield* startJoined(
      "ncat",
      ["-v", "-l", "127.0.0.1", String(port), "--ssl-cert", pemPath("server"), "--ssl-key", pemPath("server.key")],
      ["--sh-exec", "cat", ...options]
    )
    yield* says(program, /Listening on/)
    return Endpoint.tlsUnsafe("localhost", port)
  })

  it.live.each(
    [
      ["socat", socat("verify=0")],
      ["ncat", ncat()]
    ] as const
  )("%s gives back what a client calls", ([, server]) =>
    real(() =>
      Effect.gen(function*() {
        const client = yield* Client.make(Text, yield* server, { tls: { ca } })
        const lines = Array.from({ length: 300 }, (_, i) => `line ${i}`)
        assert.deepStrictEqual(yield* Effect.forEach(lines, client.call, { concurrency: "unbounded" }), lines)
      })
    ))

  it.live("socat asks for a certificate", () =>
    real(() =>
      Effect.gen(function*() {
        const client = yield* Client.make(Text, yield* socat("verify=1"), { tls: { ca, certificate: pair("client") } })
        assert.strictEqual(yield* client.call("ahoy"), "ahoy")
      })
    ))

  it.live("what was written before the end comes back behind it", () =>
    real(() =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(yield* socat("verify=0"), Codec.bytes, { tls: { ca } })
        yield* connection.write([Buffer.from("ahoy")])
        yield* connection.finish
        let heard = ""
        yield* Connection.forEachBatch(connection, (chunks) =>
          Effect.sync(() => {
            heard += Buffer.concat(chunks).toString()
          }))
        assert.strictEqual(heard, "ahoy")
      })
    ))
})
