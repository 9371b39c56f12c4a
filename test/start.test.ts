/** `npm start` and the command `hawser`: which program runs, with which arguments, signals and exit code. */
import { assert, describe, it } from "@effect/vitest"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import * as Clone from "./support/clone.ts"

/** Tells its arguments; or waits, and tells how many signals came until a while after the first. */
const program = `
  const args = process.argv.slice(2)
  if (args[0] === "wait") {
    setTimeout(() => process.exit(99), 20_000)
    const seen: Array<string> = []
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => seen.push(signal))
    const timer = setInterval(() => {
      if (seen.length === 0) return
      clearInterval(timer)
      setTimeout(() => {
        console.log(seen.join())
        process.exit(7)
      }, 300)
    }, 10)
  } else {
    process.exitCode = args[0] === "fail" ? 3 : 0
  }
  console.log(JSON.stringify(args))
`

const clone = (): Clone.Clone => {
  const made = Clone.make("package.json", "package-lock.json", "scripts", "bin")
  Clone.installed(made)
  made.write("src/bin.ts", program)
  return made
}

interface Options {
  readonly cwd: string
  readonly signal?: NodeJS.Signals
  /** As a terminal does it: to npm, its shell and the program at once. */
  readonly toGroup?: boolean
  /** A second one, as soon as the first has arrived. */
  readonly again?: boolean
  /** Variables of the environment besides those of this process. */
  readonly env?: Readonly<Record<string, string>>
}

const run = async (command: string, args: ReadonlyArray<string>, { again, cwd, env, signal, toGroup }: Options) => {
  // Where this process would rather have compiled code is no matter here.
  const { NODE_COMPILE_CACHE: _, ...inherited } = process.env
  const child = spawn(command, args, {
    cwd,
    detached: true,
    env: { ...inherited, ...env },
    killSignal: "SIGKILL",
    stdio: ["ignore", "pipe", "pipe"],
    timeout: 30_000
  })
  let stdout = ""
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const ready = !stdout.includes("[\"wait\"]")
    stdout += text
    if (signal !== undefined && ready && stdout.includes("[\"wait\"]")) {
      process.kill(toGroup === true ? -child.pid! : child.pid!, signal)
      if (again === true) setTimeout(() => child.kill(signal), 20)
    }
  })
  const [exit] = await once(child, "close")
  return { exit, printed: stdout.split("\n").filter((line) => line !== "" && !line.startsWith("> ")) }
}

describe("npm start", () => {
  it.concurrent("runs the tour", async () => {
    using here = clone()
    assert.deepStrictEqual(await run("npm", ["start"], { cwd: here.folder }), { exit: 0, printed: ["[\"tour\"]"] })
  })

  it.concurrent("passes arguments on, and the exit code back", async () => {
    using here = clone()
    assert.deepStrictEqual(await run("npm", ["start", "--", "fail", "a b", "--c"], { cwd: here.folder }), {
      exit: 3,
      printed: ["[\"fail\",\"a b\",\"--c\"]"]
    })
  })

  it.concurrent.each(["SIGINT", "SIGTERM"] as const)("passes %s on", async (signal) => {
    using here = clone()
    assert.deepStrictEqual(await run("npm", ["start", "--", "wait"], { cwd: here.folder, signal }), {
      exit: 7,
      printed: ["[\"wait\"]", signal]
    })
  })

  it.concurrent("makes one signal of a Ctrl-C, which npm doubles", async () => {
    using here = clone()
    const options = { cwd: here.folder, signal: "SIGINT", toGroup: true } as const
    assert.deepStrictEqual(await run("npm", ["start", "--", "wait"], options), {
      exit: 7,
      printed: ["[\"wait\"]", "SIGINT"]
    })
  })
})

describe("the command", () => {
  it.concurrent("takes a signal that comes twice at once for one", async () => {
    using here = clone()
    const options = { cwd: here.folder, signal: "SIGTERM", again: true } as const
    assert.deepStrictEqual(await run(process.execPath, ["bin/hawser.js", "wait"], options), {
      exit: 7,
      printed: ["[\"wait\"]", "SIGTERM"]
    })
  })

  it.concurrent("runs the sources in a clone", async () => {
    using here = clone()
    assert.deepStrictEqual(await run(process.execPath, [join(here.folder, "bin/hawser.js"), "fail"], { cwd: "/" }), {
      exit: 3,
      printed: ["[\"fail\"]"]
    })
  })

  it.concurrent("runs what is built where there are no scripts", async () => {
    using here = Clone.make("package.json", "bin")
    here.write("dist/bin.js", "console.log(\"built\", ...process.argv.slice(2))")
    assert.deepStrictEqual(await run(process.execPath, [join(here.folder, "bin/hawser.js"), "a"], { cwd: "/" }), {
      exit: 0,
      printed: ["built a"]
    })
  })

  it.concurrent("keeps compiled code in the folder for temporary files, and nowhere else", async () => {
    using here = Clone.make("package.json", "bin")
    using temporary = Clone.make()
    here.write("dist/bin.js", "console.log(\"built\")")
    const before = readdirSync(here.folder, { recursive: true })
    for (let i = 0; i < 2; i++) {
      assert.deepStrictEqual(
        await run(process.execPath, ["bin/hawser.js"], { cwd: here.folder, env: { TMPDIR: temporary.folder } }),
        { exit: 0, printed: ["built"] }
      )
    }
    assert.deepStrictEqual(readdirSync(temporary.folder), ["node-compile-cache"])
    assert.deepStrictEqual(readdirSync(here.folder, { recursive: true }), before)
  })

  it.concurrent.each(["not there", "a file"])("runs where the folder for temporary files is %s", async (what) => {
    using here = Clone.make("package.json", "bin")
    here.write("dist/bin.js", "console.log(\"built\")")
    // Below /proc no folder can be made, not even by root, for whom no other folder is read-only.
    const env = { TMPDIR: what === "a file" ? join(here.folder, "package.json") : "/proc/none" }
    assert.deepStrictEqual(await run(process.execPath, ["bin/hawser.js"], { cwd: here.folder, env }), {
      exit: 0,
      printed: ["built"]
    })
  })
})
