/**
 * A transport under watch: it passes everything on, and notes when a raw socket breaks the contract of `Transport`.
 *
 * It knows every raw socket that was dialled or accepted, so it can say which of them are still open; and it counts
 * whatever moves, so that whoever waits can tell slow from stuck. What it hands on to be written are copies, which it
 * spoils as soon as nothing is unsent: a raw socket that still needs them delivers bytes that nobody wrote.
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
import type * as Endpoint from "../../Endpoint.ts"
import type * as Transport from "../../Transport.ts"

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
export class WatchedSocket implements Transport.RawSocket {
  readonly kind: "dialled" | "accepted"
  /** The raw socket said that it is gone. */
  closed = false
  /** The peer's end of stream, and the close, were told to the handler of now. */
  private ended = false
  private told = false
  private paused = true
  /** The method that is running, while one is. */
  private inside: string | undefined = undefined
  private handler: Transport.RawHandler | undefined = undefined
  /** What the raw socket was handed, and may still need. */
  private lent: Array<Uint8Array> = []
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
    this.told = false
    // One for each, so that a raw socket that goes on telling the old one is seen.
    this.during("attach", () => this.raw.attach(this.watched(handler)))
  }

  pause(): void {
    this.paused = true
    this.during("pause", () => this.raw.pause())
  }

  resume(): void {
    this.paused = false
    this.during("resume", () => this.raw.resume())
  }

  unshift(chunk: Uint8Array): void {
    this.during("unshift", () => this.raw.unshift(chunk))
  }

  write(segments: ReadonlyArray<Uint8Array>): boolean {
    const copies = segments.map((segment) => new Uint8Array(segment)) // not slice: that of a Buffer copies nothing
    this.lent.push(...copies)
    const more = this.during("write", () => this.raw.write(copies))
    this.spoil()
    return more
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

  private watched(handler: Transport.RawHandler): Transport.RawHandler {
    return {
      onData: (chunk) => {
        this.saw("onData", handler)
        if (this.ended) this.note("onData came after onEnd")
        if (this.paused) this.note("onData came while paused")
        if (chunk.length === 0) this.note("onData came without data")
        if (chunk.constructor !== Uint8Array) this.note(`onData came with a ${chunk.constructor.name}`)
        handler.onData(chunk)
      },
      onEnd: () => {
        this.saw("onEnd", handler)
        if (this.ended) this.note("onEnd came twice")
        if (this.paused) this.note("onEnd came while paused")
        this.ended = true
        handler.onEnd()
      },
      onDrain: () => {
        this.saw("onDrain", handler)
        handler.onDrain()
      },
      onUnsent: (mustWait) => {
        this.saw("onUnsent", handler)
        handler.onUnsent?.(mustWait)
      },
      onClose: (code) => {
        this.saw("onClose", handler)
        this.closed = true
        this.told = true
        handler.onClose(code)
      }
    }
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

  /** Writes over what was handed to the raw socket, when it says that it is done with it. */
  private spoil(): void {
    if (this.lent.length > 0 && this.raw.bytesUnsent === 0) { for (const copy of this.lent.splice(0)) copy.fill(0xa5) }
  }

  private saw(event: string, handler: Transport.RawHandler): void {
    this.watch.moves++
    this.spoil()
    if (this.handler !== handler) this.note(`${event} came to a handler that was replaced`)
    if (this.told || (this.closed && event !== "onClose")) this.note(`${event} came after onClose`)
    if (this.inside !== undefined) this.note(`${event} came inside ${this.inside}`)
  }

  private note(what: string): void {
    this.watch.broken ??= `a raw socket broke its contract: ${what}`
  }
}
