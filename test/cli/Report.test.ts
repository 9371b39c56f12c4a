import { assert, describe, it } from "@effect/vitest"
import { Cause, DateTime, Duration } from "effect"
import * as Report from "../../src/cli/Report.ts"
import * as Style from "../../src/cli/Style.ts"
import type * as CloseReason from "../../src/CloseReason.ts"
import * as Endpoint from "../../src/Endpoint.ts"

const peer = Endpoint.tcpUnsafe("127.0.0.1", 40312)
const overLimit = { _tag: "OverLimit", limit: "maxConnections", max: 5 } as const
const counts = { bytesIn: 2048, bytesOut: 27, messagesIn: 1, messagesOut: 1 }
const ended = (reason: CloseReason.CloseReason): Report.Event => ({ _tag: "Ended", id: 1, peer, reason, ...counts })
const report = { served: 10, drained: 2, forced: 1, refused: 3, elapsed: Duration.millis(1250) }

const secured = {
  protocol: "TLSv1.3",
  cipher: "TLS_AES_256_GCM_SHA384",
  alpn: "rev",
  servername: "\x1b[2J",
  resumed: false,
  verified: false,
  peerCertificate: undefined
}

const certificate = {
  subject: "CN=localhost",
  issuer: "CN=ca",
  fingerprint256: "AB:CD",
  validFrom: DateTime.makeUnsafe("2020-01-01T00:00:00Z"),
  validTo: DateTime.makeUnsafe("2070-01-01T00:00:00Z")
}

const cases: ReadonlyArray<[event: Report.Event, text: string, json: object]> = [
  [
    { _tag: "Listening", endpoint: peer },
    "listening on tcp://127.0.0.1:40312: reverse, lines; Ctrl-C drains and ends",
    { service: "reverse", endpoint: "tcp://127.0.0.1:40312" }
  ],
  [
    { _tag: "Accepted", id: 1, peer },
    "#1 connected from tcp://127.0.0.1:40312",
    { id: 1, peer: "tcp://127.0.0.1:40312" }
  ],
  [
    { _tag: "Waiting", id: 2, peer },
    "#2 waits for room, from tcp://127.0.0.1:40312",
    { id: 2, peer: "tcp://127.0.0.1:40312" }
  ],
  [
    { _tag: "Refused", id: 3, peer, reason: overLimit, refusal: "goodbye" },
    "#3 turned away (goodbye), from tcp://127.0.0.1:40312: --max-connections is 5",
    { id: 3, peer: "tcp://127.0.0.1:40312", reason: overLimit, refusal: "goodbye" }
  ],
  [
    ended({ _tag: "PeerClosed" }),
    "#1 ended: the peer closed the connection (2KiB in, 27B out, 1 message)",
    { id: 1, peer: "tcp://127.0.0.1:40312", reason: { _tag: "PeerClosed" }, ...counts }
  ],
  [
    ended({ _tag: "HandlerFailed", message: "boom", cause: Cause.die(new Error("boom")) }),
    "#1 ended: the handler failed: boom (2KiB in, 27B out, 1 message)",
    { id: 1, peer: "tcp://127.0.0.1:40312", reason: { _tag: "HandlerFailed", message: "boom" }, ...counts }
  ],
  [
    ended({ _tag: "FrameTimeout", limitMillis: 60_000 }),
    "#1 ended: a frame was not complete after 60s (--frame-timeout) (2KiB in, 27B out, 1 message)",
    { id: 1, peer: "tcp://127.0.0.1:40312", reason: { _tag: "FrameTimeout", limitMillis: 60_000 }, ...counts }
  ],
  [
    { _tag: "Refused", id: 3, peer, reason: { _tag: "Denied", rule: "deny" }, refusal: "close" },
    "#3 turned away (close), from tcp://127.0.0.1:40312: --deny names the address",
    { id: 3, peer: "tcp://127.0.0.1:40312", reason: { _tag: "Denied", rule: "deny" }, refusal: "close" }
  ],
  [
    { _tag: "Secured", id: 1, tls: secured },
    "#1 secured with TLSv1.3, \"\\u001b[2J\", \"rev\"",
    { id: 1, protocol: "TLSv1.3", servername: "\x1b[2J", alpn: "rev" }
  ],
  [
    { _tag: "Alarm", limit: "maxConnections", value: 922, max: 1024 },
    "--max-connections is at 922 of 1024",
    { limit: "maxConnections", value: 922, max: 1024 }
  ],
  [{ _tag: "Suspended" }, "suspended: nobody new comes in", {}],
  [{ _tag: "Resumed" }, "listening again", {}],
  [
    { _tag: "Reloaded", certificates: [certificate, certificate], notices: ["the second has expired"] },
    "certificates loaded again: CN=localhost, until 2070-01-01; CN=localhost, until 2070-01-01; the second has expired",
    {
      certificates: [
        { subject: "CN=localhost", fingerprint256: "AB:CD", validTo: "2070-01-01T00:00:00.000Z" },
        { subject: "CN=localhost", fingerprint256: "AB:CD", validTo: "2070-01-01T00:00:00.000Z" }
      ],
      notices: ["the second has expired"]
    }
  ],
  [
    { _tag: "NotReloaded", message: "key.pem cannot be read" },
    "certificates not loaded again: key.pem cannot be read",
    { message: "key.pem cannot be read" }
  ],
  [
    { _tag: "Draining", open: 1 },
    "draining: 1 open connection; Ctrl-C again ends at once",
    { open: 1 }
  ],
  [
    { _tag: "Drained", report },
    "drained in 1.25s: 10 served, 2 drained, 1 forced, 3 refused",
    { served: 10, drained: 2, forced: 1, refused: 3, elapsedMillis: 1250 }
  ],
  [
    { _tag: "Lost", events: 7 },
    "7 events not shown: stdout was not read as fast as they came",
    { events: 7 }
  ]
]

