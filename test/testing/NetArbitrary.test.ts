import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Result, Schema } from "effect"
import { Endpoint } from "../../src/index.ts"
import * as Fault from "../../src/testing/Fault.ts"
import { Law, NetArbitrary } from "../../src/testing/index.ts"

const sample = <A>(arbitrary: Arbitrary.Arbitrary<A>, count = 300) =>
  Effect.orDie(Arbitrary.sampleEffect(arbitrary, { count, size: 20, seed: 1 }))

/** The smallest value for which a property fails. */
const smallest = <A>(arbitrary: Arbitrary.Arbitrary<A>, fails: (value: A) => boolean, options?: Law.Options) =>
  Effect.flip(Law.checkSync("law", arbitrary, (value) => fails(value) ? "it fails" : undefined, {
    runs: 500,
    seed: 1,
    ...options
  }))

describe("endpoint", () => {
  it.effect.prop(
    "is read as it is written",
    { endpoint: NetArbitrary.endpoint() },
    ({ endpoint }) =>
      Effect.sync(() =>
        assert.deepStrictEqual(Endpoint.fromString(Endpoint.format(endpoint)), Result.succeed(endpoint))
      ),
    { arbitrary: { runs: 500 } }
  )

  it.effect("has all kinds, or those that are asked for", () =>
    Effect.gen(function*() {
      const tags = (endpoints: ReadonlyArray<Endpoint.Endpoint>) => new Set(endpoints.map(({ _tag }) => _tag))
      assert.deepStrictEqual(
        tags(yield* sample(NetArbitrary.endpoint())),
        new Set(["Tcp", "Tls", "Unix", "Memory", "Descriptor"])
      )
      assert.deepStrictEqual(tags(yield* sample(NetArbitrary.endpoint({ tags: ["Tls"] }))), new Set(["Tls"]))
      const ports = new Set(
        (yield* sample(NetArbitrary.endpoint({ tags: ["Tcp"] }))).map((tcp) => "port" in tcp && tcp.port)
      )
      assert.isTrue(ports.isSupersetOf(new Set([0, 1, 65_535])))
    }))

  it.effect("shrinks to the plainest", () =>
    Effect.gen(function*() {
      const any = yield* smallest(NetArbitrary.endpoint(), () => true)
      assert.deepStrictEqual(any.counterexample, Endpoint.tcpUnsafe("127.0.0.1", 0))
      const tls = yield* smallest(NetArbitrary.endpoint(), (one) => one._tag === "Tls" && one.port > 1_000)
      assert.deepStrictEqual(tls.counterexample, Endpoint.tlsUnsafe("127.0.0.1", 1_001))
    }))
})

describe("payload", () => {
  it.effect("has sizes around the limit", () =>
    Effect.gen(function*() {
      const sizes = (yield* sample(NetArbitrary.payload({ limitBytes: 1_000, maxBytes: 5_000 }))).map(({ length }) =>
        length
      )
      assert.isTrue(new Set(sizes).isSupersetOf(new Set([0, 1, 999, 1_000, 1_001, 5_000])))
      const within = yield* sample(NetArbitrary.payload({ limitBytes: 1_000 }))
      assert.isTrue(within.every(({ length }) => length <= 1_000))
    }))

  it.effect("shrinks to the first size that is too large, of zeros", () =>
    Effect.gen(function*() {
      const violation = yield* smallest(
        NetArbitrary.payload({ limitBytes: 700, maxBytes: 100_000 }),
        ({ length }) => length > 700
      )
      assert.deepStrictEqual(violation.counterexample, new Uint8Array(701))
    }))
})

describe("conversation", () => {
  const turns = NetArbitrary.conversation({ client: NetArbitrary.text(), server: Schema.Int, maxTurns: 9 })

  it.effect("has turns of both sides", () =>
    Effect.gen(function*() {
      const drawn = yield* sample(turns)
      assert.isTrue(drawn.every(({ length }) => length <= 9))
      assert.isTrue(
        drawn.some((all) => all.some(({ _tag }) => _tag === "Client") && all.some(({ _tag }) => _tag === "Server"))
      )
    }))

  it.effect("shrinks to the turns that matter", () =>
    Effect.gen(function*() {
      const violation = yield* smallest(turns, (all) =>
        all.some((turn, i) => turn._tag === "Server" && all[i + 1]?._tag === "Client"))
      assert.deepStrictEqual(violation.counterexample, [
        { _tag: "Server", message: 0 },
        { _tag: "Client", message: "" }
      ])
    }))
})

