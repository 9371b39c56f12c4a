/**
 * A reader of one stream for the laws of codecs: it goes on after recoverable errors and writes down all that comes
 * out.
 *
 * @since 0.1.0
 */
import * as Bytes from "effect/Bytes"
import * as Equal from "effect/Equal"
import * as Formatter from "effect/Formatter"
import * as ByteWriter from "../ByteWriter.ts"
import type * as CloseReason from "../CloseReason.ts"
import * as Codec from "../Codec.ts"

/** What came out of a decoder at one point. */
export type Item<A> =
  | { readonly _tag: "Message"; readonly message: A }
  | { readonly _tag: "Error"; readonly error: CloseReason.FrameError }

/** Reads one stream. */
export class Reader<in out A> {
  readonly decoder: Codec.Decoder<A>
  readonly items: Array<Item<A>> = []
  fatal: CloseReason.FrameError | undefined = undefined
  /** Set when the decoder goes on giving errors without taking in anything. */
  broken: string | undefined = undefined

  constructor(codec: Codec.Codec<A, never>) {
    this.decoder = codec.decoder()
  }

  feed(chunk: Uint8Array): void {
    this.drain(chunk.length, (first, out) => this.decoder.decode(first ? chunk : new Uint8Array(0), out))
  }

  end(): void {
    this.drain(0, (_, out) => this.decoder.end(out))
  }

  private drain(
    chunkBytes: number,
    step: (first: boolean, out: Array<A>) => CloseReason.FrameError | undefined
  ): void {
    // Each recoverable error is a frame of at least one byte.
    const most = this.decoder.bytesBuffered + chunkBytes + 1
    for (let steps = 0; this.fatal === undefined && this.broken === undefined; steps++) {
      const out: Array<A> = []
      const error = step(steps === 0, out)
      this.items.push(...out.map((message): Item<A> => ({ _tag: "Message", message })))
      if (error === undefined) {
        return
      }
      this.items.push({ _tag: "Error", error })
      if (!Codec.isRecoverable(error)) {
        this.fatal = error
      } else if (steps > most) {
        this.broken = `${steps} recoverable errors came out of ${most - 1} bytes`
      }
    }
  }
}

/** Reads a whole stream and its end. */
export const read = <A>(codec: Codec.Codec<A, never>, chunks: ReadonlyArray<Uint8Array>): Reader<A> => {
  const reader = new Reader(codec)
  for (const chunk of chunks) {
    reader.feed(chunk)
  }
  reader.end()
  return reader
}

/** Compares what came out; of errors only the kind, since sizes may depend on when they were counted. */
export const sameItems = <A>(left: ReadonlyArray<Item<A>>, right: ReadonlyArray<Item<A>>): boolean =>
  left.length === right.length && left.every((item, i) => Equal.equals(kind(item), kind(right[i])))

const kind = <A>(item: Item<A> | undefined) =>
  item?._tag === "Error" ? [item.error._tag, Codec.isRecoverable(item.error)] : item?.message

/** Encodes the messages that the codec accepts to one stream. */
export const encodeAccepted = <A, B>(
  codec: Codec.Codec<A, B>,
  messages: ReadonlyArray<B>
): { readonly bytes: Uint8Array; readonly messages: ReadonlyArray<B> } => {
  const writer = ByteWriter.make()
  const accepted = messages.filter((message) => codec.encode(message, writer) === undefined)
  return { bytes: Bytes.concat(writer.take()), messages: accepted }
}

/** Prints what a law saw, on one line. */
export const show = (value: unknown): string => Formatter.format(value)

/** The first that is a text. */
export const firstBroken = (...checks: ReadonlyArray<string | false | undefined>): string | undefined =>
  checks.find((check): check is string => typeof check === "string")
