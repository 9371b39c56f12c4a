import { assert, it } from "@effect/vitest"
import { hawser, limitMillis } from "./process.ts"

it("shows its claims, all of which hold, and exits with 0", async () => {
  using tour = hawser(["tour"])
  const { exit, stderr, stdout } = await tour.ended
  assert.deepStrictEqual({ exit, stderr }, { exit: 0, stderr: "" })
  assert.notInclude(stdout, "✗")
  const checks = stdout.split("\n").filter((line) => line.startsWith("   ✓ ")).map((line) => line.slice(5))
  assert.deepStrictEqual(checks, [
    "the same text came back",
    "it is turned around",
    "so is this, and the family stays together",
    "each got its own answer",
    "100 fibers answered",
    "the sixth was told why",
    "the server knows it too",
    "when one has left, the next is served",
    "exactly one was turned away",
    "the answer came, and then the end",
    "a client that comes now is refused by the system",
    "the request in flight was answered",
    "both connections ended in their own time",
    "it was refused once and sent again",
    "it was taken once, as it was meant",
    "the connection went on"
  ])
  for (
    const shown of ["skeegrofskeeg syas ayruahs", "👩‍👩‍👧 olléh", "100 clients", "the server is full, try again later"]
  ) {
    assert.include(stdout, shown)
  }
  assert.match(stdout, /\nAll 7 claims hold; showing them took \S+\.\n$/)
}, limitMillis)
