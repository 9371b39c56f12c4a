/**
 * Listening on Node's servers: bind, with typed reasons; stale socket files; and the accepted sockets, which belong to
 * the listener until they are closed.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Fs from "node:fs/promises"
import * as Net from "node:net"
import * as Path from "node:path"
import * as Endpoint from "../Endpoint.ts"
import * as Transport from "../Transport.ts"
import { Departures } from "./nodeDepartures.ts"
import { bindReason, codeOf, nativeAddress } from "./nodeNames.ts"
import type { Keys } from "./nodeReading.ts"
import { makeReading, NodeSocket } from "./nodeSocket.ts"
import { Roster } from "./roster.ts"

/** What Node listens on. */
type Listenable = Endpoint.Tcp | Endpoint.Unix | Endpoint.Descriptor

/**
 * Runs with a umask that leaves just `mode`. The file is made by bind(2) with what the umask leaves of 0o777, so there is no
 * moment in which it has other permissions. Node binds before `listen` returns, so nothing else in this thread can see the
 * umask; a file that a pool thread makes in these microseconds gets less than it asked for, never more.
 */
const withMode = (mode: number | undefined, listen: () => void): void => {
  if (mode === undefined) return listen()
  const umask = process.umask(0o777 & ~mode)
  try {
    listen()
  } finally {
    process.umask(umask)
  }
}

const bind = (
  endpoint: Listenable,
  { backlog, reusePort = false, unixMode }: Transport.ListenOptions,
  server: Net.Server
): Effect.Effect<void, Transport.BindError> =>
  Effect.callback((resume) => {
    // Also heard when the bind was interrupted: Node reports in a later turn, and an error that nobody hears ends the
    // process.
    const failed = (cause: NodeJS.ErrnoException) => {
      const code = codeOf(cause)
      const reason = endpoint._tag === "Descriptor" && code === "EINVAL"
        // What Node says of a descriptor that is closed, or of something else than a socket.
        ? "AddressNotAvailable"
        : reusePort && code === "ENOTSUP"
        // What libuv says where the system does not share fairly (macOS, Windows).
        ? "NotShareable"
        : bindReason(code)
      resume(new Transport.BindError({ endpoint, reason, code, cause }))
    }
    server.once("error", failed)
    server.once("listening", () => {
      server.off("error", failed)
      resume(Effect.void)
    })
    const where = endpoint._tag === "Descriptor" ? { fd: endpoint.fd } : nativeAddress(endpoint)
    try {
      withMode(isFile(endpoint) ? unixMode : undefined, () => void server.listen({ ...where, backlog, reusePort }))
    } catch (cause) {
      // Only the main thread has a umask (ERR_WORKER_UNSUPPORTED_OPERATION).
      failed(cause instanceof Error ? cause : new Error(String(cause)))
    }
  })

const isFile = (endpoint: Listenable): endpoint is Endpoint.Unix =>
  endpoint._tag === "Unix" && !endpoint.path.startsWith("@")

/** A folder with a default ACL gives its own permissions instead: better no socket than an open one. */
const checkMode = (endpoint: Listenable, mode: number | undefined): Effect.Effect<void, Transport.BindError> => {
  if (mode === undefined || !isFile(endpoint)) return Effect.void
  return Effect.flatMap(
    Effect.promise(() => Fs.stat(endpoint.path).catch(() => undefined)),
    (stat) =>
      stat !== undefined && (stat.mode & 0o777) === mode
        ? Effect.void
        : Effect.fail(new Transport.BindError({ endpoint, reason: "AccessDenied", code: "EMODE" }))
  )
}

/** Whether there is nothing at a path. */
const isMissing = (path: string): Effect.Effect<boolean> =>
  Effect.promise(() => Fs.stat(path).then(() => false, (error: NodeJS.ErrnoException) => error.code === "ENOENT"))

/** Whether nobody answers on a socket file. */
const isDead = (path: string): Effect.Effect<boolean> =>
  Effect.callback((resume) => {
    const probe = Net.connect({ path })
    const end = (dead: boolean) => {
      probe.destroy()
      resume(Effect.succeed(dead))
    }
    probe.once("connect", () => end(false))
    probe.once("error", (error) => end(codeOf(error) === "ECONNREFUSED"))
    return Effect.sync(() => probe.destroy())
  })

