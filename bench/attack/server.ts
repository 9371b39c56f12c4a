/**
 * The server that is attacked: hawser with the options that it is given as JSON, in a process of its own.
 *
 * It answers a message with the same, but for those that begin with a letter of `words.ts`. It obeys orders, one a line on
 * stdin, and answers each by a line of JSON; an end of stdin ends it. Nothing forces the process to exit then: what does
 * not let go keeps it alive, and is found so.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Effect from "effect/Effect"
import { Framing, NodeTransport, Protocol, Server } from "hawser"
import { closeSync, openSync, readFileSync } from "node:fs"
import { Socket } from "node:net"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { queryObjects } from "node:v8"
import { Arrival } from "../../src/internal/arrival.ts"
import { ConnectionMachine } from "../../src/internal/connectionMachine.ts"
import { Watch } from "../../src/internal/watch.ts"
import { Books } from "./books.ts"
import type { Facts, Left, Order, Setting } from "./target.ts"
import { farewells, maxFrameBytes, someDescriptors, words } from "./words.ts"

const setting: Setting = JSON.parse(process.argv[2] ?? "{}")

const frame = Framing.lengthPrefixed({ maxFrameBytes })
const protocol = Protocol.make("target", {
  request: frame,
  response: frame,
  goodbye: { overLimit: Buffer.from(farewells.full), drained: Buffer.from(farewells.drained) }
})

const block = new Uint8Array(maxFrameBytes)

const answer = (message: Uint8Array): Effect.Effect<Uint8Array, string> => {
  switch (message[0]) {
    case words.much:
      return Effect.succeed(block)
    case words.hang:
      return Effect.never
    case words.deaf:
      return Effect.uninterruptible(Effect.as(Effect.sleep(setting.deafMillis ?? 0), message))
    case words.fail:
      return Effect.fail("as asked")
    case words.die:
      return Effect.die("as asked")
    default:
      return Effect.succeed(message)
  }
}

const pem = (name: string) => readFileSync(join(import.meta.dirname, "../../test/data/tls", name), "utf8")
const tls = { certificates: [{ certificate: pem("server.pem"), key: pem("server.key.pem") }] }

const say = (fact: object) => process.stdout.write(`${JSON.stringify(fact)}\n`)

/** For events: what is thrown there would only be logged. */
const statsNow = (stats: Effect.Effect<Server.Stats> | undefined): Server.Stats | undefined =>
  stats === undefined ? undefined : Effect.runSync(stats)

const report = (fact: Effect.Effect<object>): void => void Effect.runFork(Effect.map(fact, say))

/** What the kinds of objects are found by, in the whole heap. */
const kinds = {
  sockets: Socket,
  connections: ConnectionMachine,
  watches: Watch,
  arrivals: Arrival,
  fibers: Effect.runFork(Effect.void).constructor
} as const

/** What there is now; each look for objects collects the garbage first. */
const left = (): Left => {
  const objects = Object.entries(kinds).map(([name, kind]) => [name, queryObjects(kind, { format: "count" })])
  const { arrayBuffers, external, heapUsed } = process.memoryUsage()
  return {
    timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
    heapBytes: heapUsed + external + arrayBuffers,
    ...Object.fromEntries(objects)
  }
}

/** Takes every descriptor that the process may have. */
const takeAll = (): ReadonlyArray<number> => {
  const taken: Array<number> = []
  try {
    for (;;) taken.push(openSync("/dev/null", "r"))
  } catch {
    return taken
  }
}

const program = Effect.gen(function*() {
  const books = new Books()
  const running: { stats?: Effect.Effect<Server.Stats> } = {}
  const endpoints = setting.tls === true ? ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"] as const : "tcp://127.0.0.1:0"
  const server = yield* Server.make(protocol, endpoints, answer, {
    ...setting.options,
    ...setting.tls === true ? { tls } : {},
    onEvent: (event) => books.note(event, statsNow(running.stats))
  })
  running.stats = server.stats
  let taken: ReadonlyArray<number> = []
  const free = (count: number) => {
    // The highest first: the server sees by the number of a descriptor that it is one of the reserve.
    for (const descriptor of taken.slice(-count)) closeSync(descriptor)
    taken = taken.slice(0, -count)
    return { taken: taken.length }
  }

  const obey = (order: Order): Effect.Effect<object> => {
    switch (order) {
      case "facts":
        return Effect.map(server.stats, (stats): Facts => {
          books.compare("asked", stats)
          const { alarms, broken, endedBy, refusedBy } = books
          return { stats, alarms, broken, told: { endedBy, refusedBy } }
        })
      case "left":
        return Effect.sync(left)
      case "drain":
        return server.drain
      case "take descriptors":
        taken = takeAll()
        return Effect.succeed({ taken: taken.length })
      case "free some":
        return Effect.sync(() => free(someDescriptors))
      case "free descriptors":
        return Effect.sync(() => free(taken.length))
    }
  }

  say({ ports: server.endpoints.map((endpoint) => "port" in endpoint ? endpoint.port : 0) })
  yield* Effect.callback<void>((resume) => {
    const orders = createInterface({ input: process.stdin })
    orders.on("line", (line) => {
      report(obey(line as Order)) // its parent sends no other line
    })
    orders.on("close", () => resume(Effect.void))
  })
}).pipe(Effect.scoped, Effect.provide(NodeTransport.layer))

NodeRuntime.runMain(program)
