/** What all connections of a server hold together never exceeds `maxBufferedBytes`. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Clock, Effect, Result, Schema } from "effect"
import { CloseReason, Codec, Endpoint, Framing, Protocol, Server, Transport } from "../src/index.ts"
import { ConnectionMachine } from "../src/internal/connectionMachine.ts"
import { settleDeadlines } from "../src/internal/deadlineOptions.ts"
import { Deadlines } from "../src/internal/deadlines.ts"
import { Inbox } from "../src/internal/inbox.ts"
import { dial, inWorld, line, pass, type Peer, serveConnection, serveText, settle } from "./support/network.ts"
import { int } from "./support/proxyArbitrary.ts"

const maxBytes = 200_000
const windowBytes = 65_536

/** A connection nobody reads, until the test does. */
class Held extends ConnectionMachine<Uint8Array, Uint8Array> {
  takenBytes = 0
  /** The peer ended, perhaps inside a frame, of which nothing is kept then. */
  isLeft = false
  /** What it holds, by the definition. */
  get expected(): number {
    const unsent = this.isClosed || this.reason?._tag === "OverLimit" ? 0 : this.raw.bytesUnsent
    return unsent + (this.reason === undefined && !this.isLeft ? this.bytesIn - this.takenBytes : 0)
  }
}

const codec = Framing.lines({ maxFrameBytes: 1_000_000, ending: "lf", unterminated: "reject" })

/** Listens with connections that are watched, and belong to nobody. */
const listen = Effect.gen(function*() {
  const peak = { bytes: 0 }
  const context = yield* Effect.context<never>()
  const deadlines = new Deadlines({
    settings: yield* settleDeadlines({}),
    maxBufferedBytes: maxBytes,
    lingerMillis: 0,
    clock: yield* Clock.Clock,
    fork: Effect.runForkWith(context),
    random: () => 0,
    onBuffered: (bytes) => void (peak.bytes = Math.max(peak.bytes, bytes))
  })
  const machines: Array<Held> = []
  const endpoint = Endpoint.memoryUnsafe("server")
  yield* Transport.Transport.use((transport) =>
    transport.listen(endpoint, {
      backlog: 10,
      onAccept: (raw) => {
        const machine = new Held(raw, codec)
        machines.push(machine)
        machine.onClosed = () => deadlines.ended(machine)
        deadlines.opened(machine, 0)
        raw.attach(machine)
        raw.resume()
      }
    })
  )
  return { deadlines, machines, peak }
})

const acts = ["part", "whole", "pull", "write", "read", "pause", "shutdown", "leave", "reset"] as const
const act = Arbitrary.all([
  int(0, 3),
  Arbitrary.schema(Schema.Literals([...acts, "part", "whole", "write"])),
  int(1, 60_000)
])

it.effect.prop(
  "whatever the peers and the readers do, and comes back to 0",
  { script: Arbitrary.array(act, { minLength: 5, maxLength: 40 }) },
  ({ script }) =>
    inWorld(() =>
      Effect.gen(function*() {
        const { deadlines, machines, peak } = yield* listen
        const peers: Array<Peer> = []
        for (let i = 0; i < 4; i++) peers.push(yield* dial)
        yield* settle
        for (const [index, what, size] of script) {
          const machine = machines[index] as Held // there are four
          const peer = peers[index] as Peer
          const others = machines.map(({ reason }) => reason)
          if (what === "part") peer.send("x".repeat(size))
          if (what === "whole") peer.send(`${"x".repeat(size - 1)}\n`)
          if (what === "read") peer.raw.resume()
          if (what === "pause") peer.raw.pause()
          if (what === "leave") {
            machine.isLeft = true
            peer.leave()
          }
          if (what === "reset") peer.raw.reset()
          if (what === "shutdown") machine.shutdown(CloseReason.closed)
          if (what === "write") {
            machine.offer(new Uint8Array(size))
            machine.flush()
          }
          if (what === "pull") {
            const taken = yield* Effect.timeoutOption(machine.pull, size % 2).pipe(
              Effect.catch(() => Effect.succeedNone),
              Effect.forkChild
            )
            yield* pass(1)
            const exit = taken.pollUnsafe()
            if (exit?._tag === "Success" && exit.value._tag === "Some") {
              for (const message of exit.value.value) machine.takenBytes += message.length + 1
            }
          }
          yield* settle
          const expected = machines.reduce((sum, machine) => sum + machine.expected, 0)
          const isExact = machines.every(({ isLeft, raw }) => raw.bytesUnsent === 0 && !isLeft)
          assert.isAtLeast(deadlines.bufferedBytes, expected, what)
          if (isExact) assert.strictEqual(deadlines.bufferedBytes, expected, what)
          assert.isAtMost(deadlines.bufferedBytes, maxBytes)
          machines.forEach(({ reason }, i) => {
            if (i !== index) assert.strictEqual(reason, others[i], "somebody else paid for it")
          })
        }
        assert.isAtMost(peak.bytes, maxBytes + windowBytes)
        for (const peer of peers) peer.raw.reset()
        yield* settle
        for (const machine of machines) machine.shutdown(CloseReason.closed)
        yield* settle
        assert.strictEqual(deadlines.bufferedBytes, 0)
        deadlines.stop()
      })
    ),
  { arbitrary: { runs: 150, size: 40 } }
)

