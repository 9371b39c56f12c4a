/** Options that a server cannot work with are refused when it is built, with name, value and rule. */
import { assert, describe, it } from "@effect/vitest"
import { type Duration, Effect, Layer } from "effect"
import { Admission, MemoryTransport, Protocol, Server } from "../src/index.ts"
import { dial, inWorld, line, memory, serveText, settle, Text } from "./support/network.ts"

const echo = (text: string) => Effect.succeed(text)

const count = "a positive integer"
const time = "a finite time, 0 or longer"
const unsayable =
  "a message that the codec can write (corrupt frame: message would end at byte 1, where its terminator begins)"
const room = { maxWaiting: 1, timeout: 1_000, otherwise: "close" } as const

const counts: ReadonlyArray<readonly [value: number, shown: string]> = [
  [0, "0"],
  [-1, "-1"],
  [1.5, "1.5"],
  [Number.NaN, "NaN"],
  [Number.POSITIVE_INFINITY, "Infinity"]
]
const times: ReadonlyArray<readonly [value: Duration.Input, shown: string]> = [
  [Number.NaN, "NaN"],
  [-1, "-1"],
  [Number.POSITIVE_INFINITY, "Infinity"],
  ["Infinity", `"Infinity"`],
  // A caller without types may write anything.
  ["soon" as Duration.Input, `"soon"`]
]

const ofCounts: Readonly<Record<string, (value: number) => Server.Options>> = {
  maxConnections: (maxConnections) => ({ maxConnections }),
  backlog: (backlog) => ({ backlog }),
  "overflow.maxWaiting": (maxWaiting) => ({ overflow: Admission.wait({ ...room, maxWaiting }) })
}
const ofTimes: Readonly<Record<string, (value: Duration.Input) => Server.Options>> = {
  linger: (linger) => ({ linger }),
  "drain.announce": (announce) => ({ drain: { announce } }),
  "drain.grace": (grace) => ({ drain: { grace } }),
  "drain.force": (force) => ({ drain: { force } }),
  "overflow.timeout": (timeout) => ({ overflow: Admission.wait({ ...room, timeout }) })
}

const cases: ReadonlyArray<readonly [message: string, option: string, options: Server.ConnectionOptions<string>]> = [
  ...Object.entries(ofCounts).flatMap(([option, make]) =>
    counts.map(([value, shown]) => [`${option} must be ${count}, got ${shown}`, option, make(value)] as const)
  ),
  ...Object.entries(ofTimes).flatMap(([option, make]) =>
    times.map(([value, shown]) => [`${option} must be ${time}, got ${shown}`, option, make(value)] as const)
  ),
  [
    `overflow must be close or reset, because there is no goodbye message for overLimit, got "goodbye"`,
    "overflow",
    { overflow: "goodbye" }
  ],
  [
    `overflow must be close or reset, because there is no goodbye message for overLimit, got "goodbye"`,
    "overflow",
    { overflow: Admission.wait({ ...room, otherwise: "goodbye" }) }
  ],
  [
    `goodbye.overLimit must be ${unsayable}, got "a\\nb"`,
    "goodbye.overLimit",
    { goodbye: { overLimit: "a\nb" } }
  ]
]

describe("is refused", () => {
  it.effect.each(cases)("%s", ([message, option, options]) =>
    Effect.gen(function*() {
      const layer = Server.layerConnection(line, memory, () => Effect.void, options)
      const error = yield* Effect.flip(Layer.build(layer))
      assert.isTrue(error instanceof Server.ServerOptionsError && error.option === option)
      assert.strictEqual(error.message, message)
    }).pipe(Effect.provide(MemoryTransport.layer)))

  it.effect("also in a server of a protocol, whose goodbye it is", () =>
    Effect.gen(function*() {
      const Bad = Protocol.make("bad", { request: line, response: line, goodbye: { overLimit: "a\nb" } })
      const error = yield* Effect.flip(Server.make(Bad, memory, echo))
      assert.isTrue(error._tag === "ServerOptionsError" && error.option === "goodbye.overLimit")
      const none = yield* Effect.flip(Server.make(Text, memory, echo, { overflow: "goodbye" }))
      assert.isTrue(none._tag === "ServerOptionsError" && none.option === "overflow")
    }).pipe(Effect.provide(MemoryTransport.layer)))

  it("as a depth of a protocol", () => {
    for (const depth of [0, -1, 1.5, Number.NaN]) {
      assert.throws(
        () => Protocol.make("deep", { request: line, response: line, depth }),
        `depth of protocol deep must be a positive integer, got ${depth}`
      )
    }
  })
})

it.effect("nothing is listened on where an option is refused", () =>
  inWorld(() =>
    Effect.gen(function*() {
      yield* Effect.flip(serveText(echo, { maxConnections: 0 }))
      assert.strictEqual((yield* Effect.flip(dial)).reason, "Refused")
    })
  ))

it.effect("a goodbye that is not needed need not be writable", () =>
  inWorld(() =>
    Effect.gen(function*() {
      const Bad = Protocol.make("bad", { request: line, response: line, goodbye: { overLimit: "a\nb" } })
      yield* Server.make(Bad, memory, echo, { overflow: "close", maxConnections: 1 })
      yield* dial
      const refused = yield* dial
      yield* settle
      assert.deepStrictEqual([refused.heard, refused.ended], ["", true])
    })
  ))

it("the defaults are those of the documentation", () => {
  assert.deepStrictEqual(Server.defaults, {
    maxConnections: 1024,
    rate: { connections: 100_000, per: "1 second" },
    ipv4Prefix: 32,
    ipv6Prefix: 64,
    maxBufferedBytes: 268_435_456,
    deadlines: {
      handshake: "10 seconds",
      firstFrame: "1 minute",
      idle: "10 minutes",
      frame: "1 minute",
      minRate: { bytesPerSecond: 16, grace: "10 seconds" },
      write: "30 seconds",
      lifetime: "7 days",
      lifetimeJitter: 0.1,
      lifetimeGrace: "30 seconds",
      request: "5 minutes"
    },
    reservedDescriptors: 32,
    alarmAt: 0.9,
    alarmCooldown: "1 minute",
    maxHeaderBytes: 4096,
    backlog: 511,
    reusePort: false,
    linger: "2 seconds",
    announce: 0,
    grace: "10 seconds",
    force: "1 second"
  })
})
