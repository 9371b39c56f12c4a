import { assert, it } from "@effect/vitest"
import { Effect, Exit, Latch, Scope, Sink, Stdio } from "effect"
import * as EventLog from "../../src/cli/EventLog.ts"
import * as Failure from "../../src/cli/Failure.ts"
import * as Output from "../../src/cli/Output.ts"
import type * as Report from "../../src/cli/Report.ts"
import { systemFailure } from "./inProcess.ts"

const format: Report.Format = ({ event }) =>
  event._tag === "Lost" ? `lost ${event.events}` : event._tag === "Draining" ? `event ${event.open}` : event._tag

const event = (open: number) => ({ _tag: "Draining", open }) as const

/** A stdout that keeps what is written, as soon as the latch is open. */
const keeping = (into: Array<string>, latch: Latch.Latch) =>
  Stdio.layerTest({
    stdout: () =>
      Sink.forEach((data: string | Uint8Array) =>
        Effect.andThen(latch.await, Effect.sync(() => void into.push(String(data))))
      )
  })

it.effect("prints everything before its scope is closed, many lines in one write", () =>
  Effect.gen(function*() {
    const written: Array<string> = []
    const latch = yield* Latch.make(true)
    const scope = yield* Scope.make()
    const log = yield* EventLog.make(format).pipe(Scope.provide(scope), Effect.provide(keeping(written, latch)))
    for (let n = 0; n < 3; n++) log.onEvent(event(n))
    yield* Scope.close(scope, Exit.void)
    assert.deepStrictEqual(written, ["event 0\nevent 1\nevent 2\n"])
  }))

it.effect("counts what it cannot keep while stdout is not read", () =>
  Effect.gen(function*() {
    const written: Array<string> = []
    const latch = yield* Latch.make(false)
    const scope = yield* Scope.make()
    const log = yield* EventLog.make(format).pipe(Scope.provide(scope), Effect.provide(keeping(written, latch)))
    for (let n = 0; n < 5000; n++) log.onEvent(event(n))
    yield* latch.open
    yield* Scope.close(scope, Exit.void)
    const lines = written.join("").trimEnd().split("\n")
    const kept = lines.filter((line) => line.startsWith("event "))
    const [lost] = lines.filter((line) => line.startsWith("lost "))
    assert.deepStrictEqual(kept, Array.from({ length: kept.length }, (_, n) => `event ${n}`))
    assert.isAtMost(kept.length, 4096)
    assert.strictEqual(lost, `lost ${5000 - kept.length}`)
  }))

const failing = (code: string) =>
  Stdio.layerTest({ stdout: () => Sink.forEach(() => Effect.fail(systemFailure("stdout", code))) })

it.effect("tells a reader that went away from a disk that is full", () =>
  Effect.gen(function*() {
    const fail = Effect.fnUntraced(function*(code: string) {
      const log = yield* EventLog.make(format).pipe(Effect.provide(failing(code)))
      log.onEvent(event(1))
      return yield* Effect.flip(log.failed)
    }, Effect.scoped)
    assert.instanceOf(yield* fail("EPIPE"), Output.Closed)
    assert.deepStrictEqual(
      yield* fail("ENOSPC"),
      new Failure.Failure({ exitCode: 2, message: "cannot write to stdout (ENOSPC)", hint: undefined })
    )
  }))
