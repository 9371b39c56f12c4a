/** Every way a connection of a server can end: one event, one reason, at most one line in the log, and no other harm. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Data, Effect, type Scope } from "effect"
import { CloseReason, type Codec, Connection, Server } from "../src/index.ts"
import { sockets } from "./support/brokenTransport.ts"
import {
  dial,
  inWorld,
  line,
  type Logged,
  memory,
  pass,
  type Peer,
  serveConnection,
  serveText,
  settle,
  Text,
  Told
} from "./support/network.ts"

const boom = new Error("boom")

/** What a handler of requests does with each of them. */
const handle = (text: string): Effect.Effect<string, Error | Cause.Done> => {
  switch (text) {
    case "fail":
      return Effect.fail(boom)
    case "fail later":
      return Effect.delay(Effect.fail(boom), 1)
    case "die":
      return Effect.die(boom)
    case "throw":
      throw boom
    case "interrupt":
      return Effect.interrupt
    case "done":
      return Effect.fail(Cause.Done())
    case "unsayable":
      return Effect.succeed("two\nlines")
    default:
      return Effect.succeed(text)
  }
}

const failed = (cause: Cause.Cause<unknown>): CloseReason.CloseReason => CloseReason.fromCause(cause)

interface Ending {
  readonly act: (peer: Peer) => void
  readonly reason: CloseReason.CloseReason
  /** At which level it is news. */
  readonly level: "Debug" | "Warn" | "Error"
}

const says = (text: string, reason: CloseReason.CloseReason, level: Ending["level"]): Ending => ({
  act: (peer) => peer.send(text),
  reason,
  level
})

const endings: Readonly<Record<string, Ending>> = {
  "the peer ends": { act: (peer) => peer.raw.end(), reason: CloseReason.peerClosed, level: "Debug" },
  "the peer closes": { act: (peer) => peer.raw.destroy(), reason: CloseReason.peerClosed, level: "Debug" },
  "the peer resets": {
    act: (peer) => peer.raw.reset(),
    reason: { _tag: "PeerReset", code: "ECONNRESET" },
    level: "Debug"
  },
  "a frame is too large": says(
    "x".repeat(100_001),
    { _tag: "FrameTooLarge", bytes: 100_001, maxFrameBytes: 100_000, direction: "inbound" },
    "Warn"
  ),
  "a frame is corrupt": {
    act: (peer) => peer.raw.write([Uint8Array.of(0xff, 10)]),
    reason: { _tag: "FrameCorrupt", message: "1 bytes are not valid UTF-8", recoverable: true },
    level: "Warn"
  },
  "a frame is cut short": {
    act: (peer) => {
      peer.send("abc")
      peer.raw.end()
    },
    reason: { _tag: "FrameTruncated", bufferedBytes: 3 },
    level: "Warn"
  },
  "the handler fails": says("fail\n", failed(Cause.fail(boom)), "Error"),
  "the handler fails later": says("fail later\n", failed(Cause.fail(boom)), "Error"),
  "the handler dies": says("die\n", failed(Cause.die(boom)), "Error"),
  "the handler throws": says("throw\n", failed(Cause.die(boom)), "Error"),
  "the handler is interrupted": says("interrupt\n", CloseReason.interrupted, "Warn"),
  "the handler fails with the end of some other stream": says("done\n", failed(Cause.die(Cause.Done())), "Error"),
  "the response cannot be written": says(
    "unsayable\n",
    { _tag: "FrameCorrupt", message: "message would end at byte 3, where its terminator begins", recoverable: true },
    "Warn"
  )
}

/** What the log says of the ends of connections. */
const ofConnections = (logs: ReadonlyArray<Logged>) => logs.filter(({ annotations }) => "connection" in annotations)

const sameReason = (actual: CloseReason.CloseReason | undefined, expected: CloseReason.CloseReason): void => {
  // Causes are compared by what they hold: the fiber that was interrupted, and where from, is not in the contract.
  if (actual?._tag === "HandlerFailed" && expected._tag === "HandlerFailed") {
    assert.strictEqual(actual.message, expected.message)
    assert.deepStrictEqual(
      actual.cause.reasons.map((reason) => [reason._tag, Cause.squash(Cause.fromReasons([reason]))]),
      expected.cause.reasons.map((reason) => [reason._tag, Cause.squash(Cause.fromReasons([reason]))])
    )
  } else {
    assert.deepStrictEqual(actual, expected)
  }
}

