/**
 * The server's names for its options, and the flags that they are here.
 *
 * ```
 * deadlines.frame must be at most deadlines.lifetime      --frame-timeout must be at most --max-lifetime
 * ```
 *
 * @since 0.1.0
 */
import * as CloseReason from "../CloseReason.ts"
import type * as Server from "../Server.ts"
import * as Failure from "./Failure.ts"
import { type ServeSettings, serveSettings } from "./serveSettings.ts"
import * as Units from "./Units.ts"

/** Which setting an option of the library is. */
const keyOf: Readonly<Record<string, keyof ServeSettings>> = {
  maxConnections: "maxConnections",
  "perPeer.maxConnections": "maxPerPeer",
  rate: "rate",
  "perPeer.rate": "ratePerPeer",
  allow: "allow",
  deny: "deny",
  maxBufferedBytes: "maxBuffered",
  "proxy.from": "proxyFrom",
  "deadlines.handshake": "handshakeTimeout",
  "deadlines.firstFrame": "firstFrameTimeout",
  "deadlines.idle": "idleTimeout",
  "deadlines.frame": "frameTimeout",
  "deadlines.minRate.grace": "minRate",
  "deadlines.minRate.bytesPerSecond": "minRate",
  "deadlines.minRate": "minRate",
  "deadlines.write": "writeTimeout",
  "deadlines.lifetime": "maxLifetime",
  "deadlines.request": "requestTimeout",
  overflow: "overflow",
  "overflow.maxWaiting": "maxWaiting",
  "overflow.timeout": "waitTimeout",
  backlog: "backlog",
  unixMode: "unixMode",
  "drain.grace": "drainGrace"
}

const options = new RegExp(
  `(?<![\\w.-])(${
    Object.keys(keyOf).toSorted((a, b) => b.length - a.length).map((name) => name.replaceAll(".", "\\.")).join("|")
  })(?:\\[\\d+\\])?(?![\\w.]*\\w)`,
  "g"
)

/** The flag of a limit; another word as it is. @category formatting @since 0.1.0 */
export const flagOf = (option: string): string => {
  const key = keyOf[option]
  return key === undefined ? option : `--${serveSettings[key].name}`
}

/** An option that the server cannot work with, by the names that were typed. @category constructors @since 0.1.0 */
export const fromOptions = (given: ServeSettings, error: Server.ServerOptionsError): Failure.Failure => {
  const { option, rule, value } = error
  const settingOf = (text: string) => keyOf[text.replace(/\[\d+\]$|\.(?:connections|per|burst)$/, "")]
  const key = settingOf(option)
  const setting = key === undefined ? undefined : given[key]
  if (setting === undefined) return Failure.local(error.message)
  const name = (text: string): string => {
    const other = settingOf(text)
    return other === undefined ? text : given[other]?.from ?? flagOf(text)
  }
  const part = option === "deadlines.minRate.grace" ? "the TIME of " : ""
  // One of several networks; anything else is better told as it was written.
  const got = Array.isArray(setting.value) ? String(value) : setting.text
  return Failure.local(`${part}${setting.from} must be ${Units.inWords(rule.replaceAll(options, name))}, got ${got}`)
}

/** Which flag sets the limit that a reason is about. */
const flagsOf: Readonly<Partial<Record<CloseReason.CloseReason["_tag"], string>>> = {
  IdleTimeout: "--idle-timeout, --first-frame-timeout",
  FrameTimeout: "--frame-timeout",
  TooSlow: "--min-rate",
  WriteStalled: "--write-timeout",
  HandshakeTimeout: "--handshake-timeout",
  LifetimeReached: "--max-lifetime",
  RequestTimeout: "--request-timeout"
}

/** Why a connection ended, and which flag says so. @category formatting @since 0.1.0 */
export const formatReason = (reason: CloseReason.CloseReason): string => {
  switch (reason._tag) {
    case "OverLimit":
      return reason.limit === "reservedDescriptors"
        ? "too few descriptors are left of those that this process may have (ulimit -n)"
        : `${flagOf(reason.limit)} is ${reason.max}`
    case "Denied":
      return reason.rule === "deny" ? "--deny names the address" : "--allow does not name the address"
    default: {
      const flag = flagsOf[reason._tag]
      return flag === undefined ? CloseReason.format(reason) : `${Units.inWords(CloseReason.format(reason))} (${flag})`
    }
  }
}
