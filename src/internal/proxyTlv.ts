/**
 * The TLVs of a PROXY header of version 2, and its checksum (sections 2.2.1 to 2.2.8).
 */
import * as Bytes from "effect/Bytes"
import * as Result from "effect/Result"
import type * as ProxyTlv from "../ProxyTlv.ts"
import { defineNarrow } from "./crcEngine.ts"
import { broken, hexByte, printable, type ProxyHeaderError } from "./proxyHeaderError.ts"

const alpn = 0x01
const authority = 0x02
const crc32c = 0x03
const noop = 0x04
const uniqueId = 0x05
const ssl = 0x20
const netns = 0x30

/** The parts of an `Ssl` that are texts, in the order in which they are written. */
const sslTexts = [
  ["version", 0x21],
  ["commonName", 0x22],
  ["cipher", 0x23],
  ["signatureAlgorithm", 0x24],
  ["keyAlgorithm", 0x25]
] as const

const maxUniqueIdBytes = 128
const sslHeadBytes = 5
const checksumBytes = 4
const maxValueBytes = 65_535

const section = "2.2"

const malformed = (clause: string, rule: string, value: string) => broken("Malformed", clause, rule, value)
const unsendable = (rule: string, value: string) => broken("Unsendable", section, rule, value)

// A byte order mark is a part of the text, as any other character is.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/** The text in UTF-8, or undefined. */
export const decodeText = (bytes: Uint8Array): string | undefined =>
  Result.getOrUndefined(Result.try(() => decoder.decode(bytes)))

/** A text in UTF-8. */
export const encodeText = (text: string): Uint8Array => encoder.encode(text)

interface Raw {
  readonly type: number
  readonly value: Uint8Array
  /** Where the value stands in the header. */
  readonly at: number
}

/** Cuts the bytes from `from` to `to` into TLVs. */
const split = (header: Uint8Array, from: number, to: number): Result.Result<ReadonlyArray<Raw>, ProxyHeaderError> => {
  const found: Array<Raw> = []
  let at = from
  while (at < to) {
    const left = to - at
    const [type = 0, high = 0, low = 0] = header.subarray(at, to)
    if (left < 3) return malformed(section, "a TLV must begin with 3 bytes of type and length", `${left}`)
    const length = (high << 8) | low
    if (length > left - 3) {
      const value = `a length of ${length} where ${left - 3} is left`
      return malformed(section, `the value of TLV ${hexByte(type)} must lie inside of what it is a part of`, value)
    }
    found.push({ type, value: header.subarray(at + 3, at + 3 + length), at: at + 3 })
    at += 3 + length
  }
  return Result.succeed(found)
}

/** A copy: a view would keep the whole chunk alive. */
const unknown = ({ type, value }: Raw): ProxyTlv.Unknown => ({ _tag: "Unknown", type, value: new Uint8Array(value) })

/**
 * Reads the TLVs from `from` on and checks the checksum of the header, if there is one.
 *
 * Plain loops on the way of every connection: `Result.gen` alone would take as long as all the rest.
 */
export const decode = (
  header: Uint8Array,
  from: number
): Result.Result<ReadonlyArray<ProxyTlv.Tlv>, ProxyHeaderError> => {
  const raws = split(header, from, header.length)
  if (Result.isFailure(raws)) return Result.fail(raws.failure)
  const [sum, ...others] = raws.success.filter(({ type }) => type === crc32c)
  if (others.length > 0) {
    return malformed("2.2.3", "a header must have at most one CRC32C", `${others.length + 1}`)
  }
  const verified = sum === undefined ? Result.void : verify(header, sum)
  if (Result.isFailure(verified)) return Result.fail(verified.failure)
  const tlvs: Array<ProxyTlv.Tlv> = []
  for (const raw of raws.success) {
    const tlv = decodeOne(header, raw)
    if (Result.isFailure(tlv)) return Result.fail(tlv.failure)
    tlvs.push(tlv.success)
  }
  return Result.succeed(tlvs)
}

const decodeOne = (header: Uint8Array, raw: Raw): Result.Result<ProxyTlv.Tlv, ProxyHeaderError> => {
  const { type, value } = raw
  switch (type) {
    case crc32c:
      return Result.succeed({ _tag: "Crc32c" })
    case noop:
      return Result.succeed({ _tag: "Noop", bytes: value.length })
    case uniqueId:
      return value.length <= maxUniqueIdBytes
        ? Result.succeed({ _tag: "UniqueId", id: new Uint8Array(value) })
        : malformed("2.2.5", `a unique ID must be at most ${maxUniqueIdBytes} bytes`, `${value.length}`)
    case ssl:
      return decodeSsl(header, raw)
    case alpn:
    case authority:
    case netns: {
      const text = decodeText(value)
      if (text === undefined) return Result.succeed(unknown(raw))
      return Result.succeed(
        type === alpn
          ? { _tag: "Alpn", protocol: text }
          : type === authority
          ? { _tag: "Authority", host: text }
          : { _tag: "Netns", name: text }
      )
    }
    default:
      return Result.succeed(unknown(raw))
  }
}

