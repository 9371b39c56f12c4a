/** Plain facts about connections, in memory and virtual time; what holds on every transport is in `ConnectionLaws`. */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, Layer, Result, Scheduler, Scope } from "effect"
import { TestClock } from "effect/testing"
import { CloseReason, Codec, Connection, Endpoint, Framing, MemoryTransport, Transport } from "../src/index.ts"
import * as internal from "../src/internal/connection.ts"
import { Outbox } from "../src/internal/outbox.ts"

const lines = Codec.text(Framing.lines({ maxFrameBytes: 100_000, ending: "lf", unterminated: "emit" }))

/** Enough turns of the event loop for memory to carry everything that is on its way. */
const settle = Effect.repeat(
  Effect.callback<void>((resume) => {
    setImmediate(() => resume(Effect.void))
  }),
  { times: 20 }
)

/** A raw socket that heard nothing but counts, and its peer, not opened yet. */
const sockets = Effect.gen(function*() {
  const transport = yield* MemoryTransport.make
  const endpoint = Endpoint.memoryUnsafe("here")
  const accepted: Array<Transport.RawSocket> = []
  yield* transport.listen(endpoint, { backlog: 1, onAccept: (raw) => accepted.push(raw) })
  const raw = yield* transport.connect(endpoint)
  const heard: Array<string> = []
  let bytes = 0
  raw.attach({
    onData: (chunk) => {
      bytes += chunk.length
    },
    onEnd: () => heard.push("end"),
    onDrain: () => heard.push("drain"),
    onClose: (code) => heard.push(`close ${code ?? "in peace"}`)
  })
  yield* settle
  return { peer: raw, raw: accepted[0]!, heard, bytes: () => bytes }
})

/** A raw socket that does nothing but write down what is asked of it. */
const recording = () => {
  const calls: Array<string> = []
  const endpoint = Endpoint.memoryUnsafe("here")
  const raw: Transport.RawSocket = {
    id: 1,
    local: endpoint,
    peer: endpoint,
    bytesUnsent: 0,
    attach: () => {},
    pause: () => {},
    resume: () => {},
    unshift: () => {},
    write: (segments) => {
      calls.push(`write ${segments.reduce((sum, segment) => sum + segment.length, 0)}`)
      return true
    },
    end: () => calls.push("end"),
    destroy: () => calls.push("destroy"),
    reset: () => calls.push("reset")
  }
  return { calls, raw }
}

const send = (raw: Transport.RawSocket, text: string) => raw.write([new TextEncoder().encode(text)])

const reasonOf = (exit: Exit.Exit<unknown, unknown> | undefined): unknown => {
  if (exit === undefined || Exit.isSuccess(exit)) return exit
  const error = Cause.squash(exit.cause)
  return error instanceof CloseReason.ConnectionError ? error.reason : Cause.isDone(error) ? "end" : error
}

describe("addresses", () => {
  it.effect("are the raw socket's, where nobody between the two sides knows better", () =>
    Effect.sync(() => {
      const { raw } = recording()
      const [local, peer] = [
        Endpoint.fromStringUnsafe("tcp://10.0.0.1:443"),
        Endpoint.fromStringUnsafe("tcp://1.2.3.4:5")
      ]
      const names = (addresses?: internal.Addresses) => {
        const machine = internal.open(raw, lines, addresses)
        return [machine.local, machine.peer].map(Endpoint.format)
      }
      assert.deepStrictEqual(names(), ["memory:here", "memory:here"])
      assert.deepStrictEqual(names({ peer }), ["memory:here", "tcp://1.2.3.4:5"])
      assert.deepStrictEqual(names({ local, peer }), ["tcp://10.0.0.1:443", "tcp://1.2.3.4:5"])
    }))
})

