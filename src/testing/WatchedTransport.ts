/**
 * A transport under watch: it passes everything on, and notes when a raw socket breaks the contract of `Transport`.
 *
 * It knows every raw socket that was dialled or accepted, so it can say which of them are still open; and it counts
 * whatever moves, so that whoever waits can tell slow from stuck.
 *
 * ```
 * owner <-- attach, onData ... --> WatchedSocket <-- the same calls --> raw socket
 *                                     `-- moves + 1; a call out of turn is written to `broken`
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Endpoint from "../Endpoint.ts"
import type * as Transport from "../Transport.ts"

/** What is known of one transport. @category models @since 0.1.0 */
export class Watch {
  /** Counts every event and every call that moves bytes. */
  moves = 0
  /** The first thing that a raw socket did and must not do. */
  broken: string | undefined = undefined
  /** Every raw socket there ever was. */
  readonly sockets: Array<WatchedSocket> = []
  readonly transport: Transport.Transport["Service"]

  constructor(transport: Transport.Transport["Service"]) {
    this.transport = {
      connect: (endpoint) => Effect.map(transport.connect(endpoint), (raw) => this.add("dialled", raw)),
      listen: (
        endpoint: Endpoint.Endpoint,
        options: Transport.ListenOptions
      ): Effect.Effect<Transport.Listener, Transport.BindError, Scope.Scope> =>
        transport.listen(endpoint, {
          ...options,
          onAccept: (raw) => options.onAccept(this.add("accepted", raw))
        })
    }
  }

  get open(): ReadonlyArray<WatchedSocket> {
    return this.sockets.filter((socket) => !socket.closed)
  }

  /** Destroys what is still open, for a scenario that went wrong. */
  destroyAll(): void {
    for (const socket of this.open) socket.destroy()
  }

  private add(kind: "dialled" | "accepted", raw: Transport.RawSocket): WatchedSocket {
    const socket = new WatchedSocket(this, kind, raw)
    this.moves++
    this.sockets.push(socket)
    return socket
  }
}

/** A raw socket under watch. @category models @since 0.1.0 */
export class WatchedSocket implements Transport.RawSocket, Transport.RawHandler {
  readonly kind: "dialled" | "accepted"
  /** The raw socket said that it is gone. */
  closed = false
  /** The peer's end of stream was told to the handler of now. */
  private ended = false
  private paused = true
  /** The method that is running, while one is. */
  private inside: string | undefined = undefined
  private handler: Transport.RawHandler | undefined = undefined
  private readonly watch: Watch
  private readonly raw: Transport.RawSocket

  constructor(watch: Watch, kind: "dialled" | "accepted", raw: Transport.RawSocket) {
    this.watch = watch
    this.kind = kind
    this.raw = raw
  }

  get id(): number {
    return this.raw.id
  }
  get local(): Endpoint.Endpoint {
    return this.raw.local
  }
  get peer(): Endpoint.Endpoint {
    return this.raw.peer
  }
  get bytesUnsent(): number {
    return this.raw.bytesUnsent
  }
  get attached(): boolean {
    return this.handler !== undefined
  }

  attach(handler: Transport.RawHandler): void {
    this.handler = handler
    this.ended = false
    this.during("attach", () => this.raw.attach(this))
  }

  pause(): void {
    this.paused = true
    this.during("pause", () => this.raw.pause())
  }

  resume(): void {
    this.paused = false
    this.during("resume", () => this.raw.resume())
  }

  write(segments: ReadonlyArray<Uint8Array>): boolean {
    return this.during("write", () => this.raw.write(segments))
  }

  end(): void {
    this.during("end", () => this.raw.end())
  }

  destroy(): void {
    this.during("destroy", () => this.raw.destroy())
  }

  reset(): void {
    this.during("reset", () => this.raw.reset())
  }

  onData(chunk: Uint8Array): void {
    this.saw("onData")
    if (this.ended) this.note("onData came after onEnd")
    if (this.paused) this.note("onData came while paused")
    if (chunk.length === 0) this.note("onData came without data")
    if (chunk.constructor !== Uint8Array) this.note(`onData came with a ${chunk.constructor.name}`)
    this.handler?.onData(chunk)
  }

  onEnd(): void {
    this.saw("onEnd")
    if (this.ended) this.note("onEnd came twice")
    this.ended = true
    this.handler?.onEnd()
  }

  onDrain(): void {
    this.saw("onDrain")
    this.handler?.onDrain()
  }

  onClose(code: string | undefined): void {
    this.saw("onClose")
    this.closed = true
    this.handler?.onClose(code)
  }

  private during<A>(method: string, call: () => A): A {
    const before = this.inside
    this.inside = method
    this.watch.moves++
    try {
      return call()
    } finally {
      this.inside = before
    }
  }

  private saw(event: string): void {
    this.watch.moves++
    if (this.closed) this.note(`${event} came after onClose`)
    if (this.inside !== undefined) this.note(`${event} came inside ${this.inside}`)
  }

  private note(what: string): void {
    this.watch.broken ??= `a raw socket broke its contract: ${what}`
  }
}
