/** Requests that say how they want to be answered, and peers that compare every byte of the answers. */
import { Bytes, Deferred, Effect, Exit, Result, Schema, type Scope } from "effect"
import { Checksum, Codec, type Endpoint, Framing, Protocol, type Transport } from "../../src/index.ts"

const framing = Framing.lengthPrefixed({ maxFrameBytes: 300_000 })

/** How a handler answers. */
export const plans = ["at once", "in sync", "in a fiber", "yields", "waits", "fails", "yields and fails"] as const
export type Plan = (typeof plans)[number]

/** A request, as views of what was read. */
export interface Asked {
  readonly plan: Plan
  readonly body: Uint8Array
}

/** A request that is answered by a failure. */
export class Refused extends Schema.TaggedClass<Refused>()("Refused", { body: Schema.Uint8Array }) {}

type Answer = Uint8Array | Refused

const request = (bytes: Codec.Codec<Uint8Array>): Codec.Codec<Asked> =>
  Codec.map(bytes, {
    decode: (frame) => ({ plan: plans[frame[0] ?? 0] ?? "at once", body: frame.subarray(1) }),
    encode: ({ body, plan }) => Bytes.concat([Uint8Array.of(plans.indexOf(plan)), body])
  })

const response = Codec.map(framing, {
  decode: (frame): Answer => frame,
  encode: (answer: Answer) => answer instanceof Refused ? Bytes.concat([Uint8Array.of(0xff), answer.body]) : answer
})

/** Requests whose bytes stand in an object. */
export const plain = request(framing)

/** The same with a checksum, which can be wrong. */
export const checked = request(Framing.checksummed(framing, Checksum.sum8))

export const Plain = Protocol.make("plain", { request: plain, response, failure: Refused })

const attempted = Codec.attempt(checked)

/** Bad requests are answered, too. */
export const Checked = Protocol.make("checked", {
  request: { ...attempted, encode: () => undefined }, // nothing here writes one
  response,
  failure: Refused
})

/** Bad requests end the connection. */
export const Strict = Protocol.make("strict", { request: checked, response, failure: Refused })

export const bad = new TextEncoder().encode("bad")

/** Answers as the request wants, with its own bytes; `wait` is what takes time. */
export const answer = ({ body, plan }: Asked, wait: Effect.Effect<void>): Effect.Effect<Uint8Array, Refused> => {
  switch (plan) {
    case "at once":
      return Effect.succeed(body)
    case "in sync":
      return Effect.sync(() => body)
    case "in a fiber":
      return Effect.gen(function*() {
        yield* Effect.void
        return body
      })
    case "yields":
      return Effect.as(Effect.yieldNow, body)
    case "waits":
      return Effect.as(wait, body)
    case "fails":
      return Effect.fail(new Refused({ body }))
    case "yields and fails":
      return Effect.flatMap(Effect.yieldNow, () => Effect.fail(new Refused({ body })))
  }
}

/** A request as it is drawn. */
export interface Drawn {
  readonly plan: Plan
  readonly size: number
  readonly seed: number
  readonly isBad: boolean
}

export const bodyOf = ({ seed, size }: Pick<Drawn, "seed" | "size">): Uint8Array =>
  Uint8Array.from({ length: size }, (_, i) => seed + i * 7 + (i >> 8))

/** Makes the checksum at the end wrong. */
export const spoil = (frame: Uint8Array): Uint8Array => frame.with(frame.length - 1, (frame.at(-1) ?? 0) ^ 1)

/** What is sent, and what must come back, byte by byte. */
export const script = (drawn: ReadonlyArray<Drawn>, codec: Codec.Codec<Asked>) => {
  const sent = drawn.map((each) => {
    const bytes = Result.getOrThrow(Codec.encode(codec, { plan: each.plan, body: bodyOf(each) }))
    return each.isBad ? spoil(bytes) : bytes
  })
  const expected = drawn.map((each): Answer =>
    each.isBad ? bad : each.plan.endsWith("fails") ? refusal(each) : bodyOf(each)
  )
  return { sent: Bytes.concat(sent), expected: Result.getOrThrow(Codec.encodeAll(response, expected)) }
}

const refusal = (drawn: Drawn) => new Refused({ body: bodyOf(drawn) })

/** A peer that hears so many bytes. */
export class Listener implements Transport.RawHandler {
  readonly all = Deferred.makeUnsafe<Uint8Array>()
  isEnded = false
  bytes = 0
  private readonly chunks: Array<Uint8Array> = []
  private missing: number

  constructor(bytes: number) {
    this.missing = bytes
    this.look()
  }
  get heard(): Uint8Array {
    return Bytes.concat(this.chunks)
  }
  onData(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.bytes += chunk.length
    this.missing -= chunk.length
    this.look()
  }
  onEnd(): void {
    this.isEnded = true
    this.give()
  }
  onDrain(): void {}
  onClose(): void {
    this.isEnded = true
    this.give()
  }
  private look(): void {
    if (this.missing <= 0) this.give()
  }
  private give(): void {
    Deferred.doneUnsafe(this.all, Exit.succeed(this.heard))
  }
}

/** Dials, and hears `bytes`. */
export const listenTo = (
  transport: Transport.Transport["Service"],
  endpoint: Endpoint.Endpoint,
  bytes = Number.POSITIVE_INFINITY
): Effect.Effect<{ readonly raw: Transport.RawSocket; readonly ear: Listener }, Transport.ConnectError, Scope.Scope> =>
  Effect.map(transport.connect(endpoint), (raw) => {
    const ear = new Listener(bytes)
    raw.attach(ear)
    return { raw, ear }
  })
