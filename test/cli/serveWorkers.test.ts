/** `hawser serve --workers`: several processes that are one server to whoever uses, watches or stops it. */
import { assert, describe, it } from "@effect/vitest"
import { once } from "node:events"
import * as Net from "node:net"
import { vi } from "vitest"
import { Client, hawser, limitMillis, serve } from "./process.ts"
import { Clients, events, isAlive, processIdsOf, supervise } from "./workers.ts"

vi.setConfig({ testTimeout: limitMillis + 5000 })

const test = it.concurrent

const inUse = (port: number) => ({
  exit: 2,
  stdout: "",
  stderr: `hawser: cannot listen on tcp://127.0.0.1:${port}: the address is already in use\n` +
    "hint: stop the program that listens there, or choose another port (0 picks a free one)\n"
})

/** A listener that knows nothing of hawser, for the time of a test. */
const listening = async (options: Net.ListenOptions) => {
  const server = Net.createServer((socket) => socket.on("error", () => {})).listen(options)
  await once(server, "listening")
  const { port } = server.address() as Net.AddressInfo // it listens on a port
  return { port, [Symbol.dispose]: () => void server.close() }
}

/**
 * Fails where a worker still listens. The program has ended for a test when its stderr is closed, which is that of its
 * workers, too.
 */
const isFree = async (port: number) => {
  using _ = await listening({ host: "127.0.0.1", port })
}

describe("serving", () => {
  test("says once where it listens, and who is whose; each worker serves", async () => {
    const supervised = await supervise(["reverse", "--json"])
    using server = supervised.server
    using clients = await Clients.everywhere(supervised)
    for (const [worker, client] of clients.of) {
      client.socket.write(`${worker}a\n`)
      await client.hears(`a${worker}\n`)
    }
    for (const { socket } of clients.all) socket.end()
    for (const { port } of clients.all) await server.says(new RegExp(`"Ended".*:${port}"`))
    server.kill("SIGTERM")
    const { exit, stdout } = await server.ended
    const all = events(stdout)
    const count = (name: string) => all.filter(({ event }) => event === name).length
    assert.strictEqual(exit, 0)
    assert.deepInclude(all[0], {
      event: "Listening",
      service: "reverse",
      endpoint: `tcp://127.0.0.1:${supervised.port}`
    })
    const { length } = clients.all
    assert.deepStrictEqual(
      ["Listening", "Accepted", "Ended", "Draining", "Drained"].map(count),
      [1, length, length, 1, 1]
    )
    for (const { event, worker } of all) {
      const ofAll = ["Listening", "Draining", "Drained"].includes(String(event))
      assert.isTrue(ofAll ? worker === undefined : worker === 1 || worker === 2)
    }
    const names = all.filter(({ event }) => event === "Accepted").map(({ id, worker }) => `${worker}.${id}`)
    assert.strictEqual(new Set(names).size, length)
    assert.deepInclude(all.at(-1), { event: "Drained", served: length, drained: 0, forced: 0, refused: 0 })
  })

  test("tells people which worker a connection belongs to", async () => {
    const { port, server } = await supervise(["reverse"])
    using _ = server
    assert.match(server.stdout, /^listening on tcp:\/\/\S+: reverse, lines of at most 64KiB, 2 workers; Ctrl-C drains/)
    using client = await Client.dial(port)
    client.socket.end("abc\n")
    await server.says(/\n#([12])\.1 connected from \S+\n#\1\.1 ended: the peer closed the connection \(4B in, /)
  })

  test("listens in several places, all of which are shared", async () => {
    const listen = ["--listen", "tcp://127.0.0.1:0", "--listen", "tcp://localhost:0"]
    using server = hawser(["serve", "echo", ...listen, "--json", "--workers", "2", "--verbose"])
    const [, one, two] = await server.says(
      /^.*"Listening".*"tcp:\/\/127\.0\.0\.1:(\d+)"}\n.*"Listening".*"tcp:\/\/\S+:(\d+)"}\n/
    )
    for (const port of [Number(one), Number(two)]) {
      using _ = await Clients.everywhere({ server, port, processIds: [] })
    }
  })

  test("a connection over a worker's share is told whose limit it was", async () => {
    const { port, server } = await supervise(["reverse", "--max-connections", "2", "--overflow", "close"])
    using _ = server
    const clients: Array<Client> = []
    try {
      while (!server.stdout.includes("turned away")) {
        clients.push(await Client.dial(port))
        await server.says(new RegExp(`(?:connected|turned away).*:${clients.at(-1)?.port}\\b`))
      }
      assert.match(
        server.stdout,
        /#([12])\.\d+ turned away \(close\), from \S+: --max-connections is 1 for worker \1\n/
      )
      assert.isAtMost(clients.length, 3)
    } finally {
      for (const client of clients) client[Symbol.dispose]()
    }
  })

  test("what a worker logs goes to stderr, and names it", async () => {
    const { port, server } = await supervise(["reverse"])
    using _ = server
    using client = await Client.dial(port)
    client.socket.end()
    await server.warns(/hawser: debug: the peer closed the connection worker=[12] connection=1 /)
  })

  test("one worker is the process itself, and does not load the supervisor", async () => {
    const spy = `import { registerHooks } from "node:module"
      registerHooks({ load: (url, context, next) => {
        if (/serveWorkers|Crew|Relay|[/]Worker[.]ts/.test(url)) process.stderr.write(url + "\\n")
        return next(url, context)
      } })`
    const options = `--import=data:text/javascript,${encodeURIComponent(spy)}`
    using server = hawser(["serve", "echo", "--port", "0", "--workers", "1"], { NODE_OPTIONS: options })
    await server.says(/listening/)
    server.kill("SIGTERM")
    const { exit, stderr } = await server.ended
    assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
  })
})

