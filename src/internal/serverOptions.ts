/**
 * The options of a server: what may be set, what holds where nothing is set, and which values are refused.
 *
 * Everything is checked once, when the server is built; the machine behind it sees only `Settings`.
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Admission from "../Admission.ts"
import * as ByteWriter from "../ByteWriter.ts"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import * as Deadline from "../Deadline.ts"
import * as Endpoint from "../Endpoint.ts"
import type * as Networks from "../Networks.ts"
import type * as Protocol from "../Protocol.ts"
import * as ProxyHeader from "../ProxyHeader.ts"
import type * as Server from "../Server.ts"
import type * as Tls from "../Tls.ts"
import type { AlarmSettings } from "./alarms.ts"
import { listenDefaults, type ListenOptions, type ListenSettings, settleMode, settleSharing } from "./listenOptions.ts"
import { integer, positive, refuse, type ServerOptionsError, time } from "./optionRules.ts"
import { limitDefaults, type LimitOptions, type LimitSettings, networks, settleLimits } from "./serverLimits.ts"

export { ServerOptionsError } from "./optionRules.ts"

/**
 * How to serve.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options extends LimitOptions, ListenOptions {
  /**
   * What happens to a connection over `maxConnections` or `perPeer.maxConnections`. One that is over a rate may not wait.
   *
   * @default "goodbye" where there is a message for it, else "close"
   */
  readonly overflow?: Admission.Overflow | undefined
  /**
   * How long a connection whose handler is done, or which was refused, may go on sending what was written, and wait for
   * the peer's end.
   *
   * @default "2 seconds"
   */
  readonly linger?: Duration.Input | undefined
  /**
   * How many descriptors below the process's limit connections never take: they are for files and for what the handlers
   * dial. An arrival that would take one is reset and reported; without this the runtime would drop it without a word.
   * What files take of the others is not seen. Linux only: elsewhere the limit is not known, and nothing is watched.
   *
   * @default 32
   */
  readonly reservedDescriptors?: number | undefined
  /** When to alarm, before a limit is reached. */
  readonly alarm?: AlarmOptions | undefined
  /**
   * Who must begin with a PROXY header, by which its client's address is known. Nobody else may.
   *
   * @default nobody
   */
  readonly proxy?: ProxyOptions | undefined
  /** How to secure `tls://` and `tls:fd:` endpoints: options, or what `Tls.makeServer` made of them, which can be reloaded. */
  readonly tls?: Tls.ServerOptions | Tls.ServerContext | undefined
  /** How a drain goes. */
  readonly drain?: DrainOptions | undefined
  /**
   * Called with every event, synchronously, where it happens: it must be quick. What it throws is logged.
   *
   * @default undefined
   */
  readonly onEvent?: ((event: Server.Event) => void) | undefined
}

/**
 * When to alarm.
 *
 * @category options
 * @since 0.1.0
 */
export interface AlarmOptions {
  /**
   * The part of a limit of the whole server at which to alarm.
   *
   * @default 0.9
   */
  readonly at?: number | undefined
  /**
   * How long to be quiet about the same limit after that, and in the log about the same reason to refuse or to end a
   * connection: the next warning says how many there were meanwhile.
   *
   * @default "1 minute"
   */
  readonly cooldown?: Duration.Input | undefined
}

/**
 * Whom to believe that it connects for somebody else.
 *
 * @category options
 * @since 0.1.0
 */
export interface ProxyOptions {
  /** Networks and addresses as `Networks` reads them. Not empty. */
  readonly from: ReadonlyArray<string>
  /**
   * The longest header that is read, from 107 to 65551 bytes.
   *
   * @default 4096
   */
  readonly maxHeaderBytes?: number | undefined
}

/**
 * The three phases of a drain; each ends early when nobody is left.
 *
 * @category options
 * @since 0.1.0
 */
export interface DrainOptions {
  /**
   * How long to go on serving after the listener closed; `awaitDrain` completes when it is over.
   *
   * @default 0
   */
  readonly announce?: Duration.Input | undefined
  /**
   * How long the connections have to finish what is in flight.
   *
   * @default "10 seconds"
   */
  readonly grace?: Duration.Input | undefined
  /**
   * How long interrupted handlers have to clean up before their sockets are destroyed.
   *
   * @default "1 second"
   */
  readonly force?: Duration.Input | undefined
}

/**
 * The options of a server without a protocol, which brings its own goodbye.
 *
 * @category options
 * @since 0.1.0
 */
export interface ConnectionOptions<in out Out> extends Options {
  /** What the server says before it turns a connection away. */
  readonly goodbye?: Protocol.Goodbye<Out> | undefined
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  ...limitDefaults,
  ...listenDefaults,
  deadlines: Deadline.defaults,
  /** Standard streams, the event loop's own, and some files and upstream connections. Arbitrary; not measured. */
  reservedDescriptors: 32,
  /** Early enough to do something, late enough not to be noise. */
  alarmAt: 0.9,
  /** As often as somebody may look. */
  alarmCooldown: "1 minute",
  maxHeaderBytes: ProxyHeader.defaults.maxBytes,
  /** Many round trips for a peer that reads; short enough that an idle peer does not hold up a drain. */
  linger: "2 seconds",
  /** Nobody is told before a listener goes away unless the deployment needs it. */
  announce: 0,
  /** Container platforms kill 30 s after the signal; most requests take far less than 10. */
  grace: "10 seconds",
  /** Finalizers are short; arbitrary, not measured. */
  force: "1 second"
} as const

