/**
 * The programs inside the documentation: each `ts` block of README.md, of `docs`, and of the comments in `src`.
 *
 * Run as a program, it writes each block to a file of its own in `.snippets`, where `tsc` and the Effect diagnostics
 * find them; `test/readme.test.ts` runs the files. A block keeps its line numbers, so that an error in
 * `.snippets/README.md.20.ts` line 23 is in README.md line 23. A block that begins with the name of a file, such as
 * `// prices.ts`, is written to that file: other blocks of the document import it. A block that imports
 * `@effect/vitest` has tests, and is run by the test runner.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

export interface Snippet {
  /** The document, from the root of the repository. */
  readonly document: string
  /** Where the first line of code is, counted from 1. */
  readonly line: number
  readonly code: string
  /** What the document says the program writes to stdout. */
  readonly prints: string | undefined
}

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/**
 * Finds the `ts` blocks of a Markdown text. A `text` block between a `ts` block and the next one is its output if the
 * line above says so, with "prints:" at its end.
 */
export const fromMarkdown = (document: string, text: string): Array<Snippet> => {
  const snippets: Array<Snippet> = []
  const lines = text.split("\n")
  let lastText = ""
  for (let at = 0; at < lines.length; at++) {
    const fence = /^\s*(```+)\s*(\w*)/.exec(lines[at]!)
    if (fence === null) {
      lastText = lines[at]!.trim() || lastText
      continue
    }
    const first = at + 1
    do at++
    while (at < lines.length && lines[at]!.trim() !== fence[1])
    if (at === lines.length) throw new Error(`${document}:${first}: the block that begins here has no end`)
    const block = lines.slice(first, at).map((line) => `${line}\n`).join("")
    if (fence[2] === "ts") {
      snippets.push({ document, line: first + 1, code: block, prints: undefined })
    } else if (fence[2] === "text" && /prints:$/i.test(lastText)) {
      const program = snippets.pop()
      if (program?.prints !== undefined || program === undefined) {
        throw new Error(`${document}:${first}: this output belongs to no program`)
      }
      snippets.push({ ...program, prints: block })
    }
    lastText = ""
  }
  return snippets
}

/** Finds the `ts` blocks in the documentation comments of a TypeScript source. */
export const fromSource = (document: string, source: string): Array<Snippet> =>
  Array.from(
    source.matchAll(/^[ \t]*\/\*\*(?:[^*]|\*(?!\/))*\*\//gm),
    ({ 0: comment, index }) => {
      const above = source.slice(0, index).split("\n").length - 1
      const text = comment.replaceAll(/^[ \t]*(?:\/\*\*|\*\/|\* ?)/gm, "").replace(/[ \t]*\*\/$/, "")
      return fromMarkdown(document, "\n".repeat(above) + text)
    }
  ).flat()

/** The programs of README.md, `docs` and `src`, as they are now. */
export const all = (): Array<Snippet> => {
  const read = (document: string) => readFileSync(join(root, document), "utf8")
  const documents = globSync(["README.md", "docs/*.md", "src/**/*.ts"], { cwd: root }).sort()
  return documents.flatMap((document) =>
    document.endsWith(".md") ? fromMarkdown(document, read(document)) : fromSource(document, read(document))
  )
}

/** Where a snippet is written. */
export const fileOf = ({ code, document, line }: Snippet): string => {
  const name = /^\/\/ ([\w-]+\.ts)\n/.exec(code)?.[1]
  return join(root, ".snippets", name ?? `${document.replaceAll("/", ".")}.${line}.ts`)
}

/** Whether a snippet has tests, which only a test runner runs. */
export const hasTests = ({ code }: Snippet): boolean => code.includes("from \"@effect/vitest\"")

/** Writes each snippet to its file, and removes the files of earlier ones. */
export const write = (snippets: ReadonlyArray<Snippet>): void => {
  const files = new Map<string, string>()
  for (const snippet of snippets) {
    const { code, document, line } = snippet
    const file = fileOf(snippet)
    if (files.has(file)) throw new Error(`${document}:${line}: another block is ${basename(file)} too`)
    files.set(file, "\n".repeat(line - 1) + code)
  }
  rmSync(join(root, ".snippets"), { force: true, recursive: true })
  mkdirSync(join(root, ".snippets"))
  for (const [file, text] of files) writeFileSync(file, text)
}

if (import.meta.main) {
  write(all())
}
