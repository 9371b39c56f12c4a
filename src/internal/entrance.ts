/**
 * The way into a server: everything that happens to a connection between the accept and its first byte of the protocol.
 *
 * ```
 * arrive --> descriptors? --> address --> rate --> place? --> proxy header --> address --> TLS --> admit
 *                |             |  |        |         |             |           |  |         |
 *             refused     denied  |     refused    waits        refused   denied  |      refused
 *                               waits             or refused                     waits
 * ```
 *
 * The address is that of the client: where a trusted proxy brings it, the rules wait for its header, and the proxy itself
 * is never counted as a peer.
 *
 * Invariants: `arrived` = let in + refused + waiting + handshaking, at each event; those in handshakes and those that are in
 * are never more than `maxConnections`. Whoever needs no stage, with no rule about addresses, costs no object here.
 */
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as CloseReason from "../CloseReason.ts"
import * as Networks from "../Networks.ts"
import type * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import { AdmissionRules, type Seated } from "./admissionRules.ts"
import { Alarms } from "./alarms.ts"
import { Arrival, type Gate } from "./arrival.ts"
import { Door } from "./door.ts"
import { Handshakes } from "./handshakes.ts"
import type { LimitSettings } from "./serverLimits.ts"
import type { Settings } from "./serverOptions.ts"
import { overLimit, refusalName } from "./tally.ts"
import { monotonicMillis } from "./time.ts"
import { TokenBucket } from "./tokenBucket.ts"

/** What the entrance knows of the server behind it. */
export interface Inside {
  /** Those that are in. */
  readonly connections: Iterable<Seated> & { readonly size: number }
  /** Lets one in; `arrival` is absent where there is nothing to know of it. */
  readonly admit: (raw: Transport.RawSocket, now: number, arrival: Arrival | undefined) => void
  /** Somebody is gone who was not in. */
  readonly checkEmpty: () => void
}

export class Entrance {
  arrived = 0
  readonly door: Door
  readonly handshakes: Handshakes
  readonly alarms: Alarms
  limits: LimitSettings
  private readonly settings: Settings
  private readonly clock: Clock.Clock
  private readonly inside: Inside
  private readonly rules: AdmissionRules
  private readonly maxDescriptor: number
  private bucket: TokenBucket | undefined
  /** The reasons of now, made once. */
  private full: CloseReason.CloseReason
  private tooFast: CloseReason.CloseReason
  /** The listeners are closed for good. */
  private isClosed = false

  constructor(options: {
    readonly settings: Settings
    readonly descriptorLimit: number | undefined
    readonly clock: Clock.Clock
    readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    readonly emit: (event: Server.Event) => void
    readonly inside: Inside
  }) {
    const { clock, emit, fork, inside, settings } = options
    this.settings = settings
    this.clock = clock
    this.inside = inside
    this.limits = settings.limits
    this.rules = new AdmissionRules(settings.limits)
    // Descriptors count from 0, and the lowest that is free is taken (open(2)): so all below this one are in use.
    this.maxDescriptor = (options.descriptorLimit ?? Number.POSITIVE_INFINITY) - settings.reservedDescriptors - 1
    this.bucket = this.fill()
    this.full = overLimit("maxConnections", settings.limits.maxConnections)
    this.tooFast = overLimit("rate", settings.limits.rate?.connections ?? 0)
    this.alarms = new Alarms({ settings: settings.alarm, clock, fork, emit })
    this.door = new Door({
      settings,
      clock,
      fork,
      emit,
      onRefused: (arrival, reason) => {
        this.rules.leave(arrival, monotonicMillis(clock))
        if (refusalName(reason) === "maxConnections") this.alarms.refused(arrival, reason, undefined)
      },
      onGone: inside.checkEmpty
    })
    this.handshakes = new Handshakes({
      maxHeaderBytes: settings.proxy?.maxHeaderBytes,
      limitMillis: settings.limits.deadlines.handshakeMillis,
      clock,
      fork,
      onStage: (arrival) => this.staged(arrival),
      onFailed: (arrival, reason, hint) => this.failed(arrival, reason, hint)
    })
  }

