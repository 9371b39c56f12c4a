/**
 * What the help tells beyond flags: sections at the end of a command's help.
 *
 * @since 0.1.0
 */
import { crcTopics } from "./crcTopics.ts"
import * as Environment from "./Environment.ts"

/** A section of the help. @category models @since 0.1.0 */
export interface Topic {
  readonly title: string
  readonly lines: ReadonlyArray<string>
}

const units: Topic = {
  title: "UNITS",
  lines: [
    "Durations are written 500ms, 2s, 1.5m, 1h or 7d, sizes 512, 64KiB, 1MiB or 1GiB, rates 100/s or 160/10s.",
    "Where a limit may be off, the word is unbounded."
  ]
}

const framings: Topic = {
  title: "FRAMINGS",
  lines: [
    "lines             lines that end with LF or CR LF; LF is sent",
    "lines:lf          lines that end with LF alone; lines:crlf with CR LF alone",
    "chunks            whatever one read returned: the tutorial's recv()",
    "fixed:16          frames of 16 bytes",
    "length:2          a length of 1, 2, 3, 4 or 8 bytes in front; length:2le is little-endian",
    String.raw`delimited:TEXT    frames that end with TEXT, where \n \r \t \0 \\ and \x1f are bytes`
  ]
}

const exitCodes: Topic = {
  title: "EXIT CODES",
  lines: [
    "0    done, or drained",
    "1    the network or the peer failed, a worker ended by itself, or a claim of the tour does not hold",
    "2    wrong use, or an error on this machine: a flag, a file, a port in use",
    "3    what arrived is not what the framing promises, or a checksum is not what it should be",
    "4    it took too long",
    "130, 143    ended by SIGINT, SIGTERM"
  ]
}

const events: Topic = {
  title: "EVENTS",
  lines: [
    "With --json each line is an object with time (ISO 8601), event, and",
    "  Listening    service, endpoint",
    "  Accepted     id, peer; Waiting too",
    "  Refused      id, peer, reason, refusal (goodbye, close or reset)",
    "  Ended        id, peer, reason, bytesIn, bytesOut, messagesIn, messagesOut",
    "  Secured      id, protocol, servername, alpn",
    "  Alarm        limit, value, max: a limit is near, or was reached",
    "  Reloaded     certificates, notices; NotReloaded message",
    "  Draining     open",
    "  Drained      served, drained, forced, refused, elapsedMillis",
    "  Checked      crc only: id, ok, received, detail",
    "  Lost         events: how many were not printed, because stdout was not read",
    "A reason is an object with a _tag: PeerClosed, PeerReset, Closed, Drained, ForcedByDrain, Interrupted,",
    "FrameTooLarge, FrameCorrupt, FrameTruncated, ProtocolViolation, HandlerFailed; or, by the flag that sets its limit,",
    "  OverLimit         --max-connections, --max-per-peer, --rate, --rate-per-peer, --max-buffered",
    "  Denied            --allow, --deny",
    "  HandshakeFailed, HandshakeTimeout    --handshake-timeout; TLS and the PROXY header",
    "  IdleTimeout       --idle-timeout, --first-frame-timeout",
    "  FrameTimeout      --frame-timeout; TooSlow --min-rate; WriteStalled --write-timeout",
    "  LifetimeReached   --max-lifetime; RequestTimeout --request-timeout"
  ]
}

const tls: Topic = {
  title: "TLS",
  lines: [
    "With --tls-cert and --tls-key a --host and --port are TLS; with --listen write tls://HOST:PORT.",
    "Clients get the certificate for the name that they ask for, or else the first one.",
    "The files are read again at SIGHUP, and within seconds when they change; open connections live on.",
    "The order on the wire is: PROXY header, TLS, protocol."
  ]
}

const activation: Topic = {
  title: "SOCKET ACTIVATION",
  lines: [
    "Where no address is given, the sockets of LISTEN_FDS are listened on, if LISTEN_PID is this process."
  ]
}

const workers: Topic = {
  title: "WORKERS",
  lines: [
    "With --workers N, N processes serve the same ports, and one more, which was started, supervises them. The system",
    "spreads the connections by their addresses. One signal drains all of them; when one ends by itself, the others drain,",
    "and the exit code is 1. It is for tcp:// and tls:// endpoints.",
    "Limits are of the whole server: --max-connections, --max-per-peer, --rate, --rate-per-peer, --max-waiting and",
    "--max-buffered are shared out, so that one worker may be full while another is not. --backlog is for each.",
    "The connection #2.17 is number 17 of worker 2; with --json each event has a worker, but for those of all."
  ]
}

const environment = (prefix: string, more: ReadonlyArray<string>): Topic => ({
  title: "ENVIRONMENT",
  lines: [
    `Each flag can be set by a variable: ${prefix} and its name in capitals, such as ${prefix}${
      prefix === Environment.prefixes.serve ? "IDLE_TIMEOUT=5m" : "TLS_CA=ca.pem"
    }.`,
    "Several values stand with spaces or commas between them, a flag without a value is true or false.",
    "A flag beats a variable; an empty variable is none.",
    ...more
  ]
})

/** The topics of each command. @category constants @since 0.1.0 */
export const topics: Readonly<Record<string, ReadonlyArray<Topic>>> = {
  hawser: [units, exitCodes],
  "hawser serve": [
    units,
    framings,
    tls,
    activation,
    workers,
    environment(Environment.prefixes.serve, [
      "A flag for where to listen hides all variables for that, as one for a certificate does."
    ]),
    events
  ],
  "hawser talk": [framings, environment(Environment.prefixes.client, [])],
  "hawser connect": [environment(Environment.prefixes.client, [])],
  ...crcTopics
}
