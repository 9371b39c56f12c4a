/**
 * How a server starts and what it offers: its machine and its listeners, put together.
 */
import type * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import type * as Codec from "../Codec.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Server from "../Server.ts"
import type * as Tls from "../Tls.ts"
import * as Transport from "../Transport.ts"
import { type Gate, plainGate } from "./arrival.ts"
import { Listeners } from "./listeners.ts"
import { refuse } from "./optionRules.ts"
import { openIds, roll } from "./roll.ts"
import { mergeLimits, settleLimits, showLimits } from "./serverLimits.ts"
import { type Begin, ServerMachine } from "./serverMachine.ts"
import { type ConnectionOptions, settle } from "./serverOptions.ts"
import { monotonicMillis } from "./time.ts"

const isMany = (input: Server.Endpoints): input is Arr.NonEmptyReadonlyArray<Endpoint.Input> => Array.isArray(input)

/** The gate of all TLS endpoints. */
const secureGate = Effect.fnUntraced(function*(
  tls: Tls.ServerOptions | Tls.ServerContext | undefined,
  engine: Tls.Engine | undefined,
  endpoints: ReadonlyArray<Endpoint.Endpoint>
): Effect.fn.Return<Gate, Tls.TlsOptionsError | Transport.BindError> {
  const endpoint = endpoints.find(Endpoint.isSecure)
  if (endpoint === undefined || tls === undefined) return plainGate
  if (engine === undefined) return yield* new Transport.BindError({ endpoint, reason: "Unsupported", code: "Tls" })
  const context = "reload" in tls ? tls : yield* engine.server(tls)
  for (const notice of context.notices) yield* Effect.logWarning(notice)
  return { tls: { engine, context } }
})

/** Starts a server, for the time of the scope. */
export const start = Effect.fnUntraced(function*<In, Out, R>(
  codec: Codec.Codec<In, Out>,
  input: Server.Endpoints,
  begin: Begin<In, Out, R>,
  options: ConnectionOptions<Out>
): Effect.fn.Return<
  Server.Server["Service"],
  Server.StartError,
  Exclude<R, Scope.Scope> | Scope.Scope | Transport.Transport
> {
  const [head, ...tail] = isMany(input) ? input : [input] as const
  const parse = (each: Endpoint.Input) => Effect.fromResult(Endpoint.fromInput(each))
  const endpoints = [yield* parse(head), ...yield* Effect.forEach(tail, parse)] as const
  const settings = yield* settle(codec, endpoints, options)
  const transport = yield* Transport.Transport
  const { reservedDescriptors } = settings
  const { descriptorLimit } = transport
  if (descriptorLimit !== undefined && reservedDescriptors >= descriptorLimit) {
    const rule = `less than the limit of the process, which is ${descriptorLimit}`
    return yield* refuse("reservedDescriptors", reservedDescriptors, rule)
  }
  const tls = yield* secureGate(options.tls, transport.tls, endpoints)
  const context = yield* Effect.context<Exclude<R, Scope.Scope>>()
  const clock = yield* Clock.Clock
  const machine = new ServerMachine({
    settings,
    codec,
    begin,
    context,
    clock,
    descriptorLimit,
    random: yield* Effect.map(Random.Random, (random) => () => random.nextDoubleUnsafe())
  })
  const { entrance } = machine
  const scope = yield* Scope.Scope
  // Made first, so that it closes last: a listener destroys the sockets that it accepted.
  const sockets = yield* Scope.fork(scope)
  const listeners = new Listeners({
    endpoints,
    transport,
    options: {
      ...settings.listening,
      onError: (cause) => {
        if (entrance.alarms.news("accept") !== undefined) {
          machine.fork(Effect.logWarning("accepting a connection failed", cause))
        }
      }
    },
    scope: sockets,
    tls,
    accept: machine.accept
  })
  const drain = machine.drain(listeners.end)
  // Also where the second of two endpoints could not be bound: somebody may have come through the first.
  let hasStarted = false
  yield* Effect.addFinalizer(() => hasStarted || entrance.arrived > 0 ? drain : listeners.end)
  yield* listeners.bind([])
  hasStarted = true
  for (const endpoint of listeners.endpoints) machine.emit({ _tag: "Listening", endpoint })
  const oneAtATime = Semaphore.makeUnsafe(1).withPermits(1)
  const isOver = Effect.suspend(() => {
    const [endpoint] = listeners.endpoints
    return Effect.fail(new Transport.BindError({ endpoint, reason: "Unknown", code: "ESHUTDOWN" }))
  })
  const limits = Effect.sync(() => showLimits(entrance.limits))
  return {
    endpoint: listeners.endpoints[0],
    endpoints: listeners.endpoints,
    stats: Effect.sync(() => machine.stats),
    drain,
    ready: Effect.sync(() => machine.isAccepting && listeners.isListening),
    suspend: oneAtATime(Effect.suspend(() => {
      if (!listeners.isListening || !machine.isAccepting) return Effect.void
      return Effect.andThen(listeners.close, Effect.sync(() => machine.emit({ _tag: "Suspended" })))
    })),
    resume: oneAtATime(Effect.suspend(() => {
      if (!machine.isAccepting) return isOver
      if (listeners.isListening) return Effect.void
      // Not to be left half way: somebody would listen, and nobody would know.
      const bound = Effect.uninterruptible(listeners.bind(openIds(machine.connections, entrance)))
      return Effect.andThen(
        bound,
        Effect.suspend(() => listeners.isListening ? Effect.sync(() => machine.emit({ _tag: "Resumed" })) : isOver)
      )
    })),
    limits,
    setLimits: (changed) =>
      Effect.flatMap(settleLimits(mergeLimits(entrance.limits.given, changed)), (settled) => {
        entrance.change(settled)
        machine.deadlines.update(settled.deadlines, settled.maxBufferedBytes)
        return limits
      }),
    connections: Effect.sync(() => roll(machine.connections, entrance, monotonicMillis(clock))),
    close: (id) => Effect.sync(() => machine.close(id))
  }
})
