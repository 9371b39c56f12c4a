import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Duration, Result, Schema } from "effect"
import * as Units from "../../src/cli/Units.ts"

const amount = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 })))

describe("durations", () => {
  it.each([
    ["0ms", 0],
    ["500ms", 500],
    ["2s", 2000],
    ["1.5m", 90_000],
    ["1m", 60_000],
    ["576h", 2_073_600_000]
  ])("%s is read", (text, millis) => {
    assert.deepStrictEqual(Result.map(Units.parseDuration(text), Duration.toMillis), Result.succeed(millis))
  })

  it.each(["", "5", "ms", "-1s", "1 s", "1S", "1d", "1e3s", ".5s", "1.s", "Infinity", "597h", "1s 1s", "1m1s"])(
    "%j is refused with the rule",
    (text) => {
      assert.deepStrictEqual(Units.parseDuration(text), Result.fail(Units.durationRule))
    }
  )

  it.each([[0, "0ms"], [12, "12ms"], [0.5, "0.5ms"], [1000, "1s"], [1234, "1.23s"], [90_000, "90s"], [180_000, "3m"]])(
    "%d ms are printed as %s",
    (millis, text) => {
      assert.strictEqual(Units.formatDuration(Duration.millis(millis)), text)
    }
  )

  it.prop("what is printed is read back, within half a percent", { amount }, ({ amount }) => {
    for (const unit of ["ms", "s", "m"]) {
      const duration = Result.getOrThrow(Units.parseDuration(`${amount}${unit}`))
      const again = Result.getOrThrow(Units.parseDuration(Units.formatDuration(duration)))
      assert.closeTo(Duration.toMillis(again), Duration.toMillis(duration), 0.005 * Duration.toMillis(duration))
    }
  })
})

describe("sizes", () => {
  it.each([
    ["1", 1],
    ["512", 512],
    ["512B", 512],
    ["64KiB", 65_536],
    ["1.5KiB", 1536],
    ["1MiB", 1_048_576],
    ["1GiB", 1_073_741_824]
  ])("%s is read", (text, bytes) => {
    assert.deepStrictEqual(Units.parseSize(text), Result.succeed(bytes))
  })

  it.each(["", "0", "-1", "KiB", "64KB", "64k", "64 KiB", "1.3KiB", "0.5", "2GiB", "1e3", "Infinity"])(
    "%j is refused with the rule",
    (text) => {
      assert.deepStrictEqual(Units.parseSize(text), Result.fail(Units.sizeRule))
    }
  )

  it.each([[0, "0B"], [27, "27B"], [1024, "1KiB"], [1536, "1.5KiB"], [65_536, "64KiB"], [2 ** 30, "1GiB"]])(
    "%d bytes are printed as %s",
    (bytes, text) => {
      assert.strictEqual(Units.formatSize(bytes), text)
    }
  )
})
