/**
 * `hawser crc check`: files against a list that `compute` wrote.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Checksum from "../Checksum.ts"
import type * as Crc from "../Crc.ts"
import * as CrcAlgorithm from "./crcAlgorithm.ts"
import type * as CrcCommands from "./crcCommands.ts"
import * as CrcEach from "./crcEach.ts"
import * as CrcInput from "./crcInput.ts"
import * as CrcLine from "./crcLine.ts"
import * as Failure from "./Failure.ts"
import * as Input from "./Input.ts"
import * as Style from "./Style.ts"

/** A path has at most 4 KiB on Linux, and parameters may be long. */
const maxLineBytes = 16_384

interface Numbered {
  readonly line: number
  readonly text: string
}

/** What a line asks for. */
interface Task {
  readonly crc: Crc.Crc
  readonly name: string
  readonly expected: string
}

/** Understands a line; the failure is what is wrong with it. */
const taskOf = (text: string, otherwise: Option.Option<Crc.Crc>): Result.Result<Task, string> => {
  const entry = CrcLine.parse(text)
  if (entry === undefined) return Result.fail("is not VALUE  ALGORITHM  NAME")
  const own = entry.algorithm === undefined ? Option.none() : Option.some(CrcAlgorithm.fromName(entry.algorithm))
  const known = Option.flatMap(own, Result.getSuccess)
  if (Option.isNone(known) && Option.isNone(otherwise)) {
    return Result.fail(
      Option.isSome(own) && Result.isFailure(own.value)
        ? `cannot be used: ${own.value.failure.message}`
        : "does not name its algorithm, and there is no --algorithm"
    )
  }
  const name = Option.isSome(known) ? entry.name : entry.wholeName
  const crc = Option.getOrThrow(Option.orElse(known, () => otherwise))
  return entry.value >> BigInt(crc.widthBits) > 0n
    ? Result.fail(`has a value of more than the ${crc.widthBits} bits of ${crc.name}`)
    : Result.succeed({ crc, name, expected: Checksum.format(crc, entry.value) })
}

/** Computes, compares and says so. @category running @since 0.1.0 */
export const check = Effect.fnUntraced(function*({ algorithm, json, list }: CrcCommands.Check) {
  const otherwise = Option.isNone(algorithm)
    ? Option.none()
    : Option.some(yield* Effect.fromResult(CrcAlgorithm.fromName(algorithm.value)))
  const source = CrcInput.file(Option.getOrElse(list, () => "-"))
  const what = source.from === "stdin" ? "stdin" : CrcInput.label(source)
  const { bad, good } = yield* Style.current
  let tasks = 0

  const understand = ({ line, text }: Numbered): Result.Result<Task, Failure.Failure> =>
    Result.mapError(taskOf(text, otherwise), (why) => Failure.local(`line ${line} of ${what} ${why}`))

  const lines = Input.linesOf(source.bytes, what, maxLineBytes).pipe(
    Stream.zipWithIndex,
    Stream.map(([text, at]): Numbered => ({ line: at + 1, text })),
    Stream.filter(({ text }) => text !== "" && !text.startsWith("#"))
  )
  const counts = yield* CrcEach.print(
    lines,
    Effect.fnUntraced(function*(line) {
      const { crc, expected, name } = yield* Effect.fromResult(understand(line))
      tasks++
      const value = Checksum.format(crc, (yield* CrcInput.compute(crc, CrcInput.file(name))).value)
      const ok = value === expected
      const text = json
        ? JSON.stringify({ algorithm: crc.name, name, value, expected, ok })
        : `${CrcLine.escape(name)}: ${ok ? good("OK") : `${bad("FAILED")}, ${value} instead of ${expected}`}`
      return { ok, text }
    }),
    (line, { message }) => {
      if (!json) return undefined
      return JSON.stringify(Result.match(understand(line), {
        onFailure: () => ({ line: line.line, error: message }),
        onSuccess: ({ crc, expected, name }) => ({ algorithm: crc.name, name, expected, error: message })
      }))
    }
  )
  if (tasks === 0 && counts.failed === 0) return yield* Failure.local(`${what} has no line to check`)
  yield* CrcEach.conclude(counts, "file")
})