describe("faultPlan", () => {
  const hosts = ["client", "server"] as const
  const families = [
    "Partition",
    "Stall",
    "Reset",
    "Corrupt",
    "SetLink",
    "Crash",
    "Refuse",
    "BlackHole",
    "HoldAccepts",
    "Exhaust"
  ] as const

  it.effect.prop("is a plan, as the schema has it, and says where and for how long", {
    plan: NetArbitrary.faultPlan({ hosts, families, withinMillis: 100, lastingMillis: 50, maxFaults: 5 })
  }, ({ plan }) =>
    Effect.gen(function*() {
      assert.isTrue(Schema.is(Fault.Plan)(plan))
      // As JSON, to be pasted back.
      assert.deepStrictEqual(yield* Schema.decodeUnknownEffect(Fault.Plan)(JSON.parse(JSON.stringify(plan))), plan)
      assert.isAtMost(plan.length, 5)
      for (const fault of plan) {
        if ("at" in fault) assert.isAtMost(fault.at, 100)
        if ("forMillis" in fault) assert.isAtMost(fault.forMillis, 50)
        if ("from" in fault) assert.notStrictEqual(fault.from, fault.to)
      }
    }), { arbitrary: { runs: 500 } })

  it.effect("leaves out about half of the kinds each time, and none every time", () =>
    Effect.gen(function*() {
      const plans = yield* sample(NetArbitrary.faultPlan({ hosts, families, maxFaults: 100 }), 400)
      const kinds = plans.map((plan) => new Set(plan.map(({ _tag }) => _tag)))
      assert.deepStrictEqual(new Set(kinds.flatMap((tags) => [...tags])), new Set(families))
      const long = plans.flatMap((plan, i) => plan.length >= 12 ? [kinds[i]?.size ?? 0] : [])
      assert.isAbove(long.length, 10)
      assert.isBelow(Math.max(...long), 10)
      const mean = long.reduce((sum, size) => sum + size, 0) / long.length
      assert.isTrue(mean > 3 && mean < 7, `${mean} kinds`)
    }))

  it.effect("corrupts nothing unless it is asked to", () =>
    Effect.gen(function*() {
      const plans = yield* sample(NetArbitrary.faultPlan({ hosts }))
      assert.isFalse(plans.flat().some(({ _tag }) => _tag === "Corrupt"))
      const only = yield* sample(NetArbitrary.faultPlan({ hosts, families: ["Corrupt"] }))
      assert.deepStrictEqual(new Set(only.flat().map(({ _tag }) => _tag)), new Set(["Corrupt"]))
    }))

  it.effect("has no faults between hosts where there is one", () =>
    Effect.gen(function*() {
      const plans = yield* sample(NetArbitrary.faultPlan({ hosts: ["server"] }))
      assert.isFalse(plans.flat().some((fault) => "from" in fault))
      assert.throws(
        () => NetArbitrary.faultPlan({ hosts: ["server"], families: ["Stall"] }),
        "Stall needs two hosts, got server"
      )
      const misspelt = JSON.parse("[\"Crush\"]")
      assert.throws(() => NetArbitrary.faultPlan({ hosts, families: misspelt }), /^families must be of .*, got Crush$/)
      assert.throws(
        () => NetArbitrary.faultPlan({ hosts, maxFaults: -1 }),
        "maxFaults must be an integer from 0, got -1"
      )
      assert.throws(() => NetArbitrary.faultPlan({ hosts, withinMillis: 0.5 }), "withinMillis must be an integer")
      assert.deepStrictEqual(yield* sample(NetArbitrary.faultPlan({ hosts, families: [] }), 1), [[]])
    }))

  it.effect("shrinks to the one fault that matters, with the fewest words, and replays", () =>
    Effect.gen(function*() {
      const plans = NetArbitrary.faultPlan({ hosts, families })
      const crashes = (plan: Fault.Plan) => plan.some((fault) => fault._tag === "Crash" && fault.host === "server")
      const violation = yield* smallest(plans, crashes)
      assert.deepStrictEqual(violation.counterexample, [{ _tag: "Crash", host: "server", restartAfterMillis: 0 }])
      const again = yield* smallest(plans, crashes, { replay: violation.replay })
      assert.deepStrictEqual(again.counterexample, violation.counterexample)
      const late = yield* smallest(
        plans,
        (plan) => plan.some((fault) => fault._tag === "Stall" && (fault.at ?? 0) > 500)
      )
      assert.deepStrictEqual(late.counterexample, [
        { _tag: "Stall", from: "client", to: "server", at: 501, forMillis: 0 }
      ])
    }))
})

