/**
 * Lines of text in one step, where they are ASCII: the chunk becomes a text at once, and is cut there.
 *
 * It gives what a codec of text over a framing of lines gives, which is asked whenever anything is out of the ordinary: a
 * line that began in an earlier chunk, another alphabet, a line that is too long or must not be written.
 *
 * ```
 * [one LF two LF thr]   one, two: cut out of the text        thr: left to the codec of bytes
 * [ee LF four LF]       all of it: to the codec of bytes
 * ```
 *
 * With 16 lines in flight it bought a third of a request's CPU.
 */
import type * as ByteWriter from "../ByteWriter.ts"
import type * as CloseReason from "../CloseReason.ts"
import type { Codec } from "../Codec.ts"
import { fromUtf8 } from "./content.ts"
import type { Decoder, Output } from "./decoder.ts"

/** A line that somebody keeps keeps the text of its chunk: not more than this for a line. */
const maxChunkBytes = 4096

/** How the lines of a framing end. */
interface Ending {
  readonly terminator: "\n" | "\r\n"
  /** One CR in front of it is not of the line. */
  readonly optionalCr: boolean
  readonly maxFrameBytes: number
}

const endings = new WeakMap<Codec<Uint8Array>, Ending>()

/** Says of a codec that it frames lines. */
export const mark = (codec: Codec<Uint8Array>, ending: Ending): Codec<Uint8Array> => {
  endings.set(codec, ending)
  return codec
}

/** A codec of text over a framing, faster where that is one of lines. */
export const faster = (framing: Codec<Uint8Array>, text: Codec<string>): Codec<string> => {
  const ending = endings.get(framing)
  return ending === undefined ? text : {
    decoder: () => new TextLineDecoder(ending, text.decoder()),
    encode: (message, writer) =>
      isPlain(message, ending) ? write(message, ending, writer) : text.encode(message, writer),
    maxFrameBytes: text.maxFrameBytes
  }
}

/** Whether it can be written as it is, whatever characters it has. */
const isPlain = (message: string, { maxFrameBytes, optionalCr, terminator }: Ending): boolean =>
  message.length * 3 <= maxFrameBytes && !message.includes(terminator) && !(optionalCr && message.endsWith("\r")) &&
  message.isWellFormed()

const write = (message: string, { terminator }: Ending, writer: ByteWriter.ByteWriter): undefined => {
  writer.text(message)
  if (terminator === "\r\n") writer.u8(13)
  writer.u8(10)
}

class TextLineDecoder implements Decoder<string> {
  private readonly ending: Ending
  private readonly slow: Decoder<string>
  /** Behind an error and the end, `slow` knows what may follow. */
  private isOrdinary = true

  constructor(ending: Ending, slow: Decoder<string>) {
    this.ending = ending
    this.slow = slow
  }

  get bytesBuffered(): number {
    return this.slow.bytesBuffered
  }

  decode(chunk: Uint8Array, out: Output<string>): CloseReason.FrameError | undefined {
    const at = this.isOrdinary && chunk.length <= maxChunkBytes && this.slow.bytesBuffered === 0
      ? this.cut(chunk, out)
      : 0
    if (at === chunk.length && at > 0) return undefined
    const error = this.slow.decode(at === 0 ? chunk : chunk.subarray(at), out)
    if (error !== undefined) this.isOrdinary = false
    return error
  }

  end(out: Output<string>): CloseReason.FrameError | undefined {
    this.isOrdinary = false
    return this.slow.end(out)
  }

  /** Takes the lines that are whole; gives how many bytes that were. */
  private cut(chunk: Uint8Array, out: Output<string>): number {
    const { maxFrameBytes, optionalCr, terminator } = this.ending
    const text = fromUtf8(chunk)
    // As many characters as bytes, and none of them a replacement: each byte is one of ASCII.
    if (text.length !== chunk.length || text.includes("\uFFFD")) return 0
    let at = 0
    for (let next = text.indexOf(terminator); next !== -1; next = text.indexOf(terminator, at)) {
      const end = optionalCr && text.charCodeAt(next - 1) === 13 ? next - 1 : next
      if (end - at > maxFrameBytes) return at
      out.push(text.slice(at, end))
      at = next + terminator.length
    }
    return at
  }
}
