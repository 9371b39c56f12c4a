/** `hawser serve --workers` with a terminal around it, and with clients of others. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { bin } from "../cli/process.ts"
import { ended, output, says, start, startFed, startHawser } from "./support/programs.ts"
import { real } from "./support/serving.ts"

const endpoint = /listening on tcp:\/\/127\.0\.0\.1:(\d+): reverse, [^\r\n]+, 2 workers/

/** Opens so many connections at once, says a line on each, and prints the answers in their order. */
const python = `
import socket, sys
port, count = int(sys.argv[1]), int(sys.argv[2])
peers = [socket.create_connection(("127.0.0.1", port)) for _ in range(count)]
for n, peer in enumerate(peers):
    peer.sendall(b"%04d\\n" % n)
    peer.shutdown(socket.SHUT_WR)
for peer in peers:
    print(peer.makefile().read(), end="")
`

it.live("each of many clients is answered by one of the workers, and all are counted", () =>
  real(() =>
    Effect.gen(function*() {
      const server = yield* startHawser(["serve", "reverse", "--port", "0", "--workers", "2"])
      const [, port = ""] = yield* says(server, endpoint)
      const count = 200
      const answers = yield* output(yield* start("python3", ["-c", python, port, String(count)]))
      const expected = Array.from({ length: count }, (_, n) => String(n).padStart(4, "0"))
      assert.deepStrictEqual(
        answers.trimEnd().split("\n").map((answer) => [...answer].toReversed().join("")),
        expected
      )
      const fed = yield* startFed("printf 'ahoy\\n'", "socat", "-t5", "-", `TCP:127.0.0.1:${port}`)
      assert.strictEqual(yield* output(fed), "yoha\n")
      server.kill("SIGTERM")
      const { exit, stderr, stdout } = yield* ended(server)
      assert.deepStrictEqual([exit, stderr], [0, ""])
      assert.match(stdout, /drained in \S+: 201 served, 0 drained, 0 forced, 0 refused\n$/)
      for (const worker of [1, 2]) assert.match(stdout, new RegExp(`#${worker}\\.1 connected`))
    })
  ))

it.live("a Ctrl-C at a terminal reaches all processes, and is one request to drain", () =>
  real(() =>
    Effect.gen(function*() {
      const args = [process.execPath, bin, "serve", "reverse", "--port", "0", "--workers", "2"].join(" ")
      const terminal = yield* start("socat", ["-", `EXEC:"${args}",pty,setsid,ctty`], { NO_COLOR: "1" })
      const [, port = ""] = yield* says(terminal, endpoint)
      const client = yield* start("socat", ["-t60", "-", `TCP:127.0.0.1:${port}`])
      client.child.stdin.write("ab\nc")
      yield* says(client, /ba\n/)
      terminal.child.stdin.write("\x03")
      yield* says(terminal, /draining: 1 open connection; Ctrl-C again/)
      client.child.stdin.end("d\n")
      assert.strictEqual(yield* output(client), "ba\ndc\nthe server ends this connection, connect again\n")
      yield* says(terminal, /drained in \S+: 0 served, 1 drained, 0 forced, 0 refused/)
    })
  ))
