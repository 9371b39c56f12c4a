/** What is set where: a flag, a variable of the environment, a default. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, Option, Result } from "effect"
import * as Environment from "../../src/cli/Environment.ts"
import { serveSettings, usualOf } from "../../src/cli/serveSettings.ts"
import * as Setting from "../../src/cli/Setting.ts"
import * as Server from "../../src/Server.ts"

const number = (text: string) =>
  /^\d+$/.test(text) ? Result.succeed(Number(text)) : Result.fail("a number without a sign")

const settings = {
  size: Setting.one("size", { value: "N", description: "How large", parse: number, usual: "1" }),
  names: Setting.many("name", { value: "NAME", description: "Who", parse: number }),
  loud: Setting.toggle("loud-mode", "Whether"),
  host: Setting.one("host", { value: "HOST", description: "Where", parse: Result.succeed<string>, group: "place" }),
  port: Setting.one("port", { value: "PORT", description: "Where", parse: number, group: "place" })
}

type Typed = Partial<Setting.Typed<typeof settings>>

const fill = (env: Readonly<Record<string, string>>, typed: Typed = {}) =>
  Environment.fill("X_", settings, {
    size: Option.none(),
    names: Option.none(),
    loud: Option.none(),
    host: Option.none(),
    port: Option.none(),
    ...typed
  }).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))

const nothing = { size: undefined, names: undefined, loud: undefined, host: undefined, port: undefined }

const given = <A>(value: A, text: string, from: string): Setting.Given<A> => ({ value, text, from })

describe("variables", () => {
  it.effect("stand in for flags, and tell their name", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* fill({ X_SIZE: "5", X_NAME: "1, 2  3,4", X_LOUD_MODE: "true", X_PORT: "7" }), {
        ...nothing,
        size: given(5, "5", "X_SIZE"),
        names: given([1, 2, 3, 4], "1, 2  3,4", "X_NAME"),
        loud: given(true, "true", "X_LOUD_MODE"),
        port: given(7, "7", "X_PORT")
      })
    }))

  it.effect("that are empty are none", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* fill({ X_SIZE: "", SIZE: "5", Y_SIZE: "6" }), nothing)
    }))

  it.effect("are beaten by flags, also where they are wrong", () =>
    Effect.gen(function*() {
      const size = given(1, "1", "--size")
      const loud = given(false, "false", "--loud-mode")
      assert.deepStrictEqual(
        yield* fill({ X_SIZE: "no", X_LOUD_MODE: "true" }, { size: Option.some(size), loud: Option.some(loud) }),
        { ...nothing, size, loud }
      )
    }))

  it.effect("of a group are hidden by a flag of that group", () =>
    Effect.gen(function*() {
      const port = given(1, "1", "--port")
      assert.deepStrictEqual(
        yield* fill({ X_HOST: "h", X_SIZE: "5" }, { port: Option.some(port) }),
        { ...nothing, port, size: given(5, "5", "X_SIZE") }
      )
    }))

  it.effect.each<[env: Readonly<Record<string, string>>, message: string]>([
    [{ X_SIZE: "-1" }, "X_SIZE must be a number without a sign, got \"-1\""],
    [{ X_NAME: "1 x" }, "X_NAME must be a number without a sign, got \"1 x\""],
    [{ X_LOUD_MODE: "yes" }, "X_LOUD_MODE must be true or false, got \"yes\""]
  ])("%j is refused by name", ([env, message]) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(fill(env))).message, message)
    }))
})

it("the defaults that are told are those that hold", () => {
  const { deadlines, grace, ...defaults } = Server.defaults
  const told = {
    maxConnections: usualOf(serveSettings.maxConnections),
    rate: usualOf(serveSettings.rate),
    maxBufferedBytes: usualOf(serveSettings.maxBuffered),
    backlog: usualOf(serveSettings.backlog)
  }
  const { backlog, maxBufferedBytes, maxConnections, rate } = defaults
  const asTyped = <A>(read: (text: string) => Result.Result<A, string>, text: string): A =>
    Result.getOrThrow(read(text))
  assert.deepStrictEqual(told, {
    maxConnections,
    rate: asTyped(serveSettings.rate.read, `${rate.connections}/1s`),
    maxBufferedBytes,
    backlog
  })
  assert.deepStrictEqual(usualOf(serveSettings.ratePerPeer), usualOf(serveSettings.rate))
  const times = [
    [serveSettings.handshakeTimeout, deadlines.handshake],
    [serveSettings.firstFrameTimeout, deadlines.firstFrame],
    [serveSettings.idleTimeout, deadlines.idle],
    [serveSettings.frameTimeout, deadlines.frame],
    [serveSettings.writeTimeout, deadlines.write],
    [serveSettings.maxLifetime, deadlines.lifetime],
    [serveSettings.requestTimeout, deadlines.request],
    [serveSettings.drainGrace, grace]
  ] as const
  for (const [setting, words] of times) {
    const [amount = "", unit = ""] = words.split(" ")
    const text = `${amount}${unit.slice(0, 1)}`
    assert.strictEqual(setting.usual, text, setting.name)
    assert.deepStrictEqual(usualOf<unknown>(setting), asTyped(setting.read, text))
  }
  const { bytesPerSecond, grace: rateGrace } = deadlines.minRate
  assert.deepStrictEqual(
    usualOf(serveSettings.minRate),
    asTyped(serveSettings.minRate.read, `${bytesPerSecond * 10}/10s`)
  )
  assert.strictEqual(rateGrace, "10 seconds")
})
