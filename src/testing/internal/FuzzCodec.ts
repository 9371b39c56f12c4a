/**
 * Codecs as targets of the fuzzer: what a decoder must do with any bytes whatever.
 *
 * Promises: it throws nothing; each error is one of the typed ones; it holds at most its limit plus one chunk, and takes in
 * no more than that without a message or an error; it gives no more messages than bytes; a fatal error is the last word;
 * the same bytes in other chunks give the same.
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as CloseReason from "../../CloseReason.ts"
import * as Codec from "../../Codec.ts"
import { encodeAccepted, Reader, sameItems, show } from "../../internal/codecReader.ts"
import type { Broken, Target } from "../Fuzz.ts"
import * as Law from "../Law.ts"
import * as FuzzInput from "./FuzzInput.ts"
import { ensureIntegers } from "./FuzzOptions.ts"
import { tell } from "./Tell.ts"

/** How to fuzz a codec. @category options @since 0.1.0 */
export interface CodecOptions<B> {
  /** Valid messages; streams of them are what is changed. Those that `encode` refuses are left out. */
  readonly messages: Law.Input<B>
  /** Names the codec in findings. @default "codec" */
  readonly name?: string | undefined
  /** The greatest number of bytes around the content of a frame: terminator, length field, checksum. @default 16 */
  readonly overheadBytes?: number | undefined
  /** Whether messages depend on how the network cuts, as those of `Framing.chunks` do. @default "frames" */
  readonly boundaries?: "frames" | "chunks" | undefined
  /** The longest input. @default four times the limit of the codec, at least 256 and at most 4096 */
  readonly maxBytes?: number | undefined
  /** Words that mean something to this codec. @default [] */
  readonly words?: ReadonlyArray<Uint8Array> | undefined
}

/** How many streams of valid messages a search begins with, and how large the messages are. */
const sampling = { count: 24, size: 20 } as const

const isFrameError = Schema.is(
  Schema.Union([CloseReason.FrameTooLarge, CloseReason.FrameCorrupt, CloseReason.FrameTruncated])
)

/** Draws streams of valid messages, and one of nothing. @category sampling @since 0.1.0 */
export const sampleStreams = <A, B>(
  codec: Codec.Codec<A, B>,
  messages: Law.Input<B>,
  seed: number
): Effect.Effect<ReadonlyArray<Uint8Array>> =>
  Arbitrary.sampleEffect(Arbitrary.array(Law.fromInput(messages), { maxLength: 8 }), { ...sampling, seed }).pipe(
    Effect.map((lists) => lists.map((list) => encodeAccepted(codec, list).bytes)),
    // Messages that cannot be drawn leave the raw bytes to try.
    Effect.orElseSucceed((): ReadonlyArray<Uint8Array> => [])
  )

/**
 * A codec as a target.
 *
 * @see {@link CodecOptions}
 * @category targets
 * @since 0.1.0
 */
export const codec = <A, B>(self: Codec.Codec<A, B>, options: CodecOptions<B>): Target => {
  const { maxBytes = Math.min(4_096, Math.max(256, 4 * self.maxFrameBytes)), overheadBytes = 16 } = options
  ensureIntegers(1, { maxBytes })
  ensureIntegers(0, { overheadBytes })
  const most = self.maxFrameBytes + overheadBytes
  return {
    name: options.name ?? "codec",
    samples: (seed) => sampleStreams(self, options.messages, seed),
    words: options.words ?? [],
    endings: ["end"],
    maxBytes,
    maxChunks: maxBytes,
    execute: (input) =>
      Effect.suspend(() => {
        const seen = new Sight(self, most)
        const broken = seen.readAll(FuzzInput.chunksOf(input)) ??
          (options.boundaries === "chunks" ? undefined : differs(self, most, input, seen))
        return broken === undefined ? Effect.succeed(outcomeOf(seen.reader)) : Effect.fail(broken)
      })
  }
}

/** One stream, with an eye on every call. */
class Sight<A> {
  readonly reader: Reader<A>
  private readonly most: number
  private given = 0
  /** Bytes since the last message or error, while some are held, and the largest chunk of these. */
  private silent = 0
  private silentChunk = 0

  constructor(self: Codec.Codec<A, never>, most: number) {
    this.reader = new Reader(self)
    this.most = most
  }

