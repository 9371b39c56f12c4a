import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as CloseReason from "../src/CloseReason.ts"

type Tag = CloseReason.CloseReason["_tag"]
type ReasonOf<T extends Tag> = Extract<CloseReason.CloseReason, { readonly _tag: T }>

/** One of each: a reason that is missing here, or no longer exists, is a type error. */
const reasons: { readonly [T in Tag]: readonly [reason: ReasonOf<T>, text: string, isNormal: boolean] } = {
  PeerClosed: [{ _tag: "PeerClosed" }, "the peer closed the connection", true],
  PeerReset: [{ _tag: "PeerReset", code: "ECONNRESET" }, "the peer broke the connection (ECONNRESET)", false],
  IdleTimeout: [{ _tag: "IdleTimeout", limitMillis: 60_000 }, "nothing arrived for 60000 ms", false],
  FrameTimeout: [{ _tag: "FrameTimeout", limitMillis: 5_000 }, "a frame was not complete after 5000 ms", false],
  TooSlow: [
    { _tag: "TooSlow", bytesPerSecond: 3, minimumBytesPerSecond: 100 },
    "3 bytes per second is less than the minimum of 100",
    false
  ],
  WriteStalled: [{ _tag: "WriteStalled", limitMillis: 250 }, "the peer did not read for 250 ms", false],
  HandshakeTimeout: [
    { _tag: "HandshakeTimeout", limitMillis: 10_000 },
    "the handshake was not complete after 10000 ms",
    false
  ],
  HandshakeFailed: [
    { _tag: "HandshakeFailed", message: "no shared cipher" },
    "the handshake failed: no shared cipher",
    false
  ],
  FrameTooLarge: [
    { _tag: "FrameTooLarge", bytes: 256, maxFrameBytes: 255, direction: "inbound" },
    "inbound frame of 256 bytes exceeds the limit of 255 bytes",
    false
  ],
  FrameCorrupt: [
    { _tag: "FrameCorrupt", message: "CRC 0x1234, expected 0x5678", recoverable: true },
    "corrupt frame: CRC 0x1234, expected 0x5678",
    false
  ],
  FrameTruncated: [{ _tag: "FrameTruncated", bufferedBytes: 7 }, "the stream ended 7 bytes into a frame", false],
  ProtocolViolation: [
    { _tag: "ProtocolViolation", message: "a reply to no request" },
    "protocol violation: a reply to no request",
    false
  ],
  OverLimit: [{ _tag: "OverLimit", limit: "maxConnections", max: 5 }, "maxConnections is 5", false],
  Denied: [{ _tag: "Denied", rule: "deny" }, "deny names the address", false],
  RequestTimeout: [
    { _tag: "RequestTimeout", limitMillis: 300_000 },
    "the handler of a request was not done after 300000 ms",
    false
  ],
  LifetimeReached: [
    { _tag: "LifetimeReached", limitMillis: 3_600_000 },
    "the connection reached its lifetime of 3600000 ms",
    true
  ],
  Drained: [{ _tag: "Drained" }, "the server drained", true],
  ForcedByDrain: [{ _tag: "ForcedByDrain" }, "the drain ran out of time", false],
  HandlerFailed: [
    { _tag: "HandlerFailed", message: "no such key", cause: Cause.fail("no such key") },
    "the handler failed: no such key",
    false
  ],
  Interrupted: [{ _tag: "Interrupted" }, "the connection was interrupted", false],
  Closed: [{ _tag: "Closed" }, "closed by this side", true]
}
const all = Object.entries(reasons)

const Json = Schema.fromJsonString(Schema.toCodecJson(CloseReason.CloseReason))

class Refused extends Data.TaggedError("Refused")<{ readonly port: number }> {}

