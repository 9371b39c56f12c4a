/** When a server lends its requests, and what it holds of them. */
import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { frame, keeping, turn } from "./support/lending.ts"
import { settle } from "./support/network.ts"
import * as requests from "./support/requests.ts"

const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

it.effect.each(["owned", "lent"] as const)(
  "an open connection holds no request that it has answered: %s",
  (whose) =>
    Effect.scoped(Effect.gen(function*() {
      const refs: Array<WeakRef<object>> = []
      const { dial, kept } = yield* keeping({ requests: whose }, (asked) => {
        refs.push(new WeakRef(asked.body.buffer))
        return requests.answer(asked, turn)
      })
      for (const plan of ["in sync", "waits"] as const) {
        const { raw } = yield* dial
        raw.write([frame(plan, "one")])
        yield* settle
      }
      kept.length = 0
      collectGarbage()
      assert.deepStrictEqual(refs.map((each) => each.deref()), [undefined, undefined])
    }))
)
