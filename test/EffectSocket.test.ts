/** What programs that know only Effect's `SocketServer` see of hawser's servers. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Socket, SocketServer } from "effect/socket"
import { EffectSocket, Transport } from "../src/index.ts"
import { running, said, serve, text, toEnd } from "./support/effectSockets.ts"
import { assertNothingLeft, dial, inWorld, type Logged, memory, pass, passing, settle } from "./support/network.ts"

const errors = (logs: ReadonlyArray<Logged>) => logs.filter(({ level }) => level === "Error" || level === "Warn")

describe("a handler of the SocketServer", () => {
  it.effect("hears what the peer sends, and says strings and bytes in order", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* running((socket) =>
          Effect.gen(function*() {
            const { pull } = yield* socket.reader
            const writer = yield* socket.writer
            while (true) {
              const heard = text(yield* pull)
              yield* writer.write(`<${heard}`)
              yield* writer.writeAll([new TextEncoder().encode(heard.toUpperCase()), ">"])
            }
          })
        )
        const client = yield* dial
        client.send("ahoy")
        yield* settle
        client.send("héllo")
        yield* settle
        assert.strictEqual(client.heard, "<ahoyAHOY><hélloHÉLLO>")
      })
    ))

  it.effect("answers a peer that has ended its side", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        const { told } = yield* running((socket) =>
          Effect.gen(function*() {
            const { all, end } = yield* toEnd(yield* socket.reader)
            const writer = yield* socket.writer
            yield* writer.write(`${all}, then ${end}`)
          })
        )
        const client = yield* dial
        client.send("ho")
        client.raw.end()
        yield* settle
        assert.deepStrictEqual([client.heard, client.ended], ["ho, then SocketCloseError: 1000", true])
        assert.deepStrictEqual(told.ends, ["the peer closed the connection"])
        assert.deepStrictEqual(errors(logs), [])
      })
    ))

  it.effect("need not acquire the reader, nor the writer", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { fibers } = network
        const { drain, running: run, told } = yield* running((socket) =>
          Effect.flatMap(Effect.scoped(socket.writer), ({ write }) => Effect.ignore(write("never said")))
        )
        const client = yield* dial
        client.send("unheard")
        yield* settle
        assert.isTrue(client.ended)
        client.leave()
        yield* settle
        assert.deepStrictEqual(told.ends, ["closed by this side"])
        yield* drain
        yield* Fiber.interrupt(run)
        assertNothingLeft(network, fibers)
      })
    ))

  it.effect("writes before it acquires the reader", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* running((socket) =>
          Effect.gen(function*() {
            yield* (yield* socket.writer).write("220 ready")
            yield* (yield* socket.reader).pull
          })
        )
        const client = yield* dial
        yield* settle
        assert.strictEqual(client.heard, "220 ready")
      })
    ))

  it.effect("cannot upgrade, and may go on", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const heard = yield* Deferred.make<string>()
        yield* running((socket) =>
          Effect.gen(function*() {
            const { pull, upgrade } = yield* socket.reader
            const first = text(yield* pull)
            const upgraded = said(yield* Effect.exit(upgrade()))
            yield* Deferred.succeed(heard, `${first}, ${upgraded}, ${text(yield* pull)}`)
          })
        )
        const client = yield* dial
        client.send("STARTTLS")
        yield* settle
        client.send("on")
        assert.strictEqual(
          yield* Deferred.await(heard),
          "STARTTLS, SocketUpgradeError: Socket does not support TLS upgrade, on"
        )
      })
    ))

  it.effect("has one reader: closing its scope fails a pull that waits, and closes the connection", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const seen = yield* Deferred.make<ReadonlyArray<string>>()
        const { told } = yield* running((socket) =>
          Effect.gen(function*() {
            const scope = yield* Scope.make()
            const writer = yield* socket.writer
            const { pull } = yield* Scope.provide(socket.reader, scope)
            const pulling = yield* Effect.forkChild(Effect.exit(pull), { startImmediately: true })
            yield* writer.write("bye")
            yield* Scope.close(scope, Exit.void)
            const again = yield* Effect.exit(Effect.scoped(socket.reader))
            const written = yield* Effect.exit(writer.write("late"))
            yield* Deferred.succeed(seen, [said(yield* Fiber.join(pulling)), said(again), said(written)])
          })
        )
        const client = yield* dial
        yield* settle
        assert.deepStrictEqual(yield* Deferred.await(seen), [
          "SocketCloseError: 1006: closed by this side",
          "SocketCloseError: 1006: closed by this side",
          "SocketWriteError: An error occurred during Write (closed by this side)"
        ])
        assert.deepStrictEqual([client.heard, client.ended], ["bye", true])
        client.leave()
        yield* settle
        assert.deepStrictEqual(told.ends, ["closed by this side"])
      })
    ))

  it.effect.each(
    [
      [1000, "closed by this side"],
      [1009, "protocol violation: 1009: too long"],
      [4000, "closed by this side"]
    ] as const
  )("closes with code %i behind what it wrote", ([code, ended]) =>
    inWorld(() =>
      Effect.gen(function*() {
        const seen = yield* Deferred.make<string>()
        const { told } = yield* running((socket) =>
          Effect.gen(function*() {
            const { pull } = yield* socket.reader
            const writer = yield* socket.writer
            yield* writer.write("x".repeat(200_000))
            yield* writer.write(new Socket.CloseEvent(code, "too long"))
            yield* Deferred.succeed(seen, said(yield* Effect.exit(pull)))
          })
        )
        const client = yield* dial
        assert.strictEqual(yield* Deferred.await(seen), `SocketCloseError: ${code}: too long`)
        yield* settle
        assert.deepStrictEqual([client.heardBytes, client.ended], [200_000, true])
        client.leave()
        yield* settle
        assert.deepStrictEqual(told.ends, [ended])
      })
    ))

  it.effect("waits while its peer does not read, and may be interrupted in it", () =>
    inWorld(() =>
      Effect.gen(function*() {
        let written = 0
        const { drain, told } = yield* running((socket) =>
          Effect.gen(function*() {
            const writer = yield* socket.writer
            while (true) {
              yield* writer.write("x".repeat(10_000))
              written += 10_000
            }
          }), { drain: { grace: 300, force: 200 } })
        const client = yield* dial
        client.raw.pause()
        yield* settle
        assert.isAtMost(written, 262_144)
        const { elapsed, forced } = yield* passing(drain)
        assert.strictEqual(forced, 1)
        assert.isAtMost(Duration.toMillis(elapsed), 500)
        assert.deepStrictEqual(told.ends, ["the drain ran out of time"])
      })
    ))

  it.effect.each(["its own scope", "the connection's scope"])(
    "that is cut by a drain is counted: %s",
    (kind) =>
      inWorld(() =>
        Effect.gen(function*() {
          const { drain, told } = yield* running((socket) => {
            const handler = Effect.andThen(socket.reader, Effect.never)
            return kind === "its own scope" ? Effect.scoped(handler) : handler
          }, { drain: { grace: 300 } })
          const client = yield* dial
          client.onEnd = () => client.leave()
          yield* settle
          assert.strictEqual((yield* passing(drain)).forced, 1)
          assert.deepStrictEqual(told.ends, ["the drain ran out of time"])
        })
      )
  )

  it.effect("that passes on the end of its own connection does not fail, and the server knows the reason", () =>
    inWorld(({ logs, network }) =>
      Effect.gen(function*() {
        const pull = (socket: Socket.Socket) => Effect.flatMap(socket.reader, (reader) => Effect.forever(reader.pull))
        let calls = 0
        const { told } = yield* running((socket) => ++calls === 2 ? Effect.orDie(pull(socket)) : pull(socket))
        for (let i = 0; i < 3; i++) {
          const client = yield* dial
          yield* settle
          if (i === 2) client.leave()
          else client.raw.reset()
          yield* settle
        }
        assert.deepStrictEqual(told.ends, [
          "the peer broke the connection (ECONNRESET)",
          "the peer broke the connection (ECONNRESET)",
          "the peer closed the connection"
        ])
        assert.deepStrictEqual(errors(logs), [])
        assert.strictEqual(network.open.size, 0)
      })
    ))

  it.effect.each(["its own scope", "the connection's scope"])(
    "that fails of anything else is logged once: %s",
    (kind) =>
      inWorld(({ logs }) =>
        Effect.gen(function*() {
          const other = new Socket.SocketError({ reason: new Socket.SocketCloseError({ code: 1000 }) })
          let calls = 0
          const { told } = yield* running((socket) => {
            const handler = Effect.andThen(
              Effect.flatMap(socket.reader, ({ pull }) => pull),
              Effect.suspend(() => ++calls === 1 ? Effect.fail(other) : Effect.die("broken"))
            )
            return kind === "its own scope" ? Effect.scoped(handler) : handler
          })
          const [one, two, three] = [yield* dial, yield* dial, yield* dial]
          one.send("x")
          yield* settle
          two.send("x")
          yield* settle
          one.leave()
          two.leave()
          yield* settle
          assert.deepStrictEqual(told.ends, ["the handler failed: 1000", "the handler failed: broken"])
          assert.deepStrictEqual(errors(logs).map(({ message }) => message), told.ends)
          assert.isFalse(three.ended)
        })
      )
  )

  it.effect("that fails when its peer has gone is logged, too", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        const { told } = yield* running((socket) =>
          Effect.andThen(Effect.scoped(Effect.flatMap(socket.reader, toEnd)), Effect.fail("no way to go on"))
        )
        const client = yield* dial
        yield* settle
        client.raw.reset()
        yield* settle
        assert.deepStrictEqual(told.ends, ["the peer broke the connection (ECONNRESET)"])
        assert.deepStrictEqual(errors(logs).map(({ message }) => message), ["the handler failed: no way to go on"])
      })
    ))

  it.effect("keeps its place until it is done, also when it has closed its connection", () =>
    inWorld(() =>
      Effect.gen(function*() {
        let done = false
        const { drain, stats, told } = yield* running((socket) =>
          Effect.scoped(socket.reader).pipe(
            Effect.andThen(Effect.sleep(500)),
            Effect.andThen(Effect.sync(() => void (done = true)))
          ), { drain: { grace: 1_000 } })
        const client = yield* dial
        client.onEnd = () => client.leave()
        yield* settle
        assert.isDefined(client.closed)
        assert.deepStrictEqual([(yield* stats).open, told.ends], [1, []])
        const { elapsed } = yield* passing(drain)
        assert.isTrue(done)
        assert.strictEqual(Duration.toMillis(elapsed), 500)
        assert.deepStrictEqual(told.ends, ["closed by this side"])
      })
    ))

  it.effect("has a scope that closes when it is done", () =>
    inWorld(() =>
      Effect.gen(function*() {
        let closed = 0
        yield* running(() => Effect.addFinalizer(() => Effect.sync(() => void closed++)))
        yield* dial
        yield* dial
        yield* settle
        assert.strictEqual(closed, 2)
      })
    ))

  it.effect("knows its connection", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const seen = yield* Deferred.make<unknown>()
        yield* running(() =>
          Effect.flatMap(
            EffectSocket.CurrentConnection,
            (info) => Deferred.succeed(seen, [info?.id, String(info?.local), String(info?.peer)])
          )
        )
        yield* dial
        assert.deepStrictEqual(yield* Deferred.await(seen), [2, "memory:server", "memory:client"])
        assert.isUndefined(yield* EffectSocket.CurrentConnection)
      })
    ))
})

describe("run", () => {
  const greet = (socket: Socket.Socket) => Effect.flatMap(socket.writer, ({ write }) => write("hi"))

  it.effect("takes who came before it, within the limits", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const goodbye = { overLimit: new TextEncoder().encode("full") }
        const { run, stats } = yield* serve({ maxConnections: 2, goodbye })
        const clients = [yield* dial, yield* dial, yield* dial]
        yield* settle
        assert.deepStrictEqual(clients.map(({ heard }) => heard), ["", "", "full"])
        yield* Effect.forkChild(run(greet))
        yield* settle
        assert.deepStrictEqual(clients.map(({ heard }) => heard), ["hi", "hi", "full"])
        const { accepted, refused } = yield* stats
        assert.deepStrictEqual([accepted, refused, network.arrived], [2, 1, 3])
      })
    ))

  it.effect("runs once", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const why = (exit: Exit.Exit<never, SocketServer.SocketServerError>) =>
          Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "runs"
        const { run, running: first } = yield* running(greet)
        const second = yield* Effect.flip(run(greet))
        assert.strictEqual(String(second.reason.cause), "Error: the server is run already")
        yield* passing(Fiber.interrupt(first))
        const third = yield* Effect.flip(run(greet))
        assert.strictEqual(String(third.reason.cause), "Error: the server has drained")
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(first)))
        assert.isString(why(Exit.fail(third)))
      })
    ))

  it.effect("drains when it is interrupted: no new peers, the input ends, what is in flight finishes", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const { endpoint, running: run, stats, told } = yield* running((socket) =>
          Effect.gen(function*() {
            const { end } = yield* toEnd(yield* socket.reader)
            seen.push(end)
            yield* Effect.sleep(500)
            yield* (yield* socket.writer).write("done")
          }), { drain: { grace: 1_000 } })
        const client = yield* dial
        yield* settle
        const stopping = yield* Effect.forkChild(Fiber.interrupt(run))
        yield* settle
        assert.deepStrictEqual(seen, ["SocketCloseError: 1001: the server drained"])
        const refused = yield* Effect.flip(Transport.Transport.use((transport) => transport.connect(endpoint)))
        assert.strictEqual(refused.reason, "Refused")
        assert.strictEqual(stopping.pollUnsafe(), undefined)
        yield* pass(500)
        assert.deepStrictEqual([client.heard, client.ended], ["done", true])
        client.leave()
        yield* settle
        yield* Fiber.join(stopping)
        assert.deepStrictEqual(told.ends, ["the server drained"])
        assert.deepStrictEqual([(yield* stats).open, network.open.size], [0, 0])
      })
    ))

  it.effect("ends who waits for it when the server drains before", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { fibers } = network
        const { drain, told } = yield* serve()
        const client = yield* dial
        yield* settle
        const draining = yield* Effect.forkChild(drain)
        yield* settle
        assert.isTrue(client.ended)
        client.leave()
        yield* settle
        assert.strictEqual((yield* Fiber.join(draining)).forced, 0)
        assert.deepStrictEqual(told.ends, ["the server drained"])
        assertNothingLeft(network, fibers)
      })
    ))
})

it.effect("drainFirst lets handlers finish before what they need is closed", () =>
  inWorld(() =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const Database = Layer.effectDiscard(
        Effect.acquireRelease(Effect.void, () => Effect.sync(() => void events.push("database closed")))
      )
      const App = Layer.effectDiscard(
        SocketServer.SocketServer.use((server) =>
          Effect.forkScoped(server.run((socket) =>
            Effect.gen(function*() {
              yield* toEnd(yield* socket.reader)
              yield* Effect.sleep(100)
              events.push("handler done")
            })
          ))
        )
      ).pipe(Layer.provideMerge(Database), Layer.provideMerge(EffectSocket.layerSocketServer(memory)))
      const scope = yield* Scope.make()
      yield* Scope.provide(Layer.build(EffectSocket.drainFirst(App)), scope)
      const client = yield* dial
      client.onEnd = () => client.leave()
      yield* settle
      yield* passing(Scope.close(scope, Exit.void))
      assert.deepStrictEqual(events, ["handler done", "database closed"])
    })
  ))