  /** Those that hold a place. */
  get occupied(): number {
    return this.inside.connections.size + this.handshakes.size
  }

  get isEmpty(): boolean {
    return this.handshakes.size === 0 && !this.door.isBusy
  }

  private fill(): TokenBucket | undefined {
    const { rate } = this.limits
    return rate === undefined ? undefined : new TokenBucket(rate, monotonicMillis(this.clock))
  }

  // --- coming ----------------------------------------------------------------------------------------------------

  arrive(raw: Transport.RawSocket, gate: Gate): void {
    this.arrived++
    const now = monotonicMillis(this.clock)
    // What the kernel does with those it has not handed over when a listener closes.
    if (this.isClosed) return this.door.refuse(new Arrival(raw, gate, now), "reset", CloseReason.drained)
    // Asked for only where it can be told from too many: it is a call into the runtime.
    const descriptor = this.maxDescriptor === Number.POSITIVE_INFINITY ? undefined : raw.descriptor
    if (descriptor !== undefined && descriptor > this.maxDescriptor) {
      return this.scarce(new Arrival(raw, gate, now), descriptor)
    }
    this.receive(raw, gate, now)
    if (descriptor !== undefined) this.alarms.check("reservedDescriptors", descriptor, this.maxDescriptor)
  }

  private receive(raw: Transport.RawSocket, gate: Gate, now: number): void {
    if (gate.tls !== undefined || this.settings.proxy !== undefined || this.rules.areOn) {
      return this.examine(new Arrival(raw, gate, now), now)
    }
    if (this.isTooFast(now)) return this.hurry(new Arrival(raw, gate, now))
    const { maxConnections } = this.limits
    const { occupied } = this
    if (occupied >= maxConnections) return this.door.keepOut(new Arrival(raw, gate, now), this.full)
    this.inside.admit(raw, now, undefined)
    this.alarms.check("maxConnections", occupied + 1, maxConnections)
  }

  /** One that must pass a rule or a stage. */
  private examine(arrival: Arrival, now: number): void {
    const { proxy } = this.settings
    if (proxy !== undefined && Networks.contains(proxy.from, arrival.peer)) {
      arrival.isUncounted = true
      arrival.isProxy = true
    } else {
      const reason = this.rules.check(arrival, now)
      if (reason !== undefined) return this.object(arrival, reason)
    }
    if (this.isTooFast(now)) return this.hurry(arrival)
    if (this.occupied >= this.limits.maxConnections) return this.door.keepOut(arrival, this.full)
    this.proceed(arrival, now)
  }

  private isTooFast(now: number): boolean {
    const { rate } = this.limits
    return rate !== undefined && this.bucket?.take(rate, now) === false
  }

  private hurry(arrival: Arrival): void {
    const { rate } = this.limits
    this.refuse(arrival, this.tooFast)
    if (rate !== undefined) this.alarms.raise("rate", rate.connections, rate.connections)
  }

  /** The rest of the descriptors is for files and for what the handlers dial: gone at once, without a word. */
  private scarce(arrival: Arrival, descriptor: number): void {
    const max = this.maxDescriptor
    this.door.refuse(arrival, "reset", overLimit("reservedDescriptors", this.settings.reservedDescriptors))
    this.alarms.raise("reservedDescriptors", descriptor, max)
  }

  /** A rule about addresses says no. */
  private object(arrival: Arrival, reason: CloseReason.CloseReason): void {
    if (reason._tag === "Denied") return this.door.refuse(arrival, "reset", reason)
    if (this.rules.isTooMany(reason) && !this.isClosed) this.door.keepOut(arrival, reason)
    else this.refuse(arrival, reason)
    if (arrival.isOver) this.alarms.refused(arrival, reason, undefined)
  }

  private refuse(arrival: Arrival, reason: CloseReason.CloseReason): void {
    this.door.refuse(arrival, this.settings.refusal, reason)
  }

