/**
 * Says something once, and then not again for a while: alarms about limits that come near, and lines of a log that a flood
 * would repeat.
 *
 * Only limits that all peers share have an alarm: what one peer has reached is that peer's affair, and is counted.
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as CloseReason from "../CloseReason.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Server from "../Server.ts"
import { refusalName } from "./tally.ts"
import { monotonicMillis } from "./time.ts"

/** When to alarm. */
export interface AlarmSettings {
  /** The part of a limit at which to alarm. */
  readonly at: number
  readonly cooldownMillis: number
}

/** Who was refused. */
interface Refused {
  readonly id: number
  readonly peer: Endpoint.Endpoint
}

export class Alarms {
  private readonly settings: AlarmSettings
  private readonly clock: Clock.Clock
  private readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  private readonly emit: (event: Server.Event) => void
  /** When each was said last, and how often not since; the keys are names of limits and reasons, so there are few. */
  private readonly said = new Map<string, { at: number; kept: number }>()

  constructor(options: {
    readonly settings: AlarmSettings
    readonly clock: Clock.Clock
    readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    readonly emit: (event: Server.Event) => void
  }) {
    this.settings = options.settings
    this.clock = options.clock
    this.fork = options.fork
    this.emit = options.emit
  }

  /** Called with a new value of what a limit limits; costs a comparison below the threshold. */
  check(limit: string, value: number, max: number): void {
    if (value >= max * this.settings.at) this.raise(limit, value, max)
  }

  /** Alarms, unless that was done a short while ago. */
  raise(limit: string, value: number, max: number): void {
    if (this.news(limit) === undefined) return
    this.emit({ _tag: "Alarm", limit, value, max })
    this.fork(Effect.logWarning(`${limit} is at ${value} of ${max}`))
  }

  /** Logs a refusal, with one line for all of its kind: anybody can be refused a thousand times a second. */
  refused({ id, peer }: Refused, reason: CloseReason.CloseReason, hint: string | undefined): void {
    const name = refusalName(reason)
    const kept = this.news(`refused: ${name}`)
    if (kept === undefined) return
    const text = `refused: ${CloseReason.format(reason)}${hint === undefined || hint === "" ? "" : `; ${hint}`}`
    const annotations = { connection: id, peer: Endpoint.format(peer), reason: reason._tag }
    this.fork(Effect.annotateLogs(Effect.logWarning(`${text}${besides(kept)}`), annotations))
  }

  /**
   * Asks to say something, and takes it for said: how often that was asked in vain since the last time, or `undefined`
   * where it is too early to say it again.
   */
  news(what: string): number | undefined {
    const now = monotonicMillis(this.clock)
    const last = this.said.get(what)
    if (last !== undefined && now - last.at < this.settings.cooldownMillis) {
      last.kept++
      return undefined
    }
    this.said.set(what, { at: now, kept: 0 })
    return last?.kept ?? 0
  }
}

/** What a line adds for those of its kind that had none. */
export const besides = (kept: number): string =>
  kept === 0 ? "" : ` (and ${kept} more of this kind since the last line)`
