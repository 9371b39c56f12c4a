/** A folder that looks like a fresh clone to the scripts of package.json, with a program of the test's own in it. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { root } from "../../scripts/snippets.ts"

export interface Clone extends Disposable {
  readonly folder: string
  readonly write: (path: string, text: string) => void
}

/** Copies the files that are named, and removes all of it at the end. */
export const make = (...files: ReadonlyArray<string>): Clone => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-test-"))
  for (const file of files) cpSync(join(root, file), join(folder, file), { recursive: true })
  const write = (path: string, text: string): void => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  return { folder, write, [Symbol.dispose]: () => rmSync(folder, { force: true, recursive: true }) }
}

/** Gives the clone what is installed here. */
export const installed = (clone: Clone): void =>
  symlinkSync(join(root, "node_modules"), join(clone.folder, "node_modules"))
