/**
 * What the laws of servers are given, and how a scene becomes a law.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as CloseReason from "../../CloseReason.ts"
import { encodeAccepted } from "../../internal/codecReader.ts"
import type * as Protocol from "../../Protocol.ts"
import * as Server from "../../Server.ts"
import type * as Transport from "../../Transport.ts"
import * as Law from "../Law.ts"
import type * as Scene from "./Scene.ts"
import type { WorldSpec } from "./ServiceWorld.ts"

/** What answers one request. @category models @since 0.1.0 */
export type Handler<in Request, out Response> = (
  request: Request,
  connection: Server.Info
) => Effect.Effect<Response, unknown, Scope.Scope>

/** Bytes that a server must refuse. @category models @since 0.1.0 */
export interface Bad {
  readonly bytes: Uint8Array
  /** Whether the peer ends its side behind them. @default false */
  readonly ends?: boolean | undefined
  /** How the connection must end. */
  readonly reason: CloseReason.CloseReason["_tag"]
}

/**
 * What the laws of servers are given; the transport is a service.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spec<in out Request, in out Response> extends WorldSpec {
  readonly protocol: Protocol.Protocol<Request, Response, Response>
  /** Requests to ask; at least one. */
  readonly samples: ReadonlyArray<Request>
  /** What the handler of the laws says to a request. */
  readonly answer: (request: Request) => Response
  /** Starts the server under test. @default Server.make */
  readonly serve?:
    | ((
      handler: Handler<Request, Response>,
      options: Server.Options
    ) => Effect.Effect<Server.Server["Service"], unknown, Scope.Scope | Transport.Transport>)
    | undefined
  /** Whose answer has some kilobytes: for the law about peers that do not read, which holds of itself without. */
  readonly large?: Request | undefined
  /** For a peer that does not read, at most so many bytes of answers are made. @default 1048576 */
  readonly maxBufferedBytes?: number | undefined
  /** What breaks the framing, and how that is called. */
  readonly bad?: Readonly<Record<string, Bad>> | undefined
  /** How the laws with random input look for a violation. */
  readonly options?: Law.Options | undefined
}

/** The values used where a spec gives none. @category models @since 0.1.0 */
export const defaults = {
  /** Several windows of memory and of a connection; a kernel takes some megabytes more. */
  maxBufferedBytes: 1 << 20
} as const

/** A scene is slow compared with a function. */
const checkDefaults = { runs: 20, size: 12, maxShrinks: 60 } as const

/** A law with random input. @category constructors @since 0.1.0 */
export const random = <A>(
  name: string,
  options: Law.Options | undefined,
  inputs: Law.Input<A>,
  property: (input: A) => Effect.Effect<void, string, Transport.Transport>
): Scene.Check => Law.check(name, inputs, property, { ...checkDefaults, ...options })

/** The samples that numbers choose. @category samples @since 0.1.0 */
export const pick = <A>(samples: ReadonlyArray<A>, picks: ReadonlyArray<number>): ReadonlyArray<A> =>
  picks.flatMap((at) => samples.slice(at % samples.length, at % samples.length + 1))

/** Requests as they go over the wire. @category samples @since 0.1.0 */
export const asked = <Request, Response>(
  { protocol }: Pick<Spec<Request, Response>, "protocol">,
  requests: ReadonlyArray<Request>
): Uint8Array => encodeAccepted(protocol.request, requests).bytes

/** Their answers as they go over the wire. @category samples @since 0.1.0 */
export const answered = <Request, Response>(
  { answer, protocol }: Pick<Spec<Request, Response>, "protocol" | "answer">,
  requests: ReadonlyArray<Request>
): Uint8Array => encodeAccepted(protocol.response, requests.map(answer)).bytes

/** Starts the server under test. @category running @since 0.1.0 */
export const start = <Request, Response>(
  spec: Spec<Request, Response>,
  handler: Handler<Request, Response>,
  options: Server.Options
): Effect.Effect<Server.Server["Service"], unknown, Scope.Scope | Transport.Transport> =>
  spec.serve?.(handler, options) ?? Server.make(spec.protocol, spec.endpoint, handler, options)