describe("what is held", () => {
  it.effect("is nothing that waits for a peer who is gone", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { deadlines, machines } = yield* listen
        const client = yield* dial
        client.raw.pause()
        yield* settle
        machines[0]?.offer(new Uint8Array(windowBytes))
        machines[0]?.flush()
        assert.strictEqual(deadlines.bufferedBytes, 1) // the end of the line
        client.raw.reset()
        yield* settle
        assert.strictEqual(deadlines.bufferedBytes, 0)
        deadlines.stop()
      })
    ))

  it.effect("is nothing of a frame that the peer did not finish", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { deadlines } = yield* listen
        const client = yield* dial
        client.send("bcd")
        yield* settle
        assert.strictEqual(deadlines.bufferedBytes, 3)
        client.leave()
        yield* settle
        assert.strictEqual(deadlines.bufferedBytes, 0)
        deadlines.stop()
      })
    ))
})

describe("over maxBufferedBytes", () => {
  const over: CloseReason.CloseReason = { _tag: "OverLimit", limit: "maxBufferedBytes", max: 100_000 }

  it.effect("the connection that wants more ends; those that hold something live on", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { stats, told } = yield* serveText((text) => Effect.succeed(text), { maxBufferedBytes: 100_000 })
        const first = yield* dial
        const second = yield* dial
        const third = yield* dial
        first.send("x".repeat(60_000))
        yield* settle
        second.send("x".repeat(60_000))
        yield* settle
        const [, accepted] = told.of("Accepted")
        assert.deepStrictEqual(told.of("Ended").map(({ id, reason }) => [id, reason]), [[accepted?.id ?? 0, over]])
        assert.isTrue(second.ended)
        // What is answered at once holds nothing.
        third.send(`${"y".repeat(50_000)}\n`)
        first.send("\n")
        yield* settle
        assert.deepStrictEqual([first.heardBytes, third.heardBytes], [60_001, 50_001])
        assert.deepStrictEqual((yield* stats).endedBy, { OverLimit: 1 })
      })
    ))

  it.effect("what it held is free at once, before its socket is gone", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveText(
          (text) => Effect.succeed(text === "big" ? "x".repeat(90_000) : text),
          { maxBufferedBytes: 20_000 }
        )
        const first = yield* dial
        const second = yield* dial
        second.raw.pause()
        // More than a window, of which the peer takes nothing.
        second.send("big\n")
        first.send("x".repeat(10_000))
        yield* settle
        assert.deepStrictEqual(told.ends, ["maxBufferedBytes is 20000"])
        first.send("\n")
        yield* settle
        assert.strictEqual(first.heardBytes, 10_001)
      })
    ))

  it.effect("a peer that does not read its answers ends", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(
          (connection) => connection.write(Array(10).fill("x".repeat(60_000))),
          { maxBufferedBytes: 100_000 }
        )
        const client = yield* dial
        client.raw.pause()
        yield* pass(10)
        assert.deepStrictEqual(told.of("Ended").map(({ reason }) => reason), [over])
      })
    ))

  it.effect("a batch that no handler takes counts", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { told } = yield* serveConnection(() => Effect.never, { maxBufferedBytes: 100_000 })
        const clients = [yield* dial, yield* dial]
        for (const client of clients) client.send("x\n".repeat(30_000))
        yield* pass(10)
        assert.deepStrictEqual(told.of("Ended"), [])
        // The handler that never ends keeps its place, so the end is seen at the peer.
        assert.deepStrictEqual(clients.map(({ ended }) => ended), [false, true])
      })
    ))

  it.effect("an alarm comes before, and the limit can be changed", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const { setLimits, stats, told } = yield* serveText((text) => Effect.succeed(text), {
          maxBufferedBytes: 100_000
        })
        const client = yield* dial
        client.send("x".repeat(50_000))
        yield* settle
        client.send("x".repeat(40_000))
        yield* settle
        assert.deepStrictEqual(told.of("Alarm"), [
          { _tag: "Alarm", limit: "maxBufferedBytes", value: 90_000, max: 100_000 }
        ])
        assert.strictEqual((yield* stats).bufferedBytes, 90_000)
        yield* setLimits({ maxBufferedBytes: "unbounded" })
        client.send("x".repeat(9_000))
        yield* settle
        client.send("\n")
        yield* settle
        assert.strictEqual(client.heardBytes, 99_001)
        assert.strictEqual((yield* stats).bufferedBytes, 0)
      })
    ))
})

