/**
 * The door of a server: who waits for a place, and who is turned away and how.
 *
 * ```
 * keepOut --> waiting --room--> next() gives it to the server
 *      |         `--time is up--.        `--broke by itself--> counted as refused
 *      `-------------------> refuse --> leaving --peer ended, or linger is over--> gone
 * ```
 *
 * Invariants: a connection is in `waiting` or in `leaving`, never in both. Each that comes here leaves through `next` or is
 * counted in `refused` once.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Admission from "../Admission.ts"
import * as CloseReason from "../CloseReason.ts"
import type * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import { Expiry } from "./expiry.ts"
import type { Settings } from "./serverOptions.ts"

/** Refused connections that may still be saying goodbye; beyond this a refusal is immediate. Keeps a flood bounded. */
const maxLeaving = 256

export class Door {
  refused = 0
  private readonly settings: Settings
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private readonly emit: (event: Server.Event) => void
  /** A connection that was leaving is gone. */
  private readonly onGone: () => void
  private readonly waiting: Expiry<Transport.RawSocket>
  private readonly leaving: Expiry<Transport.RawSocket>
  private readonly overLimit: CloseReason.CloseReason
  /** The log has said that the server is full, and since then there was never a tenth of the places free. */
  private full = false

  constructor(options: {
    readonly settings: Settings
    readonly clock: Clock.Clock
    readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    readonly emit: (event: Server.Event) => void
    readonly onGone: () => void
  }) {
    const { clock, fork, settings } = options
    this.settings = settings
    this.fork = fork
    this.emit = options.emit
    this.onGone = options.onGone
    this.overLimit = { _tag: "OverLimit", limit: "maxConnections", max: settings.maxConnections }
    this.waiting = new Expiry({
      millis: settings.waitMillis,
      clock,
      fork,
      onExpire: (raw) => this.refuse(raw, settings.refusal, this.overLimit)
    })
    this.leaving = new Expiry({ millis: settings.lingerMillis, clock, fork, onExpire: (raw) => raw.destroy() })
  }

  /** How many wait for a place. */
  get waits(): number {
    return this.waiting.size
  }

  /** Whether somebody is still on the way out. */
  get isBusy(): boolean {
    return this.leaving.size > 0
  }

  /** Lets a connection over the limit wait, or refuses it. */
  keepOut(raw: Transport.RawSocket): void {
    if (this.waiting.size >= this.settings.maxWaiting) return this.refuse(raw, this.settings.refusal, this.overLimit)
    // Paused, so that what it sends stays with it. An orderly end stays there, too: half-closed peers want an answer.
    raw.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: (code) => this.left(raw, code) })
    this.emit({ _tag: "Waiting", id: raw.id, peer: raw.peer })
    this.waiting.add(raw)
  }

  /** The one that has waited longest, to be let in. */
  next(): Transport.RawSocket | undefined {
    return this.waiting.shift()
  }

  /** There is room: when it is a tenth of all places, the next refusal is news again. */
  hasRoom(open: number): void {
    if (open <= this.settings.maxConnections * 0.9) this.full = false
  }

  refuse(raw: Transport.RawSocket, refusal: Admission.Refusal, reason: CloseReason.CloseReason): void {
    this.count(raw, refusal, reason)
    if (!this.full && reason === this.overLimit) {
      // Once per episode: a flood must not become a flood of log lines.
      this.full = true
      this.fork(Effect.logWarning(`the server is full: ${CloseReason.format(reason)}; refusing with ${refusal}`))
    }
    if (refusal === "reset") return raw.reset()
    if (this.leaving.size >= maxLeaving) return raw.destroy()
    // Throws away what arrives until the peer ends: closing with unread input would destroy the goodbye on its way.
    raw.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: () => this.gone(raw) })
    if (refusal === "goodbye") raw.write(this.settings.goodbye)
    raw.end()
    raw.resume()
    this.leaving.add(raw)
  }

  /** Turns away everybody who waits. */
  refuseWaiting(reason: CloseReason.CloseReason): void {
    for (let raw = this.next(); raw !== undefined; raw = this.next()) this.refuse(raw, "close", reason)
  }

  /** Ends everything at once. */
  close(): void {
    for (const raw of this.leaving) raw.destroy()
    this.waiting.stop()
    this.leaving.stop()
  }

  private count(raw: Transport.RawSocket, refusal: Admission.Refusal, reason: CloseReason.CloseReason): void {
    this.refused++
    if (this.settings.onEvent !== undefined) {
      this.emit({ _tag: "Refused", id: raw.id, peer: raw.peer, reason, refusal })
    }
  }

  /** A waiting connection broke. */
  private left(raw: Transport.RawSocket, code: string | undefined): void {
    if (!this.waiting.delete(raw)) return
    this.count(raw, "close", code === undefined ? CloseReason.closed : { _tag: "PeerReset", code })
  }

  private gone(raw: Transport.RawSocket): void {
    this.leaving.delete(raw)
    this.onGone()
  }
}
