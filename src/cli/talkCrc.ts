/**
 * `hawser talk crc`: messages with their CRC, and what became of them.
 *
 * ```
 * one: NAK, NAK, ACK        a line for each message: refused twice, sent again each time, and accepted
 * ```
 *
 * Over chunks it is the tutorial's client: a connection for each message, what it made of it, and what the server said.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Terminal from "effect/Terminal"
import * as CloseReason from "../CloseReason.ts"
import * as Codec from "../Codec.ts"
import * as Endpoint from "../Endpoint.ts"
import * as Retransmission from "../Retransmission.ts"
import * as CrcCheck from "../services/CrcCheck.ts"
import * as Noise from "../services/Noise.ts"
import * as Address from "./Address.ts"
import * as Dial from "./Dial.ts"
import type { TalkSettings } from "./dialSettings.ts"
import * as Failure from "./Failure.ts"
import * as Flags from "./Flags.ts"
import type * as FramingFlag from "./FramingFlag.ts"
import * as Input from "./Input.ts"
import * as Output from "./Output.ts"
import { algorithm } from "./serveCrc.ts"
import * as Units from "./Units.ts"

/** Everything was answered, or will not be. */
const linger = "200 millis"

/** How to reach the server, and how long an answer may take. */
interface How {
  readonly given: TalkSettings
  readonly dial: Dial.Options
  readonly timeout: Duration.Duration
}

/** What is to be printed of a message. */
type Send<R> = (message: string) => Effect.Effect<string, Failure.Failure, R>

const late = (who: string, limit: string): Failure.Failure =>
  new Failure.Failure({
    exitCode: 4,
    message: `${who} did not answer within ${limit}`,
    hint: "it may speak another protocol: check --framing and --crc at both ends, or give it more --timeout"
  })

/** The tutorial's client; `found` counts the messages in which an error was found. */
const textbook = (
  endpoint: Endpoint.Endpoint,
  { codec }: FramingFlag.Choice,
  { dial, given, timeout }: How,
  noise: Noise.Noise | undefined,
  found: () => void
) =>
  Effect.fnUntraced(function*(message: string) {
    const who = Endpoint.format(endpoint)
    const encoded = CrcCheck.encodeTextbook(message)
    if (Result.isFailure(encoded)) return yield* Failure.local(`the message cannot be sent: ${encoded.failure.rule}`)
    const { codeword, data } = encoded.success
    const sent = noise === undefined ? codeword : Noise.flipBits(codeword, noise)
    const answer = yield* CrcCheck.askTextbook(endpoint, sent, {
      ...dial,
      framing: codec,
      connectTimeout: timeout,
      linger
    })
      .pipe(
        Effect.catchTags({
          ConnectError: (error) => Effect.fail(Failure.fromConnect(error)),
          EndpointError: (error) => Effect.fail(Failure.fromEndpoint(error)),
          TlsOptionsError: (error) => Effect.fail(Dial.fromOptions(given)(error)),
          ConnectionError: ({ reason }) => Effect.fail(Failure.fromReason(who, reason))
        }),
        Effect.timeoutOrElse({
          duration: timeout,
          orElse: () => Effect.fail(late(who, Units.formatDuration(timeout)))
        })
      )
    const verdict = CrcCheck.verdictOf(answer)
    if (verdict === "unknown") {
      return yield* new Failure.Failure({
        exitCode: 1,
        message: `${who} answered neither yes nor no: ${answer.trim()}`
      })
    }
    if (verdict === "negative") found()
    return [
      `Entered data in binary format : ${data}`,
      `Encoded data to be sent to server in binary format : ${codeword}`,
      ...(sent === codeword ? [] : [`Corrupted on its way to : ${sent}`]),
      `Received feedback from server : ${answer}`,
      verdict === "positive"
        ? "Positive acknowledgement: no error was found"
        : "Negative acknowledgement: an error was found",
      ""
    ].join("\n")
  })

const fromSend =
  (who: string, timeout: string) => ({ reason }: Retransmission.RetransmissionError): Failure.Failure => {
    if (reason._tag !== "GaveUp") return Failure.fromReason(who, reason)
    if (reason.last === "TimedOut") return late(who, timeout)
    return new Failure.Failure({
      exitCode: 3,
      message: `${who} refused the message ${reason.attempts} times`,
      hint: "each time an error was found in it"
    })
  }

const words = { Nak: "NAK", TimedOut: "time-out" } as const

