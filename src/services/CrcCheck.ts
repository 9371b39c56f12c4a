/**
 * Messages checked by a CRC: the tutorial's exchange of bits and remainders, and the one that repairs what it finds.
 *
 * The tutorial's client sends one codeword of `0` and `1` over each connection, and the server says what it found:
 *
 * ```
 * 100010110101101001110111 -->     "EVN" in bits without padding, and its remainder by 1001
 *                          <-- THANK you Data ->100010110101101001110111 Received No error FOUND
 *                          <-- Error in data                              (instead, if the remainder is not 000)
 * ```
 *
 * The other one numbers its messages, protects each frame with a CRC of any kind, and sends again what was refused. As
 * lines it can be read, and typed: the CRC in hexadecimal, over all that follows it.
 *
 * ```
 * BF16E5C0 DATA 0 hello -->
 *                       <-- BC03EE04 ACK 1        or NAK 0, and the line is sent again
 * ```
 *
 * **Gotchas**: the tutorial's form is over when the server has answered, and its messages end where a read ends: more than
 * what one read returns, 1024 bytes there, is found in error.
 *
 * @see Retransmission
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import * as BitString from "../BitString.ts"
import type * as Checksum from "../Checksum.ts"
import * as CloseReason from "../CloseReason.ts"
import * as Codec from "../Codec.ts"
import * as Connection from "../Connection.ts"
import * as CrcCatalogue from "../CrcCatalogue.ts"
import type * as Endpoint from "../Endpoint.ts"
import * as Framing from "../Framing.ts"
import * as Retransmission from "../Retransmission.ts"
import * as Server from "../Server.ts"
import type * as Tls from "../Tls.ts"
import type * as Transport from "../Transport.ts"
import * as Goodbye from "./Goodbye.ts"
import * as Noise from "./Noise.ts"

/** What the server found in one frame. @category models @since 0.1.0 */
export interface Finding {
  /** The connection. */
  readonly id: number
  /** Whether no error was found. */
  readonly ok: boolean
  /** The codeword, or the message; empty where it cannot be told. */
  readonly received: string
  /** The remainder, the name of the CRC that agreed, or what is wrong. */
  readonly detail: string
}

/** How frames look; both ends must agree. @category options @since 0.1.0 */
export interface Wire {
  /** @default lines of at most 64 KiB */
  readonly framing?: Codec.Codec<Uint8Array> | undefined
  /** @default CRC-32C */
  readonly crc?: Checksum.Checksum | undefined
  /**
   * Frames that can be read, or `Retransmission.text` with the CRC behind it, for framings that carry any bytes.
   *
   * @default "readable"
   */
  readonly form?: "readable" | "binary" | undefined
}

/** How to serve it. @category options @since 0.1.0 */
export interface Options extends Server.Options, Wire {
  /** Called for each frame with what was found; once for each message without error. */
  readonly onFinding?: ((finding: Finding) => void) | undefined
}

/** How to send. @category options @since 0.1.0 */
export interface ConnectOptions extends Connection.Options, Retransmission.SenderOptions, Wire {
  /** What happens to the frames on their way. */
  readonly noise?: Noise.Noise | undefined
}

/** How to serve, or to ask, in the tutorial's form. @category options @since 0.1.0 */
export interface TextbookOptions {
  /** @default chunks of at most 1 KiB, as `recv(1024)` gives them */
  readonly framing?: Codec.Codec<Uint8Array> | undefined
  /** @default "1001" */
  readonly key?: string | undefined
}

/** The values used where an option is not given. @category options @since 0.1.0 */
export const defaults = {
  framing: Framing.lines({ maxFrameBytes: 65_536, ending: "any", unterminated: "emit" }),
  crc: CrcCatalogue.crc32Iscsi,
  textbookFraming: Framing.chunks({ maxFrameBytes: 1024 }),
  key: "1001"
} as const

const line = /^ (?:DATA (\d{1,3}) (.*)|(ACK|NAK) (\d{1,3}))$/s

const readable = (framing: Codec.Codec<Uint8Array>): Retransmission.FrameCodec<string> =>
  Codec.attempt(Codec.mapResult(Codec.text(framing), {
    decode: (text: string): Result.Result<Retransmission.Frame<string>, string> => {
      const [, dataSeq, payload = "", answer, answerSeq] = line.exec(text) ?? []
      const seq = Number(dataSeq ?? answerSeq)
      if (!(seq <= 255)) return Result.fail("neither DATA nor ACK nor NAK with a number up to 255")
      if (answer === undefined) return Result.succeed({ _tag: "Data", seq, payload })
      return Result.succeed({ _tag: answer === "ACK" ? "Ack" : "Nak", seq })
    },
    encode: (frame: Retransmission.Frame<string>) =>
      Result.succeed(
        frame._tag === "Data" ? ` DATA ${frame.seq} ${frame.payload}` : ` ${frame._tag.toUpperCase()} ${frame.seq}`
      )
  }))

/**
 * The frames on the wire.
 *
 * **Details**
 * - Errors: throws `FramingOptionsError` where the framing cannot hold the CRC.
 *
 * @category codecs
 * @since 0.1.0
 */