describe("connect", () => {
  it.effect("a text that is no endpoint", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Connection.connect("nowhere", lines))
      assert.strictEqual(error._tag, "EndpointError")
    }).pipe(Effect.provide(MemoryTransport.layer)))

  it.effect("a dial that takes too long is abandoned", () =>
    Effect.gen(function*() {
      let abandoned = false
      const silent = Layer.succeed(Transport.Transport, {
        connect: () =>
          Effect.onInterrupt(Effect.never, () =>
            Effect.sync(() => {
              abandoned = true
            })),
        listen: () => Effect.never
      })
      const dial = Connection.connect("memory:here", lines, { connectTimeout: "3 seconds" }).pipe(
        Effect.flip,
        Effect.provide(silent)
      )
      const fiber = yield* Effect.forkChild(dial, { startImmediately: true })
      yield* TestClock.adjust("2999 millis")
      assert.isUndefined(fiber.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      const endpoint = Endpoint.memoryUnsafe("here")
      assert.deepStrictEqual(
        yield* Fiber.join(fiber),
        new Transport.ConnectError({ endpoint, reason: "TimedOut", code: "ETIMEDOUT" })
      )
      assert.isTrue(abandoned)
    }))
})

describe("linger", () => {
  const open = Effect.fnUntraced(function*() {
    const stage = yield* sockets
    const scope = yield* Scope.make()
    const connection = yield* Scope.provide(
      Connection.fromRawSocket(stage.raw, lines, { linger: "3 seconds" }),
      scope
    )
    return { ...stage, connection, scope }
  })

  it.effect("a peer that does not end is cut when the time is up", () =>
    Effect.gen(function*() {
      const { heard, peer, scope } = yield* open()
      peer.resume()
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      yield* settle
      assert.deepStrictEqual(heard, ["end"])
      yield* TestClock.adjust("2999 millis")
      yield* settle
      assert.isUndefined(closing.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* settle
      assert.isDefined(closing.pollUnsafe())
      send(peer, "too late")
      yield* settle
      assert.deepStrictEqual(heard, ["end", "close EPIPE"])
    }))

  it.effect("a peer that ends is waited for no longer", () =>
    Effect.gen(function*() {
      const { heard, peer, scope } = yield* open()
      peer.resume()
      const closing = yield* Effect.forkChild(Scope.close(scope, Exit.void), { startImmediately: true })
      peer.end()
      yield* settle
      assert.isDefined(closing.pollUnsafe())
      assert.deepStrictEqual(heard, ["end", "close in peace"])
    }))

  it.effect("an owner that is interrupted lingers too", () =>
    Effect.gen(function*() {
      const { bytes, heard, peer, raw } = yield* sockets
      const owner = yield* Effect.forkChild(
        Effect.scoped(Effect.gen(function*() {
          const connection = yield* Connection.fromRawSocket(raw, lines, { linger: "3 seconds" })
          yield* Effect.forkChild(connection.write(["x".repeat(99_999)]), { startImmediately: true })
          return yield* Effect.never
        })),
        { startImmediately: true }
      )
      owner.interruptUnsafe()
      peer.resume()
      yield* settle
      assert.deepStrictEqual([bytes(), heard], [100_000, ["end"]])
      assert.isUndefined(owner.pollUnsafe())
      yield* TestClock.adjust("3 seconds")
      yield* settle
      assert.isDefined(owner.pollUnsafe())
    }))
})

describe("reading", () => {
  it.effect("batches run until the peer's end", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
      const batches: Array<ReadonlyArray<string>> = []
      const reading = yield* Effect.forkChild(
        Connection.forEachBatch(connection, (batch) => Effect.sync(() => batches.push(batch))),
        { startImmediately: true }
      )
      send(peer, "one\ntwo\nth")
      yield* settle
      send(peer, "ree\nlast")
      peer.end()
      yield* Fiber.join(reading)
      assert.deepStrictEqual(batches, [["one", "two"], ["three"], ["last"]])
      assert.deepStrictEqual([connection.messagesIn, connection.bytesIn], [4, 18])
    }))

  it.effect("a failing batch ends the loop with its failure", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
      send(peer, "one\n")
      const error = yield* Effect.flip(Connection.forEachBatch(connection, () => Effect.fail("no")))
      assert.strictEqual(error, "no")
    }))

  it.effect("nothing is read ahead but one batch", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
      for (let i = 0; i < 3; i++) {
        send(peer, `${i}\n`)
        yield* settle
      }
      assert.deepStrictEqual([connection.bytesIn, yield* connection.pull], [2, ["0"]])
      assert.deepStrictEqual(yield* connection.pull, ["1", "2"])
    }))

  it.effect("the last message is taken before the peer's end is", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const machine = internal.open(raw, lines)
      send(peer, "last")
      peer.end()
      yield* settle
      assert.isFalse(machine.peerEnded)
      assert.deepStrictEqual(yield* machine.pull, ["last"])
      assert.isTrue(machine.peerEnded)
      assert.strictEqual(reasonOf(yield* Effect.exit(machine.pull)), "end")
    }))

  it.effect("an end that is told early is heard in its turn", () =>
    Effect.gen(function*() {
      const { raw } = yield* sockets
      const machine = internal.open(raw, lines)
      // Node may tell the end of a socket that is paused.
      machine.onData(Uint8Array.of(0x61, 0x0a, 0xff, 0x0a, 0x62))
      machine.onEnd()
      assert.deepStrictEqual(yield* machine.pull, ["a"])
      const error = reasonOf(yield* Effect.exit(machine.pull))
      assert.strictEqual((error as CloseReason.CloseReason)._tag, "FrameCorrupt")
      assert.deepStrictEqual(yield* machine.pull, ["b"])
      assert.strictEqual(reasonOf(yield* Effect.exit(machine.pull)), "end")
    }))

  it.effect("an error that nobody has heard yet is not overtaken by what arrives", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
      const pull = yield* Effect.forkChild(connection.pull, { startImmediately: true })
      peer.write([Uint8Array.of(0x61, 0x0a, 0xff, 0x0a)])
      assert.deepStrictEqual(yield* Fiber.join(pull), ["a"])
      send(peer, "b\n")
      yield* settle
      const error = reasonOf(yield* Effect.exit(connection.pull))
      assert.strictEqual((error as CloseReason.CloseReason)._tag, "FrameCorrupt")
      assert.deepStrictEqual(yield* connection.pull, ["b"])
    }))

  it.effect("a bad last message is told, and then the end", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
      peer.write([Uint8Array.of(0x61, 0x0a, 0xff)])
      peer.end()
      assert.deepStrictEqual(yield* connection.pull, ["a"])
      const error = reasonOf(yield* Effect.exit(connection.pull))
      assert.deepStrictEqual(error, {
        _tag: "FrameCorrupt",
        message: "1 bytes are not valid UTF-8",
        recoverable: true
      })
      assert.strictEqual(reasonOf(yield* Effect.exit(connection.pull)), "end")
    }))

  it.effect("a decoder is asked for its end until it has no more to say", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      let ends = 0
      const chatty: Codec.Codec<string> = {
        ...lines,
        decoder: () => ({
          decode: () => undefined,
          end: (out) => {
            ends++
            if (ends === 1) return { _tag: "FrameCorrupt", message: "bad", recoverable: true }
            if (ends === 2) out.push("last")
            if (ends === 3) throw new Error("asked again")
            return undefined
          },
          bytesBuffered: 0
        })
      }
      const connection = yield* Connection.fromRawSocket(raw, chatty, { linger: 0 })
      peer.end()
      yield* settle
      assert.strictEqual(
        (reasonOf(yield* Effect.exit(connection.pull)) as CloseReason.CloseReason)._tag,
        "FrameCorrupt"
      )
      assert.deepStrictEqual(yield* connection.pull, ["last"])
      for (let i = 0; i < 2; i++) assert.strictEqual(reasonOf(yield* Effect.exit(connection.pull)), "end")
    }))

  it.effect("a decoder that throws at the end breaks its connection", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const decoder = () => ({ ...lines.decoder(), decode: () => undefined, end: () => assert.fail("no end") })
      const connection = yield* Connection.fromRawSocket(raw, { ...lines, decoder }, { linger: 0 })
      peer.end()
      for (let i = 0; i < 2; i++) {
        const reason = reasonOf(yield* Effect.exit(connection.pull))
        assert.strictEqual((reason as CloseReason.CloseReason)._tag, "HandlerFailed")
      }
    }))

  it.effect("a reset after the peer's end takes nothing away", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
      send(peer, "one\n")
      peer.end()
      yield* settle
      assert.deepStrictEqual(yield* connection.pull, ["one"])
      assert.strictEqual(reasonOf(yield* Effect.exit(connection.pull)), "end")
      peer.reset()
      yield* settle
      assert.strictEqual(reasonOf(yield* Effect.exit(connection.pull)), "end")
      const written = reasonOf(yield* Effect.exit(connection.write(["x"])))
      assert.deepStrictEqual(written, { _tag: "PeerReset", code: "ECONNRESET" })
    }))

  it.effect("a codec that makes no decoder breaks its connection at the first byte", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const broken = {
        ...lines,
        decoder: (): Codec.Decoder<string> => {
          throw new Error("no decoder")
        }
      }
      const connection = yield* Connection.fromRawSocket(raw, broken, { linger: 0 })
      const pull = yield* Effect.forkChild(Effect.exit(connection.pull), { startImmediately: true })
      yield* settle
      assert.isUndefined(pull.pollUnsafe())
      send(peer, "x")
      for (const exit of [yield* Fiber.join(pull), yield* Effect.exit(connection.pull)]) {
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.strictEqual(String(error), "ConnectionError: the handler failed: no decoder")
      }
    }))
})

