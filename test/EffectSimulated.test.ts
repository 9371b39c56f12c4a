/**
 * Effect's RPC modules on a simulated network that breaks connections: every call settles, with the answer or with the
 * error of its connection.
 */
import { assert, it } from "@effect/vitest"
import { Arbitrary, Cause, Effect, Exit, Layer, Logger, Schema } from "effect"
import { RpcClientError } from "effect/rpc"
import { Socket } from "effect/socket"
import { EffectRpc, Server } from "../src/index.ts"
import { Fault, SimulatedNetwork, VirtualTime } from "../src/testing/index.ts"
import { client, Group, serializations, Work } from "./support/rpc.ts"

/** Calls, one after another in virtual time, while connections break at the bytes given. */
const conversation = (options: {
  readonly seed: number
  readonly resets: ReadonlyArray<number>
  readonly name: keyof typeof serializations
}) =>
  Effect.gen(function*() {
    const network = yield* SimulatedNetwork.make({
      seed: options.seed,
      faults: options.resets.map((atByte, index) => {
        const connection = index + 1
        return index % 2 === 0
          ? Fault.reset("server", "client", { atByte, connection })
          : Fault.reset("client", "server", { atByte, connection })
      })
    })
    const server = yield* Layer.build(
      EffectRpc.layer(Group, "tcp://*:7000").pipe(
        Layer.provide([new Work().handlers, serializations[options.name], network.layer("server")])
      )
    )
    const rpc = yield* client("tcp://server:7000", serializations[options.name]).pipe(
      Effect.provide(network.layer("client"))
    )
    const settled = { right: 0, failed: 0, wrong: new Array<string>() }
    for (let n = 0; n < 40; n++) {
      const exit = yield* Effect.exit(rpc.Add({ a: n, b: n }))
      if (Exit.isSuccess(exit)) {
        if (exit.value === 2 * n) settled.right++
        else settled.wrong.push(`${n} + ${n} = ${exit.value}`)
      } else {
        // Effect's client dies of a request that it cannot write, where its reader has not heard of the break yet.
        const error = Cause.squash(exit.cause)
        const written = Socket.isSocketError(error) && error.reason._tag === "SocketWriteError"
        if (written || error instanceof RpcClientError.RpcClientError) settled.failed++
        else settled.wrong.push(Cause.pretty(exit.cause))
        yield* Effect.sleep("1 second")
      }
    }
    const { drain, stats } = yield* Effect.provideContext(Server.Server, server)
    yield* drain
    return { ...settled, open: (yield* stats).open, lost: network.counts.lost }
  }).pipe(Effect.scoped)

const between = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

it.effect.prop(
  "each call settles once, and the connections add up",
  [
    between(0, 1_000_000),
    Arbitrary.array(between(1, 2_000), { maxLength: 5 }),
    Arbitrary.schema(Schema.Literals(["ndjson", "binary"]))
  ],
  ([seed, resets, name]) =>
    Effect.gen(function*() {
      const settled = yield* VirtualTime.run(conversation({ seed, resets, name }), { scheduler: { seed } }).pipe(
        Effect.provide(Logger.layer([]))
      )
      assert.deepStrictEqual([settled.wrong, settled.open], [[], 0])
      assert.strictEqual(settled.right + settled.failed, 40)
    }),
  { arbitrary: { runs: 40 } }
)

it.effect("connections do break in it, and calls do fail", () =>
  Effect.gen(function*() {
    const { failed, lost, right } = yield* VirtualTime.run(
      conversation({ seed: 1, resets: [500, 700], name: "ndjson" })
    ).pipe(Effect.provide(Logger.layer([])))
    assert.isAbove(lost, 0)
    assert.isAbove(failed, 0)
    assert.isAbove(right, 20)
  }))
