import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Framing from "../../src/Framing.ts"
import * as Echo from "../../src/services/Echo.ts"
import * as Goodbye from "../../src/services/Goodbye.ts"
import * as Reverse from "../../src/services/Reverse.ts"
import { fails, portOf, run, strange } from "./inProcess.ts"

const anywhere = "tcp://127.0.0.1:0"
const chunks = Framing.chunks({ maxFrameBytes: 1024 })

describe("with messages", () => {
  it.live("prints one reply per line", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Reverse.layer(anywhere))
      assert.deepStrictEqual(yield* run(["talk", "reverse", "--port", port, "stressed", "", "héllo 👩‍👩‍👧", "--", "--x"]), {
        exit: 0,
        stdout: "desserts\n\n👩‍👩‍👧 olléh\nx--\n",
        stderr: ""
      })
    }))

  it.live("talks to echo, in any framing", () =>
    Effect.gen(function*() {
      for (
        const [flag, framing] of [
          ["length:2", Framing.lengthPrefixed({ maxFrameBytes: 100, widthBytes: 2 })],
          ["fixed:3", Framing.fixed({ frameBytes: 3 })],
          ["delimited:;", Framing.delimited({ delimiter: ";", maxFrameBytes: 100, unterminated: "reject" })],
          ["chunks", chunks]
        ] as const
      ) {
        const port = yield* portOf(Echo.layer(anywhere, { framing }))
        assert.deepStrictEqual(yield* run(["talk", "echo", "--port", port, "--framing", flag, "abc", "def"]), {
          exit: 0,
          stdout: "abc\ndef\n",
          stderr: ""
        })
      }
    }))
})

describe("in a pipe", () => {
  it.live("sends each line and prints each reply, the last line without an end too", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Reverse.layer(anywhere))
      assert.deepStrictEqual(
        yield* run(["talk", "reverse", "--port", port], { stdin: ["one\ntw", "o\r\n\nthr", "ee"] }),
        {
          exit: 0,
          stdout: "eno\nowt\n\neerht\n",
          stderr: ""
        }
      )
    }))

  it.live("keeps the order of many", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Echo.layer(anywhere))
      const lines = Array.from({ length: 5000 }, (_, n) => `line ${n}\n`).join("")
      assert.deepStrictEqual(yield* run(["talk", "echo", "--port", port], { stdin: [lines] }), {
        exit: 0,
        stdout: lines,
        stderr: ""
      })
    }))

  it.live("says nothing when nothing is said", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Echo.layer(anywhere))
      assert.deepStrictEqual(yield* run(["talk", "echo", "--port", port]), { exit: 0, stdout: "", stderr: "" })
    }))

  it.live("answers the lines before one that is not text, or too long", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Echo.layer(anywhere))
      assert.deepStrictEqual(
        yield* run(["talk", "echo", "--port", port], { stdin: ["ab\n", Uint8Array.of(99, 10, 255, 10), "d\n"] }),
        {
          exit: 2,
          stdout: "ab\nc\n",
          stderr: "hawser: line 3 of stdin: corrupt frame: 1 bytes are not valid UTF-8\n"
        }
      )
      assert.deepStrictEqual(
        yield* run(["talk", "echo", "--port", port, "--max-frame", "4"], { stdin: ["ab\nabcde\n"] }),
        {
          exit: 2,
          stdout: "ab\n",
          stderr: "hawser: line 2 of stdin: inbound frame of 5 bytes exceeds the limit of 4 bytes\n"
        }
      )
    }))
})

describe("on a terminal", () => {
  const talk = (typed: ReadonlyArray<string>, ...flags: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const port = yield* portOf(Reverse.layer(anywhere, { framing: chunks }))
      return yield* run(["talk", "reverse", "--port", port, "--framing", "chunks", ...flags], { typed })
    })

  it.live("is the tutorial's client, to the letter", () =>
    Effect.gen(function*() {
      const reply = "Received from the server : skeegrofskeeg syas ayruahs\n\nDo you want to continue(y/n) :"
      assert.deepStrictEqual(yield* talk(["shaurya says geeksforgeeks", "y", "", "n"]), {
        exit: 0,
        stdout: `Enter data you want to send->${reply}Enter data you want to send->${reply}`,
        stderr: ""
      })
    }))

  it.live("asks for another message after y, and leaves after anything else", () =>
    Effect.gen(function*() {
      const { exit, stdout } = yield* talk(["ab", "y", "cd", "yes"])
      assert.deepStrictEqual(stdout.match(/server : .*/g), ["server : ba", "server : dc"])
      assert.isTrue(stdout.endsWith("Do you want to continue(y/n) :"))
      assert.strictEqual(exit, 0)
    }))

  it.live("asks again when there is nothing to send again", () =>
    Effect.gen(function*() {
      const { stdout } = yield* talk(["", "ab", "n"])
      assert.isTrue(stdout.startsWith("Enter data you want to send->Enter data you want to send->Received"))
    }))

  it.live("leaves at the end of the input", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* talk([]), { exit: 0, stdout: "Enter data you want to send->\n", stderr: "" })
      const { exit, stdout } = yield* talk(["ab"])
      assert.strictEqual(exit, 0)
      assert.isTrue(stdout.endsWith("Do you want to continue(y/n) :\n"))
    }))

  it.live("does not ask when it was told what to say", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* talk(["x"], "ab"), { exit: 0, stdout: "ba\n", stderr: "" })
    }))
})

