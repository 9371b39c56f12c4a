/** Unix sockets with socat at the other end: files and their permissions, abstract names, and a PROXY header by hand. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { join } from "node:path"
import { Client, Endpoint, type Server } from "../../src/index.ts"
import { Text } from "../support/network.ts"
import { ended, folder, output, says, start, startFed, startJoined } from "./support/programs.ts"
import { news, real, serveLines } from "./support/serving.ts"

/** What socat hears that says something and ends its side. */
const ask = (address: string, what = "ahoy\\n") =>
  Effect.flatMap(startFed(`printf '${what}'`, "socat", "-t", "5", "-", address), ended)

/** A name of this run. */
const abstractName = Effect.map(folder, (path) => path.replace(/^.*\//, ""))

const answered = { exit: 0, stdout: "yoha\n", stderr: "" }

describe("a socket file", () => {
  it.live.each([0o600, 0o660, 0o666, 0o777])(
    "has the mode that was asked for (%o)",
    (unixMode) =>
      real((logs) =>
        Effect.gen(function*() {
          const path = join(yield* folder, "quay.sock")
          const { told } = yield* serveLines(`unix:${path}`, { unixMode })
          assert.strictEqual(
            yield* output(yield* start("stat", ["-c", "%a %F", path])),
            `${unixMode.toString(8)} socket\n`
          )
          assert.deepStrictEqual(yield* ask(`UNIX-CONNECT:${path}`), answered)
          assert.strictEqual(Endpoint.format((yield* told.nth("Accepted")).peer), "unix:")
          assert.strictEqual(yield* told.ending(), "the peer closed the connection")
          assert.deepStrictEqual(news(logs), [])
        })
      )
  )

  it.live("whose owner died is taken over, and whose owner lives is not", () =>
    real(() =>
      Effect.gen(function*() {
        const path = join(yield* folder, "quay.sock")
        const first = yield* startJoined("socat", "-d", "-d", `UNIX-LISTEN:${path},unlink-close=0`, "EXEC:cat")
        yield* says(first, /listening on/)
        const error = yield* Effect.flip(serveLines(`unix:${path}`))
        assert.deepStrictEqual(error._tag === "BindError" && [error.reason, error.code], ["AddressInUse", "EADDRINUSE"])
        // The look whether anybody is there was its one connection.
        yield* ended(first)
        yield* serveLines(`unix:${path}`)
        assert.deepStrictEqual(yield* ask(`UNIX-CONNECT:${path}`), answered)
      })
    ))

  it.live("of socat is reached", () =>
    real(() =>
      Effect.gen(function*() {
        const path = join(yield* folder, "quay.sock")
        const program = yield* startJoined("socat", "-d", "-d", `UNIX-LISTEN:${path}`, "EXEC:cat")
        yield* says(program, /listening on/)
        const client = yield* Client.make(Text, `unix:${path}`)
        assert.strictEqual(yield* client.call("ahoy"), "ahoy")
      })
    ))
})

describe("an abstract name", () => {
  it.live("is served, and leaves nothing", () =>
    real(() =>
      Effect.gen(function*() {
        const name = yield* abstractName
        yield* Effect.scoped(Effect.gen(function*() {
          yield* serveLines(`unix:@${name}`)
          assert.deepStrictEqual(yield* ask(`ABSTRACT-CONNECT:${name}`), answered)
        }))
        assert.include((yield* ask(`ABSTRACT-CONNECT:${name}`)).stdout, "Connection refused")
      })
    ))

  it.live("of socat is reached", () =>
    real(() =>
      Effect.gen(function*() {
        const name = yield* abstractName
        const program = yield* startJoined("socat", "-d", "-d", `ABSTRACT-LISTEN:${name}`, "EXEC:cat")
        yield* says(program, /listening on/)
        const client = yield* Client.make(Text, `unix:@${name}`)
        assert.strictEqual(yield* client.call("ahoy"), "ahoy")
      })
    ))
})

describe("a PROXY header by hand", () => {
  const trusting: Server.Options = { proxy: { from: ["unix"] } }
  const signature = "\\r\\n\\r\\n\\0\\r\\nQUIT\\n"

  it.live.each([
    ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2\\r\\n", "tcp://192.0.2.1:1"],
    ["PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\\r\\n", "tcp://192.0.2.1:1"],
    ["PROXY UNKNOWN\\r\\n", "unix:"],
    // LOCAL; and TCP over IPv4, with the bytes of the addresses in octal digits.
    [`${signature}\\040\\0\\0\\0`, "unix:"],
    [`${signature}\\041\\021\\0\\014\\300\\0\\002\\001\\300\\0\\002\\002\\0\\001\\0\\002`, "tcp://192.0.2.1:1"]
  ])("%s names %s", ([header, peer]) =>
    real((logs) =>
      Effect.gen(function*() {
        const path = join(yield* folder, "quay.sock")
        const { told } = yield* serveLines(`unix:${path}`, trusting)
        assert.deepStrictEqual(yield* ask(`UNIX-CONNECT:${path}`, `${header}ahoy\\n`), answered)
        assert.strictEqual(Endpoint.format((yield* told.nth("Accepted")).peer), peer)
        assert.deepStrictEqual(news(logs), [])
      })
    ))

  it.live.each([
    ["PROXY TCP4 192.0.2.256 192.0.2.2 1 2\\r\\n"],
    ["PROXY TCP4 192.0.2.1 192.0.2.2 1 2\\n"],
    ["PROXY  TCP4 192.0.2.1 192.0.2.2 1 2\\r\\n"],
    [`${signature}\\061\\021\\0\\0`],
    [`${signature}\\041\\021\\0\\001\\0`],
    ["PROXY TCP4 192.0.2.1"]
  ])("%s is refused", ([header]) =>
    real((logs) =>
      Effect.gen(function*() {
        const path = join(yield* folder, "quay.sock")
        const { told } = yield* serveLines(`unix:${path}`, trusting)
        assert.notInclude((yield* ask(`UNIX-CONNECT:${path}`, header)).stdout, "yoha")
        assert.match(yield* told.refusal(), /^the handshake failed: PROXY header: /)
        assert.strictEqual(news(logs).length, 1)
      })
    ))
})
