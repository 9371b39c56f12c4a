/**
 * The algorithm that was meant: by a name of the catalogue, or by its parameters.
 *
 * ```
 * crc-32c, CRC-32/ISCSI, crc32c        a name or an alias, in any case; punctuation may be left out
 * width=16,poly=0x8005,init=0xffff     parameters as one word, which is how lists name an algorithm of one's own
 * --width 16 --poly 0x8005 …           parameters as flags
 * ```
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Checksum from "../Checksum.ts"
import * as Crc from "../Crc.ts"
import * as CrcCatalogue from "../CrcCatalogue.ts"
import type * as CrcCommands from "./crcCommands.ts"
import * as CrcParse from "./crcParse.ts"
import * as Failure from "./Failure.ts"

/** Every letter and digit of a name: no two algorithms of the catalogue have the same. */
const plain = (name: string): string => name.toUpperCase().replaceAll(/[^A-Z0-9=]/g, "")

const names = CrcCatalogue.all.flatMap(({ aliases, name }) => [name, ...aliases])

/** How many letters must be changed, added or left out. */
const distance = (a: string, b: string): number => {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at)
  for (const [i, letter] of Array.from(a).entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j + 1]! + 1, next[j]! + 1, row[j]! + (letter === b[j] ? 0 : 1)))
    }
    row = next
  }
  return row[b.length]!
}

/** The names that are nearest, if they are near at all. */
const similar = (name: string): ReadonlyArray<string> => {
  const wanted = plain(name)
  const near = names.map((each) => ({ each, far: distance(wanted, plain(each)) }))
  const least = Math.min(...near.map(({ far }) => far))
  return least > Math.max(1, wanted.length / 3) ? [] : near.filter(({ far }) => far === least).map(({ each }) => each)
}

const oneOf = (words: ReadonlyArray<string>): string =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} or ${words.at(-1)}`

const unknown = (name: string): Failure.Failure => {
  const near = similar(name).slice(0, 4)
  return Failure.local(
    `there is no algorithm ${JSON.stringify(name)}`,
    near.length > 0 ? `did you mean ${oneOf(near)}?` : "hawser crc list shows all; --width and --poly describe others"
  )
}

const find = (name: string): CrcCatalogue.Algorithm | undefined => {
  const exact = CrcCatalogue.find(name)
  if (exact !== undefined) return exact
  const wanted = plain(name)
  const loose = names.find((each) => plain(each) === wanted)
  return loose === undefined ? undefined : CrcCatalogue.find(loose)
}

/** Parameters as one word, which names an algorithm that has no other name. */
const format = (crc: Crc.Crc): string => {
  const hex = (value: Checksum.Value) => Checksum.format(crc, value)
  return `width=${crc.widthBits},poly=${hex(crc.poly)},init=${hex(crc.init)},refin=${crc.refin},refout=${crc.refout},` +
    `xorout=${hex(crc.xorout)}`
}

const make = (options: Crc.Options): Result.Result<Crc.Crc, Failure.Failure> =>
  Crc.make(options).pipe(
    Result.map((crc): Crc.Crc => ({ ...crc, name: format(crc) })),
    Result.mapError(({ message }) => Failure.local(`--${message.replace(/^widthBits/, "width")}`))
  )

const booleans: Readonly<Record<string, boolean>> = { true: true, false: false }

/** Reads parameters that are one word. */
const parse = (text: string): Result.Result<Crc.Crc, Failure.Failure> => {
  const given = new Map(
    text.split(",").map((each) => {
      const [name = "", value = ""] = each.split("=")
      return [name.toLowerCase(), value] as const
    })
  )
  const number = (name: string) => Result.getOrUndefined(CrcParse.number(given.get(name) ?? "0"))
  const poly = given.has("poly") ? number("poly") : undefined
  const [init, xorout] = [number("init"), number("xorout")]
  const refin = booleans[given.get("refin") ?? "false"]
  const refout = booleans[given.get("refout") ?? String(refin)]
  const known = ["width", "poly", "init", "refin", "refout", "xorout"]
  const complete = poly !== undefined && init !== undefined && xorout !== undefined && refin !== undefined &&
    refout !== undefined && Array.from(given.keys()).every((name) => known.includes(name))
  return complete
    ? make({ widthBits: Number(given.get("width")), poly, init, xorout, refin, refout })
    : Result.fail(Failure.local(
      `parameters ${JSON.stringify(text)} cannot be read`,
      "write width=16,poly=0x8005,init=0xffff,refin=true,refout=true,xorout=0x0000; all but the first two may be missing"
    ))
}

/** The algorithm of a name, an alias or a word of parameters. @category conversions @since 0.1.0 */
export const fromName = (name: string): Result.Result<Crc.Crc, Failure.Failure> => {
  const known = find(name)
  if (known !== undefined) return Result.succeed(known)
  return name.includes("=") ? parse(name) : Result.fail(unknown(name))
}

/** An algorithm, and what stands in the place of its name where that is not one. */
interface Chosen {
  readonly crc: Crc.Crc
  readonly rest: ReadonlyArray<string>
}

/** The algorithm that was asked for; with `--poly` what stands in its place is something else. @category conversions @since 0.1.0 */
export const fromInput = Effect.fnUntraced(function*(given: CrcCommands.Algorithm) {
  const { algorithm, init, poly, refin, refout, width, xorout } = given
  const flag = CrcParse.firstGiven({ width, poly, init, refin, refout, xorout })
  if (flag === undefined) {
    if (Option.isNone(algorithm)) {
      return yield* Failure.local("the ALGORITHM is missing", "for example crc-32; hawser crc list shows all")
    }
    const chosen: Chosen = { crc: yield* Effect.fromResult(fromName(algorithm.value)), rest: [] }
    return chosen
  }
  if (Option.isNone(width) || Option.isNone(poly)) {
    const missing = Option.isNone(width) ? "width" : "poly"
    return yield* Failure.local(`the flag --${missing} is missing`, `--${flag} describes an algorithm of your own`)
  }
  const crc = yield* Effect.fromResult(make({
    widthBits: width.value,
    poly: poly.value,
    init: Option.getOrUndefined(init),
    refin: Option.getOrUndefined(refin),
    refout: Option.getOrUndefined(refout),
    xorout: Option.getOrUndefined(xorout)
  }))
  const chosen: Chosen = { crc, rest: Option.toArray(algorithm) }
  return chosen
})
