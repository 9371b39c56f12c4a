/**
 * Servers as targets of the fuzzer: what must hold whatever a peer sends and however it leaves.
 *
 * Each input meets a new server, on a network in memory and in virtual time, so nothing depends on what came before.
 *
 * Promises: it starts; it answers a guest; no input makes a handler die; each connection ends with one `CloseReason`; a
 * decoder holds at most its limit plus one chunk, and a peer that does not read is not written to without end; nothing
 * leaks; it closes.
 *
 * **Gotchas**: run it with Effect's own scheduler, since it needs turns of the event loop. Handlers that wait for something
 * else than time, as for a file, are taken for stuck.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as Codec from "../../Codec.ts"
import type * as Endpoint from "../../Endpoint.ts"
import type * as Protocol from "../../Protocol.ts"
import * as Server from "../../Server.ts"
import type * as Transport from "../../Transport.ts"
import type { Target } from "../Fuzz.ts"
import type * as Law from "../Law.ts"
import { make } from "./FuzzBench.ts"
import { sampleStreams } from "./FuzzCodec.ts"
import { ensureIntegers } from "./FuzzOptions.ts"
import { trial } from "./FuzzTrial.ts"

/** What a server is built with. @category models @since 0.1.0 */
export interface Setup {
  /** Where to listen. */
  readonly endpoint: Endpoint.Endpoint
  /** To be passed on to the server: what it tells of its connections. */
  readonly options: { readonly onEvent: (event: Server.Event) => void }
  /** Gives a codec an eye on what its decoders hold: for a codec that the server reads with. */
  readonly watch: <A, B>(codec: Codec.Codec<A, B>) => Codec.Codec<A, B>
}

interface CommonOptions {
  /** Names the server in findings. @default "server", or the name of the protocol */
  readonly name?: string | undefined
  /** The greatest number of bytes around the content of a frame: terminator, length field, checksum. @default 16 */
  readonly overheadBytes?: number | undefined
  /**
   * How many bytes the server may write that a peer has no room for. @default 262144
   */
  readonly maxUnsentBytes?: number | undefined
  /** Whether a guest got the answer that the first one got, who said the same. @default the same bytes */
  readonly sameAnswer?: ((answer: Uint8Array, first: Uint8Array) => boolean) | undefined
  /** The longest input. @default 4096 */
  readonly maxBytes?: number | undefined
  /** Words that mean something to this server. @default [] */
  readonly words?: ReadonlyArray<Uint8Array> | undefined
}

/** How to fuzz a server of a protocol. @category options @since 0.1.0 */
export interface ServerOptions<Request> extends CommonOptions {
  /** Valid requests; streams of them are what is changed. */
  readonly requests: Law.Input<Request>
  /** How to serve. */
  readonly server?: Omit<Server.Options, "onEvent"> | undefined
}

/** How to fuzz any server. @category options @since 0.1.0 */
export interface ServerLayerOptions<A, B> extends CommonOptions {
  /** What clients write with. */
  readonly codec: Codec.Codec<A, B>
  /** Valid messages of clients; streams of them are what is changed. */
  readonly messages: Law.Input<B>
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
const defaults = {
  overheadBytes: 16,
  /** What one read of 64 KiB becomes when each of its replies is four times as long. */
  maxUnsentBytes: 262_144,
  maxBytes: 4_096
} as const

/** More cuts take more turns of the event loop and show little more. */
const maxChunks = 16

/** The shortest stream in which something is said. */
const shortest = (streams: ReadonlyArray<Uint8Array>): Uint8Array =>
  streams.filter(({ length }) => length > 0).sort((one, other) => one.length - other.length)[0] ?? new Uint8Array(0)

/** Any server as a target: a service, a conversation without a protocol. @category targets @since 0.1.0 */
export const serverLayer = <E, R, A, B>(
  build: (setup: Setup) => Layer.Layer<Server.Server, E, R>,
  options: ServerLayerOptions<A, B>
): Target<Exclude<R, Transport.Transport>> => {
  const {
    maxBytes = defaults.maxBytes,
    maxUnsentBytes = defaults.maxUnsentBytes,
    overheadBytes = defaults.overheadBytes,
    sameAnswer = Equal.equals
  } = options
  ensureIntegers(1, { maxBytes })
  ensureIntegers(0, { maxUnsentBytes, overheadBytes })
  const terms = { sameAnswer, maxUnsentBytes }
  const samples = (seed: number) => sampleStreams(options.codec, options.messages, seed)
  let guestSays: Uint8Array | undefined = undefined
  return {
    name: options.name ?? "server",
    samples,
    words: options.words ?? [],
    endings: ["end", "end", "reset", "stay", "deaf"],
    maxBytes,
    maxChunks,
    execute: Effect.fnUntraced(function*(input) {
      // The same for every seed, so that a finding can be replayed without one.
      guestSays ??= shortest(yield* samples(0))
      const bench = yield* make
      const layer = build({
        endpoint: bench.endpoint,
        options: { onEvent: (event) => void bench.events.push(event) },
        watch: bench.watchCodec(overheadBytes)
      })
      return yield* Effect.ensuring(trial(bench, layer, { ...terms, guestSays }, input), bench.clear)
    })
  }
}

/** A server of a protocol as a target. @category targets @since 0.1.0 */
export const server = <Request, Response, Failure extends Response, E, R>(
  protocol: Protocol.Protocol<Request, Response, Failure>,
  handler: (request: Request, connection: Server.Info) => Effect.Effect<Response, E, R>,
  options: ServerOptions<Request>
): Target<Exclude<Exclude<R, Scope.Scope>, Transport.Transport>> =>
  serverLayer(
    ({ endpoint, options: told, watch }) =>
      Server.layer({ ...protocol, request: watch(protocol.request) }, endpoint, handler, {
        ...options.server,
        ...told
      }),
    { name: protocol.name, ...options, codec: protocol.request, messages: options.requests }
  )
