/**
 * Everything that can be typed: the commands, their flags, and what they are for.
 *
 * What a command does is in the file of its name, which is loaded when the command is chosen: so that `--help`, and a
 * mistake, cost no more than they must.
 *
 * @since 0.1.0
 */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Result from "effect/Result"
import * as CrcCommands from "./crcCommands.ts"
import * as Flags from "./Flags.ts"
import { load } from "./Lazy.ts"
import * as Log from "./Log.ts"

const oneOf = <const Names extends ReadonlyArray<string>>(names: Names) => (text: string) => {
  const found: Names[number] | undefined = names.find((name) => name === text)
  return found === undefined
    ? Result.fail(`${names.slice(0, -1).join(", ")} or ${names.at(-1)}`)
    : Result.succeed(found)
}

/** The services of `serve`. @category models @since 0.1.0 */
export type ServedName = "greet" | "echo" | "reverse" | "vowels" | "parity" | "crc"

/** The services of `talk`. @category models @since 0.1.0 */
export type SpokenName = "echo" | "reverse" | "vowels" | "parity" | "crc"

const crcFlag = Flag.String("crc").pipe(
  Flag.withMetavar("ALGORITHM"),
  Flag.withDescription("For crc: the algorithm, by its name or alias (default: CRC-32C)"),
  Flag.optional
)

const matching = <A>(pattern: RegExp, convert: (text: string) => A, holds: (value: A) => boolean, rule: string) =>
(
  text: string
) => pattern.test(text) && holds(convert(text)) ? Result.succeed(convert(text)) : Result.fail(rule)

const serveConfig = {
  service: Argument.Literals("service", ["greet", "echo", "reverse", "vowels", "parity", "crc"]).pipe(
    Argument.withDescription(
      "greet says one line and ends; echo sends back what comes; reverse turns texts around; vowels puts # in their " +
        "place; parity gives VRC and LRC, or checks them; crc takes messages whose CRC is right"
    )
  ),
  ...Flags.address("listen", {
    host: "Where to listen; '' is every interface",
    port: "The port; 0 picks a free one",
    endpoint: "Where to listen"
  }),
  ...Flags.framing("lines; for echo chunks"),
  crc: crcFlag,
  maxConnections: Flags.count("max-connections", "How many may be connected at once (default: 1024)").pipe(
    Flag.optional
  ),
  overflow: Flags.make("overflow", {
    value: "POLICY",
    description: "What happens to one more: goodbye, close, reset or wait (default: goodbye, else close)",
    parse: oneOf(["goodbye", "close", "reset", "wait"])
  }).pipe(Flag.optional),
  maxWaiting: Flags.count("max-waiting", "With --overflow wait: how many may wait (default: 64)").pipe(Flag.optional),
  waitTimeout: Flags.duration("wait-timeout", "With --overflow wait: how long one may wait (default: 10s)").pipe(
    Flag.optional
  ),
  backlog: Flags.count("backlog", "How many the system holds that are not accepted yet (default: 511)").pipe(
    Flag.optional
  ),
  drainGrace: Flags.duration("drain-grace", "How long a drain lets connections finish (default: 10s)").pipe(
    Flag.optional
  ),
  json: Flag.Boolean("json").pipe(
    Flag.withDescription("Print events as JSON, one object per line"),
    Flag.withDefault(false)
  )
}

/** What was typed behind `serve`. @category models @since 0.1.0 */
export type Serve = Command.Command.Config.Infer<typeof serveConfig>

