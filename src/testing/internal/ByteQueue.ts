/**
 * Bytes that wait, in the order in which they came; taken in pieces of any size.
 *
 * ```
 * push [1 2 3] push [4 5]   take(4) = [1 2 3 4]   takeChunk(4) = [5]
 * ```
 *
 * Nothing is moved when bytes are taken: a place in the first chunk is remembered. Only a piece that lies in several
 * chunks is copied.
 *
 * @since 0.1.0
 */

/** Chunks taken leave holes at the front; they are closed when there are as many of them, and never for a few. */
const holesBeforeMove = 64

const none = new Uint8Array(0)

/** A queue of bytes. @category models @since 0.1.0 */
export class ByteQueue {
  /** How many bytes wait. */
  bytes = 0
  private chunks: Array<Uint8Array> = []
  /** The first chunk that is not used up, and how much of it is. */
  private head = 0
  private used = 0

  /** Adds a chunk; it is the queue's from then on. */
  push(chunk: Uint8Array): void {
    if (chunk.length === 0) return
    this.chunks.push(chunk)
    this.bytes += chunk.length
  }

  /** Takes so many bytes as one piece, or all there are. */
  take(most: number): Uint8Array {
    const size = Math.min(most, this.bytes)
    const first = this.takeChunk(size)
    if (first.length === size) return first
    const piece = new Uint8Array(size)
    piece.set(first)
    let filled = first.length
    while (filled < size) {
      const next = this.takeChunk(size - filled)
      piece.set(next, filled)
      filled += next.length
    }
    return piece
  }

  /** Takes at most so many bytes of the first chunk. */
  takeChunk(most: number): Uint8Array {
    const chunk = this.chunks[this.head]
    if (chunk === undefined || most <= 0) return none
    const end = Math.min(chunk.length, this.used + most)
    const piece = this.used === 0 && end === chunk.length ? chunk : chunk.subarray(this.used, end)
    this.bytes -= piece.length
    if (end < chunk.length) {
      this.used = end
      return piece
    }
    this.used = 0
    this.chunks[this.head] = none // let go of the bytes
    this.head++
    if (this.head === this.chunks.length) {
      this.chunks.length = 0
      this.head = 0
    } else if (this.head >= holesBeforeMove && this.head * 2 >= this.chunks.length) {
      this.chunks.splice(0, this.head)
      this.head = 0
    }
    return piece
  }

  clear(): void {
    this.chunks = []
    this.head = 0
    this.used = 0
    this.bytes = 0
  }
}