  /** Reads a stream and its end; the first promise that is broken. */
  readAll(chunks: ReadonlyArray<Uint8Array>): Broken | undefined {
    const { reader } = this
    try {
      for (const chunk of chunks) {
        const before = reader.items.length
        const broken = reader.fatal === undefined ? this.feed(chunk, before) : this.insist(reader.fatal, chunk)
        if (broken !== undefined) return broken
      }
      const before = reader.items.length
      if (reader.fatal !== undefined) return this.insist(reader.fatal, undefined)
      reader.end()
      return this.look(0, before)
    } catch (defect) {
      return { rule: "throws nothing", broken: `it threw ${tell(defect)}` }
    }
  }

  private feed(chunk: Uint8Array, before: number): Broken | undefined {
    this.given += chunk.length
    this.reader.feed(chunk)
    const { length } = this.reader.items
    const held = this.reader.decoder.bytesBuffered
    const speaks = held === 0 || length > before
    this.silent = speaks ? 0 : this.silent + chunk.length
    this.silentChunk = speaks ? 0 : Math.max(this.silentChunk, chunk.length)
    return this.look(chunk.length, before)
  }

  /** What holds after each call. */
  private look(chunkBytes: number, before: number): Broken | undefined {
    const { broken, decoder, items } = this.reader
    const held = decoder.bytesBuffered
    if (broken !== undefined) return { rule: "makes progress", broken }
    if (items.length > this.given + 1) {
      return { rule: "makes progress", broken: `${items.length} messages and errors came out of ${this.given} bytes` }
    }
    for (const item of items.slice(before)) {
      if (item._tag === "Error" && !isFrameError(item.error)) {
        return { rule: "fails with typed errors", broken: `it gave ${show(item.error)}` }
      }
    }
    if (held > this.given || !(held >= 0)) {
      return { rule: "counts what it holds", broken: `${held} bytes are buffered of ${this.given} given` }
    }
    const rule = "holds at most its limit and one chunk"
    if (held > this.most + chunkBytes) {
      return { rule, broken: `${held} bytes are buffered after a chunk of ${chunkBytes}, the limit is ${this.most}` }
    }
    if (this.silent > this.most + this.silentChunk) {
      return { rule, broken: `${this.silent} bytes gave no message and no error, the limit is ${this.most}` }
    }
    return undefined
  }

  /** After a fatal error: one more chunk, or the end, changes nothing. */
  private insist(fatal: CloseReason.FrameError, chunk: Uint8Array | undefined): Broken | undefined {
    const { decoder } = this.reader
    const out: Array<A> = []
    const error = chunk === undefined ? decoder.end(out) : decoder.decode(chunk, out)
    if (error?._tag === fatal._tag && !Codec.isRecoverable(error) && out.length === 0 && decoder.bytesBuffered === 0) {
      return undefined
    }
    return {
      rule: "ends with a fatal error",
      broken: `after ${show(fatal)} came ${
        show(error)
      } and ${out.length} messages, ${decoder.bytesBuffered} bytes are held`
    }
  }
}

/** The same bytes at once and one by one. */
const differs = <A>(
  self: Codec.Codec<A, never>,
  most: number,
  input: FuzzInput.Input,
  seen: Sight<A>
): Broken | undefined => {
  const others = { "at once": [], "byte by byte": Array.from(input.bytes, (_, i) => i).slice(1) }
  for (const [how, cuts] of Object.entries(others)) {
    const other = new Sight(self, most)
    const broken = other.readAll(FuzzInput.chunksOf({ ...input, cuts }))
    if (broken !== undefined) return { ...broken, broken: `${how}, ${broken.broken}` }
    if (!sameItems(seen.reader.items, other.reader.items)) {
      const sizes = FuzzInput.chunksOf(input).map((chunk) => chunk.length)
      return {
        rule: "gives the same in any chunks",
        broken: `in chunks of ${sizes.join(", ")} bytes it gives ${show(seen.reader.items)}, ${how} ${
          show(other.reader.items)
        }`
      }
    }
  }
  return undefined
}

/** So many kinds of items tell one outcome from another; more would make nearly every input a new one. */
const outcomeItems = 6

/** What came out, in few words: the kinds of items with repetitions left out, and no sizes. */
const outcomeOf = <A>(reader: Reader<A>): string => {
  const kinds = reader.items.map((item) => {
    if (item._tag === "Message") return "message"
    const { error } = item
    return error._tag === "FrameCorrupt"
      ? `${error._tag}${error.recoverable ? "" : "!"} ${error.message.replaceAll(/\d+|"[^"]*"/g, "#").slice(0, 60)}`
      : error._tag
  })
  const runs = kinds.filter((kind, i) => kind !== kinds[i - 1])
  return runs.slice(0, outcomeItems).join(", ") || "nothing"
}
