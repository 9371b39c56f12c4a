import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Echo from "../../src/services/Echo.ts"
import * as Greet from "../../src/services/Greet.ts"
import { fails, portOf, run, strange } from "./inProcess.ts"

const anywhere = "tcp://127.0.0.1:0"

it.live("passes bytes to the peer and back, and half-closes at the end of stdin", () =>
  Effect.gen(function*() {
    const port = yield* portOf(Echo.layer(anywhere))
    const stdin = Array.from({ length: 100 }, (_, n) => `chunk ${n} of what is passed on\n`)
    assert.deepStrictEqual(yield* run(["connect", `tcp://127.0.0.1:${port}`], { stdin }), {
      exit: 0,
      stdout: stdin.join(""),
      stderr: ""
    })
  }))

it.live("waits for the peer's end after its own", () =>
  Effect.gen(function*() {
    // Answers only after the end of what it is sent.
    const port = yield* strange((socket) => void socket.resume().once("end", () => socket.end("late")))
    assert.deepStrictEqual(yield* run(["connect", `tcp://127.0.0.1:${port}`], { stdin: ["x"] }), {
      exit: 0,
      stdout: "late",
      stderr: ""
    })
  }))

it.live("prints what comes without saying anything", () =>
  Effect.gen(function*() {
    const port = yield* portOf(Greet.layer(anywhere))
    assert.deepStrictEqual(yield* run(["connect", `tcp://127.0.0.1:${port}`]), {
      exit: 0,
      stdout: "Thank you for connecting\n",
      stderr: ""
    })
  }))

it.live("says that the peer broke the connection, after what it sent", () =>
  Effect.gen(function*() {
    const port = yield* strange((socket) => void socket.once("data", () => socket.resetAndDestroy()))
    yield* fails(["connect", `tcp://127.0.0.1:${port}`], {
      exit: 1,
      stderr: `hawser: tcp://127.0.0.1:${port} broke the connection (ECONNRESET)\n` +
        "hint: it may have crashed, or refuse more connections\n"
    }, { stdin: ["x"] })
  }))

it.live("says that nobody is there", () =>
  Effect.gen(function*() {
    const port = yield* Effect.scoped(portOf(Echo.layer(anywhere)))
    yield* fails(["connect", `tcp://127.0.0.1:${port}`], {
      exit: 1,
      stderr: `hawser: cannot connect to tcp://127.0.0.1:${port}: nobody listens there\n` +
        "hint: start the server first, or check host and port\n"
    })
    yield* fails(["connect", "unix:/nowhere/x.sock"], {
      exit: 1,
      stderr: "hawser: cannot connect to unix:/nowhere/x.sock: no such socket (ENOENT)\nhint: check the path\n"
    })
  }))

it.live("says that stdin cannot be read, and that stdout is full", () =>
  Effect.gen(function*() {
    const port = yield* portOf(Echo.layer(anywhere))
    yield* fails(["connect", `tcp://127.0.0.1:${port}`], {
      exit: 2,
      stderr: "hawser: cannot read from stdin (EIO)\n"
    }, { stdinFails: "EIO" })
    yield* fails(["connect", `tcp://127.0.0.1:${port}`], {
      exit: 2,
      stderr: "hawser: cannot write to stdout (ENOSPC)\n"
    }, { stdin: ["x"], stdoutFails: "ENOSPC" })
  }))

it.live("says in a sentence that there is a bug, and where to those who want everything", () =>
  Effect.gen(function*() {
    const port = yield* portOf(Echo.layer(anywhere))
    const sentence = "hawser: internal error: out of order\nhint: this is a bug in hawser; --verbose shows where\n"
    const args = ["connect", `tcp://127.0.0.1:${port}`]
    yield* fails(args, { exit: 2, stderr: sentence }, { stdinDies: "out of order" })
    const { exit, stderr } = yield* run([...args, "-v"], { stdinDies: "out of order" })
    assert.strictEqual(exit, 2)
    assert.match(stderr, /Error: out of order\n +at /)
    assert.isTrue(stderr.endsWith(sentence))
  }))
