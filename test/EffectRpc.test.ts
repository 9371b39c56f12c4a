/** Effect's RPC modules behind a hawser listener: real clients, real servers, in memory and over TCP. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Duration, Effect, Exit, Fiber, Layer, Scope, Stream } from "effect"
import { type Rpc, type RpcGroup, RpcSerialization, RpcServer } from "effect/rpc"
import { EffectRpc, EffectSocket, Server, type Transport } from "../src/index.ts"
import { assertNothingLeft, dial, inWorld, memory, pass, passing, settle, Told } from "./support/network.ts"
import { client, Group, serializations, Work } from "./support/rpc.ts"

type Kind = "SocketServer" | "EffectRpc"

/** Effect's own protocol over `SocketServer`, and hawser's. */
const servers: Record<
  Kind,
  (
    endpoint: string,
    options: EffectRpc.Options
  ) => Layer.Layer<
    Server.Server,
    Server.StartError,
    Rpc.ToHandler<RpcGroup.Rpcs<typeof Group>> | RpcSerialization.RpcSerialization | Transport.Transport
  >
> = {
  SocketServer: (endpoint: string, options: EffectRpc.Options) =>
    EffectSocket.drainFirst(
      RpcServer.layer(Group).pipe(
        Layer.provide(RpcServer.layerProtocolSocketServer),
        Layer.provideMerge(EffectSocket.layerSocketServer(endpoint, options))
      )
    ),
  EffectRpc: (endpoint: string, options: EffectRpc.Options) => EffectRpc.layer(Group, endpoint, options)
}

/** Serves the group for the time of the scope. */
const serve = Effect.fnUntraced(function*(
  kind: Kind = "EffectRpc",
  options: EffectRpc.Options = {},
  endpoint: string = memory,
  serialization: Layer.Layer<RpcSerialization.RpcSerialization> = serializations.ndjson
) {
  const told = new Told()
  const work = new Work()
  const scope = yield* Scope.fork(yield* Effect.scope)
  const context = yield* servers[kind](endpoint, {
    ...options,
    onEvent: (event) => void told.events.push(event)
  }).pipe(
    Layer.provide(work.handlers),
    Layer.provide(serialization),
    Layer.build,
    Scope.provide(scope)
  )
  const server = yield* Effect.provideContext(Server.Server, context)
  return { ...server, told, work, close: Scope.close(scope, Exit.void) }
})

/** What a call failed with, in words. */
const failure = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return `succeeds with ${String(exit.value)}`
  if (Cause.hasInterruptsOnly(exit.cause)) return "interrupted"
  const error = Cause.squash(exit.cause)
  if (typeof error !== "object" || error === null || !("reason" in error)) return String(error)
  const { reason } = error
  return `${"_tag" in error ? error._tag : ""}: ${
    typeof reason === "object" && reason !== null && "_tag" in reason ? String(reason._tag) : ""
  }`
}

describe.each(["SocketServer", "EffectRpc"] as const)("an RPC server over %s", (kind) => {
  describe.each(["ndjson", "binary"] as const)("%s", (name) => {
    it.effect("answers calls, fails them, streams, and does many at once", () =>
      inWorld(() =>
        Effect.gen(function*() {
          const { stats } = yield* serve(kind, {}, memory, serializations[name])
          const rpc = yield* client(memory, serializations[name])
          assert.strictEqual(yield* passing(rpc.Add({ a: 1, b: 2 })), 3)
          assert.strictEqual(yield* passing(Effect.flip(rpc.Divide({ a: 1, b: 0 }))), "divided by zero")
          assert.deepStrictEqual(
            yield* passing(Stream.runCollect(rpc.Count({ to: 500 }))),
            Array.from({ length: 500 }, (_, i) => i + 1)
          )
          assert.deepStrictEqual(
            yield* passing(
              Effect.forEach(Array.from({ length: 200 }, (_, i) => i), (i) => rpc.Add({ a: i, b: i }), {
                concurrency: "unbounded"
              })
            ),
            Array.from({ length: 200 }, (_, i) => 2 * i)
          )
          assert.strictEqual((yield* stats).open, 1)
        })
      ))
  })
})

