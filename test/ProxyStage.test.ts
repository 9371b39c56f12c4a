import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Result, Scope } from "effect"
import { TestClock } from "effect/testing"
import { Endpoint, MemoryTransport, NodeTransport, ProxyHeader, type ProxyTlv, Transport } from "../src/index.ts"
import { sendProxy } from "../src/internal/proxySend.ts"
import { type ProxiedSocket, type ProxyFailure, ProxyStage, toCloseReason } from "../src/internal/proxyStage.ts"
import { NetArbitrary } from "../src/testing/index.ts"
import { settle, until } from "./support/network.ts"
import { header } from "./support/proxyArbitrary.ts"

const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Writes down what a raw socket tells. */
class Ear implements Transport.RawHandler {
  readonly heard: Array<number> = []
  ended = false
  closed: { readonly code: string | undefined } | undefined = undefined

  constructor(raw: Transport.RawSocket) {
    raw.attach(this)
    raw.resume()
  }
  onData(chunk: Uint8Array): void {
    this.heard.push(...chunk)
  }
  onEnd(): void {
    this.ended = true
  }
  onDrain(): void {}
  onClose(code: string | undefined): void {
    this.closed = { code }
  }
  get text(): string {
    return String.fromCharCode(...this.heard)
  }
}

/** Dials a listener whose sockets are given to a stage at once. */
const staged = Effect.fnUntraced(function*(where: string, options?: ProxyHeader.ParserOptions) {
  const transport = yield* Transport.Transport
  const told: Array<ProxiedSocket | ProxyFailure> = []
  const accepted: Array<{ readonly raw: Transport.RawSocket; readonly stage: ProxyStage }> = []
  const listener = yield* transport.listen(Endpoint.fromStringUnsafe(where), {
    backlog: 1,
    onAccept: (raw) => {
      const stage = new ProxyStage(
        raw,
        { onHeader: (socket) => told.push(socket), onFailure: (failure) => told.push(failure) },
        options
      )
      accepted.push({ raw, stage })
      stage.start()
    }
  })
  const client = yield* transport.connect(listener.endpoint)
  const ear = new Ear(client)
  yield* until("the accept", () => accepted.length === 1)
  return { client, ear, told, ...accepted[0]! }
})

/** What a stage has told, in short. */
const short = (told: ReadonlyArray<ProxiedSocket | ProxyFailure>) =>
  told.map((each) =>
    "header" in each
      ? [ProxyHeader.format(each.header), Endpoint.format(each.peer), Endpoint.format(each.local)]
      : each._tag !== "ProxyHeaderError"
      ? each
      : [each.reason, each.value]
  )

const line = "PROXY TCP6 ::ffff:192.0.2.7 2001:db8::1 4711 443\r\n"
const ofLine = [
  "proxied tcp://192.0.2.7:4711 to tcp://[2001:db8::1]:443",
  "tcp://192.0.2.7:4711",
  "tcp://[2001:db8::1]:443"
]

