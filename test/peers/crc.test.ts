/** The same checksums as Python's own modules compute, of random data. */
import { assert, describe, it } from "@effect/vitest"
import { randomBytes } from "node:crypto"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { hawser, Program } from "../cli/process.ts"

/** One checksum for each size, in the order of the sizes. */
const sizes = [0, 1, 2, 15, 16, 17, 255, 256, 257, 399, 400, 401, 65_535, 262_144, 262_145, 3_000_001]

describe("Python's zlib and binascii", () => {
  it.each([
    ["crc-32", "print('0x%08x' % zlib.crc32(data))"],
    ["crc-32/jamcrc", "print('0x%08x' % (zlib.crc32(data) ^ 0xffffffff))"],
    ["crc-16/xmodem", "print('0x%04x' % binascii.crc_hqx(data, 0))"],
    ["crc-16/ibm-3740", "print('0x%04x' % binascii.crc_hqx(data, 0xffff))"]
  ])("compute the same %s", async (algorithm, print) => {
    const folder = mkdtempSync(join(tmpdir(), "hawser-crc-"))
    try {
      const paths = sizes.map((size) => {
        const path = join(folder, `${size}`)
        writeFileSync(path, randomBytes(size))
        return path
      })
      const script =
        `import binascii, sys, zlib\nfor path in sys.argv[1:]:\n  data = open(path, "rb").read()\n  ${print}`
      using theirs = new Program("python3", ["-c", script, ...paths])
      using ours = hawser(["crc", "compute", algorithm!, ...paths])
      const [expected, got] = await Promise.all([theirs.ended, ours.ended])
      assert.deepStrictEqual([expected.exit, got.exit, got.stderr], [0, 0, ""])
      const values = got.stdout.trimEnd().split("\n").map((line) => line.split("  ")[0])
      assert.deepStrictEqual(values, expected.stdout.trimEnd().split("\n"))
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
})