describe("bytes of a codec", () => {
  it("count until they are taken, and again when they are given back", () => {
    const inbox = new Inbox(codec)
    const decode = (text: string) => inbox.decode(new TextEncoder().encode(text))
    const held: Array<number> = []
    const steps: ReadonlyArray<() => unknown> = [
      () => decode("aa\nb"),
      () => decode("b\nccc"),
      () => inbox.give(),
      () => decode("c\nd"),
      () => inbox.takeBack(),
      () => inbox.give(),
      () => inbox.heard(),
      () => inbox.forget()
    ]
    for (const step of steps) {
      step()
      held.push(inbox.bytesHeld)
    }
    assert.deepStrictEqual(held, [4, 9, 3, 6, 12, 1, 1, 0])
  })

  it("do not count behind a decoder that threw, for nobody asks it again", () => {
    const inbox = new Inbox(
      Codec.map(Codec.mapResult(line, { decode: Result.succeed, encode: Result.succeed<string> }), {
        decode: (text) => text === "!" ? assert.fail("boom") : text,
        encode: (text: string) => text
      })
    )
    const taken: Array<string> = []
    inbox.decode(new TextEncoder().encode("a\n!\nb\nc"), taken)
    assert.deepStrictEqual([taken, inbox.failure?._tag, inbox.bytesHeld], [["a"], "HandlerFailed", 0])
  })

  it.effect("are not asked for while they are decoded, also where a large answer leaves", () =>
    inWorld(() =>
      Effect.gen(function*() {
        let isDecoding = false
        let asked = 0
        const watched: Codec.Codec<string> = {
          ...line,
          decoder: () => {
            const decoder = line.decoder()
            return {
              decode: (chunk, out) => {
                isDecoding = true
                const error = decoder.decode(chunk, out)
                isDecoding = false
                return error
              },
              end: (out) => decoder.end(out),
              get bytesBuffered() {
                if (isDecoding) asked++
                return decoder.bytesBuffered
              }
            }
          }
        }
        yield* Server.make(
          Protocol.make("large", { request: watched, response: line }),
          "memory:server",
          () => Effect.succeed("x".repeat(70_000))
        )
        const client = yield* dial
        client.send("a\n")
        yield* settle
        assert.deepStrictEqual([client.heardBytes, asked], [70_001, 0])
      })
    ))

  it.effect("do not count once they have become messages that were answered", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const told: Array<Server.Event> = []
        yield* Server.makeConnection(
          Codec.bytes,
          "memory:server",
          (connection) => Effect.forever(connection.pull),
          { maxBufferedBytes: 100_000, onEvent: (event) => void told.push(event) }
        )
        const client = yield* dial
        for (let i = 0; i < 10; i++) {
          client.send("x".repeat(60_000))
          yield* settle
        }
        assert.deepStrictEqual(told.filter(({ _tag }) => _tag === "Ended"), [])
        assert.strictEqual(line.maxFrameBytes, 100_000)
      })
    ))
})