describe("an address in use", () => {
  test("is told once, whoever listens there", async () => {
    using plain = await listening({ host: "127.0.0.1", port: 0 })
    using shared = await listening({ host: "127.0.0.1", port: 0, reusePort: true })
    using everywhere = await listening({ port: 0, reusePort: true })
    for (const { port } of [plain, shared, everywhere]) {
      using second = hawser(["serve", "echo", "--workers", "2", "--port", String(port)])
      assert.deepStrictEqual(await second.ended, inUse(port))
    }
  })

  test("is told, if another server with workers listens there, which serves on", async () => {
    const { port, server } = await supervise(["reverse"])
    using _ = server
    using second = hawser(["serve", "echo", "--workers", "2", "--port", String(port)])
    assert.deepStrictEqual(await second.ended, inUse(port))
    using alone = hawser(["serve", "echo", "--port", String(port)])
    assert.deepStrictEqual(await alone.ended, inUse(port))
    using client = await Client.dial(port)
    client.socket.write("ab\n")
    await client.hears("ba\n")
  })

  test("is told where two of its own places overlap", async () => {
    const { port, server } = await serve("echo")
    server.kill("SIGTERM")
    await server.ended
    const places = ["--listen", `tcp://*:${port}`, "--listen", `tcp://127.0.0.1:${port}`]
    using second = hawser(["serve", "echo", "--workers", "2", ...places])
    assert.deepStrictEqual(await second.ended, inUse(port))
  })

  test("is free again at once after a server that closed its connections first", async () => {
    const { port, server } = await supervise(["greet"])
    using _ = server
    using client = await Client.dial(port)
    client.socket.end()
    await client.gone()
    server.kill("SIGTERM")
    assert.strictEqual((await server.ended).exit, 0)
    using again = hawser(["serve", "greet", "--workers", "2", "--port", String(port)])
    await again.says(/listening/)
  })
})

