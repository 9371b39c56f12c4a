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
 * `lingering` from then until its socket is gone. `accepted = connections.size + ended`. Who is not let in belongs to the
 * `Door`: every connection that ever arrived is accepted, refused or waiting.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as LogLevel from "effect/LogLevel"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import * as internal from "./connection.ts"
import { Door } from "./door.ts"
import { Expiry } from "./expiry.ts"
import type { Settings } from "./serverOptions.ts"
import { monotonicMillis } from "./time.ts"

type Machine<In, Out> = internal.ConnectionMachine<In, Out>

export class ServerMachine<In, Out, R> {
  accepted = 0
  ended = 0
  private forced = 0
  private readonly settings: Settings
  private readonly codec: Codec.Codec<In, Out>
  private readonly handler: (connection: Machine<In, Out>) => Effect.Effect<unknown, unknown, R>
  private readonly context: Context.Context<Exclude<R, Scope.Scope>>
  private readonly clock: Clock.Clock
  private readonly connections = new Set<Machine<In, Out>>()
  private readonly fibers = new Map<Machine<In, Out>, Fiber.Fiber<unknown, unknown>>()
  private readonly lingering: Expiry<Machine<In, Out>>
  private readonly door: Door
  private state: "Accepting" | "Announcing" | "Draining" | "Forcing" | "Closed" = "Accepting"
  private emptied: (() => void) | undefined = undefined
  private draining: Fiber.Fiber<Server.DrainReport> | undefined = undefined

  constructor(options: {
    readonly settings: Settings
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
    const timers = { clock: options.clock, fork: this.fork }
    const millis = options.settings.lingerMillis
    this.lingering = new Expiry({
      ...timers,
      millis,
      onExpire: (machine) => machine.abort({ _tag: "WriteStalled", limitMillis: millis })
    })
    this.door = new Door({
      ...timers,
      settings: options.settings,
      emit: this.emit,
      onGone: () => this.checkEmpty()
    })
  }

  get stats(): Server.Stats {
    return {
      accepted: this.accepted,
      open: this.connections.size,
      ended: this.ended,
      refused: this.door.refused,
      waiting: this.door.waits
    }
  }

  private readonly fork = <A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> =>
    Effect.runForkWith(this.context)(effect)

  readonly emit = (event: Server.Event): void => {
    const { onEvent } = this.settings
    if (onEvent === undefined) return
    try {
      onEvent(event)
    } catch (defect) {
      this.fork(Effect.logError("onEvent threw", Cause.die(defect)))
    }
  }

  // --- coming in -------------------------------------------------------------------------------------------------

  readonly accept = (raw: Transport.RawSocket): void => {
    if (this.state !== "Accepting") {
      // What the kernel does with those it has not handed over when a listener closes.
      this.door.refuse(raw, "reset", CloseReason.drained)
    } else if (this.connections.size < this.settings.maxConnections) {
      this.admit(raw)
    } else {
      this.door.keepOut(raw)
    }
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
      Effect.onExit(
        Effect.suspend(() => this.handler(machine)),
        (exit) => Scope.closeUnsafe(scope, exit) ?? Exit.void
      )
    )
    this.fibers.set(machine, fiber)
    fiber.addObserver((exit) => this.handled(machine, exit))
  }

  // --- going out -------------------------------------------------------------------------------------------------

  /** The handler is done: the socket lingers until the peer has everything. */
  private handled(machine: Machine<In, Out>, exit: Exit.Exit<unknown, unknown>): void {
    this.fibers.delete(machine)
    machine.shutdown(this.reasonOf(machine, exit))
    if (this.connections.has(machine)) this.lingering.add(machine)
  }

  private reasonOf(machine: Machine<In, Out>, exit: Exit.Exit<unknown, unknown>): CloseReason.CloseReason {
    if (machine.reason !== undefined) return machine.reason
    if (Exit.isFailure(exit)) {
      const { cause } = exit
      if (Cause.hasInterruptsOnly(cause)) {
        return this.state === "Forcing" || this.state === "Closed" ? CloseReason.forcedByDrain : CloseReason.interrupted
      }
      const error = Cause.squash(cause)
      // A defect is told, whatever else ended the handler. The error of another connection, say of a proxy's upstream,
      // is the handler's failure and not this one's end.
      if (Cause.hasDies(cause)) return CloseReason.fromCause(cause)
      if (error instanceof CloseReason.ConnectionError && error.reason === machine.failed) return error.reason
      if (!Cause.isDone(error)) return CloseReason.fromCause(cause)
    }
    if (machine.peerEnded) return CloseReason.peerClosed
    // The handler may never have touched the connection after it was lost.
    return machine.lost ?? (machine.isDraining ? CloseReason.drained : CloseReason.closed)
  }

