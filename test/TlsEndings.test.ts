/** Handshakes that go wrong below TLS, and what secure sockets leave behind. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CloseReason, NodeTransport, type Tls, type Transport } from "../src/index.ts"
import { RawDuplex } from "../src/internal/nodeDuplex.ts"
import { TlsStage } from "../src/internal/tlsStage.ts"
import { resources, until, watching } from "./support/nodeSockets.ts"
import { engine, pair, rawPair, shake, Side, trusted } from "./support/tls.ts"

const node = it.layer(NodeTransport.layer, { excludeTestServices: true })

const encoder = new TextEncoder()

/** A raw socket that passes only so many bytes on to its peer, and then goes away. */
class Cut implements Transport.RawSocket {
  written = 0
  private readonly raw: Transport.RawSocket
  private readonly limit: number
  private readonly leave: (raw: Transport.RawSocket) => void

  constructor(raw: Transport.RawSocket, limit: number, leave: (raw: Transport.RawSocket) => void) {
    this.raw = raw
    this.limit = limit
    this.leave = leave
    if (limit === 0) leave(raw)
  }
  get id(): number {
    return this.raw.id
  }
  get local() {
    return this.raw.local
  }
  get peer() {
    return this.raw.peer
  }
  get bytesUnsent(): number {
    return this.raw.bytesUnsent
  }
  attach(handler: Transport.RawHandler): void {
    this.raw.attach(handler)
  }
  pause(): void {
    this.raw.pause()
  }
  resume(): void {
    this.raw.resume()
  }
  unshift(chunk: Uint8Array): void {
    this.raw.unshift(chunk)
  }
  write(segments: ReadonlyArray<Uint8Array>): boolean {
    let more = true
    for (const segment of segments) {
      const left = this.limit - this.written
      this.written += segment.length
      if (left > 0) more = this.raw.write([segment.subarray(0, left)])
      if (left > 0 && left <= segment.length) this.leave(this.raw)
    }
    return more
  }
  end(): void {
    this.raw.end()
  }
  destroy(): void {
    this.raw.destroy()
  }
  reset(): void {
    this.raw.reset()
  }
}

/** A raw socket whose every byte comes alone. */
const drip = (raw: Transport.RawSocket): Transport.RawSocket => {
  let own: Transport.RawHandler | undefined = undefined
  const queue: Array<number> = []
  let flowing = false
  let ended = false
  let turning = false
  const turn = () => {
    if (turning) return
    turning = true
    setImmediate(() => {
      turning = false
      const byte = flowing ? queue.shift() : undefined
      if (byte !== undefined) own?.onData(Uint8Array.of(byte))
      else if (flowing && ended) {
        ended = false
        own?.onEnd()
      }
      if (queue.length > 0 || ended) turn()
    })
  }
  raw.attach({
    onData: (chunk) => {
      queue.push(...chunk)
      turn()
    },
    onEnd: () => {
      ended = true
      turn()
    },
    onDrain: () => own?.onDrain(),
    onClose: (code) => own?.onClose(code)
  })
  raw.resume()
  return {
    id: raw.id,
    local: raw.local,
    peer: raw.peer,
    get bytesUnsent() {
      return raw.bytesUnsent
    },
    attach: (handler) => {
      own = handler
    },
    pause: () => {
      flowing = false
    },
    resume: () => {
      flowing = true
      turn()
    },
    unshift: (chunk) => {
      queue.unshift(...chunk)
    },
    write: (segments) => raw.write(segments),
    end: () => raw.end(),
    destroy: () => raw.destroy(),
    reset: () => raw.reset()
  }
}

/** Turns of the event loop, for what is on its way to come. */
const quiet = Effect.forEach(Array.from({ length: 50 }), () => Effect.yieldNow, { discard: true })

/** Handshakes over raw sockets that a test has laid hands on. */
const shaker = Effect.gen(function*() {
  const tls = yield* engine
  const serving = yield* tls.server(trusted.server)
  const calling = yield* tls.client(trusted.client)
  return (raw: { readonly client: Transport.RawSocket; readonly server: Transport.RawSocket }) => {
    const sides = { server: new Side(), client: new Side() }
    sides.server.start((handshake) => tls.accept(raw.server, serving, handshake))
    sides.client.start((handshake) => tls.connect(raw.client, calling, undefined, handshake))
    return sides
  }
})

