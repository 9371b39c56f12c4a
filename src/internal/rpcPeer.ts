/**
 * One client of Effect's RPC server: what it has asked, and when it can be let go.
 *
 * ```
 * Open --leave--> Leaving: no new request is heard, acknowledgements and interrupts are --last answer--> done
 * ```
 *
 * Invariant: `calls` holds the id of each request that was passed to the RPC server and has no `Exit` yet. A notification
 * gets none, so it is not counted.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Pull from "effect/Pull"
import type { FromClientEncoded, FromServerEncoded } from "effect/rpc/RpcMessage"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as CloseReason from "../CloseReason.ts"
import type * as Connection from "../Connection.ts"
import { ConnectionMachine } from "./connection.ts"

type Bytes = Connection.Connection<Uint8Array>

const encoder = new TextEncoder()

export class RpcPeer {
  private readonly connection: Bytes
  private readonly parser: RpcSerialization.Parser
  private readonly maxCalls: number
  private readonly calls = new Set<string | number>()
  private leaving = false
  private readonly done = Deferred.makeUnsafe<void>()

  constructor(connection: Bytes, parser: RpcSerialization.Parser, maxCalls: number) {
    this.connection = connection
    this.parser = parser
    this.maxCalls = maxCalls
  }

  /** Hears requests until the client has left, or was let go. */
  serve(
    pass: (message: FromClientEncoded) => Effect.Effect<void>
  ): Effect.Effect<void, CloseReason.ConnectionError> {
    const heard: Pull.Pull<never, CloseReason.ConnectionError> = Effect.flatMap(
      this.connection.pull,
      (batch) => Effect.andThen(Effect.forEach(batch, (chunk) => this.hear(chunk, pass), { discard: true }), heard)
    )
    const read = Pull.catchDone(heard, () =>
      // The end of the grace: who still has calls waits to be cut, so that nobody takes it for an orderly end.
      Effect.suspend(() => this.leaving && this.calls.size > 0 ? Effect.never : Effect.void))
    return Effect.raceFirst(read, Deferred.await(this.done))
  }

  private hear(
    chunk: Uint8Array,
    pass: (message: FromClientEncoded) => Effect.Effect<void>
  ): Effect.Effect<void, CloseReason.ConnectionError> {
    return Effect.suspend(() => {
      let messages: ReadonlyArray<unknown>
      try {
        messages = this.parser.decode(chunk)
      } catch (error) {
        return this.fail(reasonOfDecode(error))
      }
      return Effect.forEach(messages, (message) => this.take(message, pass), { discard: true })
    })
  }

  private take(
    message: unknown,
    pass: (message: FromClientEncoded) => Effect.Effect<void>
  ): Effect.Effect<void, CloseReason.ConnectionError> {
    if (!Predicate.hasProperty(message, "_tag") || typeof message._tag !== "string") {
      return this.fail({ _tag: "ProtocolViolation", message: "an RPC message must be an object with a _tag" })
    }
    const encoded = message as FromClientEncoded // the RPC server answers a tag or a field that it does not know
    if (encoded._tag === "Request" && encoded.isNotification !== true) {
      if (this.leaving) return Effect.void
      if (this.calls.size >= this.maxCalls) {
        return this.fail({ _tag: "OverLimit", limit: "maxCalls", max: this.maxCalls })
      }
      this.calls.add(encoded.id)
    } else if (encoded._tag === "Request" && this.leaving) {
      return Effect.void
    }
    return pass(encoded)
  }

  /** Ends the connection with a reason that the server reports. */
  private fail(reason: CloseReason.CloseReason): Effect.Effect<never, CloseReason.ConnectionError> {
    return this.connection instanceof ConnectionMachine
      ? this.connection.fail(reason)
      : Effect.fail(new CloseReason.ConnectionError({ reason }))
  }

  /** Sends an answer. To a client that has left it is thrown away: the RPC server hears of that in another way. */
  send(response: FromServerEncoded): Effect.Effect<void> {
    return Effect.suspend(() => {
      const encoded = this.parser.encode(response)
      if (encoded === undefined) return Effect.void
      const bytes = typeof encoded === "string" ? encoder.encode(encoded) : encoded
      return Effect.ensuring(this.write(bytes), Effect.sync(() => this.answered(response)))
    })
  }

  /** The answers of one turn leave together; who writes too much waits. */
  private write(bytes: Uint8Array): Effect.Effect<void> {
    const { connection } = this
    if (!(connection instanceof ConnectionMachine) || connection.isBlocked) {
      return Effect.ignore(connection.write([bytes]))
    }
    connection.offer(bytes)
    connection.flushSoon()
    return Effect.void
  }

  private answered(response: FromServerEncoded): void {
    if (response._tag === "Exit") this.calls.delete(response.requestId)
    // The client takes a defect for the end of all its calls.
    if (response._tag === "Defect") this.calls.clear()
    if (this.leaving && this.calls.size === 0) this.end(CloseReason.drained)
  }

  /** Hears no new request; lets the client go when the last one is answered. */
  leave(): void {
    this.leaving = true
    if (this.calls.size === 0) this.end(CloseReason.drained)
  }

  /** The client is done. */
  end(reason: CloseReason.CloseReason): void {
    if (this.connection instanceof ConnectionMachine) this.connection.shutdown(reason)
    Deferred.doneUnsafe(this.done, Effect.void)
  }
}

const reasonOfDecode = (error: unknown): CloseReason.CloseReason => {
  if (error instanceof RpcSerialization.MaxBufferSizeExceeded) {
    const { maxBufferSize } = error
    return { _tag: "FrameTooLarge", bytes: maxBufferSize + 1, maxFrameBytes: maxBufferSize, direction: "inbound" }
  }
  const cause = error instanceof RpcSerialization.NdjsonDecodeError ? error.cause : error
  return { _tag: "FrameCorrupt", message: Cause.prettyErrors(Cause.fail(cause))[0]?.message ?? "", recoverable: false }
}
