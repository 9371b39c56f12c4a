/**
 * One direction between two hosts of a simulated network: its settings, and what blocks it.
 *
 * ```
 * settings = base + each SetLink that lasts          frozen = a partition, a stall, or a host that is down
 * ```
 *
 * Every fault that lasts holds the route by a token of its own, so the end of one does not lift another.
 *
 * @since 0.1.0
 */
import type * as Random from "../Random.ts"
import * as SimulatedLink from "../SimulatedLink.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"

/** Why bytes are held back. @category models @since 0.1.0 */
export interface Hold {
  readonly kind: "partition" | "stall" | "down"
  /** What becomes of dials. */
  readonly dials: "pass" | "drop" | "reject"
}

/** One direction between two hosts. @category models @since 0.1.0 */
export class SimulatedRoute {
  readonly from: SimulatedHost
  readonly to: SimulatedHost
  settings: SimulatedLink.AllSettings
  private readonly base: SimulatedLink.AllSettings
  private readonly changes = new Map<object, SimulatedLink.Settings>()
  private readonly holds = new Map<object, Hold>()
  /** The share of the stable latency of this pair of hosts: from 0 to 1. */
  private readonly pairShare: number
  /** When the last byte that was sent has left, in a route of limited bandwidth. */
  private freeAt = 0

  constructor(from: SimulatedHost, to: SimulatedHost, settings: SimulatedLink.AllSettings, pairShare: number) {
    this.from = from
    this.to = to
    this.base = settings
    this.settings = settings
    this.pairShare = pairShare
  }

  /** Nothing arrives. */
  get frozen(): boolean {
    return this.holds.size > 0
  }

  /** What holds the bytes back, for a reader. */
  get heldBy(): Hold["kind"] | undefined {
    for (const hold of this.holds.values()) return hold.kind
    return undefined
  }

  /** What becomes of a dial. */
  get dials(): Hold["dials"] {
    let worst: Hold["dials"] = "pass"
    for (const { dials } of this.holds.values()) {
      if (dials === "reject") return dials
      if (dials === "drop") worst = dials
    }
    return worst
  }

  hold(token: object, hold: Hold): void {
    this.holds.set(token, hold)
  }

  release(token: object): void {
    this.holds.delete(token)
  }

  /** Takes away partitions and stalls. */
  repair(): void {
    for (const [token, { kind }] of this.holds) if (kind !== "down") this.holds.delete(token)
  }

  change(token: object, settings: SimulatedLink.Settings | undefined): void {
    if (settings === undefined) this.changes.delete(token)
    else this.changes.set(token, settings)
    this.settings = this.base
    for (const change of this.changes.values()) this.settings = SimulatedLink.merge(this.settings, change)
  }

  /** Whether everything that is sent at one moment arrives at one moment. */
  get isSteady(): boolean {
    const { bytesPerSecond, latency } = this.settings
    return bytesPerSecond === "unlimited" && (typeof latency === "number" || latency._tag === "Fixed")
  }

  /** How long an acknowledgement takes: no time is drawn for it, so it is the shortest. */
  get ackMillis(): number {
    return SimulatedLink.minLatency(this.settings.latency) + this.pairShare * this.settings.pairMillis
  }

  /** When something arrives that is sent now. */
  arrival(now: number, bytes: number, random: () => Random.Random): number {
    const { bytesPerSecond, latency, pairMillis } = this.settings
    let left = now
    if (bytesPerSecond !== "unlimited") {
      this.freeAt = Math.max(this.freeAt, now) + bytes * 1000 / bytesPerSecond
      left = this.freeAt
    }
    const own = typeof latency === "number" ? latency : SimulatedLink.drawLatency(latency, random())
    // Whole microseconds: a trace tells them, and sums of fractions stay what they look like.
    return Math.round((left + own + this.pairShare * pairMillis) * 1000) / 1000
  }
}
