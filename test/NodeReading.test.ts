/** How sockets read into one buffer, and what becomes of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as Net from "node:net"
import { Endpoint, NodeTransport, Transport } from "../src/index.ts"
import { copyOf, findKeys, type Keys, Reading, SharedReading } from "../src/internal/nodeReading.ts"
import { until } from "./support/nodeSockets.ts"

const keys = findKeys((onread) => new Net.Socket({ onread } as Net.SocketConstructorOpts)) // as in the source

/** A socket that says which buffers its handle was told of, as far as `Reading` looks. */
const pretended = () => {
  const told: Array<Uint8Array> = []
  const socket = { _handle: { useUserBuffer: (buffer: Uint8Array) => void told.push(buffer) } }
  return { told, socket: socket as unknown as Net.Socket & Record<symbol, unknown> } // it looks at nothing else
}

const ours: Keys = { buffer: Symbol("buffer"), onRead: Symbol("onRead") }
const onRead = () => true

describe("the keys of a socket", () => {
  it("are found on Node's", () => {
    assert.deepStrictEqual([typeof keys?.buffer, typeof keys?.onRead], ["symbol", "symbol"])
    assert.notStrictEqual(keys?.buffer, keys?.onRead)
  })

  it.each<[what: string, make: (onread: Net.OnReadOpts) => object]>([
    ["keeps nothing", () => ({})],
    ["keeps the buffer only", ({ buffer }) => ({ [Symbol("buffer")]: buffer })],
    ["keeps what it calls only", ({ callback }) => ({ [Symbol("callback")]: callback })],
    ["keeps both under names", ({ buffer, callback }) => ({ buffer, callback })],
    ["keeps copies", ({ callback }) => ({ [Symbol("buffer")]: Buffer.alloc(1), [Symbol("callback")]: callback })]
  ])("are not found on one that %s", (_, make) => {
    assert.isUndefined(findKeys(make))
  })
})

describe("sockets that share", () => {
  it("are told one buffer, and what is called with it", () => {
    const reading = new Reading(onRead, ours)
    const [left, right] = [pretended(), pretended()]
    assert.deepStrictEqual([reading.share(left.socket), reading.share(right.socket)], [true, true])
    assert.strictEqual(left.told[0], right.told[0])
    assert.strictEqual(left.socket[ours.buffer], left.told[0])
    assert.strictEqual(left.socket[ours.onRead], onRead)
  })

  it("are none that cannot, and none at all where the keys were not found", () => {
    const { socket } = pretended()
    assert.isFalse(new Reading(onRead, undefined).share(socket))
    for (const handle of [undefined, null, {}]) {
      const other = { _handle: handle } as unknown as Net.Socket // it looks at nothing else
      assert.isFalse(new Reading(onRead, ours).share(other))
      assert.deepStrictEqual(Object.getOwnPropertySymbols(other), [])
    }
    assert.deepStrictEqual(Object.getOwnPropertySymbols(socket), [])
  })

  it("are given back to Node's streams; the bytes stay, for the handle knows of them", () => {
    const reading = new Reading(onRead, ours)
    const { socket, told } = pretended()
    reading.share(socket)
    reading.unshare(socket)
    assert.isNull(socket[ours.buffer])
    const kept = Object.getOwnPropertySymbols(socket).filter((key) => socket[key] === told[0])
    assert.deepStrictEqual(kept.length, 1)
  })

  it("all read elsewhere when their buffer is given away", () => {
    const reading = new Reading(onRead, ours)
    const sockets = [pretended(), pretended(), pretended()]
    for (const { socket } of sockets) reading.share(socket)
    reading.retire(sockets.map(({ socket }) => socket))
    const last = pretended()
    reading.share(last.socket)
    for (const { socket, told } of sockets) {
      assert.strictEqual(told.length, 2)
      assert.notStrictEqual(told[1], told[0])
      assert.strictEqual(told[1], last.told[0])
      assert.strictEqual(socket[ours.buffer], told[1])
    }
  })

  it("keep what they lend in this thread", () => {
    const reading = new Reading(onRead, ours)
    const { socket, told } = pretended()
    reading.share(socket)
    for (let i = 0; i < 2; i++) {
      reading.lend()
      const { buffer } = told.at(-1)!
      assert.throws(() => structuredClone(buffer, { transfer: [buffer as ArrayBuffer] }), DOMException) // it is one
      assert.strictEqual(buffer.byteLength, 131_072)
      reading.retire([socket])
    }
  })
})

