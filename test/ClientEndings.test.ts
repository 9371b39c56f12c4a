/** What becomes of the calls when the connection ends: each settles once, and says how much of it was sent. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope } from "effect"
import { Client, CloseReason, Protocol } from "../src/index.ts"
import {
  assertNothingLeft,
  inWorld,
  line,
  memory,
  pass,
  type Peer,
  script,
  serveText,
  settle
} from "./support/network.ts"

const lines = (depth: number) => Protocol.make("lines", { request: line, response: line, depth })

interface Ending {
  readonly act: (peer: Peer) => void
  readonly reason: CloseReason.CloseReason
}

const unasked: CloseReason.CloseReason = {
  _tag: "ProtocolViolation",
  message: "a response that nobody asked for"
}

const endings: Readonly<Record<string, Ending>> = {
  ends: { act: (peer) => peer.raw.end(), reason: CloseReason.peerClosed },
  closes: { act: (peer) => peer.raw.destroy(), reason: CloseReason.peerClosed },
  resets: { act: (peer) => peer.raw.reset(), reason: { _tag: "PeerReset", code: "ECONNRESET" } },
  "sends garbage": {
    act: (peer) => peer.raw.write([Uint8Array.of(0xff, 10)]),
    reason: { _tag: "FrameCorrupt", message: "1 bytes are not valid UTF-8", recoverable: true }
  },
  "sends too much at once": {
    act: (peer) => peer.send("x".repeat(100_001)),
    reason: { _tag: "FrameTooLarge", bytes: 100_001, maxFrameBytes: 100_000, direction: "inbound" }
  },
  "ends in the middle of an answer": {
    act: (peer) => {
      peer.send("abc")
      peer.raw.end()
    },
    reason: { _tag: "FrameTruncated", bufferedBytes: 3 }
  }
}

/** Makes calls and writes down how each settled: the answer, or the reason and what was sent. */
class Callers {
  readonly settled: Array<Array<string>> = []
  readonly client: Client.Client<string, string>
  constructor(client: Client.Client<string, string>) {
    this.client = client
  }
  call(text: string) {
    const settled: Array<string> = []
    this.settled.push(settled)
    return Effect.forkChild(
      Effect.matchEffect(this.client.call(text), {
        onSuccess: (answer) => Effect.sync(() => settled.push(answer)),
        onFailure: ({ reason, sent }) => Effect.sync(() => settled.push(`${reason._tag} ${sent}`))
      }),
      { startImmediately: true }
    )
  }
}

describe("when the server", () => {
  it.effect.each(Object.entries(endings))(
    "%s, a call of before and one of later fail with that reason",
    ([, { act, reason }]) =>
      inWorld(() =>
        Effect.gen(function*() {
          const server = yield* script
          const client = yield* Client.make(lines(1), memory)
          const before = yield* Effect.forkChild(Effect.flip(client.call("before")), { startImmediately: true })
          yield* settle
          act(server.peer)
          assert.deepStrictEqual(yield* Fiber.join(before), new Client.ClientError({ reason, sent: "all" }))
          assert.deepStrictEqual(
            yield* Effect.flip(client.call("later")),
            new Client.ClientError({ reason, sent: "none" })
          )
        })
      )
  )

  it.effect("answers what nobody asked, that is a violation, and is never taken for the answer to a later call", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(2), memory)
        const callers = new Callers(client)
        yield* Effect.forkChild(
          Effect.andThen(Effect.ignore(client.call("first")), Effect.flatMap(callers.call("at once"), Fiber.join)),
          { startImmediately: true }
        )
        yield* settle
        server.peer.send("one\ntwo\n")
        yield* settle
        // The second call was made, and the connection ended, before anything was heard of it.
        assert.deepStrictEqual(callers.settled, [["ProtocolViolation all"]])
        assert.deepStrictEqual(yield* Effect.flip(client.call("later")), violation("none"))
        assert.isTrue(server.peer.ended)
      })
    ))

  it.effect.each([{}, { overLimit: "full" }])(
    "speaks before it was asked, that is a violation: %o",
    (goodbye) =>
      inWorld(() =>
        Effect.gen(function*() {
          const server = yield* script
          const client = yield* Client.make({ ...lines(2), goodbye }, memory)
          yield* settle
          server.peer.send("hello\n")
          yield* settle
          assert.deepStrictEqual(yield* Effect.flip(client.call("later")), violation("none"))
        })
      )
  )

  it.effect("says goodbye later than first, that is a violation", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make({ ...lines(2), goodbye: { overLimit: "full" } }, memory)
        const callers = new Callers(client)
        yield* callers.call("a")
        yield* settle
        server.peer.send("A\nfull\n")
        yield* settle
        assert.deepStrictEqual(callers.settled, [["A"]])
        assert.deepStrictEqual(yield* Effect.flip(client.call("later")), violation("none"))
      })
    ))

  it.effect("does not read, a large call was sent in part, and the next ones not surely more", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(3), memory)
        const callers = new Callers(client)
        yield* callers.call("small")
        yield* settle
        server.peer.raw.pause()
        yield* callers.call("x".repeat(90_000))
        yield* callers.call("behind it")
        yield* callers.call("waiting")
        yield* settle
        server.peer.raw.reset()
        yield* settle
        assert.deepStrictEqual(callers.settled.map(([text]) => text), [
          "PeerReset all",
          "PeerReset partial",
          "PeerReset partial",
          "PeerReset none"
        ])
      })
    ))

  it.effect("has broken the connection, a call of the same moment was not sent", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const client = yield* Client.make(lines(2), memory)
        const callers = new Callers(client)
        yield* settle
        server.peer.raw.reset()
        yield* callers.call("a")
        yield* settle
        assert.deepStrictEqual(callers.settled, [["PeerReset none"]])
      })
    ))

  it.effect("drains, what is in flight is answered and the rest was not sent", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* serveText((text) => Effect.delay(Effect.succeed(`did ${text}`), 100))
        const client = yield* Client.make(lines(1), server.endpoint)
        const callers = new Callers(client)
        yield* callers.call("one")
        yield* callers.call("two")
        yield* settle
        const drain = yield* Effect.forkChild(server.drain, { startImmediately: true })
        yield* pass(100)
        // The second one went out with the first one's answer, to a server that had stopped reading.
        assert.deepStrictEqual(callers.settled, [["did one"], ["PeerClosed all"]])
        assert.deepStrictEqual(server.told.ends, ["the server drained"])
        yield* Fiber.join(drain)
      })
    ))
})

