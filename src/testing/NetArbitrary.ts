/**
 * Random values for properties about the wire: bytes, texts, payloads and cuts; endpoints, conversations, commands and
 * plans of faults.
 *
 * They favour what breaks programs: terminators, zeros, 0xff, characters of several bytes, empty chunks and chunks of one
 * byte, sizes at a limit, addresses that are hard to spell. All shrink towards few, short and plain values, and a chunking
 * shrinks to no cut at all. What a check prints as `replay` draws and shrinks the same again.
 *
 * ```
 * bytes      68 65 0a 6c 6f
 * chunking   [2, 0, 1]           sizes of the first chunks; the rest comes at once
 * chunks     [68 65] [] [0a] [6c 6f]
 * ```
 *
 * @since 0.1.0
 */
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import * as Endpoint from "../Endpoint.ts"
import * as Draw from "./internal/Draw.ts"
import * as Law from "./Law.ts"

export {
  /** The kinds of faults that are drawn. @category models @since 0.1.0 */
  type Family,
  /** Plans of faults for a simulated network. @category arbitraries @since 0.1.0 */
  faultPlan,
  /** What a plan may have in it. @category options @since 0.1.0 */
  type FaultPlanOptions
} from "./internal/FaultArbitrary.ts"
export {
  /** One command with its input. @category models @since 0.1.0 */
  type Command,
  /** Sequences of commands. @category arbitraries @since 0.1.0 */
  commands,
  /** A model, the real thing, and what is done to both. @category models @since 0.1.0 */
  type Model,
  /** Gives sequences of commands to a model and to the real thing. @category running @since 0.1.0 */
  runModel,
  /** One kind of command, done to both. @category models @since 0.1.0 */
  type Step
} from "./internal/Model.ts"

/** The sizes of the first chunks; what is left comes at once. @category models @since 0.1.0 */
export type Chunking = ReadonlyArray<number>

/** How many bytes there are at least and at most. @category options @since 0.1.0 */
export interface BytesOptions {
  readonly minBytes?: number | undefined
  readonly maxBytes?: number | undefined
}

/** One byte, often one that means something to a protocol. @category arbitraries @since 0.1.0 */
export const byte: Arbitrary.Arbitrary<number> = Draw.integer(
  255,
  [0x00, 0x01, 0x02, 0x0a, 0x0d, 0x20, 0x61, 0x7e, 0x80, 0xc0, 0xff]
)

/** Any bytes. @category arbitraries @since 0.1.0 */
export const bytes = (options?: BytesOptions): Arbitrary.Arbitrary<Uint8Array> =>
  Arbitrary.array(byte, { minLength: options?.minBytes, maxLength: options?.maxBytes }).pipe(
    Arbitrary.map((values) => Uint8Array.from(values))
  )

/**
 * Well-formed text with characters of one to four bytes, combined ones, a byte order mark, and line breaks.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const text = (options?: { readonly maxCharacters?: number | undefined }): Arbitrary.Arbitrary<string> =>
  Arbitrary.array(
    Arbitrary.schema(Schema.Union([
      Schema.Literals(["a", " ", "\n", "\r", "\r\n", "\0", "é", "e\u0301", "€", "\uFEFF", "\uFFFD", "😀", "👩‍👧"]),
      Schema.String.check(Schema.isMaxLength(3))
    ])),
    { maxLength: options?.maxCharacters }
  ).pipe(Arbitrary.map((parts) => parts.join("").toWellFormed()))

/**
 * Payloads of up to many bytes, with sizes around a limit: nothing, one byte, one less and one more than it.
 *
 * **Details**
 * - Shape: a few bytes, repeated; so that large ones cost little to draw and shrink fast.
 * - Units: `limitBytes` is the limit that the subject has, `maxBytes` the largest payload.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const payload = (options: {
  readonly limitBytes: number
  /** @default limitBytes */
  readonly maxBytes?: number | undefined
}): Arbitrary.Arbitrary<Uint8Array> => {
  const { limitBytes, maxBytes = limitBytes } = options
  const sizes = [0, 1, 2, limitBytes - 1, limitBytes, limitBytes + 1, maxBytes].filter((size) => size >= 0)
  return Arbitrary.all({ size: Draw.integer(maxBytes, sizes), pattern: bytes({ minBytes: 1, maxBytes: 8 }) }).pipe(
    Arbitrary.map(({ pattern, size }) => Uint8Array.from({ length: size }, (_, i) => pattern[i % pattern.length] ?? 0))
  )
}

/** Hosts from the plainest to those that are hard to spell. */
const hosts = [
  "127.0.0.1",
  "localhost",
  "*",
  "0.0.0.0",
  "255.255.255.255",
  "::1",
  "::",
  "fe80::1%eth0",
  "::ffff:192.0.2.1",
  "2001:db8:0:0:1::1",
  "a",
  "xn--nxasmq6b.example",
  `${"a".repeat(63)}.example`
] as const

/** Paths and abstract names: with spaces, marks of other schemes, several bytes a character, as long as can be. */
const paths = [
  "/run/x.sock",
  "x",
  "./@x",
  "@x",
  "../a b",
  "/tmp/tcp://[::1]:80",
  "/é/😀?#%20",
  `/${"a".repeat(106)}`,
  `@${"a".repeat(107)}`
] as const

