/**
 * Workers that do not do what they should: real processes that run a script of the test's own, in a time that the test
 * makes pass.
 */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Sink, Stdio } from "effect"
import { TestClock } from "effect/testing"
import * as Crew from "../../src/cli/Crew.ts"
import * as Failure from "../../src/cli/Failure.ts"
import * as Relay from "../../src/cli/Relay.ts"
import * as Worker from "../../src/cli/Worker.ts"
import { serving } from "./inProcess.ts"

/** Does what a worker does, unless `on` has something else for a message. */
const script = (on: string) => `
  const place = { worker: Number.parseInt(process.env.HAWSER__WORKER) }
  const tell = (_tag, rest = {}) => process.send({ _tag, ...rest })
  const usual = {
    Listen: ({ endpoints, isFirst }) => tell("Listening", { endpoints: isFirst ? ["tcp://127.0.0.1:4711"] : endpoints }),
    Reload: () => {},
    Drain: () => {
      tell("Drained", { served: 10, drained: place.worker, forced: 1, refused: 2, elapsedMillis: 100 * place.worker })
      // Last, so that whoever has heard it has heard everything.
      tell("Draining", { open: place.worker })
      process.disconnect()
    }
  }
  const on = { ...usual, ...${on} }
  process.on("message", (order) => on[order._tag](order))
  tell("Ready")
  on.Start?.()
`

/** Two workers, and what is printed. */
const crew = Effect.fnUntraced(
  function*(on: string, command?: readonly [string]) {
    const printed: Array<string> = []
    const decoder = new TextDecoder()
    const stdout = () =>
      Sink.forEach((data: string | Uint8Array) =>
        Effect.sync(() => void printed.push(typeof data === "string" ? data : decoder.decode(data)))
      )
    const relay = yield* Effect.provide(Relay.make, Stdio.layerTest({ stdout }))
    const made = yield* Crew.make(2, false, relay).pipe(
      Effect.provideService(Worker.Command, command ?? [process.execPath, "-e", script(on)])
    )
    return { ...made, relay, printed }
  }
)

const grace = Duration.seconds(30)
const wanted = ["tcp://127.0.0.1:0"] as const

it.effect("listens where the first worker does, drains together, and sums up", () =>
  Effect.gen(function*() {
    const { drain, end, listen } = yield* crew("{}")
    assert.deepStrictEqual(yield* listen(wanted), ["tcp://127.0.0.1:4711"])
    assert.strictEqual(yield* drain, 3)
    assert.deepStrictEqual(yield* end(grace), {
      report: { served: 20, drained: 3, forced: 2, refused: 4, elapsed: Duration.millis(200) },
      failure: undefined
    })
  }))

it.effect("gives up on a worker that does not listen", () =>
  Effect.gen(function*() {
    const { listen } = yield* crew("{ Listen: (order) => { if (place.worker === 1) usual.Listen(order) } }")
    const second = yield* Effect.forkChild(Effect.flip(listen(wanted)), { startImmediately: true })
    yield* TestClock.adjust(Crew.limits.start)
    const { exitCode, message } = yield* Fiber.join(second)
    assert.strictEqual(exitCode, 1)
    assert.match(message, /^worker [12] did not listen within 60s$/)
  }))

it.effect("kills workers that do not drain, when the grace and some more are over", () =>
  Effect.gen(function*() {
    const { drain, end, listen } = yield* crew("{ Drain: () => {} }")
    yield* listen(wanted)
    const draining = yield* Effect.forkChild(drain, { startImmediately: true })
    yield* TestClock.adjust(Crew.limits.answer)
    assert.strictEqual(yield* Fiber.join(draining), 0)
    const ending = yield* Effect.forkChild(end(grace), { startImmediately: true })
    yield* TestClock.adjust(Duration.sum(grace, Crew.limits.drain))
    assert.deepStrictEqual(
      (yield* Fiber.join(ending)).failure,
      new Failure.Failure({
        exitCode: 1,
        message: "worker 1 had not drained 40s after it was asked to",
        hint: "it was killed, with the connections that it still had"
      })
    )
  }))

it.effect("kills a worker that has drained and does not end", () =>
  Effect.gen(function*() {
    const { drain, end, listen } = yield* crew(
      "{ Drain: () => { usual.Drain(); if (place.worker === 2) setInterval(() => {}, 1000) } }"
    )
    yield* listen(wanted)
    assert.strictEqual(yield* drain, 3)
    const ending = yield* Effect.forkChild(end(grace), { startImmediately: true })
    yield* TestClock.adjust(Crew.limits.exit)
    const { failure, report } = yield* Fiber.join(ending)
    assert.strictEqual(report.served, 20)
    assert.match(String(failure?.message), /^worker [12] had not ended 5s after it had drained$/)
  }))