  /** The next stage of one that has a place, or the end of them. */
  private proceed(arrival: Arrival, now: number): void {
    if (arrival.isProxy && arrival.header === undefined) {
      this.handshakes.readHeader(arrival)
    } else if (arrival.gate.tls !== undefined && arrival.tls === undefined) {
      this.handshakes.secure(arrival, arrival.gate.tls)
    } else {
      this.handshakes.leave(arrival)
      arrival.isOver = true
      this.inside.admit(arrival.raw, now, arrival)
    }
    this.alarms.check("maxConnections", this.occupied, this.limits.maxConnections)
  }

  // --- handshakes ------------------------------------------------------------------------------------------------

  /** A stage is done. Behind a proxy's header the address is known, and the rules have their say. */
  private staged(arrival: Arrival): void {
    const now = monotonicMillis(this.clock)
    const reason = arrival.tls === undefined ? this.rules.check(arrival, now) : undefined
    if (reason === undefined) return this.proceed(arrival, now)
    this.handshakes.leave(arrival)
    this.object(arrival, reason)
    this.letIn()
    this.inside.checkEmpty()
  }

  private failed(arrival: Arrival, reason: CloseReason.CloseReason, hint: string | undefined): void {
    this.door.count(arrival, "close", reason)
    if (reason._tag === "HandshakeFailed" || reason._tag === "HandshakeTimeout") {
      this.alarms.refused(arrival, reason, hint)
    }
    this.letIn()
    this.inside.checkEmpty()
  }

  // --- leaving ---------------------------------------------------------------------------------------------------

  /** One that was in is gone. */
  left(member: Seated): void {
    if (member.seat !== undefined) this.rules.leave(member, monotonicMillis(this.clock))
    this.letIn()
  }

  /** Gives free places to those who wait. */
  private letIn(): void {
    const { door } = this
    while (door.waits > 0 && this.occupied < this.limits.maxConnections) {
      const now = monotonicMillis(this.clock)
      const next = door.next((arrival) => this.rules.seatWaiting(arrival, now))
      if (next === undefined) return
      this.proceed(next, now)
    }
  }

  // --- changing --------------------------------------------------------------------------------------------------

  /** Other limits, from this moment on. Who is in stays in; who is on the way in is held against new rules. */
  change(limits: LimitSettings): void {
    const isOtherRate = limits.given.rate !== this.limits.given.rate
    this.limits = limits
    if (isOtherRate) this.bucket = this.fill()
    this.full = overLimit("maxConnections", limits.maxConnections)
    this.tooFast = overLimit("rate", limits.rate?.connections ?? 0)
    this.rules.change(limits, this.seated())
    this.handshakes.retime(limits.deadlines.handshakeMillis)
    // Those who wait first, or some would be let in meanwhile.
    for (const arrival of [...this.door.all, ...this.handshakes.inside]) {
      const reason = this.rules.objection(arrival)
      if (reason !== undefined) this.end(arrival.id, reason)
    }
    this.letIn()
  }

  private *seated(): Iterable<Seated> {
    yield* this.inside.connections
    yield* this.handshakes.inside
    for (const arrival of this.door.all) if (!this.rules.isTooMany(arrival.ending ?? CloseReason.closed)) yield arrival
  }

  /** One that waits or shakes hands, by its number; says whether there is one. */
  end(id: number, reason: CloseReason.CloseReason): boolean {
    for (const arrival of this.door.all) {
      if (arrival.id !== id) continue
      this.door.refuse(arrival, "close", reason)
      return true
    }
    for (const arrival of this.handshakes.inside) {
      if (arrival.id !== id) continue
      this.handshakes.giveUp(arrival, reason)
      return true
    }
    return false
  }

  // --- draining --------------------------------------------------------------------------------------------------

  /** Nobody new comes in from this moment on; handshakes go on. */
  shut(): void {
    this.isClosed = true
  }

  /** Ends everything at once. */
  close(): void {
    this.handshakes.close(CloseReason.drained)
    this.door.close()
  }
}
