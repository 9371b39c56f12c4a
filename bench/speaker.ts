/** A program that speaks lines of JSON on stdout, and ends when its stdin does. */
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { createInterface } from "node:readline"
import type { Readable } from "node:stream"
import { farewell, lastWords, PeerFailure, WrongReply, wrongReplyCode } from "./failures.ts"

/** What a program is to a measurement. All but servers check replies. */
export type Role = "server" | "client" | "generator"

/** What a line says; what is no JSON object is a log, or the last words of a program that crashed. */
const factOf = (line: string): unknown => {
  if (!line.startsWith("{")) return undefined
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

/** Whether a promise was resolved in time. */
const within = async (promise: Promise<void>, millis: number): Promise<boolean> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), millis)
  })
  const inTime = await Promise.race([promise.then(() => true), late])
  clearTimeout(timer)
  return inTime
}

/** So much of the end of stderr is kept. */
const maxSaidChars = 16_384

/** How long a process that seems to have died has for its end to be noticed. */
const postMortemMillis = 500

/** A process that is running, or was. */
export class Speaker {
  readonly process: ChildProcess
  private readonly role: Role
  private readonly facts: Array<unknown> = []
  private wake = () => {}
  private hasEnded = false
  /** When it is gone, with all that it wrote. */
  private readonly ended: Promise<void>
  private said = ""

  /** What it writes to stderr is passed on, and quoted when it fails; a server whose handles are counted inherits it. */
  constructor(role: Role, [command = "", ...args]: ReadonlyArray<string>, stderr: "pipe" | "inherit" = "pipe") {
    this.role = role
    this.process = spawn(command, args, { stdio: ["pipe", "pipe", stderr] })
    this.process.stdin?.on("error", () => {}) // it ended first, which `hear` tells
    this.process.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.said = (this.said + text).slice(-maxSaidChars)
      if (role !== "generator") process.stderr.write(text) // all that a generator says is the reason, which is quoted
    })
    createInterface({ input: this.process.stdout as Readable }) // stdio asks for pipes
      .on("line", (line) => {
        const fact = factOf(line)
        if (fact === undefined) return
        this.facts.push(fact)
        this.wake()
      })
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.hasEnded = true
        this.wake()
        resolve()
      }
      this.process.on("close", end).on("error", (error) => {
        this.said += `${error.message}\n`
        end()
      })
    })
  }

  /** The next thing that it says. Throws `PeerFailure` or `WrongReply` when it ends before, or says nothing in time. */
  async hear<A>(millis: number): Promise<A> {
    await within(this.news(), millis)
    if (this.facts.length > 0) return this.facts.shift() as A // the caller knows what its program says
    if (this.hasEnded) throw this.farewell()
    this.process.kill("SIGKILL")
    throw new PeerFailure(`the ${this.role} said nothing for ${millis / 1000} s`)
  }

  say(line: string): void {
    this.process.stdin?.write(`${line}\n`)
  }

  /** Ends its stdin, which most obey, then asks by a signal; else it is killed. */
  async stop(): Promise<void> {
    const { process } = this
    if (!this.isGone) {
      const exit = once(process, "exit")
      process.stdin?.end()
      const timers = [
        setTimeout(() => process.kill("SIGTERM"), 300),
        setTimeout(() => process.kill("SIGKILL"), 5000)
      ]
      await exit
      for (const timer of timers) clearTimeout(timer)
    }
    if (this.isWrong) throw this.farewell()
  }

  /** Sends SIGTERM, and waits for the end that it must lead to. */
  async terminate(millis: number): Promise<void> {
    if (this.isGone) throw this.farewell()
    const exit = once(this.process, "exit").then(() => {})
    this.process.kill("SIGTERM")
    if (await within(exit, millis)) return
    this.process.kill("SIGKILL")
    throw new PeerFailure(`the ${this.role} did not end within ${millis / 1000} s of SIGTERM`)
  }

  /** The failure of a measurement, seen from this process: when it died, that is the reason. */
  async explain(failure: PeerFailure): Promise<PeerFailure> {
    if (await within(this.ended, postMortemMillis)) return this.farewell()
    const words = lastWords(this.said)
    return words === "" ? failure : new PeerFailure(`${failure.message}; the ${this.role} said: ${words}`)
  }

  private async news(): Promise<void> {
    while (this.facts.length === 0 && !this.hasEnded) {
      await new Promise<void>((resolve) => {
        this.wake = resolve
      })
    }
  }

  private get isGone(): boolean {
    return this.process.exitCode !== null || this.process.signalCode !== null
  }

  private get isWrong(): boolean {
    return this.role !== "server" && this.process.exitCode === wrongReplyCode
  }

  private farewell(): PeerFailure | WrongReply {
    const { exitCode: code, signalCode: signal } = this.process
    const reason = farewell(this.role, { code, signal }, this.said)
    return this.isWrong ? new WrongReply(reason) : new PeerFailure(reason)
  }
}
