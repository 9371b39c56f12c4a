/**
 * Effect's RPC server behind a hawser listener: limits, overflow and typed close reasons, and a drain that knows which
 * calls are in flight.
 *
 * It is a `RpcServer.Protocol` like Effect's own over sockets, and speaks the same language: any `RpcClient` calls it.
 * What it adds is that it reads the messages, so it can tell a request from its acknowledgements and its answer.
 *
 * ```
 * drain: listener closed --announce--> idle clients are let go; --grace--> calls are interrupted --force--> cut
 *        still serving                 others after their last answer,
 *                                      what they ask from here on is not begun
 * ```
 *
 * A call that a draining server did not begin, or could not finish, fails at the client with `RpcClientError`, whose
 * reason is the `SocketError` of the connection.
 *
 * **Gotchas**: the end of a client's input is a client that has left, as in Effect: its calls are interrupted. The RPC
 * server itself interrupts every call when its layer closes, so the drain must come first: `layer` sees to that, and
 * `EffectSocket.drainFirst` does for other compositions.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Rpc from "effect/rpc/Rpc"
import type * as RpcGroup from "effect/rpc/RpcGroup"
import type { FromClientEncoded } from "effect/rpc/RpcMessage"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import * as RpcServer from "effect/rpc/RpcServer"
import type * as Scope from "effect/Scope"
import * as CloseReason from "./CloseReason.ts"
import * as EffectSocket from "./EffectSocket.ts"
import type * as Endpoint from "./Endpoint.ts"
import * as Framing from "./Framing.ts"
import { RpcPeer } from "./internal/rpcPeer.ts"
import { toMillis } from "./internal/time.ts"
import * as Server from "./Server.ts"
import type * as Transport from "./Transport.ts"

/**
 * How to serve RPCs: the options of a server, and one limit more.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends Server.ConnectionOptions<Uint8Array> {
  /**
   * How many calls one connection may have in flight; with one more it ends as `OverLimit`. How many run at once is
   * the RPC server's `concurrency`.
   *
   * @default 1024
   */
  readonly maxCalls?: number | undefined
}

/**
 * The values used where an option is not given; the others are those of `Server.defaults`.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  /** Each is a fiber of the RPC server; arbitrary, not measured. */
  maxCalls: 1024
} as const

const chunks = Framing.chunks({ maxFrameBytes: 65_536 })

/**
 * Reading goes on while calls finish, for their acknowledgements: so to the server the grace is a longer announcement,
 * and what is wrong with a time is left for the server to say.
 */
const drainOf = (drain: Server.DrainOptions = {}) => {
  const announce = toMillis(drain.announce ?? Server.defaults.announce)
  const grace = toMillis(drain.grace ?? Server.defaults.grace)
  const valid = Number.isFinite(announce + grace) && announce >= 0 && grace >= 0
  return { announce, options: valid ? { ...drain, announce: announce + grace, grace: 0 } : drain }
}

/**
 * Starts a server that RPC clients can call, and gives what `RpcServer.make` answers them through.
 *
 * **Details**
 *
 * - Errors: bytes that are no RPC message end the connection with `FrameCorrupt`, `FrameTooLarge` (the serialisation's
 *   `maxBufferSize`) or `ProtocolViolation`.
 * - Handlers find the client in `EffectSocket.CurrentConnection`.
 * - Back pressure: an answer waits while its client does not read. Requests are read while others are being answered, up
 *   to `maxCalls`.
 *
 * @see {@link layer}
 * @category constructors
 * @since 0.1.0
 */
export const makeProtocol: (endpoint: Endpoint.Input, options?: Options) => Effect.Effect<
  { readonly server: Server.Server["Service"]; readonly protocol: RpcServer.Protocol["Service"] },
  Server.StartError,
  RpcSerialization.RpcSerialization | Transport.Transport | Scope.Scope
