/**
 * `hawser crc show`: an algorithm, and what it is certain to detect, which is computed here and now.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type * as Crc from "../Crc.ts"
import * as CrcCatalogue from "../CrcCatalogue.ts"
import * as CrcDetection from "../CrcDetection.ts"
import * as CrcAlgorithm from "./crcAlgorithm.ts"
import type * as CrcCommands from "./crcCommands.ts"
import * as CrcList from "./crcList.ts"
import { users } from "./crcUsers.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Style from "./Style.ts"

/**
 * Above a distance of 8 guarantees hold for a few bytes only. Up to 32 bits the search takes half a second; a lookup for
 * more bits takes longer, and with a fifteenth of them it takes as long.
 */
const searchFor = ({ widthBits }: Crc.Crc) => ({
  maxHammingDistance: 8,
  maxLookups: widthBits <= 32 ? CrcDetection.defaults.maxLookups : 1_000_000
})

const limitOf = ({ exact, hammingDistance, maxDataBits }: CrcDetection.Limit): string => {
  const flipped = hammingDistance - 1
  const bytes = maxDataBits < 8 ? "" : ` (${Math.floor(maxDataBits / 8)} bytes)`
  return `up to ${flipped} flipped bits in ${exact ? "up to" : "at least"} ${maxDataBits} bits of data${bytes}`
}

/** For each length the strongest statement: what holds for 5 flipped bits holds for 4. */
const strongest = (limits: ReadonlyArray<CrcDetection.Limit>): ReadonlyArray<CrcDetection.Limit> =>
  limits.filter(({ maxDataBits }, at) => limits[at + 1]?.maxDataBits !== maxDataBits)

const guaranteesOf = (found: CrcDetection.Guarantees): ReadonlyArray<string> => [
  "every single flipped bit, in data of any length",
  ...found.oddCounts ? ["every odd number of flipped bits, in data of any length"] : [],
  ...found.burstBits > 1 ? [`every error within ${found.burstBits} bits in a row, in data of any length`] : [],
  ...strongest(found.limits).map(limitOf)
]

const missesOf = ({ order, widthBits }: CrcDetection.Guarantees): string => {
  const chance = widthBits <= 53 ? `one in ${2 ** widthBits}` : `one in 2^${widthBits}`
  const pairs = order === undefined || order > BigInt(Number.MAX_SAFE_INTEGER)
    ? ""
    : ` Two flipped bits ${order === 1n ? "always pass" : `pass if they are ${order} places apart, or a multiple`}.`
  return `Of random errors ${chance} passes.${pairs}`
}

/** Prints an algorithm. @category running @since 0.1.0 */
export const show = Effect.fnUntraced(function*(input: CrcCommands.Show) {
  const { crc, rest } = yield* CrcAlgorithm.fromInput(input)
  if (rest.length > 0) {
    return yield* Failure.local(`${rest[0]} and --poly exclude each other`, "give a name or parameters")
  }
  const entry = CrcCatalogue.find(crc.name)
  const usedBy = entry === undefined ? undefined : users[entry.name]
  const found = CrcDetection.compute(crc, searchFor(crc))
  const parameters = CrcList.toJson(crc)
  if (input.json) {
    const { burstBits, limits, oddCounts, order, singleBit } = found
    const object = {
      name: crc.name,
      aliases: entry?.aliases ?? [],
      class: entry?.class ?? null,
      usedBy: usedBy ?? null,
      ...parameters,
      guarantees: { singleBit, oddCounts, burstBits, order: order?.toString() ?? null, limits }
    }
    return yield* Output.write(Stream.succeed(`${JSON.stringify(object)}\n`))
  }
  const { strong } = yield* Style.current
  const { check, init, poly, refin, refout, residue, widthBits, xorout } = parameters
  const rows = Object.entries({
    aliases: entry?.aliases.join(", ") ?? "",
    class: entry?.class ?? "",
    "used by": usedBy ?? "",
    width: `${widthBits} bits`,
    poly,
    init,
    refin,
    refout,
    xorout,
    check,
    residue
  })
  const lines = [
    strong(crc.name),
    ...rows.filter(([, value]) => value !== "").map(([name, value]) => `  ${name.padEnd(8)} ${value}`),
    "",
    strong("Certain to find"),
    ...guaranteesOf(found).map((line) => `  ${line}`),
    "",
    missesOf(found)
  ]
  yield* Output.write(Stream.succeed(lines.map((line) => `${line}\n`).join("")))
})
