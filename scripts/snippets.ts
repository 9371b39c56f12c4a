/**
 * The programs inside the documentation: each `ts` block of README.md and of the comments in `src`.
 *
 * Run as a program, it writes each block to a file of its own in `.snippets`, where `tsc` and the Effect diagnostics
 * find them; `test/readme.test.ts` runs the files. A block keeps its line numbers, so that an error in
 * `.snippets/README.md.20.ts` line 23 is in README.md line 23.
 */
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
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

/** The programs of README.md and `src`, as they are now. */
export const all = (): Array<Snippet> => {
  const read = (document: string) => readFileSync(join(root, document), "utf8")
  const documents = globSync(["README.md", "src/**/*.ts"], { cwd: root }).sort()
  return documents.flatMap((document) =>
    document.endsWith(".md") ? fromMarkdown(document, read(document)) : fromSource(document, read(document))
  )
}

/** Where a snippet is written. */
export const fileOf = ({ document, line }: Snippet): string =>
  join(root, ".snippets", `${document.replaceAll("/", ".")}.${line}.ts`)

/** Writes each snippet to its file, and removes the files of earlier ones. */
export const write = (snippets: ReadonlyArray<Snippet>): void => {
  rmSync(join(root, ".snippets"), { force: true, recursive: true })
  mkdirSync(join(root, ".snippets"))
  for (const snippet of snippets) {
    writeFileSync(fileOf(snippet), "\n".repeat(snippet.line - 1) + snippet.code)
  }
}

if (import.meta.main) {
  write(all())
}
