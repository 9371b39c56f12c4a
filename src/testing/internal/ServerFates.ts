/**
 * What can become of a visitor: how its handler behaves, what it does on the wire, and how that must end.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { RawPeer } from "./RawPeer.ts"
import { asked, type Handler, pick, type Spec } from "./ServerSpec.ts"
import { longestMillis } from "./ServiceWorld.ts"

/** One fate. @category models @since 0.1.0 */
export interface Fate<in Request, out Response> {
  readonly handler?: Handler<Request, Response>
  /** What the peer does, once it is there. */
  readonly act: (peer: RawPeer) => void
  /** How the connection ends; absent where that depends on who is asked first. */
  readonly reason?: string
  /** Its handler may run on when it is interrupted. */
  readonly outlives?: true
  /** A bad frame comes behind a good request, which is answered. */
  readonly answers?: true
}

const boom = new Error("boom")

/** The fates that a spec allows, by name. @category samples @since 0.1.0 */
export const fates = <Request, Response>(
  spec: Spec<Request, Response>
): Readonly<Record<string, Fate<Request, Response>>> => {
  const ask = asked(spec, pick(spec.samples, [0]))
  const many = asked(spec, pick(spec.samples, Array.from({ length: 20 }, (_, i) => i)))
  const large = spec.large === undefined ? many : asked(spec, Array<Request>(40).fill(spec.large))
  const says = (request: Request): Effect.Effect<Response> => Effect.succeed(spec.answer(request))
  const asks = (handler: Handler<Request, Response>, reason?: string): Fate<Request, Response> => ({
    handler,
    act: (peer) => void peer.send(ask),
    ...(reason === undefined ? {} : { reason })
  })
  const ending = (act: (peer: RawPeer) => void): Fate<Request, Response> => ({ act, reason: "PeerClosed" })
  return {
    "silent": ending(() => {}),
    "asking": ending((peer) => void peer.send(ask)),
    "half closed": ending((peer) => {
      peer.send(ask)
      peer.raw.end()
    }),
    "polite": ending((peer) => {
      peer.onEnded = () => peer.raw.end()
    }),
    "failing": asks(() => Effect.fail(boom), "HandlerFailed"),
    "failing later": asks(() => Effect.delay(Effect.fail(boom), 10), "HandlerFailed"),
    "dying": asks(() => Effect.die(boom), "HandlerFailed"),
    "throwing": asks(() => {
      throw boom
    }, "HandlerFailed"),
    "interrupting itself": asks(() => Effect.interrupt, "Interrupted"),
    ...(spec.resets === false
      ? {}
      : { "resetting": { act: (peer: RawPeer) => peer.raw.reset(), reason: "PeerReset" } }),
    ...Object.fromEntries(
      Object.entries(spec.bad ?? {}).map(([name, bad]): [string, Fate<Request, Response>] => [`sending ${name}`, {
        act: (peer) => {
          peer.send(ask)
          peer.send(bad.bytes)
          if (bad.ends === true) peer.raw.end()
        },
        reason: bad.reason,
        answers: true
      }])
    ),
    "in the middle of a frame": { act: (peer) => void peer.send(ask.subarray(0, Math.ceil(ask.length / 2))) },
    "not reading": {
      act: (peer) => {
        peer.raw.pause()
        peer.send(large)
      }
    },
    "not reading, half closed": {
      act: (peer) => {
        peer.raw.pause()
        peer.send(large)
        peer.raw.end()
      }
    },
    "asking much": {
      handler: (request) => Effect.delay(says(request), 200),
      act: (peer) => void peer.send(many)
    },
    "never answered": asks(() => Effect.never),
    "served by what nothing interrupts": {
      ...asks((request) => Effect.uninterruptible(Effect.delay(says(request), longestMillis))),
      outlives: true
    },
    "served by fibers of fibers": asks((request) =>
      Effect.as(
        Effect.all([Effect.never, Effect.sleep(longestMillis)], { concurrency: "unbounded" }),
        spec.answer(request)
      )
    ),
    "cleaned up": asks(() => Effect.andThen(Effect.addFinalizer(() => Effect.sleep(300)), Effect.never)),
    "cleaned up for ever": {
      ...asks(() => Effect.andThen(Effect.addFinalizer(() => Effect.sleep(longestMillis)), Effect.never)),
      outlives: true
    }
  }
}

/** Names of fates, of those that are fit. @category samples @since 0.1.0 */
export const drawn = <Request, Response>(
  spec: Spec<Request, Response>,
  fit: (fate: Fate<Request, Response>) => boolean = () => true
): Arbitrary.Arbitrary<ReadonlyArray<string>> =>
  Arbitrary.array(
    Arbitrary.schema(
      Schema.Literals(Object.entries(fates(spec)).flatMap(([name, fate]) => fit(fate) ? [name] : []))
    ),
    { maxLength: 12 }
  )