  /** The socket is gone. */
  private leave(machine: Machine<In, Out>): void {
    if (!this.connections.delete(machine)) return
    this.lingering.delete(machine)
    this.ended++
    const reason = machine.reason ?? CloseReason.closed
    if (reason._tag === "ForcedByDrain") this.forced++
    this.logEnd(machine, reason)
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
    const next = this.door.next()
    if (next === undefined) this.door.hasRoom(this.connections.size)
    else this.admit(next)
    this.checkEmpty()
  }

  private logEnd(machine: Machine<In, Out>, reason: CloseReason.CloseReason): void {
    const level = levelOf(reason)
    // No fiber and no text for a line that nobody sees.
    if (LogLevel.isLessThan(level, Context.get(this.context, References.MinimumLogLevel))) return
    const annotations = { connection: machine.id, peer: Endpoint.format(machine.peer), reason: reason._tag }
    const text = CloseReason.format(reason)
    const log = Effect.logWithLevel(level)
    this.fork(Effect.annotateLogs(reason._tag === "HandlerFailed" ? log(text, reason.cause) : log(text), annotations))
  }

  // --- draining --------------------------------------------------------------------------------------------------

  /** Runs once, in a fiber of its own, however often and from wherever it is asked for. */
  drain(listener: Transport.Listener): Effect.Effect<Server.DrainReport> {
    return Effect.suspend(() => {
      this.draining ??= this.fork(this.runDrain(listener))
      return Fiber.join(this.draining)
    })
  }

  private readonly runDrain = Effect.fnUntraced({ self: this }, function*(listener: Transport.Listener) {
    const { announceMillis, forceMillis, graceMillis } = this.settings
    const started = monotonicMillis(this.clock)
    const servedBefore = this.ended
    this.state = "Announcing"
    yield* listener.close
    this.emit({ _tag: "Draining", open: this.connections.size })
    this.door.refuseWaiting(CloseReason.drained)
    yield* this.untilEmpty(announceMillis)
    this.state = "Draining"
    for (const machine of this.connections) machine.drain()
    yield* this.untilEmpty(graceMillis)
    this.state = "Forcing"
    for (const fiber of this.fibers.values()) fiber.interruptUnsafe()
    yield* this.untilEmpty(forceMillis)
    this.state = "Closed"
    if (this.fibers.size > 0) {
      yield* Effect.logWarning(`${this.fibers.size} handlers did not end when they were interrupted`)
    }
    for (const machine of this.connections) {
      machine.abort(CloseReason.forcedByDrain)
      this.leave(machine)
    }
    this.lingering.stop()
    this.door.close()
    const report: Server.DrainReport = {
      served: servedBefore,
      drained: this.ended - servedBefore - this.forced,
      forced: this.forced,
      refused: this.door.refused,
      elapsed: Duration.millis(Math.round(monotonicMillis(this.clock) - started))
    }
    this.emit({ _tag: "Drained", report })
    return report
  })

  /** Nobody is in, and nobody is still hearing why not. */
  private get isEmpty(): boolean {
    return this.connections.size === 0 && !this.door.isBusy
  }

  private checkEmpty(): void {
    if (this.isEmpty) this.emptied?.()
  }

  /** Waits until nobody is left, but not longer than `millis`. */
  private untilEmpty(millis: number): Effect.Effect<void> {
    const empty = Effect.callback<void>((resume) => {
      if (this.isEmpty) return resume(Exit.void)
      this.emptied = () => resume(Exit.void)
      return Effect.sync(() => {
        this.emptied = undefined
      })
    })
    return Effect.asVoid(Effect.timeoutOption(empty, millis))
  }
}

const levelOf = (reason: CloseReason.CloseReason): LogLevel.Severity =>
  reason._tag === "HandlerFailed"
    ? "Error"
    : CloseReason.isNormal(reason) || reason._tag === "PeerReset" || reason._tag === "ForcedByDrain"
    ? "Debug"
    : "Warn"
