/**
 * Where one input meets one server: a network in memory, time that jumps, and a count of all that must be gone at the end.
 *
 * Time passes only when nothing else can happen, from one timer to the next. A socket, fiber or timer counts from its
 * start to its end.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Random from "effect/Random"
import * as References from "effect/References"
import * as Scope from "effect/Scope"
import type * as Codec from "../../Codec.ts"
import * as Endpoint from "../../Endpoint.ts"
import * as MemoryTransport from "../../MemoryTransport.ts"
import type * as Server from "../../Server.ts"
import * as Transport from "../../Transport.ts"
import { FuzzClock } from "./FuzzClock.ts"
import { RawPeer } from "./RawPeer.ts"
import { Watch, type WatchedSocket } from "./WatchedTransport.ts"

/** So many turns without a move, and nothing more happens at this moment. */
const quietTurns = 8

/** So long, in virtual time, may nothing move while something must happen; longer than a drain and a linger. */
const patienceMillis = 60_000

/**
 * So long may a server keep a fiber or a timer for connections that are gone; longer than all its deadlines together.
 *
 * @category constants
 * @since 0.1.0
 */
export const lazyMillis = 1_800_000

/** So long may it take in all: a server that beats like a heart moves for ever. */
const mostMillis = 3_600_000

/** One run's network, time and counts. @category models @since 0.1.0 */
export class Bench {
  readonly clock = new FuzzClock()
  readonly watch: Watch
  readonly events: Array<Server.Event> = []
  readonly endpoint: Endpoint.Endpoint = Endpoint.memoryUnsafe("fuzz")
  /** Fibers that have begun and not ended. */
  fibers = 0
  private moves = 0
  /** The first decoder that held more than its codec allows, and how. */
  overfull: string | undefined = undefined
  /** The most bytes that the server wrote to one peer and that the peer had no room for. */
  mostUnsent = 0
  private readonly scope = Scope.makeUnsafe()

  constructor(transport: Transport.Transport["Service"]) {
    this.watch = new Watch(transport)
  }

  /** Gives a codec an eye on what its decoders hold. */
  readonly watchCodec = (overheadBytes: number) => <A, B>(codec: Codec.Codec<A, B>): Codec.Codec<A, B> => ({
    ...codec,
    decoder: () => {
      const decoder = codec.decoder()
      return {
        decode: (chunk, out) => {
          const error = decoder.decode(chunk, out)
          const limit = codec.maxFrameBytes + overheadBytes
          const held = decoder.bytesBuffered
          if (held > limit + chunk.length) {
            this.overfull ??= `${held} bytes are buffered after a chunk of ${chunk.length}, the limit is ${limit}`
          }
          return error
        },
        end: (out) => decoder.end(out),
        get bytesBuffered() {
          return decoder.bytesBuffered
        }
      }
    }
  })

  /** Runs on this bench: its network, its time, counted fibers, no logs. */
  provide<A, E, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Transport.Transport>> {
    return effect.pipe(
      Effect.provideService(Transport.Transport, this.watch.transport),
      Effect.provideService(Clock.Clock, this.clock),
      Effect.provideService(Metric.FiberRuntimeMetrics, {
        recordFiberStart: () => {
          this.fibers++
          this.moves++
        },
        recordFiberEnd: () => {
          this.fibers--
          this.moves++
        }
      }),
      Effect.provideService(References.MinimumLogLevel, "None"),
      // The same for every input, so that a finding can be replayed.
      Random.withSeed("fuzz")
    )
  }

  /** Starts an effect on this bench, in a fiber of its own. */
  start<A, E, R>(effect: Effect.Effect<A, E, R>) {
    return this.provide(Effect.forkDetach(effect, { startImmediately: true }))
  }

  /** The sockets of the server that are open. */
  get accepted(): ReadonlyArray<WatchedSocket> {
    return this.watch.open.filter((socket) => socket.kind === "accepted")
  }

  /** Gives turns until nothing moves; time stands still. */
  get quiet(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      let seen = -1
      for (let turns = 0; turns < quietTurns; turns++) {
        yield* Effect.yieldNow
        const moves = this.moves + this.watch.moves
        if (moves !== seen) turns = 0
        seen = moves
      }
      for (const { bytesUnsent } of this.accepted) this.mostUnsent = Math.max(this.mostUnsent, bytesUnsent)
    })
  }

  /** Lets everything happen, and time pass if it must, until it is so; `false` when it does not become so. */
  until(holds: () => boolean, patience = patienceMillis): Effect.Effect<boolean> {
    return Effect.gen({ self: this }, function*() {
      const begin = this.clock.currentTimeMillisUnsafe()
      let seen = -1
      let limit = begin
      while (!holds()) {
        yield* this.quiet
        if (holds()) break
        const moves = this.moves + this.watch.moves
        if (moves !== seen) limit = Math.min(this.clock.currentTimeMillisUnsafe() + patience, begin + mostMillis)
        seen = moves
        if (this.clock.next > limit) return false
        this.clock.jump()
      }
      return true
    })
  }

  /** Waits for a fiber as `until` does. */
  exit<A, E>(fiber: Fiber.Fiber<A, E>): Effect.Effect<Exit.Exit<A, E> | undefined> {
    return Effect.map(this.until(() => fiber.pollUnsafe() !== undefined), () => fiber.pollUnsafe())
  }

  /** Dials the server, and reads nothing yet; `undefined` when nobody listens. */
  get dial(): Effect.Effect<RawPeer | undefined> {
    return this.provide(
      this.watch.transport.connect(this.endpoint).pipe(
        Scope.provide(this.scope),
        Effect.map((raw) => {
          const peer = new RawPeer(raw)
          raw.pause()
          return peer
        }),
        Effect.orElseSucceed(() => undefined)
      )
    )
  }

  /** Everything is over: what is still open is destroyed. */
  get clear(): Effect.Effect<void> {
    return Effect.andThen(
      Effect.sync(() => this.watch.destroyAll()),
      this.provide(Scope.close(this.scope, Exit.void))
    )
  }
}

/** Makes a bench. @category constructors @since 0.1.0 */
export const make: Effect.Effect<Bench> = Effect.map(MemoryTransport.make, (transport) => new Bench(transport))
