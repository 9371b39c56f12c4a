/**
 * The rules about addresses: who may come in at all, how fast, and with how many connections.
 *
 * ```
 * peer --deny, allow--> --its rate--> --its count--> a seat, which it gives back when it is gone
 *             Denied       perPeer.rate  perPeer.maxConnections
 * ```
 *
 * A peer is watched while it has a seat, and after that until its bucket is full again, because it differs from a
 * stranger no longer than that. Of those without a seat at most `maxIdle` are remembered; the one that left first is
 * forgotten first. No timer: the old ones are dropped when others come.
 *
 * Invariant: `peer.open` is the number of `Seated` whose `seat` is that peer.
 */
import type * as CloseReason from "../CloseReason.ts"
import type * as Endpoint from "../Endpoint.ts"
import * as Networks from "../Networks.ts"
import type { LimitSettings } from "./serverLimits.ts"
import { overLimit } from "./tally.ts"
import { TokenBucket } from "./tokenBucket.ts"

/** Peers without a connection whose rate is remembered: a few megabytes. Arbitrary; not measured. */
const maxIdle = 16_384

const denied: CloseReason.CloseReason = { _tag: "Denied", rule: "deny" }
const notAllowed: CloseReason.CloseReason = { _tag: "Denied", rule: "allow" }

/** What is known of one peer. */
export interface Peer {
  readonly key: string
  open: number
  bucket: TokenBucket | undefined
}

/** What can have a seat. */
export interface Seated {
  readonly peer: Endpoint.Endpoint
  seat: Peer | undefined
  /** A trusted proxy's own connection. */
  readonly isUncounted: boolean
}

export class AdmissionRules {
  private limits: LimitSettings
  private readonly peers = new Map<string, Peer>()
  /** Those without a seat, in the order of leaving. */
  private readonly idle = new Set<Peer>()
  private tooMany: CloseReason.CloseReason
  private tooFast: CloseReason.CloseReason

  constructor(limits: LimitSettings) {
    this.limits = limits
    this.tooMany = overLimit("perPeer.maxConnections", limits.peerMaxConnections)
    this.tooFast = overLimit("perPeer.rate", limits.peerRate?.connections ?? 0)
  }

  /** Whether addresses matter at all: most servers can do without looking at them. */
  get areOn(): boolean {
    return this.limits.allow !== undefined || this.limits.deny !== undefined || this.watchesPeers
  }

  /** How many peers are known now. */
  get known(): number {
    return this.peers.size
  }

  private get watchesPeers(): boolean {
    return this.limits.peerRate !== undefined || this.limits.peerMaxConnections < this.limits.maxConnections
  }

  /** Whether `deny` or `allow` keeps an address out. */
  objection(member: Seated): CloseReason.CloseReason | undefined {
    const { allow, deny } = this.limits
    if (member.isUncounted) return undefined
    if (deny !== undefined && Networks.contains(deny, member.peer)) return denied
    return allow !== undefined && !Networks.contains(allow, member.peer) ? notAllowed : undefined
  }

  /** Looks at whoever has just come, or was just named; `undefined`: it has its seat, if it needs one. */
  check(member: Seated, now: number): CloseReason.CloseReason | undefined {
    const { keyOf, peerRate } = this.limits
    const objection = this.objection(member)
    if (objection !== undefined || member.isUncounted || !this.watchesPeers) return objection
    const peer = this.find(keyOf(member.peer), now)
    if (peerRate !== undefined && !(peer.bucket ??= new TokenBucket(peerRate, now)).take(peerRate, now)) {
      return this.tooFast
    }
    return this.sit(member, peer) ? undefined : this.tooMany
  }

  /** Takes a seat for one that had to wait for it; says whether it has what it needs. */
  seatWaiting(member: Seated, now: number): boolean {
    if (member.seat !== undefined || member.isUncounted || !this.watchesPeers) return true
    return this.sit(member, this.find(this.limits.keyOf(member.peer), now))
  }

  /** Whether a reason is that a peer has too many, for which one can wait. */
  isTooMany(reason: CloseReason.CloseReason): boolean {
    return reason._tag === "OverLimit" && reason.limit === "perPeer.maxConnections"
  }

  leave(member: Seated, now: number): void {
    const { seat } = member
    if (seat === undefined) return
    member.seat = undefined
    seat.open--
    this.settle(seat, now)
  }

  /** Other limits: everybody in `members` is counted again. */
  change(limits: LimitSettings, members: Iterable<Seated>): void {
    this.limits = limits
    this.tooMany = overLimit("perPeer.maxConnections", limits.peerMaxConnections)
    this.tooFast = overLimit("perPeer.rate", limits.peerRate?.connections ?? 0)
    this.peers.clear()
    this.idle.clear()
    for (const member of members) {
      member.seat = undefined
      if (member.isUncounted || !this.watchesPeers) continue
      const peer = this.find(limits.keyOf(member.peer), 0)
      peer.open++
      member.seat = peer
      this.idle.delete(peer)
    }
  }

  private find(key: string, now: number): Peer {
    const known = this.peers.get(key)
    if (known !== undefined) return known
    this.forget(now)
    const peer: Peer = { key, open: 0, bucket: undefined }
    this.peers.set(key, peer)
    this.idle.add(peer)
    return peer
  }

  private sit(member: Seated, peer: Peer): boolean {
    if (peer.open >= this.limits.peerMaxConnections) return false
    peer.open++
    member.seat = peer
    this.idle.delete(peer)
    return true
  }

  /** A peer without a seat is forgotten as soon as that makes no difference. */
  private settle(peer: Peer, now: number): void {
    if (peer.open > 0) return
    const { peerRate } = this.limits
    if (peerRate === undefined || peer.bucket?.isFull(peerRate, now) !== false) {
      this.idle.delete(peer)
      this.peers.delete(peer.key)
    } else {
      this.idle.add(peer)
    }
  }

  private forget(now: number): void {
    for (const peer of this.idle) {
      const { peerRate } = this.limits
      const isOld = peerRate === undefined || peer.bucket?.isFull(peerRate, now) !== false
      if (!isOld && this.idle.size < maxIdle) return
      this.idle.delete(peer)
      this.peers.delete(peer.key)
    }
  }
}
