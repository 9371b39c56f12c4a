/**
 * Reads one PROXY header of either version from chunks.
 *
 * ```
 * first bytes  "PROXY "         a line: held until CR LF, at most 107 bytes
 *              0d 0a 0d 0a ...  binary: held until its length is known and there
 *              anything else    refused at once
 * ```
 *
 * Invariants: `held` has at most `maxBytes`, and is empty once there is an answer.
 */
import * as Result from "effect/Result"
import type * as ProxyHeader from "../ProxyHeader.ts"
import { broken, printable, ProxyHeaderError } from "./proxyHeaderError.ts"
import * as v1 from "./proxyV1.ts"
import * as v2 from "./proxyV2.ts"

type Answer = Result.Result<ProxyHeader.Parsed, ProxyHeaderError>

/** What a version makes of the bytes so far; undefined: more is needed. */
export type Read =
  | Result.Result<{ readonly header: ProxyHeader.Header; readonly bytes: number }, ProxyHeaderError>
  | undefined

/** Says whether bytes begin with a prefix, as far as they go. */
const mayBegin = (bytes: Uint8Array, prefix: Uint8Array): boolean => {
  const length = Math.min(bytes.length, prefix.length)
  for (let i = 0; i < length; i++) if (bytes[i] !== prefix[i]) return false
  return true
}

const empty = new Uint8Array(0)

/** Most headers fit; the buffer is only made for those that come in pieces. */
const firstBufferBytes = 256

export class HeaderParser implements ProxyHeader.Parser {
  private readonly maxBytes: number
  private buffer = empty
  private heldBytes = 0
  private answer: Answer | undefined

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  push(chunk: Uint8Array): Answer | undefined {
    if (this.answer !== undefined) return Result.map(this.answer, (parsed) => ({ ...parsed, rest: chunk }))
    const before = this.heldBytes
    const bytes = before === 0 ? chunk : this.hold(chunk)
    const answer = this.read(bytes)
    if (answer === undefined) {
      if (before === 0) this.hold(chunk)
      return undefined
    }
    this.answer = answer
    this.buffer = empty
    return Result.map(answer, (parsed) => ({ ...parsed, rest: chunk.subarray(parsed.bytes - before) }))
  }

  end(): ProxyHeaderError {
    const value = this.heldBytes === 0 ? "nothing" : printable(this.buffer.subarray(0, this.heldBytes))
    const rule = "the header must be complete before the peer's end"
    return new ProxyHeaderError({ reason: "Truncated", rule, value, section: "2" })
  }

  /** Adds a chunk to what is held, as far as the limit goes: within it there is an answer. */
  private hold(chunk: Uint8Array): Uint8Array {
    const taken = chunk.subarray(0, this.maxBytes - this.heldBytes)
    const needed = this.heldBytes + taken.length
    if (needed > this.buffer.length) {
      const larger = new Uint8Array(Math.min(this.maxBytes, Math.max(needed, 2 * this.buffer.length, firstBufferBytes)))
      larger.set(this.buffer.subarray(0, this.heldBytes))
      this.buffer = larger
    }
    this.buffer.set(taken, this.heldBytes)
    this.heldBytes = needed
    return this.buffer.subarray(0, needed)
  }

  private read(bytes: Uint8Array): Answer | undefined {
    if (mayBegin(bytes, v1.prefix)) return withVersion(v1.read(bytes), 1)
    if (mayBegin(bytes, v2.signature)) return withVersion(v2.read(bytes, this.maxBytes), 2)
    return broken(
      "NotProxy",
      "2.2",
      "a connection must begin with \"PROXY \" or the signature of version 2",
      printable(bytes)
    )
  }
}

const withVersion = (read: Read, version: ProxyHeader.Version): Answer | undefined =>
  read === undefined ? undefined : Result.map(read, (found) => ({ ...found, version, rest: empty }))
