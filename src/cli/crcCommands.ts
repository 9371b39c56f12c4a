/**
 * What can be typed behind `crc`: commands and flags. What they do, and the catalogue, is loaded when one is chosen.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as CrcParse from "./crcParse.ts"
import * as Flags from "./Flags.ts"
import { load } from "./Lazy.ts"

const number = (name: string, description: string) =>
  Flags.make(name, { value: "NUMBER", description, parse: CrcParse.number }).pipe(Flag.optional)

const width = (description: string) =>
  Flags.make("width", {
    value: "BITS",
    description,
    parse: (text) =>
      /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= 4096
        ? Result.succeed(Number(text))
        : Result.fail("an integer from 1 to 4096")
  }).pipe(Flag.optional)

const algorithm = Argument.String("algorithm").pipe(
  Argument.withDescription("A name of the catalogue or an alias, such as crc-32, crc-32c or modbus; none with --poly"),
  Argument.optional
)

/** An algorithm that is not in the catalogue. */
const parameters = {
  width: width("Instead of ALGORITHM: how many bits the checksum has"),
  poly: number("poly", "With --width: the polynomial without its top term, highest power first"),
  init: number("init", "With --poly: what the register holds at first (default: 0)"),
  refin: Flag.Boolean("refin").pipe(
    Flag.withDescription("With --poly: the lowest bit of each byte goes first"),
    Flag.optional
  ),
  refout: Flag.Boolean("refout").pipe(
    Flag.withDescription("With --poly: the register is read from its lowest bit on (default: as --refin)"),
    Flag.optional
  ),
  xorout: number("xorout", "With --poly: what is XORed onto the result (default: 0)")
}

/** Which algorithm was asked for. @category models @since 0.1.0 */
export interface Algorithm {
  readonly algorithm: Option.Option<string>
  readonly width: Option.Option<number>
  readonly poly: Option.Option<bigint>
  readonly init: Option.Option<bigint>
  readonly refin: Option.Option<boolean>
  readonly refout: Option.Option<boolean>
  readonly xorout: Option.Option<bigint>
}

const files = Argument.String("file").pipe(
  Argument.withDescription("Files to read; - or none is stdin"),
  Argument.variadic()
)

const text = (description: string) =>
  Flag.String("text").pipe(Flag.withMetavar("TEXT"), Flag.withDescription(description), Flag.optional)

const hex = Flags.make("hex", {
  value: "HEX",
  description: "Instead of files: these bytes, in hexadecimal",
  parse: CrcParse.hex
}).pipe(Flag.optional)

/** What the checksum is about. @category models @since 0.1.0 */
export interface Input {
  readonly file: ReadonlyArray<string>
  readonly text: Option.Option<string>
  readonly hex: Option.Option<Uint8Array>
}

const json = Flag.Boolean("json").pipe(
  Flag.withDescription("Print JSON, one object per line"),
  Flag.withDefault(false)
)

const computeConfig = {
  algorithm,
  file: files,
  text: text("Instead of files: this text, as UTF-8"),
  hex,
  format: Flag.Literals("format", ["hex", "dec", "bin"]).pipe(
    Flag.withDescription("How values are written (default: hex)"),
    Flag.withDefault("hex")
  ),
  ...parameters,
  json
}

/** What was typed behind `crc compute`. @category models @since 0.1.0 */
export type Compute = Command.Command.Config.Infer<typeof computeConfig>

const compute = Command.make(
  "compute",
  computeConfig,
  (input) => load(() => import("./crcCompute.ts"), (_) => _.compute(input))
).pipe(
  Command.withShortDescription("Compute the CRC of files, stdin, a text or bytes"),
  Command.withDescription(
    "Compute a CRC. Of files it prints value, algorithm and name, which `hawser crc check` reads; else the value alone"
  ),
  Command.withExamples([
    { command: "hawser crc compute crc-32 --text 123456789", description: "0xcbf43926" },
    { command: "hawser crc compute crc-32c *.bin > list", description: "A list for hawser crc check" },
    { command: "hawser crc compute --width 16 --poly 0x8005 --init 0xffff --refin --hex '01 03 00 00 00 0a'" }
  ])
)

const steps = Flag.Boolean("steps").pipe(
  Flag.withDescription("Draw the long division as on paper"),
  Flag.withDefault(false)
)

const key = (description: string) =>
  Flag.String("key").pipe(Flag.withMetavar("BITS"), Flag.withDescription(description))

const verifyConfig = {
  algorithm: Argument.String("algorithm").pipe(
    Argument.withDescription("A name or alias, as for compute; with --key the BITS of a codeword"),
    Argument.optional
  ),
  file: files,
  value: number("value", "What the checksum should be"),
  key: key("Instead of an algorithm: the divisor of a codeword that is given in bits").pipe(Flag.optional),
  steps,
  text: text("Instead of files: this text, as UTF-8"),
  hex,
  ...parameters,
  json
}

/** What was typed behind `crc verify`. @category models @since 0.1.0 */
export type Verify = Command.Command.Config.Infer<typeof verifyConfig>

