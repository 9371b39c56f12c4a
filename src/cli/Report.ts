/**
 * What `serve` prints of a server's events: lines for people, or with `--json` one object per line for programs.
 *
 * ```
 * {"time":T,"event":"Listening","service":"reverse","endpoint":"tcp://127.0.0.1:12345"}
 * {"time":T,"event":"Accepted","id":1,"peer":"tcp://127.0.0.1:40312"}
 * {"time":T,"event":"Waiting","id":2,"peer":…}
 * {"time":T,"event":"Refused","id":3,"peer":…,"reason":{"_tag":"OverLimit",…},"refusal":"goodbye"}
 * {"time":T,"event":"Ended","id":1,"peer":…,"reason":{"_tag":"PeerClosed"},"bytesIn":27,"bytesOut":27,"messagesIn":1,"messagesOut":1}
 * {"time":T,"event":"Secured","id":1,"protocol":"TLSv1.3","servername":"localhost","alpn":"h2"}
 * {"time":T,"event":"Alarm","limit":"maxConnections","value":922,"max":1024}
 * {"time":T,"event":"Suspended"}
 * {"time":T,"event":"Resumed"}
 * {"time":T,"event":"Draining","open":2}
 * {"time":T,"event":"Drained","served":10,"drained":2,"forced":0,"refused":1,"elapsedMillis":3}
 * {"time":T,"event":"Checked","id":1,"ok":true,"received":"hello","detail":"CRC-32/ISCSI"}
 * {"time":T,"event":"Reloaded","certificates":[{"subject":…,"fingerprint256":…,"validTo":…}],"notices":[]}
 * {"time":T,"event":"NotReloaded","message":…}
 * {"time":T,"event":"Lost","events":5}
 * ```
 *
 * `time` is ISO 8601 in UTC; endpoints are strings; a `reason` is the `CloseReason`, whose times are in milliseconds. `Lost`
 * tells how many events were not printed because stdout was not read as fast as they came. Of several workers, each event
 * that is not of all of them has a `worker` behind its name, and connections are called `#2.17`: each worker counts its own.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Duration from "effect/Duration"
import * as CloseReason from "../CloseReason.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Server from "../Server.ts"
import type * as CrcCheck from "../services/CrcCheck.ts"
import type * as Tls from "../Tls.ts"
import * as ServeNames from "./serveNames.ts"
import type * as Style from "./Style.ts"
import * as Units from "./Units.ts"

/** What is printed: the events of a server, what `crc` found, and how many were not printed. @category models @since 0.1.0 */
export type Event =
  | Server.Event
  | { readonly _tag: "Checked" } & CrcCheck.Finding
  | {
    readonly _tag: "Reloaded"
    readonly certificates: ReadonlyArray<Tls.CertificateInfo>
    readonly notices: ReadonlyArray<string>
  }
  | { readonly _tag: "NotReloaded"; readonly message: string }
  | { readonly _tag: "Lost"; readonly events: number }

/** An event and when it was. @category models @since 0.1.0 */
export interface Entry {
  readonly millis: number
  readonly event: Event
}

/** Prints an entry as one line, without its end. @category models @since 0.1.0 */
export type Format = (entry: Entry) => string

/** A cause is for people and may be large: its message says it. */
const reasonFields = (reason: CloseReason.CloseReason) =>
  reason._tag === "HandlerFailed" ? { _tag: reason._tag, message: reason.message } : reason

const fields = (service: string, event: Event): object => {
  switch (event._tag) {
    case "Listening":
      return { service, endpoint: event.endpoint }
    case "Accepted":
    case "Waiting":
      return { id: event.id, peer: event.peer }
    case "Refused":
      return { id: event.id, peer: event.peer, reason: reasonFields(event.reason), refusal: event.refusal }
    case "Ended": {
      const { bytesIn, bytesOut, id, messagesIn, messagesOut, peer, reason } = event
      return { id, peer, reason: reasonFields(reason), bytesIn, bytesOut, messagesIn, messagesOut }
    }
    case "Secured":
      return { id: event.id, protocol: event.tls.protocol, servername: event.tls.servername, alpn: event.tls.alpn }
    case "Alarm":
      return { limit: event.limit, value: event.value, max: event.max }
    case "Suspended":
    case "Resumed":
      return {}
    case "Draining":
      return { open: event.open }
    case "Drained": {
      const { drained, elapsed, forced, refused, served } = event.report
      return { served, drained, forced, refused, elapsedMillis: Duration.toMillis(elapsed) }
    }
    case "Checked":
      return { id: event.id, ok: event.ok, received: event.received, detail: event.detail }
    case "Reloaded":
      return {
        certificates: event.certificates.map(({ fingerprint256, subject, validTo }) => ({
          subject,
          fingerprint256,
          validTo: DateTime.formatIso(validTo)
        })),
        notices: event.notices
      }
    case "NotReloaded":
      return { message: event.message }
    case "Lost":
      return { events: event.events }
  }
}

