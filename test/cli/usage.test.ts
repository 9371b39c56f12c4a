/** Wrong use: one sentence and a hint on stderr, nothing on stdout, exit code 2. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect } from "effect"
import { readFileSync } from "node:fs"
import { connectSettings, talkSettings } from "../../src/cli/dialSettings.ts"
import { serveSettings } from "../../src/cli/serveSettings.ts"
import type * as Setting from "../../src/cli/Setting.ts"
import * as Server from "../../src/Server.ts"
import { fails, run } from "./inProcess.ts"

const serveHelp = "\nhint: hawser serve --help tells more\n"
const talkHelp = "\nhint: hawser talk --help tells more\n"

describe("wrong use gets a sentence:", () => {
  it.live.each<[command: string, stderr: string]>([
    ["srve", "hawser: there is no command \"srve\"\nhint: did you mean serve?\n"],
    ["tuor", "hawser: there is no command \"tuor\"\nhint: did you mean tour?\n"],
    ["dance", "hawser: there is no command \"dance\"\nhint: hawser --help tells more\n"],
    ["serve", `hawser: the SERVICE is missing${serveHelp}`],
    ["serve ecko", `hawser: the SERVICE must be greet, echo, reverse, vowels, parity or crc, got "ecko"${serveHelp}`],
    ["talk greet hi", `hawser: the SERVICE must be echo, reverse, vowels, parity or crc, got "greet"${talkHelp}`],
    ["serve echo tea", `hawser: there is nothing to do with "tea"${serveHelp}`],
    ["serve echo --prot 1", "hawser: there is no flag --prot\nhint: did you mean --port?\n"],
    ["talk echo -x", "hawser: there is no flag -x\nhint: put -- before a message that begins with a dash\n"],
    ["serve echo --port", `hawser: --port needs a value: PORT${serveHelp}`],
    ["serve echo --port=", `hawser: --port needs a value: an integer from 0 to 65535${serveHelp}`],
    ["serve echo --port 99999", `hawser: --port must be an integer from 0 to 65535, got "99999"${serveHelp}`],
    ["serve echo --port -1", `hawser: --port must be an integer from 0 to 65535, got "-1"${serveHelp}`],
    ["serve echo --port 80.5", `hawser: --port must be an integer from 0 to 65535, got "80.5"${serveHelp}`],
    ["serve echo --port 1 --port 2", `hawser: --port may be given once, got 2 occurrences${serveHelp}`],
    ["serve echo --max-connections 0", `hawser: --max-connections must be an integer from 1, got "0"${serveHelp}`],
    ["serve echo --backlog 0", `hawser: --backlog must be an integer from 1, got "0"${serveHelp}`],
    [
      "serve echo --max-frame 0",
      `hawser: --max-frame must be a size from 1 byte to 1GiB, such as 512, 64KiB or 1MiB, got "0"${serveHelp}`
    ],
    [
      "serve echo --drain-grace 5",
      `hawser: --drain-grace must be a time such as 500ms, 2s or 1m, of at most 24 days, got "5"${serveHelp}`
    ],
    [
      "serve echo --overflow push",
      `hawser: --overflow must be goodbye, close, reset or wait, got "push"${serveHelp}`
    ],
    ["serve echo --max-waiting 4", "hawser: --max-waiting needs --overflow wait\n"],
    ["serve echo --overflow close --wait-timeout 4s", "hawser: --wait-timeout needs --overflow wait\n"],
    [
      "serve echo --framing fixed:16 --overflow goodbye",
      "hawser: --overflow goodbye needs a framing that can say it, and frames of 16B cannot\n"
    ],
    [
      "serve greet --framing fixed:16",
      "hawser: greet cannot say \"Thank you for connecting\" in frames of 16B\n"
    ],
    [
      "serve echo --framing length:5",
      "hawser: --framing must be length:WIDTH, where WIDTH is 1, 2, 3, 4 or 8 bytes, as in length:2 or length:2le, " +
      "got \"length:5\"\nhint: for example lines, chunks, fixed:16, length:2 or delimited:;\n"
    ],
    [
      "serve echo --listen unix:/x --port 1",
      "hawser: --listen and --port exclude each other\nhint: give one of them\n"
    ],
    [
      "talk echo --connect unix:/x --host h hi",
      "hawser: --connect and --host exclude each other\nhint: give one of them\n"
    ],
    [
      "serve echo --listen 127.0.0.1:1",
      "hawser: endpoint \"127.0.0.1:1\": a scheme is missing, write tcp://127.0.0.1:1\n" +
      "hint: for example tcp://127.0.0.1:12345 or unix:/tmp/echo.sock\n"
    ],
    [
      "serve echo --listen tcp://h:99999",
      "hawser: endpoint \"tcp://h:99999\": port must be an integer from 0 to 65535, got 99999\n" +
      "hint: for example tcp://127.0.0.1:12345 or unix:/tmp/echo.sock\n"
    ],
    [
      "serve echo --listen tls://127.0.0.1:1",
      "hawser: tls://127.0.0.1:1 needs --tls-cert and --tls-key\n"
    ],
    [
      "talk echo --host * hi",
      "hawser: cannot connect to tcp://*:12345: this transport does not know such endpoints\n" +
      "hint: hawser knows tcp://HOST:PORT, tls://HOST:PORT and unix:PATH; the host * and fd:N are for listening\n"
    ],
    [
      "serve echo --host a..b",
      "hawser: --host: host must be an IP address, a name or *, got a..b (domain name labels must not be empty)\n"
    ],
    ["talk echo --host= hi", "hawser: --host must be an address or a name, got \"\"\n"],
    [
      "talk echo --timeout 0s hi",
      `hawser: --timeout must be longer than nothing, such as 500ms, 2s or 1m, got "0s"${talkHelp}`
    ],
    ["serve echo --crc crc-8", "hawser: --crc is for the service crc, not for echo\n"],
    ["talk echo --corrupt 1 hi", "hawser: --corrupt is for the service crc, not for echo\n"],
    ["talk crc --seed 1 hi", "hawser: --seed needs --corrupt\n"],
    [
      "talk crc --corrupt 1.5 hi",
      `hawser: --corrupt must be a share from 0 to 1, such as 0.25, got "1.5"${talkHelp}`
    ],
    [
      "talk crc --corrupt 1 --seed -1 hi",
      `hawser: --seed must be an integer from 0 to 4294967295, got "-1"${talkHelp}`
    ],
    [
      "serve crc --framing chunks --crc crc-8",
      "hawser: --crc is not for --framing chunks, where the tutorial's key 1001 is used\n"
    ],
    [
      "serve crc --overflow goodbye",
      "hawser: --overflow goodbye is not for crc, which has words only with --framing chunks\n"
    ],
    ["connect", "hawser: the ENDPOINT is missing\nhint: hawser connect --help tells more\n"],
    [
      "connect 127.0.0.1:1",
      "hawser: endpoint \"127.0.0.1:1\": a scheme is missing, write tcp://127.0.0.1:1\n" +
      "hint: for example tcp://127.0.0.1:12345 or unix:/tmp/echo.sock\n"
    ],
    [
      "--completions ksh",
      "hawser: --completions must be bash, zsh, fish, powershell, sh or pwsh, got \"ksh\"\nhint: hawser --help tells more\n"
    ]
  ])("%s", ([command, stderr]) => fails(command.split(" "), { exit: 2, stderr }))

  it.live("a local address that this machine does not have", () =>
    fails(["serve", "echo", "--host", "192.0.2.1"], {
      exit: 2,
      stderr:
        "hawser: cannot listen on tcp://192.0.2.1:12345: the address is not available on this machine (EADDRNOTAVAIL)\n" +
        "hint: use an address of this machine, such as 127.0.0.1, or * for all of them\n"
    }))

  it.live("a socket file in a folder that is not there", () =>
    fails(["serve", "echo", "--listen", "unix:/nowhere/x.sock"], {
      exit: 2,
      stderr: "hawser: cannot listen on unix:/nowhere/x.sock: there is no such folder (ENOENT)\n" +
        "hint: create the folder, or choose another path\n"
    }))
})

describe("asked for,", () => {
  const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))

  it.live("the version is printed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run(["--version"]), { exit: 0, stdout: `hawser ${version}\n`, stderr: "" })
      assert.deepStrictEqual(yield* run(["serve", "--version"]), { exit: 0, stdout: `hawser ${version}\n`, stderr: "" })
    }))

  it.live("the help goes to stdout, with everything a command takes", () =>
    Effect.gen(function*() {
      const { exit, stderr, stdout } = yield* run(["serve", "--help"])
      assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
      for (const word of ["greet", "--host", "--port", "--listen", "--max-connections", "--overflow", "--backlog"]) {
        assert.include(stdout, word)
      }
      for (const word of ["--framing", "--max-frame", "--drain-grace", "--json", "FRAMINGS", "EVENTS", "Drained"]) {
        assert.include(stdout, word)
      }
    }))

  it.live("the help tells every setting, its variable, and what TLS and descriptors are", () =>
    Effect.gen(function*() {
      const help = (command: string) => Effect.map(run([command, "--help"]), ({ stdout }) => stdout)
      const serve = yield* help("serve")
      for (const { name } of Object.values<Setting.Setting<unknown>>(serveSettings)) assert.include(serve, `--${name} `)
      for (
        const word of ["--check", "ENVIRONMENT", "HAWSER_IDLE_TIMEOUT=5m", "TLS", "SIGHUP", "LISTEN_FDS", "unbounded"]
      ) {
        assert.include(serve, word)
      }
      for (const [command, settings] of [["talk", talkSettings], ["connect", connectSettings]] as const) {
        const text = yield* help(command)
        for (const { name } of Object.values<Setting.Setting<unknown>>(settings)) assert.include(text, `--${name} `)
        assert.include(text, "HAWSER_CLIENT_TLS_CA=ca.pem")
      }
    }))

  it.live("the help of the program tells its exit codes, also to those who type nothing", () =>
    Effect.gen(function*() {
      const help = yield* run(["--help"])
      assert.include(help.stdout, "EXIT CODES")
      assert.deepStrictEqual(yield* run([]), help)
      assert.deepStrictEqual(yield* run(["-h"]), help)
      assert.strictEqual(help.exit, 0)
    }))

  it.live("the help tells the defaults that hold", () =>
    Effect.gen(function*() {
      const { stdout } = yield* run(["serve", "--help"])
      const grace = Duration.format(Duration.fromInputUnsafe(Server.defaults.grace))
      assert.include(stdout, `at once (default: ${Server.defaults.maxConnections})`)
      assert.include(stdout, `not accepted yet (default: ${Server.defaults.backlog})`)
      assert.include(stdout, `connections finish (default: ${grace})`)
    }))

  it.live.each(["bash", "zsh", "fish", "powershell"])(
    "completions for %s are printed",
    (shell) =>
      Effect.gen(function*() {
        const { exit, stderr, stdout } = yield* run(["--completions", shell])
        assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
        for (const word of ["serve", "talk", "connect", "tour", "max-connections", "reverse"]) {
          assert.include(stdout, word)
        }
      })
  )
})

describe("colours", () => {
  const coloured = (world: Parameters<typeof run>[1]) =>
    Effect.map(run(["--help"], world), ({ stdout }) => stdout.includes("\x1b["))

  it.live("are for terminals, NO_COLOR takes them away, and FORCE_COLOR gives them", () =>
    Effect.gen(function*() {
      assert.isFalse(yield* coloured({}))
      assert.isTrue(yield* coloured({ stdoutIsTerminal: true }))
      assert.isFalse(yield* coloured({ stdoutIsTerminal: true, env: { NO_COLOR: "1" } }))
      assert.isFalse(yield* coloured({ stdoutIsTerminal: true, env: { TERM: "dumb" } }))
      assert.isTrue(yield* coloured({ env: { FORCE_COLOR: "1" } }))
      assert.isFalse(yield* coloured({ env: { FORCE_COLOR: "1", NO_COLOR: "1" } }))
    }))
})