describe("a copy", () => {
  it.each([1, 4096, 4097, 131_072])("of %i bytes is its owner's", (size) => {
    const read = new Uint8Array(131_072).fill(1)
    const copy = copyOf(read, size)
    read.fill(2)
    assert.deepStrictEqual(copy, new Uint8Array(size).fill(1))
    assert.strictEqual(Object.getPrototypeOf(copy), Uint8Array.prototype)
  })

  it("that shares memory with others cannot be transferred with them; one that does not can be", () => {
    const [small, large] = [copyOf(Uint8Array.of(1, 2), 2), copyOf(new Uint8Array(5000), 5000)]
    assert.throws(() => structuredClone(small, { transfer: [small.buffer as ArrayBuffer] }), DOMException) // it is one
    assert.deepStrictEqual(copyOf(Uint8Array.of(3), 1), Uint8Array.of(3))
    assert.strictEqual(structuredClone(large, { transfer: [large.buffer as ArrayBuffer] }).length, 5000) // it is one
  })
})

/** Hears, and borrows: keeps the first chunk and is done with the others at once, unless it is told otherwise. */
class Borrower implements Transport.RawHandler {
  readonly isBorrowing = true
  readonly borrowed: Array<Uint8Array> = []
  readonly owned: Array<Uint8Array> = []
  readonly ends: Array<string | undefined> = []
  act: (chunk: Uint8Array) => void = () => {}

  onData(chunk: Uint8Array): void {
    this.owned.push(chunk)
    this.act(chunk)
  }
  borrow(chunk: Uint8Array): boolean {
    this.borrowed.push(chunk)
    this.act(chunk)
    return this.borrowed.length > 1
  }
  onEnd(): void {}
  onDrain(): void {}
  onClose(code: string | undefined): void {
    this.ends.push(code)
  }
}

/** Pairs of sockets on one listener; each end borrows. */
const pairs = Effect.fnUntraced(function*(count: number) {
  const transport = yield* Transport.Transport
  const servers: Array<{ readonly raw: Transport.RawSocket; readonly ear: Borrower }> = []
  const open = (raw: Transport.RawSocket) => {
    const ear = new Borrower()
    raw.attach(ear)
    raw.resume()
    return { raw, ear }
  }
  const listener = yield* transport.listen(Endpoint.tcpUnsafe("127.0.0.1", 0), {
    backlog: 16,
    onAccept: (raw) => void servers.push(open(raw))
  })
  const made = []
  for (let i = 0; i < count; i++) {
    const client = open(yield* transport.connect(listener.endpoint))
    yield* until("the accept", () => servers.length === i + 1)
    made.push({ client, server: servers[i]! })
  }
  return made
})

const turn = Effect.promise(() => new Promise<void>((resolve) => setImmediate(resolve)))

const text = (...chunks: ReadonlyArray<Uint8Array>) => chunks.map((chunk) => new TextDecoder().decode(chunk)).join("")
const bytes = (word: string) => new TextEncoder().encode(word)

const said = Effect.fnUntraced(function*(from: Transport.RawSocket, to: Borrower, word: string) {
  const before = to.borrowed.length + to.owned.length
  from.write([bytes(word)])
  yield* until(`"${word}"`, () => to.borrowed.length + to.owned.length > before)
})

const node = it.layer(NodeTransport.layer, { excludeTestServices: true })

