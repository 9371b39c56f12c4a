/**
 * What the laws of clients are given.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Client from "../../Client.ts"
import type * as Endpoint from "../../Endpoint.ts"
import type * as Protocol from "../../Protocol.ts"
import type * as Transport from "../../Transport.ts"
import type * as Law from "../Law.ts"
import type { Bad } from "./ServerSpec.ts"
import type { WorldSpec } from "./ServiceWorld.ts"

/**
 * A client, as far as the laws use it: failures are the protocol's, or a `ClientError`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subject<in Request> {
  readonly call: (request: Request) => Effect.Effect<unknown, unknown>
}

/**
 * What the laws of clients are given; the transport is a service. The server is the laws' own: it says what it should.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spec<in out Request, in out Response> extends WorldSpec {
  readonly protocol: Protocol.Protocol<Request, Response, Response>
  /** The request of a number, from 0 to 99; no two look alike on the wire. */
  readonly request: (n: number) => Request
  /** What a server says to a request; no two answers to different requests are equal. */
  readonly answer: (request: Request) => Response
  /** Connects the client under test; `protocol` is the one above, with the depth that a law wants. @default Client.make */
  readonly connect?:
    | ((
      protocol: Protocol.Protocol<Request, Response, Response>,
      endpoint: Endpoint.Endpoint,
      options: Client.Options
    ) => Effect.Effect<Subject<Request>, unknown, Scope.Scope | Transport.Transport>)
    | undefined
  /**
   * Like `request`, but larger than what client and kernel hold for a server that does not read; without it, the laws
   * about that hold of themselves.
   */
  readonly large?: ((n: number) => Request) | undefined
  /** What breaks the framing of an answer, and how that is called. */
  readonly bad?: Readonly<Record<string, Bad>> | undefined
  /** How the laws with random input look for a violation. */
  readonly options?: Law.Options | undefined
}