/** The server's side of a handshake with a peer that does what it likes. */
const servePlain = Effect.fnUntraced(function*(endpoint: string) {
  const tls = yield* engine
  const raw = yield* rawPair(endpoint)
  const context = yield* tls.server(trusted.server)
  const side = new Side()
  side.start((handshake) => tls.accept(raw.server, context, handshake))
  return { side, peer: raw.client }
})

const onTransports = describe.each(["tcp://127.0.0.1:0", "memory:tls"])

onTransports("%s", (endpoint) => {
  node("a peer without TLS", (it) => {
    it.effect.each<readonly [string, Uint8Array, string]>([
      ["a web browser", encoder.encode("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), "GET / HTTP/1.1"],
      ["a long word", encoder.encode("x".repeat(30)), `${"x".repeat(24)}…`],
      ["a binary", Uint8Array.of(0, 1, 0xff, 0x22, 0x41), "\\x00\\x01\\xff\\x22A"],
      ["an old SSL", Uint8Array.of(0x80, 0x2e, 0x01), "\\x80.\\x01"]
    ])("is told from one with it: %s", ([, bytes, excerpt]) =>
      Effect.gen(function*() {
        const { peer, side } = yield* servePlain(endpoint)
        peer.write([bytes])
        yield* until("the end", () => side.closed !== undefined)
        assert.strictEqual(
          side.outcome,
          `the handshake failed: the peer did not speak TLS (it sent "${excerpt}")`
        )
        assert.deepStrictEqual(side.told, { secure: 0, failed: 1 })
      }))

    it.effect("may begin as TLS does", () =>
      Effect.gen(function*() {
        const { peer, side } = yield* servePlain(endpoint)
        peer.write([Uint8Array.of(22, 3, 1, 255, 255, 1, 2, 3, 4, 5, 6, 7, 8)])
        yield* until("the end", () => side.closed !== undefined)
        assert.match(side.outcome, /^the handshake failed: the peer did not speak TLS/)
      }))

    it.effect("is a server, to a client", () =>
      Effect.gen(function*() {
        const tls = yield* engine
        const raw = yield* rawPair(endpoint)
        const context = yield* tls.client(trusted.client)
        raw.server.write([encoder.encode("220 mail.example ESMTP\r\n")])
        const side = new Side()
        side.start((handshake) => tls.connect(raw.client, context, undefined, handshake))
        yield* until("the end", () => side.closed !== undefined)
        assert.match(side.outcome, /^the handshake failed: the peer did not speak TLS/)
        if (endpoint.startsWith("memory")) assert.include(side.outcome, `(it sent "220 mail.example ESMTP")`)
      }))
  })

  node("a peer that leaves", (it) => {
    it.effect("without a word has just closed", () =>
      Effect.gen(function*() {
        const { peer, side } = yield* servePlain(endpoint)
        peer.end()
        yield* until("the end", () => side.closed !== undefined)
        assert.strictEqual(side.failure?.reason._tag, "PeerClosed")
      }))

    it.effect("with a reset has reset", () =>
      Effect.gen(function*() {
        const { peer, side } = yield* servePlain(endpoint)
        peer.reset()
        yield* until("the end", () => side.closed !== undefined)
        assert.deepStrictEqual(side.failure?.reason, { _tag: "PeerReset", code: "ECONNRESET" })
      }))

    it.effect("in the first record has hung up", () =>
      Effect.gen(function*() {
        const { peer, side } = yield* servePlain(endpoint)
        peer.write([Uint8Array.of(22, 3)])
        peer.end()
        yield* until("the end", () => side.closed !== undefined)
        assert.strictEqual(side.outcome, "the handshake failed: the peer hung up in the handshake")
      }))

    it.effect.each(["before", "after"])(
      "behind bytes, %s they were put back, has hung up",
      (when) =>
        Effect.gen(function*() {
          const { peer, server } = yield* Effect.map(
            rawPair(endpoint),
            ({ client, server }) => ({ peer: client, server })
          )
          const tls = yield* engine
          let head: Uint8Array | undefined = undefined
          server.attach({
            onData: (chunk) => {
              server.pause()
              head = chunk
            },
            onEnd() {},
            onDrain() {},
            onClose() {}
          })
          server.resume()
          // The beginning of a record of 80 bytes, and the end of the stream.
          peer.write([Uint8Array.of(22, 3, 1, 0, 80, 1, 0)])
          if (when === "before") peer.end()
          yield* until("the bytes", () => head !== undefined)
          yield* quiet
          if (head !== undefined) server.unshift(head)
          if (when === "after") peer.end()
          yield* quiet
          const side = new Side()
          const context = yield* tls.server(trusted.server)
          side.start((handshake) => tls.accept(server, context, handshake))
          yield* until("the end", () => side.closed !== undefined)
          assert.strictEqual(side.outcome, "the handshake failed: the peer hung up in the handshake")
        })
    )

    it.effect.each(["client", "server"] as const)(
      "talking nonsense to the %s ends it",
      (victim) =>
        Effect.gen(function*() {
          const raw = yield* rawPair(endpoint)
          const other = victim === "client" ? "server" : "client"
          const sides = (yield* shaker)({ ...raw, [other]: new Cut(raw[other], Infinity, () => {}) })
          yield* until("the handshake", () => sides.client.over && sides.server.over)
          raw[other].write([Uint8Array.of(23, 3, 3, 0, 32, ...new Uint8Array(32))])
          yield* until("the end", () => sides[victim].closed !== undefined)
          assert.strictEqual(sides[victim].heard, "")
          assert.match(sides[victim].closed?.code ?? "", /^ERR_SSL_/)
          assert.deepStrictEqual(sides[victim].told, { secure: 1, failed: 0 })
        })
    )

    // Node crashed, in most of so many runs.
    it.effect.each(["client", "server"] as const)(
      "may be sent away by a %s that has just heard of the handshake",
      (who) =>
        Effect.gen(function*() {
          const tls = yield* engine
          const serving = yield* tls.server(trusted.server)
          const calling = yield* tls.client(trusted.client)
          for (let i = 0; i < 60; i++) {
            yield* Effect.scoped(Effect.gen(function*() {
              const raw = yield* rawPair("tcp://127.0.0.1:0")
              const sides = { server: new Side(), client: new Side() }
              const hearing = (handshake: Tls.Handshake, name: "client" | "server"): Tls.Handshake => ({
                ...handshake,
                onSecure: (info) => {
                  handshake.onSecure(info)
                  if (name === who) sides[name].raw?.reset()
                }
              })
              sides.server.start((handshake) => tls.accept(raw.server, serving, hearing(handshake, "server")))
              sides.client.start((handshake) =>
                tls.connect(raw.client, calling, "localhost", hearing(handshake, "client"))
              )
              const told = ({ closed, ended }: Side) => ended || closed !== undefined
              yield* until("the end of both", () =>
                sides[who].closed !== undefined && told(sides.server) && told(sides.client))
              assert.strictEqual(sides[who].told.secure, 1)
            }))
          }
        })
    )

    it.effect("is no news to an owner who gave up", () =>
      Effect.gen(function*() {
        const { side } = yield* servePlain(endpoint)
        side.raw?.destroy()
        yield* until("the end", () => side.closed !== undefined)
        assert.deepStrictEqual([side.failure?.reason._tag, side.closed], ["Closed", { code: undefined }])
      }))
  })

  node("a side that does not read", (it) => {
    it.effect("has everything when it does, also when both sides have ended", () =>
      Effect.gen(function*() {
        const { client, server } = yield* shake(endpoint)
        server.raw?.pause()
        client.send("x".repeat(20_000))
        client.raw?.end()
        server.raw?.end()
        yield* until("the end for the one that reads", () => client.ended)
        yield* quiet
        assert.deepStrictEqual([server.heard, server.ended], ["", false])
        server.raw?.resume()
        yield* until("the close of both", () => client.closed !== undefined && server.closed !== undefined)
        assert.deepStrictEqual([server.heard.length, server.ended, server.closed?.code], [20_000, true, undefined])
      }))

    it.effect("has everything of a side that has ended, and gone as far as it is concerned", () =>
      Effect.gen(function*() {
        const { client, server } = yield* shake(endpoint)
        client.raw?.pause()
        client.raw?.end()
        yield* until("the end", () => server.ended)
        server.send("x".repeat(1_000_000))
        server.raw?.end()
        yield* Effect.repeat(quiet, { times: 4 })
        client.raw?.resume()
        yield* until("the close of both", () => client.closed !== undefined && server.closed !== undefined)
        assert.deepStrictEqual([client.heard.length, client.ended], [1_000_000, true])
        assert.deepStrictEqual([client.closed?.code, server.closed?.code], [undefined, undefined])
      }))
  })

  node("a stage", (it) => {
    const start = Effect.fnUntraced(function*(abort: CloseReason.CloseReason | undefined, text: string | undefined) {
      const tls = yield* engine
      const raw = yield* rawPair(endpoint)
      const heard: Array<string> = []
      const stage = new TlsStage(raw.server, tls, yield* tls.server(trusted.server), {
        onSecure: () => heard.push("secure"),
        onFailure: (reason) => heard.push(CloseReason.format(reason))
      })
      stage.start()
      if (text !== undefined) raw.client.write([encoder.encode(text)])
      if (abort !== undefined) stage.abort(abort)
      yield* until("the end of the stage", () => heard.length > 0)
      stage.abort(CloseReason.closed)
      return heard
    })
    const late: CloseReason.CloseReason = { _tag: "HandshakeTimeout", limitMillis: 10 }

    it.effect("tells the reason of its owner, once", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* start(late, undefined), ["the handshake was not complete after 10 ms"])
      }))

    it.effect("tells why a handshake failed", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* start(undefined, "hi\n"), [
          `the handshake failed: the peer did not speak TLS (it sent "hi")`
        ])
      }))

    it.effect("gives the secure socket, on which what was put back is read", () =>
      Effect.gen(function*() {
        const tls = yield* engine
        const raw = yield* rawPair(endpoint)
        const client = new Side()
        const calling = yield* tls.client(trusted.client)
        client.start((handshake) => tls.connect(raw.client, calling, undefined, handshake))
        const first: Array<Uint8Array> = []
        raw.server.attach({
          onData: (chunk) => {
            raw.server.pause()
            first.push(chunk)
            raw.server.unshift(chunk.slice())
          },
          onEnd() {},
          onDrain() {},
          onClose() {}
        })
        raw.server.resume()
        yield* until("the first bytes", () => first.length > 0)
        const server = new Side()
        const stage = new TlsStage(raw.server, tls, yield* tls.server(trusted.server), {
          onSecure: (secure) => {
            server.raw = secure
            secure.attach(server)
            secure.resume()
          },
          onFailure: (reason) => assert.fail(CloseReason.format(reason))
        })
        stage.start()
        client.send("early")
        yield* until("the text", () => server.heard === "early")
        server.send("late")
        yield* until("the answer", () => client.heard === "late")
      }))
  })

  node("a context", (it) => {
    it.effect("that is reloaded counts for who comes then, and drops nobody", () =>
      Effect.gen(function*() {
        const before = yield* shake(endpoint)
        const { serving } = before
        yield* serving.reload({ certificates: [pair("second")] })
        const refused = yield* Effect.flip(serving.reload({ certificates: [] }))
        assert.strictEqual(refused.option, "certificates")
        assert.deepStrictEqual(serving.certificates.map(({ subject }) => subject), [
          "CN=second.example.test, O=hawser tests"
        ])
        const tls = yield* engine
        const raw = yield* rawPair(endpoint)
        const after = { server: new Side(), client: new Side() }
        const calling = yield* tls.client({ ca: trusted.client.ca })
        after.server.start((handshake) => tls.accept(raw.server, serving, handshake))
        after.client.start((handshake) => tls.connect(raw.client, calling, "second.example.test", handshake))
        yield* until("the second handshake", () => after.client.over)
        assert.strictEqual(after.client.info?.peerCertificate?.subject, "CN=second.example.test, O=hawser tests")
        before.client.send("still here")
        yield* until("the text of before", () => before.server.heard === "still here")
      }))
  })
})