describe("one end", () => {
  it.effect.each(Object.entries(endings))(
    "when %s",
    ([, { act, level, reason }]) =>
      inWorld(({ logs, network }) =>
        Effect.gen(function*() {
          const { told } = yield* serveText(handle)
          const other = yield* dial
          const client = yield* dial
          client.send("hello\n")
          yield* settle
          act(client)
          yield* pass(10)
          client.raw.end()
          yield* settle
          assert.strictEqual(told.of("Ended").length, 1)
          sameReason(told.of("Ended")[0]?.reason, reason)
          assert.deepStrictEqual(ofConnections(logs), [{
            level,
            message: CloseReason.format(reason),
            annotations: { connection: client.raw.id + 1, peer: "memory:client", reason: reason._tag }
          }])
          other.send("still here\n")
          yield* settle
          assert.strictEqual(other.heard, "still here\n")
          assert.strictEqual(network.open.size, 1)
        })
      )
  )
})

describe("of a handler that has the whole connection", () => {
  /** Serves one connection with the handler, lets the peer act, and tells the reason. */
  const reasonOf = <E>(
    handler: (connection: Connection.Connection<string>) => Effect.Effect<unknown, E, Scope.Scope>,
    act: (peer: Peer) => void = () => {}
  ) =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(handler)
        const client = yield* dial
        act(client)
        yield* settle
        client.raw.end()
        yield* pass(10)
        assert.strictEqual(told.of("Ended").length, 1)
        return told.of("Ended")[0]!.reason
      })
    )

  it.effect("that returns first: Closed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* reasonOf((connection) => connection.write(["hello"])), CloseReason.closed)
    }))

  it.effect("that returns when it has seen the peer's end: PeerClosed", () =>
    Effect.gen(function*() {
      const handler = (connection: Connection.Connection<string>) =>
        Connection.forEachBatch(connection, () => Effect.void)
      assert.deepStrictEqual(yield* reasonOf(handler), CloseReason.peerClosed)
    }))

  it.effect("from which the end of pull escapes: PeerClosed", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* reasonOf((connection) => Effect.forever(connection.pull)), CloseReason.peerClosed)
    }))

  it.effect("that returns without having noticed that the peer broke the connection: PeerReset", () =>
    Effect.gen(function*() {
      const reason = yield* reasonOf(() => Effect.sleep(10), (peer) => peer.raw.reset())
      assert.deepStrictEqual(reason, { _tag: "PeerReset", code: "ECONNRESET" })
    }))

  it.effect("that fails with the error of its connection: that reason", () =>
    Effect.gen(function*() {
      const handler = (connection: Connection.Connection<string>) =>
        Effect.raceFirst(Effect.forever(connection.pull), Effect.never)
      assert.deepStrictEqual(yield* reasonOf(handler, (peer) => peer.send("x".repeat(100_001))), {
        _tag: "FrameTooLarge",
        bytes: 100_001,
        maxFrameBytes: 100_000,
        direction: "inbound"
      })
    }))

  it.effect("that fails with the error of another connection: HandlerFailed", () =>
    Effect.gen(function*() {
      const error = new CloseReason.ConnectionError({ reason: { _tag: "PeerReset", code: "ECONNRESET" } })
      const handler = (connection: Connection.Connection<string>) =>
        Effect.andThen(Effect.ignore(Effect.forever(connection.pull)), Effect.fail(error))
      sameReason(yield* reasonOf(handler), failed(Cause.fail(error)))
      sameReason(yield* reasonOf(handler, (peer) => peer.raw.reset()), failed(Cause.fail(error)))
    }))

  it.effect("that fails with an error of the name Success: HandlerFailed", () =>
    inWorld(() =>
      Effect.gen(function*() {
        class Success extends Data.TaggedError("Success") {}
        const { told } = yield* serveText(() => new Success(), { linger: 0 })
        const client = yield* dial
        client.send("a\n")
        yield* settle
        const reason = told.of("Ended")[0]?.reason
        assert.isTrue(reason?._tag === "HandlerFailed" && !Cause.hasDies(reason.cause))
        assert.strictEqual(client.heard, "")
      })
    ))

  it.effect("that throws before there is an effect: HandlerFailed", () =>
    Effect.gen(function*() {
      const reason = yield* reasonOf(() => {
        throw boom
      })
      sameReason(reason, failed(Cause.die(boom)))
    }))

  it.effect("whose finalizer dies: HandlerFailed, whatever else ended it", () =>
    Effect.gen(function*() {
      const reason = yield* reasonOf(
        (connection) => Effect.andThen(Effect.addFinalizer(() => Effect.die(boom)), Effect.forever(connection.pull)),
        (peer) => peer.raw.reset()
      )
      assert.isTrue(reason._tag === "HandlerFailed" && Cause.hasDies(reason.cause))
    }))

  it.effect("that ended without an answer to a peer that has ended: the peer hears the end", () =>
    inWorld(() =>
      Effect.gen(function*() {
        yield* serveConnection(() => Effect.fail(boom))
        const client = yield* dial
        yield* settle
        assert.deepStrictEqual([client.heard, client.ended], ["", true])
      })
    ))
})

