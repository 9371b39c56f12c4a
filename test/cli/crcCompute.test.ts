/** `hawser crc compute`: every way in, every way out, and what is said when one cannot be read. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Stdio, Stream } from "effect"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll } from "vitest"
import * as Checksum from "../../src/Checksum.ts"
import * as CrcInput from "../../src/cli/crcInput.ts"
import * as CrcCatalogue from "../../src/CrcCatalogue.ts"
import { fails, run, systemFailure } from "./inProcess.ts"

const digits = "123456789"
const helpHint = "hint: hawser crc compute --help tells more\n"

let folder = ""
let digitsFile = ""

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hawser-crc-"))
  digitsFile = write("digits", digits)
  mkdirSync(join(folder, "folder"))
})

afterAll(() => rmSync(folder, { recursive: true }))

const prints = Effect.fnUntraced(function*(
  args: ReadonlyArray<string>,
  stdout: string,
  world: Parameters<typeof run>[1] = {}
) {
  assert.deepStrictEqual(yield* run(["crc", "compute", ...args], world), { exit: 0, stdout, stderr: "" })
})

describe("the value", () => {
  it.live("of 123456789 is what the catalogue says, for each of its algorithms by each of its names", () =>
    Effect.forEach(
      CrcCatalogue.all,
      (algorithm) =>
        Effect.forEach(
          [algorithm.name, ...algorithm.aliases],
          (name) => prints([name, "--text", digits], `${Checksum.format(algorithm, algorithm.check)}\n`)
        )
    ))

  it.live("is found by a name in any case, and without its punctuation", () =>
    Effect.forEach(
      ["crc-32", "Crc-32", "crc32", "CRC32/ISO_HDLC", "pkzip"],
      (name) => prints([name, "--text", digits], "0xcbf43926\n")
    ))

  it.live("is as wide as the algorithm, in each format", () =>
    Effect.gen(function*() {
      yield* prints(["crc-16/arc", "--hex", "00"], "0x0000\n")
      yield* prints(["crc-16/arc", "--hex", "00", "--format", "bin"], "0b0000000000000000\n")
      yield* prints(["crc-16/arc", "--hex", "00", "--format", "dec"], "0\n")
      yield* prints(["crc-32", "--text", digits, "--format", "dec"], "3421780262\n")
      yield* prints(["crc-3/gsm", "--text", digits, "--format", "bin"], "0b100\n")
      yield* prints(["crc-5/usb", "--text", digits], "0x19\n")
      yield* prints(["crc-64/xz", "--text", digits], "0x995dc9bbdf1939fa\n")
      yield* prints(["crc-82/darc", "--text", digits], "0x09ea83f625023801fd612\n")
    }))

  it.live("of an algorithm of one's own follows from its parameters", () =>
    Effect.gen(function*() {
      const modbus = ["--width", "16", "--poly", "0x8005", "--init", "0xffff", "--refin"]
      yield* prints([...modbus, "--text", digits], "0x4b37\n")
      yield* prints(["--width", "16", "--poly", "32773", "--init", "65535", "--refin", "--text", digits], "0x4b37\n")
      yield* prints([...modbus, "--xorout", "0xffff", "--text", digits], "0xb4c8\n")
      yield* prints(["--width=12", "--poly=0x80f", "--refout", "--text", digits], "0xdaf\n")
      // The register read from its other end: 0x4b37 with its bits turned around.
      yield* prints([...modbus, "--no-refout", "--text", digits], "0xecd2\n")
      yield* prints([...modbus, digitsFile], `0x4b37  ${modbusWord}  ${digitsFile}\n`)
      yield* prints([modbusWord, "--text", digits], "0x4b37\n")
      yield* prints(["width=16,poly=0x8005,init=0xffff,refin=true", "--text", digits], "0x4b37\n")
    }))

  const modbusWord = "width=16,poly=0x8005,init=0xffff,refin=true,refout=true,xorout=0x0000"
})

describe("what it is computed of", () => {
  it.live("is a text as UTF-8, or bytes in hexadecimal, which may be none", () =>
    Effect.gen(function*() {
      yield* prints(["crc-32", "--text", "€"], "0x83f2c8d6\n")
      yield* prints(["crc-32", "--hex", "e282ac"], "0x83f2c8d6\n")
      yield* prints(["crc-32", "--hex", "0xE2:82-ac"], "0x83f2c8d6\n")
      yield* prints(["crc-32", "--hex", "e282 ac"], "0x83f2c8d6\n")
      yield* prints(["crc-32", "--text", ""], "0x00000000\n")
      yield* prints(["crc-32", "--hex", ""], "0x00000000\n")
    }))

  it.live("is stdin without a file, and with a dash", () =>
    Effect.gen(function*() {
      const world = { stdin: ["1234", "56789"] }
      yield* prints(["crc-32"], "0xcbf43926\n", world)
      yield* prints(["crc-32", "-"], "0xcbf43926  CRC-32/ISO-HDLC  -\n", world)
      yield* prints(["crc-32"], "0x00000000\n")
    }))

  it.live("is any number of files, one line each", () =>
    Effect.gen(function*() {
      const empty = write("no bytes, two  spaces", "")
      yield* prints(
        ["crc-32", digitsFile, empty],
        `0xcbf43926  CRC-32/ISO-HDLC  ${digitsFile}\n0x00000000  CRC-32/ISO-HDLC  ${empty}\n`
      )
      const odd = write("a\nb", digits)
      yield* prints(["crc-32", odd], `\\0xcbf43926  CRC-32/ISO-HDLC  ${folder}/a\\nb\n`)
    }))
})

describe("JSON", () => {
  it.live("is one object for each source", () =>
    Effect.gen(function*() {
      const algorithm = "CRC-32/ISO-HDLC"
      const value = "0xcbf43926"
      const object = (fields: object) => `${JSON.stringify({ algorithm, ...fields, bytes: 9, value })}\n`
      yield* prints(["crc-32", "--json", "--text", digits], object({ from: "text", name: null }))
      yield* prints(["crc-32", "--json", "--hex", "313233343536373839"], object({ from: "hex", name: null }))
      yield* prints(["crc-32", "--json", digitsFile], object({ from: "file", name: digitsFile }))
      yield* prints(["crc-32", "--json"], object({ from: "stdin", name: null }), { stdin: [digits] })
      yield* prints(["crc-32", "--json", "-"], object({ from: "stdin", name: "-" }), { stdin: [digits] })
    }))

  it.live("tells what cannot be read", () =>
    Effect.gen(function*() {
      const error = "cannot read /nowhere: there is no such file (ENOENT)"
      assert.deepStrictEqual(yield* run(["crc", "compute", "crc-32", "--json", "/nowhere"]), {
        exit: 2,
        stdout: `${JSON.stringify({ algorithm: "CRC-32/ISO-HDLC", from: "file", name: "/nowhere", error })}\n`,
        stderr: `hawser: ${error}\n`
      })
    }))
})

describe("a file that cannot be read", () => {
  it.live("gets a sentence, and the others their lines", () =>
    Effect.gen(function*() {
      const args = ["/nowhere", digitsFile, join(folder, "folder"), join(digitsFile, "x"), digitsFile]
      assert.deepStrictEqual(yield* run(["crc", "compute", "crc-32", ...args]), {
        exit: 2,
        stdout: `0xcbf43926  CRC-32/ISO-HDLC  ${digitsFile}\n`.repeat(2),
        stderr: "hawser: cannot read /nowhere: there is no such file (ENOENT)\n" +
          `hawser: cannot read ${folder}/folder: it is a directory (EISDIR)\n` +
          `hawser: cannot read ${digitsFile}/x: a part of the path is not a directory (ENOTDIR)\n`
      })
    }))

  it.effect.each([
    ["EACCES", "cannot read secret: permission was denied (EACCES)"],
    ["EIO", "cannot read secret (EIO)"]
  ])("says why: %s", ([code, message]) =>
    Effect.gen(function*() {
      const fs = FileSystem.layerNoop({ stream: () => Stream.fail(systemFailure("read", code!)) })
      const failure = yield* CrcInput.compute(Checksum.xor8, CrcInput.file("secret")).pipe(
        Effect.flip,
        Effect.provide([fs, Stdio.layerTest({})])
      )
      assert.deepStrictEqual([failure.exitCode, failure.message], [2, message])
    }))

  it.live("stdin gets one too", () =>
    fails(["crc", "compute", "crc-32"], { exit: 2, stderr: "hawser: cannot read from stdin (EIO)\n" }, {
      stdinFails: "EIO"
    }))
})

describe("stdout", () => {
  it.live("that nobody reads is the quiet end, and one that is full is not", () =>
    Effect.gen(function*() {
      const args = ["crc", "compute", "crc-32", digitsFile]
      yield* fails(args, { exit: 0, stderr: "" }, { stdoutFails: "EPIPE" })
      yield* fails(args, { exit: 2, stderr: "hawser: cannot write to stdout (ENOSPC)\n" }, { stdoutFails: "ENOSPC" })
    }))
})

describe("wrong use gets a sentence:", () => {
  const numbers = "a number such as 0x1021, 0b1001 or 4129"
  const own = (flag: string) => `hint: --${flag} describes an algorithm of your own\n`
  it.live.each<[command: string, stderr: string]>([
    ["", "hawser: the ALGORITHM is missing\nhint: for example crc-32; hawser crc list shows all\n"],
    ["crc-32d9", "hawser: there is no algorithm \"crc-32d9\"\nhint: did you mean CRC-32D?\n"],
    ["modbos", "hawser: there is no algorithm \"modbos\"\nhint: did you mean MODBUS?\n"],
    ["crc-16/x-52", "hawser: there is no algorithm \"crc-16/x-52\"\nhint: did you mean CRC-16/X-25?\n"],
    [
      "sha256",
      "hawser: there is no algorithm \"sha256\"\nhint: hawser crc list shows all; --width and --poly describe others\n"
    ],
    ["crc-32 --text a --hex 00", "hawser: --text and --hex exclude each other\nhint: give one of them\n"],
    ["crc-32 --text a b", "hawser: --text and the file \"b\" exclude each other\nhint: give one of them\n"],
    [
      "crc-32 --hex 0",
      "hawser: --hex must be bytes of two hexadecimal digits each, such as 48656c6c6f or 48:65:6c:6c:6f, got \"0\"\n" +
      helpHint
    ],
    [
      "crc-32 --hex 1:23:4",
      "hawser: --hex must be bytes of two hexadecimal digits each, such as 48656c6c6f or 48:65:6c:6c:6f, " +
      `got "1:23:4"\n${helpHint}`
    ],
    ["crc-32 --format oct", `hawser: --format must be hex, dec or bin, got "oct"\n${helpHint}`],
    ["--poly 7 --text a", `hawser: the flag --width is missing\n${own("poly")}`],
    ["--width 8 --text a", `hawser: the flag --poly is missing\n${own("width")}`],
    ["crc-32 --init 0 --text a", `hawser: the flag --width is missing\n${own("init")}`],
    ["--refin --text a", `hawser: the flag --width is missing\n${own("refin")}`],
    ["--width 0 --poly 7", `hawser: --width must be an integer from 1 to 4096, got "0"\n${helpHint}`],
    ["--width 4097 --poly 7", `hawser: --width must be an integer from 1 to 4096, got "4097"\n${helpHint}`],
    ["--width 8 --poly 8", "hawser: --poly must be odd: every CRC's polynomial ends with 1, got 8 (0x8)\n"],
    [
      "--width 8 --poly 0x107",
      "hawser: --poly must be less than 2^8: its top term is not written, so this is 0x7, got 263 (0x107)\n"
    ],
    [
      "--width 8 --poly 7 --init 256",
      "hawser: --init must be from 0 to 2^8 - 1, as it has 8 bits, got 256 (0x100)\n"
    ],
    [
      "--width 16 --poly edb8",
      `hawser: --poly must be ${numbers}; hexadecimal digits begin with 0x, got "edb8"\n${helpHint}`
    ],
    ["--width 16 --poly x^3", `hawser: --poly must be ${numbers}, got "x^3"\n${helpHint}`],
    [
      "width=8,poly=seven",
      "hawser: parameters \"width=8,poly=seven\" cannot be read\nhint: write width=16,poly=0x8005,init=0xffff," +
      "refin=true,refout=true,xorout=0x0000; all but the first two may be missing\n"
    ],
    [
      "width=8,poly=7,colour=1",
      "hawser: parameters \"width=8,poly=7,colour=1\" cannot be read\nhint: write width=16,poly=0x8005,init=0xffff," +
      "refin=true,refout=true,xorout=0x0000; all but the first two may be missing\n"
    ]
  ])(
    "crc compute %s",
    ([command, stderr]) =>
      fails(["crc", "compute", ...command.split(" ").filter((word) => word !== "")], { exit: 2, stderr })
  )

  it.live("a command that is not there", () =>
    fails(["crc", "compare"], {
      exit: 2,
      stderr: "hawser: there is no command \"compare\"\nhint: did you mean compute?\n"
    }))
})

describe("the help", () => {
  it.live.each(["compute", "verify", "check", "encode", "list", "show", "guess"])(
    "of %s has examples, and the shape of --json",
    (name) =>
      Effect.gen(function*() {
        const { exit, stderr, stdout } = yield* run(["crc", name, "--help"])
        assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
        for (const part of ["DESCRIPTION", "EXAMPLES", `hawser crc ${name}`, "JSON", "--json"]) {
          assert.include(stdout, part)
        }
      })
  )

  it.live("names every command, also to those who type nothing more", () =>
    Effect.gen(function*() {
      const help = yield* run(["crc", "--help"])
      assert.deepStrictEqual(yield* run(["crc"]), help)
      for (const name of ["compute", "verify", "check", "encode", "list", "show", "guess"]) {
        assert.match(help.stdout, new RegExp(`^  ${name} `, "m"))
      }
    }))
})
