/**
 * The laws of connections about how they begin: bind, dial, accept, and open late.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Codec from "../Codec.ts"
import * as Endpoint from "../Endpoint.ts"
import * as Transport from "../Transport.ts"
import * as Flow from "./ConnectionFlow.ts"
import { type Check, must, plain, random, reasonOf, type Spec } from "./ConnectionSpec.ts"
import { type End, play, type Stage } from "./ConnectionStage.ts"

/** A socket that is opened late finds everything that happened before: data, end, reset. @category laws @since 0.1.0 */
export const lateOpen = (spec: Spec): Check =>
  plain(
    "lateOpen",
    Effect.forEach([[1000, true], [0, true], [1000, false], [0, false]] as const, ([size, held]) =>
      play(spec, (stage) =>
        Effect.gen(function*() {
          const [client, server] = yield* lateClient(stage)
          if (size > 0) {
            yield* stage.run("writing", Flow.write(client, 0, [size]))
          }
          yield* stage.run("finishing", client.connection.finish)
          if (held) {
            server.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose() {} })
          }
          yield* stage.quiet
          const end = yield* stage.open(server, Codec.bytes)
          const read = yield* stage.run(`the reading of a socket opened late`, Flow.readAll(end, client))
          yield* must(read === size, () =>
            `a socket opened late gave ${read} of ${size} bytes`)
        })), { discard: true }).pipe(Effect.andThen(
          play(spec, (stage) =>
            Effect.gen(function*() {
              const [client, server] = yield* lateClient(stage)
              client.raw.reset()
              yield* stage.quiet
              const end = yield* stage.open(server, Codec.bytes)
              const exit = yield* stage.exit(
                "the pull from a socket that broke before it was opened",
                end.connection.pull
              )
              yield* must(Exit.isFailure(exit), () =>
                `a socket that broke before it was opened gave ${String(exit)}`)
            }))
        ))
  )

const lateClient = (stage: Stage): Effect.Effect<readonly [End<Uint8Array, Uint8Array>, Transport.RawSocket], string> =>
  Effect.gen(function*() {
    const client = yield* stage.dial(Codec.bytes)
    return [client, yield* stage.accept] as const
  })

/**
 * A bound endpoint is `AddressInUse`; when its listener closed, nobody can dial it, and what was accepted lives on.
 *
 * @category laws
 * @since 0.1.0
 */
export const listener = (spec: Spec): Check =>
  plain(
    "listener",
    play(spec, (stage) =>
      Effect.gen(function*() {
        const [client, server] = yield* stage.pair(...Flow.bytes)
        const { close: stop, endpoint } = yield* stage.listening
        const target = yield* stage.target
        const options = { backlog: 1, onAccept: (raw: Transport.RawSocket) => raw.destroy() }
        const again = yield* stage.exit("binding twice", Effect.scoped(stage.watch.transport.listen(endpoint, options)))
        const why = Exit.isFailure(again) ? Cause.squash(again.cause) : undefined
        yield* must(
          why instanceof Transport.BindError && why.reason === "AddressInUse",
          () => `binding ${Endpoint.format(endpoint)} twice: ${String(again)}`
        )
        yield* stage.run("closing the listener", stop)
        yield* stage.run("closing the listener again", stop)
        const dialled = yield* stage.exit("dialling", Effect.scoped(stage.watch.transport.connect(target)))
        const error = Exit.isFailure(dialled) ? Cause.squash(dialled.cause) : undefined
        yield* must(
          error instanceof Transport.ConnectError && (error.reason === "Refused" || error.reason === "NotFound"),
          () => `dialling a listener that closed: ${String(dialled)}`
        )
        const free = stage.watch.transport.listen(endpoint, options)
        yield* stage.run("binding again", Effect.scoped(free))
        const reading = yield* stage.start(Flow.readAll(server, client))
        yield* stage.run("writing", Flow.writeAll(client, [[1000]]))
        const exit = yield* stage.awaited("the reading after the listener closed", reading)
        yield* must(
          Exit.isSuccess(exit) && exit.value === 1000,
          () => `after the listener closed, a connection of before gave ${String(exit)}`
        )
      }))
  )

