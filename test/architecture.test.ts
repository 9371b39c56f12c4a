/**
 * The import rules of ARCHITECTURE.md, checked on the import lines of `src`.
 *
 * A module imports its own level and lower ones, never in a circle. Only the files that know Node import Node. The
 * services and the command-line program use what everybody can use.
 */
import { assert, describe, it } from "@effect/vitest"
import { globSync, readFileSync } from "node:fs"
import { basename, dirname, join, posix } from "node:path"
import { fileURLToPath } from "node:url"

/** The level of each module of the library. A new file gets a line here. */
const levels: Readonly<Record<string, number>> = {
  "Endpoint.ts": 0,
  "CloseReason.ts": 0,
  "BitString.ts": 0,
  "Checksum.ts": 0,
  "Crc.ts": 0,
  "CrcCatalogue.ts": 0,
  "CrcDetection.ts": 0,
  "Networks.ts": 0,
  "Parity.ts": 0,
  "PeerKey.ts": 0,
  "ProxyHeader.ts": 0,
  "ProxyTlv.ts": 0,
  "internal/crcAlgorithm.ts": 0,
  "internal/crcBitwise.ts": 0,
  "internal/crcCatalogueData.ts": 0,
  "internal/crcEngine.ts": 0,
  "internal/crcNarrow.ts": 0,
  "internal/crcTable.ts": 0,
  "internal/crcWide.ts": 0,
  "internal/endpointIp.ts": 0,
  "internal/gf2.ts": 0,
  "internal/gf2Search.ts": 0,
  "internal/nativeCrc32.ts": 0,
  "internal/networkTable.ts": 0,
  "internal/proxyEnds.ts": 0,
  "internal/proxyHeaderError.ts": 0,
  "internal/proxyParser.ts": 0,
  "internal/proxyTlv.ts": 0,
  "internal/proxyV1.ts": 0,
  "internal/proxyV2.ts": 0,
  "ByteWriter.ts": 1,
  "Codec.ts": 1,
  "Framing.ts": 1,
  "internal/checkedFraming.ts": 1,
  "internal/checksumField.ts": 0,
  "internal/chunksDecoder.ts": 1,
  "internal/codecReader.ts": 1,
  "internal/content.ts": 1,
  "internal/decoder.ts": 1,
  "internal/delimitedDecoder.ts": 1,
  "internal/escapedDecoder.ts": 1,
  "internal/escapedFraming.ts": 1,
  "internal/frameBuffer.ts": 1,
  "internal/framingOptions.ts": 1,
  "internal/measuredDecoder.ts": 1,
  "internal/measuredFraming.ts": 1,
  "internal/sizedDecoder.ts": 1,
  "internal/stuffing.ts": 1,
  "internal/bytePool.ts": 0,
  "internal/textLines.ts": 1,
  "internal/wrappedDecoder.ts": 1,
  "Connection.ts": 2,
  "Transport.ts": 2,
  "NodeTransport.ts": 2,
  "MemoryTransport.ts": 2,
  "NodeTls.ts": 2,
  "Tls.ts": 2,
  "internal/bindError.ts": 2,
  "internal/connectReasons.ts": 2,
  "internal/connection.ts": 2,
  "internal/connectionMachine.ts": 2,
  "internal/dueHeap.ts": 2,
  "internal/ends.ts": 2,
  "internal/expiry.ts": 2,
  "internal/inbox.ts": 2,
  "internal/lend.ts": 2,
  "internal/line.ts": 2,
  "internal/memorySocket.ts": 2,
  "internal/nodeDuplex.ts": 2,
  "internal/nodeListen.ts": 2,
  "internal/nodeNames.ts": 2,
  "internal/nodeDepartures.ts": 2,
  "internal/nodeWriting.ts": 2,
  "internal/nodeSocket.ts": 2,
  "internal/nodeTls.ts": 2,
  "internal/nodeTlsContext.ts": 2,
  "internal/nodeTlsErrors.ts": 2,
  "internal/nodeTlsLazy.ts": 2,
  "internal/nodeTlsRole.ts": 2,
  "internal/outbox.ts": 2,
  "internal/proxySend.ts": 2,
  "internal/proxyStage.ts": 2,
  "internal/roster.ts": 2,
  "internal/time.ts": 2,
  "internal/tlsDial.ts": 2,
  "internal/tlsOptions.ts": 2,
  "internal/tlsStage.ts": 2,
  "internal/upgrade.ts": 2,
  "internal/watch.ts": 2,
  "internal/writingSide.ts": 2,
  "Protocol.ts": 3,
  "Server.ts": 3,
  "Client.ts": 3,
  "Admission.ts": 3,
  "Deadline.ts": 3,
  "Retransmission.ts": 3,
  "EffectRpc.ts": 3,
  "EffectSocket.ts": 3,
  "internal/callLimit.ts": 3,
  "internal/calls.ts": 3,
  "internal/clientError.ts": 3,
  "internal/door.ts": 3,
  "internal/late.ts": 3,
  "internal/retransmissionOptions.ts": 3,
  "internal/rpcPeer.ts": 3,
  "internal/sendWindow.ts": 3,
  "internal/serve.ts": 3,
  "internal/socketAddress.ts": 2,
  "internal/socketDialled.ts": 2,
  "internal/socketErrors.ts": 2,
  "internal/socketLink.ts": 2,
  "internal/socketRaw.ts": 2,
  "internal/socketRuns.ts": 2,
  "internal/socketTransport.ts": 2,
  "internal/serverMachine.ts": 3,
  "internal/serverOptions.ts": 3,
  "internal/endpointText.ts": 0,
  "internal/nodeDescriptors.ts": 2,
  "internal/nodeReading.ts": 2,
  "internal/admissionRules.ts": 3,
  "internal/alarms.ts": 3,
  "internal/arrival.ts": 3,
  "internal/deadlineOptions.ts": 3,
  "internal/deadlines.ts": 3,
  "internal/emptiness.ts": 3,
  "internal/endings.ts": 3,
  "internal/entrance.ts": 3,
  "internal/handshakes.ts": 3,
  "internal/lending.ts": 3,
  "internal/listeners.ts": 3,
  "internal/listenOptions.ts": 3,
  "internal/optionRules.ts": 3,
  "internal/roll.ts": 3,
  "internal/served.ts": 3,
  "internal/serverLimits.ts": 3,
  "internal/serverModels.ts": 3,
  "internal/startServer.ts": 3,
  "internal/tally.ts": 3,
  "internal/tokenBucket.ts": 3
}

