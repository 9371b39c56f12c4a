/** The server's options by the names of the flags. */
import { assert, describe, it } from "@effect/vitest"
import { Cause } from "effect"
import * as ServeNames from "../../src/cli/serveNames.ts"
import type * as CloseReason from "../../src/CloseReason.ts"

describe("why a connection ended is told with the flag that says so", () => {
  it.each<[reason: CloseReason.CloseReason, text: string]>([
    [{ _tag: "PeerClosed" }, "the peer closed the connection"],
    [{ _tag: "PeerReset", code: "EPIPE" }, "the peer broke the connection (EPIPE)"],
    [
      { _tag: "IdleTimeout", limitMillis: 600_000 },
      "nothing arrived for 10m (--idle-timeout, --first-frame-timeout)"
    ],
    [{ _tag: "FrameTimeout", limitMillis: 60_000 }, "a frame was not complete after 60s (--frame-timeout)"],
    [
      { _tag: "TooSlow", bytesPerSecond: 3, minimumBytesPerSecond: 16 },
      "3 bytes per second is less than the minimum of 16 (--min-rate)"
    ],
    [{ _tag: "WriteStalled", limitMillis: 30_000 }, "the peer did not read for 30s (--write-timeout)"],
    [
      { _tag: "HandshakeTimeout", limitMillis: 10_000 },
      "the handshake was not complete after 10s (--handshake-timeout)"
    ],
    [{ _tag: "HandshakeFailed", message: "no TLS" }, "the handshake failed: no TLS"],
    [{ _tag: "ProtocolViolation", message: "early" }, "protocol violation: early"],
    [{ _tag: "OverLimit", limit: "maxConnections", max: 5 }, "--max-connections is 5"],
    [{ _tag: "OverLimit", limit: "perPeer.maxConnections", max: 5 }, "--max-per-peer is 5"],
    [{ _tag: "OverLimit", limit: "rate", max: 5 }, "--rate is 5"],
    [{ _tag: "OverLimit", limit: "perPeer.rate", max: 5 }, "--rate-per-peer is 5"],
    [{ _tag: "OverLimit", limit: "maxBufferedBytes", max: 5 }, "--max-buffered is 5"],
    [
      { _tag: "OverLimit", limit: "reservedDescriptors", max: 5 },
      "too few descriptors are left of those that this process may have (ulimit -n)"
    ],
    [{ _tag: "Denied", rule: "deny" }, "--deny names the address"],
    [{ _tag: "Denied", rule: "allow" }, "--allow does not name the address"],
    [
      { _tag: "LifetimeReached", limitMillis: 604_800_000 },
      "the connection reached its lifetime of 7d (--max-lifetime)"
    ],
    [
      { _tag: "RequestTimeout", limitMillis: 300_000 },
      "the handler of a request was not done after 5m (--request-timeout)"
    ],
    [{ _tag: "Drained" }, "the server drained"],
    [{ _tag: "ForcedByDrain" }, "the drain ran out of time"],
    [{ _tag: "HandlerFailed", message: "boom", cause: Cause.empty }, "the handler failed: boom"],
    [{ _tag: "Interrupted" }, "the connection was interrupted"],
    [{ _tag: "Closed" }, "closed by this side"]
  ])("%o", (reason, text) => {
    assert.strictEqual(ServeNames.formatReason(reason), text)
  })
})

it("a limit without a flag keeps its name", () => {
  assert.strictEqual(ServeNames.flagOf("reservedDescriptors"), "reservedDescriptors")
})
