/**
 * What the help of `hawser crc …` tells beyond flags. The shapes of `--json` are stable: fields are added, not changed.
 *
 * @since 0.1.0
 */
import type * as Topics from "./Topics.ts"

const json = (...lines: ReadonlyArray<string>): Topics.Topic => ({
  title: "JSON",
  lines: ["With --json each line is an object. Values are strings, because many do not fit a number of JSON.", ...lines]
})

const from = "from          file, stdin, text or hex; name is the file's, and null without one"

const failed = "A file that cannot be read has error, a sentence, in place of value."

/** The topics of each command. @category constants @since 0.1.0 */
export const crcTopics: Readonly<Record<string, ReadonlyArray<Topics.Topic>>> = {
  "hawser crc compute": [
    {
      title: "LINES",
      lines: [
        "0xcbf43926  CRC-32/ISO-HDLC  name      of a file: value, algorithm and name, two spaces between them",
        "0xcbf43926                             of stdin, a text or bytes",
        String
          .raw`A name with a line break or a backslash is written with \n, \r and \\, behind a backslash at the start.`,
        "An algorithm of your own is written as width=16,poly=0x8005,init=0xffff,refin=true,refout=true,xorout=0x0000,",
        "which is understood wherever an ALGORITHM is."
      ]
    },
    json("{ algorithm, from, name, bytes, value }", from, "bytes         how many there were", failed)
  ],
  "hawser crc verify": [
    json(
      "{ algorithm, from, name, bytes, value, expected, ok }",
      from,
      failed,
      "With --key: { codeword, key, data, remainder, ok }, and with --steps",
      "  quotient    a text of bits",
      "  steps       [{ at, window, subtrahend, difference, quotient }], at counted from 0"
    )
  ],
  "hawser crc check": [
    {
      title: "LINES",
      lines: [
        "0xcbf43926  CRC-32/ISO-HDLC  name      as compute writes them, in any --format",
        "0xcbf43926  name                       with --algorithm",
        "Empty lines, and those that begin with #, are passed over."
      ]
    },
    json(
      "{ algorithm, name, value, expected, ok }, with error in place of value for a file that cannot be read",
      "{ line, error } for a line that cannot be read; lines count from 1"
    )
  ],
  "hawser crc encode": [
    json(
      "{ data, key, remainder, codeword }, and with --steps",
      "  quotient    a text of bits",
      "  steps       [{ at, window, subtrahend, difference, quotient }], at counted from 0"
    )
  ],
  "hawser crc list": [
    json("{ name, aliases, class, widthBits, poly, init, refin, refout, xorout, check, residue }")
  ],
  "hawser crc show": [
    {
      title: "WORDS",
      lines: [
        "check      the CRC of the nine bytes 123456789: compare it with what the other side computes",
        "residue    what the register holds after any message and its CRC, before xorout",
        "attested   proven by published code and captured messages; confirmed: by several implementations;",
        "           academic: from a document only; third-party: on one reporter's word"
      ]
    },
    json(
      "{ name, aliases, class, usedBy, widthBits, poly, init, refin, refout, xorout, check, residue, guarantees }",
      "class and usedBy are null where they are not known; guarantees is",
      "  { singleBit, oddCounts, burstBits, order, limits: [{ hammingDistance, maxDataBits, exact }] }",
      "  order       two flipped bits pass if their distance is a multiple of it; null if it is not known",
      "  limits      fewer than hammingDistance flipped bits are found in up to maxDataBits bits of data;",
      "              not exact: there may be more. The search ends at a distance of 8."
    )
  ],
  "hawser crc guess": [
    json(
      "{ algorithm, placement } for each that fits",
      "placement     big or little: a byte order, big for a single byte; or bits: the last ones of the message"
    )
  ]
}
