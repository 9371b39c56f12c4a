/**
 * What the laws of connections are given, and how a scene becomes a law.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as CloseReason from "../../CloseReason.ts"
import type * as Connection from "../../Connection.ts"
import type * as Endpoint from "../../Endpoint.ts"
import type * as Transport from "../../Transport.ts"
import * as Law from "../Law.ts"
import * as Scene from "./Scene.ts"
import { tell } from "./Tell.ts"

/**
 * What the laws of connections are given; the transport is a service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spec {
  /** Where to listen, again for each scene: port 0, or a name that is free again when the listener is closed. */
  readonly endpoint: Endpoint.Input
  /** What to dial for the endpoint that the listener says. @default the same */
  readonly dial?: ((listening: Endpoint.Endpoint) => Endpoint.Input) | undefined
  /** Whether a peer can see a reset as one. @default true */
  readonly resets?: boolean | undefined
  /** At most so many bytes are taken from a writer whose peer does not read. @default 33554432 */
  readonly maxBufferedBytes?: number | undefined
  /** Applied to each connection: for those that wrap one. @default nothing */
  readonly wrap?: (<In, Out>(connection: Connection.Connection<In, Out>) => Connection.Connection<In, Out>) | undefined
  /** Lets the world go on a little, between two looks. @default Effect.yieldNow */
  readonly turn?: Effect.Effect<void> | undefined
  /** After so many turns in which nothing moves, what is awaited does not come. @default 100000 */
  readonly patienceTurns?: number | undefined
  /** How the laws with random input look for a violation. */
  readonly options?: Law.Options | undefined
}

/** The values used where an option is not given. @category models @since 0.1.0 */
export const defaults = {
  /** A Linux kernel takes 4 MiB on loopback; others take more. */
  maxBufferedBytes: 32 * 1024 * 1024,
  /** A third of a second on Node: longer than a kernel's retransmission. */
  patienceTurns: 100_000
} as const

/** A scene is slow compared with a function, and one that hangs has to be waited for. @category options @since 0.1.0 */
export const checkDefaults = { runs: 10, size: 20, maxShrinks: 20 } as const

/** A law with random input. @category constructors @since 0.1.0 */
export const random = <A>(
  name: string,
  spec: Spec,
  inputs: Law.Input<A>,
  property: (input: A) => Effect.Effect<void, string, Transport.Transport>
): Scene.Check => Law.check(`ConnectionLaws.${name}`, inputs, property, { ...checkDefaults, ...spec.options })

/** A law that is one scene. @category constructors @since 0.1.0 */
export const plain = (name: string, scene: Effect.Effect<void, string, Transport.Transport>): Scene.Check =>
  Scene.plain(`ConnectionLaws.${name}`, scene)

/**
 * The reason that an operation failed with; what it did instead, where it did not.
 *
 * @category formatting
 * @since 0.1.0
 */
export const reasonOf = (exit: Exit.Exit<unknown, unknown> | undefined): string => {
  if (exit === undefined) return "hangs"
  if (Exit.isSuccess(exit)) return "succeeds"
  const error = Cause.squash(exit.cause)
  if (error instanceof CloseReason.ConnectionError) return error.reason._tag
  return Cause.isDone(error) ? "ends" : tell(error)
}
