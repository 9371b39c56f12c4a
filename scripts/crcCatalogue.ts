/**
 * Writes the constants of `CrcCatalogue` from test/data/crc-catalogue.json: `node scripts/crcCatalogue.ts`, then
 * `npm run format`. A test compares the constants with the data, so forgetting it is noticed.
 */
import { readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "./snippets.ts"

interface Entry {
  readonly name: string
  readonly width: number
  readonly poly: string
  readonly init: string
  readonly refin: boolean
  readonly refout: boolean
  readonly xorout: string
  readonly check: string
  readonly residue: string
  readonly class: string
  readonly aliases: ReadonlyArray<string>
}

/**
 * `CRC-16/ISO-IEC-14443-3-A` is `crc16IsoIec14443_3A`: each word with a capital, and an underscore where two numbers would
 * become one.
 */
export const constantOf = (name: string): string => {
  const [family = "", variant = ""] = name.split("/")
  return variant.split("-").reduce((text, word) => {
    const capital = word.slice(0, 1) + word.slice(1).toLowerCase()
    return /\d$/.test(text) && /^\d/.test(capital) ? `${text}_${capital}` : text + capital
  }, family.toLowerCase().replace("-", ""))
}

const constant = (entry: Entry): string => {
  const wide = entry.width > 32
  const number = (hex: string) => `0x${hex.slice(2).padStart(Math.ceil(entry.width / 4), "0")}${wide ? "n" : ""}`
  const also = entry.aliases.length > 0 ? `, also ${entry.aliases.join(", ")}` : ""
  const line = `/** ${entry.name}${also}. @category ${entry.width} bits @since 0.1.0 */`
  const comment = line.length <= 120
    ? line
    : `/**\n * ${entry.name}${also}.\n *\n * @category ${entry.width} bits\n * @since 0.1.0\n */`
  return `${comment}
export const ${constantOf(entry.name)} = /* @__PURE__ */ ${wide ? "wide" : "narrow"}({
  name: ${JSON.stringify(entry.name)},
  widthBits: ${entry.width},
  poly: ${number(entry.poly)},
  init: ${number(entry.init)},
  refin: ${entry.refin},
  refout: ${entry.refout},
  xorout: ${number(entry.xorout)},
  check: ${number(entry.check)},
  residue: ${number(entry.residue)},
  class: ${JSON.stringify(entry.class)},
  aliases: ${JSON.stringify(entry.aliases).replaceAll(",", ", ")}
})
`
}

if (import.meta.main) {
  const { algorithms }: { readonly algorithms: ReadonlyArray<Entry> } = JSON.parse(
    readFileSync(join(root, "test/data/crc-catalogue.json"), "utf8")
  )
  writeFileSync(
    join(root, "src/internal/crcCatalogueData.ts"),
    `/** The constants of \`CrcCatalogue\`. Written by scripts/crcCatalogue.ts. */
import { type Algorithm, narrow, wide } from "./crcAlgorithm.ts"

${algorithms.map(constant).join("\n")}
/** All ${algorithms.length} algorithms, by width and then by name. @category lookup @since 0.1.0 */
export const all: ReadonlyArray<Algorithm> = [
${algorithms.map(({ name }) => `  ${constantOf(name)}`).join(",\n")}
]
`
  )
}
