/**
 * What is wrong with the files and names of TLS, in the words of the command line.
 *
 * The library names its own options, `certificates[0].key`; here it is the flag and the file that were typed.
 *
 * @since 0.1.0
 */
import type * as Tls from "../Tls.ts"
import * as Failure from "./Failure.ts"
import type * as Setting from "./Setting.ts"
import * as SystemCode from "./SystemCode.ts"

/** How an option of the library is called here. @category models @since 0.1.0 */
export type Naming = ReadonlyArray<readonly [option: RegExp, name: (index: number) => string]>

/** A flag or variable, and the file that it names at a place. @category formatting @since 0.1.0 */
export const nameOf = (given: Setting.Given<string | ReadonlyArray<string>> | undefined, index: number): string => {
  if (given === undefined) return ""
  const file = typeof given.value === "string" ? given.value : given.value[index] ?? ""
  return `${given.from} ${file}`
}

/** Names what the library names. @category formatting @since 0.1.0 */
export const rename = (text: string, naming: Naming): string => {
  let renamed = text
  for (const [option, name] of naming) {
    renamed = renamed.replaceAll(option, (_, index: unknown) => name(typeof index === "string" ? Number(index) : 0))
  }
  return renamed
}

/** An option that TLS cannot work with. @category constructors @since 0.1.0 */
export const fromOptions = ({ got, option, rule }: Tls.TlsOptionsError, naming: Naming): Failure.Failure => {
  if (option.endsWith(".passphrase")) {
    const name = rename(option.replace(/\.passphrase$/, ".key"), naming)
    return Failure.local(
      `${name} is encrypted, and there is nobody to ask for its passphrase`,
      "openssl pkey -in FILE -out OTHER writes it without one; let nobody else read it"
    )
  }
  return Failure.local(rename(`${option} must be ${rule}, got ${got}`, naming))
}

/** A file that cannot be read. @category constructors @since 0.1.0 */
export const unreadable = (name: string, code: string): Failure.Failure =>
  Failure.local(`${name} cannot be read${SystemCode.explain(code)}`)
