/**
 * A host of a simulated network: its name and addresses, ports, listeners, open sockets, and whether it is up.
 *
 * ```
 * port 0 --> 49152, 49153, ... 65535, 49152 ...     the dynamic ports of RFC 6335, section 6, skipping those in use
 * ```
 *
 * @since 0.1.0
 */
import * as NetAddress from "effect/net/NetAddress"
import type { SimulatedCore } from "./SimulatedCore.ts"
import type { SimulatedDial } from "./SimulatedDial.ts"
import type { Scope, SimulatedListener } from "./SimulatedListener.ts"
import type { SimulatedRoute } from "./SimulatedRoute.ts"
import type { SimulatedSocket } from "./SimulatedSocket.ts"

const firstPort = 49_152
const lastPort = 65_535

/** What a host does with dials, or with who has dialled. @category models @since 0.1.0 */
export interface PortRule {
  readonly kind: "refuse" | "blackHole" | "hold"
  /** All of them, where it is not given. */
  readonly port: number | undefined
}

/** One host. @category models @since 0.1.0 */
export class SimulatedHost {
  readonly name: string
  readonly addresses: ReadonlyArray<NetAddress.IpAddress>
  /** Programs on it may use the network. */
  isUp = true
  /** It answers dials, if only to refuse them. */
  answers = true
  readonly routes = new Map<SimulatedHost, SimulatedRoute>()
  readonly dials = new Set<SimulatedDial>()
  readonly rules = new Map<object, PortRule>()
  /** The smallest of its limits counts. */
  readonly limits = new Map<object, number>()
  private readonly core: SimulatedCore
  private readonly listeners = new Map<number, Array<SimulatedListener>>()
  /** Ports of sockets that have dialled. */
  private readonly ports = new Set<number>()
  private nextPort = firstPort
  private descriptors = 0
  private readonly watchers = new Set<(state: "down" | "up") => void>()

  constructor(core: SimulatedCore, name: string, addresses: ReadonlyArray<NetAddress.IpAddress>) {
    this.core = core
    this.name = name
    this.addresses = addresses
  }

  /** Sockets and listeners that are open, and dials. */
  get openDescriptors(): number {
    return this.descriptors
  }

  /** Takes a descriptor, where there is one left. */
  takeDescriptor(): boolean {
    for (const limit of this.limits.values()) if (this.descriptors >= limit) return false
    this.descriptors++
    return true
  }

  freeDescriptor(): void {
    this.descriptors--
  }

  /** Takes a dynamic port, where there is one left. */
  takePort(): number | undefined {
    for (let tries = firstPort; tries <= lastPort; tries++) {
      const port = this.nextPort
      this.nextPort = port === lastPort ? firstPort : port + 1
      if (this.ports.has(port) || this.listeners.has(port)) continue
      this.ports.add(port)
      return port
    }
    return undefined
  }

  freePort(port: number): void {
    this.ports.delete(port)
  }

  // --- listeners ---------------------------------------------------------------------------------------------------

  /** Whether somebody listens there, or where a wildcard would take it. */
  isTaken(scope: Scope, port: number): boolean {
    return this.ports.has(port) || (this.listeners.get(port)?.some((other) => overlap(scope, other.scope)) ?? false)
  }

  listen(listener: SimulatedListener): void {
    const there = this.listeners.get(listener.port)
    if (there === undefined) this.listeners.set(listener.port, [listener])
    else there.push(listener)
  }

  unlisten(listener: SimulatedListener): void {
    const left = this.listeners.get(listener.port)?.filter((other) => other !== listener) ?? []
    if (left.length === 0) this.listeners.delete(listener.port)
    else this.listeners.set(listener.port, left)
    this.freeDescriptor()
    this.core.noteHost("unlistens", `${this.name}:${listener.port}`)
  }

  /** Who listens there. No two do: their binds would overlap. */
  find(address: NetAddress.IpAddress, port: number): SimulatedListener | undefined {
    return this.listeners.get(port)?.find(({ scope }) => overlap(scope, address))
  }

  get allListeners(): ReadonlyArray<SimulatedListener> {
    return Array.from(this.listeners.values()).flat()
  }

  // --- what faults do ----------------------------------------------------------------------------------------------

  /** Whether a rule of a kind holds for a port. */
  hasRule(kind: PortRule["kind"], port: number): boolean {
    for (const rule of this.rules.values()) {
      if (rule.kind === kind && (rule.port === undefined || rule.port === port)) return true
    }
    return false
  }

  holdsAccepts(port: number): boolean {
    return this.rules.size > 0 && this.hasRule("hold", port)
  }

  /** Takes rules away, and accepts whoever is held by none any more. */
  unrule(matches: (token: object, rule: PortRule) => boolean): void {
    for (const [token, rule] of this.rules) if (matches(token, rule)) this.rules.delete(token)
    for (const listener of this.allListeners) if (!this.holdsAccepts(listener.port)) listener.acceptAll()
  }

  /** Everything that runs on it is gone. */
  crash(peers: "reset" | "silent"): void {
    const sockets: Array<SimulatedSocket> = []
    for (const { acceptor, dialer } of this.core.connections.values()) {
      if (dialer.here.host === this) sockets.push(dialer)
      if (acceptor.here.host === this) sockets.push(acceptor)
    }
    for (const listener of this.allListeners) listener.stop()
    for (const dial of this.dials) dial.fail("Unreachable", "ENETDOWN")
    for (const socket of sockets) socket.vanish(peers)
    this.isUp = false
    this.answers = peers === "reset"
    for (const watcher of this.watchers) watcher("down")
  }

  restart(): void {
    this.isUp = true
    this.answers = true
    for (const watcher of this.watchers) watcher("up")
  }

  watch(watcher: (state: "down" | "up") => void): () => void {
    this.watchers.add(watcher)
    return () => void this.watchers.delete(watcher)
  }
}

/** Whether two addresses are the same. @category predicates @since 0.1.0 */
export const isSame = (one: NetAddress.IpAddress, other: NetAddress.IpAddress): boolean =>
  NetAddress.formatIp(one) === NetAddress.formatIp(other)

const overlap = (one: Scope, other: Scope): boolean => {
  if (one === "*" || other === "*") return true
  if (one === "IPv4") return other === "IPv4" || NetAddress.isIpv4Address(other)
  return other === "IPv4" ? NetAddress.isIpv4Address(one) : isSame(one, other)
}
