/**
 * The laws of servers about their own end.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Admission from "../../Admission.ts"
import { show } from "../../internal/codecReader.ts"
import { type Check, must, plain } from "./Scene.ts"
import { drawn, fates } from "./ServerFates.ts"
import { asked, type Handler, pick, random, type Spec } from "./ServerSpec.ts"
import { playServer } from "./ServerWorld.ts"

const millis = Arbitrary.schema(Schema.Literals([0, 50, 250]))

/**
 * A drain takes at most `announce + grace + force`, whatever the peers and the handlers do; it refuses new peers from its
 * first moment, leaves no socket, and its report adds up.
 *
 * @category laws
 * @since 0.1.0
 */
export const drain = <Request, Response>(spec: Spec<Request, Response>): Check => {
  const inputs = Arbitrary.all({
    names: drawn(spec),
    announce: millis,
    grace: millis,
    force: millis,
    before: millis,
    linger: Arbitrary.schema(Schema.Literals([0, 100, 2_000])),
    maxConnections: Arbitrary.schema(Schema.Literals([3, 100])),
    waiting: Arbitrary.schema(Schema.Boolean)
  })
  return random(
    "ServerLaws.drain",
    spec.options,
    inputs,
    ({ announce, before, force, grace, linger, maxConnections, names, waiting }) =>
      playServer(spec, (world) =>
        Effect.gen(function*() {
          const server = yield* world.serve({
            maxConnections,
            linger,
            drain: { announce, grace, force },
            overflow: waiting ? Admission.wait({ maxWaiting: 3, timeout: "1 minute", otherwise: "close" }) : "close"
          })
          const all = fates(spec)
          for (const name of names) {
            const { peer } = yield* world.visit(all[name]?.handler)
            all[name]?.act(peer)
          }
          yield* world.pass(before)
          const { ended } = world.books
          const draining = yield* world.start(server.drain)
          yield* world.settle
          const dialled = yield* Effect.exit(world.dial(server.endpoint))
          yield* must(Exit.isFailure(dialled), () => "a server that drains has let somebody in")
          const budget = announce + grace + force
          const report = yield* world.joined("the drain", draining, budget)
          yield* must(
            Duration.toMillis(report.elapsed) <= budget,
            () => `the drain says that it took ${show(report.elapsed)}, of at most ${budget} ms`
          )
          const { accepted, open, refused, waiting: left } = world.books
          yield* must(open + left === 0, () => `after the drain ${open} connections are open, and ${left} wait`)
          yield* world.settle
          const sockets = world.watch.open.filter(({ kind }) => kind === "accepted").length
          yield* must(sockets === 0, () => `after the drain ${sockets} sockets are open`)
          yield* must(
            report.served === ended && report.served + report.drained + report.forced === accepted &&
              report.refused === refused,
            () => `the report is ${show(report)}, the events say ${show({ ended, accepted, refused })}`
          )
          const forced = world.events.filter((event) => event._tag === "Ended" && event.reason._tag === "ForcedByDrain")
          yield* must(
            forced.length === report.forced,
            () => `${report.forced} were forced by the report, and ${forced.length} by the events`
          )
        }))
  )
}

/**
 * What is in flight when a drain begins finishes: a request that is being answered, a frame that has begun to arrive,
 * answers that a peer was late to read. Peers that end when they hear the end are not forced, and hold nobody up.
 *
 * @category laws
 * @since 0.1.0
 */
export const graceful = <Request, Response>(spec: Spec<Request, Response>): Check =>
  plain(
    "ServerLaws.graceful",
    playServer(spec, (world) =>
      Effect.gen(function*() {
        const server = yield* world.serve({ linger: 2_000, drain: { grace: 1_000, force: 1_000 } })
        const visit = (handler?: Handler<Request, Response>) =>
          Effect.tap(world.visit(handler), ({ peer }) =>
            Effect.sync(() => {
              peer.onEnded = () => peer.raw.end()
            }))
        const requests = pick(spec.samples, [1])
        const ask = asked(spec, requests)
        const half = Math.ceil(ask.length / 2)
        yield* visit()
        const slow = yield* visit((request) => Effect.delay(Effect.sync(() => spec.answer(request)), 20))
        slow.peer.send(ask)
        const begun = yield* visit()
        begun.peer.send(ask.subarray(0, half))
        const late = yield* visit()
        late.peer.raw.pause()
        late.peer.send(spec.large === undefined ? ask : asked(spec, Array<Request>(40).fill(spec.large)))
        yield* world.settle
        const draining = yield* world.start(server.drain)
        yield* world.pass(10)
        begun.peer.send(ask.subarray(half))
        late.peer.raw.resume()
        const report = yield* world.joined("the drain of peers that end when they are told", draining, 100)
        yield* must(report.forced === 0, () => `of 4 peers that end when they are told, ${report.forced} were forced`)
        yield* world.heard("one whose answer takes time, while the server drains,", slow.peer, requests)
        yield* world.heard("one whose request has begun, while the server drains,", begun.peer, requests)
        yield* must(late.peer.heardBytes > 0, () => "one that is late to read has heard no answer")
      }))
  )

/**
 * Closing the scope of a server drains it, in the same time; then nobody can come, and no socket, fiber or timer is left
 * but those of handlers that nothing can stop.
 *
 * @category laws
 * @since 0.1.0
 */
export const close = <Request, Response>(spec: Spec<Request, Response>): Check =>
  plain(
    "ServerLaws.close",
    playServer(spec, (world) =>
      Effect.gen(function*() {
        const server = yield* world.serve({ linger: 2_000, drain: { announce: 20, grace: 50, force: 30 } })
        for (const { act, handler, outlives } of Object.values(fates(spec))) {
          if (outlives === true) continue
          const { peer } = yield* world.visit(handler)
          act(peer)
        }
        yield* world.pass(10)
        const closing = yield* world.start(Scope.close(world.scope, Exit.void))
        yield* world.joined("closing the server", closing, 100)
        const dialled = yield* Effect.exit(world.dial(server.endpoint))
        yield* must(Exit.isFailure(dialled), () => "a server that is closed has let somebody in")
        const report = yield* world.run("asking for the drain again", server.drain)
        yield* must(
          report.served + report.drained + report.forced === world.books.accepted,
          () => `asked again, the report is ${show(report)}, the events say ${show(world.books)}`
        )
        // One finalizer that takes 300 ms was interrupted, and may take them.
        yield* world.pass(300)
        const left = world.left("accepted")
        yield* must(left === undefined, () => `when the server was closed, ${left}`)
      }))
  )
