/** STARTTLS with programs that know it from mail: `openssl s_client` at a server, and Python's at a client. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CloseReason, Codec, Connection, Endpoint, Framing, Server, Tls } from "../../src/index.ts"
import { pair, pem } from "../support/tls.ts"
import { output, pemPath, says, startFed, startJoined } from "./support/programs.ts"
import { news, portOf, real, Told } from "./support/serving.ts"

/** Lines as mail has them (RFC 5321, 2.3.8). */
const line = Codec.text(Framing.lines({ maxFrameBytes: 1000, ending: "crlf", unterminated: "reject" }))

/** A mail server that knows only how to begin with TLS, and turns lines around from then on. */
const serve = Effect.gen(function*() {
  const context = yield* Tls.makeServer({ certificates: [pair("server")] })
  const told = new Told()
  const { endpoint } = yield* Server.makeConnection(line, "tcp://127.0.0.1:0", (plain) =>
    Effect.gen(function*() {
      yield* plain.write(["220 quay.example.test"])
      for (;;) {
        const batch = yield* plain.pull
        const agreed = batch.find((text) => text === "STARTTLS")
        if (agreed === undefined) {
          yield* plain.write(["250-quay.example.test", "250 STARTTLS"])
          continue
        }
        const secure = yield* Connection.upgrade(
          plain,
          Codec.text(Framing.lines({
            maxFrameBytes: 1000,
            ending: "lf",
            unterminated: "reject"
          })),
          { side: "server", context, agreed, lastWord: ["220 go ahead"] }
        )
        yield* Connection.forEachBatch(secure, (lines) =>
          secure.write(lines.map((text) => Array.from(text).reverse().join(""))))
        return
      }
    }), { onEvent: told.onEvent })
  return { port: portOf(endpoint), told }
})

describe("at a server", () => {
  it.live.each(["-tls1_2", "-tls1_3"])(
    "openssl s_client turns to TLS (%s)",
    (version) =>
      real((logs) =>
        Effect.gen(function*() {
          const { port, told } = yield* serve
          const client = yield* startJoined(
            "openssl",
            ["s_client", "-starttls", "smtp", "-connect", `127.0.0.1:${port}`, version],
            ["-CAfile", pemPath("ca"), "-verify_return_error", "-verify_hostname", "localhost"]
          )
          client.child.stdin.write("ahoy\n")
          yield* says(client, /yoha\n/)
          client.child.stdin.end()
          assert.include(yield* output(client), "Verify return code: 0 (ok)")
          assert.strictEqual(yield* told.ending(), "the peer closed the connection")
          assert.deepStrictEqual(news(logs), [])
        })
      )
  )

  it.live("a command that was put behind STARTTLS ends it", () =>
    real(() =>
      Effect.gen(function*() {
        const { port, told } = yield* serve
        const said = yield* output(
          yield* startFed("printf 'EHLO a\\r\\nSTARTTLS\\r\\nINJECTED\\r\\n'", "nc", "-N", "127.0.0.1", String(port))
        )
        assert.notInclude(said, "go ahead")
        assert.match(yield* told.ending(), /^protocol violation: /)
      })
    ))
})

describe("at a client", () => {
  /** Python's TLS; with an argument it says more than it should before the handshake. */
  const script = `import socket, ssl, sys
listener = socket.create_server(("127.0.0.1", 0))
print("port", listener.getsockname()[1], flush=True)
s, _ = listener.accept()
lines = s.makefile("rb")
assert lines.readline() == b"STARTTLS\\r\\n"
s.sendall(b"220 go ahead\\r\\n" + sys.argv[3].encode())
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
s = context.wrap_socket(s, server_side=True)
s.sendall(s.recv(100))
s.recv(100)`

  const turn = Effect.fnUntraced(function*(injected: string) {
    const python = yield* startJoined("python3", "-c", script, pemPath("server"), pemPath("server.key"), injected)
    const [, port] = yield* says(python, /port (\d+)/)
    const plain = yield* Connection.connect(Endpoint.tcpUnsafe("127.0.0.1", Number(port)), line)
    yield* plain.write(["STARTTLS"])
    const [agreed] = yield* Effect.orDie(plain.pull)
    const tls = { ca: [pem("ca")], servername: "localhost" }
    return yield* Connection.upgrade(plain, line, { side: "client", tls, agreed })
  })

  it.live("Python turns to TLS", () =>
    real(() =>
      Effect.gen(function*() {
        const secure = yield* turn("")
        yield* secure.write(["ahoy"])
        assert.deepStrictEqual(yield* secure.pull, ["ahoy"])
        assert.isTrue(secure.tls?.verified)
      })
    ))

  it.live("an answer that was put behind the agreement ends it", () =>
    real(() =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(turn("250 injected\r\n"))
        assert.instanceOf(error, CloseReason.ConnectionError)
        assert.strictEqual(error._tag === "ConnectionError" && error.reason._tag, "ProtocolViolation")
      })
    ))
})
