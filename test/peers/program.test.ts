/** The program's own flags, with OpenSSL, HAProxy, ncat and socat at the other end. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { copyFileSync } from "node:fs"
import { join } from "node:path"
import type { Program } from "../cli/process.ts"
import { haproxy } from "./support/haproxy.ts"
import {
  ended,
  folder,
  freePort,
  output,
  pemPath,
  says,
  startFed,
  startHawser,
  startJoined
} from "./support/programs.ts"
import { real } from "./support/serving.ts"

const own = (name: string) => ["--tls-cert", pemPath(name), "--tls-key", pemPath(`${name}.key`)]
const trusting = ["--tls-ca", pemPath("ca")]

/** Starts `hawser serve reverse`; where it listens. */
const serve = Effect.fnUntraced(function*(args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) {
  const program = yield* startHawser(["serve", "reverse", ...args], env)
  const [, port] = yield* says(program, /listening on t(?:cp|ls):\/\/127\.0\.0\.1:(\d+)/)
  return { program, port: Number(port) }
})

const tls = ["--listen", "tls://127.0.0.1:0"]

const sClient = (port: number, ...args: ReadonlyArray<string>) =>
  startJoined(
    "openssl",
    ["s_client", "-connect", `127.0.0.1:${port}`, "-CAfile", pemPath("ca"), "-verify_return_error", ...args]
  )

/** Sends a line, hears it turned around, and gives all that the client has said until its end. */
const exchange = Effect.fnUntraced(function*(program: Program) {
  program.child.stdin.write("ahoy\n")
  yield* says(program, /yoha\n/)
  program.child.stdin.end()
  return yield* output(program)
})

const sServer = Effect.fnUntraced(function*(certificate: string, ...args: ReadonlyArray<string>) {
  const program = yield* startJoined(
    "openssl",
    ["s_server", "-accept", "127.0.0.1:0", "-rev", "-cert", pemPath(certificate)],
    ["-key", pemPath(`${certificate}.key`), ...args]
  )
  const [, port] = yield* says(program, /ACCEPT 127\.0\.0\.1:(\d+)/)
  return { program, endpoint: `tls://localhost:${port}` }
})

/** How hawser ends that is left alone. */
const run = (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>) =>
  Effect.flatMap(startHawser(args, env), ended)

