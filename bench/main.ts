/**
 * `npm run bench`: servers side by side over loopback TCP, in one run. `README.md` says how to read what it prints.
 *
 * A round measures every peer once, each in a fresh process, in an order that changes from round to round; ratios are
 * taken within a round. A measurement that other programs disturbed is repeated, and rounds are added while the ratios
 * lie far apart. A peer that fails is left out of the scenario.
 *
 * It ends with code 1 when the reference or hawser was left out of something, at once when a reply was wrong, and with
 * code 2 when it was asked for what there is not.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { cpus, release, tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { guarded } from "./commandLine.ts"
import { compare } from "./compare.ts"
import { WrongReply } from "./failures.ts"
import { checksums, parse, usage } from "./options.ts"
import { page } from "./page.ts"
import { Absent, type Peer } from "./peers.ts"
import { type Contestant, cores, Generator } from "./processes.ts"
import { everybody, type Past, read, recorded } from "./record.ts"
import { leftOutLines, overview, type Result, sorelyMissed, table } from "./report.ts"
import { runScenario } from "./run.ts"
import { scenarios } from "./scenarios.ts"
import { standing } from "./standing.ts"

const recordPath = join(import.meta.dirname, "results/latest.json")

const say = (text: string) => process.stdout.write(`${text}\n`)
const warn = (text: string) => process.stderr.write(`bench: ${text}\n`)

/** Those that can run here; the others are named. */
const prepare = (wanted: ReadonlyArray<Peer>, folder: string): ReadonlyArray<Contestant> =>
  wanted.flatMap(({ command, ...peer }) => {
    try {
      const contestant = { ...peer, command: command(folder) }
      say(`  ${peer.name.padEnd(10)}${peer.about}`)
      return [contestant]
    } catch (error) {
      if (!(error instanceof Absent)) throw error
      say(`  ${peer.name.padEnd(10)}left out: ${error.message}`)
      return []
    }
  })

/** Four digits are more than a measurement is worth. */
const brief = (value: unknown): unknown => typeof value === "number" ? Number(value.toPrecision(4)) : value

const write = (run: Past, json: string | undefined, html: string | undefined) => {
  const { results, ...about } = run
  const file = `${JSON.stringify({ ...about, results }, (_, value) => brief(value), 1)}\n`
  if (json !== undefined) writeFileSync(json, file)
  if (html !== undefined) writeFileSync(html, page(about, results))
}

const measureAll = async (options: ReturnType<typeof parse>, folder: string): Promise<void> => {
  const { compare: comparePath, html, isRecorded, json, time } = options
  const before = comparePath === undefined ? undefined : read("--compare", comparePath)
  const record = isRecorded && existsSync(recordPath) ? read("--record", recordPath) : undefined
  const generator = new Generator(folder)
  const machine = `${cpus()[0]?.model ?? "unknown CPU"} × ${cpus().length}, ${process.platform} ${release()}`
  say(`${machine}, Node ${process.version}; generator: ${generator.about}`)
  say(cores === undefined ? "not pinned to cores: there is one core only, or no taskset" : "one core each, pinned")
  const present = prepare(options.peers, folder)
  const results: Array<Result> = []
  for (const scenario of options.scenarios) {
    const result = await runScenario({ ...options, generator }, scenario, present)
    results.push(result)
    say(table(result, present.filter(({ services }) => services.includes(scenario.service))))
  }
  say(`\n${overview(present, results)}`)
  const leftOut = leftOutLines(results)
  if (leftOut.length > 0) say(`\n${leftOut.join("\n")}`)
  const now: Past = {
    at: new Date().toISOString(),
    machine,
    node: process.version,
    generator: generator.about,
    ...time,
    peers: present.map(({ about, name }) => ({ name, about })),
    results
  }
  write(now, json, html)
  if (isRecorded) {
    const all = recorded(record, now)
    mkdirSync(dirname(recordPath), { recursive: true })
    write({ ...now, peers: everybody(all), results: all }, recordPath, join(import.meta.dirname, "report.html"))
    say(`\nfor README.md, which a test compares with what is recorded:\n\n${standing(all)}`)
  }
  if (before !== undefined) say(`\n${compare(before.results, results)}`)
  const missed = sorelyMissed(results)
  if (missed.length === 0) return
  warn(`${missed.join(" and ")} could not be measured everywhere, so this run ends with code 1`)
  process.exitCode = 1
}

const main = async (options: ReturnType<typeof parse>): Promise<void> => {
  const folder = mkdtempSync(join(tmpdir(), "hawser-bench-"))
  try {
    await measureAll(options, folder)
  } catch (error) {
    if (!(error instanceof WrongReply)) throw error
    warn(`${error.message}; a wrong reply ends the run`)
    process.exitCode = 1
  } finally {
    rmSync(folder, { recursive: true })
  }
}

await guarded("bench", async () => {
  const options = parse(process.argv.slice(2))
  if (options.isHelp) return void say(usage)
  if (options.isList) {
    for (const { name, title } of [...scenarios, checksums]) say(`${name.padEnd(20)}${title}`)
    return
  }
  if (options.scenarios.length > 0) await main(options)
  if (options.hasChecksums && process.exitCode === undefined) await import("./checksums.ts")
})