node("a handshake in pieces", (it) => {
  it.effect("of one byte each goes well", () =>
    Effect.gen(function*() {
      const raw = yield* rawPair("memory:drip")
      const { client, server } = (yield* shaker)({ client: drip(raw.client), server: drip(raw.server) })
      yield* until("the handshake", () => client.over && server.over)
      client.send("ahoy")
      client.raw?.end()
      yield* until("the text and the end", () => server.heard === "ahoy" && server.ended)
    }))

  it.effect("that is cut anywhere ends both sides, once", () =>
    Effect.gen(function*() {
      const whole = yield* rawPair("memory:whole")
      const counted = {
        client: new Cut(whole.client, Infinity, () => {}),
        server: new Cut(whole.server, Infinity, () => {})
      }
      const shakeOver = yield* shaker
      const both = shakeOver(counted)
      yield* until("the handshake", () => both.client.over && both.server.over)
      const leave = [
        (raw: Transport.RawSocket) => raw.reset(),
        (raw: Transport.RawSocket) => raw.destroy(),
        (raw: Transport.RawSocket) => raw.end()
      ]
      const cutAt = Effect.fnUntraced(function*(side: "client" | "server", limit: number) {
        const raw = yield* rawPair(`memory:cut-${side}-${limit}`)
        const sides = shakeOver({ ...raw, [side]: new Cut(raw[side], limit, leave[limit % 3]!) })
        yield* until(`the end of both, cut after ${limit} bytes of the ${side}`, () => {
          // Who is secure already hears only the end, and leaves.
          for (const one of [sides.client, sides.server]) if (one.ended) one.raw?.end()
          return sides.client.closed !== undefined && sides.server.closed !== undefined
        })
        for (const one of [sides.client, sides.server]) {
          assert.strictEqual(one.told.secure + one.told.failed, 1)
          assert.strictEqual(one.heard, "")
          if (one.failure !== undefined) {
            assert.include(["HandshakeFailed", "PeerReset", "PeerClosed"], one.failure.reason._tag)
          }
        }
      })
      for (const side of ["client", "server"] as const) {
        // A signature is a few bytes shorter in one handshake than in another: the last bytes may never come.
        const limits = Array.from({ length: counted[side].written - 8 }, (_, limit) => limit)
        assert.isAbove(limits.length, 300)
        yield* Effect.forEach(limits, (limit) => Effect.scoped(cutAt(side, limit)), { concurrency: 50, discard: true })
      }
    }), 60_000)
})

