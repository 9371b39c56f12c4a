/** What becomes of Node's sockets, whatever happens to those who hold them. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Exit, Fiber, Schema, Scope } from "effect"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Codec, Connection, Endpoint, NodeTransport, Transport } from "../src/index.ts"
import { NodeSocket } from "../src/internal/nodeSocket.ts"
import { Roster } from "../src/internal/roster.ts"
import { countingFibers, resources, timers, until, watching } from "./support/nodeSockets.ts"

class Ear implements Transport.RawHandler {
  readonly heard: Array<string> = []
  bytes = 0

  onData(chunk: Uint8Array): void {
    this.bytes += chunk.length
  }
  onEnd(): void {
    this.heard.push("end")
  }
  onDrain(): void {
    this.heard.push("drain")
  }
  onClose(code: string | undefined): void {
    this.heard.push(code === undefined ? "close" : `close ${code}`)
  }
}

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const endpoints = [
  "tcp://127.0.0.1:0",
  `unix:${join(tmpdir(), `hawser-${process.pid}.sock`)}`
]

/** A listener, a raw client, and what was accepted. */
const pair = Effect.fnUntraced(function*(endpoint: string) {
  const transport = yield* Transport.Transport
  const accepted: Array<Transport.RawSocket> = []
  const scope = yield* Scope.fork(yield* Effect.scope)
  const listener = yield* Scope.provide(
    transport.listen(Endpoint.fromStringUnsafe(endpoint), { backlog: 16, onAccept: (raw) => accepted.push(raw) }),
    scope
  )
  const client = yield* transport.connect(listener.endpoint)
  yield* until("the accept", () => accepted.length > 0)
  return { accepted, client, listener, scope, server: accepted[0]!, transport }
})

const node = it.layer(NodeTransport.layer, { excludeTestServices: true })