describe("a drain", () => {
  test("lets a request finish that has begun to arrive, at each worker, and reports once", async () => {
    const supervised = await supervise(["reverse", "--json"])
    using server = supervised.server
    using clients = await Clients.everywhere(supervised)
    const open = [...clients.of.values()]
    const others = clients.all.filter((client) => !open.includes(client))
    for (const client of others) client.socket.destroy()
    for (const { port } of others) await server.says(new RegExp(`"Ended".*:${port}"`))
    for (const client of open) {
      client.socket.write("ab\nc")
      await client.hears("ba\n")
    }
    server.kill("SIGTERM")
    await server.says(/"event":"Draining","open":2}/)
    for (const client of open) {
      client.socket.write("d\n")
      await client.hears("ba\ndc\nthe server ends this connection, connect again\n")
      client.socket.end()
    }
    const { exit, stdout } = await server.ended
    const all = events(stdout)
    assert.strictEqual(exit, 0)
    assert.deepInclude(all.at(-1), { event: "Drained", served: others.length, drained: 2, forced: 0, refused: 0 })
    assert.isAbove(Number(all.at(-1)?.["elapsedMillis"]), 0)
    // Who ends by the drain is told behind its beginning.
    const rest = all.slice(all.findIndex(({ event }) => event === "Draining") + 1)
    assert.deepStrictEqual(rest.map(({ event }) => event), ["Ended", "Ended", "Drained"])
    assert.isTrue(supervised.processIds.every((id) => !isAlive(id)))
  })

  test.each([["SIGINT", 130], ["SIGTERM", 143]] as const)(
    "a second signal, %s, ends everything at once with %d",
    async (signal, code) => {
      // Nothing else would end the connections.
      const endless = ["--drain-grace", "10m", "--min-rate", "unbounded", "--frame-timeout", "unbounded"]
      const supervised = await supervise(["reverse", "--json", ...endless])
      using server = supervised.server
      using clients = await Clients.everywhere(supervised)
      for (const client of clients.all) client.socket.write("half a li")
      server.kill("SIGTERM")
      await server.says(/Draining/)
      server.kill(signal)
      const { exit, stdout } = await server.ended
      assert.strictEqual(exit, code)
      assert.notInclude(stdout, "Drained\"")
      await isFree(supervised.port)
    }
  )

  test("a signal to every process of it is one signal, as a terminal and a service manager send it", async () => {
    const supervised = await supervise(["reverse", "--json"])
    using server = supervised.server
    using clients = await Clients.everywhere(supervised)
    for (const client of clients.all) client.socket.write("c")
    for (const id of supervised.processIds) process.kill(id, "SIGINT")
    for (const id of supervised.processIds) process.kill(id, "SIGHUP")
    server.kill("SIGINT")
    for (const id of supervised.processIds) process.kill(id, "SIGINT")
    await server.says(/Draining/)
    for (const id of supervised.processIds) process.kill(id, "SIGTERM")
    for (const client of clients.all) {
      client.socket.write("d\n")
      await client.hears("dc\nthe server ends this connection, connect again\n")
      client.socket.end()
    }
    assert.strictEqual((await server.ended).exit, 0)
  })

  test("a signal while it starts ends it with 0 and without a word", async () => {
    using server = hawser(["serve", "echo", "--workers", "2", "--port", "0", "--verbose"])
    const ids = await processIdsOf(server, 2)
    server.kill("SIGTERM")
    const { exit, stdout } = await server.ended
    assert.strictEqual(exit, 0)
    assert.notMatch(stdout, /^draining/)
    assert.isTrue(ids.every((id) => !isAlive(id)))
  })
})

describe("what ends by itself", () => {
  test("a worker takes the others with it, by a drain, and the exit code is 1", async () => {
    const supervised = await supervise(["reverse", "--json"])
    using server = supervised.server
    using clients = await Clients.everywhere(supervised)
    const survivor = clients.of.get(2)
    assert.isDefined(survivor)
    survivor.socket.write("ab\nc")
    await survivor.hears("ba\n")
    process.kill(supervised.processIds[0] ?? 0, "SIGKILL")
    await server.says(/Draining/)
    survivor.socket.write("d\n")
    await survivor.hears("ba\ndc\nthe server ends this connection, connect again\n")
    survivor.socket.end()
    const { exit, stderr, stdout } = await server.ended
    assert.strictEqual(exit, 1)
    assert.match(
      stderr,
      /\nhawser: worker 1 was killed by SIGKILL, and the others were drained\nhint: the system kills when memory runs out; [^\n]+\n$/
    )
    const drained = events(stdout).filter(({ event, worker }) => event === "Accepted" && worker === 2).length
    assert.deepInclude(events(stdout).at(-1), { event: "Drained", drained, forced: 0 })
    assert.isFalse(isAlive(supervised.processIds[1] ?? 0))
  })

  test("a supervisor that is killed leaves nothing behind, and what is in flight is answered", async () => {
    const supervised = await supervise(["reverse", "--json"])
    using server = supervised.server
    using clients = await Clients.everywhere(supervised)
    for (const client of clients.all) client.socket.write("c")
    server.kill("SIGKILL")
    await once(server.child, "exit")
    for (const client of clients.all) {
      client.socket.write("d\n")
      await client.hears("dc\nthe server ends this connection, connect again\n")
      client.socket.end()
    }
    assert.strictEqual((await server.ended).exit, "SIGKILL")
    await isFree(supervised.port)
  })
})
