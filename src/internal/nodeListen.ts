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
import { bindReason, codeOf, nativeAddress } from "./nodeNames.ts"
import { NodeSocket } from "./nodeSocket.ts"

const bind = (
  endpoint: Endpoint.Tcp | Endpoint.Unix,
  backlog: number,
  server: Net.Server
): Effect.Effect<void, Transport.BindError> =>
  Effect.callback((resume) => {
    // Also heard when the bind was interrupted: Node reports in a later turn, and an error that nobody hears ends the
    // process.
    const failed = (cause: NodeJS.ErrnoException) => {
      const code = codeOf(cause)
      resume(new Transport.BindError({ endpoint, reason: bindReason(code), code, cause }))
    }
    server.once("error", failed)
    server.listen({ ...nativeAddress(endpoint), backlog }, () => {
      server.off("error", failed)
      resume(Effect.void)
    })
  })

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

const boundEndpoint = (endpoint: Endpoint.Tcp | Endpoint.Unix, server: Net.Server): Endpoint.Endpoint => {
  const address = server.address()
  if (endpoint._tag === "Unix" || address === null || typeof address === "string") return endpoint
  return endpoint.host === "*"
    ? Endpoint.withPortUnsafe(endpoint, address.port)
    : Endpoint.fromNativeUnsafe("Tcp", address.address, address.port)
}

/** Listens for the time of the scope; then stops listening, and destroys what was accepted and is still open. */
export const listen = Effect.fnUntraced(function*(
  nextId: () => number,
  endpoint: Endpoint.Tcp | Endpoint.Unix,
  options: Transport.ListenOptions
): Effect.fn.Return<Transport.Listener, Transport.BindError, Scope.Scope> {
  const owners = new Set<NodeSocket>()
  let listening: Endpoint.Endpoint = endpoint
  const server = Net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    options.onAccept(new NodeSocket(nextId(), socket, listening, owners))
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
  const bound = bind(endpoint, options.backlog, server)
  yield* endpoint._tag === "Unix" ? bindPath(endpoint, bound) : bound
  listening = boundEndpoint(endpoint, server)
  const context = yield* Effect.context<never>()
  server.on("error", (cause) => {
    Effect.runForkWith(context)(Effect.logWarning(`accepting on ${Endpoint.format(listening)} failed`, cause))
  })
  return { endpoint: listening, close }
})