describe("writing", () => {
  it.effect("those who wait go on in the order of their coming", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const connection = yield* Connection.fromRawSocket(raw, Codec.bytes, { linger: 0 })
      const order: Array<number> = []
      const fibers = []
      for (let i = 0; i < 5; i++) {
        const write = Effect.andThen(
          connection.write([new Uint8Array(70_000).fill(i)]),
          Effect.sync(() => order.push(i))
        )
        fibers.push(yield* Effect.forkChild(write, { startImmediately: true }))
      }
      yield* settle
      assert.deepStrictEqual([order, connection.bytesOut], [[], 70_000])
      // One that gives up does not hold up the others, and what it did not start is not sent.
      yield* Fiber.interrupt(fibers[2]!)
      peer.resume()
      yield* settle
      assert.deepStrictEqual([order, connection.bytesOut], [[0, 1, 3, 4], 4 * 70_000])
    }))

  it.effect("a batch leaves in one write, and what an encoder left half done does not leave", () =>
    Effect.gen(function*() {
      const { calls, raw } = recording()
      const codec: Codec.Codec<Uint8Array, Uint8Array | "half" | "refused half"> = {
        ...Codec.bytes,
        encode: (message, writer) => {
          if (message === "half") {
            writer.bytes(new Uint8Array(5000))
            writer.text("half")
            throw new Error("in the middle")
          }
          if (message === "refused half") {
            writer.text("half")
            return { _tag: "FrameCorrupt", message: "no", recoverable: true }
          }
          writer.bytes(message)
          return undefined
        }
      }
      const machine = internal.open(raw, codec)
      const small = new Uint8Array(10)
      const large = new Uint8Array(5000)
      yield* machine.write([small, large, small])
      for (const bad of ["half", "refused half"] as const) {
        yield* Effect.exit(machine.write([small, large, small, bad, large]))
        yield* Effect.exit(machine.write([bad]))
      }
      yield* machine.write([small])
      assert.deepStrictEqual(calls, ["write 5020", "write 5020", "write 5020", "write 10"])
      assert.deepStrictEqual([machine.bytesOut, machine.bytesOffered, machine.messagesOut], [15_070, 15_070, 10])
    }))

  it.effect("64 KiB leave before the batch is over", () =>
    Effect.gen(function*() {
      const { raw } = yield* sockets
      const machine = internal.open(raw, Codec.bytes)
      for (let i = 0; i < 17; i++) machine.offer(new Uint8Array(4096))
      assert.deepStrictEqual([machine.bytesOut, machine.bytesOffered], [65_536, 69_632])
      machine.flushSoon()
      machine.flushSoon()
      yield* settle
      assert.deepStrictEqual([machine.bytesOut, machine.bytesTaken, machine.isBlocked], [69_632, 65_536, true])
      machine.offer(new Uint8Array(1))
      machine.flushSoon()
      yield* settle
      assert.strictEqual(machine.bytesOut, 69_633)
    }))

  it.effect("a writer that gave up is forgotten", () =>
    Effect.gen(function*() {
      const outbox = new Outbox(recording().raw, Codec.bytes)
      const parked = Effect.callback<void, CloseReason.ConnectionError>((resume) => outbox.park(resume))
      const fiber = yield* Effect.forkChild(parked, { startImmediately: true })
      assert.isTrue(outbox.hasParked)
      yield* Fiber.interrupt(fiber)
      assert.isFalse(outbox.hasParked)
    }))

  it.effect("the end is said once, and nothing is written to a socket that is gone", () =>
    Effect.gen(function*() {
      const { calls, raw } = recording()
      const machine = internal.open(raw, Codec.bytes)
      yield* machine.write([new Uint8Array(1)])
      yield* machine.finish
      yield* machine.finish
      machine.shutdown(CloseReason.closed)
      machine.abort(CloseReason.closed)
      assert.deepStrictEqual(calls, ["write 1", "end", "destroy"])
      const other = recording()
      const gone = internal.open(other.raw, Codec.bytes)
      gone.onClose("ECONNRESET")
      gone.offer(new Uint8Array(1))
      gone.flush()
      gone.abort(CloseReason.closed)
      assert.deepStrictEqual([other.calls, gone.bytesOut, gone.bytesOffered], [[], 0, 0])
    }))
})

