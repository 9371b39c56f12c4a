/**
 * The options of a server: what may be set, what holds where nothing is set, and which values are refused.
 *
 * Everything is checked once, when the server is built; the machine behind it sees only `Settings`.
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Formatter from "effect/Formatter"
import type * as Admission from "../Admission.ts"
import * as ByteWriter from "../ByteWriter.ts"
import * as CloseReason from "../CloseReason.ts"
import type * as Codec from "../Codec.ts"
import type * as Protocol from "../Protocol.ts"
import type * as Server from "../Server.ts"
import { toMillis } from "./time.ts"

/**
 * How to serve.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options {
  /**
   * How many connections may be open at once, exactly.
   *
   * @default 1024
   */
  readonly maxConnections?: number | undefined
  /**
   * What happens to a connection over `maxConnections`.
   *
   * @default "goodbye" where there is a message for it, else "close"
   */
  readonly overflow?: Admission.Overflow | undefined
  /**
   * How many connections the kernel holds that were not accepted yet (`listen(2)`; the kernel has a limit of its own).
   *
   * @default 511
   */
  readonly backlog?: number | undefined
  /**
   * How long a connection whose handler is done, or which was refused, may go on sending what was written, and wait for
   * the peer's end.
   *
   * @default "2 seconds"
   */
  readonly linger?: Duration.Input | undefined
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
  /** What Ranch and HAProxy-like servers start from; a process has 1024 descriptors on many systems. */
  maxConnections: 1024,
  /** Node's own default. */
  backlog: 511,
  /** Many round trips for a peer that reads; short enough that an idle peer does not hold up a drain. */
  linger: "2 seconds",
  /** Nobody is told before a listener goes away unless the deployment needs it. */
  announce: 0,
  /** Container platforms kill 30 s after the signal; most requests take far less than 10. */
  grace: "10 seconds",
  /** Finalizers are short; arbitrary, not measured. */
  force: "1 second"
} as const

/**
 * An option that a server cannot work with: `option` is its name, `value` what was given, `rule` what it must be.
 *
 * @category errors
 * @since 0.1.0
 */
export class ServerOptionsError extends Data.TaggedError("ServerOptionsError")<{
  readonly option: string
  readonly value: unknown
  readonly rule: string
}> {
  override get message(): string {
    return `${this.option} must be ${this.rule}, got ${Formatter.format(this.value)}`
  }
}

/** Everything of the options, checked and filled in. */
export interface Settings {
  readonly maxConnections: number
  readonly backlog: number
  /** What to do with a connection over the limit that may not, or no longer, wait. */
  readonly refusal: Admission.Refusal
  /** How many may wait, and how long; 0 where nobody may. */
  readonly maxWaiting: number
  readonly waitMillis: number
  /** The goodbye as it goes over the wire. */
  readonly goodbye: ReadonlyArray<Uint8Array>
  readonly lingerMillis: number
  readonly announceMillis: number
  readonly graceMillis: number
  readonly forceMillis: number
  readonly onEvent: ((event: Server.Event) => void) | undefined
}

/** Checks the options of a server; the first bad one is the error. */
export const settle = Effect.fnUntraced(function*<In, Out>(
  codec: Codec.Codec<In, Out>,
  options: ConnectionOptions<Out>
): Effect.fn.Return<Settings, ServerOptionsError> {
  const message = options.goodbye?.overLimit
  const overflow = options.overflow ?? (message === undefined ? "close" : "goodbye")
  const waiting = typeof overflow === "string" ? undefined : overflow
  const refusal = typeof overflow === "string" ? overflow : overflow.otherwise
  return {
    maxConnections: yield* positive("maxConnections", options.maxConnections ?? defaults.maxConnections),
    backlog: yield* positive("backlog", options.backlog ?? defaults.backlog),
    refusal,
    maxWaiting: waiting === undefined ? 0 : yield* positive("overflow.maxWaiting", waiting.maxWaiting),
    waitMillis: waiting === undefined ? 0 : yield* time("overflow.timeout", waiting.timeout),
    goodbye: refusal === "goodbye" ? yield* encodeGoodbye(codec, message) : [],
    lingerMillis: yield* time("linger", options.linger ?? defaults.linger),
    announceMillis: yield* time("drain.announce", options.drain?.announce ?? defaults.announce),
    graceMillis: yield* time("drain.grace", options.drain?.grace ?? defaults.grace),
    forceMillis: yield* time("drain.force", options.drain?.force ?? defaults.force),
    onEvent: options.onEvent
  }
})

const positive = (option: string, value: number): Effect.Effect<number, ServerOptionsError> =>
  Number.isSafeInteger(value) && value > 0
    ? Effect.succeed(value)
    : Effect.fail(new ServerOptionsError({ option, value, rule: "a positive integer" }))

const time = (option: string, value: Duration.Input): Effect.Effect<number, ServerOptionsError> => {
  const millis = toMillis(value)
  return Number.isFinite(millis) && millis >= 0
    ? Effect.succeed(millis)
    : Effect.fail(new ServerOptionsError({ option, value, rule: "a finite time, 0 or longer" }))
}

/** Encoded once: a refusal must be cheap, and must not depend on what a codec may throw. */
const encodeGoodbye = <In, Out>(
  codec: Codec.Codec<In, Out>,
  message: Out | undefined
): Effect.Effect<ReadonlyArray<Uint8Array>, ServerOptionsError> => {
  if (message === undefined) {
    const rule = "close or reset, because there is no goodbye message for overLimit"
    return Effect.fail(new ServerOptionsError({ option: "overflow", value: "goodbye", rule }))
  }
  const writer = ByteWriter.make()
  const error = codec.encode(message, writer)
  if (error !== undefined) {
    const rule = `a message that the codec can write (${CloseReason.format(error)})`
    return Effect.fail(new ServerOptionsError({ option: "goodbye.overLimit", value: message, rule }))
  }
  return Effect.succeed(writer.take())
}