describe("a peer that does not end its side", () => {
  it.effect("keeps its place for the time of linger, and its reason", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection((connection) => connection.write(["bye"]), { linger: 500 })
        const client = yield* dial
        yield* pass(499)
        assert.deepStrictEqual([client.heard, client.ended, network.open.size, told.ends], ["bye\n", true, 1, []])
        yield* pass(1)
        assert.deepStrictEqual([network.open.size, told.ends], [0, ["closed by this side"]])
      })
    ))

  it.effect("and does not read is cut as WriteStalled, which is logged once", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(
          (connection) => Effect.ignore(Effect.timeoutOption(connection.write(Array(4).fill("x".repeat(50_000))), 10)),
          { linger: 500 }
        )
        const client = yield* dial
        client.raw.pause()
        yield* pass(600)
        assert.deepStrictEqual(told.ends, ["the peer did not read for 500 ms"])
        assert.deepStrictEqual(ofConnections(logs).map(({ level }) => level), ["Warn"])
      })
    ))

  it.effect("and does not read does not hide that the handler failed", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(
          (connection) =>
            Effect.andThen(
              Effect.timeoutOption(connection.write(Array(4).fill("x".repeat(50_000))), 10),
              Effect.fail(boom)
            ),
          { linger: 500 }
        )
        const client = yield* dial
        client.raw.pause()
        yield* pass(600)
        assert.deepStrictEqual(told.ends, ["the handler failed: boom"])
        assert.deepStrictEqual(ofConnections(logs).map(({ level }) => level), ["Error"])
      })
    ))

  it.effect("has one timer with all others like it, which nobody needs who has gone", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { timers } = network
        yield* serveText(handle, { linger: 500 })
        for (let i = 0; i < 5; i++) {
          const client = yield* dial
          client.leave()
          yield* pass(50)
          // One for all that linger, and one for all deadlines.
          assert.isAtMost(network.timers, timers + 2)
        }
        yield* pass(250)
        assert.isAtMost(network.timers, timers + 1)
        // The first deadline there was: nobody has one any more.
        yield* pass(60_000, 10_000)
        assert.strictEqual(network.timers, timers)
      })
    ))

  it.effect("is cut at once where linger is 0, one after the other", () =>
    inWorld(({ network }) =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection((connection) => connection.write(["bye"]), { linger: 0 })
        for (let i = 1; i <= 3; i++) {
          yield* dial
          yield* settle
          assert.deepStrictEqual([told.ends.length, network.open.size], [i, 0])
        }
      })
    ))
})

