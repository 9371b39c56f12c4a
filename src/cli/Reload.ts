/**
 * How the world asks a running server to load its certificates again: SIGHUP.
 *
 * The process listens for the signal only while somebody is interested: to any other command it is the end of its
 * terminal.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** The requests to load again. @category services @since 0.1.0 */
export class Reload extends Context.Reference<{
  /** Calls back at each request, for the time of the scope. */
  readonly listen: (onRequest: () => void) => Effect.Effect<void, never, Scope.Scope>
}>("hawser/cli/Reload", {
  defaultValue: () => ({ listen: () => Effect.void })
}) {}
