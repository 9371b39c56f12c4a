/**
 * A raw socket as one of Node's streams: how TLS runs over a transport that Node knows nothing of.
 *
 * It passes both kinds of backpressure on: a full reading buffer pauses the raw socket, and a write that the raw socket
 * wants to wait after completes at its drain.
 */
import { Duplex } from "node:stream"
import type * as Transport from "../Transport.ts"

type Callback = (error?: Error | null) => void

/** Enough to tell what it was that somebody sent instead of TLS. */
const headBytes = 32

export class RawDuplex extends Duplex implements Transport.RawHandler {
  /** The first bytes that came. */
  head: Uint8Array | undefined = undefined
  private readonly raw: Transport.RawSocket
  private flowing = false
  /** The peer ended its side. */
  private ended = false
  /** This side was ended. */
  private finished = false
  private gone = false
  /** Completes the write or the end that waits for the raw socket's drain. */
  private whenDrained: Callback | undefined = undefined
  private whenGone: (() => void) | undefined = undefined

  constructor(raw: Transport.RawSocket) {
    // TLS destroys it when it is done: were it to do so by itself when both sides have ended, TLS would throw away what
    // its owner has not read yet.
    super({ allowHalfOpen: true, autoDestroy: false })
    this.raw = raw
    raw.attach(this)
  }

  onData(chunk: Uint8Array): void {
    this.head ??= chunk.slice(0, headBytes)
    if (this.push(chunk)) return
    this.flowing = false
    this.raw.pause()
  }
  onEnd(): void {
    this.ended = true
    this.push(null)
  }
  onDrain(): void {
    const { whenDrained } = this
    this.whenDrained = undefined
    whenDrained?.()
  }
  onClose(code: string | undefined): void {
    this.gone = true
    // Both sides ended: what was read and not taken yet is still to be given.
    if (code === undefined && this.ended && this.finished) return this.onDrain()
    this.destroy(code === undefined ? undefined : Object.assign(new Error(code), { code, syscall: "read" }))
    this.whenGone?.()
  }

  override _read(): void {
    if (this.flowing || this.gone) return
    this.flowing = true
    this.raw.resume()
  }
  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: Callback): void {
    this.send([chunk], done)
  }
  override _writev(chunks: ReadonlyArray<{ readonly chunk: Uint8Array }>, done: Callback): void {
    this.send(chunks.map(({ chunk }) => chunk), done)
  }
  private send(segments: ReadonlyArray<Uint8Array>, done: Callback): void {
    if (this.raw.write(segments)) done()
    else this.whenDrained = done
  }
  override _final(done: Callback): void {
    this.finished = true
    this.raw.end()
    if (this.raw.bytesUnsent > 0) this.whenDrained = done
    else done()
  }
  override _destroy(error: Error | null, done: Callback): void {
    if (this.gone) return done(error)
    this.whenGone = () => done(error)
    this.raw.destroy()
  }
}
