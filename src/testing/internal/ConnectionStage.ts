/**
 * Where the laws of connections play: one listener on a watched transport, pairs of connections, and a clock of turns.
 *
 * Nothing here waits for a time. It gives the event loop turn after turn and looks: something moved, so go on; nothing
 * moved for many turns, so it is stuck, and that is the violation. However a scene ends, both ends of each pair and the
 * listener are closed, and each raw socket must then be gone.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type * as Codec from "../../Codec.ts"
import * as Connection from "../../Connection.ts"
import type * as Endpoint from "../../Endpoint.ts"
import * as Transport from "../../Transport.ts"
import { defaults, type Spec } from "./ConnectionSpec.ts"
import { deaf, describe, parse } from "./Scene.ts"
import { Watch, type WatchedSocket } from "./WatchedTransport.ts"

/** So many turns without a move make a pause: long for a loopback, short for a test. */
const quietTurns = 500

/** One side of a pair. @category models @since 0.1.0 */
export interface End<In, Out> {
  readonly name: "client" | "server"
  readonly connection: Connection.Connection<In, Out>
  readonly raw: WatchedSocket
  /** Closes the scope of the connection. */
  readonly close: Effect.Effect<void>
}

/** What happens on a stage; the failure says what happened instead of what should. @category models @since 0.1.0 */
export type Scene = (stage: Stage) => Effect.Effect<void, string>

/** A listener, its connections, and the means to wait. @category models @since 0.1.0 */
export class Stage {
  readonly spec: Spec
  readonly watch: Watch
  readonly accepted: Array<Transport.RawSocket> = []
  /** The scope of the listener. */
  readonly scope: Scope.Closeable
  private readonly ends: Array<Effect.Effect<void>> = []
  private readonly fibers: Array<Fiber.Fiber<unknown, unknown>> = []
  private listener: Transport.Listener | undefined = undefined

  constructor(spec: Spec, transport: Transport.Transport["Service"]) {
    this.spec = spec
    this.watch = new Watch(transport)
    this.scope = Scope.makeUnsafe()
  }

  /** One look further. */
  get turn(): Effect.Effect<void> {
    return this.spec.turn ?? Effect.yieldNow
  }

  /** Gives turns until it is so; fails when nothing moves any more. */
  until(what: string, holds: () => boolean): Effect.Effect<void, string> {
    return this.wait(
      this.spec.patienceTurns ?? defaults.patienceTurns,
      holds,
      () => Effect.fail(`${what} did not come`)
    )
  }

  /** Gives turns until nothing moves. */
  get quiet(): Effect.Effect<void> {
    return this.wait(quietTurns, () => false, () => Effect.void)
  }

  private wait<E>(
    patience: number,
    holds: () => boolean,
    stuck: () => Effect.Effect<void, E>
  ): Effect.Effect<void, E> {
    const { watch } = this
    return Effect.gen({ self: this }, function*() {
      let seen = watch.moves
      for (let turns = 0; !holds(); turns++) {
        if (watch.moves !== seen) {
          seen = watch.moves
          turns = 0
        }
        if (turns >= patience) return yield* stuck()
        yield* this.turn
      }
    })
  }

  /** Starts an effect at once. Whatever it does, it must have ended when everything is closed. */
  start<A, E>(effect: Effect.Effect<A, E>): Effect.Effect<Fiber.Fiber<A, E>> {
    return Effect.tap(
      Effect.forkDetach(effect, { startImmediately: true }),
      (fiber) => Effect.sync(() => this.fibers.push(fiber))
    )
  }

  /** Waits for a fiber, but not for ever. */
  awaited<A, E>(what: string, fiber: Fiber.Fiber<A, E>): Effect.Effect<Exit.Exit<A, E>, string> {
    return this.until(what, () => fiber.pollUnsafe() !== undefined).pipe(
      Effect.map(() => fiber.pollUnsafe() as Exit.Exit<A, E>), // until has looked
      Effect.onError(() => Effect.sync(() => fiber.interruptUnsafe()))
    )
  }

  /** Runs an effect to its end, but not for ever. */
  exit<A, E>(what: string, effect: Effect.Effect<A, E>): Effect.Effect<Exit.Exit<A, E>, string> {
    return Effect.flatMap(this.start(effect), (fiber) => this.awaited(what, fiber))
  }

  /** Runs an effect that must succeed, but not for ever. */
  run<A, E>(what: string, effect: Effect.Effect<A, E>): Effect.Effect<A, string> {
    return Effect.flatMap(
      this.exit(what, effect),
      (exit) =>
        Exit.isSuccess(exit) ? Effect.succeed(exit.value) : Effect.fail(`${what} failed: ${describe(exit.cause)}`)
    )
  }

  /** Runs several effects at once; all of them must succeed. */
  all(effects: Record<string, Effect.Effect<unknown, unknown>>): Effect.Effect<void, string> {
    return Effect.gen({ self: this }, function*() {
      const fibers = []
      for (const [what, effect] of Object.entries(effects)) fibers.push([what, yield* this.start(effect)] as const)
      let first: string | undefined = undefined
      for (const [what, fiber] of fibers) {
        const exit = yield* Effect.result(this.awaited(what, fiber))
        if (exit._tag === "Failure") first ??= exit.failure
        else if (Exit.isFailure(exit.success)) first ??= `${what} failed: ${describe(exit.success.cause)}`
      }
      if (first !== undefined) return yield* Effect.fail(first)
    })
  }

