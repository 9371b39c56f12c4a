/** `hawser crc verify` with an algorithm, and `hawser crc check`: verdicts, and how they end. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import * as CrcLine from "../../src/cli/crcLine.ts"
import { fails, run } from "./inProcess.ts"

const digits = "123456789"
const helpHint = "\nhint: hawser crc verify --help tells more\n"

let folder = ""
let good = ""
let bad = ""

const write = (name: string, content: string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hawser-crc-"))
  good = write("good", digits)
  bad = write("bad one", "123456780")
})

afterAll(() => rmSync(folder, { recursive: true }))

describe("verify", () => {
  const verify = (...args: ReadonlyArray<string>) => run(["crc", "verify", ...args])

  it.live("says OK of what has the value, however it is written", () =>
    Effect.forEach(
      ["0xcbf43926", "0xCBF43926", "3421780262", "0b11001011111101000011100100100110"],
      (value) =>
        Effect.gen(function*() {
          const ok = { exit: 0, stderr: "" }
          assert.deepStrictEqual(yield* verify("crc-32", "--value", value, good), { ...ok, stdout: `${good}: OK\n` })
          assert.deepStrictEqual(yield* verify("crc32", "--value", value, "--text", digits), {
            ...ok,
            stdout: "text: OK\n"
          })
          assert.deepStrictEqual(
            yield* run(["crc", "verify", "crc-32", "--value", value], { stdin: [digits] }),
            { ...ok, stdout: "stdin: OK\n" }
          )
        })
    ))

  it.live("takes values of any width, and parameters for a name", () =>
    Effect.gen(function*() {
      const ok = { exit: 0, stdout: "hex: OK\n", stderr: "" }
      const hex = ["--hex", "313233343536373839"]
      assert.deepStrictEqual(yield* verify("crc-82/darc", "--value", "0x09ea83f625023801fd612", ...hex), ok)
      assert.deepStrictEqual(yield* verify("crc-5/usb", "--value", "0x19", ...hex), ok)
      const own = ["--width", "16", "--poly", "0x8005", "--init", "0xffff", "--refin", "--value", "0x4b37"]
      assert.deepStrictEqual(yield* verify(...own, ...hex), ok)
      assert.deepStrictEqual(yield* verify(...own, good), { ...ok, stdout: `${good}: OK\n` })
    }))

  it.live("exits with 3 if one of them has another", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* verify("crc-32", "--value", "0xcbf43926", bad), {
        exit: 3,
        stdout: `${bad}: FAILED, 0xb2288182 instead of 0xcbf43926\n`,
        stderr: "hawser: the checksum does not match\n"
      })
      assert.deepStrictEqual(yield* verify("crc-32", "--value", "0xcbf43926", good, bad, "/nowhere"), {
        exit: 3,
        stdout: `${good}: OK\n${bad}: FAILED, 0xb2288182 instead of 0xcbf43926\n`,
        stderr:
          "hawser: cannot read /nowhere: there is no such file (ENOENT)\nhawser: 1 of 2 checksums does not match\n"
      })
    }))

  it.live("exits with 2 if the only trouble is a file that cannot be read", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* verify("crc-32", "--value", "0xcbf43926", "/nowhere", good), {
        exit: 2,
        stdout: `${good}: OK\n`,
        stderr: "hawser: cannot read /nowhere: there is no such file (ENOENT)\n"
      })
    }))

  it.live("says all of it in JSON", () =>
    Effect.gen(function*() {
      const { exit, stdout } = yield* verify("crc-32", "--value", "0xcbf43926", "--json", good, bad, "/nowhere")
      const algorithm = "CRC-32/ISO-HDLC"
      const expected = "0xcbf43926"
      assert.strictEqual(exit, 3)
      assert.deepStrictEqual(stdout.trimEnd().split("\n").map((line) => JSON.parse(line)), [
        { algorithm, from: "file", name: good, bytes: 9, value: expected, expected, ok: true },
        { algorithm, from: "file", name: bad, bytes: 9, value: "0xb2288182", expected, ok: false },
        {
          algorithm,
          from: "file",
          name: "/nowhere",
          expected,
          error: "cannot read /nowhere: there is no such file (ENOENT)"
        }
      ])
    }))

  it.live.each<[command: string, stderr: string]>([
    [
      "crc-32 --text a",
      "hawser: the flag --value is missing\n" +
      "hint: it is what the checksum should be; a codeword in bits is verified with --key\n"
    ],
    [
      "crc-32 --value cbf43926 --text a",
      "hawser: --value must be a number such as 0x1021, 0b1001 or 4129; hexadecimal digits begin with 0x, " +
      `got "cbf43926"${helpHint}`
    ],
    [
      "modbus --value 0x10000 --text a",
      "hawser: --value must have at most the 16 bits of CRC-16/MODBUS, got 0x10000\n"
    ],
    [
      "crc-32 --value 0 --steps --text a",
      "hawser: --steps needs --key\nhint: it draws the division of a codeword in bits\n"
    ],
    ["--value 0", "hawser: the ALGORITHM is missing\nhint: for example crc-32; hawser crc list shows all\n"]
  ])("refuses %s", ([command, stderr]) => fails(["crc", "verify", ...command.split(" ")], { exit: 2, stderr }))
})

describe("check", () => {
  const check = (list: string, ...args: ReadonlyArray<string>) => run(["crc", "check", ...args], { stdin: [list] })

  it.live("passes what compute wrote, in each format and with odd names", () =>
    Effect.gen(function*() {
      const odd = [write("two  spaces", "a"), write("line\nbreak\\", "b"), write("\\n", "c"), write(" #", "")]
      for (const format of ["hex", "dec", "bin"]) {
        for (const algorithm of ["crc-32", "crc-82/darc", "width=12,poly=0x80f,refout=true"]) {
          const list = yield* run(["crc", "compute", algorithm, "--format", format, good, bad, ...odd])
          assert.strictEqual(list.exit, 0)
          const path = write("list", list.stdout)
          const { exit, stderr, stdout } = yield* run(["crc", "check", path])
          assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
          const names = [good, bad, odd[0], `\\${folder}/line\\nbreak\\\\`, `\\${folder}/\\\\n`, odd[3]]
          assert.strictEqual(stdout, names.map((name) => `${name}: OK\n`).join(""))
        }
      }
    }))

  it.live("tells files that differ, that are missing, and lines that say nothing", () =>
    Effect.gen(function*() {
      const list = [
        `0xcbf43926  CRC-32/ISO-HDLC  ${good}`,
        "# by hand",
        "",
        `0xe3069283  crc-32c  ${bad}`,
        "0x00  CRC-32/ISO-HDLC  /nowhere",
        "nonsense",
        `0xcbf43926  ${good}`,
        `0xcbf43926  CRC-99  ${good}`,
        `0x10000  CRC-16/ARC  ${good}`
      ].join("\n")
      const complaints = [
        "line 6 of stdin is not VALUE  ALGORITHM  NAME",
        "line 7 of stdin does not name its algorithm, and there is no --algorithm",
        "line 8 of stdin cannot be used: there is no algorithm \"CRC-99\"",
        "line 9 of stdin has a value of more than the 16 bits of CRC-16/ARC"
      ]
      const missing = "cannot read /nowhere: there is no such file (ENOENT)"
      assert.deepStrictEqual(yield* check(list), {
        exit: 3,
        stdout: `${good}: OK\n${bad}: FAILED, 0x9bb4494f instead of 0xe3069283\n`,
        stderr: [missing, ...complaints, "1 of 2 files does not match"].map((line) => `hawser: ${line}\n`).join("")
      })
      const { exit, stdout } = yield* check(list, "--json", "-")
      assert.strictEqual(exit, 3)
      assert.deepStrictEqual(stdout.trimEnd().split("\n").map((line) => JSON.parse(line)), [
        { algorithm: "CRC-32/ISO-HDLC", name: good, value: "0xcbf43926", expected: "0xcbf43926", ok: true },
        { algorithm: "CRC-32/ISCSI", name: bad, value: "0x9bb4494f", expected: "0xe3069283", ok: false },
        { algorithm: "CRC-32/ISO-HDLC", name: "/nowhere", expected: "0x00000000", error: missing },
        ...complaints.map((error, at) => ({ line: at + 6, error }))
      ])
    }))

  it.live("takes the algorithm as a flag where the lines do not tell it", () =>
    Effect.gen(function*() {
      const list = `0xcbf43926  ${good}\n0xcbf43926 *${good}\n0xe3069283  CRC-32C  ${good}\n`
      assert.deepStrictEqual(yield* check(list, "--algorithm", "crc-32"), {
        exit: 0,
        stdout: `${good}: OK\n`.repeat(3),
        stderr: ""
      })
      const spaced = write("a  b", digits)
      assert.deepStrictEqual(
        yield* run(["crc", "check", write("plain", `0xcbf43926  ${spaced}`), "--algorithm", "crc-32"]),
        {
          exit: 0,
          stdout: `${spaced}: OK\n`,
          stderr: ""
        }
      )
    }))

  it.live("exits with 2 if the only trouble is a line, or a file that is missing", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* check(`0xcbf43926  CRC-32  ${good}\n?\n`), {
        exit: 2,
        stdout: `${good}: OK\n`,
        stderr: "hawser: line 2 of stdin is not VALUE  ALGORITHM  NAME\n"
      })
      yield* fails(["crc", "check", "/nowhere"], {
        exit: 2,
        stderr: "hawser: cannot read /nowhere: there is no such file (ENOENT)\n"
      })
      yield* fails(["crc", "check"], { exit: 2, stderr: "hawser: stdin has no line to check\n" }, {
        stdin: ["# none\n"]
      })
      yield* fails(["crc", "check", "--algorithm", "crc-99"], {
        exit: 2,
        stderr: "hawser: there is no algorithm \"crc-99\"\n" +
          "hint: hawser crc list shows all; --width and --poly describe others\n"
      })
    }))

  it.live("does not hold a line without an end in memory", () =>
    fails(["crc", "check"], {
      exit: 2,
      stderr: "hawser: line 1 of stdin: inbound frame of 16385 bytes exceeds the limit of 16384 bytes\n"
    }, { stdin: ["x".repeat(20_000)] }))
})

describe("a line of a list", () => {
  it("is read as it was written, whatever the name", () => {
    for (const name of ["a", " a", "a ", "two  spaces", "a\nb", "a\\nb", "\\", "\r\n", "é", "0x00  CRC-32  a"]) {
      const entry = CrcLine.parse(CrcLine.format("0xcbf43926", "CRC-32/ISO-HDLC", name))
      assert.deepStrictEqual([entry?.value, entry?.algorithm, entry?.name], [0xcbf43926n, "CRC-32/ISO-HDLC", name])
    }
  })
})
