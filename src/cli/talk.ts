/**
 * `hawser talk`: messages to a service, and its answers.
 *
 * Three ways in: messages as arguments, lines from a pipe, and, on a terminal, questions. The first two are one stream of
 * messages that is pipelined and answered in order; the third is the tutorial's client, word for word.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as Client from "../Client.ts"
import * as CloseReason from "../CloseReason.ts"
import * as Codec from "../Codec.ts"
import * as Endpoint from "../Endpoint.ts"
import * as NodeTransport from "../NodeTransport.ts"
import * as Address from "./Address.ts"
import type * as Commands from "./commands.ts"
import * as Dial from "./Dial.ts"
import { talkSettings } from "./dialSettings.ts"
import * as Environment from "./Environment.ts"
import * as Failure from "./Failure.ts"
import * as Flags from "./Flags.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"
import { isGoodbye, spoken } from "./services.ts"
import * as Units from "./Units.ts"

/** Everything was answered, or will not be: the end is a courtesy, and nobody should wait long for the peer's. */
const linger = "200 millis"

type Call = (message: string) => Effect.Effect<string, Failure.Failure>

/** The tutorial's client. Enter alone sends the last message again; the end of the input is a "no". */
const ask = Effect.fnUntraced(
  function*(call: Call) {
    const terminal = yield* Terminal.Terminal
    const show = (text: string) => Effect.mapError(terminal.display(text), () => new Output.Closed())
    let message = ""
    do {
      do {
        yield* show("Enter data you want to send->")
        message = (yield* terminal.readLine) || message
      } while (message === "")
      yield* show(`Received from the server : ${yield* call(message)}\n`)
      yield* show("\nDo you want to continue(y/n) :")
    } while ((yield* terminal.readLine) === "y")
  },
  Effect.catchTag("QuitError", () => Effect.ignore(Terminal.Terminal.use((terminal) => terminal.display("\n"))))
)

const fromClient = (who: string, { reason }: Client.ClientError): Failure.Failure =>
  reason._tag === "CallTimeout"
    ? new Failure.Failure({
      exitCode: 4,
      message: `${who} did not answer within ${Units.formatMillis(reason.limitMillis)}`,
      hint: "it may wait for the end of the message: check --framing at both ends, or give it more --timeout"
    })
    : Failure.fromReason(who, reason)

/** Sends messages and prints the answers. @category running @since 0.1.0 */
export const talk = Effect.fnUntraced(
  function*(input: Commands.Talk) {
    const given = yield* Environment.fill(Environment.prefixes.client, talkSettings, input)
    if (input.service === "crc") {
      return yield* Effect.flatMap(
        Effect.promise(() => import("./talkCrc.ts")),
        (_) => _.talkCrc(input.messages, given)
      )
    }
    const idle = given.crc ?? given.corrupt ?? given.seed
    if (idle !== undefined) {
      return yield* Failure.local(`${idle.from} is for the service crc, not for ${input.service}`)
    }
    const service = spoken[input.service]
    const endpoint = yield* Address.toConnect(given, Dial.asksForTls(given))
    const framing = yield* Flags.toFraming(given, "lines")
    const protocol = service.protocol(framing.codec, framing.guesses ? { depth: 1 } : {})
    const timeout = given.timeout?.value ?? Flags.defaults.timeout
    const client = yield* Client.make(protocol, endpoint, {
      ...(yield* Dial.toOptions(given, endpoint, timeout)),
      connectTimeout: timeout,
      callTimeout: timeout,
      linger
    }).pipe(
      Effect.catchTags({
        ConnectError: (error) => Effect.fail(Failure.fromConnect(error)),
        EndpointError: (error) => Effect.fail(Failure.fromEndpoint(error)),
        TlsOptionsError: (error) => Effect.fail(Dial.fromOptions(given)(error)),
        ClientOptionsError: (error) => Effect.fail(Failure.local(error.message))
      })
    )
    const who = Endpoint.format(client.endpoint)

    const call: Call = Effect.fnUntraced(function*(message) {
      const sendable = Codec.encode(protocol.request, message)
      if (Result.isFailure(sendable)) {
        const why = CloseReason.format(sendable.failure)
        return yield* Failure.local(`the message cannot be sent as ${framing.name}: ${why}`)
      }
      if (sendable.success.length === 0) {
        return yield* Failure.local(`an empty message cannot be sent as ${framing.name}`)
      }
      const reply = yield* Effect.mapError(client.call(message), (error) => fromClient(who, error))
      if (isGoodbye(service, message, reply)) {
        return yield* new Failure.Failure({ exitCode: 1, message: `${who} turned this client away: ${reply}` })
      }
      return reply
    })

    const interactive = input.messages.length === 0 &&
      (yield* Stdio.Stdio.use(({ stdinIsTerminal }) => stdinIsTerminal))
    if (interactive) return yield* ask(call)
    const messages = input.messages.length > 0
      ? Stream.fromArray(input.messages)
      : Input.lines(given.maxFrame?.value ?? Flags.defaults.maxFrameBytes)
    const replies = Stream.mapEffect(messages, call, { concurrency: protocol.depth })
    yield* Output.write(Stream.map(replies, (reply) => `${reply}\n`))
  },
  Effect.scoped,
  Effect.provide(NodeTransport.layer)
)
