/**
 * The PROXY header that a connection which was dialled says first.
 *
 * ```
 * connect --> raw socket --sendProxy--> header, before anything else --> TLS, protocol
 * ```
 *
 * It is one write on a fresh socket and shorter than any send buffer, so there is nothing to wait for. Call it before
 * the TLS handshake: the header goes on the wire in the clear, in front of everything (section 2).
 */
import * as Result from "effect/Result"
import type * as Endpoint from "../Endpoint.ts"
import * as ProxyHeader from "../ProxyHeader.ts"
import type * as Transport from "../Transport.ts"

/** What a client says about itself. */
export interface SendProxy {
  readonly version: ProxyHeader.Version
  /**
   * The header for a connection from here to there; a relay names its own client instead.
   *
   * @default ProxyHeader.fromEndpoints
   */
  readonly header?:
    | ((local: Endpoint.Endpoint, peer: Endpoint.Endpoint) => ProxyHeader.Header)
    | undefined
}

/** The bytes to write first on a connection from `local` to `peer`. */
export const proxyBytes = (
  options: SendProxy,
  local: Endpoint.Endpoint,
  peer: Endpoint.Endpoint
): Result.Result<Uint8Array, ProxyHeader.ProxyHeaderError> =>
  ProxyHeader.encode((options.header ?? ProxyHeader.fromEndpoints)(local, peer), options.version)

/** Writes the header on a socket that was just dialled; nothing is written when it cannot be sent. */
export const sendProxy = (
  raw: Transport.RawSocket,
  options: SendProxy
): Result.Result<void, ProxyHeader.ProxyHeaderError> =>
  Result.map(proxyBytes(options, raw.local, raw.peer), (bytes) => {
    raw.write([bytes])
  })
