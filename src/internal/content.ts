/**
 * Bytes to text to JSON and back, for the codecs of text: each step gives its value or the reason why there is none.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as SchemaIssue from "effect/SchemaIssue"

const encoder = new TextEncoder()
const lenient = new TextDecoder("utf-8", { ignoreBOM: true })
const strict = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true })

/** Beyond this many characters the two ways cost the same. */
const asciiFirstCharacters = 4096

/** Encodes text; a lone surrogate becomes U+FFFD. */
export const toUtf8 = (text: string): Uint8Array => {
  // TextEncoder.encode takes 300 ns for 64 characters, filling an array of the size of ASCII 60 (Node 26).
  if (text.length > asciiFirstCharacters) {
    return encoder.encode(text)
  }
  const bytes = new Uint8Array(text.length)
  // All characters fitted into as many bytes: then the text is ASCII and the array is full.
  return encoder.encodeInto(text, bytes).read === text.length ? bytes : encoder.encode(text)
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