describe("drain", () => {
  const frames = Codec.text(Framing.lines({ maxFrameBytes: 100, ending: "lf", unterminated: "reject" }))

  it.effect("between frames the reader ends at once", () =>
    Effect.gen(function*() {
      const { raw } = yield* sockets
      const machine = internal.open(raw, frames)
      const pull = yield* Effect.forkChild(Effect.exit(machine.pull), { startImmediately: true })
      const drained = yield* Effect.forkChild(machine.awaitDrain, { startImmediately: true })
      const interrupted = yield* Effect.forkChild(machine.awaitDrain, { startImmediately: true })
      yield* Fiber.interrupt(interrupted)
      assert.isUndefined(drained.pollUnsafe())
      machine.drain()
      yield* Fiber.join(drained)
      yield* machine.awaitDrain
      assert.strictEqual(reasonOf(yield* Fiber.join(pull)), "end")
      assert.strictEqual(reasonOf(yield* Effect.exit(machine.pull)), "end")
    }))

  it.effect("what has arrived comes first, and a frame that has begun is waited for", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const machine = internal.open(raw, frames)
      send(peer, "one\ntw")
      yield* settle
      machine.drain()
      assert.deepStrictEqual(yield* machine.pull, ["one"])
      const pull = yield* Effect.forkChild(machine.pull, { startImmediately: true })
      yield* settle
      assert.isUndefined(pull.pollUnsafe())
      send(peer, "o\nthree\n")
      assert.deepStrictEqual(yield* Fiber.join(pull), ["two", "three"])
      send(peer, "four\n")
      yield* settle
      assert.strictEqual(reasonOf(yield* Effect.exit(machine.pull)), "end")
      yield* machine.write(["bye"])
    }))

  it.effect("a frame that has begun and turns out bad is the last, too", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const refusing = Codec.mapResult(lines, {
        decode: (text) => text === "!" ? Result.fail("no") : Result.succeed(text),
        encode: (text: string) => Result.succeed(text)
      })
      const machine = internal.open(raw, refusing)
      send(peer, "!")
      yield* settle
      machine.drain()
      const pull = yield* Effect.forkChild(Effect.exit(machine.pull), { startImmediately: true })
      send(peer, "\n")
      const error = reasonOf(yield* Fiber.join(pull))
      assert.deepStrictEqual(error, { _tag: "FrameCorrupt", message: "no", recoverable: true })
      assert.strictEqual(reasonOf(yield* Effect.exit(machine.pull)), "end")
    }))
})

