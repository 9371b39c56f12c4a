/** What is measured, on whom. A line here is all that a new scenario or a new peer needs. */
import type { Service } from "./servers/control.ts"

/** What the generator does to a server. */
export interface Load {
  readonly mode: "framed" | "line" | "churn" | "idle"
  readonly connections: number
  /** Requests in flight on each connection. */
  readonly depth: number
  /** Bytes of a message, without its length or terminator. */
  readonly bytes: number
}

/** One thing to measure. `npm run bench -- framed` runs those whose name begins with `framed`. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly service: Service
  readonly load: Load
}

const framed = (connections: number, depth: number, bytes = 64): Scenario => {
  const size = bytes < 1024 ? `${bytes}` : `${bytes / 1024}k`
  return {
    name: `framed-${size}-${connections}x${depth}`,
    title: `framed echo, ${size.replace("k", " Ki")}${
      bytes < 1024 ? " " : ""
    }B, ${connections} connections, ${depth} in flight`,
    service: "echo",
    load: { mode: "framed", connections, depth, bytes }
  }
}

const line = (connections: number, depth: number): Scenario => ({
  name: `line-${connections}x${depth}`,
  title: `line reverse, 64 B, ${connections} connections, ${depth} in flight`,
  service: "reverse",
  load: { mode: "line", connections, depth, bytes: 64 }
})

export const scenarios: ReadonlyArray<Scenario> = [
  framed(1, 1),
  framed(64, 1),
  framed(64, 16),
  framed(64, 4, 16 * 1024),
  line(64, 1),
  line(64, 16),
  {
    name: "churn",
    title: "connect, one framed request, both sides end; 64 at a time",
    service: "echo",
    load: { mode: "churn", connections: 64, depth: 1, bytes: 64 }
  },
  {
    name: "memory",
    title: "memory per idle connection, 10,000 open, after one message each",
    service: "echo",
    load: { mode: "idle", connections: 10_000, depth: 1, bytes: 64 }
  }
]

/** A server to compare with. */
export interface Peer {
  readonly name: string
  readonly about: string
  /** The file in `servers`. */
  readonly file: string
}

/** The peer that all ratios are to. */
export const reference = "plain"

export const peers: ReadonlyArray<Peer> = [
  { name: "plain", about: "node:net, written with care", file: "plain.ts" },
  { name: "beginner", about: "node:net, as written at first", file: "beginner.ts" },
  { name: "effect", about: "Effect's NodeSocketServer, one write per batch", file: "effect.ts" },
  { name: "hawser", about: "hawser's Server.layer with its defaults", file: "hawser.ts" }
]
