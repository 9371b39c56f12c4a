/**
 * Small arrays of bytes out of one large one, each of which nobody else has.
 *
 * An array of more than 64 bytes has memory outside V8's heap, and so has a smaller one once it is given to a native
 * function: that takes longer than what is done with it.
 */

/** What is longer gets memory of its own, so that who keeps a few bytes does not keep much more. */
export const pooledBytes = 4096

let pool = new Uint8Array(16_384)
let used = 0

/** So many bytes. */
export const take = (length: number): Uint8Array<ArrayBuffer> => {
  if (length > pooledBytes) return new Uint8Array(length)
  if (used + length > pool.length) {
    pool = new Uint8Array(pool.length)
    used = 0
  }
  used += length
  return new Uint8Array(pool.buffer, used - length, length)
}

/** Takes back the last bytes of what was just taken, which was no longer than `pooledBytes`. */
export const giveBack = (length: number): void => {
  used -= length
}
