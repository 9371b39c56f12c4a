/**
 * A client under test, and the server that it talks to: one without a protocol in it, which hears requests, and says what
 * a law tells it to.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import type * as TestClock from "effect/testing/TestClock"
import * as Client from "../../Client.ts"
import { encodeAccepted, Reader, show } from "../../internal/codecReader.ts"
import type * as Transport from "../../Transport.ts"
import * as NetArbitrary from "../NetArbitrary.ts"
import type { Spec, Subject } from "./ClientSpec.ts"
import { RawPeer } from "./RawPeer.ts"
import { describe, must, parse } from "./Scene.ts"
import { play, World } from "./ServiceWorld.ts"

/** What became of a call; `answer` also holds a failure of the protocol. @category models @since 0.1.0 */
export type Outcome =
  | { readonly _tag: "Outstanding" }
  | { readonly _tag: "Answered"; readonly answer: unknown }
  | { readonly _tag: "Failed"; readonly reason: string; readonly sent: Client.Sent }
  | { readonly _tag: "Interrupted" }
  | { readonly _tag: "Broken"; readonly how: string }

/** One call. @category models @since 0.1.0 */
export interface Call<out Request> {
  readonly request: Request
  readonly fiber: Fiber.Fiber<unknown, unknown>
}

/** A client under test, and its server. @category models @since 0.1.0 */
export class ClientWorld<Request, Response> extends World {
  readonly sample: Spec<Request, Response>
  readonly calls: Array<Call<Request>> = []
  /** How many of the requests that came were answered. */
  replied = 0
  private readonly reader: Reader<Request>
  private accepted: RawPeer | undefined = undefined
  private client: Subject<Request> | undefined = undefined

  constructor(spec: Spec<Request, Response>, transport: Transport.Transport["Service"], clock: TestClock.TestClock) {
    super(spec, transport, clock)
    this.sample = spec
    this.reader = new Reader(spec.protocol.request)
  }

  /** Listens, and connects the client under test. */
  connect(options: Client.Options & { readonly depth?: number }): Effect.Effect<void, string> {
    return Effect.gen({ self: this }, function*() {
      const { sample: spec } = this
      const listen = this.watch.transport.listen(yield* parse(spec.endpoint), {
        backlog: 1,
        onAccept: (raw) => {
          const peer = new RawPeer(raw)
          peer.onBytes = (chunk) => this.reader.feed(chunk)
          this.accepted = peer
        }
      })
      const listener = yield* Effect.mapError(Scope.provide(listen, this.outside), (error) => error.message)
      const endpoint = yield* parse(spec.dial?.(listener.endpoint) ?? listener.endpoint)
      const { depth = spec.protocol.depth, ...rest } = options
      const protocol = { ...spec.protocol, depth }
      const connecting = spec.connect?.(protocol, endpoint, rest) ?? Client.make(protocol, endpoint, rest)
      const fiber = yield* this.start<Subject<Request>, unknown>(connecting)
      yield* this.until("the client", () => fiber.pollUnsafe() !== undefined && this.accepted !== undefined)
      this.client = yield* this.joined("connecting the client", fiber)
      yield* this.settle
    })
  }

  /** The server's end of the connection. */
  get server(): RawPeer {
    if (this.accepted === undefined) throw new Error("the client has not connected")
    return this.accepted
  }

  /** Calls, in a fiber of its own. */
  call(request: Request): Effect.Effect<Call<Request>> {
    return Effect.gen({ self: this }, function*() {
      const calling = this.client?.call(request) ?? Effect.die("the client has not connected")
      // Without a pause before it has called: the order of the calls is the law's.
      const fiber = yield* Effect.provideService(
        Effect.forkDetach(calling, { startImmediately: true }),
        Scheduler.PreventSchedulerYield,
        true
      )
      const call = { request, fiber }
      this.calls.push(call)
      return call
    })
  }