describe("serve", () => {
  it.live("has certificates by name, protocols and versions", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, program } = yield* serve([...tls, ...own("server"), ...own("second"), "--alpn", "quay/1"])
        const said = yield* exchange(yield* sClient(port, "-servername", "second.example.test", "-alpn", "quay/1"))
        assert.include(said, "subject=O = hawser tests, CN = second.example.test\n")
        assert.include(said, "ALPN protocol: quay/1\n")
        yield* says(program, /#1 secured with TLSv1\.3, "second\.example\.test", "quay\/1"/)
        const refused = yield* output(yield* sClient(port, "-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"))
        assert.match(refused, /alert protocol version/)
        yield* says(program, /#2 turned away .*: the peer speaks no version of TLS that is allowed here\n/)
      })
    ))

  it.live("requires certificates of its clients, also when the environment says so", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, program } = yield* serve([...tls, ...own("server")], {
          HAWSER_TLS_CLIENT_CA: pemPath("ca")
        })
        yield* exchange(yield* sClient(port, "-cert", pemPath("client"), "-key", pemPath("client.key")))
        yield* says(program, /#1 secured with TLSv1\.3/)
        const refused = yield* output(yield* sClient(port))
        assert.match(refused, /alert certificate required/)
        yield* says(program, /#2 turned away .*: the client showed no certificate, and one is required\n/)
      })
    ))

  it.live("loads certificates again on SIGHUP, and when their files change", () =>
    real(() =>
      Effect.gen(function*() {
        const path = yield* folder
        const put = (name: string) => {
          // The key first: a pair that does not fit changes nothing.
          copyFileSync(pemPath(`${name}.key`), join(path, "key.pem"))
          copyFileSync(pemPath(name), join(path, "certificate.pem"))
        }
        put("server")
        const { port, program } = yield* serve([
          ...tls,
          "--tls-cert",
          join(path, "certificate.pem"),
          "--tls-key",
          join(path, "key.pem")
        ])
        const before = yield* sClient(port)
        before.child.stdin.write("ahoy\n")
        yield* says(before, /subject=O = hawser tests, CN = localhost\n[^]*yoha\n/)
        put("second")
        yield* says(program, /loaded again: CN=second\.example\.test/)
        assert.include(yield* exchange(yield* sClient(port)), "subject=O = hawser tests, CN = second.example.test\n")
        program.kill("SIGHUP")
        yield* says(program, /(?:loaded again: CN=second\.example\.test[^]*){2}/)
        // Who is in stays in.
        before.child.stdin.write("still here\n")
        yield* says(before, /ereh llits\n/)
      })
    ))

  it.live("tells who speaks no TLS", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, program } = yield* serve([...tls, ...own("server")])
        yield* ended(yield* startFed("printf 'ahoy\\n'", "nc", "-N", "127.0.0.1", String(port)))
        yield* says(program, /#1 turned away .*: the peer did not speak TLS \(it sent "ahoy"\)\n/)
      })
    ))

  it.live.each([["send-proxy"], ["send-proxy-v2"]])(
    "names the clients of HAProxy (%s), in front of TLS",
    ([how]) =>
      real(() =>
        Effect.gen(function*() {
          const server = yield* serve([...tls, ...own("server"), "--proxy-from", "127.0.0.1", "--deny", "127.0.0.8"])
          const port = yield* freePort
          yield* haproxy(() => `listen front\n  bind 127.0.0.1:${port}\n  server quay 127.0.0.1:${server.port} ${how}`)
          yield* exchange(yield* sClient(port, "-bind", "127.0.0.7"))
          yield* says(server.program, /#1 connected from t(?:cp|ls):\/\/127\.0\.0\.7:\d+/)
          assert.notInclude(yield* output(yield* sClient(port, "-bind", "127.0.0.8")), "CONNECTION ESTABLISHED")
          yield* says(server.program, /#2 turned away .*127\.0\.0\.8:\d+: --deny names the address\n/)
          // Who is not the proxy has no say in who he is.
          const header = "PROXY TCP4 127.0.0.9 127.0.0.1 1 2\\r\\n"
          yield* ended(
            yield* startFed(`printf '${header}'`, "nc", "-N", "-s", "127.0.0.7", "127.0.0.1", String(server.port))
          )
          yield* says(server.program, /127\.0\.0\.7:\d+: .*the peer did not speak TLS \(it sent "PROXY TCP4 /)
        })
      )
  )

  it.live("gives a socket file its mode", () =>
    real(() =>
      Effect.gen(function*() {
        const path = join(yield* folder, "quay.sock")
        const program = yield* startHawser(["serve", "reverse", "--listen", `unix:${path}`, "--unix-mode", "640"])
        yield* says(program, /listening on unix:/)
        assert.strictEqual(yield* output(yield* startJoined("stat", "-c", "%a %F", path)), "640 socket\n")
        const said = yield* output(yield* startFed("printf 'ahoy\\n'", "socat", "-t", "5", "-", `UNIX-CONNECT:${path}`))
        assert.strictEqual(said, "yoha\n")
      })
    ))
})

describe("talk", () => {
  it.live("reaches a server whose issuer it was given", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* sServer("server", "-alpn", "quay/1", "-Verify", "1", "-CAfile", pemPath("ca"))
        const args = ["talk", "reverse", "--connect", endpoint, ...trusting, ...own("client"), "--alpn", "quay/1"]
        assert.deepStrictEqual(yield* run([...args, "ahoy", "quay"]), { exit: 0, stdout: "yoha\nyauq\n", stderr: "" })
      })
    ))

  it.live("trusts what Node is told to trust", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* sServer("server")
        const env = { NODE_EXTRA_CA_CERTS: pemPath("ca") }
        assert.strictEqual((yield* run(["talk", "reverse", "--connect", endpoint, "ahoy"], env)).stdout, "yoha\n")
      })
    ))

  it.live.each<readonly [string, string, ReadonlyArray<string>, RegExp]>([
    ["an issuer that is unknown", "server", [], /issued by nobody that is trusted here\nhint: .*--tls-ca/],
    ["another name", "second", trusting, /for somebody else: Host: localhost\. is not in .*\nhint: .*--servername/],
    ["an old certificate", "expired", trusting, /the peer's certificate has expired\nhint: /]
  ])("refuses %s, and says what to do", ([, certificate, flags, stderr]) =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* sServer(certificate)
        const refused = yield* run(["talk", "reverse", "--connect", endpoint, ...flags, "ahoy"])
        assert.deepStrictEqual([refused.exit, refused.stdout], [1, ""])
        assert.match(refused.stderr, stderr)
      })
    ))

  it.live("takes the name that it is given for the server's", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* sServer("second")
        const args = ["talk", "reverse", "--connect", endpoint, ...trusting, "--servername", "x.second.test", "ahoy"]
        assert.strictEqual((yield* run(args)).stdout, "yoha\n")
      })
    ))

  it.live("warns where it does not look", () =>
    real(() =>
      Effect.gen(function*() {
        const { endpoint } = yield* sServer("stranger")
        const { exit, stderr, stdout } = yield* run(["talk", "reverse", "--connect", endpoint, "--insecure", "ahoy"])
        assert.deepStrictEqual([exit, stdout], [0, "yoha\n"])
        assert.match(stderr, /^hawser: warning: --insecure: .*\n$/)
      })
    ))
})