node("raw sockets that borrow", (it) => {
  it.effect("keep what they borrowed unchanged while they and others read on", () =>
    Effect.gen(function*() {
      const [left, right] = yield* pairs(2)
      yield* said(left!.client.raw, left!.server.ear, "one")
      yield* said(right!.client.raw, right!.server.ear, "two")
      yield* said(left!.client.raw, left!.server.ear, "333")
      yield* said(right!.client.raw, right!.server.ear, "444")
      const [first, third] = left!.server.ear.borrowed
      const [second, fourth] = right!.server.ear.borrowed
      // The third was not kept: the fourth came where it was.
      assert.deepStrictEqual([text(first!), text(second!), text(third!), text(fourth!)], ["one", "two", "444", "444"])
      assert.strictEqual(third!.buffer, fourth!.buffer)
    }))

  it.effect("are no dialled ones, which do not know who else reads into their buffer", () =>
    Effect.gen(function*() {
      const [left, right] = yield* pairs(2)
      yield* said(left!.server.raw, left!.client.ear, "one")
      yield* said(right!.server.raw, right!.client.ear, "two")
      assert.deepStrictEqual(text(...left!.client.ear.owned, ...right!.client.ear.owned), "onetwo")
      assert.deepStrictEqual([left!.client.ear.borrowed, right!.client.ear.borrowed], [[], []])
    }))

  it.effect("may close while they read, kept or not, and others read on", () =>
    Effect.gen(function*() {
      const [left, middle, right] = yield* pairs(3)
      left!.server.ear.act = () => left!.server.raw.destroy()
      middle!.server.ear.act = () => middle!.server.raw.reset()
      yield* said(left!.client.raw, left!.server.ear, "one")
      yield* said(middle!.client.raw, middle!.server.ear, "two")
      yield* said(right!.client.raw, right!.server.ear, "333")
      yield* said(right!.client.raw, right!.server.ear, "444")
      const chunks = [left, middle, right].map((pair) => pair!.server.ear.borrowed[0]!)
      assert.deepStrictEqual(chunks.map((chunk) => text(chunk)), ["one", "two", "333"])
      yield* until("the closes", () => left!.server.ear.ends.length + middle!.server.ear.ends.length === 2)
      assert.deepStrictEqual([left!.server.ear.ends, middle!.server.ear.ends], [[undefined], [undefined]])
    }))

  it.effect("hear behind their pause what Node reads in it", () =>
    Effect.gen(function*() {
      const [pair] = yield* pairs(1)
      const { ear, raw } = pair!.server
      const { socket } = raw as unknown as {
        readonly socket: Record<symbol, (size: number, bytes: Uint8Array) => boolean>
      }
      raw.pause()
      socket[keys!.onRead]!(3, bytes("one"))
      yield* turn
      assert.deepStrictEqual([ear.owned, ear.borrowed], [[], []])
      raw.resume()
      yield* until("it hears", () => text(...ear.owned) === "one")
    }))

  it.effect("hear in order what came while they paused and resumed in one turn", () =>
    Effect.gen(function*() {
      const [pair] = yield* pairs(1)
      const { client, server } = pair!
      let heard = ""
      server.ear.act = (chunk) => {
        heard += text(chunk)
        server.raw.pause()
        server.raw.resume()
        server.raw.pause()
        setImmediate(() => server.raw.resume())
      }
      for (const word of ["a", "b", "c", "d", "e"]) {
        client.raw.write([bytes(word)])
        yield* until(word, () => client.raw.bytesUnsent === 0)
      }
      yield* until("all of it", () => heard === "abcde")
    }))
})

it.effect("a transport without the keys lends nothing", () =>
  Effect.gen(function*() {
    const [pair] = yield* pairs(1)
    yield* said(pair!.client.raw, pair!.server.ear, "one")
    assert.deepStrictEqual([pair!.server.ear.borrowed.length, text(...pair!.server.ear.owned)], [0, "one"])
  }).pipe(Effect.scoped, Effect.provide(Layer.provide(NodeTransport.layer, Layer.succeed(SharedReading, undefined)))))