node("a stream over a raw socket", (it) => {
  it.effect("has ended its side when the raw socket has sent everything", () =>
    Effect.gen(function*() {
      const raw = yield* rawPair("memory:unsent")
      let unsent = 5
      const slow = new (class extends Cut {
        override get bytesUnsent(): number {
          return unsent
        }
      })(raw.server, Infinity, () => {})
      const stream = new RawDuplex(slow)
      let finished = false
      stream.end(() => {
        finished = true
      })
      yield* quiet
      assert.isFalse(finished)
      unsent = 0
      stream.onDrain()
      yield* until("the end", () => finished)
      stream.destroy()
    }))
})

node("resources", (it) => {
  it.effect("nothing is left of handshakes that went well, failed, or were given up", () =>
    watching((sockets) =>
      Effect.gen(function*() {
        const before = resources()
        for (let i = 0; i < 10; i++) {
          yield* Effect.scoped(shake("tcp://127.0.0.1:0"))
          yield* Effect.scoped(shake("tcp://127.0.0.1:0", { host: "elsewhere.test" }))
          yield* Effect.scoped(Effect.gen(function*() {
            const { peer, side } = yield* servePlain("tcp://127.0.0.1:0")
            peer.write([Uint8Array.of(22)])
            if (i % 2 === 0) yield* until("the first byte", () => side.over || true)
            side.raw?.destroy()
          }))
        }
        yield* until("the close of every socket", () => sockets.open === 0 && resources() === before)
        assert.deepStrictEqual([sockets.made, sockets.closedAgain], [60, 0])
      })
    ))
})
