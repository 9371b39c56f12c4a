/**
 * The well-behaved client: it sends a message every few milliseconds, and says how long the answers took.
 *
 * It does not wait for an answer before it sends the next message; so a server that stalls delays all that were sent
 * meanwhile, and cannot hide it. On the order `visit` it comes anew for each message.
 */
import { connect, type Socket } from "node:net"
import { createInterface } from "node:readline"
import type { Latency } from "./target.ts"
import { frame } from "./words.ts"

const port = Number(process.argv[2])
const everyMillis = 4
const visitEveryMillis = 20
const heartbeatMillis = 500
/** A percentile of less says nothing. */
const fewest = 100
/** An answer that takes longer is lost. */
const patienceMillis = 5000

const message = frame("a well-behaved client sends this, and gets it back")

const open = () => connect({ port, host: "127.0.0.1", noDelay: true })

/** Calls back for each answer that is whole; ends the process where something else comes. */
const answers = (socket: Socket, onAnswer: () => void): void => {
  let rest = Buffer.alloc(0)
  socket.on("data", (chunk: Buffer) => {
    rest = Buffer.concat([rest, chunk])
    for (; rest.length >= message.length; rest = rest.subarray(message.length)) {
      if (message.compare(rest, 0, message.length) !== 0) throw new Error("a wrong answer")
      onAnswer()
    }
  })
}

const after = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))

const latency = (times: ReadonlyArray<number>, sent: number): Latency => {
  const sorted = times.toSorted((a, b) => a - b)
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? Number.NaN
  return { p50: at(0.5), p99: at(0.99), max: at(1), lost: sent - times.length }
}

const until = async (holds: () => boolean): Promise<void> => {
  const from = performance.now()
  while (!holds() && performance.now() - from < patienceMillis) await after(everyMillis)
}

/** One connection for the client's whole life; between measurements it says something now and then, to be kept. */
const stay = (socket: Socket) => {
  const sentAt: Array<number> = []
  let times: Array<number> = []
  let isMeasuring = false
  const send = () => {
    sentAt.push(performance.now())
    socket.write(message)
  }
  answers(socket, () => times.push(performance.now() - (sentAt.shift() ?? Number.NaN)))
  setInterval(() => isMeasuring || send(), heartbeatMillis)
  return async (millis: number): Promise<Latency> => {
    isMeasuring = true
    await until(() => sentAt.length === 0)
    times = []
    const from = performance.now()
    let sent = 0
    for (; performance.now() - from < millis || sent < fewest; sent++) {
      send()
      await after(everyMillis)
    }
    await until(() => sentAt.length === 0)
    isMeasuring = false
    return latency(times, sent)
  }
}

/** A connection for each message. */
const visit = async (millis: number): Promise<Latency> => {
  const times: Array<number> = []
  let sent = 0
  const from = performance.now()
  while (performance.now() - from < millis) {
    const at = performance.now()
    const socket = open()
    sent++
    answers(socket, () => {
      times.push(performance.now() - at)
      socket.end()
    })
    socket.on("error", () => {}) // it is lost, and counted
    socket.write(message)
    await after(visitEveryMillis)
  }
  await until(() => times.length === sent)
  return latency(times, sent)
}

const say = (fact: object) => process.stdout.write(`${JSON.stringify(fact)}\n`)

const socket = open()
socket.once("connect", () => {
  const measure = stay(socket)
  const orders = createInterface({ input: process.stdin })
  orders.on("line", (line) => {
    const [order, millis] = line.split(" ")
    void (order === "visit" ? visit(Number(millis)) : measure(Number(millis))).then(say)
  })
  orders.on("close", () => process.exit(0))
  say({ connected: true })
})
