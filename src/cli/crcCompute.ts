/**
 * `hawser crc compute`: the CRC of files, stdin, a text or bytes.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Checksum from "../Checksum.ts"
import * as CrcAlgorithm from "./crcAlgorithm.ts"
import type * as CrcCommands from "./crcCommands.ts"
import * as CrcEach from "./crcEach.ts"
import * as CrcInput from "./crcInput.ts"
import * as CrcLine from "./crcLine.ts"

/** Computes and prints. @category running @since 0.1.0 */
export const compute = Effect.fnUntraced(function*(input: CrcCommands.Compute) {
  const { crc, rest } = yield* CrcAlgorithm.fromInput(input)
  const sources = yield* CrcInput.fromInput({ ...input, file: [...rest, ...input.file] })
  const counts = yield* CrcEach.print(
    Stream.fromIterable(sources),
    (source) =>
      Effect.map(CrcInput.compute(crc, source), ({ bytes, value }) => {
        const shown = Checksum.format(crc, value, input.format)
        const { from, name } = source
        const text = input.json
          ? JSON.stringify({ algorithm: crc.name, from, name, bytes, value: shown })
          : name === null
          ? shown
          : CrcLine.format(shown, crc.name, name)
        return { ok: true, text }
      }),
    ({ from, name }, { message }) =>
      input.json ? JSON.stringify({ algorithm: crc.name, from, name, error: message }) : undefined
  )
  yield* CrcEach.conclude(counts, "checksum")
})