/** Removes a socket file on which nobody answers; says whether it did. Any other file is left alone. */
const removeStale = (path: string): Effect.Effect<boolean> =>
  Effect.tryPromise(() => Fs.lstat(path)).pipe(
    Effect.flatMap((stat) => stat.isSocket() ? isDead(path) : Effect.succeed(false)),
    Effect.flatMap((dead) => dead ? Effect.as(Effect.tryPromise(() => Fs.unlink(path)), true) : Effect.succeed(false)),
    Effect.orElseSucceed(() => false)
  )

/** Binds a path: takes the place of a stale file, and tells a missing folder, for which libuv says EACCES. */
const bindPath = (
  endpoint: Endpoint.Unix,
  bound: Effect.Effect<void, Transport.BindError>
): Effect.Effect<void, Transport.BindError> =>
  Effect.catch(bound, (error) => {
    if (error.reason === "AddressInUse") {
      return Effect.flatMap(removeStale(endpoint.path), (removed) => removed ? bound : Effect.fail(error))
    }
    if (error.code !== "EACCES") return Effect.fail(error)
    return Effect.flatMap(isMissing(Path.dirname(endpoint.path)), (missing) =>
      Effect.fail(
        missing
          ? new Transport.BindError({ endpoint, reason: "AddressNotAvailable", code: "ENOENT", cause: error.cause })
          : error
      ))
  })

const boundEndpoint = (endpoint: Listenable, server: Net.Server): Endpoint.Endpoint => {
  const address = server.address()
  if (endpoint._tag === "Descriptor") {
    if (typeof address === "string") return Endpoint.unixUnsafe(address)
    return address === null ? endpoint : Endpoint.fromNativeUnsafe("Tcp", address.address, address.port)
  }
  if (endpoint._tag === "Unix" || address === null || typeof address === "string") return endpoint
  return endpoint.host === "*"
    ? Endpoint.withPortUnsafe(endpoint, address.port)
    : Endpoint.fromNativeUnsafe("Tcp", address.address, address.port)
}

/** Node overlooks the option where it means nothing: better no listener than one that is alone without a word. */
const checkSharing = (
  endpoint: Listenable,
  { reusePort }: Transport.ListenOptions
): Effect.Effect<void, Transport.BindError> =>
  reusePort !== true || endpoint._tag === "Tcp"
    ? Effect.void
    : Effect.fail(new Transport.BindError({ endpoint, reason: "NotShareable", code: endpoint._tag }))

/**
 * Whether a TCP connection was broken before it was accepted: Linux hands it out all the same, with what was sent, but
 * does not know its peer any more (getpeername(2), ENOTCONN). No rule about addresses could be held against it.
 */
const isNobody = (socket: Net.Socket, server: Net.Server): boolean => {
  if (socket.remoteAddress !== undefined) return false
  // The path of a Unix socket, and null for one that was inherited.
  const address = server.address()
  return address !== null && typeof address === "object"
}

/** What the sockets of a listener may do together. */
export interface Sharing {
  /** Under which they read into one buffer; not at all without. */
  readonly keys: Keys | undefined
  /** How many writes in a turn are worth it that they leave together. */
  readonly worthWhile: number
}

/** Listens for the time of the scope; then stops listening, and destroys what was accepted and is still open. */
export const listen = Effect.fnUntraced(function*(
  nextId: () => number,
  { keys, worthWhile }: Sharing,
  endpoint: Listenable,
  options: Transport.ListenOptions
): Effect.fn.Return<Transport.Listener, Transport.BindError, Scope.Scope> {
  yield* checkSharing(endpoint, options)
  const owners = new Roster<NodeSocket>()
  const common = { owners, reading: makeReading(keys), departures: new Departures(worthWhile) }
  let listening: Endpoint.Endpoint = endpoint
  const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (isNobody(socket, server)) return void socket.destroy()
    options.onAccept(new NodeSocket(nextId(), socket, listening, common))
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
  const bound = bind(endpoint, options, server)
  yield* endpoint._tag === "Unix" ? bindPath(endpoint, bound) : bound
  yield* checkMode(endpoint, options.unixMode)
  listening = boundEndpoint(endpoint, server)
  const context = yield* Effect.context<never>()
  const onError = options.onError ?? ((cause) => {
    Effect.runForkWith(context)(Effect.logWarning(`accepting on ${Endpoint.format(listening)} failed`, cause))
  })
  server.on("error", onError)
  return { endpoint: listening, close }
})
