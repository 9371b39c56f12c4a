/**
 * The trace of a simulation: what happened on the network, and between it what the programs logged.
 *
 * ```
 *      2.000 #1 alice:49152 > server:7000 accepted
 *      2.000 server: INFO hello
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Formatter from "effect/Formatter"
import * as Logger from "effect/Logger"
import * as Random from "../Random.ts"
import type * as SimulatedNetwork from "../SimulatedNetwork.ts"
import * as Trace from "../Trace.ts"
import { nameOf } from "./Stuck.ts"

interface Note {
  /** How many events of the network came before it. */
  readonly after: number
  readonly line: string
}

/** The log of one run. @category models @since 0.1.0 */
export class SimulationLog {
  private readonly network: SimulatedNetwork.SimulatedNetwork
  private readonly maxLines: number
  private notes: Array<Note> = []
  private noted = 0
  private sum = Random.hash("")

  constructor(network: SimulatedNetwork.SimulatedNetwork, maxLines: number) {
    this.network = network
    this.maxLines = maxLines
  }

  /** Takes what the programs log. */
  readonly logger: Logger.Logger<unknown, void> = Logger.make(({ cause, fiber, logLevel, message }) => {
    const parts: ReadonlyArray<unknown> = Array.isArray(message) ? message : [message]
    // Of a cause only what it says: its stack has the paths of this machine.
    const errors = cause.reasons.length === 0 ? [] : [Cause.squash(cause)]
    const text = [...parts, ...errors].map((part) => typeof part === "string" ? part : Formatter.format(part)).join(" ")
    this.note(`${nameOf(fiber).split(" > ")[0]}: ${logLevel.toUpperCase()} ${text}`)
  })

  note(text: string): void {
    const line = `${this.network.now().toFixed(3).padStart(10)} ${text}`
    this.sum = Random.hash(line, this.sum)
    this.noted++
    this.notes.push({ after: this.network.trace.size, line })
    if (this.notes.length > 2 * this.maxLines) this.notes = this.notes.slice(-this.maxLines)
  }

  /** How many lines there were. */
  get size(): number {
    return this.network.trace.size + this.noted
  }

  /** The newest lines, the oldest first. */
  get lines(): ReadonlyArray<string> {
    const lines: Array<string> = []
    const { dropped, events } = this.network.trace
    let at = this.notes.findIndex(({ after }) => after >= dropped)
    if (at === -1) at = this.notes.length
    for (const [index, event] of events.entries()) {
      for (; at < this.notes.length && this.notes[at]!.after <= dropped + index; at++) lines.push(this.notes[at]!.line)
      lines.push(Trace.format(event))
    }
    for (; at < this.notes.length; at++) lines.push(this.notes[at]!.line)
    return lines
  }

  /** A sum over all lines, and over more that must be the same. */
  digest(more: ReadonlyArray<number>): string {
    const sum = Random.hash(`${this.network.trace.digest} ${more.join(" ")}`, this.sum)
    return sum.toString(16).padStart(8, "0")
  }
}
