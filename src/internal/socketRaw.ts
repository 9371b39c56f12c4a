/**
 * A raw socket over one of Effect's sockets: what `EffectSocket` builds hawser's connections on.
 *
 * ```
 * Effect's reader.pull --> [ one batch ] --onData--> handler        nothing is pulled while paused
 * handler --write--> [ queue ] --> Effect's writer.writeAll         one call at a time; at 64 KiB who writes must wait
 *           end ----------------> the writer's scope closes         destroy -----> CloseEvent, both scopes close
 * ```
 *
 * Invariants: at most one pull and one write run at a time, each in a fiber of its own. `unsent` counts what `write` took
 * and `writeAll` did not finish. What a fiber brings is told in a later turn than the call that started it.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Socket from "effect/socket/Socket"
import type * as Endpoint from "../Endpoint.ts"
import type * as Transport from "../Transport.ts"
import { reasonOf } from "./socketErrors.ts"

/** What the writer takes before the handler must wait: the size of one read on a socket. */
const windowBytes = 65_536

/** A socket is opened for the time of a scope; `id`, `local` and `peer` are given, for Effect's sockets have none. */
export const open = (
  socket: Socket.Socket,
  names: Pick<Transport.RawSocket, "id" | "local" | "peer">
): Effect.Effect<SocketRaw, Socket.SocketError, Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const scope = yield* Effect.scope
      const readScope = yield* Scope.fork(scope)
      const writeScope = yield* Scope.fork(scope)
      const pull = yield* restore(Scope.provide(Socket.readerBytes(socket), readScope))
      const writer = yield* Scope.provide(socket.writer, writeScope)
      const context = yield* Effect.context<never>()
      const raw = new SocketRaw(names, { pull, readScope, writer, writeScope, fork: Effect.runForkWith(context) })
      yield* Effect.addFinalizer(() => Effect.sync(() => raw.destroy()))
      return raw
    })
  )

interface Ends {
  readonly pull: Effect.Effect<ReadonlyArray<Uint8Array>, Socket.SocketError>
  readonly readScope: Scope.Closeable
  readonly writer: Socket.Writer
  readonly writeScope: Scope.Closeable
  readonly fork: <A, E>(effect: Effect.Effect<A, E>) => Fiber.Fiber<A, E>
}

export class SocketRaw implements Transport.RawSocket {
  readonly id: number
  readonly local: Endpoint.Endpoint
  readonly peer: Endpoint.Endpoint
  /** Called once, when it is gone. */
  onGone: () => void = () => {}
  private readonly ends: Ends
  private handler: Transport.RawHandler | undefined = undefined
  private paused = true
  private scheduled = false
  /** Pulled and not delivered. */
  private queue: Array<Uint8Array> = []
  private pulling: Fiber.Fiber<unknown, unknown> | undefined = undefined
  private peerEnded = false
  private toldEnd = false
  private unsent = 0
  private outgoing: Array<Uint8Array> = []
  private writing: Fiber.Fiber<unknown, unknown> | undefined = undefined
  private needDrain = false
  private finishing = false
  private finished = false
  private closed = false
  private toldClose = false
  private code: string | undefined = undefined

  constructor(names: Pick<Transport.RawSocket, "id" | "local" | "peer">, ends: Ends) {
    this.id = names.id
    this.local = names.local
    this.peer = names.peer
    this.ends = ends
  }

  get bytesUnsent(): number {
    return this.unsent
  }

  attach(handler: Transport.RawHandler): void {
    this.handler = handler
    this.toldEnd = false
    this.toldClose = false
    this.schedule()
  }

  pause(): void {
    this.paused = true
  }

  resume(): void {
    this.paused = false
    this.schedule()
  }

  unshift(chunk: Uint8Array): void {
    if (this.paused && !this.toldEnd && !this.closed && chunk.length > 0) this.queue.unshift(chunk)
  }

  write(segments: ReadonlyArray<Uint8Array>): boolean {
    if (this.closed || this.finishing) return true
    for (const segment of segments) {
      this.outgoing.push(segment)
      this.unsent += segment.length
    }
    this.send()
    this.needDrain = this.unsent >= windowBytes
    return !this.needDrain
  }