const decodeSsl = (header: Uint8Array, { at, value }: Raw): Result.Result<ProxyTlv.Ssl, ProxyHeaderError> => {
  if (value.length < sslHeadBytes) {
    return malformed("2.2.6", `an SSL TLV must be at least ${sslHeadBytes} bytes`, printable(value))
  }
  return Result.map(split(header, at + sslHeadBytes, at + value.length), (raws) => {
    const texts: { -readonly [K in typeof sslTexts[number][0]]?: string } = {}
    const others: Array<ProxyTlv.Unknown> = []
    for (const raw of raws) {
      const name = sslTexts.find(([, type]) => type === raw.type)?.[0]
      const text = name === undefined || texts[name] !== undefined ? undefined : decodeText(raw.value)
      if (name === undefined || text === undefined) others.push(unknown(raw))
      else texts[name] = text
    }
    const [client = 0] = value
    return { _tag: "Ssl", client, verify: viewOf(value).getUint32(1), ...texts, others }
  })
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

/** `CrcCatalogue.crc32Iscsi`, without the 112 others: every server loads this file. */
const crc32Iscsi = /* @__PURE__ */ defineNarrow({
  name: "CRC-32/ISCSI",
  widthBits: 32,
  poly: 0x1edc6f41,
  init: 0xffffffff,
  refin: true,
  refout: true,
  xorout: 0xffffffff,
  check: 0xe3069283,
  residue: 0xb798b438
})

/** The CRC-32C of a header in which the four bytes at `at` count as zeros. */
const compute = (header: Uint8Array, at: number): number => {
  const running = crc32Iscsi.start()
  running.update(header.subarray(0, at))
  running.update(new Uint8Array(checksumBytes))
  running.update(header.subarray(at + checksumBytes))
  return running.finish()
}

const verify = (header: Uint8Array, { at, value }: Raw): Result.Result<void, ProxyHeaderError> => {
  if (value.length !== checksumBytes) {
    return malformed("2.2.3", `a CRC32C must be ${checksumBytes} bytes`, `${value.length}`)
  }
  const [stated, computed] = [viewOf(value).getUint32(0), compute(header, at)]
  const rule = `the CRC32C must be 0x${computed.toString(16).padStart(8, "0")}`
  return stated === computed
    ? Result.void
    : broken("BadChecksum", "2.2.3", rule, `0x${stated.toString(16).padStart(8, "0")}`)
}

/** Computes the checksum of a header that has a place for it among the TLVs from `from` on. */
export const setChecksum = (header: Uint8Array, from: number): void => {
  const raws = Result.getOrThrow(split(header, from, header.length))
  for (const { at, type } of raws) if (type === crc32c) viewOf(header).setUint32(at, compute(header, at))
}

/** Writes TLVs; a checksum is left 0. */
export const encode = (tlvs: ReadonlyArray<ProxyTlv.Tlv>): Result.Result<Uint8Array, ProxyHeaderError> =>
  Result.gen(function*() {
    const sums = tlvs.filter(({ _tag }) => _tag === "Crc32c").length
    if (sums > 1) return yield* unsendable("a header must have at most one CRC32C", `${sums}`)
    const parts: Array<Uint8Array> = []
    for (const each of tlvs) parts.push(yield* encodeOne(each))
    return Bytes.concat(parts)
  })

const pack = (type: number, value: Uint8Array): Result.Result<Uint8Array, ProxyHeaderError> =>
  value.length <= maxValueBytes
    ? Result.succeed(Bytes.concat([Uint8Array.of(type, value.length >> 8, value.length & 255), value]))
    : unsendable(`the value of a TLV must be at most ${maxValueBytes} bytes`, `${value.length} in TLV ${hexByte(type)}`)

const checked = (what: string, value: number, max: number): Result.Result<number, ProxyHeaderError> =>
  Number.isInteger(value) && value >= 0 && value <= max
    ? Result.succeed(value)
    : unsendable(`${what} must be an integer from 0 to ${max}`, `${value}`)

const encodeOne = (tlv: ProxyTlv.Tlv): Result.Result<Uint8Array, ProxyHeaderError> => {
  switch (tlv._tag) {
    case "Alpn":
      return pack(alpn, encodeText(tlv.protocol))
    case "Authority":
      return pack(authority, encodeText(tlv.host))
    case "Crc32c":
      return pack(crc32c, new Uint8Array(checksumBytes))
    case "Noop":
      return Result.flatMap(
        checked("the padding of a NOOP", tlv.bytes, maxValueBytes),
        (bytes) => pack(noop, new Uint8Array(bytes))
      )
    case "UniqueId":
      return tlv.id.length <= maxUniqueIdBytes
        ? pack(uniqueId, tlv.id)
        : unsendable(`a unique ID must be at most ${maxUniqueIdBytes} bytes`, `${tlv.id.length}`)
    case "Ssl":
      return encodeSsl(tlv)
    case "Netns":
      return pack(netns, encodeText(tlv.name))
    case "Unknown":
      return tlv.type === crc32c || tlv.type === ssl
        ? unsendable(`TLV ${hexByte(tlv.type)} must be written as ${tlv.type === ssl ? "Ssl" : "Crc32c"}`, "Unknown")
        : encodeUnknown(tlv)
  }
}

const encodeUnknown = (tlv: ProxyTlv.Unknown): Result.Result<Uint8Array, ProxyHeaderError> =>
  Result.flatMap(checked("the type of a TLV", tlv.type, 255), (type) => pack(type, tlv.value))

const encodeSsl = (tlv: ProxyTlv.Ssl): Result.Result<Uint8Array, ProxyHeaderError> =>
  Result.gen(function*() {
    const head = new Uint8Array(sslHeadBytes)
    viewOf(head).setUint8(0, yield* checked("the flags of an SSL TLV", tlv.client, 255))
    viewOf(head).setUint32(1, yield* checked("the verify field of an SSL TLV", tlv.verify, 0xffff_ffff))
    const parts: Array<Uint8Array> = [head]
    for (const [name, type] of sslTexts) {
      const text = tlv[name]
      if (text !== undefined) parts.push(yield* pack(type, encodeText(text)))
    }
    for (const other of tlv.others) parts.push(yield* encodeUnknown(other))
    return yield* pack(ssl, Bytes.concat(parts))
  })