describe("CloseReason", () => {
  it.effect.prop(
    "comes back from JSON, whatever its values",
    { reason: CloseReason.CloseReason },
    ({ reason }) =>
      Effect.gen(function*() {
        const encoded = yield* Schema.encodeEffect(Json)(reason)
        const back = yield* Schema.decodeEffect(Json)(encoded)
        assert.strictEqual(CloseReason.format(back), CloseReason.format(reason))
        // A cause may hold anything, and comes back as what JSON can hold of it.
        assert.isTrue(reason._tag === "HandlerFailed" || Equal.equals(back, reason))
      }),
    { arbitrary: { runs: 500 } }
  )

  it.each(all)("formats %s", (tag, [reason, text]) => {
    assert.strictEqual(reason._tag, tag)
    assert.strictEqual(CloseReason.format(reason), text)
  })

  it.each(all)("says whether %s is a normal end", (_, [reason, , isNormal]) => {
    assert.strictEqual(CloseReason.isNormal(reason), isNormal)
  })

  it.effect.each(all)("brings %s back from JSON", ([, [reason]]) =>
    Effect.gen(function*() {
      const back = yield* Schema.decodeEffect(Json)(yield* Schema.encodeEffect(Json)(reason))
      assert.deepStrictEqual(back, reason)
      assert.isTrue(Equal.equals(back, reason))
    }))

  it.effect("brings the causes of a failed handler back as what JSON can hold", () =>
    Effect.gen(function*() {
      const reason = CloseReason.fromCause(Cause.combine(
        Cause.fail(new Refused({ port: 1 })),
        Cause.combine(
          Cause.die(new TypeError("bad", { cause: "why" })),
          Cause.combine(Cause.die(10n), Cause.interrupt(3))
        )
      ))
      const encoded = yield* Schema.encodeEffect(Json)(reason)
      assert.deepStrictEqual(JSON.parse(encoded), {
        _tag: "HandlerFailed",
        message: "Refused",
        cause: [
          { _tag: "Fail", error: { name: "Refused", message: "" } },
          { _tag: "Die", defect: { name: "TypeError", message: "bad", cause: "why" } },
          { _tag: "Die", defect: "10n" },
          { _tag: "Interrupt", fiberId: 3 }
        ]
      })
      const back = yield* Schema.decodeEffect(Json)(encoded)
      assert.strictEqual(CloseReason.format(back), CloseReason.format(reason))
      assert.strictEqual(yield* Schema.encodeEffect(Json)(back), encoded)
    }))

  const values: ReadonlyArray<readonly [value: unknown, message: string]> = [
    [new Error("boom"), "boom"],
    [new Error(""), "Error"],
    [new Refused({ port: 1 }), "Refused"],
    ["no such key", "no such key"],
    ["", ""],
    [undefined, "undefined"],
    [null, "null"],
    [10n, "10n"],
    [Symbol("s"), "Symbol(s)"],
    [{ code: 7 }, `{"code":7}`],
    [Object.create(null), "{}"],
    [{
      toString() {
        throw new Error("never seen")
      }
    }, "[toString threw]"]
  ]
  for (const [value, message] of values) {
    it(`keeps the cause of a handler that failed or died with ${message}`, () => {
      for (const cause of [Cause.fail(value), Cause.die(value)]) {
        const reason = CloseReason.fromCause(cause)
        assert.deepStrictEqual(reason, { _tag: "HandlerFailed", message, cause })
        assert.strictEqual(CloseReason.format(reason), `the handler failed: ${message}`)
      }
    })
  }

  it("prefers the failure to the defect and the interruption of the same cause", () => {
    const cause = Cause.combine(Cause.interrupt(1), Cause.combine(Cause.die("defect"), Cause.fail("failure")))
    assert.deepStrictEqual(CloseReason.fromCause(cause), { _tag: "HandlerFailed", message: "failure", cause })
  })

  it("is Interrupted when the handler was only interrupted", () => {
    assert.deepStrictEqual(CloseReason.fromCause(Cause.interrupt(1)), { _tag: "Interrupted" })
    assert.deepStrictEqual(CloseReason.fromCause(Cause.combine(Cause.interrupt(1), Cause.interrupt(2))), {
      _tag: "Interrupted"
    })
  })

  it("is the message of a ConnectionError", () => {
    const error = new CloseReason.ConnectionError({ reason: { _tag: "PeerReset", code: "EPIPE" } })
    assert.strictEqual(error.message, "the peer broke the connection (EPIPE)")
    assert.strictEqual(
      CloseReason.format(CloseReason.fromCause(Cause.fail(error))),
      `the handler failed: ${error.message}`
    )
  })

  it("is equal by its values", () => {
    assert.isTrue(Equal.equals(CloseReason.peerClosed, { _tag: "PeerClosed" }))
    assert.isFalse(Equal.equals(CloseReason.closed, CloseReason.drained))
  })

  it("has constants for the reasons without values", () => {
    assert.deepStrictEqual(
      [
        CloseReason.peerClosed,
        CloseReason.drained,
        CloseReason.forcedByDrain,
        CloseReason.interrupted,
        CloseReason.closed
      ],
      [
        { _tag: "PeerClosed" },
        { _tag: "Drained" },
        { _tag: "ForcedByDrain" },
        { _tag: "Interrupted" },
        { _tag: "Closed" }
      ]
    )
  })
})
