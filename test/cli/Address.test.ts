/** Which endpoints are meant. */
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect } from "effect"
import * as Address from "../../src/cli/Address.ts"
import type * as Setting from "../../src/cli/Setting.ts"
import * as Endpoint from "../../src/Endpoint.ts"

const given = <A>(value: A, from: string): Setting.Given<A> => ({ value, text: String(value), from })

const nothing: Address.Listening = { host: undefined, port: undefined, listen: undefined, fd: undefined }

const processId = 4711

const listen = (
  listening: Partial<Address.Listening>,
  env: Readonly<Record<string, string>> = {},
  isSecure = false
) =>
  Effect.map(
    Address.toListen({ ...nothing, ...listening }, isSecure, processId),
    ({ endpoints, from }) => [endpoints.map(Endpoint.format).join(" "), from]
  ).pipe(Effect.provide(ConfigProvider.layer(ConfigProvider.fromEnv({ env }))))

const host = given("h.test", "--host")
const port = given(1, "--port")
const whole = given(["tls://h.test:2", "unix:/x"], "HAWSER_LISTEN")
const fd = given([3, 5], "--fd")
const handed = (count: string, owner: number = processId) => ({ LISTEN_FDS: count, LISTEN_PID: String(owner) })

describe("listening", () => {
  it.effect.each<
    [what: string, listening: Partial<Address.Listening>, env: Readonly<Record<string, string>>, [string, string]]
  >(
    [
      ["nothing", {}, {}, ["tcp://127.0.0.1:12345", "default"]],
      ["a host", { host }, {}, ["tcp://h.test:12345", "--host"]],
      ["a port", { port }, {}, ["tcp://127.0.0.1:1", "--port"]],
      ["an empty host", { host: given("", "--host"), port }, {}, ["tcp://*:1", "--host"]],
      ["endpoints", { listen: whole }, {}, ["tls://h.test:2 unix:/x", "HAWSER_LISTEN"]],
      ["descriptors", { fd }, {}, ["fd:3 fd:5", "--fd"]],
      ["both", { fd, listen: whole }, {}, ["tls://h.test:2 unix:/x fd:3 fd:5", "HAWSER_LISTEN, --fd"]],
      ["what was handed over", {}, handed("2"), ["fd:3 fd:4", "LISTEN_FDS"]],
      ["what was handed to somebody else", {}, handed("2", 1), ["tcp://127.0.0.1:12345", "default"]],
      ["what was handed to nobody", {}, { LISTEN_FDS: "2" }, ["tcp://127.0.0.1:12345", "default"]],
      ["an endpoint, whatever was handed over", { listen: whole }, handed("1"), [
        "tls://h.test:2 unix:/x",
        "HAWSER_LISTEN"
      ]],
      ["one of those handed over", { fd: given([4], "--fd") }, handed("2"), ["fd:4", "--fd"]],
      ["a free port twice", { listen: given(["tcp://h:0", "tcp://h:0"], "--listen") }, {}, [
        "tcp://h:0 tcp://h:0",
        "--listen"
      ]]
    ]
  )("by %s", ([, listening, env, expected]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* listen(listening, env), expected)
    }))

  it.effect("by a host and a port is TLS where there are certificates, so by descriptors alone, and by an endpoint as that says", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* listen({ host, port }, {}, true), ["tls://h.test:1", "--host"])
      assert.deepStrictEqual(yield* listen({ listen: given(["tcp://h:1"], "--listen") }, {}, true), [
        "tcp://h:1",
        "--listen"
      ])
      assert.deepStrictEqual(yield* listen({ fd }, {}, true), ["tls:fd:3 tls:fd:5", "--fd"])
      assert.deepStrictEqual(yield* listen({}, handed("1"), true), ["tls:fd:3", "LISTEN_FDS"])
      assert.deepStrictEqual(yield* listen({ fd, listen: given(["tls:fd:7"], "--listen") }, {}, true), [
        "tls:fd:7 fd:3 fd:5",
        "--listen, --fd"
      ])
    }))

  it.effect.each<[what: string, listening: Partial<Address.Listening>, env: Readonly<Record<string, string>>, string]>([
    ["an endpoint and a host", { listen: whole, host }, {}, "HAWSER_LISTEN and --host exclude each other"],
    ["a descriptor and a port", { fd, port }, {}, "--fd and --port exclude each other"],
    [
      "a descriptor that was not handed over",
      { fd },
      handed("2"),
      "--fd must be one of the 2 that LISTEN_FDS counts from 3, got \"5\""
    ],
    ["an odd number of descriptors", {}, handed("many"), "LISTEN_FDS must be a number of descriptors, got \"many\""],
    [
      "an endpoint twice",
      { listen: given(["tcp://h:1", "unix:/x", "tcp://h:1"], "--listen") },
      {},
      "tcp://h:1 is listened on twice"
    ],
    [
      "a bad host",
      { host: given("a..b", "HAWSER_HOST") },
      {},
      "HAWSER_HOST: host must be an IP address, a name or *, " +
      "got a..b (domain name labels must not be empty)"
    ]
  ])("by %s is refused", ([, listening, env, message]) =>
    Effect.gen(function*() {
      assert.strictEqual((yield* Effect.flip(listen(listening, env))).message, message)
    }))
})

describe("connecting", () => {
  const connect = (connecting: Partial<Parameters<typeof Address.toConnect>[0]>, isSecure = false) =>
    Effect.map(
      Address.toConnect({ host: undefined, port: undefined, connect: undefined, ...connecting }, isSecure),
      Endpoint.format
    )

  it.effect("is by host and port, or by an endpoint", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* connect({}), "tcp://127.0.0.1:12345")
      assert.strictEqual(yield* connect({ host, port }), "tcp://h.test:1")
      assert.strictEqual(yield* connect({ host, port }, true), "tls://h.test:1")
      assert.strictEqual(yield* connect({ connect: given("tcp://h:2", "--connect") }, true), "tcp://h:2")
      const { message } = yield* Effect.flip(connect({ connect: given("tcp://h:2", "--connect"), port }))
      assert.strictEqual(message, "--connect and --port exclude each other")
    }))
})
