/**
 * The codecs of the servers that are not hawser's, written as one would for `node:net`: incremental, a view where a frame
 * lies in one chunk, one copy where it does not.
 */
import { crc32 } from "node:zlib"
import type { Answer } from "./control.ts"

const headBytes = 4

/** Cuts chunks into messages. It holds at most one unfinished frame, as the chunks it came in. */
export interface Splitter {
  /** Takes a chunk and appends the messages that it completes. */
  readonly split: (chunk: Buffer, messages: Array<Buffer>) => void
}

/** The codec of a service, and what it answers. */
export interface Frames {
  readonly splitter: () => Splitter
  /** The replies to the messages of one read, ready to be written at once. */
  readonly answer: (messages: ReadonlyArray<Buffer>) => ReadonlyArray<Buffer>
}

/** Above this mean size a copy into one buffer costs more than a `writev`. */
const copyBelowBytes = 4096

const lengthPrefixed: Frames = {
  splitter: () => {
    let held: Array<Buffer> = []
    let heldBytes = 0
    let wantedBytes = headBytes
    return {
      split(chunk, messages) {
        let rest = chunk
        if (heldBytes > 0) {
          held.push(chunk)
          heldBytes += chunk.length
          if (heldBytes < wantedBytes) return
          rest = Buffer.concat(held, heldBytes)
        }
        let at = 0
        while (rest.length - at >= headBytes) {
          const end = at + headBytes + rest.readUInt32BE(at)
          if (end > rest.length) break
          messages.push(rest.subarray(at + headBytes, end))
          at = end
        }
        heldBytes = rest.length - at
        held = heldBytes > 0 ? [rest.subarray(at)] : []
        wantedBytes = heldBytes >= headBytes ? headBytes + rest.readUInt32BE(at) : headBytes
      }
    }
  },
  answer: (messages) => {
    let bytes = 0
    for (const message of messages) bytes += headBytes + message.length
    if (bytes >= copyBelowBytes * messages.length) {
      return messages.flatMap((message) => {
        const head = Buffer.allocUnsafe(headBytes)
        head.writeUInt32BE(message.length)
        return [head, message]
      })
    }
    const out = Buffer.allocUnsafe(bytes)
    let at = 0
    for (const message of messages) {
      at = out.writeUInt32BE(message.length, at)
      out.set(message, at)
      at += message.length
    }
    return [out]
  }
}

const crcBytes = 4

/** Checks each message, and makes the checksum of its reply anew: an echo with a check is that, and no copy. */
const checked: Frames = {
  splitter: lengthPrefixed.splitter,
  answer: (messages) =>
    lengthPrefixed.answer(messages.map((message) => {
      const content = message.subarray(0, message.length - crcBytes)
      if (crc32(content) !== message.readUInt32BE(content.length)) throw new Error("a message is corrupt")
      const reply = Buffer.allocUnsafe(message.length)
      reply.set(content)
      reply.writeUInt32BE(crc32(content), content.length)
      return reply
    }))
}

const lines: Frames = {
  splitter: () => {
    let held: Array<Buffer> = []
    return {
      split(chunk, messages) {
        let at = 0
        for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, at)) {
          const line = chunk.subarray(at, end)
          messages.push(held.length === 0 ? line : Buffer.concat([...held, line]))
          held = []
          at = end + 1
        }
        if (at < chunk.length) held.push(chunk.subarray(at))
      }
    }
  },
  answer: (messages) => {
    let text = ""
    for (const message of messages) text += `${reverse(message.toString())}\n`
    return [Buffer.from(text)]
  }
}

/** Turns a text around, for all servers alike, so that what is compared is not this. ASCII is turned as bytes. */
export const reverse = (text: string): string =>
  /^[\0-\x7f]*$/.test(text)
    ? Buffer.from(text, "latin1").reverse().toString("latin1")
    : Array.from(text).reverse().join("")

/** The codec of each service. */
export const frames: Readonly<Record<Answer, Frames>> = { echo: lengthPrefixed, reverse: lines, checked }
