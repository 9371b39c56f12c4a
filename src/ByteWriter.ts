/**
 * Where encoders put bytes: one growing buffer per connection, emptied with each write to the wire.
 *
 * Small pieces are copied into the buffer, so that the replies of a batch leave in one write; a large piece is kept by
 * reference, so that it is never copied. The writer owns the buffer until `take`; after that the wire does, until `reuse`
 * says that it has let go. Writers made with one `Spare` pass such a buffer on to each other.
 *
 * ```
 * text("ab")  bytes(3 B)   bytes(64 KiB)      text("c")
 * [  buffer: a b x y z  ]  [ by reference  ]  [ buffer: c ]     take() gives these three, in order
 * ```
 *
 * **Gotchas**: what is handed to `bytes` must not be changed afterwards; a slice from `reserve` must be filled before
 * the next call, and not be kept: its place will be another connection's.
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
 * A place for one buffer that nobody writes to: the largest that came back, for whoever writes next. Several writers may
 * share it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spare {
  buffer: Uint8Array<ArrayBuffer> | undefined
}

/**
 * A growing sequence of bytes.
 *
 * @category models
 * @since 0.1.0
 */
export class ByteWriter {
  private readonly spare: Spare | undefined
  private segments: Array<Uint8Array> | undefined
  private buffer: Uint8Array<ArrayBuffer> | undefined
  private start = 0
  private end = 0
  private nextBytes = initialBytes

  /** How many bytes have been written since the last `take`. */
  size = 0

  constructor(spare?: Spare) {
    this.spare = spare
  }

  /** Appends bytes. Pieces of 4 KiB and more are kept by reference and must not change afterwards. */
  bytes(bytes: Uint8Array): void {
    const length = bytes.length
    if (length >= referenceFromBytes) {
      this.seal()
      ;(this.segments ??= []).push(bytes)
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

  /** Appends an unsigned integer of `widthBytes` bytes; it must fit, and be exact. */
  uint(value: number, widthBytes: number, endianness: "big" | "little"): void {
    const buffer = this.room(widthBytes)
    const first = this.end
    const last = first + widthBytes - 1
    for (let i = 0, rest = value; i < widthBytes; i++) {
      buffer[endianness === "big" ? last - i : first + i] = rest // the array keeps the lowest byte
      rest = Math.floor(rest / 256)
    }
    this.advance(widthBytes)
  }

  /** Appends text as UTF-8. */
  text(text: string): void {
    if (text.length * 3 >= referenceFromBytes) {
      return this.bytes(encoder.encode(text))
    }
    const buffer = this.room(text.length * 3)
    this.advance(encoder.encodeInto(text, buffer.subarray(this.end)).written)
  }

  /** Appends `length` zero bytes and returns them to be filled at once. */
  reserve(length: number): Uint8Array {
    const buffer = this.room(length)
    const from = this.end
    this.advance(length)
    // What an encoder forgets to fill must not show what another connection wrote.
    return buffer.subarray(from, from + length).fill(0)
  }

  /** Hands over everything written, in order, and starts anew. */
  take(): Array<Uint8Array> {
    this.seal()
    const segments = this.segments ?? []
    this.segments = undefined
    this.size = 0
    if (this.spare === undefined) this.forget()
    return segments
  }

  /**
   * Says that the wire needs nothing of what was taken any more: the buffer goes to the `Spare`, for any writer. Does
   * nothing where bytes wait for `take`.
   */
  reuse(): void {
    const { buffer, spare } = this
    if (spare === undefined || buffer === undefined || this.size > 0) return
    const kept = spare.buffer?.length ?? 0
    if (buffer.length > kept && buffer.length <= maxBufferBytes) spare.buffer = buffer
    this.forget()
  }

  private forget(): void {
    this.nextBytes = initialBytes
    this.buffer = undefined
    this.start = 0
    this.end = 0
  }

  private advance(length: number): void {
    this.end += length
    this.size += length
  }

  private seal(): void {
    if (this.buffer !== undefined && this.end > this.start) {
      ;(this.segments ??= []).push(this.buffer.subarray(this.start, this.end))
      this.start = this.end
    }
  }

  private room(length: number): Uint8Array {
    const buffer = this.buffer
    if (buffer !== undefined && buffer.length - this.end >= length) {
      return buffer
    }
    this.seal()
    // A buffer that was too small for one batch is too small for the next: what comes back to be reused is a larger one.
    if (buffer !== undefined) this.nextBytes = Math.max(this.nextBytes, Math.min(maxBufferBytes, buffer.length * 4))
    const next = this.takeSpare(length) ?? this.allocate(length)
    this.buffer = next
    this.start = 0
    this.end = 0
    return next
  }

  private takeSpare(length: number): Uint8Array<ArrayBuffer> | undefined {
    const buffer = this.spare?.buffer
    if (this.spare === undefined || buffer === undefined || buffer.length < length) return undefined
    this.spare.buffer = undefined
    return buffer
  }

  private allocate(length: number): Uint8Array<ArrayBuffer> {
    const bytes = Math.max(length, this.nextBytes)
    this.nextBytes = Math.min(maxBufferBytes, this.nextBytes * 4)
    return new Uint8Array(bytes)
  }
}

/**
 * Makes an empty writer; one without a `Spare` has its buffers for itself.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (spare?: Spare): ByteWriter => new ByteWriter(spare)
