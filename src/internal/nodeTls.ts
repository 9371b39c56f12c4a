/**
 * A raw socket that carries clear bytes: Node's TLS over another raw socket.
 *
 * ```
 * server  Listening --first byte is 22--> Shaking --> Secure --> closed
 *             `-- any other: not TLS         `---- failed ----------^        onFailed, when the socket is gone
 * client                                  Shaking
 * ```
 *
 * Over one of Node's sockets TLS takes its handle over, so that the bytes never pass through JavaScript in between; over
 * any other raw socket it reads and writes a stream. A server looks at the first byte before it makes anything: a silent
 * peer costs no TLS state, and who speaks another protocol is told so.
 *
 * Invariants: of `onSecure` and `onFailed` exactly one is called, once. Nothing is delivered before `onSecure`.
 */
import type * as NodeTls from "node:tls"
import * as Endpoint from "../Endpoint.ts"
import type * as Tls from "../Tls.ts"
import type * as Transport from "../Transport.ts"
import { RawDuplex } from "./nodeDuplex.ts"
import { NodeSocket, unnamed } from "./nodeSocket.ts"
import { client, ClientContext, server, ServerContext } from "./nodeTlsContext.ts"
import * as errors from "./nodeTlsErrors.ts"
import { clientRole, infoOfHandshake, type Role, serverRole } from "./nodeTlsRole.ts"

/** The content type of a record with a handshake message: what the first byte of TLS is (RFC 8446, 5.1). */
const handshakeRecord = 22

/** How the clear bytes lie over the socket. */
const over = { isOver: true }

class SecureSocket implements Transport.RawSocket {
  readonly id: number
  private readonly raw: Transport.RawSocket
  private readonly role: Role
  private readonly handshake: Tls.Handshake
  private state: "Listening" | "Shaking" | "Secure" | "Closed" = "Listening"
  private stream: RawDuplex | undefined = undefined
  private tls: NodeTls.TLSSocket | undefined = undefined
  /** Carries the clear bytes, once there is a handshake. */
  private clear: NodeSocket | undefined = undefined
  private handler: Transport.RawHandler | undefined = undefined
  private failure: Tls.HandshakeFailure | undefined = undefined
  private code: string | undefined = undefined
  /** The owner is inside a call that closes. */
  private called = false
  /** The owner hears of the handshake. */
  private securing = false
  // What the owner wants, until it can have it.
  private flowing = false
  private ending = false
  private early: Array<Uint8Array> = []

  constructor(raw: Transport.RawSocket, role: Role, handshake: Tls.Handshake) {
    this.id = raw.id
    this.raw = raw
    this.role = role
    this.handshake = handshake
    if (role.isServer) this.listen()
    else this.shake()
  }

  get local(): Endpoint.Endpoint {
    return secureEndpoint(this.raw.local)
  }
  get peer(): Endpoint.Endpoint {
    return secureEndpoint(this.raw.peer)
  }
  get bytesUnsent(): number {
    const clear = this.early.reduce((sum, segment) => sum + segment.length, this.clear?.bytesUnsent ?? 0)
    // What one holds is on its way to the other, in another size.
    return Math.max(clear, this.stream === undefined ? 0 : this.raw.bytesUnsent)
  }

  attach(handler: Transport.RawHandler): void {
    this.handler = handler
    if (this.clear !== undefined) this.clear.attach(this.events)
    else if (this.state === "Closed") queueMicrotask(() => handler.onClose(this.code))
  }
  pause(): void {
    this.flowing = false
    this.clear?.pause()
  }
  resume(): void {
    this.flowing = true
    if (this.state === "Secure") this.clear?.resume()
  }
  unshift(chunk: Uint8Array): void {
    this.clear?.unshift(chunk)
  }
  write(segments: ReadonlyArray<Uint8Array>): boolean {
    if (this.state === "Secure" && this.clear !== undefined) return this.clear.write(segments)
    if (this.state !== "Closed" && !this.ending) this.early.push(...segments)
    return false
  }
  end(): void {
    if (this.state === "Secure") this.clear?.end()
    else this.ending = true
  }
  destroy(): void {
    this.called = true
    this.fail(errors.gaveUp)
    this.called = false
  }
  reset(): void {
    const { tls } = this
    if (this.securing) {
      // Node's TLS crashes when the socket below it goes while it tells of the handshake.
      this.pause()
      setImmediate(() => this.reset())
      return
    }
    this.called = true
    // While the end is on its way the kernel refuses a reset.
    if (tls === undefined || !tls.writableEnded || tls.writableFinished) this.raw.reset()
    this.fail(errors.gaveUp)
    this.called = false
  }

