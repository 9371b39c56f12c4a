/**
 * The two ends of a connection, and the raw socket between them.
 */
import type * as Endpoint from "../Endpoint.ts"
import type * as Tls from "../Tls.ts"
import type * as Transport from "../Transport.ts"
import type { Predecessor } from "./writingSide.ts"

/** What the stages before it learned of the two sides, where that is not what the raw socket says. */
export interface Addresses {
  readonly local?: Endpoint.Endpoint | undefined
  readonly peer?: Endpoint.Endpoint | undefined
  /** What the handshake told. */
  readonly tls?: Tls.Info | undefined
  /** The machine that talked over the socket in plain text. */
  readonly predecessor?: Predecessor | undefined
}

export class Ends {
  readonly id: number
  readonly raw: Transport.RawSocket
  private readonly addresses: Addresses | undefined

  constructor(raw: Transport.RawSocket, addresses: Addresses | undefined) {
    this.id = raw.id
    this.raw = raw
    this.addresses = addresses
  }

  get local(): Endpoint.Endpoint {
    return this.addresses?.local ?? this.raw.local
  }
  get peer(): Endpoint.Endpoint {
    return this.addresses?.peer ?? this.raw.peer
  }
  get tls(): Tls.Info | undefined {
    return this.addresses?.tls
  }
}
