/**
 * Where the laws of servers and clients play: a watched transport, virtual time, and a count of every fiber and timer of
 * the subject.
 *
 * ```
 * subject (server or client)  -- counted fibers, timers -->  watched transport  <-- raw peers of the law
 *                                  time moves only by `pass`
 * ```
 *
 * Where the clock is not a `TestClock` already, the world brings one of its own, so a law needs no test runner.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import type * as Endpoint from "../../Endpoint.ts"
import * as Transport from "../../Transport.ts"
import { defaults as turns } from "./ConnectionSpec.ts"
import { RawPeer } from "./RawPeer.ts"
import { deaf, describe, parse } from "./Scene.ts"
import { Watch } from "./WatchedTransport.ts"

/** What every law of servers and clients is given. @category models @since 0.1.0 */
export interface WorldSpec {
  /** Where to listen, again for each scene: port 0, or a name that is free again when the listener is closed. */
  readonly endpoint: Endpoint.Input
  /** What to dial for the endpoint that the listener says. @default the same */
  readonly dial?: ((listening: Endpoint.Endpoint) => Endpoint.Input) | undefined
  /** Whether a peer can see a reset as one. @default true */
  readonly resets?: boolean | undefined
  /** Lets the world go on a little, between two looks. @default Effect.yieldNow */
  readonly turn?: Effect.Effect<void> | undefined
  /** After so many turns in which no socket moves, everything that needs no time has happened. @default 20 */
  readonly quietTurns?: number | undefined
}

/** Enough for memory; a kernel, or a scheduler that lets fibers yield anywhere, wants some hundred. */
const quietTurns = 20

/** One look at virtual time; what the laws wait for is a multiple of it. */
const stepMillis = 10

/** A clock that counts who sleeps. */
const counting = (clock: TestClock.TestClock, world: World): TestClock.TestClock => ({
  currentTimeMillisUnsafe: () => clock.currentTimeMillisUnsafe(),
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeNanosUnsafe: () => clock.currentTimeNanosUnsafe(),
  currentTimeNanos: clock.currentTimeNanos,
  monotonicTimeNanosUnsafe: () => clock.monotonicTimeNanosUnsafe(),
  monotonicTimeNanos: clock.monotonicTimeNanos,
  adjust: (duration) => clock.adjust(duration),
  setTime: (timestamp) => clock.setTime(timestamp),
  withLive: (effect) => clock.withLive(effect),
  sleep: (duration) =>
    Effect.acquireUseRelease(
      Effect.sync(() => void world.timers++),
      () => clock.sleep(duration),
      () => Effect.sync(() => void world.timers--)
    )
})

/** What surrounds the subject of one scene. @category models @since 0.1.0 */
export class World {
  readonly spec: WorldSpec
  readonly watch: Watch
  /** What the subject has begun and not ended. */
  fibers = 0
  timers = 0
  /** The scope of the subject. */
  readonly scope: Scope.Closeable = Scope.makeUnsafe()
  /** The scope of everybody else. */
  readonly outside: Scope.Closeable = Scope.makeUnsafe()
  /** The clock that nobody counts on. */
  protected readonly virtual: TestClock.TestClock

  constructor(spec: WorldSpec, transport: Transport.Transport["Service"], clock: TestClock.TestClock) {
    this.spec = spec
    this.watch = new Watch(transport)
    this.virtual = clock
  }

