/**
 * Networks sorted for a binary search.
 *
 * Two networks either lie in each other or have nothing in common. So when those that lie in another one are left out,
 * the only one that can hold an address is the last one that begins at it or before it.
 *
 * ```
 * IPv4   bases [10.0.0.0, 192.0.2.0]   masks [/8, /24]      1 word each
 * IPv6   bases [2001:db8::]            masks [/32]          4 words each
 * ```
 */
import type * as IpNetwork from "effect/net/IpNetwork"
import * as NetAddress from "effect/net/NetAddress"

/** The networks of one family: `bases` and `masks` have `words` words for each, in the order of the bases. */
interface Family {
  readonly words: 1 | 4
  readonly bases: Uint32Array
  readonly masks: Uint32Array
}

export interface Table {
  readonly unix: boolean
  readonly memory: boolean
  readonly v4: Family
  readonly v6: Family
}

type Words = ReadonlyArray<number>

interface Row {
  readonly base: Words
  readonly prefixBits: number
}

const v4Words = (address: NetAddress.Ipv4Address): Words => {
  const [a, b, c, d] = NetAddress.ipv4ToOctets(address)
  return [((a << 24) | (b << 16) | (c << 8) | d) >>> 0]
}

const v6Words = (address: NetAddress.Ipv6Address): Words => {
  const [a, b, c, d, e, f, g, h] = NetAddress.ipv6ToSegments(address)
  return [((a << 16) | b) >>> 0, ((c << 16) | d) >>> 0, ((e << 16) | f) >>> 0, ((g << 16) | h) >>> 0]
}

const maskWord = (bits: number): number => bits <= 0 ? 0 : bits >= 32 ? 0xffff_ffff : (-1 << (32 - bits)) >>> 0

const compareWords = (left: Words, right: Words): number => {
  for (let i = 0; i < left.length; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}

const family = (words: 1 | 4, rows: ReadonlyArray<Row>): Family => {
  const sorted = rows.toSorted((left, right) =>
    compareWords(left.base, right.base) || left.prefixBits - right.prefixBits
  )
  const kept: Array<Row> = []
  const isIn = (row: Row, outer: Row): boolean =>
    row.base.every((word, i) => ((word & maskWord(outer.prefixBits - 32 * i)) >>> 0) === outer.base[i])
  for (const row of sorted) {
    const last = kept.at(-1)
    if (last === undefined || !isIn(row, last)) kept.push(row)
  }
  return {
    words,
    bases: Uint32Array.from(kept.flatMap(({ base }) => base)),
    masks: Uint32Array.from(kept.flatMap(({ base, prefixBits }) => base.map((_, i) => maskWord(prefixBits - 32 * i))))
  }
}

/** The last 32 bits of a mapped address are the IPv4 address. */
const mappedBits = 96

export const make = (entries: ReadonlyArray<"unix" | "memory" | IpNetwork.IpNetwork>): Table => {
  const v4: Array<Row> = []
  const v6: Array<Row> = []
  for (const entry of entries) {
    if (typeof entry === "string") continue
    const { address, prefixLength } = entry
    if (NetAddress.isIpv4Address(address)) {
      v4.push({ base: v4Words(address), prefixBits: prefixLength })
    } else if (NetAddress.isIpv4Mapped(address)) {
      // A network has no bits behind its prefix, and the 96th of this one is set: the prefix is not shorter.
      v4.push({ base: v6Words(address).slice(3), prefixBits: prefixLength - mappedBits })
    } else {
      v6.push({ base: v6Words(address), prefixBits: prefixLength })
    }
  }
  return { unix: entries.includes("unix"), memory: entries.includes("memory"), v4: family(1, v4), v6: family(4, v6) }
}

/** Says whether a canonical address is in one of the networks. */
export const has = (table: Table, address: NetAddress.IpAddress): boolean =>
  NetAddress.isIpv4Address(address)
    ? find(table.v4, v4Words(address))
    : find(table.v6, v6Words(address))

const find = ({ bases, masks, words }: Family, address: Words): boolean => {
  // Invariant: what stands before `low` begins at the address or before it, what stands from `high` on, after it.
  let low = 0
  let high = bases.length / words
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareAt(bases, middle * words, address) <= 0) low = middle + 1
    else high = middle
  }
  if (low === 0) return false
  const at = (low - 1) * words
  return address.every((word, i) => ((word & (masks[at + i] ?? 0)) >>> 0) === bases[at + i])
}

const compareAt = (bases: Uint32Array, at: number, address: Words): number => {
  for (let i = 0; i < address.length; i++) {
    const difference = (bases[at + i] ?? 0) - (address[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