const violation = (sent: Client.Sent) => new Client.ClientError({ reason: unasked, sent })

describe("when the scope of the client closes", () => {
  it.effect("calls on their way and waiting fail with Closed", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const fibers = network.fibers
        const server = yield* script
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(Client.make(lines(1), memory), scope)
        const callers = new Callers(client)
        yield* callers.call("a")
        yield* callers.call("b")
        yield* settle
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        assert.deepStrictEqual(callers.settled, [["Closed all"], ["Closed none"]])
        yield* settle
        assert.deepStrictEqual([server.peer.ended, server.peer.closed], [true, undefined])
        server.peer.leave()
        yield* Fiber.join(closing)
        yield* settle
        assert.deepStrictEqual(server.peer.closed, { code: undefined })
        assert.strictEqual((yield* Effect.flip(client.call("c"))).reason._tag, "Closed")
        assertNothingLeft(network, fibers)
      })
    ))

  it.effect("what was just called still leaves, and is told to have", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(Client.make(lines(1), memory), scope)
        yield* settle
        const callers = new Callers(client)
        yield* callers.call("a")
        yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        assert.deepStrictEqual(callers.settled, [["Closed all"]])
        yield* settle
        assert.deepStrictEqual(server.heard, ["a"])
      })
    ))

  it.effect("by the first whom an answer woke, the others had none, though theirs came with it", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(Client.make({ ...lines(2), goodbye: { drained: "bye" } }, memory), scope)
        yield* settle
        const callers = new Callers(client)
        yield* Effect.forkChild(
          Effect.andThen(Effect.flatMap(callers.call("a"), Fiber.join), Scope.close(scope, Exit.void)),
          { startImmediately: true }
        )
        yield* callers.call("b")
        yield* callers.call("c")
        yield* settle
        server.peer.send("A\nbye\n")
        yield* settle
        assert.deepStrictEqual(callers.settled, [["A"], ["Closed all"], ["Closed all"]])
        // Nor is what came for a parting given to a later one.
        yield* callers.call("d")
        assert.deepStrictEqual([callers.settled[3], server.peer.ended], [["Closed none"], true])
      })
    ))

  it.effect("by the first whom an answer woke, the end is still heard behind what came with it and is no answer", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(Client.make(lines(1), memory), scope)
        const closing = yield* Effect.forkChild(
          Effect.andThen(client.call("a"), Scope.close(scope, Exit.void)),
          { startImmediately: true }
        )
        yield* settle
        server.peer.raw.write([Uint8Array.of(65, 10, 0xff, 10)])
        server.peer.raw.end()
        yield* settle
        assert.isDefined(closing.pollUnsafe())
      })
    ))

  it.effect("whom that makes call again fails at once, not behind those that wait, and leaves nothing", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const fibers = network.fibers
        const server = yield* script
        const scope = yield* Scope.make()
        const client = yield* Scope.provide(Client.make(lines(1), memory, { maxWaiting: 1 }), scope)
        const callers = new Callers(client)
        yield* Effect.forkChild(
          Effect.andThen(
            Effect.ignore(client.call("a")),
            Effect.andThen(callers.call("again"), callers.call("and again"))
          ),
          { startImmediately: true }
        )
        yield* callers.call("b")
        yield* settle
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* settle
        assert.deepStrictEqual(callers.settled, [["Closed none"], ["Closed none"], ["Closed none"]])
        server.peer.leave()
        yield* Fiber.join(closing)
        yield* settle
        assertNothingLeft(network, fibers)
      })
    ))

  it.effect("a server that does not end its side is left after linger", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const server = yield* script
        const scope = yield* Scope.make()
        yield* Scope.provide(Client.make(lines(1), memory, { linger: 500 }), scope)
        yield* settle
        const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
        yield* pass(499)
        assert.isUndefined(closing.pollUnsafe())
        yield* pass(1)
        assert.isDefined(closing.pollUnsafe())
        assert.isTrue(server.peer.ended)
      })
    ))
})
