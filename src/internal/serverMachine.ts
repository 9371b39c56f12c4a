/**
 * The machine behind every server: who is in, who waits, who lingers, and how it all ends.
 *
 * ```
 * Accepting --drain--> Announcing --announce--> Draining --grace--> Forcing --force--> Closed
 *                      listener closed          input ends          fibers are         sockets are
 *                      still serving            between frames      interrupted        destroyed
 *                      `------------ as soon as nobody is left: Closed -------------------'
 * ```
 *
 * Invariants: `connections` holds every admitted connection from the accept until its socket is gone and its reason is
 * known; its size never exceeds `maxConnections`. A connection is in `fibers` while its handler runs, and in
 * `lingering` from then until its socket is gone. `accepted = connections.size + ended`.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type * as Admission from "../Admission.ts"
import * as ByteWriter from "../ByteWriter.ts"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import * as internal from "./connection.ts"
import { Expiry } from "./expiry.ts"

type Machine<In, Out> = internal.ConnectionMachine<In, Out>

/** Refused connections that may still be saying goodbye; beyond this a refusal is immediate. Keeps a flood bounded. */
const maxLeaving = 256

/** Everything of the options, checked and filled in. */
export interface Settings<Out> {
  readonly maxConnections: number
  readonly overflow: Admission.Overflow
  readonly goodbye: Out | undefined
  readonly linger: Duration.Duration
  readonly announce: Duration.Duration
  readonly grace: Duration.Duration
  readonly force: Duration.Duration
  readonly onEvent: ((event: Server.Event) => void) | undefined
}

export class ServerMachine<In, Out, R> {
  accepted = 0
  ended = 0
  refused = 0
  private readonly settings: Settings<Out>
  private readonly codec: Codec.Codec<In, Out>
  private readonly handler: (connection: Machine<In, Out>) => Effect.Effect<unknown, unknown, R>
  private readonly context: Context.Context<Exclude<R, Scope.Scope>>
  private readonly clock: Clock.Clock
  private readonly connections = new Set<Machine<In, Out>>()
  private readonly fibers = new Map<Machine<In, Out>, Fiber.Fiber<unknown, unknown>>()
  private readonly lingering: Expiry<Machine<In, Out>>
  private readonly waiting: Expiry<Transport.RawSocket>
  private readonly leaving: Expiry<Transport.RawSocket>
  private readonly overLimit: CloseReason.CloseReason
  private state: "Accepting" | "Announcing" | "Draining" | "Forcing" | "Closed" = "Accepting"
  private full = false
  private emptied: (() => void) | undefined = undefined
  private draining: Fiber.Fiber<Server.DrainReport> | undefined = undefined

  constructor(options: {
    readonly settings: Settings<Out>
    readonly codec: Codec.Codec<In, Out>
    readonly handler: (connection: Machine<In, Out>) => Effect.Effect<unknown, unknown, R>
    readonly context: Context.Context<Exclude<R, Scope.Scope>>
    readonly clock: Clock.Clock
  }) {
    this.settings = options.settings
    this.codec = options.codec
    this.handler = options.handler
    this.context = options.context
    this.clock = options.clock
    const { maxConnections, overflow } = options.settings
    this.overLimit = { _tag: "OverLimit", limit: "maxConnections", max: maxConnections }
    const timers = { clock: options.clock, fork: this.fork }
    const linger = Duration.toMillis(options.settings.linger)
    this.lingering = new Expiry({
      ...timers,
      millis: linger,
      onExpire: (machine) => machine.abort({ _tag: "WriteStalled", limitMillis: linger })
    })
    this.leaving = new Expiry({ ...timers, millis: linger, onExpire: (raw) => raw.destroy() })
    this.waiting = new Expiry({
      ...timers,
      millis: typeof overflow === "string" ? 0 : Duration.toMillis(Duration.fromInputUnsafe(overflow.timeout)),
      onExpire: (raw) => this.refuse(raw, typeof overflow === "string" ? overflow : overflow.otherwise, this.overLimit)
    })
  }

  get open(): number {
    return this.connections.size
  }

  get waitingRoom(): number {
    return this.waiting.size
  }

  private readonly fork = <A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> =>
    Effect.runForkWith(this.context)(effect)

