/** `hawser serve --check`: everything is checked and told, nothing is bound. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fails, run } from "./inProcess.ts"
import { file, pair } from "./tlsFiles.ts"

const ok = "ok: nothing is missing, and nothing contradicts anything else"

/** The lines, with one space between the words. */
const rows = (stdout: string): ReadonlyArray<string> =>
  stdout.trimEnd().split("\n").map((line) => line.replaceAll(/ +/g, " ").trimEnd())

const check = Effect.fnUntraced(function*(args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) {
  const { exit, stderr, stdout } = yield* run(["serve", ...args, "--check"], { env })
  assert.deepStrictEqual([exit, stderr], [0, ""])
  return stdout
})

const defaults = [
  "backlog 511 default",
  "workers 1 default",
  "framing chunks default",
  "max-frame 64KiB default",
  "max-connections 1024 default",
  "max-per-peer 1024 default",
  "rate 100000/s default",
  "rate-per-peer 100000/s default",
  "allow everybody default",
  "deny nobody default",
  "proxy-from nobody default",
  "overflow goodbye default",
  "max-buffered 256MiB default",
  "handshake-timeout 10s default",
  "first-frame-timeout 1m default",
  "idle-timeout 10m default",
  "frame-timeout 1m default",
  "min-rate 160/10s default",
  "write-timeout 30s default",
  "max-lifetime 7d default",
  "request-timeout 5m default",
  "drain-grace 10s default"
]

it.live("tells all settings, and what holds where nothing was said", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(rows(yield* check(["echo"])), [
      "service echo",
      "listen tcp://127.0.0.1:12345 default",
      ...defaults,
      ok
    ])
  }))

it.live("tells where each setting comes from; flags beat variables", () =>
  Effect.gen(function*() {
    const stdout = yield* check(
      [
        "echo",
        "--max-connections",
        "20",
        "--idle-timeout",
        "unbounded",
        "--overflow",
        "wait",
        "--deny",
        "::1",
        "--deny",
        "10.0.0.0/8"
      ],
      { HAWSER_MAX_CONNECTIONS: "5", HAWSER_WRITE_TIMEOUT: "5s", HAWSER_ALLOW: "127.0.0.0/8,fe80::/10" }
    )
    const told = rows(stdout)
    for (
      const row of [
        "max-connections 20 --max-connections",
        "max-per-peer 20 default",
        "idle-timeout unbounded --idle-timeout",
        "write-timeout 5s HAWSER_WRITE_TIMEOUT",
        "allow 127.0.0.0/8,fe80::/10 HAWSER_ALLOW",
        "deny ::1 10.0.0.0/8 --deny",
        "overflow wait --overflow",
        "max-waiting 64 default",
        "wait-timeout 10s default"
      ]
    ) {
      assert.include(told, row)
    }
  }))

