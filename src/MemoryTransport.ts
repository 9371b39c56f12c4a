/**
 * The transport inside one process: `memory:` endpoints, no sockets, no ports, no kernel.
 *
 * It keeps TCP's contract where programs can see it: bytes come in order and in whatever pieces, each direction holds at
 * most a window and then makes the writer wait, the end of stream comes after the data, a reset destroys what is on its
 * way, and closing with unread input is a reset. Each layer is a network of its own.
 *
 * ```
 * writer --> [ window: at most 64 KiB not yet read ] --> reader        one such queue per direction
 * ```
 *
 * It has no latency and loses nothing: faults and virtual time belong to a simulated network.
 *
 * **Gotchas**: delivery happens in a later turn, never inside `write`. What is written is copied, as a kernel would.
 *
 * Laws: `ConnectionLaws` in `hawser/testing`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Endpoint from "./Endpoint.ts"
import * as Transport from "./Transport.ts"

/** What one direction holds before the writer must wait: the size of one read on a socket. */
const windowBytes = 65_536

/** After so many deliveries in microtasks one goes through the event loop, so that timers are never starved. */
const turnsBeforeYield = 256

interface Turns {
  readonly run: (task: () => void) => void
}

const makeTurns = (): Turns => {
  let left = turnsBeforeYield
  return {
    run: (task) => {
      if (left > 0) {
        left--
        queueMicrotask(task)
      } else {
        setImmediate(() => {
          left = turnsBeforeYield
          task()
        })
      }
    }
  }
}

class MemorySocket implements Transport.RawSocket {
  readonly id: number
  readonly local: Endpoint.Endpoint
  readonly peer: Endpoint.Endpoint
  /** Called once, when this end is gone. */
  onGone: () => void = () => {}
  private readonly turns: Turns
  private other: MemorySocket | undefined
  private handler: Transport.RawHandler | undefined
  /** What the peer wrote and this side has not read. */
  private queue: Array<Uint8Array> = []
  private queuedBytes = 0
  private paused = true
  private scheduled = false
  /** The peer ended its side; seen by the handler once the queue is empty. */
  private ending = false
  private readEnded = false
  private writeEnded = false
  private needDrain = false
  private closed = false
  private closeSeen = false
  private code: string | undefined

  constructor(id: number, local: Endpoint.Endpoint, peer: Endpoint.Endpoint, turns: Turns) {
    this.id = id
    this.local = local
    this.peer = peer
    this.turns = turns
  }

  static pair(left: MemorySocket, right: MemorySocket): void {
    left.other = right
    right.other = left
  }

  get bytesUnsent(): number {
    return this.other === undefined ? 0 : Math.max(0, this.other.queuedBytes - windowBytes)
  }

  attach(handler: Transport.RawHandler): void {
    this.handler = handler
    this.schedule()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.schedule()
  }

  write(segments: ReadonlyArray<Uint8Array>): boolean {
    if (this.closed || this.writeEnded) return true
    const other = this.other
    if (other === undefined || other.closed) {
      // The peer is gone: what arrives there is answered by a reset.
      this.close("EPIPE")
      return true
    }
    for (const segment of segments) {
      other.queue.push(segment.slice())
      other.queuedBytes += segment.length
    }
    other.schedule()
    this.needDrain = other.queuedBytes >= windowBytes
    return !this.needDrain
  }

  end(): void {
    if (this.closed || this.writeEnded) return
    this.writeEnded = true
    if (this.other !== undefined) {
      this.other.ending = true
      this.other.schedule()
    }
    this.schedule()
  }

  destroy(): void {
    if (this.closed) return
    const other = this.other
    if (this.queuedBytes > 0) return this.reset()
    this.close(undefined)
    if (other !== undefined) {
      other.ending = true
      other.schedule()
    }
  }

  reset(): void {
    if (this.closed) return
    this.close(undefined)
    const other = this.other
    if (other !== undefined && !other.closed) {
      other.queue = []
      other.queuedBytes = 0
      other.close("ECONNRESET")
    }
  }

  private close(code: string | undefined): void {
    if (this.closed) return
    this.closed = true
    this.code = code
    this.queue = []
    this.queuedBytes = 0
    this.onGone()
    this.schedule()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    this.turns.run(() => {
      this.scheduled = false
      this.deliver()
    })
  }

