/** What `npm run bench` is asked for. */
import { existsSync } from "node:fs"
import { basename, resolve } from "node:path"
import { beginning, Misuse, number, readArgs, writable } from "./commandLine.ts"
import { ofTree, type Peer, peers, reference } from "./peers.ts"
import { type Scenario, scenarios } from "./scenarios.ts"

export const usage = `npm run bench [-- NAME ...]      scenarios whose names begin so; all without one
  --peers A,B        only these, besides ${reference}
  --rounds N         at least N rounds (5)
  --max-rounds N     no more than N while the ratios lie far apart (twice --rounds)
  --seconds S        measured time of a run (1.5), after --warmup S (2)
  --tree FOLDER      also the hawser of another working tree, such as one with a change to try; may be repeated
  --json FILE        everything measured
  --html FILE        the same as a page with plots
  --compare FILE     what is different from the --json of an earlier run, and how sure that is
  --record           writes bench/results/latest.json and bench/report.html, which are kept with the sources; of the
                     scenarios that are not measured now, what an earlier run on this machine recorded stays
  --cpu-prof FOLDER  a CPU profile of every server (one round is enough)
  --list             the names`

/** Another kind of benchmark: in this process, with no server and no generator. */
export const checksums = { name: "checksums", title: "CRCs beside the packages that compute them" }

const tree = (folder: string): Peer => {
  if (!existsSync(resolve(folder, "bench/servers/hawser.ts"))) {
    throw new Misuse(`--tree "${folder}" is no working tree of hawser: it has no bench/servers/hawser.ts`)
  }
  return ofTree(basename(resolve(folder)), resolve(folder))
}

const chosenPeers = (list: string | undefined): ReadonlyArray<Peer> => {
  const names = list?.split(",") ?? peers.map(({ name }) => name)
  const stray = names.find((wanted) => peers.every(({ name }) => name !== wanted))
  if (stray !== undefined) {
    throw new Misuse(`there is no peer "${stray}"; there are ${peers.map(({ name }) => name).join(", ")}`)
  }
  return peers.filter(({ name }) => name === reference || names.includes(name))
}

const isCount = (value: number) => Number.isInteger(value) && value >= 1

/** Throws `Misuse`. */
export const parse = (args: ReadonlyArray<string>) => {
  const { positionals, values } = readArgs(args, {
    peers: { type: "string" },
    rounds: { type: "string", default: "5" },
    "max-rounds": { type: "string" },
    seconds: { type: "string", default: "1.5" },
    warmup: { type: "string", default: "2" },
    tree: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    html: { type: "string" },
    compare: { type: "string" },
    record: { type: "boolean", default: false },
    "cpu-prof": { type: "string" },
    list: { type: "boolean", default: false },
    help: { type: "boolean", default: false }
  })
  const names = beginning("scenario", [...scenarios, checksums].map(({ name }) => name), positionals)
  const rounds = number("--rounds", values.rounds, "a whole number from 1 on", isCount)
  const most = values["max-rounds"] ?? String(rounds * 2)
  return {
    scenarios: scenarios.filter(({ name }) => names.includes(name)) satisfies ReadonlyArray<Scenario>,
    hasChecksums: names.includes(checksums.name),
    peers: [...chosenPeers(values.peers), ...values.tree.map(tree)],
    rounds,
    maxRounds: number(
      "--max-rounds",
      most,
      `a whole number from --rounds (${rounds}) on`,
      (value) => isCount(value) && value >= rounds
    ),
    time: {
      warmup: number("--warmup", values.warmup, "a number of seconds from 0 on", (value) => value >= 0),
      seconds: number("--seconds", values.seconds, "a number of seconds above 0", (value) => value > 0)
    },
    json: writable("--json", values.json),
    html: writable("--html", values.html),
    compare: values.compare,
    isRecorded: values.record,
    profileFolder: values["cpu-prof"],
    isList: values.list,
    isHelp: values.help
  }
}
