/**
 * Where encoders put bytes: one growing buffer per connection, emptied with each write to the wire.
 *
 * Small pieces are copied into the buffer, so that the replies of a batch leave in one write; a large piece is kept by
 * reference, so that it is never copied. The writer owns the buffer until `take`; after that the wire does.
 *
 * ```
 * text("ab")  bytes(3 B)   bytes(64 KiB)      text("c")
 * [  buffer: a b x y z  ]  [ by reference  ]  [ buffer: c ]     take() gives these three, in order
 * ```
 *
 * **Gotchas**: what is handed to `bytes` must not be changed afterwards; a slice from `reserve` must be filled before
 * the next call.
 *
 * @since 0.1.0
 */

const encoder = new TextEncoder()

/** Pieces of this many bytes and more are kept by reference. Below about 4 KiB a copy is cheaper than a `writev`. */
const referenceFromBytes = 4096

/** A connection writes at least this much at once before it needs a second buffer. */
const initialBytes = 1024

/** A buffer never grows beyond this; what is full becomes a segment. Matches what Node takes in one read or write. */
const maxBufferBytes = 65_536

/**
 * A growing sequence of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export class ByteWriter {
  private segments: Array<Uint8Array> = []
  private buffer: Uint8Array<ArrayBuffer> | undefined
  private start = 0
  private end = 0
  private nextBytes = initialBytes

  /** How many bytes have been written since the last `take`. */
  size = 0

  /** Appends bytes. Pieces of 4 KiB and more are kept by reference and must not change afterwards. */
  bytes(bytes: Uint8Array): void {
    const length = bytes.length
    if (length >= referenceFromBytes) {
      this.seal()
      this.segments.push(bytes)
      this.size += length
    } else if (length > 0) {
      this.room(length).set(bytes, this.end)
      this.advance(length)
    }
  }

  /** Appends one byte. */
  u8(byte: number): void {
    this.room(1)[this.end] = byte
    this.advance(1)
  }

  /** Appends text as UTF-8. */
  text(text: string): void {
    if (text.length * 3 >= referenceFromBytes) {
      return this.bytes(encoder.encode(text))
    }
    const buffer = this.room(text.length * 3)
    this.advance(encoder.encodeInto(text, buffer.subarray(this.end)).written)
  }

  /** Appends `length` bytes and returns them to be filled at once. */
  reserve(length: number): Uint8Array {
    const buffer = this.room(length)
    const from = this.end
    this.advance(length)
    return buffer.subarray(from, from + length)
  }

  /** Hands over everything written, in order, and starts anew. */
  take(): Array<Uint8Array> {
    this.seal()
    const segments = this.segments
    this.segments = []
    this.size = 0
    this.nextBytes = initialBytes
    this.buffer = undefined
    this.start = 0
    this.end = 0
    return segments
  }

  private advance(length: number): void {
    this.end += length
    this.size += length
  }

  private seal(): void {
    if (this.buffer !== undefined && this.end > this.start) {
      this.segments.push(this.buffer.subarray(this.start, this.end))
      this.start = this.end
    }
  }

  private room(length: number): Uint8Array {
    const buffer = this.buffer
    if (buffer !== undefined && buffer.length - this.end >= length) {
      return buffer
    }
    this.seal()
    const next = new Uint8Array(Math.max(length, this.nextBytes))
    this.nextBytes = Math.min(maxBufferBytes, this.nextBytes * 4)
    this.buffer = next
    this.start = 0
    this.end = 0
    return next
  }
}

/**
 * Makes an empty writer.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): ByteWriter => new ByteWriter()
