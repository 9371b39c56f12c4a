/**
 * The transport over Node's sockets: `tcp:` and `unix:` endpoints, and `memory:` ones in process.
 *
 * The only library file that knows `node:net`. A listener owns every socket from the accept callback on; a socket is
 * closed exactly once, when both sides ended or its owner destroys it.
 *
 * Every socket is opened half-open capable, so that a peer that ends its side (`printf hi | nc -N`) still gets its
 * answer, and without Nagle's delay, because hawser gathers small writes itself.
 *
 * ```
 * tcp://*:PORT   every interface, both families: binds [::] for both, or 0.0.0.0 where IPv6 is off
 * unix:/path     a stale file left by a killed process is removed, but only a socket that nobody answers on
 * unix:@name     Linux's abstract names, which leave no file
 * ```
 *
 * It does no TLS: a `tls:` endpoint is refused with `Unsupported`.
 *
 * **Gotchas**: Node accepts whatever comes and offers no way to stop for a while; who is over a limit is turned away
 * after the accept. One function serves an event of all sockets: a closure per socket and event would double the memory
 * of an idle connection.
 *
 * Laws: `ConnectionLaws` in `hawser/testing`.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Host from "effect/net/Host"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs/promises"
import * as Net from "node:net"
import * as Endpoint from "./Endpoint.ts"
import * as MemoryTransport from "./MemoryTransport.ts"
import * as Transport from "./Transport.ts"

/** The wrapper of a socket, found on the socket, so that one function serves all of them. */
const owner = Symbol("hawser/NodeTransport")

interface OwnedSocket extends Net.Socket {
  [owner]: NodeSocket
}

/** Shares of one transport. */
interface Shared {
  lastId: number
}

class NodeSocket implements Transport.RawSocket {
  readonly id: number
  private readonly socket: Net.Socket
  private readonly listening: Endpoint.Endpoint | undefined
  private readonly dialled: Endpoint.Endpoint | undefined
  private readonly owners: Set<NodeSocket> | undefined
  /** Asked for at once: a closed socket has forgotten it. */
  private readonly remoteAddress: string | undefined
  private readonly remotePort: number | undefined
  private handler: Transport.RawHandler | undefined
  private flowing = false
  private closed = false
  private code: string | undefined

  constructor(
    id: number,
    socket: Net.Socket,
    from: { readonly listening: Endpoint.Endpoint; readonly owners: Set<NodeSocket> } | {
      readonly dialled: Endpoint.Endpoint
    }
  ) {
    this.id = id
    this.socket = socket
    this.remoteAddress = socket.remoteAddress
    this.remotePort = socket.remotePort
    if ("listening" in from) {
      this.listening = from.listening
      this.owners = from.owners
      from.owners.add(this)
    } else {
      this.dialled = from.dialled
    }
    ;(socket as OwnedSocket)[owner] = this
    socket.on("error", onError)
    socket.on("close", onClose)
  }

  get local(): Endpoint.Endpoint {
    if (this.listening?._tag === "Unix") return this.listening
    const { localAddress, localPort } = this.socket
    if (localAddress === undefined || localPort === undefined) return this.listening ?? unnamed
    return Endpoint.fromNativeUnsafe("Tcp", localAddress, localPort)
  }

  get peer(): Endpoint.Endpoint {
    if (this.remoteAddress === undefined || this.remotePort === undefined) return this.dialled ?? unnamed
    return Endpoint.fromNativeUnsafe("Tcp", this.remoteAddress, this.remotePort)
  }

  get bytesUnsent(): number {
    return this.socket.writableLength
  }

  attach(handler: Transport.RawHandler): void {
    if (this.handler === undefined) {
      this.socket.on("end", onEnd)
      this.socket.on("drain", onDrain)
    }
    this.handler = handler
    if (this.closed) queueMicrotask(() => handler.onClose(this.code))
  }

  pause(): void {
    this.socket.pause()
  }

  resume(): void {
    if (this.flowing) {
      this.socket.resume()
    } else {
      this.flowing = true
      this.socket.on("data", onData)
      // Without data before it, Node tells the end also while nobody listens yet, and does not tell it again.
      if (this.socket.readableEnded && !this.closed) queueMicrotask(() => this.onEnd())
    }
  }

  write(segments: ReadonlyArray<Uint8Array>): boolean {
    const socket = this.socket
    if (segments.length === 1) {
      socket.write(segments[0] as Uint8Array) // the length was checked
    } else {
      socket.cork()
      for (let i = 0; i < segments.length; i++) socket.write(segments[i] as Uint8Array) // i is below the length
      socket.uncork()
    }
    // Not what write returned: it says "wait" for any large write, also for one that the kernel took at once.
    return socket.writableLength < socket.writableHighWaterMark
  }

