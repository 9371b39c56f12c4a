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
 * Invariants: `connections` holds every admitted connection until its socket is gone and its reason is known; with those
 * in handshakes they never exceed `maxConnections`. A connection has a `fiber` while its handler runs, and
 * lingers from its end until its socket is gone. `accepted = connections.size + ended`. Who is not in yet belongs to the
 * `Entrance`: every connection that ever arrived is accepted, refused, waiting or handshaking.
 */
import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import type { Arrival, Gate } from "./arrival.ts"
import type { ConnectionMachine } from "./connectionMachine.ts"
import { Deadlines } from "./deadlines.ts"
import { Emptiness } from "./emptiness.ts"
import { EndLog, reasonOf } from "./endings.ts"
import { Entrance, type Inside } from "./entrance.ts"
import { Roster } from "./roster.ts"
import { Served } from "./served.ts"
import type { Settings } from "./serverOptions.ts"
import { Tally } from "./tally.ts"
import { monotonicMillis } from "./time.ts"

/** Begins to serve a connection; `run` runs an effect in its fiber, now or later, and ends the connection with its exit. */
export type Begin<In, Out, R> = (
  connection: ConnectionMachine<In, Out>,
  run: (connection: ConnectionMachine<In, Out>, effect: Effect.Effect<unknown, unknown, R>) => void
) => void

export class ServerMachine<In, Out, R> implements Inside {
  accepted = 0
  ended = 0
  readonly entrance: Entrance
  private forced = 0
  private readonly endedBy = new Tally()
  private readonly settings: Settings
  private readonly codec: Codec.Codec<In, Out>
  private readonly begin: Begin<In, Out, R>
  private readonly context: Context.Context<Exclude<R, Scope.Scope>>
  private readonly clock: Clock.Clock
  private readonly log: EndLog
  readonly connections = new Roster<Served<In, Out>>()
  /** How many fibers run. */
  private running = 0
  readonly deadlines: Deadlines
  private state: "Accepting" | "Announcing" | "Draining" | "Forcing" | "Closed" = "Accepting"
  /** Nobody is in or on the way in, and nobody is still hearing why not. */
  private readonly emptiness = new Emptiness(() => this.connections.size === 0 && this.entrance.isEmpty)
  private draining: Fiber.Fiber<Server.DrainReport> | undefined = undefined

  constructor(options: {
    readonly settings: Settings
    readonly codec: Codec.Codec<In, Out>
    readonly begin: Begin<In, Out, R>
    readonly context: Context.Context<Exclude<R, Scope.Scope>>
    readonly clock: Clock.Clock
    readonly descriptorLimit: number | undefined
    /** From 0 to 1. */
    readonly random: () => number
  }) {
    this.settings = options.settings
    this.codec = options.codec
    this.begin = options.begin
    this.context = options.context
    this.clock = options.clock
    this.log = new EndLog(options.context)
    const { clock } = options
    const { deadlines, maxBufferedBytes } = options.settings.limits
    this.deadlines = new Deadlines({
      clock,
      fork: this.fork,
      settings: deadlines,
      maxBufferedBytes,
      lingerMillis: options.settings.lingerMillis,
      random: options.random,
      onBuffered: (bytes, max) => this.entrance.alarms.check("maxBufferedBytes", bytes, max)
    })
    this.entrance = new Entrance({
      settings: options.settings,
      descriptorLimit: options.descriptorLimit,
      clock,
      fork: this.fork,
      emit: this.emit,
      inside: this
    })
  }

  get stats(): Server.Stats {
    const { arrived, door, handshakes } = this.entrance
    return {
      arrived,
      accepted: this.accepted,
      open: this.connections.size,
      ended: this.ended,
      refused: door.refused,
      waiting: door.waits,
      handshaking: handshakes.size,
      bufferedBytes: this.deadlines.bufferedBytes,
      endedBy: this.endedBy.all,
      refusedBy: door.refusedBy.all
    }
  }

  /** Whether it takes in whoever comes. */
  get isAccepting(): boolean {
    return this.state === "Accepting"
  }

  readonly fork = <A, E>(effect: Effect.Effect<A, E>): Fiber.Fiber<A, E> => Effect.runForkWith(this.context)(effect)

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

  readonly accept = (raw: Transport.RawSocket, gate: Gate): void => this.entrance.arrive(raw, gate)

  readonly admit = (raw: Transport.RawSocket, now: number, arrival: Arrival | undefined): void => {
    this.accepted++
    const machine = new Served(raw, this.codec, now, arrival)
    this.connections.add(machine)
    machine.onClosed = this.gone
    this.deadlines.opened(machine, now)
    if (this.settings.onEvent !== undefined) {
      this.emit({ _tag: "Accepted", id: machine.id, peer: machine.peer })
      const { tls } = machine
      if (tls !== undefined) this.emit({ _tag: "Secured", id: machine.id, tls })
    }
    machine.start()
    this.begin(machine as ConnectionMachine<In, Out>, this.run) // apart from whom onClosed tells, which is set, it is one
  }