describe("a defect outside the handler", () => {
  const throwing = (at: "decoder" | "decode" | "end" | "encode"): Codec.Codec<string> => {
    const fail = (): never => {
      throw boom
    }
    const decoder = () => {
      const decoder = line.decoder()
      return {
        decode: at === "decode" ? fail : decoder.decode.bind(decoder),
        end: at === "end" ? fail : decoder.end.bind(decoder),
        bytesBuffered: 0
      }
    }
    return {
      ...line,
      decoder: at === "decoder" ? fail : decoder,
      encode: at === "encode" ? fail : line.encode
    }
  }

  it.effect.each(["decoder", "decode", "end", "encode"] as const)(
    "in the codec's %s ends that connection alone",
    (at) =>
      inWorld(({ logs }) =>
        Effect.gen(function*() {
          const told = new Told()
          let broken = true
          const codec: Codec.Codec<string> = {
            decoder: () => (broken ? throwing(at) : line).decoder(),
            encode: (message, writer) => (broken ? throwing(at) : line).encode(message, writer),
            maxFrameBytes: line.maxFrameBytes
          }
          yield* Server.makeConnection(
            codec,
            memory,
            (connection) => Connection.forEachBatch(connection, connection.write),
            { onEvent: (event) => void told.events.push(event) }
          )
          const client = yield* dial
          client.send("hello\n")
          client.raw.end()
          yield* settle
          assert.deepStrictEqual(told.ends, ["the handler failed: boom"])
          assert.deepStrictEqual(ofConnections(logs).map(({ level }) => level), ["Error"])
          broken = false
          const next = yield* dial
          next.send("hello\n")
          yield* settle
          assert.strictEqual(next.heard, "hello\n")
        })
      )
  )

  it.effect("in the write of a reply ends that connection alone", () =>
    Effect.gen(function*() {
      const told = new Told()
      yield* Server.make(Text, memory, (text) => Effect.succeed(text), {
        linger: 0,
        onEvent: (event) => void told.events.push(event)
      })
      const client = yield* dial
      client.send("hello\n")
      yield* settle
      assert.deepStrictEqual(told.ends, ["the handler failed: boom"])
    }).pipe(
      Effect.scoped,
      Effect.provide(sockets(() => ({}), () => ({
        write: () => {
          throw boom
        }
      })))
    ))

  it.effect("in onEvent is logged, and changes nothing", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        const server = yield* Server.makeConnection(
          line,
          memory,
          (connection) => Connection.forEachBatch(connection, connection.write),
          {
            onEvent: () => {
              throw boom
            }
          }
        )
        const client = yield* dial
        client.send("hello\n")
        client.raw.end()
        yield* settle
        assert.strictEqual(client.heard, "hello\n")
        assert.strictEqual((yield* server.stats).ended, 1)
        const mine = logs.filter(({ message }) => message === "onEvent threw")
        assert.deepStrictEqual(mine.map(({ level }) => level), ["Error", "Error", "Error"])
      })
    ))
})

describe("many ends", () => {
  it.effect("that peers can bring about are one warning a cooldown, which counts the others", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        yield* serveText(handle, { alarm: { cooldown: 1_000 } })
        const cut = Effect.gen(function*() {
          const client = yield* dial
          client.send("abc")
          client.raw.end()
          yield* settle
        })
        for (let i = 0; i < 20; i++) yield* cut
        yield* pass(999)
        yield* cut
        const warnings = () => ofConnections(logs).filter(({ level }) => level === "Warn").map(({ message }) => message)
        const text = "the stream ended 3 bytes into a frame"
        assert.deepStrictEqual(warnings(), [text])
        assert.strictEqual(ofConnections(logs).length, 21)
        yield* pass(1)
        yield* cut
        // Another reason is another line.
        const client = yield* dial
        client.send("x".repeat(100_001))
        client.raw.end()
        yield* pass(1_000)
        yield* cut
        assert.deepStrictEqual(warnings(), [
          text,
          `${text} (and 20 more of this kind since the last line)`,
          "inbound frame of 100001 bytes exceeds the limit of 100000 bytes",
          text
        ])
        assert.strictEqual(ofConnections(logs).length, 24)
      })
    ))

  it.effect("of silent peers are no news at all, and handlers that fail always are", () =>
    inWorld(({ logs }) =>
      Effect.gen(function*() {
        yield* serveText(handle, { linger: 0, deadlines: { firstFrame: 100 } })
        for (let i = 0; i < 5; i++) yield* dial
        for (let i = 0; i < 3; i++) (yield* dial).send("fail\n")
        yield* pass(200)
        const of = (tag: string) => ofConnections(logs).filter(({ annotations }) => annotations["reason"] === tag)
        assert.deepStrictEqual(of("IdleTimeout").map(({ level }) => level), Array(5).fill("Debug"))
        assert.deepStrictEqual(of("HandlerFailed").map(({ level }) => level), Array(3).fill("Error"))
      })
    ))
})
