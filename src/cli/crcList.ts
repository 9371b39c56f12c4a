/**
 * `hawser crc list`: the algorithms of the catalogue.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as Checksum from "../Checksum.ts"
import type * as Crc from "../Crc.ts"
import * as CrcCatalogue from "../CrcCatalogue.ts"
import type * as CrcCommands from "./crcCommands.ts"
import * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"
import * as Style from "./Style.ts"

/** The parameters as they are written in JSON. @category formatting @since 0.1.0 */
export const toJson = (crc: Crc.Crc) => {
  const hex = (value: Checksum.Value) => Checksum.format(crc, value)
  const { refin, refout, widthBits } = crc
  return {
    widthBits,
    poly: hex(crc.poly),
    init: hex(crc.init),
    refin,
    refout,
    xorout: hex(crc.xorout),
    check: hex(crc.check),
    residue: hex(crc.residue)
  }
}

/** Left-aligned columns; the last one is as it is. */
const align = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? []
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd())
}

/** Prints what fits. @category running @since 0.1.0 */
export const list = Effect.fnUntraced(function*({ json, pattern, width }: CrcCommands.List) {
  const part = Option.getOrElse(pattern, () => "").toUpperCase()
  const bits = Option.getOrUndefined(width)
  const found = CrcCatalogue.all.filter(({ aliases, name, widthBits }) =>
    (bits === undefined || widthBits === bits) &&
    [name, ...aliases].some((each) => each.toUpperCase().includes(part))
  )
  if (found.length === 0) {
    const what = part === "" ? "" : ` whose name contains ${JSON.stringify(Option.getOrElse(pattern, () => ""))}`
    const which = bits === undefined ? "" : ` of ${bits} bits`
    return yield* Failure.local(`there is no algorithm${which}${what}`, "hawser crc list shows all")
  }
  if (json) {
    const objects = found.map((algorithm) =>
      JSON.stringify({
        name: algorithm.name,
        aliases: algorithm.aliases,
        class: algorithm.class,
        ...toJson(algorithm)
      })
    )
    return yield* Output.write(Stream.fromIterable(objects.map((line) => `${line}\n`)))
  }
  const { strong } = yield* Style.current
  const [head = "", ...lines] = align([
    ["NAME", "POLY", "INIT", "REFIN", "REFOUT", "XOROUT", "CHECK", "ALIASES"],
    ...found.map((algorithm) => {
      const { check, init, poly, refin, refout, xorout } = toJson(algorithm)
      return [algorithm.name, poly, init, String(refin), String(refout), xorout, check, algorithm.aliases.join(", ")]
    })
  ])
  yield* Output.write(Stream.fromIterable([strong(head), ...lines].map((line) => `${line}\n`)))
})
