/**
 * Runs the program as a process of its own, as people and scripts do, and waits for what it says instead of for time.
 */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import * as Net from "node:net"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"

/** Where the program begins. */
export const bin = fileURLToPath(new URL("../../src/bin.ts", import.meta.url))

/** What runs takes well under a second; the rest is for a busy machine. */
export const limitMillis = 60_000

export interface Ended {
  readonly exit: number | NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A running program. It is killed when the test is done with it. */
export class Program implements Disposable {
  readonly child: ChildProcessWithoutNullStreams
  /** How it ends. */
  readonly ended: Promise<Ended>
  stdout = ""
  stderr = ""
  private readonly waiting = new Set<() => void>()
  private gone = false

  constructor(
    command: string,
    args: ReadonlyArray<string>,
    env: Readonly<Record<string, string>> = {},
    /** What it finds as descriptors from 3 on. */
    descriptors: ReadonlyArray<number> = []
  ) {
    const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env
    const options = { cwd: tmpdir(), env: { ...inherited, ...env } }
    const child = spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe", ...descriptors] })
    this.child = child as ChildProcessWithoutNullStreams // the first three are pipes
    const limit = setTimeout(() => this.child.kill("SIGKILL"), limitMillis)
    this.child.stdin.on("error", () => {})
    this.child.stdout.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text
      this.look()
    })
    this.child.stderr.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text
      this.look()
    })
    this.ended = new Promise((resolve) => {
      this.child.on("close", (code, signal) => {
        clearTimeout(limit)
        this.gone = true
        this.look()
        resolve({ exit: code ?? signal, stdout: this.stdout, stderr: this.stderr })
      })
    })
  }

  private look(): void {
    for (const check of this.waiting) check()
  }

  /** Waits until stdout, as a whole, matches. */
  says(pattern: RegExp): Promise<RegExpExecArray> {
    return this.finds(() => pattern.exec(this.stdout), pattern)
  }

  /** Waits until stderr, as a whole, matches. */
  warns(pattern: RegExp): Promise<RegExpExecArray> {
    return this.finds(() => pattern.exec(this.stderr), pattern)
  }

  private finds(find: () => RegExpExecArray | null, pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = find()
        if (found === null && !this.gone) return
        this.waiting.delete(check)
        if (found !== null) resolve(found)
        else reject(new Error(`it ended without saying ${pattern}:\n${this.stdout}${this.stderr}`))
      }
      this.waiting.add(check)
      check()
    })
  }

  kill(signal: NodeJS.Signals): void {
    this.child.kill(signal)
  }

  [Symbol.dispose](): void {
    this.child.kill("SIGKILL")
  }
}

/** Starts hawser. */
export const hawser = (args: ReadonlyArray<string>, env?: Readonly<Record<string, string>>): Program =>
  new Program(process.execPath, [bin, ...args], env)

/** Starts `hawser serve` on a free port, and waits until it listens. */
export const serve = async (...args: ReadonlyArray<string>): Promise<{ server: Program; port: number }> => {
  const server = hawser(["serve", ...args, "--port", "0"])
  const [, port] = await server.says(/tcp:\/\/[^:]+:(\d+)/)
  return { server, port: Number(port) }
}

/** A client that knows nothing of hawser. */
export class Client implements Disposable {
  readonly socket: Net.Socket
  /** The client's own port. */
  readonly port: number
  received = ""
  private readonly waiting = new Set<() => void>()
  private closed = false

  private constructor(socket: Net.Socket) {
    this.socket = socket
    this.port = socket.localPort ?? 0
    socket.on("error", () => {})
    socket.setEncoding("utf8").on("data", (text) => {
      this.received += String(text)
      for (const check of this.waiting) check()
    })
    socket.on("close", () => {
      this.closed = true
      for (const check of this.waiting) check()
    })
  }

  static dial(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = Net.connect({ port, host: "127.0.0.1", allowHalfOpen: true })
      socket.once("error", reject)
      socket.once("connect", () => resolve(new Client(socket)))
    })
  }

  /** Waits until everything received is this. */
  hears(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.received !== text && !this.closed) return
        this.waiting.delete(check)
        if (this.received === text) resolve()
        else reject(new Error(`the connection closed after ${JSON.stringify(this.received)}`))
      }
      this.waiting.add(check)
      check()
    })
  }

  /** Waits until the connection is gone, and gives everything received. */
  gone(): Promise<string> {
    return new Promise((resolve) => {
      const check = () => {
        if (this.closed) resolve(this.received)
      }
      this.waiting.add(check)
      check()
    })
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
