/**
 * The stage of an accepted connection in which TLS is agreed on, behind the PROXY header and before the protocol.
 *
 * ```
 * owner: new TlsStage(raw, ...)   raw is paused; bytes that came too early were put back
 *        start() --> onSecure     the secure socket, paused, and what the handshake told
 *                 |--> onFailure  the socket is gone, for this reason
 *        abort(reason) --> onFailure(reason), when the socket is gone
 * ```
 *
 * It has no clock: the owner's one handshake deadline calls `abort`. The context is asked at `start`, so that one that is
 * reloaded counts for whoever comes after that.
 *
 * Invariant: exactly one of `onSecure` and `onFailure` is called, once and in a later turn than `start`.
 */
import type * as CloseReason from "../CloseReason.ts"
import type * as Tls from "../Tls.ts"
import type * as Transport from "../Transport.ts"

/** What the owner of a stage hears. */
export interface TlsStageHandler {
  readonly onSecure: (raw: Transport.RawSocket, info: Tls.Info) => void
  /** `failure` has the words of the engine, unless the owner gave up. */
  readonly onFailure: (reason: CloseReason.CloseReason, failure: Tls.HandshakeFailure) => void
}

export class TlsStage {
  private readonly raw: Transport.RawSocket
  private readonly engine: Tls.Engine
  private readonly context: Tls.ServerContext
  private readonly handler: TlsStageHandler
  private secure: Transport.RawSocket | undefined = undefined
  private over = false
  private reason: CloseReason.CloseReason | undefined = undefined

  constructor(
    raw: Transport.RawSocket,
    engine: Tls.Engine,
    context: Tls.ServerContext,
    handler: TlsStageHandler
  ) {
    this.raw = raw
    this.engine = engine
    this.context = context
    this.handler = handler
  }

  /** Begins to read. */
  start(): void {
    const secure = this.engine.accept(this.raw, this.context, {
      onSecure: (info) => {
        this.over = true
        this.handler.onSecure(secure, info)
      },
      onFailed: (failure) => {
        this.over = true
        this.handler.onFailure(this.reason ?? failure.reason, failure)
      }
    })
    this.secure = secure
  }

  /** Gives up, for a reason of the owner's. */
  abort(reason: CloseReason.CloseReason): void {
    if (this.over) return
    this.reason ??= reason
    this.secure?.destroy()
  }
}
