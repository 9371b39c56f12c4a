/**
 * The bytes of one unfinished frame, copied out of the chunks they came in.
 *
 * Copying keeps memory honest: a tail of 3 bytes never keeps a chunk of 64 KiB alive, and a decoder holds no chunk
 * after `decode` returns. The buffer is handed over as the frame when it is complete, so there is no second copy.
 *
 * @since 0.1.0
 */

const noBytes = new Uint8Array(0)

/** A call to `set` with a view costs more than copying this many bytes by hand. */
const smallBytes = 16

/** A growing buffer that is handed over with each frame. @since 0.1.0 */
export class FrameBuffer {
  private readonly firstBytes: number
  private bytes: Uint8Array = noBytes

  /** How many bytes are held. */
  length = 0

  /** `firstBytes` is the capacity to begin with; it doubles from there, but never beyond what `append` is told. */
  constructor(firstBytes: number) {
    this.firstBytes = firstBytes
  }

  /** Appends `chunk[from, to)` to a frame that will not be longer than `atMostBytes`. */
  append(chunk: Uint8Array, from: number, to: number, atMostBytes: number): void {
    const length = this.length + to - from
    if (length > this.bytes.length) {
      const bytes = new Uint8Array(Math.max(length, Math.min(atMostBytes, Math.max(this.firstBytes, length * 2))))
      bytes.set(this.bytes.subarray(0, this.length))
      this.bytes = bytes
    }
    if (to - from <= smallBytes) {
      for (let i = from, at = this.length; i < to; i++, at++) {
        this.bytes[at] = chunk[i] ?? 0
      }
    } else {
      this.bytes.set(chunk.subarray(from, to), this.length)
    }
    this.length = length
  }

  /** The buffer itself, for reading its first `length` bytes before the next call. */
  peek(): Uint8Array {
    return this.bytes
  }

  /** Forgets all but the first `length` bytes. */
  truncate(length: number): void {
    this.length = length
  }

  /** Hands over the bytes held and starts anew. */
  take(): Uint8Array {
    const bytes = this.length === this.bytes.length ? this.bytes : this.bytes.subarray(0, this.length)
    this.clear()
    return bytes
  }

  /** Forgets everything. */
  clear(): void {
    this.bytes = noBytes
    this.length = 0
  }
}
