import { assert, describe, it } from "@effect/vitest"
import { Arbitrary, Duration, Result, Schema } from "effect"
import * as Units from "../../src/cli/Units.ts"

const amount = Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 500 })))

describe("durations", () => {
  it.each([
    ["0ms", 0],
    ["500ms", 500],
    ["2s", 2000],
    ["1.5m", 90_000],
    ["1m", 60_000],
    ["576h", 2_073_600_000],
    ["7d", 604_800_000]
  ])("%s is read", (text, millis) => {
    assert.deepStrictEqual(Result.map(Units.parseDuration(text), Duration.toMillis), Result.succeed(millis))
  })

  it.each(["", "5", "ms", "-1s", "1 s", "1S", "1D", "25d", "1e3s", ".5s", "1.s", "Infinity", "597h", "1s 1s", "1m1s"])(
    "%j is refused with the rule",
    (text) => {
      assert.deepStrictEqual(Units.parseDuration(text), Result.fail(Units.durationRule))
    }
  )

  it.each([[0, "0ms"], [12, "12ms"], [0.5, "0.5ms"], [1000, "1s"], [1234, "1.23s"], [90_000, "90s"], [180_000, "3m"], [
    10_800_000,
    "3h"
  ], [
    604_800_000,
    "7d"
  ]])(
    "%d ms are printed as %s",
    (millis, text) => {
      assert.strictEqual(Units.formatDuration(Duration.millis(millis)), text)
    }
  )

  it.prop("what is printed is read back, within half a percent", { amount }, ({ amount }) => {
    for (const unit of ["ms", "s", "m", "h"]) {
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

describe("rates", () => {
  const read = (text: string) =>
    Result.map(Units.parseRate(text), ({ connections, per }) => [connections, Duration.toMillis(per)])

  it.each<[text: string, connections: number, millis: number]>([
    ["100", 100, 1000],
    ["100/s", 100, 1000],
    ["5000/1m", 5000, 60_000],
    ["1/500ms", 1, 500]
  ])("%s is read", (text, connections, millis) => {
    assert.deepStrictEqual(read(text), Result.succeed([connections, millis]))
  })

  it.each(["", "0", "0/s", "/s", "1/", "1/0s", "1/s/s", "1.5/s", "-1", "1/25d", "100 /s", "unbounded"])(
    "%j is refused with the rule",
    (text) => {
      assert.deepStrictEqual(
        read(text),
        Result.fail("a number from 1 and perhaps a time, such as 100, 100/s or 5000/1m")
      )
    }
  )

  const readBytes = (text: string) =>
    Result.map(Units.parseByteRate(text), ({ bytesPerSecond, grace }) => [bytesPerSecond, Duration.toMillis(grace)])

  it.each<[text: string, bytesPerSecond: number, millis: number]>([
    ["160/10s", 16, 10_000],
    ["1KiB/s", 1024, 1000],
    ["8/500ms", 16, 500]
  ])("%s is read, of bytes", (text, bytesPerSecond, millis) => {
    assert.deepStrictEqual(readBytes(text), Result.succeed([bytesPerSecond, millis]))
  })

  it.each(["", "160", "160/", "/10s", "0/1s", "1/0s", "10/3s", "1/1s/1s", "1KB/s"])(
    "%j is refused with the rule, of bytes",
    (text) => {
      assert.deepStrictEqual(
        readBytes(text),
        Result.fail("a size and a time, of whole bytes per second, such as 160/10s or 1KiB/s")
      )
    }
  )
})

describe("limits", () => {
  const read = Units.orUnbounded(Units.parseTimeout)

  it("may be off", () => {
    assert.deepStrictEqual(read("unbounded"), Result.succeed("unbounded"))
    assert.deepStrictEqual(read("2s"), Result.succeed(Duration.seconds(2)))
  })

  it.each(["", "0s", "0", "Unbounded", "25d"])("%j is refused with the rule", (text) => {
    assert.deepStrictEqual(
      read(text),
      Result.fail("a time such as 500ms, 2s or 1m, longer than nothing and of at most 24 days, or unbounded")
    )
  })

  it("of what many share may be larger than that of one frame", () => {
    assert.deepStrictEqual(Units.parseBudget("1024GiB"), Result.succeed(2 ** 40))
    assert.deepStrictEqual(
      Units.parseBudget("1025GiB"),
      Result.fail("a size from 1 byte to 1024GiB, such as 64MiB or 1GiB")
    )
  })
})

describe("modes", () => {
  it.each([["660", 0o660], ["0600", 0o600], ["777", 0o777], ["000", 0]])("%s is read", (text, mode) => {
    assert.deepStrictEqual(Units.parseMode(text), Result.succeed(mode))
  })

  it.each(["", "6", "0o660", "888", "1777", "rw-", "06600"])("%j is refused with the rule", (text) => {
    assert.deepStrictEqual(
      Units.parseMode(text),
      Result.fail("the permission bits in octal, such as 660 or 0600")
    )
  })
})

it("a text gets the usual units", () => {
  assert.strictEqual(Units.inWords("nothing came for 600000 ms, or 5 ms"), "nothing came for 10m, or 5ms")
})
