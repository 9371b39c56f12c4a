/** The heap of deadlines gives what is due first, whatever comes, leaves and moves. */
import { assert, it } from "@effect/vitest"
import { Arbitrary, Schema } from "effect"
import { add, type Due, first, remove, sink, swim } from "../src/internal/dueHeap.ts"
import { int } from "./support/proxyArbitrary.ts"

const step = Arbitrary.all([
  Arbitrary.schema(Schema.Literals(["add", "add", "remove", "sooner", "later"])),
  int(0, 30),
  int(0, 50)
])

it.prop("the first is the one that is due first, and each knows its index", {
  steps: Arbitrary.array(step, { maxLength: 60 })
}, ({ steps }) => {
  const heap: Array<Due> = []
  const members = new Set<Due>()
  for (const [what, which, due] of steps) {
    const member = [...members][which % Math.max(1, members.size)]
    if (what === "add" || member === undefined) {
      const fresh = { index: -1, due }
      add(heap, fresh)
      members.add(fresh)
    } else if (what === "remove") {
      remove(heap, member)
      members.delete(member)
      assert.strictEqual(member.index, -1)
    } else if (what === "sooner") {
      member.due -= due
      swim(heap, member)
    } else {
      member.due += due
      sink(heap, member)
    }
    assert.strictEqual(
      first(heap)?.due,
      members.size === 0 ? undefined : Math.min(...[...members].map((each) => each.due))
    )
    assert.strictEqual(heap.length, members.size)
    for (const each of members) {
      assert.strictEqual(heap[each.index], each)
      assert.isAtMost(heap[(each.index - 1) >> 1]?.due ?? each.due, each.due)
    }
  }
}, { arbitrary: { runs: 300, size: 60 } })
