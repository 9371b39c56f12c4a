/** When a server lends its requests, and when it copies them: what comes at once is overwritten where it was lent. */
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { frame, gone, keeping, texts, turn } from "./support/lending.ts"
import { settle, until } from "./support/network.ts"
import * as requests from "./support/requests.ts"

const lent = { requests: "lent" } as const

describe("lending", () => {
  /** Whether what comes at once on a new connection is lent. */
  const goesOn = ({ dial, look }: Effect.Success<ReturnType<typeof keeping>>) =>
    Effect.gen(function*() {
      const { raw } = yield* dial
      raw.write([frame("at once", "last")])
      yield* settle
      return look().at(-1) === gone("last")
    })

  /** Answers many batches that need no fiber. */
  const answerMany = ({ dial }: Effect.Success<ReturnType<typeof keeping>>, batches: number) =>
    Effect.gen(function*() {
      const { ear, raw } = yield* dial
      for (let i = 0; i < batches; i++) {
        raw.write([frame("in sync", "")])
        yield* turn
      }
      yield* until("all answers", () => ear.bytes === batches * 4)
    })

  it.effect("ends with 16 connections whose handlers wait, and goes on some batches after they have answered", () =>
    Effect.scoped(Effect.gen(function*() {
      let latch = yield* Deferred.make<void>()
      const wait = Effect.suspend(() => Deferred.await(latch))
      const server = yield* keeping(lent, (asked) => requests.answer(asked, wait))
      const { dial, look } = server
      const peers = []
      for (let i = 1; i <= 16; i++) {
        assert.isTrue(yield* goesOn(server), `connection ${i}`)
        const { raw } = yield* dial
        peers.push(raw)
        raw.write([frame("at once", "before"), frame("waits", "during")])
        yield* settle
        assert.deepStrictEqual(look().slice(-2), ["before", "during"])
      }
      assert.isFalse(yield* goesOn(server))
      yield* answerMany(server, 4096)
      assert.isFalse(yield* goesOn(server))
      yield* Deferred.succeed(latch, undefined)
      yield* settle
      assert.isFalse(yield* goesOn(server))
      yield* answerMany(server, 4096)
      assert.isTrue(yield* goesOn(server))
      // But not for one that has kept something.
      peers[0]!.write([frame("at once", "behind")])
      yield* settle
      assert.strictEqual(look().at(-1), "behind")
      // For one more.
      latch = yield* Deferred.make<void>()
      const { raw } = yield* dial
      raw.write([frame("waits", "again")])
      yield* settle
      assert.isFalse(yield* goesOn(server))
      yield* Deferred.succeed(latch, undefined)
    })))

  it.effect("does not count the pieces of a request as batches", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* keeping(lent, (asked) => requests.answer(asked, turn))
      for (let i = 0; i < 16; i++) {
        const { raw } = yield* server.dial
        raw.write([frame("waits", "")])
        yield* settle
      }
      const { ear, raw } = yield* server.dial
      const large = frame("at once", "x".repeat(5_000))
      for (let i = 0; i < large.length; i++) {
        raw.write([large.subarray(i, i + 1)])
        yield* turn
      }
      yield* until("the answer", () => ear.bytes > 5_000)
      assert.isFalse(yield* goesOn(server))
    })))

  it.effect.each<[how: string, end: Effect.Effect<Uint8Array>]>([
    ["die", Effect.die("as planned")],
    ["are interrupted", Effect.interrupt]
  ])(
    "goes on some batches after 16 connections whose handlers wait, and %s",
    ([, end]) =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* keeping(
          lent,
          (asked) => asked.body[0] === 33 ? Effect.andThen(turn, end) : requests.answer(asked, turn)
        )
        for (let i = 0; i < 16; i++) {
          const { raw } = yield* server.dial
          raw.write([frame("waits", "!")])
          yield* settle
        }
        assert.isFalse(yield* goesOn(server))
        yield* answerMany(server, 4096)
        assert.isTrue(yield* goesOn(server))
      }))
  )

  /** 20 visitors that ask and do not read; what is large is more than fits. */
  const blocked = (...sent: ReadonlyArray<Uint8Array>) =>
    Effect.gen(function*() {
      const server = yield* keeping(lent, (asked) =>
        texts(asked.body) === "large" ? Effect.succeed(new Uint8Array(70_000)) : requests.answer(asked, turn))
      const peers = []
      for (let i = 0; i < 20; i++) {
        const peer = yield* server.dial
        peers.push(peer)
        peer.raw.pause()
        peer.raw.write(sent)
        yield* settle
      }
      return { ...server, peers }
    })

  it.effect.each<[how: string, plan: requests.Plan]>([["at once", "at once"], ["in a fiber", "in sync"]])(
    "goes on where 20 peers do not read what was answered %s",
    ([, plan]) =>
      Effect.scoped(Effect.gen(function*() {
        const server = yield* blocked(frame(plan, "one"), frame(plan, "large"))
        assert.deepStrictEqual([...new Set(server.look())], [gone("one"), gone("large")])
        assert.isTrue(yield* goesOn(server))
        const [{ ear, raw }] = server.peers as [typeof server.peers[number]]
        raw.resume()
        raw.write([frame("at once", "behind")])
        yield* settle
        assert.deepStrictEqual([ear.bytes, texts(ear.heard.subarray(-6))], [7 + 70_004 + 10, "behind"])
        assert.isTrue(yield* goesOn(server))
      }))
  )

  it.effect("goes on where 20 peers do not read, and have sent what ends their connections", () =>
    Effect.scoped(Effect.gen(function*() {
      const large = (asked: requests.Asked) => Effect.as(requests.answer(asked, turn), new Uint8Array(70_000))
      const { dial, ends, look } = yield* keeping(lent, large, requests.Strict)
      const good = frame("at once", "one", requests.checked)
      const peers = []
      for (let i = 0; i < 20; i++) {
        const peer = yield* dial
        peers.push(peer)
        peer.raw.pause()
        peer.raw.write([good, requests.spoil(good), good])
        yield* settle
      }
      assert.deepStrictEqual([look(), ends], [peers.map(() => gone("one")), []])
      for (const { ear, raw } of peers) {
        raw.resume()
        yield* until("the end", () => ear.isEnded)
        raw.end()
        assert.strictEqual(ear.bytes, 70_004)
      }
      yield* settle
      assert.deepStrictEqual([look().length, ends], [20, peers.map(() => "FrameCorrupt")])
    })))

  it.effect("ends where 20 peers do not read, and wait for more answers", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* blocked(frame("at once", "large"), frame("at once", "two"), frame("at once", "three"))
      assert.isFalse(yield* goesOn(server))
      for (const { ear, raw } of server.peers) {
        raw.resume()
        yield* until("the answers", () => ear.bytes === 70_004 + 7 + 9)
        assert.strictEqual(texts(ear.heard.subarray(-16)), "two three")
      }
    })))
})

const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

it.effect.each(["owned", "lent"] as const)(
  "an open connection holds no request that it has answered: %s",
  (whose) =>
    Effect.scoped(Effect.gen(function*() {
      const refs: Array<WeakRef<object>> = []
      const { dial, kept } = yield* keeping({ requests: whose }, (asked) => {
        refs.push(new WeakRef(asked.body.buffer))
        return requests.answer(asked, turn)
      })
      for (const plan of ["in sync", "waits"] as const) {
        const { raw } = yield* dial
        raw.write([frame(plan, "one")])
        yield* settle
      }
      kept.length = 0
      collectGarbage()
      assert.deepStrictEqual(refs.map((each) => each.deref()), [undefined, undefined])
    }))
)
