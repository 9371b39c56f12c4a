/**
 * What each fault does to a simulated network, when it comes and when it ends.
 *
 * ```
 * inject --at--> begin --forMillis--> end
 *                  `-- at a byte: given to the pipes there are, and to those that come
 * ```
 *
 * @since 0.1.0
 */
import type * as Fault from "../Fault.ts"
import type { ByteFault } from "./ByteFaults.ts"
import type { SimulatedConnection } from "./SimulatedConnection.ts"
import { isMeant, type Joining, namesIn, type SimulatedCore } from "./SimulatedCore.ts"
import type { PortRule, SimulatedHost } from "./SimulatedHost.ts"
import type { SimulatedPipe } from "./SimulatedPipe.ts"
import type { SimulatedRoute } from "./SimulatedRoute.ts"

type Stream = Pick<Fault.Of<"Reset">, "from" | "to" | "connection">

/** The faults of one network. @category models @since 0.1.0 */
export class SimulatedFaults implements Joining {
  private readonly core: SimulatedCore
  /** Those that wait for a byte of a connection that is to come. */
  private readonly waiting: Array<{ readonly stream: Stream; readonly fault: ByteFault }> = []
  /** What holds the routes of each host that is down. */
  private readonly down = new Map<SimulatedHost, object>()
  /** What is to come. */
  private readonly timers = new Set<() => void>()

  constructor(core: SimulatedCore) {
    this.core = core
    core.faults = this
  }

  /** What is wrong with a fault here; it is valid otherwise. */
  broken(fault: Fault.Fault): string | undefined {
    for (const name of namesIn(fault)) {
      if (name !== "*" && !this.core.hosts.has(name)) {
        return `there is no host ${name}, the hosts are ${Array.from(this.core.hosts.keys()).join(", ") || "none"}`
      }
    }
    return undefined
  }

  inject(fault: Fault.Fault): void {
    const { core } = this
    const at = "at" in fault ? fault.at ?? 0 : 0
    if (at > core.now()) this.at(at, () => this.begin(fault))
    else this.begin(fault)
  }

  private at(millis: number, run: () => void): void {
    const cancel = this.core.at(millis, () => {
      this.timers.delete(cancel)
      run()
    })
    this.timers.add(cancel)
  }

  /** Nothing more goes wrong. */
  stop(): void {
    for (const cancel of this.timers) cancel()
    this.timers.clear()
  }

  /** A new connection gets what waits for it. */
  join(connection: SimulatedConnection): void {
    for (const { fault, stream } of this.waiting) {
      const pipe = pipeOf(stream, connection)
      pipe?.addFault(fault)
    }
  }

  private begin(fault: Fault.Fault): void {
    const { core } = this
    core.noteHost("fault", ...placeOf(fault), fault._tag)
    switch (fault._tag) {
      case "Partition": {
        const routes = this.routes(fault)
        const hold = { kind: "partition", dials: fault.dials ?? "drop" } as const
        if (fault.connections === "reset") {
          const there = new Set(routes)
          for (const connection of Array.from(core.connections.values())) {
            if (there.has(connection.forward.route) || there.has(connection.backward.route)) connection.break()
          }
        }
        return this.hold(fault, routes, hold)
      }
      case "Stall":
        return this.hold(fault, this.routes({ ...fault, direction: "oneWay" }), { kind: "stall", dials: "pass" })
      case "Repair":
        return this.change(this.routes(fault), (route) => route.repair())
      case "Reset":
        if (fault.atByte !== undefined) {
          return this.wait(fault, { kind: "reset", atByte: fault.atByte, seenAs: fault.seenAs ?? "reset" })
        }
        for (const connection of Array.from(core.connections.values())) {
          const pipe = pipeOf(fault, connection)
          if (pipe !== undefined) pipe.ends.broken(fault.seenAs ?? "reset")
        }
        return
      case "Corrupt":
        return this.wait(fault, { kind: "corrupt", atByte: fault.atByte, xor: fault.xor })
      case "SetLink": {
        const token = {}
        const routes = this.routes(fault)
        for (const route of routes) route.change(token, fault.settings)
        return this.later(fault, () => {
          for (const route of routes) route.change(token, undefined)
        })
      }
      case "Crash":
        for (const host of this.hosts(fault.host)) this.crash(host, fault)
        return
      case "Restart":
        for (const host of this.hosts(fault.host)) this.restart(host)
        return
      case "Refuse":
        return this.rule(fault, { kind: "refuse", port: fault.port })
      case "BlackHole":
        return this.rule(fault, { kind: "blackHole", port: fault.port })
      case "HoldAccepts":
        return this.rule(fault, { kind: "hold", port: fault.port })
      case "Accept":
        for (const host of this.hosts(fault.host)) {
          host.unrule((_, { port }) => fault.port === undefined || port === fault.port)
        }
        return
      case "Exhaust": {
        const token = {}
        const hosts = this.hosts(fault.host)
        for (const host of hosts) host.limits.set(token, fault.descriptors)
        return this.later(fault, () => {
          for (const host of hosts) host.limits.delete(token)
        })
      }
    }
  }

