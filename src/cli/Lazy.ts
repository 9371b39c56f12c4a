/**
 * Commands that are loaded when they are chosen, so that no other pays for them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Log from "./Log.ts"

/** Loads a module and runs one of its functions. @category running @since 0.1.0 */
export const load = <Module, A, E, R>(module: () => Promise<Module>, run: (module: Module) => Effect.Effect<A, E, R>) =>
  Log.provide(Effect.flatMap(Effect.promise(module), run))
