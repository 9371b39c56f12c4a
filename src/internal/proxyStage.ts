/**
 * The stage of an accepted connection in which its PROXY header is read, before anything else.
 *
 * ```
 * owner: new ProxyStage(raw, ...)   raw is paused, nobody has read from it
 *        start() --> onData* ------> onHeader   raw is paused again; what came behind the header is put back
 *                 |--onEnd, wrong -> onFailure  raw is paused and open: the owner says goodbye or closes it
 *                 |--onClose ------> onFailure  raw is gone
 *        abort() --> nothing more is told       raw is paused; the owner attaches itself, or closes it
 * ```
 *
 * The stage decides nothing: whoever starts it has decided that this peer must send a header. It has no clock: the
 * owner's one handshake deadline calls `abort`. It holds at most `maxBytes`, however much comes with the header.
 *
 * Invariant: one of `onHeader` and `onFailure` is called, once, in a later turn than `start`; or none, after `abort`.
 */
import * as Result from "effect/Result"
import * as CloseReason from "../CloseReason.ts"
import type * as Endpoint from "../Endpoint.ts"
import * as ProxyHeader from "../ProxyHeader.ts"
import type * as Transport from "../Transport.ts"

/** A connection with its real ends. */
export interface ProxiedSocket {
  readonly raw: Transport.RawSocket
  /** The client; the proxy itself where the header names nobody (`LOCAL`, `UNKNOWN`, `UNSPEC`, datagrams). */
  readonly peer: Endpoint.Endpoint
  /** Where the client wanted to go; this side's address where the header names nobody. */
  readonly local: Endpoint.Endpoint
  readonly header: ProxyHeader.Header
  readonly version: ProxyHeader.Version
}

/**
 * Why there is no header.
 *
 * An error: bytes or an end that break a rule. `Silent`: the peer ended without a byte, as a load balancer does that
 * looks whether a port is open. `Closed`: the socket is gone, with the system's code.
 */
export type ProxyFailure =
  | ProxyHeader.ProxyHeaderError
  | { readonly _tag: "Silent" }
  | { readonly _tag: "Closed"; readonly code: string | undefined }

/** The one reason with which such a connection ends. */
export const toCloseReason = (failure: ProxyFailure): CloseReason.CloseReason => {
  switch (failure._tag) {
    case "ProxyHeaderError":
      return { _tag: "HandshakeFailed", message: failure.message }
    case "Silent":
      return CloseReason.peerClosed
    case "Closed":
      return failure.code === undefined ? CloseReason.closed : { _tag: "PeerReset", code: failure.code }
  }
}

/** What the owner of a stage hears. */
export interface ProxyStageHandler {
  readonly onHeader: (socket: ProxiedSocket) => void
  readonly onFailure: (failure: ProxyFailure, raw: Transport.RawSocket) => void
}

export class ProxyStage implements Transport.RawHandler {
  private readonly raw: Transport.RawSocket
  private readonly handler: ProxyStageHandler
  private readonly parser: ProxyHeader.Parser
  private heard = false
  private over = false

  constructor(raw: Transport.RawSocket, handler: ProxyStageHandler, options?: ProxyHeader.ParserOptions) {
    this.raw = raw
    this.handler = handler
    this.parser = ProxyHeader.parser(options)
  }

  /** Attaches itself and begins to read. */
  start(): void {
    this.raw.attach(this)
    this.raw.resume()
  }

  /** Ends the stage without a word. What was read of the header is lost. */
  abort(): void {
    if (this.over) return
    this.over = true
    this.raw.pause()
  }

  onData(chunk: Uint8Array): void {
    if (this.over) return
    this.heard = true
    const answer = this.parser.push(chunk)
    if (answer === undefined) return
    this.over = true
    this.raw.pause()
    if (Result.isFailure(answer)) return this.handler.onFailure(answer.failure, this.raw)
    const { header, rest, version } = answer.success
    if (rest.length > 0) this.raw.unshift(rest)
    const { raw } = this
    const ends = ProxyHeader.toEndpoints(header)
    this.handler.onHeader({
      raw,
      peer: ends?.source ?? raw.peer,
      local: ends?.destination ?? raw.local,
      header,
      version
    })
  }

  onEnd(): void {
    if (this.over) return
    this.over = true
    this.raw.pause()
    this.handler.onFailure(this.heard ? this.parser.end() : { _tag: "Silent" }, this.raw)
  }

  onDrain(): void {}

  onClose(code: string | undefined): void {
    if (this.over) return
    this.over = true
    this.handler.onFailure({ _tag: "Closed", code }, this.raw)
  }
}
