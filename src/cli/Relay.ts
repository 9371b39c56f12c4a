/**
 * Passes on what workers print, and prints between it what a supervisor says itself: whole lines, as fast as they are read.
 *
 * ```
 * worker 1 --pipe--> whole lines --\
 * worker 2 --pipe--> whole lines ---+--> [ at most 16 pieces ] --> stdout
 * supervisor ----------------------/
 * ```
 *
 * The bytes are not looked at but for the ends of lines, so that many workers cost little here. Where stdout is not read,
 * nothing is taken from the pipes, and the workers count what they could not say. Where it is closed, everything is
 * thrown away, so that nobody waits. A line that a worker did not finish before it died is no line.
 *
 * @since 0.1.0
 */
import * as NodeStream from "@effect/platform-node/NodeStream"
import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Latch from "effect/Latch"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import type * as Stdio from "effect/Stdio"
import * as Stream from "effect/Stream"
import type { Readable } from "node:stream"
import type * as Failure from "./Failure.ts"
import * as Output from "./Output.ts"

/** Each is what one read of a pipe gave, of at most 64 KiB: 1 MiB, and as much that is being written. Arbitrary. */
const maxPieces = 16

const lineFeed = 10

/** What several write to stdout. @category models @since 0.1.0 */
export interface Relay {
  /** Prints a line; waits for room. */
  readonly say: (line: string) => Effect.Effect<void>
  /** Passes on all lines of a pipe, until it ends. */
  readonly pass: (pipe: Readable) => Effect.Effect<void>
  /** Nothing is passed on while it is closed, as it is at first. */
  readonly gate: Latch.Latch
  /** Whether somebody who reads slowly is waited for. */
  readonly isBehind: () => boolean
  /** Fails when stdout cannot be written to any more. */
  readonly failed: Effect.Effect<never, Output.Closed | Failure.Failure>
}

/** Starts printing, for the time of the scope; what is left is printed when that closes. @category constructors @since 0.1.0 */
export const make: Effect.Effect<Relay, never, Scope.Scope | Stdio.Stdio> = Effect.gen(function*() {
  const queue = yield* Queue.bounded<string | Uint8Array, Cause.Done>(maxPieces)
  const gate = yield* Latch.make(false)
  const printing = yield* Effect.forkScoped(
    Effect.ensuring(Output.write(Stream.fromQueue(queue)), Queue.shutdown(queue))
  )
  yield* Effect.addFinalizer(() => Effect.andThen(Queue.end(queue), Fiber.await(printing)))
  const pass = (pipe: Readable): Effect.Effect<void> => {
    // The beginning of a line whose end has not come: not longer than a line may be.
    let begun: Array<Uint8Array> = []
    const chunks = NodeStream.fromReadable({ evaluate: () => pipe, chunkSize: 1 })
    return Stream.runForEach(chunks, (chunk) => {
      const end = chunk.lastIndexOf(lineFeed) + 1
      if (end === 0) {
        begun.push(chunk)
        return Effect.void
      }
      const lines = Buffer.concat([...begun, chunk.subarray(0, end)])
      begun = end === chunk.length ? [] : [chunk.subarray(end)]
      return Effect.andThen(gate.await, Queue.offer(queue, lines))
    }).pipe(Effect.ignore) // a pipe that breaks has ended
  }
  return {
    say: (line) => Effect.asVoid(Queue.offer(queue, `${line}\n`)),
    pass,
    gate,
    isBehind: () => Queue.sizeUnsafe(queue) > 0,
    failed: Effect.andThen(Fiber.join(printing), Effect.never)
  }
})
