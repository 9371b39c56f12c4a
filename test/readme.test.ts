import { assert, describe, it } from "@effect/vitest"
import { all, fileOf, fromMarkdown, fromSource, hasTests, root, write } from "../scripts/snippets.ts"
import { limitMillis, run } from "./support/program.ts"

const markdown = `
Intro, which prints:

\`\`\`sh
not this
\`\`\`

\`\`\`ts
first()
\`\`\`

It prints:

\`\`\`text
one
\`\`\`

\`\`\`ts
second()
\`\`\`

Some other text:

\`\`\`text
two
\`\`\`
`

describe("finding programs", () => {
  it("in Markdown, with what they print", () => {
    assert.deepStrictEqual(fromMarkdown("a.md", markdown), [
      { document: "a.md", line: 9, code: "first()\n", prints: "one\n" },
      { document: "a.md", line: 19, code: "second()\n", prints: undefined }
    ])
  })

  it("in the comments of a source, at their own line", () => {
    const source =
      "const a = 1\n/**\n * Text.\n *\n * ```ts\n * if (a) {\n *   b()\n *\n * }\n * ```\n */\nconst b = 2\n"
    assert.deepStrictEqual(fromSource("b.ts", `${source}/* \`\`\`ts */`), [
      { document: "b.ts", line: 6, code: "if (a) {\n  b()\n\n}\n", prints: undefined }
    ])
  })

  it("refuses a block without an end, and an output without a program", () => {
    assert.throws(() => fromMarkdown("c.md", "```ts\nx\n"), "c.md:1: the block that begins here has no end")
    assert.throws(
      () => fromMarkdown("d.md", "prints:\n```text\nx\n```\n"),
      "d.md:2: this output belongs to no program"
    )
  })
})

describe("where programs are written", () => {
  const at = (code: string, line = 9) => ({ document: "docs/a.md", line, code, prints: undefined })

  it("is a file of their own, or the one that they begin with", () => {
    assert.deepStrictEqual(
      [at("first()\n"), at("// b.ts\nfirst()\n"), at("// so b.ts\n"), at("// ../b.ts\n"), at("a()\n// b.ts\n")].map(
        fileOf
      ),
      ["docs.a.md.9.ts", "b.ts", "docs.a.md.9.ts", "docs.a.md.9.ts", "docs.a.md.9.ts"].map((name) =>
        `${root}/.snippets/${name}`
      )
    )
  })

  it("is no file that another one is written to", () => {
    assert.throws(
      () => write([at("// b.ts\nfirst()\n", 1), at("// b.ts\nsecond()\n", 5)]),
      "docs/a.md:5: another block is b.ts too"
    )
  })
})

const snippets = all()
write(snippets)
const tests = snippets.filter(hasTests)
const programs = snippets.filter((snippet) => !hasTests(snippet))

it("README.md shows a program and what it prints", () => {
  const shown = snippets.filter(({ document, prints }) => document === "README.md" && prints !== undefined)
  assert.isAbove(shown.length, 0)
})

it("docs/simulation.md shows tests, and programs with what they print", () => {
  const isGuide = ({ document }: typeof snippets[number]) => document === "docs/simulation.md"
  assert.isAbove(tests.filter(isGuide).length, 0)
  assert.isAbove(programs.filter((program) => isGuide(program) && program.prints !== undefined).length, 0)
  // What tests print goes elsewhere.
  assert.deepStrictEqual(tests.filter(({ prints }) => prints !== undefined), [])
})

describe("the tests at", () => {
  describe.each(tests.map((snippet) => [`${snippet.document}:${snippet.line}`, snippet] as const))(
    "%s",
    async (_, snippet) => void await import(fileOf(snippet))
  )
})

describe("the program at", () => {
  it.concurrent.each(programs.map((snippet) => [`${snippet.document}:${snippet.line}`, snippet] as const))(
    "%s runs",
    async (_, snippet) => {
      const { exit, stderr, stdout } = await run(fileOf(snippet), snippet.prints)
      // Having printed everything, a server is ended with Ctrl-C.
      const ended = stdout === snippet.prints && (exit === 130 || exit === "SIGINT") ? 0 : exit
      assert.deepStrictEqual(
        { exit: ended, stdout, stderr },
        { exit: 0, stdout: snippet.prints ?? stdout, stderr: "" }
      )
    },
    limitMillis + 5_000
  )
})
