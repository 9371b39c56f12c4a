/**
 * From the settings of `hawser serve` to the options of the server.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Admission from "../Admission.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Server from "../Server.ts"
import * as Goodbye from "../services/Goodbye.ts"
import type * as Address from "./Address.ts"
import * as Failure from "./Failure.ts"
import type * as FramingFlag from "./FramingFlag.ts"
import { type ServeSettings, serveSettings, usualOf } from "./serveSettings.ts"

/** Whether it says goodbye to one connection too many, unless it is asked not to. @category predicates @since 0.1.0 */
export const isPolite = ({ endpoints }: Address.Places, framing: FramingFlag.Choice, isMute: boolean): boolean =>
  !isMute && Goodbye.canSay(framing.codec) && !endpoints.every(Endpoint.isSecure)

/** What happens to one connection too many; nothing where the server's own default is right. */
const toOverflow = (
  given: ServeSettings,
  places: Address.Places,
  framing: FramingFlag.Choice,
  isMute: boolean
): Effect.Effect<Admission.Overflow | undefined, Failure.Failure> => {
  const chosen = given.overflow?.value
  const from = `${given.overflow?.from} ${chosen}`
  const polite = isPolite(places, framing, isMute)
  if (chosen === "goodbye" && isMute) {
    return Effect.fail(Failure.local(`${from} is not for crc, which has words only with --framing chunks`))
  }
  if (chosen === "goodbye" && places.endpoints.every(Endpoint.isSecure)) {
    return Effect.fail(Failure.local(`${from} is not for tls://, where it would come before the handshake`))
  }
  if (chosen === "goodbye" && !polite) {
    return Effect.fail(Failure.local(`${from} needs a framing that can say it, and ${framing.name} cannot`))
  }
  if (chosen === "wait") {
    return Effect.succeed(Admission.wait({
      maxWaiting: given.maxWaiting?.value ?? usualOf(serveSettings.maxWaiting),
      timeout: given.waitTimeout?.value ?? usualOf(serveSettings.waitTimeout),
      otherwise: polite ? "goodbye" : "close"
    }))
  }
  const idle = given.maxWaiting ?? given.waitTimeout
  return idle === undefined ? Effect.succeed(chosen) : Effect.fail(Failure.local(`${idle.from} needs --overflow wait`))
}

/** What contradicts the endpoints, or is missing for them. */
const misplaced = (given: ServeSettings, { endpoints, from }: Address.Places): Failure.Failure | undefined => {
  const { alpn, tlsCert, tlsClientCa, tlsKey, unixMode } = given
  const secure = endpoints.find(Endpoint.isSecure)
  const certificates = tlsCert?.value.length ?? 0
  const keys = tlsKey?.value.length ?? 0
  if (certificates !== keys) {
    return Failure.local(
      `${tlsCert?.from ?? "--tls-cert"} and ${tlsKey?.from ?? "--tls-key"} go in pairs, got ${certificates} and ${keys}`
    )
  }
  const stray = tlsClientCa ?? alpn
  if (tlsCert === undefined && stray !== undefined) return Failure.local(`${stray.from} needs --tls-cert and --tls-key`)
  if (secure !== undefined && tlsCert === undefined) {
    return Failure.local(`${Endpoint.format(secure)} needs --tls-cert and --tls-key`)
  }
  if (secure === undefined && tlsCert !== undefined) {
    return Failure.local(
      `${tlsCert.from} needs an endpoint of TLS, and ${from} names none`,
      "write --listen tls://HOST:PORT, or --host and --port alone"
    )
  }
  const hasFile = endpoints.some((endpoint) => endpoint._tag === "Unix" && !endpoint.path.startsWith("@"))
  return unixMode === undefined || hasFile ? undefined : Failure.local(`${unixMode.from} needs --listen unix:PATH`)
}

/** The options of the server, without those of TLS. @category conversions @since 0.1.0 */
export const toOptions = Effect.fnUntraced(function*(
  given: ServeSettings,
  places: Address.Places,
  framing: FramingFlag.Choice,
  isMute: boolean
): Effect.fn.Return<Server.Options, Failure.Failure> {
  const wrong = misplaced(given, places)
  if (wrong !== undefined) return yield* wrong
  return {
    overflow: yield* toOverflow(given, places, framing, isMute),
    maxConnections: given.maxConnections?.value,
    perPeer: { maxConnections: given.maxPerPeer?.value, rate: given.ratePerPeer?.value },
    rate: given.rate?.value,
    allow: given.allow?.value,
    deny: given.deny?.value,
    maxBufferedBytes: given.maxBuffered?.value,
    proxy: given.proxyFrom === undefined ? undefined : { from: given.proxyFrom.value },
    deadlines: {
      handshake: given.handshakeTimeout?.value,
      firstFrame: given.firstFrameTimeout?.value,
      idle: given.idleTimeout?.value,
      frame: given.frameTimeout?.value,
      minRate: given.minRate?.value,
      write: given.writeTimeout?.value,
      lifetime: given.maxLifetime?.value,
      request: given.requestTimeout?.value
    },
    backlog: given.backlog?.value,
    unixMode: given.unixMode?.value,
    drain: { grace: given.drainGrace?.value }
  }
})