const maxLines = 300

/** Nothing but data, which `scripts/crcCatalogue.ts` writes: nobody reads it from end to end. */
const isData = (path: string): boolean => path === "internal/crcCatalogueData.ts"

/** The text of each file under `src`, by its path from there. */
type Files = Readonly<Record<string, string>>

type Area = "library" | "index" | "testing" | "services" | "cli" | "bin"

const areaOf = (path: string): Area => {
  const folder = path.split("/")[0]
  return folder === "testing" || folder === "services" || folder === "cli"
    ? folder
    : path === "index.ts"
    ? "index"
    : path === "bin.ts"
    ? "bin"
    : "library"
}

/** Which areas an area imports from. */
const imports: Readonly<Record<Area, ReadonlyArray<Area>>> = {
  library: ["library"],
  index: ["library"],
  testing: ["library", "testing"],
  services: ["library", "services"],
  cli: ["library", "services", "cli"],
  bin: ["library", "services", "cli"]
}

/** Testing has its own folder of parts. Everything beside that folder is public. */
const isTestingModule = (path: string): boolean => dirname(path) === "testing" && path !== "testing/index.ts"

const isInternal = (path: string): boolean => path.startsWith("internal/")

const knowsNode = (path: string): boolean =>
  path === "NodeTransport.ts" || path === "NodeTls.ts" || path === "bin.ts" || path.startsWith("cli/") ||
  path.startsWith("internal/node")

interface Import {
  readonly specifier: string
  /** It runs before the module that imports it: types and `import(...)` do not, and cannot close a circle. */
  readonly eager: boolean
}

/** What a source imports: `import`, `export ... from` and `import(...)`, in values and in types; not inside comments. */
const importsOf = (source: string): Array<Import> => {
  const find = (pattern: RegExp) => Array.from(source.matchAll(pattern), ([, specifier = ""]) => specifier)
  return [
    ...find(/^(?:import|export)\s(?!type\s)[\w$\s,{}*]*?\sfrom\s+"([^"]+)"/gm).map((specifier) => ({
      specifier,
      eager: true
    })),
    ...find(/^import\s+"([^"]+)"/gm).map((specifier) => ({ specifier, eager: true })),
    ...find(/^(?:import|export)\stype\s[\w$\s,{}*]*?\sfrom\s+"([^"]+)"/gm).map((specifier) => ({
      specifier,
      eager: false
    })),
    ...find(/^(?!\s*(?:\*|\/\/)).*?\bimport\("([^"]+)"\)/gm).map((specifier) => ({ specifier, eager: false }))
  ]
}

