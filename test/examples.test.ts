import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../scripts/snippets.ts"
import { limitMillis, run } from "./support/program.ts"

const maxLines = 60

const examples = globSync("examples/*.ts", { cwd: root }).sort()

/** What an example says it prints: the comment lines below `// Prints:`, at its end. */
const promised = (source: string): string | undefined =>
  /^\/\/ Prints:\n((?:\/\/.*\n)*)$/m.exec(source)?.[1]?.replaceAll(/^\/\/ {0,3}/gm, "")

it("the comment at the end of an example is its output", () => {
  assert.strictEqual(promised("run()\n\n// Prints:\n//   one\n//\n//     two\n"), "one\n\n  two\n")
  assert.strictEqual(promised("run()\n\n// Prints:\n"), "")
  assert.strictEqual(promised("run()\n\n// Prints:\n//   one\nstop()\n"), undefined)
  assert.strictEqual(promised("run()\n"), undefined)
})

it("there are examples, and their names are numbered", () => {
  assert.isAbove(examples.length, 0)
  assert.deepStrictEqual(examples.filter((name) => !/^examples\/\d\d-[a-z0-9-]+\.ts$/.test(name)), [])
})

describe.each(examples)("%s", (name) => {
  const source = readFileSync(join(root, name), "utf8")

  it(`has at most ${maxLines} lines`, () => {
    assert.isAtMost(source.split("\n").length - 1, maxLines)
  })

  it.concurrent("prints what it says", async () => {
    const { exit, stderr, stdout } = await run(join(root, name))
    assert.deepStrictEqual({ exit, stdout, stderr }, {
      exit: 0,
      stdout: promised(source) ?? "(no // Prints: at the end)",
      stderr: ""
    })
  }, limitMillis + 5_000)
})