/** The client that sends again until it is acknowledged. */
const repairing = Effect.fnUntraced(function*(
  endpoint: Endpoint.Endpoint,
  framing: FramingFlag.Choice,
  { dial, given, timeout }: How,
  noise: Noise.Noise | undefined
) {
  const who = Endpoint.format(endpoint)
  const crc = yield* algorithm(framing, given.crc)
  const wire = { framing: framing.codec, crc, form: framing.isText ? "readable" : "binary" } as const
  const plain = CrcCheck.codec(wire)
  const sender = yield* CrcCheck.connect(endpoint, {
    ...wire,
    ...dial,
    noise,
    connectTimeout: timeout,
    linger,
    // All attempts together take as long as an answer may. With noise one at a time, so that each run is the same.
    timeout: Duration.toMillis(timeout) / Retransmission.defaults.maxAttempts,
    window: noise === undefined ? Retransmission.defaults.window : 1
  }).pipe(Effect.catchTags({
    ConnectError: (error) => Effect.fail(Failure.fromConnect(error)),
    EndpointError: (error) => Effect.fail(Failure.fromEndpoint(error)),
    TlsOptionsError: (error) => Effect.fail(Dial.fromOptions(given)(error)),
    RetransmissionOptionsError: (error) => Effect.fail(Failure.local(error.message))
  }))
  return Effect.fnUntraced(function*(message: string) {
    const sendable = Codec.encode(plain, { _tag: "Data", seq: 255, payload: message })
    if (Result.isFailure(sendable)) {
      const why = CloseReason.format(sendable.failure)
      return yield* Failure.local(`the message cannot be sent as ${framing.name}: ${why}`)
    }
    const { again } = yield* Effect.mapError(sender.send(message), fromSend(who, Units.formatDuration(timeout)))
    return `${message}: ${[...again.map((each) => words[each]), "ACK"].join(", ")}\n`
  })
})

/** Asks for messages; the tutorial's client asks once. The end of the input is the end. */
const ask = Effect.fnUntraced(
  function*<R>(send: Send<R>, once: boolean) {
    const terminal = yield* Terminal.Terminal
    const show = (text: string) => Effect.mapError(terminal.display(text), () => new Output.Closed())
    while (true) {
      yield* show("Enter data you want to send->")
      const message = yield* terminal.readLine
      if (message === "") continue
      yield* show(yield* send(message))
      if (once) return
    }
  },
  Effect.catchTag("QuitError", () => Effect.ignore(Terminal.Terminal.use((terminal) => terminal.display("\n"))))
)

/** Sends messages with their CRC, and prints what became of them. @category running @since 0.1.0 */
export const talkCrc = Effect.fnUntraced(function*(texts: ReadonlyArray<string>, given: TalkSettings) {
  const endpoint = yield* Address.toConnect(given, Dial.asksForTls(given))
  const framing = yield* Flags.toFraming(given, "lines")
  if (given.seed !== undefined && given.corrupt === undefined) {
    return yield* Failure.local(`${given.seed.from} needs --corrupt`)
  }
  const noise = given.corrupt === undefined
    ? undefined
    : Noise.random({ rate: given.corrupt.value, seed: given.seed?.value ?? 1 })
  yield* algorithm(framing, given.crc)
  const timeout = given.timeout?.value ?? Flags.defaults.timeout
  const how: How = { given, dial: yield* Dial.toOptions(given, endpoint, timeout), timeout }
  let found = 0
  const send = framing.guesses
    ? textbook(endpoint, framing, how, noise, () => void found++)
    : yield* repairing(endpoint, framing, how, noise)
  const interactive = texts.length === 0 &&
    (yield* Stdio.Stdio.use(({ stdinIsTerminal }) => stdinIsTerminal))
  if (interactive) {
    yield* ask(send, framing.guesses)
  } else {
    const messages = texts.length > 0
      ? Stream.fromArray(texts)
      : Input.lines(given.maxFrame?.value ?? Flags.defaults.maxFrameBytes)
    const concurrency = framing.guesses || noise !== undefined ? 1 : Retransmission.defaults.window
    yield* Output.write(Stream.mapEffect(messages, send, { concurrency }))
  }
  if (found > 0) {
    return yield* new Failure.Failure({
      exitCode: 3,
      message: `${Endpoint.format(endpoint)} found an error in ${found === 1 ? "a message" : `${found} messages`}`,
      hint: "the tutorial's form does not send again; without --framing chunks it is repaired"
    })
  }
})
