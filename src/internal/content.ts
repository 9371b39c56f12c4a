/**
 * Bytes to text to JSON and back, for the codecs of text: each step gives its value or the reason why there is none.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as SchemaIssue from "effect/SchemaIssue"
import * as bytePool from "./bytePool.ts"

const encoder = new TextEncoder()
const lenient = new TextDecoder("utf-8", { ignoreBOM: true })
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true })

/**
 * Encodes text; a lone surrogate becomes U+FFFD.
 *
 * For 64 characters `encode` takes 300 ns, `encodeInto` an array of that size, which has to leave V8's heap first, 780 ns,
 * and this 90 (Node 26): with 16 lines in flight that was half of the CPU of each.
 */
export const toUtf8 = (text: string): Uint8Array => {
  const mostBytes = text.length * 3
  if (mostBytes > bytePool.pooledBytes) return encoder.encode(text)
  const bytes = bytePool.take(mostBytes)
  const { written } = encoder.encodeInto(text, bytes)
  bytePool.giveBack(mostBytes - written)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, written)
}

/** Decodes UTF-8; each part that is none becomes U+FFFD. */
export const fromUtf8 = (bytes: Uint8Array): string => lenient.decode(bytes)

/** Encodes text, unless it has a lone surrogate, which UTF-8 cannot say. */
export const toUtf8Result = (text: string): Result.Result<Uint8Array, string> =>
  text.isWellFormed() ? Result.succeed(toUtf8(text)) : Result.fail("text has a lone surrogate")

/** Decodes UTF-8. Only where the lenient decoder gives U+FFFD is the strict one asked if the peer really sent it. */
export const fromUtf8Result = (bytes: Uint8Array): Result.Result<string, string> => {
  const text = lenient.decode(bytes)
  return text.includes("\uFFFD")
    ? Result.try({ try: () => strict.decode(bytes), catch: () => `${bytes.length} bytes are not valid UTF-8` })
    : Result.succeed(text)
}

/** Parses JSON. The engine's message quotes the input, so it is not used. */
export const fromJson = (text: string): Result.Result<unknown, string> =>
  Result.try({ try: () => JSON.parse(text), catch: () => "text is not valid JSON" })

/** Prints JSON on one line. */
export const toJson = (value: unknown): Result.Result<string, string> =>
  Result.try({
    try: (): string | undefined => JSON.stringify(value),
    catch: () => "value has no JSON form"
  }).pipe(Result.flatMap((text) => text === undefined ? Result.fail("value has no JSON form") : Result.succeed(text)))

const formatDefault = SchemaIssue.makeFormatterDefault()

/** One line of at most 200 characters: keys in a path come from the peer. */
export const formatIssue = (issue: SchemaIssue.Issue): string =>
  formatDefault(issue).replaceAll(/\s*\n\s*/g, " ").slice(0, 200)
