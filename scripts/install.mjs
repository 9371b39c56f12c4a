/**
 * Installs the dependencies if node_modules does not hold what package-lock.json asks for, and does nothing otherwise.
 *
 * It is the first step of `npm start`, `npm test` and the like, so it is plain JavaScript for whatever Node the machine
 * has: the Node of the project is one of the dependencies. It is a step of its own because a shell remembers where it
 * found `node`: the next step, in a new shell, finds node_modules/.bin/node.
 *
 * npm keeps a copy of what it installed in node_modules/.package-lock.json and writes it last, so an installation that
 * was interrupted does not count, and one that somebody made by hand does.
 */
import { spawnSync } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const root = dirname(dirname(fileURLToPath(import.meta.url)))

const readPackages = (path) => {
  try {
    return JSON.parse(readFileSync(join(root, path), "utf8")).packages
  } catch {
    return undefined
  }
}

/** What keeps node_modules from being what the lock file says, or undefined. */
const missing = () => {
  const wanted = readPackages("package-lock.json")
  const installed = readPackages("node_modules/.package-lock.json")
  if (wanted === undefined) return "package-lock.json cannot be read"
  if (installed === undefined) return "node_modules is not there"
  for (const [path, { integrity, optional, version }] of Object.entries(wanted)) {
    if (path === "") continue
    const found = installed[path]
    if (found === undefined && optional) continue
    if (found?.version !== version || found.integrity !== integrity) return `${path} is not at ${version}`
  }
  if (!existsSync(join(root, "node_modules/.bin/node"))) {
    return "npm did not run the install script of the package \"node\""
  }
  return undefined
}

const fail = (why) => {
  process.stderr.write(`hawser: the dependencies could not be installed: ${why}. \`npm ci\` shows everything.\n`)
  process.exit(1)
}

/** The line of npm's output that says what is wrong; the others name codes, paths and log files. */
const firstReason = (output) => {
  const lines = output.split("\n").map((line) => line.trim())
  const compiler = lines.find((line) => /error TS\d+/.test(line))
  const npm = lines.filter((line) => /^npm (error|ERR!)/.test(line)).map((line) =>
    line.replace(/^npm (error|ERR!) ?/, "")
  )
  const told = npm.find((line) =>
    line !== "" && !/^(code|errno|syscall|path|command|A complete log|Lifecycle)\b/.test(line)
  )
  return compiler ?? told ?? lines.filter((line) => line !== "").at(-1) ?? "npm said nothing"
}

if (missing() !== undefined) {
  process.stderr.write("hawser: installing the dependencies ...\n")
  // npm tells its scripts where it is; another package manager names itself there, and is not asked.
  const cli = process.env.npm_execpath ?? ""
  const [command, first] = cli.endsWith("npm-cli.js") ? [process.execPath, [cli]] : ["npm", []]
  const { error, signal, status, stderr, stdout } = spawnSync(
    command,
    [...first, "ci", "--include=dev", "--include=optional", "--no-audit", "--no-fund"],
    { cwd: root, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] }
  )
  if (error !== undefined) fail(`${command} did not start (${error.message})`)
  if (signal !== null) fail(`npm ci was ended by ${signal}`)
  if (status !== 0) fail(`npm ci exited with ${status} (${firstReason(`${stdout}\n${stderr}`)})`)
  const still = missing()
  if (still !== undefined) fail(still)
}
