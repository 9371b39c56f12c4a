/**
 * What the help tells beyond flags: sections at the end of a command's help.
 *
 * @since 0.1.0
 */
import { crcTopics } from "./crcTopics.ts"

/** A section of the help. @category models @since 0.1.0 */
export interface Topic {
  readonly title: string
  readonly lines: ReadonlyArray<string>
}

const units: Topic = {
  title: "UNITS",
  lines: ["Durations are written 500ms, 2s, 1.5m or 1h, sizes 512, 64KiB, 1MiB or 1GiB."]
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
    "1    the network or the peer failed, or a claim of the tour does not hold",
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
    "  Draining     open",
    "  Drained      served, drained, forced, refused, elapsedMillis",
    "  Checked      crc only: id, ok, received, detail",
    "  Lost         events: how many were not printed, because stdout was not read",
    "A reason is an object with a _tag, such as PeerClosed, PeerReset, FrameTooLarge or OverLimit."
  ]
}

/** The topics of each command. @category constants @since 0.1.0 */
export const topics: Readonly<Record<string, ReadonlyArray<Topic>>> = {
  hawser: [units, exitCodes],
  "hawser serve": [framings, events],
  "hawser talk": [framings],
  ...crcTopics
}