it.effect("says why a worker failed by the worker's own words, once", () =>
  Effect.gen(function*() {
    const failed = "{ exitCode: 3, message: \"no \" + place.worker, hint: \"try\" }"
    const { end, drain, listen, lost } = yield* crew(
      `{ Listen: () => process.send({ _tag: "Failed", ...${failed} }, () => process.exit(3)) }`
    )
    const { exitCode, hint, message } = yield* Effect.flip(Effect.raceFirst(listen(wanted), lost))
    assert.deepStrictEqual([exitCode, message, hint], [3, "no 1", "try"])
    assert.strictEqual(yield* drain, 2)
    assert.isUndefined((yield* end(grace)).failure)
  }))

it.effect.each<readonly [on: string, exitCode: number, message: string]>([
  ["{ Start: () => process.exit(7) }", 1, "ended with exit code 7 before it listened"],
  [
    "{ Listen: (order) => { usual.Listen(order); process.exitCode = 0; process.disconnect() } }",
    1,
    "ended with exit code 0, and the others were drained"
  ],
  [
    "{ Listen: (order) => { usual.Listen(order); setImmediate(() => process.kill(process.pid, \"SIGSEGV\")) } }",
    1,
    "was killed by SIGSEGV, and the others were drained"
  ]
])("says how a worker ended that did not say why: %s", ([on, code, expected]) =>
  Effect.gen(function*() {
    const { listen, lost } = yield* crew(on)
    const { exitCode, message } = yield* Effect.flip(
      Effect.raceFirst(lost, Effect.andThen(listen(wanted), Effect.never))
    )
    assert.strictEqual(exitCode, code)
    assert.strictEqual(message.replace(/^worker [12] /, ""), expected)
  }))

it.effect("a process that cannot be started is a local error", () =>
  Effect.gen(function*() {
    const { drain, end, listen, lost } = yield* crew("", ["/nowhere/node"])
    const { exitCode, message } = yield* Effect.flip(Effect.raceFirst(lost, listen(wanted)))
    assert.strictEqual(exitCode, 2)
    assert.match(message, /^worker [12] cannot be started \(ENOENT\)$/)
    assert.strictEqual(yield* drain, 0)
    assert.strictEqual((yield* end(grace)).report.served, 0)
  }))

it.effect("an orderly end of one worker that nobody asked for is told at its drain, too", () =>
  Effect.gen(function*() {
    const { drain, end, listen } = yield* crew(
      "{ Drain: () => { if (place.worker === 2) process.exit(9); usual.Drain() } }"
    )
    yield* listen(wanted)
    assert.strictEqual(yield* drain, 1)
    const { failure, report } = yield* end(grace)
    assert.deepStrictEqual([report.served, failure?.message], [
      10,
      "worker 2 ended with exit code 9, and the others were drained"
    ])
  }))

it.effect("prints whole lines, while the gate is open, and not the one that a worker did not finish", () =>
  Effect.gen(function*() {
    const { drain, end, listen, printed, relay } = yield* crew(
      "{ Listen: (order) => process.stdout.write(place.worker + \"a\\n\" + place.worker + \"b\\nhalf\", () => usual.Listen(order)) }"
    )
    yield* listen(wanted)
    assert.deepStrictEqual(printed, [])
    yield* relay.say("first")
    yield* relay.gate.open
    yield* drain
    assert.isUndefined((yield* end(grace)).failure)
    yield* relay.say("last")
    while (printed.at(-1) !== "last\n") yield* Effect.yieldNow
    assert.strictEqual(printed[0], "first\n")
    assert.deepStrictEqual(printed.slice(1, -1).toSorted(), ["1a\n1b\n", "2a\n2b\n"])
  }))

it.live("who ends by a drain is told behind its beginning, also where one worker is slow to say that it drains", () =>
  Effect.gen(function*() {
    const on = `{ Drain: () => {
      if (place.worker === 1) process.stdout.write("#1.1 ended\\n")
      setTimeout(usual.Drain, place.worker === 1 ? 0 : 200)
    } }`
    const server = yield* Effect.provideService(
      serving(["echo", "--workers", "2", "--port", "0"]),
      Worker.Command,
      [process.execPath, "-e", script(on)]
    )
    yield* server.says(/^listening on tcp:\/\/127\.0\.0\.1:4711: echo, chunks[^\n]*, 2 workers; [^\n]*\n$/)
    const { exit, stderr, stdout } = yield* server.stop
    assert.deepStrictEqual([exit, stderr], [0, ""])
    assert.deepStrictEqual(stdout.split("\n").slice(1), [
      "draining: 3 open connections; Ctrl-C again ends at once",
      "#1.1 ended",
      "drained in 200ms: 20 served, 3 drained, 2 forced, 4 refused",
      ""
    ])
  }).pipe(Effect.scoped))
