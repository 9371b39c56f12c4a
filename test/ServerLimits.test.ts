/** Limits, deadlines and networks that a server cannot work with, and settings that contradict each other. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { Admission, MemoryTransport, NodeTransport, Protocol, Server } from "../src/index.ts"
import { line, memory, Text } from "./support/network.ts"
import { trusted } from "./support/tls.ts"

const echo = (text: string) => Effect.succeed(text)
const count = "a positive integer"
const longer = "a finite time, longer than 0"
const limit = `a finite time, longer than 0, or "unbounded"`
const second = "1 second"

type Case = readonly [message: string, options: Server.Options, endpoint?: Server.Endpoints]

const bad: ReadonlyArray<Case> = [
  [`perPeer.maxConnections must be ${count}, got 0`, { perPeer: { maxConnections: 0 } }],
  [`perPeer.ipv4Prefix must be an integer from 0 to 32, got 33`, { perPeer: { ipv4Prefix: 33 } }],
  [`perPeer.ipv6Prefix must be an integer from 0 to 128, got -1`, { perPeer: { ipv6Prefix: -1 } }],
  [`perPeer.rate.connections must be ${count}, got 0`, { perPeer: { rate: { connections: 0, per: second } } }],
  [`rate.connections must be ${count}, got 1.5`, { rate: { connections: 1.5, per: second } }],
  [`rate.per must be ${longer}, got 0`, { rate: { connections: 1, per: 0 } }],
  [`rate.per must be ${longer}, got "Infinity"`, { rate: { connections: 1, per: "Infinity" } }],
  [`rate.burst must be ${count}, got 0`, { rate: { connections: 1, per: second, burst: 0 } }],
  [`maxBufferedBytes must be ${count}, got 0`, { maxBufferedBytes: 0 }],
  [`reservedDescriptors must be ${count}, got 0`, { reservedDescriptors: 0 }],
  [`alarm.at must be a number above 0, and at most 1, got 1.1`, { alarm: { at: 1.1 } }],
  [`alarm.at must be a number above 0, and at most 1, got NaN`, { alarm: { at: Number.NaN } }],
  [`alarm.cooldown must be a finite time, 0 or longer, got -1`, { alarm: { cooldown: -1 } }],
  [`proxy.from must be a list with at least one network, got []`, { proxy: { from: [] } }],
  [
    `proxy.maxHeaderBytes must be an integer from 107 to 65551, got 106`,
    { proxy: { from: ["unix"], maxHeaderBytes: 106 } }
  ],
  [
    `deny[1] must be a network (the address has bits behind the prefix, write 10.0.0.0/8), got "10.0.0.1/8"`,
    { deny: ["192.0.2.1", "10.0.0.1/8"] }
  ],
  ...(["handshake", "firstFrame", "idle", "frame", "write", "lifetime", "request"] as const).flatMap((name) =>
    ([[0, "0"], ["Infinity", `"Infinity"`]] as const).map(([value, shown]) =>
      [`deadlines.${name} must be ${limit}, got ${shown}`, { deadlines: { [name]: value } }] as const
    )
  ),
  [
    `deadlines.minRate.bytesPerSecond must be ${count}, got 0`,
    { deadlines: { minRate: { bytesPerSecond: 0, grace: second } } }
  ],
  [
    `deadlines.minRate.grace must be ${longer}, got 0`,
    { deadlines: { minRate: { bytesPerSecond: 1, grace: 0 } } }
  ],
  [`deadlines.lifetimeJitter must be a number from 0 to 1, got 1.5`, { deadlines: { lifetimeJitter: 1.5 } }],
  [`deadlines.lifetimeGrace must be ${longer}, got 0`, { deadlines: { lifetimeGrace: 0 } }]
]

const contradictions: ReadonlyArray<Case> = [
  [
    "perPeer.maxConnections must be at most maxConnections, which is 10, got 11",
    { maxConnections: 10, perPeer: { maxConnections: 11 } }
  ],
  [
    `perPeer.rate must be at most rate, which is 10 in 1000 ms, got {"connections":1,"per":50}`,
    { rate: { connections: 10, per: second }, perPeer: { rate: { connections: 1, per: 50 } } }
  ],
  [
    `allow must be without what deny names too, got "192.0.2.0/24"`,
    { allow: ["10.0.0.0/8", "192.0.2.0/24"], deny: ["192.0.2.0/24"] }
  ],
  ...(["firstFrame", "idle", "write", "request"] as const).map((name) =>
    [
      `deadlines.${name} must be at most deadlines.lifetime, which is 5000 ms, got 10000`,
      { deadlines: { [name]: 10_000, lifetime: 5_000 } }
    ] as const
  ),
  [
    "deadlines.frame must be at most deadlines.lifetime, which is 5000 ms, got 10000",
    { deadlines: { frame: 10_000, firstFrame: 1_000, lifetime: 5_000, minRate: "unbounded" } }
  ],
  [
    `deadlines.firstFrame must be at most deadlines.lifetime, which is 5000 ms, got "1 minute"`,
    { deadlines: { firstFrame: "1 minute", frame: 5_000, lifetime: 5_000, minRate: "unbounded" } }
  ],
  [
    `deadlines.minRate.grace must be shorter than deadlines.frame, which is 10000 ms, got "10 seconds"`,
    { deadlines: { frame: 10_000, minRate: { bytesPerSecond: 16, grace: "10 seconds" } } }
  ],
  ["tls must be absent without a tls endpoint, got \"options\"", { tls: trusted.server }],
  ["tls must be given, for the tls endpoint, got undefined", {}, ["tcp://127.0.0.1:0", "tls://127.0.0.1:0"]],
  [
    `overflow must be close or reset, because all endpoints are tls, where a goodbye would come before the handshake, got "goodbye"`,
    { tls: trusted.server, overflow: Admission.wait({ maxWaiting: 1, timeout: 1, otherwise: "goodbye" }) },
    "tls://127.0.0.1:0"
  ],
  ["unixMode must be absent without an endpoint unix:PATH, got 384", { unixMode: 0o600 }, [
    "tcp://127.0.0.1:0",
    "unix:@x"
  ]],
  ["unixMode must be an integer from 0 to 511, got 512", { unixMode: 0o1000 }, "unix:x"]
]

const Full = Protocol.make("full", { request: line, response: line, goodbye: { overLimit: "full" } })

describe.each([["is bad", bad], ["contradicts another", contradictions]] as const)("what %s", (_, cases) => {
  it.effect.each(cases)("%s", ([message, options, endpoint = memory]) =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Layer.build(Server.layer(Full, endpoint, echo, options)))
      assert.instanceOf(error, Server.ServerOptionsError)
      assert.strictEqual(error.message, message)
    }).pipe(Effect.provide(NodeTransport.layer)))
})

it.effect("fewer descriptors than are reserved is a contradiction with the system", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Server.make(Text, "tcp://127.0.0.1:0", echo, { reservedDescriptors: 2 ** 40 }))
    assert.isTrue(error._tag === "ServerOptionsError" && error.option === "reservedDescriptors")
    assert.match(
      error.message,
      /^reservedDescriptors must be less than the limit of the process, which is \d+, got \d+$/
    )
  }).pipe(Effect.provide(NodeTransport.layer)))

it.effect("TLS where the transport has none is a typed error", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Server.make(Text, "tls://127.0.0.1:0", echo, { tls: trusted.server }))
    assert.isTrue(error._tag === "BindError" && error.reason === "Unsupported")
  }).pipe(Effect.provide(MemoryTransport.layer)))

it.effect("TLS options are checked when the server is built", () =>
  Effect.gen(function*() {
    const error = yield* Effect.flip(Server.make(Text, "tls://127.0.0.1:0", echo, { tls: { certificates: [] } }))
    assert.strictEqual(error._tag, "TlsOptionsError")
  }).pipe(Effect.provide(NodeTransport.layer)))

it.effect("the limits in force are told in the words of the options", () =>
  Effect.gen(function*() {
    const server = yield* Server.make(Text, memory, echo, {
      maxConnections: 10,
      perPeer: { ipv4Prefix: 24 },
      rate: "unbounded",
      deny: ["192.0.2.1"],
      deadlines: { idle: "unbounded" }
    })
    assert.deepStrictEqual(yield* server.limits, {
      maxConnections: 10,
      perPeer: { maxConnections: 10, rate: Server.defaults.rate, ipv4Prefix: 24, ipv6Prefix: 64 },
      rate: "unbounded",
      allow: [],
      deny: ["192.0.2.1"],
      maxBufferedBytes: Server.defaults.maxBufferedBytes,
      deadlines: { ...Server.defaults.deadlines, idle: "unbounded" }
    })
    // What is undefined changes nothing.
    const after = yield* server.setLimits({
      maxConnections: undefined,
      perPeer: { ipv4Prefix: undefined },
      deadlines: {}
    })
    assert.deepStrictEqual(after, yield* server.limits)
    assert.deepStrictEqual([after.maxConnections, after.perPeer.ipv4Prefix], [10, 24])
  }).pipe(Effect.provide(MemoryTransport.layer)))
