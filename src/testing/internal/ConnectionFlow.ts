/**
 * Streams whose every byte tells where it belongs, and messages that tell who sent them: what the laws of connections
 * send, so that a byte lost, doubled or moved is seen at once.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Pull from "effect/Pull"
import * as Schema from "effect/Schema"
import type * as CloseReason from "../../CloseReason.ts"
import * as Codec from "../../Codec.ts"
import type * as Connection from "../../Connection.ts"
import * as Framing from "../../Framing.ts"
import { defaults } from "./ConnectionSpec.ts"
import type { End, Stage } from "./ConnectionStage.ts"

/** A prime, so that no power of two lost or doubled goes unseen. */
const period = 65_521

/** The largest piece that `pattern` gives. @category constants @since 0.1.0 */
export const maxPieceBytes = 1 << 20

/** Random bytes, again and again: any piece of a stream is a view of them. */
const table = (() => {
  const bytes = new Uint8Array(period + maxPieceBytes)
  let state = 1
  for (let i = 0; i < period; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0 // Numerical Recipes, 7.1
    bytes[i] = state >>> 24
  }
  for (let at = period; at < bytes.length; at += period) bytes.copyWithin(at, 0, Math.min(period, bytes.length - at))
  return bytes
})()

/** The bytes of a stream from one place on. @category streams @since 0.1.0 */
export const pattern = (from: number, length: number): Uint8Array =>
  table.subarray(from % period, from % period + length)

/** Where a stream of one direction begins: the two must not look alike. @category streams @since 0.1.0 */
export const startOf = (writer: { readonly name: "client" | "server" }): number => writer.name === "client" ? 0 : 1000

/** Where a chunk differs from the stream at one place; -1 where it does not. @category streams @since 0.1.0 */
export const mismatch = (chunk: Uint8Array, from: number): number => {
  for (let i = 0, at = from % period; i < chunk.length; i++, at++) {
    if (at === period) at = 0
    if (chunk[i] !== table[at]) return i
  }
  return -1
}

/** Two sides without a framing. @category constants @since 0.1.0 */
export const bytes = [Codec.bytes, Codec.bytes] as const

type Bytes = End<Uint8Array, Uint8Array>

/**
 * Writes pieces of these sizes as one batch, as the continuation of `at` bytes before.
 *
 * @category streams
 * @since 0.1.0
 */
export const write = (
  end: Bytes,
  at: number,
  sizes: ReadonlyArray<number>
): Effect.Effect<number, CloseReason.ConnectionError> => {
  let next = at
  const batch = sizes.map((size) => {
    const piece = pattern(startOf(end) + next, size)
    next += size
    return piece
  })
  return Effect.map(end.connection.write(batch), () => next)
}

/** Writes batches one after the other, and then finishes. @category streams @since 0.1.0 */
export const writeAll = (
  end: Bytes,
  batches: ReadonlyArray<ReadonlyArray<number>>
): Effect.Effect<number, CloseReason.ConnectionError> =>
  Effect.gen(function*() {
    let at = 0
    for (const sizes of batches) at = yield* write(end, at, sizes)
    yield* end.connection.finish
    return at
  })

/** What a reader has of a stream. @category streams @since 0.1.0 */
export class Reader {
  bytes = 0
  ended = false
  private readonly from: number

  constructor(writer: Bytes) {
    this.from = startOf(writer)
  }

  /** Takes what came next; fails when it is not what was written there. */
  take(batch: ReadonlyArray<Uint8Array>): Effect.Effect<void, string> {
    for (const chunk of batch) {
      const at = mismatch(chunk, this.from + this.bytes)
      if (at >= 0) return Effect.fail(`byte ${this.bytes + at} is not the one that was written there`)
      this.bytes += chunk.length
    }
    return Effect.void
  }

  /** One pull; says whether there may be more. */
  pull(end: Bytes): Effect.Effect<boolean, string | CloseReason.ConnectionError> {
    return Pull.catchDone(
      Effect.flatMap(end.connection.pull, (batch) => Effect.as(this.take(batch), true)),
      () =>
        Effect.sync(() => {
          this.ended = true
          return false
        })
    )
  }

