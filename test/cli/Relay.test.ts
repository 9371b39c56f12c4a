/** Lines of several, and of the supervisor, on one stdout. */
import { assert, it } from "@effect/vitest"
import { Effect, Fiber, Latch, Schema, Sink, Stdio } from "effect"
import { Readable } from "node:stream"
import * as Output from "../../src/cli/Output.ts"
import * as Relay from "../../src/cli/Relay.ts"
import { systemFailure } from "./inProcess.ts"

const decoder = new TextDecoder()

/** A stdout that keeps what is written, as soon as the latch is open. */
const keeping = (into: Array<string>, latch: Latch.Latch) =>
  Stdio.layerTest({
    stdout: () =>
      Sink.forEach((data: string | Uint8Array) =>
        Effect.andThen(
          latch.await,
          Effect.sync(() => void into.push(typeof data === "string" ? data : decoder.decode(data)))
        )
      )
  })

/** A pipe that gives a text in pieces of these sizes, and then the rest. */
const pipe = (text: string, sizes: ReadonlyArray<number>): Readable => {
  const bytes = Buffer.from(text)
  let at = 0
  const pieces = sizes.map((size) => bytes.subarray(at, at += size))
  return Readable.from([...pieces, bytes.subarray(at)].filter(({ length }) => length > 0), { objectMode: false })
}

it.effect.prop(
  "passes on the lines of each, whole and in their order, however they come; without one that is not finished",
  {
    lines: Schema.Array(Schema.String),
    sizes: Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 20 }))),
    rest: Schema.String
  },
  ({ lines, rest, sizes }) =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const latch = yield* Latch.make(true)
      const clean = (text: string) => text.replaceAll("\n", "").toWellFormed()
      const of = (name: string) => lines.map((line) => `${name}${clean(line)}\n`)
      yield* Effect.gen(function*() {
        const relay = yield* Relay.make
        yield* relay.gate.open
        yield* Effect.forEach(
          ["1", "2"],
          (name) => relay.pass(pipe(`${of(name).join("")}${clean(rest)}`, sizes)),
          { concurrency: "unbounded" }
        )
      }).pipe(Effect.scoped, Effect.provide(keeping(written, latch)))
      const all = written.join("").split(/(?<=\n)/).filter((line) => line !== "")
      for (const name of ["1", "2"]) assert.deepStrictEqual(all.filter((line) => line.startsWith(name)), of(name))
      assert.strictEqual(all.length, 2 * lines.length)
    })
)

it.effect("takes no more from a pipe than it may hold while stdout is not read", () =>
  Effect.gen(function*() {
    const written: Array<string> = []
    const latch = yield* Latch.make(false)
    let taken = 0
    const endless = new Readable({
      read() {
        taken++
        this.push("a line\n")
      },
      highWaterMark: 0
    })
    yield* Effect.gen(function*() {
      const relay = yield* Relay.make
      yield* relay.gate.open
      assert.isFalse(relay.isBehind())
      yield* Effect.forkScoped(relay.pass(endless))
      let before = -1
      while (taken !== before) {
        before = taken
        for (let turns = 0; turns < 100; turns++) yield* Effect.promise(() => new Promise(setImmediate))
      }
      const isBehind = relay.isBehind()
      endless.destroy()
      yield* latch.open
      assert.isTrue(isBehind)
      // Sixteen are being written, sixteen wait, and some are on their way.
      assert.isBelow(taken, 40)
    }).pipe(Effect.scoped, Effect.provide(keeping(written, latch)))
  }))

it.effect("throws everything away, and holds up nobody, when stdout is closed", () =>
  Effect.gen(function*() {
    const relay = yield* Relay.make.pipe(
      Effect.provide(
        Stdio.layerTest({ stdout: () => Sink.forEach(() => Effect.fail(systemFailure("stdout", "EPIPE"))) })
      )
    )
    yield* relay.gate.open
    const passing = yield* Effect.forkChild(
      relay.pass(Readable.from(Array.from({ length: 500 }, () => Buffer.from("a\n"))))
    )
    assert.instanceOf(yield* Effect.flip(relay.failed), Output.Closed)
    yield* Fiber.await(passing)
    yield* relay.say("nothing")
    assert.isFalse(relay.isBehind())
  }).pipe(Effect.scoped))
