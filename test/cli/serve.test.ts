/** `hawser serve`, and what the process around it does with signals and pipes. */
import { assert, describe, it } from "@effect/vitest"
import { createHash, randomBytes } from "node:crypto"
import { existsSync, mkdtempSync, rmSync } from "node:fs"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { vi } from "vitest"
import { bin, Client, hawser, limitMillis, Program, serve } from "./process.ts"

vi.setConfig({ testTimeout: limitMillis + 5000 })

const test = it.concurrent

/** Needs a file that takes nothing. */
const inLinux = existsSync("/dev/full") ? test : test.skip

/** The line of each event, without ports and times, which differ. */
const plain = (stdout: string): Array<string> =>
  stdout.trimEnd().split("\n").map((line) => line.replaceAll(/127\.0\.0\.1:\d+/g, "HOST").replace(/ in \d+ms/, ""))

describe("serving", () => {
  test("says where it listens, who connects, how each ends, and how it drained", async () => {
    const { port, server } = await serve("reverse")
    using _ = server
    using client = await Client.dial(port)
    client.socket.write("stressed\n")
    await client.hears("desserts\n")
    client.socket.end()
    await server.says(/ended/)
    server.kill("SIGINT")
    const { exit, stderr, stdout } = await server.ended
    assert.deepStrictEqual({ exit, stderr, stdout: plain(stdout) }, {
      exit: 0,
      stderr: "",
      stdout: [
        "listening on tcp://HOST: reverse, lines of at most 64KiB; Ctrl-C drains and ends",
        "#1 connected from tcp://HOST",
        "#1 ended: the peer closed the connection (9B in, 9B out, 1 message)",
        "draining: 0 open connections; Ctrl-C again ends at once",
        "drained: 1 served, 0 drained, 0 forced, 0 refused"
      ]
    })
  })

  test("prints one object per event with --json", async () => {
    const { port, server } = await serve("greet", "--json")
    using _ = server
    using client = await Client.dial(port)
    client.socket.end()
    assert.strictEqual(await client.gone(), "Thank you for connecting\n")
    await server.says(/Ended/)
    server.kill("SIGTERM")
    const { exit, stderr, stdout } = await server.ended
    const events = stdout.trimEnd().split("\n").map((line) => {
      const { elapsedMillis, endpoint, peer, time, ...rest } = JSON.parse(line)
      if (rest.event === "Drained") assert.isAtLeast(elapsedMillis, 0)
      if (rest.event === "Listening") assert.strictEqual(endpoint, `tcp://127.0.0.1:${port}`)
      if ("id" in rest) assert.strictEqual(peer, `tcp://127.0.0.1:${client.port}`)
      assert.match(time, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      return rest
    })
    assert.deepStrictEqual({ exit, stderr, events }, {
      exit: 0,
      stderr: "",
      events: [
        { event: "Listening", service: "greet" },
        { event: "Accepted", id: 1 },
        {
          event: "Ended",
          id: 1,
          reason: { _tag: "Closed" },
          bytesIn: 0,
          bytesOut: 25,
          messagesIn: 0,
          messagesOut: 1
        },
        { event: "Draining", open: 0 },
        { event: "Drained", served: 1, drained: 0, forced: 0, refused: 0 }
      ]
    })
  })

  test("answers a client that ends its side without ending the line", async () => {
    for (const service of ["echo", "reverse"]) {
      const { port, server } = await serve(service)
      using _ = server
      using client = await Client.dial(port)
      client.socket.end("abc")
      assert.strictEqual(await client.gone(), service === "echo" ? "abc" : "cba\n")
    }
  })

  test("takes what the tutorial's client sends", async () => {
    const { port, server } = await serve("reverse", "--framing", "chunks")
    using _ = server
    using client = await Client.dial(port)
    client.socket.write("shaurya says geeksforgeeks")
    await client.hears("skeegrofskeeg syas ayruahs")
  })

  test("echoes a lot of bytes unchanged", async () => {
    const { port, server } = await serve("echo")
    using _ = server
    const sent = randomBytes(20_000_000)
    const hash = await new Promise<string>((resolve, reject) => {
      const received = createHash("sha256")
      const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true }).on("error", reject)
      socket.on("data", (chunk) => received.update(chunk)).on("end", () => resolve(received.digest("hex")))
      socket.end(sent)
    })
    assert.strictEqual(hash, createHash("sha256").update(sent).digest("hex"))
  })

  test("listens on every interface for an empty host, as the tutorial's server", async () => {
    const { port, server } = await serve("reverse", "--host", "")
    using _ = server
    assert.include(server.stdout, `tcp://*:${port}`)
    using client = await Client.dial(port)
    client.socket.write("ab\n")
    await client.hears("ba\n")
  })

  test("listens on a socket file, and removes it", async () => {
    const folder = mkdtempSync(join(tmpdir(), "hawser-"))
    try {
      const endpoint = `unix:${join(folder, "echo.sock")}`
      using server = hawser(["serve", "echo", "--listen", endpoint])
      await server.says(/listening/)
      using talk = hawser(["talk", "echo", "--connect", endpoint, "hello"])
      assert.deepStrictEqual(await talk.ended, { exit: 0, stdout: "hello\n", stderr: "" })
      using again = hawser(["serve", "echo", "--listen", endpoint])
      const { exit, stderr } = await again.ended
      assert.deepStrictEqual([exit, stderr], [
        2,
        `hawser: cannot listen on ${endpoint}: the address is already in use\n` +
        "hint: stop the program that listens there, or choose another path\n"
      ])
      server.kill("SIGTERM")
      assert.strictEqual((await server.ended).exit, 0)
      using gone = hawser(["talk", "echo", "--connect", endpoint, "hello"])
      assert.strictEqual((await gone.ended).exit, 1)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})

describe("bad input", () => {
  test("a port in use is told, with exit code 2", async () => {
    const { port, server } = await serve("echo")
    using _ = server
    using second = hawser(["serve", "echo", "--port", String(port)])
    assert.deepStrictEqual(await second.ended, {
      exit: 2,
      stdout: "",
      stderr: `hawser: cannot listen on tcp://127.0.0.1:${port}: the address is already in use\n` +
        "hint: stop the program that listens there, or choose another port (0 picks a free one)\n"
    })
  })

  test("a privileged port is denied with exit code 2, or allowed to an administrator", async () => {
    using server = hawser(["serve", "echo", "--port", "1"])
    const denied = server.ended.then(({ exit, stderr, stdout }) => ({ exit, stderr, stdout }))
    const allowed = server.says(/listening on tcp:\/\/127\.0\.0\.1:1:/).then(() => undefined, () => undefined)
    await Promise.race([denied, allowed])
    if (server.stdout === "") {
      assert.deepStrictEqual(await denied, {
        exit: 2,
        stdout: "",
        stderr: "hawser: cannot listen on tcp://127.0.0.1:1: access denied (EACCES)\n" +
          "hint: ports below 1024 are reserved for the administrator: choose a higher one\n"
      })
    } else {
      server.kill("SIGTERM")
      assert.strictEqual((await denied).exit, 0)
    }
  })

  test("garbage and frames too large end their own connection, and the server goes on", async () => {
    const { port, server } = await serve("reverse", "--max-frame", "16")
    using _ = server
    using bystander = await Client.dial(port)
    bystander.socket.write("before\n")
    await bystander.hears("erofeb\n")
    using large = await Client.dial(port)
    large.socket.end(`ab\n${"x".repeat(100)}\ncd\n`)
    assert.strictEqual(await large.gone(), "ba\n")
    await server.says(/ended: inbound frame of 17 bytes exceeds the limit of 16 bytes \(107B in, 3B out, 1 message\)/)
    using garbage = await Client.dial(port)
    garbage.socket.end(Uint8Array.of(0xff, 0xfe, 0x00, 0x0a))
    assert.strictEqual(await garbage.gone(), "")
    await server.says(/ended: corrupt frame: 3 bytes are not valid UTF-8/)
    bystander.socket.write("after\n")
    await bystander.hears("erofeb\nretfa\n")
    bystander.socket.end()
    server.kill("SIGINT")
    const { exit, stderr } = await server.ended
    assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
  })

  test("one connection too many is turned away as asked", async () => {
    const { port, server } = await serve("reverse", "--max-connections", "1")
    using _ = server
    using first = await Client.dial(port)
    first.socket.write("ab\n")
    await first.hears("ba\n")
    using second = await Client.dial(port)
    second.socket.end()
    assert.strictEqual(await second.gone(), "the server is full, try again later\n")
    await server.says(/#2 turned away \(goodbye\), from tcp:\/\/127\.0\.0\.1:\d+: --max-connections is 1\n/)
    assert.strictEqual(server.stderr, "")
  })

  test("one connection too many waits where it may", async () => {
    const { port, server } = await serve(
      "reverse",
      "--max-connections",
      "1",
      "--overflow",
      "wait",
      "--max-waiting",
      "1"
    )
    using _ = server
    using first = await Client.dial(port)
    first.socket.write("ab\n")
    await first.hears("ba\n")
    using second = await Client.dial(port)
    second.socket.write("cd\n")
    await server.says(/#2 waits for room/)
    using third = await Client.dial(port)
    third.socket.end()
    assert.strictEqual(await third.gone(), "the server is full, try again later\n")
    first.socket.end()
    await second.hears("dc\n")
  })
})

describe("signals", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "the first %s lets a request finish that has begun to arrive, reports and exits with 0",
    async (signal) => {
      const { port, server } = await serve("reverse")
      using _ = server
      using client = await Client.dial(port)
      client.socket.write("ab\nc")
      await client.hears("ba\n")
      server.kill(signal)
      await server.says(/draining: 1 open connection/)
      client.socket.write("d\n")
      await client.hears("ba\ndc\nthe server ends this connection, connect again\n")
      client.socket.end()
      const { exit, stderr, stdout } = await server.ended
      assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
      assert.match(
        stdout,
        /#1 ended: the server drained .*\ndrained in \S+: 0 served, 1 drained, 0 forced, 0 refused\n$/
      )
    }
  )

  test("a peer that never finishes is cut after --drain-grace", async () => {
    const { port, server } = await serve("reverse", "--drain-grace", "50ms")
    using _ = server
    using client = await Client.dial(port)
    client.socket.write("half a li")
    await server.says(/connected/)
    server.kill("SIGINT")
    const { exit, stdout } = await server.ended
    assert.strictEqual(exit, 0)
    assert.match(stdout, /0 served, 0 drained, 1 forced, 0 refused\n$/)
  })

  test.each([["SIGINT", 130], ["SIGTERM", 143]] as const)(
    "a second signal, %s, ends it at once with %d",
    async (signal, code) => {
      const { port, server } = await serve("reverse", "--drain-grace", "10m")
      using _ = server
      using client = await Client.dial(port)
      client.socket.write("half a li")
      await server.says(/connected/)
      server.kill("SIGTERM")
      await server.says(/draining/)
      server.kill(signal)
      const { exit, stderr, stdout } = await server.ended
      assert.deepStrictEqual({ exit, stderr }, { exit: code, stderr: "" })
      assert.notInclude(stdout, "drained in")
    }
  )

  test.each([["SIGINT", 130], ["SIGTERM", 143]] as const)(
    "%s ends a client with %d, and its connection properly",
    async (signal, code) => {
      const { port, server } = await serve("echo")
      using _ = server
      using client = hawser(["connect", `tcp://127.0.0.1:${port}`])
      client.child.stdin.write("hello")
      await client.says(/^hello$/)
      client.kill(signal)
      assert.deepStrictEqual(await client.ended, { exit: code, stdout: "hello", stderr: "" })
      await server.says(/ended: the peer closed the connection \(5B in, 5B out/)
    }
  )
})

describe("pipes", () => {
  test("a server whose stdout is closed drains and exits with 0, quietly", async () => {
    const { port, server } = await serve("echo")
    using _ = server
    server.child.stdout.destroy()
    using client = await Client.dial(port)
    client.socket.end("x")
    const { exit, stderr } = await server.ended
    assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
  })

  test("connect and talk whose stdout is closed exit with 0, quietly", async () => {
    const { port, server } = await serve("echo")
    using _ = server
    for (const args of [["connect", `tcp://127.0.0.1:${port}`], ["talk", "echo", "--port", String(port)]]) {
      using client = hawser(args)
      client.child.stdin.write("a\n")
      await client.says(/a\n/)
      client.child.stdout.destroy()
      client.child.stdin.write("b\n")
      const { exit, stderr } = await client.ended
      assert.deepStrictEqual({ args, exit, stderr }, { args, exit: 0, stderr: "" })
    }
  })

  inLinux(
    "a stdout that takes no more is a local error, whoever writes to it",
    async () => {
      for (const args of [["--version"], ["tour"], ["serve", "echo", "--port", "0"]]) {
        using program = new Program("sh", ["-c", "exec \"$@\" > /dev/full", "sh", process.execPath, bin, ...args])
        assert.deepStrictEqual(await program.ended, {
          exit: 2,
          stdout: "",
          stderr: "hawser: cannot write to stdout (ENOSPC)\n"
        })
      }
    }
  )

  test("connect ends when the peer does, though stdin stays open", async () => {
    const { port, server } = await serve("greet")
    using _ = server
    using client = hawser(["connect", `tcp://127.0.0.1:${port}`])
    assert.deepStrictEqual(await client.ended, { exit: 0, stdout: "Thank you for connecting\n", stderr: "" })
  })

  test("connect is binary safe", async () => {
    const { port, server } = await serve("echo")
    using _ = server
    using client = hawser(["connect", `tcp://127.0.0.1:${port}`])
    const sent = randomBytes(3_000_000)
    const received: Array<Buffer> = []
    client.child.stdout.removeAllListeners("data").setEncoding("latin1").on("data", (text: string) => {
      received.push(Buffer.from(text, "latin1"))
    })
    client.child.stdin.end(sent)
    assert.strictEqual((await client.ended).exit, 0)
    assert.isTrue(Buffer.concat(received).equals(sent))
  })

  test("talk in a pipe answers each line before the next comes", async () => {
    const { port, server } = await serve("reverse")
    using _ = server
    using client = hawser(["talk", "reverse", "--port", String(port)])
    client.child.stdin.write("one\n")
    await client.says(/^eno\n$/)
    client.child.stdin.write("two\n")
    await client.says(/^eno\nowt\n$/)
    client.child.stdin.end("three")
    assert.deepStrictEqual(await client.ended, { exit: 0, stdout: "eno\nowt\neerht\n", stderr: "" })
  })
})

describe("colours of the process", () => {
  test("are not in a pipe, unless they are forced", async () => {
    const coloured = async (env: Readonly<Record<string, string>>) => {
      using help = hawser(["--help"], env)
      return (await help.ended).stdout.includes("\x1b[")
    }
    assert.deepStrictEqual(
      await Promise.all([coloured({}), coloured({ FORCE_COLOR: "1" }), coloured({ FORCE_COLOR: "1", NO_COLOR: "1" })]),
      [false, true, false]
    )
  })
})