// --- models ----------------------------------------------------------------------------------------------------------

const key = Schema.Literals(["a", "b", "c"])
const inputs = {
  put: Schema.Struct({ key, value: Schema.Int }),
  get: key,
  remove: key,
  clear: Schema.Void
}

type Bug = "keeps what was removed" | "cannot hold three" | "forgets when it is cleared twice"

/** A store, and a model of it; the store may have a bug. */
const storeModel = (bug?: Bug, options?: Law.Options) =>
  NetArbitrary.runModel({
    name: "store",
    commands: inputs,
    initial: new Map<string, number>(),
    real: Effect.acquireRelease(
      Effect.sync(() => {
        opened++
        return { values: new Map<string, number>(), clears: 0 }
      }),
      () => Effect.sync(() => opened--)
    ),
    steps: {
      put: {
        model: (state, { key, value }) => [new Map(state).set(key, value), true],
        real: ({ values }, { key, value }) => {
          values.set(key, value)
          return bug === "cannot hold three" && values.size > 2 ? Effect.fail("full") : Effect.succeed(true)
        }
      },
      get: {
        model: (state, key) => [state, state.get(key)],
        real: ({ values }, key) => Effect.sync(() => values.get(key))
      },
      remove: {
        when: (state, key) => state.has(key),
        model: (state, key) => [new Map([...state].filter(([other]) => other !== key)), true],
        real: ({ values }, key) =>
          Effect.sync(() => {
            // Unconditionally true: what is not there is not asked for.
            assert.isTrue(values.has(key))
            return bug === "keeps what was removed" || values.delete(key)
          })
      },
      clear: {
        model: () => [new Map(), undefined],
        real: (store) =>
          Effect.sync(() => {
            store.values.clear()
            if (++store.clears === 2 && bug === "forgets when it is cleared twice") store.values.set("a", 1)
          })
      }
    },
    options: { runs: 300, seed: 1, size: 12, ...options }
  })

let opened = 0

describe("commands", () => {
  it.effect("are drawn from all names, each with its input", () =>
    Effect.gen(function*() {
      const drawn = (yield* sample(NetArbitrary.commands(inputs, { maxCommands: 6 }))).flat()
      assert.deepStrictEqual(new Set(drawn.map(({ _tag }) => _tag)), new Set(["put", "get", "remove", "clear"]))
      assert.isTrue(drawn.every((command) => command._tag !== "put" || Number.isInteger(command.input.value)))
      assert.throws(() => NetArbitrary.commands({}), "commands needs at least one command, got none")
    }))

  it.effect("find nothing where model and real thing agree", () =>
    Effect.gen(function*() {
      yield* storeModel()
      assert.strictEqual(opened, 0)
    }))

  it.effect.each<[bug: Bug, broken: string, counterexample: unknown]>([
    [
      "keeps what was removed",
      "get(\"c\") after put({\"key\":\"c\",\"value\":0}), remove(\"c\") gave 0, the model says undefined",
      [{ _tag: "put", input: { key: "c", value: 0 } }, { _tag: "remove", input: "c" }, { _tag: "get", input: "c" }]
    ],
    [
      "forgets when it is cleared twice",
      "get(\"a\") after clear(undefined), clear(undefined) gave 1, the model says undefined",
      [{ _tag: "clear", input: undefined }, { _tag: "clear", input: undefined }, { _tag: "get", input: "a" }]
    ]
  ])(
    "find a store that %s, with the fewest commands, and replay it",
    ([bug, broken, counterexample]) =>
      Effect.gen(function*() {
        const violation = yield* Effect.flip(storeModel(bug))
        assert.deepInclude(violation, { law: "store", broken, counterexample })
        const again = yield* Effect.flip(storeModel(bug, { replay: violation.replay }))
        assert.deepInclude(again, { broken, counterexample })
        assert.strictEqual(opened, 0)
      })
  )

  it.effect("tell a failure of the real thing", () =>
    Effect.gen(function*() {
      const { broken, counterexample } = yield* Effect.flip(storeModel("cannot hold three"))
      assert.match(broken, /^put\(.*\) after put\(.*\), put\(.*\) failed with "full"$/)
      assert.strictEqual((counterexample as ReadonlyArray<unknown>).length, 3) // the commands of a model
    }))
})
