/**
 * What all parts of one simulated network share: time, random numbers, trace, hosts, routes, connections.
 *
 * Times inside are milliseconds since the network was made, whatever the clock says.
 *
 * @since 0.1.0
 */
import * as Host from "effect/net/Host"
import * as NetAddress from "effect/net/NetAddress"
import type * as Endpoint from "../../Endpoint.ts"
import type * as Random from "../Random.ts"
import * as SimulatedLink from "../SimulatedLink.ts"
import type { Timers } from "../Timers.ts"
import type * as Trace from "../Trace.ts"
import type { SimulatedConnection } from "./SimulatedConnection.ts"
import type { Target } from "./SimulatedDial.ts"
import { SimulatedHost } from "./SimulatedHost.ts"
import type { SimulatedPipe } from "./SimulatedPipe.ts"
import { SimulatedRoute } from "./SimulatedRoute.ts"

/** Settings for some routes. @category models @since 0.1.0 */
export interface LinkRule {
  readonly from: string
  readonly to: string
  readonly settings: SimulatedLink.Settings
}

/** What a core is made of. @category models @since 0.1.0 */
export interface Parts {
  readonly timers: Timers
  readonly random: Random.Random
  readonly trace: Trace.Trace
  /** The settings of all routes, and those of some; later ones win. */
  readonly link: SimulatedLink.AllSettings
  readonly links: ReadonlyArray<LinkRule>
  readonly connectTimeoutMillis: number
  readonly giveUpMillis: number
}

/** Who must hear of each new connection. @category models @since 0.1.0 */
export interface Joining {
  readonly join: (connection: SimulatedConnection) => void
}

/** A host talks to itself in no time, and in the pieces of all links. */
const loopback: SimulatedLink.Settings = { latency: 0, pairMillis: 0, bytesPerSecond: "unlimited" }

/** The networks for documentation, RFC 5737; then a private one, RFC 1918. */
const ipv4Blocks = [[192, 0, 2], [198, 51, 100], [203, 0, 113]] as const
const hostsPerBlock = 254

/** What all parts share. @category models @since 0.1.0 */
export class SimulatedCore {
  readonly random: Random.Random
  readonly trace: Trace.Trace
  readonly hosts = new Map<string, SimulatedHost>()
  readonly connections = new Map<number, SimulatedConnection>()
  readonly connectTimeoutMillis: number
  readonly giveUpMillis: number
  /** Set by who injects faults, before anything happens. */
  faults: Joining = { join: () => {} }
  private readonly parts: Parts
  private readonly epoch: number
  private readonly byAddress = new Map<string, SimulatedHost>()
  private readonly ordinals = new Map<string, number>()
  private sockets = 0
  private dials = 0
  private lastConnection = 0
  private numbered = 0

  constructor(parts: Parts) {
    this.parts = parts
    this.random = parts.random
    this.trace = parts.trace
    this.connectTimeoutMillis = parts.connectTimeoutMillis
    this.giveUpMillis = parts.giveUpMillis
    this.epoch = parts.timers.now()
  }

  now(): number {
    return this.parts.timers.now() - this.epoch
  }

  at(millis: number, run: () => void): () => void {
    return this.parts.timers.at(millis + this.epoch, run)
  }

  nextSocketId(): number {
    return ++this.sockets
  }
  nextDialId(): number {
    return ++this.dials
  }
  nextConnectionId(): number {
    return ++this.lastConnection
  }
  /** Which connection of two hosts this is, whoever dials. */
  nextOrdinal(one: SimulatedHost, other: SimulatedHost): number {
    const pair = pairOf(one, other)
    const ordinal = (this.ordinals.get(pair) ?? 0) + 1
    this.ordinals.set(pair, ordinal)
    return ordinal
  }

  // --- trace -------------------------------------------------------------------------------------------------------

  /** Notes what happens in one direction of a connection. */
  note(kind: Trace.Kind, pipe: SimulatedPipe, bytes = -1, offset = 0, detail = ""): void {
    const { id, reader, writer } = pipe.ends
    this.trace.record({
      time: this.now(),
      kind,
      connection: id,
      from: writer.label,
      to: reader.label,
      bytes,
      offset,
      detail
    })
  }