for (const endpoint of endpoints) {
  const kind = endpoint.slice(0, endpoint.indexOf(":"))

  node(`${kind}: a listener's scope`, (it) => {
    it.effect("destroys what was accepted: attached, in use, and never attached", () =>
      watching((sockets) =>
        Effect.gen(function*() {
          const { client, accepted, scope, server, transport, listener } = yield* pair(endpoint)
          const used = yield* Connection.fromRawSocket(server, Codec.bytes)
          const pull = yield* Effect.forkChild(Effect.exit(used.pull), { startImmediately: true })
          const others = [yield* transport.connect(listener.endpoint), yield* transport.connect(listener.endpoint)]
          yield* until("the accepts", () => accepted.length === 3)
          const ear = new Ear()
          accepted[1]!.attach(ear)
          const clients = [client, ...others].map((raw) => {
            const heard = new Ear()
            raw.attach(heard)
            raw.resume()
            return heard
          })
          yield* Scope.close(scope, Exit.void)
          const exit = yield* Fiber.join(pull)
          assert.isTrue(Exit.isFailure(exit))
          yield* until("the ends", () => clients.every(({ heard }) => heard[0] === "end"))
          assert.deepStrictEqual(ear.heard, ["close"])
          for (const raw of [client, ...others]) raw.end()
          yield* until("the closes", () => sockets.open === 0)
          assert.deepStrictEqual([sockets.made, sockets.closedAgain], [6, 0])
        })
      ))

    it.effect("closes the listener once", () =>
      Effect.gen(function*() {
        const before = resources()
        const { listener, scope, client } = yield* pair(endpoint)
        yield* listener.close
        yield* listener.close
        yield* Scope.close(scope, Exit.void)
        client.destroy()
        yield* until("the end of the listener", () => resources() <= before)
      }))
  })

  node(`${kind}: a raw socket`, (it) => {
    it.effect("is forgotten by its listener when it closes", () =>
      Effect.gen(function*() {
        const { listener } = yield* pair(endpoint)
        const owners = new Roster<NodeSocket>()
        const socket = Net.connect(
          listener.endpoint._tag === "Unix"
            ? { path: listener.endpoint.path }
            : { port: listener.endpoint._tag === "Tcp" ? listener.endpoint.port : 0 }
        )
        const raw = new NodeSocket(1, socket, listener.endpoint, { owners })
        assert.deepStrictEqual(Array.from(owners), [raw])
        raw.destroy()
        yield* until("it is forgotten", () => owners.size === 0)
      }))

    it.effect("gives what was put back before it was ever resumed when it is", () =>
      Effect.gen(function*() {
        const { client, server } = yield* pair(endpoint)
        const ear = new Ear()
        server.attach(ear)
        server.unshift(new Uint8Array(2))
        client.write([new Uint8Array(3)])
        for (let i = 0; i < 20; i++) yield* turn
        assert.strictEqual(ear.bytes, 0)
        server.resume()
        yield* until("both", () => ear.bytes === 5)
      }))

    it.effect("flows after a pause that came first", () =>
      Effect.gen(function*() {
        const { client, server } = yield* pair(endpoint)
        const ear = new Ear()
        server.attach(ear)
        server.pause()
        server.resume()
        client.write([new Uint8Array(3)])
        yield* until("the data", () => ear.bytes === 3)
      }))

    it.effect("can be reset in every state, and closes once", () =>
      watching((sockets) =>
        Effect.gen(function*() {
          const before: ReadonlyArray<(raw: Transport.RawSocket) => void> = [
            () => {},
            (raw) => raw.end(),
            (raw) => raw.write([new Uint8Array(16 << 20)]),
            (raw) => {
              raw.write([new Uint8Array(16 << 20)])
              raw.end()
            },
            (raw) => raw.destroy(),
            (raw) => raw.reset()
          ]
          for (const act of before) {
            for (const turns of [0, 1, 2, 10]) {
              const { client, server, scope } = yield* pair(endpoint)
              const ear = new Ear()
              client.attach(ear)
              act(client)
              for (let i = 0; i < turns; i++) yield* tick
              client.reset()
              yield* until("the close", () => ear.heard.length > 0)
              server.destroy()
              yield* Scope.close(scope, Exit.void)
              assert.deepStrictEqual(ear.heard, ["close"])
            }
          }
          yield* until("the closes", () => sockets.open === 0)
          assert.strictEqual(sockets.closedAgain, 0)
        })
      ))
  })

  describe(`${kind}: a connection's socket closes once, after`, () => {
    const ends: Record<string, (connection: Connection.Connection<Uint8Array>) => Effect.Effect<unknown, unknown>> = {
      "success": () => Effect.void,
      "failure": () => Effect.fail("as planned"),
      "a defect": () => Effect.die("as planned"),
      "interruption": () => Effect.interrupt,
      "a finish": (connection) => connection.finish,
      "a write": (connection) => connection.write([new Uint8Array(1 << 20)]),
      "the peer's end": (connection) =>
        Effect.andThen(connection.write([new TextEncoder().encode("end")]), Effect.exit(connection.pull)),
      "the peer's reset": (connection) =>
        Effect.andThen(connection.write([new TextEncoder().encode("reset")]), Effect.exit(connection.pull))
    }
    for (const [name, use] of Object.entries(ends)) {
      it.live(name, () =>
        watching((sockets) =>
          Effect.scoped(Effect.gen(function*() {
            const listener = yield* obeying(endpoint)
            yield* Effect.exit(
              Effect.forkChild(Effect.scoped(Effect.flatMap(Connection.connect(listener.endpoint, Codec.bytes), use)))
                .pipe(Effect.flatMap(Fiber.await))
            )
            yield* until("the closes", () => sockets.open === 0)
            assert.deepStrictEqual([sockets.made, sockets.closedAgain], [2, 0])
          })).pipe(Effect.provide(NodeTransport.layer))
        ))
    }
  })

  it.live.prop(
    `${kind}: a fiber interrupted anywhere leaves no socket, no fiber and no timer`,
    {
      turns: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 })),
      steps: Arbitrary.array(Arbitrary.schema(Schema.Literals(["write", "flood", "pull", "finish"])), { maxLength: 6 })
    },
    ({ steps, turns }) =>
      countingFibers((running) =>
        watching((sockets) =>
          Effect.gen(function*() {
            const before = { resources: resources(), timers: timers() }
            const listening = yield* Scope.make()
            const listener = yield* Scope.provide(obeying(endpoint), listening)
            const fibers = running()
            const fiber = yield* Effect.forkDetach(Effect.scoped(Effect.gen(function*() {
              const connection = yield* Connection.connect(listener.endpoint, Codec.bytes)
              for (const step of steps) {
                if (step === "pull") yield* connection.pull
                else if (step === "finish") yield* connection.finish
                else yield* connection.write([new Uint8Array(step === "write" ? 10 : 8 << 20)])
              }
            })))
            for (let i = 0; i < turns && fiber.pollUnsafe() === undefined; i++) yield* tick
            fiber.interruptUnsafe()
            yield* until("the end of the fiber", () => fiber.pollUnsafe() !== undefined)
            yield* until("the close of every socket", () => sockets.open === 0)
            assert.deepStrictEqual([running(), sockets.closedAgain], [fibers, 0])
            yield* Scope.close(listening, Exit.void)
            yield* until("the end of the listener", () => resources() <= before.resources)
            assert.isAtMost(timers(), before.timers)
          })
        )
      ).pipe(Effect.provide(NodeTransport.layer)),
    { arbitrary: { runs: 100 }, timeout: 20_000 }
  )
}

const tick = Effect.callback<void>((resume) => {
  setImmediate(() => resume(Effect.void))
})

/** A peer that sends back what it gets, and ends or resets when it is told to; no Effect in it. */
const obeying = Effect.fnUntraced(function*(endpoint: string) {
  const transport = yield* Transport.Transport
  return yield* transport.listen(Endpoint.fromStringUnsafe(endpoint), {
    backlog: 16,
    onAccept: (raw) => {
      raw.attach({
        onData: (chunk) => {
          const told = chunk.length < 10 ? new TextDecoder().decode(chunk) : ""
          if (told === "reset") raw.reset()
          else if (told === "end") raw.end()
          else raw.write([chunk])
        },
        onEnd: () => raw.end(),
        onDrain() {},
        onClose() {}
      })
      raw.resume()
    }
  })
})

node("a raw socket whose peer has ended, and gone", (it) => {
  it.effect("says that its last write has failed", () =>
    Effect.gen(function*() {
      const { client, server } = yield* pair(`unix:${join(tmpdir(), `hawser-gone-${process.pid}.sock`)}`)
      const ear = new Ear()
      server.attach(ear)
      server.resume()
      client.end()
      yield* until("the end", () => ear.heard.length === 1)
      client.destroy()
      for (let i = 0; i < 20; i++) yield* turn
      server.write([new Uint8Array(3)])
      server.end()
      yield* until("the close", () => ear.heard.length === 2)
      assert.deepStrictEqual(ear.heard, ["end", "close EPIPE"])
    }))
})