describe("connect", () => {
  const certificate = `cert=${pemPath("server")},key=${pemPath("server.key")},cafile=${pemPath("ca")}`
  const connect = (...args: ReadonlyArray<string>) => startHawser(["connect", ...args])

  it.live("passes bytes to socat over TLS and back", () =>
    real(() =>
      Effect.gen(function*() {
        const listen = `OPENSSL-LISTEN:0,bind=127.0.0.1,${certificate},verify=1`
        const socat = yield* startJoined("socat", "-d", "-d", "-t", "5", listen, "SYSTEM:cat; echo after the end")
        const [, port] = yield* says(socat, /listening on AF=2 127\.0\.0\.1:(\d+)/)
        const client = yield* connect(`tls://localhost:${port}`, ...trusting, ...own("client"))
        client.child.stdin.end("ahoy\n")
        assert.deepStrictEqual(yield* ended(client), { exit: 0, stdout: "ahoy\nafter the end\n", stderr: "" })
      })
    ))

  it.live("passes bytes to ncat over TLS and back", () =>
    real(() =>
      Effect.gen(function*() {
        const port = yield* freePort
        const ncat = yield* startJoined(
          "ncat",
          ["-v", "-l", "127.0.0.1", String(port), "--ssl-cert", pemPath("server")],
          ["--ssl-key", pemPath("server.key"), "--sh-exec", "head -n 1"]
        )
        yield* says(ncat, /Listening on/)
        const client = yield* connect(`tls://127.0.0.1:${port}`, ...trusting)
        client.child.stdin.write("ahoy\n")
        assert.deepStrictEqual(yield* ended(client), { exit: 0, stdout: "ahoy\n", stderr: "" })
      })
    ))

  it.live.each([["1"], ["2"]])(
    "names itself to HAProxy (version %s)",
    ([version]) =>
      real(() =>
        Effect.gen(function*() {
          const port = yield* freePort
          yield* haproxy(() =>
            `frontend mirror
  mode http
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] to %[dst]:%[dst_port]"`
          )
          const client = yield* connect(`tcp://127.0.0.1:${port}`, "--send-proxy", version!)
          client.child.stdin.write("GET / HTTP/1.0\r\n\r\n")
          const { exit, stdout } = yield* ended(client)
          assert.strictEqual(exit, 0)
          assert.match(stdout, new RegExp(`^HTTP/1\\.1 200 OK\r\n[^]*\r\n127\\.0\\.0\\.1 to 127\\.0\\.0\\.1:${port}$`))
        })
      )
  )

  it.live("reaches an abstract name of socat", () =>
    real(() =>
      Effect.gen(function*() {
        const name = (yield* folder).replace(/^.*\//, "")
        const socat = yield* startJoined("socat", "-d", "-d", "-t", "5", `ABSTRACT-LISTEN:${name}`, "EXEC:cat")
        yield* says(socat, /listening on/)
        const client = yield* connect(`unix:@${name}`)
        client.child.stdin.end("ahoy\n")
        assert.deepStrictEqual(yield* ended(client), { exit: 0, stdout: "ahoy\n", stderr: "" })
      })
    ))
})
