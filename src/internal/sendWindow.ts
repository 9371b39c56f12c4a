/**
 * The sending end of an ACK/NAK exchange: which messages are on their way, and which are to be sent next.
 *
 * ```
 *            acknowledged | on their way: at most `window`  | waiting
 * items                     [base]  [base+1] ...             ...
 *                            transmitted <= cursor goes back to 0 on NAK and time-out
 * ```
 *
 * Invariants: `items` holds, in order, everything that was offered and not acknowledged. The first `transmitted` of them
 * were sent at least once; `cursor <= transmitted <= window`. The timer runs while `transmitted > 0`.
 */
import * as Exit from "effect/Exit"
import type * as CloseReason from "../CloseReason.ts"
import type { Again, GaveUp, Receipt } from "../Retransmission.ts"

/** Sequence numbers are one byte. */
export const sequenceNumbers = 256

/** How far `to` is ahead of `from`, from 0 to 255. */
export const distance = (from: number, to: number): number => (to - from + sequenceNumbers) % sequenceNumbers

/** Why a message was not acknowledged. */
export type Failure = GaveUp | CloseReason.CloseReason

interface Item<A> {
  readonly payload: A
  readonly again: Array<Again>
  settle: ((exit: Exit.Exit<Receipt, Failure>) => void) | undefined
}

export interface Options {
  readonly window: number
  readonly maxAttempts: number
  /** Starts the time-out anew, or stops it. */
  readonly timer: { readonly start: () => void; readonly stop: () => void }
  /** There is something to send. */
  readonly wake: () => void
}

export class SendWindow<A> {
  /** Why nothing can be sent any more. */
  ended: Failure | undefined = undefined
  private readonly options: Options
  private readonly items: Array<Item<A>> = []
  private base = 0
  private transmitted = 0
  private cursor = 0
  /** How often the first item was sent since the last one before it was acknowledged. */
  private attempts = 0
  /** Answers still to come to frames that were sent before the last return: their NAKs say nothing new. */
  private stale = 0

  constructor(options: Options) {
    this.options = options
  }

  /** Takes a message; gives the function that takes it back as long as it was not sent. */
  offer(payload: A, settle: (exit: Exit.Exit<Receipt, Failure>) => void): () => void {
    if (this.ended !== undefined) {
      settle(Exit.fail(this.ended))
      return () => {}
    }
    const item: Item<A> = { payload, again: [], settle }
    this.items.push(item)
    if (this.items.length <= this.options.window) this.options.wake()
    return () => {
      item.settle = undefined
      const at = this.items.indexOf(item)
      if (at >= this.transmitted) this.items.splice(at, 1)
    }
  }

  /** What is to be sent now; it counts as sent. */
  take(): Array<{ readonly _tag: "Data"; readonly seq: number; readonly payload: A }> {
    const until = Math.min(this.items.length, this.options.window)
    const frames = this.items.slice(this.cursor, until).map(({ payload }, i) => ({
      _tag: "Data" as const,
      seq: (this.base + this.cursor + i) % sequenceNumbers,
      payload
    }))
    if (this.transmitted === 0 && until > 0) this.restart()
    this.cursor = Math.max(this.cursor, until)
    this.transmitted = Math.max(this.transmitted, until)
    return frames
  }

  /** The receiver has everything before `seq`. */
  ack(seq: number): void {
    const count = distance(this.base, seq)
    // More than was sent is no answer to anything.
    if (count === 0 || count > this.transmitted) return
    const done = this.items.splice(0, count)
    this.base = seq
    this.transmitted -= count
    this.cursor = Math.max(0, this.cursor - count)
    if (this.transmitted > 0) this.restart()
    else this.options.timer.stop()
    if (this.cursor < Math.min(this.items.length, this.options.window)) this.options.wake()
    for (const { again, settle } of done) settle?.(Exit.succeed({ again }))
  }

  /** The receiver has everything before `seq`, and what came then was not it. */
  nak(seq: number): void {
    this.ack(seq)
    if (seq !== this.base) return
    if (this.stale > 0) this.stale--
    else if (this.cursor > 0) this.goBack("Nak")
  }

  /** No answer came in time. */
  expire(): void {
    if (this.transmitted > 0) this.goBack("TimedOut")
  }

  /** Nothing can be sent any more: everything fails. */
  end(reason: Failure): void {
    if (this.ended !== undefined) return
    this.ended = reason
    this.options.timer.stop()
    this.transmitted = 0
    this.cursor = 0
    for (const { settle } of this.items.splice(0)) settle?.(Exit.fail(reason))
  }

  private restart(): void {
    this.attempts = 1
    this.stale = 0
    this.options.timer.start()
  }

  private goBack(because: Again): void {
    if (this.attempts >= this.options.maxAttempts) {
      return this.end({ _tag: "GaveUp", attempts: this.attempts, last: because })
    }
    this.attempts++
    for (const { again } of this.items.slice(0, this.cursor)) again.push(because)
    this.stale = because === "Nak" ? this.cursor - 1 : 0
    this.cursor = 0
    this.options.timer.start()
    this.options.wake()
  }
}
