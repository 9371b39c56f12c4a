/**
 * The stages between the accept and the protocol: the header of a proxy, and TLS, under one deadline for both.
 *
 * ```
 * begin --> proxy header --onProxied--> the owner decides --secure--> TLS --onSecure--> in
 *    |          |    `------------ no TLS: in                          |
 *    `----------`--- failed, too slow, given up --onFailed-------------'
 * ```
 *
 * Invariant: `inside` holds each arrival from `begin` until it is in, waits, or has failed and its socket was given up.
 */
import type * as Clock from "effect/Clock"
import type * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import type * as CloseReason from "../CloseReason.ts"
import * as ProxyHeader from "../ProxyHeader.ts"
import type { Arrival } from "./arrival.ts"
import { Expiry } from "./expiry.ts"
import { ProxyStage, toCloseReason } from "./proxyStage.ts"
import { Roster } from "./roster.ts"
import { TlsStage } from "./tlsStage.ts"

export class Handshakes {
  readonly inside = new Roster<Arrival>()
  private readonly maxHeaderBytes: number | undefined
  private readonly onStage: (arrival: Arrival) => void
  private readonly onFailed: (arrival: Arrival, reason: CloseReason.CloseReason, hint: string | undefined) => void
  private readonly deadline: Expiry<Arrival>
  private limitMillis: number

  constructor(options: {
    readonly maxHeaderBytes: number | undefined
    readonly limitMillis: number
    readonly clock: Clock.Clock
    readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
    /** A stage is done; the arrival is still inside. */
    readonly onStage: (arrival: Arrival) => void
    /** The arrival is not inside any more. */
    readonly onFailed: (arrival: Arrival, reason: CloseReason.CloseReason, hint: string | undefined) => void
  }) {
    const { clock, fork, limitMillis } = options
    this.maxHeaderBytes = options.maxHeaderBytes
    this.onStage = options.onStage
    this.onFailed = options.onFailed
    this.limitMillis = limitMillis
    this.deadline = new Expiry({
      millis: limitMillis,
      clock,
      fork,
      onExpire: (arrival) => this.giveUp(arrival, { _tag: "HandshakeTimeout", limitMillis: this.limitMillis })
    })
  }

  get size(): number {
    return this.inside.size
  }

  retime(limitMillis: number): void {
    this.limitMillis = limitMillis
    this.deadline.retime(limitMillis)
  }

  /** Reads the header of a proxy. */
  readHeader(arrival: Arrival): void {
    this.enter(arrival)
    const stage = new ProxyStage(arrival.raw, {
      onHeader: ({ header, local, peer }) => {
        arrival.stage = undefined
        arrival.header = header
        if (ProxyHeader.toEndpoints(header) !== undefined) {
          arrival.proxied = { local, peer }
          arrival.isUncounted = false
        }
        this.onStage(arrival)
      },
      onFailure: (failure, raw) => {
        raw.destroy()
        this.fail(arrival, toCloseReason(failure), undefined)
      }
    }, { maxBytes: this.maxHeaderBytes })
    arrival.stage = stage
    stage.start()
  }

  /** Shakes hands; the gate of the arrival has TLS. */
  secure(arrival: Arrival, { context, engine }: NonNullable<Arrival["gate"]["tls"]>): void {
    this.enter(arrival)
    const stage = new TlsStage(arrival.raw, engine, context, {
      onSecure: (raw, info) => {
        if (arrival.isOver) return raw.destroy()
        arrival.stage = undefined
        arrival.raw = raw
        arrival.tls = info
        this.onStage(arrival)
      },
      onFailure: (reason, { hint }) => this.fail(arrival, reason, hint)
    })
    arrival.stage = stage
    try {
      stage.start()
    } catch (defect) {
      // An engine that is not ours must not end the process: here nobody else would catch it.
      arrival.raw.destroy()
      this.fail(arrival, { _tag: "HandshakeFailed", message: String(defect) }, undefined)
    }
  }

  /** Takes out one that is in, or that must wait. */
  leave(arrival: Arrival): void {
    this.inside.delete(arrival)
    this.deadline.delete(arrival)
  }

  /** Ends one, for a reason of the server's; with TLS it is inside until its socket is gone. */
  giveUp(arrival: Arrival, reason: CloseReason.CloseReason): void {
    const { stage } = arrival
    if (stage instanceof TlsStage) return stage.abort(reason)
    stage?.abort()
    arrival.raw.destroy()
    this.fail(arrival, reason, undefined)
  }

  /** Ends all. */
  giveAllUp(reason: CloseReason.CloseReason): void {
    for (const arrival of this.inside) this.giveUp(arrival, reason)
  }

  /** Ends all, and waits for nobody. */
  close(reason: CloseReason.CloseReason): void {
    for (const arrival of this.inside) {
      this.giveUp(arrival, reason)
      this.fail(arrival, reason, undefined)
    }
    this.deadline.stop()
  }

  private enter(arrival: Arrival): void {
    if (this.inside.has(arrival)) return
    this.inside.add(arrival)
    this.deadline.add(arrival)
  }

  private fail(arrival: Arrival, reason: CloseReason.CloseReason, hint: string | undefined): void {
    if (arrival.isOver) return
    this.leave(arrival)
    this.onFailed(arrival, reason, hint)
  }
}
