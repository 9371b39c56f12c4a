/**
 * Counts by name: how many connections ended, or were refused, for which reason.
 */
import type * as CloseReason from "../CloseReason.ts"

export class Tally {
  private readonly counts = new Map<string, number>()

  add(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1)
  }

  /** The counts of now, without names that never came. */
  get all(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.counts)
  }
}

/** What a refusal is counted by: the limit, where it was one. */
export const refusalName = (reason: CloseReason.CloseReason): string =>
  reason._tag === "OverLimit" ? reason.limit : reason._tag

/** The reason of a refusal by a limit; `limit` is the option. */
export const overLimit = (limit: string, max: number): CloseReason.CloseReason => ({ _tag: "OverLimit", limit, max })