  /** One turn: what is due now, in TCP's order: room to write, data, end of stream, close. */
  private deliver(): void {
    const handler = this.handler
    if (handler === undefined || this.closeSeen) return
    if (this.needDrain && !this.closed && (this.other?.queuedBytes ?? 0) < windowBytes) {
      this.needDrain = false
      handler.onDrain()
    }
    if (!this.closed && !this.paused && this.queuedBytes > 0) {
      const chunk = this.read()
      this.other?.schedule()
      this.schedule()
      return handler.onData(chunk)
    }
    if (!this.closed && !this.paused && this.ending && !this.readEnded && this.queuedBytes === 0) {
      this.readEnded = true
      handler.onEnd()
    }
    if (!this.closed && this.readEnded && this.writeEnded && this.bytesUnsent === 0) {
      this.close(undefined)
    }
    if (this.closed && !this.closeSeen) {
      this.closeSeen = true
      handler.onClose(this.code)
    }
  }

  /** Joins what is queued, up to a window: the kernel keeps no boundaries. */
  private read(): Uint8Array {
    const first = this.queue[0]
    if (first !== undefined && this.queue.length === 1 && first.length <= windowBytes) {
      this.queue = []
      this.queuedBytes = 0
      return first
    }
    const chunk = new Uint8Array(Math.min(this.queuedBytes, windowBytes))
    let filled = 0
    while (filled < chunk.length) {
      const next = this.queue[0] as Uint8Array // queuedBytes counts what the queue holds
      const part = next.subarray(0, chunk.length - filled)
      chunk.set(part, filled)
      filled += part.length
      if (part.length === next.length) this.queue.shift()
      else this.queue[0] = next.subarray(part.length)
    }
    this.queuedBytes -= filled
    return chunk
  }
}

interface Listening {
  readonly accept: (socket: MemorySocket) => void
}

const unnamed = Endpoint.memoryUnsafe("client")

/**
 * Makes a network of its own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<Transport.Transport["Service"]> = Effect.sync(() => {
  const turns = makeTurns()
  const listeners = new Map<string, Listening>()
  let lastId = 0

  const listen = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint, options: Transport.ListenOptions) {
    if (endpoint._tag !== "Memory") {
      return yield* new Transport.BindError({ endpoint, reason: "Unsupported", code: endpoint._tag })
    }
    const { name } = endpoint
    if (listeners.has(name)) {
      return yield* new Transport.BindError({ endpoint, reason: "AddressInUse", code: "EADDRINUSE" })
    }
    const open = new Set<MemorySocket>()
    const listening: Listening = {
      accept: (socket) => {
        open.add(socket)
        socket.onGone = () => open.delete(socket)
        turns.run(() => listeners.get(name) === listening ? options.onAccept(socket) : socket.reset())
      }
    }
    const close = Effect.sync(() => {
      if (listeners.get(name) === listening) listeners.delete(name)
    })
    yield* Effect.acquireRelease(
      Effect.sync(() => listeners.set(name, listening)),
      () =>
        Effect.andThen(
          close,
          Effect.sync(() => {
            for (const socket of open) socket.destroy()
          })
        )
    )
    return { endpoint, close }
  })

  const connect = Effect.fnUntraced(function*(endpoint: Endpoint.Endpoint) {
    if (endpoint._tag !== "Memory") {
      return yield* new Transport.ConnectError({ endpoint, reason: "Unsupported", code: endpoint._tag })
    }
    const listener = listeners.get(endpoint.name)
    if (listener === undefined) {
      return yield* new Transport.ConnectError({ endpoint, reason: "Refused", code: "ECONNREFUSED" })
    }
    return yield* Effect.acquireRelease(
      Effect.sync(() => {
        const client = new MemorySocket(++lastId, unnamed, endpoint, turns)
        const server = new MemorySocket(++lastId, endpoint, unnamed, turns)
        MemorySocket.pair(client, server)
        listener.accept(server)
        return client
      }),
      (client) => Effect.sync(() => client.destroy())
    )
  })

  return Transport.Transport.of({ listen, connect })
})

/**
 * The transport as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Transport.Transport> = Layer.effect(Transport.Transport, make)
