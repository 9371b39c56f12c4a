/** Several listeners under one server: bound together, suspended and resumed together, one set of limits, one drain. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope } from "effect"
import { Admission, Endpoint, Server, Transport } from "../src/index.ts"
import { Addressed } from "./support/addressed.ts"
import { inWorld, pass, passing, settle, Text, Told, type World } from "./support/network.ts"

const one = Endpoint.tcpUnsafe("192.0.2.254", 1)
const two = Endpoint.tcpUnsafe("192.0.2.254", 2)
const inherited = Endpoint.descriptorUnsafe(3)

const serve = Effect.fnUntraced(function*(
  endpoints: Server.Endpoints,
  options: Server.Options,
  net: Addressed
) {
  const told = new Told()
  const server = yield* Server.make(Text, endpoints, (text) => Effect.succeed(text), {
    ...options,
    onEvent: (event) => void told.events.push(event)
  }).pipe(Effect.provideService(Transport.Transport, net.transport))
  const hears = Effect.fnUntraced(function*(to: Endpoint.Endpoint) {
    const peer = yield* net.visit("192.0.2.1", { to })
    peer.send("hi\n")
    yield* settle
    return peer
  })
  return { ...server, told, net, hears }
})

type Running = Effect.Success<ReturnType<typeof serve>>

const test = (
  endpoints: Server.Endpoints,
  options: Server.Options,
  body: (server: Running, world: World) => Effect.Effect<void, unknown, Scope.Scope | Transport.Transport>
) =>
  inWorld((world) =>
    Effect.gen(function*() {
      yield* body(yield* serve(endpoints, options, new Addressed(yield* Transport.Transport)), world)
    })
  )

describe("several endpoints", () => {
  it.effect("are served under one limit, with one waiting room", () =>
    test([one, two], {
      maxConnections: 2,
      overflow: Admission.wait({ maxWaiting: 1, timeout: "1 minute", otherwise: "close" })
    }, (server) =>
      Effect.gen(function*() {
        assert.deepStrictEqual(server.endpoints, [one, two])
        assert.deepStrictEqual(server.endpoint, one)
        assert.deepStrictEqual(server.told.of("Listening").map(({ endpoint }) => endpoint), [one, two])
        const first = yield* server.hears(one)
        const second = yield* server.hears(two)
        const third = yield* server.hears(one)
        const fourth = yield* server.hears(two)
        assert.deepStrictEqual([first, second, third, fourth].map(({ heard }) => heard), ["hi\n", "hi\n", "", ""])
        assert.isTrue(fourth.ended)
        second.leave()
        yield* settle
        assert.strictEqual(third.heard, "hi\n")
      })))

  it.effect("are closed by one drain, in the time of one", () =>
    test(
      [one, two],
      { drain: { grace: 100, force: 0 }, linger: 10_000 },
      (server, { network }) =>
        Effect.gen(function*() {
          for (const endpoint of [one, two]) (yield* server.hears(endpoint)).send("half of a")
          yield* settle
          const fiber = yield* Effect.forkChild(server.drain)
          yield* settle
          for (const endpoint of [one, two]) {
            assert.strictEqual((yield* Effect.flip(server.net.visit("192.0.2.1", { to: endpoint }))).reason, "Refused")
          }
          yield* pass(100)
          assert.isDefined(fiber.pollUnsafe())
          assert.strictEqual((yield* server.drain).forced, 2)
          yield* settle
          assert.strictEqual(network.open.size, 0)
        })
    ))

  it.effect("are bound all, or none, and who came through the first in between is not left behind", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const net = new Addressed(yield* Transport.Transport)
        net.taken.add(Endpoint.format(two))
        net.onBind = (endpoint) =>
          endpoint === two ? Effect.andThen(Effect.orDie(net.visit("192.0.2.1", { to: one })), settle) : Effect.void
        const told = new Told()
        const starting = Server.make(Text, [one, two], Effect.succeed, {
          drain: { grace: 50 },
          onEvent: (event) => void told.events.push(event)
        }).pipe(Effect.provideService(Transport.Transport, net.transport))
        const error = yield* passing(Effect.flip(Effect.scoped(starting)))
        assert.deepStrictEqual(told.tags(), ["Accepted", "Draining", "Ended", "Drained"])
        assert.isTrue(error._tag === "BindError" && error.reason === "AddressInUse" && error.endpoint === two)
        assert.strictEqual(network.open.size, 0)
        assert.strictEqual(network.arrived, 1)
        net.taken.clear()
        net.onBind = () => Effect.void
        yield* serve([one, two], {}, net)
      })
    ))

  it.effect("may be memory and more, each told from the others by its number", () =>
    test(["memory:a", one], {}, (server) =>
      Effect.gen(function*() {
        const first = yield* server.hears(Endpoint.memoryUnsafe("a"))
        const second = yield* server.hears(one)
        assert.deepStrictEqual([first.heard, second.heard], ["hi\n", "hi\n"])
        const ids = (yield* server.connections).map(({ id }) => id)
        assert.strictEqual(new Set(ids).size, 2)
      })))
})

describe("suspending", () => {
  it.effect("keeps those who are in, refuses others, and is over with resume, on the same addresses", () =>
    test([one, two], {}, (server) =>
      Effect.gen(function*() {
        const first = yield* server.hears(one)
        assert.isTrue(yield* server.ready)
        yield* server.suspend
        yield* server.suspend
        assert.isFalse(yield* server.ready)
        assert.strictEqual((yield* Effect.flip(server.net.visit("192.0.2.1", { to: two }))).reason, "Refused")
        first.send("ho\n")
        yield* settle
        assert.strictEqual(first.heard, "hi\nho\n")
        yield* server.resume
        yield* server.resume
        assert.isTrue(yield* server.ready)
        assert.strictEqual((yield* server.hears(two)).heard, "hi\n")
        first.send("he\n")
        yield* settle
        assert.strictEqual(first.heard, "hi\nho\nhe\n")
        assert.deepStrictEqual(server.net.binds, [one, two, one, two].map(Endpoint.format))
        assert.deepStrictEqual(
          server.told.events.map(({ _tag }) => _tag).filter((tag) => tag.endsWith("ed") && tag !== "Accepted"),
          ["Suspended", "Resumed"]
        )
      })))

  it.effect("many times leaves nothing behind of the times of which nobody is left", () =>
    test(one, {}, (server, { network }) =>
      Effect.gen(function*() {
        const stays = yield* server.hears(one)
        for (let i = 0; i < 20; i++) {
          const goes = yield* server.hears(one)
          goes.leave()
          yield* settle
          yield* server.suspend
          yield* server.resume
        }
        // The first one is kept for the one who stays; of the others, the last.
        assert.isAtMost(server.net.scopes, 3)
        stays.leave()
        yield* settle
        yield* server.suspend
        yield* server.resume
        assert.strictEqual(server.net.scopes, 1)
        assert.strictEqual(network.open.size, 0)
      })))

  it.effect("asked for twice at once binds once", () =>
    test(one, {}, (server) =>
      Effect.gen(function*() {
        yield* server.suspend
        server.net.onBind = () => Effect.yieldNow
        yield* Effect.all([server.resume, server.resume], { concurrency: 2 })
        assert.deepStrictEqual(server.net.binds, [one, one].map(Endpoint.format))
      })))

  it.effect("is not over where one address was taken meanwhile, and is when it is free", () =>
    test([one, two], {}, (server) =>
      Effect.gen(function*() {
        const first = yield* server.hears(one)
        yield* server.suspend
        server.net.taken.add(Endpoint.format(two))
        const error = yield* Effect.flip(server.resume)
        assert.deepStrictEqual([error.reason, error.endpoint], ["AddressInUse", two])
        assert.isFalse(yield* server.ready)
        assert.strictEqual((yield* Effect.flip(server.net.visit("192.0.2.1", { to: one }))).reason, "Refused")
        server.net.taken.clear()
        yield* server.resume
        assert.strictEqual((yield* server.hears(one)).heard, "hi\n")
        assert.isFalse(first.ended)
      })))

  it.effect("cannot be undone for an inherited descriptor, nor in a drain", () =>
    test([one, inherited], {}, (server) =>
      Effect.gen(function*() {
        assert.strictEqual((yield* server.hears(inherited)).heard, "hi\n")
        yield* server.suspend
        const error = yield* Effect.flip(server.resume)
        assert.deepStrictEqual([error.reason, error.code, error.endpoint], ["AddressNotAvailable", "EBADF", inherited])
        assert.strictEqual(error.message, "cannot listen on fd:3: it is closed, or no listening socket (EBADF)")
        assert.strictEqual(server.net.binds.length, 2)
        yield* Effect.forkChild(server.drain)
        yield* settle
        assert.deepStrictEqual((yield* Effect.flip(server.resume)).code, "ESHUTDOWN")
      })))

  it.effect("ends in a drain like any server", () =>
    test(one, { drain: { grace: 50 } }, (server) =>
      Effect.gen(function*() {
        yield* server.hears(one)
        yield* server.suspend
        const report = yield* passing(server.drain)
        assert.strictEqual(report.drained, 1)
      })))
})

it.effect("an accept that fails is logged once per cooldown, and the listeners are told how to listen", () =>
  test(
    "unix:x",
    { backlog: 7, unixMode: 0o600, alarm: { cooldown: "1 minute" } },
    (server, { logs }) =>
      Effect.gen(function*() {
        const { backlog, onError, unixMode } = server.net.options ?? assert.fail("nobody listens")
        assert.deepStrictEqual({ backlog, unixMode }, { backlog: 7, unixMode: 0o600 })
        const lines = () => logs.filter(({ message }) => message === "accepting a connection failed").length
        onError?.(new Error("EMFILE"))
        onError?.(new Error("EMFILE"))
        yield* settle
        assert.strictEqual(lines(), 1)
        yield* pass(60_000, 10_000)
        onError?.(new Error("EMFILE"))
        yield* settle
        assert.strictEqual(lines(), 2)
      })
  ))

it.effect("readiness ends before the listener does", () =>
  test(one, {}, (server) =>
    Effect.gen(function*() {
      const ready: Array<boolean> = []
      server.net.onClose = Effect.flatMap(server.ready, (is) => Effect.sync(() => ready.push(is)))
      yield* passing(server.drain)
      assert.deepStrictEqual(ready, [false])
    })))
