/** Effect's `Socket` made of hawser's connections, and hawser's connections made of it; how both say what went wrong. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { Socket, SocketServer } from "effect/socket"
import {
  Client,
  CloseReason,
  Connection,
  EffectSocket,
  Endpoint,
  Framing,
  MemoryTransport,
  Server,
  Transport
} from "../src/index.ts"
import { running, said, text, toEnd } from "./support/effectSockets.ts"
import { dial, inWorld, line, memory, passing, settle, Text } from "./support/network.ts"

const chunks = Framing.chunks({ maxFrameBytes: 65_536 })

describe("a socket that dials", () => {
  /** Listens, and keeps what comes. */
  const listening = Effect.gen(function*() {
    const accepted: Array<Transport.RawSocket> = []
    yield* Transport.Transport.use((transport) =>
      transport.listen(Endpoint.memoryUnsafe("server"), {
        backlog: 1,
        onAccept: (raw) => void accepted.push(raw)
      })
    )
    return accepted
  })
  /** What has arrived at an accepted socket. */
  const heardBy = (raw: Transport.RawSocket | undefined) => {
    const heard = { text: "", ended: false }
    raw?.attach({
      onData: (chunk) => void (heard.text += new TextDecoder().decode(chunk)),
      onEnd: () => void (heard.ended = true),
      onDrain() {},
      onClose() {}
    })
    raw?.resume()
    return heard
  }

  it.effect("dials once for each acquisition of its reader", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const accepted = yield* listening
        const socket = yield* EffectSocket.makeSocket(memory)
        assert.strictEqual(accepted.length, 0)
        for (let i = 1; i <= 3; i++) {
          const scope = yield* Scope.make()
          yield* Scope.provide(socket.reader, scope)
          yield* settle
          assert.strictEqual(accepted.length, i)
          const heard = heardBy(accepted[i - 1])
          const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void))
          yield* settle
          assert.isTrue(heard.ended)
          accepted[i - 1]?.end()
          yield* Fiber.join(closing)
        }
      })
    ))

  it.effect("keeps a write for the next connection, behind the handshake", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const accepted = yield* listening
        const socket = yield* EffectSocket.makeSocket(memory)
        const writer = yield* socket.writer
        const early = yield* Effect.forkChild(writer.write("message"), { startImmediately: true })
        const dropped = yield* Effect.forkChild(writer.write("dropped"), { startImmediately: true })
        yield* settle
        assert.strictEqual(early.pollUnsafe(), undefined)
        yield* Fiber.interrupt(dropped)
        const { pull } = yield* socket.reader
        yield* writer.write("handshake,")
        yield* Effect.forkChild(Effect.exit(pull))
        yield* settle
        yield* Fiber.join(early)
        const heard = heardBy(accepted[0])
        yield* settle
        assert.strictEqual(heard.text, "handshake,message")
      })
    ))

  it.effect("writes to the newest connection that is open", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const accepted = yield* listening
        const socket = yield* EffectSocket.makeSocket(memory, { linger: 0 })
        const writer = yield* socket.writer
        const [first, second] = [yield* Scope.make(), yield* Scope.make()]
        yield* Scope.provide(socket.reader, first)
        yield* Scope.provide(socket.reader, second)
        yield* settle
        const heard = accepted.map(heardBy)
        yield* writer.write("to the second")
        yield* settle
        yield* passing(Scope.close(second, Exit.void))
        yield* writer.write("to the first")
        yield* settle
        yield* passing(Scope.close(first, Exit.void))
        const waiting = yield* Effect.forkChild(writer.write("to nobody"), { startImmediately: true })
        yield* settle
        assert.strictEqual(waiting.pollUnsafe(), undefined)
        assert.deepStrictEqual(heard.map(({ text }) => text), ["to the first", "to the second"])
        yield* Fiber.interrupt(waiting)
      })
    ))

  it.effect("fails a write on a connection that has broken, each time", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const accepted = yield* listening
        const socket = yield* EffectSocket.makeSocket(memory)
        const writer = yield* socket.writer
        const { pull } = yield* socket.reader
        yield* settle
        accepted[0]?.reset()
        yield* settle
        const broken = "SocketWriteError: An error occurred during Write (the peer broke the connection (ECONNRESET))"
        for (let i = 0; i < 3; i++) assert.strictEqual(said(yield* Effect.exit(writer.write("x"))), broken)
        assert.strictEqual(
          said(yield* Effect.exit(pull)),
          "SocketReadError: An error occurred during Read (the peer broke the connection (ECONNRESET))"
        )
      })
    ))

  it.effect("ends its side with the scope of its writer, and hears the answer", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* running((socket) =>
          Effect.gen(function*() {
            const { all } = yield* toEnd(yield* socket.reader)
            yield* (yield* socket.writer).write(`got ${all}`)
          })
        )
        const socket = yield* EffectSocket.makeSocket(memory)
        const reader = yield* socket.reader
        yield* Effect.scoped(Effect.flatMap(socket.writer, ({ write }) => write("all")))
        assert.deepStrictEqual(yield* toEnd(reader), { all: "got all", end: "SocketCloseError: 1000" })
      })
    ))

  it.effect("says why it could not open", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const socket = yield* EffectSocket.makeSocket("memory:nobody")
        assert.strictEqual(
          said(yield* Effect.exit(Effect.scoped(socket.reader))),
          "SocketOpenError: An error occurred during Open (cannot connect to memory:nobody: nobody listens there)"
        )
        const silent = yield* EffectSocket.makeSocket("memory:silent", { connectTimeout: "3 seconds" }).pipe(
          Effect.provideService(Transport.Transport, {
            connect: () => Effect.never,
            listen: () => Effect.never
          })
        )
        assert.strictEqual(
          said(yield* passing(Effect.exit(Effect.scoped(silent.reader)))),
          "SocketOpenError: timeout waiting for \"open\" (cannot connect to memory:silent: no answer in time)"
        )
        const refused = yield* Effect.flip(EffectSocket.makeSocket("tcp//nonsense"))
        assert.strictEqual(refused._tag, "EndpointError")
      })
    ))

  it.effect("reconnects with a retry around its loop, as Effect's sockets do", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const accepted = yield* listening
        const socket = yield* EffectSocket.makeSocket(memory)
        const heard: Array<string> = []
        yield* Effect.forkChild(
          Effect.flatMap(socket.reader, ({ pull }) =>
            Effect.forever(Effect.tap(pull, (batch) => Effect.sync(() => void heard.push(text(batch)))))).pipe(
              Effect.scoped,
              Effect.retry({ times: 2 })
            )
        )
        for (let i = 0; i < 3; i++) {
          yield* settle
          accepted[i]?.write([new TextEncoder().encode(`${i}`)])
          yield* settle
          accepted[i]?.reset()
        }
        yield* settle
        assert.deepStrictEqual(heard, ["0", "1", "2"])
        assert.strictEqual(accepted.length, 3)
      })
    ))
})

