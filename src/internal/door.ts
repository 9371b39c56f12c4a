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
 * counted in `refused` once; at each event it is counted in one of them.
 */
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as Admission from "../Admission.ts"
import * as CloseReason from "../CloseReason.ts"
import type * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import type { Arrival } from "./arrival.ts"
import { Expiry } from "./expiry.ts"
import type { Settings } from "./serverOptions.ts"
import { refusalName, Tally } from "./tally.ts"

/** Refused connections that may still be saying goodbye; beyond this a refusal is immediate. Keeps a flood bounded. */
const maxLeaving = 256

export class Door {
  refused = 0
  readonly refusedBy = new Tally()
  private readonly settings: Settings
  private readonly emit: (event: Server.Event) => void
  /** A connection that waited or was refused needs its seat no more. */
  private readonly onRefused: (arrival: Arrival, reason: CloseReason.CloseReason) => void
  /** A connection that was leaving is gone. */
  private readonly onGone: () => void
  private readonly waiting: Expiry<Arrival>
  private readonly leaving: Expiry<Transport.RawSocket>

  constructor(options: {
    readonly settings: Settings
    readonly clock: Clock.Clock
    readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    readonly emit: (event: Server.Event) => void
    readonly onRefused: (arrival: Arrival, reason: CloseReason.CloseReason) => void
    readonly onGone: () => void
  }) {
    const { clock, fork, settings } = options
    this.settings = settings
    this.emit = options.emit
    this.onRefused = options.onRefused
    this.onGone = options.onGone
    this.waiting = new Expiry({
      millis: settings.waitMillis,
      clock,
      fork,
      onExpire: (arrival) => this.refuse(arrival, settings.refusal, arrival.ending ?? CloseReason.closed)
    })
    this.leaving = new Expiry({ millis: settings.lingerMillis, clock, fork, onExpire: (raw) => raw.destroy() })
  }

  /** How many wait for a place. */
  get waits(): number {
    return this.waiting.size
  }

  /** Who waits, in the order of coming. */
  get all(): Iterable<Arrival> {
    return this.waiting
  }

  /** Whether somebody is still on the way out. */
  get isBusy(): boolean {
    return this.leaving.size > 0
  }

  /** Lets a connection wait for what it lacks, or refuses it. */
  keepOut(arrival: Arrival, reason: CloseReason.CloseReason): void {
    if (this.waiting.size >= this.settings.maxWaiting) return this.refuse(arrival, this.settings.refusal, reason)
    arrival.ending = reason
    this.waiting.put(arrival)
    // Paused, so that what it sends stays with it. An orderly end stays there, too: half-closed peers want an answer.
    arrival.raw.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: (code) => this.left(arrival, code) })
    if (this.settings.onEvent !== undefined) this.emit({ _tag: "Waiting", id: arrival.id, peer: arrival.peer })
    this.waiting.watch()
  }

  /** The one that has waited longest of those who may come in, to be let in. It looks at all of them at most. */
  next(mayEnter: (arrival: Arrival) => boolean): Arrival | undefined {
    for (const arrival of this.waiting) {
      if (!mayEnter(arrival)) continue
      this.waiting.delete(arrival)
      arrival.ending = undefined
      return arrival
    }
    return undefined
  }

  refuse(arrival: Arrival, refusal: Admission.Refusal, reason: CloseReason.CloseReason): void {
    const { raw } = arrival
    // In plain text it would only confuse a peer that waits for TLS.
    const way = refusal === "goodbye" && arrival.gate.tls !== undefined ? "close" : refusal
    this.count(arrival, way, reason)
    if (way === "reset") return raw.reset()
    if (this.leaving.size >= maxLeaving) return raw.destroy()
    // Throws away what arrives until the peer ends: closing with unread input would destroy the goodbye on its way.
    raw.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: () => this.gone(raw) })
    if (way === "goodbye") raw.write(this.settings.goodbye)
    raw.end()
    raw.resume()
    this.leaving.add(raw)
  }

  /** Counts and tells a refusal; the socket is somebody else's affair. */
  count(arrival: Arrival, refusal: Admission.Refusal, reason: CloseReason.CloseReason): void {
    this.waiting.delete(arrival)
    arrival.isOver = true
    this.refused++
    this.refusedBy.add(refusalName(reason))
    this.onRefused(arrival, reason)
    if (this.settings.onEvent === undefined) return
    this.emit({ _tag: "Refused", id: arrival.id, peer: arrival.peer, reason, refusal })
  }

  /** Turns away everybody who waits. */
  refuseWaiting(reason: CloseReason.CloseReason): void {
    for (const arrival of this.waiting) this.refuse(arrival, "close", reason)
  }

  /** Ends everything at once. */
  close(): void {
    for (const raw of this.leaving) raw.destroy()
    this.waiting.stop()
    this.leaving.stop()
  }

  /** A waiting connection broke. */
  private left(arrival: Arrival, code: string | undefined): void {
    if (!this.waiting.delete(arrival)) return
    this.count(arrival, "close", code === undefined ? CloseReason.closed : { _tag: "PeerReset", code })
  }

  private gone(raw: Transport.RawSocket): void {
    this.leaving.delete(raw)
    this.onGone()
  }
}
