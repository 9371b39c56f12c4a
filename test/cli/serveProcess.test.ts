/** What `hawser serve` gets from the world around its process: SIGHUP, and sockets that somebody else listens on. */
import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import * as NodeTls from "node:tls"
import { vi } from "vitest"
import { bin, Client, hawser, limitMillis, Program, serve } from "./process.ts"
import { Changing, file } from "./tlsFiles.ts"

vi.setConfig({ testTimeout: limitMillis + 5000 })

const test = it.concurrent

const ca = readFileSync(file("ca.pem"))

/** A client over TLS, which tells whose certificate it saw. */
const dial = async (port: number, servername: string): Promise<NodeTls.TLSSocket> => {
  const socket = NodeTls.connect({ port, host: "127.0.0.1", ca, servername }).setEncoding("utf8")
  await once(socket, "secureConnect")
  return socket
}

describe("SIGHUP", () => {
  test("loads the certificates again, without ending a connection", async () => {
    using files = new Changing("server")
    using server = hawser(["serve", "reverse", "--port", "0", ...files.flags])
    const [, port] = await server.says(/tls:\/\/127\.0\.0\.1:(\d+)/)
    const old = await dial(Number(port), "localhost")
    try {
      files.become("second")
      server.kill("SIGHUP")
      await server.says(/certificates loaded again: CN=second\.example\.test, /)
      const young = await dial(Number(port), "second.example.test")
      young.end()
      old.write("abc\n")
      assert.deepStrictEqual(await once(old, "data"), ["cba\n"])
      server.kill("SIGTERM")
      assert.strictEqual((await server.ended).exit, 0)
    } finally {
      old.destroy()
    }
  })

  test("is no end for a server without TLS, and is for anything else", async () => {
    const { server } = await serve("reverse")
    using _ = server
    server.kill("SIGHUP")
    await server.says(/there is nothing to load again/)
    server.kill("SIGTERM")
    assert.strictEqual((await server.ended).exit, 0)
    const quiet = Net.createServer().listen(0, "127.0.0.1")
    await once(quiet, "listening")
    try {
      const { port } = quiet.address() as Net.AddressInfo // it listens on a port
      using client = hawser(["connect", `tcp://127.0.0.1:${port}`])
      await once(quiet, "connection")
      client.kill("SIGHUP")
      assert.strictEqual((await client.ended).exit, "SIGHUP")
    } finally {
      quiet.close()
    }
  })
})

describe("a socket that was handed over", () => {
  /** A socket that somebody listens on, and its number here; closed here, it is the program's alone. */
  const listening = async () => {
    const listener = Net.createServer()
    listener.listen(0, "127.0.0.1")
    await once(listener, "listening")
    const { port } = listener.address() as Net.AddressInfo // it listens on a port
    // The number is told nowhere else.
    const { fd } = (listener as unknown as { readonly _handle: { readonly fd: number } })._handle
    return { port, fd, close: () => void listener.close() }
  }

  test("is listened on where no address is given, as a service manager does it", async () => {
    const socket = await listening()
    const script = "LISTEN_PID=$$ exec \"$@\""
    const command = ["-c", script, "sh", process.execPath, bin, "serve", "reverse"]
    using server = new Program("sh", command, { LISTEN_FDS: "1" }, [socket.fd])
    socket.close()
    await server.says(/listening on /)
    using client = await Client.dial(socket.port)
    client.socket.write("abc\n")
    await client.hears("cba\n")
  })

  test("is listened on where it is asked for", async () => {
    const socket = await listening()
    using server = new Program(process.execPath, [bin, "serve", "reverse", "--fd", "3"], {}, [socket.fd])
    socket.close()
    await server.says(/listening on /)
    using client = await Client.dial(socket.port)
    client.socket.write("abc\n")
    await client.hears("cba\n")
  })

  test("that is not there is a local error", async () => {
    using server = hawser(["serve", "reverse", "--fd", "99"])
    assert.deepStrictEqual(await server.ended, {
      exit: 2,
      stdout: "",
      stderr: "hawser: cannot listen on fd:99: it is closed, or no listening socket (EINVAL)\n" +
        "hint: start the program with a listening socket as that descriptor\n"
    })
  })
})