  /** Waits for the first byte of a client. */
  private listen(): void {
    this.raw.attach({
      onData: (chunk) => {
        this.raw.pause()
        if (chunk[0] !== handshakeRecord) return this.fail(errors.plainText("ERR_SSL_WRONG_VERSION_NUMBER", chunk))
        this.raw.unshift(chunk)
        this.shake()
      },
      onEnd: () => this.fail(errors.hungUp(undefined, false)),
      onDrain: () => {},
      onClose: (code) => {
        this.failure ??= errors.hungUp(code, false)
        this.closed(code)
      }
    })
    this.raw.resume()
  }

  private shake(): void {
    const stream = this.raw instanceof NodeSocket ? this.raw.release() : this.stream = new RawDuplex(this.raw)
    this.state = "Shaking"
    if (stream.destroyed || stream.readableEnded) {
      this.raw.attach({ ...this.events, onData: () => {} })
      return this.fail(errors.hungUp(undefined, true))
    }
    const hungUp = () => {
      if (this.state === "Shaking") this.fail(errors.hungUp(undefined, true))
    }
    // A client may have ended its side behind what was put back; no handshake can end well then.
    if (this.stream === undefined) stream.once("end", hungUp)
    const tls = this.role.start(stream)
    this.tls = tls
    // Nothing below is as good as what the handshake said; whoever hears an error ends the socket.
    tls.on("_tlsError", this.onError)
    tls.on("error", this.onError)
    tls.once("end", hungUp)
    this.clear = new NodeSocket(this.id, tls, unnamed, over)
    this.clear.attach(this.events)
    tls.once(this.role.secured, () => this.secured(tls))
  }

  private readonly onError = (error: NodeJS.ErrnoException): void => {
    if (this.state === "Shaking") this.failure ??= errors.fromError(error, this.stream?.head)
    this.tls?.destroy(error)
    this.clear?.destroy()
  }

  private secured(tls: NodeTls.TLSSocket): void {
    const objection = this.role.objection(tls)
    if (objection !== undefined) return this.fail(errors.fromError(objection, undefined))
    const { clear, early } = this
    this.state = "Secure"
    // TLS 1.2 lets a client ask for new handshakes without end, each of which costs a server a signature (CVE-2011-1473).
    tls.disableRenegotiation()
    this.securing = true
    this.handshake.onSecure(infoOfHandshake(tls, this.role.verified(tls)))
    this.securing = false
    this.early = []
    if (early.length > 0 && clear?.write(early) === true) queueMicrotask(() => this.events.onDrain())
    if (this.ending) clear?.end()
    if (this.flowing) clear?.resume()
  }

  /** Ends the handshake, or whatever came after it, for the first reason given. */
  private fail(failure: Tls.HandshakeFailure): void {
    this.failure ??= failure
    const socket = this.clear ?? this.raw
    socket.destroy()
  }

  private closed(code: string | undefined): void {
    // Node tells it at once where the socket below is gone already.
    if (this.called) return queueMicrotask(() => this.closed(code))
    if (this.state === "Closed") return this.handler?.onClose(this.code)
    const secure = this.state === "Secure"
    this.state = "Closed"
    this.early = []
    if (!secure) {
      const failure = this.failure ?? errors.hungUp(code, true)
      this.code = failure.reason._tag === "Closed" ? undefined : failure.code
      this.handshake.onFailed(failure)
    } else {
      this.code = code
    }
    this.handler?.onClose(this.code)
  }

  /** What the clear bytes say goes to whoever is the owner. */
  private readonly events: Transport.RawHandler = {
    onData: (chunk) => this.handler?.onData(chunk),
    onEnd: () => this.handler?.onEnd(),
    onDrain: () => {
      // Over a stream, Node says that the end has left also when it is gone.
      if (this.state === "Secure") this.handler?.onDrain()
    },
    onClose: (code) => this.closed(code)
  }
}

/** The same address, over TLS. */
const secureEndpoint = (endpoint: Endpoint.Endpoint): Endpoint.Endpoint =>
  endpoint._tag === "Tcp" ? Endpoint.tlsUnsafe(endpoint.host, endpoint.port) : endpoint

const foreign = new TypeError("a TLS context works with the engine that made it")

/** Node's TLS. */
export const engine: Tls.Engine = {
  server,
  client,
  accept: (raw, context, handshake) => {
    if (!(context instanceof ServerContext)) throw foreign
    return new SecureSocket(raw, serverRole(context.loaded), handshake)
  },
  connect: (raw, context, host, handshake) => {
    if (!(context instanceof ClientContext)) throw foreign
    return new SecureSocket(raw, clientRole(context, host), handshake)
  }
}
