/** The rules about peers, against a model that forgets nothing. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Endpoint } from "../src/index.ts"
import { AdmissionRules, type Seated } from "../src/internal/admissionRules.ts"
import { settleLimits } from "../src/internal/serverLimits.ts"

const perPeer = { maxConnections: 3, rate: { connections: 2, per: 100, burst: 4 }, ipv4Prefix: 24 }

/** One of the peers, by any address of its network. */
const from = (peer: number, host: number): Seated => ({
  peer: Endpoint.tcpUnsafe(`10.0.${peer}.${host}`, 1),
  seat: undefined,
  isUncounted: false
})

const Step = Schema.Union([
  Schema.TaggedStruct("Come", { peer: Schema.Literals([0, 1, 2]), host: Schema.Literals([1, 2, 255]) }),
  Schema.TaggedStruct("Leave", { who: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 9 })) }),
  Schema.TaggedStruct("Pass", { millis: Schema.Literals([1, 20, 50, 75, 1_000]) })
])

class Model {
  open = 0
  tokens = 4
  at = 0
  take(now: number): boolean {
    this.tokens = Math.min(4, this.tokens + (now - this.at) / 50)
    this.at = now
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }
}

describe("the rules about peers", () => {
  it.effect.prop(
    "say what a model says that forgets nobody",
    { steps: Schema.Array(Step) },
    ({ steps }) =>
      Effect.gen(function*() {
        const rules = new AdmissionRules(yield* settleLimits({ perPeer }))
        const models = [new Model(), new Model(), new Model()]
        const inside: Array<{ readonly member: Seated; readonly model: Model }> = []
        let now = 0
        for (const step of steps) {
          if (step._tag === "Pass") {
            now += step.millis
          } else if (step._tag === "Leave") {
            const [gone] = inside.splice(step.who % (inside.length || 1), 1)
            if (gone === undefined) continue
            rules.leave(gone.member, now)
            gone.model.open--
          } else {
            const member = from(step.peer, step.host)
            const model = models[step.peer]!
            const expected = !model.take(now) ? "perPeer.rate" : model.open >= 3 ? "perPeer.maxConnections" : undefined
            const reason = rules.check(member, now)
            assert.strictEqual(reason?._tag === "OverLimit" ? reason.limit : reason?._tag, expected)
            if (expected !== undefined) continue
            model.open++
            inside.push({ member, model })
          }
        }
      }),
    { arbitrary: { runs: 500 } }
  )

  it.effect("remember no more than they must: who left, until its bucket is full, and never too many", () =>
    Effect.gen(function*() {
      const rules = new AdmissionRules(yield* settleLimits({ perPeer }))
      const come = (i: number, now: number) => {
        const member = from(i >> 8, 0)
        const far: Seated = {
          ...member,
          peer: Endpoint.tcpUnsafe(`${10 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}.1`, 1)
        }
        assert.isUndefined(rules.check(far, now))
        rules.leave(far, now)
      }
      for (let i = 0; i < 20_000; i++) come(i, 0)
      assert.isAtMost(rules.known, 16_384)
      // In a second all buckets are full again: whoever comes next finds the others forgotten.
      come(20_000, 1_000)
      assert.isAtMost(rules.known, 1)
      // Nothing is remembered of those who left with a full bucket, or never got in.
      for (let i = 0; i < 100; i++) come(i, 10_000 + i * 1_000)
      assert.isAtMost(rules.known, 1)
    }))
})
