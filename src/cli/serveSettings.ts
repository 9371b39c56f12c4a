/**
 * What can be set of `hawser serve`.
 *
 * The words for the defaults stand here, so that the help costs no library; a test holds them against the library's.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Flags from "./Flags.ts"
import * as Setting from "./Setting.ts"
import * as Units from "./Units.ts"

const timeout = (name: string, usual: string, description: string) =>
  Setting.one(name, { value: "TIME", description, usual, parse: Units.orUnbounded(Units.parseTimeout) })

const duration = (name: string, usual: string, description: string) =>
  Setting.one(name, { value: "TIME", description, usual, parse: Units.parseDuration })

const count = (name: string, usual: string, description: string) =>
  Setting.one(name, { value: "N", description, usual, parse: Flags.count })

const networks = (name: string, description: string, unless: string) =>
  Setting.many(name, { value: "CIDR", description, unless, parse: Flags.filled("a network such as 10.0.0.0/8 or ::1") })

const file = (description: string, group?: string): Setting.Description<string> => ({
  value: "FILE",
  description,
  parse: Flags.filled("the name of a file"),
  ...(group === undefined ? {} : { group })
})

/** The settings of `serve`. @category constants @since 0.1.0 */
export const serveSettings = {
  // Where
  ...Flags.hostAndPort({
    host: "Where to listen; '' is every interface",
    port: "The port; 0 picks a free one"
  }),
  listen: Setting.many(
    "listen",
    Flags.endpoint(
      "Where to listen, instead of --host and --port; may be given again: tcp://HOST:PORT, " +
        "tls://HOST:PORT, unix:PATH, unix:@NAME, fd:N"
    )
  ),
  fd: Flags.descriptors,
  unixMode: Setting.one("unix-mode", {
    value: "OCTAL",
    description: "The permission bits of the files of unix:PATH",
    unless: "777 without the umask's",
    parse: Units.parseMode
  }),
  backlog: count("backlog", "511", "How many the system holds that are not accepted yet"),
  workers: Setting.one("workers", {
    value: "N",
    description: "How many processes serve; they share the ports and all limits",
    usual: "1",
    parse: Flags.workers
  }),
  // What
  ...Flags.framing("lines; for echo chunks"),
  crc: Flags.crc,
  // Who
  maxConnections: count("max-connections", "1024", "How many may be connected at once"),
  maxPerPeer: Setting.one("max-per-peer", {
    value: "N",
    description: "How many one IPv4 address, or one IPv6 network of 64 bits, may have of them",
    unless: "as --max-connections",
    parse: Flags.count
  }),
  rate: Setting.one("rate", {
    value: "N/TIME",
    description: "How many may connect in a time",
    usual: "100000/s",
    parse: Units.orUnbounded(Units.parseRate)
  }),
  ratePerPeer: Setting.one("rate-per-peer", {
    value: "N/TIME",
    description: "How many of one peer may connect in a time",
    usual: "100000/s",
    parse: Units.orUnbounded(Units.parseRate)
  }),
  allow: networks("allow", "Who may connect, and nobody else; may be given again", "everybody"),
  deny: networks("deny", "Who may not connect, whatever --allow says; may be given again", "nobody"),
  proxyFrom: networks("proxy-from", "Who must send a PROXY header first, and nobody else may", "nobody"),
  overflow: Setting.one("overflow", {
    value: "POLICY",
    description: "What happens to one more: goodbye, close, reset or wait",
    unless: "goodbye, else close",
    parse: Flags.word(["goodbye", "close", "reset", "wait"])
  }),
  maxWaiting: count("max-waiting", "64", "With --overflow wait: how many may wait"),
  waitTimeout: duration("wait-timeout", "10s", "With --overflow wait: how long one may wait"),
  maxBuffered: Setting.one("max-buffered", {
    value: "SIZE",
    description: "How much the whole server may hold that was not read or not sent yet",
    usual: "256MiB",
    parse: Units.orUnbounded(Units.parseBudget)
  }),
  // How long
  handshakeTimeout: timeout("handshake-timeout", "10s", "How long the PROXY header and TLS may take together"),
  firstFrameTimeout: timeout("first-frame-timeout", "1m", "How long the first message may take to come"),
  idleTimeout: timeout("idle-timeout", "10m", "How long nothing may come or go"),
  frameTimeout: timeout("frame-timeout", "1m", "How long a message that has begun may take"),
  minRate: Setting.one("min-rate", {
    value: "SIZE/TIME",
    description: "How much of a message that has begun must come in the time",
    usual: "160/10s",
    parse: Units.orUnbounded(Units.parseByteRate)
  }),
  writeTimeout: timeout("write-timeout", "30s", "How long a peer may take nothing of what waits for it"),
  maxLifetime: timeout("max-lifetime", "7d", "How long a connection may last, up to a tenth less"),
  requestTimeout: timeout("request-timeout", "5m", "How long the answer to one request may take"),
  drainGrace: duration("drain-grace", "10s", "How long a drain lets connections finish"),
  // TLS
  tlsCert: Setting.many("tls-cert", file("The certificate, and those above it, in PEM; again for other names", "pair")),
  tlsKey: Setting.many("tls-key", file("The key of each --tls-cert, in the same order", "pair")),
  tlsClientCa: Setting.many(
    "tls-client-ca",
    file("Clients must show a certificate that one of these issued; may be given again")
  ),
  alpn: Setting.many("alpn", {
    value: "NAME",
    description: "A protocol that TLS may agree on; may be given again, the best first",
    parse: Flags.filled("the name of a protocol, such as echo")
  }),
  json: Setting.toggle("json", "Print events as JSON, one object per line")
}

/** What was set of `serve`. @category models @since 0.1.0 */
export type ServeSettings = Setting.Filled<typeof serveSettings>

/** Reads the word for a default, which is right. @category getters @since 0.1.0 */
export const usualOf = <A>({ name, read, usual }: Setting.Setting<A>): A =>
  Result.getOrThrowWith(read(usual ?? ""), (rule) => new Error(`the default of --${name} must be ${rule}`))