  /** Notes what happens to a host. */
  noteHost(kind: Trace.Kind, from: string, to = "", detail = ""): void {
    this.trace.record({ time: this.now(), kind, connection: 0, from, to, bytes: -1, offset: 0, detail })
  }

  // --- hosts and routes --------------------------------------------------------------------------------------------

  /** Adds a host; without addresses it gets an IPv4 and an IPv6 one. Says what is wrong, if something is. */
  addHost(name: string, addresses?: ReadonlyArray<NetAddress.IpAddress>): SimulatedHost | string {
    if (this.hosts.has(name)) return `host ${name} is there already`
    const given = addresses ?? this.nextAddresses()
    for (const address of given) {
      const other = this.byAddress.get(NetAddress.formatIp(address))
      if (other !== undefined) return `the address ${NetAddress.formatIp(address)} is that of host ${other.name}`
    }
    const host = new SimulatedHost(this, name, given)
    this.hosts.set(name, host)
    for (const address of given) this.byAddress.set(NetAddress.formatIp(address), host)
    return host
  }

  private nextAddresses(): ReadonlyArray<NetAddress.IpAddress> {
    for (;;) {
      const index = this.numbered++
      const block = ipv4Blocks[Math.floor(index / hostsPerBlock)]
      const ipv4 = block === undefined
        ? `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`
        : `${block.join(".")}.${index % hostsPerBlock + 1}`
      const addresses = [ipv4, `2001:db8::${(index + 1).toString(16)}`] // RFC 3849
      if (!addresses.some((address) => this.byAddress.has(address))) return addresses.map(NetAddress.ipFromStringUnsafe)
    }
  }

  route(from: SimulatedHost, to: SimulatedHost): SimulatedRoute {
    const known = from.routes.get(to)
    if (known !== undefined) return known
    let settings = from === to ? SimulatedLink.merge(this.parts.link, loopback) : this.parts.link
    for (const rule of this.parts.links) {
      if (isMeant(rule.from, from) && isMeant(rule.to, to)) settings = SimulatedLink.merge(settings, rule.settings)
    }
    const route = new SimulatedRoute(from, to, settings, this.random.fork(`pair ${pairOf(from, to)}`).real())
    from.routes.set(to, route)
    return route
  }

  /** Who has a name or an address, for a host that dials; or the code of why that is nobody. */
  resolve(
    dialer: SimulatedHost,
    wanted: Endpoint.Tcp["host"]
  ): Target | "ENOTFOUND" | "EHOSTUNREACH" | "ENETUNREACH" {
    if (typeof wanted !== "string") {
      if (NetAddress.isLoopback(wanted)) return { host: dialer, address: wanted, local: wanted }
      const host = this.byAddress.get(NetAddress.formatIp(wanted))
      return host === undefined ? "EHOSTUNREACH" : this.reach(dialer, host, [wanted])
    }
    if (wanted === "localhost") return this.resolve(dialer, NetAddress.ipv4Loopback)
    const host = this.hosts.get(nameOf(wanted))
    return host === undefined ? "ENOTFOUND" : this.reach(dialer, host, host.addresses)
  }

  /** Chooses the first address for which the dialer has one of the same family. */
  private reach(
    dialer: SimulatedHost,
    host: SimulatedHost,
    addresses: ReadonlyArray<NetAddress.IpAddress>
  ): Target | "ENETUNREACH" {
    for (const address of addresses) {
      if (dialer === host) return { host, address, local: address }
      const local = dialer.addresses.find((own) => own._tag === address._tag)
      if (local !== undefined) return { host, address, local }
    }
    return "ENETUNREACH"
  }
}

/** Whether a name in a rule or a fault means a host. @category predicates @since 0.1.0 */
export const isMeant = (name: string, host: SimulatedHost): boolean => name === "*" || name === host.name

/** The hosts that a fault or a link names, `"*"` too. @category getters @since 0.1.0 */
export const namesIn = (self: { readonly host: string } | { readonly from: string; readonly to: string }) =>
  "host" in self ? [self.host] : [self.from, self.to]

/** The name of a host as its endpoints have it. @category getters @since 0.1.0 */
export const nameOf = (name: string): string => Host.isDomainName(name) ? Host.toRelative(name) : name

const pairOf = (one: SimulatedHost, other: SimulatedHost): string => [one.name, other.name].sort().join(" ")
