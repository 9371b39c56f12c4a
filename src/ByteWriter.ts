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

const none = new Uint8Array(0)

/**
 * Pieces of this many bytes and more are kept by reference. Below, a copy into a buffer that is used over and over is
 * cheaper than a `writev` of many segments: by 8 % of a request's CPU with frames of 16 KiB.
 */
const referenceFromBytes = 32_768

/** A connection writes at least this much at once before it needs a second buffer. */
const initialBytes = 1024

/** A buffer never grows beyond this; what is full becomes a segment. What is sent from 64 KiB on fits, with one piece more. */
const maxBufferBytes = 131_072

/**
 * A place for one buffer that nobody writes to: the largest that came back, for whoever writes next. Several writers may
 * share it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Spare {
  buffer: Uint8Array<ArrayBuffer> | undefined
  /** Large pieces are copied, too, for their bytes are about to change. */
  isCopying?: boolean
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
  /** Bytes in segments. */
  private sealedBytes = 0
  private buffer: Uint8Array<ArrayBuffer> = none
  /** The length of `buffer`, which a number tells faster than a typed array. */
  private capacity = 0
  private start = 0
  private end = 0
  private nextBytes = initialBytes

  constructor(spare?: Spare) {
    this.spare = spare
  }

  /** How many bytes have been written since the last `take`. */
  get size(): number {
    return this.sealedBytes + this.end - this.start
  }

  /** Appends bytes. Pieces of 32 KiB and more are kept by reference and must not change afterwards. */
  bytes(bytes: Uint8Array): void {
    const length = bytes.length
    if (length >= referenceFromBytes && this.spare?.isCopying !== true) return this.refer(bytes)
    if (length === 0) return
    if (this.capacity - this.end < length) this.grow(length)
    this.buffer.set(bytes, this.end)
    this.end += length
  }

  /** Appends one byte. */
  u8(byte: number): void {
    if (this.capacity === this.end) this.grow(1)
    this.buffer[this.end++] = byte
  }

  /** Appends an unsigned integer of `widthBytes` bytes; it must fit, and be exact. */
  uint(value: number, widthBytes: number, endianness: "big" | "little"): void {
    if (this.capacity - this.end < widthBytes) this.grow(widthBytes)
    const { buffer, end } = this
    this.end = end + widthBytes
    if (widthBytes === 4 && endianness === "big") {
      buffer[end] = value >>> 24
      buffer[end + 1] = value >>> 16
      buffer[end + 2] = value >>> 8
      buffer[end + 3] = value
      return
    }
    const last = end + widthBytes - 1
    for (let i = 0, rest = value; i < widthBytes; i++) {
      buffer[endianness === "big" ? last - i : end + i] = rest // the array keeps the lowest byte
      rest = Math.floor(rest / 256)
    }
  }

  /** Appends text as UTF-8. */
  text(text: string): void {
    const atMost = text.length * 3
    if (atMost >= referenceFromBytes) return this.bytes(encoder.encode(text))
    if (this.capacity - this.end < atMost) this.grow(atMost)
    this.end += encoder.encodeInto(text, this.buffer.subarray(this.end)).written
  }

  /** Appends `length` zero bytes and returns them to be filled at once. */
  reserve(length: number): Uint8Array {
    if (this.capacity - this.end < length) this.grow(length)
    const from = this.end
    this.end += length
    // What an encoder forgets to fill must not show what another connection wrote.
    return this.buffer.subarray(from, this.end).fill(0)
  }

  /** Hands over everything written, in order, and starts anew. */
  take(): Array<Uint8Array> {
    this.seal()
    const segments = this.segments ?? []
    this.segments = undefined
    this.sealedBytes = 0
    if (this.spare === undefined) this.forget()
    return segments
  }

  /**
   * Says that the wire needs nothing of what was taken any more: the buffer goes to the `Spare`, for any writer. Does
   * nothing where bytes wait for `take`.
   */
  reuse(): void {
    const { buffer, spare } = this
    if (spare === undefined || this.capacity === 0 || this.size > 0) return
    const kept = spare.buffer?.length ?? 0
    if (this.capacity > kept && this.capacity <= maxBufferBytes) spare.buffer = buffer
    this.forget()
  }

  private forget(): void {
    this.nextBytes = initialBytes
    this.use(none)
  }

  private use(buffer: Uint8Array<ArrayBuffer>): void {
    this.buffer = buffer
    this.capacity = buffer.length
    this.start = 0
    this.end = 0
  }

  private seal(): void {
    if (this.end > this.start) this.push(this.buffer.subarray(this.start, this.end))
    this.start = this.end
  }

  private push(segment: Uint8Array): void {
    ;(this.segments ??= []).push(segment)
    this.sealedBytes += segment.length
  }

  private refer(bytes: Uint8Array): void {
    this.seal()
    this.push(bytes)
  }

  private grow(length: number): void {
    this.seal()
    // A buffer that was too small for one batch is too small for the next: what comes back to be reused is a larger one.
    this.nextBytes = Math.max(this.nextBytes, Math.min(maxBufferBytes, this.capacity * 4))
    this.use(this.takeSpare(length) ?? this.allocate(length))
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
