/**
 * How the world asks the program to stop: a first signal, or a reader of stdout that went away.
 *
 * A command that awaits `requested` ends in its own way, as `serve` does by draining; any other is interrupted.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"

/** The request to stop. @category services @since 0.1.0 */
export class Stop extends Context.Reference<{
  /** Completes at the first request. From the moment somebody awaits it, the program is not interrupted. */
  readonly requested: Effect.Effect<void>
}>("hawser/cli/Stop", {
  defaultValue: () => ({ requested: Effect.never })
}) {}
