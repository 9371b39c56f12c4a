import { assert, describe, it } from "@effect/vitest"
import * as Failure from "../../src/cli/Failure.ts"
import type * as CloseReason from "../../src/CloseReason.ts"
import * as Endpoint from "../../src/Endpoint.ts"
import * as Transport from "../../src/Transport.ts"

const shown = ({ exitCode, hint, message }: Failure.Failure): ReadonlyArray<unknown> => [exitCode, message, hint]

describe("how a conversation ended is a sentence, a hint and an exit code:", () => {
  it.each<[reason: CloseReason.CloseReason, exitCode: number, message: string, hint: string]>([
    [
      { _tag: "PeerReset", code: "ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED" },
      1,
      "it broke the connection (ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED)",
      "it may want a certificate of this side, or another one: --tls-cert and --tls-key"
    ],
    [
      { _tag: "HandshakeFailed", message: "why" },
      1,
      "there is no TLS with it: the handshake failed: why",
      "check that it speaks TLS there, and --tls-ca and --servername"
    ],
    [
      { _tag: "HandshakeTimeout", limitMillis: 5 },
      4,
      "it did not finish the handshake: the handshake was not complete after 5 ms",
      "it may not speak TLS there, or wait for a PROXY header: --send-proxy"
    ],
    [{ _tag: "Denied", rule: "deny" }, 1, "it takes no more: deny names the address", "try again later"],
    [{ _tag: "OverLimit", limit: "rate", max: 5 }, 1, "it takes no more: rate is 5", "try again later"],
    [
      { _tag: "LifetimeReached", limitMillis: 5 },
      1,
      "the connection to it was too old: the connection reached its lifetime of 5 ms",
      "connect again"
    ]
  ])("%o", (reason, ...expected) => {
    assert.deepStrictEqual(shown(Failure.fromReason("it", reason)), expected)
  })

  it.each<CloseReason.CloseReason>([
    { _tag: "IdleTimeout", limitMillis: 5 },
    { _tag: "FrameTimeout", limitMillis: 5 },
    { _tag: "TooSlow", bytesPerSecond: 1, minimumBytesPerSecond: 2 },
    { _tag: "WriteStalled", limitMillis: 5 },
    { _tag: "RequestTimeout", limitMillis: 5 }
  ])("%o is a time-out", (reason) => {
    const { exitCode, message } = Failure.fromReason("it", reason)
    assert.strictEqual(exitCode, 4)
    assert.match(message, /^the conversation with it stalled: ./)
  })
})

describe("a connection that was not made:", () => {
  const endpoint = Endpoint.tlsUnsafe("h", 1)
  const fail = (reason: Transport.ConnectReason, advice: string) =>
    shown(Failure.fromConnect(new Transport.ConnectError({ endpoint, reason, code: "X", detail: "why", advice })))

  it("a handshake that failed names the flags", () => {
    assert.deepStrictEqual(
      [
        fail("HandshakeFailed", "give its issuer as ca, or give one as certificate"),
        fail("HandshakeFailed", "compare alpn of both sides"),
        fail("HandshakeFailed", "or give it as servername")
      ],
      [
        "give its issuer in --tls-ca, or give one in --tls-cert and --tls-key",
        "compare --alpn of both sides",
        "or give it as --servername"
      ].map((hint) => [1, "cannot connect to tls://h:1: why", hint])
    )
  })

  it("a handshake that took too long is a time-out", () => {
    assert.deepStrictEqual(fail("HandshakeTimeout", ""), [
      4,
      "cannot connect to tls://h:1: why",
      "check that the server speaks TLS there, or give it more time"
    ])
  })
})

it("a port that cannot be shared is told with what to type instead", () => {
  const endpoint = Endpoint.tcpUnsafe("127.0.0.1", 1)
  const error = new Transport.BindError({ endpoint, reason: "NotShareable", code: "ENOTSUP" })
  assert.deepStrictEqual(shown(Failure.fromBind(error)), [
    2,
    "cannot listen on tcp://127.0.0.1:1: it cannot be shared with other listeners here (ENOTSUP)",
    "leave it at one worker: this system does not share ports among processes"
  ])
})
