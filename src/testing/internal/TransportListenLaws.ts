/**
 * The laws of transports about listening and dialling.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Endpoint from "../../Endpoint.ts"
import * as Transport from "../../Transport.ts"
import * as Flow from "./ConnectionFlow.ts"
import { type Check, must } from "./Scene.ts"
import { tell } from "./Tell.ts"
import { plain, random, type Spec } from "./TransportSpec.ts"
import { play } from "./TransportStage.ts"

/** The typed reason of a bind or a dial; what happened instead, where there is none. */
const reasonOf = (exit: Exit.Exit<unknown, unknown>): string => {
  if (Exit.isSuccess(exit)) return "success"
  const error = Cause.squash(exit.cause)
  return error instanceof Transport.BindError || error instanceof Transport.ConnectError ? error.reason : tell(error)
}

/**
 * A listener says where it really listens, and there a second one is `AddressInUse`. When it has closed, which may be
 * asked for again, nobody can dial it, what it accepted lives on, and the endpoint is free.
 *
 * @category laws
 * @since 0.1.0
 */
export const listener = (spec: Spec): Check =>
  plain(
    "listener",
    play(spec, (stage) =>
      Effect.gen(function*() {
        const [client, server] = yield* stage.pair
        const { close, endpoint } = yield* stage.stage.listening
        const where = Endpoint.format(endpoint)
        yield* must(!("port" in endpoint) || endpoint.port > 0, () => `it listens on port 0: ${where}`)
        const options = { backlog: 1, onAccept: (raw: Transport.RawSocket) => raw.destroy() }
        const listen = Effect.scoped(stage.stage.watch.transport.listen(endpoint, options))
        const dial = Effect.scoped(stage.stage.watch.transport.connect(yield* stage.stage.target))
        const again = reasonOf(yield* stage.stage.exit("listening twice", listen))
        yield* must(again === "AddressInUse", () => `listening on ${where} twice: ${again}, expected AddressInUse`)
        yield* stage.stage.run("closing the listener", close)
        yield* stage.stage.run("closing the listener again", close)
        // Whether somebody listens on a path is found out by dialling it.
        yield* stage.stage.quiet
        const accepted = stage.stage.accepted.length
        const dialled = reasonOf(yield* stage.stage.exit("dialling", dial))
        yield* must(
          dialled === "Refused" || dialled === "NotFound",
          () => `dialling a listener that closed: ${dialled}, expected Refused or NotFound`
        )
        yield* must(stage.stage.accepted.length === accepted, () => "a listener that closed has accepted somebody")
        yield* stage.stage.run("listening again", listen)
        yield* stage.writeAll(client, [[1000]])
        yield* stage.writeAll(server, [[1000]])
        yield* stage.heard(server.ear, 1000)
        yield* stage.heard(client.ear, 1000)
      }))
  )

/** When its scope closes, a listener destroys all that it accepted and that is still open. @category laws @since 0.1.0 */
export const listenerScope = (spec: Spec): Check =>
  plain(
    "listenerScope",
    play(spec, (stage) =>
      Effect.gen(function*() {
        const [client, server] = yield* stage.pair
        const [lazy] = yield* stage.lazyPair
        const alone = yield* stage.dial
        yield* stage.stage.until("the accepted socket", () => stage.stage.accepted.length > 0)
        lazy.raw.resume()
        alone.raw.resume()
        yield* stage.stage.run("closing the listener's scope", Scope.close(stage.stage.scope, Exit.void))
        yield* stage.stage.until("the close of what a listener had accepted", () => server.ear.closed !== undefined)
        for (const { ear } of [client, lazy, alone]) {
          yield* stage.stage.until(
            "the end of a connection whose listener is gone",
            () => ear.ended || ear.closed !== undefined
          )
        }
      }))
  )

/** A dial that is interrupted, at any point, leaves no socket at either side. @category laws @since 0.1.0 */
export const interruptedConnect = (spec: Spec): Check =>
  random(
    "interruptedConnect",
    spec,
    Arbitrary.array(Flow.integer(0, 6), { maxLength: 20 }),
    (dials) =>
      play(spec, (stage) =>
        Effect.gen(function*() {
          const target = yield* stage.stage.target
          const connecting = Effect.scoped(Effect.andThen(stage.stage.watch.transport.connect(target), Effect.never))
          for (const turns of dials) {
            const fiber = yield* stage.stage.start(connecting)
            for (let i = 0; i < turns; i++) yield* stage.stage.turn
            yield* Effect.sync(() => fiber.interruptUnsafe())
            yield* stage.stage.awaited("the interrupted dial", fiber)
          }
          yield* stage.stage.quiet
          while (stage.stage.accepted.length > 0) {
            const { ear, raw } = yield* stage.accept
            raw.resume()
            yield* stage.stage.until(
              "the end of a connection whose dial was interrupted",
              () => ear.ended || ear.closed !== undefined
            )
          }
        }))
  )

/**
 * Each side's peer is the other side's local address, also after the close; ids are different, and count up from 1.
 *
 * @category laws
 * @since 0.1.0
 */
export const addresses = (spec: Spec): Check =>
  plain(
    "addresses",
    play(spec, (stage) =>
      Effect.gen(function*() {
        const pairs = [yield* stage.pair, yield* stage.pair]
        const ids = pairs.flatMap((ends) => ends.map(({ raw }) => raw.id))
        const [first, second] = [ids.slice(0, 2), ids.slice(2)]
        yield* must(
          new Set(ids).size === 4 && Math.min(...ids) >= 1 && Math.max(...first) < Math.min(...second),
          () => `the ids are ${first} and then ${second}`
        )
        for (const [client, server] of pairs) {
          const names = () =>
            [client.raw.local, server.raw.peer, client.raw.peer, server.raw.local].map(Endpoint.format).join(" ")
          const before = names()
          const [local, seen, target, own] = before.split(" ")
          yield* must(local === seen, () => `the client is ${local}, and its peer sees ${seen}`)
          yield* must(target === own, () => `the server is ${own}, and its peer sees ${target}`)
          client.raw.end()
          server.raw.end()
          yield* stage.stage.until("the closes", () => client.raw.closed && server.raw.closed)
          yield* must(before === names(), () => `${before} became ${names()} when it closed`)
        }
      }))
  )
