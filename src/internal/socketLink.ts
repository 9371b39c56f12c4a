/**
 * One live connection, as one of Effect's sockets sees it: its reader, and what its writers do.
 *
 * ```
 * Effect's reader <-- [Uint8Array, ...] --- connection         every end is an error: SocketClose-, SocketReadError
 * Effect's writer --- Uint8Array, string -> connection         SocketWriteError
 *                     CloseEvent ---------> shutdown           what was written leaves first
 * ```
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Socket from "effect/socket/Socket"
import * as CloseReason from "../CloseReason.ts"
import type * as Connection from "../Connection.ts"
import { ConnectionMachine } from "./connection.ts"
import { abnormalClosure, closeError, readError, reasonOfCloseEvent, writeError } from "./socketErrors.ts"

type Bytes = Connection.Connection<Uint8Array>

/** What a link needs of a connection. */
interface Wire extends Pick<Bytes, "pull" | "write" | "finish"> {
  /** Ends this side behind what was written, and wakes the reader. */
  readonly shutdown: (reason: CloseReason.CloseReason) => Effect.Effect<void>
  /** Whether the end that `pull` gave was asked for by a drain, and not by the peer. */
  readonly isDrained: () => boolean
  /**
   * Takes back that this side closed it, where a scope did so on the way of a failure: then the server says why. `false`
   * where it was told already.
   */
  readonly reconsider: () => boolean
}

/** The wire of a connection that somebody else made: it is not told to end, so its reader races with the end. */
const foreign = (connection: Bytes): Wire => {
  const closed = Deferred.makeUnsafe<never, CloseReason.ConnectionError>()
  return {
    pull: Effect.raceFirst(connection.pull, Deferred.await(closed)),
    write: connection.write,
    get finish() {
      return connection.finish
    },
    shutdown: (reason) =>
      Effect.andThen(
        Deferred.fail(closed, new CloseReason.ConnectionError({ reason })),
        Effect.ignore(connection.finish)
      ),
    isDrained: () => false,
    reconsider: () => true
  }
}

const wireOf = (connection: Bytes): Wire =>
  connection instanceof ConnectionMachine
    ? {
      pull: connection.pull,
      write: connection.write,
      get finish() {
        return connection.finish
      },
      shutdown: (reason) => Effect.sync(() => connection.shutdown(reason)),
      isDrained: () => connection.isDraining && !connection.peerEnded,
      reconsider: () => {
        if (connection.reason === CloseReason.closed && !connection.isClosed) connection.reason = undefined
        return connection.reason === undefined
      }
    }
    : foreign(connection)

const encoder = new TextEncoder()

const bytesOf = (chunk: Uint8Array | string): Uint8Array => typeof chunk === "string" ? encoder.encode(chunk) : chunk

export class SocketLink {
  /** The connection as a socket: its reader is this connection, and nothing can be dialled again. */
  readonly socket: Socket.Socket
  readonly reader: Socket.Reader
  /** This side closed it. */
  private closed = false
  /** With which words, where it said any. */
  private event: Socket.CloseEvent | undefined = undefined
  /** How it had ended already when this side closed it, as far as the reader knew. */
  private ended: CloseReason.CloseReason | undefined = undefined
  /** The last error that an operation gave. */
  private told: Socket.SocketError | undefined = undefined
  private readonly wire: Wire

  constructor(connection: Bytes) {
    this.wire = wireOf(connection)
    this.reader = {
      pull: Effect.mapError(this.wire.pull, (error) => this.told = this.readError(error)),
      upgrade: Socket.SocketUpgradeError.unsupported
    }
    const writer: Socket.Writer = { write: (chunk) => this.write(chunk), writeAll: (batch) => this.writeAll(batch) }
    this.socket = Socket.make({
      reader: Effect.acquireRelease(
        Effect.suspend(() => this.closed ? Effect.fail(this.closeError) : Effect.succeed(this.reader)),
        () => this.close()
      ),
      writer: Effect.acquireRelease(Effect.succeed(writer), () => this.finish)
    })
  }

  /** What a reader is told that comes when everything is over. */
  private get closeError(): Socket.SocketError {
    return this.event === undefined
      ? closeError(abnormalClosure, CloseReason.format(CloseReason.closed))
      : closeError(this.event.code, this.event.reason)
  }

  private readError(error: CloseReason.ConnectionError | Cause.Done): Socket.SocketError {
    if (this.closed) return this.closeError
    if (!Cause.isDone(error)) {
      this.ended = error.reason
      return readError(error.reason, error)
    }
    const reason = this.wire.isDrained() ? CloseReason.drained : CloseReason.peerClosed
    this.ended = reason
    return readError(reason, new CloseReason.ConnectionError({ reason }))
  }

  write(chunk: Uint8Array | string | Socket.CloseEvent): Effect.Effect<void, Socket.SocketError> {
    return Socket.isCloseEvent(chunk) ? this.close(chunk) : this.send([bytesOf(chunk)])
  }

  writeAll(chunks: ReadonlyArray<Uint8Array | string>): Effect.Effect<void, Socket.SocketError> {
    return this.send(chunks.map(bytesOf))
  }

  private send(chunks: ReadonlyArray<Uint8Array>): Effect.Effect<void, Socket.SocketError> {
    return Effect.mapError(this.wire.write(chunks), (error) => this.told = writeError(error))
  }

  /** Ends this side; who is told that it was ended is not told again. */
  get finish(): Effect.Effect<void> {
    return Effect.ignore(this.wire.finish)
  }

  /** Closes the connection behind what was written; the reader fails with the event's code. */
  close(event?: Socket.CloseEvent): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.closed) return Effect.void
      this.closed = true
      this.event = event
      return this.wire.shutdown(event === undefined ? this.ended ?? CloseReason.closed : reasonOfCloseEvent(event))
    })
  }

  /** What a handler did with the connection; by then the scope of its reader is closed. */
  settled<R>(handled: Effect.Effect<unknown, unknown, R>): Effect.Effect<unknown, unknown, R> {
    return handled.pipe(
      Effect.onInterrupt(() => Effect.sync(() => this.wire.reconsider())),
      Effect.catchCause((cause) => this.settle(cause))
    )
  }

  /**
   * What a handler's failure says of the connection: nothing, where it only passes on the orderly end that it was told;
   * the connection's error, where it passes on that. Anything else, the error of another socket included, is its own, and
   * is not lost because the scope of the reader closed first.
   */
  private settle(cause: Cause.Cause<unknown>): Effect.Effect<void, unknown> {
    if (this.told === undefined || Cause.squash(cause) !== this.told) {
      return this.wire.reconsider()
        ? Effect.failCause(cause)
        : Effect.logError(CloseReason.format(CloseReason.fromCause(cause)), cause)
    }
    const { reason } = this.told
    return "cause" in reason && reason.cause instanceof CloseReason.ConnectionError
      ? Effect.fail(reason.cause)
      : Effect.void
  }
}