describe("when the server drains during a call", () => {
  it.effect("the call in flight finishes, and a new one fails with a typed error", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { close, told, work } = yield* serve("EffectRpc", { drain: { grace: "5 seconds" } })
        const rpc = yield* client(memory)
        const inFlight = yield* Effect.forkChild(rpc.Wait())
        yield* settle
        const closing = yield* Effect.forkChild(close)
        yield* settle
        const late = yield* Effect.forkChild(Effect.exit(rpc.Add({ a: 1, b: 2 })))
        yield* pass(1_000)
        assert.strictEqual(late.pollUnsafe(), undefined)
        yield* Deferred.succeed(work.finish, "finished")
        assert.strictEqual(yield* passing(Fiber.join(inFlight)), "finished")
        assert.strictEqual(failure(yield* passing(Fiber.join(late))), "RpcClientError: SocketCloseError")
        yield* passing(Fiber.join(closing))
        assert.deepStrictEqual(told.ends, ["the server drained"])
        assert.strictEqual(work.interrupted, 0)
        yield* pass(1_000)
        assert.strictEqual(
          failure(yield* passing(Effect.exit(rpc.Add({ a: 1, b: 2 })))),
          "RpcClientError: SocketOpenError"
        )
      })
    ))

  it.effect("a stream in flight is acknowledged to its end", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { close } = yield* serve("EffectRpc", { drain: { grace: "5 seconds" } })
        const rpc = yield* client(memory)
        const gate = yield* Deferred.make<void>()
        const stream = yield* Effect.forkChild(Stream.runCollect(
          Stream.mapEffect(
            rpc.Count({ to: 20_000 }),
            (n) => n === 10 ? Effect.as(Deferred.await(gate), n) : Effect.succeed(n)
          )
        ))
        yield* settle
        const closing = yield* Effect.forkChild(close)
        yield* settle
        yield* Deferred.succeed(gate, undefined)
        assert.strictEqual((yield* passing(Fiber.join(stream))).length, 20_000)
        yield* passing(Fiber.join(closing))
      })
    ))

  it.effect("an idle client is let go at once, after the announcement", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { drain, told } = yield* serve("EffectRpc", { drain: { announce: "1 second", grace: "5 seconds" } })
        const rpc = yield* client(memory)
        assert.strictEqual(yield* passing(rpc.Add({ a: 1, b: 2 })), 3)
        const draining = yield* Effect.forkChild(drain)
        yield* pass(900)
        assert.strictEqual(yield* rpc.Add({ a: 3, b: 4 }), 7)
        yield* pass(100)
        assert.deepStrictEqual(told.ends, ["the server drained"])
        const { drained, elapsed, forced } = yield* Fiber.join(draining)
        assert.deepStrictEqual({ drained, elapsed: Duration.toMillis(elapsed), forced }, {
          drained: 1,
          elapsed: 1_000,
          forced: 0
        })
      })
    ))

  it.effect("a call that does not end is cut when the grace is over", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { drain, told, work } = yield* serve("EffectRpc", { drain: { grace: "5 seconds", force: "1 second" } })
        const rpc = yield* client(memory)
        const call = yield* Effect.forkChild(Effect.exit(rpc.Wait()))
        yield* settle
        const report = yield* passing(drain)
        assert.deepStrictEqual(told.ends, ["the drain ran out of time"])
        assert.strictEqual(work.interrupted, 1)
        assert.deepStrictEqual([report.forced, report.drained], [1, 0])
        assert.strictEqual(failure(yield* passing(Fiber.join(call))), "RpcClientError: SocketCloseError")
      })
    ))

  it.effect("Effect's own protocol interrupts the call, and the client hears a typed error", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { close, told, work } = yield* serve("SocketServer", { drain: { grace: "5 seconds" } })
        const rpc = yield* client(memory)
        const call = yield* Effect.forkChild(Effect.exit(rpc.Wait()))
        yield* settle
        yield* passing(close)
        assert.strictEqual(work.interrupted, 1)
        assert.strictEqual(failure(yield* passing(Fiber.join(call))), "RpcClientError: SocketCloseError")
        assert.deepStrictEqual(told.ends, ["the server drained"])
      })
    ))
})

