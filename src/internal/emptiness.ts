/**
 * Waiting until nobody is left.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"

export class Emptiness {
  private readonly isEmpty: () => boolean
  private emptied: (() => void) | undefined = undefined

  constructor(isEmpty: () => boolean) {
    this.isEmpty = isEmpty
  }

  /** To be called whenever somebody has gone. */
  check(): void {
    if (this.emptied !== undefined && this.isEmpty()) this.emptied()
  }

  /** Waits until nobody is left, but not longer than `millis`; one at a time. */
  within(millis: number): Effect.Effect<void> {
    const empty = Effect.callback<void>((resume) => {
      if (this.isEmpty()) return resume(Exit.void)
      this.emptied = () => resume(Exit.void)
      return Effect.sync(() => {
        this.emptied = undefined
      })
    })
    return Effect.asVoid(Effect.timeoutOption(empty, millis))
  }
}