  /** Lets everything happen that needs no time. */
  get settle(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      let seen = this.watch.moves
      for (let quiet = 0; quiet < (this.spec.quietTurns ?? quietTurns); quiet++) {
        yield* this.spec.turn ?? Effect.yieldNow
        if (this.watch.moves !== seen) quiet = 0
        seen = this.watch.moves
      }
    })
  }

  /** Lets virtual time pass, in steps, so that each moment has its consequences before the next. */
  pass(millis: number, step = stepMillis): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      yield* this.settle
      for (let left = millis; left > 0; left -= step) {
        yield* this.virtual.adjust(Math.min(left, step))
        yield* this.settle
      }
    })
  }

  /** Gives turns until it is so; fails when nothing moves any more. */
  until(what: string, holds: () => boolean): Effect.Effect<void, string> {
    return Effect.gen({ self: this }, function*() {
      for (let left = turns.patienceTurns; !holds(); left--) {
        if (left <= 0) return yield* Effect.fail(`${what} did not come`)
        yield* this.spec.turn ?? Effect.yieldNow
      }
    })
  }

  /** Runs the subject, counted. */
  subject<A, E, R>(effect: Effect.Effect<A, E, R | Scope.Scope | Transport.Transport>) {
    return effect.pipe(
      Scope.provide(this.scope),
      Effect.provideService(Transport.Transport, this.watch.transport),
      Effect.provideService(Clock.Clock, counting(this.virtual, this)),
      Effect.provideService(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => void this.fibers++,
        recordFiberEnd: () => void this.fibers--
      }),
      // What goes wrong is the law's to say.
      Effect.provide(Logger.layer([]))
    )
  }

  /** Starts an effect of the subject; it may take time. */
  start<A, E>(effect: Effect.Effect<A, E, Scope.Scope | Transport.Transport>): Effect.Effect<Fiber.Fiber<A, E>> {
    return Effect.forkDetach(this.subject(effect), { startImmediately: true })
  }

  /** Runs an effect of the subject to its end, within so much virtual time; counted from when it starts. */
  run<A, E>(
    what: string,
    effect: Effect.Effect<A, E, Scope.Scope | Transport.Transport>,
    withinMillis = 0
  ): Effect.Effect<A, string> {
    return Effect.flatMap(this.start(effect), (fiber) => this.joined(what, fiber, withinMillis))
  }

  /** Waits for a fiber, within so much virtual time. */
  joined<A, E>(what: string, fiber: Fiber.Fiber<A, E>, withinMillis = 0): Effect.Effect<A, string> {
    return Effect.gen({ self: this }, function*() {
      yield* this.settle
      for (let left = withinMillis; left > 0 && fiber.pollUnsafe() === undefined; left -= stepMillis) {
        yield* this.pass(Math.min(left, stepMillis))
      }
      const exit = fiber.pollUnsafe()
      if (exit === undefined) {
        fiber.interruptUnsafe()
        return yield* Effect.fail(
          withinMillis === 0 ? `${what} takes time` : `${what} is not over after ${withinMillis} ms`
        )
      }
      return yield* Exit.isSuccess(exit)
        ? Effect.succeed(exit.value)
        : Effect.fail(`${what} failed: ${describe(exit.cause)}`)
    })
  }

  /** Dials, for the time of the scene. */
  dial(listening: Endpoint.Endpoint): Effect.Effect<RawPeer, Transport.ConnectError | string> {
    return Effect.flatMap(
      parse(this.spec.dial?.(listening) ?? listening),
      (endpoint) =>
        Effect.map(Scope.provide(this.watch.transport.connect(endpoint), this.outside), (raw) => new RawPeer(raw))
    )
  }

  /** What of the subject is still there; `kind` says which sockets are its. */
  left(kind: "dialled" | "accepted"): string | undefined {
    const sockets = this.watch.open.filter((socket) => socket.kind === kind).length
    return sockets + this.fibers + this.timers === 0
      ? undefined
      : `${sockets} sockets, ${this.fibers} fibers and ${this.timers} timers are left`
  }
}

/** How long handlers and finalizers of a law may outlive everything else. @category constants @since 0.1.0 */
export const longestMillis = 5_000

/**
 * Plays a scene in a world of its own; then the subject's scope closes, everybody else goes, and nothing of the subject
 * may be left.
 *
 * @category running
 * @since 0.1.0
 */
export const play = <W extends World>(
  make: (transport: Transport.Transport["Service"], clock: TestClock.TestClock) => W,
  subject: "dialled" | "accepted",
  scene: (world: W) => Effect.Effect<void, string>
): Effect.Effect<void, string, Transport.Transport> => {
  const played = Effect.gen(function*() {
    // Looked at by whoever provides this effect.
    const clock = (yield* Clock.Clock) as TestClock.TestClock
    const world = make(yield* Transport.Transport, clock)
    const result = yield* Effect.result(scene(world))
    const closing = yield* world.start(Scope.close(world.scope, Exit.void))
    yield* world.pass(longestMillis * 4, 1_000)
    const closed = yield* Effect.result(world.joined("closing the scope", closing))
    yield* Scope.close(world.outside, Exit.void)
    // One that never had a handler is asked now.
    for (const socket of world.watch.open) if (!socket.attached) socket.attach(deaf)
    yield* world.settle
    // Handlers that nothing can stop end by themselves.
    yield* world.pass(longestMillis, 1_000)
    const left = world.left(subject)
    world.watch.destroyAll()
    if (result._tag === "Failure") return yield* Effect.fail(result.failure)
    if (closed._tag === "Failure") return yield* Effect.fail(closed.failure)
    if (left !== undefined) return yield* Effect.fail(`when everything was closed, ${left}`)
    if (world.watch.broken !== undefined) return yield* Effect.fail(world.watch.broken)
  })
  return Effect.flatMap(
    Clock.Clock,
    (clock) => "adjust" in clock ? played : Effect.provide(played, TestClock.layer())
  )
}