it.live("prints one object with --json, also if that is in the environment", () =>
  Effect.gen(function*() {
    const stdout = yield* check(["reverse", ...pair("server"), "--port", "0"], {
      HAWSER_JSON: "true",
      HAWSER_FRAME_TIMEOUT: "5s",
      HAWSER_LISTEN: "tcp://ignored:1"
    })
    const { certificates, notices, service, settings } = JSON.parse(stdout)
    assert.deepStrictEqual([service, notices], ["reverse", []])
    assert.deepStrictEqual(settings.listen, { value: "tls://127.0.0.1:0", from: "--port" })
    assert.deepStrictEqual(settings["frame-timeout"], { value: "5s", from: "HAWSER_FRAME_TIMEOUT" })
    assert.deepStrictEqual(settings.allow, { value: null, from: "default" })
    assert.deepStrictEqual(settings.overflow, { value: "close", from: "default" })
    assert.deepStrictEqual(settings["tls-cert"], { value: file("server.pem"), from: "--tls-cert" })
    assert.match(certificates[0].fingerprint256, /^(?:[0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    assert.deepInclude(certificates[0], {
      subject: "CN=localhost, O=hawser tests",
      validTo: "2070-01-01T00:00:00.000Z"
    })
  }))

it.live("tells the certificates, and which of them has expired", () =>
  Effect.gen(function*() {
    const stdout = yield* check(["echo", "--listen", "tls://*:443", ...pair("server"), ...pair("expired")])
    assert.include(stdout, "CN=localhost, O=hawser tests, from 2020-01-01 to 2070-01-01\n")
    assert.match(stdout, /\n--tls-cert \S+expired\.pem \(CN=\S+ .*\) expired on 2011-01-01T00:00:00\.000Z\n/)
  }))

it.live("binds nothing: not what is taken, not what is nowhere", () =>
  Effect.gen(function*() {
    const stdout = yield* check([
      "echo",
      "--listen",
      "unix:/nowhere/x",
      "--listen",
      "tcp://192.0.2.1:1",
      "--unix-mode",
      "600"
    ])
    assert.include(rows(stdout), "listen unix:/nowhere/x tcp://192.0.2.1:1 --listen")
    assert.include(rows(stdout), "unix-mode 600 --unix-mode")
  }))

describe("refuses what contradicts or is missing, by the names that were typed:", () => {
  const help = "\nhint: hawser serve --help tells more"

  it.live.each<[args: string, message: string, env?: Readonly<Record<string, string>>]>([
    ["--max-per-peer 9 --max-connections 5", "--max-per-peer must be at most --max-connections, which is 5, got 9"],
    [
      "--max-per-peer 9",
      "--max-per-peer must be at most HAWSER_MAX_CONNECTIONS, which is 5, got 9",
      { HAWSER_MAX_CONNECTIONS: "5" }
    ],
    ["--rate 5 --rate-per-peer 10/s", "--rate-per-peer must be at most --rate, which is 5 in 1s, got 10/s"],
    ["--frame-timeout 8d", "--frame-timeout must be at most --max-lifetime, which is 7d, got 8d"],
    [
      "--idle-timeout 1m --max-lifetime 10s",
      "--idle-timeout must be at most --max-lifetime, which is 10s, got 1m"
    ],
    [
      "--min-rate 600/1m --frame-timeout 10s",
      "the TIME of --min-rate must be shorter than --frame-timeout, which is 10s, got 600/1m"
    ],
    [
      "--deny 10.0.0.0/8",
      "HAWSER_ALLOW must be without what --deny names too, got 10.0.0.0/8",
      { HAWSER_ALLOW: "::1 10.0.0.0/8" }
    ],
    [
      "--allow ::1 --allow 1.2.3.4/33",
      "--allow must be a network (the prefix length must be an integer from 0 to 32, got \"33\"), got 1.2.3.4/33"
    ],
    [
      "--idle-timeout 5",
      "--idle-timeout must be a time such as 500ms, 2s or 1m, longer than nothing and of at most " +
      `24 days, or unbounded, got "5"${help}`
    ],
    [
      "",
      "HAWSER_RATE must be a number from 1 and perhaps a time, such as 100, 100/s or 5000/1m, or unbounded, got \"x\"",
      {
        HAWSER_RATE: "x"
      }
    ],
    ["--unix-mode 600", "--unix-mode needs --listen unix:PATH"],
    ["--unix-mode 600 --listen unix:@x", "--unix-mode needs --listen unix:PATH"],
    ["--alpn echo", "--alpn needs --tls-cert and --tls-key"],
    ["--tls-client-ca ca.pem", "--tls-client-ca needs --tls-cert and --tls-key"],
    ["--tls-cert a", "--tls-cert and --tls-key go in pairs, got 1 and 0"],
    ["--tls-key a", "--tls-cert and --tls-key go in pairs, got 0 and 1", { HAWSER_TLS_CERT: "hidden" }],
    ["--listen tls://h:1", "tls://h:1 needs --tls-cert and --tls-key"],
    [
      "--listen tcp://h:1 --tls-cert a --tls-key b",
      "--tls-cert needs an endpoint of TLS, and --listen names none\n" +
      "hint: write --listen tls://HOST:PORT, or --host and --port alone"
    ],
    [
      "--tls-cert a --tls-key b --overflow goodbye",
      "--overflow goodbye is not for tls://, where it would come before the handshake"
    ],
    ["--tls-cert /nowhere/a --tls-key b", "--tls-cert /nowhere/a cannot be read: there is no such file (ENOENT)"],
    ["--max-waiting 3", "--max-waiting needs --overflow wait"],
    ["--wait-timeout 3s --overflow close", "--wait-timeout needs --overflow wait"]
  ])(
    "%s",
    ([args, message, env]) =>
      fails(["serve", "echo", "--check", ...args.split(" ").filter((arg) => arg !== "")], {
        exit: 2,
        stderr: `hawser: ${message}\n`
      }, env === undefined ? {} : { env })
  )

  it.live("a key of another certificate", () =>
    fails([
      "serve",
      "echo",
      "--check",
      ...pair("server"),
      "--tls-cert",
      file("second.pem"),
      "--tls-key",
      file("client.key.pem")
    ], {
      exit: 2,
      stderr: `hawser: --tls-key ${file("client.key.pem")} must be the key of --tls-cert ${file("second.pem")}, ` +
        "got the key of another\n"
    }))

  it.live("a key that is encrypted", () =>
    fails(["serve", "echo", "--check", "--tls-cert", file("server.pem"), "--tls-key", file("server.locked.key.pem")], {
      exit: 2,
      stderr: `hawser: --tls-key ${file("server.locked.key.pem")} is encrypted, and there is nobody to ask for its ` +
        "passphrase\nhint: openssl pkey -in FILE -out OTHER writes it without one; let nobody else read it\n"
    }))

  it.live("authorities that are none", () =>
    fails(["serve", "echo", "--check", ...pair("server"), "--tls-client-ca", file("server.key.pem")], {
      exit: 2,
      stderr:
        `hawser: --tls-client-ca ${file("server.key.pem")} must be certificates in PEM, got a text without BEGIN ` +
        "CERTIFICATE and END CERTIFICATE\n"
    }))
})
