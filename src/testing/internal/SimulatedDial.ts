/**
 * One attempt to connect on a simulated network: name, descriptor, port, handshake, and the ways in which they fail.
 *
 * ```
 * dial --route--> refused, or answered --route back--> connected: the connection begins
 *   `-- lost, either way: again after 1, 2, 4, ... s, until the time is up
 * ```
 *
 * The times are Linux's (`tcp_syn_retries`). A host that is down, a partition, a black hole and a full backlog all look
 * the same to who dials: no answer.
 *
 * @since 0.1.0
 */
import type * as NetAddress from "effect/net/NetAddress"
import type * as Endpoint from "../../Endpoint.ts"
import * as Transport from "../../Transport.ts"
import type * as Random from "../Random.ts"
import { SimulatedConnection } from "./SimulatedConnection.ts"
import type { SimulatedCore } from "./SimulatedCore.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"
import type { SimulatedListener } from "./SimulatedListener.ts"
import type { SimulatedSocket } from "./SimulatedSocket.ts"

const firstRetryMillis = 1000

/** What a dial gives. @category models @since 0.1.0 */
export type Outcome =
  | { readonly _tag: "Connected"; readonly socket: SimulatedSocket }
  | { readonly _tag: "Failed"; readonly error: Transport.ConnectError }

/** One attempt to connect. @category models @since 0.1.0 */
export class SimulatedDial {
  private readonly core: SimulatedCore
  private readonly host: SimulatedHost
  private readonly endpoint: Endpoint.Tcp
  private readonly label: string
  private done: ((outcome: Outcome) => void) | undefined = undefined
  private socket: SimulatedSocket | undefined = undefined
  private stream: Random.Random | undefined = undefined
  private step: (() => void) | undefined = undefined
  private limit: (() => void) | undefined = undefined
  private port: number | undefined = undefined
  private hasDescriptor = false
  private retryMillis = firstRetryMillis

  constructor(core: SimulatedCore, host: SimulatedHost, endpoint: Endpoint.Tcp) {
    this.core = core
    this.host = host
    this.endpoint = endpoint
    this.label = `dial ${core.nextDialId()}`
  }

  private readonly random = (): Random.Random => this.stream ??= this.core.random.fork(this.label)

  /** Begins; the outcome may come at once. */
  start(done: (outcome: Outcome) => void): void {
    const { core, endpoint, host } = this
    this.done = done
    host.dials.add(this)
    const target = core.resolve(host, endpoint.host)
    core.noteHost("dials", host.name, typeof target === "string" ? "" : `${target.host.name}:${endpoint.port}`)
    if (!host.isUp) return this.fail("Unreachable", "ENETDOWN")
    if (!host.takeDescriptor()) return this.fail("Unknown", "EMFILE")
    this.hasDescriptor = true
    if (target === "ENOTFOUND") return this.fail("NotFound", target)
    if (typeof target === "string") return this.fail("Unreachable", target)
    this.port = host.takePort()
    if (this.port === undefined) return this.fail("Unreachable", "EADDRNOTAVAIL")
    this.limit = core.at(core.now() + core.connectTimeoutMillis, () => this.fail("TimedOut", "ETIMEDOUT"))
    this.attempt(target)
  }

  private attempt(target: Target): void {
    const { core, host } = this
    const route = core.route(host, target.host)
    if (route.dials === "reject") return this.fail("Unreachable", "EHOSTUNREACH")
    if (route.dials === "drop") return this.retry(target)
    this.step = core.at(route.arrival(core.now(), 0, this.random), () => this.answer(target))
  }

  /** At the other host. */
  private answer(target: Target): void {
    const { core, endpoint, host } = this
    const { address, host: other } = target
    const back = core.route(other, host)
    const listener = other.find(address, endpoint.port)
    const refused = listener === undefined || other.hasRule("refuse", endpoint.port)
    if (
      !other.answers || back.dials !== "pass" || other.hasRule("blackHole", endpoint.port) ||
      (!refused && listener.isFull)
    ) {
      return this.retry(target)
    }
    this.step = core.at(
      back.arrival(core.now(), 0, this.random),
      () => refused ? this.fail("Refused", "ECONNREFUSED") : this.connect(target, listener)
    )
  }

  private retry(target: Target): void {
    const { core, endpoint, host } = this
    core.noteHost("dialDropped", host.name, `${target.host.name}:${endpoint.port}`)
    this.step = core.at(core.now() + this.retryMillis, () => this.attempt(target))
    this.retryMillis *= 2
  }

  private connect({ address, host: other, local }: Target, listener: SimulatedListener): void {
    const { core, endpoint, host, port } = this
    const { done } = this
    if (port === undefined || done === undefined) return
    const connection = new SimulatedConnection(
      core,
      core.nextConnectionId(),
      core.nextOrdinal(host, other),
      { host, address: local, port },
      { host: other, address, port: endpoint.port },
      listener
    )
    core.connections.set(connection.id, connection)
    const socket = connection.dialer
    this.socket = socket
    socket.onGone = () => {
      host.freeDescriptor()
      host.freePort(port)
      connection.gone()
    }
    this.settle()
    core.faults.join(connection)
    core.note("connected", connection.forward)
    connection.start()
    done({ _tag: "Connected", socket })
  }

  /** Ends the attempt, if it has not ended. */
  fail(reason: Transport.ConnectReason, code: string): void {
    const { done, endpoint } = this
    if (done === undefined) return
    this.settle()
    this.release()
    this.core.noteHost("dialFails", this.host.name, "", code)
    done({ _tag: "Failed", error: new Transport.ConnectError({ endpoint, reason, code }) })
  }

  /** Nobody wants it any more: the attempt ends, or the socket that it gave. */
  abandon(): void {
    if (this.socket !== undefined) return this.socket.destroy()
    if (this.done === undefined) return
    this.settle()
    this.release()
    this.core.noteHost("abandoned", this.host.name)
  }

  private settle(): void {
    this.done = undefined
    this.step?.()
    this.limit?.()
    this.host.dials.delete(this)
  }

  private release(): void {
    if (this.hasDescriptor) this.host.freeDescriptor()
    if (this.port !== undefined) this.host.freePort(this.port)
  }
}

/** Who is dialled, and from which own address. @category models @since 0.1.0 */
export interface Target {
  readonly host: SimulatedHost
  readonly address: NetAddress.IpAddress
  readonly local: NetAddress.IpAddress
}
