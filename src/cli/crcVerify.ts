/**
 * `hawser crc verify`: whether bytes have the CRC that they should have.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Checksum from "../Checksum.ts"
import * as CrcAlgorithm from "./crcAlgorithm.ts"
import type * as CrcCommands from "./crcCommands.ts"
import * as CrcEach from "./crcEach.ts"
import * as CrcInput from "./crcInput.ts"
import * as Failure from "./Failure.ts"
import * as Style from "./Style.ts"

/** Computes, compares and says so. @category running @since 0.1.0 */
export const verify = Effect.fnUntraced(function*(input: CrcCommands.Verify) {
  const { crc, rest } = yield* CrcAlgorithm.fromInput(input)
  if (input.steps) return yield* Failure.local("--steps needs --key", "it draws the division of a codeword in bits")
  if (Option.isNone(input.value)) {
    return yield* Failure.local(
      "the flag --value is missing",
      "it is what the checksum should be; a codeword in bits is verified with --key"
    )
  }
  const wanted = input.value.value
  if (wanted >> BigInt(crc.widthBits) > 0n) {
    return yield* Failure.local(
      `--value must have at most the ${crc.widthBits} bits of ${crc.name}, got 0x${wanted.toString(16)}`
    )
  }
  const expected = Checksum.format(crc, wanted)
  const { bad, good } = yield* Style.current
  const sources = yield* CrcInput.fromInput({ ...input, file: [...rest, ...input.file] })
  const counts = yield* CrcEach.print(
    Stream.fromIterable(sources),
    (source) =>
      Effect.map(CrcInput.compute(crc, source), (computed) => {
        const { bytes } = computed
        const value = Checksum.format(crc, computed.value)
        const ok = value === expected
        const { from, name } = source
        const text = input.json
          ? JSON.stringify({ algorithm: crc.name, from, name, bytes, value, expected, ok })
          : `${CrcInput.label(source)}: ${ok ? good("OK") : `${bad("FAILED")}, ${value} instead of ${expected}`}`
        return { ok, text }
      }),
    ({ from, name }, { message }) =>
      input.json ? JSON.stringify({ algorithm: crc.name, from, name, expected, error: message }) : undefined
  )
  yield* CrcEach.conclude(counts, "checksum")
})
