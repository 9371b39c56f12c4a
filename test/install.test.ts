import { assert, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { cpSync, existsSync, readFileSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { root } from "../scripts/snippets.ts"
import * as Clone from "./support/clone.ts"

/** In place of npm: says that it was called, and does what the test tells it. */
const npm = (body: string) => `
  const { writeFileSync, cpSync, mkdirSync } = require("node:fs")
  writeFileSync("called", process.argv.slice(2).join(" "))
  ${body}
`

const fill = `
  mkdirSync("node_modules/.bin", { recursive: true })
  writeFileSync("node_modules/.bin/node", "")
  cpSync(${JSON.stringify(join(root, "node_modules/.package-lock.json"))}, "node_modules/.package-lock.json")
`

const install = (here: Clone.Clone, body: string) => {
  here.write("npm-cli.js", npm(body))
  const { status, stderr, stdout } = spawnSync(process.execPath, ["scripts/install.mjs"], {
    cwd: here.folder,
    encoding: "utf8",
    env: { ...process.env, npm_execpath: join(here.folder, "npm-cli.js") }
  })
  const called = existsSync(join(here.folder, "called")) ? readFileSync(join(here.folder, "called"), "utf8") : undefined
  return { called, status, stderr, stdout }
}

const clone = () => {
  const made = Clone.make("package-lock.json", "scripts")
  made.write("package.json", "{}") // without "type", for the npm that is CommonJS
  return made
}

const ci = "ci --include=dev --include=optional --no-audit --no-fund"
const installing = "hawser: installing the dependencies ...\n"

it("installs what is missing, and the second time nothing", () => {
  using here = clone()
  assert.deepStrictEqual(install(here, fill), { called: ci, status: 0, stderr: installing, stdout: "" })
  writeFileSync(join(here.folder, "called"), "no")
  assert.deepStrictEqual(install(here, fill), { called: "no", status: 0, stderr: "", stdout: "" })
})

it("installs again when the lock file asks for something else", () => {
  using here = clone()
  install(here, fill)
  const changed = readFileSync(join(root, "package-lock.json"), "utf8").replace(
    "\"version\": \"4.1.0\"",
    "\"version\": \"4.1.1\""
  )
  here.write("package-lock.json", changed)
  assert.deepStrictEqual(install(here, `${fill}; process.exit(0)`), {
    called: ci,
    status: 1,
    stderr:
      `${installing}hawser: the dependencies could not be installed: node_modules/@effect/platform-node is not at 4.1.1. \`npm ci\` shows everything.\n`,
    stdout: ""
  })
})

it("fails with the reason npm gives", () => {
  using here = clone()
  const body = `
    console.error("npm error code ENOTFOUND")
    console.error("npm error network request to x failed")
    process.exit(3)
  `
  assert.deepStrictEqual(install(here, body), {
    called: ci,
    status: 1,
    stderr:
      `${installing}hawser: the dependencies could not be installed: npm ci exited with 3 (network request to x failed). \`npm ci\` shows everything.\n`,
    stdout: ""
  })
})

it("tells that install scripts are off", () => {
  using here = clone()
  const body = fill.replace("writeFileSync(\"node_modules/.bin/node\", \"\")", "")
  assert.match(install(here, body).stderr, /npm did not run the install script of the package "node"/)
})

it("is satisfied with what somebody else installed", () => {
  using here = clone()
  cpSync(join(root, "node_modules/.package-lock.json"), join(here.folder, "node_modules/.package-lock.json"))
  cpSync(join(root, "node_modules/.bin/node"), join(here.folder, "node_modules/.bin/node"))
  assert.deepStrictEqual(install(here, ""), { called: undefined, status: 0, stderr: "", stdout: "" })
})
