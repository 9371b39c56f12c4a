/**
 * Headers that a real proxy wrote, with what is known of them without reading them.
 *
 * `test/data/proxy` has some of HAProxy; `test/peers` lets it write them anew.
 */
import { assert } from "@effect/vitest"
import { Result } from "effect"
import { Endpoint, ProxyHeader, type ProxyTlv } from "../../src/index.ts"

/** The two ends of a connection, as `Endpoint` writes them. */
export interface Ends {
  readonly source: string
  readonly destination: string
}

/** As `ProxyTlv.Tlv`, with text for bytes. */
export type Tlv = { readonly _tag: ProxyTlv.Tlv["_tag"] } & Readonly<Record<string, unknown>>

/** A header with its configuration. */
export interface Capture {
  readonly name: string
  /** What HAProxy was told of the way in, and of the way to its server. */
  readonly configuration: ReadonlyArray<string>
  readonly version: ProxyHeader.Version
  /** It is the proxy's own connection. */
  readonly isLocal: boolean
  /** What it must name; absent: nobody. */
  readonly ends?: Ends
  readonly tlvs: ReadonlyArray<Tlv>
  /** What comes behind the header. */
  readonly rest: string
  /** Why `ProxyHeader` writes the same in other bytes; absent: it writes the same bytes. */
  readonly otherwise?: string
  /** All bytes. */
  readonly hex: string
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes)

const readable = (header: ProxyHeader.Header): ReadonlyArray<unknown> =>
  header._tag === "Local" ? [] : header.tlvs.map((tlv) => tlv._tag === "UniqueId" ? { ...tlv, id: text(tlv.id) } : tlv)

/** Checks that a capture is read as it was meant, in one piece and byte by byte, and written as the proxy wrote it. */
export const check = ({ ends, hex, isLocal, otherwise, rest, tlvs, version }: Capture): void => {
  const bytes = Uint8Array.from(Buffer.from(hex, "hex"))
  const parsed = Result.getOrThrow(ProxyHeader.fromBytes(bytes))
  const found = ProxyHeader.toEndpoints(parsed.header)
  assert.deepStrictEqual(
    {
      version: parsed.version,
      isLocal: parsed.header._tag === "Local",
      ends: found && { source: Endpoint.format(found.source), destination: Endpoint.format(found.destination) },
      tlvs: readable(parsed.header),
      rest: text(parsed.rest)
    },
    { version, isLocal, ends, tlvs: [...tlvs], rest }
  )
  const parser = ProxyHeader.parser()
  const answers = Array.from(bytes, (byte) => parser.push(Uint8Array.of(byte)))
  const complete = answers.findIndex((answer) => answer !== undefined)
  assert.strictEqual(complete, parsed.bytes - 1)
  assert.deepStrictEqual(Result.getOrThrow(answers[complete]!).header, parsed.header)
  // LOCAL keeps nothing of what came with it.
  if (isLocal) return
  const again = ProxyHeader.encodeUnsafe(parsed.header, version)
  assert.deepStrictEqual(Result.getOrThrow(ProxyHeader.fromBytes(again)).header, parsed.header)
  if (otherwise === undefined) assert.deepStrictEqual(again, bytes.slice(0, parsed.bytes))
}
