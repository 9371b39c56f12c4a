/**
 * The laws of clients about the end of their connection.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import type { Spec } from "./ClientSpec.ts"
import { type Call, playClient } from "./ClientWorld.ts"
import type { RawPeer } from "./RawPeer.ts"
import { type Check, must, plain } from "./Scene.ts"
import { random } from "./ServerSpec.ts"

interface Ending {
  readonly act: (server: RawPeer) => void
  readonly reasons: ReadonlyArray<string>
}

/** How a server may end a connection, and what that is called. */
const endingsOf = <Request, Response>(spec: Spec<Request, Response>): Readonly<Record<string, Ending>> => ({
  ends: { act: (server) => server.raw.end(), reasons: ["PeerClosed"] },
  closes: { act: (server) => server.raw.destroy(), reasons: ["PeerClosed", "PeerReset"] },
  ...(spec.resets === false
    ? {}
    : { resets: { act: (server: RawPeer) => server.raw.reset(), reasons: ["PeerReset"] } }),
  ...Object.fromEntries(
    Object.entries(spec.bad ?? {}).map(([name, bad]): [string, Ending] => [`sends ${name}`, {
      act: (server) => {
        server.send(bad.bytes)
        if (bad.ends === true) server.raw.end()
      },
      reasons: [bad.reason]
    }])
  )
})

/**
 * However the server ends the connection, every call settles: with its answer, or with that reason; it says truly how
 * much of it was sent; and every later call fails at once, and was not sent.
 *
 * @category laws
 * @since 0.1.0
 */
export const endings = <Request, Response>(spec: Spec<Request, Response>): Check => {
  const all = endingsOf(spec)
  const few = (minimum: number, maximum: number) =>
    Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))
  const inputs = Arbitrary.all({
    name: Arbitrary.schema(Schema.Literals(Object.keys(all))),
    calls: few(0, 9),
    answers: few(0, 9),
    depth: few(1, 4),
    maxWaiting: few(0, 4)
  })
  return random(
    "ClientLaws.endings",
    spec.options,
    inputs,
    ({ answers, calls, depth, maxWaiting, name }) =>
      playClient(spec, (world) =>
        Effect.gen(function*() {
          const ending = all[name]
          if (ending === undefined) return yield* Effect.fail(`there is no ending ${name}`)
          yield* world.connect({ depth, maxWaiting })
          const made: Array<Call<Request>> = []
          for (let n = 0; n < calls; n++) made.push(yield* world.call(spec.request(n)))
          yield* world.settle
          const taken = made.slice(0, depth + maxWaiting)
          for (const call of made.slice(depth + maxWaiting)) yield* world.failed(call, ["OverLimit"], "none")
          for (let i = 0; i < answers; i++) {
            yield* world.reply(1)
            yield* world.settle
          }
          ending.act(world.server)
          yield* world.settle
          for (const call of taken.slice(0, answers)) yield* world.answered(call)
          for (const call of taken.slice(answers)) yield* world.failed(call, ending.reasons)
          yield* world.truthful
          const later = yield* world.call(spec.request(calls))
          yield* world.failed(later, ending.reasons, "none")
        }))
  )
}

/**
 * When its scope closes, what is outstanding fails with `Closed`, what was sent is told truly, a call after it fails at
 * once, and after `linger` at the latest nothing is left, also when the server does not end its side.
 *
 * @category laws
 * @since 0.1.0
 */
export const close = <Request, Response>(spec: Spec<Request, Response>): Check =>
  plain(
    "ClientLaws.close",
    Effect.forEach(["polite", "silent"], (server) =>
      playClient(spec, (world) =>
        Effect.gen(function*() {
          yield* world.connect({ depth: 2, linger: 100 })
          if (server === "polite") world.server.onEnded = () => world.server.raw.end()
          for (let n = 0; n < 4; n++) yield* world.call(spec.request(n))
          yield* world.settle
          const last = yield* world.call(spec.request(4))
          const closing = yield* world.start(Scope.close(world.scope, Exit.void))
          yield* world.settle
          for (const call of world.calls) yield* world.failed(call, ["Closed"])
          yield* world.truthful
          yield* world.failed(last, ["Closed"], "none")
          const later = yield* world.call(spec.request(5))
          yield* world.failed(later, ["Closed"], "none")
          yield* world.joined("closing the client", closing, server === "polite" ? 0 : 100)
          yield* world.settle
          yield* must(world.server.ended, () => "the server did not hear the end")
          const left = world.left("dialled")
          yield* must(left === undefined, () => `when the client was closed, ${left}`)
        })), { discard: true })
  )
