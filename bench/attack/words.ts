/** What attackers and server agree on: frames with their length in front, and messages that ask for something special. */

/** Small enough that messages at the limit cost nothing, large enough to fill a socket. */
export const maxFrameBytes = 16_384

/** The first byte of a message that is not just answered by the same. */
export const words = {
  /** The answer has `maxFrameBytes`. */
  much: 0x4d,
  /** The handler never ends. */
  hang: 0x48,
  /** The handler ends in its own time, and cannot be interrupted. */
  deaf: 0x55,
  fail: 0x46,
  die: 0x44
} as const

/** What the server says unasked. */
export const farewells = { full: "full", drained: "drained" } as const

/** Fewer than the server reserves, and enough for it to accept somebody and refuse. */
export const someDescriptors = 10

/** A frame with a message. */
export const frame = (message: Uint8Array | string): Buffer => {
  const bytes = Buffer.from(message)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(bytes.length)
  return Buffer.concat([head, bytes])
}

/** A frame with one of the words. */
export const ask = (word: keyof typeof words): Buffer => frame(Uint8Array.of(words[word]))
