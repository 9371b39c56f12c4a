/** What is measured. A line here is all that a new scenario needs. */
import type { Service } from "./servers/control.ts"

/** What the generator does to a server. */
export interface Load {
  readonly mode: "framed" | "line" | "churn" | "idle" | "checked"
  /** Whether the generator speaks TLS; only the one in Node does, so look at the server's CPU time. */
  readonly isSecure?: boolean
  readonly connections: number
  /** Requests in flight on each connection. */
  readonly depth: number
  /** Bytes of a message, without its length or terminator. */
  readonly bytes: number
}

/**
 * What is looked at: how much goes through, how long a request takes at half of what goes through plain `node:net`, what
 * an idle connection weighs, how long a start and an end take, or how many calls a client makes.
 */
export type Kind = "throughput" | "latency" | "memory" | "start" | "drain" | "calls"

/** One thing to measure. `npm run bench -- framed` runs those whose name begins with `framed`. */
export interface Scenario {
  readonly name: string
  readonly title: string
  readonly kind: Kind
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
    kind: "throughput",
    service: "echo",
    load: { mode: "framed", connections, depth, bytes }
  }
}

const line = (connections: number, depth: number): Scenario => ({
  name: `line-${connections}x${depth}`,
  title: `line reverse, 64 B, ${connections} connections, ${depth} in flight`,
  kind: "throughput",
  service: "reverse",
  load: { mode: "line", connections, depth, bytes: 64 }
})

const latency = (connections: number): Scenario => ({
  name: `latency-${connections}`,
  title: `framed echo, 64 B, ${connections} connections, at half the rate that plain node:net reaches with 1 in flight`,
  kind: "latency",
  service: "echo",
  load: { mode: "framed", connections, depth: 64, bytes: 64 }
})

const calls = (connections: number, depth: number): Scenario => ({
  name: `calls-${connections}x${depth}`,
  title: `a client's calls, framed, 64 B, ${connections} connections, ${depth} in flight, to a native server`,
  kind: "calls",
  service: "calls",
  load: { mode: "framed", connections, depth, bytes: 64 }
})

const idle = (connections: number): Load => ({ mode: "idle", connections, depth: 1, bytes: 64 })

export const scenarios: ReadonlyArray<Scenario> = [
  framed(1, 1),
  framed(1, 16),
  framed(1, 256),
  framed(4, 1),
  framed(16, 16),
  framed(64, 1),
  framed(64, 16),
  framed(64, 256),
  framed(1000, 1),
  framed(1000, 16),
  framed(1000, 256),
  framed(64, 4, 16 * 1024),
  line(64, 1),
  line(64, 16),
  {
    name: "checked-64x16",
    title: "framed echo with a CRC-32 checked and made, 64 B, 64 connections, 16 in flight",
    kind: "throughput",
    service: "checked",
    load: { mode: "checked", connections: 64, depth: 16, bytes: 68 }
  },
  {
    name: "tls-64x16",
    title: "framed echo over TLS 1.3, 64 B, 64 connections, 16 in flight",
    kind: "throughput",
    service: "tls",
    load: { mode: "framed", isSecure: true, connections: 64, depth: 16, bytes: 64 }
  },
  {
    name: "tls-churn",
    title: "connect, TLS handshake, one framed request, both sides end; 16 at a time",
    kind: "throughput",
    service: "tls",
    load: { mode: "churn", isSecure: true, connections: 16, depth: 1, bytes: 64 }
  },
  {
    name: "churn",
    title: "connect, one framed request, both sides end; 64 at a time",
    kind: "throughput",
    service: "echo",
    load: { mode: "churn", connections: 64, depth: 1, bytes: 64 }
  },
  {
    name: "workers-64x16",
    title: "echo by processes that share a port on one core, 64 B, 64 connections, 16 in flight",
    kind: "throughput",
    service: "workers",
    load: { mode: "framed", connections: 64, depth: 16, bytes: 64 }
  },
  latency(64),
  latency(1000),
  calls(1, 1),
  calls(1, 64),
  {
    name: "memory",
    title: "memory per idle connection, 10,000 open, after one message each",
    kind: "memory",
    service: "echo",
    load: idle(10_000)
  },
  {
    name: "drain",
    title: "from SIGTERM to the end of the process, with 10,000 idle connections",
    kind: "drain",
    service: "drain",
    load: idle(10_000)
  },
  {
    name: "start",
    title: "from the start of the process until it listens",
    kind: "start",
    service: "start",
    load: idle(1)
  }
]
