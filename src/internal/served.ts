/**
 * A connection of a server: the machine of every connection, and what the server's books need of it.
 */
import type * as Codec from "../Codec.ts"
import type * as ProxyHeader from "../ProxyHeader.ts"
import type * as Server from "../Server.ts"
import type * as Transport from "../Transport.ts"
import type { Peer, Seated } from "./admissionRules.ts"
import type { Arrival } from "./arrival.ts"
import { ConnectionMachine } from "./connectionMachine.ts"
import { copying } from "./outbox.ts"

export class Served<In, Out> extends ConnectionMachine<In, Out> implements Seated {
  /** By the clock that is never set back. */
  readonly openedMillis: number
  readonly isUncounted: boolean
  readonly header: ProxyHeader.Header | undefined
  seat: Peer | undefined

  constructor(
    raw: Transport.RawSocket,
    codec: Codec.Codec<In, Out>,
    openedMillis: number,
    arrival: Arrival | undefined
  ) {
    super(
      raw,
      codec,
      arrival === undefined
        ? undefined
        : { peer: arrival.proxied?.peer, local: arrival.proxied?.local, tls: arrival.tls }
    )
    this.openedMillis = openedMillis
    this.isUncounted = arrival?.isUncounted ?? false
    this.header = arrival?.header
    this.seat = arrival?.seat
  }

  /** Starts to deliver. */
  start(): this {
    this.raw.attach(this)
    this.raw.resume()
    return this
  }

  get isBorrowing(): boolean {
    return this.answerer?.isBorrowing === true && this.isHeard && !this.inbox.holds
  }

  /**
   * Replies hold nothing of what was lent, nor does the decoder, but behind a bad frame, which ends the connection. What else
   * does is the fiber that has messages to answer; it may also wait for the peer alone, to read its answers.
   */
  borrow(chunk: Uint8Array): boolean {
    copying(() => this.onData(chunk))
    // A fiber that asks for more has done with what it had.
    const isDone = this.fiber === undefined || this.waiter !== undefined
    return isDone || this.answerer?.keep?.() !== true
  }

  status(now: number): Server.ConnectionStatus {
    const state = this.reason !== undefined ? "lingering" : this.isDraining ? "draining" : "open"
    const { bytesIn, bytesOut, header, id, local, messagesIn, messagesOut, peer, tls } = this
    const ageMillis = Math.round(now - this.openedMillis)
    return {
      id,
      peer,
      local,
      state,
      ageMillis,
      bytesIn,
      bytesOut,
      messagesIn,
      messagesOut,
      ...(tls === undefined ? {} : { tls }),
      ...(header === undefined ? {} : { proxied: header })
    }
  }
}