describe("ending", () => {
  it.effect("the reason is the first one, and told once when the socket is gone", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const machine = internal.open(raw, lines)
      let closed = 0
      machine.onClosed = () => {
        closed++
      }
      machine.shutdown(CloseReason.peerClosed)
      machine.shutdown(CloseReason.drained)
      assert.deepStrictEqual([machine.reason, closed, machine.isClosed], [CloseReason.peerClosed, 0, false])
      peer.resume()
      peer.end()
      yield* settle
      machine.abort(CloseReason.forcedByDrain)
      assert.deepStrictEqual([machine.reason, closed, machine.isClosed], [CloseReason.peerClosed, 1, true])
    }))

  it.effect("one that is ending already goes on reading through a drain, for the peer's end", () =>
    Effect.gen(function*() {
      const { heard, peer, raw } = yield* sockets
      const machine = internal.open(raw, lines)
      machine.shutdown(CloseReason.closed)
      machine.drain()
      peer.resume()
      send(peer, "late\n")
      peer.end()
      yield* settle
      assert.deepStrictEqual([machine.isClosed, heard], [true, ["end", "close in peace"]])
    }))

  it.effect("a socket that went by itself is told when the reason is known", () =>
    Effect.gen(function*() {
      const { peer, raw } = yield* sockets
      const machine = internal.open(raw, lines)
      let closed = 0
      machine.onClosed = () => {
        closed++
      }
      peer.reset()
      yield* settle
      assert.deepStrictEqual([machine.reason, machine.lost, closed], [
        undefined,
        { _tag: "PeerReset", code: "ECONNRESET" },
        0
      ])
      machine.shutdown(CloseReason.closed)
      machine.shutdown(CloseReason.closed)
      assert.strictEqual(closed, 1)
    }))

  it.effect("aborting loses what did not leave, and then a peaceful reason is no longer true", () =>
    Effect.gen(function*() {
      const reasons = []
      for (const size of [10, 100_000]) {
        const { bytes, peer, raw } = yield* sockets
        const machine = internal.open(raw, Codec.bytes)
        machine.offer(new Uint8Array(size))
        machine.shutdown(CloseReason.peerClosed)
        machine.abort(CloseReason.forcedByDrain)
        peer.resume()
        yield* settle
        reasons.push([machine.reason?._tag, bytes()])
      }
      assert.deepStrictEqual(reasons, [["PeerClosed", 10], ["ForcedByDrain", 65_536]])
    }))

  it.effect("what arrives after the shutdown is thrown away", () =>
    Effect.gen(function*() {
      const { heard, peer, raw } = yield* sockets
      const machine = internal.open(raw, lines)
      send(peer, "one\n")
      yield* settle
      machine.shutdown(CloseReason.closed)
      peer.resume()
      for (let i = 0; i < 10; i++) {
        send(peer, "x".repeat(65_536))
        yield* settle
      }
      peer.end()
      yield* settle
      const exit = yield* Effect.result(machine.pull)
      assert.isTrue(Result.isFailure(exit))
      assert.deepStrictEqual([machine.bytesIn, heard.at(-1)], [4 + 10 * 65_536, "close in peace"])
    }))
})

