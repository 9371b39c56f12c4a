/**
 * A raw socket of a simulated network: one end of a connection, as `Transport` describes it.
 *
 * ```
 *                 incoming: unread --> onData* onEnd?
 * SimulatedSocket                                       onClose, in a turn of its own, once
 *                 outgoing: write --> queue --> flight
 * ```
 *
 * Invariants: the handler is only called from a timer, never inside a call of the owner. A socket that both sides have
 * ended closes by itself when everything it wrote is under way. `onClose` comes once to each handler, and nothing after
 * it.
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import * as NetAddress from "effect/net/NetAddress"
import * as Endpoint from "../../Endpoint.ts"
import { lend } from "../../internal/lend.ts"
import type * as Transport from "../../Transport.ts"
import type { SimulatedCore } from "./SimulatedCore.ts"
import type { SimulatedHost } from "./SimulatedHost.ts"
import type { SimulatedPipe } from "./SimulatedPipe.ts"

/** An address and a port. @category models @since 0.1.0 */
export interface Place {
  readonly host: SimulatedHost
  readonly address: NetAddress.IpAddress
  readonly port: number
}

/** Writes a place for people: by the name of its host. @category formatting @since 0.1.0 */
export const formatPlace = ({ host, port }: Place): string => `${host.name}:${port}`

/** One end of a simulated connection. @category models @since 0.1.0 */
export class SimulatedSocket implements Transport.RawSocket {
  readonly id: number
  readonly here: Place
  readonly there: Place
  /** `host:port`, for the trace. */
  readonly label: string
  /** Called once, when it is closed. */
  onGone: () => void = () => {}
  isClosed = false
  isPaused = true
  /** The other side closed; the next write breaks this one. */
  private wrecked = false
  private readonly core: SimulatedCore
  private pipes!: { readonly incoming: SimulatedPipe; readonly outgoing: SimulatedPipe } // set by the connection
  private handler: Transport.RawHandler | undefined = undefined
  /** What this side put back, in front of what is unread; never empty. */
  private returned: Array<Uint8Array> | undefined = undefined
  private scheduled = false
  /** A handler is new, or it resumed: it hears in the next turn. */
  private isFresh = false
  private readEnded = false
  private writeEnded = false
  private needDrain = false
  private closeSeen = false
  private code: string | undefined = undefined
  private localEndpoint: Endpoint.Endpoint | undefined = undefined
  private peerEndpoint: Endpoint.Endpoint | undefined = undefined

  constructor(core: SimulatedCore, here: Place, there: Place) {
    this.id = core.nextSocketId()
    this.core = core
    this.here = here
    this.there = there
    this.label = formatPlace(here)
  }

  /** Connects it with its pipes, before anything else. */
  join(incoming: SimulatedPipe, outgoing: SimulatedPipe): void {
    this.pipes = { incoming, outgoing }
  }

  get local(): Endpoint.Endpoint {
    return this.localEndpoint ??= Endpoint.tcpUnsafe(NetAddress.toCanonical(this.here.address), this.here.port)
  }
  get peer(): Endpoint.Endpoint {
    return this.peerEndpoint ??= Endpoint.tcpUnsafe(NetAddress.toCanonical(this.there.address), this.there.port)
  }
  get bytesUnsent(): number {
    return this.pipes.outgoing.queue.bytes
  }
  /** What has arrived can be given to the handler at once. */
  get isFlowing(): boolean {
    return this.isListening && this.handler !== undefined && !this.hasUnread
  }
  private get hasUnread(): boolean {
    return this.returned !== undefined || this.pipes.incoming.unread.bytes > 0
  }
  /** It has a handler. */
  get isAttached(): boolean {
    return this.handler !== undefined
  }

  // --- the owner's side --------------------------------------------------------------------------------------------

  attach(handler: Transport.RawHandler): void {
    this.handler = handler
    // A new handler is told how things stand.
    this.readEnded = false
    this.closeSeen = false
    this.isFresh = true
    this.schedule()
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
    this.isFresh = true
    this.schedule()
  }

  unshift(chunk: Uint8Array): void {
    if (this.isClosed || this.readEnded || chunk.length === 0) return
    this.returned = [chunk, ...this.returned ?? []]
  }

