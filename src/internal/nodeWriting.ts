/**
 * The writing side of a socket of Node's: to the system at once, or at the end of the turn where `Departures` say so.
 */
import type * as Net from "node:net"
import type * as Transport from "../Transport.ts"
import type { Departing, Departures } from "./nodeDepartures.ts"

/** The wrapper of a socket, found on the socket, so that one function serves all of them. */
export const owner = Symbol("hawser/NodeTransport")

export class NodeWriting implements Departing {
  protected readonly socket: Net.Socket
  private readonly departures: Departures | undefined
  protected handler: Transport.RawHandler | undefined
  /** The close was told. */
  protected closed = false
  /** Something of it waits to leave. */
  private departing = false

  constructor(socket: Net.Socket, departures: Departures | undefined) {
    this.socket = socket
    this.departures = departures
  }

  get bytesUnsent(): number {
    return this.socket.writableLength
  }

  /** What Node's own timeouts of HTTP look at; there is no public name for it. */
  get bytesQueued(): number | undefined {
    return (this.socket as { readonly _handle?: { readonly writeQueueSize?: number } | null })._handle?.writeQueueSize
  }

  write(segments: ReadonlyArray<Uint8Array>): boolean {
    const { departures, socket } = this
    if (departures !== undefined && socket.writableLength === 0 && departures.take(this, segments)) {
      this.departing = true
      return true
    }
    if (segments.length === 1) {
      socket.write(segments[0] as Uint8Array) // the length was checked
    } else {
      socket.cork()
      for (let i = 0; i < segments.length; i++) socket.write(segments[i] as Uint8Array) // i is below the length
      socket.uncork()
    }
    return this.takesMore()
  }

  depart(bytes: Uint8Array): boolean {
    this.departing = false
    const { socket } = this
    socket.write(bytes)
    if (socket.writableLength === 0) return true
    queueMicrotask(() => this.tellUnsent())
    return false
  }

  /** What waits leaves, in front of what comes now. */
  protected departNow(): void {
    if (this.departing) this.departures?.flush()
  }

  private tellUnsent(): void {
    if (!this.closed) this.handler?.onUnsent?.(!this.takesMore())
  }

  private takesMore(): boolean {
    const { socket } = this
    // Not what write returned: it says "wait" for any large write, also for one that the kernel took at once.
    if (socket.writableLength < socket.writableHighWaterMark) return true
    // Heard only while somebody waits: each listener is memory of an idle connection.
    if (socket.listenerCount("drain") === 0) socket.once("drain", onDrain)
    return false
  }

  end(): void {
    this.departNow()
    this.socket.end()
    // Node tells no drain any more; whoever waits for one is told when everything has left.
    if (this.socket.writableLength > 0) this.socket.once("finish", onDrain)
  }

  /** Somebody else writes to Node's socket from now on. */
  protected stopWriting(): void {
    this.departNow()
    this.socket.off("drain", onDrain).off("finish", onDrain)
  }

  onDrain(): void {
    this.handler?.onDrain()
  }
}

function onDrain(this: Net.Socket): void {
  ;(this as Net.Socket & { readonly [owner]: NodeWriting })[owner].onDrain()
}