describe("in memory", () => {
  const memory = "memory:stage"
  const real = ["memory:client", memory]

  it.effect.prop("tells the header, and hands on what is behind it, however it comes", {
    header,
    tail: NetArbitrary.bytes({ maxBytes: 20 }),
    sizes: NetArbitrary.chunking
  }, ({ header, sizes, tail }) =>
    Effect.gen(function*() {
      const { client, raw, told } = yield* staged(memory)
      for (const chunk of NetArbitrary.cut(Buffer.concat([ProxyHeader.encodeUnsafe(header, 2), tail]), sizes)) {
        client.write([chunk])
        if (chunk.length > 0) yield* settle
      }
      client.end()
      yield* until("the header", () => told.length > 0)
      const ends = ProxyHeader.toEndpoints(header)
      assert.deepStrictEqual(told, [{
        raw,
        peer: ends?.source ?? raw.peer,
        local: ends?.destination ?? raw.local,
        header,
        version: 2
      }])
      const next = new Ear(raw)
      yield* until("the end", () => next.ended)
      assert.deepStrictEqual(next.heard, [...tail])
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer)), { arbitrary: { runs: 60 } })

  it.effect.each<[bytes: Uint8Array, told: Array<string>]>([
    [bytesOf(line), ofLine],
    [bytesOf("PROXY UNKNOWN 1.2.3.4\r\n"), ["proxied, without addresses of a stream", ...real]],
    [ProxyHeader.encodeUnsafe(ProxyHeader.local, 2), ["local", ...real]],
    // A health check of a proxy that sends addresses all the same.
    [ProxyHeader.encodeUnsafe(ProxyHeader.local, 2).with(13, 0x11).with(15, 12), ["local", ...real]]
  ])("whose connection it is: %j", ([bytes, expected]) =>
    Effect.gen(function*() {
      const { client, told } = yield* staged(memory)
      client.write([bytes])
      if (bytes[15] === 12) client.write([new Uint8Array(12).fill(1)])
      yield* until("the header", () => told.length > 0)
      assert.deepStrictEqual(short(told), [expected])
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer)))

  it.effect("stops reading behind the header", () =>
    Effect.gen(function*() {
      const { client, raw, told } = yield* staged(memory)
      client.write([bytesOf(line), new Uint8Array(300_000)])
      yield* until("the header", () => told.length > 0)
      yield* settle
      const unsent = client.bytesUnsent
      assert.isAbove(unsent, 100_000)
      yield* settle
      assert.strictEqual(client.bytesUnsent, unsent)
      const next = new Ear(raw)
      yield* until("the rest", () => next.heard.length === 300_000)
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer)))

  it.effect.each<[kind: string, sent: string]>([["silent", ""], ["slow", line]])(
    "the owner's deadline ends a %s peer",
    ([, sent]) =>
      Effect.gen(function*() {
        const { client, ear, raw, stage, told } = yield* staged(memory)
        // What a server does, in short: one deadline for all stages.
        const deadline = yield* Effect.forkChild(
          Effect.sleep("3 seconds").pipe(Effect.andThen(Effect.sync(() => {
            stage.abort()
            raw.destroy()
          }))),
          { startImmediately: true }
        )
        for (let second = 0; second < 3; second++) {
          assert.deepStrictEqual([ear.ended, ear.closed], [false, undefined])
          client.write([bytesOf(sent.slice(second, second + 1))])
          yield* settle
          yield* TestClock.adjust("1 second")
          yield* settle
        }
        yield* Fiber.join(deadline)
        yield* until("it is gone", () => ear.ended)
        client.write([bytesOf(line.slice(3))])
        yield* settle
        assert.deepStrictEqual(told, [])
      }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer))
  )

  it.effect("says nothing after an abort", () =>
    Effect.gen(function*() {
      const { client, raw, stage, told } = yield* staged(memory)
      stage.abort()
      client.write([bytesOf(line)])
      yield* settle
      // Paused: who comes next hears it all.
      const next = new Ear(raw)
      yield* until("the line", () => next.text === line)
      stage.abort()
      stage.onData(bytesOf(line))
      stage.onEnd()
      stage.onClose(undefined)
      assert.deepStrictEqual(told, [])
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer)))

  it.effect("an abort when all is told does not stop the next one", () =>
    Effect.gen(function*() {
      const { client, raw, stage, told } = yield* staged(memory)
      client.write([bytesOf(line)])
      yield* until("the header", () => told.length > 0)
      const next = new Ear(raw)
      stage.abort()
      client.write([bytesOf("hello")])
      yield* until("the rest", () => next.text === "hello")
      client.reset()
      yield* until("the close", () => next.closed !== undefined)
      assert.deepStrictEqual(short(told), [ofLine])
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer)))

  it.effect("obeys its limit", () =>
    Effect.gen(function*() {
      const bytes = ProxyHeader.encodeUnsafe(
        { _tag: "Proxied", addresses: { _tag: "Unspecified" }, tlvs: [{ _tag: "Noop", bytes: 200 }] },
        2
      )
      const { client, told } = yield* staged(memory, { maxBytes: 150 })
      client.write([bytes])
      yield* until("the answer", () => told.length > 0)
      assert.deepStrictEqual(short(told), [["TooLarge", "219"]])
    }).pipe(Effect.scoped, Effect.provide(MemoryTransport.layer)))
})

it("each failure is one reason to close", () => {
  const error = ProxyHeader.parser().end()
  assert.deepStrictEqual(
    [
      error,
      { _tag: "Silent" } as const,
      { _tag: "Closed", code: undefined } as const,
      {
        _tag: "Closed",
        code: "ECONNRESET"
      } as const
    ].map(toCloseReason),
    [
      { _tag: "HandshakeFailed", message: error.message },
      { _tag: "PeerClosed" },
      { _tag: "Closed" },
      { _tag: "PeerReset", code: "ECONNRESET" }
    ]
  )
})

