/** What a failure is called, and which are tried twice. */
import { assert, describe, it } from "@effect/vitest"
import { caught, farewell, lastWords, PeerFailure, twice, WrongReply } from "../../bench/failures.ts"

const node = `/x/server.ts:3
throw new Error("boom")
^

Error: boom
    at Object.<anonymous> (/x/server.ts:3:7) {
  [cause]: Error: deeper
}

Node.js v26.10.0
`

const python = `Traceback (most recent call last):
  File "/x/threads.py", line 34, in accept
    threading.Thread(target=serve).start()
RuntimeError: can't start new thread
`

describe("lastWords", () => {
  it.each([
    ["Node", node, "Error: boom"],
    ["Node, with a code", "TypeError [ERR_X]: no\n    at x\n\nNode.js v26.10.0\n", "TypeError [ERR_X]: no"],
    ["Python", python, "RuntimeError: can't start new thread"],
    ["Go", "panic: no port\n\ngoroutine 1 [running]:\nmain.main()\n", "panic: no port"],
    [
      "Rust",
      "thread 'main' panicked at main.rs:3:5:\nnote: run with RUST_BACKTRACE=1\n",
      "thread 'main' panicked at main.rs:3:5:"
    ],
    [
      "Java",
      "Exception in thread \"main\" java.net.BindException\n\tat X.main(X.java:3)\n",
      "Exception in thread \"main\" java.net.BindException"
    ],
    [
      "a program of few words",
      "generator: recv: Connection reset by peer\n",
      "generator: recv: Connection reset by peer"
    ],
    ["nobody", "\n \n", ""]
  ])("are those of %s", (_, said, words) => assert.strictEqual(lastWords(said), words))

  it("are cut", () => assert.strictEqual(lastWords("x".repeat(10_000)).length, 200))
})

describe("farewell", () => {
  it("names code and last words", () =>
    assert.strictEqual(
      farewell("server", { code: 1, signal: null }, node),
      "the server ended with code 1: Error: boom"
    ))

  it("names the signal of a program that said nothing", () =>
    assert.strictEqual(farewell("server", { code: null, signal: "SIGKILL" }, ""), "the server was ended by SIGKILL"))

  it("quotes a program that says itself what failed", () =>
    assert.strictEqual(
      farewell("generator", { code: 1, signal: null }, "generator: the server ended connection 7\n"),
      "the server ended connection 7"
    ))
})

/** Fails as told, one time after the other; then it succeeds. It counts how often it was asked. */
const failing = (...errors: ReadonlyArray<Error>) => {
  const effort = { count: 0, run: () => Promise.resolve(0) }
  effort.run = () => {
    const error = errors[effort.count++]
    return error === undefined ? Promise.resolve(effort.count) : Promise.reject(error)
  }
  return effort
}

/** What comes of two tries: the result or the error, how many tries there were, and what was said of the first. */
const outcome = async (effort: ReturnType<typeof failing>) => {
  const said: Array<string> = []
  const result = await twice(effort.run, (reason) => said.push(reason)).catch((error: unknown) => error)
  return { result, tries: effort.count, said }
}

describe("twice", () => {
  const first = new PeerFailure("first")
  const second = new PeerFailure("second")
  const wrong = new WrongReply("wrong")
  const bug = new TypeError("bug")

  it("tries what succeeds once", async () =>
    assert.deepStrictEqual(await outcome(failing()), { result: 1, tries: 1, said: [] }))

  it("takes the second try, and tells of the first", async () =>
    assert.deepStrictEqual(await outcome(failing(first)), { result: 2, tries: 2, said: ["first"] }))

  it("fails with the second failure", async () =>
    assert.deepStrictEqual(await outcome(failing(first, second)), { result: second, tries: 2, said: ["first"] }))

  it("has no second try for a wrong reply or a bug", async () => {
    assert.deepStrictEqual(await outcome(failing(wrong)), { result: wrong, tries: 1, said: [] })
    assert.deepStrictEqual(await outcome(failing(bug)), { result: bug, tries: 1, said: [] })
  })

  it("fails with a wrong reply of the second try", async () =>
    assert.deepStrictEqual(await outcome(failing(first, wrong)), { result: wrong, tries: 2, said: ["first"] }))
})

describe("caught", () => {
  it("makes a value of a peer's failure, and of nothing else", async () => {
    const failure = new PeerFailure("x")
    assert.strictEqual(await caught(failing(failure).run), failure)
    assert.strictEqual(await caught(failing(new WrongReply("x")).run).catch(() => "thrown"), "thrown")
    assert.strictEqual(await caught(failing().run), 1)
  })
})
