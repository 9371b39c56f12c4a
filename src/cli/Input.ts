/**
 * stdin, as bytes and as lines; and the lines of anything else.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as CloseReason from "../CloseReason.ts"
import * as Codec from "../Codec.ts"
import * as Framing from "../Framing.ts"
import * as Failure from "./Failure.ts"
import * as SystemCode from "./SystemCode.ts"

/** The bytes of stdin. @category input @since 0.1.0 */
export const bytes: Stream.Stream<Uint8Array, Failure.Failure, Stdio.Stdio> = Stream.unwrap(
  Stdio.Stdio.useSync((stdio) =>
    Stream.mapError(stdio.stdin, (error) => Failure.local(`cannot read from stdin (${SystemCode.fromPlatform(error)})`))
  )
)

/** The lines of stdin. @category input @since 0.1.0 */
export const lines = (maxFrameBytes: number): Stream.Stream<string, Failure.Failure, Stdio.Stdio> =>
  linesOf(bytes, "stdin", maxFrameBytes)

/**
 * The lines of what is called `name`, of at most `maxFrameBytes` each; the last one may be without an end.
 *
 * **Details**: the lines before one that is too long, or not UTF-8, come before the failure.
 *
 * @category input
 * @since 0.1.0
 */
export const linesOf = <R>(
  bytes: Stream.Stream<Uint8Array, Failure.Failure, R>,
  name: string,
  maxFrameBytes: number
): Stream.Stream<string, Failure.Failure, R> =>
  Stream.suspend(() => {
    const decoder = Codec.text(Framing.lines({ maxFrameBytes, ending: "any", unterminated: "emit" })).decoder()
    let count = 0
    const decode = (step: (out: Array<string>) => CloseReason.CloseReason | undefined) => {
      const out: Array<string> = []
      const error = step(out)
      count += out.length
      const good = Stream.fromArray(out)
      if (error === undefined) return good
      const failure = Failure.local(`line ${count + 1} of ${name}: ${CloseReason.format(error)}`)
      return Stream.concat(good, Stream.fail(failure))
    }
    return Stream.concat(
      Stream.flatMap(bytes, (chunk) => decode((out) => decoder.decode(chunk, out))),
      Stream.fromEffect(Effect.sync(() => decode((out) => decoder.end(out)))).pipe(Stream.flatten())
    )
  })
