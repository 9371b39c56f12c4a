/**
 * `npm run attack`: attacks on a server of hawser, over loopback, beside a well-behaved client. `../README.md` says how to
 * read what it prints.
 *
 * Each attack has a server of its own, in a process of its own. It ends with code 1 when anything did not hold.
 */
import { writeFileSync } from "node:fs"
import { beginning, guarded, readArgs, writable } from "../commandLine.ts"
import { descriptors } from "./descriptors.ts"
import { floods } from "./floods.ts"
import { frames } from "./frames.ts"
import { idle } from "./idle.ts"
import { mixture } from "./mixture.ts"
import { resets } from "./resets.ts"
import { type Attack, type Outcome, Scene } from "./scene.ts"
import { slow } from "./slow.ts"

const attacks: ReadonlyArray<Attack> = [...slow, ...floods, frames, resets, descriptors, idle, mixture]

const usage = `npm run attack [-- NAME ...]     attacks whose names begin so; all without one
  --json FILE        everything measured
  --list             the names`

const say = (text: string) => process.stdout.write(`${text}\n`)

const brief = (value: number | string): string =>
  typeof value === "number" && !Number.isInteger(value) ? String(Number(value.toPrecision(3))) : String(value)

const report = (outcome: Outcome): string => {
  const { checks, figures, seconds, violations } = outcome
  const verdict = violations.length === 0 ? "held" : "VIOLATED"
  return [
    `\n${outcome.name}: ${outcome.title}`,
    ...Object.entries(figures).map(([name, value]) => `  ${name.padEnd(16)}${brief(value)}`),
    `  ${verdict}: ${checks} checks in ${seconds.toFixed(1)} s`,
    ...violations.map((violation) => `  * ${violation}`)
  ].join("\n")
}

/** One line for each attack. */
const table = (outcomes: ReadonlyArray<Outcome>): string => {
  const column = (figure: number | string | undefined) => (figure === undefined ? "" : brief(figure)).padStart(9)
  const heads = ["arrived", "alone p50", "p50 ms", "alone p99", "p99 ms", "kept kB"]
  const keys = ["arrived", "alone p50 ms", "p50 ms", "alone p99 ms", "p99 ms", "kept kB"]
  return [
    `\n${"".padEnd(15)}${heads.map((head) => ` ${head.padStart(9)}`).join("")}   checks`,
    ...outcomes.map(({ checks, figures, name, violations }) => {
      const verdict = violations.length === 0 ? "held" : `${violations.length} VIOLATED`
      const cells = keys.map((key) => ` ${column(figures[key])}`).join("")
      return `${name.padEnd(15)}${cells}   ${String(checks).padStart(6)}  ${verdict}`
    })
  ].join("\n")
}

const play = async (attack: Attack): Promise<Outcome> => {
  try {
    return await Scene.play(attack)
  } catch (error) {
    const { name, title } = attack
    const sentence = error instanceof Error ? error.stack ?? error.message : String(error)
    return { name, title, seconds: 0, figures: {}, violations: [sentence], checks: 0 }
  }
}

await guarded("attack", async () => {
  const { positionals, values: flags } = readArgs(process.argv.slice(2), {
    json: { type: "string" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  })
  const names = beginning("attack", attacks.map(({ name }) => name), positionals)
  const json = writable("--json", flags.json)
  if (flags.help) return void say(usage)
  if (flags.list) {
    for (const { name, title } of attacks) say(`${name.padEnd(20)}${title}`)
    return
  }
  const outcomes: Array<Outcome> = []
  for (const attack of attacks.filter(({ name }) => names.includes(name))) {
    const outcome = await play(attack)
    outcomes.push(outcome)
    say(report(outcome))
  }
  say(table(outcomes))
  const broken = outcomes.filter(({ violations }) => violations.length > 0)
  const seconds = outcomes.reduce((sum, outcome) => sum + outcome.seconds, 0)
  say(`\n${outcomes.length - broken.length} of ${outcomes.length} attacks held off, in ${seconds.toFixed(0)} s`)
  if (json !== undefined) {
    writeFileSync(
      json,
      `${JSON.stringify({ at: new Date().toISOString(), node: process.version, outcomes }, null, 1)}\n`
    )
  }
  if (broken.length > 0) process.exitCode = 1
})