describe("toSocket", () => {
  it.effect("serves a connection that only looks like one of hawser's", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const hearing = yield* Deferred.make<string>()
        yield* running((socket) =>
          Effect.flatMap(socket.reader, toEnd).pipe(
            Effect.flatMap(({ end }) => Deferred.succeed(hearing, end)),
            Effect.andThen(Effect.never)
          )
        )
        const connection = yield* Connection.connect(memory, chunks)
        const socket = EffectSocket.toSocket({
          id: connection.id,
          local: connection.local,
          peer: connection.peer,
          pull: connection.pull,
          write: connection.write,
          finish: connection.finish,
          awaitDrain: connection.awaitDrain,
          bytesIn: 0,
          bytesOut: 0,
          messagesIn: 0,
          messagesOut: 0
        })
        const scope = yield* Scope.make()
        const { pull } = yield* Scope.provide(socket.reader, scope)
        const pulling = yield* Effect.forkChild(Effect.exit(pull), { startImmediately: true })
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(said(yield* Fiber.join(pulling)), "SocketCloseError: 1006: closed by this side")
        assert.strictEqual(yield* Deferred.await(hearing), "SocketCloseError: 1000")
      })
    ))
})

describe("fromSocket", () => {
  /** A socket whose pulls are given, and which keeps what is written. */
  const scripted = (pulls: ReadonlyArray<ReadonlyArray<string> | number>) => {
    const written: Array<string> = []
    let at = 0
    const closed = (code: number) => new Socket.SocketError({ reason: new Socket.SocketCloseError({ code }) })
    const socket = Socket.make({
      reader: Effect.succeed({
        pull: Effect.suspend(() => {
          const next = pulls[Math.min(at++, pulls.length - 1)] ?? 1000
          return typeof next === "number" ? Effect.fail(closed(next)) : Effect.succeed(next as [string])
        }),
        upgrade: Socket.SocketUpgradeError.unsupported
      }),
      writer: Effect.succeed({
        write: (chunk) => Effect.sync(() => void (Socket.isCloseEvent(chunk) || written.push(text([chunk])))),
        writeAll: (batch) => Effect.sync(() => void written.push(text(batch)))
      })
    })
    return { socket, written }
  }

  it.effect.each(
    [
      [1000, "the peer closed the connection"],
      [1001, "the peer closed the connection"],
      [1005, "the peer closed the connection"],
      [1006, "the peer broke the connection (close code 1006)"],
      [1009, "the peer broke the connection (close code 1009)"]
    ] as const
  )("reads text frames as messages, and ends with code %i as it says", ([code, reason]) =>
    Effect.gen(function*() {
      const { socket, written } = scripted([["on", "e\ntw"], ["o\n"], code])
      const connection = yield* EffectSocket.fromSocket(socket, line)
      const heard: Array<string> = []
      const exit = yield* Effect.exit(Connection.forEachBatch(connection, (batch) =>
        Effect.andThen(
          Effect.sync(() => void heard.push(...batch)),
          connection.write(batch)
        )))
      assert.deepStrictEqual(heard, ["one", "two"])
      assert.strictEqual(written.join(""), "one\ntwo\n")
      const ended = Exit.isSuccess(exit) ? CloseReason.format(CloseReason.peerClosed) : String(Cause.squash(exit.cause))
      assert.strictEqual(ended.replace("ConnectionError: ", ""), reason)
    }))

  it.effect("is what a client of a protocol can be made of", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* running((socket) =>
          Effect.gen(function*() {
            const { pull } = yield* socket.reader
            const writer = yield* socket.writer
            while (true) yield* writer.write(text(yield* pull).toUpperCase())
          })
        )
        const program = Effect.gen(function*() {
          const client = yield* Client.make(Text, "memory:whatever")
          return yield* client.call("ahoy")
        }).pipe(
          Effect.scoped,
          Effect.provide(EffectSocket.layerTransport.pipe(Layer.provide(EffectSocket.layerSocket(memory))))
        )
        assert.strictEqual(yield* passing(program), "AHOY")
        const refused = yield* Effect.flip(Effect.scoped(Server.make(Text, "memory:x", Effect.succeed))).pipe(
          Effect.provide(EffectSocket.layerTransport.pipe(Layer.provide(EffectSocket.layerSocket(memory))))
        )
        assert.strictEqual(refused._tag === "BindError" ? refused.reason : refused._tag, "Unsupported")
        const nobody = yield* Effect.flip(Effect.scoped(Client.make(Text, memory))).pipe(
          Effect.provide(EffectSocket.layerTransport.pipe(Layer.provide(EffectSocket.layerSocket("memory:nobody"))))
        )
        assert.strictEqual(nobody._tag === "ConnectError" ? nobody.reason : nobody._tag, "Refused")
      })
    ))
})