  end(): void {
    if (this.closed || this.finishing) return
    this.finishing = true
    this.needDrain ||= this.unsent > 0
    this.schedule()
  }

  destroy(): void {
    // The only word of Effect's sockets that does not wait until the peer has read everything.
    this.close(undefined, Effect.ignore(this.ends.writer.write(new Socket.CloseEvent(1000))))
  }

  /** Effect's sockets cannot break a connection visibly. */
  reset(): void {
    this.destroy()
  }

  private schedule(): void {
    if (this.scheduled) return
    this.scheduled = true
    queueMicrotask(() => {
      this.scheduled = false
      this.deliver()
    })
  }

  /** One turn: what is due now, in TCP's order: room to write, data, end of stream, close. */
  private deliver(): void {
    const { handler } = this
    if (handler === undefined || this.toldClose) return
    if (this.needDrain && this.unsent === 0 && !this.closed) {
      this.needDrain = false
      handler.onDrain()
    }
    while (!this.paused && !this.closed) {
      const chunk = this.queue.shift()
      if (chunk === undefined) break
      if (chunk.length > 0) handler.onData(plain(chunk))
    }
    if (!this.paused && !this.closed && this.peerEnded && !this.toldEnd) {
      this.toldEnd = true
      handler.onEnd()
    }
    if (this.finishing && this.unsent === 0 && !this.finished && !this.closed) this.finish()
    if (this.toldEnd && this.finished) this.close(undefined)
    if (this.closed && !this.toldClose) {
      this.toldClose = true
      return handler.onClose(this.code)
    }
    if (!this.paused && !this.closed && !this.peerEnded && this.pulling === undefined) this.pull()
  }

  private pull(): void {
    const fiber = this.ends.fork(this.ends.pull)
    this.pulling = fiber
    fiber.addObserver((exit) => {
      this.pulling = undefined
      if (this.closed) return
      if (Exit.isSuccess(exit)) this.queue.push(...exit.value)
      else this.lost(exit, true)
      this.schedule()
    })
  }

  private send(): void {
    if (this.writing !== undefined || this.outgoing.length === 0) return
    const [first, ...rest] = this.outgoing
    if (first === undefined) return
    this.outgoing = []
    const size = rest.reduce((sum, segment) => sum + segment.length, first.length)
    const fiber = this.ends.fork(this.ends.writer.writeAll([first, ...rest]))
    this.writing = fiber
    fiber.addObserver((exit) => {
      this.writing = undefined
      if (this.closed) return
      if (Exit.isFailure(exit)) return this.lost(exit, false)
      this.unsent -= size
      this.send()
      this.schedule()
    })
  }

  /** A pull or a write failed; only a reader can tell of an orderly end. */
  private lost(exit: Exit.Exit<unknown, Socket.SocketError>, reading: boolean): void {
    const error = Exit.findErrorOption(exit)
    const reason = error._tag === "Some" ? reasonOf(error.value) : undefined
    if (reading && reason?._tag === "PeerClosed") {
      this.peerEnded = true
    } else {
      this.close(reason === undefined ? "EPIPE" : reason._tag === "PeerReset" ? reason.code : reason._tag)
    }
  }

  /** Everything has left. */
  private finish(): void {
    this.finished = true
    this.ends.fork(Scope.close(this.ends.writeScope, Exit.void))
  }

  private close(code: string | undefined, before: Effect.Effect<void> = Effect.void): void {
    if (this.closed) return
    this.closed = true
    this.code = code
    this.queue = []
    this.outgoing = []
    this.unsent = 0
    this.pulling?.interruptUnsafe()
    this.writing?.interruptUnsafe()
    const { fork, readScope, writeScope } = this.ends
    fork(before.pipe(
      Effect.andThen(Scope.close(writeScope, Exit.void)),
      Effect.andThen(Scope.close(readScope, Exit.void))
    ))
    this.onGone()
    this.schedule()
  }
}

/** Node's `Buffer` differs from a `Uint8Array` in slice, toString and equality. */
const plain = (chunk: Uint8Array): Uint8Array =>
  chunk.constructor === Uint8Array ? chunk : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length)
