/**
 * `hawser serve --check`: everything is checked as at a start, and what would hold is printed; nothing is bound.
 *
 * The server is built over a transport that listens nowhere: so whatever a start would refuse is refused here, but for an
 * address that cannot be bound.
 *
 * ```
 * service          echo
 * listen           tls://127.0.0.1:443  --port               the flag, the variable, or that it is the default
 * idle-timeout     30s                  HAWSER_IDLE_TIMEOUT
 * certificate      CN=localhost, from 2020-01-01 to 2070-01-01
 * ```
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Endpoint from "../Endpoint.ts"
import * as NodeTransport from "../NodeTransport.ts"
import * as Transport from "../Transport.ts"
import type * as Failure from "./Failure.ts"
import { fromStart, type Plan } from "./servePlan.ts"
import { serveSettings } from "./serveSettings.ts"
import type * as Setting from "./Setting.ts"
import * as Style from "./Style.ts"

/** Binds nothing. */
const nowhere: Layer.Layer<Transport.Transport> = Layer.effect(
  Transport.Transport,
  Transport.Transport.useSync((transport) =>
    Transport.Transport.of({
      ...transport,
      listen: (endpoint) => Effect.succeed({ endpoint, close: Effect.void })
    })
  )
).pipe(Layer.provide(NodeTransport.layer))

/** Refuses what a start would refuse. @category checking @since 0.1.0 */
export const refuse = (plan: Plan): Effect.Effect<void, Failure.Failure> =>
  Effect.scoped(Layer.build(Layer.provide(plan.layer(() => {}, plan.whole), nowhere))).pipe(
    Effect.mapError(fromStart(plan)),
    Effect.asVoid
  )

/** A setting as it would hold. */
interface Effective {
  readonly value: string | null
  /** The flag, the variable, or `default`. */
  readonly from: string
}

/** Told by the endpoints, or of no interest here. */
const hidden = new Set<string>(["listen", "host", "port", "fd", "json"])

const usualOf = (key: string, setting: Setting.Setting<unknown>, plan: Plan): string | null => {
  const { given, service, usualFraming, usualOverflow } = plan
  const only = (holds: boolean) => holds ? setting.usual ?? null : null
  switch (key) {
    case "framing":
      return usualFraming
    case "overflow":
      return usualOverflow
    case "maxPerPeer":
      return given.maxConnections?.text ?? serveSettings.maxConnections.usual ?? null
    case "maxWaiting":
    case "waitTimeout":
      return only(given.overflow?.value === "wait")
    case "crc":
      return only(service === "crc" && given.framing?.value !== "chunks")
    default:
      return setting.usual ?? null
  }
}

/** Every setting, as one would write it. */
const effective = (plan: Plan): Readonly<Record<string, Effective>> => {
  const all: Record<string, Effective> = {
    listen: { value: plan.places.endpoints.map(Endpoint.format).join(" "), from: plan.places.from }
  }
  const given: Readonly<Record<string, Setting.Given<unknown> | undefined>> = plan.given
  for (const [key, setting] of Object.entries<Setting.Setting<unknown>>(serveSettings)) {
    if (hidden.has(key)) continue
    const one = given[key]
    all[setting.name] = one === undefined
      ? { value: usualOf(key, setting, plan), from: "default" }
      : { value: one.text, from: one.from }
  }
  return all
}

/** What is not set, where that means something. */
const words: Readonly<Record<string, string>> = { allow: "everybody", deny: "nobody", "proxy-from": "nobody" }

const date = (when: DateTime.Utc): string => DateTime.formatIsoDateUtc(when)

/** Checks everything, and prints what would hold. @category running @since 0.1.0 */
export const check = Effect.fnUntraced(function*(plan: Plan, json: boolean) {
  const { certificates, service } = plan
  yield* refuse(plan)
  const settings = effective(plan)
  const loaded = certificates?.context.certificates ?? []
  const notices = certificates?.notices ?? []
  if (json) {
    const shown = loaded.map(({ fingerprint256, issuer, subject, validFrom, validTo }) => ({
      subject,
      issuer,
      fingerprint256,
      validFrom: DateTime.formatIso(validFrom),
      validTo: DateTime.formatIso(validTo)
    }))
    return yield* Console.log(JSON.stringify({ service, settings, certificates: shown, notices }))
  }
  const { bad, faint, good } = yield* Style.current
  const rows = [
    ["service", service, ""],
    ...Object.entries(settings).map(([name, { from, value }]) => [name, value ?? words[name] ?? "", from])
  ].filter(([, value]) => value !== "")
  const width = Math.max(...rows.map(([name = ""]) => name.length))
  const wide = Math.max(...rows.map(([, value = ""]) => value.length))
  for (const [name = "", value = "", from = ""] of rows) {
    yield* Console.log(`${name.padEnd(width)}  ${from === "" ? value : `${value.padEnd(wide)}  ${faint(from)}`}`)
  }
  for (const { subject, validFrom, validTo } of loaded) {
    yield* Console.log(`${"certificate".padEnd(width)}  ${subject}, from ${date(validFrom)} to ${date(validTo)}`)
  }
  for (const notice of notices) yield* Console.log(bad(notice))
  yield* Console.log(good("ok: nothing is missing, and nothing contradicts anything else"))
})