> = Effect.fnUntraced(function*(endpoint, options = {}) {
  const serialization = yield* RpcSerialization.RpcSerialization
  const maxCalls = options.maxCalls ?? defaults.maxCalls
  if (!Number.isSafeInteger(maxCalls) || maxCalls <= 0) {
    return yield* new Server.ServerOptionsError({ option: "maxCalls", value: maxCalls, rule: "a positive integer" })
  }
  const disconnects = yield* Queue.make<number>()
  const peers = new Map<number, RpcPeer>()
  const ids = new Set<number>()
  let lastId = 0
  let leaving = false
  let pass: (clientId: number, message: FromClientEncoded) => Effect.Effect<void> = () => Effect.void

  const protocol = yield* RpcServer.Protocol.make((write) => {
    pass = write
    return Effect.succeed({
      disconnects,
      send: (clientId, response) => peers.get(clientId)?.send(response) ?? Effect.void,
      // The client said that it asks no more, and has every answer.
      end: (clientId) => Effect.sync(() => peers.get(clientId)?.end(CloseReason.closed)),
      clientIds: Effect.sync(() => ids),
      initialMessage: Effect.succeedNone,
      supportsAck: true,
      supportsTransferables: false,
      supportsSpanPropagation: true,
      supportsNotifications: true,
      codecFor: serialization.codecFor
    })
  })

  const fork = Effect.runForkWith(yield* Effect.context<never>())
  const { announce, options: drain } = drainOf(options.drain)
  const leave = Effect.sync(() => {
    leaving = true
    for (const peer of peers.values()) peer.leave()
  })
  const server = yield* Server.makeConnection(
    chunks,
    endpoint,
    (connection) =>
      Effect.suspend(() => {
        const id = lastId++
        const peer = new RpcPeer(connection, serialization.makeUnsafe(), maxCalls)
        peers.set(id, peer)
        ids.add(id)
        if (leaving) peer.leave()
        return Effect.ensuring(
          Effect.provideService(
            peer.serve((message) => pass(id, message)),
            EffectSocket.CurrentConnection,
            connection
          ),
          Effect.suspend(() => {
            peers.delete(id)
            ids.delete(id)
            return Queue.offer(disconnects, id)
          })
        )
      }),
    {
      ...options,
      drain,
      onEvent: (event) => {
        if (event._tag === "Draining") fork(announce > 0 ? Effect.delay(leave, announce) : leave)
        options.onEvent?.(event)
      }
    }
  )
  return { server, protocol }
})

/**
 * Effect's `RpcServer.Protocol` service on a hawser listener, for compositions of one's own, such as a cluster runner:
 * in place of `RpcServer.layerProtocolSocketServer`.
 *
 * @see {@link makeProtocol}
 * @category layers
 * @since 0.1.0
 */
export const layerProtocol = (
  endpoint: Endpoint.Input,
  options: Options = {}
): Layer.Layer<
  RpcServer.Protocol | Server.Server,
  Server.StartError,
  RpcSerialization.RpcSerialization | Transport.Transport
> =>
  Layer.effectContext(
    Effect.map(
      makeProtocol(endpoint, options),
      ({ protocol, server }) => Context.make(RpcServer.Protocol, protocol).pipe(Context.add(Server.Server, server))
    )
  )

/**
 * A server of a group of RPCs, as a layer: built when the port is bound, drained when it closes, before its calls are
 * interrupted.
 *
 * **Details**: `rpc` are the options of Effect's `RpcServer.layer`.
 *
 * **Example**
 *
 * ```ts
 * import { Console, Effect, Layer, Schema } from "effect"
 * import { Rpc, RpcClient, RpcGroup, RpcSerialization } from "effect/rpc"
 * import { EffectRpc, EffectSocket, MemoryTransport } from "hawser"
 *
 * const Greeter = RpcGroup.make(Rpc.make("Greet", { payload: { name: Schema.String }, success: Schema.String }))
 *
 * const GreeterServer = EffectRpc.layer(Greeter, "memory:greeter", { maxConnections: 100 }).pipe(
 *   Layer.provide(Greeter.toLayer({ Greet: ({ name }) => Effect.succeed(`ahoy, ${name}`) }))
 * )
 * const GreeterClient = RpcClient.layerProtocolSocket().pipe(Layer.provide(EffectSocket.layerSocket("memory:greeter")))
 *
 * const program = Effect.gen(function*() {
 *   const client = yield* RpcClient.make(Greeter)
 *   yield* Console.log(yield* client.Greet({ name: "Ada" }))
 * }).pipe(Effect.scoped)
 *
 * const Greetings = GreeterClient.pipe(
 *   Layer.provideMerge(GreeterServer),
 *   Layer.provide([RpcSerialization.layerNdjson, MemoryTransport.layer])
 * )
 *
 * await Effect.runPromise(Effect.provide(program, Greetings))
 * ```
 *
 * It prints:
 *
 * ```text
 * ahoy, Ada
 * ```
 *
 * @see {@link makeProtocol} for how calls are read and answered
 * @category layers
 * @since 0.1.0
 */
export const layer = <Rpcs extends Rpc.Any>(
  group: RpcGroup.RpcGroup<Rpcs>,
  endpoint: Endpoint.Input,
  options: Options & { readonly rpc?: Parameters<typeof RpcServer.layer>[1] } = {}
): Layer.Layer<
  Server.Server,
  Server.StartError,
  | Exclude<
    Rpc.ToHandler<Rpcs> | Rpc.Middleware<Rpcs> | Rpc.ServicesServer<Rpcs>,
    RpcServer.Protocol | Server.Server
  >
  | RpcSerialization.RpcSerialization
  | Transport.Transport
> =>
  EffectSocket.drainFirst(
    RpcServer.layer(group, options.rpc).pipe(Layer.provideMerge(layerProtocol(endpoint, options)))
  )
