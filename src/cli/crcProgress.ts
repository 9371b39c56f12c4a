/**
 * How far a file is read, on stderr, where that is a terminal and it takes a while. The line is gone when the file is done.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import * as Units from "./Units.ts"

/** Below half a second nobody wonders; ten times a second looks alive. */
const patienceMillis = 500
const pauseMillis = 100

const wipe = "\r\x1b[K"

/** Shows how much of `size` has come. @category output @since 0.1.0 */
export const watch = <E, R, R2>(
  stream: Stream.Stream<Uint8Array, E, R>,
  name: string,
  size: Effect.Effect<Option.Option<number>, never, R2>
): Stream.Stream<Uint8Array, E, R | R2 | Stdio.Stdio> =>
  Stream.unwrap(Effect.gen(function*() {
    const stdio = yield* Stdio.Stdio
    if (!(yield* stdio.stderrIsTerminal)) return stream
    const clock = yield* Clock.Clock
    const write = (text: string) => Effect.ignore(Stream.run(Stream.succeed(text), stdio.stderr()))
    const total = Option.filter(yield* size, (bytes) => bytes > 0)
    const ofTotal = Option.match(total, { onNone: () => "", onSome: (bytes) => ` of ${Units.formatSize(bytes)}` })
    let next = clock.currentTimeMillisUnsafe() + patienceMillis
    let bytes = 0
    let shown = false
    return stream.pipe(
      Stream.tap((chunk) => {
        bytes += chunk.length
        const now = clock.currentTimeMillisUnsafe()
        if (now < next) return Effect.void
        next = now + pauseMillis
        shown = true
        const share = Option.match(total, { onNone: () => "", onSome: (all) => ` ${Math.floor(bytes / all * 100)}%` })
        return write(`${wipe}${name}:${share} ${Units.formatSize(bytes)}${ofTotal}`)
      }),
      Stream.ensuring(Effect.suspend(() => shown ? write(wipe) : Effect.void))
    )
  }))