  /** Ends a fault that lasts for a time. */
  private later(fault: Fault.Fault, end: () => void): void {
    const { core } = this
    if (!("forMillis" in fault) || fault.forMillis === undefined) return
    this.at(core.now() + fault.forMillis, () => {
      core.noteHost("faultEnds", ...placeOf(fault), fault._tag)
      end()
    })
  }

  // --- routes ------------------------------------------------------------------------------------------------------

  private hold(fault: Fault.Fault, routes: ReadonlyArray<SimulatedRoute>, hold: Parameters<SimulatedRoute["hold"]>[1]) {
    const token = {}
    this.change(routes, (route) => route.hold(token, hold))
    this.later(fault, () => this.change(routes, (route) => route.release(token)))
  }

  /** Changes routes, and tells the pipes of those that were frozen or opened by that. */
  private change(routes: ReadonlyArray<SimulatedRoute>, change: (route: SimulatedRoute) => void): void {
    const changed = new Set<SimulatedRoute>()
    for (const route of routes) {
      const before = route.frozen
      change(route)
      if (route.frozen !== before) changed.add(route)
    }
    if (changed.size === 0) return
    for (const { backward, forward } of Array.from(this.core.connections.values())) {
      for (const pipe of [forward, backward]) {
        if (changed.has(pipe.route)) pipe.changed(true)
        if (changed.has(pipe.back)) pipe.changed(false)
      }
    }
  }

  private hosts(name: string): ReadonlyArray<SimulatedHost> {
    return Array.from(this.core.hosts.values()).filter((host) => isMeant(name, host))
  }

  /** Each direction once; a host talks to itself through no network, unless it is meant by name. */
  private routes({ direction, from, to }: Pick<Fault.Of<"Partition">, "direction" | "from" | "to">) {
    const routes = new Set<SimulatedRoute>()
    for (const one of this.hosts(from)) {
      for (const other of this.hosts(to)) {
        if (one === other && (from !== to || from === "*")) continue
        routes.add(this.core.route(one, other))
        if (direction !== "oneWay") routes.add(this.core.route(other, one))
      }
    }
    return Array.from(routes)
  }

  // --- streams -----------------------------------------------------------------------------------------------------

  private wait(stream: Stream, fault: ByteFault): void {
    this.waiting.push({ stream, fault })
    for (const connection of Array.from(this.core.connections.values())) pipeOf(stream, connection)?.addFault(fault)
  }

  // --- hosts -------------------------------------------------------------------------------------------------------

  private rule(fault: Fault.Fault & { readonly host: string }, rule: PortRule): void {
    const token = {}
    const hosts = this.hosts(fault.host)
    for (const host of hosts) host.rules.set(token, rule)
    this.later(fault, () => {
      for (const host of hosts) host.unrule((other) => other === token)
    })
  }

  private crash(host: SimulatedHost, fault: Fault.Of<"Crash">): void {
    if (!host.isUp) return
    const { core } = this
    const peers = fault.peers ?? "reset"
    core.noteHost("crashed", host.name, "", peers)
    host.crash(peers)
    if (peers === "silent") {
      const token = {}
      this.down.set(host, token)
      this.change(this.around(host), (route) => route.hold(token, { kind: "down", dials: "drop" }))
    }
    if (fault.restartAfterMillis !== undefined) {
      this.at(core.now() + fault.restartAfterMillis, () => this.restart(host))
    }
  }

  private restart(host: SimulatedHost): void {
    if (host.isUp) return
    this.core.noteHost("restarted", host.name)
    const token = this.down.get(host)
    this.down.delete(host)
    if (token !== undefined) this.change(this.around(host), (route) => route.release(token))
    host.restart()
  }

  private around(host: SimulatedHost): ReadonlyArray<SimulatedRoute> {
    return this.hosts("*").flatMap((other) =>
      other === host ? [] : [this.core.route(host, other), this.core.route(other, host)]
    )
  }
}

/** Where a fault is, for the trace. */
const placeOf = (fault: Fault.Fault): readonly [from: string, to: string] => {
  const [from = "", to = ""] = namesIn(fault)
  return [from, to]
}

/** The direction of a connection that is meant, if one is. */
const pipeOf = ({ connection, from, to }: Stream, { backward, forward, ordinal }: SimulatedConnection) => {
  if (connection !== undefined && connection !== ordinal) return undefined
  return [forward, backward].find(({ route }: SimulatedPipe) => isMeant(from, route.from) && isMeant(to, route.to))
}