const serve = Command.make("serve", serveConfig, (input) => load(() => import("./serve.ts"), (_) => _.serve(input)))
  .pipe(
    Command.withShortDescription("Serve greet, echo, reverse, vowels, parity or crc"),
    Command.withDescription(
      "Serve until Ctrl-C or SIGTERM, then drain and report; a second signal ends it at once"
    ),
    Command.withExamples([
      { command: "hawser serve reverse", description: "Lines, on tcp://127.0.0.1:12345" },
      { command: "hawser serve reverse --framing chunks --host ''", description: "What the tutorial's clients expect" },
      { command: "hawser serve crc --framing chunks", description: "Takes codewords of the tutorial's CRC client" },
      { command: "hawser serve echo --listen unix:/tmp/echo.sock --json", description: "For a program to watch" }
    ])
  )

const talkConfig = {
  service: Argument.Literals("service", ["echo", "reverse", "vowels", "parity", "crc"]).pipe(
    Argument.withDescription("What is at the other end")
  ),
  messages: Argument.String("message").pipe(
    Argument.withDescription("What to send; without any, asks on a terminal and takes lines from a pipe"),
    Argument.variadic()
  ),
  ...Flags.address("connect", { host: "Where to connect", port: "The port", endpoint: "Where to connect" }),
  ...Flags.framing("lines"),
  timeout: Flags.timeout("How long connecting, and each answer, may take (default: 10s)"),
  crc: crcFlag,
  corrupt: Flags.make("corrupt", {
    value: "RATE",
    description: "For crc: the share of frames in which a bit is flipped on the way, from 0 to 1 (default: 0)",
    parse: matching(/^\d+(\.\d+)?$/, Number, (rate) => rate <= 1, "a share from 0 to 1, such as 0.25")
  }).pipe(Flag.optional),
  seed: Flags.make("seed", {
    value: "N",
    description: "With --corrupt: chooses the frames and bits; the same ones each time (default: 1)",
    parse: matching(/^\d+$/, Number, (seed) => seed < 2 ** 32, "an integer from 0 to 4294967295")
  }).pipe(Flag.optional)
}

/** What was typed behind `talk`. @category models @since 0.1.0 */
export type Talk = Command.Command.Config.Infer<typeof talkConfig>

const talk = Command.make("talk", talkConfig, (input) => load(() => import("./talk.ts"), (_) => _.talk(input))).pipe(
  Command.withShortDescription("Send messages to a service, and print the answers"),
  Command.withDescription("Send messages and print the answers, one per line"),
  Command.withExamples([
    { command: "hawser talk reverse 'hello, quay'" },
    { command: "seq 1000 | hawser talk echo", description: "One answer per line" },
    { command: "hawser talk reverse --framing chunks", description: "The tutorial's client, and its server" },
    { command: "hawser talk crc --corrupt 0.5 --seed 7 one two three", description: "Watch NAK and sending again" }
  ])
)

const connectConfig = {
  endpoint: Argument.String("endpoint").pipe(Argument.withDescription("tcp://HOST:PORT or unix:PATH")),
  timeout: Flags.timeout("How long connecting may take (default: 10s)")
}

/** What was typed behind `connect`. @category models @since 0.1.0 */
export type Connect = Command.Command.Config.Infer<typeof connectConfig>

const connect = Command.make(
  "connect",
  connectConfig,
  (input) => load(() => import("./connect.ts"), (_) => _.connect(input))
).pipe(
  Command.withShortDescription("Pass bytes from stdin to a peer and back"),
  Command.withDescription(
    "Pass bytes from stdin to a peer and back, end this side at the end of stdin, and wait for the peer's end"
  ),
  Command.withExamples([{ command: "printf abc | hawser connect tcp://127.0.0.1:12345" }])
)

const tour = Command.make("tour", {}, () => load(() => import("./tour.ts"), (_) => _.tour)).pipe(
  Command.withDescription("Show what hawser claims, at work over real sockets, and check it")
)

/** The program. @category constants @since 0.1.0 */
export const program = Command.make("hawser").pipe(
  Command.withDescription("Serve and call TCP services, and check what they carry"),
  Command.withSubcommands([serve, talk, connect, CrcCommands.crc, tour]),
  Command.withGlobalFlags([Log.Verbose])
)
