/** `hawser crc encode` and `hawser crc verify --key`: the textbook's division. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Result } from "effect"
import * as BitString from "../../src/BitString.ts"
import { fails, run } from "./inProcess.ts"

const drawn = [
  "          1010",
  "1001 ) 1011000",
  "       1001",
  "       ----",
  "         1000",
  "         1001",
  "         ----",
  "           010",
  ""
]

const prints = Effect.fnUntraced(function*(command: string, stdout: string) {
  assert.deepStrictEqual(yield* run(["crc", ...command.split(" ")]), { exit: 0, stdout, stderr: "" })
})

describe("encode", () => {
  it.live("prints the codeword of bits", () =>
    Effect.gen(function*() {
      yield* prints("encode 100010110101101001110 --key 1001", "100010110101101001110111\n")
      yield* prints("encode --key=1001 1011", "1011010\n")
      yield* prints("encode 1 --key 11", "11\n")
      yield* prints("encode 0000 --key 1001", "0000000\n")
    }))

  it.live("starts from a text", () =>
    Effect.gen(function*() {
      yield* prints("encode --text ODD --key 1001", "100111110001001000100001\n")
      yield* prints("encode --text ODD --bits 7 --key 1001", "100111110001001000100001\n")
      yield* prints("encode --text ODD --bits unpadded --key 1001", "100111110001001000100001\n")
      yield* prints("encode --text 2 --bits unpadded --key 1001", "110010100\n")
      yield* prints("encode --text 2 --bits 7 --key 1001", "0110010100\n")
      yield* prints("encode --text A --bits 8 --key 1001", "01000001000\n")
      yield* prints("encode --text é --bits 8 --key 11", "11000011101010010\n")
    }))

  it.live("draws the division", () =>
    prints(
      "encode 1011 --key 1001 --steps",
      `${[...drawn, "data       1011", "remainder  010", "codeword   1011010"].join("\n")}\n`
    ))

  it.live("says it in JSON, with every step if asked for", () =>
    Effect.gen(function*() {
      const object = { data: "1011", key: "1001", remainder: "010", codeword: "1011010" }
      yield* prints("encode 1011 --key 1001 --json", `${JSON.stringify(object)}\n`)
      const { stdout } = yield* run(["crc", "encode", "1011", "--key", "1001", "--json", "--steps"])
      const step = (at: number, window: string, subtrahend: string, difference: string) => ({
        at,
        window,
        subtrahend,
        difference,
        quotient: subtrahend.charAt(0)
      })
      assert.deepStrictEqual(JSON.parse(stdout), {
        ...object,
        quotient: "1010",
        steps: [
          step(0, "1011", "1001", "0010"),
          step(1, "0100", "0000", "0100"),
          step(2, "1000", "1001", "0001"),
          step(3, "0010", "0000", "0010")
        ]
      })
    }))

  it.live.each<[command: string, stderr: string]>([
    ["encode 1011", "the flag --key is missing\nhint: hawser crc encode --help tells more"],
    ["encode --key 1001", "the BITS are missing\nhint: give them, or a --text"],
    ["encode 10 --text A --key 1001", "--text and the BITS exclude each other\nhint: give one of them"],
    ["encode 10 --bits 7 --key 1001", "--bits needs --text"],
    ["encode 1021 --key 1001", "the BITS \"1021\": bits are 0 and 1, got \"2\" at place 2"],
    ["encode 1011 --key 0101", "--key \"0101\": a key begins with 1, the term of its highest power"],
    ["encode 1011 --key 1", "--key \"1\": a key has at least two bits: the remainder has one bit less"],
    ["encode 1011 --key 1x", "--key \"1x\": bits are 0 and 1, got \"x\" at place 1"],
    ["encode --text é --key 1001", "--text \"é\": 7 bits hold ASCII only, got \"é\"; take 8"],
    ["encode --text= --key 1001", "--text \"\": there must be at least one character"],
    [
      "encode --text A --bits 9 --key 1001",
      "--bits must be 7, 8 or unpadded, got \"9\"\nhint: hawser crc encode --help tells more"
    ]
  ])(
    "refuses %s",
    ([command, stderr]) => fails(["crc", ...command.split(" ")], { exit: 2, stderr: `hawser: ${stderr}\n` })
  )
})

describe("verify --key", () => {
  const broken = "hawser: the codeword does not divide by 1001\n"

  it.live("says that no error was found", () =>
    Effect.gen(function*() {
      yield* prints("verify 100010110101101001110111 --key 1001", "no error found, remainder 000\n")
      yield* prints("verify --key 1001 1011010", "no error found, remainder 000\n")
    }))

  it.live("exits with 3 if there is one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run(["crc", "verify", "1011011", "--key", "1001"]), {
        exit: 3,
        stdout: "error found, remainder 001\n",
        stderr: broken
      })
    }))

  it.live("draws the division", () =>
    Effect.gen(function*() {
      const { division } = Result.getOrThrow(BitString.check("1011011", "1001"))
      assert.deepStrictEqual(yield* run(["crc", "verify", "1011011", "--key", "1001", "--steps"]), {
        exit: 3,
        stdout: `${BitString.format(division)}\n\nerror found, remainder 001\n`,
        stderr: broken
      })
    }))

  it.live("says it in JSON", () =>
    Effect.gen(function*() {
      const object = { codeword: "1011011", key: "1001", data: "1011", remainder: "001", ok: false }
      assert.deepStrictEqual(yield* run(["crc", "verify", "1011011", "--key", "1001", "--json"]), {
        exit: 3,
        stdout: `${JSON.stringify(object)}\n`,
        stderr: broken
      })
      const { exit, stdout } = yield* run(["crc", "verify", "1011010", "--key", "1001", "--json", "--steps"])
      const { ok, quotient, steps } = JSON.parse(stdout)
      assert.deepStrictEqual([exit, ok, quotient, steps.length], [0, true, "1010", 4])
    }))

  it.live.each<[command: string, stderr: string]>([
    ["--key 1001", "the BITS are missing\nhint: give the codeword before --key"],
    ["1011 1011 --key 1001", "there is nothing to do with \"1011\"\nhint: --key takes one codeword"],
    ["101 --key 1001", "the BITS \"101\": a codeword for a key of 4 bits has at least 4 bits"],
    ["10a1 --key 1001", "the BITS \"10a1\": bits are 0 and 1, got \"a\" at place 2"],
    ["1011010 --key 0", "--key \"0\": a key begins with 1, the term of its highest power"],
    ["10 --key 11 --value 0", "--key and --value exclude each other\nhint: --key verifies a codeword given in bits"],
    ["--key 11 --text a", "--key and --text exclude each other\nhint: --key verifies a codeword given in bits"],
    ["10 --key 11 --refin", "--key and --refin exclude each other\nhint: --key verifies a codeword given in bits"]
  ])(
    "refuses %s",
    ([command, stderr]) => fails(["crc", "verify", ...command.split(" ")], { exit: 2, stderr: `hawser: ${stderr}\n` })
  )
})
