/**
 * Writes what HAProxy sends to `test/data/proxy/haproxy.json`:
 * `node --conditions=hawser-source test/peers/support/record.ts`.
 */
import { Effect } from "effect"
import { spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { captures } from "./captures.ts"

const [version = ""] =
  /^HAProxy version \S+/.exec(spawnSync("/usr/sbin/haproxy", ["-v"], { encoding: "utf8" }).stdout) ?? []
const all = await Effect.runPromise(captures)
writeFileSync(
  new URL("../../data/proxy/haproxy.json", import.meta.url),
  `${JSON.stringify({ source: version, captures: all }, undefined, 2)}\n`
)
