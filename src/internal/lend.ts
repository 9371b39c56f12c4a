/**
 * Gives a chunk to its handler as a socket does that lends what it read.
 *
 * What was lent is overwritten when it comes back, as the next read of a real socket would do some time later: so in memory
 * and in a simulation, a handler that keeps a lent message is found by the first look at it.
 */
import type * as Transport from "../Transport.ts"

/** The chunk is the caller's no more. */
export const lend = (handler: Transport.RawHandler, chunk: Uint8Array): void => {
  if (handler.isBorrowing !== true || handler.borrow === undefined) handler.onData(chunk)
  else if (handler.borrow(chunk)) chunk.fill(0xdd)
}
