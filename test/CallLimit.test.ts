import { assert, describe, it } from "@effect/vitest"
import { Clock, Effect } from "effect"
import { CallLimit, type Moment } from "../src/internal/callLimit.ts"
import { inWorld, pass } from "./support/network.ts"

describe("CallLimit", () => {
  it.effect("gives those of a moment that goes on their time from its end", () =>
    inWorld(() =>
      Effect.gen(function*() {
        const since: Moment = { at: Number.POSITIVE_INFINITY }
        let outstanding: Array<{ readonly since: Moment }> = [{ since }]
        const limit = new CallLimit<{ readonly since: Moment }>({
          millis: 100,
          clock: yield* Clock.Clock,
          fork: Effect.runForkWith(yield* Effect.context<never>()),
          outstanding: () => outstanding,
          onExpire: (member) => {
            outstanding = outstanding.filter((other) => other !== member)
          }
        })
        limit.watch()
        yield* pass(50)
        limit.end(since)
        yield* pass(99)
        assert.strictEqual(outstanding.length, 1)
        yield* pass(1)
        assert.strictEqual(outstanding.length, 0)
      })
    ))
})
