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
import * as CrcCommands from "./crcCommands.ts"
import { connectSettings, talkSettings } from "./dialSettings.ts"
import { load } from "./Lazy.ts"
import * as Log from "./Log.ts"
import { serveSettings } from "./serveSettings.ts"
import * as Setting from "./Setting.ts"

/** The services of `serve`. @category models @since 0.1.0 */
export type ServedName = "greet" | "echo" | "reverse" | "vowels" | "parity" | "crc"

/** The services of `talk`. @category models @since 0.1.0 */
export type SpokenName = "echo" | "reverse" | "vowels" | "parity" | "crc"

const serveConfig = {
  service: Argument.Literals("service", ["greet", "echo", "reverse", "vowels", "parity", "crc"]).pipe(
    Argument.withDescription(
      "greet says one line and ends; echo sends back what comes; reverse turns texts around; vowels puts # in their " +
        "place; parity gives VRC and LRC, or checks them; crc takes messages whose CRC is right"
    )
  ),
  ...Setting.flags(serveSettings),
  check: Flag.Boolean("check").pipe(
    Flag.withDescription("Check all settings and files, print what would hold, and end without listening"),
    Flag.withDefault(false)
  )
}

/** What was typed behind `serve`. @category models @since 0.1.0 */
export type Serve = Command.Command.Config.Infer<typeof serveConfig>

const serve = Command.make("serve", serveConfig, (input) => load(() => import("./serve.ts"), (_) => _.serve(input)))
  .pipe(
    Command.withShortDescription("Serve greet, echo, reverse, vowels, parity or crc"),
    Command.withDescription(
      "Serve until Ctrl-C or SIGTERM, then drain and report; a second signal ends it at once. SIGHUP, or a change of the " +
        "files, loads the certificates again"
    ),
    Command.withExamples([
      { command: "hawser serve reverse", description: "Lines, on tcp://127.0.0.1:12345" },
      { command: "hawser serve reverse --framing chunks --host ''", description: "What the tutorial's clients expect" },
      { command: "hawser serve crc --framing chunks", description: "Takes codewords of the tutorial's CRC client" },
      { command: "hawser serve echo --listen unix:/tmp/echo.sock --json", description: "For a program to watch" },
      { command: "hawser serve reverse --port 443 --tls-cert site.pem --tls-key site.key", description: "Over TLS" },
      { command: "hawser serve echo --workers 4", description: "On four cores, as one server" },
      { command: "hawser serve echo --idle-timeout 30s --max-per-peer 8 --check", description: "What would hold" }
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
  ...Setting.flags(talkSettings)
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
  endpoint: Argument.String("endpoint").pipe(
    Argument.withDescription("tcp://HOST:PORT, tls://HOST:PORT or unix:PATH")
  ),
  ...Setting.flags(connectSettings)
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
  Command.withExamples([
    { command: "printf abc | hawser connect tcp://127.0.0.1:12345" },
    { command: "hawser connect tls://localhost:443 --tls-ca ca.pem", description: "A server whose authority is known" }
  ])
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