const namespacesOf = (index: string): Array<string> =>
  Array.from(index.matchAll(/^export \* as (\w+) from "\.\/(\w+)\.ts"$/gm))
    .filter(([, name, file]) => name === file)
    .map(([, name]) => `${name}.ts`)

const circleFrom = (start: string, edges: ReadonlyMap<string, ReadonlyArray<string>>): Array<string> | undefined => {
  const seen = new Set<string>()
  const walk = (path: string, trail: ReadonlyArray<string>): Array<string> | undefined => {
    for (const next of edges.get(path) ?? []) {
      if (next === start) return [...trail, next]
      if (seen.has(next)) continue
      seen.add(next)
      const circle = walk(next, [...trail, next])
      if (circle !== undefined) return circle
    }
    return undefined
  }
  return walk(start, [start])
}

/** One sentence for each rule that is broken. */
const check = (files: Files, table: Readonly<Record<string, number>> = levels): Array<string> => {
  const broken: Array<string> = []
  const exported = namespacesOf(files["index.ts"] ?? "")
  const exportedForTests = namespacesOf(files["testing/index.ts"] ?? "")
  const edges = new Map<string, Array<string>>()

  const checkPackage = (path: string, name: string): void => {
    if (name.startsWith("node:") || name === "@effect/platform-node" || name.startsWith("@effect/platform-node/")) {
      if (!knowsNode(path)) {
        broken.push(`${path} imports ${name}: only NodeTransport.ts, internal/node*.ts, bin.ts and cli know Node`)
      } else if (name === "@effect/platform-node") {
        broken.push(`${path} imports ${name}: name the module, as in @effect/platform-node/NodeRuntime`)
      }
    } else if (/^effect(?:\/[a-z]\w*)*$/.test(name)) {
      broken.push(`${path} imports ${name}: name the module, as in effect/Effect or effect/net/NetAddress`)
    } else if (!name.startsWith("effect/")) {
      broken.push(`${path} imports ${name}: src imports nothing but effect, @effect/platform-node and itself`)
    }
  }

  const checkFile = (path: string, target: string): void => {
    const from = areaOf(path)
    const to = areaOf(target)
    if (!imports[from].includes(to)) {
      broken.push(`${path} imports ${target}: ${from} never imports ${to}`)
    } else if (to === "library" && from === "library" && table[target]! > table[path]!) {
      broken.push(`${path} (level ${table[path]}) imports ${target} (level ${table[target]})`)
    } else if (to === "library" && isInternal(target) && from !== "library" && from !== "testing") {
      broken.push(`${path} imports ${target}: ${from} never imports internal`)
    } else if (target.startsWith("internal/node") && !knowsNode(path)) {
      broken.push(`${path} imports ${target}: that is a part of NodeTransport.ts`)
    } else if (to === "library" && from === "services" && !exported.includes(target)) {
      broken.push(`${path} imports ${target}, which index.ts does not export: services use the public modules`)
    }
  }

  for (const [path, source] of Object.entries(files)) {
    const lines = source.split("\n").length - 1
    if (lines > maxLines && !isData(path)) {
      broken.push(`${path} has ${lines} lines: split it by concept before ${maxLines}`)
    }
    if (areaOf(path) === "library") {
      if (table[path] === undefined) {
        broken.push(`${path} has no level: add it to the table in test/architecture.test.ts`)
      } else if (!isInternal(path) && !exported.includes(path)) {
        const name = basename(path, ".ts")
        broken.push(`${path} is not exported: add \`export * as ${name} from "./${path}"\` to index.ts`)
      }
    }
    if (isTestingModule(path) && !exportedForTests.includes(basename(path))) {
      broken.push(`${path} is not exported: add it to testing/index.ts, or move it to testing/internal`)
    }
    edges.set(path, [])
    for (const { eager, specifier } of importsOf(source)) {
      if (!specifier.startsWith(".")) {
        checkPackage(path, specifier)
      } else if (!specifier.endsWith(".ts")) {
        broken.push(`${path} imports ${specifier}: a relative import ends with .ts`)
      } else {
        const target = posix.join(dirname(path), specifier)
        if (eager) edges.get(path)!.push(target)
        checkFile(path, target)
      }
    }
  }

  // Each circle once: told by its first file in the order of the alphabet.
  for (const path of edges.keys()) {
    const circle = circleFrom(path, edges)
    if (circle?.every((other) => path <= other)) broken.push(`a circle of imports: ${circle.join(" -> ")}`)
  }
  for (const path of Object.keys(table)) {
    if (files[path] === undefined) {
      broken.push(`the table in test/architecture.test.ts names ${path}, which is not there`)
    }
  }
  return broken
}