  emit(event: Server.Event): void {
    const { onEvent } = this.settings
    if (onEvent === undefined) return
    try {
      onEvent(event)
    } catch (defect) {
      this.fork(Effect.logError("onEvent threw", defect))
    }
  }

  // --- coming in -------------------------------------------------------------------------------------------------

  readonly accept = (raw: Transport.RawSocket): void => {
    if (this.state !== "Accepting") return raw.destroy()
    if (this.connections.size < this.settings.maxConnections) return this.admit(raw)
    const { overflow } = this.settings
    if (typeof overflow === "string") return this.refuse(raw, overflow, this.overLimit)
    if (this.waiting.size >= overflow.maxWaiting) return this.refuse(raw, overflow.otherwise, this.overLimit)
    this.waiting.add(raw)
    raw.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: () => this.waiting.delete(raw) })
    if (this.settings.onEvent !== undefined) this.emit({ _tag: "Waiting", id: raw.id, peer: raw.peer })
  }

  private admit(raw: Transport.RawSocket): void {
    this.accepted++
    const machine = internal.open(raw, this.codec)
    this.connections.add(machine)
    machine.onClosed = () => this.leave(machine)
    if (this.settings.onEvent !== undefined) this.emit({ _tag: "Accepted", id: raw.id, peer: raw.peer })
    const scope = Scope.makeUnsafe()
    const context = Context.add(this.context, Scope.Scope, scope) as Context.Context<R> // all of R but the scope, and it
    const fiber = Effect.runForkWith(context)(
      // The scope costs nothing until the handler puts something into it.
      Effect.onExit(
        this.handler(machine),
        (exit) => scope.state._tag === "Empty" ? Effect.void : Scope.close(scope, exit)
      )
    )
    this.fibers.set(machine, fiber)
    fiber.addObserver((exit) => this.handled(machine, exit))
  }

  private refuse(raw: Transport.RawSocket, refusal: Admission.Refusal, reason: CloseReason.CloseReason): void {
    this.refused++
    if (!this.full && reason._tag === "OverLimit") {
      // Once per episode: a flood must not become a flood of log lines.
      this.full = true
      this.fork(Effect.logWarning(`the server is full: ${CloseReason.format(reason)}; refusing with ${refusal}`))
    }
    if (this.settings.onEvent !== undefined) {
      this.emit({ _tag: "Refused", id: raw.id, peer: raw.peer, reason, refusal })
    }
    if (refusal === "reset") return raw.reset()
    if (this.leaving.size >= maxLeaving) return raw.destroy()
    // Throws away what arrives until the peer ends: closing with unread input would destroy the goodbye on its way.
    this.leaving.add(raw)
    raw.attach({ onData() {}, onEnd() {}, onDrain() {}, onClose: () => this.leaving.delete(raw) })
    if (refusal === "goodbye" && this.settings.goodbye !== undefined) {
      const writer = ByteWriter.make()
      this.codec.encode(this.settings.goodbye, writer)
      raw.write(writer.take())
    }
    raw.end()
    raw.resume()
  }

  // --- going out -------------------------------------------------------------------------------------------------

  /** The handler is done: the socket lingers until the peer has everything. */
  private handled(machine: Machine<In, Out>, exit: Exit.Exit<unknown, unknown>): void {
    this.fibers.delete(machine)
    const reason = this.reasonOf(machine, exit)
    machine.shutdown(reason)
    if (!machine.isClosed && this.connections.has(machine)) this.lingering.add(machine)
    if (!CloseReason.isNormal(reason)) this.logEnd(machine, reason)
  }

  private reasonOf(machine: Machine<In, Out>, exit: Exit.Exit<unknown, unknown>): CloseReason.CloseReason {
    if (machine.reason !== undefined) return machine.reason
    if (Exit.isFailure(exit)) {
      if (Cause.hasInterruptsOnly(exit.cause)) {
        return this.state === "Forcing" || this.state === "Closed" ? CloseReason.forcedByDrain : CloseReason.interrupted
      }
      const error = Cause.squash(exit.cause)
      // The error of another connection, say of a proxy's upstream, is the handler's failure and not this one's end.
      if (error instanceof CloseReason.ConnectionError && error.reason === machine.failed) return error.reason
      if (!Cause.isDone(error)) return CloseReason.fromCause(exit.cause)
    }
    if (machine.peerEnded) return CloseReason.peerClosed
    return machine.isDraining ? CloseReason.drained : CloseReason.closed
  }

  private logEnd(machine: Machine<In, Out>, reason: CloseReason.CloseReason): void {
    const annotations = { connection: machine.id, peer: Endpoint.format(machine.peer), reason: reason._tag }
    const log = reason._tag === "HandlerFailed"
      ? Effect.logError(CloseReason.format(reason), reason.cause)
      : reason._tag === "PeerReset" || reason._tag === "ForcedByDrain"
      ? Effect.logDebug(CloseReason.format(reason))
      : Effect.logWarning(CloseReason.format(reason))
    this.fork(Effect.annotateLogs(log, annotations))
  }

  /** The socket is gone. */
  private leave(machine: Machine<In, Out>): void {
    if (!this.connections.delete(machine)) return
    this.lingering.delete(machine)
    this.ended++
    const reason = machine.reason ?? CloseReason.closed
    if (reason._tag === "ForcedByDrain") this.forced++
    if (this.settings.onEvent !== undefined) {
      this.emit({
        _tag: "Ended",
        id: machine.id,
        peer: machine.peer,
        reason,
        bytesIn: machine.bytesIn,
        bytesOut: machine.bytesOut,
        messagesIn: machine.messagesIn,
        messagesOut: machine.messagesOut
      })
    }
    if (this.state === "Accepting") {
      const next = this.waiting.shift()
      if (next !== undefined) this.admit(next)
      else this.full = false
    }
    if (this.connections.size === 0) this.emptied?.()
  }

  // --- draining --------------------------------------------------------------------------------------------------

  private forced = 0

  /** Runs once, in a fiber of its own, however often and from wherever it is asked for. */
  drain(listener: Transport.Listener): Effect.Effect<Server.DrainReport> {
    return Effect.suspend(() => {
      this.draining ??= this.fork(this.runDrain(listener))
      return Fiber.join(this.draining)
    })
  }

  private readonly runDrain = Effect.fnUntraced({ self: this }, function*(listener: Transport.Listener) {
    const started = this.clock.currentTimeMillisUnsafe()
    const servedBefore = this.ended
    this.state = "Announcing"
    yield* listener.close
    this.emit({ _tag: "Draining", open: this.connections.size })
    for (let raw = this.waiting.shift(); raw !== undefined; raw = this.waiting.shift()) {
      this.refuse(raw, "close", CloseReason.drained)
    }
    yield* this.untilEmpty(this.settings.announce)
    this.state = "Draining"
    for (const machine of this.connections) machine.drain()
    yield* this.untilEmpty(this.settings.grace)
    this.state = "Forcing"
    for (const fiber of this.fibers.values()) fiber.interruptUnsafe()
    yield* this.untilEmpty(this.settings.force)
    this.state = "Closed"
    if (this.fibers.size > 0) {
      yield* Effect.logWarning(`${this.fibers.size} handlers did not end when they were interrupted`)
    }
    for (const machine of this.connections) {
      machine.abort(CloseReason.forcedByDrain)
      this.leave(machine)
    }
    for (const raw of this.leaving) raw.destroy()
    for (const timers of [this.lingering, this.waiting, this.leaving]) timers.stop()
    const report: Server.DrainReport = {
      served: servedBefore,
      drained: this.ended - servedBefore - this.forced,
      forced: this.forced,
      refused: this.refused,
      elapsed: Duration.millis(this.clock.currentTimeMillisUnsafe() - started)
    }
    this.emit({ _tag: "Drained", report })
    return report
  })

  /** Waits until nobody is left, but not longer than `limit`. */
  private untilEmpty(limit: Duration.Duration): Effect.Effect<void> {
    const empty = Effect.callback<void>((resume) => {
      if (this.connections.size === 0) return resume(Exit.void)
      this.emptied = () => resume(Exit.void)
      return Effect.sync(() => {
        this.emptied = undefined
      })
    })
    return Effect.asVoid(Effect.timeoutOption(empty, limit))
  }
}
