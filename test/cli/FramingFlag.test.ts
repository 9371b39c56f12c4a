import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as FramingFlag from "../../src/cli/FramingFlag.ts"
import * as Codec from "../../src/Codec.ts"

const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0))

/** What a framing makes of two messages, as a string of bytes. */
const encoded = (flag: string, ...messages: ReadonlyArray<string>): string => {
  const { codec } = Result.getOrThrow(FramingFlag.parse(flag, 1024))
  return String.fromCharCode(...Result.getOrThrow(Codec.encodeAll(codec, messages.map(bytes))))
}

/** What it makes of bytes. */
const decoded = (flag: string, text: string): ReadonlyArray<string> => {
  const { codec } = Result.getOrThrow(FramingFlag.parse(flag, 1024))
  return Codec.decodeAll(codec, bytes(text)).messages.map((message) => String.fromCharCode(...message))
}

describe("a framing", () => {
  it.each([
    ["lines", "ab\ncd\n"],
    ["lines:any", "ab\ncd\n"],
    ["lines:lf", "ab\ncd\n"],
    ["lines:crlf", "ab\r\ncd\r\n"],
    ["chunks", "abcd"],
    ["fixed:2", "abcd"],
    ["length", "\0\0\0\x02ab\0\0\0\x02cd"],
    ["length:1", "\x02ab\x02cd"],
    ["length:2", "\0\x02ab\0\x02cd"],
    ["length:2be", "\0\x02ab\0\x02cd"],
    ["length:2le", "\x02\0ab\x02\0cd"],
    ["delimited:;", "ab;cd;"],
    ["delimited:END", "abENDcdEND"],
    ["delimited::", "ab:cd:"],
    [String.raw`delimited:\r\n`, "ab\r\ncd\r\n"],
    [String.raw`delimited:\0`, "ab\0cd\0"],
    [String.raw`delimited:\\\t\xfF`, "ab\\\t\xffcd\\\t\xff"]
  ])("%s writes two messages", (flag, wire) => {
    assert.strictEqual(encoded(flag, "ab", "cd"), wire)
    if (flag !== "chunks") assert.deepStrictEqual(decoded(flag, wire), ["ab", "cd"])
  })

  it("of lines takes either end, and a last line without one", () => {
    assert.deepStrictEqual(decoded("lines", "ab\r\ncd\nef"), ["ab", "cd", "ef"])
    assert.deepStrictEqual(decoded("lines:lf", "ab\r\ncd\nef"), ["ab\r", "cd", "ef"])
  })

  it("says its name and limit", () => {
    const names = ["lines", "chunks", "fixed:16", "length:2", "delimited:;"].map((flag) =>
      Result.getOrThrow(FramingFlag.parse(flag, 2048)).name
    )
    assert.deepStrictEqual(names, [
      "lines of at most 2KiB",
      "chunks of at most 2KiB",
      "frames of 16B",
      "length-prefixed frames of at most 2KiB",
      "frames of at most 2KiB that end with ;"
    ])
  })

  it("guesses where messages end only when there is no framing", () => {
    const guesses = ["lines", "chunks", "fixed:16", "length:2", "delimited:chunks "].map((flag) =>
      Result.getOrThrow(FramingFlag.parse(flag, 2048)).guesses
    )
    assert.deepStrictEqual(guesses, [false, true, false, false, false])
  })

  it.each([
    ["", FramingFlag.rule],
    ["line", FramingFlag.rule],
    ["LINES", FramingFlag.rule],
    ["lines:", "lines, lines:lf or lines:crlf"],
    ["lines:cr", "lines, lines:lf or lines:crlf"],
    ["chunks:1024", "chunks, with the size in --max-frame"],
    ["fixed", "fixed:BYTES, where BYTES is a size from 1 byte to 1GiB, such as 512, 64KiB or 1MiB"],
    ["fixed:0", "fixed:BYTES, where BYTES is a size from 1 byte to 1GiB, such as 512, 64KiB or 1MiB"],
    ["length:5", "length:WIDTH, where WIDTH is 1, 2, 3, 4 or 8 bytes, as in length:2 or length:2le"],
    ["length:", "length:WIDTH, where WIDTH is 1, 2, 3, 4 or 8 bytes, as in length:2 or length:2le"],
    ["delimited", String.raw`delimited:TEXT, where TEXT is not empty and escapes are \n \r \t \0 \\ and \x1f`],
    [
      String.raw`delimited:\q`,
      String.raw`delimited:TEXT, where TEXT is not empty and escapes are \n \r \t \0 \\ and \x1f`
    ],
    [
      String.raw`delimited:\x1`,
      String.raw`delimited:TEXT, where TEXT is not empty and escapes are \n \r \t \0 \\ and \x1f`
    ],
    ["delimited:\\", String.raw`delimited:TEXT, where TEXT is not empty and escapes are \n \r \t \0 \\ and \x1f`]
  ])("%j is refused with what it must be", (flag, rule) => {
    assert.deepStrictEqual(FramingFlag.parse(flag, 1024), Result.fail(rule))
  })
})
