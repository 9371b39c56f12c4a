/**
 * A wire protocol as one value: what a client says, what a server answers, and how the two follow each other.
 *
 * Server, client, tests and programs are made from this value, so that both ends agree by construction. It owns nothing
 * and does nothing by itself.
 *
 * ```
 * client   request 1   request 2   request 3
 * server                response 1              response 2   response 3       answered in order, never reordered
 *          `---------- depth: so many may be waiting for their answer ---'
 * ```
 *
 * **Gotchas**: the exchange is ordered: the n-th response answers the n-th request of a connection. A server that
 * cannot answer a request ends the connection, because skipping an answer would shift all later ones.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import type * as Codec from "./Codec.ts"

/**
 * An ordered exchange of requests and responses.
 *
 * `Failure` is the part of the responses that a client sees as typed errors; `never` when the protocol has none.
 *
 * @category models
 * @since 0.1.0
 */
export interface Protocol<in out Request, in out Response, out Failure extends Response = never> {
  /** Names the protocol in logs and errors. */
  readonly name: string
  /** How requests look on the wire. */
  readonly request: Codec.Codec<Request>
  /** How responses, failures included, look on the wire. */
  readonly response: Codec.Codec<Response>
  /** Tells failures from other responses; absent when the protocol has none. */
  readonly isFailure: ((value: unknown) => value is Failure) | undefined
  /** How many requests a client may send before the first of them is answered. */
  readonly depth: number
  /** What a server says before it turns a connection away, or ends it. */
  readonly goodbye: Goodbye<Response>
}

/**
 * What a server says before it turns a connection away, or ends it, per cause; nothing where a message is absent.
 *
 * **Details**: each is the last thing that the server says to a connection, unasked, behind the answers to everything it
 * has taken in. For a client it is the response to its next request, which had no effect.
 *
 * @category models
 * @since 0.1.0
 */
export interface Goodbye<out Response> {
  /** The server is full. */
  readonly overLimit?: Response | undefined
  /**
   * The server ends the connection between two requests, because it drains or the connection has reached its lifetime.
   * It is said once, and not to a peer that has ended first, that does not read, or whose request was broken off.
   */
  readonly drained?: Response | undefined
}

/**
 * How to describe a protocol.
 *
 * @category options
 * @since 0.1.0
 */
export interface Options<in out Request, in out Response, out Failure extends Response> {
  /** How requests look on the wire. */
  readonly request: Codec.Codec<Request>
  /** How responses, failures included, look on the wire. */
  readonly response: Codec.Codec<Response>
  /** The part of the responses that a client shall see as errors, and that a handler may fail with. */
  readonly failure?: Schema.Schema<Failure> | undefined
  /**
   * How many requests a client may send before the first of them is answered.
   *
   * @default 64
   */
  readonly depth?: number | undefined
  /** What a server says before it turns a connection away, or ends it. */
  readonly goodbye?: Goodbye<Response> | undefined
}

/**
 * The values used where an option is not given.
 *
 * @category options
 * @since 0.1.0
 */
export const defaults = {
  /** Enough to hide a round trip at full speed; beyond 16 the gain is small, at 256 latency suffers. */
  depth: 64
} as const

/**
 * Describes a protocol of requests that are answered in order.
 *
 * **Details**: throws a `RangeError` when `depth` is not a positive integer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <Request, Response, Failure extends Response = never>(
  name: string,
  options: Options<Request, Response, Failure>
): Protocol<Request, Response, Failure> => {
  const depth = options.depth ?? defaults.depth
  if (!Number.isInteger(depth) || depth < 1) {
    throw new RangeError(`depth of protocol ${name} must be a positive integer, got ${depth}`)
  }
  return {
    name,
    request: options.request,
    response: options.response,
    isFailure: options.failure === undefined ? undefined : Schema.is(options.failure),
    depth,
    goodbye: options.goodbye ?? {}
  }
}
