/**
 * A peer without a protocol, for the laws of servers and clients and for the fuzzer.
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import * as Endpoint from "../../Endpoint.ts"
import type * as Transport from "../../Transport.ts"

/** A peer without a protocol: it sends bytes, hears bytes, and does whatever peers do. @category models @since 0.1.0 */
export class RawPeer implements Transport.RawHandler {
  readonly raw: Transport.RawSocket
  /** Where what it hears goes. */
  onBytes: (chunk: Uint8Array) => void = () => {}
  onEnded: () => void = () => {}
  readonly heard: Array<Uint8Array> = []
  heardBytes = 0
  ended = false
  closed: { readonly code: string | undefined } | undefined = undefined

  constructor(raw: Transport.RawSocket) {
    this.raw = raw
    raw.attach(this)
    raw.resume()
  }

  /** The other side has ended, or the socket is gone. */
  get isDone(): boolean {
    return this.ended || this.closed !== undefined
  }

  /** Everything heard so far. */
  get bytes(): Uint8Array {
    return Bytes.concat(this.heard)
  }

  send(bytes: Uint8Array): boolean {
    return this.raw.write([bytes])
  }
  onData(chunk: Uint8Array): void {
    this.heard.push(chunk)
    this.heardBytes += chunk.length
    this.onBytes(chunk)
  }
  onEnd(): void {
    this.ended = true
    this.onEnded()
  }
  onDrain(): void {}
  onClose(code: string | undefined): void {
    this.closed = { code }
  }
}

/** The socket of a dial that was turned away before it was through. */
const nowhere: Transport.RawSocket = {
  id: 0,
  local: Endpoint.memoryUnsafe("nowhere"),
  peer: Endpoint.memoryUnsafe("nowhere"),
  bytesUnsent: 0,
  attach: () => {},
  pause: () => {},
  unshift: () => {},
  resume: () => {},
  write: () => true,
  end: () => {},
  destroy: () => {},
  reset: () => {}
}

/** A peer whose dial failed as a reset does. @category constructors @since 0.1.0 */
export const turnedAway = (code: string): RawPeer => {
  const peer = new RawPeer(nowhere)
  peer.closed = { code }
  return peer
}
