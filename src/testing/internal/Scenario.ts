/**
 * What a simulation runs: programs on hosts, what joins them, and what must hold.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Transport from "../../Transport.ts"
import type * as Fault from "../Fault.ts"
import type * as SeededScheduler from "../SeededScheduler.ts"
import type * as SimulatedNetwork from "../SimulatedNetwork.ts"
import type * as Trace from "../Trace.ts"
import type { VirtualTime } from "../VirtualTime.ts"
import type * as Invariant from "./Invariant.ts"

/** What a host runs: an effect, or a layer. @category models @since 0.1.0 */
export type Program = Effect.Effect<unknown, unknown, unknown> | Layer.Layer<never, unknown, unknown>

/** Programs by the names of their hosts. @category models @since 0.1.0 */
export type Programs = Readonly<Record<string, Program>>

/** Programs that come to an end, by the names of their hosts. @category models @since 0.1.0 */
export type Clients = Readonly<Record<string, Effect.Effect<unknown, unknown, unknown>>>

/** What a simulation gives to its programs. @category models @since 0.1.0 */
export type Provided = Transport.Transport | Scope.Scope | VirtualTime | Network

/** What programs need besides. @category models @since 0.1.0 */
export type Services<H extends Programs, C extends Clients> = Exclude<
  | (H[keyof H] extends infer P ? P extends Effect.Effect<infer _A, infer _E, infer R> ? R
    : P extends Layer.Layer<infer _O, infer _E, infer R> ? R
    : never
    : never)
  | Effect.Services<C[keyof C]>,
  Provided
>

/**
 * The network of a simulation, for programs that make faults themselves.
 *
 * @category services
 * @since 0.1.0
 */
export class Network extends Context.Service<Network, SimulatedNetwork.SimulatedNetwork>()("hawser/testing/Network") {}

/**
 * A system under test.
 *
 * **Details**
 * - Each program runs on the host that it is named after, with that host's `Transport` and a scope of its own, and dials
 *   others by name: `tcp://server:7000`. The faults come and the clients begin when the hosts have nothing left to do at time 0, so a server is bound by then.
 * - A host's scope stays open when its program has ended, until a fault crashes it or the run ends. After a restart its
 *   program begins again.
 * - A client has one life: a crash of its host ends its sockets and fails its dials, and the program goes on.
 * - The run ends when all clients have ended, or at `duration`; the clients that are left are then interrupted, and
 *   after them the hosts are closed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scenario<H extends Programs, C extends Clients> {
  /** What serves, as an effect or a layer. */
  readonly hosts: H
  /** What the run is about. Without clients it takes `duration`. */
  readonly clients: C
  /** What must hold, besides what always must (see `Simulation`). @default none */
  readonly invariants?: Invariant.Invariants | undefined
  /** Every link, some links, how long dials wait: see `SimulatedNetwork`. */
  readonly network?: Pick<SimulatedNetwork.Options, "link" | "links" | "connectTimeout" | "giveUp"> | undefined
  /** What goes wrong, and when. @default nothing */
  readonly faults?: Fault.Plan | undefined
  /** How long the run takes at most, in virtual time. @default "1 hour" */
  readonly duration?: Duration.Input | undefined
  /** How long clients, and then hosts, may take to close. @default "1 minute" */
  readonly closeWithin?: Duration.Input | undefined
  /** In which order fibers run. @default by the seed: random, pct and round-robin take turns from one seed to the next */
  readonly scheduler?: Omit<SeededScheduler.Options, "seed"> | undefined
}

/** How a client ended. @category models @since 0.1.0 */
export type Exits<C extends Clients> = {
  readonly [K in keyof C]: Exit.Exit<Effect.Success<C[K]>, Effect.Error<C[K]>>
}

/**
 * A run in which everything held.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report<C extends Clients = Clients> {
  readonly seed: number
  readonly faults: Fault.Plan
  /** Virtual time, until everything was closed. */
  readonly elapsedMillis: number
  /** Events and tasks, and operations of fibers. */
  readonly steps: number
  readonly operations: number
  /** What happened on the network, by kind. */
  readonly counts: Trace.Counts
  /** How each client ended: with success, or interrupted where it took longer than the run. */
  readonly clients: Exits<C>
  /** Which of the `sometimes` have held. */
  readonly reached: Readonly<Record<string, boolean>>
  /** The newest lines of the trace. */
  readonly trace: ReadonlyArray<string>
  /** How many lines there were. */
  readonly traceSize: number
  /** A sum over the whole trace, and over the counts of steps and operations: the same for the same run. */
  readonly digest: string
}
