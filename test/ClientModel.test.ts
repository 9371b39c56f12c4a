/** Callers who call again, give up, run out of time and cannot be encoded: the client does what the model does. */
import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Effect, Schema } from "effect"
import { Client, Protocol } from "../src/index.ts"
import { inWorld, line, memory, pass, script, settle } from "./support/network.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Some call a number of times, each time when the call before has ended, however it did. */
const Step = Schema.Union([
  Schema.TaggedStruct("Call", { times: between(1, 3), bad: between(0, 3) }),
  Schema.TaggedStruct("Call", { times: between(1, 3), bad: Schema.Literal(3) }),
  Schema.TaggedStruct("Answer", { count: between(1, 4) }),
  Schema.TaggedStruct("Interrupt", { who: between(0, 9) }),
  Schema.TaggedStruct("Pass", { tens: between(1, 6) })
])
const Story = Schema.Struct({
  depth: between(1, 3),
  maxWaiting: between(0, 3),
  steps: Schema.Array(Step).check(Schema.isMaxLength(40))
})

const limitMillis = 100

/** One who calls; call `bad` cannot be encoded. */
interface Caller {
  readonly who: number
  readonly times: number
  readonly bad: number
}

const requestOf = ({ bad, who }: Caller, n: number) => n === bad ? `${who}\n${n}` : `${who}.${n}`

/** What is written down of a call's end. */
const entry = ({ who }: Caller, n: number, outcome: string) => `${who}.${n} ${outcome}`

interface Call {
  readonly caller: Caller
  readonly n: number
  readonly since: number
  settled: boolean
}

/** What a client does, in the plainest way. */
class Model {
  readonly log: Array<string> = []
  readonly heard: Array<string> = []
  private now = 0
  private onTheirWay: Array<Call> = []
  private waiting: Array<Call> = []
  private readonly depth: number
  private readonly maxWaiting: number

  constructor(depth: number, maxWaiting: number) {
    this.depth = depth
    this.maxWaiting = maxWaiting
  }

  get outstanding(): number {
    return this.onTheirWay.length + this.waiting.length
  }

  call(caller: Caller, n = 0): void {
    if (n === caller.times) return
    const call = { caller, n, since: this.now, settled: false }
    if (this.onTheirWay.length < this.depth && this.waiting.length === 0) this.send(call)
    else if (this.waiting.length < this.maxWaiting) this.waiting.push(call)
    else this.settle(call, "OverLimit none")
  }

  private send(call: Call): void {
    if (call.n === call.caller.bad) return this.settle(call, "FrameCorrupt none")
    this.heard.push(requestOf(call.caller, call.n))
    this.onTheirWay.push(call)
  }

  private settle(call: Call, outcome: string): void {
    if (call.settled) return
    call.settled = true
    this.log.push(entry(call.caller, call.n, outcome))
    this.call(call.caller, call.n + 1)
  }

  answer(): void {
    const call = this.onTheirWay.shift()
    if (call === undefined) return
    while (this.onTheirWay.length < this.depth && this.waiting.length > 0) this.send(this.waiting.shift()!)
    this.settle(call, `to ${requestOf(call.caller, call.n)}`)
  }

  interrupt(who: number): void {
    for (const call of [...this.onTheirWay, ...this.waiting]) if (call.caller.who === who) call.settled = true
    this.waiting = this.waiting.filter((call) => !call.settled)
  }

  pass(millis: number): void {
    for (let left = millis; left > 0; left--) {
      this.now++
      const late = (call: Call) => !call.settled && this.now - call.since >= limitMillis
      const waited = this.waiting.filter(late)
      const gone = this.onTheirWay.filter(late)
      for (const call of gone) this.settle(call, "CallTimeout all")
      for (const call of waited) {
        this.waiting = this.waiting.filter((other) => other !== call)
        this.settle(call, "CallTimeout none")
      }
    }
  }
}

describe("a client", () => {
  it.effect.prop(
    "does what the model does",
    [Arbitrary.schema(Story)],
    ([{ depth, maxWaiting, steps }]) =>
      inWorld(({ network }) =>
        Effect.gen(function*() {
          const server = yield* script
          const protocol = Protocol.make("model", { request: line, response: line, depth })
          const client = yield* Client.make(protocol, memory, { maxWaiting, callTimeout: limitMillis })
          yield* settle
          const model = new Model(depth, maxWaiting)
          const log: Array<string> = []
          const callAgain = (caller: Caller, n = 0): Effect.Effect<void> =>
            n === caller.times ? Effect.void : Effect.matchEffect(client.call(requestOf(caller, n)), {
              onSuccess: (answer) => Effect.sync(() => log.push(entry(caller, n, answer))),
              onFailure: ({ reason, sent }) => Effect.sync(() => log.push(entry(caller, n, `${reason._tag} ${sent}`)))
            }).pipe(Effect.andThen(Effect.suspend(() => callAgain(caller, n + 1))))
          const fibers: Array<Effect.Success<ReturnType<typeof start>>> = []
          const start = (caller: Caller) => Effect.forkChild(callAgain(caller), { startImmediately: true })
          let answered = 0
          const answer = (count: number) => {
            const requests = server.heard.slice(answered, answered + count)
            answered += requests.length
            if (requests.length > 0) server.peer.send(requests.map((request) => `to ${request}\n`).join(""))
            for (let i = 0; i < requests.length; i++) model.answer()
          }
          for (const step of steps) {
            switch (step._tag) {
              case "Call": {
                const caller = { who: fibers.length, times: step.times, bad: step.bad }
                model.call(caller)
                fibers.push(yield* start(caller))
                break
              }
              case "Answer":
                answer(step.count)
                break
              case "Interrupt":
                model.interrupt(step.who)
                fibers[step.who]?.interruptUnsafe()
                break
              case "Pass":
                model.pass(step.tens * 10)
                yield* pass(step.tens * 10, 10)
            }
            yield* settle
            assert.deepStrictEqual({ heard: server.heard, log }, { heard: model.heard, log: model.log })
          }
          for (let left = 200; left > 0 && model.outstanding > 0; left--) {
            answer(4)
            yield* settle
          }
          // The timer runs off once more, and finds that nobody needs it.
          yield* pass(limitMillis)
          assert.deepStrictEqual({ heard: server.heard, log, timers: network.timers }, {
            heard: model.heard,
            log: model.log,
            timers: 0
          })
        })
      ),
    { arbitrary: { runs: 150, size: 40 }, timeout: 30_000 }
  )
})
