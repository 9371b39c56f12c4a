/**
 * Programs on the hosts of a network that a test has made itself: effects, and layers for as long as a scope is open.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Transport from "../../Transport.ts"

/** Runs a program with the transport of a host. @category models @since 0.1.0 */
export interface Run {
  /** Builds a layer, which stays until the scope closes, and gives its services. */
  <A, E, R>(
    host: string,
    layer: Layer.Layer<A, E, R>
  ): Effect.Effect<Context.Context<A>, E, Scope.Scope | Exclude<R, Transport.Transport>>
  /** Runs an effect to its end, and gives its result. */
  <A, E, R>(host: string, effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, Exclude<R, Transport.Transport>>
}

/** What runs programs on hosts, by what knows their transports. @category constructors @since 0.1.0 */
export const makeRun = (transportOf: (host: string) => Transport.Transport["Service"]): Run => {
  function run<A, E, R>(
    host: string,
    layer: Layer.Layer<A, E, R>
  ): Effect.Effect<Context.Context<A>, E, Scope.Scope | Exclude<R, Transport.Transport>>
  function run<A, E, R>(
    host: string,
    effect: Effect.Effect<A, E, R>
  ): Effect.Effect<A, E, Exclude<R, Transport.Transport>>
  function run(
    host: string,
    program: Effect.Effect<unknown, unknown, unknown> | Layer.Layer<never, unknown, unknown>
  ): Effect.Effect<unknown, unknown, unknown> {
    const effect: Effect.Effect<unknown, unknown, unknown> = Effect.isEffect(program) ? program : Layer.build(program)
    return Effect.suspend(() => Effect.provideService(effect, Transport.Transport, transportOf(host)))
  }
  return run
}