describe.each(["SocketServer", "EffectRpc"] as const)("over %s", (kind) => {
  it.effect("a client that leaves ends its calls, and nothing is left", () =>
    inWorld(({ logs, network }) =>
      Effect.gen(function*() {
        const { fibers } = network
        const { close, stats, told, work } = yield* serve(kind)
        const scope = yield* Scope.make()
        const rpc = yield* client(memory).pipe(Scope.provide(scope))
        const call = yield* Effect.forkChild(Effect.exit(rpc.Wait()))
        yield* settle
        assert.strictEqual(work.begun, 1)
        yield* passing(Scope.close(scope, Exit.void))
        yield* settle
        assert.strictEqual(work.interrupted, 1)
        assert.deepStrictEqual(told.ends, ["the peer closed the connection"])
        assert.strictEqual((yield* stats).open, 0)
        yield* Fiber.interrupt(call)
        yield* passing(close)
        assertNothingLeft(network, fibers)
        assert.deepStrictEqual(logs.filter(({ level }) => level === "Error"), [])
      })
    ))

  it.effect("a client that breaks off is no error of the server", () =>
    inWorld(({ logs, network }) =>
      Effect.gen(function*() {
        const { told, work } = yield* serve(kind)
        const rpc = yield* client(memory)
        const call = yield* Effect.forkChild(Effect.exit(rpc.Wait()))
        yield* settle
        for (const raw of network.open) raw.reset()
        yield* settle
        assert.deepStrictEqual(told.ends, ["closed by this side"])
        assert.strictEqual(work.interrupted, 1)
        assert.strictEqual(failure(yield* passing(Fiber.join(call))), "RpcClientError: SocketReadError")
        assert.deepStrictEqual(logs.filter(({ level }) => level === "Error"), [])
      })
    ))

  it.effect("a client over the limit is refused with a typed error", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { stats } = yield* serve(kind, { maxConnections: 1 })
        const first = yield* client(memory)
        assert.strictEqual(yield* passing(first.Add({ a: 1, b: 2 })), 3)
        const second = yield* client(memory)
        assert.strictEqual(
          failure(yield* passing(Effect.exit(second.Add({ a: 1, b: 2 })))),
          "RpcClientError: SocketCloseError"
        )
        assert.strictEqual(yield* passing(first.Add({ a: 1, b: 2 })), 3)
        assert.isAbove((yield* stats).refused, 0)
      })
    ))
})

describe("EffectRpc", () => {
  it.effect("ends a connection with more calls than maxCalls", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serve("EffectRpc", { maxCalls: 2 })
        const rpc = yield* client(memory)
        const exits = yield* passing(
          Effect.forEach([1, 2, 3], () => Effect.exit(rpc.Wait()), { concurrency: "unbounded" })
        )
        assert.deepStrictEqual(exits.map(failure), Array.from(exits, () => "RpcClientError: SocketCloseError"))
        assert.deepStrictEqual(told.ends, ["maxCalls is 2"])
      })
    ))
})

