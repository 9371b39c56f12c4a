/**
 * The servers that are compared, and what each needs to run. What a machine lacks is named, never passed over in silence.
 *
 * A server is any program that takes a service and a number of connections, prints `{"port":N}` and stops when its stdin
 * ends.
 */
import { spawnSync } from "node:child_process"
import { cpSync, readdirSync } from "node:fs"
import { join, resolve } from "node:path"
import type { Service } from "./servers/control.ts"

const servers = join(import.meta.dirname, "servers")
const clients = join(import.meta.dirname, "clients")

/** A server to compare with. */
export interface Peer {
  readonly name: string
  readonly about: string
  /** The services it has. */
  readonly services: ReadonlyArray<Service>
  /** Whether it runs in Node, takes Node's flags, and says how much memory it uses after a garbage collection. */
  readonly isNode: boolean
  /** How its client is started, where it has one. */
  readonly client?: ReadonlyArray<string>
  /** How it is started; it may compile something into the folder first. Throws `Absent`. */
  readonly command: (folder: string) => ReadonlyArray<string>
}

/** What the machine lacks for a peer. */
export class Absent extends Error {}

/** The peer that all ratios are to. */
export const reference = "plain"

const run = (command: string, args: ReadonlyArray<string>, cwd?: string) =>
  spawnSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] })

/** Runs a tool; what is missing on the machine is an `Absent`, and so is what does not compile there. */
const needs = (what: string, command: string, args: ReadonlyArray<string>, cwd?: string): string => {
  const { error, status, stderr, stdout } = run(command, args, cwd)
  if (error !== undefined) throw new Absent(`the machine has no ${what}`)
  if (status !== 0) throw new Absent(`${what}: ${stderr.trim().split("\n").at(-1) ?? `exit code ${status}`}`)
  return stdout
}

const node = (file: string): ReadonlyArray<string> => [process.execPath, "--conditions=hawser-source", file]

const inNode = (name: string, about: string, services: ReadonlyArray<Service>): Peer => ({
  name,
  about,
  services,
  isNode: true,
  command: () => node(join(servers, `${name}.ts`)),
  ...services.includes("calls") ? { client: node(join(clients, `${name}.ts`)) } : {}
})

const foreign = (name: string, about: string, command: (folder: string) => ReadonlyArray<string>): Peer => ({
  name,
  about,
  services: ["echo", "reverse", "start"],
  isNode: false,
  command
})

const python = (file: string) => () => {
  needs("python3", "python3", ["--version"])
  return ["python3", join(servers, file)]
}

const go = (folder: string) => {
  const program = join(folder, "goroutines")
  needs("Go (Debian: golang-go)", "go", ["build", "-o", program, join(servers, "goroutines.go")])
  return [program]
}

const erlang = (folder: string) => {
  needs("Erlang (Debian: erlang-base)", "erlc", ["-o", folder, join(servers, "processes.erl")])
  return ["erl", "-noshell", "-noinput", "-pa", folder, "-run", "processes", "main"]
}

/** Where Debian keeps the sources of its Rust packages. */
const debianCrates = "/usr/share/cargo/registry"

const rust = (folder: string) => {
  cpSync(join(servers, "tokio"), join(folder, "tokio"), { recursive: true })
  needs("Rust with tokio (Debian: cargo, librust-tokio-dev)", "cargo", [
    "build",
    "--release",
    "--quiet",
    "--offline",
    ...["source.crates-io.replace-with=\"debian\"", `source.debian.directory="${debianCrates}"`].flatMap((setting) => [
      "--config",
      setting
    ])
  ], join(folder, "tokio"))
  return [join(folder, "tokio/target/release/tokio-server")]
}

/** Where Debian keeps its Java libraries. */
const debianJars = "/usr/share/java"

const java = (folder: string) => {
  const what = "Java with Netty (Debian: default-jdk-headless, libnetty-java)"
  const jars = (() => {
    try {
      // The jar of all is empty in Debian.
      return readdirSync(debianJars).filter((name) => /^netty-[a-z-]+\.jar$/.test(name) && name !== "netty-all.jar")
    } catch {
      return []
    }
  })()
  if (jars.length === 0) throw new Absent(`the machine has no ${what}`)
  const path = [folder, ...jars.map((name) => join(debianJars, name))].join(":")
  needs(what, "javac", ["-cp", path, "-d", folder, join(servers, "NettyServer.java")])
  return ["java", "-cp", path, "NettyServer"]
}

/** What `npm run build` makes, built anew; a shell passes over what the suite asks of other servers. */
const program = (workers: number): Peer => ({
  name: workers === 1 ? "program" : `workers${workers}`,
  about: workers === 1 ? "hawser serve echo, the built program" : `hawser serve echo --workers ${workers}`,
  services: workers === 1 ? ["start", "workers"] : ["workers"],
  isNode: false,
  command: () => {
    needs("build of hawser", "npm", ["run", "--silent", "build"], join(servers, "../.."))
    const serve = `exec "$0" "$1" serve echo --port 0 --json --workers ${workers}`
    return ["sh", "-c", serve, process.execPath, join(servers, "../../dist/bin.js")]
  }
})

/** A hawser of another working tree. */
export const ofTree = (name: string, folder: string): Peer => ({
  ...inNode(name, `hawser's server in ${folder}`, ["echo", "reverse"]),
  command: () => node(resolve(folder, "bench/servers/hawser.ts"))
})

export const peers: ReadonlyArray<Peer> = [
  inNode("plain", "node:net, written with care", [
    "echo",
    "reverse",
    "checked",
    "tls",
    "start",
    "drain",
    "calls",
    "workers"
  ]),
  inNode("cluster", "node:cluster, four processes of plain", ["workers"]),
  inNode("beginner", "node:net, as written at first", ["echo", "reverse", "start"]),
  inNode("effect", "Effect's NodeSocketServer, one write per batch", [
    "echo",
    "reverse",
    "checked",
    "tls",
    "start",
    "drain"
  ]),
  inNode("hawser", "hawser's Server.layer with its defaults, requests lent", [
    "echo",
    "reverse",
    "checked",
    "tls",
    "start",
    "drain",
    "calls"
  ]),
  inNode("owned", "the same with all its defaults: requests owned", ["echo", "checked"]),
  ...[1, 2, 4].map(program),
  foreign("threads", "Python, the tutorial's thread per connection", python("threads.py")),
  foreign("asyncio", "Python asyncio", python("event_loop.py")),
  foreign("go", "Go, a goroutine per connection", go),
  foreign("erlang", "Erlang gen_tcp, a process per connection", erlang),
  foreign("tokio", "Rust, tokio on one thread", rust),
  foreign("netty", "Java, Netty on one event loop", java)
]
