import { assert, it } from "@effect/vitest"
import { Effect, Option, Sink, Stdio, Stream } from "effect"
import { TestClock } from "effect/testing"
import * as CrcProgress from "../../src/cli/crcProgress.ts"

/** What is written to stderr while ten pieces of a tenth of a mebibyte come, one every `millis`. */
const watched = Effect.fnUntraced(function*(millis: number, size: Option.Option<number>, terminal = true) {
  let stderr = ""
  const chunks = Stream.fromIterable(Array.from({ length: 10 }, () => new Uint8Array(104_858))).pipe(
    Stream.tap(() => TestClock.adjust(millis))
  )
  const stdio = Stdio.layerTest({
    stderrIsTerminal: Effect.succeed(terminal),
    stderr: () =>
      Sink.forEach((text: string | Uint8Array) =>
        Effect.sync(() => {
          stderr += String(text)
        })
      )
  })
  const got = yield* CrcProgress.watch(chunks, "big.bin", Effect.succeed(size)).pipe(
    Stream.runCount,
    Effect.provide(stdio)
  )
  assert.strictEqual(got, 10)
  return stderr
})

it.effect("says how far it is after half a second, and wipes it at the end", () =>
  Effect.gen(function*() {
    const size = Option.some(1_048_580)
    assert.strictEqual(
      yield* watched(100, size),
      [
        "\r\x1b[Kbig.bin: 50% 512KiB of 1MiB",
        "\r\x1b[Kbig.bin: 60% 614.4KiB of 1MiB",
        "\r\x1b[Kbig.bin: 70% 716.8KiB of 1MiB",
        "\r\x1b[Kbig.bin: 80% 819.2KiB of 1MiB",
        "\r\x1b[Kbig.bin: 90% 921.6KiB of 1MiB",
        "\r\x1b[Kbig.bin: 100% 1MiB of 1MiB",
        "\r\x1b[K"
      ].join("")
    )
  }))

it.effect("says it ten times a second at most", () =>
  Effect.gen(function*() {
    const stderr = yield* watched(60, Option.none())
    assert.strictEqual(stderr, "\r\x1b[Kbig.bin: 921.6KiB\r\x1b[K")
  }))

it.effect("says nothing of what is done soon, nor where nobody looks", () =>
  Effect.gen(function*() {
    assert.strictEqual(yield* watched(10, Option.some(1_048_580)), "")
    assert.strictEqual(yield* watched(100, Option.some(1_048_580), false), "")
  }))

it.effect("knows no share of a file whose size is not known, such as one in /proc", () =>
  Effect.gen(function*() {
    assert.isTrue((yield* watched(100, Option.some(0))).startsWith("\r\x1b[Kbig.bin: 512KiB\r"))
  }))
