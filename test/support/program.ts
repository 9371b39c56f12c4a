/** Runs a TypeScript file as its own process, against the sources in `src`, and tells how it ended. */
import { spawn } from "node:child_process"
import { root } from "../../scripts/snippets.ts"

export interface Outcome {
  readonly exit: number | NodeJS.Signals | "ran too long" | null
  readonly stdout: string
  readonly stderr: string
}

/** A program of the documentation takes well under a second; the rest is for a busy machine. */
export const limitMillis = 20_000

/** How long a program may go on after it has printed everything, until it is taken for a server. */
const patienceMillis = 1_000

/**
 * Where `until` is given, a program that goes on after it has printed that gets a Ctrl-C, as its reader would do: this
 * is how a server that never ends by itself is shown to end.
 */
export const run = (file: string, until?: string): Promise<Outcome> =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, ["--conditions=hawser-source", file], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let stdout = ""
    let stderr = ""
    let late = false
    const limit = setTimeout(() => {
      late = true
      child.kill("SIGKILL")
    }, limitMillis)
    let patience: NodeJS.Timeout | undefined
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      clearTimeout(patience)
      if (stdout === until) patience = setTimeout(() => child.kill("SIGINT"), patienceMillis)
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("close", (code, signal) => {
      clearTimeout(limit)
      clearTimeout(patience)
      resolve({ exit: late ? "ran too long" : code ?? signal, stdout, stderr })
    })
  })
