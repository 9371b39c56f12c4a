/**
 * A token bucket without a timer: it is filled when somebody asks.
 */
import type { RateSettings } from "./serverLimits.ts"

export class TokenBucket {
  private tokens: number
  private at: number

  /** Full at first. */
  constructor({ burst }: RateSettings, now: number) {
    this.tokens = burst
    this.at = now
  }

  /** Takes a token; says whether there was one. */
  take(rate: RateSettings, now: number): boolean {
    this.tokens = this.level(rate, now)
    this.at = now
    if (this.tokens < 1) return false
    this.tokens--
    return true
  }

  /** Whether it differs in nothing from a new one. */
  isFull(rate: RateSettings, now: number): boolean {
    return this.level(rate, now) >= rate.burst
  }

  private level({ burst, connections, perMillis }: RateSettings, now: number): number {
    return Math.min(burst, this.tokens + (now - this.at) * connections / perMillis)
  }
}
