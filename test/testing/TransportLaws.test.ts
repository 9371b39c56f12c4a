/** Every law can fail: each of these transports has one bug, and one law that says what it is. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, type Layer, Scope } from "effect"
import { Endpoint, type Transport } from "../../src/index.ts"
import { TransportLaws } from "../../src/testing/index.ts"
import * as Broken from "../support/brokenTransport.ts"

interface Planted {
  readonly bug: string
  readonly law: keyof typeof TransportLaws.laws
  /** What the law says, or its beginning. */
  readonly says: string
  readonly layer: Layer.Layer<Transport.Transport>
}

/** Does it one turn of microtasks later. */
const later = (act: () => void): void => queueMicrotask(act)

const planted: ReadonlyArray<Planted> = [
  {
    bug: "flows before anybody resumes",
    law: "paused",
    says: "a fresh server was told data, end",
    layer: Broken.sockets((raw) => ({
      attach: (handler) => {
        raw.attach(handler)
        raw.resume()
      }
    }))
  },
  {
    bug: "delivers inside resume",
    law: "paused",
    says: "resume told end at once",
    layer: Broken.sockets((raw) => {
      let own: Transport.RawHandler | undefined = undefined
      return {
        attach: (handler) => {
          own = handler
          raw.attach(handler)
        },
        resume: () => {
          own?.onEnd()
          raw.resume()
        }
      }
    })
  },
  {
    bug: "pauses late",
    law: "pauses",
    says: "a raw socket broke its contract: on",
    layer: Broken.sockets((raw) => ({ pause: () => later(() => later(() => later(() => raw.pause()))) }))
  },
  {
    bug: "forgets that it was resumed in the moment of a pause",
    law: "pauses",
    says: "more data or the end did not come",
    layer: Broken.sockets((raw) => {
      let inPause = false
      return {
        pause: () => {
          inPause = true
          later(() => {
            inPause = false
          })
          raw.pause()
        },
        resume: () => inPause ? undefined : raw.resume()
      }
    })
  },
  {
    bug: "swaps the segments of a write",
    law: "order",
    says: "byte ",
    layer: Broken.sockets((raw) => ({ write: (segments) => raw.write(segments.toReversed()) }))
  },
  {
    bug: "loses the last segment of a write that ends",
    law: "order",
    says: "0 bytes came of 2 that were written",
    layer: Broken.sockets((raw) => {
      let held: ReadonlyArray<Uint8Array> = []
      return {
        write: (segments) => {
          const now = held
          held = segments
          return raw.write(now)
        }
      }
    })
  },
  {
    bug: "never says wait",
    law: "backpressure",
    says: "8454144 bytes were taken for a peer that does not read",
    layer: Broken.sockets((raw) => ({
      write: (segments) => {
        raw.write(segments)
        return true
      }
    }))
  },
  {
    bug: "never drains",
    law: "backpressure",
    says: "the drain of the writer did not come",
    layer: Broken.sockets(Broken.hearing(() => ({ onDrain() {} })))
  },
  {
    bug: "drains no more after the end",
    law: "backpressure",
    says: "the drain of the writer that ended did not come",
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
    bug: "keeps the segments, and says that they have left",
    law: "reuse",
    says: "byte 0 is not the one that was written there",
    layer: Broken.sockets((raw) => {
      const held: Array<Uint8Array> = []
      const flush = () => void raw.write(held.splice(0))
      return {
        write: (segments) => {
          held.push(...segments)
          later(flush)
          return true
        },
        end: () => {
          flush()
          raw.end()
        }
      }
    })
  },
  {
    bug: "forgets what was put back",
    law: "unshift",
    says: "0 bytes came of 1000 that were written",
    layer: Broken.sockets(() => ({ unshift() {} }))
  },
  {
    bug: "puts back behind what was put back before",
    law: "unshift",
    says: "byte 0 is not the one that was written there",
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
    bug: "ends both ways when the peer ends one",
    law: "halfOpen",
    says: "0 bytes came of 100001 that were written",
    layer: Broken.sockets(Broken.hearing((handler, raw) => ({
      onEnd: () => {
        handler.onEnd()
        raw.end()
      }
    })))
  },
  {
    bug: "does not close when both sides have ended",
    law: "halfOpen",
    says: "the close of both sides did not come",
    layer: Broken.sockets(Broken.hearing(() => ({ onClose() {} })))
  },
  {
    bug: "closes inside destroy",
    law: "destroy",
    says: "destroy told a close in peace at once",
    layer: Broken.sockets((raw) => {
      let own: Transport.RawHandler | undefined = undefined
      return {
        attach: (handler) => {
          own = handler
          raw.attach(handler)
        },
        destroy: () => {
          raw.destroy()
          own?.onClose(undefined)
        }
      }
    })
  },
  {
    bug: "says that destroying broke it",
    law: "destroy",
    says: "who was destroyed heard close, at last ECONNABORTED",
    layer: Broken.sockets((raw) => {
      let destroyed = false
      return {
        ...Broken.hearing((handler) => ({
          onClose: (code) => handler.onClose(destroyed ? "ECONNABORTED" : code)
        }))(raw),
        destroy: () => {
          destroyed = true
          raw.destroy()
        }
      }
    })
  },
  {
    bug: "hides a reset",
    law: "reset",
    says: "a reset is a close in peace for its peer",
    layer: Broken.sockets(Broken.hearing((handler) => ({ onClose: () => handler.onClose(undefined) })))
  },
  {
    bug: "ends where it should reset",
    law: "reset",
    says: "the reset did not come",
    layer: Broken.sockets((raw) => ({ reset: () => raw.destroy() }))
  },
  {
    bug: "throws at a write after the close",
    law: "closed",
    says: "write of a client that was closed threw Error: closed",
    layer: Broken.sockets((raw) => {
      let closed = false
      return {
        ...Broken.hearing((handler) => ({
          onClose: (code) => {
            closed = true
            handler.onClose(code)
          }
        }))(raw),
        write: (segments) => {
          if (closed) throw new Error("closed")
          return raw.write(segments)
        }
      }
    })
  },
  {
    bug: "closes twice",
    law: "closed",
    says: "onClose came otherwise than once: close, close; end, close, close",
    layer: Broken.sockets(Broken.hearing((handler) => ({
      onClose: (code) => {
        handler.onClose(code)
        later(() => handler.onClose(code))
      }
    })))
  },
  {
    bug: "does not tell a new handler the end",
    law: "handover",
    says: "the end for a new handler did not come",
    layer: Broken.sockets((raw) => {
      let told = false
      return Broken.hearing((handler) => ({
        onEnd: () => {
          if (!told) handler.onEnd()
          told = true
        }
      }))(raw)
    })
  },
  {
    bug: "does not tell a new handler the close",
    law: "handover",
    says: "the close for a new handler did not come",
    layer: Broken.sockets((raw) => {
      let told = false
      return Broken.hearing((handler) => ({
        onClose: (code) => {
          if (!told) handler.onClose(code)
          told = true
        }
      }))(raw)
    })
  },
  {
    bug: "goes on telling the first handler",
    law: "handover",
    says: "1000 bytes came of 2000 that were written",
    layer: Broken.sockets((raw) => {
      let attached = false
      return {
        attach: (handler) => {
          if (!attached) raw.attach(handler)
          attached = true
        }
      }
    })
  },
  {
    bug: "lets two listen",
    law: "listener",
    says: "listening on memory:broken twice: success, expected AddressInUse",
    layer: Broken.transport((memory) => ({
      listen: (endpoint, options) =>
        Effect.orElseSucceed(memory.listen(endpoint, options), () => ({ endpoint, close: Effect.void }))
    }))
  },
  {
    bug: "does not stop listening",
    law: "listener",
    says: "dialling a listener that closed: success, expected Refused or NotFound",
    layer: Broken.transport((memory) => ({
      listen: (endpoint, options) =>
        Effect.map(memory.listen(endpoint, options), (listener) => ({ ...listener, close: Effect.void }))
    }))
  },
  {
    bug: "says that it listens on port 0",
    law: "listener",
    says: "it listens on port 0: tcp://127.0.0.1:0",
    layer: Broken.transport((memory) => ({
      listen: (_, options) =>
        Effect.map(memory.listen(Broken.somewhere, options), (listener) => ({
          ...listener,
          endpoint: Endpoint.tcpUnsafe("127.0.0.1", 0)
        })),
      connect: () => memory.connect(Broken.somewhere)
    }))
  },
  {
    bug: "forgets what it accepted",
    law: "listenerScope",
    says: "the close of what a listener had accepted did not come",
    layer: Broken.transport((memory, forever) => ({
      listen: (endpoint, options) => Scope.provide(memory.listen(endpoint, options), forever)
    }))
  },
  {
    bug: "leaves the socket of an interrupted dial",
    law: "interruptedConnect",
    says: "the end of a connection whose dial was interrupted did not come",
    layer: Broken.transport((memory, forever) => ({
      connect: (endpoint) => Scope.provide(memory.connect(endpoint), forever)
    }))
  },
  {
    bug: "numbers all alike",
    law: "addresses",
    says: "the ids are 7,7 and then 7,7",
    layer: Broken.sockets(() => ({ id: 7 }))
  },
  {
    bug: "counts from 0",
    law: "addresses",
    says: "the ids are 0,1 and then 2,3",
    layer: Broken.sockets((raw) => ({ id: raw.id - 1 }))
  },
  {
    bug: "forgets its name when it closes",
    law: "addresses",
    says: "memory:client memory:client memory:broken memory:broken became memory:broken ",
    layer: Broken.sockets((raw) => {
      let closed = false
      return {
        ...Broken.hearing((handler) => ({
          onClose: (code) => {
            closed = true
            handler.onClose(code)
          }
        }))(raw),
        get local() {
          return closed ? Broken.somewhere : raw.local
        }
      }
    })
  }
]

describe("a law says what is wrong with one that", () => {
  for (const { bug, law, layer, says } of planted) {
    it.effect(`${bug} (${law})`, () =>
      Effect.gen(function*() {
        const spec: TransportLaws.Spec = {
          endpoint: Broken.somewhere,
          // Memory answers in a few turns.
          patienceTurns: 500,
          maxBufferedBytes: 8 * 1024 * 1024,
          options: { runs: 50, maxShrinks: 2, seed: 1 }
        }
        const violation = yield* Effect.flip(TransportLaws.laws[law](spec)).pipe(Effect.provide(layer))
        assert.deepStrictEqual(
          { law: violation.law, says: violation.broken.slice(0, says.length) },
          { law: `TransportLaws.${law}`, says }
        )
      }))
  }

  it("each law has been broken", () => {
    assert.deepStrictEqual(
      Object.keys(TransportLaws.laws).filter((name) => !planted.some(({ law }) => law === name)),
      []
    )
  })
})