describe("ends with a sentence and its exit code when the server", () => {
  it.live("is not there", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(portOf(Echo.layer(anywhere)))
      yield* fails(["talk", "echo", "--port", port, "hi"], {
        exit: 1,
        stderr: `hawser: cannot connect to tcp://127.0.0.1:${port}: nobody listens there\n` +
          "hint: start the server first, or check host and port\n"
      })
    }))

  it.live("is full, and says so", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.once("data", () => socket.end(`${Goodbye.full}\n`)))
      yield* fails(["talk", "echo", "--port", port, "hi"], {
        exit: 1,
        stderr: `hawser: tcp://127.0.0.1:${port} turned this client away: the server is full, try again later\n`
      })
      // An echo of these words is none.
      assert.strictEqual((yield* run(["talk", "echo", "--port", port, Goodbye.full])).stdout, `${Goodbye.full}\n`)
    }))

  it.live("says more than it was asked", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.once("data", () => socket.write("a\nb\n")))
      const { exit, stderr, stdout } = yield* run(["talk", "echo", "--port", port], { typed: ["hi", "y", "ho"] })
      assert.strictEqual(exit, 1)
      assert.include(stdout, "Received from the server : a\n")
      assert.strictEqual(
        stderr,
        `hawser: tcp://127.0.0.1:${port} said something that nobody asked for\n` +
          "hint: it may be full and say goodbye, or speak another protocol\n"
      )
    }))

  it.live("closes without an answer", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.once("data", () => socket.end()))
      yield* fails(["talk", "echo", "--port", port, "hi"], {
        exit: 1,
        stderr: `hawser: tcp://127.0.0.1:${port} closed the connection before it answered\n` +
          "hint: it may be full, or not understand what it was sent: check --framing at both ends\n"
      })
    }))

  it.live("resets the connection", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.once("data", () => socket.resetAndDestroy()))
      yield* fails(["talk", "echo", "--port", port, "hi"], {
        exit: 1,
        stderr: `hawser: tcp://127.0.0.1:${port} broke the connection (ECONNRESET)\n` +
          "hint: it may have crashed, or refuse more connections\n"
      })
    }))

  it.live("says nothing in time", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.resume())
      yield* fails(["talk", "echo", "--port", port, "--timeout", "50ms", "hi"], {
        exit: 4,
        stderr: `hawser: tcp://127.0.0.1:${port} did not answer within 50ms\n` +
          "hint: it may wait for the end of the message: check --framing at both ends, or give it more --timeout\n"
      })
    }))

  it.live("answers with what is not text", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.once("data", () => socket.end(Uint8Array.of(0xff, 10))))
      yield* fails(["talk", "echo", "--port", port, "hi"], {
        exit: 3,
        stderr: `hawser: what tcp://127.0.0.1:${port} answered is not a message: ` +
          "corrupt frame: 1 bytes are not valid UTF-8\nhint: check --framing and --max-frame at both ends\n"
      })
    }))

  it.live("answers with more than a message may have", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.once("data", () => socket.write("x".repeat(100))))
      yield* fails(["talk", "echo", "--port", port, "--max-frame", "99", "hi"], {
        exit: 3,
        stderr: `hawser: what tcp://127.0.0.1:${port} answered is not a message: ` +
          "inbound frame of 100 bytes exceeds the limit of 99 bytes\n" +
          "hint: check --framing and --max-frame at both ends\n"
      })
    }))

  it.live("answers with half a message", () =>
    Effect.gen(function*() {
      const port = yield* strange((socket) => void socket.once("data", () => socket.end("\0\x05ab")))
      yield* fails(["talk", "echo", "--port", port, "--framing", "length:2", "hi"], {
        exit: 3,
        stderr: `hawser: what tcp://127.0.0.1:${port} answered is not a message: ` +
          "the stream ended 4 bytes into a frame\nhint: check --framing and --max-frame at both ends\n"
      })
    }))
})

describe("refuses a message that its framing cannot carry:", () => {
  it.live.each<[what: string, flags: ReadonlyArray<string>, why: string]>([
    [
      "too long",
      ["--max-frame", "4", "abcde"],
      "cannot be sent as lines of at most 4B: outbound frame of 5 bytes exceeds the limit of 4 bytes"
    ],
    [
      "with a line end",
      ["a\nb"],
      "cannot be sent as lines of at most 64KiB: corrupt frame: message would end at byte 1, where its terminator begins"
    ],
    [
      "of the wrong size",
      ["--framing", "fixed:3", "ab"],
      "cannot be sent as frames of 3B: corrupt frame: message of 2 bytes is not of the fixed size of 3 bytes"
    ]
  ])("%s", ([, flags, why]) =>
    Effect.gen(function*() {
      const port = yield* portOf(Echo.layer(anywhere))
      yield* fails(["talk", "echo", "--port", port, ...flags], { exit: 2, stderr: `hawser: the message ${why}\n` })
    }))

  it.live("an empty one, where nothing tells messages apart", () =>
    Effect.gen(function*() {
      const port = yield* portOf(Echo.layer(anywhere))
      yield* fails(["talk", "echo", "--port", port, "--framing", "chunks", ""], {
        exit: 2,
        stderr: "hawser: an empty message cannot be sent as chunks of at most 64KiB\n"
      })
    }))
})