  /** What has become of a call. */
  outcome({ fiber }: Call<Request>): Outcome {
    const exit = fiber.pollUnsafe()
    if (exit === undefined) return { _tag: "Outstanding" }
    if (Exit.isSuccess(exit)) return { _tag: "Answered", answer: exit.value }
    if (Cause.hasInterruptsOnly(exit.cause)) return { _tag: "Interrupted" }
    const error = Cause.squash(exit.cause)
    if (error instanceof Client.ClientError) return { _tag: "Failed", reason: error.reason._tag, sent: error.sent }
    return this.sample.protocol.isFailure?.(error) === true
      ? { _tag: "Answered", answer: error }
      : { _tag: "Broken", how: describe(exit.cause) }
  }

  /** The whole requests that the server has heard, in their order. */
  get requests(): ReadonlyArray<Request> {
    return this.reader.items.flatMap((item) => item._tag === "Message" ? [item.message] : [])
  }

  /** Whether the server has heard a request, whole. */
  hasHeard(request: Request): boolean {
    return this.requests.some((other) => Equal.equals(other, request))
  }

  /** Answers the next requests that came, cut as the chunking says. */
  reply(count: number, chunking: NetArbitrary.Chunking = []): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const next = this.requests.slice(this.replied, this.replied + count)
      if (next.length === 0) return
      this.replied += next.length
      for (const chunk of NetArbitrary.cut(this.answersTo(next), chunking)) {
        this.server.send(chunk)
        yield* this.settle
      }
    })
  }

  /** Answers as they go over the wire. */
  answersTo(requests: ReadonlyArray<Request>): Uint8Array {
    return encodeAccepted(this.sample.protocol.response, requests.map(this.sample.answer)).bytes
  }

  /** A call has its own answer. */
  answered(call: Call<Request>): Effect.Effect<void, string> {
    const expected: Outcome = { _tag: "Answered", answer: this.sample.answer(call.request) }
    return must(
      Equal.equals(this.outcome(call), expected),
      () => `the call of ${brief(call.request)} is ${brief(this.outcome(call))}, expected ${brief(expected)}`
    )
  }

  /** A call has failed, for one of these reasons. */
  failed(call: Call<Request>, reasons: ReadonlyArray<string>, sent?: Client.Sent): Effect.Effect<void, string> {
    const outcome = this.outcome(call)
    const fits = outcome._tag === "Failed" && reasons.includes(outcome.reason) &&
      (sent === undefined || outcome.sent === sent)
    return must(
      fits,
      () =>
        `the call of ${brief(call.request)} is ${brief(outcome)}, expected ${reasons.join(" or ")}${
          sent === undefined ? "" : ` with sent: ${sent}`
        }`
    )
  }

  /**
   * What failed calls say of having been sent is so, once the server has read all there is: what was not sent was not
   * heard, and what was sent whole was.
   */
  get truthful(): Effect.Effect<void, string> {
    return Effect.forEach(this.calls, (call) => {
      const outcome = this.outcome(call)
      if (outcome._tag !== "Failed" || outcome.sent === "partial") return Effect.void
      const heard = this.hasHeard(call.request)
      return must(
        heard === (outcome.sent === "all"),
        () =>
          `the call of ${brief(call.request)} says sent: ${outcome.sent}, and the server has ${
            heard ? "" : "not "
          }heard it`
      )
    }, { discard: true })
  }
}

/** Prints a value, of which no more than a line. */
const brief = (value: unknown): string => {
  const text = show(value)
  return text.length > 100 ? `${text.slice(0, 100)}…` : text
}

/** Plays a scene; then the client closes, and nothing of it may be left. @category running @since 0.1.0 */
export const playClient = <Request, Response>(
  spec: Spec<Request, Response>,
  scene: (world: ClientWorld<Request, Response>) => Effect.Effect<void, string>
): Effect.Effect<void, string, Transport.Transport> =>
  play((transport, clock) => new ClientWorld(spec, transport, clock), "dialled", scene)
