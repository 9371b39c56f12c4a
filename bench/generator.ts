/**
 * The load generator of machines without a C compiler, and that of TLS: the arguments, the checks and the report of
 * `generator.c`, on `node:net` and `node:tls`. It is slower than most servers under test; so of what it reports the
 * server's CPU time, and the latency at one request in flight, say most.
 */
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import * as Net from "node:net"
import { createHistogram } from "node:perf_hooks"
import * as Tls from "node:tls"
import { wrongReplyCode } from "./failures.ts"

const options = Object.fromEntries(process.argv.slice(2).map((option) => option.split("=")))
const mode = String(options["mode"])
const connections = Number(options["connections"] ?? 1)
const bytes = Number(options["bytes"] ?? 64)
const port = Number(options["port"])
const isShort = mode === "churn" || mode === "idle"
const depth = isShort ? 1 : Number(options["depth"] ?? 1)

const headBytes = mode === "line" ? 0 : 4
const stampBytes = 8
const ticksPerSecond = process.platform === "linux"
  ? Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }))
  : 1
let done = 0
let latency = createHistogram()

const fail = (message: string, code = 1): never => {
  process.stderr.write(`generator: ${message}\n`)
  return process.exit(code)
}

/** As in `generator.c`: dials of mode idle are repeated, after 10, 20, 40, 80 and 160 ms. */
const maxRedials = 5
const redialMillis = 10
const mayRedial = new Set(["ECONNRESET", "ECONNREFUSED", "EPIPE"])

/** The bytes of a request, which no other request shares, and of its reply. */
const exchange = (index: number, number: number): { readonly request: Buffer; readonly reply: Buffer } => {
  const stamp = ((Math.imul(index, 2_654_435_761) + number) >>> 0).toString(16).padStart(stampBytes, "0")
  const message = Buffer.from(stamp.padEnd(bytes, "abcdefghijklmnopqrstuvwxyz"))
  if (mode === "line") {
    const end = Buffer.from("\n")
    return { request: Buffer.concat([message, end]), reply: Buffer.concat([Buffer.from(message).reverse(), end]) }
  }
  const frame = Buffer.alloc(headBytes + bytes)
  frame.writeUInt32BE(bytes)
  frame.set(message, headBytes)
  return { request: frame, reply: frame }
}

/** Sends up to `last` requests, `depth` at a time, and checks each reply. */
const connect = (): Net.Socket => {
  const address = { port, host: "127.0.0.1" }
  if (options["tls"] === undefined) return Net.connect({ ...address, noDelay: true })
  // Whom it talks to is not what is measured; each handshake is a whole one.
  return Tls.connect({ ...address, rejectUnauthorized: false }).setNoDelay(true)
}

const converse = (
  index: number,
  last: number,
  onReplies: (socket: Net.Socket, received: number) => void,
  redials = 0
): void => {
  const socket = connect()
  const waiting: Array<{ readonly reply: Buffer; readonly at: number }> = []
  let sent = 0
  let received = 0
  let rest = Buffer.alloc(0)
  const send = () => {
    const at = performance.now()
    socket.cork()
    for (; sent < last && sent - received < depth; sent++) {
      const { reply, request } = exchange(index, sent)
      waiting.push({ reply, at })
      socket.write(request)
    }
    socket.uncork()
  }
  socket.on(options["tls"] === undefined ? "connect" : "secureConnect", send)
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (let next = waiting[0]; next !== undefined && rest.length >= next.reply.length; next = waiting[0]) {
      if (rest.compare(next.reply, 0, next.reply.length, 0, next.reply.length) !== 0) {
        fail(`connection ${index} got a wrong reply`, wrongReplyCode)
      }
      latency.record(Math.max(1, Math.round((performance.now() - next.at) * 1e6)))
      rest = rest.subarray(next.reply.length)
      waiting.shift()
      received++
      if (mode !== "churn") done++
    }
    if (waiting.length === 0 && rest.length > 0) {
      fail(`connection ${index} got a reply that it did not ask for`, wrongReplyCode)
    }
    send()
    onReplies(socket, received)
  })
  socket.on("error", (error: NodeJS.ErrnoException) => {
    const isDial = mode === "idle" && received === 0 && rest.length === 0 && mayRedial.has(error.code ?? "")
    if (!isDial || redials === maxRedials) fail(error.message)
    setTimeout(() => converse(index, last, onReplies, redials + 1), redialMillis << redials)
  })
  socket.on("end", () => {
    if (mode !== "churn") fail(`the server ended connection ${index}`)
    done++
    converse(index + connections, 1, onReplies)
  })
}

/** Linux counts it in ticks, most often of 10 ms; 0 where it does not tell. */
const cpuSeconds = (pid: string): number => {
  try {
    const [user, system] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ").slice(11) ?? []
    return (Number(user) + Number(system)) / ticksPerSecond
  } catch {
    return 0
  }
}

const serverCpuSeconds = (): number =>
  String(options["pid"]).split(",").map(cpuSeconds).reduce((sum, seconds) => sum + seconds)

const after = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

setTimeout(() => process.exit(1), (Number(options["warmup"] ?? 1) + Number(options["seconds"] ?? 2) + 60) * 1000)
  .unref()
for (let index = 0; index < connections; index++) {
  converse(index, isShort ? 1 : Number.POSITIVE_INFINITY, (socket, received) => {
    if (mode === "churn" && received === 1) socket.end()
    if (mode === "idle" && done === connections) process.stdout.write(`{"ready":${connections}}\n`)
  })
}
if (mode === "idle") {
  process.stdin.resume().on("end", () => process.exit(0))
} else {
  await after(Number(options["warmup"] ?? 1))
  latency = createHistogram()
  const from = performance.now()
  const before = done
  const cpuBefore = serverCpuSeconds()
  await after(Number(options["seconds"] ?? 2))
  const micros = (percentile: number) => latency.percentile(percentile) / 1000
  process.stdout.write(`${
    JSON.stringify({
      requests: done - before,
      seconds: (performance.now() - from) / 1000,
      serverCpuSeconds: serverCpuSeconds() - cpuBefore,
      generatorCpuSeconds: 0,
      othersOnServerCore: 0,
      othersOnGeneratorCore: 0,
      latencyMicros: { p50: micros(50), p90: micros(90), p99: micros(99), p999: micros(99.9), max: latency.max / 1000 }
    })
  }\n`)
  process.exit(0)
}
