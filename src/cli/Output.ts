/**
 * stdout: where the data of a command goes, with back-pressure, and what happens when nobody reads it any more.
 *
 * A reader that goes away (`hawser … | head -1`) is no error: the command ends, quietly. A disk that is full is one.
 *
 * @since 0.1.0
 */
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as PlatformError from "effect/PlatformError"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Failure from "./Failure.ts"
import * as SystemCode from "./SystemCode.ts"

/** Nobody reads stdout any more. @category errors @since 0.1.0 */
export class Closed extends Data.TaggedError("Closed")<{}> {}

const fromWrite = (error: PlatformError.PlatformError): Closed | Failure.Failure => {
  const code = SystemCode.fromPlatform(error)
  return code === "EPIPE" || code === "ERR_STREAM_DESTROYED"
    ? new Closed()
    : Failure.local(`cannot write to stdout (${code})`)
}

/** Writes a stream to stdout, asking for more only as fast as it is read there. @category output @since 0.1.0 */
export const write = <E, R>(
  stream: Stream.Stream<string | Uint8Array, E, R>
): Effect.Effect<void, E | Closed | Failure.Failure, R | Stdio.Stdio> =>
  Stdio.Stdio.use((stdio) => {
    // The sink's errors must be told from the stream's own.
    const own = Stream.mapError(stream, (error) => ({ own: error }))
    return Effect.mapError(Stream.run(own, stdio.stdout()), (error) => "own" in error ? error.own : fromWrite(error))
  })