it.effect("a server on Effect's SocketServer answers, and lets go who has left", () =>
  inWorld(() =>
    Effect.gen(function*() {
      const { server, socketServer } = yield* EffectSocket.makeSocketServer(memory)
      const context = yield* Layer.build(
        EffectSocket.layerTransportServer.pipe(
          Layer.provide(Layer.succeed(SocketServer.SocketServer, socketServer))
        )
      )
      const outer = yield* Effect.provideContext(
        Server.make(Text, "memory:any", (text) => Effect.succeed(text.toUpperCase())),
        context
      )
      const client = yield* dial
      client.send("ahoy\n")
      yield* settle
      assert.strictEqual(client.heard, "AHOY\n")
      client.leave()
      yield* settle
      assert.deepStrictEqual([(yield* outer.stats).ended, (yield* server.stats).ended], [1, 1])
      const refused = yield* Effect.flip(
        Effect.provideContext(Effect.scoped(Client.make(Text, memory)), context)
      )
      assert.strictEqual(refused._tag === "ConnectError" ? refused.reason : refused._tag, "Unsupported")
    })
  ))

describe("errors", () => {
  const reset: CloseReason.CloseReason = { _tag: "PeerReset", code: "ECONNRESET" }
  const large: CloseReason.CloseReason = {
    _tag: "FrameTooLarge",
    bytes: 9,
    maxFrameBytes: 8,
    direction: "inbound"
  }
  it.each(
    [
      [CloseReason.peerClosed, "SocketCloseError: 1000", CloseReason.peerClosed],
      [CloseReason.drained, "SocketCloseError: 1001: the server drained", CloseReason.peerClosed],
      [CloseReason.closed, "SocketCloseError: 1006: closed by this side", {
        _tag: "PeerReset",
        code: "close code 1006: closed by this side"
      }],
      [reset, "SocketReadError: An error occurred during Read (the peer broke the connection (ECONNRESET))", reset],
      [
        large,
        "SocketReadError: An error occurred during Read (inbound frame of 9 bytes exceeds the limit of 8 bytes)",
        large
      ]
    ] as const
  )("the reason %o of a read is said in Effect's words, and back", (reason, words, back) => {
    const error = EffectSocket.toSocketError(new CloseReason.ConnectionError({ reason }))
    assert.strictEqual(said(Exit.fail(error)), words)
    assert.deepStrictEqual(EffectSocket.toCloseReason(error), back)
  })

  it("a write has one error, which keeps the reason", () => {
    for (const reason of [CloseReason.peerClosed, CloseReason.closed, reset, large]) {
      const error = EffectSocket.toSocketError(new CloseReason.ConnectionError({ reason }), "write")
      assert.strictEqual(error.reason._tag, "SocketWriteError")
      assert.strictEqual(EffectSocket.toCloseReason(error), reason)
    }
  })

  it("a system's error keeps its code, and a failed change to TLS its words", () => {
    const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" })
    const of = (reason: Socket.SocketErrorReason) => EffectSocket.toCloseReason(new Socket.SocketError({ reason }))
    assert.deepStrictEqual(of(new Socket.SocketReadError({ cause })), reset)
    assert.deepStrictEqual(of(new Socket.SocketWriteError({ cause: new Error("socket closed") })), {
      _tag: "PeerReset",
      code: "socket closed"
    })
    assert.deepStrictEqual(of(new Socket.SocketOpenError({ kind: "Timeout", cause })), {
      _tag: "PeerReset",
      code: "ETIMEDOUT"
    })
    assert.deepStrictEqual(of(new Socket.SocketUpgradeError({})), {
      _tag: "HandshakeFailed",
      message: "this socket cannot change to TLS"
    })
  })
})

it.effect("layers give Effect's services", () =>
  Effect.gen(function*() {
    const { address } = yield* SocketServer.SocketServer
    assert.strictEqual(String(address), "memory:server")
    yield* Socket.Socket
    assert.strictEqual(Endpoint.format((yield* Server.Server).endpoint), memory)
  }).pipe(
    Effect.provide(
      Layer.merge(EffectSocket.layerSocketServer(memory), EffectSocket.layerSocket(memory)).pipe(
        Layer.provide(MemoryTransport.layer)
      )
    )
  ))