  /** Listens, the first time; each accepted socket goes to `accepted`, and nobody attaches to it. */
  get listening(): Effect.Effect<Transport.Listener, string> {
    return Effect.gen({ self: this }, function*() {
      if (this.listener !== undefined) return this.listener
      const endpoint = yield* parse(this.spec.endpoint)
      const listen = this.watch.transport.listen(endpoint, {
        backlog: 128,
        onAccept: (raw) => {
          this.accepted.push(raw)
        }
      })
      this.listener = yield* this.run("listening", Scope.provide(listen, this.scope))
      return this.listener
    })
  }

  /** What to dial. */
  get target(): Effect.Effect<Endpoint.Endpoint, string> {
    return Effect.flatMap(this.listening, ({ endpoint }) => parse(this.spec.dial?.(endpoint) ?? endpoint))
  }

  /** Connects to an endpoint, for the time of a scope. */
  connect<In, Out>(target: Endpoint.Endpoint, codec: Codec.Codec<In, Out>, scope: Scope.Scope) {
    return Connection.connect(target, codec).pipe(
      Effect.provideService(Transport.Transport, this.watch.transport),
      Scope.provide(scope)
    )
  }

  dial<In, Out>(codec: Codec.Codec<In, Out>): Effect.Effect<End<In, Out>, string> {
    return Effect.gen({ self: this }, function*() {
      const scope = yield* Scope.make()
      const connection = yield* this.run("connecting", this.connect(yield* this.target, codec, scope))
      const raw = this.watch.sockets.findLast((socket) => socket.kind === "dialled")
      return yield* this.end("client", connection, raw, scope)
    })
  }

  /** Opens the connection over an accepted socket. */
  open<In, Out>(raw: Transport.RawSocket, codec: Codec.Codec<In, Out>): Effect.Effect<End<In, Out>, string> {
    return Effect.gen({ self: this }, function*() {
      const scope = yield* Scope.make()
      const connection = yield* Scope.provide(Connection.fromRawSocket(raw, codec), scope)
      return yield* this.end("server", connection, this.watch.sockets.find((socket) => socket === raw), scope)
    })
  }

  private end<In, Out>(
    name: "client" | "server",
    connection: Connection.Connection<In, Out>,
    raw: WatchedSocket | undefined,
    scope: Scope.Closeable
  ): Effect.Effect<End<In, Out>, string> {
    if (raw === undefined) return Effect.fail(`the ${name} has no raw socket`)
    const close = Scope.close(scope, Exit.void)
    this.ends.push(close)
    return Effect.succeed({ name, connection: this.spec.wrap?.(connection) ?? connection, raw, close })
  }

  /** Waits for the next accepted socket and takes it. */
  get accept(): Effect.Effect<Transport.RawSocket, string> {
    return Effect.map(
      this.until("the accepted socket", () => this.accepted.length > 0),
      () => this.accepted.shift() as Transport.RawSocket // until has looked
    )
  }

  /** A client and the server's end of it, each with its codec. */
  pair<In, Out, In2, Out2>(
    codec: Codec.Codec<In, Out>,
    serverCodec: Codec.Codec<In2, Out2>
  ): Effect.Effect<readonly [End<In, Out>, End<In2, Out2>], string> {
    return Effect.gen({ self: this }, function*() {
      const client = yield* this.dial(codec)
      return [client, yield* this.open(yield* this.accept, serverCodec)] as const
    })
  }

  /** Closes both ends of every pair at once, for an orderly end needs both; then the listener. */
  get close(): Effect.Effect<void> {
    return Effect.andThen(
      Effect.forEach(this.ends, (end) => end, { concurrency: "unbounded", discard: true }),
      Scope.close(this.scope, Exit.void)
    )
  }

  /** Each raw socket is gone; one that never had a handler is asked now. Nobody hangs in an operation. */
  get allGone(): Effect.Effect<void, string> {
    return Effect.suspend(() => {
      for (const socket of this.watch.open) if (!socket.attached) socket.attach(deaf)
      return Effect.andThen(
        this.until("the close of every raw socket", () => this.watch.open.length === 0),
        this.until("the end of every operation", () => this.fibers.every((fiber) => fiber.pollUnsafe() !== undefined))
      )
    })
  }
}

/** Plays a scene, and then closes everything. @category running @since 0.1.0 */
export const play = (spec: Spec, scene: Scene): Effect.Effect<void, string, Transport.Transport> =>
  Effect.gen(function*() {
    const stage = new Stage(spec, yield* Transport.Transport)
    yield* scene(stage).pipe(
      Effect.onError(() =>
        Effect.suspend(() => {
          stage.watch.destroyAll()
          return Effect.ignore(stage.run("closing everything", stage.close))
        })
      )
    )
    yield* stage.run("closing everything", stage.close)
    yield* stage.allGone
    if (stage.watch.broken !== undefined) return yield* Effect.fail(stage.watch.broken)
  })

/** Plays a scene twice: the first side is the client, and then the server. @category running @since 0.1.0 */
export const playBoth = <In, Out, In2 = In, Out2 = Out>(
  spec: Spec,
  codecs: readonly [Codec.Codec<In, Out>, Codec.Codec<In2, Out2>],
  scene: (stage: Stage, one: End<In, Out>, other: End<In2, Out2>) => Effect.Effect<void, string>
): Effect.Effect<void, string, Transport.Transport> => {
  const [codec, otherCodec] = codecs
  return Effect.andThen(
    play(
      spec,
      (stage) => Effect.flatMap(stage.pair(codec, otherCodec), ([client, server]) => scene(stage, client, server))
    ),
    play(
      spec,
      (stage) => Effect.flatMap(stage.pair(otherCodec, codec), ([client, server]) => scene(stage, server, client))
    )
  )
}
