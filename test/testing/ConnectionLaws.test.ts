/**
 * Every law can fail: each of these transports and connections has one bug, and one law that says what it is.
 */
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, type Layer, Semaphore } from "effect"
import { MemoryTransport, type Transport } from "../../src/index.ts"
import { ConnectionLaws, type Law } from "../../src/testing/index.ts"
import * as Broken from "../support/brokenTransport.ts"

type Wrap = NonNullable<ConnectionLaws.Spec["wrap"]>

interface Planted {
  readonly bug: string
  readonly law: keyof typeof ConnectionLaws.laws
  /** What the law says, or its beginning. */
  readonly says: string
  readonly layer?: Layer.Layer<Transport.Transport>
  readonly wrap?: Wrap
}

/** Hands each chunk over when the next one comes. */
const swapping = Broken.hearing((handler) => {
  const held: Array<Uint8Array> = []
  return {
    onData: (chunk) => {
      if (held.push(chunk) === 2) { for (const next of held.splice(0).reverse()) handler.onData(next) }
    },
    onEnd: () => {
      for (const next of held.splice(0)) handler.onData(next)
      handler.onEnd()
    }
  }
})

/** Counts calls. */
const nth = (n: number) => {
  let calls = 0
  return () => ++calls === n
}

const planted: ReadonlyArray<Planted> = [
  {
    bug: "loses a byte",
    law: "order",
    says: "the reading of the server failed: byte 131072 is not the one that was written there",
    layer: Broken.sockets(Broken.hearing((handler) => {
      const third = nth(3)
      return { onData: (chunk) => handler.onData(third() ? chunk.subarray(1) : chunk) }
    }))
  },
  {
    bug: "doubles a chunk",
    law: "order",
    says: "the reading of the server failed: byte 196608 is not the one that was written there",
    layer: Broken.sockets(Broken.hearing((handler) => {
      const third = nth(3)
      return {
        onData: (chunk) => {
          if (third()) handler.onData(chunk.slice())
          handler.onData(chunk)
        }
      }
    }))
  },
  {
    bug: "swaps chunks",
    law: "order",
    says: "the reading of the server failed: byte 0 is not the one that was written there",
    layer: Broken.sockets(swapping)
  },
  {
    bug: "loses the last chunk",
    law: "order",
    says: "the reading of the server failed: it read 6225920 of 6291456 bytes and the end",
    layer: Broken.sockets(Broken.hearing((handler) => {
      let held: Uint8Array | undefined = undefined
      return {
        onData: (chunk) => {
          if (held !== undefined) handler.onData(held)
          held = chunk
        }
      }
    }))
  },
  {
    bug: "forgets the end",
    law: "halfClose",
    says: "the reading of the server did not come",
    layer: Broken.sockets(() => ({ end() {} }))
  },
  {
    bug: "ends both ways when the peer ends one",
    law: "halfClose",
    says: "writing after the peer's end failed: ",
    layer: Broken.sockets(Broken.hearing((handler, raw) => ({
      onEnd: () => {
        raw.end()
        handler.onEnd()
      }
    })))
  },
  {
    bug: "tells the end twice",
    law: "halfClose",
    says: "a raw socket broke its contract: onEnd came twice",
    layer: Broken.sockets(Broken.hearing((handler) => ({
      onEnd: () => {
        handler.onEnd()
        handler.onEnd()
      }
    })))
  },
  {
    bug: "tells the end before the last data",
    law: "halfClose",
    says: "the reading of the server failed: it read 458752 of 500005 bytes and the end",
    layer: Broken.sockets(Broken.hearing((handler) => {
      let held: Uint8Array | undefined = undefined
      return {
        onData: (chunk) => {
          if (held !== undefined) handler.onData(held)
          held = chunk
        },
        onEnd: () => {
          handler.onEnd()
          if (held !== undefined) handler.onData(held)
        }
      }
    }))
  },
  {
    bug: "never says wait",
    law: "backpressure",
    says: "the client wrote 8454144 bytes to a peer that does not read, and never had to wait",
    layer: Broken.sockets((raw) => ({
      write: (segments) => {
        raw.write(segments)
        return true
      }
    }))
  },
  {
    bug: "says wait too late",
    law: "backpressure",
    says: "the raw socket of a writer that waits holds",
    layer: Broken.sockets((raw) => ({ write: (segments) => raw.write(segments) || raw.bytesUnsent < 4_000_000 }))
  },
  {
    bug: "never drains",
    law: "backpressure",
    says: "the writer that waited did not come",
    layer: Broken.sockets(Broken.hearing(() => ({ onDrain() {} })))
  },
  {
    bug: "does not pause",
    law: "backpressure",
    says: "the client wrote 8454144 bytes to a peer that does not read, and never had to wait",
    layer: Broken.sockets(() => ({ pause() {} }))
  },
  {
    bug: "pauses late",
    law: "backpressure",
    says: "a raw socket broke its contract: onData came while paused",
    layer: Broken.sockets((raw) => ({ pause: () => queueMicrotask(() => raw.pause()) }))
  },
  {
    bug: "drains no more after the end",
    law: "finish",
    says: "the writer that waited when its side was finished did not come",
    layer: Broken.sockets((raw) => {
      let ended = false
      return {
        ...Broken.hearing((handler) => ({ onDrain: () => ended ? undefined : handler.onDrain() }))(raw),
        end: () => {
          ended = true
          raw.end()
        }
      }
    })
  },
  {
    bug: "drains inside write",
    law: "order",
    says: "a raw socket broke its contract: onDrain came inside write",
    layer: Broken.sockets((raw) => {
      let handler: Transport.RawHandler | undefined = undefined
      return {
        attach: (given) => {
          handler = given
          raw.attach(given)
        },
        write: (segments) => {
          raw.write(segments)
          handler?.onDrain()
          return true
        }
      }
    })
  },
  {
    bug: "sends later what it says has left",
    law: "order",
    says: "the reading of the server failed: byte 0 is not the one that was written there",
    layer: Broken.sockets((raw) => ({
      write: (segments) => {
        queueMicrotask(() => raw.write(segments))
        return true
      },
      end: () => queueMicrotask(() => raw.end())
    }))
  },
  {
    bug: "keeps the last segment for later, and says that it has left",
    law: "order",
    says: "the reading of the server failed: byte 0 is not the one that was written there",
    layer: Broken.sockets((raw) => ({
      write: (segments) => {
        const more = raw.write(segments.slice(0, -1))
        queueMicrotask(() => raw.write(segments.slice(-1)))
        return more
      },
      end: () => queueMicrotask(() => raw.end())
    }))
  },
  {
    bug: "gives a Buffer",
    law: "order",
    says: "a raw socket broke its contract: onData came with a Buffer",
    layer: Broken.sockets(Broken.hearing((handler) => ({ onData: (chunk) => handler.onData(Buffer.from(chunk)) })))
  },
  {
    bug: "writes message by message",
    law: "batch",
    says: "instead of message 1 of batch",
    wrap: (connection) =>
      Broken.wrapped(connection, {
        write: (batch) =>
          Effect.forEach(batch, (message) => Effect.andThen(Effect.yieldNow, connection.write([message])), {
            discard: true
          })
      })
  },
  {
    bug: "drops what an interrupted pull had taken",
    law: "interruptedPull",
    says: "with interrupted pulls, ",
    wrap: (connection) =>
      Broken.wrapped(connection, {
        pull: Effect.flatMap(connection.pull, (batch) => Effect.as(Effect.yieldNow, batch))
      })
  },
  {
    bug: "stops in the middle of an interrupted write",
    law: "interruptedWrite",
    says: "of ",
    wrap: (connection) =>
      Broken.wrapped(connection, {
        write: (batch) =>
          Effect.forEach(batch, (message) => Effect.andThen(Effect.yieldNow, connection.write([message])), {
            discard: true
          })
      })
  },
  {
    bug: "lets a second pull wait",
    law: "onePull",
    says: "the second pull did not come",
    wrap: (connection) => {
      const permit = Semaphore.makeUnsafe(1)
      return Broken.wrapped(connection, { pull: permit.withPermits(1)(connection.pull) })
    }
  },
  {
    bug: "leaves the reader asleep",
    law: "close",
    says: "when the connection closed, the pull hangs, expected Closed",
    wrap: (connection) =>
      Broken.wrapped(connection, {
        pull: Effect.catch(connection.pull, (error) => Cause.isDone(error) ? Cause.done() : Effect.never)
      })
  },
  {
    bug: "leaves the writers asleep",
    law: "close",
    says: "when the connection closed, the write that waited hangs, expected Closed",
    wrap: (connection) =>
      Broken.wrapped(connection, {
        write: (batch) => Effect.catch(connection.write(batch), () => Effect.never)
      })
  },
  {
    bug: "breaks the reply when it closes",
    law: "reply",
    says: "of a reply of 100000 bytes by a side that closed with unread input came",
    layer: Broken.sockets((raw) => ({ end: () => raw.destroy() }))
  },
  {
    bug: "hangs in a write after the close",
    law: "closedIsClosed",
    says: "the first write after the close hangs, expected Closed",
    wrap: (connection) =>
      Broken.wrapped(connection, {
        write: (batch) => Effect.catch(connection.write(batch), () => Effect.never)
      })
  },
  {
    bug: "closes twice",
    law: "closedIsClosed",
    says: "a raw socket broke its contract: onClose came after onClose",
    layer: Broken.sockets(Broken.hearing((handler) => ({
      onClose: (code) => {
        handler.onClose(code)
        handler.onClose(code)
      }
    })))
  },
  {
    bug: "does not say that it is gone when both sides ended",
    law: "closedIsClosed",
    says: "closing one side did not come",
    layer: Broken.sockets(Broken.hearing((handler) => {
      let ended = false
      return {
        onEnd: () => {
          ended = true
          handler.onEnd()
        },
        onClose: (code) => ended ? undefined : handler.onClose(code)
      }
    }))
  },
  {
    bug: "hides a reset",
    law: "reset",
    says: "when the peer reset, the pull that waited Closed, expected PeerReset",
    layer: Broken.sockets(Broken.hearing((handler) => ({ onClose: () => handler.onClose(undefined) })))
  },
  {
    bug: "writes into the void",
    law: "gone",
    says: "1000 writes to a peer that is gone succeeded",
    wrap: (connection) => Broken.wrapped(connection, { write: (batch) => Effect.ignore(connection.write(batch)) })
  },
  {
    bug: "reads before anybody wants it",
    law: "lateOpen",
    says: "a socket opened late gave 0 of 1000 bytes",
    layer: Broken.sockets(() => ({}), (raw) => {
      raw.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} })
      raw.resume()
      let told = false
      return Broken.hearing((handler) => ({
        onEnd: () => {
          if (told) handler.onEnd()
          told = true
        }
      }))(raw)
    })
  },
  {
    bug: "forgets what was put back",
    law: "putBack",
    says: "the reading of what was put back failed: byte 0 is not the one that was written there",
    layer: Broken.sockets(() => ({ unshift() {} }))
  },
  {
    bug: "puts back behind what was put back before",
    law: "putBack",
    says: "the reading of what was put back failed: byte 0 is not the one that was written there",
    layer: Broken.sockets((raw) => {
      const returned: Array<Uint8Array> = []
      return {
        unshift: (chunk) => void returned.unshift(chunk),
        resume: () => {
          for (const chunk of returned.splice(0)) raw.unshift(chunk)
          raw.resume()
        }
      }
    })
  },
  {
    bug: "stops at a bad frame",
    law: "recoverable",
    says: "lines with bad ones among them: one, FrameCorrupt, FrameCorrupt",
    wrap: (connection) => {
      let failure: Effect.Effect<never, unknown> | undefined = undefined
      const pull = Effect.suspend(() => failure ?? connection.pull)
      return Broken.wrapped(connection, {
        pull: Effect.catch(pull, (error) => failure ??= Effect.fail(error)) as typeof connection.pull // the same errors
      })
    }
  },
  {
    bug: "forgets what broke it",
    law: "fatal",
    says: "two lines and a broken one: one, two, end",
    wrap: (connection) => Broken.wrapped(connection, { pull: Effect.catch(connection.pull, () => Cause.done()) })
  },
  {
    bug: "drops the messages before a bad one",
    law: "refusal",
    says: "a pull did not come",
    wrap: (connection) =>
      Broken.wrapped(connection, { write: (batch) => connection.write(batch.length > 1 ? batch.slice(1) : batch) })
  },
  {
    bug: "hides a decoder that throws",
    law: "defect",
    says: "a decoder that throws behind a message: throw, end",
    wrap: (connection) => Broken.wrapped(connection, { pull: Effect.catch(connection.pull, () => Cause.done()) })
  },
  {
    bug: "stays open",
    law: "onePull",
    says: "closing everything did not come",
    layer: Broken.sockets(Broken.hearing(() => ({ onClose() {} })))
  }
]

/** Runs the law, which must be broken. */
const broken = ({ law, layer, wrap }: Planted): Effect.Effect<Law.LawViolation> => {
  const spec: ConnectionLaws.Spec = {
    endpoint: Broken.somewhere,
    wrap,
    // Memory answers in a few turns.
    patienceTurns: 500,
    maxBufferedBytes: 8 * 1024 * 1024,
    options: { runs: 50, maxShrinks: 2, seed: 1 }
  }
  return Effect.flip(ConnectionLaws.laws[law](spec)).pipe(
    Effect.orDie,
    Effect.provide(layer ?? MemoryTransport.layer)
  )
}

describe("a law says what is wrong with one that", () => {
  for (const each of planted) {
    it.effect(`${each.bug} (${each.law})`, () =>
      Effect.gen(function*() {
        const violation = yield* broken(each)
        assert.deepStrictEqual(
          { law: violation.law, says: violation.broken.slice(0, each.says.length) },
          { law: `ConnectionLaws.${each.law}`, says: each.says }
        )
      }))
  }

  it("each law has been broken", () => {
    assert.deepStrictEqual(
      Object.keys(ConnectionLaws.laws).filter((name) => !planted.some(({ law }) => law === name)),
      []
    )
  })
})
