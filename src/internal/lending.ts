/**
 * What the connections of a server are lent, and how many of them may keep it.
 *
 * Who keeps what it was lent keeps the whole buffer that its listener read into, until its last answer; and the sockets
 * there are told another, which takes 0.1 to 0.8 ms with 200 to 8000 of them. How many are out is bounded for the memory,
 * and how often, by the batches that the server answers meanwhile, for the time.
 *
 * ```
 * free --keep--> out --giveBack--> back --answered, again and again--> free         16 in all
 * ```
 *
 * While none is free, everything is copied for all. Where every handler waits, that is nearly always; where one does
 * now and then, hardly ever.
 */

/** How many buffers may be kept: 2 MiB. Arbitrary. */
const maxKept = 16

/** With 8000 sockets, a new buffer after so many batches is 0.2 us for each of them. */
const batchesPerBuffer = 4096

export class Lending {
  private free = maxKept
  private back = 0
  private batches = 0

  get isOpen(): boolean {
    return this.free > 0
  }

  keep(): void {
    this.free--
  }

  giveBack(): void {
    this.back++
  }

  /** A batch was answered, or begun to be. */
  answered(): void {
    if (this.back === 0 || ++this.batches < batchesPerBuffer) return
    this.batches = 0
    this.back--
    this.free++
  }
}
