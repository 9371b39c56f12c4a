/** `hawser crc` as a process: a pipe, a file of any size, a reader that goes away, and what other commands load. */
import { assert, describe, it } from "@effect/vitest"
import { createReadStream, mkdtempSync, openSync, rmSync, writeSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { crc32 } from "node:zlib"
import { afterAll, beforeAll } from "vitest"
import { bin, hawser, limitMillis, Program } from "./process.ts"

/** A script in which the program is `"$0" "$1"`. */
const shell = (script: string, ...args: ReadonlyArray<string>): Program =>
  new Program("sh", ["-c", script, process.execPath, bin, ...args])

let folder = ""

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hawser-crc-"))
})

afterAll(() => rmSync(folder, { recursive: true }))

describe("a process", { timeout: limitMillis }, () => {
  it("takes a pipe, and ends as the verdict asks for", async () => {
    using compute = shell("printf 123456789 | \"$0\" \"$1\" crc compute crc-32")
    using verify = shell("printf 123456780 | \"$0\" \"$1\" crc verify crc-32 --value 0xcbf43926")
    const [computed, verified] = await Promise.all([compute.ended, verify.ended])
    assert.deepStrictEqual(computed, { exit: 0, stdout: "0xcbf43926\n", stderr: "" })
    assert.deepStrictEqual(verified, {
      exit: 3,
      stdout: "stdin: FAILED, 0xb2288182 instead of 0xcbf43926\n",
      stderr: "hawser: the checksum does not match\n"
    })
  })

  it("ends quietly when nobody reads on", async () => {
    using program = shell("(\"$0\" \"$1\" crc list; echo \"exit $?\" >&2) | head -1")
    const { stderr, stdout } = await program.ended
    assert.match(stdout, /^NAME [^\n]+\n$/)
    assert.strictEqual(stderr, "exit 0\n")
  })

  it("passes its own list, and tells what changed", async () => {
    using program = shell(
      "cd \"$2\" && printf 123456789 > a && printf x > b && \"$0\" \"$1\" crc compute crc-32c a b > list && " +
        "\"$0\" \"$1\" crc check list && printf y > b && \"$0\" \"$1\" crc check list",
      folder
    )
    assert.deepStrictEqual(await program.ended, {
      exit: 3,
      stdout: "a: OK\nb: OK\na: OK\nb: FAILED, 0x5b57dc90 instead of 0xa93c5f93\n",
      stderr: "hawser: 1 of 2 files does not match\n"
    })
  })

  it("needs no more memory for 320 MiB than for 64", async () => {
    const mebibyte = Uint8Array.from({ length: 1 << 20 }, (_, i) => (i * 2_654_435_761) >>> 24)
    const write = (name: string, mebibytes: number): string => {
      const path = join(folder, name)
      const file = openSync(path, "w")
      for (let i = 0; i < mebibytes; i++) writeSync(file, mebibyte)
      return path
    }
    const peakOf = async (path: string): Promise<readonly [peak: number, stdout: string]> => {
      using program = new Program(process.execPath, ["--import", reportPeak, bin, "crc", "compute", "crc-32", path])
      const { exit, stderr, stdout } = await program.ended
      assert.strictEqual(exit, 0)
      return [Number(/^peak (\d+)$/m.exec(stderr)?.[1]) / 1024, stdout]
    }
    // The collector is lazy about the first 64 MiB already.
    const [small] = await peakOf(write("small", 64))
    const big = write("big", 320)
    const [large, stdout] = await peakOf(big)
    let expected = 0
    for await (const chunk of createReadStream(big)) expected = crc32(chunk, expected)
    assert.strictEqual(stdout, `0x${expected.toString(16).padStart(8, "0")}  CRC-32/ISO-HDLC  ${big}\n`)
    assert.isAtMost(large, small + 64)
  })

  it("leaves the catalogue alone where no crc is asked for", async () => {
    const loaded = async (...args: ReadonlyArray<string>) => {
      using program = hawser(args, { NODE_DEBUG: "esm" })
      return /crcCatalogueData/.test((await program.ended).stderr)
    }
    assert.isFalse(await loaded("--version"))
    assert.isFalse(await loaded("crc", "--help"))
    assert.isTrue(await loaded("crc", "list"))
  })
})

/** Prints the largest memory in KiB at the exit of a program. */
const reportPeak = `data:text/javascript,${
  encodeURIComponent("process.on('exit', () => console.error(`peak ${process.resourceUsage().maxRSS}`))")
}`
