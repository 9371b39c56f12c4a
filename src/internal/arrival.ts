/**
 * A connection that has arrived and is not in yet, and its way through the stages before the protocol.
 *
 * ```
 * waiting --> proxy header --> (waiting for a seat) --> TLS --> in
 *                `-- failed, too slow, drained: over <---'
 * ```
 *
 * One that needs no stage and finds a place never becomes an `Arrival`. The socket has one owner at each moment: the door
 * while it waits, then the stage, then the connection's machine.
 */
import type * as CloseReason from "../CloseReason.ts"
import type * as Endpoint from "../Endpoint.ts"
import type * as ProxyHeader from "../ProxyHeader.ts"
import type * as Server from "../Server.ts"
import type * as Tls from "../Tls.ts"
import type * as Transport from "../Transport.ts"
import type { Peer, Seated } from "./admissionRules.ts"
import type { ProxyStage } from "./proxyStage.ts"
import type { Placed } from "./roster.ts"
import type { TlsStage } from "./tlsStage.ts"

/** What all connections of one listener have in common. */
export interface Gate {
  readonly tls: { readonly engine: Tls.Engine; readonly context: Tls.ServerContext } | undefined
}

/** The gate of a listener in plain text. */
export const plainGate: Gate = { tls: undefined }

export class Arrival implements Seated, Placed {
  readonly id: number
  /** When it came, by the clock that is never set back. */
  readonly arrivedMillis: number
  /** The socket of the stage that it has reached. */
  raw: Transport.RawSocket
  readonly gate: Gate
  place = -1
  seat: Peer | undefined = undefined
  /** A trusted proxy, of which nobody knows yet for whom it comes, or which comes for itself. */
  isUncounted = false
  /** A trusted proxy: it begins with a header. */
  isProxy = false
  /** What the header of a proxy said. */
  proxied: { readonly peer: Endpoint.Endpoint; readonly local: Endpoint.Endpoint } | undefined = undefined
  header: ProxyHeader.Header | undefined = undefined
  tls: Tls.Info | undefined = undefined
  stage: ProxyStage | TlsStage | undefined = undefined
  /** Why it is to be ended, where its stage has yet to let go of the socket. */
  ending: CloseReason.CloseReason | undefined = undefined
  /** It is in, or was refused. */
  isOver = false

  constructor(raw: Transport.RawSocket, gate: Gate, now: number) {
    this.id = raw.id
    this.arrivedMillis = now
    this.raw = raw
    this.gate = gate
  }

  get peer(): Endpoint.Endpoint {
    return this.proxied?.peer ?? this.raw.peer
  }
  get local(): Endpoint.Endpoint {
    return this.proxied?.local ?? this.raw.local
  }

  status(state: "waiting" | "handshaking", now: number): Server.ConnectionStatus {
    const { header, id, local, peer, tls } = this
    return {
      id,
      peer,
      local,
      state,
      ageMillis: Math.round(now - this.arrivedMillis),
      bytesIn: 0,
      bytesOut: 0,
      messagesIn: 0,
      messagesOut: 0,
      ...(tls === undefined ? {} : { tls }),
      ...(header === undefined ? {} : { proxied: header })
    }
  }
}