/** Everything of the options, checked and filled in. */
export interface Settings {
  /** Those of the start. */
  readonly limits: LimitSettings
  readonly listening: ListenSettings
  /** What to do with a connection over the limit that may not, or no longer, wait. */
  readonly refusal: Admission.Refusal
  /** How many may wait, and how long; 0 where nobody may. */
  readonly maxWaiting: number
  readonly waitMillis: number
  /** The goodbye as it goes over the wire. */
  readonly goodbye: ReadonlyArray<Uint8Array>
  /** What a drain says, likewise; empty where it says nothing. */
  readonly farewell: ReadonlyArray<Uint8Array>
  readonly lingerMillis: number
  readonly announceMillis: number
  readonly graceMillis: number
  readonly forceMillis: number
  readonly onEvent: ((event: Server.Event) => void) | undefined
  readonly reservedDescriptors: number
  readonly alarm: AlarmSettings
  readonly proxy: { readonly from: Networks.Networks; readonly maxHeaderBytes: number } | undefined
}

/** Checks the options of a server that listens on `endpoints`; the first bad one is the error. */
export const settle = Effect.fnUntraced(function*<In, Out>(
  codec: Codec.Codec<In, Out>,
  endpoints: ReadonlyArray<Endpoint.Endpoint>,
  options: ConnectionOptions<Out>
): Effect.fn.Return<Settings, ServerOptionsError> {
  const { drained, overLimit: message } = options.goodbye ?? {}
  const overflow = options.overflow ?? (message === undefined ? "close" : "goodbye")
  const waiting = typeof overflow === "string" ? undefined : overflow
  const refusal = typeof overflow === "string" ? overflow : overflow.otherwise
  const limits = yield* settleLimits(options)
  if (options.overflow !== undefined && refusal === "goodbye" && endpoints.every(Endpoint.isSecure)) {
    const rule = "close or reset, because all endpoints are tls, where a goodbye would come before the handshake"
    return yield* refuse("overflow", refusal, rule)
  }
  const at = options.alarm?.at ?? defaults.alarmAt
  if (!(at > 0 && at <= 1)) return yield* refuse("alarm.at", at, "a number above 0, and at most 1")
  const hasTls = endpoints.some(Endpoint.isSecure)
  if (hasTls !== (options.tls !== undefined)) {
    return yield* refuse(
      "tls",
      hasTls ? undefined : "options",
      hasTls ? "given, for the tls endpoint" : "absent without a tls endpoint"
    )
  }
  return {
    limits,
    listening: {
      backlog: yield* positive("backlog", options.backlog ?? defaults.backlog),
      unixMode: options.unixMode === undefined ? undefined : yield* settleMode(options.unixMode, endpoints),
      reusePort: options.reusePort === true ? yield* settleSharing(endpoints) : defaults.reusePort
    },
    refusal,
    maxWaiting: waiting === undefined ? 0 : yield* positive("overflow.maxWaiting", waiting.maxWaiting),
    waitMillis: waiting === undefined ? 0 : yield* time("overflow.timeout", waiting.timeout),
    goodbye: refusal === "goodbye" ? yield* encodeGoodbye(codec, "overLimit", yield* wordFor(message)) : [],
    farewell: drained === undefined ? [] : yield* encodeGoodbye(codec, "drained", drained),
    lingerMillis: yield* time("linger", options.linger ?? defaults.linger),
    announceMillis: yield* time("drain.announce", options.drain?.announce ?? defaults.announce),
    graceMillis: yield* time("drain.grace", options.drain?.grace ?? defaults.grace),
    forceMillis: yield* time("drain.force", options.drain?.force ?? defaults.force),
    onEvent: options.onEvent,
    reservedDescriptors: yield* positive(
      "reservedDescriptors",
      options.reservedDescriptors ?? defaults.reservedDescriptors
    ),
    alarm: { at, cooldownMillis: yield* time("alarm.cooldown", options.alarm?.cooldown ?? defaults.alarmCooldown) },
    proxy: options.proxy === undefined ? undefined : yield* settleProxy(options.proxy)
  }
})

const settleProxy = Effect.fnUntraced(function*(options: ProxyOptions) {
  const from = yield* networks("proxy.from", options.from)
  if (from === undefined) return yield* refuse("proxy.from", options.from, "a list with at least one network")
  const bytes = options.maxHeaderBytes ?? defaults.maxHeaderBytes
  return { from, maxHeaderBytes: yield* integer("proxy.maxHeaderBytes", bytes, [107, 65_551]) }
})

const wordFor = <Out>(message: Out | undefined): Effect.Effect<Out, ServerOptionsError> => {
  const rule = "close or reset, because there is no goodbye message for overLimit"
  return message === undefined ? refuse("overflow", "goodbye", rule) : Effect.succeed(message)
}

/** Encoded once: to be said cheaply, and without what a codec may throw. */
const encodeGoodbye = <In, Out>(
  codec: Codec.Codec<In, Out>,
  which: keyof Protocol.Goodbye<Out>,
  message: Out
): Effect.Effect<ReadonlyArray<Uint8Array>, ServerOptionsError> => {
  const writer = ByteWriter.make()
  const error = codec.encode(message, writer)
  if (error === undefined) return Effect.succeed(writer.take())
  return refuse(`goodbye.${which}`, message, `a message that the codec can write (${CloseReason.format(error)})`)
}
