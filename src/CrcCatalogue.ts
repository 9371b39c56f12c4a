/**
 * The 113 CRC algorithms that are in use, by name, with check, residue, aliases and how well each is known.
 *
 * The data are Greg Cook's catalogue of parametrised CRC algorithms (CRC RevEng, reveng.sourceforge.io/crc-catalogue). A
 * constant is named after its algorithm: the words of `CRC-16/IBM-3740` with capitals give `crc16Ibm3740`, and an
 * underscore parts two numbers: `crc8I432_1`. Each stands alone, so a bundler keeps only those that a program names;
 * `all` and `find` keep all. Tables are made when an algorithm is first used.
 *
 * ```
 * new protocol      crc32Iscsi (CRC-32C), see CrcDetection
 * zip, PNG, gzip    crc32IsoHdlc (what most people call CRC-32)
 * Modbus            crc16Modbus
 * "CCITT"           crc16Ibm3740 starts with 0xffff, crc16Xmodem with 0, crc16Kermit and crc16IbmSdlc are reflected
 * xz                crc64Xz
 * ```
 *
 * @since 0.1.0
 */
import type { Algorithm } from "./internal/crcAlgorithm.ts"
import { all } from "./internal/crcCatalogueData.ts"

export type { Algorithm, Class } from "./internal/crcAlgorithm.ts"
export * from "./internal/crcCatalogueData.ts"

let byName: ReadonlyMap<string, Algorithm> | undefined = undefined

/**
 * Looks an algorithm up by its name or one of its aliases, in any case.
 *
 * **Example**
 *
 * ```ts
 * import { CrcCatalogue } from "hawser"
 *
 * console.log(CrcCatalogue.find("crc-32c")?.name) // CRC-32/ISCSI
 * ```
 *
 * @category lookup
 * @since 0.1.0
 */
export const find = (name: string): Algorithm | undefined => {
  byName ??= new Map(
    all.flatMap((algorithm) =>
      [algorithm.name, ...algorithm.aliases].map((each) => [each.toUpperCase(), algorithm] as const)
    )
  )
  return byName.get(name.toUpperCase())
}
