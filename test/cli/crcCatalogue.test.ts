/** `hawser crc list`, `show` and `guess`: the catalogue. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Checksum from "../../src/Checksum.ts"
import { users } from "../../src/cli/crcUsers.ts"
import * as CrcCatalogue from "../../src/CrcCatalogue.ts"
import { fails, run } from "./inProcess.ts"

const output = Effect.fnUntraced(function*(command: string) {
  const { exit, stderr, stdout } = yield* run(["crc", ...command.split(" ")])
  assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
  return stdout
})

const objects = (stdout: string) => stdout.trimEnd().split("\n").map((line) => JSON.parse(line))

const iscsi = {
  name: "CRC-32/ISCSI",
  aliases: ["CRC-32/BASE91-C", "CRC-32/CASTAGNOLI", "CRC-32/INTERLAKEN", "CRC-32C", "CRC-32/NVME"],
  class: "attested",
  widthBits: 32,
  poly: "0x1edc6f41",
  init: "0xffffffff",
  refin: true,
  refout: true,
  xorout: "0xffffffff",
  check: "0xe3069283",
  residue: "0xb798b438"
}

describe("list", () => {
  it.live("has a line for each algorithm, and one above them", () =>
    Effect.gen(function*() {
      const lines = (yield* output("list")).trimEnd().split("\n")
      assert.strictEqual(lines.length, 114)
      assert.match(lines[0]!, /^NAME +POLY +INIT +REFIN +REFOUT +XOROUT +CHECK +ALIASES$/)
      assert.deepStrictEqual(lines.slice(1).map((line) => line.split(" ")[0]), CrcCatalogue.all.map(({ name }) => name))
    }))

  it.live("takes a width, and a part of a name or an alias", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* output("list --width 16 CcItT"),
        "NAME                POLY    INIT    REFIN  REFOUT  XOROUT  CHECK   ALIASES\n" +
          "CRC-16/IBM-3740     0x1021  0xffff  false  false   0x0000  0x29b1  CRC-16/AUTOSAR, CRC-16/CCITT-FALSE\n" +
          "CRC-16/KERMIT       0x1021  0x0000  true   true    0x0000  0x2189  CRC-16/BLUETOOTH, CRC-16/CCITT, " +
          "CRC-16/CCITT-TRUE, CRC-16/V-41-LSB, CRC-CCITT, KERMIT\n" +
          "CRC-16/SPI-FUJITSU  0x1021  0x1d0f  false  false   0x0000  0xe5cc  CRC-16/AUG-CCITT\n"
      )
      assert.strictEqual((yield* output("list --width 8")).split("\n").length, 22)
    }))

  it.live("is one object for each in JSON", () =>
    Effect.gen(function*() {
      assert.strictEqual(objects(yield* output("list --json")).length, 113)
      assert.deepStrictEqual(objects(yield* output("list crc-32c --json")), [iscsi])
    }))

  it.live("says that nothing fits", () =>
    Effect.gen(function*() {
      const hint = "hint: hawser crc list shows all\n"
      yield* fails(["crc", "list", "md5"], {
        exit: 2,
        stderr: `hawser: there is no algorithm whose name contains "md5"\n${hint}`
      })
      yield* fails(["crc", "list", "--width", "9"], {
        exit: 2,
        stderr: `hawser: there is no algorithm of 9 bits\n${hint}`
      })
      yield* fails(["crc", "list", "--width", "9", "x"], {
        exit: 2,
        stderr: `hawser: there is no algorithm of 9 bits whose name contains "x"\n${hint}`
      })
    }))
})

describe("show", () => {
  it.live("has parameters, users and guarantees", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* output("show CRC-32C"),
        `CRC-32/ISCSI
  aliases  CRC-32/BASE91-C, CRC-32/CASTAGNOLI, CRC-32/INTERLAKEN, CRC-32C, CRC-32/NVME
  class    attested
  used by  ${users["CRC-32/ISCSI"]}
  width    32 bits
  poly     0x1edc6f41
  init     0xffffffff
  refin    true
  refout   true
  xorout   0xffffffff
  check    0xe3069283
  residue  0xb798b438

Certain to find
  every single flipped bit, in data of any length
  every odd number of flipped bits, in data of any length
  every error within 32 bits in a row, in data of any length
  up to 3 flipped bits in up to 2147483615 bits of data (268435451 bytes)
  up to 5 flipped bits in up to 5243 bits of data (655 bytes)
  up to 7 flipped bits in up to 177 bits of data (22 bytes)

Of random errors one in 4294967296 passes. Two flipped bits pass if they are 2147483647 places apart, or a multiple.
`
      )
    }))

  it.live("tells of the tutorial's key what it is worth", () =>
    Effect.gen(function*() {
      const stdout = yield* output("show --width 3 --poly 1")
      assert.match(stdout, /^width=3,poly=0x1,init=0x0,refin=false,refout=false,xorout=0x0\n {2}width {4}3 bits\n/)
      assert.notMatch(stdout, /aliases|class|used by|up to/)
      assert.include(
        stdout,
        "Of random errors one in 8 passes. Two flipped bits pass if they are 3 places"
      )
    }))

  it.live("says what is not exact, and what is not known", () =>
    Effect.gen(function*() {
      const stdout = yield* output("show crc-64/redis")
      assert.match(stdout, / {2}up to 2 flipped bits in at least 9007199254740927 bits of data/)
      assert.match(stdout, /\nOf random errors one in 2\^64 passes\.\n$/)
      const parity = yield* output("show --width 1 --poly 1")
      assert.include(parity, "every odd number of flipped bits")
      assert.notInclude(parity, "in a row")
      assert.include(parity, "Two flipped bits always pass.")
    }))

  it.live("is one object in JSON", () =>
    Effect.gen(function*() {
      const limit = (hammingDistance: number, maxDataBits: number) => ({ hammingDistance, maxDataBits, exact: true })
      assert.deepStrictEqual(objects(yield* output("show crc-32c --json")), [{
        ...iscsi,
        usedBy: users["CRC-32/ISCSI"],
        guarantees: {
          singleBit: true,
          oddCounts: true,
          burstBits: 32,
          order: "2147483647",
          limits: [
            limit(3, 2147483615),
            limit(4, 2147483615),
            limit(5, 5243),
            limit(6, 5243),
            limit(7, 177),
            limit(8, 177)
          ]
        }
      }])
      const [own] = objects(yield* output("show --width 97 --poly 3 --json"))
      assert.deepStrictEqual(
        { ...own, poly: "", init: "", xorout: "", check: "", residue: "" },
        {
          name: own.name,
          aliases: [],
          class: null,
          usedBy: null,
          widthBits: 97,
          poly: "",
          init: "",
          refin: false,
          refout: false,
          xorout: "",
          check: "",
          residue: "",
          guarantees: { singleBit: true, oddCounts: false, burstBits: 97, order: null, limits: [] }
        }
      )
    }))

  it.live("needs an algorithm, and one only", () =>
    Effect.gen(function*() {
      yield* fails(["crc", "show"], {
        exit: 2,
        stderr: "hawser: the ALGORITHM is missing\nhint: for example crc-32; hawser crc list shows all\n"
      })
      yield* fails(["crc", "show", "crc-32", "--width", "8", "--poly", "7"], {
        exit: 2,
        stderr: "hawser: crc-32 and --poly exclude each other\nhint: give a name or parameters\n"
      })
    }))

  it("knows users of nothing but algorithms of the catalogue", () => {
    for (const name of Object.keys(users)) assert.strictEqual(CrcCatalogue.find(name)?.name, name)
  })
})

describe("guess", () => {
  const hexOf = (bytes: Uint8Array) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")
  const messages = ["a message of some length", "another one", "1"].map((text) => new TextEncoder().encode(text))

  it.live("finds every algorithm, in either byte order, from three messages", () =>
    Effect.forEach(
      CrcCatalogue.all,
      (algorithm) =>
        Effect.forEach(["big", "little"] as const, (order) =>
          Effect.gen(function*() {
            const hex = messages.map((bytes) => hexOf(Checksum.append(algorithm, bytes, order)))
            const placement = Checksum.widthBytes(algorithm) === 1 ? "big" : order
            const { exit, stdout } = yield* run(["crc", "guess", "--json", ...hex])
            assert.strictEqual(exit, 0)
            assert.deepInclude(objects(stdout), { algorithm: algorithm.name, placement })
          }))
    ))

  it.live("prints the one that fits", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* output("guess 01030000000ac5cd"), "CRC-16/MODBUS  little-endian\n")
      assert.strictEqual(yield* output("guess 01:03:00:00:00:0a:c5:cd"), "CRC-16/MODBUS  little-endian\n")
      assert.strictEqual(yield* output("guess 313233343536373839cbf43926"), "CRC-32/ISO-HDLC  big-endian\n")
      assert.strictEqual(
        yield* output("guess 01030000000ac5cd --json"),
        "{\"algorithm\":\"CRC-16/MODBUS\",\"placement\":\"little\"}\n"
      )
    }))

  it.live("finds checksums that do not fill their bytes, in cells and frames that were captured", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* output(`guess 0a0b0c0d0e0f${"0".repeat(80)}01f6`), "CRC-10/ATM  in the last bits\n")
      assert.strictEqual(
        yield* output("guess --json 02000102372050524f4a454354204d41494e4d454e553b48424065001049b5fb9ade"),
        "{\"algorithm\":\"CRC-82/DARC\",\"placement\":\"bits\"}\n"
      )
      assert.strictEqual(
        yield* output("guess 02000102372050524f4a454354204d41494e4d454e553b08"),
        "CRC-14/DARC  little-endian\n"
      )
    }))

  it.live("looks for no checksum of a message without data", () =>
    Effect.gen(function*() {
      const found = objects((yield* run(["crc", "guess", "0000", "--json"])).stdout)
      assert.include(found.map(({ algorithm }) => algorithm), "CRC-8/SMBUS")
      for (const { algorithm } of found) assert.isAtMost(CrcCatalogue.find(algorithm)?.widthBits ?? 99, 15)
      assert.notDeepInclude(found, { algorithm: "CRC-12/DECT", placement: "big" })
    }))

  it.live("asks for more where several fit, or one by accident", () =>
    Effect.gen(function*() {
      const hint = "hint: one more message, of another length, would tell more\n"
      assert.deepStrictEqual(yield* run(["crc", "guess", "00000000"]).pipe(Effect.map(({ stderr }) => stderr)), hint)
      assert.deepStrictEqual(yield* run(["crc", "guess", "313233343536373839f4"]), {
        exit: 0,
        stdout: "CRC-8/SMBUS\n",
        stderr: hint
      })
      assert.deepStrictEqual(
        yield* run([
          "crc",
          "guess",
          "313233343536373839f4",
          hexOf(Checksum.append(CrcCatalogue.crc8Smbus, messages[0]!))
        ]),
        { exit: 0, stdout: "CRC-8/SMBUS\n", stderr: "" }
      )
    }))

  it.live("exits with 3 if none does", () =>
    Effect.gen(function*() {
      const hint =
        "hint: give the whole message, without what stands around it: marks, escapes, what follows the checksum\n"
      yield* fails(["crc", "guess", "01030000000ac5cc"], {
        exit: 3,
        stderr: `hawser: no algorithm of the catalogue fits this message\n${hint}`
      })
      yield* fails(["crc", "guess", "01030000000ac5cd", "01030000000ac5cc"], {
        exit: 3,
        stderr: `hawser: no algorithm of the catalogue fits these messages\n${hint}`
      })
    }))

  it.live("refuses what is no message", () =>
    Effect.gen(function*() {
      yield* fails(["crc", "guess"], {
        exit: 2,
        stderr: "hawser: the HEX is missing\nhint: for example hawser crc guess 01030000000ac5cd\n"
      })
      yield* fails(["crc", "guess", "xyz"], {
        exit: 2,
        stderr: "hawser: the HEX must be bytes of two hexadecimal digits each, such as 48656c6c6f or 48:65:6c:6c:6f, " +
          "got \"xyz\"\n"
      })
      yield* fails(["crc", "guess", "00"], {
        exit: 2,
        stderr: "hawser: a message has at least one byte of data and one of checksum\n"
      })
    }))
})