/**
 * When the listener's scope closes, everything it accepted is destroyed, also what nobody attached to.
 *
 * @category laws
 * @since 0.1.0
 */
export const listenerScope = (spec: Spec): Check =>
  plain(
    "listenerScope",
    play(spec, (stage) =>
      Effect.gen(function*() {
        const [client, server] = yield* stage.pair(...Flow.bytes)
        const [lonely] = yield* lateClient(stage)
        const pulls = []
        for (const end of [server, client, lonely]) pulls.push(yield* stage.start(end.connection.pull))
        yield* stage.run("closing the listener's scope", Scope.close(stage.scope, Exit.void))
        for (const [i, pull] of pulls.entries()) {
          const exit = yield* stage.awaited("the end of a connection whose listener is gone", pull)
          const expected = i === 0 ? ["Closed"] : ["ends", "PeerReset"]
          yield* must(expected.includes(reasonOf(exit)), () => `when its listener went, a pull ${reasonOf(exit)}`)
        }
      }))
  )

/** A dial that is interrupted at any point leaves no socket. @category laws @since 0.1.0 */
export const interruptedConnect = (spec: Spec): Check =>
  random(
    "interruptedConnect",
    spec,
    Arbitrary.array(Flow.integer(0, 6), {
      maxLength: 20
    }),
    (dials) =>
      play(spec, (stage) =>
        Effect.gen(function*() {
          const target = yield* stage.target
          const connecting = Effect.scoped(Effect.andThen(stage.watch.transport.connect(target), Effect.never))
          for (const after of dials) {
            const fiber = yield* stage.start(connecting)
            for (let i = 0; i < after; i++) yield* stage.turn
            yield* Effect.sync(() => fiber.interruptUnsafe())
            yield* stage.awaited("the interrupted dial", fiber)
          }
          yield* stage.quiet
          for (const raw of stage.accepted.splice(0)) {
            const end = yield* stage.open(raw, Codec.bytes)
            const exit = yield* stage.exit("the end of a connection whose dial was interrupted", end.connection.pull)
            yield* must(Exit.isFailure(exit), () => `a connection whose dial was interrupted gave ${String(exit)}`)
          }
        }))
  )

/**
 * Each side's peer is the other side's local address, also after the close; ids are different and count up.
 *
 * @category laws
 * @since 0.1.0
 */
export const addresses = (spec: Spec): Check =>
  plain(
    "addresses",
    play(spec, (stage) =>
      Effect.gen(function*() {
        const [first, second] = [yield* stage.pair(...Flow.bytes), yield* stage.pair(...Flow.bytes)]
        const ids = [first, second].map((ends) => ends.map((end) => end.connection.id))
        yield* must(
          new Set(ids.flat()).size === 4 && Math.min(...ids[0]!) >= 1 && Math.max(...ids[0]!) < Math.min(...ids[1]!),
          () => `the ids are ${ids.join(" and then ")}`
        )
        const [client, server] = first
        const names = () =>
          [client.connection.local, server.connection.peer, client.connection.peer, server.connection.local]
            .map(Endpoint.format)
        const [local, seen, target, own] = names()
        yield* must(local === seen, () => `the client is ${local}, and its peer sees ${seen}`)
        yield* must(target === own, () => `the server is ${own}, and its peer sees ${target}`)
        yield* stage.all({ "closing": client.close, "closing the other side": server.close })
        yield* stage.until("the close of the raw sockets", () => client.raw.closed && server.raw.closed)
        yield* must(
          [local, seen, target, own].join(" ") === names().join(" "),
          () => `${[local, seen, target, own].join(" ")} became ${names().join(" ")} when it closed`
        )
      }))
  )
