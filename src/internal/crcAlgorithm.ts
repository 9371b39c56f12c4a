/** An entry of the catalogue, and the two functions that make them. */
import type { Value } from "../Checksum.ts"
import type { Crc, Parameters } from "../Crc.ts"
import { defineNarrow, defineWide } from "./crcEngine.ts"

/**
 * How sure the catalogue is: `"attested"` by published code and codewords, `"confirmed"` by several implementations,
 * `"academic"` from a document only, `"third-party"` on one reporter's word.
 *
 * @category models
 * @since 0.1.0
 */
export type Class = "attested" | "confirmed" | "academic" | "third-party"

/** A CRC of the catalogue, with its other names. @category models @since 0.1.0 */
export interface Algorithm<out V extends Value = Value> extends Crc<V> {
  readonly class: Class
  readonly aliases: ReadonlyArray<string>
}

type Entry<V extends Value> = Parameters<V> & Pick<Algorithm, "class" | "aliases">

export const narrow = (entry: Entry<number>): Algorithm<number> => ({ ...entry, ...defineNarrow(entry) })

export const wide = (entry: Entry<bigint>): Algorithm<bigint> => ({ ...entry, ...defineWide(entry) })