it("the sources obey", () => {
  const src = join(dirname(dirname(fileURLToPath(import.meta.url))), "src")
  const paths = globSync("**/*.ts", { cwd: src }).sort()
  const files = Object.fromEntries(paths.map((path) => [path, readFileSync(join(src, path), "utf8")]))
  assert.deepStrictEqual(check(files), [])
})

describe("a rule that is broken gets a sentence:", () => {
  const table = { "A.ts": 0, "B.ts": 1, "NodeTransport.ts": 2, "internal/shared.ts": 0, "internal/nodeError.ts": 2 }
  const index = ["A", "B", "NodeTransport"].map((name) => `export * as ${name} from "./${name}.ts"\n`).join("")
  const empty = Object.fromEntries(Object.keys(table).map((path) => [path, ""]))
  const testing = "export * as Laws from \"./Laws.ts\"\n"
  const broken = (files: Files): Array<string> =>
    check({ ...empty, "index.ts": index, "testing/index.ts": testing, ...files }, table)

  it("nothing, when all is well", () => {
    assert.deepStrictEqual(
      broken({
        "A.ts":
          "import * as Effect from \"effect/Effect\"\nimport type * as NetAddress from \"effect/net/NetAddress\"\n",
        "B.ts": "import {\n  a,\n  b\n} from \"./A.ts\"\nimport { c } from \"./internal/shared.ts\"\n",
        "NodeTransport.ts": "import * as Net from \"node:net\"\nimport { x } from \"./internal/nodeError.ts\"\n",
        "services/Echo.ts": "import * as B from \"../B.ts\"\n",
        "cli/serve.ts": "import * as Echo from \"../services/Echo.ts\"\nimport { join } from \"node:path\"\n",
        "bin.ts":
          "import * as NodeRuntime from \"@effect/platform-node/NodeRuntime\"\nimport { main } from \"./cli/serve.ts\"\n",
        "testing/Laws.ts": "import { c } from \"../internal/shared.ts\"\nimport { step } from \"./internal/step.ts\"\n",
        "testing/internal/step.ts": "import { c } from \"../../internal/shared.ts\"\n"
      }),
      []
    )
  })

  it("a circle of types is none", () => {
    assert.deepStrictEqual(
      broken({
        "A.ts": "import type { S } from \"./internal/shared.ts\"\n",
        "internal/shared.ts": "import { a } from \"../A.ts\"\n"
      }),
      []
    )
  })

  it("comments do not count", () => {
    const comment =
      "export interface X {\n}\n/**\n * import { x } from \"effect\"\n * const a = import(\"effect\")\n */\n// import(\"effect\")\n"
    assert.deepStrictEqual(broken({ "A.ts": comment }), [])
  })

  it.each<[rule: string, files: Files, sentence: string]>([
    ["levels", { "A.ts": "import { b } from \"./B.ts\"\n" }, "A.ts (level 0) imports B.ts (level 1)"],
    ["levels of types", { "A.ts": "type T = import(\"./B.ts\").T\n" }, "A.ts (level 0) imports B.ts (level 1)"],
    [
      "circles",
      { "A.ts": "import \"./internal/shared.ts\"\n", "internal/shared.ts": "export * from \"../A.ts\"\n" },
      "a circle of imports: A.ts -> internal/shared.ts -> A.ts"
    ],
    [
      "Node",
      { "B.ts": "import * as Net from \"node:net\"\n" },
      "B.ts imports node:net: only NodeTransport.ts, internal/node*.ts, bin.ts and cli know Node"
    ],
    [
      "platform-node",
      { "services/Echo.ts": "import * as NodeSocket from \"@effect/platform-node/NodeSocket\"\n" },
      "services/Echo.ts imports @effect/platform-node/NodeSocket: only NodeTransport.ts, internal/node*.ts, bin.ts and cli know Node"
    ],
    [
      "the barrel of platform-node",
      { "bin.ts": "import { NodeRuntime } from \"@effect/platform-node\"\n" },
      "bin.ts imports @effect/platform-node: name the module, as in @effect/platform-node/NodeRuntime"
    ],
    [
      "the barrel of effect",
      { "A.ts": "import { Effect } from \"effect\"\n" },
      "A.ts imports effect: name the module, as in effect/Effect or effect/net/NetAddress"
    ],
    [
      "the smaller barrels of effect",
      { "cli/serve.ts": "import { Flag } from \"effect/cli\"\n" },
      "cli/serve.ts imports effect/cli: name the module, as in effect/Effect or effect/net/NetAddress"
    ],
    [
      "other packages",
      { "A.ts": "import { A } from \"hawser\"\n" },
      "A.ts imports hawser: src imports nothing but effect, @effect/platform-node and itself"
    ],
    [
      "extensions",
      { "B.ts": "import { a } from \"./A\"\n" },
      "B.ts imports ./A: a relative import ends with .ts"
    ],
    [
      "testing stays apart",
      { "B.ts": "import { laws } from \"./testing/Laws.ts\"\n" },
      "B.ts imports testing/Laws.ts: library never imports testing"
    ],
    [
      "testing stays apart from the program",
      { "cli/serve.ts": "export { laws } from \"../testing/Laws.ts\"\n" },
      "cli/serve.ts imports testing/Laws.ts: cli never imports testing"
    ],
    [
      "nobody imports cli",
      { "services/Echo.ts": "import { main } from \"../cli/main.ts\"\n" },
      "services/Echo.ts imports cli/main.ts: services never imports cli"
    ],
    [
      "the library does not import services",
      { "B.ts": "import * as Echo from \"./services/Echo.ts\"\n" },
      "B.ts imports services/Echo.ts: library never imports services"
    ],
    [
      "nobody imports index.ts",
      { "services/Echo.ts": "import { B } from \"../index.ts\"\n" },
      "services/Echo.ts imports index.ts: services never imports index"
    ],
    [
      "internal is closed to services",
      { "services/Echo.ts": "import { c } from \"../internal/shared.ts\"\n" },
      "services/Echo.ts imports internal/shared.ts: services never imports internal"
    ],
    [
      "internal is closed to cli",
      { "cli/serve.ts": "const c = await import(\"../internal/shared.ts\")\n" },
      "cli/serve.ts imports internal/shared.ts: cli never imports internal"
    ],
    [
      "the Node files are one module",
      {
        "NodeTransport.ts": "",
        "internal/nodeError.ts": "",
        "internal/shared.ts": "",
        "testing/Laws.ts": "import { x } from \"../internal/nodeError.ts\"\n"
      },
      "testing/Laws.ts imports internal/nodeError.ts: that is a part of NodeTransport.ts"
    ],
    [
      "testing shows its modules",
      { "testing/Step.ts": "" },
      "testing/Step.ts is not exported: add it to testing/index.ts, or move it to testing/internal"
    ],
    [
      "size",
      { "A.ts": "\n".repeat(301) },
      "A.ts has 301 lines: split it by concept before 300"
    ],
    [
      "unknown files",
      { "C.ts": "" },
      "C.ts has no level: add it to the table in test/architecture.test.ts"
    ]
  ])("%s", (_, files, sentence) => {
    assert.deepStrictEqual(broken(files), [sentence])
  })

  it("what is not exported", () => {
    assert.deepStrictEqual(
      broken({
        "index.ts": index.replace("* as B from", "* as Bee from"),
        "services/Echo.ts": "import * as B from \"../B.ts\"\n"
      }),
      [
        "B.ts is not exported: add `export * as B from \"./B.ts\"` to index.ts",
        "services/Echo.ts imports B.ts, which index.ts does not export: services use the public modules"
      ]
    )
  })

  it("a table that names too much", () => {
    assert.deepStrictEqual(check({}, { "A.ts": 0 }), [
      "the table in test/architecture.test.ts names A.ts, which is not there"
    ])
  })
})
