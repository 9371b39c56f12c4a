/**
 * A listener of a simulated host, with the connections that wait in its backlog and those that it has accepted.
 *
 * ```
 * handshake done --> backlog (only while accepting is held) --> onAccept --> accepted, owned until closed
 * ```
 *
 * A kernel completes handshakes by itself: who is in the backlog is connected, and may write. A listener that closes
 * resets who is still there.
 *
 * @since 0.1.0
 */
import type * as NetAddress from "effect/net/NetAddress"
import type * as Transport from "../../Transport.ts"
import type { SimulatedConnection } from "./SimulatedConnection.ts"
import type { SimulatedCore } from "./SimulatedCore.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"
import type { SimulatedSocket } from "./SimulatedSocket.ts"

/** Which addresses of a host are meant: one, all of a family, or all. @category models @since 0.1.0 */
export type Scope = NetAddress.IpAddress | "IPv4" | "*"

/** A listener. @category models @since 0.1.0 */
export class SimulatedListener {
  readonly host: SimulatedHost
  readonly scope: Scope
  readonly port: number
  private readonly core: SimulatedCore
  private readonly options: Transport.ListenOptions
  private readonly accepted = new Set<SimulatedSocket>()
  private backlog: Array<SimulatedConnection> = []
  private closed = false

  constructor(core: SimulatedCore, host: SimulatedHost, scope: Scope, port: number, options: Transport.ListenOptions) {
    this.core = core
    this.host = host
    this.scope = scope
    this.port = port
    this.options = options
  }

  /** The kernel answers no more handshakes. */
  get isFull(): boolean {
    return this.backlog.length >= Math.max(1, this.options.backlog)
  }

  /** Someone is connected. */
  arrive(connection: SimulatedConnection): void {
    if (this.closed) return this.turnAway(connection)
    if (this.host.holdsAccepts(this.port)) {
      this.core.note("waits", connection.forward)
      this.backlog.push(connection)
    } else this.accept(connection)
  }

  /** Accepts who waits, in one burst. */
  acceptAll(): void {
    const waiting = this.backlog
    this.backlog = []
    for (const connection of waiting) {
      if (this.closed) this.turnAway(connection)
      else if (!connection.acceptor.isClosed) this.accept(connection)
    }
  }

  private accept(connection: SimulatedConnection): void {
    const { acceptor } = connection
    if (!this.host.takeDescriptor()) {
      // libuv accepts and closes, and tells nobody (uv__emfile_trick in unix/stream.c).
      this.core.note("exhausted", connection.forward)
      return acceptor.destroy()
    }
    connection.accept()
    this.accepted.add(acceptor)
    acceptor.onGone = () => {
      this.accepted.delete(acceptor)
      this.host.freeDescriptor()
      connection.gone()
    }
    this.core.note("accepted", connection.forward)
    this.options.onAccept(acceptor)
  }

  private turnAway(connection: SimulatedConnection): void {
    this.core.note("turnedAway", connection.forward)
    connection.acceptor.reset()
  }

  /** Listens no more; who was accepted lives on, who was not is reset. */
  close(): void {
    this.stop()
    this.acceptAll()
  }

  /** Listens no more. */
  stop(): void {
    if (this.closed) return
    this.closed = true
    this.host.unlisten(this)
  }

  /** Closes everything that it has accepted. */
  destroy(): void {
    this.close()
    for (const socket of this.accepted) socket.destroy()
  }
}