describe("the answers of EffectRpc", () => {
  it.effect("leave together", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { work } = yield* serve()
        const rpc = yield* client(memory)
        const calls = yield* Effect.forkChild(
          Effect.forEach(Array.from({ length: 100 }), () => rpc.Wait(), { concurrency: "unbounded" })
        )
        yield* settle
        assert.deepStrictEqual([work.begun, network.writes.length], [100, 0])
        yield* Deferred.succeed(work.finish, "finished")
        assert.strictEqual((yield* Fiber.join(calls)).length, 100)
        assert.isBelow(network.writes.length, 10)
      })
    ))

  it.effect("wait while the client does not read", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        yield* serve()
        const peer = yield* dial
        peer.raw.pause()
        const payload = { to: 1_000_000 }
        peer.send(`${JSON.stringify({ _tag: "Request", id: "1", tag: "Count", payload, headers: [] })}\n`)
        for (let ack = 0; ack < 200; ack++) {
          peer.send(`${JSON.stringify({ _tag: "Ack", requestId: "1" })}\n`)
          yield* settle
        }
        assert.isBelow(network.writes.join("").length, 262_144)
      })
    ))
})

describe("what EffectRpc cannot read", () => {
  it.effect.each(
    [
      ["{\n", "corrupt frame: "],
      ["1\n", "protocol violation: an RPC message must be an object with a _tag"],
      ["null\n", "protocol violation: an RPC message must be an object with a _tag"],
      ["x".repeat(101), "inbound frame of 101 bytes exceeds the limit of 100 bytes"]
    ] as const
  )("ends the connection: %j", ([bytes, reason]) =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serve("EffectRpc", {}, memory, RpcSerialization.layerNdjsonWith({ maxBufferSize: 100 }))
        const peer = yield* dial
        peer.send(bytes)
        yield* settle
        assert.isTrue(peer.ended)
        peer.leave()
        yield* settle
        assert.strictEqual(told.ends.length, 1)
        assert.include(told.ends.join(), reason)
      })
    ))

  it.effect("is refused when it is built", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const rule = (options: EffectRpc.Options) =>
          Effect.map(Effect.flip(Effect.exit(Effect.scoped(serve("EffectRpc", options))).pipe(Effect.flatten)), String)
        assert.include(yield* rule({ maxCalls: 0 }), "maxCalls must be a positive integer, got 0")
        assert.include(yield* rule({ drain: { grace: Number.NaN } }), "drain.grace must be a finite time")
        assert.include(yield* rule({ drain: { announce: -1 } }), "drain.announce must be a finite time")
      })
    ))
})

it.effect("a client that has said that it asks no more is let go after its last answer", () =>
  inWorld(() =>
    Effect.gen(function*() {
      const { told, work } = yield* serve()
      const peer = yield* dial
      const request = { _tag: "Request", id: "1", tag: "Wait", payload: null, headers: [] }
      peer.send(`${JSON.stringify(request)}\n`, `${JSON.stringify({ _tag: "Eof" })}\n`)
      yield* settle
      assert.isFalse(peer.ended)
      yield* Deferred.succeed(work.finish, "finished")
      yield* settle
      assert.deepStrictEqual(JSON.parse(peer.heard), {
        _tag: "Exit",
        requestId: "1",
        exit: { _tag: "Success", value: "finished" }
      })
      assert.isTrue(peer.ended)
      peer.leave()
      yield* settle
      assert.deepStrictEqual(told.ends, ["closed by this side"])
    })
  ))

it.effect("a handler knows the client's connection", () =>
  inWorld(() =>
    Effect.gen(function*() {
      const peers: Array<string> = []
      const handlers = Group.toLayer({
        Add: () =>
          Effect.flatMap(EffectSocket.CurrentConnection, (info) => {
            peers.push(String(info?.peer))
            return Effect.succeed(0)
          }),
        Divide: () => Effect.never,
        Wait: () => Effect.never,
        Count: () => Stream.never
      })
      yield* Layer.build(
        EffectRpc.layer(Group, memory).pipe(Layer.provide(handlers), Layer.provide(serializations.ndjson))
      )
      const rpc = yield* client(memory)
      yield* passing(rpc.Add({ a: 1, b: 2 }))
      assert.deepStrictEqual(peers, ["memory:client"])
    })
  ))