const verify = Command.make("verify", verifyConfig, (input) =>
  Option.match(input.key, {
    onNone: () => load(() => import("./crcVerify.ts"), (_) => _.verify(input)),
    onSome: (key) => load(() => import("./crcBits.ts"), (_) => _.verify(input, key))
  })).pipe(
    Command.withShortDescription("Verify a CRC, or a codeword in bits"),
    Command.withDescription(
      "Verify that bytes have a CRC, or that a codeword in bits divides by a key; exits with 3 if not"
    ),
    Command.withExamples([
      { command: "hawser crc verify crc-32 --value 0xcbf43926 --text 123456789" },
      { command: "hawser crc verify crc-32c --value 0x1a2b3c4d firmware.bin" },
      { command: "hawser crc verify 100010110101101001110111 --key 1001 --steps", description: "As in a textbook" }
    ])
  )

const checkConfig = {
  list: Argument.String("list").pipe(
    Argument.withDescription("What hawser crc compute wrote; - or none is stdin"),
    Argument.optional
  ),
  algorithm: Flag.String("algorithm").pipe(
    Flag.withMetavar("ALGORITHM"),
    Flag.withDescription("For lines that do not tell theirs: VALUE, two spaces, NAME"),
    Flag.optional
  ),
  json
}

/** What was typed behind `crc check`. @category models @since 0.1.0 */
export type Check = Command.Command.Config.Infer<typeof checkConfig>

const check = Command.make(
  "check",
  checkConfig,
  (input) => load(() => import("./crcCheck.ts"), (_) => _.check(input))
).pipe(
  Command.withShortDescription("Check files against a list that compute wrote"),
  Command.withDescription("Check files against a list that `hawser crc compute` wrote; exits with 3 if one differs"),
  Command.withExamples([{ command: "hawser crc compute crc-32c *.bin > list && hawser crc check list" }])
)

const encodeConfig = {
  bits: Argument.String("bits").pipe(Argument.withDescription("The data, of 0 and 1"), Argument.optional),
  key: key("The divisor, such as 1001 for x^3 + 1"),
  text: text("Instead of BITS: the bits of this text"),
  size: Flag.Literals("bits", CrcParse.textBits).pipe(
    Flag.withMetavar("SIZE"),
    Flag.withDescription("With --text: 7 (ASCII), 8 (UTF-8) or unpadded, as the tutorial does (default: 7)"),
    Flag.optional
  ),
  steps,
  json
}

/** What was typed behind `crc encode`. @category models @since 0.1.0 */
export type Encode = Command.Command.Config.Infer<typeof encodeConfig>

const encode = Command.make(
  "encode",
  encodeConfig,
  (input) => load(() => import("./crcBits.ts"), (_) => _.encode(input))
).pipe(
  Command.withShortDescription("Append the remainder to bits, as in a textbook"),
  Command.withDescription("Divide bits by a key as in a textbook, and print the codeword: the data and the remainder"),
  Command.withExamples([
    { command: "hawser crc encode 100010110101101001110 --key 1001", description: "100010110101101001110111" },
    { command: "hawser crc encode --text ODD --key 1001", description: "100111110001001000100001" },
    { command: "hawser crc encode 1011 --key 1001 --steps", description: "The division as on paper" }
  ])
)

const listConfig = {
  pattern: Argument.String("pattern").pipe(
    Argument.withDescription("A part of a name or an alias, in any case"),
    Argument.optional
  ),
  width: width("Only algorithms of so many bits"),
  json
}

/** What was typed behind `crc list`. @category models @since 0.1.0 */
export type List = Command.Command.Config.Infer<typeof listConfig>

const list = Command.make("list", listConfig, (input) => load(() => import("./crcList.ts"), (_) => _.list(input))).pipe(
  Command.withDescription("List the algorithms of the catalogue"),
  Command.withExamples([{ command: "hawser crc list --width 16 ccitt" }])
)

const showConfig = { algorithm, ...parameters, json }

/** What was typed behind `crc show`. @category models @since 0.1.0 */
export type Show = Command.Command.Config.Infer<typeof showConfig>

const show = Command.make("show", showConfig, (input) => load(() => import("./crcShow.ts"), (_) => _.show(input))).pipe(
  Command.withShortDescription("Show an algorithm, and what it is certain to detect"),
  Command.withDescription("Show the parameters of an algorithm, who uses it, and what it is certain to detect"),
  Command.withExamples([{ command: "hawser crc show crc-32c" }])
)

const guessConfig = {
  message: Argument.String("hex").pipe(
    Argument.withDescription("Messages in hexadecimal, each with its checksum at the end"),
    Argument.variadic()
  ),
  json
}

/** What was typed behind `crc guess`. @category models @since 0.1.0 */
export type Guess = Command.Command.Config.Infer<typeof guessConfig>

const guess = Command.make(
  "guess",
  guessConfig,
  (input) => load(() => import("./crcGuess.ts"), (_) => _.guess(input))
).pipe(
  Command.withShortDescription("Find the algorithms that fit captured messages"),
  Command.withDescription(
    "Find the algorithms of the catalogue that fit messages which end with their checksum; exits with 3 if none does"
  ),
  Command.withExamples([{ command: "hawser crc guess 01030000000ac5cd" }])
)

/** `hawser crc`. @category constants @since 0.1.0 */
export const crc = Command.make("crc").pipe(
  Command.withShortDescription("Compute, verify and understand checksums"),
  Command.withDescription(
    "Compute, verify and understand cyclic redundancy checks: 113 by name, any by its parameters"
  ),
  Command.withSubcommands([compute, verify, check, encode, list, show, guess])
)
