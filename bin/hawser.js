#!/usr/bin/env node
/**
 * The command `hawser`: the built program where the package is installed, the sources in a clone.
 *
 * Plain JavaScript that any Node can read, for two reasons: `npx hawser` in a clone finds this file before anything is
 * installed or built, and a Node that is too old for the program gets a sentence instead of a stack trace.
 */
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import module from "node:module"
import { tmpdir } from "node:os"
import { fileURLToPath } from "node:url"
import "./signals.js"

// A fifth of the start-up. The cache is Node's own, in the folder for temporary files; where that cannot be written there
// is none, and NODE_DISABLE_COMPILE_CACHE=1 switches it off. Node 20 does not have it. Asked first whether the folder is
// there: below /proc, where folders cannot be made, Node 26 tries for ever.
if (existsSync(tmpdir())) module.enableCompileCache?.()

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)
const newEnough = major > 22 || (major === 22 && minor >= 19)

// Only a clone has the installer; the published package does not.
const installer = new URL("../scripts/install.mjs", import.meta.url)
const sources = new URL("../src/bin.ts", import.meta.url)

if (!existsSync(installer)) {
  if (newEnough) {
    await import("../dist/bin.js")
  } else {
    process.stderr.write(`hawser: needs Node 22.19 or newer, and this is ${process.version}.\n`)
    process.exitCode = 2
  }
} else {
  await import(installer.href)
  if (newEnough) {
    await import(sources.href)
  } else {
    runElsewhere(fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url)), fileURLToPath(sources))
  }
}

/** Runs the program with the clone's own Node, and ends as it ends. */
function runElsewhere(node, program) {
  const child = spawn(node, [program, ...process.argv.slice(2)], { stdio: "inherit" })
  const forward = (signal) => {
    // A terminal sends Ctrl-C to the child as well; a second one would end it at once.
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"]
  for (const signal of signals) process.on(signal, forward)
  child.on("exit", (code, signal) => {
    for (const signal of signals) process.off(signal, forward)
    if (signal === null) process.exit(code)
    process.kill(process.pid, signal)
  })
}
