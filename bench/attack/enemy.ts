/**
 * The attackers: connections of `node:net` that do what no client should, from as many addresses of 127.0.0.0/8 as needed.
 */
import { execFileSync } from "node:child_process"
import { connect, type Socket } from "node:net"
import { Duplex } from "node:stream"
import { connect as secureConnect, type TLSSocket } from "node:tls"

/** How many dials are under way at once: fewer than the backlog of the server holds. */
const maxDials = 128

/** How many first bytes of what it hears each one keeps. */
const maxHeard = 64

/** The network of the enemies: the well-behaved client is outside of it. */
export const enemyNetwork = "127.66.0.0/16"

/** The i-th address of the enemies; each of 250 is used again after the others. */
const addressOf = (i: number): string => `127.66.0.${1 + i % 250}`

/** One hostile connection. */
export class Enemy {
  readonly socket: Socket
  heardBytes = 0
  heard = Buffer.alloc(0)
  /** The server ended its side. */
  hasEnded = false
  isConnected = false
  isClosed = false
  /** How it broke. */
  code: string | undefined = undefined

  constructor(port: number, options: { readonly from: string; readonly reads: boolean }) {
    const socket = connect({ port, host: "127.0.0.1", localAddress: options.from, noDelay: true, allowHalfOpen: true })
    this.socket = socket
    socket.on("connect", () => {
      this.isConnected = true
    })
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.code = error.code ?? error.message
    })
    socket.on("close", () => {
      this.isClosed = true
    })
    if (!options.reads) {
      socket.pause()
      return
    }
    socket.on("data", (chunk: Buffer) => {
      this.heardBytes += chunk.length
      if (this.heard.length < maxHeard) this.heard = Buffer.concat([this.heard, chunk]).subarray(0, maxHeard)
    })
    socket.on("end", () => {
      this.hasEnded = true
      socket.end()
    })
  }

  send(bytes: Uint8Array): void {
    if (!this.socket.destroyed) this.socket.write(bytes)
  }

  /** Speaks TLS, and says something inside of it; what comes back is not read. */
  secure(bytes: Uint8Array): TLSSocket {
    const client = secureConnect({ socket: this.socket, rejectUnauthorized: false })
    client.on("error", () => {}) // the server ends it when it likes
    client.once("secureConnect", () => client.write(bytes))
    return client
  }

  /** Breaks the connection, so that the peer gets a reset. */
  reset(): void {
    this.socket.resetAndDestroy()
  }
}

export const after = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))

/** Waits until something holds, and says whether it did in time. */
export const until = async (millis: number, holds: () => boolean | Promise<boolean>): Promise<boolean> => {
  const from = performance.now()
  while (!await holds()) {
    if (performance.now() - from > millis) return false
    await after(20)
  }
  return true
}

/** How many descriptors this process may have; Node has raised the soft limit to the hard one. */
export const maxDescriptors = Number(execFileSync("sh", ["-c", "ulimit -Hn"], { encoding: "utf8" })) || 1024

/** A host of enemies. */
export class Host {
  readonly all: Array<Enemy> = []
  private readonly beats: Array<NodeJS.Timeout> = []

  /** Brings `count` of them; each begins with `begin` as soon as it is through. Waits until all are through or broken. */
  async bring(
    count: number,
    port: number,
    begin: (enemy: Enemy, i: number) => void,
    options: { readonly reads?: boolean; readonly addressOf?: (i: number) => string } = {}
  ): Promise<ReadonlyArray<Enemy>> {
    const { reads = true } = options
    const brought: Array<Enemy> = []
    await new Promise<void>((resolve) => {
      let settled = 0
      const next = () => {
        const i = brought.length
        if (i >= count) return
        const enemy = new Enemy(port, { from: (options.addressOf ?? addressOf)(i), reads })
        let isSettled = false
        const settle = () => {
          if (isSettled) return
          isSettled = true
          settled++
          if (settled === count) resolve()
          else next()
        }
        brought.push(enemy)
        enemy.socket.once("connect", () => {
          begin(enemy, i)
          settle()
        })
        enemy.socket.once("close", settle)
      }
      if (count === 0) resolve()
      for (let i = 0; i < Math.min(count, maxDials); i++) next()
    })
    this.all.push(...brought)
    return brought
  }

  /** Does something over and over, such as to send one byte a second for each. */
  every(millis: number, beat: (tick: number) => void): void {
    let tick = 0
    this.beats.push(setInterval(() => beat(tick++), millis))
  }

  /** Stops, and destroys who is left. */
  leave(): void {
    for (const beat of this.beats) clearInterval(beat)
    for (const { socket } of this.all) socket.destroy()
    this.all.length = 0
  }
}

/** What a client of TLS says first: to be cut in pieces, or to be followed by nothing. */
export const clientHello = (): Promise<Buffer> =>
  new Promise((resolve) => {
    const wire = new Duplex({ read: () => {}, write: (chunk: Buffer) => resolve(chunk) })
    secureConnect({ socket: wire, rejectUnauthorized: false }).on("error", () => {}) // nobody answers
  })
