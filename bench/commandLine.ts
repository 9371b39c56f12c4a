/** What the programs of this folder share of reading a command line: each wrong use is one sentence. */
import { existsSync, statSync } from "node:fs"
import { dirname } from "node:path"
import { parseArgs, type ParseArgsConfig } from "node:util"

/** A wrong use of the command line; the message names the value and the rule. */
export class Misuse extends Error {}

/** As `parseArgs`, whose own messages are several sentences behind a stack trace. */
export const readArgs = <const O extends NonNullable<ParseArgsConfig["options"]>>(
  args: ReadonlyArray<string>,
  options: O
) => {
  const config = { args: [...args], options, allowPositionals: true as const }
  for (const token of parseArgs({ ...config, strict: false, tokens: true }).tokens) {
    if (token.kind !== "option") continue
    const { inlineValue, name, rawName, value } = token
    const option = Object.hasOwn(options, name) ? options[name] : undefined
    if (option === undefined) throw new Misuse(`there is no option ${rawName}`)
    if (option.type === "boolean" && value !== undefined) {
      throw new Misuse(`${rawName} takes no value, and got "${value}"`)
    }
    if (option.type === "boolean") continue
    if (value === undefined) throw new Misuse(`${rawName} needs a value`)
    if (!inlineValue && value.startsWith("-")) throw new Misuse(`${rawName} needs a value, and got ${value}`)
  }
  return parseArgs(config)
}

/** A number that obeys a rule, which is put in words, too. */
export const number = (option: string, text: string, rule: string, obeys: (value: number) => boolean): number => {
  const value = text.trim() === "" ? Number.NaN : Number(text)
  if (!Number.isFinite(value) || !obeys(value)) throw new Misuse(`${option} is ${rule}, and not "${text}"`)
  return value
}

/** Those whose names begin with one of the prefixes, each of which must be the beginning of a name; all without one. */
export const beginning = (what: string, names: ReadonlyArray<string>, prefixes: ReadonlyArray<string>) => {
  const stray = prefixes.find((prefix) => !names.some((name) => name.startsWith(prefix)))
  if (stray !== undefined) throw new Misuse(`no ${what} begins with "${stray}"; --list shows them`)
  return prefixes.length === 0 ? names : names.filter((name) => prefixes.some((prefix) => name.startsWith(prefix)))
}

/** Refuses now what could not be written after the run. */
export const writable = (option: string, path: string | undefined): string | undefined => {
  if (path !== undefined && !existsSync(dirname(path))) {
    throw new Misuse(`${option} "${path}": there is no folder ${dirname(path)}`)
  }
  if (path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) {
    throw new Misuse(`${option} "${path}" is a folder, and not a file`)
  }
  return path
}

/** Runs a program; a wrong use of it is said with a hint, and ends it with code 2. */
export const guarded = async (script: string, program: () => Promise<void>): Promise<void> => {
  try {
    await program()
  } catch (error) {
    if (!(error instanceof Misuse)) throw error
    process.stderr.write(`${script}: ${error.message}\nHow to use it: npm run ${script} -- --help\n`)
    process.exitCode = 2
  }
}
