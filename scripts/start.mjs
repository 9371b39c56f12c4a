/**
 * `npm start`: runs the program from its sources, and the tour when nothing else is asked for.
 *
 * It runs in the process that `exec` put in place of npm's shell, so that a signal to npm arrives here and the exit code
 * arrives there: dash, as the shell, would end at once and leave the program behind.
 */
import "../bin/signals.js"
import { fileURLToPath } from "node:url"

if (process.argv.length === 2) process.argv.push("tour")
process.argv[1] = fileURLToPath(new URL("../src/bin.ts", import.meta.url))
await import("../src/bin.ts")