  /** Pulls to the end; says how many bytes came in all. */
  all(end: Bytes): Effect.Effect<number, string | CloseReason.ConnectionError> {
    return Effect.flatMap(this.pull(end), (more) => more ? this.all(end) : Effect.succeed(this.bytes))
  }
}

/** Reads everything that the other end writes, to its end. @category streams @since 0.1.0 */
export const readAll = (end: Bytes, writer: Bytes): Effect.Effect<number, string> =>
  Effect.mapError(new Reader(writer).all(end), (error) => typeof error === "string" ? error : error.message)

/** How much a flood writes at once. @category constants @since 0.1.0 */
export const pieceOfFlood = 65_536

/** Writes until the writer parks, in a fiber that ends when it goes on. @category streams @since 0.1.0 */
export const flood = Effect.fnUntraced(function*(stage: Stage, writer: Bytes) {
  const limit = stage.spec.maxBufferedBytes ?? defaults.maxBufferedBytes
  const state = { written: 0, stop: false }
  const loop: Effect.Effect<void, unknown> = Effect.suspend(() =>
    state.stop || state.written > limit ? Effect.void : Effect.flatMap(
      write(writer, state.written, [pieceOfFlood]),
      (at) => {
        state.written = at
        return loop
      }
    )
  )
  const fiber = yield* stage.start(loop)
  yield* stage.quiet
  if (fiber.pollUnsafe() !== undefined) {
    return yield* Effect.fail(
      state.written > limit
        ? `the ${writer.name} wrote ${state.written} bytes to a peer that does not read, and never had to wait`
        : `the ${writer.name} could not write to a peer that does not read: ${String(fiber.pollUnsafe())}`
    )
  }
  state.stop = true
  return { fiber, state }
})

/** A whole number. @category arbitraries @since 0.1.0 */
export const integer = (minimum: number, maximum: number): Arbitrary.Arbitrary<number> =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

/** The size of a piece: often one where something changes. @category arbitraries @since 0.1.0 */
export const pieceBytes: Arbitrary.Arbitrary<number> = Arbitrary.schema(
  Schema.Union([
    Schema.Literals([0, 1, 2, 4095, 4096, 65_535, 65_536, 65_537]),
    Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 300_000 }))
  ])
)

/** The sizes of the pieces of some batches. @category arbitraries @since 0.1.0 */
export const batches = Arbitrary.array(Arbitrary.array(pieceBytes, { maxLength: 4 }), { maxLength: 6 })

/** Frames with a length of 4 bytes before them. @category messages @since 0.1.0 */
export const frames: Codec.Codec<Uint8Array> = Framing.lengthPrefixed({ maxFrameBytes: maxPieceBytes })

/**
 * A message: who sent it, in which of its batches, at which place; filled up to a size.
 *
 * @category messages
 * @since 0.1.0
 */
export interface Tag {
  readonly writer: number
  readonly batch: number
  readonly index: number
}

/** Makes the message of a tag. @category messages @since 0.1.0 */
export const toMessage = ({ batch, index, writer }: Tag, size: number): Uint8Array => {
  const bytes = new Uint8Array(Math.max(size, 3)).fill(writer)
  bytes[1] = batch
  bytes[2] = index
  return bytes
}

/** Reads the tag of a message. @category messages @since 0.1.0 */
export const fromMessage = (bytes: Uint8Array): Tag => {
  const [writer = -1, batch = -1, index = -1] = bytes
  return { writer, batch, index }
}

/** Reads messages to the end. @category messages @since 0.1.0 */
export const readMessages = <In>(
  connection: Connection.Connection<In, never>,
  into: Array<In>
): Effect.Effect<void, CloseReason.ConnectionError> => {
  const loop: Pull.Pull<never, CloseReason.ConnectionError> = Effect.flatMap(connection.pull, (batch) => {
    into.push(...batch)
    return loop
  })
  return Pull.catchDone(loop, () => Effect.void)
}
