/**
 * What every server of the suite says and hears: `{"port":N}` on stdout when it listens, and an end of stdin to stop.
 *
 * A line on stdin asks for the memory that is in use after a garbage collection (`node --expose-gc`).
 */
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"

/** What a program may be asked for. */
export type Service = Answer | "tls" | "start" | "drain" | "calls" | "workers"

/**
 * What a server program does: `echo` answers a u32 length and payload with the same, `reverse` a line with its reverse,
 * and `checked` is an echo of messages whose last four bytes are the CRC-32 of the others.
 */
export type Answer = "echo" | "reverse" | "checked"

const asked = process.argv[2]

export const service: Answer = asked === "reverse" || asked === "checked" ? asked : "echo"

/** What an echo over TLS is secured with; nothing where it goes in plain text. */
export const keyPair = asked === "tls"
  ? { certificate: read("server.pem"), key: read("server.key.pem") }
  : undefined

function read(name: string): string {
  return readFileSync(join(import.meta.dirname, "../../test/data/tls", name), "utf8")
}

/** How many connections are going to come, for servers that have a limit. */
export const connections = Number(process.argv[3] ?? 1024)

const say = (fact: object) => process.stdout.write(`${JSON.stringify(fact)}\n`)

/** Says that the server listens, and obeys stdin from then on. */
export const listening = (port: number): void => {
  say({ port })
  const orders = createInterface({ input: process.stdin })
  orders.on("line", () => {
    globalThis.gc?.()
    const { external, heapUsed, rss } = process.memoryUsage()
    say({ heapBytes: heapUsed + external, residentBytes: rss })
  })
  orders.on("close", () => process.exit(0))
}
