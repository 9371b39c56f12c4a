import { assert, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"

const programs = [
  ["nc", "-h"],
  ["socat", "-V"],
  ["python3", "--version"],
  ["openssl", "version"],
  ["/usr/sbin/haproxy", "-v"],
  ["ncat", "--version"],
  ["systemd-socket-activate", "--version"]
] as const

it.each(programs)("%s answers", (program, argument) => {
  const { error, status } = spawnSync(program, [argument], { stdio: "ignore" })
  assert.deepStrictEqual({ error, status }, { error: undefined, status: 0 })
})
