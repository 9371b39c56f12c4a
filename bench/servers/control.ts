/**
 * What every server of the suite says and hears: `{"port":N}` on stdout when it listens, and an end of stdin to stop.
 *
 * A line on stdin asks for the memory that is in use after a garbage collection (`node --expose-gc`).
 */
import { createInterface } from "node:readline"

/** What a program may be asked for. */
export type Service = Answer | "start" | "drain" | "calls"

/**
 * What a server program does: `echo` answers a u32 length and payload with the same, `reverse` a line with its reverse,
 * and `checked` is an echo of messages whose last four bytes are the CRC-32 of the others.
 */
export type Answer = "echo" | "reverse" | "checked"

export const service: Answer = process.argv[2] === "reverse" || process.argv[2] === "checked" ? process.argv[2] : "echo"

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
