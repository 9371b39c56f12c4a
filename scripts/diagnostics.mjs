/**
 * Runs Effect's own diagnostics (a floating Effect, a missing `yield*`, a leaked requirement) over the project.
 *
 * The tool is not a dependency: its package lacks some platforms' binaries in the registry, and a lock file that names
 * them breaks `npm ci`. npm downloads it once and keeps it in its cache. It ends with 0 when it checks no file at all,
 * as it does without its entry under `plugins` in tsconfig.json, hence the look at what it says.
 */
import { spawnSync } from "node:child_process"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cli = process.env.npm_execpath ?? ""
const [npm, first] = cli.endsWith("npm-cli.js") ? [process.execPath, [cli]] : ["npm", []]

const diagnose = (...options) => {
  const tool = "effect-tsgo diagnostics --project tsconfig.json --format text --strict".split(" ")
  const args = [
    ...first,
    "exec",
    "--yes",
    "--loglevel=error",
    ...options,
    "--package=@effect/tsgo@0.45.0",
    "--",
    ...tool
  ]
  const { status, stderr, stdout } = spawnSync(npm, args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"]
  })
  const [, checked, all] = /Checked (\d+) files? out of (\d+)/.exec(stdout ?? "") ?? []
  return { all, checked, ran: all !== undefined, status, stderr, stdout }
}

let outcome = diagnose("--offline") // npm asks the registry each time otherwise, and fails without a network
if (!outcome.ran) {
  process.stderr.write("hawser: downloading the Effect diagnostics ...\n")
  outcome = diagnose()
}
const { all, checked, ran, status, stderr, stdout } = outcome
if (!ran) {
  process.stderr.write(`${stderr ?? ""}${stdout ?? ""}hawser: the Effect diagnostics did not run.\n`)
  process.exit(1)
}
if (status !== 0) process.stdout.write(stdout)
if (checked === "0" || checked !== all) {
  process.stderr.write(`hawser: the Effect diagnostics looked at ${checked} of ${all} files.\n`)
  process.exit(1)
}
process.exit(status ?? 1)