  /** Runs the connection's fiber; what is an exit already needs none. */
  private readonly run = (
    connection: ConnectionMachine<In, Out>,
    effect: Effect.Effect<unknown, unknown, R>
  ): void => {
    const machine = connection as Served<In, Out> // what was given to begin
    if (Exit.isExit(effect)) return this.handled(machine, effect)
    const scope = Scope.makeUnsafe()
    const context = Context.add(this.context, Scope.Scope, scope) as Context.Context<R> // all of R but the scope, and it
    const fiber = Effect.runForkWith(context)(
      Effect.onExit(effect, (exit) => Scope.closeUnsafe(scope, exit) ?? Exit.void)
    )
    machine.fiber = fiber
    this.running++
    fiber.addObserver((exit) => {
      machine.fiber = undefined
      this.running--
      this.handled(machine, exit)
    })
  }

  // --- going out -------------------------------------------------------------------------------------------------

  /** The handler is done: the socket lingers until the peer has everything. */
  private handled(machine: Served<In, Out>, exit: Exit.Exit<unknown, unknown>): void {
    const reason = reasonOf(machine, exit, this.state === "Forcing" || this.state === "Closed")
    if (reason === machine.drainReason) machine.sayGoodbye(this.settings.farewell)
    machine.shutdown(reason)
    if (machine.isClosed) this.leave(machine)
    else this.deadlines.linger(machine)
  }

  /** The socket is gone. A handler that ended its connection before it was done keeps its place until it is. */
  private readonly gone = (machine: Served<In, Out>): void => {
    if (machine.fiber === undefined) this.leave(machine)
  }

  private readonly leave = (machine: Served<In, Out>): void => {
    if (!this.connections.delete(machine)) return
    this.deadlines.ended(machine)
    this.ended++
    const reason = machine.reason ?? CloseReason.closed
    if (reason._tag === "ForcedByDrain") this.forced++
    this.endedBy.add(reason._tag)
    this.log.ended(machine, reason, this.entrance.alarms)
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
    this.entrance.left(machine)
    this.checkEmpty()
  }

  /** Ends one connection, wherever it is; says whether there is one of that number. */
  close(id: number): boolean {
    for (const machine of this.connections) {
      if (machine.id !== id) continue
      machine.shutdown(CloseReason.closed)
      machine.fiber?.interruptUnsafe()
      return true
    }
    return this.entrance.end(id, CloseReason.closed)
  }

  // --- draining --------------------------------------------------------------------------------------------------

  /** Runs once, in a fiber of its own, however often and from wherever it is asked for. */
  drain(stopListening: Effect.Effect<void>): Effect.Effect<Server.DrainReport> {
    return Effect.suspend(() => {
      this.draining ??= this.fork(this.runDrain(stopListening))
      return Fiber.join(this.draining)
    })
  }

  private readonly runDrain = Effect.fnUntraced({ self: this }, function*(stopListening: Effect.Effect<void>) {
    const { announceMillis, forceMillis, graceMillis } = this.settings
    const started = monotonicMillis(this.clock)
    const servedBefore = this.ended
    const { door, handshakes } = this.entrance
    this.state = "Announcing"
    this.entrance.shut()
    yield* stopListening
    this.emit({ _tag: "Draining", open: this.connections.size })
    door.refuseWaiting(CloseReason.drained)
    yield* this.emptiness.within(announceMillis)
    this.state = "Draining"
    handshakes.giveAllUp(CloseReason.drained)
    for (const machine of this.connections) machine.drain()
    yield* this.emptiness.within(graceMillis)
    this.state = "Forcing"
    for (const machine of this.connections) {
      if (machine.fiber === undefined) machine.shutdown(CloseReason.forcedByDrain)
      else machine.fiber.interruptUnsafe()
    }
    yield* this.emptiness.within(forceMillis)
    this.state = "Closed"
    if (this.running > 0) {
      yield* Effect.logWarning(`${this.running} handlers did not end when they were interrupted`)
    }
    for (const machine of this.connections) {
      machine.abort(CloseReason.forcedByDrain)
      this.leave(machine)
    }
    this.deadlines.stop()
    this.entrance.close()
    const report: Server.DrainReport = {
      served: servedBefore,
      drained: this.ended - servedBefore - this.forced,
      forced: this.forced,
      refused: door.refused,
      elapsed: Duration.millis(Math.round(monotonicMillis(this.clock) - started))
    }
    this.emit({ _tag: "Drained", report })
    return report
  })

  /** Somebody is gone: perhaps the last one. */
  readonly checkEmpty = (): void => this.emptiness.check()
}