export const codec = (options: Wire & Pick<ConnectOptions, "noise"> = {}): Retransmission.FrameCodec<string> => {
  const { crc = defaults.crc, form = "readable", framing = defaults.framing, noise } = options
  const link = noise === undefined ? framing : Noise.flip(framing, noise)
  return form === "binary"
    ? Retransmission.text(Framing.checksummed(link, crc))
    : readable(Framing.checksummed(link, crc, { form: "hex", placement: "before" }))
}

/** A server that takes each message once, and asks for it again where it finds an error. @category layers @since 0.1.0 */
export const layer = (
  endpoints: Server.Endpoints,
  options: Options = {}
): Layer.Layer<Server.Server, Server.StartError, Transport.Transport> => {
  const { crc = defaults.crc, onFinding } = options
  return Server.layerConnection(
    codec(options),
    endpoints,
    (connection) => {
      const tell = (ok: boolean, received: string, detail: string) =>
        onFinding?.({ id: connection.id, ok, received, detail })
      return Retransmission.receive(connection, (message) => Effect.sync(() => tell(true, message, crc.name)), {
        onNak: (why) =>
          tell(false, "", typeof why === "number" ? `number ${why} is not the next` : CloseReason.format(why))
      })
    },
    options
  )
}

/** Connects to such a server, for the time of the scope. @category constructors @since 0.1.0 */
export const connect = (
  endpoint: Endpoint.Input,
  options: ConnectOptions = {}
): Effect.Effect<
  Retransmission.Sender<string>,
  | Transport.ConnectError
  | Endpoint.EndpointError
  | Tls.TlsOptionsError
  | Retransmission.RetransmissionOptionsError,
  Scope.Scope | Transport.Transport
> =>
  Effect.flatMap(
    Connection.connect(endpoint, codec(options), options),
    (link) => Retransmission.makeSender(link, options)
  )

// --- the tutorial's form -----------------------------------------------------------------------------------------------

/** What the tutorial's client makes of a text: its bits, unpadded, and with the remainder. @category textbook @since 0.1.0 */
export const encodeTextbook = (
  message: string,
  key: string = defaults.key
): Result.Result<BitString.Encoded, BitString.BitStringError> =>
  Result.flatMap(BitString.fromText(message, "unpadded"), (bits) => BitString.encode(bits, key))

/** What the tutorial's server finds in a codeword, and what it answers. @category textbook @since 0.1.0 */
export const answerTextbook = (
  codeword: string,
  key: string = defaults.key
): { readonly finding: Omit<Finding, "id">; readonly answer: string } => {
  const verdict = BitString.check(codeword, key)
  const ok = Result.isSuccess(verdict) && verdict.success.ok
  const detail = Result.isSuccess(verdict) ? `remainder ${verdict.success.remainder}` : verdict.failure.rule
  return {
    finding: { ok, received: codeword, detail },
    answer: ok ? `THANK you Data ->${codeword} Received No error FOUND` : "Error in data"
  }
}

/** What an answer says: no error was found, one was, or something else. @category textbook @since 0.1.0 */
export const verdictOf = (answer: string): "positive" | "negative" | "unknown" =>
  /^\s*THANK you Data ->.* Received No error FOUND\s*$/s.test(answer)
    ? "positive"
    : /^\s*Error in data\s*$/.test(answer)
    ? "negative"
    : "unknown"

/** The tutorial's server: one codeword, one answer, the end. @category layers @since 0.1.0 */
export const layerTextbook = (
  endpoints: Server.Endpoints,
  options: Server.Options & TextbookOptions & Pick<Options, "onFinding"> = {}
): Layer.Layer<Server.Server, Server.StartError, Transport.Transport> => {
  const text = Codec.text(options.framing ?? defaults.textbookFraming, { invalid: "replace" })
  return Server.layerConnection(
    text,
    endpoints,
    (connection) =>
      Effect.flatMap(connection.pull, ([codeword]) => {
        const { answer, finding } = answerTextbook(codeword, options.key)
        options.onFinding?.({ ...finding, id: connection.id })
        return connection.write([answer])
      }),
    { ...options, goodbye: Goodbye.text(text) }
  )
}

/** Sends a codeword to such a server, and gives its answer. @category textbook @since 0.1.0 */
export const askTextbook = Effect.fnUntraced(function*(
  endpoint: Endpoint.Input,
  codeword: string,
  options: TextbookOptions & Connection.Options = {}
) {
  const text = Codec.text(options.framing ?? defaults.textbookFraming, { invalid: "replace" })
  const connection = yield* Connection.connect(endpoint, text, options)
  yield* connection.write([codeword])
  let answer = ""
  // A read may return a part of it; the server's end says that there is no more.
  const read = Connection.forEachBatch(connection, (batch) => {
    answer += batch.join("")
    return verdictOf(answer) === "unknown" ? Effect.void : Effect.fail("complete" as const)
  })
  yield* Effect.catchIf(read, (error) => error === "complete", () => Effect.void)
  if (answer === "") return yield* new Connection.ConnectionError({ reason: CloseReason.peerClosed })
  return answer
}, Effect.scoped)
