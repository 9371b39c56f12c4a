/** Each setting of `serve` is one option of the server. */
import { assert, it } from "@effect/vitest"
import { Duration, Effect, Result } from "effect"
import * as FramingFlag from "../../src/cli/FramingFlag.ts"
import * as ServeOptions from "../../src/cli/serveOptions.ts"
import { type ServeSettings, serveSettings } from "../../src/cli/serveSettings.ts"
import type * as Setting from "../../src/cli/Setting.ts"
import * as Endpoint from "../../src/Endpoint.ts"

/** What would be read of the environment. */
const read = (texts: Partial<Record<keyof ServeSettings, string>>): ServeSettings => {
  const all: Record<string, Setting.Given<unknown> | undefined> = {}
  for (const [key, setting] of Object.entries<Setting.Setting<unknown>>(serveSettings)) {
    const text = texts[key as keyof ServeSettings] // the keys of the settings
    all[key] = text === undefined
      ? undefined
      : { value: Result.getOrThrow(setting.read(text)), text, from: `--${setting.name}` }
  }
  return all as unknown as ServeSettings // each key got what its own setting read
}

const lines = Result.getOrThrow(FramingFlag.parse("lines", 1024))

const toOptions = (texts: Partial<Record<keyof ServeSettings, string>>, endpoint = "unix:/x") =>
  ServeOptions.toOptions(
    read(texts),
    { endpoints: [Endpoint.fromStringUnsafe(endpoint)], from: "--listen" },
    lines,
    false
  )

/** Without what is undefined. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value))

it.effect("all of them", () =>
  Effect.gen(function*() {
    const options = yield* toOptions({
      maxConnections: "1",
      maxPerPeer: "2",
      rate: "3/1m",
      ratePerPeer: "unbounded",
      allow: "::1,::2",
      deny: "::3",
      proxyFrom: "::4 ::5",
      maxBuffered: "6KiB",
      handshakeTimeout: "7s",
      firstFrameTimeout: "8s",
      idleTimeout: "unbounded",
      frameTimeout: "9s",
      minRate: "100/10s",
      writeTimeout: "11s",
      maxLifetime: "12s",
      requestTimeout: "13s",
      backlog: "14",
      unixMode: "600",
      drainGrace: "15s",
      overflow: "reset"
    })
    const seconds = Duration.seconds
    assert.deepStrictEqual(
      plain(options),
      plain({
        overflow: "reset",
        maxConnections: 1,
        perPeer: { maxConnections: 2, rate: "unbounded" },
        rate: { connections: 3, per: Duration.minutes(1) },
        allow: ["::1", "::2"],
        deny: ["::3"],
        maxBufferedBytes: 6144,
        proxy: { from: ["::4", "::5"] },
        deadlines: {
          handshake: seconds(7),
          firstFrame: seconds(8),
          idle: "unbounded",
          frame: seconds(9),
          minRate: { bytesPerSecond: 10, grace: seconds(10) },
          write: seconds(11),
          lifetime: seconds(12),
          request: seconds(13)
        },
        backlog: 14,
        unixMode: 0o600,
        drain: { grace: seconds(15) }
      })
    )
  }))

it.effect("none of them, so that the server's defaults hold", () =>
  Effect.gen(function*() {
    assert.deepStrictEqual(plain(yield* toOptions({})), { perPeer: {}, deadlines: {}, drain: {} })
  }))

it.effect("waiting ends with words, but not where they would come before the handshake", () =>
  Effect.gen(function*() {
    const waiting = { overflow: "wait", maxWaiting: "3", waitTimeout: "4s" }
    const otherwise = Effect.fnUntraced(function*(endpoint: string, more: object = {}) {
      const { overflow } = yield* toOptions({ ...waiting, ...more }, endpoint)
      return typeof overflow === "object" ? [overflow.maxWaiting, overflow.otherwise] : overflow
    })
    assert.deepStrictEqual(yield* otherwise("tcp://h:1"), [3, "goodbye"])
    assert.deepStrictEqual(yield* otherwise("tls://h:1", { tlsCert: "a", tlsKey: "b" }), [3, "close"])
  }))
