/**
 * A raw socket over one of Node's: what `NodeTransport` gives for each connection, dialled or accepted.
 *
 * One function serves an event of all sockets: a closure per socket and event would double the memory of an idle
 * connection.
 */
import type * as Net from "node:net"
import * as Endpoint from "../Endpoint.ts"
import type * as Transport from "../Transport.ts"
import type { Departures } from "./nodeDepartures.ts"
import { descriptorOf } from "./nodeDescriptors.ts"
import { copyOf, type Keys, Reading } from "./nodeReading.ts"
import { NodeWriting, owner } from "./nodeWriting.ts"
import type { Placed, Roster } from "./roster.ts"

/** The peer of a Unix socket has no name of its own, nor has what lies over a socket. */
export const unnamed = Endpoint.unixUnsafe("")

interface OwnedSocket extends Net.Socket {
  [owner]: NodeSocket
}

/** What a socket has in common with others. */
export interface Common {
  /** The sockets of its listener. */
  readonly owners?: Roster<NodeSocket>
  /** Where it reads, if not by itself. */
  readonly reading?: Reading
  /** When it writes, if not at once. */
  readonly departures?: Departures
  /** It lies over a socket that has the addresses: the system is not asked for them again. */
  readonly isOver?: boolean
}

export class NodeSocket extends NodeWriting implements Transport.RawSocket, Placed {
  readonly id: number
  place = -1
  /** Where it was accepted, or what was dialled: the address where the system knows no better. */
  private readonly endpoint: Endpoint.Endpoint
  private readonly common: Common
  /** Asked for at once: a closed socket has forgotten it. */
  private readonly remoteAddress: string | undefined
  private readonly remotePort: number | undefined
  /** Asked for when somebody wants to know, and kept. */
  private localAddress: string | undefined
  private localPort: number | undefined
  /** The handler of now was told the peer's end. */
  private toldEnd = false
  private flowing = false
  /** It reads into the buffer that it shares with others. */
  private shares = false
  private paused = true
  /** What was put back when Node's stream had ended already, which takes nothing then. */
  private returned: Array<Uint8Array> | undefined = undefined
  /** Node's socket is gone, which waits to be told behind an end that waits. */
  private gone = false
  /** This side wants no more of it. */
  private abandoned = false
  private code: string | undefined

  /** One that was accepted is among the owners in `common`. */
  constructor(id: number, socket: Net.Socket, endpoint: Endpoint.Endpoint, common: Common) {
    super(socket, common.departures)
    this.id = id
    this.endpoint = endpoint
    this.common = common
    const isNamed = common.isOver !== true
    this.remoteAddress = isNamed ? socket.remoteAddress : undefined
    this.remotePort = isNamed ? socket.remotePort : undefined
    if (common.owners !== undefined) common.owners.add(this)
    else if (isNamed) this.askLocal()
    ;(socket as OwnedSocket)[owner] = this
    socket.on("error", onError)
    socket.on("close", onClose)
  }

  private askLocal(): void {
    this.localAddress = this.socket.localAddress
    this.localPort = this.socket.localPort
  }

  get local(): Endpoint.Endpoint {
    if (this.localAddress === undefined) this.askLocal()
    if (this.localAddress !== undefined && this.localPort !== undefined) {
      return Endpoint.fromNativeUnsafe("Tcp", this.localAddress, this.localPort)
    }
    return this.common.owners === undefined ? unnamed : this.endpoint
  }

  get peer(): Endpoint.Endpoint {
    if (this.remoteAddress !== undefined && this.remotePort !== undefined) {
      return Endpoint.fromNativeUnsafe("Tcp", this.remoteAddress, this.remotePort)
    }
    return this.common.owners === undefined ? this.endpoint : unnamed
  }

  get descriptor(): number | undefined {
    return descriptorOf(this.socket)
  }

  attach(handler: Transport.RawHandler): void {
    if (this.handler === undefined) {
      this.socket.on("end", onEnd)
    }
    this.handler = handler
    this.toldEnd = false
    if (this.closed) queueMicrotask(() => handler.onClose(this.code))
  }

  pause(): void {
    this.paused = true
    this.socket.pause()
  }

  resume(): void {
    const { socket } = this
    this.paused = false
    if (!this.flowing) {
      this.flowing = true
      this.shares = this.common.reading?.share(socket) ?? false
    }
    if (!this.shares || socket.readableLength > 0) this.hear()
    // Node reads from the accept on: one that shares and was never paused needs nothing more.
    if (!this.shares || socket.readableFlowing !== null) socket.resume()
    // Without data before it, Node tells the end also while nobody listens yet, and does not tell it again.
    if (this.socket.readableEnded && !this.toldEnd) queueMicrotask(() => this.tellRest())
  }

  /** Hears what comes through Node's stream: what was read before it shares, in a pause, or put back. */
  private hear(): void {
    if (this.socket.listenerCount("data") === 0) this.socket.on("data", onData)
  }

