/** What `hawser serve` does with its settings: endpoints, who may come in, certificates. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, statSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { run, serving } from "./inProcess.ts"
import { changing, file, pair } from "./tlsFiles.ts"

const ca = ["--tls-ca", file("ca.pem")]
const anywhere = ["--port", "0"]

/** Everything that was printed, without ports. */
const plain = (stdout: string) => stdout.replaceAll(/127\.0\.0\.1:\d+/g, "HOST").replace(/ in \d+ms/, "")

const folder = Effect.acquireRelease(
  Effect.sync(() => mkdtempSync(join(tmpdir(), "hawser-serve-"))),
  (path) => Effect.sync(() => rmSync(path, { recursive: true }))
)

it.live("listens in several places, and gives files their mode", () =>
  Effect.gen(function*() {
    const path = join(yield* folder, "echo.sock")
    const server = yield* serving(
      ["reverse", "--listen", "tcp://127.0.0.1:0", "--listen", `unix:${path}`, "--unix-mode", "640"]
    )
    const [, port = ""] = yield* server.says(/tcp:\/\/127\.0\.0\.1:(\d+)/)
    yield* server.says(/listening on unix:/)
    assert.strictEqual(statSync(path).mode & 0o777, 0o640)
    assert.strictEqual((yield* run(["talk", "reverse", "--port", port, "abc"])).stdout, "cba\n")
    assert.strictEqual((yield* run(["talk", "reverse", "--connect", `unix:${path}`, "abc"])).stdout, "cba\n")
    yield* server.says(/#2 ended/)
    const { exit, stdout } = yield* server.stop
    assert.strictEqual(exit, 0)
    assert.match(stdout, /drained in \d+ms: 2 served, 0 drained, 0 forced, 0 refused\n$/)
  }))

describe("turns away", () => {
  const refuse = Effect.fnUntraced(function*(flags: ReadonlyArray<string>) {
    const server = yield* serving(["reverse", ...anywhere, ...flags])
    const [, port = ""] = yield* server.says(/:(\d+): reverse/)
    const { exit } = yield* run(["talk", "reverse", "--port", port, "abc"])
    const [, why] = yield* server.says(/#1 (turned away .*)\n/)
    return [exit, plain(String(why))]
  })

  it.live("whom --deny names, and whom --allow does not name", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* refuse(["--deny", "127.0.0.0/8"]),
        [1, "turned away (reset), from tcp://HOST: --deny names the address"]
      )
      assert.deepStrictEqual(
        yield* refuse(["--allow", "::1", "--allow", "10.0.0.0/8"]),
        [1, "turned away (reset), from tcp://HOST: --allow does not name the address"]
      )
    }))

  it.live("whom --proxy-from names, unless there is a header", () =>
    Effect.gen(function*() {
      const server = yield* serving(["reverse", ...anywhere, "--proxy-from", "127.0.0.1"])
      const [, port = ""] = yield* server.says(/:(\d+): reverse/)
      const talk = (...flags: ReadonlyArray<string>) => run(["talk", "reverse", "--port", port, "abc", ...flags])
      assert.strictEqual((yield* talk()).exit, 1)
      yield* server.says(/#1 turned away .*the handshake failed: PROXY header: /)
      assert.strictEqual((yield* talk("--send-proxy", "1")).stdout, "cba\n")
    }))

  it.live("one more than --max-per-peer", () =>
    Effect.gen(function*() {
      const server = yield* serving(["reverse", ...anywhere, "--max-per-peer", "1", "--overflow", "reset"])
      const [, port = ""] = yield* server.says(/:(\d+): reverse/)
      // A client that stays: its stdin does not end before the server does.
      yield* run(["connect", `tcp://127.0.0.1:${port}`], { stdin: ["a\n"], stdinStays: true }).pipe(Effect.forkScoped)
      yield* server.says(/#1 connected/)
      assert.strictEqual((yield* run(["talk", "reverse", "--port", port, "abc"])).exit, 1)
      yield* server.says(/#2 turned away \(reset\), .*: --max-per-peer is 1\n/)
    }))
})

describe("certificates", () => {
  it.live("are loaded again when that is asked for, and those who are in stay", () =>
    Effect.gen(function*() {
      const files = yield* changing("server")
      const server = yield* serving(["reverse", ...anywhere, ...files.flags, "--json"])
      const [, port = ""] = yield* server.says(/"endpoint":"tls:\/\/127\.0\.0\.1:(\d+)"/)
      const talk = (name: string) =>
        Effect.map(
          run(["talk", "reverse", "--port", port, ...ca, "--servername", name, "abc"]),
          ({ stdout }) => stdout
        )
      yield* run(["connect", `tls://127.0.0.1:${port}`, ...ca], { stdin: ["a\n"], stdinStays: true }).pipe(
        Effect.forkScoped
      )
      yield* server.says(/"event":"Secured","id":1/)
      assert.strictEqual(yield* talk("localhost"), "cba\n")
      files.become("second")
      yield* server.reload
      yield* server.says(/"event":"Reloaded","certificates":\[\{"subject":"CN=second\.example\.test/)
      assert.deepStrictEqual([yield* talk("localhost"), yield* talk("second.example.test")], ["", "cba\n"])
      files.becomeCertificate("client")
      yield* server.reload
      yield* server.says(/"event":"NotReloaded","message":"--tls-key \S+ must be the key of --tls-cert \S+,/)
      assert.strictEqual(yield* talk("second.example.test"), "cba\n")
      const { exit, stdout } = yield* server.stop
      assert.strictEqual(exit, 0)
      assert.include(stdout, "\"event\":\"Draining\",\"open\":1}")
    }))

  it.live("are chosen by name, and wanted from clients", () =>
    Effect.gen(function*() {
      const server = yield* serving(
        ["reverse", ...anywhere, ...pair("server"), ...pair("second"), "--tls-client-ca", file("ca.pem")]
      )
      const [, port = ""] = yield* server.says(/tls:\/\/127\.0\.0\.1:(\d+): reverse/)
      const talk = (name: string, ...flags: ReadonlyArray<string>) =>
        Effect.map(
          run(["talk", "reverse", "--port", port, ...ca, ...flags, "--servername", name, "abc"]),
          ({ exit, stdout }) => [exit, stdout]
        )
      assert.deepStrictEqual(yield* talk("localhost", ...pair("client")), [0, "cba\n"])
      assert.deepStrictEqual(yield* talk("second.example.test", ...pair("client")), [0, "cba\n"])
      assert.deepStrictEqual(yield* talk("localhost"), [1, ""])
      assert.strictEqual((yield* server.stop).stderr, "")
    }))

  it.live("come with protocols, and with a warning where they have expired", () =>
    Effect.gen(function*() {
      const server = yield* serving(["reverse", ...anywhere, ...pair("server"), "--alpn", "new", "--alpn", "old"])
      const [, port = ""] = yield* server.says(/tls:\/\/127\.0\.0\.1:(\d+): reverse/)
      yield* run(["talk", "reverse", "--port", port, ...ca, "--alpn", "old", "abc"])
      yield* server.says(/#1 secured with TLSv1\.3, "old"\n/)
      const late = yield* serving(["reverse", ...anywhere, ...pair("expired")])
      yield* late.says(/listening/)
      assert.match((yield* late.stop).stderr, /^hawser: warning: --tls-cert \S+expired\.pem \(.*\) expired on 2011-/)
    }))

  it.live("that are not there cannot be loaded again, which is said", () =>
    Effect.gen(function*() {
      const server = yield* serving(["reverse", ...anywhere])
      yield* server.says(/listening/)
      yield* server.reload
      yield* server.says(
        /\ncertificates not loaded again: there is nothing to load again, because no endpoint is tls\n/
      )
      assert.strictEqual((yield* server.stop).exit, 0)
    }))
})
