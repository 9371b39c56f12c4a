/**
 * One connection of a simulated network: two sockets, a pipe for each direction, and what is to be seen of it.
 *
 * ```
 * Opening --the handshake arrives--> Waiting (in the backlog) --accept--> Open --both closed--> forgotten
 * ```
 *
 * @since 0.1.0
 */
import type { SimulatedCore } from "./SimulatedCore.ts"
import type { SimulatedListener } from "./SimulatedListener.ts"
import { SimulatedPipe } from "./SimulatedPipe.ts"
import { formatPlace, type Place, SimulatedSocket } from "./SimulatedSocket.ts"

/**
 * One direction of a connection, as a look from outside finds it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Direction {
  /** Written, and not sent for want of window. */
  readonly unsent: number
  readonly inFlight: number
  /** Arrived, and not read. */
  readonly unread: number
  /** Read, from the beginning. */
  readonly read: number
  /** Why bytes do not go on; empty where nothing waits but for time. */
  readonly waits: "" | "partition" | "stall" | "down" | "reader paused" | "no reader" | "acknowledgement"
}

/**
 * One connection, as a look from outside finds it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Connection {
  /** Counts from 1 in the network. */
  readonly id: number
  /** `host:port` of who dialled, and of who was dialled. */
  readonly dialer: string
  readonly listener: string
  readonly state: "opening" | "waiting" | "open" | "closing"
  /** From the dialer to the listener. */
  readonly forward: Direction
  /** From the listener to the dialer. */
  readonly backward: Direction
}

/** One connection. @category models @since 0.1.0 */
export class SimulatedConnection {
  readonly id: number
  /** Which one it is of those between its two hosts, from 1. */
  readonly ordinal: number
  readonly dialer: SimulatedSocket
  readonly acceptor: SimulatedSocket
  readonly forward: SimulatedPipe
  readonly backward: SimulatedPipe
  private readonly core: SimulatedCore
  private readonly listener: SimulatedListener
  private state: "opening" | "waiting" | "open" = "opening"

  constructor(core: SimulatedCore, id: number, ordinal: number, from: Place, to: Place, listener: SimulatedListener) {
    this.core = core
    this.id = id
    this.ordinal = ordinal
    this.listener = listener
    const dialer = new SimulatedSocket(core, from, to)
    const acceptor = new SimulatedSocket(core, to, from)
    const [there, back] = [core.route(from.host, to.host), core.route(to.host, from.host)]
    const opened = () => this.opened()
    const ends = {
      id,
      writer: dialer,
      reader: acceptor,
      opened,
      broken: (how: "reset" | "end") => this.broken(how, this.forward)
    }
    const mirrored = {
      ...ends,
      writer: acceptor,
      reader: dialer,
      broken: (how: "reset" | "end") => this.broken(how, this.backward)
    }
    this.forward = new SimulatedPipe(core, ends, `connection ${id} forward`, there, back)
    this.backward = new SimulatedPipe(core, mirrored, `connection ${id} backward`, back, there)
    dialer.join(this.backward, this.forward)
    acceptor.join(this.forward, this.backward)
    this.dialer = dialer
    this.acceptor = acceptor
    acceptor.onGone = () => this.gone()
  }

  /** The dialer is connected: the last part of the handshake leaves. */
  start(): void {
    this.forward.flight.send("open")
  }

  /** The last part of the handshake arrived. */
  private opened(): void {
    if (this.acceptor.isClosed) return this.acceptor.answerReset()
    this.state = "waiting"
    this.listener.arrive(this)
  }

  /** The program gets it. */
  accept(): void {
    this.state = "open"
  }

  /** One of the sockets is gone. */
  gone(): void {
    // A host that went down in the middle of the handshake: nobody will ever hear of the other end.
    if (this.state === "opening" && this.dialer.isClosed && this.forward.flight.isEmpty) this.acceptor.vanish("silent")
    if (!this.dialer.isClosed || !this.acceptor.isClosed) return
    this.forward.dispose()
    this.backward.dispose()
    this.core.connections.delete(this.id)
  }

  /** A fault ends it: as a reset for both, or so that the reader of the direction sees an end. */
  private broken(how: "reset" | "end", pipe: SimulatedPipe): void {
    // In the middle of the handshake there is no stream that could end.
    if (how === "reset" || this.state === "opening") return this.break()
    pipe.flight.clear()
    pipe.ends.writer.lose("ECONNRESET")
    pipe.ends.reader.onReset("end")
  }

  /** Both ends see a reset. */
  break(): void {
    this.dialer.lose("ECONNRESET")
    this.acceptor.lose("ECONNRESET")
  }

  /** What a look from outside finds. */
  look(): Connection {
    const closing = this.dialer.isClosed || this.acceptor.isClosed
    return {
      id: this.id,
      dialer: formatPlace(this.dialer.here),
      listener: formatPlace(this.acceptor.here),
      state: closing ? "closing" : this.state,
      forward: lookAt(this.forward),
      backward: lookAt(this.backward)
    }
  }
}

const lookAt = (pipe: SimulatedPipe): Direction => {
  const { arrivedBytes, ends, flight, queue, readBytes, route, unread } = pipe
  return {
    unsent: queue.bytes,
    inFlight: flight.bytes,
    unread: unread.bytes,
    read: Math.min(readBytes, arrivedBytes),
    waits: route.heldBy !== undefined && !flight.isEmpty
      ? route.heldBy
      : unread.bytes > 0
      ? ends.reader.isAttached ? "reader paused" : "no reader"
      : queue.bytes > 0
      ? "acknowledgement"
      : ""
  }
}

/** Writes a connection as a line. @category formatting @since 0.1.0 */
export const format = ({ backward, dialer, forward, id, listener, state }: Connection): string =>
  `#${id} ${dialer} > ${listener} ${state}; forward ${formatDirection(forward)}; backward ${formatDirection(backward)}`

const formatDirection = ({ inFlight, read, unread, unsent, waits }: Direction): string =>
  `${read} read, ${unread} unread, ${inFlight} in flight, ${unsent} unsent${waits === "" ? "" : ` (${waits})`}`