  unshift(chunk: Uint8Array): void {
    if (this.closed || this.toldEnd || chunk.length === 0) return
    // Behind its end, which may have come while paused, Node would break the socket instead.
    if (this.socket.readableEnded) (this.returned ??= []).unshift(chunk)
    else this.socket.unshift(chunk)
  }

  /** Behind the end of Node's stream: what was put back, and the end. */
  private tellRest(): void {
    while (!this.paused && !this.closed && this.returned !== undefined) {
      const chunk = this.returned.shift()
      if (this.returned.length === 0) this.returned = undefined
      if (chunk !== undefined) this.handler?.onData(chunk)
    }
    if (this.closed) return
    this.onEnd()
    if (this.gone && !this.paused) this.tellClose()
  }

  private tellClose(): void {
    if (this.closed) return
    this.closed = true
    this.common.owners?.delete(this)
    this.handler?.onClose(this.code)
  }

  /** Tells the close now, if it has only waited for an end that nobody asks for any more. */
  private abandon(): void {
    this.abandoned = true
    if (this.gone && !this.closed) queueMicrotask(() => this.tellClose())
  }

  /** Gives the socket to TLS, which reads and writes it from then on; what was put back is there to be read. */
  release(): Net.Socket {
    const { socket } = this
    this.stopWriting()
    this.handler = undefined
    this.flowing = false
    this.abandoned = true
    if (this.shares) this.common.reading?.unshare(socket)
    this.shares = false
    socket.off("data", onData).off("end", onEnd)
    return socket.pause()
  }

  override end(): void {
    this.departNow()
    const { socket } = this
    // Behind the peer's end, with nothing unsent, to close is to end: in one system call, where an end takes two. Node
    // tells in a later turn, and only then, that the last write has failed.
    if (this.common.owners !== undefined && this.toldEnd && this.bytesUnsent === 0 && socket.errored === null) {
      socket.destroy()
    } else {
      super.end()
    }
  }

  destroy(): void {
    this.departNow()
    this.abandon()
    this.socket.destroy()
  }

  reset(): void {
    const { socket } = this
    this.departNow()
    this.abandon()
    // While the end is on its way the kernel refuses a reset, and Node would leave the socket open for ever.
    const ending = socket.writableEnded && !socket.writableFinished && socket.writableLength === 0
    // Node resets TCP sockets only; on a Unix socket it reports a misuse instead.
    if (this.remotePort === undefined || ending) socket.destroy()
    else socket.resetAndDestroy()
  }

  onData(chunk: Buffer): void {
    // A plain Uint8Array: Buffer differs from it in slice, toString and equality, and no other transport gives one.
    this.handler?.onData(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length))
  }

  /** Gives whether to go on reading. */
  onRead(buffer: Uint8Array, size: number): boolean {
    const { handler } = this
    const { owners, reading } = this.common
    // Node goes on where a pause follows a resume in the same turn. It keeps what comes then, as it would without sharing.
    if (this.paused || handler === undefined) return this.socket.push(copyOf(buffer, size))
    // A dialled socket does not know who else reads there: it could not leave the bytes to anybody.
    if (handler.isBorrowing !== true || handler.borrow === undefined || owners === undefined) {
      handler.onData(copyOf(buffer, size))
      return true
    }
    reading?.lend()
    if (!handler.borrow(new Uint8Array(buffer.buffer, buffer.byteOffset, size))) {
      reading?.retire(NodeSocket.sharing(owners))
    }
    return true
  }

  /** Those that read into the buffer of their listener. */
  private static *sharing(sockets: Iterable<NodeSocket>): Iterable<Net.Socket> {
    for (const { shares, socket } of sockets) if (shares) yield socket
  }

  onEnd(): void {
    // While paused it waits: `resume` asks for it.
    if (this.toldEnd || this.paused) return
    this.toldEnd = true
    this.handler?.onEnd()
  }

  onError(error: NodeJS.ErrnoException): void {
    this.code ??= error.code ?? error.message
  }

  onClose(): void {
    this.gone = true
    const endWaits = this.paused && !this.toldEnd && this.socket.readableEnded
    if (!endWaits || this.abandoned || this.code !== undefined) this.tellClose()
  }
}

/** What sockets read into; the owners of one are those of one listener. */
export const makeReading = (keys: Keys | undefined): Reading => new Reading(onRead, keys)

function onRead(this: Net.Socket, size: number, buffer: Uint8Array): boolean {
  return (this as OwnedSocket)[owner].onRead(buffer, size)
}
function onData(this: Net.Socket, chunk: Buffer): void {
  ;(this as OwnedSocket)[owner].onData(chunk)
}
function onEnd(this: Net.Socket): void {
  ;(this as OwnedSocket)[owner].onEnd()
}
function onError(this: Net.Socket, error: Error): void {
  ;(this as OwnedSocket)[owner].onError(error)
}
function onClose(this: Net.Socket): void {
  ;(this as OwnedSocket)[owner].onClose()
}