  end(): void {
    this.socket.end()
  }

  destroy(): void {
    this.socket.destroy()
  }

  reset(): void {
    // Node resets TCP sockets only; on a Unix socket it reports a misuse instead.
    if (this.remotePort === undefined) this.socket.destroy()
    else this.socket.resetAndDestroy()
  }

  onData(chunk: Buffer): void {
    // A plain Uint8Array: Buffer differs from it in slice, toString and equality, and no other transport gives one.
    this.handler?.onData(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length))
  }

  onEnd(): void {
    this.handler?.onEnd()
  }

  onDrain(): void {
    this.handler?.onDrain()
  }

  onError(error: NodeJS.ErrnoException): void {
    this.code ??= error.code ?? error.message
  }

  onClose(): void {
    this.closed = true
    this.owners?.delete(this)
    this.handler?.onClose(this.code)
  }
}

function onData(this: Net.Socket, chunk: Buffer): void {
  ;(this as OwnedSocket)[owner].onData(chunk)
}
function onEnd(this: Net.Socket): void {
  ;(this as OwnedSocket)[owner].onEnd()
}
function onDrain(this: Net.Socket): void {
  ;(this as OwnedSocket)[owner].onDrain()
}
function onError(this: Net.Socket, error: Error): void {
  ;(this as OwnedSocket)[owner].onError(error)
}
function onClose(this: Net.Socket): void {
  ;(this as OwnedSocket)[owner].onClose()
}

/** The peer of a Unix socket has no name of its own. */
const unnamed = Endpoint.unixUnsafe("")

/** What Node wants to hear for an endpoint. Abstract names begin with a zero byte there. */
const nativePath = (endpoint: Endpoint.Unix): string =>
  endpoint.path.startsWith("@") ? `\0${endpoint.path.slice(1)}` : endpoint.path

const nativeAddress = (endpoint: Endpoint.Tcp | Endpoint.Unix): { path: string } | { port: number; host?: string } => {
  if (endpoint._tag === "Unix") return { path: nativePath(endpoint) }
  return endpoint.host === "*"
    ? { port: endpoint.port }
    : { port: endpoint.port, host: Host.formatHost(endpoint.host) }
}

// --- listening -------------------------------------------------------------------------------------------------------

const bindReasons: Record<string, Transport.BindReason> = {
  EADDRINUSE: "AddressInUse",
  EADDRNOTAVAIL: "AddressNotAvailable",
  EAFNOSUPPORT: "AddressNotAvailable",
  ENOTFOUND: "AddressNotAvailable",
  EAI_AGAIN: "AddressNotAvailable",
  ENOENT: "AddressNotAvailable",
  ENOTDIR: "AddressNotAvailable",
  EACCES: "AccessDenied",
  EPERM: "AccessDenied"
}

const bind = (
  endpoint: Endpoint.Tcp | Endpoint.Unix,
  backlog: number,
  server: Net.Server
): Effect.Effect<void, Transport.BindError> =>
  Effect.callback((resume) => {
    const failed = (cause: NodeJS.ErrnoException) => {
      const code = cause.code ?? cause.message
      resume(new Transport.BindError({ endpoint, reason: bindReasons[code] ?? "Unknown", code, cause }))
    }
    server.once("error", failed)
    server.listen({ ...nativeAddress(endpoint), backlog }, () => {
      server.off("error", failed)
      resume(Effect.void)
    })
    return Effect.sync(() => server.off("error", failed))
  })

/** Removes a socket file on which nobody answers; says whether it did. Any other file is left alone. */
const removeStale = (path: string): Effect.Effect<boolean> =>
  Effect.tryPromise(() => Fs.stat(path)).pipe(
    Effect.filterOrFail((stat) => stat.isSocket()),
    Effect.andThen(Effect.callback<void, void>((resume) => {
      const probe = Net.connect({ path })
      probe.once("connect", () => resume(Effect.fail(undefined)))
      probe.once("error", (error: NodeJS.ErrnoException) =>
        resume(error.code === "ECONNREFUSED" ? Effect.void : Effect.fail(undefined)))
      return Effect.sync(() =>
        probe.destroy()
      )
    })),
    Effect.andThen(Effect.tryPromise(() => Fs.unlink(path))),
    Effect.isSuccess
  )