describe("of a worker", () => {
  const at = (event: Report.Event) => ({ millis: 1_763_805_600_123, event })
  const text = (event: Report.Event) => Report.text("reverse, lines", Style.plain, 2)(at(event))

  it("a connection is named with its worker, and anything else begins with it", () => {
    assert.strictEqual(text({ _tag: "Accepted", id: 17, peer }), "#2.17 connected from tcp://127.0.0.1:40312")
    assert.strictEqual(
      text(ended({ _tag: "PeerClosed" })),
      "#2.1 ended: the peer closed the connection (2KiB in, 27B out, 1 message)"
    )
    assert.strictEqual(
      text({ _tag: "Checked", id: 1, ok: true, received: "10", detail: "CRC-8" }),
      "#2.1 10: CRC-8, no error found"
    )
    assert.strictEqual(
      text({ _tag: "Alarm", limit: "maxConnections", value: 461, max: 512 }),
      "worker 2: --max-connections is at 461 of 512"
    )
    assert.strictEqual(
      text({ _tag: "Lost", events: 1 }),
      "worker 2: 1 event not shown: stdout was not read as fast as they came"
    )
  })

  it("a limit is told to be its share, but for those of the process", () => {
    const refused = (limit: string) =>
      text({ _tag: "Refused", id: 3, peer, reason: { _tag: "OverLimit", limit, max: 5 }, refusal: "close" })
    assert.include(refused("maxConnections"), ": --max-connections is 5 for worker 2")
    assert.notInclude(refused("reservedDescriptors"), "worker 2")
  })

  it("an object has its worker behind its name", () => {
    for (const [event] of cases) {
      const { worker, ...rest } = JSON.parse(Report.json("reverse", 2)(at(event)))
      assert.strictEqual(worker, 2)
      assert.deepStrictEqual(rest, JSON.parse(Report.json("reverse")(at(event))))
    }
  })
})

describe.each(cases)("%o", (event, text, json) => {
  it("is one line for people", () => {
    assert.strictEqual(Report.text("reverse, lines", Style.plain)({ millis: 0, event }), text)
  })

  it("is one object for programs", () => {
    const line = Report.json("reverse")({ millis: 1_763_805_600_123, event })
    assert.notInclude(line, "\n")
    assert.deepStrictEqual(JSON.parse(line), { time: "2025-11-22T10:00:00.123Z", event: event._tag, ...json })
  })
})
