/**
 * `npm run bench -- checksums`: CRCs side by side with the packages that people take, in one process and one run.
 *
 * A round measures every contender of a row once, in an order that changes from round to round, so that a disturbance
 * meets all alike; ratios to hawser are taken within a round, and medians are printed. Before anything is measured, each
 * contender's value is compared with hawser's.
 */
import * as nodeRs from "@node-rs/crc32"
import * as crcPackage from "crc"
import crc32Package from "crc-32"
import crc32cPackage from "crc-32/crc32c.js"
import { Checksum, type Crc, CrcCatalogue } from "hawser"
import { cpus, release } from "node:os"
import * as zlib from "node:zlib"

interface Contender {
  readonly name: string
  readonly native?: true
  readonly compute: (bytes: Uint8Array) => number | bigint
}

interface Row {
  readonly crc: Crc.Crc
  readonly rivals: ReadonlyArray<Contender>
}

/** What people write when they write it themselves: one table, one byte at a time, here of bigints. */
const bigintTable = (poly: bigint): (bytes: Uint8Array) => bigint => {
  const table = Array.from({ length: 256 }, (_, byte) => {
    let value = BigInt(byte)
    for (let bit = 0; bit < 8; bit++) value = (value & 1n) === 1n ? value >> 1n ^ poly : value >> 1n
    return value
  })
  return (bytes) => {
    let value = 0xffff_ffff_ffff_ffffn
    for (const byte of bytes) value = value >> 8n ^ table[Number(value & 0xffn) ^ byte]!
    return value ^ 0xffff_ffff_ffff_ffffn
  }
}

// The package "crc" takes any Uint8Array, though its types ask for a Buffer. "crc-32" gives signed numbers; all others,
// and the catalogue, have the value without a sign, so that step belongs to it.
const rows: ReadonlyArray<Row> = [
  {
    crc: CrcCatalogue.crc32IsoHdlc,
    rivals: [
      { name: "crc-32", compute: (bytes) => crc32Package.buf(bytes, 0) >>> 0 },
      { name: "crc", compute: (bytes) => crcPackage.crc32(bytes as Buffer) },
      { name: "node:zlib", native: true, compute: (bytes) => zlib.crc32(bytes) },
      { name: "@node-rs/crc32", native: true, compute: (bytes) => nodeRs.crc32(bytes) }
    ]
  },
  {
    crc: CrcCatalogue.crc32Iscsi,
    rivals: [
      { name: "crc-32", compute: (bytes) => crc32cPackage.buf(bytes, 0) >>> 0 },
      { name: "@node-rs/crc32", native: true, compute: (bytes) => nodeRs.crc32c(bytes) }
    ]
  },
  {
    crc: CrcCatalogue.crc16Modbus,
    rivals: [{ name: "crc", compute: (bytes) => crcPackage.crc16modbus(bytes as Buffer) }]
  },
  {
    crc: CrcCatalogue.crc16Ibm3740,
    rivals: [{ name: "crc", compute: (bytes) => crcPackage.crc16ccitt(bytes as Buffer) }]
  },
  { crc: CrcCatalogue.crc64Xz, rivals: [{ name: "bigint table", compute: bigintTable(0xc96c_5795_d787_0f42n) }] }
]

const sizes = [{ name: "64 B", bytes: 64 }, { name: "1 KiB", bytes: 1024 }, { name: "1 MiB", bytes: 1 << 20 }]
const rounds = 15
const millisOfMeasurement = 30

const say = (text: string) => process.stdout.write(`${text}\n`)

/** What is computed goes here, so that it is computed. */
let sink = 0

const megabytesPerSecond = ({ compute }: Contender, bytes: Uint8Array): number => {
  const begin = performance.now()
  let done = 0
  let millis = 0
  while (millis < millisOfMeasurement) {
    const batch = Math.max(1, Math.ceil(200_000 / bytes.length))
    for (let i = 0; i < batch; i++) sink ^= Number(compute(bytes)) | 0
    done += batch * bytes.length
    millis = performance.now() - begin
  }
  return done / millis / 1000
}

const median = (values: ReadonlyArray<number>): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

const isSame = (a: number | bigint, b: number | bigint): boolean =>
  typeof a === "bigint" ? a === b : (Number(a) | 0) === (Number(b) | 0)

const noise = Uint8Array.from({ length: 1 << 20 }, (_, i) => Math.imul(i + 1, 0x9e37_79b1) >>> 13)

say(`${cpus()[0]?.model ?? "unknown CPU"}, ${process.platform} ${release()}, Node ${process.version}`)
say(`MB/s, median of ${rounds} rounds; in brackets how many times hawser's rate that is\n`)
for (const { crc, rivals } of rows) {
  for (const { bytes: length, name: size } of sizes) {
    const bytes = noise.slice(0, length)
    const own: Contender = { name: "hawser", compute: crc.compute }
    const contenders = [own, ...rivals]
    for (const { compute, name } of rivals) {
      if (!isSame(compute(bytes), crc.compute(bytes))) {
        throw new Error(`${name} computes something else than ${crc.name}`)
      }
    }
    const measured: Array<Array<number>> = contenders.map(() => [])
    // The first round warms up and does not count.
    for (let round = 0; round <= rounds; round++) {
      contenders.forEach((_, i) => {
        const at = (i + round) % contenders.length
        const rate = megabytesPerSecond(contenders[at]!, bytes)
        if (round > 0) measured[at]!.push(rate)
      })
    }
    const [owns = []] = measured
    const cells = contenders.map(({ name, native }, at) => {
      const rates = measured[at]!
      const ratio = at === 0 ? "" : ` (${median(rates.map((rate, i) => rate / owns[i]!)).toFixed(2)})`
      return `${name}${native === true ? ", native" : ""} ${median(rates).toFixed(0)}${ratio}`
    })
    say(`${crc.name.padEnd(16)} ${size.padStart(5)}   ${cells.join("   ")}`)
  }
}
say(`\n(${Checksum.format(CrcCatalogue.crc32IsoHdlc, sink >>> 0)})`)
