/**
 * The programs of one simulation, each on its host: started, started again after a crash, and closed.
 *
 * ```
 * host:    life --down--> interrupted .. up --> next life ...        the scope of a life stays open after its program
 * client:  one life
 * ```
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import * as Transport from "../../Transport.ts"
import type * as SimulatedNetwork from "../SimulatedNetwork.ts"
import * as VirtualTime from "../VirtualTime.ts"
import type * as Invariant from "./Invariant.ts"
import type { Program } from "./Scenario.ts"
import { tell } from "./Tell.ts"

/** The name of the fibers that belong to no program. @category constants @since 0.1.0 */
export const ownName = "simulation"

/** What is broken, and the cause behind it. @category models @since 0.1.0 */
export interface Broken extends Invariant.Broken {
  readonly cause?: unknown
}

interface Running {
  readonly name: string
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

/** The programs of one run. @category models @since 0.1.0 */
export class SimulationPrograms {
  /** How each client ended. */
  readonly exits: Record<string, Exit.Exit<unknown, unknown>> = {}
  private readonly network: SimulatedNetwork.SimulatedNetwork
  private readonly closeMillis: number
  private readonly fail: (broken: Broken) => void
  private readonly hosts: Array<Running> = []
  private readonly clients: Array<Running> = []

  constructor(network: SimulatedNetwork.SimulatedNetwork, closeMillis: number, fail: (broken: Broken) => void) {
    this.network = network
    this.closeMillis = closeMillis
    this.fail = fail
  }

  startClient(name: string, program: Program): Effect.Effect<void> {
    return Effect.map(fork(`client ${name}`, Effect.scoped(this.onHost(name, program))), (running) => {
      this.clients.push(running)
      running.fiber.addObserver((exit) => {
        this.exits[name] = exit
        this.mustNotFail(`client ${name} succeeds`, exit)
      })
    })
  }

  /** Runs the program, and again after each restart of its host. */
  startHost(name: string, program: Program): Effect.Effect<void> {
    const life = VirtualTime.named(
      Effect.scoped(Effect.andThen(this.onHost(name, program), Effect.never)),
      `host ${name}`
    )
    const lives = Effect.gen({ self: this }, function*() {
      const states = yield* Queue.unbounded<"down" | "up">()
      const until = (wanted: "down" | "up") => Effect.repeat(Queue.take(states), { until: (state) => state === wanted })
      yield* Effect.acquireRelease(
        Effect.sync(() => this.network.host(name).watch((state) => void Queue.offerUnsafe(states, state))),
        (unwatch) => Effect.sync(unwatch)
      )
      // Another program may have crashed it.
      if (!this.network.host(name).isUp()) yield* until("up")
      while (true) {
        const fiber = yield* Effect.forkChild(life)
        fiber.addObserver((exit) => this.mustNotFail(`host ${name} goes on`, exit))
        yield* until("down")
        yield* Fiber.interrupt(fiber)
        yield* until("up")
      }
    })
    return Effect.map(
      fork(ownName, Effect.scoped(lives)),
      ({ fiber }) => void this.hosts.push({ name: `host ${name}`, fiber })
    )
  }

  /** Until all clients have ended. */
  readonly ended: Effect.Effect<void> = Effect.suspend(() =>
    Effect.asVoid(Fiber.awaitAll(this.clients.map(({ fiber }) => fiber)))
  )

  /** Closes all clients, and then all hosts, the last one first. */
  readonly close: Effect.Effect<void> = Effect.suspend(() =>
    Effect.andThen(this.interrupt(this.clients), this.interrupt(this.hosts.toReversed()))
  )

  private interrupt(running: ReadonlyArray<Running>): Effect.Effect<void> {
    const interrupted = Fiber.interruptAll(running.map(({ fiber }) => fiber))
    return Effect.map(Effect.timeoutOption(interrupted, this.closeMillis), () => {
      const open = running.filter(({ fiber }) => fiber.pollUnsafe() === undefined).map(({ name }) => name)
      if (open.length === 0) return
      this.fail({ invariant: "everything closes", broken: `${open.join(", ")} did not within ${this.closeMillis} ms` })
    })
  }

  private onHost(name: string, program: Program): Effect.Effect<unknown, unknown, Scope.Scope> {
    const effect = (Layer.isLayer(program) ? Layer.build(program) : program) as Effect.Effect<
      unknown,
      unknown,
      Transport.Transport | Scope.Scope
    > // whatever else it requires is in the context of the run, which asks for it
    return Effect.provideService(effect, Transport.Transport, this.network.transport(name))
  }

  private mustNotFail(invariant: string, exit: Exit.Exit<unknown, unknown>): void {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    this.fail({ invariant, broken: `it failed with ${tell(Cause.squash(exit.cause))}`, cause: exit.cause })
  }
}

const fork = (name: string, effect: Effect.Effect<unknown, unknown>): Effect.Effect<Running> =>
  Effect.map(Effect.forkDetach(VirtualTime.named(effect, name)), (fiber) => ({ name, fiber }))