describe("a fiber that yields after each of its steps", () => {
  class Stepping extends Scheduler.MixedScheduler {
    private asked: number

    constructor(phase: number) {
      super()
      this.asked = phase
    }

    /** Two steps lead back to where it yielded and past it. */
    override shouldYield(): boolean {
      this.asked++
      return this.asked % 3 === 0
    }
  }

  /** Starts an effect and lets it do a third of these steps, in the phase of the number. */
  const after = Effect.fnUntraced(function*<A, E>(steps: number, effect: Effect.Effect<A, E>) {
    const fiber = yield* Effect.forkChild(effect, { startImmediately: true }).pipe(
      Effect.provideService(Scheduler.Scheduler, new Stepping(steps))
    )
    for (let i = 0; i < Math.floor(steps / 3); i++) {
      yield* Effect.callback<void>((resume) => {
        setImmediate(() => resume(Effect.void))
      })
    }
    return fiber
  })

  const ended = Effect.fnUntraced(function*<A, E>(fiber: Fiber.Fiber<A, E>) {
    yield* settle
    yield* settle
    return fiber.pollUnsafe()
  })

  /** More than any of the operations has, in each of the three phases. */
  const steps = Array.from({ length: 36 }, (_, i) => i)
  const one = ["one"]

  it.effect("misses nothing that comes between its steps", () =>
    Effect.gen(function*() {
      for (const step of steps) {
        const { peer, raw } = yield* sockets
        const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
        const pull = yield* after(step, connection.pull)
        send(peer, "one\n")
        assert.deepStrictEqual([step, yield* ended(pull)], [step, Exit.succeed(one)])
        const end = yield* after(step, connection.pull)
        peer.end()
        assert.deepStrictEqual([step, reasonOf(yield* ended(end))], [step, "end"])
      }
    }))

  it.effect("is told of a close between its steps", () =>
    Effect.gen(function*() {
      for (const step of steps) {
        const { raw } = yield* sockets
        const machine = internal.open(raw, lines)
        const pull = yield* after(step, machine.pull)
        const write = yield* after(step, machine.write(["x".repeat(99_999)]))
        machine.shutdown(CloseReason.drained)
        assert.deepStrictEqual([step, reasonOf(yield* ended(pull)), reasonOf(yield* ended(write))], [
          step,
          CloseReason.drained,
          CloseReason.drained
        ])
      }
    }))

  it.effect("goes on writing when the peer reads between its steps", () =>
    Effect.gen(function*() {
      for (const step of steps) {
        const { bytes, peer, raw } = yield* sockets
        const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
        const write = yield* after(step, connection.write(["x".repeat(99_999)]))
        peer.resume()
        assert.deepStrictEqual([step, yield* ended(write), bytes()], [step, Exit.void, 100_000])
      }
    }))

  it.effect("can be interrupted between its steps, and what it did not get comes again", () =>
    Effect.gen(function*() {
      for (const step of steps) {
        const { peer, raw } = yield* sockets
        const connection = yield* Connection.fromRawSocket(raw, lines, { linger: 0 })
        peer.write([Uint8Array.of(0x61, 0x0a, 0xff, 0x0a, 0x62, 0x0a)])
        yield* settle
        const seen: Array<unknown> = []
        for (const wait of [step, 150, step, 151, step, 152]) {
          const pull = yield* after(wait, connection.pull)
          pull.interruptUnsafe()
          const exit = yield* ended(pull)
          if (exit !== undefined && Exit.isSuccess(exit)) seen.push(...exit.value)
          else if (exit !== undefined && !Cause.hasInterruptsOnly(exit.cause)) {
            seen.push((reasonOf(exit) as CloseReason.CloseReason)._tag)
          }
        }
        assert.deepStrictEqual([step, ...seen], [step, "a", "FrameCorrupt", "b"])
      }
    }))

  it.effect("gets nothing back that a close took away", () =>
    Effect.gen(function*() {
      for (const step of steps) {
        const { peer, raw } = yield* sockets
        const machine = internal.open(raw, lines)
        send(peer, "one\n")
        yield* settle
        const pull = yield* after(step, machine.pull)
        machine.shutdown(CloseReason.drained)
        pull.interruptUnsafe()
        yield* ended(pull)
        assert.deepStrictEqual([step, reasonOf(yield* Effect.exit(machine.pull))], [step, CloseReason.drained])
      }
    }))
})
