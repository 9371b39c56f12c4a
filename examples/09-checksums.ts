// Is it what was sent? Checksums: from long division on paper to a catalogue of 113, and what each is sure to find.
import { Console, Effect } from "effect"
import { BitString, Checksum, Crc, CrcCatalogue, CrcDetection, Parity } from "hawser"

const program = Effect.gen(function*() {
  // The textbook: three zeros after the data, division without borrowing, the remainder goes along.
  const data = yield* Effect.fromResult(BitString.fromText("HI", "unpadded"))
  const { codeword, division } = yield* Effect.fromResult(BitString.encode(data.slice(0, 7), "1001"))
  yield* Console.log(BitString.format(division))
  const damaged = `${codeword.slice(0, -1)}1`
  const verdict = yield* Effect.fromResult(BitString.check(damaged, "1001"))
  yield* Console.log(`sent ${codeword}, received ${damaged}, remainder ${verdict.remainder}`)

  // The wire: any algorithm of the catalogue, or one that a manual describes.
  const message = new TextEncoder().encode("hello, quay")
  for (const name of ["CRC-32C", "modbus", "CRC-64/XZ"]) {
    const crc = CrcCatalogue.find(name) ?? CrcCatalogue.crc32Iscsi
    yield* Console.log(`${crc.name.padEnd(12)} ${Checksum.format(crc, crc.compute(message))}`)
  }
  const own = yield* Effect.fromResult(Crc.make({ widthBits: 16, poly: 0x8005, init: 0xffff, refin: true }))
  const frame = Checksum.append(own, message)
  frame[3] = 0x4c
  yield* Console.log(`a changed byte is ${Checksum.verifyAppended(own, frame) ? "missed" : "found"}`)

  // Which one to choose: how many flipped bits are certain to be found in messages of up to 655 bytes?
  const guarantees = CrcDetection.compute(CrcCatalogue.crc32Iscsi)
  const { hammingDistance } = CrcDetection.distanceAt(guarantees, 655 * 8)
  yield* Console.log(`CRC-32C finds all errors of up to ${hammingDistance - 1} bits in 655 bytes`)

  yield* Console.log(Parity.format(yield* Effect.fromResult(Parity.table("HI", { bits: 7 }))))
})

await Effect.runPromise(program)

// Prints:
//             1000000
//   1001 ) 1001000000
//          1001
//          ----
//                 000
//   sent 1001000000, received 1001000001, remainder 001
//   CRC-32/ISCSI 0xcbbd5a94
//   CRC-16/MODBUS 0xadc1
//   CRC-64/XZ    0x5658ca4d4704d6df
//   a changed byte is found
//   CRC-32C finds all errors of up to 5 bits in 655 bytes
//   char  bits     parity
//   H     1001000  0
//   I     1001001  1
//   LRC   0000001  1
