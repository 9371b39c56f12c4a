/**
 * `hawser crc guess`: which algorithms fit messages that end with their checksum.
 *
 * A checksum is looked for in bytes of its own, in either order, and, where its width is no multiple of 8, in the last bits
 * of the message, as in the cells of ATM. Below 8 bits that is left out: every second message would fit by accident.
 *
 * @since 0.1.0
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Checksum from "../Checksum.ts"
import * as Crc from "../Crc.ts"
import * as CrcCatalogue from "../CrcCatalogue.ts"
import type * as CrcCommands from "./crcCommands.ts"
import * as CrcParse from "./crcParse.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Usage from "./Usage.ts"

interface Candidate {
  readonly algorithm: CrcCatalogue.Algorithm
  /** The byte order, or the last bits. */
  readonly placement: Checksum.ByteOrder | "bits"
}

const candidates: ReadonlyArray<Candidate> = CrcCatalogue.all.flatMap((algorithm) => {
  // A checksum of one byte has only one order.
  const placements = algorithm.widthBits <= 8
    ? ["big"] as const
    : algorithm.widthBits % 8 === 0
    ? ["big", "little"] as const
    : ["big", "little", "bits"] as const
  return placements.map((placement) => ({ algorithm, placement }))
})

const fits = ({ algorithm, placement }: Candidate, bytes: Uint8Array): boolean =>
  placement === "bits" ? Crc.isCodeword(algorithm, bytes) : Checksum.verifyAppended(algorithm, bytes, placement)

/** How many bits must agree. */
const bitsOf = ({ algorithm, placement }: Candidate): number =>
  placement === "bits" ? algorithm.widthBits : 8 * Checksum.widthBytes(algorithm)

const describe = ({ algorithm, placement }: Candidate): string =>
  algorithm.widthBits <= 8
    ? algorithm.name
    : `${algorithm.name}  ${placement === "bits" ? "in the last bits" : `${placement}-endian`}`

/** More than one accident in twenty makes a guess a bad one. */
const doubtful = 0.05

/** Prints what fits. @category running @since 0.1.0 */
export const guess = Effect.fnUntraced(function*({ json, message }: CrcCommands.Guess) {
  if (message.length === 0) {
    return yield* Failure.local("the HEX is missing", "for example hawser crc guess 01030000000ac5cd")
  }
  const messages = yield* Effect.forEach(
    message,
    (text) => Effect.mapError(Effect.fromResult(CrcParse.hex(text)), (rule) => Usage.invalid("the HEX", rule, text))
  )
  const shortest = Math.min(...messages.map(({ length }) => length))
  if (shortest < 2) {
    return yield* Failure.local("a message has at least one byte of data and one of checksum")
  }
  const possible = candidates.filter((candidate) => bitsOf(candidate) < 8 * shortest)
  const all = possible.filter((candidate) => messages.every((bytes) => fits(candidate, bytes)))
  // Where nothing but zeros stands above a checksum, it may be both in bytes of its own and in the last bits.
  const fitting = all.filter(({ algorithm, placement }, at) =>
    placement !== "bits" || all[at - 1]?.algorithm !== algorithm
  )
  yield* Output.write(Stream.fromIterable(fitting.map((candidate) =>
    json
      ? `${JSON.stringify({ algorithm: candidate.algorithm.name, placement: candidate.placement })}\n`
      : `${describe(candidate)}\n`
  )))
  if (fitting.length === 0) {
    return yield* new Failure.Failure({
      exitCode: 3,
      message: `no algorithm of the catalogue fits ${messages.length === 1 ? "this message" : "these messages"}`,
      hint: "give the whole message, without what stands around it: marks, escapes, what follows the checksum"
    })
  }
  const accidents = possible
    .filter((candidate) => fitting.some((each) => bitsOf(each) === bitsOf(candidate)))
    .map((candidate) => 2 ** -(bitsOf(candidate) * messages.length))
    .reduce((sum, chance) => sum + chance, 0)
  if (fitting.length > 1 || accidents > doubtful) {
    yield* Console.error("hint: one more message, of another length, would tell more")
  }
})