const names = ["a", "server", "a/b", "tcp://x:1", " ", "é😀", "@", "%00"] as const

/**
 * Endpoints of all kinds, or of some; tricky ones often. The simplest is `tcp://127.0.0.1:0`.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const endpoint = (options: {
  /** @default all of them */
  readonly tags?: readonly [Endpoint.Endpoint["_tag"], ...ReadonlyArray<Endpoint.Endpoint["_tag"]>] | undefined
} = {}): Arbitrary.Arbitrary<Endpoint.Endpoint> => {
  const port = Draw.integer(65_535, [0, 1, 80, 443, 1_023, 1_024, 12_345, 49_152, 65_535])
  const inet = Arbitrary.all({ host: Draw.element(hosts), port })
  const kinds: { readonly [K in Endpoint.Endpoint["_tag"]]: Arbitrary.Arbitrary<Endpoint.Endpoint> } = {
    Tcp: Arbitrary.map(inet, ({ host, port }) => Endpoint.tcpUnsafe(host, port)),
    Tls: Arbitrary.map(inet, ({ host, port }) => Endpoint.tlsUnsafe(host, port)),
    Unix: Draw.oneOf([
      Arbitrary.map(Draw.element(paths), Endpoint.unixUnsafe),
      // The empty path is that of a peer without a name, and has no spelling.
      Arbitrary.filterMap(Arbitrary.filter(text({ maxCharacters: 8 }), (path) => path !== ""), Endpoint.unix)
    ]),
    Memory: Draw.oneOf([
      Arbitrary.map(Draw.element(names), Endpoint.memoryUnsafe),
      Arbitrary.filterMap(text({ maxCharacters: 8 }), Endpoint.memory)
    ]),
    Descriptor: Arbitrary.map(
      Arbitrary.all([
        Draw.integer(1_023, [3, 4, 255, 1_023]),
        Draw.element<Endpoint.Descriptor["security"]>(["plain", "tls"])
      ]),
      ([fd, security]) => Endpoint.descriptorUnsafe(Math.max(3, fd), security)
    )
  }
  const [first, ...rest] = options.tags ?? ["Tcp", "Tls", "Unix", "Memory", "Descriptor"]
  return Draw.oneOf([kinds[first], ...rest.map((tag) => kinds[tag])])
}

/** What one side says in a conversation. @category models @since 0.1.0 */
export type Turn<Client, Server> =
  | { readonly _tag: "Client"; readonly message: Client }
  | { readonly _tag: "Server"; readonly message: Server }

/**
 * Conversations: who says what, in which order. They shrink to fewer turns with smaller messages.
 *
 * @category arbitraries
 * @since 0.1.0
 */
export const conversation = <Client, Server>(options: {
  readonly client: Law.Input<Client>
  readonly server: Law.Input<Server>
  /** @default as many as the size of the run */
  readonly maxTurns?: number | undefined
}): Arbitrary.Arbitrary<ReadonlyArray<Turn<Client, Server>>> =>
  Arbitrary.array(
    Draw.oneOf<Turn<Client, Server>>([
      Arbitrary.map(Law.fromInput(options.client), (message) => ({ _tag: "Client", message })),
      Arbitrary.map(Law.fromInput(options.server), (message) => ({ _tag: "Server", message }))
    ]),
    { maxLength: options.maxTurns }
  )

/** How a network might cut a stream. Apply it with `cut`. @category arbitraries @since 0.1.0 */
export const chunking: Arbitrary.Arbitrary<Chunking> = Arbitrary.array(Draw.integer(64, [0, 1, 2, 3, 4]))

/** Bytes cut into chunks. @category arbitraries @since 0.1.0 */
export const chunked = (input: Law.Input<Uint8Array>): Arbitrary.Arbitrary<ReadonlyArray<Uint8Array>> =>
  Arbitrary.all([Law.fromInput(input), chunking]).pipe(Arbitrary.map(([whole, sizes]) => cut(whole, sizes)))

/** Cuts bytes as a chunking says. Each chunk is a copy with a buffer of its own. @category cutting @since 0.1.0 */
export const cut = (whole: Uint8Array, sizes: Chunking): ReadonlyArray<Uint8Array> => {
  const chunks: Array<Uint8Array> = []
  let at = 0
  for (const size of sizes) {
    if (at === whole.length) {
      break
    }
    chunks.push(Uint8Array.from(whole.subarray(at, at + size)))
    at = Math.min(whole.length, at + size)
  }
  if (at < whole.length || chunks.length === 0) {
    chunks.push(Uint8Array.from(whole.subarray(at)))
  }
  return chunks
}

/**
 * Every way to cut bytes into chunks that are not empty: 2^(n-1) of them for n bytes.
 *
 * @category cutting
 * @since 0.1.0
 */
export const everyCut = function*(whole: Uint8Array): Generator<ReadonlyArray<Uint8Array>> {
  const places = Math.max(0, whole.length - 1)
  for (let set = 0; set < 2 ** places; set++) {
    const chunks: Array<Uint8Array> = []
    let from = 0
    for (let place = 0; place < places; place++) {
      if ((set >> place) % 2 === 1) {
        chunks.push(whole.slice(from, place + 1))
        from = place + 1
      }
    }
    chunks.push(whole.slice(from))
    yield chunks
  }
}