const boundEndpoint = (endpoint: Endpoint.Tcp | Endpoint.Unix, server: Net.Server): Endpoint.Endpoint => {
  const address = server.address()
  if (endpoint._tag === "Unix" || address === null || typeof address === "string") return endpoint
  return endpoint.host === "*"
    ? Endpoint.withPortUnsafe(endpoint, address.port)
    : Endpoint.fromNativeUnsafe("Tcp", address.address, address.port)
}

const listen = Effect.fnUntraced(function*(
  shared: Shared,
  endpoint: Endpoint.Tcp | Endpoint.Unix,
  options: Transport.ListenOptions
): Effect.fn.Return<Transport.Listener, Transport.BindError, Scope.Scope> {
  const owners = new Set<NodeSocket>()
  let from = { listening: endpoint as Endpoint.Endpoint, owners }
  const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    options.onAccept(new NodeSocket(++shared.lastId, socket, from))
  })
  const close = Effect.sync(() => {
    if (server.listening) server.close()
  })
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      server.close()
      for (const socket of owners) socket.destroy()
    })
  )
  const attempt = bind(endpoint, options.backlog, server)
  yield* Effect.catchIf(
    attempt,
    (error) => endpoint._tag === "Unix" && error.reason === "AddressInUse",
    (error) =>
      Effect.flatMap(
        removeStale((endpoint as Endpoint.Unix).path), // the condition above
        (removed) => removed ? attempt : Effect.fail(error)
      )
  )
  from = { listening: boundEndpoint(endpoint, server), owners }
  const context = yield* Effect.context<never>()
  server.on("error", (cause) => {
    Effect.runForkWith(context)(Effect.logWarning(`accepting on ${Endpoint.format(from.listening)} failed`, cause))
  })
  return { endpoint: from.listening, close }
})

// --- dialling --------------------------------------------------------------------------------------------------------

const connectReasons: Record<string, Transport.ConnectReason> = {
  ECONNREFUSED: "Refused",
  ENOTFOUND: "NotFound",
  EAI_AGAIN: "NotFound",
  ENOENT: "NotFound",
  ENOTDIR: "NotFound",
  ENOTSOCK: "NotFound",
  ETIMEDOUT: "TimedOut",
  EHOSTUNREACH: "Unreachable",
  ENETUNREACH: "Unreachable",
  EADDRNOTAVAIL: "Unreachable",
  EACCES: "AccessDenied",
  EPERM: "AccessDenied"
}

const connect = (
  shared: Shared,
  endpoint: Endpoint.Tcp | Endpoint.Unix
): Effect.Effect<Transport.RawSocket, Transport.ConnectError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<NodeSocket, Transport.ConnectError>((resume) => {
      const socket = Net.connect({ ...nativeAddress(endpoint), allowHalfOpen: true, noDelay: true })
      const failed = (cause: NodeJS.ErrnoException) => {
        const code = cause.code ?? cause.message
        resume(new Transport.ConnectError({ endpoint, reason: connectReasons[code] ?? "Unknown", code, cause }))
      }
      socket.once("error", failed)
      socket.once("connect", () => {
        socket.off("error", failed)
        resume(Effect.succeed(new NodeSocket(++shared.lastId, socket, { dialled: endpoint })))
      })
      return Effect.sync(() => socket.destroy())
    }),
    (socket) => Effect.sync(() => socket.destroy()),
    { interruptible: true }
  )

/**
 * The transport as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer: Layer.Layer<Transport.Transport> = Layer.effect(
  Transport.Transport,
  Effect.gen(function*() {
    const shared: Shared = { lastId: 0 }
    const memory = yield* MemoryTransport.make
    return Transport.Transport.of({
      connect: (endpoint) => {
        switch (endpoint._tag) {
          case "Memory":
            return memory.connect(endpoint)
          case "Tls":
            return Effect.fail(new Transport.ConnectError({ endpoint, reason: "Unsupported", code: "Tls" }))
          case "Tcp":
            return endpoint.host === "*"
              ? Effect.fail(new Transport.ConnectError({ endpoint, reason: "Unsupported", code: "*" }))
              : connect(shared, endpoint)
          case "Unix":
            return connect(shared, endpoint)
        }
      },
      listen: (endpoint, options) => {
        switch (endpoint._tag) {
          case "Memory":
            return memory.listen(endpoint, options)
          case "Tls":
            return Effect.fail(new Transport.BindError({ endpoint, reason: "Unsupported", code: "Tls" }))
          case "Tcp":
          case "Unix":
            return listen(shared, endpoint, options)
        }
      }
    })
  })
)
