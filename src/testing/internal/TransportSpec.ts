/**
 * What the laws of transports are given, and how a scene becomes a law.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Transport from "../../Transport.ts"
import * as Law from "../Law.ts"
import * as ConnectionSpec from "./ConnectionSpec.ts"
import * as Scene from "./Scene.ts"

/**
 * What the laws of transports are given; the transport is a service, and each law wants a fresh one or a free endpoint.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spec extends Omit<ConnectionSpec.Spec, "wrap"> {}

/** A law with random input. @category constructors @since 0.1.0 */
export const random = <A>(
  name: string,
  spec: Spec,
  inputs: Law.Input<A>,
  property: (input: A) => Effect.Effect<void, string, Transport.Transport>
): Scene.Check =>
  Law.check(`TransportLaws.${name}`, inputs, property, { ...ConnectionSpec.checkDefaults, ...spec.options })

/** A law that is one scene. @category constructors @since 0.1.0 */
export const plain = (name: string, scene: Effect.Effect<void, string, Transport.Transport>): Scene.Check =>
  Scene.plain(`TransportLaws.${name}`, scene)