/** JSON, one object per line; of a worker, if that is told. @category formatting @since 0.1.0 */
export const json = (service: string, worker?: number): Format => ({ event, millis }) =>
  JSON.stringify({
    time: DateTime.formatIso(DateTime.makeUnsafe(millis)),
    event: event._tag,
    ...(worker === undefined ? {} : { worker }),
    ...fields(service, event)
  })

const plural = (count: number, one: string): string => `${count} ${one}${count === 1 ? "" : "s"}`

/** The most of a message that a line shows. */
const maxShown = 80

/** What a peer sent, so that it does nothing to a terminal. */
const shown = (received: string): string => {
  const some = received.length > maxShown ? `${received.slice(0, maxShown)}…` : received
  return /^[01]+$/.test(received)
    ? some
    : JSON.stringify(some).replaceAll(/[\x7f-\x9f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`)
}

/** Why a connection ended; a worker's limit is its share. */
const shownReason = (reason: CloseReason.CloseReason, worker: number | undefined): string =>
  worker !== undefined && reason._tag === "OverLimit" && reason.limit !== "reservedDescriptors"
    ? `${ServeNames.formatReason(reason)} for worker ${worker}`
    : ServeNames.formatReason(reason)

/** A line for people; `what` describes the service. Of a worker, if that is told. @category formatting @since 0.1.0 */
export const text = (what: string, style: Style.Style, worker?: number): Format => {
  const name = (id: number) => style.faint(worker === undefined ? `#${id}` : `#${worker}.${id}`)
  const line = sentence(what, style, name, worker)
  return ({ event }) => worker === undefined || "id" in event ? line(event) : `worker ${worker}: ${line(event)}`
}

const sentence = (
  what: string,
  { bad, good, faint, strong }: Style.Style,
  name: (id: number) => string,
  worker: number | undefined
) =>
(event: Event): string => {
  switch (event._tag) {
    case "Listening":
      return `${good("listening")} on ${strong(Endpoint.format(event.endpoint))}: ${what}; Ctrl-C drains and ends`
    case "Accepted":
      return `${name(event.id)} connected from ${Endpoint.format(event.peer)}`
    case "Waiting":
      return `${name(event.id)} waits for room, from ${Endpoint.format(event.peer)}`
    case "Refused":
      return `${name(event.id)} ${bad("turned away")} (${event.refusal}), from ${Endpoint.format(event.peer)}: ${
        shownReason(event.reason, worker)
      }`
    case "Ended": {
      const { bytesIn, bytesOut, id, messagesIn, reason } = event
      const mark = CloseReason.isNormal(reason) ? (text: string) => text : bad
      const counts = `${Units.formatSize(bytesIn)} in, ${Units.formatSize(bytesOut)} out, ${
        plural(messagesIn, "message")
      }`
      return `${name(id)} ended: ${mark(shownReason(reason, worker))} ${faint(`(${counts})`)}`
    }
    case "Secured": {
      const { alpn, protocol, servername } = event.tls
      const more = [servername, alpn].filter((text) => text !== undefined).map((text) => `, ${shown(text)}`).join("")
      return `${name(event.id)} secured with ${protocol}${more}`
    }
    case "Alarm":
      return bad(`${ServeNames.flagOf(event.limit)} is at ${event.value} of ${event.max}`)
    case "Suspended":
      return "suspended: nobody new comes in"
    case "Resumed":
      return good("listening again")
    case "Draining":
      return `draining: ${plural(event.open, "open connection")}; Ctrl-C again ends at once`
    case "Drained": {
      const { drained, elapsed, forced, refused, served } = event.report
      return `${good("drained")} in ${
        Units.formatDuration(elapsed)
      }: ${served} served, ${drained} drained, ${forced} forced, ${refused} refused`
    }
    case "Checked": {
      const { detail, id, ok, received } = event
      const verdict = ok ? good("no error found") : bad("error found")
      return `${name(id)} ${received === "" ? "" : `${shown(received)}: `}${detail}, ${verdict}`
    }
    case "Reloaded": {
      const names = event.certificates.map(({ subject, validTo }) =>
        `${subject}, until ${DateTime.formatIsoDateUtc(validTo)}`
      )
      return [`${good("certificates loaded again")}: ${names.join("; ")}`, ...event.notices.map(bad)].join("; ")
    }
    case "NotReloaded":
      return `${bad("certificates not loaded again")}: ${event.message}`
    case "Lost":
      return bad(`${plural(event.events, "event")} not shown: stdout was not read as fast as they came`)
  }
}
