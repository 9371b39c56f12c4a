/** What a client program is told, and what it says of its calls: one line of JSON. */
import { wrongReplyCode } from "../failures.ts"

const numbers = process.argv.slice(2).map(Number)

/** Where the server is, and how many calls are in flight on how many connections, of how many bytes. */
export const [port = 0, connections = 1, depth = 1, bytes = 64] = numbers

const [, , , , warmup = 1, seconds = 1] = numbers

/** The next message; no two that are in flight are the same. */
export const nextMessage = (): Buffer => {
  const message = Buffer.alloc(bytes, 97)
  message.writeUInt32BE(sent++ >>> 0)
  return message
}

let sent = 0
let answered = 0

/** Notes an answer; a wrong one ends the run. */
export const check = (request: Uint8Array, reply: Uint8Array): void => {
  if (Buffer.compare(request, reply) !== 0) {
    process.stderr.write("client: a wrong reply\n")
    process.exit(wrongReplyCode)
  }
  answered++
}

const after = (length: number) => new Promise<void>((resolve) => setTimeout(resolve, length * 1000))

/** Measures, after a time to get warm, says what was seen, and ends the program. */
export const measure = async (): Promise<void> => {
  await after(warmup)
  const before = { answered, at: performance.now(), cpu: process.cpuUsage() }
  await after(seconds)
  const { system, user } = process.cpuUsage(before.cpu)
  process.stdout.write(`${
    JSON.stringify({
      calls: answered - before.answered,
      seconds: (performance.now() - before.at) / 1000,
      cpuSeconds: (user + system) / 1e6
    })
  }\n`)
  process.exit(0)
}