  write(segments: ReadonlyArray<Uint8Array>): boolean {
    if (this.isClosed || this.writeEnded) return true
    if (this.wrecked) {
      this.lose("EPIPE")
      return true
    }
    const { outgoing } = this.pipes
    const bytes = Bytes.concat(segments) // a copy: the writer may change its segments
    if (bytes.length > 0) outgoing.write(bytes)
    if (!outgoing.isFlushed && !this.needDrain) {
      this.needDrain = true
      this.core.note("blocked", outgoing, outgoing.queue.bytes, outgoing.sentBytes)
    }
    // Who was told to wait is told to go on, also if there is room by now.
    if (this.needDrain && outgoing.isFlushed) this.schedule()
    return !this.needDrain
  }

  end(): void {
    if (this.isClosed || this.writeEnded) return
    this.writeEnded = true
    this.pipes.outgoing.end()
    this.schedule()
  }

  destroy(): void {
    if (this.isClosed) return
    this.close(undefined, this.hasUnread ? "reset" : "end")
  }

  reset(): void {
    if (!this.isClosed) this.close(undefined, "reset")
  }

  // --- the network's side ------------------------------------------------------------------------------------------

  /** Gives bytes to the handler, inside a turn of the network. */
  hear(bytes: Uint8Array): void {
    if (this.handler !== undefined) lend(this.handler, bytes)
  }

  /** The connection broke. */
  lose(code: string): void {
    if (this.isClosed) return
    this.core.note("lost", this.pipes.incoming, -1, 0, code)
    this.close(code, "silent")
  }

  /** A reset arrived. */
  onReset(looks: "reset" | "end"): void {
    if (this.isClosed) return
    const { incoming, outgoing } = this.pipes
    if (looks === "end" && !incoming.ended) {
      incoming.ended = true
      this.wrecked = true
      this.turn()
    } // Linux: EPIPE after the peer's end (tcp_reset in tcp_input.c). libuv hears of it when it next writes.
    else if (this.readEnded || looks === "end") this.wrecked = true
    else return this.lose(incoming.ended ? "EPIPE" : "ECONNRESET")
    if (!outgoing.isFlushed) this.lose("EPIPE")
  }

  /** Bytes came for a socket that is closed. */
  answerReset(): void {
    this.pipes.outgoing.close("reset")
  }

  /** Its program is gone, and for `silent` the whole host: what it sent last is lost, and nobody is told. */
  vanish(peers: "reset" | "silent"): void {
    if (this.isClosed) return
    if (peers === "silent") this.pipes.outgoing.flight.clear()
    this.close("ECONNABORTED", peers)
  }

  private close(code: string | undefined, how: "end" | "reset" | "silent"): void {
    this.isClosed = true
    this.code = code
    this.returned = undefined
    const { incoming, outgoing } = this.pipes
    incoming.unread.clear()
    outgoing.close(how)
    this.core.note("closes", outgoing, -1, 0, code ?? "")
    this.onGone()
    this.schedule()
  }

  private schedule(): void {
    if (this.scheduled || this.handler === undefined) return
    this.scheduled = true
    this.core.at(this.core.now(), () => {
      this.scheduled = false
      this.isFresh = false
      this.turn()
    })
  }

  /** Tells the handler what is due now, in TCP's order: room to write, data, end of stream; the close in its own turn. */
  turn(): void {
    if (this.handler === undefined || this.closeSeen) return
    if (this.isClosed) {
      this.closeSeen = true
      return this.handler.onClose(this.code)
    }
    const { incoming, outgoing } = this.pipes
    if (this.needDrain && outgoing.isFlushed) {
      this.needDrain = false
      this.core.note("drained", outgoing)
      this.handler.onDrain()
    }
    // Each call may change everything: pause, close, or hand over.
    while (this.isListening && this.hasUnread) this.hear(this.readReturned() ?? incoming.read())
    if (this.isListening && incoming.ended && !this.readEnded) {
      this.readEnded = true
      this.core.note("ends", incoming, -1, 0)
      this.handler.onEnd()
    }
    if (!this.isClosed && this.readEnded && this.writeEnded && outgoing.isFlushed) this.close(undefined, "end")
  }

  private get isListening(): boolean {
    return !this.isPaused && !this.isFresh && !this.isClosed
  }

  private readReturned(): Uint8Array | undefined {
    const chunk = this.returned?.shift()
    if (this.returned?.length === 0) this.returned = undefined
    return chunk
  }
}
