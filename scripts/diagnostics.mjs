/**
 * Runs Effect's own diagnostics (a floating Effect, a missing `yield*`, a leaked requirement) over the project.
 *
 * The tool is not a dependency: its package lacks some platforms' binaries in the registry, and a lock file that names
 * them breaks `npm ci`. npm keeps it in its cache, so it is downloaded once. It ends with 0 when it checks no file at
 * all, as it does without its entry under `plugins` in tsconfig.json, hence the look at what it says.
 */
import { spawnSync } from "node:child_process"
import { dirname } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const cli = process.env.npm_execpath ?? ""
const [command, first] = cli.endsWith("npm-cli.js") ? [process.execPath, [cli]] : ["npm", []]
const { error, status, stderr, stdout } = spawnSync(
  command,
  [
    ...first,
    "exec",
    "--yes",
    "--package=@effect/tsgo@0.45.0",
    "--",
    "effect-tsgo",
    "diagnostics",
    "--project",
    "tsconfig.json",
    "--format",
    "text",
    "--strict"
  ],
  { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] }
)
const summary = /Checked (\d+) files? out of (\d+)/.exec(stdout ?? "")
if (error !== undefined || summary === null) {
  process.stderr.write(
    `${stderr ?? ""}hawser: the Effect diagnostics did not run; the first time, npm downloads them.\n`
  )
  process.exit(1)
}
if (status !== 0) process.stdout.write(stdout)
if (summary[1] === "0" || summary[1] !== summary[2]) {
  process.stderr.write(`hawser: the Effect diagnostics looked at ${summary[1]} of ${summary[2]} files.\n`)
  process.exit(1)
}
process.exit(status ?? 1)