describe.each(["memory:stage", "tcp://127.0.0.1:0", "unix:@hawser-test-proxy-stage"])("over %s", (where) => {
  const layer = where.startsWith("memory") ? MemoryTransport.layer : NodeTransport.layer

  it.live("a header in two pieces, the second with the beginning of the conversation and the end", () =>
    Effect.gen(function*() {
      const { client, ear, raw, told } = yield* staged(where)
      client.write([bytesOf(line.slice(0, 20))])
      yield* settle
      assert.deepStrictEqual(told, [])
      client.write([bytesOf(`${line.slice(20)}hello`)])
      client.end()
      yield* until("the header", () => told.length > 0)
      assert.deepStrictEqual(short(told), [ofLine])
      yield* settle
      const next = new Ear(raw)
      yield* until("the end", () => next.ended)
      assert.strictEqual(next.text, "hello")
      raw.write([bytesOf("goodbye")])
      raw.end()
      yield* until("the answer and the end", () => ear.ended && ear.closed !== undefined)
      assert.deepStrictEqual([ear.text, ear.closed], ["goodbye", { code: undefined }])
      assert.strictEqual(told.length, 1)
    }).pipe(Effect.scoped, Effect.provide(layer)))

  it.live("who sends no header gets the owner's answer", () =>
    Effect.gen(function*() {
      const { client, ear, raw, told } = yield* staged(where)
      client.write([bytesOf("GET / HTTP/1.1\r\n")])
      yield* until("the refusal", () => told.length > 0)
      assert.deepStrictEqual(short(told), [["NotProxy", "\"GET / HTTP/1.1\\r\\n\""]])
      raw.write([bytesOf("no header")])
      raw.end()
      raw.resume()
      yield* until("the answer", () => ear.ended)
      assert.strictEqual(ear.text, "no header")
      client.end()
      yield* until("it is gone", () => ear.closed !== undefined)
      assert.strictEqual(told.length, 1)
    }).pipe(Effect.scoped, Effect.provide(layer)))

  it.live("who ends early is told so, with what had come", () =>
    Effect.gen(function*() {
      for (const sent of ["", "PROXY TCP4 1"]) {
        const scope = yield* Scope.make()
        const { client, raw, told } = yield* staged(where).pipe(Scope.provide(scope))
        if (sent !== "") client.write([bytesOf(sent)])
        client.end()
        yield* until("the failure", () => told.length > 0)
        assert.deepStrictEqual(short(told), sent === "" ? [{ _tag: "Silent" }] : [["Truncated", `"${sent}"`]])
        raw.destroy()
        yield* settle
        assert.strictEqual(told.length, 1)
        yield* Scope.close(scope, Exit.void)
      }
    }).pipe(Effect.provide(layer)))

  it.live("who breaks is told so", () =>
    Effect.gen(function*() {
      const { client, told } = yield* staged(where)
      client.write([bytesOf("PROXY")])
      yield* settle
      client.reset()
      yield* until("the failure", () => told.length > 0)
      // Node cannot reset a Unix socket: its peer sees an end.
      assert.deepStrictEqual(
        short(told),
        where.startsWith("unix") ? [["Truncated", "\"PROXY\""]] : [{ _tag: "Closed", code: "ECONNRESET" }]
      )
    }).pipe(Effect.scoped, Effect.provide(layer)))

  it.live("who is gone before the start is told so", () =>
    Effect.gen(function*() {
      const { raw, stage, told } = yield* staged(where)
      stage.abort()
      raw.destroy()
      yield* settle
      const failures: Array<ProxyFailure> = []
      const late = new ProxyStage(raw, { onHeader() {}, onFailure: (failure) => failures.push(failure) })
      late.start()
      assert.deepStrictEqual(failures, [])
      yield* until("the failure", () => failures.length > 0)
      assert.deepStrictEqual([...told, ...failures], [{ _tag: "Closed", code: undefined }])
    }).pipe(Effect.scoped, Effect.provide(layer)))

  for (const version of [1, 2] as const) {
    it.live(`what sendProxy says arrives (version ${version})`, () =>
      Effect.gen(function*() {
        const { client, raw, told } = yield* staged(where)
        assert.deepStrictEqual(sendProxy(client, { version }), Result.void)
        client.write([bytesOf("hello")])
        yield* until("the header", () => told.length > 0)
        assert.deepStrictEqual(told, [{
          raw,
          peer: raw.peer,
          local: raw.local,
          // Version 1 cannot name Unix sockets.
          header: where.startsWith("unix") && version === 1
            ? { _tag: "Proxied", addresses: { _tag: "Unspecified" }, tlvs: [] }
            : ProxyHeader.fromEndpoints(client.local, client.peer),
          version
        }])
        const next = new Ear(raw)
        yield* until("the rest", () => next.text === "hello")
      }).pipe(Effect.scoped, Effect.provide(layer)))
  }

  it.live("a relay sends its own client's header, or nothing", () =>
    Effect.gen(function*() {
      const { client, told } = yield* staged(where)
      const from = Endpoint.tcpUnsafe("192.0.2.7", 4711)
      const to = Endpoint.tcpUnsafe("192.0.2.8", 443)
      const tlvs: ReadonlyArray<ProxyTlv.Tlv> = [{ _tag: "Crc32c" }]
      const relayed = () => ProxyHeader.fromEndpoints(from, to, tlvs)
      const refused = sendProxy(client, { version: 1, header: relayed })
      assert.strictEqual(Result.isFailure(refused) && refused.failure.reason, "Unsendable")
      assert.deepStrictEqual(sendProxy(client, { version: 2, header: relayed }), Result.void)
      yield* until("the header", () => told.length > 0)
      assert.deepStrictEqual(short(told).map((each) => Array.isArray(each) && each[1]), ["tcp://192.0.2.7:4711"])
    }).pipe(Effect.scoped, Effect.provide(layer)))
})
